"""Vehicles close together at the simulated gate: each is one arrival, whatever its plate is like."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from control.domain.vehicles import VehicleType
from hw_sim.fleet import Behaviour, Drawn, Role, draw_vehicle
from hw_sim.summary import match_all
from hw_sim.truth import Papers, truth_rows
from hw_sim.virtual_day import VirtualDay


class Script:
    """A lane's arrivals as the test wants them: (second, vehicle), in order."""

    def __init__(self, vehicles: list[Drawn]) -> None:
        self._left = list(vehicles)
        self._clock_s = 0.0
        self.stopped = False

    def step(self, dt_s: float) -> None:
        self._clock_s += 0.0 if self.stopped else dt_s

    def due(self) -> bool:
        return bool(self._left) and not self.stopped and self._clock_s >= self._left[0].arrives_at_s

    @property
    def wait_s(self) -> float:
        return max(0.0, self._left[0].arrives_at_s - self._clock_s) if self._left and not self.stopped else math.inf

    def take(self) -> Drawn:
        return self._left.pop(0)


def day_of(
    folder: Path, seed: int, vehicles: list[tuple[float, str, Behaviour]], *, guard_after_s: float = 8.0
) -> VirtualDay:
    """A quiet day but for these vehicles on the entry lane."""
    day = VirtualDay(folder, seed=seed, interval_s=1e9, fault_count=0, hours=1.0, guard_after_s=guard_after_s)
    rng, fleet = random.Random(seed), day.fleet

    def car(number: int, at_s: float, plate: str, behaviour: Behaviour) -> Drawn:
        drawn = draw_vehicle(rng, fleet, lane_id="in-1", number=number, arrives_at_s=at_s, role=Role.ELECTRIC)
        return replace(drawn, plate=plate, behaviour=behaviour, vehicle_type=VehicleType.CAR, dirt_frac=0.0)

    drawn = [car(number, *one) for number, one in enumerate(vehicles)]
    day.world.lanes["in-1"].arrivals = Script(drawn)
    day.world.lanes["out-1"].arrivals = Script([])
    return day


async def passages_of(day: VirtualDay) -> list[dict]:
    await day.run()
    await day.quieten()
    return day.passages()


def electric(number: int) -> str:
    return f"琼AD{number:05d}"


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_column_nose_to_tail_whose_plates_differ_by_one_character(tmp_path: Path, seed: int) -> None:
    column = [(5.0 + n * 2.0, electric(10001 + n), Behaviour.NOSE_TO_TAIL) for n in range(8)]
    day = day_of(tmp_path, seed, column)
    passages = await passages_of(day)
    assert [passage["raw_plate"] for passage in passages] == [plate for _, plate, _ in column]
    matches = match_all(passages, truth_rows(day.world, Papers(day.policy.snapshot, day.policy.rules)))
    assert not [match for match in matches if match.wrong or match.misread or match.vehicle is None]


async def test_a_clone_right_behind_is_held(tmp_path: Path) -> None:
    pair = [(5.0, electric(10001), Behaviour.NORMAL), (7.0, electric(10001), Behaviour.NOSE_TO_TAIL)]
    day = day_of(tmp_path, 1, pair)
    await passages_of(day)
    decided = [(body["outcome"], body["reasons"][0]["code"]) for body in day.events("passage_decided")]
    assert decided[0][0] == "admit"
    assert ("hold", "already_inside") in decided[1:]


async def test_the_same_vehicle_within_the_hour_is_no_clone(tmp_path: Path) -> None:
    twice = [(5.0, electric(10001), Behaviour.NORMAL), (1200.0, electric(10001), Behaviour.NORMAL)]
    outcomes = [passage["outcome"] for passage in await passages_of(day_of(tmp_path, 1, twice))]
    assert outcomes == ["admit", "admit"]


async def test_one_that_rolls_back_and_comes_again_is_one_arrival(tmp_path: Path) -> None:
    held = "琼A8Z31A"  # as green as it is, the format is not one of a new-energy plate: it waits for the guard
    day = day_of(tmp_path, 1, [(5.0, held, Behaviour.ROLLS)], guard_after_s=25.0)
    passages = await passages_of(day)
    (vehicle,) = day.world.lanes["in-1"].finished
    assert vehicle.rolled
    assert len(passages) == 1
    assert len(day.events("vehicle_passed")) == 1
