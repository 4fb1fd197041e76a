"""What-if, replay and the closed loop of planning: owns these figures of `benchmarks.energy`.

The closed loop gives our planner and python-microgrid's model predictive control the same: a perfect forecast of 24 h,
a plan in every hour, its first hour carried out. Both are booked by the same replay. The rival is the same linear
program by HiGHS (of SciPy, built outside the clock), and python-microgrid itself where an interpreter that has it
(with cvxpy, and NumPy before 2) is named.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numba
import numpy as np

from control.domain.errors import ConfigurationError, IslandError
from control.energy import exact_dp, kernels
from control.energy.booking import replay_actions, stored_value_per_kwh
from control.energy.exact_dp import START, solve_storage
from control.energy.plan import Series
from control.energy.reference_year import reference_year
from control.energy.replay import replay
from control.energy.rules_controller import account_arrays, rules_account
from control.energy.scenario import GENSET_LAST, Actions, Scenario
from control.energy.settings import EnergySettings
from control.energy.whatif import what_if
from edge.energy.foresight import STORED, foresee, linear_program, part_of, solved
from edge.energy.pymgrid_scenarios import read_pymgrid

HORIZON = 24
WHAT_IF_S_MAX = 1.0
CLOSED_LOOP_RATIO_MIN = 500.0


def figures(tiny: bool, peer: str | None = None) -> dict[str, Any]:
    """Every figure; `peer` is an interpreter that has python-microgrid and cvxpy. The tiny size compiles nothing."""
    if not tiny:
        kernels.warm_all()
    return {
        "what_if": _what_if(tiny),
        "rules": _rules(3600 if tiny else 60, 1 if tiny else 9),
        "foresight": _foresight(tiny),
        "closed_loop": _closed_loop(tiny, peer),
    }


def _best(run: Any, times: int) -> tuple[float, Any]:
    """The shortest time in seconds, and what was made."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        made = run()
        taken.append(time.perf_counter() - started)
    return min(taken), made


def _what_if(tiny: bool) -> dict[str, Any]:
    year = reference_year(3600 if tiny else 900)
    if tiny:
        year = part_of(year, slice(0, 48), year.stored_initial_kwh)
    now = EnergySettings()
    draft = EnergySettings(carbon_price_per_t=400.0, import_target_kw=2200.0, demand_charge_per_kw=48.0)
    taken_s, made = _best(lambda: what_if(year, now, draft), 1 if tiny else 9)
    return {
        "steps": year.steps,
        "step_s": year.step_s,
        "years": 2,
        "cores": os.cpu_count(),
        "s": taken_s,
        "s_max": WHAT_IF_S_MAX,
        "within_goal": taken_s <= WHAT_IF_S_MAX,
        "saved_against_rules": made.now.rules_cost - made.now.replay.cost_with_stored,
    }


def _rules(step_s: int, times: int) -> dict[str, Any]:
    year = reference_year(step_s)
    arrays, account = account_arrays(year), np.empty((4, 12))
    account_s, _ = _best(lambda: rules_account(*arrays, account), times)
    replay_s, made = _best(lambda: replay(year, "rules"), times)
    return {
        "steps": year.steps,
        "account_ms": account_s * 1e3,
        "replay_ms": replay_s * 1e3,
        "balance_error_kwh": made.balance_error_kwh,
    }


def _foresight(tiny: bool) -> dict[str, Any]:
    year = part_of(reference_year(3600), slice(0, 168 if tiny else 8760), 4000.0)
    taken_s, found = _best(lambda: foresee(year), 1)
    return {"steps": year.steps, "s": taken_s, "lower_bound": found.lower_bound}


def _closed_loop(tiny: bool, peer: str | None) -> dict[str, Any]:
    steps = 48 if tiny else 1000
    try:
        scenario, name = read_pymgrid(0), "pymgrid:0"
    except ConfigurationError:
        scenario, name = reference_year(3600), "boao"
    played = part_of(scenario, slice(0, steps), scenario.stored_initial_kwh)
    loop = _loop if tiny else numba.njit(_loop)
    _ours(loop, scenario, 2)
    ours_s, storage_kw = _best(lambda: _ours(loop, scenario, steps), 5)
    highs_s, by_highs_kw = _by_highs(scenario, steps)
    report = {"scenario": name, "steps": steps, "us_per_step": ours_s * 1e6 / steps} | _booked(played, storage_kw, "")
    report |= {"highs_us_per_step": highs_s * 1e6 / steps} | _booked(played, by_highs_kw, "highs_")
    report["ratio_to_highs"] = highs_s / ours_s
    report["peer"] = "not named (--peer PYTHON): only the same linear program by HiGHS was run"
    if peer is not None and name != "boao":
        report |= _peer(peer, steps, ours_s)
    ratio = report.get("ratio_to_peer", report["ratio_to_highs"])
    cost = report.get("peer_cost_with_stored", report["highs_cost_with_stored"])
    report["ratio_min"] = CLOSED_LOOP_RATIO_MIN
    report["within_goal"] = ratio >= CLOSED_LOOP_RATIO_MIN and report["cost_with_stored"] <= cost * (1.0 + 1e-9)
    return report


