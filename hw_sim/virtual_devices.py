"""The simulated gate without sockets, for virtual time: owns what the gateway's ports see of the world.

Every device can fail in the ways real ones do: silence, refusal, an answer lost after the deed, a picture
that is unreadable or misread. Failures are drawn from a seed.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from control.domain.errors import DeviceError
from control.domain.readings import Box, CharacterReading, PlateReading, Quad, Unavailable, VehicleReading
from control.domain.vehicles import VehicleType
from edge.display_words import words_of
from edge.ports import BarrierState, Frame
from hw_sim.fleet import Drawn
from hw_sim.truth import perfect_reading
from hw_sim.world import LaneWorld, Light

_LOOK_ALIKES = {"0": "D", "D": "0", "8": "B", "B": "8", "1": "7", "7": "1", "5": "S", "S": "5", "2": "Z", "Z": "2"}
_IMAGE = np.zeros((8, 8, 3), np.uint8)
_IMAGE.setflags(write=False)


class VirtualClock:
    """Time that moves only when it is told to."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self.seconds = 0.0

    def now(self) -> datetime:
        """Wall clock, aware UTC."""
        return self._start + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Nobody sleeps on virtual time: the day drives every turn itself."""
        raise AssertionError(f"a cycle asked to sleep {seconds} s on virtual time")


@dataclass(slots=True)
class DeviceTrouble:
    """What is wrong with one lane's devices right now."""

    silent: bool = False
    rejects: bool = False
    answer_lost_share: float = 0.0
    camera_gone: bool = False
    blind_share: float = 0.02
    doubt_frac: float = 0.0


@dataclass(frozen=True, slots=True)
class Pulse:
    """One command as the controller received it."""

    at_s: float
    action: str
    command_id: str


class WorldBarrier:
    """The gateway's barrier port, driving a lane of the world."""

    def __init__(self, lane: LaneWorld, trouble: DeviceTrouble, rng: random.Random) -> None:
        self._lane, self._trouble, self._rng = lane, trouble, rng
        self.pulses: list[Pulse] = []

    async def read(self) -> BarrierState:
        """Inputs as they are now."""
        self._answer()
        lane = self._lane
        return BarrierState(
            loop_a=None if lane.loop_a.fault_bit else lane.loop_a.occupied,
            loop_b=None if lane.loop_b.fault_bit else lane.loop_b.occupied,
            beam=lane.beam_interrupted,
            limit_open=lane.boom.limit_open,
            limit_closed=lane.boom.limit_closed,
            fault=False,
            position_percent=round(lane.boom.position_frac * 100),
        )

    async def command(self, action: str, *, command_id: str) -> None:
        """A pulse; in trouble it is refused, or done although nobody hears of it."""
        self._answer()
        if self._trouble.rejects:
            raise DeviceError("the controller refused a write")
        self.pulses.append(Pulse(self._lane.now_s, action, command_id))
        self._lane.command_open() if action == "open" else self._lane.command_close()
        if self._rng.random() < self._trouble.answer_lost_share:
            raise DeviceError("the controller's answer was lost")

    async def beat(self) -> None:
        """The watchdog."""
        self._answer()

    async def aclose(self) -> None:
        """Nothing to let go."""

    def _answer(self) -> None:
        if self._trouble.silent:
            raise DeviceError("the controller is silent")


class WorldBoard:
    """The message display as drivers of the world see it, without a delay."""

    def __init__(self, lane: LaneWorld) -> None:
        self._lane = lane
        self.shown_code = "blank"
        self.works = True

    def show(self, code: str) -> None:
        """Show a message at once."""
        self.shown_code = code
        text, colour = words_of(code)
        self._lane.sign.text, self._lane.sign.light = text, Light(colour.value)

    async def run(self) -> None:
        """Nothing to do in between."""


class WorldCamera:
    """The gateway's camera port: `look` takes the picture that `latest` then holds."""

    def __init__(self, lane: LaneWorld, trouble: DeviceTrouble, clock: VirtualClock) -> None:
        self._lane, self._trouble, self._clock = lane, trouble, clock
        self.latest: Frame | Unavailable = Unavailable(0.0, "camera_starting")
        self.scene: tuple[tuple[Drawn, float], ...] = ()

    def look(self) -> Frame | Unavailable:
        """The newest picture, or why there is none; `scene` remembers what it shows."""
        now_s = self._clock.monotonic()
        if self._trouble.camera_gone:
            since_s = self.latest.since if isinstance(self.latest, Unavailable) else now_s
            self.latest = Unavailable(since_s, "camera_silent")
            return self.latest
        self.scene = tuple((v.drawn, v.front_m) for v in self._lane.vehicles)
        moving = any(abs(v.speed) > 0.05 for v in self._lane.vehicles)
        self.latest = Frame(_IMAGE, self._clock.now(), now_s, jpeg=b"", moving=moving)
        return self.latest

    async def run(self) -> None:
        """The day looks by itself."""

    async def next(self) -> Frame | Unavailable:
        """The newest."""
        return self.latest


