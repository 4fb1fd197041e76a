"""Vehicles to come: by hour and kind of day, wide where little is known, and right about how often."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from control.energy.calendar import day_kind
from control.energy.ev_arrivals import Arrivals, Stay, forecast_arrivals

ZONE = ZoneInfo("Asia/Shanghai")
# A Monday in an ordinary week of spring 2026, local midnight.
START = datetime(2026, 3, 2, tzinfo=ZONE)


def stays(days: int, seed: int = 3) -> list[Stay]:
    """Commuters at nine on days that are worked, a few visitors at fifteen on days of rest."""
    random = np.random.default_rng(seed)
    made = []
    for day in range(days):
        midnight = START + timedelta(days=day)
        hour, mean = (9, 4.0) if day_kind(midnight.date()).works else (15, 1.0)
        for _ in range(random.poisson(mean)):
            made.append(
                Stay(
                    arrived_at=midnight + timedelta(hours=hour + random.random()),
                    stay_h=random.uniform(2.0, 8.0),
                    energy_kwh=random.uniform(10.0, 50.0),
                )
            )
    return made


def forecast(known: list[Stay], at: datetime, slots: int = 96, seen_from: datetime = START) -> Arrivals:
    return forecast_arrivals(
        known,
        seen_from=seen_from,
        starts_at=at,
        slot_s=900,
        slots=slots,
        timezone="Asia/Shanghai",
        chargers=8,
        charger_kw=60.0,
    )


def test_commuters_come_at_nine_on_days_that_are_worked() -> None:
    monday = START + timedelta(days=28)
    made = forecast(stays(28), monday)
    by_hour = made.per_slot.reshape(24, 4).sum(axis=1)
    assert int(by_hour.argmax()) == 9
    assert by_hour[9] == pytest.approx(4.0, rel=0.35)
    assert 7.0 < made.energy_kwh[0] < made.energy_kwh[1] < made.energy_kwh[2] < 53.0
    assert 2.0 <= made.stay_h[0] < made.stay_h[1] < made.stay_h[2] <= 8.0
    saturday = forecast(stays(26), START + timedelta(days=26)).per_slot.reshape(24, 4).sum(axis=1)
    assert saturday[15] > saturday[9]


def test_a_worked_weekend_is_a_working_day() -> None:
    worked = datetime(2026, 5, 9, tzinfo=ZONE)
    by_hour = forecast(stays(68), worked).per_slot.reshape(24, 4).sum(axis=1)
    assert int(by_hour.argmax()) == 9


def test_the_energy_of_a_day_lies_in_its_band_about_as_often_as_it_says() -> None:
    known = stays(200)
    rates = []
    for day in range(60, 190):
        at = START + timedelta(days=day)
        here = [one for one in known if one.arrived_at < at]
        came = sum(1 for one in known if at <= one.arrived_at < at + timedelta(days=1))
        expected = float(forecast(here, at).per_slot.sum())
        rates.append(abs(came - expected) <= 1.2816 * np.sqrt(expected) + 0.5)
    assert 0.7 <= float(np.mean(rates)) <= 0.95


def test_with_no_past_there_is_a_usual_day_with_a_wide_band() -> None:
    made = forecast([], START, seen_from=START)
    assert made.per_slot.sum() == pytest.approx(8.0)
    assert made.per_slot[:20].sum() == 0.0
    noon = 48
    assert made.power.low[noon] == 0.0
    assert made.power.high[noon] > 2.0 * made.power.mid[noon] > 0.0
    assert made.energy_kwh[0] < made.energy_kwh[1] < made.energy_kwh[2]


def test_what_comes_later_and_nonsense_are_left_out() -> None:
    at = START + timedelta(days=10)
    known = stays(20)
    odd = [Stay(arrived_at=START + timedelta(days=1), stay_h=1.0, energy_kwh=one) for one in (float("nan"), -5.0)]
    full, cut = forecast(known + odd, at), forecast([one for one in known if one.arrived_at < at], at)
    assert np.array_equal(full.per_slot, cut.per_slot)
    assert full.energy_kwh == cut.energy_kwh


def test_the_power_never_exceeds_all_chargers() -> None:
    crowd = [
        Stay(arrived_at=START + timedelta(days=day, hours=9, minutes=one), stay_h=3.0, energy_kwh=60.0)
        for day in range(5)
        for one in range(40)
    ]
    made = forecast(crowd, START + timedelta(days=7))
    assert float(made.power.high.max()) <= 480.0
    assert np.all(made.power.low <= made.power.mid)
    assert np.all(made.power.mid <= made.power.high)


def test_any_zone_of_the_times_gives_the_same() -> None:
    known = stays(14)
    at = START + timedelta(days=14)
    elsewhere = [
        Stay(arrived_at=one.arrived_at.astimezone(UTC), stay_h=one.stay_h, energy_kwh=one.energy_kwh) for one in known
    ]
    assert date(2026, 3, 16) == at.date()
    assert np.array_equal(
        forecast(known, at).per_slot,
        forecast(elsewhere, at.astimezone(UTC), seen_from=START.astimezone(UTC)).per_slot,
    )
