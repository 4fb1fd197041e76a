"""The book of grams: what is refused, that it sums to zero, and that tampering is found at its place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.carbon.ledger import (
    CORRECTION,
    REGISTRY,
    RETIRED,
    ZONE,
    Account,
    AccountKind,
    Book,
    Break,
    Cause,
    Entry,
    EntryKind,
    Posting,
    Refusal,
    SealedEntry,
    account_of,
    canonical_bytes,
    genesis_hash,
    seal,
    verify,
)
from control.carbon.postings import Stamp, reversal_of

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
TONNE = 1_000_000
V1, V2 = Account(AccountKind.VISIT, "v1"), Account(AccountKind.VISIT, "v2")
LOT = Account(AccountKind.CREDIT, "lot1")


def entry(entry_id: str, kind: EntryKind, *postings: tuple[Account, int], **fields: Any) -> Entry:
    made = tuple(Posting(account, grams) for account, grams in postings)
    return Entry(
        **{"entry_id": entry_id, "kind": kind, "at": AT, "author": "office", "reason": "r", **fields}, postings=made
    )


def debit(entry_id: str, visit: Account, grams: int) -> Entry:
    return entry(entry_id, EntryKind.VISIT_DEBIT, (visit, -grams), (ZONE, grams))


def bought(entry_id: str, tonnes: int) -> Entry:
    return entry(entry_id, EntryKind.CREDIT_BOUGHT, (REGISTRY, -tonnes * TONNE), (LOT, tonnes * TONNE))


def retired(entry_id: str, tonnes: int) -> Entry:
    return entry(entry_id, EntryKind.RETIREMENT, (LOT, -tonnes * TONNE), (RETIRED, tonnes * TONNE))


def settled(entry_id: str, visit: Account, grams: int) -> Entry:
    return entry(entry_id, EntryKind.SETTLEMENT, (RETIRED, -grams), (visit, grams))


def undo(entry_id: str, original: Entry) -> Entry:
    return reversal_of(Stamp(entry_id=entry_id, at=AT, author="office", reason="wrong plate"), original)


def filled() -> Book:
    book = Book("zone")
    for one in (
        debit("d1", V1, 1600),
        debit("d2", V2, 8800),
        bought("b1", 3),
        retired("t1", 1),
        settled("s1", V1, 1600),
    ):
        assert isinstance(book.append(one), SealedEntry)
    return book


def test_a_visit_is_owed_covered_and_pooled() -> None:
    book = filled()
    assert book.balance(V1) == 0
    assert book.balance(V2) == -8800
    assert book.balance(ZONE) == 10_400
    assert book.balance(LOT) == 2 * TONNE
    assert book.balance(RETIRED) == TONNE - 1600
    assert sum(book.balances().values()) == 0


def test_a_correction_keeps_what_was_measured() -> None:
    book = filled()
    more = entry("c1", EntryKind.CORRECTION, (V2, -200), (CORRECTION, 200))
    assert isinstance(book.append(more), SealedEntry)
    assert (book.balance(V2), book.balance(ZONE), book.balance(CORRECTION)) == (-9000, 10_400, 200)


REFUSED: list[tuple[Callable[[Book], Entry], Cause]] = [
    (lambda b: debit("d1", V1, 1600), Cause.ID_TAKEN),
    (lambda b: debit(" ", V1, 1), Cause.NO_TEXT),
    (lambda b: replace(debit("x", V1, 1), author=""), Cause.NO_TEXT),
    (lambda b: replace(debit("x", V1, 1), reason=""), Cause.NO_TEXT),
    (lambda b: replace(debit("x", V1, 1), reason="\ud800"), Cause.BAD_TEXT),
    (lambda b: replace(debit("x", V1, 1), details={"tier": 1}), Cause.BAD_TEXT),  # type: ignore[dict-item]
    (lambda b: replace(debit("x", V1, 1), at=AT.replace(tzinfo=None)), Cause.NO_TIME_ZONE),
    (lambda b: debit("x", V1, 1.5), Cause.NOT_WHOLE_GRAMS),  # type: ignore[arg-type]
    (lambda b: debit("x", V1, True), Cause.NOT_WHOLE_GRAMS),
    (lambda b: debit("x", V1, 0), Cause.TOO_FEW_POSTINGS),
    (lambda b: entry("x", EntryKind.VISIT_DEBIT), Cause.TOO_FEW_POSTINGS),
    (lambda b: entry("x", EntryKind.VISIT_DEBIT, (V1, -5), (V1, 5)), Cause.ACCOUNT_TWICE),
    (lambda b: debit("x", Account(AccountKind.VISIT), 5), Cause.BAD_ACCOUNT),
    (lambda b: entry("x", EntryKind.VISIT_DEBIT, (V1, -5), (Account(AccountKind.ZONE, "z"), 5)), Cause.BAD_ACCOUNT),
    (lambda b: entry("x", EntryKind.VISIT_DEBIT, (V1, -5), (ZONE, 6)), Cause.UNBALANCED),
    (lambda b: debit("x", V1, -5), Cause.WRONG_ACCOUNTS),
    (lambda b: entry("x", EntryKind.SETTLEMENT, (ZONE, -5), (V2, 5)), Cause.WRONG_ACCOUNTS),
    (lambda b: replace(debit("x", V1, 5), reverses="d1"), Cause.WRONG_ACCOUNTS),
    (lambda b: entry("x", EntryKind.RETIREMENT, (LOT, -5), (RETIRED, 5)), Cause.NOT_WHOLE_TONNES),
    (lambda b: retired("x", 3), Cause.OVERDRAWN),
    (lambda b: settled("x", V2, 8801), Cause.OVERDRAWN),
    (lambda b: settled("x", V1, 1), Cause.OVERDRAWN),
    (lambda b: replace(undo("x", debit("d2", V2, 8800)), reverses=None), Cause.REVERSES_NOTHING),
    (lambda b: undo("x", debit("d9", V2, 8800)), Cause.REVERSES_UNKNOWN),
    (lambda b: undo("x", debit("d2", V2, 8000)), Cause.NOT_THE_MIRROR),
    (lambda b: undo("x", debit("d1", V1, 1600)), Cause.OVERDRAWN),
    (lambda b: undo("x", retired("t1", 1)), Cause.FINAL),
]


@pytest.mark.parametrize(("bad", "cause"), REFUSED)
def test_a_bad_entry_is_refused_and_changes_nothing(bad: Callable[[Book], Entry], cause: Cause) -> None:
    book = filled()
    before = (book.head, len(book), book.balances())
    refused = book.append(bad(book))
    assert isinstance(refused, Refusal)
    assert refused.cause is cause
    assert refused.detail
    assert (book.head, len(book), book.balances()) == before


def test_an_entry_is_reversed_once_and_a_reversal_stays() -> None:
    book = filled()
    original = book.entry("d2")
    assert original is not None
    first = undo("r1", original)
    assert isinstance(book.append(first), SealedEntry)
    assert book.reversed_by("d2") == "r1"
    assert book.balance(V2) == 0
    again = book.append(undo("r2", original))
    assert isinstance(again, Refusal)
    assert again.cause is Cause.REVERSED_ALREADY
    back = book.append(undo("r3", first))
    assert isinstance(back, Refusal)
    assert back.cause is Cause.FINAL


def test_a_settled_visit_is_taken_back_in_two_steps() -> None:
    book = filled()
    for entry_id, name in (("r1", "s1"), ("r2", "d1")):
        original = book.entry(name)
        assert original is not None
        assert isinstance(book.append(undo(entry_id, original)), SealedEntry)
    assert (book.balance(V1), book.balance(RETIRED)) == (0, TONNE)


def test_the_same_moment_in_another_time_zone_has_the_same_bytes() -> None:
    one = debit("d", V1, 5)
    assert canonical_bytes(1, one) == canonical_bytes(1, replace(one, at=AT.astimezone(timezone(timedelta(hours=8)))))


def test_the_bytes_that_are_hashed_do_not_drift() -> None:
    one = replace(debit("d", V1, 5), reason="登记", details={"b": "2", "a": "1"})
    assert canonical_bytes(7, one).decode() == (
        '{"at":"2026-11-21T08:00:00.000000+00:00","author":"office","details":{"a":"1","b":"2"},"id":"d",'
        '"kind":"visit_debit","postings":[["visit:v1",-5],["zone",5]],"reason":"登记","reverses":null,"seq":7}'
    )


def test_accounts_survive_the_way_through_text() -> None:
    for account in (V1, LOT, ZONE, RETIRED, Account(AccountKind.VISIT, "gate:7")):
        assert account_of(str(account)) == account


def test_books_of_different_names_have_different_chains() -> None:
    found = verify("other", list(filled()))
    assert isinstance(found, Break)
    assert (found.seq, found.cause) == (1, Cause.PREVIOUS_HASH)
    assert genesis_hash("zone") != genesis_hash("other")


def test_a_whole_book_verifies_to_the_same_head() -> None:
    book = filled()
    found = verify("zone", list(book))
    assert isinstance(found, Book)
    assert (found.head, found.balances()) == (book.head, book.balances())


Tampering = Callable[[SealedEntry], SealedEntry]
TAMPERED: list[tuple[Tampering, Cause]] = [
    (lambda row: replace(row, entry=replace(row.entry, author="somebody")), Cause.HASH),
    (lambda row: replace(row, entry=replace(row.entry, at=AT + timedelta(microseconds=1))), Cause.HASH),
    (lambda row: replace(row, entry=replace(row.entry, details={"x": ""})), Cause.HASH),
    (lambda row: replace(row, entry=replace(row.entry, postings=row.entry.postings[::-1])), Cause.HASH),
    (lambda row: replace(row, hash=bytes(32)), Cause.HASH),
    (lambda row: replace(row, prev_hash=bytes(32)), Cause.PREVIOUS_HASH),
    (lambda row: replace(row, seq=row.seq + 1), Cause.SEQUENCE),
]


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(("tamper", "cause"), TAMPERED)
def test_tampering_is_found_at_its_place(tamper: Tampering, cause: Cause, place: int) -> None:
    rows = list(filled())
    rows[place] = tamper(rows[place])
    found = verify("zone", rows)
    assert isinstance(found, Break)
    assert (found.cause, found.entry_id) == (cause, rows[place].entry.entry_id)


def test_changed_grams_sealed_anew_break_at_the_next_row() -> None:
    rows = list(filled())
    forged = debit("d1", V1, 1700)
    rows[0] = seal(1, forged, rows[0].prev_hash)
    found = verify("zone", rows)
    assert isinstance(found, Break)
    assert (found.seq, found.cause) == (2, Cause.PREVIOUS_HASH)


@pytest.mark.parametrize("place", range(4))
def test_a_removed_row_is_missed_where_it_stood(place: int) -> None:
    rows = list(filled())
    del rows[place]
    found = verify("zone", rows)
    assert isinstance(found, Break)
    assert (found.seq, found.cause) == (place + 2, Cause.SEQUENCE)


def test_a_chain_of_entries_that_a_book_refuses_does_not_verify() -> None:
    head = genesis_hash("zone")
    found = verify("zone", [seal(1, settled("s", V1, 5), head)])
    assert isinstance(found, Break)
    assert found.cause is Cause.OVERDRAWN


visits = st.sampled_from([V1, V2])
grams = st.integers(1, 3 * TONNE)
steps = st.one_of(
    st.tuples(st.just(debit), visits, grams),
    st.tuples(st.just(settled), visits, grams),
    st.tuples(st.just(bought), st.integers(1, 5)),
    st.tuples(st.just(retired), st.integers(1, 5)),
    st.tuples(st.just("undo"), st.integers(0, 30)),
    st.tuples(st.just("replay"), st.integers(0, 30)),
)


@settings(max_examples=60)
@given(st.lists(steps, max_size=30))
def test_whatever_is_tried_the_book_stays_whole(tried: list[tuple[Any, ...]]) -> None:
    book = Book("zone")
    for number, (what, *given_) in enumerate(tried):
        rows = list(book)
        if what in ("undo", "replay"):
            if given_[0] >= len(rows):
                continue
            original = rows[given_[0]].entry
            result = book.append(undo(f"e{number}", original) if what == "undo" else original)
            if what == "replay":
                assert isinstance(result, Refusal)
                assert result.cause is Cause.ID_TAKEN
        else:
            book.append(what(f"e{number}", *given_))
        balances = book.balances()
        assert sum(balances.values()) == 0
        assert balances.get(RETIRED, 0) >= 0
        assert balances.get(LOT, 0) >= 0
        assert all(balances.get(visit, 0) <= 0 for visit in (V1, V2))
    again = verify("zone", list(book))
    assert isinstance(again, Book)
    assert (again.head, again.balances()) == (book.head, book.balances())


@given(st.lists(st.text(max_size=8), min_size=3, max_size=3), st.integers(1, 10**9))
def test_no_two_entries_share_their_bytes(texts: list[str], amount: int) -> None:
    first = replace(debit("a", V1, amount), author=texts[0], reason=texts[1], details={"k": texts[2]})
    second = replace(first, author=texts[1], reason=texts[0])
    if first != second:
        assert canonical_bytes(1, first) != canonical_bytes(1, second)
    assert canonical_bytes(1, first) != canonical_bytes(2, first)
