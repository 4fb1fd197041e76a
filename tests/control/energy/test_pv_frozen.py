"""Values that stand still, rightly and wrongly."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from control.energy.pv_frozen import Still
from control.energy.pv_types import PvLimits

LIMITS = PvLimits()
MOVING = (50.0, 60.0, 70.0, 60.0, 50.0, 40.0, 50.0, 60.0)


def seen(
    values: Sequence[float],
    expected: Sequence[float | None],
    beside: Sequence[float | None],
    *,
    held: Sequence[bool] = (False,) * 8,
) -> Still:
    still = Still(rated_kw=100.0)
    for value, due, other, at_limit in zip(values, expected, beside, held, strict=True):
        still.see(value, expected_kw=due, beside_kw=other, held=at_limit, period_s=600.0)
    return still


@pytest.mark.parametrize(
    ("value", "expected", "beside", "frozen"),
    [
        pytest.param(50.0, MOVING, MOVING, True, id="all else moves"),
        pytest.param(50.0, (50.0,) * 8, MOVING, False, id="nothing else was due"),
        pytest.param(50.0, MOVING, (51.0,) * 8, False, id="the other measurement of it stands as well: held down"),
        pytest.param(50.0, MOVING, (None,) * 8, False, id="no other measurement"),
        pytest.param(50.0, (None,) * 8, MOVING, False, id="nothing is known of what was due"),
        pytest.param(80.0, (80.0, 70.0, 60.0) + (50.0,) * 5, (None,) * 8, True, id="more than there is"),
        pytest.param(0.0, MOVING, MOVING, False, id="nothing is an outage, not a frozen value"),
    ],
)
def test_a_value_that_stands_still(value, expected, beside, frozen) -> None:
    assert seen((value,) * 8, expected, beside).frozen(LIMITS) is frozen


def test_at_a_limit_standing_still_is_right_unless_it_shows_more_than_there_is() -> None:
    held = (True,) + (False,) * 7
    assert not seen((50.0,) * 8, MOVING, MOVING, held=held).frozen(LIMITS)
    assert seen((80.0,) * 8, MOVING, MOVING, held=held).frozen(LIMITS)


def test_it_takes_half_an_hour() -> None:
    assert not seen((50.0,) * 3, MOVING[:3], MOVING[:3], held=(False,) * 3).frozen(LIMITS)
    assert seen((50.0,) * 4, MOVING[:4], MOVING[:4], held=(False,) * 4).frozen(LIMITS)


def test_a_value_that_moves_is_not_frozen_and_forgets() -> None:
    still = seen(MOVING, MOVING, MOVING)
    assert not still.frozen(LIMITS)
    assert still.moves == 8
    assert still.still_s == 0.0
    assert still.expected_low_kw == still.expected_high_kw == 60.0
