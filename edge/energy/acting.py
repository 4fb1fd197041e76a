"""From commands to devices: owns writing them all at once, feeding watchdogs, and what was not taken.

Set-points are written every cycle, for the devices' own timers must be fed; a write still under way is not repeated.
The breaker is moved only when it does not stand as it is wanted, and not again while it may still be moving.
A converter is started only on an island's bus, with the breaker seen open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from control.domain.errors import DeviceError
from control.energy.dispatch_types import Commands
from edge.energy.field import BREAKER, Devices, FieldNow
from edge.energy.ports import DeviceState

# A load that was switched off turns on by itself when it has not heard from us for so long.
LOAD_HOLD_S = 30.0
BREAKER_PATIENCE_S = 10.0
# A converter takes some seconds to make a voltage; it is not told again meanwhile.
START_PATIENCE_S = 5.0
_AT_REST = (DeviceState.OFF, DeviceState.STANDBY)
# One lost write is no news: the next cycle writes again.
NOT_TAKEN_MISSES = 3


@dataclass(slots=True)
class _Refusals:
    """Writes of one device that failed in a row, and the words of the last."""

    count: int = 0
    why: str = ""


@dataclass(slots=True)
class Actor:
    """Writes the commands of a cycle. `not_taken` has the devices that do not do as they are told, with the reason."""

    devices: Devices
    timeout_s: float
    _writing: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _refusals: dict[str, _Refusals] = field(default_factory=dict)
    _breaker_given: tuple[bool, float] | None = None
    _breaker_wanted: tuple[bool, float] | None = None
    _breaker_overdue: bool | None = None
    _started_s: float | None = None

    async def act(self, commands: Commands, now: FieldNow) -> None:
        """Write everything in parallel; returns when all have taken it, at the latest after the bound."""
        self._watch_breaker(commands.breaker_closed, now)
        for device, write in self._writes(commands, now).items():
            if device in self._writing:
                write.close()  # type: ignore[attr-defined]
            else:
                self._writing[device] = asyncio.create_task(self._bounded(write), name=f"energy-write-{device}")
        if self._writing:
            await asyncio.wait(self._writing.values(), timeout=1.2 * self.timeout_s)
        self._take_results()

    def _writes(self, commands: Commands, now: FieldNow) -> dict[str, Awaitable[None]]:
        """One coroutine a device; devices that are lost are not written to."""
        devices, silent = self.devices, now.silent()
        writes: dict[str, Awaitable[None]] = {}
        for id_, kw in commands.storage_kw.items():
            if id_ not in silent and id_ in devices.storages:
                writes[id_] = self._set_storage(id_, kw, start=self._must_start(id_, commands, now))
        for id_, limit_kw in commands.pv_limit_kw.items():
            if id_ not in silent and id_ in devices.inverters:
                writes[id_] = devices.inverters[id_].limit(limit_kw)
        if devices.chargers is not None:
            for id_, kw in commands.ev_limit_kw.items():
                writes[id_] = devices.chargers.limit(id_, kw)
        if devices.loads is not None:
            for id_, on in commands.load_on.items():
                writes[id_] = devices.loads.switch(id_, on, LOAD_HOLD_S)
        if devices.breaker is not None and BREAKER not in silent:
            writes[BREAKER] = self._move_breaker(commands.breaker_closed, now)
        return writes

    def _must_start(self, id_: str, commands: Commands, now: FieldNow) -> bool:
        """Whether this storage is the one that should make the bus, and does not yet."""
        breaker = now.breaker.fresh if now.breaker is not None else None
        reading = now.storages[id_].fresh
        if commands.grid_forming != id_ or breaker is None or breaker.closed or reading is None:
            return False
        if reading.state not in _AT_REST:
            return False
        if self._started_s is not None and now.at_s - self._started_s < START_PATIENCE_S:
            return False
        self._started_s = now.at_s
        return True

    async def _set_storage(self, id_: str, kw: float, *, start: bool) -> None:
        storage = self.devices.storages[id_]
        if start:
            await storage.start()
        await storage.set_power(kw)  # first: a watchdog that does not take our beat must not keep the power from us
        await storage.beat()

    async def _move_breaker(self, closed: bool | None, now: FieldNow) -> None:
        breaker = self.devices.breaker
        assert breaker is not None
        if closed is not None and self.breaker_must_move(closed, now):
            self._breaker_given = (closed, now.at_s)
            await (breaker.close() if closed else breaker.open())
        await breaker.beat()

    def breaker_must_move(self, closed: bool, now: FieldNow) -> bool:
        """False where it stands so already, or was told so a moment ago; a silent breaker is not moved blindly."""
        reading = now.breaker.fresh if now.breaker is not None else None
        if reading is None or reading.closed is closed:
            return False
        given = self._breaker_given
        return given is None or given[0] is not closed or now.at_s - given[1] >= BREAKER_PATIENCE_S

    def _watch_breaker(self, closed: bool | None, now: FieldNow) -> None:
        """Since when it does not stand as it is wanted; a breaker that is silent is told as lost."""
        reading = now.breaker.fresh if now.breaker is not None else None
        if closed is None or (reading is not None and reading.closed is closed):
            self._breaker_wanted = self._breaker_overdue = None
            return
        if self._breaker_wanted is None or self._breaker_wanted[0] is not closed:
            self._breaker_wanted = closed, now.at_s
        late = now.at_s - self._breaker_wanted[1] >= BREAKER_PATIENCE_S
        self._breaker_overdue = closed if late and reading is not None else None

    @property
    def breaker_overdue(self) -> bool | None:
        """What the breaker was told and has not become for too long (True: closed); None while all is well."""
        return self._breaker_overdue

    async def _bounded(self, write: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self.timeout_s):
                await write
        except TimeoutError as error:
            raise DeviceError(f"no answer to a write within {self.timeout_s:g} s") from error

    def _take_results(self) -> None:
        for device, task in list(self._writing.items()):
            if not task.done():
                continue
            del self._writing[device]
            refusals = self._refusals.setdefault(device, _Refusals())
            try:
                task.result()
            except DeviceError as error:
                # Silence is told as the loss of the device; one that answers reads but not writes is told here.
                refusals.count, refusals.why = refusals.count + 1, str(error)
            else:
                refusals.count = 0

    def not_taken(self, lost: frozenset[str]) -> dict[str, str]:
        """Devices that answer but did not do as told for several cycles, and why."""
        return {
            device: refusals.why
            for device, refusals in self._refusals.items()
            if refusals.count >= NOT_TAKEN_MISSES and device not in lost
        }

    async def aclose(self) -> None:
        """Give up writes under way."""
        for task in self._writing.values():
            task.cancel()
        await asyncio.gather(*self._writing.values(), return_exceptions=True)
        self._writing.clear()
