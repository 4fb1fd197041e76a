"""The site as a plain linear programme for scipy: owns the independent optimum that the solvers are held to.

Written variable by variable, without regard to speed. Everything in kW and kWh, unscaled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix, vstack


@dataclass(frozen=True)
class LpStore:
    low: float
    high: float
    start: float
    charge: float
    discharge: float
    eta_c: float
    eta_d: float
    keep: float
    wear: float
    terminal: float
    reserve: Sequence[float]
    reserve_price: float


@dataclass(frozen=True)
class LpEv:
    first: int
    last: int
    need: float
    room: float
    spare: float
    max_kw: float
    v2g_kw: float
    efficiency: float
    wear: float
    short_price: float


@dataclass(frozen=True)
class LpSite:
    slot_h: float
    load: Sequence[float]
    pv: Sequence[float]
    import_price: Sequence[float]
    export_price: Sequence[float]
    import_cap: Sequence[float]
    export_cap: Sequence[float]
    unserved: float
    stores: Sequence[LpStore]
    evs: Sequence[LpEv] = ()
    demand_price: float = 0.0
    demand_free: float = 0.0


@dataclass
class _Programme:
    cost: list[float] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)
    rows: list[tuple[float, float]] = field(default_factory=list)

    def variable(self, cost: float, low: float, high: float) -> int:
        self.cost.append(cost)
        self.low.append(low)
        self.high.append(high)
        return len(self.cost) - 1

    def row(self, terms: Sequence[tuple[int, float]], low: float, high: float) -> None:
        self.entries += [(len(self.rows), j, a) for j, a in terms]
        self.rows.append((low, high))


def programme(site: LpSite) -> _Programme:
    """The linear programme; rows have a lower and an upper bound."""
    p, h, slots = _Programme(), site.slot_h, len(site.load)
    bus: list[list[tuple[int, float]]] = []
    peak = p.variable(site.demand_price, site.demand_free, np.inf) if site.demand_price > 0 else -1
    for t in range(slots):
        bought = p.variable(site.import_price[t] * h, 0, site.import_cap[t])
        sold = p.variable(-site.export_price[t] * h, 0, site.export_cap[t])
        curtailed = p.variable(0, 0, site.pv[t])
        unserved = p.variable(site.unserved * h, 0, site.load[t])
        bus.append([(bought, 1.0), (sold, -1.0), (curtailed, -1.0), (unserved, 1.0)])
        if peak >= 0:
            p.row([(bought, 1.0), (peak, -1.0)], -np.inf, 0)
    for store in site.stores:
        _store(p, store, bus, h)
    for ev in site.evs:
        _ev(p, ev, bus, h)
    for t in range(slots):
        p.row(bus[t], site.load[t] - site.pv[t], site.load[t] - site.pv[t])
    return p


def _store(p: _Programme, store: LpStore, bus: list[list[tuple[int, float]]], h: float) -> None:
    before = -1
    for t, terms in enumerate(bus):
        charge = p.variable(store.wear * store.eta_c * h, 0, store.charge)
        discharge = p.variable(store.wear / store.eta_d * h, 0, store.discharge)
        last = t == len(bus) - 1
        energy = p.variable(-store.terminal if last else 0, store.low, store.high)
        short = p.variable(store.reserve_price * h, 0, np.inf)
        terms += [(charge, -1.0), (discharge, 1.0)]
        row = [(energy, 1.0), (charge, -store.eta_c * h), (discharge, h / store.eta_d)]
        held = store.keep * store.start if before < 0 else 0.0
        p.row(row if before < 0 else [*row, (before, -store.keep)], held, held)
        p.row([(energy, 1.0), (short, 1.0)], min(store.reserve[t], store.high), np.inf)
        before = energy


def _ev(p: _Programme, ev: LpEv, bus: list[list[tuple[int, float]]], h: float) -> None:
    before = -1
    for t in range(ev.first, ev.last):
        charge = p.variable(0, 0, ev.max_kw)
        back = p.variable(ev.wear / ev.efficiency * h, 0, ev.v2g_kw)
        energy = p.variable(0, -ev.spare, max(ev.room, ev.need))
        bus[t] += [(charge, -1.0), (back, 1.0)]
        row = [(energy, 1.0), (charge, -ev.efficiency * h), (back, h / ev.efficiency)]
        p.row(row if before < 0 else [*row, (before, -1.0)], 0, 0)
        before = energy
    short = p.variable(ev.short_price, 0, np.inf)
    p.row([(before, 1.0), (short, 1.0)], ev.need, np.inf)


def lowest_cost(site: LpSite) -> float:
    """The optimum: energy, unserved load, wear, missing reserve, vehicles left short, and the whole peak's charge
    above what is free, less the value of the energy left above each lower limit."""
    p = programme(site)
    row, column, value = (np.array(each) for each in zip(*p.entries, strict=True))
    matrix = coo_matrix((value, (row, column)), shape=(len(p.rows), len(p.cost))).tocsc()
    low, high = np.array(p.rows).T
    same = low == high
    up, down = ~same & np.isfinite(high), ~same & np.isfinite(low)
    found = linprog(
        p.cost,
        A_eq=matrix[same],
        b_eq=low[same],
        A_ub=vstack([matrix[up], -matrix[down]]),
        b_ub=np.concatenate([high[up], -low[down]]),
        bounds=np.column_stack([p.low, p.high]),
        method="highs",
        options={"primal_feasibility_tolerance": 1e-9, "dual_feasibility_tolerance": 1e-9},
    )
    assert found.status == 0, found.message
    kept = sum(store.terminal * store.low for store in site.stores)
    return float(found.fun) + kept - site.demand_price * site.demand_free
