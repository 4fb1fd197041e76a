"""The plan as a controller of a replay: owns what the causal run is told of a scenario.

It is told what can be known: the past, the tariff (and the carbon intensity) as published, and no outage ahead.
"""

from __future__ import annotations

import numpy as np

from control.domain.errors import IslandError
from control.energy.causal import FULL, FULL_READING, QUICK, QUICK_READING, CausalInput, run_causal
from control.energy.plan import Series
from control.energy.scenario import GENSET_BY_COST, Actions, Scenario
from control.energy.stochastic_dp import storage_vector

_QUICK_CELLS, _QUICK_SCENARIOS = 12, 8


class StepError(IslandError):
    """The scenario's step cannot be planned; the text says which can."""


def plan_actions(scenario: Scenario, *, quick: bool = False) -> Actions:
    """What the plan wants of each step; raises StepError for a step that does not divide an hour.

    The quick one looks a day ahead through fewer scenarios and levels: four to eight times faster, and on the simulated
    year as good within 0.1 % of the cost.
    """
    given = causal_input(scenario)
    tuning = QUICK._replace(cells=_QUICK_CELLS) if quick else FULL
    reading = QUICK_READING._replace(scenarios=_QUICK_SCENARIOS) if quick else FULL_READING
    storage_kw = run_causal(given, tuning, reading)
    return Actions(
        storage_kw=storage_kw,
        pv_max_kw=_pv_max_kw(scenario, storage_kw),
        genset_kw=np.full(scenario.steps, GENSET_BY_COST),
    )


def check_step(scenario: Scenario) -> int:
    """The step in whole seconds; raises StepError where it does not divide an hour."""
    step_s = round(scenario.step_s)
    if step_s != scenario.step_s or step_s <= 0 or 3600 % step_s:
        raise StepError(
            f"{scenario.name}: the plan needs a step that divides an hour, not {scenario.step_s:g} s; take 900 s, say."
        )
    return step_s


def causal_input(scenario: Scenario) -> CausalInput:
    """The scenario as the causal run takes it."""
    step_s = check_step(scenario)
    days = scenario.local.astype("datetime64[D]")
    first_s = int((scenario.local[0] - days[0]).astype("timedelta64[s]").astype(np.int64))
    first_step = first_s // step_s
    count = (first_step + scenario.steps - 1) * step_s // 86_400 + 1
    day = days[0] + np.arange(count)
    weekday = (day.astype(np.int64) + 3) % 7
    plant = scenario.plant
    return CausalInput(
        step_s=step_s,
        first_step=first_step,
        day_kind=(weekday >= 5).astype(np.int64),
        month=day.astype("datetime64[M]").astype(np.int64),
        load_kw=scenario.load_kw,
        pv_kw=scenario.pv_kw,
        import_per_kwh=scenario.import_price,
        export_per_kwh=scenario.export_price,
        carbon_per_kwh=scenario.co2_kg_per_kwh * scenario.co2_price_per_kg,
        grid_up=scenario.grid_up.astype(np.float64),
        import_max_kw=scenario.import_max_kw,
        export_max_kw=scenario.export_max_kw,
        storage=storage_vector(
            scenario.storage,
            wear_per_kwh=scenario.wear_cost_per_kwh,
            soc_min_frac=plant.reserve_kwh / plant.capacity_kwh,
        ),
        energy_kwh=scenario.stored_initial_kwh,
        demand_charge_per_kw=scenario.demand_charge_per_kw,
        backup_kw=plant.genset_max_kw,
        backup_min_kw=plant.genset_min_kw,
        backup_per_kwh=plant.genset_cost_per_kwh,
        unserved_per_kwh=scenario.unserved_cost_per_kwh,
    )


def _pv_max_kw(scenario: Scenario, storage_kw: Series) -> Series:
    """All the sun, but where the grid pays for taking energy (and no peak is charged): there import comes first."""
    paid = scenario.grid_up & (scenario.import_cost_per_kwh < 0.0)
    if scenario.demand_charge_per_kw > 0.0 or not np.any(paid):
        return scenario.pv_kw
    lacking = np.maximum(0.0, scenario.load_kw - storage_kw - scenario.import_max_kw)
    return np.where(paid, np.minimum(scenario.pv_kw, lacking), scenario.pv_kw)
