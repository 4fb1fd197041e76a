"""The simulated year: its sums, its special days, and that it is the same every time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from control.energy.reference_year import FORUM_PEAK_KW, PV_RATED_KW, clear_sky_wm2, reference_year
from control.energy.settings import EnergySettings


def test_its_sums_are_the_islands() -> None:
    year = reference_year()
    day_kwh = year.load_kw.reshape(365, 96).sum(axis=1) / 4.0
    assert 17.5e6 < day_kwh.sum() < 19.0e6
    assert 46_000 < np.median(day_kwh) < 54_000
    assert year.pv_kw.sum() / 4.0 == pytest.approx(4.46e6, rel=0.08)
    assert year.pv_kw.max() < PV_RATED_KW
    assert year.load_kw.min() > 500.0


def test_the_forum_has_the_peak_of_the_year() -> None:
    year = reference_year()
    assert year.load_kw.max() == pytest.approx(FORUM_PEAK_KW)
    days = year.load_kw.reshape(365, 96)
    busiest = np.sort(np.argsort(days.sum(axis=1))[-4:])
    first = np.datetime64("2025-01-01") + int(busiest[0])
    assert [str(first + i) for i in range(4)] == [f"2025-03-{day}" for day in (25, 26, 27, 28)]
    assert np.all(np.diff(busiest) == 1)
    assert 80_000 < days[busiest].sum(axis=1).max() / 4.0 < 95_000


def test_seasons_storms_and_outages() -> None:
    year = reference_year()
    day_kwh = year.load_kw.reshape(365, 96).sum(axis=1) / 4.0
    assert day_kwh[152:243].mean() > 1.2 * day_kwh[0:59].mean()  # cooling
    sun = year.pv_kw.reshape(365, 96)
    assert sun[:, :20].max() == 0.0
    assert np.sort(sun.sum(axis=1))[3] < 0.25 * np.median(sun.sum(axis=1))  # typhoon days
    off_h = float(np.sum(~year.grid_up)) / 4.0
    assert 3.0 < off_h < 12.0


def test_clear_sky_is_highest_at_noon_near_the_zenith() -> None:
    at = np.arange(np.datetime64("2025-06-01T00:00:00", "s"), np.datetime64("2025-06-02T00:00:00", "s"), 900)
    clear = clear_sky_wm2(at)
    assert 1000.0 < clear.max() < 1075.0
    noon = at[int(np.argmax(clear))]
    # The sun is late: 9.4 degrees west of the meridian of the clock, 37.7 minutes.
    assert np.datetime64("2025-06-01T12:15:00") <= noon <= np.datetime64("2025-06-01T12:45:00")


@pytest.mark.parametrize("step_s", [60, 300, 1800, 3600])
def test_other_steps_hold_the_same_energy(step_s: int) -> None:
    usual, other = reference_year(), reference_year(step_s)
    assert other.steps == 365 * 86_400 // step_s
    for name in ("load_kw", "pv_kw", "grid_up"):
        energy = float(np.sum(getattr(other, name))) * step_s
        assert energy == pytest.approx(
            float(np.sum(getattr(usual, name))) * 900.0, rel=1e-3 if name == "grid_up" else 1e-9
        )


def test_it_is_drawn_from_the_seed_alone() -> None:
    assert np.array_equal(reference_year(seed=7).pv_kw, reference_year(seed=7).pv_kw)
    assert not np.array_equal(reference_year(seed=7).pv_kw, reference_year(seed=8).pv_kw)


def test_a_leap_year_and_a_step_that_does_not_fit() -> None:
    assert reference_year(3600, year=2024).steps == 366 * 24
    for step_s in (0, -60, 700, 1200, 7200):
        with pytest.raises(ValueError, match="does not fit"):
            reference_year(step_s)


def test_prices_and_limits_are_those_of_the_settings() -> None:
    settings = replace(EnergySettings(), import_max_kw=5000.0, demand_charge_per_kw=10.0)
    year = reference_year(3600, settings=settings)
    assert year.import_price[:8].tolist() == [0.31] * 7 + [0.66]
    assert year.import_price[10] == 1.05
    assert (year.import_max_kw, year.demand_charge_per_kw) == (5000.0, 10.0)
