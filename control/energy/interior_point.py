"""The banded interior point: owns solving linear programmes whose columns each touch a few neighbouring rows.

A site with several storages and vehicles, slot by slot, has this shape: a power touches the slot's balance and one
storage's row, a stored energy touches that storage's rows of two neighbouring slots, and a month's peak is handed
from slot to slot. The normal equations are then banded, with a band as wide as one slot's rows, and are factored in
time linear in the number of slots.

Method: Mehrotra's predictor and corrector for bounded variables (S. Mehrotra, SIAM J. Optim. 2 (1992), 575-601).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from control.energy.kernels import inner, kernel
from control.energy.plan import Series

Rows = npt.NDArray[np.int64]

TOUCHED = 3  # rows that a column can touch
_SHORTEN = 0.99995  # how far to go towards the nearest bound
_LEAST_PIVOT = 1e-30

# Rows of the table that the iteration works on, one column a variable.
_X, _S, _Z, _W, _DX, _DZ, _DW, _DUAL, _PUSH, _WEIGHT, _PER_X, _PER_S = range(12)


@inner
def _weigh(rows: Rows, coefficients: Series, weight: Series, band: int, factor: Series) -> None:
    """Fill the lower band of A diag(weight) A': `factor[i, band - k]` is the entry of row i and row i - k."""
    factor[:, :] = 0.0
    for j in range(weight.size):
        for p in range(TOUCHED):
            high = rows[p, j]
            if high < 0:
                break
            scaled = weight[j] * coefficients[p, j]
            for q in range(p + 1):
                factor[high, band - high + rows[q, j]] += scaled * coefficients[q, j]


@inner
def _decompose(factor: Series, band: int, column: Series) -> None:
    """L D L' in place, the inverse of D on the diagonal. A row without columns gets nought there: its step is none."""
    rows = factor.shape[0]
    for j in range(rows):
        pivot = factor[j, band]
        inverse = 1.0 / pivot if pivot > _LEAST_PIVOT else 0.0
        factor[j, band] = inverse
        deepest = 0
        for k in range(1, min(band, rows - 1 - j) + 1):
            column[k] = factor[j + k, band - k]
            if column[k] != 0.0:
                deepest = k
        for k in range(1, deepest + 1):
            scale = column[k] * inverse
            if scale != 0.0:
                factor[j + k, band - k] = scale
                for q in range(1, k + 1):
                    factor[j + k, band - k + q] -= scale * column[q]


@inner
def _back_solve(factor: Series, band: int, right: Series) -> None:
    """Solve in place with the factor of `_decompose`."""
    rows = factor.shape[0]
    for i in range(rows):
        total = right[i]
        for k in range(max(0, i - band), i):
            total -= factor[i, band - i + k] * right[k]
        right[i] = total
    for i in range(rows):
        right[i] *= factor[i, band]
    for i in range(rows - 1, -1, -1):
        known = right[i]
        for k in range(max(0, i - band), i):
            right[k] -= factor[i, band - i + k] * known


@inner
def _times(rows: Rows, coefficients: Series, x: Series, out: Series) -> None:
    """`out` becomes A x."""
    out[:] = 0.0
    for j in range(x.size):
        for p in range(TOUCHED):
            if rows[p, j] < 0:
                break
            out[rows[p, j]] += coefficients[p, j] * x[j]


@inner
def _across(rows: Rows, coefficients: Series, y: Series, out: Series) -> None:
    """`out` becomes A' y."""
    for j in range(out.size):
        total = 0.0
        for p in range(TOUCHED):
            if rows[p, j] < 0:
                break
            total += coefficients[p, j] * y[rows[p, j]]
        out[j] = total


@inner
def _measure(
    rows: Rows, coefficients: Series, cost: Series, right: Series, y: Series, table: Series, primal: Series
) -> tuple[float, float]:
    """Fill both residuals; the sum of all products of value and price, and the relative error."""
    _times(rows, coefficients, table[_X], primal)
    _across(rows, coefficients, y, table[_DUAL])
    size_right = size_cost = 1.0
    worst_primal = worst_dual = gap = value = 0.0
    for i in range(right.size):
        primal[i] = right[i] - primal[i]
        worst_primal = max(worst_primal, abs(primal[i]))
        size_right = max(size_right, abs(right[i]))
    for j in range(cost.size):
        table[_DUAL, j] = cost[j] - table[_DUAL, j] - table[_Z, j] + table[_W, j]
        worst_dual = max(worst_dual, abs(table[_DUAL, j]))
        size_cost = max(size_cost, abs(cost[j]))
        gap += table[_X, j] * table[_Z, j] + table[_S, j] * table[_W, j]
        value += cost[j] * table[_X, j]
    return gap, max(worst_primal / size_right, worst_dual / size_cost, gap / (1.0 + abs(value)))


