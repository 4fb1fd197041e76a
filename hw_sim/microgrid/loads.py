"""Loads: owns how feeders draw over the day, switching, and turning on again when nobody refreshes an order."""

from __future__ import annotations

import itertools
import math
from datetime import datetime

from hw_sim.microgrid.config import LoadConfig, Profile
from hw_sim.microgrid.noise import seed_of, wave
from hw_sim.microgrid.weather import LOCAL_TIME

# Hours of the local day and the share of the rating drawn then; between two points it changes evenly.
_CURVES: dict[Profile, tuple[tuple[float, float], ...]] = {
    Profile.VENUE: ((0, 0.22), (6, 0.24), (8.5, 0.62), (12, 0.70), (14, 0.66), (17.5, 0.72), (21, 0.42), (24, 0.22)),
    Profile.HOTEL: ((0, 0.34), (5, 0.28), (7.5, 0.62), (10, 0.46), (15, 0.44), (19.5, 0.78), (22.5, 0.58), (24, 0.34)),
    Profile.CHILLER: ((0, 0.20), (6, 0.18), (9, 0.36), (14, 0.52), (18, 0.44), (24, 0.20)),
    Profile.PUBLIC: ((0, 0.42), (5.5, 0.42), (7, 0.22), (17.5, 0.26), (19, 0.75), (22.5, 0.70), (24, 0.42)),
    Profile.WATER: ((0, 0.10), (4.5, 0.12), (6, 0.60), (8, 0.22), (16, 0.24), (17.5, 0.62), (19, 0.16), (24, 0.10)),
    Profile.FLAT: ((0, 0.70), (24, 0.70)),
}
_NOISE_FRAC = 0.10
_WEEKEND_FRAC = {Profile.VENUE: 0.82, Profile.HOTEL: 1.10}


class Load:
    """One feeder."""

    def __init__(self, config: LoadConfig, *, seed: int) -> None:
        self.config = config
        self._seed = seed_of(seed, "load", config.id)
        self.on = True
        self.tripped = False
        self.extra_kw = 0.0
        self.command_id = ""
        self.power_kw = 0.0
        self.energy_kwh = 0.0
        self.unserved_kwh = 0.0
        self.shed_kwh = 0.0
        self._until_s: float | None = None

    def order(self, *, on: bool, command_id: str, until_s: float | None) -> None:
        """Switch it; an order to be off holds until `until_s` of device time, unless it is given again."""
        self.on, self.command_id = on, command_id
        self._until_s = None if on else until_s

    def watch(self, device_s: float) -> None:
        """Nobody refreshed the order to be off: on again."""
        if not self.on and self._until_s is not None and device_s > self._until_s:
            self.on, self._until_s = True, None

    def demand_kw(self, at: datetime, world_s: float, air_c: float) -> float:
        """What the people behind it would draw now."""
        config = self.config
        local = at.astimezone(LOCAL_TIME)
        share = _on_curve(_CURVES[config.profile], local.hour + local.minute / 60 + local.second / 3600)
        if local.weekday() >= 5:
            share *= _WEEKEND_FRAC.get(config.profile, 1.0)
        if config.profile is Profile.CHILLER:
            share *= max(0.15, 1.0 + 0.09 * (air_c - 26.0))
        slow = wave(self._seed, world_s / 700.0) - 0.5
        quick = wave(self._seed + 1, world_s / 9.0) - 0.5
        share *= 1.0 + _NOISE_FRAC * (1.6 * slow + 0.4 * quick)
        return max(0.0, config.rated_kw * share + self.extra_kw)

    @property
    def connected(self) -> bool:
        """Whether it would draw if the bus were live."""
        return self.on and not self.tripped

    def give(self, *, served_kw: float, demand_kw: float, dt_s: float) -> None:
        """Book a step: what it got, and what it did not get although it was on (or because it was shed)."""
        hours = dt_s / 3600.0
        self.power_kw = served_kw
        self.energy_kwh += served_kw * hours
        if self.connected:
            self.unserved_kwh += max(0.0, demand_kw - served_kw) * hours
        else:
            self.shed_kwh += demand_kw * hours


def _on_curve(curve: tuple[tuple[float, float], ...], hour: float) -> float:
    for (from_h, low), (to_h, high) in itertools.pairwise(curve):
        if hour <= to_h:
            share = (hour - from_h) / (to_h - from_h)
            return low + (high - low) * (0.5 - 0.5 * math.cos(math.pi * share))
    return curve[-1][1]
