"""The forecast: bands that hold what they say on a year with weather and gaps, and an honest beginning."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from control.energy.calendar import alike
from control.energy.forecast import ForecastTuning, Measured, Spread, forecast_site, measured_spread, pv_of_sites

SLOT_S = 3600
PER_DAY = 24
# Midnight in China.
START = datetime(2025, 1, 5, 16, tzinfo=UTC)
DAYS = 340


def year() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Load, PV and clear sky, hourly: working days, a slow drift of temperature, cloudy spells, single clouds, gaps."""
    random = np.random.default_rng(7)
    hours = np.arange(DAYS * PER_DAY)
    day, hour = hours // PER_DAY, hours % PER_DAY
    clear = np.maximum(0.0, np.sin((hour - 5.5) / 13 * np.pi)) * (900 + 150 * np.sin(day / 58))
    clear[(hour < 6) | (hour > 18)] = 0.0
    rest = alike([(START + timedelta(hours=8, days=int(one))).date() for one in range(DAYS)])
    warm, cloudy = np.zeros(DAYS), np.zeros(DAYS)
    for one in range(1, DAYS):
        warm[one] = 0.8 * warm[one - 1] + random.normal(0, 40)
        cloudy[one] = 0.5 * cloudy[one - 1] + random.normal(0, 0.9)
    index = 1.0 / (1.0 + np.exp(-(cloudy[day] + 0.6 + random.normal(0, 0.5, len(hours)))))
    office = np.exp(-(((hour - 13) / 5.0) ** 2)) * np.where(rest[day] == 0, 600.0, 150.0)
    load = 500 + office + warm[day] * (1 + np.sin((hour - 8) / 24 * 2 * np.pi)) + random.normal(0, 12, len(hours))
    pv = clear * index
    load[random.random(len(load)) < 0.03] = np.nan
    pv[random.random(len(pv)) < 0.03] = np.nan
    pv[2000:2060] = np.nan
    return load, pv, clear


LOAD, PV, CLEAR = year()


def measured(at: int, slots: int = 24) -> Measured:
    return Measured(
        starts_at=START + timedelta(hours=at),
        slot_s=SLOT_S,
        timezone="Asia/Shanghai",
        slots=slots,
        load_kw=LOAD[:at],
        pv_kw=PV[:at],
        clear_kw=CLEAR[: at + slots],
    )


def test_the_bands_hold_what_they_say() -> None:
    inside_load, inside_pv = [], []
    for at in range(30 * PER_DAY, (DAYS - 2) * PER_DAY, 151):
        made = forecast_site(measured(at))
        came_load, came_pv = LOAD[at : at + 24], PV[at : at + 24]
        known = np.isfinite(came_load)
        inside_load.append(((made.load.low <= came_load) & (came_load <= made.load.high))[known])
        sunny = np.isfinite(came_pv) & (CLEAR[at : at + 24] > 60)
        inside_pv.append(((made.pv.low <= came_pv) & (came_pv <= made.pv.high))[sunny])
    assert 0.75 <= np.concatenate(inside_load).mean() <= 0.85
    assert 0.75 <= np.concatenate(inside_pv).mean() <= 0.85


def test_the_middle_is_better_than_yesterday() -> None:
    ours, yesterday = [], []
    for at in range(40 * PER_DAY, (DAYS - 2) * PER_DAY, 173):
        made = forecast_site(measured(at), Spread())
        came = LOAD[at : at + 24]
        ours.append(np.nanmean(np.abs(made.load.mid - came)))
        yesterday.append(np.nanmean(np.abs(LOAD[at - 24 : at] - came)))
    assert np.mean(ours) < 0.8 * np.mean(yesterday)


