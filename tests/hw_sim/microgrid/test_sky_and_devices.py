"""Sun, clouds, strings, storage and loads one by one."""

from __future__ import annotations

import dataclasses
import math
from datetime import UTC, datetime

import numpy as np
import pytest

from hw_sim.microgrid.config import Sky, StorageConfig, WeatherConfig
from hw_sim.microgrid.storage import Storage
from hw_sim.microgrid.sun import irradiance, sun_position
from hw_sim.microgrid.weather import Weather
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
    assert first.power_kw == pytest.approx(0.5 * healthy, rel=0.02)
    first.faults.shading_frac, first.faults.frozen = 0.0, True
    shown = first.shown_kw
    second.faults.outage = True
    world.step(600.0)
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
