"""What the microgrid's cycle asks of the field: owns the protocols of the devices and what a reading of each holds.

Signs are those of `control.domain.energy`: a grid connection, PV and a discharging storage are positive where they
supply the bus, a charger and a load where they draw. Every measured value is a `Point`; one that the device does not
implement, or that cannot be true, is INVALID and never 0. A device that does not answer raises DeviceError, and one
that does not keep what is written raises WriteNotTaken. Implementations are in `edge.adapters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from control.domain.energy import Point, Quality
from control.domain.errors import DeviceError


class WriteNotTaken(DeviceError):
    """The device answers, but refuses, clips or forgets what is written to it. `found` is None where it said no."""

    def __init__(self, device: str, point: str, *, wanted: float, found: float | None, why: str = "") -> None:
        held = "refused it" if found is None else f"holds {found:g}"
        super().__init__(f"{device}: {point} was set to {wanted:g}, the device {held}{': ' + why if why else ''}")
        self.device, self.point, self.wanted, self.found = device, point, wanted, found


def unknown(unit: str, quality: Quality = Quality.INVALID, *, age_s: float = 0.0) -> Point:
    """A value that could not be had."""
    return Point(None, unit, age_s, quality)


_NO_ENERGY = unknown("kWh")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a device says it is. After an exchange of the device the serial number differs."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """The point of common coupling. `power_kw` is positive for import; the counters only rise."""

    power_kw: Point
    frequency_hz: Point
    voltage_v: Point  # phase to neutral, mean of the phases
    current_a: Point
    power_factor: Point
    imported_kwh: Point
    exported_kwh: Point
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class StringReading:
    """One string on the direct current side, by the number that the inverter gives it (1, 2, ...)."""

    number: int
    label: str
    power_kw: Point
    voltage_v: Point
    current_a: Point
    energy_kwh: Point


class DeviceState(StrEnum):
    """What an inverter or a storage says it does, whatever its model calls it."""

    OFF = "off"
    STARTING = "starting"
    RUNNING = "running"
    THROTTLED = "throttled"
    STANDBY = "standby"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterReading:
    """One PV inverter. `limit_kw` is the limit it holds now (its rating where none is set); `alarms` are names."""

    power_kw: Point
    dc_kw: Point
    energy_kwh: Point
    frequency_hz: Point
    voltage_v: Point
    temperature_c: Point
    rated_kw: Point
    limit_kw: Point
    state: DeviceState
    alarms: tuple[str, ...]
    strings: tuple[StringReading, ...]
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageReading:
    """One storage. `charge_max_kw` and `discharge_max_kw` are what its management system allows now, both positive.

    `setpoint_kw` is what it holds now; `remote` is False when a person has switched it to local control.
    """

    power_kw: Point
    soc_frac: Point
    soh_frac: Point
    capacity_kwh: Point
    charge_max_kw: Point
    discharge_max_kw: Point
    setpoint_kw: Point
    charged_kwh: Point
    discharged_kwh: Point
    frequency_hz: Point
    voltage_v: Point
    temperature_c: Point
    state: DeviceState
    alarms: tuple[str, ...]
    remote: bool
    grid_forming: bool | None
    identity: Identity


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerReading:
    """The tie breaker. `grid_live` is voltage on the utility's side; `in_synchronism` allows closing onto it.

    `bus_hz` is 0 where the controller measures that our side has no voltage.
    """

    closed: bool
    tripped: bool
    grid_live: bool
    in_synchronism: bool
    grid_hz: Point
    bus_hz: Point
    operations: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReading:
    """One feeder, as it last said. `on` is None until it has said anything."""

    id: str
    power_kw: Point
    rated_kw: Point
    on: bool | None


class ChargerStatus(StrEnum):
    """What a charger says it does, in the words of both OCPP versions."""

    UNKNOWN = "unknown"
    AVAILABLE = "available"
    PREPARING = "preparing"
    CHARGING = "charging"
    SUSPENDED = "suspended"
    FINISHING = "finishing"
    UNAVAILABLE = "unavailable"
    FAULTED = "faulted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerReading:
    """One charger, as it last said. `power_kw` is negative while the vehicle feeds back.

    `online` is whether it is connected to us, `plugged` whether a vehicle is there. `limit_kw` is what it confirmed
    last. `feeds_back_kw` is above 0 only where the charger says that it can (V2G) and the site allows it. `depart_at`
    and `needed_kwh` are what the driver told the charger, if anything. `energy_kwh` and `fed_back_kwh` are of the
    running session.
    """

    id: str
    online: bool
    status: ChargerStatus
    plugged: bool
    power_kw: Point
    energy_kwh: Point
    soc_frac: Point
    limit_kw: Point
    needed_kwh: Point
    depart_at: datetime | None
    feeds_back_kw: float
    session_id: str
    fed_back_kwh: Point = _NO_ENERGY


class Meter(Protocol):
    """The meter at the point of common coupling. Methods raise DeviceError."""

    async def read(self) -> MeterReading:
        """Measured now."""
        ...

    async def aclose(self) -> None:
        """Let go of the connection."""
        ...


class Inverter(Protocol):
    """One PV inverter. Methods raise DeviceError."""

    async def read(self) -> InverterReading:
        """Measured now."""
        ...

    async def limit(self, kw: float | None) -> None:
        """Hold this limit (None: the rating) until the device's own timer runs out; call it every cycle.

        Raises WriteNotTaken.
        """
        ...

    async def aclose(self) -> None:
        """Let go of the connection."""
        ...


class Storage(Protocol):
    """One storage with its power conversion system. Methods raise DeviceError."""

    async def read(self) -> StorageReading:
        """Measured now."""
        ...

    async def set_power(self, kw: float) -> None:
        """Hold this power, positive discharges, until the device's own timer runs out; call it every cycle.

        Raises WriteNotTaken.
        """
        ...

    async def start(self) -> None:
        """Start its converter; one that can form a grid does so on a dead bus (black start). Raises WriteNotTaken."""
        ...

    async def beat(self) -> None:
        """Tell the device's watchdog that we are alive."""
        ...

    async def aclose(self) -> None:
        """Let go of the connection."""
        ...


