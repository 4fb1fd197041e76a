"""The settings in force: owns taking signed versions from the cloud, when each takes effect, and refusing nonsense.

The version in force and the one that waits lie on the disk signed as they came, and are verified again at every start.
Without any the gateway works by its settings file, or by the built-in ones. Settings that took effect stay when the
clock goes back; while the clock has just leapt, nothing takes effect. The disk is written beside the cycle, which does
not wait for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog

from cloud_sync.contract.v1 import PublicKey
from cloud_sync.contract.v1_energy_down import EnergySettingsOrder, open_energy_settings
from control.domain.errors import ConfigurationError, ContractError
from control.domain.events import EnergySettingsTaken
from control.energy.settings import EnergySettings, SettingsError, read_settings
from edge import signed_file
from edge.facts import iso
from edge.journal import Journal, JournalError
from edge.ports import Clock

log = structlog.get_logger(__name__)

IN_FORCE_FILE, WAITING_FILE = "energy-settings.signed", "energy-settings-waiting.signed"
LEAP_S, SURE_AFTER_S = 60.0, 60.0
REMEMBERED_MAX = 200
PATIENCE_S = 0.3


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the settings. 0 is what the gateway came with."""

    number: int
    settings: EnergySettings
    effective_at: datetime | None = None
    payload: bytes = b""


