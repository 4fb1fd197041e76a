"""The planner's questions as linear programmes for HiGHS. Owns the peer: its model, its optimum and its time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import coo_matrix

from control.domain.errors import IslandError
from control.energy import exact_dp as dp
from control.energy.plan import Series
from control.energy.site_lp import SiteProblem


class PeerMissing(IslandError):
    """HiGHS is not installed; the text says how to."""


@dataclass(frozen=True)
class Optimum:
    """What HiGHS found: cost in yuan, seconds for handing over the model and solving, and for solving alone."""

    cost: float
    total_s: float
    run_s: float
    rows: int
    columns: int


class _Model:
    def __init__(self) -> None:
        self.cost: list[Series] = []
        self.low: list[Series] = []
        self.high: list[Series] = []
        self.entries: list[tuple[Any, Any, Any]] = []
        self.row_low: list[Series] = []
        self.row_high: list[Series] = []
        self.columns = self.rows = 0

    def variables(self, size: int, cost: Any, low: Any, high: Any) -> Any:
        """Where these stand."""
        for kept, value in ((self.cost, cost), (self.low, low), (self.high, high)):
            kept.append(np.broadcast_to(np.asarray(value, dtype=float), size))
        self.columns += size
        return np.arange(self.columns - size, self.columns)

    def constraints(self, size: int, low: Any, high: Any, *terms: tuple[Any, Any]) -> None:
        """Rows; each term gives one column for each row, or fewer for the last rows."""
        rows = np.arange(self.rows, self.rows + size)
        for columns, factor in terms:
            at = rows[size - columns.size :]
            self.entries.append((at, columns, np.broadcast_to(np.asarray(factor, dtype=float), at.size)))
        self.row_low.append(np.broadcast_to(np.asarray(low, dtype=float), size))
        self.row_high.append(np.broadcast_to(np.asarray(high, dtype=float), size))
        self.rows += size


def lowest(problem: SiteProblem, repeats: int = 1) -> Optimum:
    """The optimum by HiGHS (its defaults, one thread), the best time of `repeats`. Raises PeerMissing."""
    try:
        import highspy
    except ImportError as error:
        raise PeerMissing("HiGHS is not installed: pip install highspy, or the extra `benchmark`.") from error
    model, constant = _model(problem)
    row, column, value = (np.concatenate(each) for each in zip(*model.entries, strict=True))
    matrix = coo_matrix((value, (row, column)), shape=(model.rows, model.columns)).tocsc()
    given = [np.concatenate(one) for one in (model.cost, model.low, model.high, model.row_low, model.row_high)]
    best = Optimum(np.inf, np.inf, np.inf, model.rows, model.columns)
    for _ in range(repeats):
        started = time.perf_counter()
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = model.columns, model.rows
        lp.col_cost_, lp.col_lower_, lp.col_upper_, lp.row_lower_, lp.row_upper_ = given
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
        solver.passModel(lp)
        run = time.perf_counter()
        solver.run()
        ended = time.perf_counter()
        assert solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        cost = solver.getInfo().objective_function_value + constant
        best = Optimum(
            cost, min(best.total_s, ended - started), min(best.run_s, ended - run), model.rows, model.columns
        )
    return best


def _model(problem: SiteProblem) -> tuple[_Model, float]:
    model, slots, h = _Model(), problem.load.size, problem.slot_h
    bought = model.variables(slots, problem.import_price * h, 0.0, problem.import_cap)
    sold = model.variables(slots, -problem.export_price * h, 0.0, problem.export_cap)
    curtailed = model.variables(slots, 0.0, 0.0, problem.pv)
    unserved = model.variables(slots, problem.unserved * h, 0.0, problem.load)
    bus = [(bought, 1.0), (sold, -1.0), (curtailed, -1.0), (unserved, 1.0)]
    constant = 0.0
    if problem.demand_price > 0.0:
        peak = model.variables(1, problem.demand_price, problem.demand_free_kw, np.inf)
        model.constraints(slots, -np.inf, 0.0, (bought, 1.0), (np.repeat(peak, slots), -1.0))
        constant -= problem.demand_price * problem.demand_free_kw
    for s, who in enumerate(problem.storages):
        bus += _storage(model, who, problem.reserve[s], h)
        constant += who[dp.TERMINAL] * who[dp.LOW]
    late = [_vehicle(model, problem, index) for index in range(len(problem.evs))]
    net = problem.load - problem.pv
    model.constraints(slots, net, net, *bus)
    for first, charge, back in late:
        rows = model.rows - slots + first + np.arange(charge.size)
        model.entries.append((rows, charge, np.full(charge.size, -1.0)))
        model.entries.append((rows, back, np.ones(charge.size)))
    return model, constant


def _storage(model: _Model, who: Series, reserve: Series, h: float) -> list[tuple[Any, float]]:
    slots = reserve.size
    charge = model.variables(slots, who[dp.WEAR] * who[dp.ETA_C] * h, 0.0, who[dp.CHARGE])
    discharge = model.variables(slots, who[dp.WEAR] / who[dp.ETA_D] * h, 0.0, who[dp.DISCHARGE])
    worth = np.zeros(slots)
    worth[-1] = -who[dp.TERMINAL]
    energy = model.variables(slots, worth, who[dp.LOW], who[dp.HIGH])
    start = np.zeros(slots)
    start[0] = who[dp.KEEP] * who[dp.START]
    model.constraints(
        slots,
        start,
        start,
        (energy, 1.0),
        (energy[:-1], -who[dp.KEEP]),
        (charge, -who[dp.ETA_C] * h),
        (discharge, h / who[dp.ETA_D]),
    )
    if who[dp.RESERVE_PRICE] > 0.0:
        short = model.variables(slots, who[dp.RESERVE_PRICE] * h, 0.0, np.inf)
        model.constraints(slots, np.minimum(reserve, who[dp.HIGH]), np.inf, (energy, 1.0), (short, 1.0))
    return [(charge, -1.0), (discharge, 1.0)]


def _vehicle(model: _Model, problem: SiteProblem, index: int) -> tuple[int, Any, Any]:
    ev, h = problem.evs[index], problem.slot_h
    stay = ev.last - ev.first
    charge = model.variables(stay, 0.0, 0.0, ev.max_kw)
    back = model.variables(stay, problem.v2g_wear / ev.efficiency * h, 0.0, ev.v2g_kw)
    energy = model.variables(stay, 0.0, -ev.spare_kwh, max(ev.room_kwh, ev.need_kwh))
    short = model.variables(1, problem.short_price, 0.0, np.inf)
    model.constraints(
        stay, 0.0, 0.0, (energy, 1.0), (energy[:-1], -1.0), (charge, -ev.efficiency * h), (back, h / ev.efficiency)
    )
    model.constraints(1, ev.need_kwh, np.inf, (energy[-1:], 1.0), (short, 1.0))
    return ev.first, charge, back
