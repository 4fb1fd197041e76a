"""Visits: each way in which entries and exits may fail to match, and that the order of events does not matter."""

from __future__ import annotations

import tomllib
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.carbon.factor_keys import EmissionClass
from control.carbon.factors import parse_factors
from control.carbon.visit_emission import visit_emission
from control.carbon.visit_types import VisitEvidence
from control.domain.passages import Direction
from control.permits.passages import GateEvent, Passage, passages
from control.permits.rules import PermitRules
from control.permits.visits import (
    Visit,
    VisitFlag,
    VisitLimits,
    VisitState,
    entries_used,
    figures_of,
    visits,
    without_plate,
)

AT = datetime(2026, 11, 21, 8, tzinfo=UTC)
LIMITS = VisitLimits(open_max=timedelta(hours=72), crossing_least=timedelta(minutes=3))
S, F = VisitState, VisitFlag
IN, OUT = Direction.IN, Direction.OUT


def hlc(minute: float) -> int:
    return int((AT + timedelta(minutes=minute)).timestamp() * 1000) << 16


def passage(name: str, direction: Direction, minute: float, gate: str = "east", **more: Any) -> Passage:
    fields = {"plate": "琼C12345", "movement": "passed", "at": AT + timedelta(minutes=minute), "permit_id": "p1"}
    return Passage(arrival_id=name, gate_id=gate, direction=direction, hlc=hlc(minute), **{**fields, **more})


def found(*rows: Passage, now_h: float = 1) -> list[Visit]:
    return list(visits(rows, now=AT + timedelta(hours=now_h), limits=LIMITS))


def seen(*rows: Passage, now_h: float = 1) -> list[tuple[str, VisitState, set[VisitFlag]]]:
    return [(one.visit_id, one.state, set(one.flags)) for one in found(*rows, now_h=now_h)]


def test_in_and_out_is_a_visit() -> None:
    (visit,) = found(passage("a", IN, 0), passage("b", OUT, 45.5))
    assert (visit.visit_id, visit.state, visit.flags) == ("a", S.COMPLETE, frozenset())
    assert visit.stay_min == Fraction(91, 2)
    assert figures_of(visit).standard_only is False


@pytest.mark.parametrize(
    ("rows", "now_h", "expected"),
    [
        ([("a", IN, 0, "east")], 1, [("a", S.INSIDE, set())]),
        ([("a", IN, 0, "east")], 72, [("a", S.INSIDE, set())]),
        ([("a", IN, 0, "east")], 73, [("a", S.EXIT_UNKNOWN, {F.STAYED_TOO_LONG})]),
        ([("b", OUT, 5, "east")], 1, [("b", S.ENTRY_UNKNOWN, set())]),
        ([("a", IN, 0, "east"), ("b", OUT, 9, "west")], 1, [("a", S.COMPLETE, {F.OTHER_GATE_OUT})]),
        (
            [("a", IN, 0, "east"), ("b", IN, 60, "west"), ("c", OUT, 90, "west")],
            2,
            [("a", S.EXIT_UNKNOWN, {F.ENTERED_AGAIN}), ("b", S.COMPLETE, set())],
        ),
        (
            [("a", IN, 0, "east"), ("b", IN, 2, "west")],
            1,
            [("a", S.INSIDE, {F.CLONE}), ("b", S.INSIDE, {F.CLONE})],
        ),
        (
            [("a", IN, 0, "east"), ("b", IN, 2, "west"), ("c", OUT, 30, "east"), ("d", OUT, 40, "west")],
            1,
            [("a", S.COMPLETE, {F.CLONE}), ("b", S.COMPLETE, {F.CLONE})],
        ),
        (
            [("a", IN, 0, "east"), ("b", IN, 2, "east")],
            1,
            [("a", S.EXIT_UNKNOWN, {F.ENTERED_AGAIN}), ("b", S.INSIDE, set())],
        ),
        ([("a", IN, 0, "east"), ("b", OUT, 80 * 60, "east")], 90, [("a", S.COMPLETE, {F.STAYED_TOO_LONG})]),
        (
            [("a", IN, 0, "east"), ("b", OUT, 9, "east"), ("c", OUT, 19, "east")],
            1,
            [("a", S.COMPLETE, set()), ("c", S.ENTRY_UNKNOWN, set())],
        ),
    ],
)
def test_how_passages_match(rows: list[Any], now_h: float, expected: list[Any]) -> None:
    assert seen(*(passage(*row) for row in rows), now_h=now_h) == expected


def test_who_reversed_out_made_no_visit() -> None:
    assert found(passage("a", IN, 0, movement="backed_out")) == []
    stays = found(passage("a", IN, 0), passage("b", OUT, 9, movement="backed_out"))
    assert [(one.visit_id, one.state) for one in stays] == [("a", S.INSIDE)]