@inner
def _direct(
    rows: Rows,
    coefficients: Series,
    factor: Series,
    band: int,
    table: Series,
    primal: Series,
    dy: Series,
    aim: float,
    second: float,
) -> tuple[float, float]:
    """Fill the step towards products of `aim`; `second` is 1 where the last step's products are corrected for.

    Gives how far it can go in the values and how far in the prices until the first comes to nought, at most 1.
    """
    for i in range(dy.size):
        dy[i] = primal[i]
    for j in range(table.shape[1]):
        low = aim - table[_X, j] * table[_Z, j] - second * table[_DX, j] * table[_DZ, j]
        high = aim - table[_S, j] * table[_W, j] + second * table[_DX, j] * table[_DW, j]
        low, high = low * table[_PER_X, j], high * table[_PER_S, j]
        table[_DZ, j], table[_DW, j] = low, high
        push = table[_DUAL, j] - low + high
        table[_PUSH, j] = push
        push *= table[_WEIGHT, j]
        for p in range(TOUCHED):
            if rows[p, j] < 0:
                break
            dy[rows[p, j]] += coefficients[p, j] * push
    _back_solve(factor, band, dy)
    values = prices = 1.0
    for j in range(table.shape[1]):
        total = 0.0
        for p in range(TOUCHED):
            if rows[p, j] < 0:
                break
            total += coefficients[p, j] * dy[rows[p, j]]
        step = table[_WEIGHT, j] * (total - table[_PUSH, j])
        low = table[_DZ, j] - table[_Z, j] * table[_PER_X, j] * step
        high = table[_DW, j] + table[_W, j] * table[_PER_S, j] * step
        table[_DX, j], table[_DZ, j], table[_DW, j] = step, low, high
        if -step * values > table[_X, j]:
            values = -table[_X, j] / step
        if step * values > table[_S, j]:
            values = table[_S, j] / step
        if -low * prices > table[_Z, j]:
            prices = -table[_Z, j] / low
        if -high * prices > table[_W, j]:
            prices = -table[_W, j] / high
    return values, prices


@inner
def _products(table: Series, values: float, prices: float) -> float:
    """The sum of products after such a step."""
    left = 0.0
    for j in range(table.shape[1]):
        left += (table[_X, j] + values * table[_DX, j]) * (table[_Z, j] + prices * table[_DZ, j])
        left += (table[_S, j] - values * table[_DX, j]) * (table[_W, j] + prices * table[_DW, j])
    return left


@inner
def _advance(table: Series, upper: Series, y: Series, dy: Series, values: float, prices: float) -> None:
    """Take the step, ending just before the nearest bound."""
    values, prices = min(1.0, _SHORTEN * values), min(1.0, _SHORTEN * prices)
    for j in range(upper.size):
        table[_X, j] += values * table[_DX, j]
        table[_S, j] = max(upper[j] - table[_X, j], 1e-14 * upper[j])
        table[_Z, j] += prices * table[_DZ, j]
        table[_W, j] += prices * table[_DW, j]
    for i in range(y.size):
        y[i] += prices * dy[i]


def _example() -> tuple[Any, ...]:
    rows = np.full((TOUCHED, 3), -1)
    rows[0] = (0, 0, 1)
    rows[1, 0] = 1
    return rows, np.ones((TOUCHED, 3)), np.ones(3), np.ones(3), np.ones(2), 2, 1e-9, 3


@kernel(_example)
def solve_banded(
    rows: Rows,
    coefficients: Series,
    cost: Series,
    upper: Series,
    right: Series,
    band: int,
    tolerance: float,
    limit: int,
) -> tuple[Series, Series, float, int]:
    """Minimise cost x with A x = right and 0 <= x <= upper (all finite and above nought).

    Column j has `coefficients[:, j]` in `rows[:, j]` (3, columns): rows rise, -1 where there is no further, and lie
    no more than `band` apart. Best with values around 1. At most `limit` rounds.

    Gives x, the dual of each row, the larger of relative gap and relative infeasibility, and the rounds it took; the
    caller judges by the third whether that is a solution.
    """
    n, m = cost.size, right.size
    factor, column = np.empty((m, band + 1)), np.empty(band + 1)
    table = np.zeros((12, n))
    for j in range(n):
        table[_X, j] = table[_S, j] = 0.5 * upper[j]
        table[_Z, j] = max(cost[j], 0.0) + 1.0
        table[_W, j] = table[_Z, j] - cost[j]
    y, dy, primal = np.zeros(m), np.empty(m), np.empty(m)
    gap, error = _measure(rows, coefficients, cost, right, y, table, primal)
    done = 0
    while error > tolerance and done < limit:
        for j in range(n):
            table[_PER_X, j], table[_PER_S, j] = 1.0 / table[_X, j], 1.0 / table[_S, j]
            table[_WEIGHT, j] = 1.0 / (table[_Z, j] * table[_PER_X, j] + table[_W, j] * table[_PER_S, j])
        _weigh(rows, coefficients, table[_WEIGHT], band, factor)
        _decompose(factor, band, column)
        values, prices = _direct(rows, coefficients, factor, band, table, primal, dy, 0.0, 0.0)
        aim = gap / (2 * n) * (_products(table, values, prices) / gap) ** 3
        values, prices = _direct(rows, coefficients, factor, band, table, primal, dy, aim, 1.0)
        _advance(table, upper, y, dy, values, prices)
        gap, error = _measure(rows, coefficients, cost, right, y, table, primal)
        done += 1
    return table[_X].copy(), y, error, done
