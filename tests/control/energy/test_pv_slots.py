"""From samples to slots, and who is held back."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest

from control.energy.pv_slots import Slot, cleaned, is_clipped, is_limited
from control.energy.pv_types import InverterSample, PvLimits, PvSample

LIMITS = PvLimits()
AT = datetime(2026, 3, 3, 4, tzinfo=UTC)
RATED = {"a": 100.0, "b": 100.0}


def sample(*inverters: InverterSample, period_s: float = 300.0, **clear: float) -> PvSample:
    return PvSample(
        at=AT, period_s=period_s, inverters=inverters, clear_dc_kw={k.replace("_", "/"): v for k, v in clear.items()}
    )


@pytest.mark.parametrize(
    ("ac_kw", "limit_kw", "limited"),
    [
        (50.0, None, False),
        (50.0, 100.0, False),
        (50.0, 120.0, False),
        (50.0, 50.0, True),
        (48.5, 50.0, True),
        (40.0, 50.0, False),
        (0.0, 0.0, True),
        (None, 50.0, True),
        (None, None, False),
    ],
)
def test_who_our_limit_holds_back(ac_kw, limit_kw, limited: bool) -> None:
    assert is_limited(InverterSample(id="a", ac_kw=ac_kw, limit_kw=limit_kw), 100.0, LIMITS) is limited


def test_who_gives_its_rating() -> None:
    found = [is_clipped(InverterSample(id="a", ac_kw=kw), 100.0, LIMITS) for kw in (None, 90.0, 98.6, 100.0)]
    assert found == [False, False, True, True]


def test_means_rest_on_half_of_the_slot() -> None:
    slot = Slot()
    for n in range(3):
        dc_kw = {"s0": 10.0 * n, "s1": 5.0 if n == 0 else None}
        mine = InverterSample(id="a", ac_kw=30.0, dc_kw=dc_kw)
        slot.add(sample(mine, InverterSample(id="stranger", ac_kw=1.0), a_s0=60.0), RATED, LIMITS)
    assert slot.seconds == 900.0
    assert slot.means(slot.string_kw) == {"a/s0": 10.0}
    assert slot.means(slot.ac_kw) == {"a": 30.0}
    assert slot.means(slot.clear_kw) == {"a/s0": 60.0}


def test_a_tenth_of_the_slot_held_back_is_enough() -> None:
    slot = Slot()
    for n in range(10):
        held = InverterSample(id="a", ac_kw=50.0, limit_kw=50.0 if n == 4 else None)
        slot.add(sample(held, InverterSample(id="b", ac_kw=100.0 if n == 0 else 80.0), period_s=90.0), RATED, LIMITS)
    assert slot.held_for(slot.limited_s) == {"a"}
    assert slot.held_for(slot.clipped_s) == {"b"}
    assert Slot().held_for({}) == set()


def test_what_is_no_number_is_not_known() -> None:
    odd = InverterSample(id="a", ac_kw=math.nan, limit_kw=math.inf, dc_kw={"s0": -math.inf, "s1": 3.0, "s2": None})
    made = cleaned(sample(odd, period_s=math.nan, a_s0=math.nan, a_s1=4.0))
    assert made.inverters == (
        InverterSample(id="a", ac_kw=None, limit_kw=None, dc_kw={"s0": None, "s1": 3.0, "s2": None}),
    )
    assert made.clear_dc_kw == {"a/s1": 4.0}
    assert made.period_s == 0.0
    assert cleaned(sample(period_s=1e9)).period_s == 3600.0
    assert cleaned(sample(period_s=-5.0)).period_s == 0.0
