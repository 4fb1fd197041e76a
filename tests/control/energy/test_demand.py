"""The demand charge: the search over the peak against an independent optimum, its own proof, and its twin."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.energy import exact_dp as dp
from control.energy.demand import plan_under_demand
from control.energy.plan import Series


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
    plan_under_demand.warm()


def question(seed: int, slots: int = 32) -> tuple[tuple[Series, ...], float, float]:
    """A day with a peak in it, what a kW of peak costs, and what is free."""
    draw = np.random.default_rng(seed)
    hour = np.arange(slots)
    load = 50 + 40 * np.maximum(np.sin(hour / slots * 7), 0) + draw.uniform(0, 15, slots)
    pv = np.maximum(0, 70 * np.sin((hour - 6) / 12 * np.pi)) * draw.uniform(0.4, 1.0, slots)
    bought = np.where((hour > 10) & (hour < 22), 1.0, 0.4) + draw.uniform(0, 0.05, slots)
    who = np.zeros(dp.SCALARS)
    who[dp.SLOT_H], who[dp.KEEP] = 0.5, 1.0
    capacity = draw.uniform(30, 250)
    who[dp.LOW] = who[dp.SOFT_LOW] = 0.1 * capacity
    who[dp.HIGH] = who[dp.SOFT_HIGH] = 0.95 * capacity
    who[dp.START] = draw.uniform(0.1, 0.9) * capacity
    who[dp.CHARGE] = who[dp.DISCHARGE] = draw.uniform(10, 60)
    who[dp.ETA_C], who[dp.ETA_D], who[dp.WEAR] = 0.94, 0.93, 0.05
    who[dp.RESERVE_PRICE], who[dp.EDGE_PRICE], who[dp.TERMINAL] = draw.choice([0.0, 0.4]), 1.0, 0.4
    demand = float(draw.choice([1.0, 10.0, 40.0]))
    who[dp.UNSERVED] = 20.0 + demand / 0.5
    cap_in = np.full(slots, draw.choice([70.0, 400.0]))
    asked = (load, pv, bought, 0.5 * bought, cap_in, np.full(slots, 20.0), np.full(slots, 0.2 * capacity), who)
    return asked, demand, float(draw.choice([0.0, 40.0, 60.0, 500.0]))


def optimum(asked: tuple[Series, ...], demand: float, free: float) -> float:
    load, pv, bought, sold, cap_in, cap_out, reserve, who = asked
    store = slow_lp.LpStore(
        low=who[dp.LOW],
        high=who[dp.HIGH],
        start=who[dp.START],
        charge=who[dp.CHARGE],
        discharge=who[dp.DISCHARGE],
        eta_c=who[dp.ETA_C],
        eta_d=who[dp.ETA_D],
        keep=1.0,
        wear=who[dp.WEAR],
        terminal=who[dp.TERMINAL],
        reserve=reserve,
        reserve_price=who[dp.RESERVE_PRICE],
    )
    site = slow_lp.LpSite(0.5, load, pv, bought, sold, cap_in, cap_out, who[dp.UNSERVED], [store], (), demand, free)
    return float(slow_lp.lowest_cost(site))


@pytest.mark.parametrize("seed", range(24))
def test_its_cost_is_the_independent_optimum(seed: int) -> None:
    asked, demand, free = question(seed)
    *_, cost, allowed, proven = plan_under_demand(*asked, demand, free, 1e-10, 80)
    assert cost == pytest.approx(optimum(asked, demand, free), rel=2e-9, abs=1e-7)
    assert cost - proven <= 1e-9 * (1.0 + abs(cost))
    power = plan_under_demand(*asked, demand, free, 1e-10, 80)[0]
    assert (asked[0] - asked[1] - power <= max(allowed, free) + 1e-6).all() or allowed >= asked[4][0] - 1e-6


def test_no_load_is_shed_to_save_a_peak() -> None:
    asked, _, _ = question(3)
    asked[-1][dp.UNSERVED] = 20.0 + 500.0 / 0.5
    power, *_, allowed, _ = plan_under_demand(*asked, 500.0, 0.0, 1e-9, 60)
    assert (asked[0] - asked[1] - power <= allowed + 1e-6).all()


def test_a_peak_that_is_already_paid_is_used() -> None:
    asked, _, _ = question(5)
    free = plan_under_demand(*asked, 40.0, 5000.0, 1e-9, 60)
    without = plan_under_demand(*asked, 0.0, 0.0, 1e-9, 60)
    np.testing.assert_array_equal(free[0], without[0])


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000))
def test_compiled_and_plain_python_agree(seed: int) -> None:
    asked, demand, free = question(seed, slots=12)
    fast = plan_under_demand.compiled(*asked, demand, free, 1e-9, 40)
    slow = plan_under_demand.twin(*asked, demand, free, 1e-9, 40)
    for one, other in zip(fast, slow, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-7)
