"""Tomorrows made of yesterdays: the right days, the present error, and never quite sure of the sun."""

from __future__ import annotations

import numpy as np
import pytest

from control.energy.scenarios import ScenarioTuning, days_alike, draw, fill_envelope, fill_scenarios, fill_season

TUNING = ScenarioTuning()
HOURS = np.arange(20 * 24)
SUN = np.maximum(0.0, np.sin((HOURS % 24 - 6) / 12 * np.pi)) * 100.0
LOAD = 50.0 + 10.0 * (HOURS % 24 == 19)
KIND = (np.arange(23) % 7 >= 5).astype(np.int64)


def scenarios(
    load_kw: np.ndarray, pv_kw: np.ndarray, now: int, count: int = 10, slots: int = 24
) -> tuple[np.ndarray, np.ndarray]:
    envelope, net_kw, weight = np.zeros(24), np.empty((count, slots)), np.empty(count)
    best = fill_envelope(pv_kw, now, 0, 30, np.ones(24), envelope)
    fill_scenarios(load_kw, pv_kw, KIND, now, 0, np.ones(24), envelope, best, TUNING, net_kw, weight)
    return net_kw, weight


def test_days_that_are_all_the_same_go_on_but_for_the_one_without_sun() -> None:
    now = 15 * 24 + 10
    net_kw, weight = scenarios(LOAD, SUN, now)
    expected = (LOAD - SUN)[now + 1 : now + 25]
    assert weight.sum() == pytest.approx(1.0)
    assert weight[-1] == pytest.approx(TUNING.dark)
    assert net_kw[:-1] == pytest.approx(np.tile(expected, (9, 1)))
    assert net_kw[-1] == pytest.approx(LOAD[now + 1 : now + 25])


def test_with_no_whole_day_the_load_stays_and_no_sun_is_counted_on() -> None:
    net_kw, weight = scenarios(LOAD, SUN, 11, count=1)
    assert net_kw == pytest.approx(np.full((1, 24), LOAD[11]))
    assert weight.tolist() == [1.0]


def test_a_load_that_is_high_now_is_high_for_some_hours() -> None:
    now = 15 * 24 + 2
    high = LOAD.copy()
    high[now] += 20.0
    more = scenarios(high, SUN, now)[0] - scenarios(LOAD, SUN, now)[0]
    assert more[0, 0] == pytest.approx(20.0 * TUNING.load_keep)
    assert 0.0 < more[0, 12] < 0.35 * more[0, 0]


def test_a_cloudy_morning_lowers_the_afternoon() -> None:
    now = 15 * 24 + 11
    cloudy = SUN.copy()
    cloudy[15 * 24 :] *= 0.3
    less = scenarios(LOAD, SUN, now)[0] - scenarios(LOAD, cloudy, now)[0]
    assert less[0, 1] < -0.3 * SUN[now + 2]


def test_nothing_after_now_is_read() -> None:
    now = 12 * 24 + 15
    later = np.concatenate((SUN[: now + 1], np.full(SUN.size - now - 1, 77.0)))
    loud = np.concatenate((LOAD[: now + 1], np.full(LOAD.size - now - 1, 999.0)))
    for one, other in zip(scenarios(LOAD, SUN, now), scenarios(loud, later, now), strict=True):
        assert np.array_equal(one, other)


def test_days_alike_are_of_one_kind_latest_first() -> None:
    found = np.empty(4, np.int64)
    assert days_alike(KIND, 14, 14, 0, found) == 4
    assert found.tolist() == [11, 10, 9, 8]
    # No day of rest is known yet: all days serve.
    assert days_alike(KIND, 5, 3, 0, found) == 3
    assert found[:3].tolist() == [2, 1, 0]


def season(pv_kw: np.ndarray, day: int) -> np.ndarray:
    found = np.zeros(24)
    fill_season(pv_kw, day, 0, 25, 0.01, 0.1, found)
    return found


def test_the_season_is_the_growth_of_clear_days() -> None:
    growing = SUN * 1.004 ** (HOURS // 24)
    assert season(growing, 20) == pytest.approx(1.004, rel=1e-6)
    assert season(growing, 8) == pytest.approx(1.0)
    assert season(SUN * 1.05 ** (HOURS // 24), 20) == pytest.approx(1.01)
    assert season(np.zeros(HOURS.size), 15) == pytest.approx(1.0)


def test_an_hour_whose_sun_grows_faster_has_its_own_season() -> None:
    evening = np.where(HOURS % 24 >= 16, 1.008, 1.002) ** (HOURS // 24)
    found = season(SUN * evening, 20)
    assert 1.002 < found[12] < found[17] <= 1.008
    assert found[12] == pytest.approx(1.002, abs=5e-4)


def test_each_day_is_drawn_as_often_as_it_weighs() -> None:
    weight, level = np.array([0.5, 0.2, 0.0, 0.3]), np.array([3.0, 9.0, 1.0, 3.0])
    drawn = np.empty(10, np.int64)
    draw(weight, level, (np.arange(10) + 0.5) / 10, drawn)
    # In the order of their levels; of equals the latest day first.
    assert drawn.tolist() == [0] * 5 + [3] * 3 + [1] * 2


def test_the_day_of_the_load_is_drawn_apart_from_the_day_of_the_sun() -> None:
    now = 15 * 24 + 4
    day = HOURS // 24
    load = LOAD + np.where(HOURS % 24 > 4, (day % 3) * 10.0, 0.0)
    sun = SUN * (1.0 - 0.3 * (day % 2))
    net_kw, _ = scenarios(load, sun, now, count=29)
    met = {(round(dusk), round(noon)) for dusk, noon in zip(net_kw[:-1, 15], net_kw[:-1, 7], strict=True)}
    assert len(met) > 4