class Breaker(Protocol):
    """The breaker between the microgrid and the utility. Methods raise DeviceError."""

    async def read(self) -> BreakerReading:
        """State now."""
        ...

    async def close(self) -> None:
        """Ask it to close. It may refuse when the sides are not in synchronism; whether it did shows in `read`.

        Raises WriteNotTaken.
        """
        ...

    async def open(self) -> None:
        """Ask it to open. Raises WriteNotTaken."""
        ...

    async def beat(self) -> None:
        """Tell the controller's watchdog that we are alive."""
        ...

    async def aclose(self) -> None:
        """Let go of the connection."""
        ...


class Chargers(Protocol):
    """All chargers behind one central system."""

    async def run(self) -> None:
        """Serve for ever."""
        ...

    def read(self) -> Mapping[str, ChargerReading]:
        """Every configured charger as it last said; never waits."""
        ...

    async def limit(self, charger_id: str, kw: float) -> None:
        """Want this power limit from now on; below 0 asks a vehicle to feed back. Never waits for the charger.

        Sent at once when it lowers the power, otherwise at a bounded rate; call it every cycle. Raises WriteNotTaken
        when the charger did not take the limit that was sent before, DeviceError when it is not connected.
        """
        ...


class Loads(Protocol):
    """All switchable and measured loads behind one broker."""

    async def run(self) -> None:
        """Keep the connection for ever."""
        ...

    def read(self) -> Mapping[str, LoadReading]:
        """Every configured load as it last said; never waits."""
        ...

    async def switch(self, load_id: str, on: bool, until_s: float) -> None:
        """Want it on or off for that many seconds from now, after which it turns on by itself; call it every cycle.

        Sends only what is new or must be refreshed, and never waits for the load. Raises WriteNotTaken when the load
        did not follow within a second what was sent before, DeviceError when the broker is not connected.
        """
        ...
