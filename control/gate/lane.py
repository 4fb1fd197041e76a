"""The barrier's state machine: when it opens, when it closes, and that it never closes on a vehicle.

`step` is pure: one turn's inputs and the state give the next state and what to do. Safety outranks the local guard, the
local guard the remote one, that one the policy. The shell journals each effect before it acts on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from control.domain.passages import Decision, Outcome
from control.domain.readings import Unavailable


class Barrier(StrEnum):
    """What the controller reports of its arm."""

    CLOSED = "closed"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    FAULT = "fault"


class Phase(StrEnum):
    """Where the lane is with its vehicle."""

    IDLE = "idle"
    READING = "reading"
    WAITING = "waiting"
    REFUSED = "refused"
    OPENING = "opening"
    PASSING = "passing"
    CLOSING = "closing"


class Cause(StrEnum):
    """Why the barrier moves."""

    DECISION = "decision"
    GUARD = "guard"
    SAFETY = "safety"
    PASSED = "passed"
    BACKED_OUT = "backed_out"


class GuardAction(StrEnum):
    """What a person may ask of a lane. `admit` and `refuse` name an arrival; `open` and `close` name the barrier."""

    ADMIT = "admit"
    REFUSE = "refuse"
    OPEN = "open"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class GuardCommand:
    """A person's wish. `arrival_no` must be the arrival at the barrier for admit and refuse."""

    action: GuardAction
    arrival_no: int | None = None


@dataclass(frozen=True, slots=True)
class LaneInputs:
    """One turn's frozen view. Loops and beam are True when something is there.

    `guards` come ranked, the local guard first. `plate_seen` wakes a lane whose loop A is broken; `own_in_view` says
    that the plate before the barrier is still the one of this arrival. `decision` may come again for a held arrival.
    """

    at_s: float
    loop_a: bool | Unavailable
    loop_b: bool | Unavailable
    beam: bool | Unavailable
    barrier: Barrier | Unavailable
    decision: tuple[int, Decision] | None = None
    guards: tuple[GuardCommand, ...] = ()
    plate_seen: bool = False
    own_in_view: bool = False


@dataclass(frozen=True, slots=True)
class LaneTimes:
    """Seconds; settings of the lane."""

    gone_s: float = 2.0
    rolled_back_s: float = 30.0
    unused_s: float = 8.0
    clear_s: float = 1.0
    move_s: float = 8.0
    loop_stuck_s: float = 900.0


@dataclass(frozen=True, slots=True)
class LaneState:
    """All that a lane remembers. `arrival_no` counts arrivals of this run; `opened_by_us` asks us to close again.

    `spent`: the policy has asked to open for this arrival once, and does not ask again.
    """

    phase: Phase = Phase.IDLE
    arrival_no: int = 0
    since_s: float = 0.0
    opened_by_us: bool = False
    on_b: bool = False
    left_a: int = 0
    ended: bool = False
    rolled_back: bool = False
    spent: bool = False
    a_before: bool = False
    a_clear_s: float | None = None
    b_clear_s: float | None = None
    a_busy_s: float | None = None
    b_busy_s: float | None = None
    alarms: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class BeginArrival:
    """A vehicle came: wake the camera, ask for a decision about this arrival."""

    arrival_no: int


@dataclass(frozen=True, slots=True)
class OpenBarrier:
    """Open. At most once for a decision or a guard's word; `safety` may repeat."""

    arrival_no: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class CloseBarrier:
    """Close. Only ever given with loop B and beam known to be clear."""

    arrival_no: int
    cause: Cause


@dataclass(frozen=True, slots=True)
class ShowMessage:
    """Words for the display, as a code: an outcome, a reason or `wait`, `blank`, `barrier_unavailable`."""

    code: str


@dataclass(frozen=True, slots=True)
class EndArrival:
    """The vehicle is through (`passed`), reversed out (`backed_out`) or drove through unasked (`unasked`)."""

    arrival_no: int
    movement: str


@dataclass(frozen=True, slots=True)
class Tailgated:
    """A second vehicle went through on the first one's opening."""

    arrival_no: int


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """Told once when it begins."""

    code: str


@dataclass(frozen=True, slots=True)
class AlarmCleared:
    """Told once when it is over."""

    code: str


Effect = BeginArrival | OpenBarrier | CloseBarrier | ShowMessage | EndArrival | Tailgated | AlarmRaised | AlarmCleared
Turn = tuple[LaneState, tuple[Effect, ...]]


