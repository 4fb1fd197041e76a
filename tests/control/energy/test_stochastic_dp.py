"""The value curve: one scenario gives the optimum, mixing lies between the extremes, compiled equals plain."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from control.energy.site import StorageSpec
from control.energy.stochastic_dp import (
    LADDER_STEPS,
    curves_with_outages,
    execute_by_curve,
    fill_ladder,
    marginal_curve,
    storage_vector,
)

STORAGE = storage_vector(
    StorageSpec(id="s", capacity_kwh=100.0, charge_max_kw=30.0, discharge_max_kw=25.0), wear_per_kwh=0.01
)


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    marginal_curve.warm()


def ladders(import_price: np.ndarray, export_price: float = 0.1, import_max: float = 60.0) -> tuple[np.ndarray, ...]:
    slots = len(import_price)
    edge, price = np.zeros((slots, LADDER_STEPS)), np.zeros((slots, LADDER_STEPS + 1))
    for slot in range(slots):
        fill_ladder(
            edge[slot], price[slot], import_price[slot], export_price, import_max, 40.0, 1e9, 0.0, 0.0, 0.0, 10.0
        )
    return edge, price


def cost_of(net: float, power: float, edge: np.ndarray, price: np.ndarray, slot_h: float = 1.0) -> float:
    """The ladder's price of a need and the wear, added up slowly."""
    need = net - power
    total = 0.0
    bounds = [-1e9, *edge, 1e9]
    for step, one in enumerate(price):
        low, high = bounds[step], bounds[step + 1]
        if need > 0.0:
            total += one * max(0.0, min(need, high) - max(0.0, low))
        else:
            total -= one * max(0.0, min(0.0, high) - max(need, low))
    moved = power / STORAGE[5] if power > 0.0 else -power * STORAGE[4]
    return (total + STORAGE[6] * moved) * slot_h


def roll(net: np.ndarray, edge: np.ndarray, price: np.ndarray, cells: int) -> tuple[float, list[float]]:
    """Act by the curve of the one true future; cost and powers."""
    energy, total, powers = 50.0, 0.0, []
    for slot in range(len(net)):
        curve = np.zeros(cells)
        if slot + 1 < len(net):
            rest = len(net) - slot - 1
            curve = marginal_curve(
                net[None, slot + 1 :].copy(), np.ones(1), edge[slot + 1 :], price[slot + 1 :], np.zeros(rest),
                np.zeros(cells), STORAGE, 1.0,
            )  # fmt: skip
        power = execute_by_curve(curve, energy, net[slot], edge[slot], price[slot], STORAGE, 1.0)
        energy -= power / STORAGE[5] if power > 0.0 else power * STORAGE[4]
        assert STORAGE[0] - 1e-9 <= energy <= STORAGE[1] + 1e-9
        total += cost_of(net[slot], power, edge[slot], price[slot])
        powers.append(power)
    return total, powers


def best(net: np.ndarray, import_price: np.ndarray) -> float:
    """The optimum of the same hours as a linear programme: charge, discharge, import, export, curtail, unserved."""
    slots = len(net)
    one, none = np.eye(slots), np.zeros((slots, slots))
    cost = np.concatenate([
        np.full(slots, STORAGE[6] * STORAGE[4]), np.full(slots, STORAGE[6] / STORAGE[5]),
        import_price, np.full(slots, -0.1), np.zeros(slots), np.full(slots, 10.0),
    ])  # fmt: skip
    limits = [
        *[(0.0, STORAGE[2])] * slots, *[(0.0, STORAGE[3])] * slots, *[(0.0, 60.0)] * slots,
        *[(0.0, 40.0)] * slots, *[(0.0, None)] * slots, *[(0.0, None)] * slots,
    ]  # fmt: skip
    balance = np.hstack([-one, one, one, -one, -one, one])
    stored = np.hstack([np.tril(np.ones((slots, slots))) * STORAGE[4],
                        np.tril(np.ones((slots, slots))) / -STORAGE[5], none, none, none, none])  # fmt: skip
    room = np.concatenate([np.full(slots, STORAGE[1] - 50.0), np.full(slots, 50.0 - STORAGE[0])])
    found = linprog(
        cost, A_ub=np.vstack([stored, -stored]), b_ub=room, A_eq=balance, b_eq=net, bounds=limits, method="highs"
    )
    assert found.status == 0
    return float(found.fun)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_one_scenario_gives_the_optimum_within_the_grid(seed: int) -> None:
    random = np.random.default_rng(seed)
    net = random.normal(15.0, 35.0, 48)
    import_price = random.choice([0.2, 0.5, 0.9], 48)
    edge, price = ladders(import_price)
    total, _ = roll(net, edge, price, 128)
    bound = best(net, import_price)
    assert total >= bound - 1e-6
    assert total <= bound + 2e-3 * abs(bound)


