"""What happened and what it cost: owns the settling of actions into flows, and the account of a replay.

Every controller is booked by the same kernel. The actions are wishes: the storage is cut to what it can do, then the
generator set, the grid, curtailment and, at last, unserved load settle the rest. Two ways to look at the cost: `cost`
is what was paid, `cost_with_stored` takes off what the energy left in the storage is worth, alike for every
controller: at the scenario's mean cost of an imported kWh (of a generated one where there is no grid), after the loss
of discharging.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from control.energy.kernels import inner, kernel
from control.energy.plan import Series
from control.energy.scenario import GENSET_BY_COST, Actions, Plant, Scenario

# Rows of the flows that the settling kernel writes, kW means over the step; the last is kWh after the step.
STORAGE, IMPORT, EXPORT, PV, GENSET, UNSERVED, SURPLUS, STORED = range(8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Flows:
    """What happened in each step, (n,). Powers in kW, never negative but for `storage_kw` (positive discharges)."""

    storage_kw: Series
    import_kw: Series
    export_kw: Series
    pv_kw: Series
    genset_kw: Series
    unserved_kw: Series
    surplus_kw: Series
    stored_kwh: Series


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthResult:
    """One calendar month: money without the worth of stored energy."""

    month: str
    cost: float
    carbon_kg: float
    peak_import_kw: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReplayResult:
    """What a controller came to. Money in the scenario's currency; `us_per_step` is None where nobody timed it.

    `balance_error_kwh` is the sum over all steps of what the flows fail to balance, at the bus and in the storage,
    computed from the flows alone.
    """

    scenario: str
    controller: str
    cost: float
    cost_with_stored: float
    energy_cost: float
    carbon_kg: float
    carbon_cost: float
    wear_cost: float
    demand_cost: float
    fuel_cost: float
    unserved_cost: float
    surplus_cost: float
    load_kwh: float
    pv_kwh: float
    import_kwh: float
    export_kwh: float
    genset_kwh: float
    curtailed_kwh: float
    unserved_kwh: float
    surplus_kwh: float
    peak_import_kw: float
    peak_export_kw: float
    cycles: float
    self_sufficiency_frac: float
    stored_change_kwh: float
    soc_final_frac: float
    balance_error_kwh: float
    us_per_step: float | None
    monthly: tuple[MonthResult, ...]
    flows: Flows


@inner
def _charge_cut(storage_kw: float, lacking_kw: float) -> float:
    """Charging gives way before load goes unserved or a generator set starts."""
    if storage_kw < 0.0 and lacking_kw > 0.0:
        return min(0.0, storage_kw + lacking_kw)
    return storage_kw


@inner
def settle_step(
    plant: Plant,
    want_kw: float,
    genset_want_kw: float,
    load_kw: float,
    pv_kw: float,
    up: bool,
    import_cost: float,
    export_price: float,
    stored_kwh: float,
) -> tuple[float, float, float, float, float, float, float, float]:
    """One step: the flows in the order of the rows above, with the stored energy after it."""
    step_h = plant.step_h
    floor_kwh = plant.reserve_kwh if up else plant.min_kwh
    charge_max = max(0.0, min(plant.charge_max_kw, (plant.max_kwh - stored_kwh) / (plant.efficiency_charge * step_h)))
    discharge_max = max(
        0.0, min(plant.discharge_max_kw, (stored_kwh - floor_kwh) * plant.efficiency_discharge / step_h)
    )
    storage = min(max(want_kw, -charge_max), discharge_max)
    grid_in = plant.import_max_kw if up else 0.0
    grid_out = plant.export_max_kw if up else 0.0
    rest = load_kw - pv_kw - storage
    genset = 0.0
    if genset_want_kw >= 0.0:
        if genset_want_kw > 0.0:
            genset = min(max(genset_want_kw, plant.genset_min_kw), plant.genset_max_kw)
    elif plant.genset_max_kw > 0.0:
        if genset_want_kw == GENSET_BY_COST and plant.genset_cost_per_kwh < import_cost and rest >= plant.genset_min_kw:
            genset = min(rest, plant.genset_max_kw)
        else:
            storage = _charge_cut(storage, rest - grid_in)
            rest = load_kw - pv_kw - storage
            if rest > grid_in:
                genset = min(max(rest - grid_in, plant.genset_min_kw), plant.genset_max_kw)
                # The least power of the set may be too much: the storage gives less, or takes it.
                storage = max(storage - max(0.0, genset - rest), -charge_max)
    storage = _charge_cut(storage, load_kw - pv_kw - storage - genset - grid_in)
    rest = load_kw - pv_kw - storage - genset
    bought = 0.0
    sold = 0.0
    unserved = 0.0
    surplus = 0.0
    if rest >= 0.0:
        bought = min(rest, grid_in)
        unserved = rest - bought
    else:
        excess = -rest
        if export_price >= 0.0:
            sold = min(excess, grid_out)
            excess -= sold
        curtailed = min(excess, pv_kw)
        excess -= curtailed
        pv_kw -= curtailed
        if export_price < 0.0:
            sold = min(excess, grid_out)
            excess -= sold
        surplus = excess
    if storage >= 0.0:
        after = stored_kwh - storage * step_h / plant.efficiency_discharge
    else:
        after = stored_kwh - storage * step_h * plant.efficiency_charge
    return storage, bought, sold, pv_kw, genset, unserved, surplus, after


def _example() -> tuple[Any, ...]:
    n = 4
    one, plant = np.ones(n), Plant(*([1.0] * len(Plant._fields)))
    return plant, 0.5, one, one, one, one, one, np.ones(n, np.bool_), one, one, np.empty((8, n))


@kernel(_example)
def settle(
    plant: Plant,
    stored_kwh: float,
    want_kw: Series,
    genset_want_kw: Series,
    pv_max_kw: Series,
    load_kw: Series,
    pv_kw: Series,
    grid_up: Any,
    import_cost: Series,
    export_price: Series,
    flows: Any,
) -> float:
    """Settle every step; writes `flows` (8, n) and gives the energy that is stored at the end, kWh."""
    for i in range(load_kw.shape[0]):
        flow = settle_step(
            plant,
            want_kw[i],
            genset_want_kw[i],
            load_kw[i],
            min(pv_kw[i], pv_max_kw[i]),
            grid_up[i],
            import_cost[i],
            export_price[i],
            stored_kwh,
        )
        flows[0, i] = flow[0]
        flows[1, i] = flow[1]
        flows[2, i] = flow[2]
        flows[3, i] = flow[3]
        flows[4, i] = flow[4]
        flows[5, i] = flow[5]
        flows[6, i] = flow[6]
        flows[7, i] = flow[7]
        stored_kwh = flow[7]
    return stored_kwh


def settled(scenario: Scenario, actions: Actions) -> Flows:
    """What these actions, which may be anybody's, come to in each step."""
    made = np.empty((8, scenario.steps))
    settle(
        scenario.plant,
        scenario.stored_initial_kwh,
        actions.storage_kw,
        actions.genset_kw,
        actions.pv_max_kw,
        scenario.load_kw,
        scenario.pv_kw,
        scenario.grid_up,
        scenario.import_cost_per_kwh,
        scenario.export_price,
        made,
    )
    return Flows(
        storage_kw=made[STORAGE],
        import_kw=made[IMPORT],
        export_kw=made[EXPORT],
        pv_kw=made[PV],
        genset_kw=made[GENSET],
        unserved_kw=made[UNSERVED],
        surplus_kw=made[SURPLUS],
        stored_kwh=made[STORED],
    )


