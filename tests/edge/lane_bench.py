"""A lane on virtual time: a barrier with its physics, a camera and a reader that say what the test says."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from control.domain.errors import DeviceError
from control.domain.passages import Direction
from control.domain.permits import PermitSnapshot
from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading, Unavailable, VehicleReading
from control.gate.rules import RuleSet
from edge.changes import Changes
from edge.display_words import DisplayBoard
from edge.evidence import EvidenceStore
from edge.gate_lane import GateLane
from edge.guards import GuardChoice, Source
from edge.lane_facts import LaneSettings
from edge.pass_watch import PassWatch
from edge.passages import EvidenceDesk, PassageDesk, StandingPolicy
from edge.ports import BarrierState, Frame
from edge.rules_file import delivered_rules

RULES: RuleSet = delivered_rules()
TURN_S = 0.05
OPEN_S = 1.0


def plate(
    text: str, colour: PlateColour, *, sure: float = 0.99, weak: int | None = None, other: str = "8"
) -> PlateReading:
    """A reading of a plate; `weak` is the index of a character that may be `other` instead."""
    characters = tuple(
        CharacterReading(c, 0.55, ((other, 0.4),)) if i == weak else CharacterReading(c, sure)
        for i, c in enumerate(text)
    )
    confidence = 0.5 if weak is not None else sure
    return PlateReading(characters, colour, sure, confidence, ((100, 100), (200, 100), (200, 130), (100, 130)))


@dataclass
class Seen:
    plates: tuple[PlateReading, ...]
    vehicles: tuple[VehicleReading, ...] | None = None
    ms: float = 1.0


class FakeBarrier:
    """An arm that takes OPEN_S to move, and counts the pulses it was given."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self.loop_a: bool | None = False
        self.loop_b: bool | None = False
        self.beam = False
        self.silent = False
        self.stuck = False
        self.pulses: list[tuple[str, str]] = []
        self.beats = 0
        self._goal, self._from, self._moved_s = 0.0, 0.0, -100.0

    @property
    def position(self) -> float:
        travelled = (self._clock.monotonic() - self._moved_s) / OPEN_S
        if self.stuck:
            return self._from
        step = min(1.0, max(0.0, travelled))
        return self._from + (self._goal - self._from) * step

    async def read(self) -> BarrierState:
        if self.silent:
            raise DeviceError("silent")
        at = self.position
        return BarrierState(self.loop_a, self.loop_b, self.beam, at >= 1, at <= 0, False, round(at * 100))

    async def command(self, action: str, *, command_id: str) -> None:
        if self.silent:
            raise DeviceError("silent")
        self._from, self._moved_s = self.position, self._clock.monotonic()
        self._goal = 1.0 if action == "open" else 0.0
        self.pulses.append((action, command_id))

    async def beat(self) -> None:
        self.beats += 1
        if self.silent:
            raise DeviceError("silent")

    async def aclose(self) -> None:
        return None


class FakeCamera:
    """Holds whatever the test put there."""

    def __init__(self) -> None:
        self.latest: Frame | Unavailable = Unavailable(0.0, "camera_starting")

    async def run(self) -> None:
        return None

    async def next(self) -> Frame | Unavailable:
        return self.latest


class FakeInference:
    """Answers what the test put there; vehicles only when asked for them."""

    def __init__(self) -> None:
        self.seen: Seen | Unavailable = Seen(())
        self.read_s: list[float] = []
        self.looks = 0

    async def read(self, lane_id: str, frame: Frame) -> Any:
        self.read_s.append(frame.taken_s)
        if isinstance(self.seen, Unavailable):
            return self.seen
        vehicles = self.seen.vehicles if frame.vehicles else None
        self.looks += vehicles is not None
        return replace(self.seen, plates=tuple(replace(reading) for reading in self.seen.plates), vehicles=vehicles)


@dataclass
class Bench:
    """One lane and everything around it."""

    lane: GateLane
    clock: Any
    barrier: FakeBarrier
    camera: FakeCamera
    inference: FakeInference
    journal: Any
    desk: PassageDesk
    changes: Changes
    moving: bool = True
    numbers: Any = field(default_factory=itertools.count)

    async def run(self, seconds: float, *, check: Any = None) -> None:
        """Let virtual time go by, turn after turn, with a picture every other turn."""
        for number in range(round(seconds / TURN_S)):
            self.clock.advance(TURN_S)
            if number % 2 == 0:
                await self.picture()
            await self.lane.turn()
            while not self.lane._to_keep.empty():
                await self.lane.keep_one()
            if check is not None:
                check(self)

    async def picture(self) -> None:
        if isinstance(self.camera.latest, Unavailable) and self.camera.latest.why != "camera_starting":
            await self.lane.look(self.camera.latest)
            return
        image = np.full((240, 320, 3), next(self.numbers) % 200, np.uint8)
        frame = Frame(image, self.clock.now(), self.clock.monotonic(), moving=self.moving)
        self.camera.latest = frame
        await self.lane.look(frame)

    async def arrive(self, *plates: PlateReading) -> None:
        self.barrier.loop_a = True
        self.inference.seen = Seen(plates)
        await self.run(1.0)

    async def back_out(self) -> None:
        """Off loop A, and out of the camera's view."""
        self.barrier.loop_a = False
        self.inference.seen = Seen(())
        await self.run(5.0)

    async def drive_through(self) -> None:
        """Loop B and beam, then away."""
        await self.run(1.5)
        self.barrier.loop_b = self.barrier.beam = True
        await self.run(0.5)
        self.barrier.loop_a = False
        self.inference.seen = Seen(())
        await self.run(0.5)
        self.barrier.loop_b = self.barrier.beam = False
        await self.run(4.0)

    async def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Bodies, oldest first."""
        rows = await self.journal.recent(kinds, 500)
        return [row.body for row in reversed(rows)]


def choice(action: Any, arrival_id: str | None, **more: Any) -> GuardChoice:
    values = {"by": "Chen", "source": Source.HUT, "reason_code": "manager_approved", **more}
    return GuardChoice(action=action, arrival_id=arrival_id, **values)


def snapshot(**parts: Any) -> PermitSnapshot:
    return PermitSnapshot(version=3, taken_at=datetime(2026, 11, 21, 1, 0, tzinfo=UTC), **parts)


def build_bench(
    clock: Any,
    journal: Any,
    folder: Path,
    *,
    permits: PermitSnapshot | None = None,
    barrier: FakeBarrier | None = None,
    prefix: str = "id",
    desk: PassageDesk | None = None,
    passes: PassWatch | None = None,
    direction: Direction = Direction.IN,
) -> Bench:
    """A lane with fakes outside and a real journal and evidence store inside."""
    names = itertools.count(1)

    def new_id() -> str:
        return f"{prefix}-{next(names)}"

    barrier = barrier or FakeBarrier(clock)
    camera, inference, changes = FakeCamera(), FakeInference(), Changes()
    policy = StandingPolicy(permits or snapshot(), RULES)
    desk = desk or PassageDesk(policy=policy, clock=clock, new_id=new_id)
    lane = GateLane(
        LaneSettings("east-in-1", "东入口 1", "East entry 1", "east", direction),
        camera=camera,
        barrier=barrier,
        board=DisplayBoard(None, clock, lane_id="east-in-1"),
        inference=inference,
        journal=journal,
        desk=desk,
        evidence=EvidenceDesk(store=EvidenceStore(folder / "evidence"), journal=journal, clock=clock),
        changes=changes,
        clock=clock,
        new_id=new_id,
        passes=passes,
    )
    return Bench(lane, clock, barrier, camera, inference, journal, desk, changes)
