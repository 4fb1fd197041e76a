"""What a slot costs, and what a level is worth: compiled equals plain, and the split adds up."""

from __future__ import annotations

import numpy as np
import pytest

from control.energy.site_cost import settle_series
from control.energy.site_tables import value_at


@pytest.fixture(autouse=True, scope="module")
def _warm() -> None:
    settle_series.warm()
    value_at.warm()


def random_slots(seed: int) -> tuple[np.ndarray, ...]:
    draw = np.random.default_rng(seed)
    pv = np.maximum(draw.normal(300, 400, 300), 0.0)
    load = np.maximum(draw.normal(400, 400, 300), 0.0)
    return (
        load - pv - draw.normal(0, 300, 300),
        pv,
        draw.normal(0.4, 0.5, 300),
        draw.normal(0.2, 0.4, 300),
        np.maximum(draw.normal(300, 400, 300), 0.0),
        np.maximum(draw.normal(100, 200, 300), 0.0),
    )


@pytest.mark.parametrize("seed", range(10))
def test_a_settled_slot_is_in_balance_and_compiled_like_plain(seed: int) -> None:
    given = random_slots(seed)
    found = settle_series.compiled(*given)
    np.testing.assert_array_equal(found, settle_series.twin(*given))
    bought, sold, curtailed, unserved = found
    residual, pv, _, _, import_cap, export_cap = given
    np.testing.assert_allclose(bought - sold + unserved - curtailed, residual, atol=1e-9)
    assert found.min() >= 0.0
    assert (np.minimum(bought, sold) == 0.0).all()
    assert (bought <= import_cap + 1e-9).all()
    assert (curtailed <= pv + 1e-9).all()
    # More than the limit is fed in only where no sun is left to hold back.
    assert ((sold <= export_cap + 1e-9) | (curtailed >= pv - 1e-9)).all()


@pytest.mark.parametrize("seed", range(10))
def test_the_worth_of_a_level_is_compiled_like_plain_and_within_the_curve(seed: int) -> None:
    draw = np.random.default_rng(seed)
    for _ in range(200):
        pieces = int(draw.integers(0, 12))
        energy = np.sort(draw.uniform(0, 4000, pieces + int(draw.integers(0, 3))))
        value = np.sort(draw.normal(0.6, 0.5, pieces))[::-1].copy()
        level = float(draw.uniform(-500, 4500))
        worth = value_at.compiled(energy, value, level)
        np.testing.assert_array_equal(worth, value_at.twin(energy, value, level))
        if pieces and energy.size == pieces + 1:
            assert value[-1] <= worth <= value[0]
        else:
            assert np.isnan(worth)
