"""The whole microgrid: owns its time, one step of everything, and the picture of what is so now.

`step` is pure physics: no socket, no clock. The world's time runs `speed` times as fast as the devices' own timers
and dynamics, which follow the clock of those who talk to them.
"""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta
from typing import Any

from hw_sim.microgrid.bus import Bus, Flows, Members
from hw_sim.microgrid.chargers import Charger
from hw_sim.microgrid.config import MicrogridConfig
from hw_sim.microgrid.grid import TieBreaker, UtilityGrid
from hw_sim.microgrid.loads import Load
from hw_sim.microgrid.noise import seed_of
from hw_sim.microgrid.pv import Inverter, PvField
from hw_sim.microgrid.storage import Storage
from hw_sim.microgrid.sun import SunPosition, sun_position
from hw_sim.microgrid.truth import Energies, LimitWatch, Violations
from hw_sim.microgrid.vehicles import Arrivals, Vehicle
from hw_sim.microgrid.weather import LOCAL_TIME, Weather

# One step is cut into pieces no longer than this, in the devices' seconds and in the world's.
PIECE_DEVICE_S = 0.25
PIECE_WORLD_S = 30.0
_POWER_TOLERANCE_KW = 10.0


class World:
    """Everything that stands on the island."""

    def __init__(self, config: MicrogridConfig, *, started_at: datetime) -> None:
        site = config.site
        self.config = config
        self.started_at = _moved(started_at, site.day, site.hour)
        self.world_s = 0.0
        self.device_s = 0.0
        self.weather = Weather(config.weather, seed=site.seed)
        self.grid = UtilityGrid(config.grid, seed=site.seed)
        self.breaker = TieBreaker(config.grid)
        self.inverters = {c.id: Inverter(c) for c in config.inverter}
        air_c = self.weather.temperature_c(self.started_at)
        self.storages = {c.id: Storage(c, air_c=air_c) for c in config.storage}
        self.chargers = {c.id: Charger(c) for c in config.charger}
        self.loads = {c.id: Load(c, seed=site.seed) for c in config.load}
        self.arrivals = Arrivals(config.vehicles, seed=site.seed, started_at=self.started_at)
        self.pv_field = PvField(list(self.inverters.values()))
        self.bus = Bus(
            Members(
                list(self.inverters.values()),
                list(self.storages.values()),
                list(self.chargers.values()),
                list(self.loads.values()),
            ),
            black_start_after_s=site.black_start_after_s,
        )
        self.energies = Energies()
        self.violations = Violations(_watches(config))
        self.flows = Flows([], [], 0.0, [], [])
        self.air_c = air_c
        self.sun = SunPosition(-1.0, 0.0)
        self.turned_away = 0
        self._seats = random.Random(seed_of(site.seed, "seats"))
        for vehicle in self.arrivals.at_start():
            self._seat(vehicle)
        self._settle()

    @property
    def at(self) -> datetime:
        """The world's time."""
        return self.started_at + timedelta(seconds=self.world_s)

    def step(self, dt_s: float) -> None:
        """Let so many seconds of the world pass."""
        speed = self.config.site.speed
        longest_s = min(PIECE_WORLD_S, PIECE_DEVICE_S * speed)
        pieces = max(1, math.ceil(dt_s / longest_s - 1e-9))
        for _ in range(pieces):
            self._piece(dt_s / pieces, dt_s / pieces / speed)

    def skip(self, dt_s: float) -> None:
        """Jump ahead in coarse pieces; the devices' own timers stand still meanwhile."""
        pieces = math.ceil(dt_s / PIECE_WORLD_S)
        for _ in range(pieces):
            self.device_s -= PIECE_DEVICE_S
            self._piece(dt_s / pieces, PIECE_DEVICE_S)

    def _piece(self, dt_s: float, device_dt_s: float) -> None:
        self.world_s += dt_s
        self.device_s += device_dt_s
        at = self.at
        self.grid.step(self.world_s)
        self._come_and_go()
        for timed in (*self.inverters.values(), *self.storages.values(), *self.loads.values()):
            timed.watch(self.device_s)
        self._weather(at)
        self.breaker.step(device_dt_s, grid=self.grid, bus_live=self.bus.live, bus_hz=self.bus.hz)
        self.bus.phase_deg = self.breaker.phase_deg
        demand = [load.demand_kw(at, self.world_s, self.air_c) for load in self.loads.values()]
        blackouts = self.bus.blackouts
        self.flows = self.bus.step(dt_s, device_dt_s, grid=self.grid, breaker=self.breaker, demand_kw=demand)
        self._book(self.flows, demand, dt_s)
        self._judge(at, device_dt_s, blackout=self.bus.blackouts > blackouts)

    def _weather(self, at: datetime) -> None:
        site = self.config.site
        self.air_c = self.weather.temperature_c(at)
        self.sun = sun_position(at, latitude_deg=site.latitude_deg, longitude_deg=site.longitude_deg)
        self.pv_field.shine(at, self.sun, self.weather, self.air_c)

    def _come_and_go(self) -> None:
        for charger in self.chargers.values():
            if charger.session is not None and charger.session.vehicle.leaves_s <= self.world_s:
                charger.unplug()
        for vehicle in self.arrivals.due(self.world_s):
            self._seat(vehicle)

    def _seat(self, vehicle: Vehicle) -> None:
        """To a free charger; a vehicle that can feed back rather to one that can take it."""
        free = [charger for charger in self.chargers.values() if charger.free]
        if not free:
            self.turned_away += 1
            return
        fitting = [c for c in free if (c.config.v2g_kw > 0) == vehicle.v2g] or free
        self._seats.choice(fitting).plug_in(vehicle)

    def call_vehicle(self, charger_id: str) -> bool:
        """A vehicle comes to this charger now; False where one stands already."""
        charger = self.chargers[charger_id]
        if not charger.free:
            return False
        v2g = charger.config.v2g_kw > 0
        name = f"called-{charger_id}-{self.world_s:.0f}"
        charger.plug_in(Vehicle(name, 64.0, 0.3, 0.9, 120.0, v2g, self.world_s, self.world_s + 3 * 3600.0))
        return True

    def _book(self, flows: Flows, demand_kw: list[float], dt_s: float) -> None:
        hours, energies, air_c = dt_s / 3600.0, self.energies, self.air_c
        for inverter, kw in zip(self.inverters.values(), flows.pv_kw, strict=True):
            inverter.give(kw, dt_s, air_c)
            energies.pv_kwh += kw * hours
            energies.curtailed_kwh += max(0.0, inverter.available_kw - kw) * hours
        for storage, kw in zip(self.storages.values(), flows.storage_kw, strict=True):
            storage.give(kw, dt_s, air_c)
            energies.storage_discharge_kwh += max(0.0, kw) * hours
            energies.storage_charge_kwh += max(0.0, -kw) * hours
        for charger, kw in zip(self.chargers.values(), flows.ev_kw, strict=True):
            charger.give(kw, dt_s)
            energies.ev_kwh += max(0.0, kw) * hours
            energies.ev_fed_back_kwh += max(0.0, -kw) * hours
        for load, kw, wanted in zip(self.loads.values(), flows.load_kw, demand_kw, strict=True):
            load.give(served_kw=kw, demand_kw=wanted, dt_s=dt_s)
            energies.load_kwh += kw * hours
            energies.unserved_kwh += max(0.0, wanted - kw) * hours if load.connected else 0.0
            energies.shed_kwh += 0.0 if load.connected else wanted * hours
        energies.import_kwh += max(0.0, flows.grid_kw) * hours
        energies.export_kwh += max(0.0, -flows.grid_kw) * hours

    def _judge(self, at: datetime, device_dt_s: float, *, blackout: bool) -> None:
        text = at.isoformat(timespec="milliseconds")
        if blackout:
            self.violations.note(f"blackout: {self.bus.cause}", text)
        values = {
            "import_kw": self.flows.grid_kw,
            "export_kw": -self.flows.grid_kw,
            "bus_dead": 0.0 if self.bus.live else 1.0,
            "frequency_hz": abs(self.bus.hz - 50.0) if self.bus.live else 0.0,
        }
        self.violations.look(values, device_dt_s, text)

    def _settle(self) -> None:
        """What is so at the very beginning: no ramp up from nothing."""
        self._weather(self.at)
        self.grid.step(0.0)
        for inverter in self.inverters.values():
            inverter.power_kw = min(inverter.available_kw, inverter.ceiling_kw)
        self._piece(1e-3, 1e-3)

    @property
    def grid_kw(self) -> float:
        """Through the point of common coupling; positive imports."""
        return self.flows.grid_kw

    def state(self) -> dict[str, Any]:
        """What is so now, for people and tests."""
        return {
            "at": self.at.isoformat(timespec="milliseconds"),
            "grid_kw": round(self.grid_kw, 3),
            "grid_live": self.grid.live,
            "breaker_closed": self.breaker.closed,
            "breaker_tripped": self.breaker.tripped,
            "bus_live": self.bus.live,
            "bus_hz": round(self.bus.hz, 4),
            "sky": self.weather.kind(self.at).value,
            "air_c": round(self.air_c, 2),
            "sun_elevation_deg": round(math.degrees(self.sun.elevation), 2),
            "pv_kw": round(sum(self.flows.pv_kw), 3),
            "pv_available_kw": round(sum(i.available_kw for i in self.inverters.values()), 3),
            "storage_kw": round(sum(self.flows.storage_kw), 3),
            "load_kw": round(sum(self.flows.load_kw), 3),
            "ev_kw": round(sum(self.flows.ev_kw), 3),
            "inverters": {i: _inverter(one) for i, one in self.inverters.items()},
            "storages": {i: _storage(one) for i, one in self.storages.items()},
            "chargers": {i: _charger(one) for i, one in self.chargers.items()},
            "loads": {
                i: {"power_kw": round(one.power_kw, 3), "on": one.on, "tripped": one.tripped}
                for i, one in self.loads.items()
            },
        }


