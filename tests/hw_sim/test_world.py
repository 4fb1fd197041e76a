"""Vehicles on a lane: same seed same vehicles, and what drivers do with boom, lamp and display."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from control.domain.permits import PermitClass
from control.domain.plates import PlateColour, PlateKind, identify
from hw_sim.fleet import MIX, Behaviour, Role, draw_fleet
from hw_sim.world import (
    STOP_M,
    Arrivals,
    DriverHabits,
    LaneSetup,
    LaneWorld,
    Light,
    Phase,
    Vehicle,
    Violations,
    World,
    build_world,
)

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
SETUPS = (LaneSetup("in-1", "in", 10.0), LaneSetup("out-1", "out", 10.0))


def make(seed: int = 1, **options: object) -> World:
    return build_world(SETUPS, draw_fleet(seed, NOW), seed=seed, started_at=NOW, **options)


def drive(world: World, seconds: float, gate: Callable[[LaneWorld], None] = lambda lane: None) -> None:
    for _ in range(round(seconds / 0.05)):
        world.step(0.05)
        for lane in world.lanes.values():
            gate(lane)


def attentive(lane: LaneWorld) -> None:
    """A gate that opens for whoever waits and closes behind him."""
    head = lane.vehicles[0] if lane.vehicles else None
    if head is not None and head.phase is Phase.WAITING and lane.boom.limit_closed:
        lane.command_open()
    free = not (lane.loop_b.occupied or lane.beam_interrupted)
    if lane.boom.limit_open and free and (head is None or head.phase is Phase.APPROACHING or head.rear_m > 1.5):
        lane.command_close()


def drawn_of(world: World) -> list[tuple[str, str, str, float]]:
    return [
        (v.drawn.vehicle_id, v.drawn.plate, v.drawn.role.value, v.drawn.arrives_at_s)
        for lane in world.lanes.values()
        for v in lane.everyone()
    ]


def test_same_seed_same_vehicles_and_another_seed_others():
    worlds = [make(7), make(7), make(8)]
    for world in worlds:
        drive(world, 120, attentive)
    first, again, other = (drawn_of(world) for world in worlds)
    assert len(first) > 10
    assert first == again
    assert first != other


def test_vehicles_do_not_depend_on_what_the_gate_does():
    open_gate, shut_gate = make(3), make(3)
    drive(open_gate, 90, attentive)
    drive(shut_gate, 90)
    shut = drawn_of(shut_gate)
    assert shut
    assert set(shut) <= set(drawn_of(open_gate))


def test_vehicle_stops_before_the_boom_on_loop_a_and_waits():
    world = make()
    drive(world, 20)
    lane = world.lanes["in-1"]
    head = lane.vehicles[0]
    assert head.phase is Phase.WAITING
    assert head.front_m == pytest.approx(STOP_M, abs=0.4)
    assert (lane.loop_a.occupied, lane.loop_b.occupied, lane.beam_interrupted) == (True, False, False)


def test_vehicle_crosses_loop_b_and_beam_and_leaves():
    world = make()
    seen = Counter()

    def gate(lane: LaneWorld) -> None:
        attentive(lane)
        seen.update(b=lane.loop_b.occupied, beam=lane.beam_interrupted)

    drive(world, 40, gate)
    assert seen["b"] > 0
    assert seen["beam"] > 0
    assert [v.outcome for v in world.lanes["in-1"].finished][:1] == ["passed"]
    assert world.lanes["in-1"].violations.closed_on_vehicle == 0


def test_driver_who_is_shown_red_backs_out():
    world = make(habits=DriverHabits(leave_after_red_s=2.0))
    for lane in world.lanes.values():
        lane.sign.light = Light.RED
    drive(world, 40)
    assert {v.outcome for lane in world.lanes.values() for v in lane.finished} == {"backed_out"}


def test_closing_on_a_vehicle_is_counted_once():
    world = make()
    lane = world.lanes["in-1"]

    def careless(one: LaneWorld) -> None:
        attentive(one)
        if one is lane and one.beam_interrupted and one.boom.position_frac > 0.9:
            one.command_close()

    drive(world, 17, careless)
    assert lane.violations.close_started_on_vehicle > 0
    assert lane.violations.closed_on_vehicle == len({*lane._struck}) > 0


def test_driver_brakes_when_the_boom_comes_down_before_him():
    world = make()
    lane = world.lanes["in-1"]

    def fickle(one: LaneWorld) -> None:
        if one is lane and one.vehicles and one.vehicles[0].phase is Phase.WAITING and not one.boom.commands:
            one.command_open()
        if one is lane and one.vehicles and one.vehicles[0].phase is Phase.PASSING and one.boom.limit_open:
            one.command_close()

    drive(world, 20, fickle)
    assert lane.boom.limit_closed
    assert (lane.vehicles[0].phase, lane.vehicles[0].front_m < 0) == (Phase.WAITING, True)
    assert lane.violations == Violations()


def test_tailgater_follows_through_and_honest_driver_does_not():
    for behaviour, expected in ((Behaviour.TAILGATES, 2), (Behaviour.NORMAL, 1)):
        lane = crowded_lane(behaviour)
        opened = False
        for _ in range(20 * 14):
            lane.step(0.05)
            if not opened and lane.vehicles[0].phase is Phase.WAITING and lane.vehicles[1].speed == 0.0:
                lane.command_open()
                opened = True
            if lane.boom.limit_open and lane.vehicles[0].rear_m > 3.0 and not lane.loop_b.occupied:
                lane.command_close()
        passed = sum(v.outcome == "passed" or v.phase is Phase.PASSING for v in lane.everyone())
        assert passed == expected, behaviour


def crowded_lane(behaviour: Behaviour) -> LaneWorld:
    """Two electric cars close together; the second behaves as asked."""
    setup = LaneSetup("in-1", "in", 1.0, 0.0)
    arrivals = Arrivals(setup, draw_fleet(1, NOW), seed=1, showcase=[Role.ELECTRIC] * 3)
    lane = LaneWorld(setup, arrivals, DriverHabits())
    for index in range(2):
        drawn = arrivals.take()
        vehicle_behaviour = behaviour if index else Behaviour.NORMAL
        lane.vehicles.append(
            Vehicle(replace(drawn, behaviour=vehicle_behaviour), front_m=STOP_M - 0.1 - 6.0 * index, speed=0.0)
        )
    arrivals.stopped = True
    return lane


def test_queue_never_overlaps():
    world = make(5)
    for _ in range(20 * 60):
        world.step(0.05)
        for lane in world.lanes.values():
            for ahead, behind in zip(lane.vehicles, lane.vehicles[1:], strict=False):
                assert behind.front_m <= ahead.rear_m


def test_wall_time_follows_the_speed():
    world = make(speed=4.0)
    drive(world, 8.0)
    assert (world.wall(8.0) - NOW).total_seconds() == pytest.approx(2.0)


@pytest.mark.parametrize("seed", range(5))
def test_every_drawn_plate_is_what_its_kind_says(seed: int):
    fleet = draw_fleet(seed, NOW)
    arrivals = Arrivals(SETUPS[0], fleet, seed=seed, showcase=list(MIX) * 4)
    for _ in range(4 * len(MIX)):
        drawn = arrivals.take()
        if drawn.role is Role.NO_PLATE:
            assert drawn.plate == ""
            continue
        found = identify(drawn.plate, drawn.colour)
        assert found.kind is drawn.kind, drawn
        assert found.doubts == () or drawn.colour is PlateColour.PAPER


def test_fleet_has_special_and_emergency_permits_and_blocked_plates():
    fleet = draw_fleet(1, NOW)
    snapshot = fleet.snapshot(version=3, taken_at=NOW)
    assert {p.permit_class for p in fleet.permits} == {PermitClass.SPECIAL, PermitClass.EMERGENCY}
    assert len(snapshot.watch) == len(fleet.watch) > 0
    assert snapshot.version == 3


def test_mix_is_mostly_new_energy():
    arrivals = Arrivals(SETUPS[0], draw_fleet(1, NOW), seed=1)
    kinds = Counter(arrivals.take().kind for _ in range(1500))
    green = kinds[PlateKind.NEV_SMALL] + kinds[PlateKind.NEV_LARGE]
    assert 0.82 < green / 1500 < 0.93