def recovered(at_s: float) -> LaneState:
    """The state after a restart when the arm is up: close it once nothing is under it; reopen nothing."""
    return LaneState(phase=Phase.PASSING, since_s=at_s, opened_by_us=True, on_b=True)


def blocked(inputs: LaneInputs) -> bool:
    """Whether something is, or may be, under the arm. Unknown counts as there."""
    return inputs.loop_b is not False or inputs.beam is not False


def step(state: LaneState, inputs: LaneInputs, times: LaneTimes | None = None) -> Turn:
    """One turn. Total: every combination of inputs gives a state and effects."""
    times = times or LaneTimes()
    state = _timed(state, inputs)
    safety = _reopen(state, inputs)
    state, effects = safety or _guarded(state, inputs, times) or _PHASES[state.phase](state, inputs, times)
    state = replace(state, a_before=_at_a(inputs))
    state, alarms = _alarms(state, inputs, times)
    return state, (*effects, *alarms)


def _at_a(inputs: LaneInputs) -> bool:
    """Whether a vehicle stands before the barrier; a broken loop is stood in for by the camera."""
    if isinstance(inputs.loop_a, Unavailable):
        return inputs.plate_seen
    return inputs.loop_a


def _timed(state: LaneState, inputs: LaneInputs) -> LaneState:
    """Since when each place has been clear or busy. A clock that leaps back begins anew."""
    at_a, under = _at_a(inputs), blocked(inputs)
    return replace(
        state,
        since_s=min(state.since_s, inputs.at_s),
        a_clear_s=None if at_a else _since(state.a_clear_s, inputs.at_s),
        b_clear_s=None if under else _since(state.b_clear_s, inputs.at_s),
        a_busy_s=_since(state.a_busy_s, inputs.at_s) if inputs.loop_a is True else None,
        b_busy_s=_since(state.b_busy_s, inputs.at_s) if inputs.loop_b is True else None,
    )


def _since(known: float | None, at_s: float) -> float:
    return at_s if known is None or known > at_s else known


def _lasted(since: float | None, inputs: LaneInputs, seconds: float) -> bool:
    return since is not None and inputs.at_s - since >= seconds


def _enter(state: LaneState, phase: Phase, inputs: LaneInputs) -> LaneState:
    return replace(state, phase=phase, since_s=inputs.at_s)


# -------------------------------------------------------------------------------------- what outranks the phase


def _reopen(state: LaneState, inputs: LaneInputs) -> Turn | None:
    """Something came under a closing arm: open again, whatever else was wished."""
    if inputs.barrier is not Barrier.CLOSING or not blocked(inputs):
        return None
    opened = replace(_enter(state, Phase.PASSING, inputs), on_b=True, opened_by_us=True)
    return opened, (OpenBarrier(state.arrival_no, Cause.SAFETY),)


