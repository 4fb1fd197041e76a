"""Corners of the lane's machine: what breaks, and what happens after it was mended."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from control.domain.passages import Decision, Outcome, Reason
from control.domain.readings import Unavailable
from control.gate.lane import (
    Barrier,
    Cause,
    CloseBarrier,
    Effect,
    EndArrival,
    GuardAction,
    GuardCommand,
    LaneInputs,
    LaneState,
    OpenBarrier,
    Phase,
    ShowMessage,
    step,
)

BROKEN = Unavailable(0.0, "loop_fault")
ADMITTED = Decision(Outcome.ADMIT, (Reason("battery_electric"),), "1")
RESCUE = Decision(Outcome.ADMIT, (Reason("emergency_plate"),), "1", complete_permit_after=True)
REFUSED = Decision(Outcome.REFUSE, (Reason("fuel_without_permit"),), "1")
OPEN_WORD = GuardCommand(GuardAction.OPEN)


@dataclass
class Ride:
    """Turns one after the other. `places` names what is occupied: a, b, l (beam); a capital is broken."""

    state: LaneState = field(default_factory=LaneState)

    def turn(
        self,
        at_s: float,
        places: str = "",
        barrier: Barrier | Unavailable = Barrier.CLOSED,
        decision: Decision | None = None,
        guard: GuardCommand | None = None,
    ) -> list[Effect]:
        def there(letter: str) -> bool | Unavailable:
            return BROKEN if letter.upper() in places else letter in places

        decided = None if decision is None else (self.state.arrival_no, decision)
        guards = () if guard is None else (guard,)
        inputs = LaneInputs(at_s, there("a"), there("b"), there("l"), barrier, decided, guards)
        self.state, effects = step(self.state, inputs)
        return [e for e in effects if isinstance(e, OpenBarrier | CloseBarrier | EndArrival)]


def test_an_arrival_that_backed_out_does_not_end_again_when_the_guard_opens() -> None:
    ride = Ride()
    ride.turn(0, "a")
    ride.turn(1, "a", decision=REFUSED)
    ride.turn(2)
    assert ride.turn(5) == [EndArrival(1, "backed_out")]
    assert ride.turn(6, guard=OPEN_WORD) == [OpenBarrier(1, Cause.GUARD)]
    ride.turn(7, barrier=Barrier.OPEN)
    later = [e for at_s in range(8, 30) for e in ride.turn(at_s, barrier=Barrier.OPEN)]
    assert not [e for e in later if isinstance(e, EndArrival)]
    assert [e for e in later if isinstance(e, CloseBarrier)]


@pytest.mark.parametrize("places", ["aB", "aL", "aBL"])
def test_with_a_broken_loop_b_or_beam_a_decision_waits_for_the_guard(places: str) -> None:
    """An arm that could never be lowered again would let everybody behind in."""
    ride = Ride()
    ride.turn(0, places)
    assert ride.turn(1, places, decision=ADMITTED) == []
    assert ride.state.phase is Phase.WAITING
    guard = GuardCommand(GuardAction.ADMIT, 1)
    assert ride.turn(2, places, guard=guard) == [OpenBarrier(1, Cause.GUARD)]


def test_rescue_does_not_wait_for_a_broken_loop() -> None:
    ride = Ride()
    ride.turn(0, "aB")
    assert ride.turn(1, "aB", decision=RESCUE) == [OpenBarrier(1, Cause.DECISION)]


def stuck() -> Ride:
    """The arm was told to open and stays down."""
    ride = Ride()
    ride.turn(0, "a")
    assert ride.turn(1, "a", decision=ADMITTED) == [OpenBarrier(1, Cause.DECISION)]
    for at_s in range(2, 15):
        assert ride.turn(at_s, "a") == []
    return ride


@pytest.mark.parametrize("guard", [OPEN_WORD, GuardCommand(GuardAction.ADMIT, 1)], ids=["open", "admit"])
def test_the_guard_may_try_again_with_an_arm_that_did_not_open(guard: GuardCommand) -> None:
    assert stuck().turn(15, "a", guard=guard) == [OpenBarrier(1, Cause.GUARD)]


def test_a_vehicle_that_leaves_a_stuck_arm_frees_the_lane() -> None:
    ride = stuck()
    ride.turn(15)
    assert ride.turn(18) == [EndArrival(1, "backed_out")]
    ride.turn(19, "a")
    assert ride.state.arrival_no == 2


def test_the_policy_never_repeats_an_opening_that_failed() -> None:
    ride = stuck()
    for at_s in range(15, 60):
        assert ride.turn(at_s, "a", decision=ADMITTED) == []


def opened() -> Ride:
    ride = Ride()
    ride.turn(0, "a")
    ride.turn(1, "a", decision=ADMITTED)
    ride.turn(2, "a", Barrier.OPEN)
    return ride


def test_nosing_onto_loop_b_and_back_is_no_passage() -> None:
    """The beam was never broken and loop A never left: the vehicle has not passed."""
    ride = opened()
    ride.turn(3, "ab", Barrier.OPEN)
    for at_s in range(4, 10):
        assert ride.turn(at_s, "a", Barrier.OPEN) == []
    gone = [e for at_s in range(10, 30) for e in ride.turn(at_s, "", Barrier.OPEN)]
    assert gone[:2] == [EndArrival(1, "backed_out"), CloseBarrier(1, Cause.BACKED_OUT)]


@pytest.mark.parametrize(
    "steps",
    [["ab", "abl", "bl", "b"], ["ab", "b", "bl"], ["", "b", "bl", "b"], ["ab", "b"], ["a", "al", "l"]],
    ids=["car", "lorry", "motorcycle", "beam blind", "loop b blind"],
)
def test_every_way_of_driving_through_is_a_passage(steps: list[str]) -> None:
    ride = opened()
    for at_s, places in enumerate(steps, 3):
        assert ride.turn(at_s, places, Barrier.OPEN) == []
    done = [e for at_s in range(10, 14) for e in ride.turn(at_s, "", Barrier.OPEN)]
    assert done[:2] == [EndArrival(1, "passed"), CloseBarrier(1, Cause.PASSED)]


def test_a_message_goes_with_every_wait() -> None:
    ride = Ride()
    ride.turn(0, "aB")
    inputs = LaneInputs(1.0, True, BROKEN, False, Barrier.CLOSED, (1, ADMITTED))
    _, effects = step(ride.state, inputs)
    assert any(isinstance(e, ShowMessage) for e in effects)
