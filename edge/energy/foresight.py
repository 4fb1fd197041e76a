"""Perfect foresight: owns the least that a scenario could have cost, as one linear program over all its steps.

It is a bound to lay controllers beside, not a controller. The program knows everything that the booking knows: energy,
carbon, wear, monthly demand charge, outages, unserved load and the generator set. Where prices invite what a single
meter or a single converter cannot do (import and export at once, charge and discharge at once), yes-or-no variables
forbid it. It is solved by HiGHS, as SciPy brings it; SciPy is imported when it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from control.domain.errors import IslandError
from control.energy.plan import Series
from control.energy.scenario import Actions, Scenario

# Blocks of columns, one column a step in each.
IMPORT, PV, DISCHARGE, GENSET, UNSERVED, CHARGE, EXPORT, SURPLUS, STORED = range(9)
_BLOCKS = 9
_INF = np.inf
_MIP_SECONDS = 300.0
_SMALL_KW = 1e-6
_WINDOW = 168
_SERIES = ("local", "load_kw", "pv_kw", "import_price", "export_price", "co2_kg_per_kwh", "grid_up")

Index = npt.NDArray[np.int64]


class Unsolved(IslandError):
    """HiGHS gave no optimum; the text says what it gave instead."""


@dataclass(frozen=True, slots=True, eq=False)
class Foresight:
    """The actions of the optimum, and the cost that no controller can go below.

    With a generator set the bound lets it run below its least power; the actions do not, so they may come a little
    dearer than the bound.
    """

    actions: Actions
    lower_bound: float


def foresee(scenario: Scenario, *, stored_value_per_kwh: float = 0.0) -> Foresight:
    """Solve it. A kWh left in the storage at the end is worth `stored_value_per_kwh`; by default nothing, as booked."""
    program = linear_program(scenario, stored_value_per_kwh)
    bound, columns = solved(program)
    # The bound counts the worth of what is left over against what was there at the beginning.
    bound += stored_value_per_kwh * scenario.stored_initial_kwh
    if scenario.genset and scenario.genset.min_kw > 0.0:
        columns = _with_least_power(scenario, scenario.genset.min_kw, columns)
    needs_limit = scenario.import_cost_per_kwh < 0.0
    genset_kw = np.where(columns[GENSET] > _SMALL_KW, columns[GENSET], 0.0)
    actions = Actions(
        storage_kw=columns[DISCHARGE] - columns[CHARGE],
        pv_max_kw=np.where(needs_limit, columns[PV], scenario.pv_kw),
        genset_kw=genset_kw,
    )
    return Foresight(actions=actions, lower_bound=bound)


def _with_least_power(scenario: Scenario, least_kw: float, bound: Series) -> Series:
    """The columns with the generator set off, or at its least power or above; the bound ignores that it has one.

    Window by window, where the bound breaks it: a small program with a yes-or-no for each step, from the energy that is
    really stored to at least the energy that the bound ends the window with, and no import above the bound's peak.
    """
    columns = bound.copy()
    peak_kw = np.zeros(int(scenario.month[-1]) + 1)
    np.maximum.at(peak_kw, scenario.month, bound[IMPORT])
    for begin in range(0, scenario.steps, _WINDOW):
        window = slice(begin, min(begin + _WINDOW, scenario.steps))
        set_kw = bound[GENSET, window]
        if not np.any((set_kw > _SMALL_KW) & (set_kw < least_kw - _SMALL_KW)):
            continue
        stored_kwh = columns[STORED, begin - 1] if begin else scenario.stored_initial_kwh
        program = linear_program(part_of(scenario, window, stored_kwh), 0.0)
        program.low[STORED, -1] = min(bound[STORED, window][-1] - _SMALL_KW, program.high[STORED, -1])
        program.high[IMPORT] = np.minimum(program.high[IMPORT], peak_kw[scenario.month[window]] + _SMALL_KW)
        program.off_or_above(np.flatnonzero(set_kw < least_kw - _SMALL_KW), GENSET, least_kw)
        try:
            columns[:, window] = solved(program)[1]
        except Unsolved:
            columns[GENSET, window] = np.where(set_kw > _SMALL_KW, np.maximum(set_kw, least_kw), 0.0)
    return columns


def part_of(scenario: Scenario, window: slice, stored_kwh: float) -> Scenario:
    """These steps alone, without the demand charge."""
    return replace(
        scenario,
        **{name: getattr(scenario, name)[window] for name in _SERIES},
        soc_initial_frac=stored_kwh / scenario.storage.capacity_kwh,
        demand_charge_per_kw=0.0,
    )


@dataclass(slots=True, eq=False)
class Program:
    """Columns are the blocks above (each of n), then one peak a month, then yes-or-no variables."""

    n: int
    cost: Series
    low: Series  # (blocks, n)
    high: Series
    peak_cost: Series
    binaries: int = 0
    row_low: list[Series] = field(default_factory=list)
    row_high: list[Series] = field(default_factory=list)
    row_length: list[Index] = field(default_factory=list)
    index: list[Index] = field(default_factory=list)
    value: list[Series] = field(default_factory=list)

    def rows(self, columns: Index, values: Series, low: float | Series, high: float | Series) -> None:
        """Add rows: `columns` and `values` are (rows, entries)."""
        count, width = columns.shape
        self.index.append(columns.reshape(-1))
        self.value.append(np.broadcast_to(values, columns.shape).reshape(-1).astype(np.float64))
        self.row_length.append(np.full(count, width))
        self.row_low.append(np.broadcast_to(np.asarray(low, np.float64), (count,)))
        self.row_high.append(np.broadcast_to(np.asarray(high, np.float64), (count,)))

    def either_or(self, at: Index, first: int, second: int, first_max: Series, second_max: Series) -> None:
        """At these steps only one of two blocks may be above zero."""
        choice = _BLOCKS * self.n + len(self.peak_cost) + self.binaries + np.arange(len(at))
        self.binaries += len(at)
        one, other = np.ones(len(at)), first_max[at]
        self.rows(np.stack((first * self.n + at, choice), 1), np.stack((one, -other), 1), -_INF, 0.0)
        other = second_max[at]
        self.rows(np.stack((second * self.n + at, choice), 1), np.stack((one, other), 1), -_INF, other)

    def off_or_above(self, at: Index, block: int, least: float) -> None:
        """At these steps the block is zero or at least so much; at the others, at least so much."""
        self.low[block] = least
        self.low[block, at] = 0.0
        choice = _BLOCKS * self.n + len(self.peak_cost) + self.binaries + np.arange(len(at))
        self.binaries += len(at)
        pairs, one = np.stack((block * self.n + at, choice), 1), np.ones(len(at))
        self.rows(pairs, np.stack((one, -self.high[block, at]), 1), -_INF, 0.0)
        self.rows(pairs, np.stack((one, -least * one), 1), 0.0, _INF)


def linear_program(scenario: Scenario, stored_value_per_kwh: float) -> Program:
    n, step_h, plant = scenario.steps, scenario.step_h, scenario.plant
    up = scenario.grid_up.astype(np.float64)
    wear, import_cost = scenario.wear_cost_per_kwh, scenario.import_cost_per_kwh
    cost, low, high = np.zeros((_BLOCKS, n)), np.zeros((_BLOCKS, n)), np.full((_BLOCKS, n), _INF)
    cost[IMPORT], cost[EXPORT] = import_cost * step_h, -scenario.export_price * step_h
    cost[CHARGE], cost[DISCHARGE] = wear * plant.efficiency_charge * step_h, wear * step_h / plant.efficiency_discharge
    cost[UNSERVED], cost[SURPLUS] = scenario.unserved_cost_per_kwh * step_h, scenario.surplus_cost_per_kwh * step_h
    cost[GENSET] = plant.genset_cost_per_kwh * step_h
    cost[STORED, -1] = -stored_value_per_kwh
    high[IMPORT], high[EXPORT], high[PV] = plant.import_max_kw * up, plant.export_max_kw * up, scenario.pv_kw
    high[CHARGE], high[DISCHARGE] = plant.charge_max_kw, plant.discharge_max_kw
    high[GENSET], high[UNSERVED] = plant.genset_max_kw, scenario.load_kw
    high[SURPLUS] = plant.genset_min_kw
    low[STORED], high[STORED] = min(plant.min_kwh, scenario.stored_initial_kwh), plant.max_kwh
    months = int(scenario.month[-1]) + 1 if scenario.demand_charge_per_kw > 0.0 else 0
    program = Program(n, cost, low, high, np.full(months, scenario.demand_charge_per_kw))
    at = np.arange(n)
    bus = np.stack([b * n + at for b in (IMPORT, PV, DISCHARGE, GENSET, UNSERVED, CHARGE, EXPORT, SURPLUS)], 1)
    program.rows(bus, np.array([1.0, 1, 1, 1, 1, -1, -1, -1]), scenario.load_kw, scenario.load_kw)
    gain, loss = plant.efficiency_charge * step_h, step_h / plant.efficiency_discharge
    first = np.array([[STORED * n, CHARGE * n, DISCHARGE * n]])
    program.rows(first, np.array([1.0, -gain, loss]), scenario.stored_initial_kwh, scenario.stored_initial_kwh)
    later = np.stack([STORED * n + at, CHARGE * n + at, DISCHARGE * n + at, STORED * n + at - 1], 1)[1:]
    program.rows(later, np.array([1.0, -gain, loss, -1.0]), 0.0, 0.0)
    if months:
        peaks = np.stack((IMPORT * n + at, _BLOCKS * n + scenario.month), 1)
        program.rows(peaks, np.array([1.0, -1.0]), -_INF, 0.0)
    both_ways = np.flatnonzero(scenario.grid_up & (scenario.export_price > import_cost))
    most_in, most_out = _one_way_kw(scenario)
    never_out = both_ways[most_out[both_ways] <= 0.0]
    high[EXPORT, never_out] = 0.0
    program.either_or(both_ways[most_out[both_ways] > 0.0], IMPORT, EXPORT, most_in, most_out)
    burning = np.flatnonzero(scenario.grid_up & (import_cost < 0.0))
    program.either_or(burning, CHARGE, DISCHARGE, high[CHARGE], high[DISCHARGE])
    return program


def _one_way_kw(scenario: Scenario) -> tuple[Series, Series]:
    """The most that a meter may show in each step when it runs one way only: import and export, (n,).

    The tighter, the sooner the program is solved. Nobody exports what a load lacks, unless that is paid better.
    """
    plant = scenario.plant
    most_in = np.minimum(plant.import_max_kw, scenario.load_kw + plant.charge_max_kw + plant.genset_min_kw)
    spare_kw = scenario.pv_kw + plant.discharge_max_kw + plant.genset_max_kw - scenario.load_kw
    tempting = scenario.export_price >= scenario.unserved_cost_per_kwh
    return most_in, np.minimum(plant.export_max_kw, np.where(tempting, np.inf, np.maximum(0.0, spare_kw)))


def solved(program: Program) -> tuple[float, Series]:
    """The bound (the objective, where no yes-or-no variable is in it) and the columns of the blocks, (blocks, n)."""
    from scipy import optimize, sparse

    months, binaries = len(program.peak_cost), program.binaries
    cost = np.concatenate((program.cost.reshape(-1), program.peak_cost, np.zeros(binaries)))
    low = np.concatenate((program.low.reshape(-1), np.zeros(months + binaries)))
    high = np.concatenate((program.high.reshape(-1), np.full(months, _INF), np.ones(binaries)))
    starts = np.concatenate(([0], np.cumsum(np.concatenate(program.row_length))))
    entries = (np.concatenate(program.value), np.concatenate(program.index), starts)
    matrix = sparse.csr_array(entries, shape=(len(starts) - 1, len(cost)))
    found = optimize.milp(
        cost,
        integrality=np.concatenate((np.zeros(len(cost) - binaries), np.ones(binaries))),
        bounds=optimize.Bounds(low, high),
        constraints=optimize.LinearConstraint(
            matrix, np.concatenate(program.row_low), np.concatenate(program.row_high)
        ),
        options={"mip_rel_gap": 1e-7} | ({"time_limit": _MIP_SECONDS} if binaries else {}),
    )
    if found.x is None:
        raise Unsolved(f"HiGHS found no optimum: {found.message}")
    bound = found.mip_dual_bound if binaries else found.fun
    return float(bound), found.x[: _BLOCKS * program.n].reshape(_BLOCKS, program.n)
