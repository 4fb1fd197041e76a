"""Physics of boom and loops."""

from __future__ import annotations

import pytest

from hw_sim.barrier import Boom, Loop, LoopFault, Motion, Zone


def run(boom: Boom, seconds: float) -> None:
    for _ in range(round(seconds / 0.05)):
        boom.step(0.05)


def test_boom_opens_in_its_travel_time_and_stops_at_the_limit():
    boom = Boom(travel_s=1.0)
    boom.open(0.0)
    run(boom, 0.5)
    assert boom.position_frac == pytest.approx(0.5)
    assert not boom.limit_open
    assert not boom.limit_closed
    run(boom, 0.6)
    assert (boom.limit_open, boom.motion, boom.passable) == (True, Motion.STILL, True)


def test_boom_that_is_open_ignores_a_second_opening():
    boom = Boom(travel_s=1.0, position_frac=1.0)
    boom.open(0.0)
    assert (boom.motion, boom.opened_count) == (Motion.STILL, 0)


def test_boom_counts_whole_cycles():
    boom = Boom(travel_s=0.5)
    for _ in range(3):
        boom.open(0.0)
        run(boom, 0.6)
        boom.close(0.0)
        run(boom, 0.6)
    assert (boom.cycles, boom.opened_count, boom.limit_closed) == (3, 3, True)


def test_opening_turns_a_falling_boom_round():
    boom = Boom(travel_s=1.0, position_frac=1.0)
    boom.close(0.0)
    run(boom, 0.3)
    boom.open(0.3)
    run(boom, 0.4)
    assert boom.limit_open


def test_stuck_boom_stays_and_slow_boom_is_slow():
    stuck, slow = Boom(travel_s=1.0, stuck=True), Boom(travel_s=1.0, slow=True)
    for boom in (stuck, slow):
        boom.open(0.0)
        run(boom, 1.2)
    assert stuck.position_frac == 0.0
    assert 0.1 < slow.position_frac < 0.3


@pytest.mark.parametrize(
    ("rear", "front", "covered"),
    [(-9.0, -6.6, False), (-9.0, -6.0, True), (-5.0, 1.0, True), (-4.4, 0.0, False), (-4.0, 0.0, False)],
)
def test_zone_is_covered_by_what_lies_over_it(rear: float, front: float, covered: bool):
    assert Zone(-6.5, -4.4).covered_by(rear, front) is covered


@pytest.mark.parametrize(
    ("fault", "empty", "full", "bit"),
    [
        (LoopFault.NONE, False, True, False),
        (LoopFault.STUCK_ON, True, True, False),
        (LoopFault.STUCK_OFF, False, False, False),
        (LoopFault.BROKEN, False, False, True),
    ],
)
def test_loop_reports_what_its_fault_lets_it(fault: LoopFault, empty: bool, full: bool, bit: bool):
    loop = Loop(Zone(-1.0, 1.0), fault)
    loop.sense([])
    assert loop.occupied is empty
    loop.sense([(-2.0, 0.5)])
    assert (loop.occupied, loop.fault_bit) == (full, bit)


def test_broken_loop_freezes_at_its_last_state():
    loop = Loop(Zone(-1.0, 1.0))
    loop.sense([(-2.0, 0.5)])
    loop.fault = LoopFault.BROKEN
    loop.sense([])
    assert loop.occupied
