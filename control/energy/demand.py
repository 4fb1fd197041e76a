"""Demand charge: owns the search for the import that is worth paying a peak for.

What a month's peak costs is a price a kW above what is free (the peak so far, or the wish). For one storage the total
cost is a convex function of the import that the plan allows itself: the exact programme under that limit, plus the
charge. Between two tried limits it cannot lie below the lines through their neighbours; where these cross is the next
limit to try, and the distance to the crossing is a proof of how far the best one can be from the optimum.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from control.energy.exact_dp import CHARGE, example_storage, solve_storage
from control.energy.kernels import inner, kernel
from control.energy.plan import Series

_NARROW = 1e-9  # tried limits this close together (relative) are not told apart


@inner
def _crossing(x: Series, f: Series, count: int, i: int) -> tuple[float, float]:
    """Where between tried points i and i + 1 the least may lie, and how low it can be there at most.

    Gives the middle and minus infinity where a neighbour for one of the two lines is lacking.
    """
    a, b = x[i], x[i + 1]
    middle = 0.5 * (a + b)
    if b - a <= _NARROW * (1.0 + b):
        return middle, min(f[i], f[i + 1])
    if i + 2 >= count:
        return middle, -np.inf
    falls = (f[i] - f[i - 1]) / (a - x[i - 1]) if i > 0 else -np.inf
    rises = (f[i + 2] - f[i + 1]) / (x[i + 2] - b)
    if falls == -np.inf:
        # At the left end nothing is known from the left: the line from the right alone bounds it.
        return middle, f[i + 1] - rises * (b - a)
    if rises - falls <= 1e-15:
        return middle, min(f[i], f[i + 1])
    at = (f[i + 1] - rises * b - f[i] + falls * a) / (falls - rises)
    bound = f[i] + falls * (at - a)
    edge = 0.001 * (b - a)
    return min(max(at, a + edge), b - edge) if a < at < b else middle, bound


@inner
def _next(x: Series, f: Series, count: int, best: int) -> tuple[float, float]:
    """The next limit to try beside the best one, and the lowest that the cost can be."""
    at, bound = x[best], f[best]
    for i in range(max(best - 1, 0), min(best + 1, count - 1)):
        place, low = _crossing(x, f, count, i)
        if low < bound:
            at, bound = place, low
    return at, bound


@inner
def _insert(x: Series, f: Series, count: int, at: float, value: float) -> None:
    """Keep the tried limits sorted."""
    place = count
    while place > 0 and x[place - 1] > at:
        x[place], f[place] = x[place - 1], f[place - 1]
        place -= 1
    x[place], f[place] = at, value


@inner
def _peak(load: Series, pv: Series, import_price: Series, import_cap: Series, storage_kw: Series, who: Series) -> float:
    """The highest import of a schedule, or that could be wanted at a negative price."""
    peak = 0.0
    for t in range(load.size):
        peak = max(peak, min(load[t] - pv[t] - storage_kw[t], import_cap[t]))
        if import_price[t] < 0.0:
            peak = max(peak, min(load[t] + who[CHARGE], import_cap[t]))
    return peak


def _example() -> tuple[Any, ...]:
    one = np.ones(4)
    return one, one, one, one, one, one, one, example_storage(), 1.0, 0.5, 1e-9, 8


@kernel(_example)
def plan_under_demand(
    load: Series,
    pv: Series,
    import_price: Series,
    export_price: Series,
    import_cap: Series,
    export_cap: Series,
    reserve: Series,
    who: Series,
    demand_price: float,
    free_kw: float,
    gap: float,
    rounds: int,
) -> tuple[Series, Series, Series, float, float, float]:
    """The optimal schedule of one storage where import above `free_kw` costs `demand_price` yuan a kW once.

    As `plan_storage`, with the unserved price of `who` high enough that no load is shed to save a peak. Searches
    until the best cost is within `gap` (relative) of the proven lowest, or for `rounds` tries. Gives power, energy,
    curve, total cost with the charge, the import allowed (kW) and the proven lowest cost.
    """
    slots = load.size
    storage_kw, energy = np.empty(slots), np.empty(slots + 1)
    curve = np.empty((2, 8 * (slots + 1)))
    x, f = np.empty(rounds + 5), np.empty(rounds + 5)
    tried = best = count = 0
    peak = total = 0.0
    at, lowest = np.inf, -np.inf
    done = False
    # One place that solves, so that the kernel is compiled with one copy of the programme: first without a limit, then
    # the search, at last the best limit again for its schedule.
    for turn in range(rounds + 2):
        count, total = solve_storage(
            load, pv, import_price, export_price, import_cap, export_cap, reserve, who, at, storage_kw, energy, curve
        )
        if done:
            break
        if turn == 0:
            peak = _peak(load, pv, import_price, import_cap, storage_kw, who)
            if peak <= free_kw or demand_price <= 0.0:
                return storage_kw, energy, curve[:, :count].copy(), total, peak, total
            at = peak
        _insert(x, f, tried, at, total + demand_price * (at - free_kw))
        tried += 1
        best = 0
        for i in range(1, tried):
            if f[i] < f[best]:
                best = i
        if turn < 3:
            at = free_kw + (peak - free_kw) * turn / 3.0
            continue
        at, lowest = _next(x, f, tried, best)
        if turn >= rounds or f[best] - lowest <= gap * (1.0 + abs(f[best])):
            at = x[best]
            done = True
    return storage_kw, energy, curve[:, :count].copy(), f[best], x[best], lowest
