"""The site as a linear programme: owns which columns and rows several storages and vehicles give.

Rows of a slot, in this order: the balance at the bus, one row for each storage, one for each vehicle, and the peak
where demand is charged. Everything is counted in kWh a slot, divided by one common size. Where the programme could
gain by charging and discharging at once, `unpack` keeps the energies and takes the powers that really lead to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from control.energy import exact_dp as dp
from control.energy.interior_point import TOUCHED, Rows, solve_banded
from control.energy.plan import Series

BALANCE = 0


@dataclass(frozen=True, slots=True, eq=False)
class Ev:
    """A vehicle as the programme sees it, energies in its battery from now on in kWh; slots within the horizon."""

    first: int
    last: int  # excluded
    need_kwh: float
    room_kwh: float
    spare_kwh: float
    max_kw: float
    v2g_kw: float
    efficiency: float


@dataclass(frozen=True, slots=True, eq=False)
class SiteProblem:
    """A repaired question. Series (slots,), reserve (storages, slots), storages as vectors of `exact_dp`."""

    slot_h: float
    load: Series
    pv: Series
    import_price: Series
    export_price: Series
    import_cap: Series
    export_cap: Series
    reserve: Series
    storages: tuple[Series, ...]
    evs: tuple[Ev, ...]
    unserved: float
    short_price: float
    v2g_wear: float
    demand_price: float
    demand_free_kw: float


@dataclass(frozen=True, slots=True, eq=False)
class SiteAnswer:
    """Powers at the bus (positive supplies), energies at the slots' ends, and the marginal price at the bus.

    `ev_worth` is what one more kWh in each vehicle is worth when it comes.
    """

    storage_kw: Series
    energy_kwh: Series
    ev_kw: Series
    ev_short_kwh: Series
    ev_worth: Series
    bus_price: Series
    error: float
    rounds: int


class _Columns:
    """Collects columns, one a slot in each addition. Those that cannot be above nought are left out in the end."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.none = np.full(slots, -1)
        self.rows: list[list[Rows]] = [[] for _ in range(TOUCHED)]
        self.coefficients: list[list[float]] = [[] for _ in range(TOUCHED)]
        self.cost: list[Series] = []
        self.upper: list[Series] = []

    def add(self, touched: tuple[tuple[Rows, float], ...], cost: Series | float, upper: Series) -> int:
        """Columns by the rows they touch, rising, -1 for none; which addition this is."""
        for p in range(TOUCHED):
            row, coefficient = touched[p] if p < len(touched) else (self.none, 0.0)
            self.rows[p].append(row)
            self.coefficients[p].append(coefficient)
        self.cost.append(cost if isinstance(cost, np.ndarray) else np.full(self.slots, cost))
        self.upper.append(upper)
        return len(self.cost) - 1

    def all(self) -> tuple[Rows, Series, Series, Series, Rows]:
        """The columns that are kept: rows and coefficients (3, columns), cost, upper bound, and which they are."""
        upper = np.concatenate(self.upper)
        kept = np.flatnonzero(upper > 1e-9)
        rows = np.concatenate([row for touched in self.rows for row in touched]).reshape(TOUCHED, -1)
        return (
            rows.take(kept, axis=1),
            np.array(self.coefficients).take(kept // self.slots, axis=1),
            np.concatenate(self.cost).take(kept),
            upper.take(kept),
            kept,
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """Which additions the answer is read from: energy above the lower edge (one after another), and what is lent."""

    energy: tuple[int, ...]
    lent: int | None = None


def solve_site(problem: SiteProblem, tolerance: float = 1e-8, rounds: int = 80) -> SiteAnswer:
    """The optimum of several storages and vehicles; whether it is one is told by `error` of the answer."""
    slots, slot_h = problem.load.size, problem.slot_h
    base = max(1.0, float(np.max(problem.load + problem.pv)) * slot_h)
    stores = len(problem.storages) + len(problem.evs)
    band = stores + 1 + (2 if problem.demand_price > 0 else 0)
    columns, right = _Columns(slots), np.zeros(slots * band)
    starts = np.arange(slots) * band
    _add_site(columns, right, problem, starts, base)
    _add_import(columns, problem, starts, band, base)
    layouts = [_add_storage(columns, right, problem, index, starts, base) for index in range(len(problem.storages))]
    first = 1 + len(problem.storages)
    layouts += [_add_ev(columns, right, problem, ev, first + i, starts, base) for i, ev in enumerate(problem.evs)]
    rows, coefficients, cost, upper, kept = columns.all()
    x, dual, error, turns = solve_banded(rows, coefficients, cost, upper, right, band, tolerance, rounds)
    found = np.zeros(len(columns.cost) * slots)
    found[kept] = x * base
    return _unpack(problem, layouts, found.reshape(-1, slots), dual.reshape(slots, band), error, turns)


def _add_site(columns: _Columns, right: Series, problem: SiteProblem, starts: Rows, base: float) -> None:
    """Export, curtailed PV and unserved load."""
    unit = problem.slot_h / base
    right[starts] = (problem.load - problem.pv) * unit
    sold = np.minimum(problem.export_price, problem.import_price)
    columns.add(((starts, -1.0),), -sold, problem.export_cap * unit)
    columns.add(((starts, -1.0),), 0.0, problem.pv * unit)
    columns.add(((starts, 1.0),), problem.unserved, problem.load * unit)


def _add_import(columns: _Columns, problem: SiteProblem, starts: Rows, band: int, base: float) -> None:
    """Import, and where demand is charged the peak: above what is free, no slot's import exceeds the peak.

    The peak is one number, handed from slot to slot by a row that says that two neighbours are equal; so its column
    touches neighbouring rows only. It is paid for once, in the first slot.
    """
    unit = problem.slot_h / base
    if problem.demand_price <= 0:
        columns.add(((starts, 1.0),), problem.import_price, problem.import_cap * unit)
        return
    handed, peak = starts + band - 2, starts + band - 1
    free = np.minimum(problem.import_cap, problem.demand_free_kw)
    above = problem.import_cap - free
    most = np.full(starts.size, max(float(np.max(above)), 1.0) * unit)
    once = np.zeros(starts.size)
    once[0] = problem.demand_price / problem.slot_h
    columns.add(((starts, 1.0),), problem.import_price, free * unit)
    columns.add(((starts, 1.0), (peak, 1.0)), problem.import_price, above * unit)
    columns.add(((peak, 1.0),), 0.0, most)
    first, later = np.arange(starts.size) == 0, np.arange(starts.size) > 0
    follows = np.append(handed[1:], -1)
    columns.add(((peak, -1.0), (follows, 1.0)), once, np.where(first, most, 0.0))
    columns.add(((handed, -1.0), (peak, -1.0), (follows, 1.0)), 0.0, np.where(later, most, 0.0))


def _add_storage(
    columns: _Columns, right: Series, problem: SiteProblem, index: int, starts: Rows, base: float
) -> _Layout:
    who, slot_h, slots = problem.storages[index], problem.slot_h, starts.size
    row = starts + 1 + index
    right[row] = (who[dp.KEEP] - 1.0) * who[dp.LOW] / base
    right[row[0]] += who[dp.KEEP] * (who[dp.START] - who[dp.LOW]) / base
    charge = np.full(slots, who[dp.CHARGE] * slot_h / base)
    discharge = np.full(slots, who[dp.DISCHARGE] * slot_h / base)
    columns.add(((starts, -1.0), (row, -who[dp.ETA_C])), who[dp.WEAR] * who[dp.ETA_C], charge)
    columns.add(((starts, 1.0), (row, 1.0 / who[dp.ETA_D])), who[dp.WEAR] / who[dp.ETA_D], discharge)
    after = np.append(row[1:], -1)
    end = np.zeros(slots)
    end[-1] = -who[dp.TERMINAL]
    wanted = np.clip(problem.reserve[index], who[dp.SOFT_LOW], who[dp.SOFT_HIGH])
    edge, short = who[dp.EDGE_PRICE] * slot_h, who[dp.RESERVE_PRICE] * slot_h
    zones = (
        (np.full(slots, who[dp.SOFT_LOW] - who[dp.LOW]), end - edge - short),
        (wanted - who[dp.SOFT_LOW], end - short),
        (who[dp.SOFT_HIGH] - wanted, end),
        (np.full(slots, who[dp.HIGH] - who[dp.SOFT_HIGH]), end + edge),
    )
    held = tuple(columns.add(((row, 1.0), (after, -who[dp.KEEP])), cost, width / base) for width, cost in zones)
    if who[dp.KEEP] == 1.0:
        return _Layout(held)
    # At its lower limit self-discharge goes on; what that takes from below the limit is lent, dearer than any load.
    lent = np.full(slots, (1.0 - who[dp.KEEP]) * who[dp.HIGH] / base)
    return _Layout(held, columns.add(((row, -1.0),), 2.0 * problem.unserved, lent))


def _add_ev(
    columns: _Columns, right: Series, problem: SiteProblem, ev: Ev, place: int, starts: Rows, base: float
) -> _Layout:
    slots, unit = starts.size, problem.slot_h / base
    here = (np.arange(slots) >= ev.first) & (np.arange(slots) < ev.last)
    row = starts + place
    charge, back = np.where(here, ev.max_kw * unit, 0.0), np.where(here, ev.v2g_kw * unit, 0.0)
    columns.add(((starts, -1.0), (row, -ev.efficiency)), 0.0, charge)
    columns.add(((starts, 1.0), (row, 1.0 / ev.efficiency)), problem.v2g_wear / ev.efficiency, back)
    after = np.append(row[1:], -1)
    after[ev.last - 1] = -1
    right[row[ev.first]] += ev.spare_kwh / base
    at_end = np.arange(slots) == ev.last - 1
    asked = np.where(here, (ev.need_kwh + ev.spare_kwh) / base, 0.0)
    more = np.where(here, max(ev.room_kwh - ev.need_kwh, 0.0) / base, 0.0)
    reward = np.where(at_end, -problem.short_price, 0.0)
    kept = ((row, 1.0), (after, -1.0))
    held = (columns.add(kept, reward, asked), columns.add(kept, 0.0, more))
    return _Layout(held)


def _held(x: Series, layout: _Layout) -> Series:
    """Energy above the lower edge at each slot's end."""
    held: Series = x[layout.energy[0] : layout.energy[-1] + 1].sum(axis=0)
    return held


def _really(who: Series, power: Series, energy: Series) -> None:
    """The energies that these powers lead to, nothing lent; discharging ends at the lower limit."""
    for t in range(power.size):
        kept = who[dp.KEEP] * energy[t]
        most = max(kept - who[dp.LOW], 0.0) * who[dp.ETA_D] / who[dp.SLOT_H]
        power[t] = min(power[t], most)
        energy[t + 1] = dp.after(who, energy[t], power[t])


def _unpack(
    problem: SiteProblem, layouts: list[_Layout], x: Series, dual: Series, error: float, rounds: int
) -> SiteAnswer:
    slots, slot_h, count = problem.load.size, problem.slot_h, len(problem.storages)
    storage_kw, energy = np.zeros((count, slots)), np.zeros((count, slots + 1))
    for s, who in enumerate(problem.storages):
        energy[s, 0] = who[dp.START]
        energy[s, 1:] = who[dp.LOW] + _held(x, layouts[s])
        taken = who[dp.KEEP] * energy[s, :-1] - energy[s, 1:]
        if (lent := layouts[s].lent) is not None:
            taken += x[lent]
        power = np.where(taken > 0, taken * who[dp.ETA_D], taken / who[dp.ETA_C]) / slot_h
        storage_kw[s] = np.clip(power, -who[dp.CHARGE], who[dp.DISCHARGE])
        if lent is not None:
            _really(who, storage_kw[s], energy[s])
    ev_kw, short = np.zeros((len(problem.evs), slots)), np.zeros(len(problem.evs))
    for i, ev in enumerate(problem.evs):
        held = _held(x, layouts[count + i])[ev.first : ev.last]
        gained = np.diff(held, prepend=ev.spare_kwh)
        power = np.where(gained > 0, gained / ev.efficiency, gained * ev.efficiency) / slot_h
        ev_kw[i, ev.first : ev.last] = np.clip(power, -ev.v2g_kw, ev.max_kw)
        short[i] = max(ev.need_kwh + ev.spare_kwh - held[-1], 0.0)
    worth = np.array([-dual[ev.first, 1 + count + i] for i, ev in enumerate(problem.evs)])
    return SiteAnswer(storage_kw, energy, ev_kw, short, worth, dual[:, BALANCE], error, rounds)
