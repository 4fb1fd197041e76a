"""The PV plant's health as the gateway follows it: on a clock that is moved, with readings as the devices give them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from cloud_sync.server.console.energy_words import ALARM, SUGGESTION
from control.domain.energy import Point, Quality
from control.energy.dispatch_types import Commands
from control.energy.pv_types import SUGGESTIONS, PvFault
from control.energy.site import GridSpec, PvSpec, SiteSpec, StringSpec
from edge.adapters.sqlite_journal import SqliteJournal
from edge.energy.alarms import AlarmDesk
from edge.energy.field import FieldNow, Heard
from edge.energy.ports import (
    BreakerReading,
    DeviceState,
    Identity,
    InverterReading,
    MeterReading,
    StringReading,
    unknown,
)
from edge.energy.pv_watch import PvWatch

MORNING = datetime(2026, 3, 3, 0, 0, tzinfo=UTC)  # 8 o'clock in Hainan
STRINGS = tuple(StringSpec(id=name, rated_dc_kw=100.0) for name in ("east", "middle", "west"))
SITE = SiteSpec(
    grid=GridSpec(import_max_kw=1000, export_max_kw=500),
    pvs=tuple(PvSpec(id=id_, rated_ac_kw=300.0, strings=STRINGS) for id_ in ("pv1", "pv2")),
)
NO_COMMANDS = Commands(storage_kw={}, pv_limit_kw={}, ev_limit_kw={}, load_on={})


def good(value: float | None, unit: str = "kW") -> Point:
    return unknown(unit) if value is None else Point(value, unit, 0.0, Quality.GOOD)


@dataclass
class Clock:
    """Wall and monotonic time that move together."""

    elapsed_s: float = 0.0

    def now(self) -> datetime:
        return MORNING + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        return 5.0 + self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"asked to sleep {seconds} s")


@dataclass
class Plant:
    """Two inverters of three strings; every string gives `kw` but for its part. `limits` are what they hold."""

    kw: float = 60.0
    parts: dict[tuple[str, int], float] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    bus_hz: float | None = 50.0
    breaker: bool = True

    def inverter(self, id_: str) -> Heard[InverterReading]:
        if id_ in self.silent:
            return Heard(None, 5)
        dc_kw = [self.kw * self.parts.get((id_, n), 1.0) * (self.bus_hz != 0.0) for n in (1, 2, 3)]
        offered, limit = 0.97 * sum(dc_kw), self.limits.get(id_, 300.0)
        share = min(1.0, limit / offered) if offered else 0.0
        strings = tuple(
            StringReading(
                number=n,
                label=f"MPPT {n}",
                power_kw=good(kw * share),
                voltage_v=unknown("V"),
                current_a=unknown("A"),
                energy_kwh=unknown("kWh"),
            )
            for n, kw in enumerate(dc_kw, 1)
        )
        unknowns = ("dc_kw", "energy_kwh", "frequency_hz", "voltage_v", "temperature_c", "rated_kw")
        reading = InverterReading(
            power_kw=good(offered * share),
            limit_kw=good(limit),
            state=DeviceState.RUNNING,
            alarms=(),
            strings=strings,
            identity=Identity(),
            **{name: unknown("") for name in unknowns},
        )
        return Heard(reading, 0)

    def now(self, clock: Clock) -> FieldNow:
        bus = good(self.bus_hz, "Hz")
        breaker = BreakerReading(
            closed=True, tripped=False, grid_live=True, in_synchronism=True, grid_hz=bus, bus_hz=bus, operations=0
        )
        names = ("power_kw", "voltage_v", "current_a", "power_factor", "imported_kwh", "exported_kwh")
        meter = MeterReading(frequency_hz=bus, identity=Identity(), **{name: unknown("") for name in names})
        return FieldNow(
            at_s=clock.monotonic(),
            meter=Heard(meter, 0),
            breaker=Heard(breaker, 0) if self.breaker else None,
            inverters={id_: self.inverter(id_) for id_ in ("pv1", "pv2", "stranger")},
            storages={},
            chargers={},
            loads={},
        )


class Bench:
    """A watch on a plant; the clear sky is a table of nothing unless one is given."""

    def __init__(self, plant: Plant, clock: Clock | None = None, clear_kw: Mapping[str, float] | None = None) -> None:
        self.plant, self.clock = plant, clock or Clock()
        self.watch = PvWatch(SITE, SimpleNamespace(strings_at=lambda at: clear_kw or {}), self.clock)

    def run(self, minutes: float, *, commands: Commands = NO_COMMANDS, sun: Callable[[float], float] | None = None):
        """So many minutes in cycles of twenty seconds; power trembles, as it does under a sky."""
        for n in range(round(minutes * 3)):
            self.clock.elapsed_s += 20.0
            self.plant.kw = (sun(n / 3) if sun else 60.0) * (1.0 + 0.001 * (n % 7))
            self.watch.see(self.plant.now(self.clock), commands)
        return [(one.code, one.device) for one in self.watch.conditions]


def test_a_healthy_plant_has_rows_and_no_conditions() -> None:
    bench = Bench(Plant())
    assert bench.run(30) == []
    assert list(bench.watch.rows) == ["pv1", "pv2"]
    row = bench.watch.rows["pv1"]
    assert row["expected_kw"] == pytest.approx(0.97 * 180, rel=0.01)
    assert (row["lost_kwh"], row["diagnosis"]) == (0.0, "")
    assert list(row["strings"]) == ["east", "middle", "west"]
    assert row["strings"]["west"]["expected_kw"] == pytest.approx(60, rel=0.01)
    assert bench.watch.forecast_factor() == 1.0


def test_a_dead_string_is_found_told_with_its_cost_and_ends() -> None:
    bench = Bench(Plant(parts={("pv1", 2): 0.0}))
    assert bench.run(14) == []
    assert bench.run(47) == [("pv_outage", "pv1/middle")]
    [told] = bench.watch.conditions
    assert told.severity == "critical"
    assert told.suggestion == SUGGESTIONS[PvFault.OUTAGE]
    assert told.evidence["measured_kw"] == 0.0
    assert told.evidence["expected_kw"] == pytest.approx(60, rel=0.01)
    assert told.lost_kwh == pytest.approx(58, rel=0.02), "an hour of one string, at the bus"
    row = bench.watch.rows["pv1"]
    string = row["strings"]["middle"]
    assert string["diagnosis"] == "pv_outage"
    assert string["lost_kwh"] == row["lost_kwh"] == told.lost_kwh
    assert string["expected_kw"] == pytest.approx(60, rel=0.01)
    assert row["strings"]["east"] == {"lost_kwh": 0.0, "diagnosis": "", "expected_kw": pytest.approx(60, rel=0.01)}
    assert bench.watch.forecast_factor() == pytest.approx(5 / 6)
    bench.plant.parts.clear()
    assert bench.run(14) == [("pv_outage", "pv1/middle")]
    assert bench.run(3) == []
    assert bench.watch.forecast_factor() == 1.0


def test_a_dead_inverter_takes_its_part_of_the_forecast_until_the_past_knows_it() -> None:
    bench = Bench(Plant(parts={("pv1", n): 0.0 for n in (1, 2, 3)}))
    assert bench.run(20) == [("pv_outage", "pv1")]
    assert bench.watch.rows["pv1"]["diagnosis"] == "pv_outage"
    assert bench.watch.forecast_factor() == 0.5
    bench.clock.elapsed_s += 2.1 * 86_400
    assert bench.watch.forecast_factor() == 1.0


@pytest.mark.parametrize("who", ["we", "the inverter itself"])
def test_a_limit_is_no_fault_whoever_set_it(who: str) -> None:
    """After a silence an inverter goes back to a limit of its own, which nobody commanded."""
    plant = Plant(limits={"pv1": 0.0, "pv2": 80.0})
    commands = NO_COMMANDS
    if who == "we":
        commands = Commands(storage_kw={}, pv_limit_kw={"pv1": 0.0, "pv2": 80.0}, ev_limit_kw={}, load_on={})
    bench = Bench(plant, clear_kw={f"{pv.id}/{one.id}": 80.0 for pv in SITE.pvs for one in STRINGS})
    assert bench.run(120, commands=commands) == []


@pytest.mark.parametrize("breaker", [True, False])
def test_a_dead_bus_is_no_outage_of_inverters(breaker: bool) -> None:
    clear_kw = {f"{pv.id}/{one.id}": 80.0 for pv in SITE.pvs for one in STRINGS}
    bench = Bench(Plant(bus_hz=0.0, breaker=breaker), clear_kw=clear_kw)
    assert bench.run(120) == []
    bench.plant.bus_hz = None
    bench.plant.parts = {(id_, n): 0.0 for id_ in ("pv1", "pv2") for n in (1, 2, 3)}
    assert bench.run(120) == [("pv_outage", "pv1"), ("pv_outage", "pv2")], "of the bus nothing is known"


def test_a_silent_inverter_is_not_judged() -> None:
    bench = Bench(Plant(silent={"pv1"}))
    assert bench.run(60) == []
    assert bench.watch.rows["pv2"]["strings"]["east"] == {"lost_kwh": 0.0, "diagnosis": ""}, "two peers are too few"


def test_a_frozen_value_is_found_while_the_rest_moves() -> None:
    bench = Bench(Plant())
    seen: dict[str, Any] = {}

    def frozen(id_: str) -> Heard[InverterReading]:
        heard = Plant.inverter(bench.plant, id_)
        if id_ == "pv1":
            seen.setdefault("kw", heard.reading.power_kw)
            object.__setattr__(heard.reading, "power_kw", seen["kw"])
        return heard

    bench.plant.inverter = frozen
    assert bench.run(90, sun=lambda minutes: 40.0 + 0.4 * minutes) == [("pv_sensor_frozen", "pv1")]
    assert bench.watch.conditions[0].lost_kwh == 0.0
    assert bench.watch.rows["pv1"]["diagnosis"] == "pv_sensor_frozen"
    assert bench.watch.forecast_factor() == 1.0


def test_what_was_lost_is_told_by_the_day() -> None:
    bench = Bench(Plant(parts={("pv1", 2): 0.0}))
    bench.run(120)
    first = bench.watch.rows["pv1"]["lost_kwh"]
    assert first == pytest.approx(2 * 58, rel=0.02)
    bench.clock.elapsed_s += 86_400 - 7200
    bench.run(62)
    assert bench.watch.rows["pv1"]["lost_kwh"] == pytest.approx(58, rel=0.3), "of this day only"
    assert bench.watch.conditions[0].lost_kwh > first + 40


# ------------------------------------------------------------------------------------------------------ over a restart


async def tell(desk: AlarmDesk, journal: SqliteJournal, bench: Bench) -> list[tuple[str, str]]:
    """One cycle's alarms, as the gateway's cycle does it."""
    news = desk.see(list(bench.watch.conditions), {}, frozenset())
    await journal.append_many(tuple(news))
    desk.told()
    return [(event.code, event.device) for event in news]


async def test_an_alarm_is_told_once_stands_over_a_restart_and_is_cleared_once(tmp_path) -> None:
    clock, plant = Clock(), Plant(parts={("pv1", 2): 0.0})
    opened = SqliteJournal.open(tmp_path / "journal.db", gateway_id="gw", boot_id="boot", clock=clock)
    async with opened as journal:
        bench, desk, told = Bench(plant, clock), AlarmDesk(clock, lambda: "alarm-1"), []
        for _ in range(45):
            bench.run(1)
            told += await tell(desk, journal, bench)
        assert told == [("pv_outage", "pv1/middle")]

        # The gateway starts again in the evening; night falls before anything can be judged.
        again, later = AlarmDesk(clock, lambda: "alarm-2"), Bench(plant, clock)
        await again.load(journal, frozenset())
        later.watch.recall(again.open)
        assert later.watch.rows["pv1"]["strings"]["middle"]["diagnosis"] == "pv_outage"
        told = []
        for _ in range(30):
            later.run(1, sun=lambda minutes: 0.0)
            told += await tell(again, journal, later)
        assert told == []
        [open_alarm] = again.open
        assert open_alarm.alarm_id == "alarm-1"

        plant.parts.clear()
        for _ in range(30):
            later.run(1)
            told += await tell(again, journal, later)
        assert told == [("pv_outage", "pv1/middle")]
        rows = await journal.recent(("energy_alarm_raised", "energy_alarm_cleared"), 10)
        assert [row.kind for row in rows] == ["energy_alarm_cleared", "energy_alarm_raised"]
        assert rows[0].body["alarm_id"] == "alarm-1"
        assert later.watch.conditions == ()


async def test_alarms_of_others_and_of_devices_that_are_gone_are_not_recalled(tmp_path) -> None:
    bench = Bench(Plant())
    kept = [
        SimpleNamespace(
            condition=SimpleNamespace(
                code=code, device=device, severity="info", evidence={}, suggestion="", lost_kwh=None
            ),
            raised_at=MORNING,
        )
        for code, device in (("plan_late", "site"), ("pv_outage", "pv9"), ("pv_shading", "pv1/east"))
    ]
    bench.watch.recall(kept)
    assert [(one.code, one.device, one.lost_kwh) for one in bench.watch.conditions] == [("pv_shading", "pv1/east", 0.0)]


@pytest.mark.parametrize("fault", PvFault)
def test_the_console_has_words_for_every_finding(fault: PvFault) -> None:
    assert fault.value in ALARM
    assert fault.value in SUGGESTION or SUGGESTIONS[fault] in SUGGESTION
