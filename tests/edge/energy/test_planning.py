"""Planning as the gateway runs it: when a plan is made, from what past, and what holds when none comes."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from control.domain.energy import PlanRung
from control.energy.plan import Band, Plan, ValueCurve
from control.energy.settings import DayAhead, EnergySettings, Prices
from edge.energy.history import SLOT_S, History
from edge.energy.outlook import LiveForecast
from edge.energy.plan_events import planned_event
from edge.energy.plan_grounds import essential_frac, price_at
from edge.energy.planning import PlanningDesk, PlanningParts
from edge.energy.settings_desk import Version
from edge.energy.sky import SkyTable, compute


class Planner:
    """Remembers what it was asked, and gives a flat plan."""

    def __init__(self) -> None:
        self.asked: list = []
        self.fails = False

    def __call__(self, given, previous) -> Plan:
        self.asked.append(given)
        if self.fails:
            raise FloatingPointError("a bug of ours")
        slots = len(given.import_per_kwh)
        flat = np.zeros(slots)
        return Plan(
            made_at=given.made_at,
            starts_at=given.starts_at,
            slot_s=given.slot_s,
            rung=PlanRung.EXACT,
            settings_version=given.settings_version,
            pv_kw=given.pv,
            load_kw=given.load,
            storage_kw=flat,
            grid_kw=flat,
            ev_kw=flat,
            soc_frac=flat,
            import_per_kwh=given.import_per_kwh,
            export_per_kwh=given.export_per_kwh,
            carbon_per_kwh=given.carbon_per_kwh,
            curves={"b1": ValueCurve(np.array([0.0, 1000.0]), np.array([0.5]))},
        )


@pytest.fixture
async def planned(open_bench):
    """A bench with a planning desk, and the planner behind it."""
    with ThreadPoolExecutor(1) as thread:
        async with open_bench() as bench:
            planner = Planner()
            site, history = bench.cycle.parts.site, History(bench.store, "Asia/Shanghai")
            desk = PlanningDesk(
                PlanningParts(
                    site=site,
                    settings=bench.settings,
                    history=history,
                    forecast=LiveForecast(site, SkyTable(site, bench.store, history, bench.clock)),
                    make_plan=planner,
                    journal=bench.journal,
                    clock=bench.clock,
                    thread=thread,
                )
            )
            bench.cycle.parts = replace(bench.cycle.parts, planning=desk)
            yield bench, desk, planner


async def go(bench, desk, seconds: int) -> list[float]:
    """Run, planning as the service would; when plans were made."""
    made = []
    for _ in range(seconds):
        await bench.run(1)
        if desk.due():
            await desk.make()
            made.append(bench.clock.elapsed_s)
    return made


async def test_a_plan_is_made_at_the_start_by_the_period_and_after_what_changes_its_grounds(planned) -> None:
    bench, desk, planner = planned
    assert await go(bench, desk, 3) == [101.0]
    assert set(desk.curves) == {"b1"}
    assert await go(bench, desk, 125) == [221.0]
    bench.plant.plugged, bench.plant.session = True, "tx"
    assert len(await go(bench, desk, 10)) == 1
    for listener in bench.settings._listeners:
        listener(Version(1, EnergySettings(plan_period_s=60)))
    assert len(await go(bench, desk, 10)) == 1
    assert planner.asked[-1].settings_version == 0


async def test_a_forecast_far_off_for_a_minute_is_a_reason_and_a_gust_is_not(planned) -> None:
    bench, desk, _ = planned
    await go(bench, desk, 5)
    bench.plant.hall_kw = 500.0
    assert await go(bench, desk, 30) == []
    bench.plant.hall_kw = 300.0
    assert await go(bench, desk, 30) == []
    bench.plant.hall_kw = 500.0
    assert len(await go(bench, desk, 70)) == 1


async def test_a_plan_that_fails_leaves_the_one_before_and_is_an_alarm_when_late(planned) -> None:
    bench, desk, planner = planned
    await go(bench, desk, 2)
    held = desk.plan
    planner.fails = True
    for _ in range(3):
        bench.clock.elapsed_s += 119
        await bench.run(1)
        with pytest.raises(FloatingPointError):
            await desk.make()
    assert desk.plan is held
    assert desk.failed == 3
    assert desk.late_s == pytest.approx(121, abs=3)
    await bench.run(5)
    assert [row["code"] for row in await bench.told("energy_alarm_raised")] == ["plan_late"]
    planner.fails = False
    await desk.make()
    await bench.run(15)
    assert len(await bench.told("energy_alarm_cleared")) == 1


async def test_plans_are_told_every_five_minutes_and_at_once_when_their_ground_changed(planned) -> None:
    bench, desk, _ = planned
    await go(bench, desk, 2)
    for _ in range(2):
        bench.clock.elapsed_s += 100
        await go(bench, desk, 1)
        await desk.make()
    assert len(await bench.told("energy_planned")) == 1
    bench.settings.current = Version(4, EnergySettings())
    await desk.make()
    told = await bench.told("energy_planned")
    assert [row["settings_version"] for row in told] == [0, 4]
    assert len(told[0]["series"]["pv_mid"]) == 144
    assert told[0]["ride_through_h"] == pytest.approx(380 / 300, abs=0.01)


async def test_the_past_survives_a_restart_and_what_is_missing_is_nan(open_bench) -> None:
    async with open_bench() as bench:
        bench.plant.sun_kw = 100.0
        await bench.run(3 * SLOT_S // 2)
    bench.clock.elapsed_s += 2 * SLOT_S
    async with open_bench() as again:
        await again.run(SLOT_S)
        history = History(again.store, "Asia/Shanghai")
        await history.refresh(now=again.clock.now())
        past = history.past(now=again.clock.now())
        peak_kw = history.peak_kw(now=again.clock.now())
    assert len(past.load_kw) == 4
    assert past.load_kw[0] == pytest.approx(380, abs=0.1)
    assert past.pv_kw[0] == pytest.approx(200, abs=0.1)
    assert math.isnan(past.load_kw[2])
    assert peak_kw == pytest.approx(180, abs=1)


async def test_the_clear_sky_is_kept_for_the_plant_it_was_computed_for(open_bench) -> None:
    async with open_bench() as bench:
        site, history = bench.cycle.parts.site, History(bench.store, "Asia/Shanghai")
        sky = SkyTable(site, bench.store, history, bench.clock)
        assert sky.over(bench.clock.now(), 10) is None
        [first, *_] = missing = sky._missing()
        assert len(missing) == 5
        words = {"site": sky._plant_words(), "days": missing[:1]}
        sky.days = compute(words)
        await bench.store.put_note("clear_sky", {"plant": sky._plant(), "days": sky.days})
        again = SkyTable(site, bench.store, history, bench.clock)
        await again.load()
        other = SkyTable(replace(site, pvs=site.pvs[:1]), bench.store, history, bench.clock)
        await other.load()
    midnight = datetime.fromisoformat(first + "T00:00:00+08:00").astimezone(UTC)
    day = again.over(midnight, 96)
    assert day[0] == 0.0
    assert 150 < day.max() < 300, "one string of 300 kW"
    assert 44 <= int(day.argmax()) <= 52
    assert list(again.over(midnight + timedelta(hours=12), 3)) == list(day[48:51])
    assert again.over(midnight, 97) is None
    assert other.days == {}


def test_prices_follow_the_local_hour(clock) -> None:
    start = clock.start.replace(hour=3, minute=0)
    assert price_at(EnergySettings(), start, "Asia/Shanghai") == Prices(1.05, 0.36, day_ahead=False)
    assert price_at(EnergySettings(), start.replace(hour=17), "Asia/Shanghai") == Prices(0.31, 0.28, day_ahead=False)


async def test_published_prices_go_into_the_plan_and_the_fast_loop_and_the_tariff_stands_in(planned) -> None:
    bench, desk, planner = planned
    await go(bench, desk, 2)
    assert planner.asked[-1].assumed == ()
    hours = tuple(0.01 * hour for hour in range(24))
    today = DayAhead(day=date(2026, 11, 21), import_per_kwh=hours, source="exchange")
    bench.settings.current = Version(1, EnergySettings(day_ahead=(today,)))
    await desk.make()
    await bench.run(1)
    given, picture = planner.asked[-1], bench.cycle.published.picture
    # It is noon on the island, and 12 h are left of the day.
    assert list(given.import_per_kwh[:48:4]) == [pytest.approx(0.01 * hour) for hour in range(12, 24)]
    assert given.import_per_kwh[48] == 0.31
    assert given.export_per_kwh[0] == 0.36
    assert given.assumed == ("price.tariff:2026-11-22",)
    assert (picture.import_price, picture.export_price) == (0.12, 0.36)


async def test_the_essential_part_follows_the_feeders(open_bench) -> None:
    async with open_bench() as bench:
        await bench.run(1)
        picture = bench.cycle.published.picture
    assert essential_frac(picture) == pytest.approx(300 / 380)
    assert essential_frac(replace(picture, loads=())) == 0.6


async def test_numbers_that_are_none_reach_no_journal(planned) -> None:
    bench, desk, _ = planned
    await go(bench, desk, 2)
    bad = np.full(144, math.nan)
    event = planned_event(replace(desk.plan, pv_kw=Band(bad, bad, bad)), None)
    assert event.series["pv_mid"] == [0.0] * 144
    await bench.journal.append(event)
