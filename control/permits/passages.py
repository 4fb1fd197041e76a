"""Passages at the gates: owns putting the journalled events of one arrival together, in whatever order they come.

A passage is who went through which gate, which way, and when; it is made from `passage_decided`, what a person changed
about it, and `vehicle_passed`. Without the last there was no passage.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from control.domain.passages import Direction, Outcome
from control.domain.plates import normalise

EVENTS = ("passage_decided", "guard_decided", "plate_corrected", "vehicle_passed")
_THROUGH = frozenset({"passed", "unasked"})
_TAILGATED = "tailgated"
_UNASKED = "unasked"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTER_BITS = 16  # the lower bits of a stamp of the hybrid logical clock; milliseconds lie above them


@dataclass(frozen=True, slots=True)
class GateEvent:
    """One journalled event with its stamp of the hybrid logical clock. `event_id` is unique; a replay has the same."""

    event_id: str
    kind: str
    hlc: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One vehicle at one gate. `at` (aware UTC) is the gate's wall time, for reading; `hlc` puts passages in order.

    `plate` is normalised, and empty where nobody could read it. `movement` is `passed`, `unasked` (it went through
    behind another one) or `backed_out`. `complete_after`: let in first as an emergency, its papers follow.
    """

    arrival_id: str
    gate_id: str
    direction: Direction
    plate: str
    movement: str
    at: datetime
    hlc: int
    permit_id: str | None = None
    tailgated: bool = False
    vehicle_type: str | None = None
    complete_after: bool = False

    @property
    def went_through(self) -> bool:
        """Whether it is on the other side now; one that reversed out is not."""
        return self.movement in _THROUGH

    @property
    def logical_at(self) -> datetime:
        """The time part of the stamp: never goes back along a journal, even when the wall clock does."""
        return _EPOCH + timedelta(milliseconds=self.hlc >> _COUNTER_BITS)

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """A total order: equal keys are equal passages."""
        more = (self.gate_id, self.direction.value, self.plate, self.movement, self.at.isoformat())
        last = (self.tailgated, self.vehicle_type or "", self.complete_after)
        return (self.hlc, self.arrival_id, *more, self.permit_id or "", *last)


@dataclass(slots=True)
class _Arrival:
    """What is known of one arrival so far; each part with the stamp of the event that it came from."""

    decided: Mapping[str, Any] | None = None
    passed: tuple[int, Mapping[str, Any]] | None = None
    plate: str | None = None
    permit: tuple[str | None] | None = None


def passages(
    events: Iterable[GateEvent], *, doubts: frozenset[str], plates_of_permits: Mapping[str, str]
) -> list[Passage]:
    """Passages by arrival, in order of their stamps; any order and repetition of the events gives the same.

    The newest account holds: a decision made again, a guard's word, a corrected plate. With one of the reason codes in
    `doubts` (`control.gate.presence.DOUBTS`) the camera's text may be another vehicle's and is not used;
    `plates_of_permits` then names the plate of the permit that the guard chose. Events of other kinds, and arrivals
    that never moved, are passed over.
    """
    arrivals: dict[str, _Arrival] = {}
    for event in sorted({one.event_id: one for one in events}.values(), key=lambda one: (one.hlc, one.event_id)):
        if event.kind in EVENTS:
            _take(arrivals.setdefault(str(event.body["arrival_id"]), _Arrival()), event)
    made = (_passage(arrival_id, arrival, doubts, plates_of_permits) for arrival_id, arrival in arrivals.items())
    return sorted((one for one in made if one is not None), key=lambda one: one.sort_key)


def _take(arrival: _Arrival, event: GateEvent) -> None:
    body = event.body
    match event.kind:
        case "passage_decided":
            arrival.decided = body
        case "guard_decided":
            if Outcome(body["outcome"]).opens:
                arrival.permit = (body["permit_id"],)
            arrival.plate = body["corrected_plate"] or arrival.plate
        case "plate_corrected":
            arrival.plate = body["corrected_text"]
        case _:
            arrival.passed = (event.hlc, body)


def _passage(
    arrival_id: str, arrival: _Arrival, doubts: frozenset[str], plates_of_permits: Mapping[str, str]
) -> Passage | None:
    decided = arrival.decided
    if decided is None or arrival.passed is None:
        return None
    hlc, passed = arrival.passed
    permit_id = decided["permit_id"] if arrival.permit is None else arrival.permit[0]
    codes = frozenset(reason["code"] for reason in decided["reasons"])
    vehicle = decided["vehicle"]
    plate = arrival.plate or _as_seen(decided, codes & doubts) or plates_of_permits.get(permit_id or "", "")
    return Passage(
        arrival_id=arrival_id,
        gate_id=decided["gate_id"],
        direction=Direction(decided["direction"]),
        plate=normalise(plate),
        movement=passed["movement"],
        at=datetime.fromisoformat(passed["at"]),
        hlc=hlc,
        permit_id=permit_id,
        tailgated=_TAILGATED in codes or passed["movement"] == _UNASKED,
        vehicle_type=None if vehicle is None else vehicle.get("type"),
        complete_after=bool(decided.get("complete_permit_after")) and permit_id is None,
    )


def _as_seen(decided: Mapping[str, Any], doubted: frozenset[str]) -> str:
    """The camera's reading, where there is one that is not doubted."""
    return "" if doubted or decided["plate"] is None else str(decided["plate"]["text"])
