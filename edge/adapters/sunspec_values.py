"""What SunSpec devices share: owns turning samples into points, and steps of a writable point."""

from __future__ import annotations

import math

from control.domain.energy import Point, Quality
from control.domain.errors import DeviceError
from edge.adapters.modbus import ModbusLink
from edge.adapters.sunspec import Sample, SunSpecDevice, Wanted
from edge.adapters.sunspec_models import name_of, names_set
from edge.adapters.sunspec_trust import Trust, TrustSettings, plain
from edge.energy.ports import DeviceState, Identity, unknown

HOLD_S = 10
HZ_MIN, HZ_MAX = 40.0, 65.0
VOLT_MAX, AMPERE_MAX, STRING_VOLT_MAX = 50_000.0, 20_000.0, 2_000.0
CELSIUS_MIN, CELSIUS_MAX = -50.0, 150.0
COUNTER_KWH_MAX = 1e12
W_PER_KW = 1000.0
PERCENT = 100.0

_STATES = {
    "OFF": DeviceState.OFF,
    "SLEEPING": DeviceState.OFF,
    "STARTING": DeviceState.STARTING,
    "MPPT": DeviceState.RUNNING,
    "RUNNING": DeviceState.RUNNING,
    "THROTTLED": DeviceState.THROTTLED,
    "SHUTTING_DOWN": DeviceState.OFF,
    "FAULT": DeviceState.FAULT,
    "STANDBY": DeviceState.STANDBY,
}


def hz(sample: Sample, role: str) -> Point:
    return plain(sample.value(role, "Hz"), "Hz", low=HZ_MIN, high=HZ_MAX)


def kwh(sample: Sample, role: str, name: str, group: int | None = None) -> Point:
    return plain(sample.value(role, name, group), "kWh", low=0.0, high=COUNTER_KWH_MAX, times=1 / W_PER_KW)


def volts(sample: Sample, role: str, *names: str) -> Point:
    """The mean of the phases that are there."""
    found = [plain(sample.value(role, name), "V", low=0.0, high=VOLT_MAX) for name in names]
    values = [point.value for point in found if point.value is not None]
    return Point(sum(values) / len(values), "V", 0.0, Quality.GOOD) if values else unknown("V")


def celsius(sample: Sample, role: str, *names: str) -> Point:
    """The hottest of the temperatures that are there."""
    found = [plain(sample.value(role, name), "°C", low=CELSIUS_MIN, high=CELSIUS_MAX) for name in names]
    values = [point.value for point in found if point.value is not None]
    return Point(max(values), "°C", 0.0, Quality.GOOD) if values else unknown("°C")


def state(sample: Sample, role: str, name: str) -> DeviceState:
    value, place = sample.whole(role, name), sample.model(role).place(name)
    if value is None or place is None:
        return DeviceState.UNKNOWN
    return _STATES.get(name_of(place[0], value), DeviceState.UNKNOWN)


def alarms(sample: Sample, role: str, name: str) -> tuple[str, ...]:
    value, place = sample.whole(role, name), sample.model(role).place(name)
    return () if value is None or place is None else names_set(place[0], value)


class SunSpecReader:
    """What the three kinds share: their samples, and forgetting what was believed of another device."""

    def __init__(self, link: ModbusLink, *, name: str, wanted: dict[str, Wanted], trust: TrustSettings) -> None:
        self._device = SunSpecDevice(link, name=name, wanted=wanted)
        self._name, self._trust = name, Trust(trust)
        self._identity: Identity | None = None

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._device.aclose()

    async def _sample(self) -> Sample:
        sample = await self._device.sample()
        if sample.identity != self._identity:
            self._trust.forget()
            self._identity = sample.identity
        return sample

    def _whole(self, sample: Sample, role: str, name: str, wanted: float, *, up: bool = False) -> tuple[int, float]:
        """`wanted` in the point's own steps, rounded towards 0 so that no limit is overstepped, and the step's size."""
        place = sample.model(role).place(name)
        exponent = sample.scale(role, name)
        if place is None or exponent is None:
            raise DeviceError(f"{self._name}: {name} has no scale factor that makes sense, so it cannot be written")
        steps = wanted / 10.0**exponent
        nearest = round(steps)
        # 30 / 0.1 is a hair below 300 in binary; only what is truly between two steps is rounded towards 0.
        whole = nearest if math.isclose(steps, nearest, rel_tol=1e-9) else math.trunc(steps)
        return whole, 10.0**exponent
