"""Trips from two codes: owns which start belongs to which end, and what way between two places counts.

A person reads a code where they get on and another where they get off. Distances come from a table of the island's
lines, never from the phone. Scans may arrive late and in any order; they are paired by their own times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from control.points import rules as keys
from control.points.rotating_code import STEP_S
from control.points.rules import PointRules


class Direction(StrEnum):
    """Which end of a trip a scan is."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class TripScan:
    """An accepted code of a stop, by one person. `at` is the moment that the code proves."""

    scan_id: str
    key: str
    place: str
    direction: Direction
    at: datetime


class TripRefused(StrEnum):
    """Why a scan makes no trip."""

    NO_START = "no_start"
    NO_END = "no_end"
    SAME_PLACE = "same_place"
    NO_SUCH_WAY = "no_such_way"
    TOO_SOON = "too_soon"
    TOO_LONG = "too_long"
    OTHER_SCENE = "other_scene"


@dataclass(frozen=True, slots=True)
class Trip:
    """A way that counts. `trip_id` is made from both scans, so that the same scans make the same trip."""

    trip_id: str
    key: str
    start: TripScan
    end: TripScan
    metres: int

    @property
    def km(self) -> Fraction:
        """Exact kilometres of the table."""
        return Fraction(self.metres, 1_000)


@dataclass(frozen=True, slots=True)
class NoTrip:
    """A scan, or a pair of them, that makes no trip."""

    scans: tuple[TripScan, ...]
    reason: TripRefused


@dataclass(frozen=True, slots=True)
class Paired:
    """All scans of a person, settled; `open_start` still waits for its end."""

    trips: tuple[Trip, ...]
    refused: tuple[NoTrip, ...]
    open_start: TripScan | None


# Way in metres from a place to another; a direction that is not in the table is not served.
Ways = Mapping[tuple[str, str], int]


def pair_scans(scans: Iterable[TripScan], ways: Ways, rules: PointRules, *, now: datetime) -> Paired:
    """Trips of one person's scans.

    An end belongs to the last start before it; a start that is followed by another start has no end. Each scan is in
    one trip at most. A scan that is given twice counts once.
    """
    trips: list[Trip] = []
    refused: list[NoTrip] = []
    start: TripScan | None = None
    once = {scan.scan_id: scan for scan in scans}
    # At the same moment an end comes first: whoever changes ends one trip and begins the next.
    for scan in sorted(once.values(), key=lambda scan: (scan.at, scan.direction is Direction.START, scan.scan_id)):
        if scan.direction is Direction.START:
            if start is not None:
                refused.append(NoTrip((start,), TripRefused.NO_END))
            start = scan
        elif start is None:
            refused.append(NoTrip((scan,), TripRefused.NO_START))
        else:
            made = trip_of(start, scan, ways, rules)
            if isinstance(made, Trip):
                trips.append(made)
            else:
                refused.append(made)
            start = None
    if start is not None and now - start.at > timedelta(seconds=rules.value(keys.TRIP_MAX)):
        refused.append(NoTrip((start,), TripRefused.NO_END))
        start = None
    return Paired(tuple(trips), tuple(refused), start)


def trip_of(start: TripScan, end: TripScan, ways: Ways, rules: PointRules) -> Trip | NoTrip:
    """The trip between two scans, or why it is none."""
    reason = _reason(start, end, ways, rules)
    if reason is not None:
        return NoTrip((start, end), reason)
    return Trip(f"{start.scan_id}>{end.scan_id}", start.key, start, end, ways[start.place, end.place])


def _reason(start: TripScan, end: TripScan, ways: Ways, rules: PointRules) -> TripRefused | None:
    if start.key != end.key:
        return TripRefused.OTHER_SCENE
    if start.place == end.place:
        return TripRefused.SAME_PLACE
    metres = ways.get((start.place, end.place), 0)
    if metres <= 0:
        return TripRefused.NO_SUCH_WAY
    took = end.at - start.at
    # Codes prove their moment to half a step at either end, and so the time between to a whole one.
    if took + timedelta(seconds=STEP_S) < _least_time(metres, rules):
        return TripRefused.TOO_SOON
    if took > timedelta(seconds=rules.value(keys.TRIP_MAX)):
        return TripRefused.TOO_LONG
    return None


def _least_time(metres: int, rules: PointRules) -> timedelta:
    """No shorter than the rule says, nor than the way takes at the greatest speed."""
    seconds = Fraction(metres * 3_600, 1_000 * rules.value(keys.TRIP_SPEED))
    return timedelta(seconds=float(max(seconds, Fraction(rules.value(keys.TRIP_MIN)))))
