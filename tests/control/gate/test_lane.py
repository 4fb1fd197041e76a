"""The barrier's state machine: tables of turns, and the laws that no turn may break."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.domain.passages import Decision, Outcome, Reason
from control.domain.readings import Unavailable
from control.gate.lane import (
    AlarmCleared,
    AlarmRaised,
    Barrier,
    BeginArrival,
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
    Tailgated,
    blocked,
    recovered,
    step,
)

SILENT = Unavailable(0.0, "silence")
ADMITTED = Decision(Outcome.ADMIT, (Reason("battery_electric"),), "1")
HELD = Decision(Outcome.HOLD, (Reason("plate_unsure"),), "1")
REFUSED = Decision(Outcome.REFUSE, (Reason("fuel_without_permit"),), "1")


@dataclass
class Ride:
    """Turns one after the other; remembers the state."""

    state: LaneState

    def turn(
        self,
        at_s: float,
        places: str = "",
        barrier: Barrier | Unavailable = Barrier.CLOSED,
        decision: Decision | None = None,
        *guards: GuardCommand,
    ) -> list[Effect]:
        """`places` names what is occupied: a, b, l (light beam); `A`, `B`, `L` are silent."""

        def there(letter: str) -> bool | Unavailable:
            return SILENT if letter.upper() in places else letter in places

        given_decision = None if decision is None else (self.state.arrival_no, decision)
        inputs = LaneInputs(at_s, there("a"), there("b"), there("l"), barrier, given_decision, guards)
        self.state, effects = step(self.state, inputs)
        return [e for e in effects if not isinstance(e, ShowMessage)]


@pytest.fixture
def ride() -> Ride:
    return Ride(LaneState())


def opened(ride: Ride) -> Ride:
    """A vehicle was admitted and stands before the open arm at 3 s."""
    ride.turn(0, "a")
    ride.turn(1, "a", Barrier.CLOSED, ADMITTED)
    ride.turn(2, "a", Barrier.OPENING)
    ride.turn(3, "a", Barrier.OPEN)
    return ride


def test_admitted_and_through(ride: Ride) -> None:
    assert ride.turn(0) == []
    assert ride.turn(1, "a") == [BeginArrival(1)]
    assert ride.turn(2, "a", Barrier.CLOSED, ADMITTED) == [OpenBarrier(1, Cause.DECISION)]
    assert ride.turn(3, "a", Barrier.OPENING, ADMITTED) == []
    assert ride.turn(4, "a", Barrier.OPEN) == []
    assert ride.turn(5, "ab", Barrier.OPEN) == []
    assert ride.turn(6, "bl", Barrier.OPEN) == []
    assert ride.turn(7, "", Barrier.OPEN) == []
    assert ride.turn(8, "", Barrier.OPEN) == [EndArrival(1, "passed"), CloseBarrier(1, Cause.PASSED)]
    assert ride.turn(9, "", Barrier.CLOSING) == []
    assert ride.turn(10, "", Barrier.CLOSED) == []
    assert ride.turn(11, "a", Barrier.CLOSED) == [BeginArrival(2)]


def test_held_until_the_guard_admits(ride: Ride) -> None:
    ride.turn(0, "a")
    assert ride.turn(1, "a", Barrier.CLOSED, HELD) == []
    assert ride.state.phase is Phase.WAITING
    other = GuardCommand(GuardAction.ADMIT, arrival_no=7)
    assert ride.turn(3, "a", Barrier.CLOSED, None, other) == []
    mine = GuardCommand(GuardAction.ADMIT, arrival_no=1)
    assert ride.turn(4, "a", Barrier.CLOSED, None, mine) == [OpenBarrier(1, Cause.GUARD)]
    assert ride.turn(5, "a", Barrier.OPENING, None, mine) == []


def test_held_until_its_plate_is_clear(ride: Ride) -> None:
    ride.turn(0, "a")
    ride.turn(1, "a", Barrier.CLOSED, HELD)
    assert ride.turn(2, "a", Barrier.CLOSED, HELD) == []
    assert ride.turn(3, "a", Barrier.CLOSED, ADMITTED) == [OpenBarrier(1, Cause.DECISION)]
    assert ride.turn(4, "a", Barrier.OPENING, ADMITTED) == []


def test_held_and_then_clearly_refused(ride: Ride) -> None:
    ride.turn(0, "a")
    ride.turn(1, "a", Barrier.CLOSED, HELD)
    ride.turn(2, "a", Barrier.CLOSED, REFUSED)
    assert ride.state.phase is Phase.REFUSED
    assert ride.turn(3, "a", Barrier.CLOSED, ADMITTED) == []


def test_a_held_vehicle_off_the_loop_is_not_let_in_by_itself(ride: Ride) -> None:
    ride.turn(0, "a")
    ride.turn(1, "a", Barrier.CLOSED, HELD)
    assert ride.turn(2, "", Barrier.CLOSED, ADMITTED) == []


def test_refused_reverses_out(ride: Ride) -> None:
    ride.turn(0, "a")
    ride.turn(1, "a", Barrier.CLOSED, REFUSED)
    assert ride.state.phase is Phase.REFUSED
    assert ride.turn(2, "") == []
    assert ride.turn(4, "") == [EndArrival(1, "backed_out")]
    assert ride.state.phase is Phase.IDLE


def test_the_local_guard_outranks_the_remote_one(ride: Ride) -> None:
    ride.turn(0, "a")
    ride.turn(1, "a", Barrier.CLOSED, HELD)
    local, remote = GuardCommand(GuardAction.REFUSE, 1), GuardCommand(GuardAction.ADMIT, 1)
    assert ride.turn(2, "a", Barrier.CLOSED, None, local, remote) == []
    assert ride.state.phase is Phase.REFUSED


def test_a_refused_vehicle_may_still_be_admitted_by_the_guard(ride: Ride) -> None:
    ride.turn(0, "a")
    ride.turn(1, "a", Barrier.CLOSED, REFUSED)
    assert ride.turn(2, "a", Barrier.CLOSED, None, GuardCommand(GuardAction.ADMIT, 1)) == [OpenBarrier(1, Cause.GUARD)]


def test_a_short_flicker_of_loop_a_ends_nothing(ride: Ride) -> None:
    ride.turn(0, "a")
    ride.turn(1, "")
    assert ride.turn(2, "a") == []
    assert ride.turn(3.9, "") == []
    assert ride.state.arrival_no == 1


def test_admitted_but_reversed_out_closes_again(ride: Ride) -> None:
    opened(ride)
    assert ride.turn(4, "", Barrier.OPEN) == []
    assert ride.turn(11, "", Barrier.OPEN) == []
    assert ride.turn(12, "", Barrier.OPEN) == [EndArrival(1, "backed_out"), CloseBarrier(1, Cause.BACKED_OUT)]


def test_something_under_the_closing_arm_reopens_it_and_the_arrival_ends_once(ride: Ride) -> None:
    opened(ride)
    ride.turn(4, "b", Barrier.OPEN)
    ride.turn(5, "", Barrier.OPEN)
    ride.turn(6, "", Barrier.OPEN)
    assert ride.turn(7, "l", Barrier.CLOSING) == [OpenBarrier(1, Cause.SAFETY)]
    assert ride.turn(8, "", Barrier.OPEN) == []
    assert ride.turn(9, "", Barrier.OPEN) == [CloseBarrier(1, Cause.PASSED)]


@pytest.mark.parametrize("places", ["b", "l", "B", "L", "bl"])
def test_never_closes_while_occupied_or_unknown(ride: Ride, places: str) -> None:
    opened(ride)
    ride.turn(4, "b", Barrier.OPEN)
    for at_s in range(5, 60):
        effects = ride.turn(at_s, places, Barrier.OPEN)
        assert not any(isinstance(e, CloseBarrier) for e in effects)


def test_the_guard_cannot_close_on_a_vehicle(ride: Ride) -> None:
    opened(ride)
    close = GuardCommand(GuardAction.CLOSE)
    assert ride.turn(4, "b", Barrier.OPEN, None, close) == []
    assert ride.turn(5, "", Barrier.OPEN, None, close) == [CloseBarrier(1, Cause.GUARD)]


def test_nose_to_tail_is_told_as_tailgating(ride: Ride) -> None:
    opened(ride)
    ride.turn(4, "ab", Barrier.OPEN)
    assert ride.turn(5, "b", Barrier.OPEN) == []
    ride.turn(6, "ab", Barrier.OPEN)
    assert ride.turn(7, "b", Barrier.OPEN) == [Tailgated(1)]


def test_a_barrier_that_does_not_open_is_told_once_and_its_recovery_once(ride: Ride) -> None:
    ride.turn(0, "a")
    ride.turn(1, "a", Barrier.CLOSED, ADMITTED)
    assert ride.turn(5, "a", Barrier.CLOSED) == []
    assert ride.turn(9, "a", Barrier.CLOSED) == [AlarmRaised("barrier_stuck")]
    assert ride.turn(10, "a", Barrier.CLOSED) == []
    assert ride.turn(11, "a", Barrier.OPEN) == [AlarmCleared("barrier_stuck")]


def test_without_a_barrier_that_answers_the_vehicle_waits(ride: Ride) -> None:
    ride.turn(0, "a")
    assert ride.turn(1, "a", SILENT, ADMITTED) == [AlarmRaised("barrier_unavailable")]
    assert ride.state.phase is Phase.WAITING
    assert ride.turn(2, "a", Barrier.CLOSED, ADMITTED) == [AlarmCleared("barrier_unavailable")]


def test_a_broken_loop_is_stood_in_for_by_the_camera() -> None:
    inputs = LaneInputs(0.0, SILENT, False, False, Barrier.CLOSED, plate_seen=True)
    _, effects = step(LaneState(), inputs)
    assert BeginArrival(1) in effects
    assert AlarmRaised("loop_a_unavailable") in effects


def test_a_loop_that_stays_busy_is_told(ride: Ride) -> None:
    ride.turn(0, "a")
    assert AlarmRaised("loop_a_stuck") in ride.turn(900, "a")


def test_an_arm_raised_by_hand_is_told_and_not_lowered(ride: Ride) -> None:
    assert ride.turn(0, "", Barrier.OPEN) == [AlarmRaised("barrier_raised_by_hand")]
    for at_s in range(1, 100):
        assert ride.turn(at_s, "", Barrier.OPEN) == []
    assert ride.turn(100, "a", Barrier.OPEN) == [BeginArrival(1)]
    assert EndArrival(1, "unasked") in ride.turn(101, "b", Barrier.OPEN)
    ride.turn(102, "", Barrier.OPEN)
    assert not any(isinstance(e, CloseBarrier) for e in ride.turn(110, "", Barrier.OPEN))


def test_after_a_restart_an_open_arm_closes_when_clear_and_nothing_is_reopened() -> None:
    ride = Ride(recovered(0.0))
    assert ride.turn(0, "b", Barrier.OPEN) == []
    assert ride.turn(1, "", Barrier.OPEN) == []
    assert ride.turn(2, "", Barrier.OPEN) == [CloseBarrier(0, Cause.PASSED)]


def test_a_clock_that_leaps_back_does_not_end_an_arrival(ride: Ride) -> None:
    ride.turn(1000, "a")
    ride.turn(1001, "")
    assert ride.turn(5, "") == []
    assert ride.turn(6, "a") == []
    assert ride.state.arrival_no == 1


# ------------------------------------------------------------------------------------------------------------- laws

sensors = st.booleans() | st.just(SILENT)
guards = st.lists(st.builds(GuardCommand, st.sampled_from(GuardAction), st.none() | st.integers(0, 4)), max_size=2).map(
    tuple
)
turns = st.lists(
    st.tuples(
        st.floats(-5, 12),
        sensors,
        sensors,
        sensors,
        st.sampled_from(Barrier) | st.just(SILENT),
        st.none() | st.sampled_from([ADMITTED, HELD, REFUSED]),
        guards,
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(turns=turns, start=st.sampled_from([LaneState(), recovered(0.0)]))
def test_laws(turns: list, start: LaneState) -> None:
    """Never closes unless loop B and beam are known to be clear; one opening a decision; one end an arrival."""
    state, at_s = start, 0.0
    by_decision: list[int] = []
    ended: list[int] = []
    for leap, a, b, beam, barrier, decision, wishes, plate_seen, own_in_view in turns:
        at_s += leap
        given_decision = None if decision is None else (state.arrival_no, decision)
        inputs = LaneInputs(at_s, a, b, beam, barrier, given_decision, wishes, plate_seen, own_in_view)
        state, effects = step(state, inputs)
        for effect in effects:
            if isinstance(effect, CloseBarrier):
                assert not blocked(inputs)
            if isinstance(effect, OpenBarrier) and effect.cause is Cause.DECISION:
                by_decision.append(effect.arrival_no)
            if isinstance(effect, EndArrival):
                ended.append(effect.arrival_no)
    assert len(by_decision) == len(set(by_decision))
    assert len(ended) == len(set(ended))


def test_a_refused_vehicle_whose_pass_proves_a_permit_is_let_in_once(ride: Ride) -> None:
    under_permit = Decision(Outcome.ADMIT_UNDER_PERMIT, (Reason("permit_valid"),), "1", permit_id="p1")
    ride.turn(0, "a")
    ride.turn(1, "a", Barrier.CLOSED, REFUSED)
    assert ride.state.phase is Phase.REFUSED
    assert ride.turn(2, "a") == []
    assert ride.turn(3, "a", Barrier.CLOSED, under_permit) == [OpenBarrier(1, Cause.DECISION)]
    assert ride.turn(4, "a", Barrier.OPENING, under_permit) == []


def test_a_pass_shown_after_the_vehicle_left_the_loop_opens_nothing(ride: Ride) -> None:
    ride.turn(0, "a")
    ride.turn(1, "a", Barrier.CLOSED, REFUSED)
    assert ride.turn(1.1, "", Barrier.CLOSED, ADMITTED) == []
    assert ride.state.phase is Phase.REFUSED
