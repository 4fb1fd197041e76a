"""What one turn of a lane makes true, in events: owns the wording of commands, results, guards and ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from control.domain.events import BarrierCommanded, BarrierResult, GuardDecided, PlateCorrected, VehiclePassed
from control.domain.passages import Direction, Outcome
from control.gate.admission import LaneView
from control.gate.lane import (
    Cause,
    CloseBarrier,
    Effect,
    EndArrival,
    GuardAction,
    LaneState,
    OpenBarrier,
    Phase,
    ShowMessage,
)
from edge.arrival import Arrival
from edge.facts import iso
from edge.guards import GuardChoice
from edge.journal import Journal
from edge.ports import Clock, JsonObject

RECOVERY_EVENTS_MAX = 400
OPENING_STILL_MEANT_S = 30.0


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """What the lane is and how fast it turns."""

    lane_id: str
    name: str
    name_en: str
    gate_id: str
    direction: Direction
    turn_period_s: float = 0.05
    command_ttl_s: float = 5.0

    @property
    def view(self) -> LaneView:
        """The lane as the policy sees it."""
        return LaneView(lane_id=self.lane_id, gate_id=self.gate_id, direction=self.direction)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a stop left open. `opening_meant`: the arm was just raised for whoever stands on loop A now."""

    facts: tuple[object, ...]
    opening_meant: bool


class LaneFacts:
    """Words events for one lane."""

    def __init__(self, settings: LaneSettings, clock: Clock, new_id: Callable[[], str]) -> None:
        self._settings, self._clock, self._new_id = settings, clock, new_id

    def of(self, effect: Effect, arrival: Arrival | None) -> object | None:
        """The event that must be in the journal before the effect is acted upon; None where there is none."""
        at = self._clock.now()
        match effect:
            case OpenBarrier(_, cause):
                return self._command("open", cause, arrival, at)
            case CloseBarrier(_, cause):
                return self._command("close", cause, arrival, at)
            case EndArrival(_, movement) if arrival is not None:
                return VehiclePassed(arrival.arrival_id, self._settings.lane_id, movement, iso(at))
            case _:
                return None

    def _command(self, action: str, cause: Cause, arrival: Arrival | None, at: datetime) -> BarrierCommanded:
        return BarrierCommanded(
            command_id=self._new_id(),
            arrival_id=arrival.arrival_id if arrival else None,
            lane_id=self._settings.lane_id,
            action=action,
            cause=cause.value,
            at=iso(at),
            expires_at=iso(at + timedelta(seconds=self._settings.command_ttl_s)),
        )

    def through(self, arrival_id: str) -> VehiclePassed:
        """A vehicle is through that no barrier was raised for."""
        return VehiclePassed(arrival_id, self._settings.lane_id, "passed", iso(self._clock.now()))

    def result(self, command: BarrierCommanded, outcome: str, detail: str) -> BarrierResult:
        """What became of a command."""
        return BarrierResult(command.command_id, self._settings.lane_id, outcome, detail, iso(self._clock.now()))

    def guard(self, choice: GuardChoice, arrival: Arrival | None) -> list[object]:
        """A person's decision, and their reading of the plate where it differs."""
        at = iso(self._clock.now())
        if choice.arrival_id is None or arrival is None:
            return [self._guard_event(choice, "", at)]
        events: list[object] = [self._guard_event(choice, arrival.arrival_id, at)]
        raw = arrival.passage.event.plate["text"] if arrival.passage and arrival.passage.event.plate else ""
        if choice.corrected_plate and choice.corrected_plate != raw:
            corrected = choice.corrected_plate
            events.append(PlateCorrected(arrival.arrival_id, raw, corrected, choice.by, choice.source.value, at))
        return events

    def _guard_event(self, choice: GuardChoice, arrival_id: str, at: str) -> GuardDecided:
        return GuardDecided(
            arrival_id=arrival_id,
            lane_id=self._settings.lane_id,
            outcome=choice.outcome.value,
            reason_code=choice.reason_code,
            note=choice.note,
            by=choice.by,
            source=choice.source.value,
            command_id=choice.command_id,
            corrected_plate=choice.corrected_plate,
            permit_id=choice.permit_id,
            at=at,
        )

    async def unfinished(self, journal: Journal) -> Unfinished:
        """After a start: commands whose end nobody saw, and arrivals that were before the barrier."""
        at, mine = self._clock.now(), self._settings.lane_id
        commands = await self._left(journal, "barrier_commanded", "barrier_result", "command_id")
        arrivals = await self._left(journal, "passage_decided", "vehicle_passed", "arrival_id")
        detail = "the gateway was stopped"
        results = [BarrierResult(c["command_id"], mine, "unknown_after_crash", detail, iso(at)) for c in commands]
        ends = [VehiclePassed(a["arrival_id"], mine, "unknown_after_crash", iso(at)) for a in arrivals]
        oldest = iso(at - timedelta(seconds=OPENING_STILL_MEANT_S))
        meant = any(c["action"] == "open" and oldest <= c["at"] <= iso(at) for c in commands)
        return Unfinished((*results, *ends), meant)

    async def _left(self, journal: Journal, begun: str, ended: str, key: str) -> list[JsonObject]:
        """Bodies of this lane's events that began something without an end, oldest first."""
        rows = await journal.recent([begun, ended], RECOVERY_EVENTS_MAX)
        over = {row.body[key] for row in rows if row.kind == ended}
        mine = [r.body for r in reversed(rows) if r.kind == begun and r.body["lane_id"] == self._settings.lane_id]
        return list({body[key]: body for body in mine if body[key] not in over}.values())


def followed(choice: GuardChoice, state: LaneState, effects: tuple[Effect, ...]) -> bool:
    """Whether this turn did what the person asked."""
    match choice.action:
        case GuardAction.REFUSE:
            refused = any(isinstance(e, ShowMessage) and e.code == Outcome.REFUSE.value for e in effects)
            return state.phase is Phase.REFUSED and refused
        case GuardAction.CLOSE:
            return any(isinstance(e, CloseBarrier) and e.cause is Cause.GUARD for e in effects)
        case _:
            return any(isinstance(e, OpenBarrier) and e.cause is Cause.GUARD for e in effects)
