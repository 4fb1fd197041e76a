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
import numpy.typing as npt

from control.energy.kernels import inner, kernel
from control.energy.plan import Series
from control.energy.site_cost import slot_cost

# Where each scalar stands in the vector of a storage, so that a kernel takes one array and not fifteen numbers.
SLOT_H, LOW, HIGH, SOFT_LOW, SOFT_HIGH, START, CHARGE, DISCHARGE = 0, 1, 2, 3, 4, 5, 6, 7
ETA_C, ETA_D, KEEP, WEAR, RESERVE_PRICE, EDGE_PRICE, UNSERVED, TERMINAL = 8, 9, 10, 11, 12, 13, 14, 15
SCALARS = 16

Ends = npt.NDArray[np.int64]

_PARTS = 5  # four parts of the site's cost, one of them cut in two by standing still
_FORBIDDEN = -1e15  # the slope of energies that must not be left as they are


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
    slopes: Series, lengths: Series, left: int, right: int, price: float, size: float, least: float
) -> tuple[int, float]:
    """Merge a charging segment into the cost to go and cut as much from its left; the new end, and how far it reaches.

    That takes `size` from what lies left of the segment's slope, and puts at its place what was taken. It is used as
    long as the energy then is less than what lay left of it: among equal slopes standing still is preferred.
    """
    i, below = left, 0.0
    while i < right and slopes[i] < price:
        below += lengths[i]
        i += 1
    put, step = min(size, below), 1
    if i < right and slopes[i] == price:
        lengths[i] += put
        step = 0
    rest, end = -size, left
    for q in range(left, i):
        rest += lengths[q]
        if rest <= least:
            end += 1
        slopes[q - step], lengths[q - step] = slopes[q], min(lengths[q], rest)
    if step == 1:
        slopes[i - 1], lengths[i - 1] = price, put
    return end - step, below


@inner
def _take_discharging(
    slopes: Series, lengths: Series, left: int, right: int, price: float, size: float, least: float
) -> tuple[int, float]:
    """As `_take_charging`, from the other side: merge a discharging segment and cut from the right."""
    i, above = right, 0.0
    while i > left and slopes[i - 1] > price:
        i -= 1
        above += lengths[i]
    put, step = min(size, above), 1
    if i > left and slopes[i - 1] == price:
        lengths[i - 1] += put
        step = 0
    rest, end = -size, right
    for q in range(right - 1, i - 1, -1):
        rest += lengths[q]
        if rest <= least:
            end -= 1
        slopes[q + step], lengths[q + step] = slopes[q], min(lengths[q], rest)
    if step == 1:
        slopes[i], lengths[i] = price, put
    return end + step, above


@inner
def _lose(slopes: Series, lengths: Series, left: int, right: int, who: Series) -> tuple[int, int]:
    """From energy that is kept over a slot to energy at its beginning."""
    keep, cut = who[KEEP], (1.0 - who[KEEP]) * who[HIGH]
    while left < right - 1 and lengths[right - 1] <= cut:
        right -= 1
        cut -= lengths[right]
    lengths[right - 1] -= cut
    if slopes[left] == _FORBIDDEN and left < right - 1:
        # What cannot be charged in this slot was lost below the range: it counts like the range's lowest energy.
        left += 1
        lengths[left] += lengths[left - 1]
    for k in range(left, right):
        slopes[k] *= keep
        lengths[k] /= keep
    return left, right


