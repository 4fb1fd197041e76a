"""A whole microgrid for the cycle's tests: devices of ten lines on a plant that balances, on a clock that is moved."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud_sync.contract.v1 import KeyPair
from control.domain.energy import LoadTier, Point, Quality
from control.domain.errors import DeviceError
from control.energy.dispatch_types import Commands, Dispatch
from control.energy.settings import EnergySettings
from control.energy.site import ChargerSpec, GridSpec, LoadSpec, PvSpec, SiteSpec, StorageSpec, StringSpec
from edge.adapters.sqlite_journal import SqliteJournal
from edge.changes import Changes
from edge.energy.acting import Actor
from edge.energy.alarms import AlarmDesk
from edge.energy.cycle import CycleParts, EnergyCycle
from edge.energy.field import Devices, Field
from edge.energy.ports import (
    BreakerReading,
    ChargerReading,
    ChargerStatus,
    DeviceState,
    Identity,
    InverterReading,
    LoadReading,
    MeterReading,
    StorageReading,
    StringReading,
    WriteNotTaken,
    unknown,
)
from edge.energy.sessions import SessionBook
from edge.energy.settings_desk import SettingsDesk
from edge.energy.store import EnergyStore
from edge.energy.stuck import StuckWatch
from edge.energy.takeover import TakeoverDesk
from edge.energy.telemetry import Telemetry
from edge.journal import JournalError

GATEWAY = "gw-energy"
START = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SITE = SiteSpec(
    grid=GridSpec(import_max_kw=1000, export_max_kw=500),
    storages=(StorageSpec(id="b1", capacity_kwh=1000, charge_max_kw=400, discharge_max_kw=400, grid_forming=True),),
    pvs=(
        PvSpec(id="pv1", rated_ac_kw=500, strings=(StringSpec(id="s1", rated_dc_kw=300),)),
        PvSpec(id="pv2", rated_ac_kw=500),
    ),
    chargers=(ChargerSpec(id="cp1", max_kw=60),),
    loads=(
        LoadSpec(id="hall", tier=LoadTier.ESSENTIAL, rated_kw=400),
        LoadSpec(id="pumps", tier=LoadTier.DEFERRABLE, sheddable=True, rated_kw=100),
    ),
)


def good(value: float | None, unit: str = "kW") -> Point:
    return unknown(unit) if value is None else Point(value, unit, 0.0, Quality.GOOD)


class WallClock:
    """Wall and monotonic time that move together, until the wall clock leaps."""

    def __init__(self) -> None:
        self.elapsed_s, self.leap_s = 100.0, 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.elapsed_s + self.leap_s)

    def monotonic(self) -> float:
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"asked to sleep {seconds} s: the test drives every turn")


@dataclass
class Plant:
    """What is physically so; the meter has what is left over. `trembles` gives every measurement its noise."""

    sun_kw: float = 0.0
    hall_kw: float = 300.0
    pumps_kw: float = 80.0
    grid_live: bool = True
    closed: bool = True
    bus_live: bool = True
    starts: int = 0
    soc: float = 0.5
    battery_kw: float = 0.0
    limits: dict[str, float | None] = field(default_factory=dict)
    pumps_on: bool = True
    ev_kw: float = 0.0
    plugged: bool = False
    session: str = ""
    silent: set[str] = field(default_factory=set)
    deaf: set[str] = field(default_factory=set)
    frozen: dict[str, float] = field(default_factory=dict)
    moves: list[bool] = field(default_factory=list)
    writes: list[tuple[str, float | None]] = field(default_factory=list)
    beats: int = 0
    trembling: bool = True
    _noise: Any = field(default_factory=lambda: itertools.cycle((0.0, 0.011, -0.007, 0.003, -0.004)))

    def noise(self) -> float:
        return next(self._noise) if self.trembling else 0.0

    def pv_kw(self, id_: str) -> float:
        limit = self.limits.get(id_)
        return min(self.sun_kw, 500.0 if limit is None else limit)

    def grid_kw(self) -> float:
        if not self.closed or not self.grid_live:
            return 0.0
        load = self.hall_kw + (self.pumps_kw if self.pumps_on else 0.0) + self.ev_kw
        return load - self.pv_kw("pv1") - self.pv_kw("pv2") - self.battery_kw

    def step(self, dt_s: float) -> None:
        self.soc -= self.battery_kw * dt_s / 3600 / 1000

    def ask(self, id_: str) -> None:
        if id_ in self.silent:
            raise DeviceError(f"{id_}: no answer")

    def write(self, id_: str, value: float | None) -> None:
        self.ask(id_)
        self.writes.append((id_, value))
        if id_ in self.deaf:
            raise WriteNotTaken(id_, "set-point", wanted=value or 0.0, found=0.0)


class Device:
    """One device of the plant by its id."""

    def __init__(self, plant: Plant, id_: str) -> None:
        self.plant, self.id = plant, id_

    async def aclose(self) -> None: ...

    async def beat(self) -> None:
        self.plant.ask(self.id)
        self.plant.beats += 1


class PlantMeter(Device):
    async def read(self) -> MeterReading:
        self.plant.ask(self.id)
        noise = self.plant.noise()
        kw = self.plant.frozen.get(self.id, self.plant.grid_kw() + noise)
        volt = 230.0 if self.id in self.plant.frozen else 230.0 + noise
        rest = {name: unknown("") for name in ("current_a", "power_factor", "imported_kwh", "exported_kwh")}
        return MeterReading(
            power_kw=good(kw), frequency_hz=good(50.0, "Hz"), voltage_v=good(volt, "V"), identity=Identity(), **rest
        )


class PlantInverter(Device):
    async def read(self) -> InverterReading:
        self.plant.ask(self.id)
        limit, noise = self.plant.limits.get(self.id), self.plant.noise()
        string = StringReading(
            number=1,
            label="A",
            power_kw=good(self.plant.pv_kw(self.id)),
            voltage_v=good(700, "V"),
            current_a=good(1, "A"),
            energy_kwh=unknown("kWh"),
        )
        return InverterReading(
            power_kw=good(self.plant.pv_kw(self.id)),
            dc_kw=good(self.plant.pv_kw(self.id) * 1.02 + noise),
            energy_kwh=unknown("kWh"),
            frequency_hz=good(50.0 if self.plant.bus_live else None, "Hz"),
            voltage_v=good(230.0 + noise, "V"),
            temperature_c=good(40, "°C"),
            rated_kw=good(500),
            limit_kw=good(500.0 if limit is None else limit),
            state=DeviceState.RUNNING,
            alarms=(),
            strings=(string,),
            identity=Identity(),
        )

    async def limit(self, kw: float | None) -> None:
        self.plant.write(self.id, kw)
        self.plant.limits[self.id] = kw


class PlantStorage(Device):
    async def read(self) -> StorageReading:
        self.plant.ask(self.id)
        noise = self.plant.noise()
        names = ("soh_frac", "charged_kwh", "discharged_kwh", "temperature_c")
        return StorageReading(
            power_kw=good(self.plant.battery_kw),
            soc_frac=good(self.plant.soc, ""),
            capacity_kwh=good(1000, "kWh"),
            charge_max_kw=good(400),
            discharge_max_kw=good(400),
            setpoint_kw=good(self.plant.battery_kw),
            frequency_hz=good(50.0 if self.plant.bus_live else None, "Hz"),
            voltage_v=good(230.0 + noise, "V"),
            state=DeviceState.RUNNING if self.plant.bus_live else DeviceState.STANDBY,
            alarms=(),
            remote=True,
            grid_forming=True,
            identity=Identity(),
            **{name: unknown("") for name in names},
        )

    async def start(self) -> None:
        self.plant.ask(self.id)
        self.plant.starts += 1

    async def set_power(self, kw: float) -> None:
        self.plant.write(self.id, kw)
        self.plant.battery_kw = kw


class PlantBreaker(Device):
    async def read(self) -> BreakerReading:
        self.plant.ask(self.id)
        plant = self.plant
        hz = good(50.0 if plant.grid_live else 0.0, "Hz")
        return BreakerReading(
            closed=plant.closed,
            tripped=False,
            grid_live=plant.grid_live,
            in_synchronism=plant.grid_live,
            grid_hz=hz,
            bus_hz=good(50.0 if plant.bus_live else 0.0, "Hz"),
            operations=len(plant.moves),
        )

    async def close(self) -> None:
        self._move(True)

    async def open(self) -> None:
        self._move(False)

    def _move(self, closed: bool) -> None:
        self.plant.write(self.id, float(closed))
        self.plant.moves.append(closed)
        self.plant.closed = closed


class PlantChargers:
    def __init__(self, plant: Plant) -> None:
        self.plant = plant

    async def run(self) -> None: ...

    def read(self) -> Mapping[str, ChargerReading]:
        plant = self.plant
        reading = ChargerReading(
            id="cp1",
            online="cp1" not in plant.silent,
            status=ChargerStatus.CHARGING if plant.plugged else ChargerStatus.AVAILABLE,
            plugged=plant.plugged,
            power_kw=good(plant.ev_kw),
            energy_kwh=good(5.0, "kWh"),
            soc_frac=unknown(""),
            limit_kw=unknown("kW"),
            needed_kwh=unknown("kWh"),
            depart_at=None,
            feeds_back_kw=0.0,
            session_id=plant.session,
        )
        return {"cp1": reading}

    async def limit(self, charger_id: str, kw: float) -> None:
        self.plant.write(charger_id, kw)


class PlantLoads:
    def __init__(self, plant: Plant) -> None:
        self.plant = plant

    async def run(self) -> None: ...

    def read(self) -> Mapping[str, LoadReading]:
        plant = self.plant
        pumps_kw = plant.pumps_kw if plant.pumps_on else 0.0
        return {
            "hall": LoadReading(id="hall", power_kw=good(plant.hall_kw), rated_kw=good(400), on=True),
            "pumps": LoadReading(id="pumps", power_kw=good(pumps_kw), rated_kw=good(100), on=plant.pumps_on),
        }

    async def switch(self, load_id: str, on: bool, until_s: float) -> None:
        self.plant.write(load_id, float(on))
        if load_id == "pumps":
            self.plant.pumps_on = on


def devices_of(plant: Plant) -> Devices:
    return Devices(
        meter=PlantMeter(plant, "meter"),
        breaker=PlantBreaker(plant, "breaker"),
        inverters={"pv1": PlantInverter(plant, "pv1"), "pv2": PlantInverter(plant, "pv2")},
        storages={"b1": PlantStorage(plant, "b1")},
        chargers=PlantChargers(plant),
        loads=PlantLoads(plant),
    )


class NoPlanning:
    """A planner that has not planned yet."""

    curves: Mapping[str, Any] = {}
    late_s: float | None = None

    def see(self, *_: object) -> None: ...

    def inform(self, _: object) -> None: ...


class NoDiagnosis:
    rows: Mapping[str, Any] = {}
    conditions: tuple[Any, ...] = ()

    def see(self, *_: object) -> None: ...


class BrokenJournal:
    """The journal, which refuses what `refuses` says."""

    def __init__(self, journal: SqliteJournal) -> None:
        self._journal, self.refuses = journal, False

    async def append(self, event: object) -> Any:
        return (await self.append_many((event,)))[0]

    async def append_many(self, events: Any) -> Any:
        if self.refuses:
            raise JournalError("the disk is full")
        return await self._journal.append_many(events)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._journal, name)


def all_quiet(now: Any, state: Any, **_: Any) -> Dispatch:
    """A fast loop that leaves everything as it is."""
    commands = Commands(storage_kw={}, pv_limit_kw={}, ev_limit_kw={}, load_on={})
    return Dispatch(commands=commands, state=replace(state, last_s=now.now_s), binding="none")


@dataclass
class Bench:
    """One run of a gateway's microgrid."""

    plant: Plant
    clock: WallClock
    journal: BrokenJournal
    store: EnergyStore
    cycle: EnergyCycle
    telemetry: Telemetry
    settings: SettingsDesk
    takeover: TakeoverDesk
    key: KeyPair
    folder: Path

    async def run(self, seconds: int = 1) -> None:
        for _ in range(seconds):
            self.clock.elapsed_s += 1.0
            self.plant.step(1.0)
            await self.cycle.turn()
            await self.telemetry.settle()

    async def told(self, *kinds: str) -> list[dict[str, Any]]:
        rows = await self.journal.recent(kinds, 5000)
        return [row.body | {"kind": row.kind} for row in reversed(rows)]


