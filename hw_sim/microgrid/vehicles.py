"""Vehicles that want to charge: owns when which one comes, drawn hour by hour from the seed, and their batteries."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from hw_sim.microgrid.config import VehicleConfig
from hw_sim.microgrid.noise import seed_of
from hw_sim.microgrid.weather import LOCAL_TIME

EFFICIENCY = 0.94
TAPER_FROM_FRAC = 0.8
TAPER_END_FRAC = 0.12
V2G_LEAST_FRAC = 0.2
# Share of a day's arrivals in each local hour.
_BY_HOUR = (0.2, 0.1, 0.1, 0.1, 0.2, 0.5, 2, 4, 7, 8, 7, 7, 8, 7, 6, 6, 6, 7, 8, 7, 4, 2.5, 1.2, 0.6)


@dataclass(slots=True)
class Vehicle:
    """One vehicle at a charger. `leaves_s` is world time."""

    id: str
    capacity_kwh: float
    soc_frac: float
    wanted_frac: float
    max_kw: float
    v2g: bool
    comes_s: float
    leaves_s: float

    @property
    def energy_kwh(self) -> float:
        """What its battery holds."""
        return self.soc_frac * self.capacity_kwh

    @property
    def needed_kwh(self) -> float:
        """What it still wants, at the charger's side."""
        return max(0.0, self.wanted_frac - self.soc_frac) * self.capacity_kwh / EFFICIENCY

    @property
    def takes_kw(self) -> float:
        """The most that it draws now: everything up to 80 % of charge, then less and less."""
        if self.soc_frac >= self.wanted_frac:
            return 0.0
        late = max(0.0, (self.soc_frac - TAPER_FROM_FRAC) / (1.0 - TAPER_FROM_FRAC))
        return self.max_kw * (1.0 - late * (1.0 - TAPER_END_FRAC))

    def gives_kw(self, offered_kw: float) -> float:
        """The most that it feeds back now."""
        return min(offered_kw, self.max_kw) if self.v2g and self.soc_frac > V2G_LEAST_FRAC else 0.0

    def charge(self, power_kw: float, dt_s: float) -> None:
        """Book a step at the charger's side; negative feeds back."""
        kwh = power_kw * dt_s / 3600.0
        stored = kwh * EFFICIENCY if kwh >= 0 else kwh / EFFICIENCY
        self.soc_frac += stored / self.capacity_kwh


class Arrivals:
    """Who comes, and when. The same seed and day give the same vehicles, however time is cut into steps."""

    def __init__(self, config: VehicleConfig, *, seed: int, started_at: datetime) -> None:
        self._config = config
        self._seed = seed_of(seed, "vehicles")
        self._started_at = started_at
        self._hour: int | None = None
        self._waiting: list[Vehicle] = []
        self.stopped = False

    def at_start(self) -> list[Vehicle]:
        """Vehicles that stand there already."""
        chance = random.Random(self._seed)
        return [self._vehicle(chance, f"start-{n}", 0.0) for n in range(self._config.at_start)]

    def due(self, world_s: float) -> list[Vehicle]:
        """Vehicles that have come up to now and were not told yet."""
        hour = int(world_s // 3600)
        while self._hour is None or self._hour < hour:
            self._hour = 0 if self._hour is None else self._hour + 1
            self._waiting += self._of_hour(self._hour)
        due = [vehicle for vehicle in self._waiting if vehicle.comes_s <= world_s]
        self._waiting = [vehicle for vehicle in self._waiting if vehicle.comes_s > world_s]
        return [] if self.stopped else due

    def _of_hour(self, hour: int) -> list[Vehicle]:
        chance = random.Random(self._seed * 100_003 + hour)
        local = int((self._started_at.astimezone(LOCAL_TIME).hour + hour) % 24)
        expected = self._config.arrivals_per_day * _BY_HOUR[local] / sum(_BY_HOUR)
        found: list[Vehicle] = []
        if expected <= 0:
            return found
        at_h = chance.expovariate(expected)
        while at_h < 1.0:
            found.append(self._vehicle(chance, f"h{hour}-{len(found)}", (hour + at_h) * 3600.0))
            at_h += chance.expovariate(expected)
        return found

    def _vehicle(self, chance: random.Random, name: str, comes_s: float) -> Vehicle:
        capacity = chance.choice((42.0, 57.0, 64.0, 77.0, 93.0))
        soc = chance.uniform(0.12, 0.65)
        stay_s = 3600.0 * min(9.0, max(0.2, chance.gammavariate(2.0, self._config.stay_mean_h / 2.0)))
        return Vehicle(
            id=name,
            capacity_kwh=capacity,
            soc_frac=soc,
            wanted_frac=min(1.0, max(soc + 0.1, chance.uniform(0.75, 0.98))),
            max_kw=chance.choice((40.0, 60.0, 80.0, 120.0)),
            v2g=chance.random() < 0.6,
            comes_s=comes_s,
            leaves_s=comes_s + stay_s,
        )
