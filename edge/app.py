"""The running gateway: owns its tasks, their supervision, its health reports and the orders from the console.

Everything runs without cloud and broker. A part that fails is started again, and the others go on.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard

import structlog

from cloud_sync.contract.v1 import Command
from control.domain.events import CommandResult, GatewayHealth
from control.domain.passages import Outcome
from control.domain.readings import Unavailable
from control.gate.lane import GuardAction
from edge.changes import Changes
from edge.facts import iso
from edge.guards import Answer, GuardChoice, Source
from edge.journal import Journal, JournalError
from edge.policy import LinkState, LivePolicy
from edge.ports import Clock, JsonObject
from edge.retrying import Backoff
from edge.tally import Tally

if TYPE_CHECKING:
    # A gateway without lanes never loads what reads pictures.
    from edge.energy.part import EnergyPart
    from edge.evidence import EvidenceStore
    from edge.gate_lane import GateLane
    from edge.inference import InferenceWorker
    from edge.kept_reader import KeptReader
    from edge.lanes import Lane
    from edge.passages import EvidenceDesk
    from edge.vehicle_desk import VehicleDesk

log = structlog.get_logger(__name__)

SOFTWARE = "0.1.0"
LINK_LOOK_S = 0.5
PRUNE_PERIOD_S = 3600.0
MEDIA_WAITING_MAX = 100_000
RESTART_PATIENCE_S = 60.0


class CommandSource(Protocol):
    """Verified orders from the console."""

    async def next_command(self) -> Command:
        """Wait for the next one."""
        ...


@dataclass(slots=True)
class Link:
    """Since when the cloud has been near or away, seconds of the clock."""

    configured: bool
    connected: bool = False
    since_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the composition root joined. Without lanes there are no `inference`, `store` and `evidence`."""

    gateway_id: str
    name: str
    data_dir: Path
    lanes: tuple[Lane, ...]
    journal: Journal
    policy: LivePolicy
    changes: Changes
    clock: Clock
    new_backoff: Callable[[], Backoff]
    health_period_s: float
    keep_days: float
    size_mb_max: int
    inference: InferenceWorker | None = None
    store: EvidenceStore | None = None
    evidence: EvidenceDesk | None = None
    energy: EnergyPart | None = None
    uplink: LinkState | None = None
    commands: CommandSource | None = None
    services: Sequence[tuple[str, Callable[[], Awaitable[None]]]] = field(default_factory=tuple)
    pending_media: Callable[[int], Awaitable[Sequence[Any]]] | None = None
    reader: KeptReader | None = None
    models_version: Callable[[], str] = lambda: ""
    vehicles: VehicleDesk | None = None