@asynccontextmanager
async def benched(
    folder: Path,
    plant: Plant,
    clock: WallClock,
    decide: Callable[..., Dispatch],
    key: KeyPair,
    stuck_after_s: float = 0,
) -> AsyncIterator[Bench]:
    opened = SqliteJournal.open(folder / "journal.db", gateway_id=GATEWAY, boot_id="boot", clock=clock)
    async with opened as real, EnergyStore.open(folder / "energy.db") as store:
        journal = BrokenJournal(real)
        settings = SettingsDesk(
            folder=folder, key=key.public, gateway=GATEWAY, journal=journal, clock=clock, first=EnergySettings()
        )
        takeover = TakeoverDesk(folder=folder, key=key.public, journal=journal, clock=clock)
        ids = itertools.count(1)
        alarms = AlarmDesk(clock, lambda: f"alarm-{next(ids)}-{clock.elapsed_s:g}")
        sessions = SessionBook(clock)
        telemetry = Telemetry(store, journal, clock, {})
        await settings.load()
        await takeover.load()
        await alarms.load(journal, frozenset({"meter", "breaker", "b1", "pv1", "pv2", "cp1", "hall", "pumps"}))
        await sessions.load(journal)
        await telemetry.load()
        devices = devices_of(plant)
        parts = CycleParts(
            site=SITE,
            field=Field(devices, clock, timeout_s=0.5),
            actor=Actor(devices, 0.5),
            decide=decide,
            settings=settings,
            wishes=takeover,
            planning=NoPlanning(),
            diagnosis=NoDiagnosis(),
            recorder=telemetry,
            alarms=alarms,
            sessions=sessions,
            stuck=StuckWatch(stuck_after_s),
            journal=journal,
            clock=clock,
            changes=Changes(),
        )
        cycle = EnergyCycle(parts)
        yield Bench(plant, clock, journal, store, cycle, telemetry, settings, takeover, key, folder)
        await cycle.aclose()


@pytest.fixture
def key() -> KeyPair:
    return KeyPair.generate()


@pytest.fixture
def open_bench(tmp_path: Path, key: KeyPair) -> Callable[..., Any]:
    """`open_bench(decide=..., plant=..., clock=...)` is one run; the same folder again is a restart."""
    clock = WallClock()

    def opened(*, decide: Callable[..., Dispatch] = all_quiet, plant: Plant | None = None, stuck_after_s: float = 0):
        return benched(tmp_path, plant or Plant(), clock, decide, key, stuck_after_s)

    return opened
