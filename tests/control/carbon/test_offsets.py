"""Offsets: no unit twice, first in first out to the gram, what is pooled, overdue, and told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.carbon.factors import FactorSet, parse_factor
from control.carbon.ledger import RETIRED, ZONE, Book, Entry, EntryKind, Posting, SealedEntry
from control.carbon.offset_reports import days_to_neutralisation, due_day, overdue, statement
from control.carbon.offsets import (
    CreditLot,
    Debit,
    OffsetError,
    Retirement,
    Units,
    UnitUsedTwice,
    check_lots,
    check_retirements,
    closure_rate,
    freed,
    match,
    next_units,
    tonnes_needed,
    units_of,
    used_twice,
)
from control.carbon.postings import Stamp, credits_bought, credits_retired, visit_account, visits_covered

TONNE = 1_000_000
AT = datetime(2026, 11, 1, 8, tzinfo=UTC)
ISLAND = timezone(timedelta(hours=8))


def lot(lot_id: str = "A", first: int = 1, last: int = 10, **fields: Any) -> CreditLot:
    given_ = {
        "registry": "海南碳普惠",
        "project": "红树林",
        "vintage": 2024,
        "serial_prefix": "HN-",
        "evidence": "sha256:1",
    }
    dated = {"bought_on": date(2026, 1, 1), "lot_id": lot_id, "first_serial": first, "last_serial": last}
    return CreditLot(**{**given_, **dated, **fields})


def retirement(retirement_id: str, units: Units, day: int = 0, **fields: Any) -> Retirement:
    given_ = {"retired_at": AT + timedelta(days=day), "evidence": "注销证明", "cancelled_for": "近零碳示范区到访"}
    return Retirement(**{**given_, "retirement_id": retirement_id, "units": units, **fields})


def debit(visit: str, grams: int, day: int = 0) -> Debit:
    return Debit(visit, AT + timedelta(days=day), grams)


@pytest.mark.parametrize(
    ("open_g", "pooled_g", "tonnes"),
    [(0, 0, 0), (1, 0, 1), (TONNE, 0, 1), (TONNE + 1, 0, 2), (1600, 1600, 0), (1601, 1600, 1), (5, TONNE, 0)],
)
def test_whole_tonnes_always_cover_and_never_two_where_one_does(open_g: int, pooled_g: int, tonnes: int) -> None:
    assert tonnes_needed(open_g, pooled_g) == tonnes


def test_a_forum_of_139_56_tonnes_takes_140_units() -> None:
    needed = tonnes_needed(139_560_000)
    units = next_units([lot(last=200)], [], needed)
    found = match([debit("forum", 139_560_000)], units_of([retirement("r", units[0])]))
    assert (needed, len(found.covers), found.open_g, found.pooled_g) == (140, 140, 0, 440_000)


def test_a_part_of_a_unit_waits_for_the_next_visit() -> None:
    first = match([debit("v1", 1600)], units_of([retirement("r", Units("A", 1, 1))]))
    assert (first.open_g, first.pooled_g) == (0, TONNE - 1600)
    second = match([debit("v2", 8800, 1)], first.pooled)
    assert [(c.visit_id, c.serial, c.from_g, c.to_g) for c in second.covers] == [("v2", 1, 1600, 10_400)]
    assert used_twice([*first.covers, *second.covers]) is None


def test_a_cover_taken_back_is_used_again_and_nothing_beside_it() -> None:
    retired = retirement("r", Units("A", 1, 1))
    first = match([debit("v1", 400), debit("v2", 600, 1), debit("v3", 500, 2)], units_of([retired]))
    gone = first.covers[1]
    second = match([debit("v4", 1000, 3)], [freed(gone, retired), *first.pooled])
    assert [(c.serial, c.from_g, c.to_g) for c in second.covers] == [(1, 400, 1000), (1, 1500, 1900)]
    kept = [cover for cover in first.covers if cover is not gone]
    assert used_twice([*kept, *second.covers]) is None
    assert used_twice([*first.covers, *second.covers]) == (gone, second.covers[0])


def test_the_oldest_visit_and_the_oldest_unit_go_first() -> None:
    debits = [debit("late", TONNE, 2), debit("early", 600_000)]
    retired = [retirement("r2", Units("A", 1, 1), 5), retirement("r1", Units("A", 7, 7), 3)]
    found = match(debits, units_of(retired))
    assert [(c.visit_id, c.serial, c.from_g, c.to_g) for c in found.covers] == [
        ("early", 7, 0, 600_000),
        ("late", 7, 600_000, TONNE),
        ("late", 1, 0, 600_000),
    ]
    assert found.covers[0].at == AT + timedelta(days=3)


def test_credits_retired_before_a_visit_cover_it_at_once() -> None:
    found = match([debit("v", 5, 9)], units_of([retirement("r", Units("A", 1, 1))]))
    assert found.covers[0].at == AT + timedelta(days=9)
    assert days_to_neutralisation([debit("v", 5, 9)], found.covers) == 0


@pytest.mark.parametrize(
    ("lots", "error"),
    [
        ([lot("A"), lot("A", 20, 30)], OffsetError),
        ([lot("A"), lot("B", 10, 12)], UnitUsedTwice),
        ([lot("A", 5, 4)], OffsetError),
        ([lot(evidence=" ")], OffsetError),
    ],
)
def test_lots_that_cannot_be(lots: list[CreditLot], error: type[OffsetError]) -> None:
    with pytest.raises(error):
        check_lots(lots)


def test_the_same_number_in_another_registry_is_another_unit() -> None:
    assert len(check_lots([lot("A"), lot("B", registry="CCER"), lot("C", serial_prefix="GD-")])) == 3


@pytest.mark.parametrize(
    ("retired", "error"),
    [
        ([retirement("r1", Units("A", 1, 3)), retirement("r2", Units("A", 3, 5))], UnitUsedTwice),
        ([retirement("r1", Units("A", 1, 9)), retirement("r2", Units("A", 4, 5))], UnitUsedTwice),
        ([retirement("r1", Units("A", 1, 1)), retirement("r1", Units("A", 2, 2))], OffsetError),
        ([retirement("r1", Units("A", 0, 1))], OffsetError),
        ([retirement("r1", Units("A", 10, 11))], OffsetError),
        ([retirement("r1", Units("A", 3, 2))], OffsetError),
        ([retirement("r1", Units("Z", 1, 1))], OffsetError),
        ([retirement("r1", Units("A", 1, 1), evidence="")], OffsetError),
        ([retirement("r1", Units("A", 1, 1), cancelled_for="")], OffsetError),
    ],
)
def test_retirements_that_cannot_be(retired: list[Retirement], error: type[OffsetError]) -> None:
    with pytest.raises(error):
        check_retirements([lot("A")], retired)


def test_the_next_units_fill_holes_and_go_by_purchase() -> None:
    lots = [lot("new", 100, 109, bought_on=date(2026, 5, 1)), lot("old", 1, 6)]
    used = [Units("old", 2, 3), Units("old", 5, 5)]
    assert next_units(lots, used, 5) == (
        Units("old", 1, 1),
        Units("old", 4, 4),
        Units("old", 6, 6),
        Units("new", 100, 101),
    )
    with pytest.raises(OffsetError, match="1 t of 14 t are not there"):
        next_units(lots, used, 14)
    with pytest.raises(OffsetError):
        next_units(lots, used, -1)


def test_closure_and_median_days() -> None:
    debits = [debit("a", 300_000), debit("b", 700_000, 4), debit("c", 500_000, 5)]
    found = match(debits, units_of([retirement("r", Units("A", 1, 1), 10)]))
    assert closure_rate(debits, found.covers) == Fraction(2, 3)
    assert days_to_neutralisation(debits, found.covers) == 8
    assert closure_rate([], []) is None
    assert days_to_neutralisation(debits, []) is None


def test_a_covered_part_of_a_visit_is_not_neutralised() -> None:
    debits = [debit("a", TONNE + 1)]
    found = match(debits, units_of([retirement("r", Units("A", 1, 1))]))
    assert days_to_neutralisation(debits, found.covers) is None


def test_overdue_follows_the_rule_of_the_visits_day(factor_rows: FactorSet) -> None:
    shorter = parse_factor(
        {
            "id": "X1",
            "key": "offset.due",
            "value": 30,
            "unit": "d",
            "valid_from": date(2026, 11, 3),
            "source": "office",
            "author": "office",
            "reason": "monthly settlement",
        }
    )
    factors = factor_rows.replaced(shorter, version="x")
    debits = [debit("old rule", 100), debit("new rule", 100, 2), debit("paid", 50, 2)]
    covers = match([debits[2]], units_of([retirement("r", Units("A", 1, 1))])).covers
    late = overdue(debits, covers, today=date(2026, 12, 5), zone=ISLAND, factors=factors)
    assert [(one.visit_id, one.open_g, one.due_on, one.days_late) for one in late] == [
        ("new rule", 100, date(2026, 12, 3), 2)
    ]
    assert overdue(debits, covers, today=date(2026, 12, 3), zone=ISLAND, factors=factors) == ()
    at_the_limit = date(2027, 11, 1)
    assert due_day(debits[0], zone=ISLAND, factors=factors)[0] == at_the_limit


def test_the_due_day_is_the_islands_day(factor_rows: FactorSet) -> None:
    evening = Debit("v", datetime(2026, 11, 1, 17, tzinfo=UTC), 5)
    assert due_day(evening, zone=ISLAND, factors=factor_rows)[0] == date(2027, 11, 2)


def test_a_statement_names_serials_and_the_part_used() -> None:
    retired = {"r": retirement("r", Units("A", 1, 4))}
    debits = [debit("v1", 400_000), debit("other", 100_000, 1), debit("v2", 2_600_000, 2), debit("v3", 500_000, 3)]
    found = match(debits, units_of(retired.values()))
    told = statement("P1", [debits[0], debits[2]], found.covers, lots={"A": lot()}, retirements=retired)
    assert [(p.serials, p.units, p.from_g, p.to_g, p.grams) for p in told.parts] == [
        ("HN-1", 1, 0, 400_000, 400_000),
        ("HN-1", 1, 500_000, TONNE, 500_000),
        ("HN-2 – HN-3", 2, 0, TONNE, 2 * TONNE),
        ("HN-4", 1, 0, 100_000, 100_000),
    ]
    assert (told.neutralised, told.owed_g, told.covered_g, told.open_g) == (True, 3_000_000, 3_000_000, 0)
    assert told.neutralised_at == AT + timedelta(days=2)
    assert told.parts[0].evidence == "注销证明"
    both = statement("P2", [debits[2], debits[3]], found.covers, lots={"A": lot()}, retirements=retired)
    assert [(p.serials, p.from_g, p.to_g) for p in both.parts][-1] == ("HN-4", 0, 600_000)


def test_an_open_statement_says_so() -> None:
    told = statement("v", [debit("v", 5)], [], lots={}, retirements={})
    assert (told.neutralised, told.open_g, told.neutralised_at, told.parts) == (False, 5, None, ())
    nothing = statement("v", [], [], lots={}, retirements={})
    assert not nothing.neutralised


def test_a_statement_without_its_lot_is_refused() -> None:
    found = match([debit("v", 5)], units_of([retirement("r", Units("A", 1, 1))]))
    with pytest.raises(OffsetError, match="lot A"):
        statement("v", [debit("v", 5)], found.covers, lots={}, retirements={})


def test_the_book_follows_purchase_retirement_and_cover() -> None:
    book, one = Book("zone"), lot(last=3)
    stamp = Stamp(entry_id="1", at=AT, author="office", reason="purchase")
    assert isinstance(book.append(credits_bought(stamp, one)), SealedEntry)
    sealed = book.append(credits_retired(replace(stamp, entry_id="2"), retirement("r", Units("A", 1, 2)), one))
    assert isinstance(sealed, SealedEntry)
    assert sealed.entry.details["serials"] == "HN-1 – HN-2"
    assert book.balance(RETIRED) == 2 * TONNE


def owed(stamp: Stamp, one: Debit) -> Entry:
    postings = (Posting(visit_account(one.visit_id), -one.grams), Posting(ZONE, one.grams))
    return Entry(
        entry_id=stamp.entry_id,
        kind=EntryKind.VISIT_DEBIT,
        at=stamp.at,
        postings=postings,
        author=stamp.author,
        reason=stamp.reason,
    )


amounts = st.lists(st.integers(1, 2_500_000), max_size=12)
sizes = st.lists(st.integers(1, 3), max_size=6)


def retirements_of(tonnes: list[int]) -> list[Retirement]:
    found, used = [], list[Units]()
    for number, size in enumerate(tonnes):
        for part, units in enumerate(next_units([lot("A", 1, 5), lot("B", 11, 40)], used, size)):
            found.append(retirement(f"r{number}.{part}", units, number))
            used.append(units)
    return found


@settings(max_examples=60)
@given(amounts, sizes)
def test_first_in_first_out_is_exact_and_no_gram_is_used_twice(grams: list[int], tonnes: list[int]) -> None:
    debits = [debit(f"v{number}", amount, number) for number, amount in enumerate(grams)]
    retired = retirements_of(tonnes)
    check_retirements([lot("A", 1, 5), lot("B", 11, 40)], retired)
    found = match(debits, units_of(retired))
    assert used_twice(found.covers) is None
    covered = sum(cover.grams for cover in found.covers)
    assert covered == min(sum(grams), sum(tonnes) * TONNE)
    assert covered + found.open_g == sum(grams)
    assert covered + found.pooled_g == sum(tonnes) * TONNE
    assert not (found.open_g and found.pooled_g)
    order = [int(cover.visit_id[1:]) for cover in found.covers]
    assert order == sorted(order)
    left = covered
    for one in debits:
        of_visit = sum(cover.grams for cover in found.covers if cover.visit_id == one.visit_id)
        assert of_visit == min(one.grams, left)
        left -= of_visit


@settings(max_examples=60)
@given(amounts, sizes, st.integers(0, 12), st.integers(0, 6))
def test_settling_in_two_steps_covers_no_gram_twice(
    grams: list[int], tonnes: list[int], visits_first: int, units_first: int
) -> None:
    debits = [debit(f"v{number:02}", amount, number) for number, amount in enumerate(grams)]
    retired = retirements_of(tonnes)
    first = match(debits[:visits_first], units_of(retired[:units_first]))
    later = [*first.open_debits, *debits[visits_first:]]
    second = match(later, [*first.pooled, *units_of(retired[units_first:])])
    covers = [*first.covers, *second.covers]
    assert used_twice(covers) is None
    at_once = match(debits, units_of(retired))
    assert [(c.lot_id, c.serial) for c in second.pooled] == [(c.lot_id, c.serial) for c in at_once.pooled]
    assert (second.open_debits, second.pooled) == (at_once.open_debits, at_once.pooled)
    for one in debits:
        assert sum(c.grams for c in covers if c.visit_id == one.visit_id) == sum(
            c.grams for c in at_once.covers if c.visit_id == one.visit_id
        )


@settings(max_examples=60)
@given(amounts, sizes)
def test_the_book_takes_every_settlement(grams: list[int], tonnes: list[int]) -> None:
    book, lots = Book("zone"), {"A": lot("A", 1, 5), "B": lot("B", 11, 40)}
    stamp = Stamp(entry_id="", at=AT, author="office", reason="settlement")
    retired = retirements_of(tonnes)
    debits = [debit(f"v{number}", amount, number) for number, amount in enumerate(grams)]
    found = match(debits, units_of(retired))
    entries = [credits_bought(replace(stamp, entry_id=one.lot_id), one) for one in lots.values()]
    entries += [
        credits_retired(replace(stamp, entry_id=one.retirement_id), one, lots[one.units.lot_id]) for one in retired
    ]
    entries += [owed(replace(stamp, entry_id=one.visit_id), one) for one in debits]
    if found.covers:
        entries.append(visits_covered(replace(stamp, entry_id="settled"), found.covers))
    assert all(isinstance(book.append(entry), SealedEntry) for entry in entries)
    assert book.balance(RETIRED) == found.pooled_g
    assert -sum(book.balance(visit_account(one.visit_id)) for one in debits) == found.open_g