class Gateway:
    """All lanes of one gateway and what they share."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.link = Link(parts.uplink is not None, since_s=parts.clock.monotonic())
        self.restarts = 0
        self._started_s = parts.clock.monotonic()

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for name, run in self._services():
                tasks.create_task(self._supervise(name, run), name=name)

    def _services(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        own: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("health", self._report_health),
            ("evidence-upkeep", self._prune),
            ("link", self._watch_link),
        ]
        if self.parts.inference is not None:
            own.append(("inference", self.parts.inference.run))
        if self.parts.energy is not None:
            own.extend(self.parts.energy.services)
        if self.parts.commands is not None:
            own.append(("commands", self._obey_console))
        if self.parts.vehicles is not None:
            own.append(("vehicles", self.parts.vehicles.run))
        lanes = [(f"lane-{lane.settings.lane_id}", lane.run) for lane in self.parts.lanes]
        return [*own, *self.parts.services, *lanes]

    async def _supervise(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """The outermost loop of one part: a bug is logged with its traceback, counted, and the part begins again."""
        backoff = self.parts.new_backoff()
        while True:
            started_s = self.parts.clock.monotonic()
            try:
                await run()
            except Exception:
                self.restarts += 1
                log.exception("part failed and is started again", part=name)
            else:
                return
            if self.parts.clock.monotonic() - started_s > RESTART_PATIENCE_S:
                backoff.succeeded()
            await self.parts.clock.sleep(backoff.next_s())

    # -------------------------------------------------------------------------------------------------- guards

    def gate_lanes(self) -> list[GateLane]:
        """Lanes with a barrier."""
        return [lane for lane in self.parts.lanes if has_barrier(lane)]

    async def ask(self, lane_id: str, choice: GuardChoice) -> Answer:
        """A person's choice for one lane."""
        lane = next((lane for lane in self.gate_lanes() if lane.settings.lane_id == lane_id), None)
        return Answer.GONE if lane is None else await lane.ask(choice)

    async def _obey_console(self) -> None:
        assert self.parts.commands is not None
        while True:
            await self._obey(await self.parts.commands.next_command())

    async def _obey(self, command: Command) -> None:
        outcome, detail = "expired", ""
        if self.parts.clock.now() < command.expires_at:
            answer = await self.ask(command.lane_id, choice_of(command))
            outcome, detail = ("done", "") if answer is Answer.DONE else ("refused", answer.value)
        at = iso(self.parts.clock.now())
        await self.parts.journal.append(CommandResult(command.command_id, outcome, detail, at))

    # -------------------------------------------------------------------------------------------------- upkeep

    async def _watch_link(self) -> None:
        while True:
            near = self.parts.uplink is not None and self.parts.uplink.connected
            if near is not self.link.connected:
                self.link.connected, self.link.since_s = near, self.parts.clock.monotonic()
                self.parts.changes.tell()
            await self.parts.clock.sleep(LINK_LOOK_S)

    async def _report_health(self) -> None:
        while True:
            try:
                await self.parts.journal.append(self.health())
            except JournalError as error:
                log.warning("health is not journalled", why=str(error))
            await self.parts.clock.sleep(self.parts.health_period_s)

    def health(self) -> GatewayHealth:
        """How the gateway is."""
        parts = self.parts
        usage = shutil.disk_usage(parts.data_dir)
        return GatewayHealth(
            at=iso(parts.clock.now()),
            software=SOFTWARE,
            uptime_s=round(parts.clock.monotonic() - self._started_s, 1),
            backlog=parts.journal.backlog(),
            snapshot_version=parts.policy.snapshot.version,
            disk_free_frac=round(usage.free / usage.total, 4),
            lanes=[lane_health(lane) | self._reading_health(lane) for lane in parts.lanes],
            vehicle_head=parts.vehicles.news() if parts.vehicles is not None else {},
            energy=parts.energy.health() if parts.energy is not None else {},
        )

    def _reading_health(self, lane: Lane) -> JsonObject:
        """How the lane's pictures fare at the one reader that all lanes share."""
        inference, lane_id = self.parts.inference, lane.settings.lane_id
        assert inference is not None, "lanes come with a reader"
        tally, reader = inference.tally(lane_id), self.parts.reader
        gone = reader.watch.gone if reader is not None else None
        return {
            "reader": "ok" if gone is None else gone.why,
            "models": self.models,
            "pictures_read": tally.read,
            "pictures_dropped": tally.dropped,
            "pictures_failed": tally.failed,
            "queue_age_s": round(inference.queue_age_s(lane_id), 3),
            "waited_s_max": round(tally.waited_s_max, 3),
        }

    @property
    def models(self) -> str:
        """The version of the models in use."""
        return self.parts.models_version()

    async def _prune(self) -> None:
        while True:
            await self.parts.clock.sleep(PRUNE_PERIOD_S)
            gone = await self.prune_once()
            if gone:
                log.info("evidence pruned", pictures=len(gone))

    async def prune_once(self) -> list[str]:
        """Remove old pictures that the cloud has; without a cloud none is ever removed."""
        parts = self.parts
        if parts.pending_media is None or parts.store is None:
            return []
        waiting = {media.sha256 for media in await parts.pending_media(MEDIA_WAITING_MAX)}
        if len(waiting) >= MEDIA_WAITING_MAX:
            return []
        return await parts.store.prune(
            now=parts.clock.now(),
            keep_days=parts.keep_days,
            size_mb_max=parts.size_mb_max,
            in_cloud=lambda sha256: sha256 not in waiting,
        )

    # -------------------------------------------------------------------------------------------------- folders

    async def finished(self) -> None:
        """Wait until every folder and film has been gone through."""
        for lane in self.parts.lanes:
            if not has_barrier(lane):
                await lane.finished.wait()
        if not self.parts.lanes:
            await asyncio.Event().wait()  # a microgrid is never finished

    async def drained(self, timeout_s: float) -> bool:
        """Wait until the cloud has all of the journal but health, at most so long."""
        lanes = ("0", "1", "3")
        try:
            async with asyncio.timeout(timeout_s):
                while any(self.parts.journal.backlog().get(lane, 0) for lane in lanes):
                    await self.parts.clock.sleep(0.1)
        except TimeoutError:
            return False
        return True

    def summary(self) -> JsonObject:
        """What became of all pictures of folders and films."""
        total = Tally()
        for lane in self.parts.lanes:
            if not has_barrier(lane):
                total.pictures += lane.tally.pictures
                total.read += lane.tally.read
                total.unreadable += lane.tally.unreadable
                total.outcomes.update(lane.tally.outcomes)
                total.picture_ms += lane.tally.picture_ms
        return {**total.summary(), "backlog": self.parts.journal.backlog()}


def has_barrier(lane: Lane) -> TypeGuard[GateLane]:
    """Whether the lane drives a barrier, and does not only look at pictures."""
    return lane.has_barrier


def choice_of(command: Command) -> GuardChoice:
    """A console's command as a person's choice."""
    opens = Outcome(command.outcome).opens
    return GuardChoice(
        action=GuardAction.ADMIT if opens else GuardAction.REFUSE,
        arrival_id=command.arrival_id,
        by=command.issued_by,
        source=Source.CONSOLE,
        reason_code=command.reason_code,
        note=command.note,
        corrected_plate=command.corrected_plate,
        permit_id=command.permit_id,
        command_id=command.command_id,
    )


def lane_health(lane: Lane) -> JsonObject:
    """One lane's line of the health report; what is gone says why."""
    camera = lane.latest
    health: dict[str, Any] = {
        "lane_id": lane.settings.lane_id,
        "name": lane.settings.name,
        "gate_id": lane.settings.gate_id,
        "direction": str(lane.settings.direction),
        "camera": camera.why if isinstance(camera, Unavailable) else "ok",
    }
    if has_barrier(lane):
        field_state = lane.field.last
        arm = field_state.barrier
        health |= {
            "barrier": arm.why if isinstance(arm, Unavailable) else arm.value,
            "loop_a": _input(field_state.loop_a),
            "loop_b": _input(field_state.loop_b),
            "beam": _input(field_state.beam),
            "display": "ok" if lane.board.works else "lost",
            "phase": lane.state.phase.value if lane.state else "starting",
            "alarms": sorted(lane.state.alarms) if lane.state else [],
        }
        if lane.passes is not None and lane.passes.scanner is not None:
            trouble = lane.passes.scanner_trouble
            health["scanner"] = "ok" if trouble is None else trouble.why
    return health


def _input(value: bool | Unavailable) -> str:
    if isinstance(value, Unavailable):
        return value.why
    return "occupied" if value else "free"
