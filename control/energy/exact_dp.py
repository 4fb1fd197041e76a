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

_PARTS = 6  # four parts of the site's cost, one of them cut in two by standing still, and room for one more


@inner
def lowest_price(who: Series) -> float:
    """Below this price burning energy by charging and discharging at once would earn."""
    loss = 1.0 / who[ETA_C] - who[ETA_D]
    return float(-2.0 * who[WEAR] / loss) if loss > 1e-9 else -1e9


@inner
def price_bounds(import_price: float, export_price: float, lowest: float) -> tuple[float, float]:
    """The two prices as convex ones: export no dearer than import, neither below `lowest`."""
    bought = max(import_price, lowest)
    return bought, max(min(export_price, bought), lowest)


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
def _slot_parts(
    net: float,
    top: float,
    bottom: float,
    into: float,
    out_of: float,
    inverse: float,
    eta_d: float,
    wear: float,
    cost: Series,
    slopes: Series,
    lengths: Series,
    base: int,
) -> tuple[int, int]:
    """The slot's cost over energy taken out of the storage: its segments from `base` on, how many, how many charge.

    Every segment is written and only counted where it has a length: that has no branches to guess wrongly.
    """
    at, charging = base, 0
    for i in range(3, -1, -1):
        low, high = max(cost[i], bottom), min(cost[i + 1], top)
        price = cost[5 + i]
        length = (high - max(low, net)) * into
        slopes[at], lengths[at] = -price * inverse - wear, length
        used = 1 if length > 0.0 else 0
        at += used
        charging += used
        length = (min(high, net) - low) * out_of
        slopes[at], lengths[at] = wear - price * eta_d, length
        at += 1 if length > 0.0 else 0
    lengths[at] = 0.0
    return at - base, charging


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
def _take_charging(
    slopes: Series,
    lengths: Series,
    left: int,
    right: int,
    parts: Series,
    sizes: Series,
    first: int,
    last: int,
    begins: Series,
    who: Series,
) -> int:
    """Merge the charging segments `first` to `last` into the cost to go and cut as much from its left; the new end.

    `begins` gets the energy from which on each segment is used. Those that lie left of everything are used at any
    energy and are cut off again at once, so they are not merged at all. Among equal slopes standing still is preferred.
    """
    at = who[LOW]
    for j in range(first, last):
        at -= sizes[j]
    j = first
    if who[KEEP] == 1.0:
        while j < last and parts[j] <= slopes[left]:
            begins[j] = at
            at += sizes[j]
            j += 1
        if j == last:
            return left
    cut, i = 0.0, left
    for k in range(j, last):
        while i < right and slopes[i] < parts[k]:
            at += lengths[i]
            i += 1
        begins[k] = at
        cut += sizes[k]
        if i < right and slopes[i] == parts[k]:
            lengths[i] += sizes[k]
            continue
        at += sizes[k]
        for q in range(left, i):
            slopes[q - 1], lengths[q - 1] = slopes[q], lengths[q]
        left -= 1
        slopes[i - 1], lengths[i - 1] = parts[k], sizes[k]
    cut += (who[KEEP] - 1.0) * who[LOW]
    least = 1e-12 * who[HIGH]
    while left < right - 1 and lengths[left] <= cut + least:
        cut -= lengths[left]
        left += 1
    lengths[left] -= cut
    return left


@inner
def _take_discharging(
    slopes: Series,
    lengths: Series,
    left: int,
    right: int,
    parts: Series,
    sizes: Series,
    first: int,
    last: int,
    begins: Series,
    who: Series,
) -> int:
    """As `_take_charging`, from the other side: merge the discharging segments and cut from the right."""
    at = who[HIGH]
    for j in range(first, last):
        at += sizes[j]
    j = last - 1
    while j >= first and parts[j] >= slopes[right - 1]:
        at -= sizes[j]
        begins[j] = at
        j -= 1
    if j < first and who[KEEP] == 1.0:
        return right
    cut, i = 0.0, right
    for k in range(j, first - 1, -1):
        while i > left and slopes[i - 1] > parts[k]:
            i -= 1
            at -= lengths[i]
        begins[k] = at - sizes[k]
        cut += sizes[k]
        if i > left and slopes[i - 1] == parts[k]:
            lengths[i - 1] += sizes[k]
            continue
        at -= sizes[k]
        for q in range(right, i, -1):
            slopes[q], lengths[q] = slopes[q - 1], lengths[q - 1]
        right += 1
        slopes[i], lengths[i] = parts[k], sizes[k]
    cut += (1.0 - who[KEEP]) * who[HIGH]
    least = 1e-12 * who[HIGH]
    while left < right - 1 and lengths[right - 1] <= cut + least:
        right -= 1
        cut -= lengths[right]
    lengths[right - 1] -= cut
    return right