@dataclass(frozen=True, slots=True)
class SceneReading:
    """What the reader found in one picture."""

    plates: tuple[PlateReading, ...]
    vehicles: tuple[VehicleReading, ...] | None
    ms: float = 20.0


@dataclass(slots=True)
class WorldReader:
    """Reads the world instead of pixels: far plates badly, dirty ones hardly, others well, none perfectly."""

    cameras: dict[str, WorldCamera]
    troubles: dict[str, DeviceTrouble]
    rng: random.Random
    read_count: int = field(default=0)

    async def read(self, lane_id: str, frame: Frame) -> SceneReading | Unavailable:
        """As the inference worker answers: a reading, or `picture_dropped` now and then."""
        self.read_count += 1
        if self.rng.random() < 0.03:
            return Unavailable(frame.taken_s, "picture_dropped")
        scene = self.cameras[lane_id].scene
        plates, vehicles = [], []
        for drawn, front_m in scene:
            quad = _quad(front_m)
            if quad is None:
                continue
            trouble = self.troubles[lane_id]
            blind = self.rng.random() < trouble.blind_share
            reading = None if blind else self._reading(drawn, quad, doubt=trouble.doubt_frac)
            plates += [reading] if reading else []
            vehicles.append(VehicleReading(drawn.vehicle_type, 0.9, _box(quad, drawn.vehicle_type)))
        return SceneReading(tuple(plates), tuple(vehicles) if frame.vehicles else None)

    def _reading(self, drawn: Drawn, quad: Quad, *, doubt: float) -> PlateReading | None:
        perfect = perfect_reading(drawn)
        if perfect is None:
            return None
        near = min(1.0, (quad[1][0] - quad[0][0]) / 90.0)
        sure = near * self.rng.uniform(0.955, 0.999)
        if drawn.dirt_frac > 0.5:
            sure *= self.rng.uniform(0.1, 0.6)
        characters = tuple(self._character(seen.char, sure) for seen in perfect.characters)
        confidence = 1.0
        for seen in characters:
            confidence *= seen.probability
        confidence *= 1.0 - doubt
        return PlateReading(characters, drawn.colour, 0.98, max(confidence, 0.01), quad, perfect.rows)

    def _character(self, char: str, sure: float) -> CharacterReading:
        """Now and then another character than the true one, then never with much confidence."""
        other = _LOOK_ALIKES.get(char)
        if other is not None and self.rng.random() > sure**0.25:
            return CharacterReading(other, self.rng.uniform(0.35, 0.6), ((char, 0.35),))
        return CharacterReading(char, 1.0 - (1.0 - sure) * 0.15, ((other, (1.0 - sure) * 0.1),) if other else ())


def _quad(front_m: float) -> Quad | None:
    """Where the plate of a vehicle would be in a picture of 960 x 540; None when it is out of the picture."""
    distance_m = 0.2 - front_m
    if distance_m < 1.5:
        return None
    width, middle_x, middle_y = 600.0 / distance_m, 480.0 - 400.0 / distance_m, 190.0 + 1000.0 / distance_m
    half, low = width / 2, width * 0.15
    return (
        (middle_x - half, middle_y - low),
        (middle_x + half, middle_y - low),
        (middle_x + half, middle_y + low),
        (middle_x - half, middle_y + low),
    )


_LARGE = frozenset({VehicleType.BUS, VehicleType.TRUCK, VehicleType.FIRE_ENGINE, VehicleType.CRANE})
_PLATE_M = 0.44


def _box(quad: Quad, kind: VehicleType) -> Box:
    """The vehicle around a plate: as wide and high as its type, the plate half a metre above the ground."""
    (x0, y0), (x1, y1) = quad[0], quad[2]
    width_m, height_m = (2.5, 3.0) if kind in _LARGE else (1.8, 1.5)
    metre = (x1 - x0) / _PLATE_M
    middle, ground = (x0 + x1) / 2, (y0 + y1) / 2 + 0.5 * metre
    return (middle - width_m / 2 * metre, ground - height_m * metre, middle + width_m / 2 * metre, ground)