@pytest.mark.parametrize("at", [30, 47, 100, 24 * 60 + 13])
def test_scenarios_and_bands_are_sound(at: int) -> None:
    made = forecast_site(measured(at, slots=36))
    assert made.load_scenarios.shape == made.pv_scenarios.shape == (len(made.weights), 36)
    assert made.weights.sum() == pytest.approx(1.0)
    for band in (made.load, made.pv):
        assert np.all(band.low >= 0.0)
        assert np.all(band.low <= band.mid)
        assert np.all(band.mid <= band.high)
    assert np.all(np.isfinite(made.load_scenarios))
    assert np.all(made.pv_scenarios[:, CLEAR[at : at + 36] == 0.0] == 0.0)


def test_with_no_past_the_bands_are_wide_and_the_sun_is_the_clear_sky_under_any_cloud() -> None:
    nothing = Measured(
        starts_at=START,
        slot_s=SLOT_S,
        timezone="Asia/Shanghai",
        slots=24,
        load_kw=np.empty(0),
        pv_kw=np.empty(0),
        clear_kw=CLEAR[:24],
        typical_load_kw=800.0,
    )
    made = forecast_site(nothing)
    assert made.load.mid[0] == pytest.approx(800.0)
    assert made.load.low[0] < 500.0 < 1200.0 < made.load.high[0]
    noon = 12
    assert made.pv.low[noon] < 0.2 * CLEAR[noon]
    assert made.pv.high[noon] > 0.9 * CLEAR[noon]


def test_with_nothing_at_all_no_sun_is_counted_on() -> None:
    made = forecast_site(
        Measured(
            starts_at=START,
            slot_s=SLOT_S,
            timezone="Asia/Shanghai",
            slots=24,
            load_kw=np.empty(0),
            pv_kw=np.empty(0),
            load_now_kw=700.0,
            pv_now_kw=300.0,
        )
    )
    assert np.all(made.pv.high == 0.0)
    assert made.load.mid == pytest.approx(np.full(24, 700.0))


@pytest.mark.parametrize("known", [0, 1, 5, 24, 25, 60])
def test_any_length_of_past_and_nothing_but_gaps_still_gives_a_forecast(known: int) -> None:
    gaps = np.full(known, np.nan)
    given = measured(known, slots=48)
    for load, pv in ((gaps, gaps), (LOAD[:known], gaps), (gaps, PV[:known])):
        for clear in (CLEAR[: known + 48], None):
            made = forecast_site(
                Measured(
                    starts_at=given.starts_at,
                    slot_s=SLOT_S,
                    timezone="Asia/Shanghai",
                    slots=48,
                    load_kw=load,
                    pv_kw=pv,
                    clear_kw=clear,
                )
            )
            assert np.all(np.isfinite(made.load.high))
            assert np.all(np.isfinite(made.pv.high))
            assert np.all(np.isfinite(made.weights))


def test_the_present_error_is_carried_on_and_fades() -> None:
    at = 24 * 60 + 10
    given = measured(at)
    plain = forecast_site(given, Spread())
    usual = LOAD[at - 1] if np.isfinite(LOAD[at - 1]) else 700.0
    more = Measured(
        starts_at=given.starts_at,
        slot_s=SLOT_S,
        timezone=given.timezone,
        slots=24,
        load_kw=given.load_kw,
        pv_kw=given.pv_kw,
        clear_kw=given.clear_kw,
        load_now_kw=usual + 200.0,
    )
    higher = forecast_site(more, Spread(), ForecastTuning(load_like=10.0))
    raised = higher.load.mid - plain.load.mid
    assert raised[0] > 100.0
    assert raised[-1] < 0.5 * raised[0]


def test_too_short_a_past_is_not_stretched() -> None:
    assert measured_spread(measured(30)) == Spread()


def test_an_unknown_site_is_as_cloudy_as_the_others() -> None:
    clear = np.array([[100.0, 100.0], [300.0, 300.0]])
    pv = np.array([[50.0, np.nan], [np.nan, np.nan]])
    total = pv_of_sites(pv, clear)
    assert total[0] == pytest.approx(200.0)
    assert np.isnan(total[1])
