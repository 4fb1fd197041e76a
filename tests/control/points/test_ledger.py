"""The ledger of points: what is refused, the order of lots, debts, tampering, and that it rebuilds."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.points import entries
from control.points.award import award
from control.points.earning_types import EarningEvent, Granted
from control.points.entries import Stamp, ends_at
from control.points.ledger import (
    Break,
    Cause,
    Entry,
    EntryKind,
    PointsAccount,
    Refusal,
    SealedEntry,
    genesis_hash,
    seal,
    verify,
)
from control.points.methodology import Evidence, MethodologySet
from control.points.redemption import Redemption, State
from control.points.rules import PointRules

AT = datetime(2026, 11, 21, 4, tzinfo=UTC)
DAY = timedelta(days=1)
ZONE = ZoneInfo("Asia/Shanghai")
K = EntryKind


def entry(entry_id: str, kind: EntryKind, points: int, **fields: Any) -> Entry:
    day = fields.pop("day", 0)
    ends = fields.pop("ends", 100)
    usual: dict[str, Any] = {"entry_id": entry_id, "account_id": "ann", "author": "cloud", "reason": "r"}
    usual |= {"kind": kind, "points": points, "at": AT + day * DAY}
    if points > 0:
        usual["valid_until"] = AT + ends * DAY
    return Entry(**{**usual, **fields})


def filled(*rows: Entry) -> PointsAccount:
    account = PointsAccount("ann")
    for row in rows:
        found = account.append(row)
        assert isinstance(found, SealedEntry), found
    return account


def cause(found: SealedEntry | Refusal) -> Cause | None:
    return found.cause if isinstance(found, Refusal) else None


def left(account: PointsAccount) -> list[tuple[str, int]]:
    return [(lot.entry_id, lot.left) for lot in account.lots()]


EARNED = entry("e1", K.EARN, 100)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (replace(EARNED, points=99), Cause.ID_TAKEN),
        (entry("x", K.EARN, 5, account_id="eve"), Cause.OTHER_ACCOUNT),
        (entry("x", K.EARN, 5, author=" "), Cause.NO_TEXT),
        (entry("x", K.EARN, 5, reason="\ud800"), Cause.BAD_TEXT),
        (entry("x", K.EARN, 5, details={"a": 1}), Cause.BAD_TEXT),
        (entry("x", K.EARN, 5, at=AT.replace(tzinfo=None)), Cause.NO_TIME_ZONE),
        (entry("x", K.EARN, 5, day=-1), Cause.BEFORE_THE_LAST),
        (entry("x", K.EARN, 0), Cause.NOT_WHOLE_POINTS),
        (entry("x", K.EARN, True), Cause.NOT_WHOLE_POINTS),
        (entry("x", K.EARN, 1.5), Cause.NOT_WHOLE_POINTS),  # type: ignore[arg-type]
        (entry("x", K.EARN, -5), Cause.WRONG_SIGN),
        (entry("x", K.REDEEM, 5), Cause.WRONG_SIGN),
        (entry("x", K.EARN, 5, valid_until=None), Cause.NO_VALIDITY),
        (entry("x", K.EARN, 5, ends=-1), Cause.NO_VALIDITY),
        (entry("x", K.REDEEM, -5, valid_until=AT), Cause.NO_VALIDITY),
        (entry("x", K.REDEEM, -5, about="e1"), Cause.ABOUT_NOTHING),
        (entry("x", K.REVERSE, -100), Cause.ABOUT_NOTHING),
        (entry("x", K.REVERSE, -100, about="e9"), Cause.ABOUT_UNKNOWN),
        (entry("x", K.RETURN, 100, about="e1"), Cause.ABOUT_WRONG_KIND),
        (entry("x", K.REVERSE, -99, about="e1"), Cause.WRONG_AMOUNT),
        (entry("x", K.EXPIRE, -100, about="e1", day=99), Cause.NOT_ENDED),
        (entry("x", K.EXPIRE, -99, about="e1", day=100), Cause.WRONG_AMOUNT),
        (entry("x", K.REDEEM, -101), Cause.NOT_ENOUGH),
        (entry("x", K.REDEEM, -1, day=100), Cause.NOT_ENOUGH),
        (entry("x", K.ADJUST, -101), Cause.NOT_ENOUGH),
    ],
)
def test_bad_entries_are_refused_and_change_nothing(row: Entry, expected: Cause) -> None:
    account = filled(EARNED)
    head = account.head
    assert cause(account.append(row)) is expected
    assert (len(account), account.head, account.balance) == (1, head, 100)


def test_the_same_entry_again_is_the_row_that_is_there() -> None:
    account = filled(EARNED)
    assert account.append(EARNED) is account.append(EARNED)
    assert (len(account), account.balance) == (1, 100)


def test_the_lot_that_ends_first_is_spent_first_and_of_those_the_first_in() -> None:
    account = filled(
        entry("a", K.EARN, 10, ends=50),
        entry("b", K.EARN, 10, ends=20),
        entry("c", K.EARN, 10, ends=50),
        entry("d", K.REDEEM, -15, day=1),
    )
    assert left(account) == [("a", 5), ("c", 10)]


def test_points_expire_by_lot_and_are_not_spent_after_their_end() -> None:
    account = filled(entry("a", K.EARN, 10, ends=5), entry("b", K.EARN, 20, ends=9), entry("c", K.REDEEM, -4, day=1))
    assert [account.available(AT + day * DAY) for day in (0, 4, 5, 9)] == [26, 26, 20, 0]
    due = account.expiries(AT + 5 * DAY, author="cloud", reason="ended")
    assert [(one.about, one.points) for one in due] == [("a", -6)]
    assert isinstance(account.append(due[0]), SealedEntry)
    assert (account.balance, account.expiries(AT + 5 * DAY, author="cloud", reason="ended")) == (20, ())


def test_a_reversal_takes_what_is_left_then_other_points_then_leaves_a_debt() -> None:
    account = filled(
        EARNED, entry("e2", K.EARN, 30), entry("r", K.REDEEM, -110), entry("v", K.REVERSE, -100, about="e1")
    )
    assert (account.balance, account.debt, account.available(AT)) == (-80, 80, 0)
    assert cause(account.append(entry("x", K.REDEEM, -1))) is Cause.NOT_ENOUGH
    assert cause(account.append(entry("x", K.REVERSE, -100, about="e1"))) is Cause.TAKEN_BACK_ALREADY
    assert cause(account.append(entry("x", K.REVERSE, -100, about="v"))) is Cause.ABOUT_WRONG_KIND
    account.append(entry("e3", K.EARN, 50))
    assert (account.balance, account.available(AT)) == (-30, 0)
    account.append(entry("e4", K.EARN, 50))
    assert (account.balance, account.debt, account.available(AT)) == (20, 0, 20)


def test_a_reversal_does_not_take_again_what_has_expired() -> None:
    account = filled(
        entry("a", K.EARN, 100, ends=5), entry("b", K.REDEEM, -60), entry("c", K.EXPIRE, -40, about="a", day=5)
    )
    assert account.reversible("a") == 60
    row = entries.reversed_(account, "a", Stamp(AT + 6 * DAY, "office", "forged receipt"))
    assert isinstance(account.append(row), SealedEntry)
    assert (account.balance, account.reversible("a"), account.reversible("b")) == (-60, 0, 0)


def test_nothing_can_be_spent_while_there_is_a_debt_also_not_looking_back() -> None:
    account = filled(
        *(entry("a", K.EARN, 10, ends=5), entry("b", K.EARN, 10, ends=4), entry("c", K.REDEEM, -10)),
        entry("d", K.REVERSE, -10, about="b", day=6),
    )
    assert (account.debt, account.balance) == (10, 0)
    assert account.available(AT) == account.available(AT + 6 * DAY) == 0


def test_what_comes_back_goes_to_its_lots_and_has_some_days_left() -> None:
    account = filled(entry("a", K.EARN, 10, ends=5), entry("b", K.EARN, 10, ends=90), entry("c", K.REDEEM, -15))
    back = entry("d", K.RETURN, 15, about="c", day=10, ends=40)
    assert isinstance(account.append(back), SealedEntry)
    assert [(lot.entry_id, lot.left, lot.valid_until) for lot in account.lots()] == [
        ("a", 10, AT + 40 * DAY),
        ("b", 5, AT + 90 * DAY),
        ("b", 5, AT + 90 * DAY),
    ]
    assert cause(account.append(replace(back, entry_id="e"))) is Cause.TAKEN_BACK_ALREADY
    due = account.expiries(AT + 90 * DAY, author="cloud", reason="ended")
    assert [(one.about, one.points) for one in due] == [("a", -10), ("b", -10)]


def test_returned_points_of_a_reversed_earning_still_end() -> None:
    account = filled(
        *(entry("a", K.EARN, 10), entry("b", K.REDEEM, -10), entry("c", K.REVERSE, -10, about="a")),
        *(entry("d", K.EARN, 10), entry("e", K.RETURN, 10, about="b")),
    )
    (due,) = account.expiries(AT + 100 * DAY, author="cloud", reason="ended")
    assert isinstance(account.append(due), SealedEntry)
    assert account.balance == 0


def test_nobody_can_hand_points_on() -> None:
    """No kind names a second account, and an account takes its own entries only."""
    assert {kind.value for kind in EntryKind} == {"earn", "expire", "redeem", "return", "reverse", "adjust"}
    assert [name for name in Entry.__dataclass_fields__ if "account" in name] == ["account_id"]


@pytest.mark.parametrize(
    ("at", "months", "ends"),
    [
        (datetime(2026, 11, 21, 4, tzinfo=UTC), 24, datetime(2028, 11, 21, 16, tzinfo=UTC)),
        (datetime(2026, 11, 21, 17, tzinfo=UTC), 24, datetime(2028, 11, 22, 16, tzinfo=UTC)),
        (datetime(2024, 2, 29, 4, tzinfo=UTC), 12, datetime(2025, 2, 28, 16, tzinfo=UTC)),
    ],
)
def test_points_end_with_the_islands_day(rules: PointRules, at: datetime, months: int, ends: datetime) -> None:
    row = replace(rules.rows["points.validity"], value=months)
    assert ends_at(at, replace(rules, rows={**rules.rows, row.key: row}), ZONE) == ends


def test_entries_are_made_with_ids_of_what_happened(methods: MethodologySet, rules: PointRules) -> None:
    event = EarningEvent(
        event_id="ev",
        person_id="ann",
        key="reusable_cup",
        started_at=AT,
        ended_at=AT,
        claimed_at=AT,
        evidence=Evidence.MERCHANT,
        source_id="cafe",
        evidence_ref="1",
        activity=1,
    )
    stamp = Stamp(AT, "cloud", "own cup")
    granted = Granted(award(methods.row("reusable_cup", AT.date()), Fraction(1), rules), "key")
    taken = Redemption(
        redemption_id="rd",
        item_id="coffee",
        person_id="ann",
        price_points=12,
        state=State.RESERVED,
        reserved_at=AT,
        ends_at=AT + DAY,
    )
    account = filled(
        entries.earned(event, granted, stamp, rules, ZONE),
        entries.adjusted("ap", "ann", 5, stamp, rules, ZONE),
        entries.redeemed(taken, stamp),
        entries.returned(taken, stamp, rules),
        entries.adjusted("ap2", "ann", -3, stamp, rules, ZONE),
    )
    assert [row.entry.entry_id for row in account] == ["earn:key", "adjust:ap", "redeem:rd", "return:rd", "adjust:ap2"]
    assert account.balance == 17
    assert next(iter(account)).entry.details["rows"] == "M011,P001,P002"


STEPS = st.tuples(
    st.sampled_from(["earn", "redeem", "expire", "reverse", "return"]), st.integers(1, 60), st.integers(0, 9)
)


def played(steps: list[tuple[str, int, int]]) -> PointsAccount:
    """A random life: what the account refuses does not happen."""
    account = PointsAccount("ann")
    for number, (what, points, pick) in enumerate(steps):
        at = AT + number * DAY
        known = [row.entry.entry_id for row in account]
        about = known[pick % len(known)] if known else None
        stamp = Stamp(at, "cloud", "r")
        match what:
            case "earn":
                account.append(entry(f"n{number}", K.EARN, points, at=at, ends=number + 1 + pick * 3))
            case "redeem":
                account.append(entry(f"n{number}", K.REDEEM, -points, at=at))
            case "expire":
                for due in account.expiries(at, author="cloud", reason="ended"):
                    assert isinstance(account.append(due), SealedEntry)
            case "reverse" if about:
                account.append(entries.reversed_(account, about, stamp))
            case "return" if about:
                spent = next(row.entry.points for row in account if row.entry.entry_id == about)
                account.append(entry(f"n{number}", K.RETURN, abs(spent), at=at, about=about, ends=number + 5))
            case _:
                pass
    return account


@settings(max_examples=80)
@given(steps=st.lists(STEPS, max_size=30))
def test_balances_are_what_the_entries_say_and_rebuild(steps: list[tuple[str, int, int]]) -> None:
    account = played(steps)
    rows = list(account)
    end = AT + 1000 * DAY
    assert account.balance == sum(row.entry.points for row in rows)
    assert account.debt == 0 or account.available(AT) == 0
    assert account.balance >= 0 or any(row.entry.kind is K.REVERSE for row in rows)
    assert all(lot.left > 0 for lot in account.lots())
    rebuilt = verify("ann", rows)
    assert isinstance(rebuilt, PointsAccount)
    assert (rebuilt.head, rebuilt.balance, rebuilt.debt) == (account.head, account.balance, account.debt)
    assert rebuilt.lots() == account.lots()
    for due in account.expiries(end, author="cloud", reason="ended"):
        assert isinstance(account.append(due), SealedEntry)
    assert account.balance == -account.debt


@settings(max_examples=40)
@given(steps=st.lists(STEPS, min_size=5, max_size=20), place=st.integers(0, 99), data=st.data())
def test_tampering_is_found_at_its_place(steps: list[tuple[str, int, int]], place: int, data: st.DataObject) -> None:
    rows = list(played([("earn", 5, 9), *steps]))
    place %= len(rows)
    row = rows[place]
    bad = data.draw(
        st.sampled_from(
            [
                replace(row, entry=replace(row.entry, reason="better")),
                replace(row, entry=replace(row.entry, points=row.entry.points + 1)),
                replace(row, seq=row.seq + 1),
                replace(row, prev_hash=b"\0" * 32),
                replace(row, hash=b"\0" * 32),
            ]
        )
    )
    found = verify("ann", [*rows[:place], bad, *rows[place + 1 :]])
    assert isinstance(found, Break)
    assert found.entry_id == row.entry.entry_id
    if place + 1 < len(rows):
        assert isinstance(verify("ann", [*rows[:place], *rows[place + 1 :]]), Break)


def test_a_chain_belongs_to_its_account() -> None:
    row = seal(1, EARNED, genesis_hash("ann"))
    assert isinstance(verify("ann", [row]), PointsAccount)
    assert isinstance(verify("eve", [row]), Break)
