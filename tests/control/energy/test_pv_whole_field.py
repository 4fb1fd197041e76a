"""Dirt on the whole field, by days written down by hand."""

from __future__ import annotations

import pytest

from control.energy.pv_reference import places_of
from control.energy.pv_types import PvLimits
from control.energy.pv_whole_field import WholeField
from tests.control.energy.pv_field import field_of

LIMITS = PvLimits()
PLACES = places_of(field_of("south"), LIMITS)
CLEAR = dict.fromkeys(PLACES, 80.0)


def day_of(whole: WholeField, level: float) -> tuple[float, float] | None:
    """A day of which this part of the clear sky came."""
    for _ in range(20):
        whole.see(dict.fromkeys(PLACES, 80.0 * level), CLEAR, PLACES, LIMITS)
    whole.today_kwh = 100.0 * level
    return whole.end_day(LIMITS)


def test_dirt_shows_against_the_fields_own_best_days() -> None:
    whole = WholeField()
    for _ in range(4):
        day_of(whole, 0.8)
    for n in range(4):
        found = day_of(whole, 0.7)
        assert found == pytest.approx((0.7, 0.8))
        assert whole.is_dirty(0.8, LIMITS) is (n == 3)
    assert whole.lost_kwh(0.8, LIMITS) == pytest.approx(4 * 10.0)
    assert not whole.is_clean(0.8, LIMITS)
    assert day_of(whole, 0.3) is None, "a day under clouds says nothing"
    assert day_of(whole, 0.5) == pytest.approx((0.5, 0.8)), "a steady day is a clear one"
    for n in range(20):
        whole.see(dict.fromkeys(PLACES, 80.0 * (0.45 + 0.01 * (n % 10))), CLEAR, PLACES, LIMITS)
    assert whole.end_day(LIMITS) is None, "a day of broken clouds at that level"
    day_of(whole, 0.8)
    day_of(whole, 0.79)
    assert whole.is_clean(0.8, LIMITS)


def test_a_level_that_is_known_from_before_counts() -> None:
    whole = WholeField(was=0.8)
    assert day_of(whole, 0.7) == pytest.approx((0.7, 0.8))
    assert not whole.is_clean(0.8, LIMITS)


def test_little_light_and_few_strings_say_nothing() -> None:
    whole = WholeField()
    whole.see(dict.fromkeys(PLACES, 10.0), dict.fromkeys(PLACES, 30.0), PLACES, LIMITS)
    whole.see({"a/s0": 70.0, "a/s1": 70.0}, CLEAR, PLACES, LIMITS)
    whole.see(dict.fromkeys(PLACES, 70.0), {}, PLACES, LIMITS)
    assert whole.through is None
    assert whole.end_day(LIMITS) is None


def test_days_are_kept_for_a_month() -> None:
    whole = WholeField()
    for n in range(40):
        day_of(whole, 0.8 + n / 1000)
    assert len(whole.days) == len(whole.days_kwh) == LIMITS.field_days
