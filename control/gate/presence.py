"""Who is on the island as far as one gateway saw: owns its own view of entries and exits, and how long it counts.

It is fed with the gateway's journalled events in their order, those of earlier runs first. Other gates are unknown to
it: a vehicle seen entering may leave elsewhere, so an entry is evidence for a limited time only (a dated rule), and an
exit whose plate was not read ends all certainty before it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from control.domain.passages import Direction, Outcome
from control.domain.permits import PermitSnapshot
from control.domain.plates import normalise
from control.gate.reasons import Code

EVENTS = ("passage_decided", "guard_decided", "plate_corrected", "vehicle_passed")
REMEMBERED_MAX = 20_000
THROUGH = frozenset({"passed", "unasked"})
# With one of these reasons the text may be another vehicle's.
DOUBTS = frozenset(
    {Code.FORMAT_UNKNOWN, Code.COLOUR_CONTRADICTS_FORMAT, Code.TEMPORARY_PLATE, Code.PLATE_UNSURE}
    | {Code.CHARACTER_UNSURE, Code.COLOUR_UNSURE, Code.NEAR_PERMIT, Code.NEAR_BLOCK_LIST, Code.PLATE_APPEARED_LATE}
    | {Code.PLATE_WITHOUT_VEHICLE, Code.PLATE_OF_OTHER_VEHICLE, Code.PLATE_WRONG_SIZE, Code.PLATE_WRONG_PLACE}
    | {Code.PLATE_MOVES_APART}
)


@dataclass(frozen=True, slots=True)
class _Visitor:
    """One arrival whose end is not known yet. `plate` is empty where the reading was not sure."""

    plate: str
    permit_id: str | None
    direction: str


@dataclass(frozen=True, slots=True)
class Entered:
    """One vehicle that went in, and under which permit."""

    at: datetime
    permit_id: str | None


class Presence:
    """The last known whereabouts of every plate, by the events of one gateway."""

    def __init__(self) -> None:
        self._arriving: dict[str, _Visitor] = {}
        self._inside: dict[str, Entered] = {}
        self._entries: dict[str, list[datetime]] = {}
        self._unread_exit_at: datetime | None = None

    def take(self, kind: str, body: Mapping[str, Any]) -> None:
        """One journalled event; kinds other than `EVENTS` change nothing."""
        match kind:
            case "passage_decided":
                self._decided(body)
            case "guard_decided":
                self._by_guard(body)
            case "plate_corrected":
                self._corrected(body["arrival_id"], body["corrected_text"])
            case "vehicle_passed":
                self._ended(body)

    def entered(self, plate: str, *, at: datetime, own_view_max: timedelta) -> Entered | None:
        """The entry of a plate that has not left since, while that is certain; else None."""
        found = self._inside.get(normalise(plate))
        if found is None or not timedelta(0) <= at - found.at <= own_view_max:
            return None
        unread = self._unread_exit_at
        return None if unread is not None and unread >= found.at else found

    def entries_since(self, permit_id: str, since: datetime) -> int:
        """How many vehicles went in under a permit after that instant."""
        return sum(at > since for at in self._entries.get(permit_id, ()))

    def _decided(self, body: Mapping[str, Any]) -> None:
        doubtful = any(reason["code"] in DOUBTS for reason in body["reasons"])
        plate = "" if doubtful or body["plate"] is None else normalise(body["plate"]["text"])
        plate = plate or _vouched_for(body)
        self._arriving[body["arrival_id"]] = _Visitor(plate, body["permit_id"], body["direction"])
        _forget_oldest(self._arriving)
        if body["direction"] == Direction.OUT.value:
            self._leaves(plate, datetime.fromisoformat(body["at"]))

    def _by_guard(self, body: Mapping[str, Any]) -> None:
        known = self._arriving.get(body["arrival_id"])
        if known is not None and Outcome(body["outcome"]).opens:
            self._arriving[body["arrival_id"]] = replace(known, permit_id=body["permit_id"])
        if body["corrected_plate"]:
            self._corrected(body["arrival_id"], body["corrected_plate"])

    def _corrected(self, arrival_id: str, text: str) -> None:
        known = self._arriving.get(arrival_id)
        if known is not None:
            self._arriving[arrival_id] = replace(known, plate=normalise(text))

    def _ended(self, body: Mapping[str, Any]) -> None:
        visitor = self._arriving.pop(body["arrival_id"], None)
        if visitor is None or body["movement"] not in THROUGH or visitor.direction != Direction.IN.value:
            return
        entered = Entered(datetime.fromisoformat(body["at"]), visitor.permit_id)
        if entered.permit_id is not None:
            self._entries.setdefault(entered.permit_id, []).append(entered.at)
        if visitor.plate:
            self._inside.pop(visitor.plate, None)
            self._inside[visitor.plate] = entered
            _forget_oldest(self._inside)

    def _leaves(self, plate: str, at: datetime) -> None:
        """A vehicle at an exit is taken as gone: believing it inside could stop it wrongly when it comes back."""
        if not plate:
            self._unread_exit_at = at
            return
        self._inside.pop(plate, None)


def _vouched_for(body: Mapping[str, Any]) -> str:
    """The plate of the pass that the decision rests on, where the reading itself was in doubt."""
    shown = body.get("pass_shown") or {}
    named = body["permit_id"] is not None and shown.get("permit_id") == body["permit_id"]
    return normalise(shown["plate"]) if named else ""


def _forget_oldest(table: dict[str, Any]) -> None:
    while len(table) > REMEMBERED_MAX:
        del table[next(iter(table))]


def counted_down(snapshot: PermitSnapshot, plate: str, presence: Presence) -> PermitSnapshot:
    """The snapshot with the entries that this gateway saw since it was taken subtracted from a plate's permits."""
    permits = snapshot.permits.get(plate, ())
    if all(permit.entries_left is None for permit in permits):
        return snapshot
    left = tuple(
        permit
        if permit.entries_left is None
        else replace(
            permit,
            entries_left=max(0, permit.entries_left - presence.entries_since(permit.permit_id, snapshot.taken_at)),
        )
        for permit in permits
    )
    return replace(snapshot, permits={**snapshot.permits, plate: left})