def test_tailgating_is_marked() -> None:
    (visit,) = found(passage("a", IN, 0, tailgated=True), passage("b", OUT, 9, tailgated=True))
    assert visit.flags == {F.TAILGATED_IN, F.TAILGATED_OUT}


def test_a_late_exit_revises_the_visit() -> None:
    entry, leave = passage("a", IN, 0), passage("b", OUT, 30)
    (closed,) = found(entry, now_h=80)
    (complete,) = found(entry, leave, now_h=80)
    assert closed.visit_id == complete.visit_id
    assert (closed.state, complete.state) == (S.EXIT_UNKNOWN, S.COMPLETE)


def test_order_is_the_logical_clock_s() -> None:
    """The gate at the exit has a wall clock that runs an hour behind."""
    leave = replace(passage("b", OUT, 30), at=AT - timedelta(minutes=30))
    (visit,) = found(leave, passage("a", IN, 0))
    assert (visit.state, visit.stay_min) == (S.COMPLETE, None)
    assert F.CLOCKS_DISAGREE in visit.flags


def test_plates_do_not_mix_and_unread_ones_wait_for_a_person() -> None:
    other = passage("b", OUT, 5, plate="琼A99999")
    unread = passage("c", OUT, 9, plate="")
    assert [one.state for one in found(passage("a", IN, 0), other, unread)] == [S.INSIDE, S.ENTRY_UNKNOWN]
    assert without_plate([unread, other]) == (unread,)


def test_entries_are_counted_once() -> None:
    rows = [passage("a", IN, 0), passage("b", OUT, 9), passage("c", IN, 30), passage("d", IN, 40, permit_id=None)]
    away = passage("e", IN, 50, movement="backed_out")
    assert entries_used(found(*rows, *rows, away)) == {"p1": 2}


def test_of_two_accounts_of_one_arrival_the_later_holds() -> None:
    early, late = passage("a", IN, 0, movement="backed_out"), passage("a", IN, 1)
    for rows in ((early, late), (late, early)):
        assert [one.state for one in found(*rows)] == [S.INSIDE]


def test_limits_come_from_the_dated_rules(rules: PermitRules) -> None:
    assert VisitLimits.of(rules) == LIMITS


def test_a_visit_feeds_the_ladder() -> None:
    """Route and stay of a complete visit give tier 3; an unknown exit leaves the standard visit, tier 4."""
    path = Path(__file__).resolve().parents[3] / "control/carbon/factors.toml"
    factors = parse_factors(tomllib.loads(path.read_text(encoding="utf-8"))).at(date(2026, 11, 21))
    routes = {("east", "west"): 4}
    for rows, tier in (([passage("a", IN, 0), passage("b", OUT, 60, "west")], 3), ([passage("a", IN, 0)], 4)):
        (visit,) = found(*rows, now_h=80)
        figures = figures_of(visit)
        gates = (figures.gate_in or "", figures.gate_out or "")
        evidence = VisitEvidence(
            vehicle_class=EmissionClass.HEAVY_TRUCK, stay_min=figures.stay_min, route_km=routes.get(gates)
        )
        assert visit_emission(evidence, factors).tier == tier
        assert figures.standard_only is (tier == 4)


# ----------------------------------------------------------------------------------------------- from the events


def decided(name: str, direction: Direction, gate: str, text: str | None, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"arrival_id": name, "gate_id": gate, "direction": direction.value, "reasons": []}
    body |= {"plate": None if text is None else {"text": text}, "vehicle": {"type": "crane"}, "permit_id": None}
    return {**body, **more}


def event(kind: str, minute: float, body: dict[str, Any], event_id: str = "") -> GateEvent:
    return GateEvent(event_id or f"{kind}/{body['arrival_id']}/{minute}", kind, hlc(minute), body)


def moved(name: str, minute: float, movement: str = "passed") -> GateEvent:
    at = (AT + timedelta(minutes=minute)).isoformat()
    return event("vehicle_passed", minute, {"arrival_id": name, "movement": movement, "at": at})


def guard(name: str, minute: float, **more: Any) -> GateEvent:
    body = {"arrival_id": name, "outcome": "admit_under_permit", "corrected_plate": None, "permit_id": "p9", **more}
    return event("guard_decided", minute, body)


DOUBTS = frozenset({"plate_unsure"})


def joined(*events: GateEvent) -> list[Passage]:
    return passages(events, doubts=DOUBTS, plates_of_permits={"p9": "琼c·99999"})


