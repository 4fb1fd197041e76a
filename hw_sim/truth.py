"""What should have happened: owns the expected outcomes of every vehicle that the simulator drew.

The expectation is the admission policy's own answer to a perfect reading with the same papers and rules.
Holding a vehicle for a person is never wrong: it is counted as held, because a person then decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from control.domain.passages import Direction, Outcome
from control.domain.permits import PermitSnapshot
from control.domain.readings import CharacterReading, PlateReading, VehicleReading
from control.gate.admission import ArrivalView, LaneView, decide
from control.gate.rules import RuleSet
from hw_sim.fleet import Drawn
from hw_sim.world import Vehicle, World

_QUAD = ((0.0, 0.0), (100.0, 0.0), (100.0, 30.0), (0.0, 30.0))


@dataclass(frozen=True, slots=True)
class Papers:
    """What the gate is told by the office: the snapshot and the rules in force."""

    snapshot: PermitSnapshot
    rules: RuleSet


def perfect_reading(drawn: Drawn) -> PlateReading | None:
    """What a reader that never errs would report; None for a vehicle without a plate."""
    if not drawn.plate:
        return None
    return PlateReading(
        characters=tuple(CharacterReading(char, 1.0) for char in drawn.plate),
        colour=drawn.colour,
        colour_confidence=1.0,
        confidence=1.0,
        quad=_QUAD,
        rows=2 if drawn.two_rows else 1,
        frames=5,
    )


def expected_outcomes(drawn: Drawn, direction: Direction, papers: Papers, at: datetime) -> frozenset[Outcome]:
    """Outcomes that are right for this vehicle: the policy's own, and always `hold`.

    The type a camera may or may not tell changes nothing here but whether a contradiction is held.
    """
    lane = LaneView(lane_id=drawn.lane_id, gate_id="", direction=direction, already_inside=False)
    reading = perfect_reading(drawn)
    seen = VehicleReading(drawn.vehicle_type, 1.0, (0.0, 0.0, 1.0, 1.0))
    views = (ArrivalView(reading), ArrivalView(reading, seen))
    found = {decide(view, papers.snapshot, papers.rules, lane, at).outcome for view in views}
    by_pass = {Outcome.ADMIT_UNDER_PERMIT} if drawn.pass_good else set()
    return frozenset(found | by_pass | {Outcome.HOLD})


def is_wrong(outcome: Outcome, expected: frozenset[Outcome]) -> bool:
    """Admitted or refused by itself although the truth says otherwise."""
    return outcome not in expected


def truth_rows(world: World, papers: Papers) -> list[dict[str, Any]]:
    """Every vehicle so far as JSON objects, lane by lane, the oldest first."""
    return [
        _row(world, vehicle, Direction(lane.setup.direction), papers)
        for lane in world.lanes.values()
        for vehicle in lane.everyone()
    ]


def _row(world: World, vehicle: Vehicle, direction: Direction, papers: Papers) -> dict[str, Any]:
    drawn = vehicle.drawn
    came = world.wall(vehicle.came_s)
    assert came is not None
    return {
        "vehicle_id": drawn.vehicle_id,
        "lane_id": drawn.lane_id,
        "direction": direction.value,
        "role": drawn.role.value,
        "plate": drawn.plate,
        "kind": drawn.kind.value,
        "colour": drawn.colour.value,
        "vehicle_type": drawn.vehicle_type.value,
        "behaviour": drawn.behaviour.value,
        "dirt_frac": drawn.dirt_frac,
        "readable": drawn.readable,
        "phase": vehicle.phase.value,
        "outcome": vehicle.outcome,
        "came_at": came.isoformat(),
        "on_loop_at": _iso(world.wall(vehicle.on_loop_s)),
        "left_at": _iso(world.wall(vehicle.left_s)),
        "expected_outcomes": sorted(o.value for o in expected_outcomes(drawn, direction, papers, came)),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds")