@inner
def _stretch(slopes: Series, lengths: Series, left: int, right: int, keep: float) -> None:
    """From energy that is kept over a slot to energy at its beginning."""
    for k in range(left, right):
        slopes[k] *= keep
        lengths[k] /= keep


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
    eta_d, wear, charge, discharge = who[ETA_D], who[WEAR], who[CHARGE], who[DISCHARGE]
    inverse, into, out_of = 1.0 / who[ETA_C], who[SLOT_H] * who[ETA_C], who[SLOT_H] / who[ETA_D]
    lowest = lowest_price(who)
    tilted = who[RESERVE_PRICE] > 0.0 or who[SOFT_LOW] > who[LOW] or who[SOFT_HIGH] < who[HIGH]
    parts, sizes, begins = np.empty(_PARTS * slots), np.zeros(_PARTS * slots), np.zeros(_PARTS * slots)
    deepest = np.empty(slots)
    left = room // 2
    right = left + 1
    slopes[left], lengths[left] = -who[TERMINAL], who[HIGH] - who[LOW]
    for t in range(slots - 1, -1, -1):
        if tilted:
            left = _tilt_all(slopes, lengths, left, right, reserve[t], who)
        bought, sold = price_bounds(import_price[t], export_price[t], lowest)
        _site_cost(load[t], pv[t], bought, sold, min(import_cap[t], cap_kw), export_cap[t], who[UNSERVED], cost)
        net = load[t] - pv[t]
        top, bottom = min(net + charge, cost[4]), max(net - discharge, cost[0])
        count, charging = _slot_parts(
            net, top, bottom, into, out_of, inverse, eta_d, wear, cost, parts, sizes, t * _PARTS
        )
        first, between, last = t * _PARTS, t * _PARTS + charging, t * _PARTS + count
        deepest[t] = 0.0
        for j in range(first, between):
            deepest[t] -= sizes[j]
        left = _take_charging(slopes, lengths, left, right, parts, sizes, first, between, begins, who)
        right = _take_discharging(slopes, lengths, left, right, parts, sizes, between, last, begins, who)
        if who[KEEP] != 1.0:
            _stretch(slopes, lengths, left, right, who[KEEP])
    curve[0, : right - left], curve[1, : right - left] = slopes[left:right], lengths[left:right]
    total = 0.0
    energy[0] = who[START]
    for t in range(slots):
        kept = who[KEEP] * energy[t]
        # Below its range it got by self-discharge alone: then it may be charged, not discharged.
        at = max(kept, who[KEEP] * who[LOW])
        taken = deepest[t]
        for j in range(t * _PARTS, (t + 1) * _PARTS):
            taken += min(max(at - begins[j], 0.0), sizes[j])
        taken = max(min(taken, max(kept - who[LOW], 0.0)), kept - who[HIGH])
        if abs(taken) < 1e-10 * who[HIGH]:
            taken = 0.0
        after = kept - taken
        energy[t + 1] = after
        storage_kw[t] = bus_kw(taken, who[ETA_C], who[ETA_D], who[SLOT_H])
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
        total += who[WEAR] * abs(taken) + who[SLOT_H] * (
            who[RESERVE_PRICE] * max(min(reserve[t], who[HIGH]) - after, 0.0)
            + who[EDGE_PRICE] * (max(who[SOFT_LOW] - after, 0.0) + max(after - who[SOFT_HIGH], 0.0))
        )
    return right - left, total - who[TERMINAL] * (energy[slots] - who[LOW])


def after(who: Series, energy: float, power_kw: float) -> float:
    """Stored energy after one slot at this power."""
    change = power_kw / who[ETA_D] if power_kw > 0.0 else power_kw * who[ETA_C]
    return float(who[KEEP] * energy - change * who[SLOT_H])


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