class SettingsDesk:
    """`take` is called by the downlink, `look` once a cycle; the cycle reads `current`."""

    def __init__(
        self,
        *,
        folder: Path,
        key: PublicKey | None,
        gateway: str,
        journal: Journal,
        clock: Clock,
        first: EnergySettings,
    ) -> None:
        self._in_force, self._waiting_at = folder / IN_FORCE_FILE, folder / WAITING_FILE
        self._key, self._gateway, self._journal, self._clock = key, gateway, journal, clock
        self.current = Version(0, first)
        self.waiting: Version | None = None
        self.refused: EnergySettingsTaken | None = None
        self._listeners: list[Callable[[Version], None]] = []
        self._untold: list[EnergySettingsTaken] = []
        self._unstored: list[tuple[Path, bytes | None]] = []
        self._wall_less_mono_s: float | None = None
        self._sure_at_s = 0.0
        self._settling: asyncio.Task[None] | None = None

    def on_change(self, listener: Callable[[Version], None]) -> None:
        """Call `listener` with every version that comes into force."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """Take up the version in force and the one that waits."""
        in_force = await asyncio.to_thread(self._opened, self._in_force)
        self.current = in_force or self.current
        waiting = await asyncio.to_thread(self._opened, self._waiting_at)
        if waiting is not None and waiting.number > self.current.number:
            self.waiting = waiting
        for row in await self._journal.recent(("energy_settings_taken",), REMEMBERED_MAX):
            if row.body["outcome"] == "refused" and row.body["version"] > self._newest:
                self.refused = EnergySettingsTaken(**row.body)
                break
        log.info("energy settings loaded", version=self.current.number, waiting=self.waiting is not None)

    def _opened(self, path: Path) -> Version | None:
        try:
            payload = signed_file.stored(path)
            if payload is None or self._key is None:
                return None
            order = open_energy_settings(payload, self._key)
            return Version(order.version, read_settings(order.settings), order.effective_at, payload)
        except (OSError, ContractError, SettingsError) as error:
            log.warning("energy settings file refused", path=str(path), why=str(error))
            return None

    @property
    def _newest(self) -> int:
        return self.current.number if self.waiting is None else self.waiting.number

    # ------------------------------------------------------------------------------------------------------- from above

    async def take(self, payload: bytes, order: EnergySettingsOrder) -> None:
        """One verified order. The same version again is nothing new, for the topic is retained."""
        if order.gateway != self._gateway:
            log.error("energy settings for another gateway", gateway=order.gateway)
            return
        if order.version == self._newest or (self.refused is not None and self.refused.version == order.version):
            return
        if order.version < self._newest:
            self._answer(order, "refused", f"version {self._newest} is here already")
        else:
            self._take_newer(payload, order)
        await asyncio.wait([self._settled()])

    def _take_newer(self, payload: bytes, order: EnergySettingsOrder) -> None:
        try:
            settings = read_settings(order.settings)
        except SettingsError as error:
            self.refused = self._answer(order, "refused", str(error))
            return
        version = Version(order.version, settings, order.effective_at, payload)
        self.refused = None
        if order.effective_at > self._clock.now() or not self._clock_is_sure():
            self.waiting = version
            self._unstored.append((self._waiting_at, payload))
            self._answer(order, "waiting", order.reason)
        else:
            self._use(version)

    # ------------------------------------------------------------------------------------------------------ each cycle

    async def look(self) -> None:
        """Bring the waiting version into force when its time has come; store and tell what could not be before."""
        sure = self._clock_is_sure()
        waiting = self.waiting
        if sure and waiting is not None and _is_due(waiting, self._clock.now()):
            self._use(waiting)
        if self._untold or self._unstored:
            await asyncio.wait([self._settled()], timeout=PATIENCE_S)

    def _clock_is_sure(self) -> bool:
        """False for a minute after the wall clock leapt: a leap alone must not bring settings into force."""
        mono_s = self._clock.monotonic()
        difference_s = self._clock.now().timestamp() - mono_s
        before_s, self._wall_less_mono_s = self._wall_less_mono_s, difference_s
        if before_s is not None and abs(difference_s - before_s) > LEAP_S:
            self._sure_at_s = mono_s + SURE_AFTER_S
        return mono_s >= self._sure_at_s

    def _use(self, version: Version) -> None:
        self.current, self.waiting = version, None
        self._unstored += [(self._in_force, version.payload), (self._waiting_at, None)]
        at = self._clock.now()
        self._untold.append(EnergySettingsTaken(version.number, "used", "", iso(version.effective_at or at), iso(at)))
        log.info("energy settings in force", version=version.number)
        for listener in self._listeners:
            listener(version)

    def _answer(self, order: EnergySettingsOrder, outcome: str, detail: str) -> EnergySettingsTaken:
        at = iso(self._clock.now())
        taken = EnergySettingsTaken(order.version, outcome, detail[:400], iso(order.effective_at), at)
        self._untold.append(taken)
        log.info("energy settings", version=order.version, outcome=outcome, why=detail)
        return taken

    def _settled(self) -> asyncio.Task[None]:
        """Storing and telling what waits: at most one at a time."""
        if self._settling is None or self._settling.done():
            self._settling = asyncio.create_task(self._settle(), name="energy-settings")
        return self._settling

    async def aclose(self) -> None:
        """Let what is under way end. Raises what it raised."""
        if self._settling is not None:
            await self._settling

    async def _settle(self) -> None:
        """On the disk first, then told. A full disk does not keep newer settings out of force."""
        try:
            while self._unstored:
                path, payload = self._unstored[0]
                if payload is None:
                    await asyncio.to_thread(signed_file.forget, path)
                else:
                    await asyncio.to_thread(signed_file.store, path, payload)
                del self._unstored[0]
        except OSError as error:
            log.warning("energy settings not stored", why=str(error))
        try:
            while self._untold:
                await self._journal.append(self._untold[0])
                del self._untold[0]
        except JournalError as error:
            log.warning("energy settings not told", why=str(error))


def _is_due(version: Version, now: datetime) -> bool:
    return version.effective_at is not None and version.effective_at <= now


def first_settings(path: Path | None) -> EnergySettings:
    """What the gateway comes with: a JSON file of all settings, or the built-in ones. Raises ConfigurationError."""
    if path is None:
        return EnergySettings()
    try:
        return read_settings(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, SettingsError) as error:
        raise ConfigurationError(f"{path}: energy.settings_file cannot be used: {error}") from error
