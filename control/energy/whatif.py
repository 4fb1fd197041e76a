"""What would have been: owns the comparison of two settings over the same year.

Both years are planned with all they change, and judged by one yardstick: the wear, carbon and unserved-load weights of
the present settings. A weight that is moved thus never makes itself look good; tariff, demand charge and limits are
each side's own, because they are what would really be paid and kept.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from control.energy.booking import ReplayResult, book, settled
from control.energy.kernels import kernel
from control.energy.plan import Series
from control.energy.plan_controller import QUICK_PLAN, plan_actions
from control.energy.replay import Controller, wanted_actions
from control.energy.rules_controller import rules_cost
from control.energy.scenario import Plant, Scenario, with_settings
from control.energy.settings import EnergySettings

Flags = npt.NDArray[np.bool_]

RIDE_THROUGH_H_MAX = 24.0
_KEPT_KWH = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class YearResult:
    """One year under one settings version.

    `ride_through_h_worst` is how long the storage and the sun could have carried the critical share of the load, had
    the grid gone at the worst moment of the year, at most 24 h; `ride_through_worst_at` is that moment, local. Moments
    within 24 h of an outage do not count: what the outage itself took says nothing of the settings.
    `limits_kept` says that no load had to go unserved while the grid was there: import stayed within its limit all
    year. `over_target_h` are the hours of import above the wish `import_target_kw`. `rules_cost` is what the rules
    would have cost under the same settings, to hold against `replay.cost_with_stored`.
    """

    replay: ReplayResult
    bill: float
    ride_through_h_worst: float
    ride_through_worst_at: np.datetime64
    limits_kept: bool
    over_limit_kwh: float
    over_target_h: float
    rules_cost: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WhatIf:
    """Both years. Money in yuan by the present settings' weights; `bill` is energy and demand charge alone.

    `plan_horizon_h` and `plan_scenarios` say how much the plan of both years thought about (0 where none planned).
    """

    now: YearResult
    draft: YearResult
    plan_horizon_h: int = 0
    plan_scenarios: int = 0


def what_if(
    scenario: Scenario,
    settings_now: EnergySettings,
    settings_draft: EnergySettings,
    *,
    controller: Controller = "plan",
    timer: Callable[[], float] | None = None,
) -> WhatIf:
    """Replay the scenario under both settings, in two threads (the kernels let go of the interpreter).

    The plan is the quick one: the comparison is for a person who moves a slider and waits.
    """
    with ThreadPoolExecutor(2) as pool:
        now = pool.submit(_year, scenario, settings_now, settings_now, controller, timer)
        draft = pool.submit(_year, scenario, settings_draft, settings_now, controller, timer)
        tuning, reading = QUICK_PLAN
        planned = controller == "plan"
        return WhatIf(
            now=now.result(),
            draft=draft.result(),
            plan_horizon_h=tuning.horizon_h if planned else 0,
            plan_scenarios=reading.scenarios if planned else 0,
        )


def _year(
    scenario: Scenario,
    settings: EnergySettings,
    yardstick: EnergySettings,
    controller: Controller,
    timer: Callable[[], float] | None,
) -> YearResult:
    planned = with_settings(scenario, settings)
    started = timer() if timer else 0.0
    actions = plan_actions(planned, quick=True) if controller == "plan" else wanted_actions(planned, controller)
    flows = settled(planned, actions)
    us = (timer() - started) * 1e6 / scenario.steps if timer else None
    judged = replace(
        planned,
        wear_cost_per_kwh=yardstick.wear_per_kwh,
        co2_price_per_kg=yardstick.carbon_price_per_t / 1000.0,
        unserved_cost_per_kwh=yardstick.unserved_per_kwh,
    )
    made = book(judged, flows, controller=controller, us_per_step=us)
    hours = ride_through_h(judged, made)
    worst = int(np.argmin(np.where(_far_from_outages(judged), hours, np.inf)))
    over_kwh = float(np.sum(made.flows.unserved_kw[judged.grid_up])) * judged.step_h
    return YearResult(
        replay=made,
        bill=made.energy_cost + made.demand_cost,
        ride_through_h_worst=float(hours[worst]),
        ride_through_worst_at=judged.local[worst],
        limits_kept=over_kwh <= _KEPT_KWH,
        over_limit_kwh=over_kwh,
        over_target_h=float(np.sum(made.flows.import_kw > settings.import_target_kw + 1e-6)) * judged.step_h,
        rules_cost=rules_cost(judged),
    )


def _far_from_outages(scenario: Scenario) -> Flags:
    """Where the grid was there for the last 24 h, (n,) bool; everywhere where that is nowhere so."""
    span = max(1, round(RIDE_THROUGH_H_MAX / scenario.step_h))
    far = np.ones(scenario.steps, dtype=np.bool_)
    for gone in np.flatnonzero(~scenario.grid_up):
        far[gone : gone + span + 1] = False
    return far if far.any() else ~far


def ride_through_h(scenario: Scenario, made: ReplayResult) -> Series:
    """How long the critical load could be carried if the grid went at the start of each step, (n,) h, at most 24."""
    hours = np.empty(scenario.steps)
    before = np.concatenate(([scenario.stored_initial_kwh], made.flows.stored_kwh[:-1]))
    span = max(1, round(RIDE_THROUGH_H_MAX / scenario.step_h))
    _ride_through(scenario.plant, scenario.load_kw * scenario.critical_frac, scenario.pv_kw, before, span, hours)
    return hours


def _example() -> tuple[Any, ...]:
    one = np.ones(4)
    return Plant(*([1.0] * len(Plant._fields))), one, one, one, 2, np.empty(4)


@kernel(_example)
def _ride_through(
    plant: Plant, critical_kw: Series, pv_kw: Series, stored_kwh: Series, span: int, hours: Series
) -> None:
    """Step forward from each moment until the storage is empty or too weak; what lies beyond the data repeats."""
    n = critical_kw.shape[0]
    for start in range(n):
        left_kwh = stored_kwh[start]
        carried_h = 0.0
        for ahead in range(span):
            i = (start + ahead) % n
            need_kw = critical_kw[i] - pv_kw[i]
            if need_kw > plant.discharge_max_kw:
                break
            if need_kw > 0.0:
                drawn_kw = need_kw / plant.efficiency_discharge
                if left_kwh - plant.min_kwh < drawn_kw * plant.step_h:
                    carried_h += max(0.0, left_kwh - plant.min_kwh) / drawn_kw
                    break
                left_kwh -= drawn_kw * plant.step_h
            else:
                taken_kw = min(-need_kw, plant.charge_max_kw) * plant.efficiency_charge
                left_kwh = min(plant.max_kwh, left_kwh + taken_kw * plant.step_h)
            carried_h += plant.step_h
        hours[start] = carried_h