def test_events_of_one_arrival_make_a_passage() -> None:
    first = event("passage_decided", 0, decided("a", IN, "east", "琼C1234S"))
    (made,) = joined(first, moved("a", 1))
    assert (made.plate, made.gate_id, made.direction, made.vehicle_type) == ("琼C1234S", "east", IN, "crane")
    assert made.at == AT + timedelta(minutes=1)
    corrected = event("plate_corrected", 5, {"arrival_id": "a", "corrected_text": "琼C·12345"})
    (better,) = joined(corrected, first, moved("a", 1))
    assert better.plate == "琼C12345"
    assert joined(first) == []
    assert joined(moved("a", 1)) == []


def test_a_doubted_reading_gives_way_to_the_guard_s_permit() -> None:
    doubtful = decided("a", IN, "east", "琼C1234S", reasons=[{"code": "plate_unsure"}])
    first = event("passage_decided", 0, doubtful)
    (unread,) = joined(first, moved("a", 2))
    assert (unread.plate, unread.permit_id) == ("", None)
    (made,) = joined(first, guard("a", 1), moved("a", 2))
    assert (made.plate, made.permit_id) == ("琼C99999", "p9")
    (by_eye,) = joined(first, guard("a", 1, corrected_plate="琼C88888"), moved("a", 2))
    assert by_eye.plate == "琼C88888"
    (not_opened,) = joined(first, guard("a", 1, outcome="refuse"), moved("a", 2, "backed_out"))
    assert (not_opened.permit_id, not_opened.went_through) == (None, False)


def test_who_went_through_unasked_is_a_tailgater() -> None:
    first = event("passage_decided", 0, decided("a", IN, "east", "琼C12345"))
    (made,) = joined(first, moved("a", 1, "unasked"))
    assert (made.went_through, made.tailgated) == (True, True)


ROWS = st.lists(
    st.tuples(
        st.sampled_from([IN, OUT]),
        st.integers(0, 400),
        st.sampled_from(["east", "west"]),
        st.sampled_from(["琼C12345", "琼A99999", None]),
        st.sampled_from(["passed", "passed", "unasked", "backed_out"]),
        st.sampled_from([None, "琼C12345"]),
    ),
    max_size=8,
)


def events_of(rows: list[Any]) -> list[GateEvent]:
    made: list[GateEvent] = []
    for number, (direction, minute, gate, text, movement, corrected) in enumerate(rows):
        name = f"a{number}"
        made += [event("passage_decided", minute, decided(name, direction, gate, text)), guard(name, minute + 0.2)]
        made.append(moved(name, minute + 0.5, movement))
        if corrected:
            body = {"arrival_id": name, "corrected_text": corrected}
            made.append(event("plate_corrected", minute + 500, body))
    return made


@given(rows=ROWS, data=st.data())
def test_any_order_and_repetition_gives_the_same_visits(rows: list[Any], data: st.DataObject) -> None:
    events = events_of(rows)
    expected = found(*joined(*events), now_h=2)
    shuffled = data.draw(st.permutations(events))
    again = shuffled + (data.draw(st.lists(st.sampled_from(events), max_size=6)) if events else [])
    assert found(*joined(*again), now_h=2) == expected
    rows_again = data.draw(st.permutations(joined(*again)))
    assert found(*rows_again, *rows_again[:3], now_h=2) == expected


@given(rows=ROWS)
def test_limits_of_the_entries_days_are_as_good_as_one_that_always_holds(rows: list[Any]) -> None:
    made = joined(*events_of(rows))
    by_day = visits(made, now=AT + timedelta(hours=2), limits=lambda _: LIMITS)
    assert list(by_day) == found(*made, now_h=2)


@given(rows=ROWS)
def test_every_passage_is_in_one_visit(rows: list[Any]) -> None:
    made = joined(*events_of(rows))
    used = [one.arrival_id for visit in found(*made, now_h=2) for one in (visit.entry, visit.exit) if one is not None]
    assert sorted(used) == sorted(one.arrival_id for one in made if one.went_through and one.plate)
    for visit in found(*made, now_h=2):
        assert (visit.entry is None) == (visit.state is S.ENTRY_UNKNOWN)
        assert (visit.exit is None) == (visit.state in (S.INSIDE, S.EXIT_UNKNOWN))
        assert asdict(figures_of(visit))["standard_only"] is (visit.state is not S.COMPLETE)


@given(rows=ROWS)
def test_one_plate_at_a_time_gives_the_same(rows: list[Any]) -> None:
    made = joined(*events_of(rows))
    by_plate = [
        visit for plate in {one.plate for one in made} for visit in found(*(p for p in made if p.plate == plate))
    ]
    assert {visit.visit_id: visit for visit in by_plate} == {visit.visit_id: visit for visit in found(*made)}
