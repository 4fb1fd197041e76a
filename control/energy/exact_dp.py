"""The exact optimum of one storage: owns the piecewise-linear dynamic programme over its stored energy.

The cost to go is a convex piecewise-linear function of the energy in the storage, kept as its segments (slope, length)
in rising order of slope. One step back in time is the infimal convolution with the slot's own cost, which for convex
functions is a merge of two sorted lists of segments, cut to the storage's range. Nothing is discretised: the result
is the optimum of the linear programme up to rounding, and the slopes are the marginal value of stored energy.
While merging, each segment of a slot's cost is remembered with the energy at which it begins to be used; walking
forward, the optimal power follows from these few numbers without the cost to go.

Where a price would make it pay to import and export, or to charge and discharge, in the same slot (export dearer than
import; a negative price below what wear and losses cost), the slot's cost is no longer convex. Such prices are
planned as the nearest convex ones, and the schedule is costed by the true ones; `price_bounds` gives both limits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from control.energy.kernels import inner, kernel
from control.energy.plan import Series
from control.energy.site_cost import bus_kw, slot_cost

# Where each scalar stands in the vector of a storage, so that a kernel takes one array and not fifteen numbers.
SLOT_H, LOW, HIGH, SOFT_LOW, SOFT_HIGH, START, CHARGE, DISCHARGE = 0, 1, 2, 3, 4, 5, 6, 7
ETA_C, ETA_D, KEEP, WEAR, RESERVE_PRICE, EDGE_PRICE, UNSERVED, TERMINAL = 8, 9, 10, 11, 12, 13, 14, 15
SCALARS = 16

_PARTS = 5  # four parts of the site's cost, one of them cut in two by the storage standing still


@inner
def price_bounds(import_price: float, export_price: float, who: Series) -> tuple[float, float]:
    """The two prices as convex ones: export no dearer than import, neither below what burning energy would earn."""
    loss = 1.0 / who[ETA_C] - who[ETA_D]
    low = -2.0 * who[WEAR] / loss if loss > 1e-9 else -1e9
    bought = max(import_price, low)
    return bought, max(min(export_price, bought), low)


@inner
def _site_cost(
    load: float, pv: float, bought: float, sold: float, cap_in: float, cap_out: float, unserved: float, cost: Series
) -> None:
    """Fill `cost` with five bounds (kW) and the four slopes between them of the site's cost over residual power."""
    cost[0], cost[3], cost[4], cost[8] = -cap_out - pv, cap_in, cap_in + load, unserved
    if sold >= 0.0:
        cost[1], cost[2], cost[5], cost[6], cost[7] = -cap_out, 0.0, 0.0, sold, bought
    elif bought >= 0.0:
        cost[1], cost[2], cost[5], cost[6], cost[7] = -pv, 0.0, sold, 0.0, bought
    else:
        cost[1], cost[2], cost[5], cost[6], cost[7] = -pv, cap_in - pv, sold, bought, 0.0


@inner
def _slot_parts(net: float, who: Series, cost: Series, slopes: Series, lengths: Series, base: int) -> tuple[int, int]:
    """The slot's cost over energy taken out of the storage: its segments from `base` on, how many, how many charge."""
    into, out_of = who[SLOT_H] * who[ETA_C], who[SLOT_H] / who[ETA_D]
    top, bottom = min(net + who[CHARGE], cost[4]), max(net - who[DISCHARGE], cost[0])
    count = charging = 0
    for i in range(3, -1, -1):
        a, b = max(cost[i], bottom), min(cost[i + 1], top)
        if b > a and b > net:
            slopes[base + count] = -cost[5 + i] / who[ETA_C] - who[WEAR]
            lengths[base + count] = (b - max(a, net)) * into
            count += 1
            charging = count
        if b > a and a < net:
            slopes[base + count] = who[WEAR] - cost[5 + i] * who[ETA_D]
            lengths[base + count] = (min(b, net) - a) * out_of
            count += 1
    return count, charging


@inner
def _tilt(slopes: Series, lengths: Series, left: int, right: int, depth: float, price: float) -> int:
    """Make the lowest `depth` kWh worth `price` more; splits the segment that its end lies in. The new left end."""
    i, rest = left, depth
    while i < right and rest > 1e-9:
        if lengths[i] > rest + 1e-9:
            for k in range(left, i):
                slopes[k - 1], lengths[k - 1] = slopes[k], lengths[k]
            lengths[i] -= rest
            slopes[i - 1], lengths[i - 1] = slopes[i] - price, rest
            return left - 1
        slopes[i] -= price
        rest -= lengths[i]
        i += 1
    return left