@inner
def _walk(
    charging: Series, begins: Series, sizes: Series, ends: Ends, who: Series, energy: Series, storage_kw: Series
) -> float:
    """Forward from the start: energy and power of each slot from the segments that are used; what their wear costs."""
    keep, low, high = who[KEEP], who[LOW], who[HIGH]
    slack, still = 1e-9 * high, 1e-10 * high
    per_out, per_in = who[ETA_D] / who[SLOT_H], 1.0 / (who[ETA_C] * who[SLOT_H])
    now, moved = who[START], 0.0
    energy[0] = now
    for t in range(charging.size):
        kept = keep * now
        at = max(kept, keep * low)
        taken = -charging[t]
        for j in range(ends[t + 1], ends[t]):
            taken += min(max(at - begins[j], 0.0), sizes[j])
        if kept < low + slack or kept > high - slack:
            # Below its range it got by self-discharge alone: then it may be charged, not discharged.
            taken = max(min(taken, max(kept - low, 0.0)), kept - high)
        now = kept - taken
        energy[t + 1] = now
        if abs(taken) < still:
            taken = 0.0
        moved += abs(taken)
        storage_kw[t] = taken * per_out if taken >= 0.0 else taken * per_in
    return float(who[WEAR] * moved)


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
    slots, keep, low, high = load.size, who[KEEP], who[LOW], who[HIGH]
    room = 16 * (slots + 1)
    slopes, lengths, cost = np.empty(room), np.empty(room), np.empty(9)
    # The segments of the slots' costs that are ever used: where each begins and how long it is, in the order of the
    # walk back; where a slot's last one ends; and the sizes of those that charge together.
    begins, sizes, charging = np.empty(_PARTS * slots), np.empty(_PARTS * slots), np.empty(slots)
    ends = np.zeros(slots + 1, np.int64)
    inverse, into, out_of = 1.0 / who[ETA_C], who[SLOT_H] * who[ETA_C], who[SLOT_H] / who[ETA_D]
    eta_d, wear, least, lowest = who[ETA_D], who[WEAR], 1e-12 * high, lowest_price(who)
    tilted = who[RESERVE_PRICE] > 0.0 or who[SOFT_LOW] > low or who[SOFT_HIGH] < high
    left = room // 2
    right = left + 1
    slopes[left], lengths[left] = -who[TERMINAL], high - low
    used = 0
    for t in range(slots - 1, -1, -1):
        if tilted:
            left = _tilt_all(slopes, lengths, left, right, reserve[t], who)
        if keep != 1.0 and low > 0.0:
            left -= 1
            slopes[left], lengths[left] = _FORBIDDEN, (1.0 - keep) * low
        bought, sold = price_bounds(import_price[t], export_price[t], lowest)
        _site_cost(load[t], pv[t], bought, sold, min(import_cap[t], cap_kw), export_cap[t], who[UNSERVED], cost)
        net = load[t] - pv[t]
        top, bottom = min(net + who[CHARGE], cost[4]), max(net - who[DISCHARGE], cost[0])
        together = 0.0
        for i in range(4):
            size = (min(cost[i + 1], top) - max(max(cost[i], bottom), net)) * into
            price = -cost[5 + i] * inverse - wear
            if size > 0.0 and slopes[left] < price:
                left, reach = _take_charging(slopes, lengths, left, right, price, size, least)
                begins[used], sizes[used] = keep * low + reach - size, size
                together += size
                used += 1
        charging[t] = together
        for i in range(3, -1, -1):
            size = (min(min(cost[i + 1], top), net) - max(cost[i], bottom)) * out_of
            price = wear - cost[5 + i] * eta_d
            if size > 0.0 and slopes[right - 1] > price:
                right, reach = _take_discharging(slopes, lengths, left, right, price, size, least)
                begins[used], sizes[used] = high - reach, size
                used += 1
        ends[t] = used
        if keep != 1.0:
            left, right = _lose(slopes, lengths, left, right, who)
    curve[0, : right - left], curve[1, : right - left] = slopes[left:right], lengths[left:right]
    total = _walk(charging, begins, sizes, ends, who, energy, storage_kw)
    for t in range(slots):
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
    if tilted or keep != 1.0 or not low <= who[START] <= high:
        for t in range(slots):
            total += who[SLOT_H] * (
                who[RESERVE_PRICE] * max(min(reserve[t], high) - energy[t + 1], 0.0)
                + who[EDGE_PRICE] * (max(who[SOFT_LOW] - energy[t + 1], 0.0) + max(energy[t + 1] - who[SOFT_HIGH], 0.0))
            )
    return right - left, total - who[TERMINAL] * (energy[slots] - low)


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
