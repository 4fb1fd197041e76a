"""What comes down from the cloud: owns the checks before anything of it is believed.

A snapshot counts when its signature holds, it is meant for us, and its version is higher than ours; the
last good one lies on the disk and is there after a start without the cloud. A command counts once, in time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import structlog

from cloud_sync.contract import v1_energy_down
from cloud_sync.contract.v1 import (
    Command,
    HeadOrder,
    PublicKey,
    Snapshot,
    open_command,
    open_head_order,
    open_snapshot,
)
from cloud_sync.contract.v1_energy_down import (
    EnergySettingsOrder,
    EnergyTakeover,
    open_energy_settings,
    open_takeover,
)
from control.domain.errors import ContractError
from control.domain.events import CommandResult
from edge import signed_file
from edge.journal import Clock, Journal

log = structlog.get_logger(__name__)

Waiting = TypeVar("Waiting")
AnyOrder = Command | HeadOrder | EnergyTakeover
SettingsTaker = Callable[[bytes, EnergySettingsOrder], Awaitable[None]]

COMMANDS_WAITING_MAX = 64
HEAD_ORDERS_WAITING_MAX = 4
TAKEOVERS_WAITING_MAX = 8
# A command issued later than our own now by more than this: our clock is behind, and its expiry proves nothing.
CLOCK_BEHIND_MAX = timedelta(minutes=2)


class SnapshotFile:
    """The last good snapshot, signed as it came, so that it is verified again when it is loaded."""

    def __init__(self, path: Path, key: PublicKey) -> None:
        self._path = path
        self._key = key

    def load(self) -> Snapshot | None:
        """None where there is none, or none that holds; the reason is logged."""
        try:
            return open_snapshot(self._path.read_bytes(), self._key)
        except FileNotFoundError:
            return None
        except (OSError, ContractError) as error:
            log.warning("snapshot_file_refused", path=str(self._path), error=str(error))
            return None

    def store(self, payload: bytes) -> None:
        """Complete or not at all: written beside, flushed, renamed, folder flushed. Raises OSError."""
        signed_file.store(self._path, payload)


class Downlink:
    """One per gateway. `receive` is called by the transport; the lanes read `snapshot` and `next_command`."""

    def __init__(self, *, gateway: str, key: PublicKey, file: SnapshotFile, journal: Journal, clock: Clock) -> None:
        self._gateway, self._key, self._file = gateway, key, file
        self._journal, self._clock = journal, clock
        self._commands: asyncio.Queue[Command] = asyncio.Queue(COMMANDS_WAITING_MAX)
        self._head_orders: asyncio.Queue[HeadOrder] = asyncio.Queue(HEAD_ORDERS_WAITING_MAX)
        self._takeovers: asyncio.Queue[tuple[EnergyTakeover, bytes]] = asyncio.Queue(TAKEOVERS_WAITING_MAX)
        self._listeners: list[Callable[[Snapshot], None]] = []
        self._settings_taker: SettingsTaker | None = None
        self.snapshot: Snapshot | None = None

    async def load(self) -> None:
        """Take the snapshot of the last run."""
        found = await asyncio.to_thread(self._file.load)
        if found is not None and self._is_ours(found.gateway, "snapshot"):
            self.snapshot = found
            log.info("snapshot_loaded", version=found.version, taken_at=found.permits.taken_at.isoformat())

    def on_snapshot(self, listener: Callable[[Snapshot], None]) -> None:
        """Call `listener` with every newer snapshot."""
        self._listeners.append(listener)

    def on_energy_settings(self, taker: SettingsTaker) -> None:
        """Hand every verified settings order to `taker`. Without one, takeovers are refused as well."""
        self._settings_taker = taker

    async def next_command(self) -> Command:
        """Wait for the next command that counts. Look at `expires_at` again before acting."""
        return await self._commands.get()

    async def next_head_order(self) -> HeadOrder:
        """Wait for the next order about the vehicle head that counts. Look at `expires_at` again before acting."""
        return await self._head_orders.get()

    async def next_takeover(self) -> tuple[EnergyTakeover, bytes]:
        """Wait for the next takeover that counts, and its bytes as they came. Look at `expires_at` again."""
        return await self._takeovers.get()

    async def receive(self, kind: str, payload: bytes) -> None:
        """One message of a down topic. What does not hold is logged and dropped."""
        try:
            match kind:
                case "snapshot":
                    await self._take_snapshot(payload, open_snapshot(payload, self._key))
                case "command":
                    command = open_command(payload, self._key)
                    await self._take_order(command, command, self._commands)
                case "head":
                    order = open_head_order(payload, self._key)
                    await self._take_order(order, order, self._head_orders)
                case v1_energy_down.SETTINGS_KIND:
                    await self._take_settings(payload, open_energy_settings(payload, self._key))
                case v1_energy_down.TAKEOVER_KIND:
                    takeover = open_takeover(payload, self._key)
                    await self._take_order(takeover, (takeover, payload), self._takeovers)
                case _:
                    log.info("down_kind_unknown", kind=kind)
        except ContractError as error:
            log.warning("down_refused", kind=kind, error=str(error))

    async def _take_snapshot(self, payload: bytes, snapshot: Snapshot) -> None:
        if not self._is_ours(snapshot.gateway, "snapshot"):
            return
        if self.snapshot is not None and snapshot.version <= self.snapshot.version:
            if snapshot.version < self.snapshot.version:
                log.error("snapshot_older", version=snapshot.version, ours=self.snapshot.version)
            return
        try:
            await asyncio.to_thread(self._file.store, payload)
        except OSError as error:
            # Newer facts count at once, on the disk or not: a revoked permit must not open the gate.
            log.warning("snapshot_not_stored", error=str(error))
        self.snapshot = snapshot
        log.info("snapshot_taken", version=snapshot.version)
        for listener in self._listeners:
            listener(snapshot)

    async def _take_settings(self, payload: bytes, order: EnergySettingsOrder) -> None:
        if not self._is_ours(order.gateway, "energy"):
            return
        if self._settings_taker is None:
            log.warning("energy_settings_without_microgrid", version=order.version)
            return
        await self._settings_taker(payload, order)

    async def _take_order(self, command: AnyOrder, item: Waiting, queue: asyncio.Queue[Waiting]) -> None:
        if not self._is_ours(command.gateway, "command"):
            return
        if not await self._journal.claim(command.command_id, expires_at=command.expires_at):
            return
        refusal = self._refusal(command)
        if refusal is None:
            try:
                queue.put_nowait(item)
            except asyncio.QueueFull:
                refusal = "refused", "too many commands wait"
        if refusal is not None:
            await self._answer(command, *refusal)

    def _refusal(self, command: AnyOrder) -> tuple[str, str] | None:
        now = self._clock.now()
        if isinstance(command, EnergyTakeover) and self._settings_taker is None:
            return "refused", "this gateway has no microgrid"
        if command.expires_at <= now:
            return "expired", f"arrived after {command.expires_at.isoformat(timespec='seconds')}"
        if command.issued_at > now + CLOCK_BEHIND_MAX:
            return "refused", "the gateway's clock is behind: its expiry cannot be judged"
        return None

    async def _answer(self, command: AnyOrder, outcome: str, detail: str) -> None:
        at = self._clock.now().isoformat(timespec="milliseconds")
        await self._journal.append(CommandResult(command.command_id, outcome, detail, at))

    def _is_ours(self, gateway: str, kind: str) -> bool:
        if gateway != self._gateway:
            log.error("down_for_another_gateway", kind=kind, gateway=gateway)
        return gateway == self._gateway
