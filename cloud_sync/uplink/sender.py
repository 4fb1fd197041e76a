"""What the gateway sends next, lane by lane: owns window, rewind, silence and the handshake. No I/O.

The transport tells what happened (connected, sent, received) and asks `next`; the answers are values.
A row is confirmed by the cloud's own acknowledgement alone, never by a broker's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import assert_never

from cloud_sync.contract.v1 import BATCH_ROWS_MAX, POINTS_MAX, Ack, AckStatus
from cloud_sync.uplink.backoff import full_jitter_s


@dataclass(frozen=True, slots=True)
class Position:
    """Where one lane's journal stands; a row belongs to the present epoch when it is after `base_seq`."""

    lane: int
    epoch: int
    base_seq: int
    head_seq: int


@dataclass(frozen=True, slots=True)
class SenderSettings:
    """`window` batches of one lane may be under way; silence is counted from the oldest of them or from the last
    acknowledgement that moved on, whichever is later: a cloud that is slow but answers is sent nothing twice."""

    window: int = 4
    batch_rows_max: int = BATCH_ROWS_MAX
    silence_s: float = 3.0
    silence_s_max: float = 30.0
    refused_retry_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Greet:
    """Say Hello, with at most `points` points of the rows after `after` and up to `until`."""

    lane: int
    after: int
    until: int
    points: int


@dataclass(frozen=True, slots=True)
class SendRows:
    """Publish one batch of the rows after `after`, if the lane's epoch is still this one."""

    lane: int
    epoch: int
    after: int
    limit: int


@dataclass(frozen=True, slots=True)
class Confirm:
    """The cloud committed everything up to `seq`."""

    lane: int
    seq: int


@dataclass(frozen=True, slots=True)
class Compare:
    """Look up our own hash at `seq` and tell it with `compared`."""

    lane: int
    seq: int


@dataclass(frozen=True, slots=True)
class BeginEpoch:
    """Our stream and the cloud's part after `agreed_seq`: begin a new epoch, tell it with `epoch_begun`."""

    lane: int
    agreed_seq: int
    why: str


