"""The devices of the microgrid as one cycle finds them: owns reading all at once, and when a device counts as lost.

Every device is read in parallel with one bound. A device that has been silent for three cycles is lost: it is still
asked, but nobody waits for it. Losses and returns are told once, by the alarms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from control.domain.errors import DeviceError
from edge.energy.ports import (
    Breaker,
    BreakerReading,
    ChargerReading,
    Chargers,
    Inverter,
    InverterReading,
    LoadReading,
    Loads,
    Meter,
    MeterReading,
    Storage,
    StorageReading,
)
from edge.ports import Clock

METER, BREAKER = "meter", "breaker"
LOST_AFTER_MISSES = 3
# A lost device may take this long to answer, for nobody waits for it.
LOST_PATIENCE_S = 3.0

R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class Devices:
    """The field's devices by id. `chargers` and `loads` are None where the site has none."""

    meter: Meter
    breaker: Breaker | None = None
    inverters: Mapping[str, Inverter] = field(default_factory=dict)
    storages: Mapping[str, Storage] = field(default_factory=dict)
    chargers: Chargers | None = None
    loads: Loads | None = None


@dataclass(frozen=True, slots=True)
class Heard(Generic[R]):
    """The last that a device said, `misses` cycles ago; None where it never spoke or has been lost."""

    reading: R | None
    misses: int
    why: str = ""

    @property
    def lost(self) -> bool:
        """Silent for three cycles."""
        return self.misses >= LOST_AFTER_MISSES

    @property
    def fresh(self) -> R | None:
        """Only what was said in this very cycle."""
        return self.reading if self.misses == 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldNow:
    """All readings of one cycle, frozen."""

    at_s: float
    meter: Heard[MeterReading]
    breaker: Heard[BreakerReading] | None
    inverters: Mapping[str, Heard[InverterReading]]
    storages: Mapping[str, Heard[StorageReading]]
    chargers: Mapping[str, ChargerReading]
    loads: Mapping[str, LoadReading]

    def silent(self) -> dict[str, str]:
        """Why each device on the field's wires is lost, by id; chargers and loads say so themselves."""
        lines: dict[str, Heard[object]] = {METER: self.meter, **self.inverters, **self.storages}  # type: ignore[dict-item]
        if self.breaker is not None:
            lines[BREAKER] = self.breaker  # type: ignore[assignment]
        return {device: heard.why for device, heard in lines.items() if heard.lost}


class Line(Generic[R]):
    """One device: at most one question under way, the last answer, and how many cycles went without."""

    def __init__(self, read: Callable[[], Awaitable[R]]) -> None:
        self._read = read
        self._asking: asyncio.Task[R] | None = None
        self.heard: Heard[R] = Heard(None, 0)

    def ask(self, *, timeout_s: float) -> asyncio.Task[R] | None:
        """Ask, unless the last question still waits. The task to wait for; None for a device that is lost."""
        if self._asking is None:
            patience_s = LOST_PATIENCE_S if self.heard.lost else timeout_s
            self._asking = asyncio.create_task(self._bounded(patience_s))
        return None if self.heard.lost else self._asking

    async def _bounded(self, timeout_s: float) -> R:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._read()
        except TimeoutError as error:
            raise DeviceError(f"no answer within {timeout_s:g} s") from error

    def take(self) -> Heard[R]:
        """What came of the question, once the cycle has waited long enough."""
        asking = self._asking
        if asking is None or not asking.done():
            self._missed("no answer in time")
            return self.heard
        self._asking = None
        try:
            self.heard = Heard(asking.result(), 0)
        except DeviceError as error:
            self._missed(str(error))
        return self.heard

    def _missed(self, why: str) -> None:
        misses = self.heard.misses + 1
        self.heard = Heard(self.heard.reading if misses < LOST_AFTER_MISSES else None, misses, why)

    async def aclose(self) -> None:
        """Give up a question under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)
            self._asking = None


class Field:
    """Reads every device once a cycle."""

    def __init__(self, devices: Devices, clock: Clock, *, timeout_s: float) -> None:
        self.devices = devices
        self._clock, self._timeout_s = clock, timeout_s
        self._meter: Line[MeterReading] = Line(devices.meter.read)
        self._breaker = Line(devices.breaker.read) if devices.breaker is not None else None
        self._inverters = {id_: Line(device.read) for id_, device in devices.inverters.items()}
        self._storages = {id_: Line(device.read) for id_, device in devices.storages.items()}

    async def collect(self) -> FieldNow:
        """Ask everybody, wait for those who are not lost, at most the bound."""
        asked = [line.ask(timeout_s=self._timeout_s) for line in self._lines()]
        if waited := [task for task in asked if task is not None]:
            # A task's own bound ends just before; this one holds even where a library swallows the cancellation.
            await asyncio.wait(waited, timeout=1.2 * self._timeout_s)
        devices = self.devices
        return FieldNow(
            at_s=self._clock.monotonic(),
            meter=self._meter.take(),
            breaker=None if self._breaker is None else self._breaker.take(),
            inverters={id_: line.take() for id_, line in self._inverters.items()},
            storages={id_: line.take() for id_, line in self._storages.items()},
            chargers={} if devices.chargers is None else dict(devices.chargers.read()),
            loads={} if devices.loads is None else dict(devices.loads.read()),
        )

    def _lines(self) -> list[Line[object]]:
        lines: list[Line[object]] = [self._meter, *self._inverters.values(), *self._storages.values()]  # type: ignore[list-item]
        if self._breaker is not None:
            lines.append(self._breaker)  # type: ignore[arg-type]
        return lines

    async def aclose(self) -> None:
        """Let go of every device on the field's wires."""
        for line in self._lines():
            await line.aclose()
        devices = self.devices
        closing = [devices.meter, *devices.inverters.values(), *devices.storages.values()]
        for device in closing if devices.breaker is None else [*closing, devices.breaker]:
            await device.aclose()