def replay_actions(scenario: Scenario, actions: Actions, *, controller: str) -> ReplayResult:
    """Settle and book."""
    return book(scenario, settled(scenario, actions), controller=controller)


def stored_value_per_kwh(scenario: Scenario) -> float:
    """What a kWh left in the storage is worth, for every controller alike (see the module's docstring)."""
    has_grid = bool(np.any(scenario.grid_up)) and scenario.import_max_kw > 0.0
    source = float(np.mean(scenario.import_cost_per_kwh)) if has_grid else scenario.genset_cost_per_kwh
    return max(0.0, source) * scenario.storage.efficiency_discharge


def residual_kwh(scenario: Scenario, flows: Flows) -> float:
    """What the flows fail to balance, kWh: every step at the bus and in the storage, absolute values summed."""
    step_h, store = scenario.step_h, scenario.storage
    given = flows.storage_kw + flows.import_kw + flows.pv_kw + flows.genset_kw + flows.unserved_kw
    taken = scenario.load_kw + flows.export_kw + flows.surplus_kw
    bus = np.abs(given - taken) * step_h
    charge, discharge = np.maximum(-flows.storage_kw, 0.0), np.maximum(flows.storage_kw, 0.0)
    before = np.concatenate(([scenario.stored_initial_kwh], flows.stored_kwh[:-1]))
    change = (charge * store.efficiency_charge - discharge / store.efficiency_discharge) * step_h
    return float(np.sum(bus) + np.sum(np.abs(flows.stored_kwh - before - change)))


