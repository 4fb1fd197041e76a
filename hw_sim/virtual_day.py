"""A day at the gate on virtual time: owns the real gateway's lanes running against the world, with faults by seed.

Real: lane cycle, policy, journal (SQLite), sender and contract. Simulated: devices, reader, line and cloud.
After every cycle the laws of the gate are checked; `Broken` says which one did not hold, with the seed.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from control.domain.passages import Direction
from control.domain.permits import PermitSnapshot
from control.gate.lane import GuardAction
from control.gate.rules import RuleSet
from edge.adapters.sqlite_journal import SqliteJournal
from edge.changes import Changes
from edge.evidence import EvidenceStore
from edge.gate_lane import GateLane
from edge.guards import Answer, GuardChoice, Source
from edge.lane_facts import LaneSettings
from edge.passages import EvidenceDesk, PassageDesk
from edge.rules_file import delivered_rules
from hw_sim.barrier import LoopFault, Motion
from hw_sim.fleet import draw_fleet
from hw_sim.virtual_cloud import Line, MemoryCloud, VirtualUplink
from hw_sim.virtual_devices import DeviceTrouble, VirtualClock, WorldBarrier, WorldBoard, WorldCamera, WorldReader
from hw_sim.world import DriverHabits, LaneSetup, LaneWorld, World, build_world

GATEWAY_ID = "gw-sim"
# A turn of the lanes and two steps of the world; an empty gate waits in larger strides.
TURN_S, WORLD_STEP_S, IDLE_STEP_S = 0.1, 0.05, 5.0
PICTURE_EVERY = 2
HOLD_BEFORE_GUARD_S = 8.0
START = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
SNAPSHOT_EVERY_S = 1800.0


class Broken(AssertionError):
    """A law of the gate did not hold."""


@dataclass(slots=True)
class LiveSnapshot:
    """What the lanes decide by; renewed as the cloud would."""

    snapshot: PermitSnapshot
    rules: RuleSet


@dataclass(slots=True)
class VirtualLane:
    """One lane with its devices, and who waits for an answer."""

    world: LaneWorld
    trouble: DeviceTrouble
    barrier: WorldBarrier
    camera: WorldCamera
    board: WorldBoard
    lane: GateLane | None = None
    kept: str = ""
    held_since_s: float | None = None
    asking: asyncio.Task[Answer] | None = None
    troubled_until_s: float = 0.0

    @property
    def busy(self) -> bool:
        """Whether anything is on the lane or moves."""
        still = self.world.boom.motion is Motion.STILL and self.world.boom.limit_closed
        return bool(self.world.vehicles) or not still or (self.lane is not None and self.lane.arrival is not None)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong for a while."""

    name: str
    lane_id: str
    begins_s: float
    ends_s: float


FAULTS = (
    "silent",
    "rejects",
    "answer_lost",
    "camera_gone",
    "blind",
    "doubtful",
    "loop_a_broken",
    "loop_a_off",
    "loop_b_broken",
    "loop_b_on",
    "loop_b_off",
    "beam_on",
    "stuck",
    "slow",
    "line_down",
    "line_bad",
    "restart",
)
FIELD_FAULTS = frozenset({"silent", "rejects", "answer_lost", "stuck", "slow"})


