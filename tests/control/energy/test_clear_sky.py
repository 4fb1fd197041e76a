"""The clear sky on the strings: the sun's place, planes, rating."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from control.energy.clear_sky import ClearSkyDay, SkyAssumptions, clear_sky_day
from control.energy.site import PvSpec, StringSpec

EAST = StringSpec(id="east", rated_dc_kw=100.0, tilt_deg=30.0, azimuth_deg=90.0)
WEST = StringSpec(id="west", rated_dc_kw=100.0, tilt_deg=30.0, azimuth_deg=270.0)
FLAT = StringSpec(id="flat", rated_dc_kw=50.0, tilt_deg=0.0)
INVERTERS = (
    PvSpec(id="a", rated_ac_kw=150.0, strings=(EAST, WEST)),
    PvSpec(id="b", rated_ac_kw=30.0, strings=(FLAT,)),
    PvSpec(id="c", rated_ac_kw=10.0),
)


def sky(day: date, step_s: int = 900, **assumed: float) -> ClearSkyDay:
    return clear_sky_day(
        INVERTERS,
        latitude_deg=19.14,
        longitude_deg=110.58,
        timezone="Asia/Shanghai",
        day=day,
        step_s=step_s,
        assumptions=SkyAssumptions(**assumed),
    )


@pytest.fixture(scope="module")
def june() -> ClearSkyDay:
    return sky(date(2026, 6, 21))


def test_it_covers_the_local_day(june: ClearSkyDay) -> None:
    assert june.at0 == datetime(2026, 6, 20, 16, tzinfo=UTC)
    assert june.string_ids == ("east", "west", "flat")
    assert june.string_dc_kw.shape == (3, 96)
    assert june.inverter_ac_kw.shape == (3, 96)
    assert np.all(june.string_dc_kw[:, : 5 * 4] == 0.0)
    assert np.all(june.string_dc_kw[:, 20 * 4 :] == 0.0)


def test_noon_is_where_the_sun_is_highest(june: ClearSkyDay) -> None:
    # 110.58 E keeps the time of 120 E: noon is about 38 minutes late, and the equation of time adds 2.
    noon_h = float(np.average(np.arange(96) + 0.5, weights=june.string_dc_kw[2])) / 4
    assert noon_h == pytest.approx(12.66, abs=0.08)


def test_the_east_is_early_and_the_west_late(june: ClearSkyDay) -> None:
    at = np.arange(96)
    east, west = (float(np.average(at, weights=june.string_dc_kw[one])) for one in (0, 1))
    assert east < west - 4
    assert june.string_dc_kw[0].sum() == pytest.approx(june.string_dc_kw[1].sum(), rel=0.05)


def test_a_clear_tropical_day_gives_five_to_seven_full_hours(june: ClearSkyDay) -> None:
    assert 5.0 < june.string_dc_kw[2].sum() / 4 / FLAT.rated_dc_kw < 7.0
    assert sky(date(2026, 12, 21)).string_dc_kw[2].sum() < june.string_dc_kw[2].sum()


def test_the_inverter_clips(june: ClearSkyDay) -> None:
    assert june.inverter_ac_kw[1].max() == pytest.approx(30.0)
    assert np.all(june.inverter_ac_kw[2] == 0.0)
    assert june.total_ac_kw == pytest.approx(june.inverter_ac_kw.sum(axis=0))


def test_steps_are_means_of_finer_steps(june: ClearSkyDay) -> None:
    fine = sky(date(2026, 6, 21), step_s=300).string_dc_kw[2].reshape(96, 3).mean(axis=1)
    assert june.string_dc_kw[2] == pytest.approx(fine, abs=0.5)


def test_heat_and_haze_cost_power(june: ClearSkyDay) -> None:
    assert sky(date(2026, 6, 21), air_c=38.0).total_ac_kw.sum() < june.total_ac_kw.sum()
    assert sky(date(2026, 6, 21), linke_turbidity=7.0).total_ac_kw.sum() < june.total_ac_kw.sum()