def _booked(scenario: Scenario, storage_kw: Series, prefix: str) -> dict[str, float]:
    n = scenario.steps
    actions = Actions(storage_kw=storage_kw, pv_max_kw=scenario.pv_kw, genset_kw=np.full(n, GENSET_LAST))
    made = replay_actions(scenario, actions, controller="closed loop")
    return {f"{prefix}cost": made.cost, f"{prefix}cost_with_stored": made.cost_with_stored}


def _ours(loop: Any, scenario: Scenario, steps: int) -> Series:
    who = exact_dp.example_storage()
    plant = scenario.plant
    who[exact_dp.SLOT_H] = plant.step_h
    who[exact_dp.LOW] = who[exact_dp.SOFT_LOW] = min(plant.min_kwh, scenario.stored_initial_kwh)
    who[exact_dp.HIGH] = who[exact_dp.SOFT_HIGH] = plant.max_kwh
    who[exact_dp.START] = scenario.stored_initial_kwh
    who[exact_dp.CHARGE], who[exact_dp.DISCHARGE] = plant.charge_max_kw, plant.discharge_max_kw
    who[exact_dp.ETA_C], who[exact_dp.ETA_D], who[exact_dp.KEEP] = (
        plant.efficiency_charge,
        plant.efficiency_discharge,
        1.0,
    )
    who[exact_dp.WEAR], who[exact_dp.RESERVE_PRICE], who[exact_dp.EDGE_PRICE] = scenario.wear_cost_per_kwh, 0.0, 0.0
    who[exact_dp.UNSERVED], who[exact_dp.TERMINAL] = scenario.unserved_cost_per_kwh, 0.0
    up = scenario.grid_up.astype(np.float64)
    storage_kw = np.empty(steps)
    loop(
        scenario.load_kw,
        scenario.pv_kw,
        scenario.import_cost_per_kwh,
        scenario.export_price,
        up * plant.import_max_kw,
        up * plant.export_max_kw,
        np.zeros(HORIZON),
        who,
        storage_kw,
    )
    return storage_kw


def _loop(
    load: Series,
    pv: Series,
    import_cost: Series,
    export_price: Series,
    import_cap: Series,
    export_cap: Series,
    reserve: Series,
    who: Series,
    storage_kw: Series,
) -> None:
    """Plan 24 steps in every step, and carry out the first; compiled."""
    horizon = reserve.shape[0]
    planned, energy, curve = np.empty(horizon), np.empty(horizon + 1), np.empty((2, 8 * (horizon + 1)))
    for i in range(storage_kw.shape[0]):
        j = i + horizon
        solve_storage(
            load[i:j],
            pv[i:j],
            import_cost[i:j],
            export_price[i:j],
            import_cap[i:j],
            export_cap[i:j],
            reserve,
            who,
            np.inf,
            planned,
            energy,
            curve,
        )
        storage_kw[i] = planned[0]
        who[START] = energy[1]


def _by_highs(scenario: Scenario, steps: int) -> tuple[float, Series]:
    """Seconds of solving alone, and the storage's power."""
    taken_s, stored_kwh, storage_kw = 0.0, scenario.stored_initial_kwh, np.empty(steps)
    for i in range(steps):
        program = linear_program(part_of(scenario, slice(i, i + HORIZON), stored_kwh), 0.0)
        started = time.perf_counter()
        columns = solved(program)[1]
        taken_s += time.perf_counter() - started
        storage_kw[i] = _first_power_kw(scenario, stored_kwh, float(columns[STORED, 0]))
        stored_kwh = float(columns[STORED, 0])
    return taken_s, storage_kw


def _first_power_kw(scenario: Scenario, before_kwh: float, after_kwh: float) -> float:
    plant, change = scenario.plant, before_kwh - after_kwh
    return change * (plant.efficiency_discharge if change > 0.0 else 1.0 / plant.efficiency_charge) / plant.step_h


def _peer(peer: str, steps: int, ours_s: float) -> dict[str, Any]:
    script = Path(__file__).with_name("_peer_pymgrid.py")
    ran = subprocess.run([peer, str(script), "0", str(steps)], capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise IslandError(f"{peer} cannot run python-microgrid: {ran.stderr.strip().splitlines()[-1:]}")
    made = json.loads(ran.stdout.splitlines()[-1])
    scenario = read_pymgrid(0)
    left = made["stored_kwh"] - scenario.stored_initial_kwh
    worth = stored_value_per_kwh(part_of(scenario, slice(0, steps), scenario.stored_initial_kwh))
    return {
        "peer": "python-microgrid's own model predictive control",
        "peer_us_per_step": made["us_per_step"],
        "peer_rules_us_per_step": made["rules_us_per_step"],
        "peer_cost": made["cost"],
        "peer_cost_with_stored": made["cost"] - left * worth,
        "ratio_to_peer": made["us_per_step"] * steps / 1e6 / ours_s,
    }
