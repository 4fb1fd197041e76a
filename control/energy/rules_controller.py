"""The rules that every plan is measured against: owns what is wanted of the storage where nobody looks ahead.

Priorities as in python-microgrid's rule-based control: sun first, then the storage takes the surplus and gives the
deficit, then the grid, then the generator set, which starts only when it is needed. (Its own default leaves the set
off, which would be an unfair rival on an island.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from control.energy.booking import stored_value_per_kwh
from control.energy.kernels import kernel
from control.energy.plan import Series
from control.energy.scenario import GENSET_LAST, Actions, Plant, Scenario


def rules_actions(scenario: Scenario) -> Actions:
    """The whole difference of load and sun in each step; the settling cuts it to what the storage can do."""
    return Actions(
        storage_kw=scenario.load_kw - scenario.pv_kw,
        pv_max_kw=scenario.pv_kw,
        genset_kw=np.full(scenario.steps, GENSET_LAST),
    )


def _example() -> tuple[Any, ...]:
    one = np.ones(4)
    return Plant(*([1.0] * len(Plant._fields))), 0.5, one, one, one, one, one, np.array([0, 4]), np.zeros((4, 1))


@kernel(_example)
def rules_account(
    plant: Plant,
    stored_kwh: float,
    load_kw: Series,
    pv_kw: Series,
    grid_up: Series,
    import_cost: Series,
    export_price: Series,
    month_start: Any,
    account: Any,
) -> float:
    """Only the sums of the rules, without a series of what happened; gives the energy stored at the end, kWh.

    Writes `account` (4, months): cost of energy and carbon, change of stored energy either way kWh, unserved kWh, and
    the highest import kW. Months run from `month_start[m]` to the next; `grid_up` is 1.0 or 0.0. The stored energy
    passes from step to step through two comparisons only, so that the processor works on several steps at once (and
    `min` and `max` are spelled out: Numba's look for NaN). A generator set is not known here.
    """
    step_h = plant.step_h
    gain = plant.efficiency_charge * step_h
    loss = step_h / plant.efficiency_discharge
    per_gain, per_loss = 1.0 / gain, 1.0 / loss
    reserve_kwh, min_kwh, max_kwh = plant.reserve_kwh, plant.min_kwh, plant.max_kwh
    charge, discharge = -plant.charge_max_kw, plant.discharge_max_kw
    import_max, export_max = plant.import_max_kw, plant.export_max_kw
    for m in range(account.shape[1]):
        cost, either_way, unserved, peak = 0.0, 0.0, 0.0, 0.0
        for i in range(month_start[m], month_start[m + 1]):
            want = load_kw[i] - pv_kw[i]
            up = grid_up[i]
            power = want if want > charge else charge
            power = power if power < discharge else discharge
            change = -power * (loss if power > 0.0 else gain)
            floor_kwh = reserve_kwh if up > 0.0 else min_kwh
            # Below the floor nothing is drawn; above the ceiling nothing is put in.
            floor_kwh = floor_kwh if floor_kwh < stored_kwh else stored_kwh
            ceiling_kwh = max_kwh if max_kwh > stored_kwh else stored_kwh
            after = stored_kwh + change
            after = after if after < ceiling_kwh else ceiling_kwh
            after = after if after > floor_kwh else floor_kwh
            moved = after - stored_kwh
            stored_kwh = after
            rest = want + moved * (per_loss if moved < 0.0 else per_gain)
            need = rest if rest > 0.0 else 0.0
            limit = import_max * up
            bought = need if need < limit else limit
            spare = need - rest
            limit = export_max * up
            sold = spare if spare < limit else limit
            cost += bought * import_cost[i] - sold * export_price[i]
            either_way += abs(moved)
            unserved += need - bought
            peak = bought if bought > peak else peak
        account[0, m] = cost * step_h
        account[1, m] = either_way
        account[2, m] = unserved * step_h
        account[3, m] = peak
    return stored_kwh


def account_arrays(scenario: Scenario) -> tuple[Any, ...]:
    """What `rules_account` takes of a scenario, but for the account."""
    month = scenario.month
    return (
        scenario.plant,
        scenario.stored_initial_kwh,
        scenario.load_kw,
        scenario.pv_kw,
        scenario.grid_up.astype(np.float64),
        scenario.import_cost_per_kwh,
        scenario.export_price,
        np.searchsorted(month, np.arange(int(month[-1]) + 2)),
    )


def rules_cost(scenario: Scenario) -> float:
    """What the rules cost, less what they leave stored: `cost_with_stored` of a replay without its series.

    For a scenario without a generator set.
    """
    arrays = account_arrays(scenario)
    account = np.empty((4, len(arrays[-1]) - 1))
    change_kwh = rules_account(*(*arrays, account)) - scenario.stored_initial_kwh
    return float(
        np.sum(account[0])
        + np.sum(account[1]) * scenario.wear_cost_per_kwh
        + np.sum(account[2]) * scenario.unserved_cost_per_kwh
        + np.sum(account[3]) * scenario.demand_charge_per_kw
        - change_kwh * stored_value_per_kwh(scenario)
    )
