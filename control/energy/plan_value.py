"""What stored energy is worth to the fast loop: owns the curve of all storages together and its split.

The storages are taken as one: what they can deliver to the bus, their powers added, efficiencies weighted by what
they hold. With scenarios the curve comes from `stochastic_dp` (the future is not known), else from the exact
programme on the middle forecast. One curve is then given to each storage by its share of the deliverable energy: at
the same part of its range a kWh in the bus is worth the same from each, so a kWh in the storage is worth that times
its own efficiency of discharging. Losses and wear of the moment are the fast loop's; so the more efficient storage
works first.
"""

from __future__ import annotations

import numpy as np

from control.energy import exact_dp as dp
from control.energy.plan import Series, ValueCurve
from control.energy.plan_repair import Question
from control.energy.stochastic_dp import LADDER_STEPS, fill_ladder, marginal_curve

_CELLS = 32
_PEAK_H = 1.0  # the fast loop prices a kWh above the month's peak alike
_MIX_DAY, _MIX_NIGHT = 0.1, 0.5


def value_curves(
    question: Question, ev_kw: Series, allowed_kw: float, net_scenarios: Series | None, weights: Series | None
) -> dict[str, ValueCurve]:
    """A curve for each storage. Scenarios are load less PV, (n, slots), without vehicles; weights sum to 1."""
    if not question.storages:
        return {}
    whole = together(question)
    if whole[dp.HIGH] - whole[dp.LOW] <= 1e-6:
        return {spec.id: _flat(who) for spec, who in zip(question.specs, question.storages, strict=True)}
    if net_scenarios is None or weights is None:
        slope, length = _exact(question, whole, ev_kw, allowed_kw)
    else:
        slope, length = _stochastic(question, whole, net_scenarios + ev_kw, weights, allowed_kw)
        slope += _reserve_worth(question, whole, ev_kw, allowed_kw)
    worth: Series = np.minimum.accumulate(slope)
    edges = np.concatenate(([0.0], np.cumsum(length)))
    edges /= edges[-1]
    return {
        spec.id: _own(who, whole, edges, worth) for spec, who in zip(question.specs, question.storages, strict=True)
    }


def together(question: Question) -> Series:
    """All storages as one, as a vector of `exact_dp`."""
    each = np.array(question.storages)
    size = np.maximum(each[:, dp.HIGH] - each[:, dp.LOW], 1e-9)
    whole: Series = each[0].copy()
    for place in (dp.LOW, dp.HIGH, dp.SOFT_LOW, dp.SOFT_HIGH, dp.START, dp.CHARGE, dp.DISCHARGE):
        whole[place] = each[:, place].sum()
    for place in (dp.ETA_C, dp.ETA_D, dp.KEEP, dp.TERMINAL):
        whole[place] = np.average(each[:, place], weights=size)
    whole[dp.START] = min(max(whole[dp.START], whole[dp.LOW]), whole[dp.HIGH])
    return whole


def _exact(question: Question, whole: Series, ev_kw: Series, allowed_kw: float) -> tuple[Series, Series]:
    extra, fed = np.maximum(ev_kw, 0.0), np.maximum(-ev_kw, 0.0)
    _, _, curve, _ = dp.plan_storage(
        question.load + extra,
        question.pv + fed,
        question.import_price,
        question.export_price,
        np.minimum(question.import_cap, allowed_kw),
        question.export_cap,
        question.reserve.sum(axis=0),
        whole,
    )
    return -curve[0], curve[1]


def _stochastic(
    question: Question, whole: Series, net: Series, weights: Series, allowed_kw: float
) -> tuple[Series, Series]:
    """From the scenarios, without the reserve. Import above the planned peak costs what a peak of an hour would: a
    scenario that passes it raises the peak, it sheds no load."""
    slots = question.slots
    edge, price = np.empty((slots, LADDER_STEPS)), np.empty((slots, LADDER_STEPS + 1))
    for t in range(slots):
        fill_ladder(
            edge[t],
            price[t],
            question.import_price[t],
            question.export_price[t],
            question.import_cap[t],
            question.export_cap[t],
            allowed_kw,
            question.demand_price / _PEAK_H,
            0.0,
            0.0,
            question.unserved,
        )
    mix = np.where(question.pv > 0.0, _MIX_DAY, _MIX_NIGHT)
    cells = np.full(_CELLS, whole[dp.TERMINAL])
    places = (dp.LOW, dp.HIGH, dp.CHARGE, dp.DISCHARGE, dp.ETA_C, dp.ETA_D, dp.WEAR)
    storage = np.array([whole[place] for place in places])
    worth = marginal_curve(net, weights, edge, price, mix, cells, storage, question.slot_h)
    return worth, np.full(_CELLS, (whole[dp.HIGH] - whole[dp.LOW]) / _CELLS)


def _reserve_worth(question: Question, whole: Series, ev_kw: Series, allowed_kw: float) -> Series:
    """What the reserve of all slots to come adds to the worth of each cell: the exact curve with it, less that without.

    The ride-through hours make the reserve rise towards evening; that is known hours before.
    """
    if whole[dp.RESERVE_PRICE] <= 0.0 or not (question.reserve > 0.0).any():
        return np.zeros(_CELLS)
    careless = whole.copy()
    careless[dp.RESERVE_PRICE] = 0.0
    held = _in_cells(*_exact(question, whole, ev_kw, allowed_kw))
    return np.maximum(held - _in_cells(*_exact(question, careless, ev_kw, allowed_kw)), 0.0)


def _in_cells(slope: Series, length: Series) -> Series:
    """The mean of a curve in equal cells."""
    edges = np.concatenate(([0.0], np.cumsum(length)))
    sums = np.concatenate(([0.0], np.cumsum(slope * length)))
    bounds = np.linspace(0.0, edges[-1], _CELLS + 1)
    mean: Series = np.diff(np.interp(bounds, edges, sums)) * _CELLS / edges[-1]
    return mean


def _own(who: Series, whole: Series, edges: Series, worth: Series) -> ValueCurve:
    span = max(who[dp.HIGH] - who[dp.LOW], 1e-9)
    return ValueCurve(energy_kwh=who[dp.LOW] + edges * span, value_per_kwh=worth * (who[dp.ETA_D] / whole[dp.ETA_D]))


def _flat(who: Series) -> ValueCurve:
    return ValueCurve(
        energy_kwh=np.array([who[dp.LOW], max(who[dp.HIGH], who[dp.LOW] + 1e-9)]),
        value_per_kwh=np.array([who[dp.TERMINAL]]),
    )
