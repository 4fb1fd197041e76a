"""PV: owns what strings and inverters give for sun and cloud, their limits, and what can be wrong with a string."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from hw_sim.microgrid.config import InverterConfig
from hw_sim.microgrid.noise import Values
from hw_sim.microgrid.sun import SunPosition, irradiance
from hw_sim.microgrid.weather import Weather

POWER_PER_KELVIN = -0.0037
CELL_KELVIN_PER_W_M2 = 0.029
EFFICIENCY = 0.985
OWN_USE_FRAC = 0.003
HOT_CABINET_C = 62.0
# A grid-following inverter gives less when the bus is too fast: all of it over this span above 50.2 Hz.
FAST_FROM_HZ, FAST_SPAN_HZ = 50.2, 1.2
_STRING_SPACING_M = 35.0
# An obstacle to the west begins to throw its shadow with the sun here, and throws all of it there (half past two).
_SHADE_FROM_WEST, _SHADE_FULL_WEST = 0.15, 0.52


@dataclass(slots=True)
class StringFaults:
    """What is wrong with one string.

    `shading_frac` is the part of the beam that a tree or a mast to the west takes late in the afternoon; what clouds
    scatter it leaves. `frozen` repeats power and voltage as they were when it began.
    """

    outage: bool = False
    shading_frac: float = 0.0
    soiling_frac: float = 0.0
    frozen: bool = False


@dataclass(slots=True)
class PvString:
    """One string as it is now, before the inverter: what the sun would give, and what is taken from it (DC kW)."""

    id: str
    rated_dc_kw: float
    tilt_deg: float
    azimuth_deg: float
    faults: StringFaults = field(default_factory=StringFaults)
    available_kw: float = 0.0
    power_kw: float = 0.0
    healthy_kw: float = 0.0
    shown_kw: float = 0.0
    voltage_v: float = 0.0
    energy_kwh: float = 0.0


class Inverter:
    """One inverter with its strings. `limit_frac` is what was ordered, None where nothing was.

    `oversized_frac` is how much more its strings give than they should, as where modules were added: it clips.
    """

    def __init__(self, config: InverterConfig) -> None:
        self.config = config
        self.strings = [PvString(s.id, s.rated_dc_kw, s.tilt_deg, s.azimuth_deg) for s in config.string]
        self.limit_frac: float | None = None
        self.derating_frac = 0.0
        self.oversized_frac = 0.0
        self.tripped = False
        self.connected = True
        self.power_kw = 0.0
        self.available_kw = 0.0
        self.cabinet_c = 30.0
        self.energy_kwh = 0.0
        self._heard_s: float | None = None
        self.revert_s = 0.0

    @property
    def rated_kw(self) -> float:
        """AC rating."""
        return self.config.rated_ac_kw

    @property
    def _own_use_kw(self) -> float:
        return OWN_USE_FRAC * self.rated_kw

    def see(self, healthy_kw: Sequence[float], left_frac: Sequence[float]) -> None:
        """Set what each string would give if nothing were wrong with it, and the part that its shadow leaves."""
        for string, dc_kw, lit in zip(self.strings, healthy_kw, left_frac, strict=True):
            string.healthy_kw = max(0.0, dc_kw)
            left = 0.0 if string.faults.outage else (1.0 - string.faults.soiling_frac) * lit
            string.available_kw = string.healthy_kw * left * (1.0 + self.oversized_frac)
        offered_kw = sum(string.available_kw for string in self.strings)
        self.available_kw = min(self.rated_kw, max(0.0, EFFICIENCY * offered_kw - self._own_use_kw))

    def heard(self, device_s: float) -> None:
        """A master has written a limit; the reversion timer begins anew."""
        self._heard_s = device_s

    def watch(self, device_s: float) -> None:
        """Nobody refreshed the limit in time: back to what is configured for silence."""
        if self.revert_s > 0 and self._heard_s is not None and device_s - self._heard_s > self.revert_s:
            self.limit_frac = self.config.limit_after_silence_frac
            self._heard_s = None

    @property
    def ceiling_kw(self) -> float:
        """The most it may give now, by order, heat and derating."""
        ordered = 1.0 if self.limit_frac is None else self.limit_frac
        hot = max(0.0, min(1.0, 1.0 - (self.cabinet_c - HOT_CABINET_C) / 20.0))
        return self.rated_kw * max(0.0, min(ordered, hot, 1.0 - self.derating_frac))

    def offer(self, device_dt_s: float, *, bus_live: bool, bus_hz: float) -> float:
        """What it gives the bus in this step, before anything is cut for want of takers."""
        if not bus_live or self.tripped or not self.connected:
            return 0.0
        slow_down = max(0.0, min(1.0, 1.0 - (bus_hz - FAST_FROM_HZ) / FAST_SPAN_HZ))
        wanted = min(self.available_kw, self.ceiling_kw * slow_down)
        share = 1.0 - math.exp(-device_dt_s / max(1e-3, self.config.response_s))
        # The sun goes at once; what was ordered is followed with the inverter's own delay.
        return min(self.available_kw, self.power_kw + (wanted - self.power_kw) * share)

    def give(self, power_kw: float, dt_s: float, air_c: float) -> None:
        """Book what went to the bus, and share it out over the strings."""
        self.power_kw = power_kw
        self.energy_kwh += power_kw * dt_s / 3600.0
        warm = air_c + 26.0 * power_kw / max(1.0, self.rated_kw)
        self.cabinet_c += (warm - self.cabinet_c) * (1.0 - math.exp(-dt_s / 900.0))
        offered_kw = sum(string.available_kw for string in self.strings)
        drawn_kw = (power_kw + self._own_use_kw) / EFFICIENCY if power_kw > 0 else 0.0
        share = min(1.0, drawn_kw / offered_kw) if offered_kw > 1e-9 else 0.0
        for string in self.strings:
            string.power_kw = string.available_kw * share
            string.energy_kwh += string.power_kw * dt_s / 3600.0
            if not string.faults.frozen:
                string.shown_kw = string.power_kw
                string.voltage_v = _voltage(string, share)


def _voltage(string: PvString, share: float) -> float:
    """Near 820 V at the point of most power, rising towards open circuit as the inverter takes less."""
    if string.faults.outage or string.available_kw < 1e-3 * string.rated_dc_kw:
        return 0.0 if string.faults.outage else 380.0
    return 820.0 - 40.0 * string.available_kw / string.rated_dc_kw + 130.0 * (1.0 - share)


class PvField:
    """All strings of the island as arrays, so that one step costs little."""

    def __init__(self, inverters: Sequence[Inverter]) -> None:
        self._inverters = inverters
        self._strings = [string for inverter in inverters for string in inverter.strings]
        self._tilt = np.radians([s.tilt_deg for s in self._strings])
        self._azimuth = np.radians([s.azimuth_deg for s in self._strings])
        self._rated = np.array(
            [s.rated_dc_kw * (1.0 - i.config.loss_frac) for i in inverters for s in i.strings], dtype=np.float64
        )
        self._x = _places(inverters, lambda i: i.config.x_m, spacing_m=_STRING_SPACING_M)
        self._y = _places(inverters, lambda i: i.config.y_m, spacing_m=0.0)

    def shine(self, at: datetime, sun: SunPosition, weather: Weather, air_c: float) -> None:
        """Set what every string and inverter could give now."""
        if not self._strings:
            return
        if not sun.up:
            nothing = [0.0] * len(self._strings)
            self._hand_out(nothing, nothing)
            return
        light = irradiance(sun, tilt=self._tilt, azimuth=self._azimuth, shade=weather.shade(at, self._x, self._y))
        total = light.total
        cell_c = air_c + CELL_KELVIN_PER_W_M2 * total
        healthy = self._rated * total / 1000.0 * (1.0 + POWER_PER_KELVIN * (cell_c - 25.0))
        shaded = np.array([string.faults.shading_frac for string in self._strings])
        lit = 1.0 - shaded * _late(sun) * light.beam / np.maximum(total, 1e-9)
        self._hand_out(healthy.tolist(), lit.tolist())

    def _hand_out(self, healthy_kw: list[float], left_frac: list[float]) -> None:
        first = 0
        for inverter in self._inverters:
            end = first + len(inverter.strings)
            inverter.see(healthy_kw[first:end], left_frac[first:end])
            first = end


def _late(sun: SunPosition) -> float:
    """0 in the morning, 1 late in the afternoon."""
    return max(0.0, min(1.0, (sun.westward - _SHADE_FROM_WEST) / (_SHADE_FULL_WEST - _SHADE_FROM_WEST)))


def _places(inverters: Sequence[Inverter], of: object, *, spacing_m: float) -> Values:
    assert callable(of)
    return np.array(
        [of(inverter) + spacing_m * index for inverter in inverters for index in range(len(inverter.strings))],
        dtype=np.float64,
    )
