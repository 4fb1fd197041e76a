"""Judging events: each refusal and anomaly by its name, and caps that hold in any order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.points.earning import appeal_until, judge, past_of, released_by_time, review
from control.points.earning_types import (
    Anomaly,
    EarningEvent,
    Granted,
    Held,
    Judgement,
    PastEarning,
    Person,
    Refused,
    RefusedEarning,
    Surroundings,
    dedupe_key,
)
from control.points.methodology import Evidence, MethodologySet, Scene
from control.points.rules import PointRules, PointRuleSet

ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 11, 21, 4, tzinfo=UTC)
MIN = timedelta(minutes=1)
ANN = Person(person_id="ann", opened_at=AT - timedelta(days=30))
ALONE = Surroundings(zone=ZONE)
WAYS = {("hall", "pier"): 4000}

Judge = Callable[..., Judgement]


@pytest.fixture
def judged(methods: MethodologySet, rule_rows: PointRuleSet) -> Judge:
    def ask(event: EarningEvent, person: Person = ANN, around: Surroundings = ALONE) -> Judgement:
        return judge(event, person, around, methods, rule_rows)

    return ask


def cup(number: int = 1, **fields: Any) -> EarningEvent:
    """An own cup at the café, confirmed by its staff."""
    at = fields.pop("at", AT)
    usual: dict[str, Any] = {
        "event_id": f"e{number}",
        "person_id": "ann",
        "key": "reusable_cup",
        "started_at": at,
        "ended_at": at,
        "claimed_at": at,
        "evidence": Evidence.MERCHANT,
        "source_id": "cafe",
        "evidence_ref": f"receipt {number}",
        "activity": 1,
        "confirmed_by": "bob",
        "merchant_id": "cafe",
    }
    return EarningEvent(**{**usual, **fields})


def ride(number: int = 1, minutes: int = 15, **fields: Any) -> EarningEvent:
    """A ride of 4 km on the shuttle."""
    at = fields.pop("at", AT)
    usual: dict[str, Any] = {
        "event_id": f"r{number}",
        "key": "shuttle",
        "started_at": at,
        "ended_at": at + minutes * MIN,
        "claimed_at": at + minutes * MIN,
        "evidence": Evidence.TRIP_CODES,
        "source_id": "hall>pier",
        "evidence_ref": f"trip {number}",
        "trip_id": f"trip {number}",
        "activity": 4,
        "confirmed_by": "",
        "merchant_id": "",
        "start_place": "hall",
        "end_place": "pier",
    }
    return cup(number, **{**usual, **fields})


def walk(number: int = 1, minutes: int = 15, **fields: Any) -> EarningEvent:
    """A kilometre on foot."""
    usual: dict[str, Any] = {"key": "walking", "evidence": Evidence.PHONE, "activity": 1, "steps": 1400}
    return ride(number, minutes, **{**usual, "start_place": "", "end_place": "", **fields})


def after(*events: EarningEvent, grams: int = 10, **fields: Any) -> Surroundings:
    past = tuple(
        PastEarning(
            event_id=one.event_id,
            dedupe_key=dedupe_key(one),
            key=one.key,
            started_at=one.started_at,
            ended_at=one.ended_at,
            claimed_at=one.claimed_at,
            grams=grams,
            points=grams,
            trip_id=one.trip_id,
            steps=one.steps or 0,
            start_place=one.start_place,
            end_place=one.end_place,
        )
        for one in events
    )
    return Surroundings(zone=ZONE, past=past, metres=WAYS, **fields)


def test_a_good_event_is_granted(judged: Judge) -> None:
    found = judged(ride())
    assert isinstance(found, Granted)
    assert found.award.points == 296
    assert found.dedupe_key == dedupe_key(ride())


@pytest.mark.parametrize(
    ("event", "around", "reason"),
    [
        (cup(claimed_at=datetime(2026, 11, 21)), ALONE, Refused.NO_TIME_ZONE),  # noqa: DTZ001
        (cup(started_at=AT + MIN), ALONE, Refused.ENDS_BEFORE_IT_STARTS),
        (cup(person_id="eve"), ALONE, Refused.OTHER_PERSON),
        (cup(activity=float("nan")), ALONE, Refused.NOT_A_NUMBER),
        (ride(distance_km=float("inf")), ALONE, Refused.NOT_A_NUMBER),
        (ride(distance_km=-1), ALONE, Refused.NOTHING_DONE),
        (cup(activity=0), ALONE, Refused.NOTHING_DONE),
        (walk(steps=-1), ALONE, Refused.NOTHING_DONE),
        (cup(key="flying"), ALONE, Refused.NO_METHODOLOGY),
        (cup(at=AT - timedelta(days=800)), ALONE, Refused.NO_METHODOLOGY),
        (cup(evidence=Evidence.PHONE), ALONE, Refused.EVIDENCE_NOT_ACCEPTED),
        (cup(evidence_ref=" "), ALONE, Refused.NO_EVIDENCE),
        (cup(confirmed_by=""), ALONE, Refused.NO_EVIDENCE),
        (walk(steps=None), ALONE, Refused.NO_EVIDENCE),
        (cup(claimed_at=AT - 3 * MIN), ALONE, Refused.FROM_THE_FUTURE),
        (cup(claimed_at=AT + timedelta(hours=169)), ALONE, Refused.TOO_LATE),
        (cup(claimed_at=datetime.max.replace(tzinfo=UTC)), ALONE, Refused.TOO_LATE),
        (cup(at=datetime.max.replace(tzinfo=UTC), claimed_at=AT), ALONE, Refused.FROM_THE_FUTURE),
        (cup(at=AT - timedelta(days=31)), ALONE, Refused.BEFORE_THE_ACCOUNT),
        (cup(confirmed_by="ann"), ALONE, Refused.OWN_AWARD),
        (cup(1, evidence_ref="other"), after(cup(1)), Refused.DUPLICATE),
        (cup(2, evidence_ref="receipt 1"), after(cup(1)), Refused.DUPLICATE),
        (cup(), after(evidence_used_by="eve"), Refused.EVIDENCE_USED),
        (ride(), after(evidence_used_by="ann"), Refused.EVIDENCE_USED),
        (walk(2), after(ride(1)), Refused.SAME_TRIP),
        (walk(2, at=AT + 14 * MIN), after(ride(1)), Refused.SAME_TRIP),
        (ride(2, trip_id="trip 1", at=AT + 60 * MIN), after(ride(1)), Refused.SAME_TRIP),
        (cup(4), after(cup(1), cup(2), cup(3)), Refused.TOO_MANY_ACTS),
        (walk(2, at=AT + 60 * MIN), after(walk(1), grams=296), Refused.SCENE_CAP_REACHED),
        (cup(2), after(ride(1), grams=5000), Refused.DAY_CAP_REACHED),
        (walk(activity=0.001), ALONE, Refused.TOO_LITTLE),
    ],
)
def test_what_is_against_the_rules_is_refused(
    judged: Judge, event: EarningEvent, around: Surroundings, reason: Refused
) -> None:
    found = judged(event, around=around)
    assert isinstance(found, RefusedEarning)
    assert found.reasons == (reason,)


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (replace(ANN, born_on=date(2012, 11, 22)), Refused.NO_GUARDIAN),
        (replace(ANN, born_on=date(2012, 11, 22), guardian_id="ann"), Refused.NO_GUARDIAN),
        (replace(ANN, born_on=date(2012, 11, 22), guardian_id="bob"), Refused.OWN_AWARD),
        (replace(ANN, works_for=frozenset({"cafe"})), Refused.OWN_MERCHANT),
        (replace(ANN, owns=frozenset({"cafe"})), Refused.OWN_MERCHANT),
        (replace(ANN, born_on=date(2012, 11, 21)), None),
        (replace(ANN, born_on=date(2015, 1, 1), guardian_id="mum"), None),
    ],
)
def test_children_and_staff(judged: Judge, person: Person, reason: Refused | None) -> None:
    found = judged(cup(), person)
    assert (found.reasons if isinstance(found, RefusedEarning) else None) == (reason and (reason,))


def test_a_code_on_a_board_may_be_read_by_many(judged: Judge) -> None:
    assert isinstance(judged(ride(), around=after(evidence_used_by="eve")), Granted)


def test_a_way_may_begin_when_another_ends(judged: Judge) -> None:
    assert isinstance(judged(walk(2, at=AT + 15 * MIN), around=after(ride(1))), Granted)


def test_two_boards_side_by_side_are_no_teleport(judged: Judge) -> None:
    """Both codes may be of one step, and then prove the same moment."""
    sorting = {"key": "waste_sorting", "evidence": Evidence.DEVICE_CODE, "confirmed_by": "", "merchant_id": ""}
    first = cup(1, **sorting, source_id="bin 1", start_place="bin 1", end_place="bin 1")
    second = cup(2, **sorting, source_id="bin 2", start_place="bin 2", end_place="bin 2")
    around = replace(after(first), metres={("bin 2", "bin 1"): 50})
    assert isinstance(judged(second, around=around), Granted)
    far = judged(second, around=replace(around, metres={("bin 2", "bin 1"): 1000}))
    assert isinstance(far, Held)
    assert far.reasons == (Anomaly.TELEPORT,)


@pytest.mark.parametrize(
    ("event", "around", "reason"),
    [
        (cup(activity=2), ALONE, Anomaly.TOO_MUCH),
        (ride(distance_km=3.9), ALONE, Anomaly.TOO_MUCH),
        (ride(minutes=3), ALONE, Anomaly.TOO_FAST),
        (ride(distance_km=40), ALONE, Anomaly.TOO_FAST),
        (walk(minutes=1, activity=0.05, ended_at=AT + MIN / 2), ALONE, Anomaly.TOO_SHORT),
        (walk(minutes=181), ALONE, Anomaly.TOO_LONG),
        (walk(2, at=AT + 60 * MIN), after(walk(1, steps=29_000)), Anomaly.TOO_MANY_STEPS),
        (walk(minutes=90, activity=5, steps=0), ALONE, Anomaly.TOO_FEW_STEPS),
        (walk(minutes=90, activity=5, steps=3_846), ALONE, Anomaly.TOO_FEW_STEPS),
        (ride(2, at=AT + 17 * MIN), after(ride(1)), Anomaly.TELEPORT),
        (ride(2, at=AT - 17 * MIN), after(ride(1)), Anomaly.TELEPORT),
        (cup(99), after(*(walk(n, 1, at=AT - 30 * MIN + n * MIN) for n in range(12))), Anomaly.BURST),
        (
            cup(99, claimed_at=AT + 60 * MIN),
            after(*(walk(n, 1, at=AT - n * 60 * MIN, claimed_at=AT + 60 * MIN) for n in range(1, 7))),
            Anomaly.MANY_LATE_CLAIMS,
        ),
        (ride(clock_doubt=True), ALONE, Anomaly.CLOCK_DOUBT),
    ],
)
def test_what_is_unlikely_is_held(judged: Judge, event: EarningEvent, around: Surroundings, reason: Anomaly) -> None:
    found = judged(event, around=around)
    assert isinstance(found, Held)
    assert found.reasons == (reason,)
    assert found.release_at is None


def test_a_new_account_is_held_until_it_is_old_enough(judged: Judge) -> None:
    held = judged(cup(), replace(ANN, opened_at=AT - timedelta(hours=1)))
    assert isinstance(held, Held)
    assert held.reasons == (Anomaly.NEW_ACCOUNT,)
    assert released_by_time(held, AT + timedelta(hours=70)) is held
    assert released_by_time(held, AT + timedelta(hours=71)) == Granted(held.award, held.dedupe_key)
    doubly = judged(cup(activity=2), replace(ANN, opened_at=AT))
    assert isinstance(doubly, Held)
    assert released_by_time(doubly, AT + timedelta(days=900)) is doubly


def test_a_person_decides_and_never_for_themselves(judged: Judge) -> None:
    held = judged(cup(activity=2))
    assert isinstance(held, Held)
    assert review(held, ANN, reviewer_id="zoe", release=True) == Granted(held.award, held.dedupe_key)
    for reviewer, release, reason in (
        ("zoe", False, Refused.REVIEWED_AND_REFUSED),
        ("ann", True, Refused.OWN_AWARD),
    ):
        refused = review(held, ANN, reviewer_id=reviewer, release=release)
        assert isinstance(refused, RefusedEarning)
        assert refused.reasons == (reason,)


def test_appeals_have_a_last_day(rules: PointRules) -> None:
    assert appeal_until(AT, rules) == AT + timedelta(days=28)


def test_the_day_is_the_islands(judged: Judge) -> None:
    """16:30 in UTC is the next day on the island, whose cap is still free."""
    late = AT.replace(hour=16, minute=30)
    assert isinstance(judged(cup(4, at=late), around=after(cup(1), cup(2), cup(3))), Granted)


def test_the_same_act_has_one_key_whatever_the_event_is_called() -> None:
    assert dedupe_key(cup(event_id="x")) == dedupe_key(cup(event_id="y", claimed_at=AT + MIN))
    assert dedupe_key(cup(source_id="a", evidence_ref="bc")) != dedupe_key(cup(source_id="ab", evidence_ref="c"))


EVENTS = [
    *(cup(n, at=AT + n * MIN) for n in range(5)),
    *(ride(10 + n, at=AT + n * 20 * MIN) for n in range(7)),
    *(walk(20 + n, at=AT + timedelta(hours=3) + n * 16 * MIN) for n in range(5)),
    *(
        cup(30 + n, key="vegetarian_meal", at=AT + timedelta(hours=n, minutes=5), evidence_ref=f"meal {n}")
        for n in range(4)
    ),
    walk(50, at=AT + 7 * MIN),
    cup(51, key="parked_car", evidence=Evidence.GATE, source_id="gate", evidence_ref="pass"),
    cup(52, key="recycling.aluminium", evidence=Evidence.DEVICE_CODE, source_id="m1", evidence_ref="1", activity=0.9),
]


@settings(max_examples=40, deadline=None)
@given(order=st.permutations(EVENTS), repeated=st.lists(st.sampled_from(EVENTS), max_size=5))
def test_caps_and_single_sources_hold_in_any_order(
    methods: MethodologySet, rule_rows: PointRuleSet, order: list[EarningEvent], repeated: list[EarningEvent]
) -> None:
    past: list[PastEarning] = []
    for event in [*order, *repeated]:
        found = judge(event, ANN, Surroundings(zone=ZONE, past=tuple(past)), methods, rule_rows)
        if not isinstance(found, RefusedEarning):
            past.append(past_of(event, found))
    assert sum(one.points for one in past) <= 5000
    for scene in Scene:
        caps = [row.cap_day_g for row in methods.rows if row.scene is scene]
        assert sum(one.grams for one in past if one.scene is scene) <= caps[0]
    assert len({one.dedupe_key for one in past}) == len(past)
    ways = sorted((one for one in past if one.trip_id), key=lambda one: one.started_at)
    assert all(a.ended_at <= b.started_at for a, b in pairwise(ways))


@settings(max_examples=60, deadline=None)
@given(
    activity=st.one_of(st.floats(), st.integers(), st.decimals()),
    key=st.one_of(st.sampled_from(["shuttle", "recycling.pet", "recycling.", ".", ""]), st.text(max_size=8)),
    minutes=st.integers(-10, 10_000),
    text=st.text(max_size=5),
)
def test_any_event_has_an_answer(
    methods: MethodologySet, rule_rows: PointRuleSet, activity: Any, key: str, minutes: int, text: str
) -> None:
    event = ride(activity=activity, key=key, ended_at=AT + minutes * MIN, claimed_at=AT, source_id=text)
    assert isinstance(judge(event, ANN, ALONE, methods, rule_rows), Granted | Held | RefusedEarning)