def book(scenario: Scenario, flows: Flows, *, controller: str, us_per_step: float | None = None) -> ReplayResult:
    """Account for what happened, month by month."""
    step_h = scenario.step_h
    month = scenario.month
    count = int(month[-1]) + 1

    def monthly(of_step: Series) -> Series:
        return np.bincount(month, of_step, count).astype(np.float64) * step_h

    charge, discharge = np.maximum(-flows.storage_kw, 0.0), np.maximum(flows.storage_kw, 0.0)
    store, genset = scenario.storage, scenario.genset
    moved = charge * store.efficiency_charge + discharge / store.efficiency_discharge
    energy = monthly(flows.import_kw * scenario.import_price - flows.export_kw * scenario.export_price)
    carbon = monthly(
        flows.import_kw * scenario.co2_kg_per_kwh + flows.genset_kw * (genset.co2_kg_per_kwh if genset else 0.0)
    )
    fuel = monthly(flows.genset_kw) * (genset.fuel_cost_per_kwh if genset else 0.0)
    wear = monthly(moved) * scenario.wear_cost_per_kwh
    unserved = monthly(flows.unserved_kw) * scenario.unserved_cost_per_kwh
    surplus = monthly(flows.surplus_kw) * scenario.surplus_cost_per_kwh
    peak = np.zeros(count)
    np.maximum.at(peak, month, flows.import_kw)
    demand = peak * scenario.demand_charge_per_kw
    cost = energy + carbon * scenario.co2_price_per_kg + fuel + wear + unserved + surplus + demand
    stored_change = float(flows.stored_kwh[-1]) - scenario.stored_initial_kwh
    load_kwh = float(np.sum(scenario.load_kw)) * step_h
    bought_kwh = float(np.sum(flows.import_kw + flows.genset_kw + flows.unserved_kw)) * step_h
    total = float(np.sum(cost))
    return ReplayResult(
        scenario=scenario.name,
        controller=controller,
        cost=total,
        cost_with_stored=total - stored_change * stored_value_per_kwh(scenario),
        energy_cost=float(np.sum(energy)),
        carbon_kg=float(np.sum(carbon)),
        carbon_cost=float(np.sum(carbon)) * scenario.co2_price_per_kg,
        wear_cost=float(np.sum(wear)),
        demand_cost=float(np.sum(demand)),
        fuel_cost=float(np.sum(fuel)),
        unserved_cost=float(np.sum(unserved)),
        surplus_cost=float(np.sum(surplus)),
        load_kwh=load_kwh,
        pv_kwh=float(np.sum(flows.pv_kw)) * step_h,
        import_kwh=float(np.sum(flows.import_kw)) * step_h,
        export_kwh=float(np.sum(flows.export_kw)) * step_h,
        genset_kwh=float(np.sum(flows.genset_kw)) * step_h,
        curtailed_kwh=float(np.sum(scenario.pv_kw - flows.pv_kw)) * step_h,
        unserved_kwh=float(np.sum(flows.unserved_kw)) * step_h,
        surplus_kwh=float(np.sum(flows.surplus_kw)) * step_h,
        peak_import_kw=float(np.max(flows.import_kw)),
        peak_export_kw=float(np.max(flows.export_kw)),
        cycles=float(np.sum(moved)) * step_h / 2.0 / store.capacity_kwh,
        self_sufficiency_frac=max(0.0, 1.0 - bought_kwh / load_kwh) if load_kwh > 0.0 else 1.0,
        stored_change_kwh=stored_change,
        soc_final_frac=float(flows.stored_kwh[-1]) / store.capacity_kwh,
        balance_error_kwh=residual_kwh(scenario, flows),
        us_per_step=us_per_step,
        monthly=tuple(
            MonthResult(month=name, cost=float(cost[i]), carbon_kg=float(carbon[i]), peak_import_kw=float(peak[i]))
            for i, name in enumerate(scenario.month_names)
        ),
        flows=flows,
    )