@inner
def _tilt_all(slopes: Series, lengths: Series, left: int, right: int, reserve: float, who: Series) -> int:
    """Price what lacks at a slot's end to the reserve and the lower edge, and what is above the upper edge."""
    slot_h, low, high = who[SLOT_H], who[LOW], who[HIGH]
    if reserve > low and who[RESERVE_PRICE] > 0.0:
        left = _tilt(slopes, lengths, left, right, min(reserve, high) - low, who[RESERVE_PRICE] * slot_h)
    if who[SOFT_LOW] > low:
        left = _tilt(slopes, lengths, left, right, who[SOFT_LOW] - low, who[EDGE_PRICE] * slot_h)
    if who[SOFT_HIGH] < high:
        left = _tilt(slopes, lengths, left, right, who[SOFT_HIGH] - low, who[EDGE_PRICE] * slot_h)
        for i in range(left, right):
            slopes[i] += who[EDGE_PRICE] * slot_h
    return left


@inner
def _take_in(
    slopes: Series,
    lengths: Series,
    left: int,
    right: int,
    parts: Series,
    sizes: Series,
    base: int,
    count: int,
    charging: int,
    begins: Series,
    who: Series,
) -> tuple[int, int, float]:
    """Merge a slot's segments into the cost to go. Among equal slopes standing still is preferred.

    `begins` gets the energy from which on each segment is used. Gives the new ends, and how much charging was added.
    """
    added = 0.0
    for j in range(base, base + charging):
        added += sizes[j]
    at = who[LOW] - added
    i = left
    for j in range(base, base + charging):
        while i < right and slopes[i] < parts[j]:
            at += lengths[i]
            i += 1
        begins[j] = at
        at += sizes[j]
        if i < right and slopes[i] == parts[j]:
            lengths[i] += sizes[j]
            at -= sizes[j]
        else:
            for k in range(left, i):
                slopes[k - 1], lengths[k - 1] = slopes[k], lengths[k]
            left -= 1
            slopes[i - 1], lengths[i - 1] = parts[j], sizes[j]
    at = who[HIGH]
    for j in range(base + charging, base + count):
        at += sizes[j]
    i = right
    for j in range(base + count - 1, base + charging - 1, -1):
        while i > left and slopes[i - 1] > parts[j]:
            i -= 1
            at -= lengths[i]
        at -= sizes[j]
        begins[j] = at
        if i > left and slopes[i - 1] == parts[j]:
            lengths[i - 1] += sizes[j]
            at += sizes[j]
        else:
            for k in range(right, i, -1):
                slopes[k], lengths[k] = slopes[k - 1], lengths[k - 1]
            right += 1
            slopes[i], lengths[i] = parts[j], sizes[j]
    return left, right, added


@inner
def _cut(slopes: Series, lengths: Series, left: int, right: int, below: float, who: Series) -> tuple[int, int]:
    """Cut the cost to go to the storage's range, from `below` kWh above its left end on; the new ends."""
    keep = who[KEEP]
    least = 1e-12 * who[HIGH]
    rest = below + (keep - 1.0) * who[LOW]
    while left < right - 1 and lengths[left] <= rest + least:
        rest -= lengths[left]
        left += 1
    lengths[left] -= rest
    rest = keep * (who[HIGH] - who[LOW])
    i = left
    while i < right - 1 and lengths[i] < rest - least:
        rest -= lengths[i]
        i += 1
    lengths[i] = rest
    if keep != 1.0:
        for k in range(left, i + 1):
            slopes[k] *= keep
            lengths[k] /= keep
    return left, i + 1