def test_more_cells_never_cost_much() -> None:
    random = np.random.default_rng(5)
    net = random.normal(10.0, 30.0, 60)
    edge, price = ladders(random.choice([0.2, 0.4, 0.8], 60))
    coarse, _ = roll(net, edge, price, 16)
    fine, _ = roll(net, edge, price, 256)
    assert coarse == pytest.approx(fine, rel=2e-3)


finite = st.floats(-80.0, 80.0, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(finite, min_size=6, max_size=6), min_size=1, max_size=4),
    st.lists(st.floats(0.0, 2.0), min_size=6, max_size=6),
    st.floats(0.0, 1.0),
)
def test_compiled_equals_plain_and_the_curve_never_rises(
    nets: list[list[float]], prices: list[float], mix: float
) -> None:
    edge, price = ladders(np.array(prices))
    weight = np.full(len(nets), 1.0 / len(nets))
    args = (np.array(nets), weight, edge, price, np.full(6, mix), np.zeros(12), STORAGE, 1.0)
    plain = marginal_curve.twin(*args)
    compiled = marginal_curve.compiled(*args)
    assert np.array_equal(plain, compiled)
    assert np.all(np.diff(compiled) <= 1e-9)
    assert compiled.min() >= -STORAGE[6] - 1e-9
    assert compiled.max() <= 10.0


@settings(max_examples=60, deadline=None)
@given(finite, st.floats(10.0, 95.0), st.lists(st.floats(0.0, 2.0), min_size=8, max_size=8), st.floats(0.0, 1.5))
def test_acting_by_the_curve_is_the_best_of_all_powers(
    net: float, energy: float, worths: list[float], price_now: float
) -> None:
    curve = np.sort(np.array(worths))[::-1].copy()
    edge, price = ladders(np.array([price_now]))
    width = (STORAGE[1] - STORAGE[0]) / len(curve)

    def gain(power: float) -> float:
        after = energy - (power / STORAGE[5] if power > 0.0 else power * STORAGE[4]) - STORAGE[0]
        filled = np.clip(after - width * np.arange(len(curve)), 0.0, width)
        return float(filled @ curve) - cost_of(net, power, edge[0], price[0])

    chosen = execute_by_curve(curve, energy, net, edge[0], price[0], STORAGE, 1.0)
    low = -min(STORAGE[2], max(0.0, STORAGE[1] - energy) / STORAGE[4])
    high = min(STORAGE[3], max(0.0, energy - STORAGE[0]) * STORAGE[5])
    assert low - 1e-9 <= chosen <= high + 1e-9
    assert gain(chosen) >= max(gain(one) for one in np.linspace(low, high, 101)) - 1e-6


def test_below_its_floor_the_storage_is_not_discharged_further() -> None:
    edge, price = ladders(np.array([0.5]))
    power = execute_by_curve(np.zeros(8), STORAGE[0] - 3.0, 20.0, edge[0], price[0], STORAGE, 1.0)
    assert power <= 0.0


def test_energy_is_worth_more_where_the_grid_may_go() -> None:
    net = np.full((1, 12), 20.0)
    edge, price = ladders(np.full(12, 0.3))
    down, price_down = ladders(np.full(12, 0.3), import_max=0.0)
    common = (net, np.ones(1), edge, price, down, price_down)
    rest = (np.zeros(12), np.zeros(16), STORAGE, 1.0)
    never = curves_with_outages(*common, 0.0, 0.0, *rest)[0]
    sometimes = curves_with_outages(*common, 0.05, 0.3, *rest)
    assert sometimes[0][0] > never[0]
    assert sometimes[1][0] > sometimes[0][0]


@settings(max_examples=100, deadline=None)
@given(*itertools.repeat(st.floats(-1.0, 2.0), 2), *itertools.repeat(st.floats(0.0, 100.0), 4), st.floats(0.0, 2.0))
def test_every_ladder_rises(
    bought: float, sold: float, import_max: float, export_max: float, soft: float, backup: float, backup_price: float
) -> None:
    edge, price = np.zeros(LADDER_STEPS), np.zeros(LADDER_STEPS + 1)
    fill_ladder(edge, price, bought, sold, import_max, export_max, soft, 0.4, backup, backup_price, 10.0)
    assert np.all(np.diff(edge) >= -1e-9)
    assert np.all(np.diff(price) >= 0.0)
    assert price[0] == 0.0
