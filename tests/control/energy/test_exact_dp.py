"""One storage: the exact programme against an independent optimum, a simulator, and its own plain-Python twin."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.energy import exact_dp as dp


def beside(name: str) -> ModuleType:
    """A module of this folder; tests have no packages."""
    spec = importlib.util.spec_from_file_location(f"energy_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


slow_lp = beside("slow_lp")


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    dp.plan_storage.warm()


def question(seed: int, *, slots: int = 24, negative: bool = False) -> tuple[Any, ...]:
    """A site at random; every third has a feature that the others lack."""
    draw = np.random.default_rng(seed)
    slot_h = float(draw.choice([0.25, 0.5, 1.0]))
    load = draw.uniform(0, 100, slots) * draw.choice([0.0, 1.0], slots, p=[0.1, 0.9])
    pv = draw.uniform(0, 150, slots) * (draw.random(slots) < 0.6)
    bought = draw.choice([0.3, 0.6, 1.0], slots) if seed % 3 else draw.uniform(-0.05 if negative else 0.0, 1.2, slots)
    sold = np.minimum(bought, bought * draw.uniform(0, 1) - 0.1 * draw.random(slots) * (negative and seed % 5 == 0))
    capacity = float(draw.uniform(20, 400))
    who = np.zeros(dp.SCALARS)
    who[dp.SLOT_H] = slot_h
    who[dp.LOW] = who[dp.SOFT_LOW] = draw.uniform(0, 0.3) * capacity
    who[dp.HIGH] = who[dp.SOFT_HIGH] = draw.uniform(0.6, 1.0) * capacity
    who[dp.START] = draw.uniform(who[dp.LOW], who[dp.HIGH])
    who[dp.CHARGE], who[dp.DISCHARGE] = draw.uniform(0, 120), draw.uniform(0, 120)
    who[dp.ETA_C], who[dp.ETA_D] = draw.uniform(0.7, 1.0), draw.uniform(0.7, 1.0)
    who[dp.KEEP] = 1.0
    who[dp.WEAR] = draw.choice([0.0, 0.01, 0.2]) if not negative else 0.2
    who[dp.RESERVE_PRICE] = draw.choice([0.0, 0.5])
    who[dp.EDGE_PRICE] = 2.0
    who[dp.UNSERVED] = 20.0
    who[dp.TERMINAL] = draw.uniform(0, 0.6)
    cap_in = np.full(slots, draw.choice([0.0, 40.0, 1000.0]))
    cap_out = np.full(slots, draw.choice([0.0, 30.0, 500.0]))
    if seed % 7 == 0:
        cap_in[slots // 2 : slots // 2 + 3] = 0.0
        cap_out[slots // 2 : slots // 2 + 3] = 0.0
    reserve = draw.uniform(0, 1, slots) * who[dp.HIGH]
    return load, pv, bought, sold, cap_in, cap_out, reserve, who


def optimum(asked: tuple[Any, ...]) -> float:
    load, pv, bought, sold, cap_in, cap_out, reserve, who = asked
    store = slow_lp.LpStore(
        low=who[dp.LOW],
        high=who[dp.HIGH],
        start=who[dp.START],
        charge=who[dp.CHARGE],
        discharge=who[dp.DISCHARGE],
        eta_c=who[dp.ETA_C],
        eta_d=who[dp.ETA_D],
        keep=who[dp.KEEP],
        wear=who[dp.WEAR],
        terminal=who[dp.TERMINAL],
        reserve=reserve,
        reserve_price=who[dp.RESERVE_PRICE],
    )
    return float(
        slow_lp.lowest_cost(
            slow_lp.LpSite(who[dp.SLOT_H], load, pv, bought, sold, cap_in, cap_out, who[dp.UNSERVED], [store])
        )
    )


@pytest.mark.parametrize("seed", range(40))
def test_its_cost_is_the_independent_optimum(seed: int) -> None:
    asked = question(seed)
    *_, cost = dp.plan_storage(*asked)
    assert cost == pytest.approx(optimum(asked), rel=1e-9, abs=1e-7)


@pytest.mark.parametrize("seed", range(0, 45, 3))
def test_negative_prices_whose_cycling_wear_outweighs(seed: int) -> None:
    asked = question(seed, negative=True)
    *_, cost = dp.plan_storage(*asked)
    assert cost == pytest.approx(optimum(asked), rel=1e-9, abs=1e-7)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), slots=st.integers(1, 30))
def test_compiled_and_plain_python_agree(seed: int, slots: int) -> None:
    asked = question(seed, slots=slots, negative=seed % 2 == 0)
    asked[-1][dp.KEEP] = 1.0 if seed % 3 else 0.998
    fast, slow = dp.plan_storage.compiled(*asked), dp.plan_storage.twin(*asked)
    for one, other in zip(fast, slow, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_power_and_energy_belong_together_and_keep_their_limits(seed: int) -> None:
    *asked, who = question(seed)
    power, energy, _, _ = dp.plan_storage(*asked, who)
    assert (power <= who[dp.DISCHARGE] + 1e-6).all()
    assert (power >= -who[dp.CHARGE] - 1e-6).all()
    assert (energy >= who[dp.LOW] - 1e-6).all()
    assert (energy <= who[dp.HIGH] + 1e-6).all()
    change = np.where(power > 0, -power / who[dp.ETA_D], -power * who[dp.ETA_C]) * who[dp.SLOT_H]
    np.testing.assert_allclose(np.diff(energy), change, atol=1e-6)


def test_the_curve_is_the_derivative_of_the_cost() -> None:
    *asked, who = question(11)
    _, _, curve, _ = dp.plan_storage(*asked, who)
    edges = who[dp.LOW] + np.concatenate(([0.0], np.cumsum(curve[1])))
    assert edges[-1] == pytest.approx(who[dp.HIGH])
    assert (np.diff(curve[0]) >= 0).all()
    for slope, low, high in zip(curve[0], edges[:-1], edges[1:], strict=True):
        if high - low < 1e-3:
            continue
        costs = []
        for at in (low + 0.25 * (high - low), low + 0.75 * (high - low)):
            who[dp.START] = at
            costs.append(dp.plan_storage(*asked, who)[3])
        assert (costs[1] - costs[0]) / (0.5 * (high - low)) == pytest.approx(slope, abs=1e-6)


def test_self_discharge_is_part_of_the_optimum() -> None:
    asked = question(8)
    asked[-1][dp.KEEP] = 0.999
    asked[-1][dp.LOW] = 0.0
    asked[-1][dp.SOFT_LOW] = 0.0
    *_, cost = dp.plan_storage(*asked)
    assert cost == pytest.approx(optimum(asked), rel=1e-9)


def test_nothing_is_moved_for_nothing() -> None:
    *asked, who = question(4)
    asked[1] = np.zeros(24)
    asked[2] = np.full(24, 0.5)
    asked[3] = np.full(24, 0.5)
    asked[4] = np.full(24, 1000.0)
    who[dp.TERMINAL], who[dp.RESERVE_PRICE], who[dp.WEAR] = 0.5 * who[dp.ETA_D], 0.0, 0.0
    power, *_ = dp.plan_storage(*asked, who)
    assert (power == 0.0).all()


def test_export_dearer_than_import_is_planned_as_no_dearer() -> None:
    *asked, who = question(5)
    asked[3] = asked[2] + 0.3
    power, energy, _, cost = dp.plan_storage(*asked, who)
    assert np.isfinite(cost)
    assert np.isfinite(power).all()
    assert (energy <= who[dp.HIGH] + 1e-9).all()


def test_outside_its_range_it_comes_back() -> None:
    *asked, who = question(13)
    who[dp.CHARGE] = who[dp.DISCHARGE] = 100.0
    asked[4][:] = asked[5][:] = 1000.0
    who[dp.SOFT_HIGH], who[dp.START] = 0.8 * who[dp.HIGH], who[dp.HIGH]
    _, energy, _, _ = dp.plan_storage(*asked, who)
    assert energy[-1] <= who[dp.SOFT_HIGH] + 1e-6