@dataclass(frozen=True, slots=True)
class Restamp:
    """Rows after `agreed_seq` lead the cloud's clock too far: stamp them anew, if our clock was put right since."""

    lane: int
    agreed_seq: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to send before `until_s` unless something happens; None: not before something happens."""

    until_s: float | None


Action = Greet | SendRows | Confirm | Compare | BeginEpoch | Restamp | Wait


class Phase(Enum):
    """Where the conversation of one lane stands."""

    GREETING = "greeting"
    COMPARING = "comparing"
    PARTING = "parting"
    STREAMING = "streaming"
    REFUSED = "refused"


@dataclass(slots=True)
class _Flight:
    last_seq: int
    sent_s: float


@dataclass(slots=True)
class _Lane:
    position: Position
    phase: Phase = Phase.GREETING
    due_s: float = 0.0
    tries: int = 0
    sent_seq: int = 0
    applied_seq: int = 0
    heard_s: float = 0.0
    theirs: Ack | None = None
    agreed_seq: int | None = None
    parted_seq: int = 0
    rewound: tuple[int, float] = (-1, 0.0)
    flights: deque[_Flight] = field(default_factory=deque)


class Sender:
    """One per gateway; see the module."""

    def __init__(self, gateway: str, settings: SenderSettings, *, random: Callable[[], float]) -> None:
        self.gateway = gateway
        self._settings = settings
        self._random = random
        self._lanes: dict[int, _Lane] = {}

    # What happened

    def connected(self, positions: Iterable[Position]) -> None:
        """A connection is up: every lane says Hello."""
        self._lanes = {position.lane: _Lane(position) for position in positions}

    def disconnected(self) -> None:
        """Nothing is under way any more."""
        self._lanes = {}

    def moved(self, positions: Iterable[Position]) -> None:
        """The journal grew, or began an epoch of its own accord."""
        for position in positions:
            lane = self._lanes.get(position.lane)
            if lane is None or lane.position == position:
                continue
            if lane.position.epoch == position.epoch:
                lane.position = position
            else:
                self._lanes[position.lane] = _Lane(position)

    def greeted(self, lane: int, now_s: float) -> None:
        """The Hello went out; without an answer it is said again."""
        state = self._lanes.get(lane)
        if state is not None:
            state.due_s = now_s + self._patience_s(state)

    def sent(self, action: SendRows, last_seq: int, now_s: float) -> None:
        """A batch up to `last_seq` went out. Says nothing when a rewind came between asking and sending."""
        state = self._lanes.get(action.lane)
        if state is None or state.phase is not Phase.STREAMING or state.position.epoch != action.epoch:
            return
        if state.sent_seq == action.after:
            state.sent_seq = last_seq
            state.flights.append(_Flight(last_seq, now_s))

    def received(self, ack: Ack, now_s: float) -> tuple[Action, ...]:
        """What an acknowledgement asks for at once. Those of another epoch or gateway say nothing."""
        state = self._lanes.get(ack.lane)
        if state is None or ack.gateway != self.gateway or ack.epoch != state.position.epoch:
            return ()
        match ack.status:
            case AckStatus.OK:
                return self._applied(state, ack, now_s)
            case AckStatus.RESUME:
                return self._resumed(state, ack)
            case AckStatus.GAP:
                return self._gap(state, ack, now_s)
            case AckStatus.CHAIN | AckStatus.HELLO:
                return self._greet_again(state, ack, now_s)
            case AckStatus.CLOCK:
                return self._clock_ahead(state, ack, now_s)
            case AckStatus.REFUSED:
                state.phase, state.due_s = Phase.REFUSED, now_s + self._settings.refused_retry_s
                return ()
            case unreachable:
                assert_never(unreachable)

    def compared(self, lane: int, ours: bytes | None) -> tuple[Action, ...]:
        """Our hash where the cloud stands; None when we no longer have it."""
        state = self._lanes.get(lane)
        if state is None or state.phase is not Phase.COMPARING or state.theirs is None:
            return ()
        if ours == state.theirs.head_hash:
            return self._stream(state, state.theirs.applied_seq)
        if ours is None:
            return self._begin_epoch(state, state.theirs.applied_seq, "the cloud lacks rows that are pruned here")
        return self._part(state)

    def epoch_begun(self, position: Position) -> None:
        """The journal began the epoch that `BeginEpoch` asked for."""
        self._lanes[position.lane] = _Lane(position)

    # What to do

    def next(self, now_s: float) -> Action:
        """The next thing to send, lane 0 before all others; Wait when there is none."""
        for lane in sorted(self._lanes):
            action = self._next_of(self._lanes[lane], now_s)
            if action is not None:
                return action
        return Wait(self._wake_s())

    def _next_of(self, state: _Lane, now_s: float) -> Action | None:
        match state.phase:
            case Phase.GREETING | Phase.PARTING | Phase.REFUSED:
                return self._hello(state) if now_s >= state.due_s else None
            case Phase.COMPARING:
                return None
            case Phase.STREAMING:
                return self._rows(state, now_s)

    def _hello(self, state: _Lane) -> Greet:
        state.tries += 1
        state.phase = Phase.GREETING if state.phase is Phase.REFUSED else state.phase
        if state.phase is Phase.PARTING and state.agreed_seq is not None:
            return Greet(state.position.lane, state.agreed_seq, state.parted_seq - 1, POINTS_MAX)
        return Greet(state.position.lane, state.position.base_seq, state.position.head_seq, 0)

    def _rows(self, state: _Lane, now_s: float) -> SendRows | None:
        if state.flights and now_s >= self._silent_s(state):
            state.tries += 1
            self._rewind(state, state.applied_seq, now_s)
        window = 1 if state.tries else self._settings.window
        if len(state.flights) >= window or state.sent_seq >= state.position.head_seq:
            return None
        return SendRows(state.position.lane, state.position.epoch, state.sent_seq, self._settings.batch_rows_max)

    def _wake_s(self) -> float | None:
        times = [
            self._silent_s(state) if state.flights else state.due_s
            for state in self._lanes.values()
            if state.flights or state.phase in (Phase.GREETING, Phase.PARTING, Phase.REFUSED)
        ]
        return min(times, default=None)

    def _silent_s(self, state: _Lane) -> float:
        """When what is under way counts as lost."""
        return max(state.flights[0].sent_s, state.heard_s) + self._patience_s(state)

    def _patience_s(self, state: _Lane) -> float:
        return min(self._settings.silence_s * 2.0 ** min(state.tries, 10), self._settings.silence_s_max)

    # Steps of the conversation

    def _applied(self, state: _Lane, ack: Ack, now_s: float) -> tuple[Action, ...]:
        if state.phase is not Phase.STREAMING or ack.applied_seq < state.applied_seq:
            return ()
        if ack.applied_seq > state.position.head_seq:
            return self._greet_again(state, ack, now_s)
        state.tries = 0
        self._forget_flights(state, ack.applied_seq)
        if ack.applied_seq == state.applied_seq:
            return ()
        state.applied_seq, state.heard_s = ack.applied_seq, now_s
        state.sent_seq = max(state.sent_seq, ack.applied_seq)
        return (Confirm(ack.lane, ack.applied_seq),)

    def _forget_flights(self, state: _Lane, applied_seq: int) -> None:
        while state.flights and state.flights[0].last_seq <= applied_seq:
            state.flights.popleft()

    def _gap(self, state: _Lane, ack: Ack, now_s: float) -> tuple[Action, ...]:
        """Every batch behind a lost one is answered with the same gap: go back once, not once for each."""
        if state.phase is not Phase.STREAMING or ack.applied_seq < state.applied_seq:
            return ()
        actions = self._applied(state, ack, now_s)
        rewound_to, quiet_until_s = state.rewound
        if state.phase is Phase.STREAMING and (ack.applied_seq != rewound_to or now_s >= quiet_until_s):
            self._rewind(state, state.applied_seq, now_s)
        return actions

    def _clock_ahead(self, state: _Lane, ack: Ack, now_s: float) -> tuple[Action, ...]:
        """The stream waits, and asks now and then; its rows stay in the journal."""
        if state.phase is not Phase.STREAMING:
            return ()
        actions = self._applied(state, ack, now_s)
        state.flights.clear()
        state.phase, state.due_s = Phase.REFUSED, now_s + self._settings.refused_retry_s
        return (*actions, Restamp(ack.lane, state.applied_seq))

    def _rewind(self, state: _Lane, seq: int, now_s: float) -> None:
        state.flights.clear()
        state.sent_seq = seq
        state.rewound = (seq, now_s + self._settings.silence_s)

    def _greet_again(self, state: _Lane, ack: Ack, now_s: float) -> tuple[Action, ...]:
        if state.phase is Phase.STREAMING:
            state.flights.clear()
            state.phase = Phase.GREETING
            # An answer to an old batch may ask again: jitter keeps two sides from chasing each other.
            base_s = self._settings.silence_s / 16
            cap_s = self._settings.silence_s_max
            state.due_s = now_s + full_jitter_s(state.tries, base_s=base_s, cap_s=cap_s, random=self._random)
        return ()

    def _resumed(self, state: _Lane, ack: Ack) -> tuple[Action, ...]:
        if state.phase is Phase.PARTING:
            return self._narrow(state, ack)
        if state.phase is not Phase.GREETING:
            return ()
        state.theirs = ack
        if ack.applied_seq > state.position.head_seq:
            return self._part(state)
        state.phase = Phase.COMPARING
        return (Compare(ack.lane, ack.applied_seq),)

    def _stream(self, state: _Lane, applied_seq: int) -> tuple[Action, ...]:
        state.phase, state.tries = Phase.STREAMING, 0
        state.applied_seq = state.sent_seq = applied_seq
        state.flights.clear()
        return (Confirm(state.position.lane, applied_seq),)

    def _part(self, state: _Lane) -> tuple[Action, ...]:
        """The cloud has rows of this epoch that are not ours: find the last that both have."""
        state.agreed_seq, state.parted_seq = state.position.base_seq, state.position.head_seq + 1
        state.phase, state.due_s, state.tries = Phase.PARTING, 0.0, 0
        return self._parted(state)

    def _narrow(self, state: _Lane, ack: Ack) -> tuple[Action, ...]:
        """Between the highest point that the cloud has and the next one that it has not."""
        assert state.agreed_seq is not None
        after, until = state.agreed_seq, state.parted_seq - 1
        asked = point_numbers(after=after, until=until, count=POINTS_MAX)
        state.agreed_seq = max(after, min(ack.agreed_seq, until))
        state.parted_seq = min((seq for seq in asked if seq > state.agreed_seq), default=state.parted_seq)
        state.due_s, state.tries = 0.0, 0
        return self._parted(state)

    def _parted(self, state: _Lane) -> tuple[Action, ...]:
        if state.agreed_seq is not None and state.parted_seq - state.agreed_seq <= 1:
            return self._begin_epoch(state, state.agreed_seq, "the cloud has other rows with these numbers")
        return ()

    def _begin_epoch(self, state: _Lane, agreed_seq: int, why: str) -> tuple[Action, ...]:
        state.phase = Phase.COMPARING
        return (BeginEpoch(state.position.lane, agreed_seq, why),)


def point_numbers(*, after: int, until: int, count: int) -> range:
    """Row numbers of the points of a Hello: at most `count`, evenly spread, `until` among them, descending."""
    step = max((until - after + count - 1) // count, 1)
    return range(until, after, -step)
