"""A string's day: shadow, dirt and neither, from half hours written down by hand."""

from __future__ import annotations

import pytest

from control.energy.pv_days import (
    DayOfString,
    DayVerdict,
    is_clean,
    is_shaded,
    is_soiled,
    is_unshaded,
    judged,
    same_shadow,
    short_kwh,
)
from control.energy.pv_types import PvLimits

LIMITS = PvLimits()
HOURS = range(14, 34)  # half hours from 7 to 17


def day(part: float = 1.0, dark: dict[int, float] | None = None, bright: float = 0.8) -> DayVerdict:
    """A day with so much of what was due, in some half hours another part of it."""
    made = DayOfString()
    for bin_ in HOURS:
        made.add(bin_, 10.0 * (dark or {}).get(bin_, part), 10.0, bright)
    verdict = judged(made, LIMITS)
    assert verdict is not None
    return verdict


def test_a_day_is_judged_by_its_half_hours() -> None:
    verdict = day(dark={28: 0.5, 29: 0.4, 30: 0.5})
    assert verdict.dark_bins == {28, 29, 30}
    assert verdict.rest_part == pytest.approx(1.0)
    assert verdict.part == pytest.approx(1.0 - 1.6 / 20)
    assert verdict.bright
    assert short_kwh([verdict, day()]) == pytest.approx(16.0)
    assert short_kwh([verdict], range(29, 31)) == pytest.approx(11.0)


def test_a_day_with_too_little_light_says_nothing() -> None:
    assert judged(DayOfString(), LIMITS) is None
    few = DayOfString()
    for bin_ in range(24, 29):
        few.add(bin_, 1.0, 1.0, 0.5)
    assert judged(few, LIMITS) is None
    few.add(29, 0.05, 0.05, 0.5)
    assert judged(few, LIMITS) is None, "the day's edge"


def test_a_loss_over_most_of_the_day_is_no_shadow() -> None:
    assert day(dark=dict.fromkeys(range(14, 27), 0.5)).dark_bins == frozenset()


def test_a_shadow_comes_back_at_the_same_hours_of_bright_days() -> None:
    shaded, later = day(dark={28: 0.5, 29: 0.5, 30: 0.5}), day(dark={29: 0.5, 30: 0.5, 31: 0.5})
    dull = day(bright=0.3)
    assert is_shaded([shaded, dull, later, dull, shaded], LIMITS) == {29, 30}
    assert not is_shaded([shaded, shaded], LIMITS)
    assert not is_shaded([shaded, day(), shaded], LIMITS)
    assert not is_shaded([shaded, shaded, day(dark={16: 0.5, 17: 0.5})], LIMITS)
    assert not is_shaded([day(part=0.9, dark={28: 0.4, 29: 0.4})] * 3, LIMITS), "the rest is low too"
    assert not is_shaded([day(dark={28: 0.5})] * 3, LIMITS), "half an hour is no shadow"


def test_a_shadow_is_gone_after_bright_days_without() -> None:
    shaded = day(dark={28: 0.5, 29: 0.5})
    assert is_unshaded([shaded, day(), day(), day(bright=0.3), day()], LIMITS)
    assert not is_unshaded([shaded, day(), day()], LIMITS)


def test_shadows_are_the_same_when_half_of_the_shorter_is_common() -> None:
    assert same_shadow(frozenset({1, 2, 3, 4}), frozenset({3, 4, 5})) == {3, 4}
    assert same_shadow(frozenset({1, 2, 3, 4}), frozenset({4, 5, 6, 7})) == frozenset()
    assert same_shadow(frozenset(), frozenset({4})) == frozenset()


def test_dirt_takes_the_same_at_all_hours_of_all_days() -> None:
    assert is_soiled([day(), *[day(part=0.9)] * 4], LIMITS)
    assert not is_soiled([day(part=0.9)] * 3, LIMITS)
    assert not is_soiled([*[day(part=0.9)] * 3, day(part=0.98)], LIMITS)
    assert not is_soiled([day(dark=dict.fromkeys(range(14, 19), 0.6))] * 4, LIMITS), "that is a shadow's doing"


def test_clouds_over_one_string_make_single_days_uneven_but_not_all_together() -> None:
    cloudy = [day(part=0.88, dark={bin_: 0.70 for bin_ in range(14 + n, 34, 4)}) for n in range(4)]
    assert is_soiled(cloudy, LIMITS)
    assert not is_soiled([cloudy[0]] * 4, LIMITS)


def test_clean_is_known_after_two_days() -> None:
    assert is_clean([day(part=0.9), day(part=0.99), day()], LIMITS)
    assert not is_clean([day(part=0.9), day()], LIMITS)
    assert not is_clean([day()], LIMITS)