@inner
def solve_storage(
    load: Series,
    pv: Series,
    import_price: Series,
    export_price: Series,
    import_cap: Series,
    export_cap: Series,
    reserve: Series,
    who: Series,
    cap_kw: float,
    storage_kw: Series,
    energy: Series,
    curve: Series,
) -> tuple[int, float]:
    """See `plan_storage`; writes into the last three arrays and gives the curve's length and the cost."""
    slots = load.size
    room = 16 * (slots + 1)
    slopes, lengths = np.empty(room), np.empty(room)
    cost = np.empty(9)
    parts, sizes, begins = np.empty(_PARTS * slots), np.zeros(_PARTS * slots), np.zeros(_PARTS * slots)
    deepest = np.empty(slots)
    left = room // 2
    right = left + 1
    slopes[left], lengths[left] = -who[TERMINAL], who[HIGH] - who[LOW]
    for t in range(slots - 1, -1, -1):
        left = _tilt_all(slopes, lengths, left, right, reserve[t], who)
        bought, sold = price_bounds(import_price[t], export_price[t], who)
        _site_cost(load[t], pv[t], bought, sold, min(import_cap[t], cap_kw), export_cap[t], who[UNSERVED], cost)
        count, charging = _slot_parts(load[t] - pv[t], who, cost, parts, sizes, t * _PARTS)
        left, right, added = _take_in(
            slopes, lengths, left, right, parts, sizes, t * _PARTS, count, charging, begins, who
        )
        deepest[t] = -added
        left, right = _cut(slopes, lengths, left, right, added, who)
    curve[0, : right - left], curve[1, : right - left] = slopes[left:right], lengths[left:right]
    total = 0.0
    energy[0] = who[START]
    for t in range(slots):
        kept = who[KEEP] * energy[t]
        taken = deepest[t]
        for j in range(t * _PARTS, (t + 1) * _PARTS):
            taken += min(max(kept - begins[j], 0.0), sizes[j])
        after = min(max(kept - taken, who[LOW]), who[HIGH])
        if abs(kept - after) < 1e-10 * who[HIGH]:
            after = kept
        energy[t + 1] = after
        storage_kw[t] = bus_kw(kept - after, who[ETA_C], who[ETA_D], who[SLOT_H])
        residual = load[t] - pv[t] - storage_kw[t]
        total += who[SLOT_H] * slot_cost(
            residual,
            pv[t],
            import_price[t],
            export_price[t],
            min(import_cap[t], cap_kw),
            export_cap[t],
            who[UNSERVED],
        )
        total += who[WEAR] * abs(kept - after) + who[SLOT_H] * (
            who[RESERVE_PRICE] * max(min(reserve[t], who[HIGH]) - after, 0.0)
            + who[EDGE_PRICE] * (max(who[SOFT_LOW] - after, 0.0) + max(after - who[SOFT_HIGH], 0.0))
        )
    return right - left, total - who[TERMINAL] * (energy[slots] - who[LOW])


def _example() -> tuple[Any, ...]:
    one = np.ones(4)
    return one, one, one, one, one, one, one, example_storage()


def example_storage() -> Series:
    """A storage vector of the right type, for warming."""
    who = np.ones(SCALARS)
    who[LOW], who[SOFT_LOW], who[HIGH], who[SOFT_HIGH] = 0.0, 0.0, 2.0, 2.0
    return who


@kernel(_example)
def plan_storage(
    load: Series,
    pv: Series,
    import_price: Series,
    export_price: Series,
    import_cap: Series,
    export_cap: Series,
    reserve: Series,
    who: Series,
) -> tuple[Series, Series, Series, float]:
    """The optimal schedule of one storage.

    Series are (slots,): load and PV in kW (not negative), prices in yuan a kWh with carbon in them, limits in kW,
    `reserve` the energy (kWh) wanted in the storage at each slot's end. `who` (16,) is the storage, see the indices
    above: energies in kWh, powers in kW at the bus, prices in yuan a kWh (reserve and edges: a kWh and hour), `KEEP`
    what is left of stored energy after one slot, `WEAR` a kWh of change of
    stored energy in either direction, `TERMINAL` what a kWh is worth at the end.

    Gives power at the bus (slots,), energy (slots + 1,), the curve now (2, segments: marginal cost to go of stored
    energy, rising and mostly negative; length in kWh) and the cost, with the value of the energy left taken off.
    """
    slots = load.size
    storage_kw, energy = np.empty(slots), np.empty(slots + 1)
    curve = np.empty((2, 8 * (slots + 1)))
    count, total = solve_storage(
        load,
        pv,
        import_price,
        export_price,
        import_cap,
        export_cap,
        reserve,
        who,
        np.inf,
        storage_kw,
        energy,
        curve,
    )
    return storage_kw, energy, curve[:, :count].copy(), total