def _watches(config: MicrogridConfig) -> list[LimitWatch]:
    return [
        LimitWatch("import_kw", config.grid.import_max_kw, _POWER_TOLERANCE_KW),
        LimitWatch("export_kw", config.grid.export_max_kw, _POWER_TOLERANCE_KW),
        LimitWatch("bus_dead", 0.0, 0.0),
        LimitWatch("frequency_hz", 1.0, 0.0),
    ]


def _moved(at: datetime, day: str | None, hour: float | None) -> datetime:
    """The start, moved to a wished day and local hour."""
    local = at.astimezone(LOCAL_TIME)
    if day is not None:
        wished = datetime.fromisoformat(day)
        local = local.replace(year=wished.year, month=wished.month, day=wished.day)
    if hour is not None:
        local = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(hours=hour)
    return local


def _inverter(one: Inverter) -> dict[str, Any]:
    return {
        "power_kw": round(one.power_kw, 3),
        "available_kw": round(one.available_kw, 3),
        "limit_frac": one.limit_frac,
        "cabinet_c": round(one.cabinet_c, 2),
        "tripped": one.tripped,
        "strings": {s.id: round(s.power_kw, 3) for s in one.strings},
    }


def _storage(one: Storage) -> dict[str, Any]:
    return {
        "power_kw": round(one.power_kw, 3),
        "wanted_kw": round(one.wanted_kw, 3),
        "soc_frac": round(one.soc_frac, 5),
        "soh_frac": round(one.soh_frac, 6),
        "temperature_c": round(one.temperature_c, 2),
        "charge_max_kw": round(one.charge_max_kw, 2),
        "discharge_max_kw": round(one.discharge_max_kw, 2),
        "tripped": one.tripped,
    }


def _charger(one: Charger) -> dict[str, Any]:
    session = one.session
    return {
        "power_kw": round(one.power_kw, 3),
        "limit_kw": one.limit_kw,
        "energy_kwh": round(one.energy_kwh, 4),
        "vehicle": session.vehicle.id if session else None,
        "soc_frac": round(session.vehicle.soc_frac, 4) if session else None,
        "needed_kwh": round(session.vehicle.needed_kwh, 3) if session else None,
        "tripped": one.tripped,
    }