def _guarded(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> Turn | None:
    """The first guard's command that can be followed now."""
    for command in inputs.guards:
        turn = _obey(state, inputs, command, times)
        if turn is not None:
            return turn
    return None


def _obey(state: LaneState, inputs: LaneInputs, command: GuardCommand, times: LaneTimes) -> Turn | None:
    again = _failed_to_open(state, inputs, times)
    match command.action:
        case GuardAction.ADMIT | GuardAction.REFUSE if command.arrival_no != state.arrival_no:
            return None
        case GuardAction.ADMIT if state.phase in _DECIDABLE or again:
            return _open(state, inputs, Cause.GUARD, Outcome.ADMIT.value)
        case GuardAction.REFUSE if state.phase in _DECIDABLE:
            return _enter(state, Phase.REFUSED, inputs), (ShowMessage(Outcome.REFUSE.value),)
        case GuardAction.OPEN if state.phase not in (Phase.OPENING, Phase.PASSING) or again:
            return _open(state, inputs, Cause.GUARD, Outcome.ADMIT.value)
        case GuardAction.CLOSE if not blocked(inputs) and inputs.barrier is Barrier.OPEN:
            closing = replace(_enter(state, Phase.CLOSING, inputs), opened_by_us=True)
            return closing, (CloseBarrier(state.arrival_no, Cause.GUARD),)
        case _:
            return None


_DECIDABLE = frozenset({Phase.READING, Phase.WAITING, Phase.REFUSED})


# ----------------------------------------------------------------------------------------------------- the phases


def _idle(state: LaneState, inputs: LaneInputs, _: LaneTimes) -> Turn:
    if not _at_a(inputs):
        return state, ()
    number = state.arrival_no + 1
    fresh = replace(_enter(state, Phase.READING, inputs), on_b=False, left_a=0, ended=False, rolled_back=False)
    arrived = replace(fresh, arrival_no=number, spent=False)
    return arrived, (BeginArrival(number),)


def _reading(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> Turn:
    left = _gone(state, inputs, times)
    if left is not None:
        return left
    state = _back_on_a(state, inputs, times)
    if inputs.decision is None or inputs.decision[0] != state.arrival_no:
        return state, ()
    decision = inputs.decision[1]
    if decision.outcome.opens:
        state = replace(state, spent=True)
        if _cannot_close_again(inputs) and not decision.complete_permit_after:
            return _enter(state, Phase.WAITING, inputs), (ShowMessage("wait"),)
        return _open(state, inputs, Cause.DECISION, decision.outcome.value)
    if decision.outcome is Outcome.REFUSE:
        return _enter(state, Phase.REFUSED, inputs), (ShowMessage(decision.reasons[0].code),)
    return _enter(state, Phase.WAITING, inputs), (ShowMessage("wait"),)


def _cannot_close_again(inputs: LaneInputs) -> bool:
    """An arm without loop B or beam never comes down by itself, so only a person, or a rescue, raises it."""
    return isinstance(inputs.loop_b, Unavailable) or isinstance(inputs.beam, Unavailable)


def _waiting(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> Turn:
    """For the guard; a plate that becomes clear meanwhile is decided about as if it had just been read."""
    if state.spent or not _at_a(inputs):
        return _refused(state, inputs, times)
    state, effects = _reading(state, inputs, times)
    return state, () if effects == (ShowMessage("wait"),) else effects


def _refused(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> Turn:
    left = _gone(state, inputs, times)
    if left is not None:
        return left
    if inputs.decision is not None and _at_a(inputs) and not state.spent and _softened(inputs.decision[1]):
        return _reading(state, inputs, times)
    return _back_on_a(state, inputs, times), ()


def _softened(decision: Decision) -> bool:
    """A pass was shown that the refusal did not know of. Nothing else moves a refused vehicle but a person."""
    return decision.permit_id is not None if decision.outcome.opens else decision.outcome is Outcome.HOLD


def _gone(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> Turn | None:
    """The vehicle left the approach: through an arm that somebody raised, or backwards.

    One that rolled back a little, its plate still in view, is expected again for a while. What stands on loop A after
    that with another plate, or with none to be seen, is another vehicle.
    """
    if inputs.barrier is Barrier.OPEN and inputs.loop_b is True:
        through = replace(_enter(state, Phase.PASSING, inputs), on_b=True, ended=True)
        return through, _ending(state, "unasked")
    rolled_back = inputs.own_in_view and not _lasted(state.a_clear_s, inputs, times.rolled_back_s)
    left = _lasted(state.a_clear_s, inputs, times.gone_s) and not rolled_back
    if left or (state.rolled_back and _at_a(inputs) and not inputs.own_in_view):
        away = replace(_enter(state, Phase.IDLE, inputs), opened_by_us=False, ended=True, rolled_back=False)
        return away, (*_ending(state, "backed_out"), ShowMessage("blank"))
    return None


def _ending(state: LaneState, movement: str) -> tuple[Effect, ...]:
    """The end of the arrival, told once; after a guard's order to the arm alone there may be none to end."""
    return (EndArrival(state.arrival_no, movement),) if state.arrival_no and not state.ended else ()


def _back_on_a(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> LaneState:
    """Remember that the vehicle rolled back off loop A, until it has stood there again with its plate in view."""
    if not _at_a(inputs):
        return replace(state, rolled_back=state.rolled_back or _lasted(state.a_clear_s, inputs, times.gone_s))
    settled = inputs.loop_a is not True or _lasted(state.a_busy_s, inputs, times.gone_s)
    return replace(state, rolled_back=state.rolled_back and not settled)


def _open(state: LaneState, inputs: LaneInputs, cause: Cause, message: str) -> Turn:
    """Open once; without a barrier that answers, the vehicle waits for the guard."""
    if isinstance(inputs.barrier, Unavailable) or inputs.barrier is Barrier.FAULT:
        return _enter(state, Phase.WAITING, inputs), (ShowMessage("barrier_unavailable"),)
    opening = replace(_enter(state, Phase.OPENING, inputs), opened_by_us=True, on_b=False, left_a=0)
    return opening, (OpenBarrier(state.arrival_no, cause), ShowMessage(message))


def _opening(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> Turn:
    if inputs.barrier is Barrier.OPEN:
        return _enter(state, Phase.PASSING, inputs), ()
    if _failed_to_open(state, inputs, times) and _lasted(state.a_clear_s, inputs, times.gone_s):
        return _finish(state, inputs, "backed_out", Cause.BACKED_OUT, ())
    return state, ()


def _failed_to_open(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> bool:
    """The arm had its time and is down. The policy never asks twice; a person may."""
    late = _lasted(state.since_s, inputs, times.move_s)
    return state.phase is Phase.OPENING and inputs.barrier is Barrier.CLOSED and late


def _passing(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> Turn:
    state, effects = _count_vehicles(state, inputs)
    if state.on_b and _lasted(state.b_clear_s, inputs, times.clear_s):
        return _finish(state, inputs, "passed", Cause.PASSED, effects)
    if not state.on_b and _lasted(state.a_clear_s, inputs, times.unused_s) and not blocked(inputs):
        return _finish(state, inputs, "backed_out", Cause.BACKED_OUT, effects)
    return state, effects


def _count_vehicles(state: LaneState, inputs: LaneInputs) -> Turn:
    """The arm's own vehicle leaves loop A once; a second one leaving it before B was ever clear has tailgated."""
    # Loop B begins before the arm: a vehicle counts as under it once the beam is broken or loop A is behind it.
    occupied = inputs.beam is True or (inputs.loop_b is True and not _at_a(inputs))
    left = state.a_before and not _at_a(inputs) and (occupied or state.on_b)
    state = replace(state, on_b=state.on_b or occupied, left_a=state.left_a + int(left))
    return state, ((Tailgated(state.arrival_no),) if left and state.left_a > 1 else ())


def _finish(state: LaneState, inputs: LaneInputs, movement: str, cause: Cause, effects: tuple[Effect, ...]) -> Turn:
    ended = (*effects, *_ending(state, movement))
    state = replace(state, ended=True)
    if not state.opened_by_us or inputs.barrier is not Barrier.OPEN:
        # An arm that a person raised stays up until a person lowers it.
        return replace(_enter(state, Phase.IDLE, inputs), opened_by_us=False), (*ended, ShowMessage("blank"))
    closing = (CloseBarrier(state.arrival_no, cause), ShowMessage("blank"))
    return _enter(state, Phase.CLOSING, inputs), (*ended, *closing)


def _closing(state: LaneState, inputs: LaneInputs, _: LaneTimes) -> Turn:
    if inputs.barrier is Barrier.CLOSED:
        return replace(_enter(state, Phase.IDLE, inputs), opened_by_us=False), ()
    return state, ()


_PHASES = {
    Phase.IDLE: _idle,
    Phase.READING: _reading,
    Phase.WAITING: _waiting,
    Phase.REFUSED: _refused,
    Phase.OPENING: _opening,
    Phase.PASSING: _passing,
    Phase.CLOSING: _closing,
}


# ----------------------------------------------------------------------------------------------------------- alarms


def _alarms(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> Turn:
    now = frozenset(_wrong(state, inputs, times))
    raised = tuple(AlarmRaised(code) for code in sorted(now - state.alarms))
    cleared = tuple(AlarmCleared(code) for code in sorted(state.alarms - now))
    return replace(state, alarms=now), (*raised, *cleared)


def _wrong(state: LaneState, inputs: LaneInputs, times: LaneTimes) -> Iterator[str]:
    for name, value in (("loop_a", inputs.loop_a), ("loop_b", inputs.loop_b), ("beam", inputs.beam)):
        if isinstance(value, Unavailable):
            yield f"{name}_unavailable"
    if isinstance(inputs.barrier, Unavailable):
        yield "barrier_unavailable"
    if inputs.barrier is Barrier.FAULT:
        yield "barrier_fault"
    late = _lasted(state.since_s, inputs, times.move_s)
    if late and state.phase is Phase.OPENING and inputs.barrier is not Barrier.OPEN:
        yield "barrier_stuck"
    if late and state.phase is Phase.CLOSING and inputs.barrier is not Barrier.CLOSED:
        yield "barrier_stuck"
    if _lasted(state.a_busy_s, inputs, times.loop_stuck_s):
        yield "loop_a_stuck"
    if _lasted(state.b_busy_s, inputs, times.loop_stuck_s):
        yield "loop_b_stuck"
    if inputs.barrier is Barrier.OPEN and state.phase in _UNOPENED and not state.opened_by_us:
        yield "barrier_raised_by_hand"


_UNOPENED = frozenset({Phase.IDLE, Phase.READING, Phase.WAITING, Phase.REFUSED})
