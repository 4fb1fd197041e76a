"""The fast loop against devices, people and clocks that mean it ill: every second is judged by an independent plant."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import pytest

from control.domain.energy import GridMode
from control.energy import fast_kernel, site_tables
from control.energy.settings import EnergySettings
from tests.control.energy.attacks import FaultyPlant, Loop

FREE = EnergySettings()
ZERO = EnergySettings(export_max_kw=0.0)


@pytest.fixture(autouse=True, scope="module")
def _warm() -> None:
    fast_kernel.divide.warm()
    site_tables.value_at.warm()


def plant(sun: float, soc: float = 0.5, **faults: object) -> FaultyPlant:
    return FaultyPlant(sun_frac=sun, soc={"lfp": soc, "vrfb": soc}, **faults)  # type: ignore[arg-type]


def excess_s(loop: Loop, seconds: int, over_kw: float = 0.5) -> int:
    """Seconds over the export limit in so many seconds."""
    found = 0
    for _ in range(seconds):
        found += loop.plant.grid_kw < -loop.settings.export_max_kw - over_kw
        loop.second()
    return found


def test_cloud_edges_with_full_storages_and_nothing_to_be_fed_in() -> None:
    random, loop = Random(1), Loop(plant(0.3, 0.95), ZERO)
    loop.run(30)
    for _ in range(40):
        loop.plant.sun_frac = random.random()
        loop.plant.step(None)
        assert excess_s(loop, 15) <= 2
    assert not loop.judge.broken


@pytest.mark.parametrize("late_s", [1, 2, 3, 5])
def test_storages_that_obey_late_cost_that_long_and_do_not_make_the_site_swing(late_s: int) -> None:
    random, site = Random(7), plant(0.3, storage_late_s={"lfp": late_s, "vrfb": late_s})
    loop = Loop(site, ZERO)
    loop.run(40)
    for _ in range(12):
        site.sun_frac = random.random()
        site.step(None)
        excess = [site.grid_kw]
        for _ in range(40):
            loop.second()
            excess.append(site.grid_kw)
        # A long excess is one that inverters, which obey at once, could have ended.
        assert sum(kw < -200.0 for kw in excess) <= 2 * late_s + 3
    seen = []
    for _ in range(60):
        loop.second()
        seen.append(site.grid_kw)
    assert max(seen) - min(seen) <= 150.0
    assert not loop.judge.broken


@pytest.mark.parametrize("settings", [ZERO, FREE])
@pytest.mark.parametrize("late_s", [1, 2, 3])
def test_a_meter_that_is_behind_does_not_make_the_storages_swing(late_s: int, settings: EnergySettings) -> None:
    """Believed without care, a meter one second behind sends the storages from limit to limit for ever."""
    loop = Loop(plant(0.3, meter_late_s=late_s), settings)
    loop.run(40)
    loop.plant.sun_frac = 0.7
    loop.run(60)
    seen = []
    for _ in range(30):
        loop.second()
        seen.append(loop.plant.grid_kw)
    assert max(map(abs, seen)) <= 100.0
    assert not loop.judge.broken


@pytest.mark.parametrize("settings", [ZERO, FREE])
@pytest.mark.parametrize("sun", [0.2, 0.5, 0.9])
def test_a_frozen_meter_moves_nothing_and_is_found_out(sun: float, settings: EnergySettings) -> None:
    loop = Loop(plant(sun), settings)
    site = loop.plant
    loop.run(40)
    site.sun_frac = 0.1 + sun / 2
    site.step(None)
    site.meter_frozen = True
    for _ in range(60):
        loop.second()
        assert site.grid_kw >= -0.5
    site.load_frac["venue"] = 0.5
    loop.run(30)
    assert loop.state.mode is GridMode.HOLD or abs(site.grid_kw) < 400.0
    assert site.grid_kw >= -300.5  # what the venue draws less, and nothing of the storages
    site.meter_frozen = False
    loop.run(40)
    assert loop.state.mode is GridMode.GRID_TIED
    assert not loop.judge.broken


def test_a_meter_that_looks_every_third_second_is_no_frozen_one() -> None:
    random, site = Random(4), plant(0.5)
    loop = Loop(site, ZERO)
    for second in range(300):
        site.meter_frozen = second % 3 != 0
        if second % 40 == 0:
            site.sun_frac = random.random()
        loop.second()
        assert loop.state.mode is GridMode.GRID_TIED
        if second % 40 > 12 and second > 40:
            assert -site.grid_kw <= 50.0


@pytest.mark.parametrize("deaf", ["lfp", "vrfb"])
def test_of_two_storages_one_is_deaf(deaf: str) -> None:
    random, loop = Random(3), Loop(plant(0.5), ZERO)
    loop.run(30)
    loop.plant.deaf.add(deaf)
    for _ in range(25):
        loop.plant.sun_frac = random.random()
        loop.plant.step(None)
        assert excess_s(loop, 20) <= 3
    loop.plant.deaf.clear()
    loop.run(60)
    assert loop.state.storage_deaf_cycles == {}
    assert not loop.judge.broken


def test_limits_that_change_amid_are_kept_at_once_and_given_back_in_time() -> None:
    loop = Loop(plant(0.9, 0.95), replace(FREE, export_max_kw=3000.0))
    loop.run(60)
    assert loop.plant.grid_kw < -2000.0
    loop.settings = ZERO
    assert excess_s(loop, 20) <= 2
    loop.settings = replace(FREE, export_max_kw=3000.0)
    loop.run(90)
    assert loop.plant.grid_kw == pytest.approx(-2210.0, abs=50.0)
    loop.settings = replace(FREE, import_max_kw=300.0, import_target_kw=300.0)
    loop.plant.sun_frac = 0.0
    loop.run(3)
    for _ in range(30):
        loop.second()
        assert loop.plant.grid_kw <= 300.5
    assert not loop.judge.broken


@pytest.mark.parametrize(
    "changed",
    [
        {"import_max_kw": 0.0, "import_target_kw": 0.0, "export_max_kw": 0.0},
        {"reserve_frac": 0.9, "ride_through_h": 72.0},
        {"soc_max_frac": 0.16, "reserve_frac": 0.15},
        {"shed_allowed": False, "v2g": False, "ev_min_frac": 1.0},
        {"ramp_max_kw_per_min": 10.0},
    ],
)
def test_settings_that_change_amid_an_island_do_not_put_it_out(changed: dict[str, object]) -> None:
    loop = Loop(plant(0.4, 0.6), FREE)
    loop.plant.ev_want = {"cp0": 60.0}
    loop.run(10)
    loop.plant.grid_live = False
    loop.run(20)
    loop.settings = replace(FREE, **changed)  # type: ignore[arg-type]
    for _ in range(90):
        loop.second()
        assert loop.plant.bus_up
        assert abs(loop.plant.slack_missing_kw) <= 1.0
    assert loop.state.mode is GridMode.ISLANDED
    assert not loop.judge.broken


@pytest.mark.parametrize("sun", [0.0, 0.3])
def test_an_outage_with_empty_storages_ends_in_the_dark_or_on_the_sun_and_comes_back(sun: float) -> None:
    loop = Loop(plant(sun, 0.1), FREE)
    site = loop.plant
    loop.run(10)
    site.grid_live = False
    loop.run(60)
    assert site.bus_up == (sun > 0.0)
    if sun == 0.0:
        assert loop.state.mode is GridMode.BLACK_START
        assert loop.last is not None
        assert loop.last.unmet == {"grid_forming": 1.0}
        assert set(loop.last.commands.storage_kw.values()) == {0.0}
    site.grid_live = True
    loop.run(600)
    assert loop.state.mode is GridMode.GRID_TIED
    assert not site.load_off
    assert not loop.judge.broken


def test_a_breaker_that_does_not_open_and_one_that_does_not_close() -> None:
    loop = Loop(plant(0.5), FREE)
    site = loop.plant
    loop.run(10)
    site.breaker_stuck, site.grid_hz = True, 51.2
    loop.run(60)
    assert loop.state.mode is GridMode.ISLANDING
    site.grid_hz = 50.0
    loop.run(15)
    assert loop.state.mode is GridMode.GRID_TIED
    site.breaker_stuck, site.grid_live = False, False
    loop.run(20)
    site.grid_live, site.breaker_stuck = True, True
    modes = set()
    for _ in range(1000):
        loop.second()
        modes.add(loop.state.mode)
        assert site.bus_up
    assert modes == {GridMode.ISLANDED, GridMode.RESYNCHRONISING}
    site.breaker_stuck = False
    loop.run(600)
    assert loop.state.mode is GridMode.GRID_TIED
    assert not loop.judge.broken


@pytest.mark.parametrize("away", [False, True])
def test_the_clock_leaps_by_ten_minutes_and_goes_backwards(*, away: bool) -> None:
    loop = Loop(plant(0.5), FREE)
    loop.run(20)
    if away:
        loop.plant.grid_live = False
        loop.run(20)
        loop.plant.grid_live = True
    before = loop.state.mode
    for leap in (600.0, -600.0, 1e9, -2e9, 1e-4):
        loop.plant.now_s += leap
        loop.judge.off_s.clear()
        loop.run(3)
        assert loop.state.mode is before
        assert abs(loop.plant.grid_kw) <= 40.0
    assert not loop.judge.broken


@pytest.mark.parametrize("wish", [1e300, -1e300, 1e7, -1e7, 1e-320, -0.0, math.inf, -math.inf, math.nan])
def test_a_forged_takeover_stays_within_every_limit(wish: float) -> None:
    loop = Loop(plant(0.6), replace(FREE, export_max_kw=500.0, import_max_kw=3000.0))
    loop.run(20)
    for _ in range(60):
        loop.second(storage_wanted_kw=wish)
        assert -500.5 <= loop.plant.grid_kw <= 3000.5
    assert not loop.judge.broken


@pytest.mark.parametrize("soc", [0.5, 0.95])
@pytest.mark.parametrize(
    ("buy", "sell", "expected"),
    [
        (-0.3, -0.5, "import up to the wish, and no sun that would be in the way"),
        (0.3, -0.2, "nothing is fed in, nothing is drawn from the grid for the storages"),
        (0.3, 0.3, "storages do not sell what they could only buy back"),
        (math.nan, 0.3, "an unknown price is not a free kWh"),
        (-5.0, 5.0, "selling is never above buying"),
    ],
)
def test_prices_below_nought_and_beside_themselves(soc: float, buy: float, sell: float, expected: str) -> None:
    loop = Loop(plant(0.6, soc), FREE)
    site = loop.plant
    loop.run(120, import_price=buy, export_price=sell)
    stored = sum(site.storage_kw.values())
    if buy < -0.1:
        assert 2000.0 <= site.grid_kw <= 2500.5, expected
        assert stored <= 0.0
    elif sell < 0.0:
        assert abs(site.grid_kw) <= 20.0, expected
        assert stored == pytest.approx(-680.0 if soc < 0.9 else 0.0, abs=20.0)
    else:
        assert -700.0 <= site.grid_kw <= 20.0, expected
        assert stored <= 0.0
    assert not loop.judge.broken
