"""Trips from two codes: which belong together, and which ways count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control.points.claims import trip_event
from control.points.methodology import Evidence
from control.points.rules import PointRules
from control.points.trips import Direction, NoTrip, Trip, TripRefused, TripScan, pair_scans, trip_of

AT = datetime(2026, 11, 21, 4, tzinfo=UTC)
WAYS = {("hall", "pier"): 4000, ("pier", "hall"): 4500, ("hall", "park"): 900}


def at(minute: float, place: str, direction: Direction, key: str = "shuttle") -> TripScan:
    moment = AT + timedelta(minutes=minute)
    return TripScan(scan_id=f"{minute}{place}{direction}", key=key, place=place, direction=direction, at=moment)


def on(minute: float, place: str, key: str = "shuttle") -> TripScan:
    return at(minute, place, Direction.START, key)


def off(minute: float, place: str, key: str = "shuttle") -> TripScan:
    return at(minute, place, Direction.END, key)


def test_there_and_back_are_two_trips_of_their_own_length(rules: PointRules) -> None:
    scans = [on(0, "hall"), off(15, "pier"), on(15, "pier"), off(31, "hall")]
    paired = pair_scans(reversed(scans), WAYS, rules, now=AT + timedelta(hours=1))
    assert [trip.metres for trip in paired.trips] == [4000, 4500]
    assert (paired.refused, paired.open_start) == ((), None)
    event = trip_event("e", paired.trips[0], person_id="ann", claimed_at=AT + timedelta(hours=1))
    assert (event.activity, event.evidence, event.trip_id) == (Fraction(4), Evidence.TRIP_CODES, event.evidence_ref)


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (on(0, "hall"), off(15, "hall"), TripRefused.SAME_PLACE),
        (on(0, "park"), off(15, "hall"), TripRefused.NO_SUCH_WAY),
        (on(0, "hall"), off(3, "pier"), TripRefused.TOO_SOON),
        (on(0, "hall"), off(3.5, "pier"), None),
        (on(0, "hall"), off(180, "pier"), None),
        (on(0, "hall"), off(181, "pier"), TripRefused.TOO_LONG),
        (on(0, "hall"), off(15, "pier", "shared_bike"), TripRefused.OTHER_SCENE),
    ],
)
def test_ways_that_do_not_count(rules: PointRules, start: TripScan, end: TripScan, reason: TripRefused | None) -> None:
    made = trip_of(start, end, WAYS, rules)
    assert (made.reason if isinstance(made, NoTrip) else None) is reason


def test_scans_without_their_other_half_are_named(rules: PointRules) -> None:
    scans = [off(0, "pier"), on(1, "hall"), on(2, "hall"), off(20, "pier"), on(30, "pier")]
    soon = pair_scans(scans, WAYS, rules, now=AT + timedelta(hours=1))
    assert [one.reason for one in soon.refused] == [TripRefused.NO_START, TripRefused.NO_END]
    assert soon.open_start == on(30, "pier")
    late = pair_scans(scans, WAYS, rules, now=AT + timedelta(hours=9))
    assert late.open_start is None
    assert late.refused[-1] == NoTrip((on(30, "pier"),), TripRefused.NO_END)


SCANS = st.builds(at, st.integers(0, 300), st.sampled_from(["hall", "pier", "park"]), st.sampled_from(list(Direction)))


@given(scans=st.lists(SCANS, max_size=15), data=st.data())
def test_each_scan_is_used_once_in_any_order(rules: PointRules, scans: list[TripScan], data: st.DataObject) -> None:
    now = AT + timedelta(hours=5)
    paired = pair_scans(scans, WAYS, rules, now=now)
    shuffled = data.draw(st.permutations([*scans, *scans[:3]]))
    assert pair_scans(shuffled, WAYS, rules, now=now) == paired
    used = [one for trip in paired.trips for one in (trip.start, trip.end)]
    used += [one for refused in paired.refused for one in refused.scans]
    used += [paired.open_start] if paired.open_start else []
    assert sorted(one.scan_id for one in used) == sorted({one.scan_id for one in scans})
    assert all(isinstance(trip, Trip) and trip.start.at < trip.end.at for trip in paired.trips)
