"""Redemption: nothing oversold, no code used twice, the same request answered alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.points.entries import Stamp, adjusted, redeemed, returned
from control.points.ledger import PointsAccount, SealedEntry
from control.points.redemption import (
    HOLDING,
    STEPS,
    Item,
    Redemption,
    RedemptionRefusal,
    RedemptionRefused,
    Shelf,
    State,
    UseRequest,
    code_hash,
    expire,
    give_back,
    issue,
    one_time_code,
    readable,
    reserve,
    shelf_of,
    use,
)
from control.points.rules import PointRules

AT = datetime(2026, 11, 21, 4, tzinfo=UTC)
MIN = timedelta(minutes=1)
PEPPER = b"p" * 32
CODE = one_time_code(bytes(range(8)))
HASHED = code_hash(CODE, PEPPER)
COFFEE = Item(
    item_id="coffee",
    name_zh="咖啡",
    name_en="Coffee",
    price_points=500,
    stock=3,
    person_max=2,
    merchants=frozenset({"cafe"}),
    valid_from=AT - timedelta(days=1),
    valid_until=AT + timedelta(days=60),
)


def reserved(rules: PointRules, redemption_id: str = "r1", at: datetime = AT) -> Redemption:
    found = reserve(
        Shelf(COFFEE, 0, 0), redemption_id=redemption_id, person_id="ann", available_points=500, at=at, rules=rules
    )
    assert isinstance(found, Redemption)
    return found


def issued(rules: PointRules) -> Redemption:
    found = issue(reserved(rules), hashed_code=HASHED, at=AT + MIN, rules=rules)
    assert isinstance(found, Redemption)
    return found


def ask(request_id: str = "q1", merchant: str = "cafe", at: datetime = AT + 2 * MIN, **fields: str) -> UseRequest:
    hashed = code_hash(fields.get("code", CODE), PEPPER)
    staff = fields.get("staff", "bob")
    return UseRequest(hashed_code=hashed, merchant_id=merchant, request_id=request_id, staff_id=staff, at=at)


def reason(found: object) -> RedemptionRefused | None:
    return found.reason if isinstance(found, RedemptionRefusal) else None


@pytest.mark.parametrize(
    ("shelf", "points", "at", "expected"),
    [
        (Shelf(COFFEE, 2, 1), 500, AT, None),
        (Shelf(COFFEE, 3, 0), 500, AT, RedemptionRefused.SOLD_OUT),
        (Shelf(COFFEE, 2, 2), 500, AT, RedemptionRefused.PERSON_LIMIT),
        (Shelf(COFFEE, 0, 0), 499, AT, RedemptionRefused.NOT_ENOUGH_POINTS),
        (Shelf(COFFEE, 0, 0), 500, AT - timedelta(days=2), RedemptionRefused.NOT_ON_OFFER),
        (Shelf(COFFEE, 0, 0), 500, AT + timedelta(days=60), RedemptionRefused.NOT_ON_OFFER),
    ],
)
def test_reserving(
    rules: PointRules, shelf: Shelf, points: int, at: datetime, expected: RedemptionRefused | None
) -> None:
    found = reserve(shelf, redemption_id="r", person_id="ann", available_points=points, at=at, rules=rules)
    assert reason(found) is expected


def test_a_code_is_used_once_and_the_same_request_has_the_same_answer(rules: PointRules) -> None:
    used = use(issued(rules), COFFEE, ask())
    assert isinstance(used, Redemption)
    assert (used.state, used.used_by, used.used_at) == (State.USED, "cafe", AT + 2 * MIN)
    later = AT + timedelta(days=90)
    assert use(used, COFFEE, ask(at=later)) is used
    other = use(used, COFFEE, ask("q2"))
    assert other == RedemptionRefusal(RedemptionRefused.USED_ALREADY, AT + 2 * MIN)
    assert reason(use(used, COFFEE, ask(merchant="bar"))) is RedemptionRefused.USED_ALREADY


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (ask(code="0" * 12), RedemptionRefused.WRONG_CODE),
        (ask(merchant="bar"), RedemptionRefused.OTHER_MERCHANT),
        (ask(staff="ann"), RedemptionRefused.OWN_CODE),
        (ask(at=AT + timedelta(days=31)), RedemptionRefused.TOO_LATE),
    ],
)
def test_using_is_refused(rules: PointRules, request_: UseRequest, expected: RedemptionRefused) -> None:
    assert reason(use(issued(rules), COFFEE, request_)) is expected


def test_states_out_of_their_turn(rules: PointRules) -> None:
    one, two = reserved(rules), issued(rules)
    assert reason(use(one, COFFEE, ask())) is RedemptionRefused.WRONG_CODE
    assert reason(issue(two, hashed_code=HASHED, at=AT, rules=rules)) is RedemptionRefused.WRONG_STATE
    assert reason(issue(one, hashed_code=HASHED, at=AT + 15 * MIN, rules=rules)) is RedemptionRefused.TOO_LATE
    assert reason(expire(one, AT)) is RedemptionRefused.WRONG_STATE
    assert reason(expire(two, AT + 2 * MIN)) is RedemptionRefused.NOT_YET
    assert reason(give_back(two)) is RedemptionRefused.WRONG_STATE
    ended = expire(two, two.ends_at)
    assert isinstance(ended, Redemption)
    assert reason(use(ended, COFFEE, ask())) is RedemptionRefused.WRONG_STATE
    back = give_back(ended)
    assert isinstance(back, Redemption)
    assert reason(give_back(back)) is RedemptionRefused.WRONG_STATE


@pytest.mark.parametrize("state", list(State))
def test_stock_and_limit_come_back_only_with_a_return(rules: PointRules, state: State) -> None:
    one = replace(reserved(rules), state=state)
    held = int(state is not State.RETURNED)
    assert shelf_of(COFFEE, [one], "ann") == Shelf(COFFEE, held, held)
    assert shelf_of(COFFEE, [one], "bea") == Shelf(COFFEE, held, 0)


def test_codes_are_read_as_they_are_meant() -> None:
    assert len(CODE) == 12
    assert readable(CODE.lower())
    assert code_hash(CODE.lower(), PEPPER) == HASHED
    assert not readable("hello")
    with pytest.raises(ValueError, match="8 random bytes"):
        one_time_code(b"1")
    with pytest.raises(ValueError, match="needs 32"):
        code_hash(CODE, b"short")
    with pytest.raises(ValueError, match="price and a limit above 0"):
        replace(COFFEE, price_points=0)


ACTS = st.tuples(
    st.sampled_from(["reserve", "issue", "use", "expire", "give_back"]),
    st.sampled_from(["ann", "bea", "cat"]),
    st.integers(0, 9),
    st.integers(0, 60 * 24 * 20),
)


@settings(max_examples=60)
@given(acts=st.lists(ACTS, max_size=50))
def test_nothing_is_oversold_used_twice_or_paid_twice(rules: PointRules, acts: list[tuple[str, str, int, int]]) -> None:
    accounts = {person: PointsAccount(person) for person in ("ann", "bea", "cat")}
    for person, account in accounts.items():
        account.append(adjusted(f"start-{person}", person, 1200, Stamp(AT, "office", "start"), rules, UTC))
    known: dict[str, Redemption] = {}
    used: list[str] = []
    at = AT
    for number, (what, person, pick, minutes) in enumerate(acts):
        at += minutes * MIN / 10
        stamp = Stamp(at, "cloud", what)
        if what == "reserve":
            shelf, points = shelf_of(COFFEE, known.values(), person), accounts[person].available(at)
            new = reserve(
                shelf, redemption_id=f"r{number}", person_id=person, available_points=points, at=at, rules=rules
            )
            if isinstance(new, Redemption):
                assert isinstance(accounts[person].append(redeemed(new, stamp)), SealedEntry)
                known[new.redemption_id] = new
            continue
        if not known:
            continue
        one = list(known.values())[pick % len(known)]
        match what:
            case "issue":
                after = issue(one, hashed_code=HASHED, at=at, rules=rules)
            case "use":
                after = use(one, COFFEE, ask(f"q{number}", at=at))
                used += [one.redemption_id] if isinstance(after, Redemption) else []
            case "expire":
                after = expire(one, at)
            case _:
                after = give_back(one)
        if isinstance(after, Redemption):
            assert (one.state, after.state) in STEPS
            known[one.redemption_id] = after
            if after.state is State.RETURNED:
                back = returned(after, stamp, rules)
                assert isinstance(accounts[one.person_id].append(back), SealedEntry)
    held = [one for one in known.values() if one.state in HOLDING]
    assert len(held) <= COFFEE.stock
    assert len(used) == len(set(used))
    for person, account in accounts.items():
        mine = [one for one in held if one.person_id == person]
        assert len(mine) <= COFFEE.person_max
        assert account.balance == 1200 - 500 * len(mine) >= 0
