"""What a lane's devices say, as the core wants it: owns lost and found, told once each.

A controller that does not answer makes every input `Unavailable`; the last value is never used again.
"""

from __future__ import annotations

from dataclasses import dataclass

from control.domain.errors import DeviceError
from control.domain.events import DeviceBack, DeviceLost
from control.domain.readings import Unavailable
from control.gate.lane import Barrier as Arm
from edge.facts import iso
from edge.ports import Barrier, BarrierState, Clock, Frame

BEAT_PERIOD_S = 1.0
PATIENCE_S = 1.0
SILENT, LOOP_FAULT = "barrier_silent", "loop_fault"


@dataclass(frozen=True, slots=True)
class FieldState:
    """One reading of the loops, the beam and the arm."""

    loop_a: bool | Unavailable
    loop_b: bool | Unavailable
    beam: bool | Unavailable
    barrier: Arm | Unavailable


class FieldReader:
    """Reads the controller once a turn and keeps its watchdog content."""

    def __init__(self, barrier: Barrier, clock: Clock) -> None:
        self._barrier, self._clock = barrier, clock
        silent = Unavailable(clock.monotonic(), SILENT)
        self.last = FieldState(silent, silent, silent, silent)
        self.position_percent: int | None = None
        self.tries = 0
        self._silent_since_s: float | None = None
        self._beat_s = -1e9

    @property
    def loop_a_occupied(self) -> bool:
        """Whether a vehicle is known to stand on loop A."""
        return self.last.loop_a is True

    async def read(self) -> FieldState:
        """The devices now; silence is a value."""
        self.tries += 1
        try:
            await self._beat()
            state = await self._barrier.read()
        except DeviceError:
            self.last = self._silence()
            self.position_percent = None
        else:
            self._silent_since_s = None
            self.last = field_state_of(state, self.last.barrier, self.position_percent, self._clock.monotonic())
            self.position_percent = state.position_percent
        return self.last

    async def _beat(self) -> None:
        now_s = self._clock.monotonic()
        if now_s - self._beat_s >= BEAT_PERIOD_S:
            self._beat_s = now_s
            await self._barrier.beat()

    def _silence(self) -> FieldState:
        if self._silent_since_s is None:
            self._silent_since_s = self._clock.monotonic()
        silent = Unavailable(self._silent_since_s, SILENT)
        return FieldState(silent, silent, silent, silent)


def field_state_of(
    state: BarrierState, before: Arm | Unavailable, before_percent: int | None, at_s: float
) -> FieldState:
    """Loops with a fault of their own are unavailable; the arm's movement is seen from its position."""
    return FieldState(
        loop_a=_input(state.loop_a, at_s),
        loop_b=_input(state.loop_b, at_s),
        beam=_input(state.beam, at_s),
        barrier=_arm(state, before, before_percent),
    )


def _input(value: bool | None, at_s: float) -> bool | Unavailable:
    return Unavailable(at_s, LOOP_FAULT) if value is None else value


def _arm(state: BarrierState, before: Arm | Unavailable, before_percent: int | None) -> Arm:
    if state.fault:
        return Arm.FAULT
    if state.limit_open:
        return Arm.OPEN
    if state.limit_closed:
        return Arm.CLOSED
    if before_percent is not None and state.position_percent != before_percent:
        return Arm.OPENING if state.position_percent > before_percent else Arm.CLOSING
    if before in (Arm.OPENING, Arm.CLOSING):
        return before
    # Between its limits without a known direction: closing is the case that must watch for a vehicle.
    return Arm.OPENING if before is Arm.CLOSED else Arm.CLOSING


class AlarmBook:
    """Turns the lane's alarms into facts: one when something is lost, one when it is back.

    Silence is told once it has lasted a moment, and as one loss: loops and beam hang on the same controller.
    """

    def __init__(self, lane_id: str, clock: Clock) -> None:
        self._lane_id, self._clock = lane_id, clock
        self._raised_s: dict[str, float] = {}
        self._told: set[str] = set()
        self._cleared: dict[str, float] = {}
        self._telling: list[str] = []

    def take(self, alarms: frozenset[str], field: FieldState) -> None:
        """Note the lane's alarms after a turn; the same alarms twice change nothing."""
        silent = isinstance(field.barrier, Unavailable)
        real = alarms - _UNAVAILABLE_WITH_THE_BARRIER if silent else alarms
        for code in real - self._raised_s.keys():
            self._raised_s[code] = self._cleared.pop(code, self._clock.monotonic())
        for code in self._raised_s.keys() - real:
            raised_s = self._raised_s.pop(code)
            if code in self._told:
                self._cleared[code] = raised_s

    def news(self) -> list[object]:
        """What has to be journalled now; the same until `told`."""
        at, now_s = iso(self._clock.now()), self._clock.monotonic()
        self._telling = self._due(now_s)
        lost = [DeviceLost(_device(code), self._lane_id, code, at) for code in self._telling]
        back = [DeviceBack(_device(c), self._lane_id, round(now_s - s, 1), at) for c, s in self._cleared.items()]
        return [*lost, *back]

    def _due(self, now_s: float) -> list[str]:
        return [
            code
            for code, since_s in sorted(self._raised_s.items())
            if code not in self._told and (not code.endswith("_unavailable") or now_s - since_s >= PATIENCE_S)
        ]

    def told(self) -> None:
        """The news is in the journal."""
        self._told |= set(self._telling)
        self._told -= self._cleared.keys()
        self._cleared.clear()


_UNAVAILABLE_WITH_THE_BARRIER = frozenset({"loop_a_unavailable", "loop_b_unavailable", "beam_unavailable"})
_DEVICES = ("loop_a", "loop_b", "beam")


def _device(code: str) -> str:
    return next((name for name in _DEVICES if code.startswith(name)), "barrier")


class CameraWatch:
    """Turns a camera's losses into facts: one when it has been gone for a moment, one when it is back."""

    def __init__(self, lane_id: str, clock: Clock) -> None:
        self._lane_id, self._clock = lane_id, clock
        self._gone: Unavailable | None = Unavailable(clock.monotonic(), "camera_starting")
        self._told: Unavailable | None = None
        self._news: list[object] = []

    def see(self, item: Frame | Unavailable) -> None:
        """The newest item of the camera."""
        if isinstance(item, Frame):
            self._gone = None
        elif self._gone is None or self._gone.why != item.why:
            self._gone = item

    def news(self) -> list[object]:
        """What has to be journalled now; the same until `told`."""
        at, now_s = iso(self._clock.now()), self._clock.monotonic()
        if self._gone is None and self._told is not None:
            after_s = round(now_s - self._told.since, 1)
            self._news = [DeviceBack("camera", self._lane_id, after_s, at)]
        elif self._gone is not None and self._told is None and now_s - self._gone.since >= PATIENCE_S:
            self._news = [DeviceLost("camera", self._lane_id, self._gone.why, at)]
        else:
            self._news = []
        return self._news

    def told(self) -> None:
        """The news is in the journal."""
        if self._news:
            self._told = self._gone if isinstance(self._news[0], DeviceLost) else None
            self._news = []