class VirtualDay:
    """Everything of one simulated day. Use `opened`, then `run`, then `quieten`."""

    def __init__(
        self,
        folder: Path,
        *,
        seed: int,
        interval_s: float,
        fault_count: int,
        hours: float,
        guard_after_s: float = HOLD_BEFORE_GUARD_S,
    ) -> None:
        self.seed, self.hours, self._guard_after_s = seed, hours, guard_after_s
        self._folder = folder
        self._rng = random.Random(f"{seed}/day")
        self.clock = VirtualClock(START)
        self.fleet = draw_fleet(seed, START)
        rules = delivered_rules()
        self.policy = LiveSnapshot(self.fleet.snapshot(version=1, taken_at=START), rules)
        setups = [LaneSetup("in-1", "in", interval_s, 20.0), LaneSetup("out-1", "out", interval_s, 50.0)]
        habits = DriverHabits(patience_s=60.0)
        self.world: World = build_world(setups, self.fleet, seed=seed, started_at=START, habits=habits)
        self.lanes = {lane_id: self._devices(lane) for lane_id, lane in self.world.lanes.items()}
        self.reader = WorldReader(
            {i: v.camera for i, v in self.lanes.items()}, {i: v.trouble for i, v in self.lanes.items()}, self._rng
        )
        self.cloud, self.line = MemoryCloud(), Line()
        self.faults = [self._draw_fault() for _ in range(fault_count)]
        self._active: list[Fault] = []
        self.restarts = 0
        self.cycles = 0
        self._numbers = itertools.count(1)
        self._journal: SqliteJournal
        self._uplink: VirtualUplink
        self._snapshot_s = 0.0
        self._seen_rows: dict[int, int] = {}
        self._seen_uuids: set[bytes] = set()

    def _devices(self, lane: LaneWorld) -> VirtualLane:
        trouble = DeviceTrouble()
        barrier = WorldBarrier(lane, trouble, random.Random(f"{self.seed}/{lane.setup.lane_id}/barrier"))
        return VirtualLane(lane, trouble, barrier, WorldCamera(lane, trouble, self.clock), WorldBoard(lane))

    def _draw_fault(self) -> Fault:
        begins_s = self._rng.uniform(60.0, self.hours * 3600.0)
        lane_id = self._rng.choice(list(self.world.lanes))
        return Fault(self._rng.choice(FAULTS), lane_id, begins_s, begins_s + self._rng.uniform(5.0, 240.0))

    # -------------------------------------------------------------------------------------------------- the gateway

    @asynccontextmanager
    async def gateway(self) -> AsyncIterator[None]:
        """One life of the gateway: from its start to its stop."""
        boot_id = f"boot-{self.restarts}"
        path = self._folder / "journal.db"
        async with SqliteJournal.open(path, gateway_id=GATEWAY_ID, boot_id=boot_id, clock=self.clock) as journal:
            self._journal = journal
            self._uplink = VirtualUplink(GATEWAY_ID, journal, self.cloud, self.line, self.clock, self.seed)
            desk = PassageDesk(policy=self.policy, clock=self.clock, new_id=self._new_id)
            store = EvidenceStore(self._folder / "evidence")
            evidence = EvidenceDesk(store=store, journal=journal, clock=self.clock)
            for lane_id, virtual in self.lanes.items():
                virtual.lane = self._lane(lane_id, virtual, desk, evidence)
                virtual.kept, virtual.held_since_s = "", None
            yield
            for virtual in self.lanes.values():
                if virtual.asking is not None:
                    virtual.asking.cancel()
                    virtual.asking = None

    def _lane(self, lane_id: str, virtual: VirtualLane, desk: PassageDesk, evidence: EvidenceDesk) -> GateLane:
        direction = Direction(virtual.world.setup.direction)
        return GateLane(
            LaneSettings(lane_id, lane_id, lane_id, "east", direction),
            camera=virtual.camera,
            barrier=virtual.barrier,
            board=virtual.board,
            inference=self.reader,
            journal=self._journal,
            desk=desk,
            evidence=evidence,
            changes=Changes(),
            clock=self.clock,
            new_id=self._new_id,
        )

    def _new_id(self) -> str:
        return f"00000000-0000-7000-8000-{next(self._numbers):012d}"

    # ------------------------------------------------------------------------------------------------------ the day

    async def run(self) -> None:
        """From the first second to the last, with as many lives of the gateway as its restarts ask for."""
        while self.clock.seconds < self.hours * 3600.0:
            async with self.gateway():
                while self.clock.seconds < self.hours * 3600.0 and not self._restart_due():
                    await self.cycle()
            self.restarts += 1

    async def quieten(self) -> None:
        """No vehicle comes any more, every fault ends, and the line is good: until lanes and outbox are empty."""
        self.world.stop_arrivals()
        self.faults = []
        async with self.gateway():
            for _ in range(40_000):
                await self.cycle()
                behind = any(head.acked_seq < head.head_seq for head in self._journal.heads())
                if not behind and not any(virtual.busy for virtual in self.lanes.values()):
                    break
            else:
                raise self._broken("the gate did not come to rest")
            self._check_cloud_equals_edge()

    def _restart_due(self) -> bool:
        now_s = self.clock.seconds
        due = [f for f in self.faults if f.name == "restart" and f.begins_s <= now_s]
        self.faults = [f for f in self.faults if f not in due]
        return bool(due)

    async def cycle(self) -> None:
        """A step of the world, a turn of every lane, a turn of the uplink, and the checks."""
        idle = not any(virtual.busy for virtual in self.lanes.values())
        self.cycles += 1
        self._set_faults()
        self._renew_snapshot()
        self._pass_time(idle=idle)
        for virtual in self.lanes.values():
            await self._turn(virtual)
        if self.cycles % 5 == 0 or idle:
            await self._uplink.turn()
        self._check()

    def _pass_time(self, *, idle: bool) -> None:
        if idle:
            next_s = min(lane.arrivals.wait_s for lane in self.world.lanes.values())
            dt_s = min(IDLE_STEP_S, max(WORLD_STEP_S, next_s))
            self.clock.seconds += dt_s
            self.world.step(dt_s)
            return
        self.clock.seconds += TURN_S
        for _ in range(round(TURN_S / WORLD_STEP_S)):
            self.world.step(WORLD_STEP_S)

    async def _turn(self, virtual: VirtualLane) -> None:
        lane = virtual.lane
        assert lane is not None
        if self.cycles % PICTURE_EVERY == 0:
            await lane.look(virtual.camera.look())
        await lane.turn()
        arrival = lane.arrival
        if arrival is not None and arrival.passage is not None and arrival.arrival_id != virtual.kept:
            virtual.kept = arrival.arrival_id
            await lane.keep_one()
        await self._guard(virtual, lane)

    async def _guard(self, virtual: VirtualLane, lane: GateLane) -> None:
        """A person decides what has waited for a while, as a coin falls."""
        if virtual.asking is not None and virtual.asking.done():
            virtual.asking = None
        held = lane.held
        refused = virtual.board.shown_code not in ("wait", "barrier_unavailable")
        if held is None or refused:
            virtual.held_since_s = None
            return
        now_s = self.clock.monotonic()
        virtual.held_since_s = now_s if virtual.held_since_s is None else virtual.held_since_s
        if now_s - virtual.held_since_s < self._guard_after_s or virtual.asking is not None:
            return
        virtual.held_since_s = now_s
        action = self._rng.choice((GuardAction.ADMIT, GuardAction.ADMIT, GuardAction.REFUSE))
        choice = GuardChoice(
            action=action, arrival_id=held.arrival_id, by="guard", source=Source.HUT, reason_code="plate_read_by_eye"
        )
        virtual.asking = asyncio.create_task(lane.ask(choice, timeout_s=60.0))
        await asyncio.sleep(0)

    def _renew_snapshot(self) -> None:
        if self.clock.seconds - self._snapshot_s < SNAPSHOT_EVERY_S:
            return
        self._snapshot_s = self.clock.seconds
        self.policy.snapshot = replace(
            self.policy.snapshot, version=self.policy.snapshot.version + 1, taken_at=self.clock.now()
        )

    # ------------------------------------------------------------------------------------------------------- faults

    def _set_faults(self) -> None:
        now_s = self.clock.seconds
        self._active = [f for f in self.faults if f.begins_s <= now_s < f.ends_s]
        for lane_id, virtual in self.lanes.items():
            names = {f.name for f in self._active if f.lane_id == lane_id}
            if names & FIELD_FAULTS:
                virtual.troubled_until_s = now_s + 5.0
            _apply_to_lane(virtual, names)
        names = {f.name for f in self._active}
        self.line.down = "line_down" in names
        bad = "line_bad" in names
        self.line.lost_share, self.line.doubled_share = (0.3, 0.3) if bad else (0.0, 0.0)

    # ------------------------------------------------------------------------------------------------------- checks

    def _check(self) -> None:
        for lane_id, virtual in self.lanes.items():
            violations = virtual.world.violations
            if violations.close_started_on_vehicle:
                raise self._broken(f"lane {lane_id} began to close on a vehicle")
            if violations.closed_on_vehicle and virtual.troubled_until_s < self.clock.seconds:
                raise self._broken(f"lane {lane_id} closed on a vehicle")
            ids = [pulse.command_id for pulse in virtual.barrier.pulses]
            if len(set(ids)) != len(ids):
                raise self._broken(f"lane {lane_id} gave a barrier command twice")
        self._check_rows()

    def _check_rows(self) -> None:
        """What the cloud has grew by rows that follow on and were never there before."""
        for lane, stream in self.cloud.streams.items():
            start = self._seen_rows.get(lane, 0)
            if start == len(stream.rows):
                continue
            for before, row in zip([*stream.rows[max(0, start - 1) : start], None], stream.rows[start:], strict=False):
                if before is not None and row.seq != before.seq + 1:
                    raise self._broken(f"row {row.seq} of lane {lane} follows row {before.seq}")
            for row in stream.rows[start:]:
                if row.uuid in self._seen_uuids:
                    raise self._broken(f"row {row.seq} of lane {lane} is there twice")
                self._seen_uuids.add(row.uuid)
            self._seen_rows[lane] = len(stream.rows)

    def _check_cloud_equals_edge(self) -> None:
        for head in self._journal.heads():
            stream = self.cloud.streams.get(head.lane)
            if head.head_seq == 0 and stream is None:
                continue
            if stream is None or (stream.applied_seq, stream.head_hash) != (head.head_seq, head.head_hash):
                raise self._broken(f"lane {head.lane}: the cloud has not what the journal has")

    def _broken(self, what: str) -> Broken:
        active = ", ".join(f"{f.name}@{f.lane_id}" for f in self._active) or "none"
        return Broken(f"seed {self.seed}, second {self.clock.seconds:.2f}, faults {active}: {what}")

    # ------------------------------------------------------------------------------------------------------ account

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Bodies of the events of one kind that the cloud has, in order."""
        rows = (row for stream in self.cloud.streams.values() for row in stream.rows)
        return [json.loads(row.body) for row in rows if row.kind == kind]

    def passages(self) -> list[dict[str, Any]]:
        """Decided arrivals as the demonstration's account wants them; decided again, the last decision counts."""
        found: dict[str, dict[str, Any]] = {}
        for body in self.events("passage_decided"):
            first = found.get(body["arrival_id"])
            found[body["arrival_id"]] = {
                "arrival_id": body["arrival_id"],
                "lane_id": body["lane_id"],
                "arrived_at": first["arrived_at"] if first else body["at"].replace("Z", "+00:00"),
                "outcome": body["outcome"],
                "raw_plate": body["plate"]["text"] if body["plate"] else None,
            }
        return list(found.values())


def _apply_to_lane(virtual: VirtualLane, names: set[str]) -> None:
    trouble, world = virtual.trouble, virtual.world
    trouble.silent, trouble.rejects = "silent" in names, "rejects" in names
    trouble.answer_lost_share = 0.5 if "answer_lost" in names else 0.0
    trouble.camera_gone = "camera_gone" in names
    trouble.blind_share = 0.9 if "blind" in names else 0.02
    trouble.doubt_frac = 0.15 if "doubtful" in names else 0.0
    world.loop_a.fault = _loop_fault(names, "loop_a")
    world.loop_b.fault = _loop_fault(names, "loop_b")
    world.beam_stuck = "beam_on" in names
    world.boom.stuck, world.boom.slow = "stuck" in names, "slow" in names


def _loop_fault(names: set[str], loop: str) -> LoopFault:
    for ending, fault in (("broken", LoopFault.BROKEN), ("on", LoopFault.STUCK_ON), ("off", LoopFault.STUCK_OFF)):
        if f"{loop}_{ending}" in names:
            return fault
    return LoopFault.NONE
