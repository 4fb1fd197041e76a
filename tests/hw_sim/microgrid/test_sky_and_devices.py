"""Sun, clouds, strings, storage and loads one by one."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from hw_sim.energy_files import EXAMPLE
from hw_sim.microgrid.config import Sky, StorageConfig, WeatherConfig, load
from hw_sim.microgrid.pv import EFFICIENCY, OWN_USE_FRAC
from hw_sim.microgrid.storage import Storage
from hw_sim.microgrid.sun import irradiance, sun_position
from hw_sim.microgrid.weather import LOCAL_TIME, Weather
from hw_sim.microgrid.world import World

BOAO = {"latitude_deg": 19.14, "longitude_deg": 110.58}
AIR_C = 25.0


@pytest.mark.parametrize(
    ("day", "elevation_deg"),
    # At true noon the sun stands at 90 degrees less the distance of latitude and declination.
    [((2026, 3, 20), 70.7), ((2026, 6, 21), 85.7), ((2026, 12, 21), 47.4)],
)
def test_noon_sun_stands_where_geometry_puts_it(day: tuple[int, int, int], elevation_deg: float):
    heights = [
        sun_position(datetime(*day, hour, minute, tzinfo=UTC), **BOAO).elevation
        for hour in (4, 5)
        for minute in range(60)
    ]
    assert math.degrees(max(heights)) == pytest.approx(elevation_deg, abs=0.6)


def test_morning_sun_is_in_the_east_and_night_gives_nothing():
    morning = sun_position(datetime(2026, 3, 20, 0, 30, tzinfo=UTC), **BOAO)
    assert 60 < math.degrees(morning.azimuth) < 120
    night = sun_position(datetime(2026, 3, 20, 16, 0, tzinfo=UTC), **BOAO)
    flat = np.zeros(1)
    assert irradiance(night, tilt=flat, azimuth=flat, shade=flat).total[0] == 0
    east, west = np.radians([90.0, 270.0])
    light = irradiance(morning, tilt=np.full(2, 0.5), azimuth=np.array([east, west]), shade=np.zeros(2)).total
    assert light[0] > 2 * light[1]


def test_clear_noon_is_about_a_thousand_watts_and_a_cloud_takes_most():
    noon = sun_position(datetime(2026, 4, 20, 4, 40, tzinfo=UTC), **BOAO)
    flat = np.zeros(2)
    clear, clouded = irradiance(noon, tilt=flat, azimuth=flat, shade=np.array([0.0, 0.85])).total
    assert 900 < clear < 1100
    assert 0.1 < clouded / clear < 0.4


def test_a_cloud_reaches_one_inverter_after_another(make_world):
    world: World = make_world(hour=12.0)
    world.weather.ask_for_cloud(world.at, takes_frac=0.85, seconds=30.0)
    near, far = world.inverters["pv-1"], world.inverters["pv-2"]
    clear_kw = (near.available_kw, far.available_kw)
    world.step(10.0)
    assert near.available_kw < 0.5 * clear_kw[0]
    assert far.available_kw > 0.9 * clear_kw[1]
    world.step(100.0)
    assert near.available_kw > 0.9 * clear_kw[0]
    assert far.available_kw < 0.5 * clear_kw[1]


@pytest.mark.parametrize(("sky", "least", "most"), [("clear", 0.0, 0.1), ("broken", 0.3, 0.7), ("overcast", 0.7, 0.9)])
def test_kinds_of_sky_take_what_they_say(sky: str, least: float, most: float):
    weather = Weather(WeatherConfig(sky=Sky(sky)), seed=3)
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(0, 60_000, 60), np.linspace(0, 60_000, 60)))
    shade = weather.shade(datetime(2026, 3, 20, 4, tzinfo=UTC), x, y)
    assert least <= shade.mean() <= most
    assert 0 <= shade.min() <= shade.max() <= 1


def test_string_faults_tell_themselves_apart(make_world):
    world: World = make_world(hour=15.5)
    inverter = world.inverters["pv-1"]
    first, second = inverter.strings
    world.step(2.0)
    healthy = first.power_kw
    first.faults.soiling_frac = 0.2
    world.step(2.0)
    assert first.power_kw == pytest.approx(0.8 * healthy, rel=0.02)
    first.faults.soiling_frac, first.faults.shading_frac = 0.0, 0.5
    world.step(2.0)
    assert 0.5 * healthy < first.power_kw < 0.6 * healthy, "half of the beam, and all that the sky scatters"
    first.faults.shading_frac, first.faults.frozen = 0.0, True
    shown = first.shown_kw
    second.faults.outage = True
    world.skip(600.0)
    assert first.shown_kw == shown != first.power_kw
    assert (second.power_kw, second.voltage_v) == (0.0, 0.0)
    second.faults.outage = False
    inverter.derating_frac = 0.9
    world.step(5.0)
    assert inverter.power_kw == pytest.approx(35.0, abs=0.5)


def test_shading_is_no_fault_of_the_morning(make_world):
    world: World = make_world(hour=9.0)
    string = world.inverters["pv-1"].strings[0]
    before = string.power_kw
    string.faults.shading_frac = 0.5
    world.step(2.0)
    assert string.power_kw == pytest.approx(before, rel=0.02)


def test_an_inverter_takes_from_its_strings_what_it_gives_and_loses(make_world):
    world: World = make_world(hour=12.0)
    inverter = world.inverters["pv-1"]
    for ordered, oversized in ((None, 0.0), (0.3, 0.0), (None, 0.6)):
        inverter.limit_frac, inverter.oversized_frac = ordered, oversized
        world.step(10.0)
        drawn_kw = sum(string.power_kw for string in inverter.strings)
        assert inverter.power_kw + OWN_USE_FRAC * inverter.rated_kw == pytest.approx(EFFICIENCY * drawn_kw)
        assert all(string.power_kw <= string.available_kw + 1e-9 for string in inverter.strings)
    assert inverter.power_kw == pytest.approx(inverter.rated_kw), "the last one clips"
    assert sum(s.available_kw for s in inverter.strings) > 1.2 * drawn_kw


def test_a_year_brings_what_the_island_is_known_for():
    """875 kWh for each kW of the 5.1 MW on the island, 1,250 to 1,611 kWh/m2 on level ground, 50 MWh of load a day."""
    config = load(EXAMPLE)
    world = World(config, started_at=datetime(2026, 1, 1, tzinfo=LOCAL_TIME))
    level, step_h, every_days = np.zeros(1), 1.5, 3
    pv_kwh = light_kwh_per_m2 = load_kwh = 0.0
    days = range(0, 365, every_days)
    for hour in (24.0 * day + step_h * step for day in days for step in range(round(24 / step_h))):
        at = world.started_at + timedelta(hours=hour)
        air_c, sun = world.weather.temperature_c(at), sun_position(at, **BOAO)
        world.pv_field.shine(at, sun, world.weather, air_c)
        pv_kwh += step_h * sum(one.available_kw for one in world.inverters.values())
        load_kwh += step_h * sum(one.demand_kw(at, 3600.0 * hour, air_c) for one in world.loads.values())
        if sun.up:
            light = irradiance(sun, tilt=level, azimuth=level, shade=world.weather.shade(at, level, level))
            light_kwh_per_m2 += step_h * light.total[0] / 1000.0
    year = 365 / len(days)
    assert pv_kwh * year / sum(one.rated_ac_kw for one in config.inverter) == pytest.approx(875.0, rel=0.08)
    assert 1250 <= light_kwh_per_m2 * year <= 1611
    assert load_kwh / len(days) == pytest.approx(50_000.0, rel=0.08)


def storage(**changes: float) -> Storage:
    config = StorageConfig(
        id="b",
        capacity_kwh=1000.0,
        charge_max_kw=500.0,
        discharge_max_kw=500.0,
        soh_frac=1.0,
        self_discharge_frac_per_h=0.0,
        efficiency_charge=0.9,
        efficiency_discharge=0.8,
    )
    return Storage(dataclasses.replace(config, **changes))


def test_storage_loses_what_its_efficiencies_say():
    one = storage()
    one.give(-100.0, 3600.0, AIR_C)
    assert one.energy_kwh == pytest.approx(500.0 + 90.0)
    one.give(80.0, 3600.0, AIR_C)
    assert one.energy_kwh == pytest.approx(590.0 - 100.0)
    assert one.lost_kwh == pytest.approx(10.0 + 20.0)


def test_storage_leaks_ages_and_stops_at_its_limits():
    leaking = storage(self_discharge_frac_per_h=0.01)
    leaking.give(0.0, 3600.0, AIR_C)
    assert leaking.energy_kwh == pytest.approx(495.0)
    worn = storage()
    for _ in range(100):
        worn.give(-400.0, 3600.0, AIR_C)
        worn.give(400.0, 3600.0, AIR_C)
    assert 0.99 < worn.soh_frac < 1.0
    full, empty = storage(soc_frac=0.98), storage(soc_frac=0.05)
    assert (full.charge_max_kw, empty.discharge_max_kw) == (0.0, 0.0)
    assert full.within(-400.0) == 0.0
    assert storage(soc_frac=0.97).charge_max_kw == pytest.approx(250.0)


def test_heat_takes_power_away_and_comes_from_power():
    one = storage()
    assert one.derating == 1.0
    one.temperature_c = 48.5
    assert one.discharge_max_kw == pytest.approx(250.0)
    one.temperature_c = 60.0
    assert one.discharge_max_kw == 0.0
    cool = storage()
    for _ in range(600):
        cool.give(500.0 if _ % 2 else -500.0, 60.0, 30.0)
    assert cool.temperature_c > 50.0


def test_a_load_turns_on_again_when_nobody_repeats_the_order(make_world):
    world: World = make_world()
    pumps = world.loads["pumps"]
    pumps.order(on=False, command_id="c-1", until_s=world.device_s + 10.0)
    world.step(5.0)
    assert pumps.power_kw == 0
    pumps.order(on=False, command_id="c-2", until_s=world.device_s + 10.0)
    world.step(8.0)
    assert pumps.power_kw == 0
    assert world.energies.shed_kwh > 0
    world.step(4.0)
    assert pumps.on
    assert pumps.power_kw > 0
