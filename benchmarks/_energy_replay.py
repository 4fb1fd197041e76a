"""What-if and replay: owns these figures of `benchmarks.energy`; the closed loop of planning is in its own module."""

from __future__ import annotations

import os
import time
from typing import Any

import numpy as np

from benchmarks._energy_closed_loop import bookings, closed_loops
from control.energy import kernels
from control.energy.reference_year import reference_year
from control.energy.replay import replay
from control.energy.rules_controller import account_arrays, rules_account
from control.energy.scenario import Scenario, with_settings
from control.energy.settings import EnergySettings
from control.energy.whatif import WhatIf, what_if
from edge.energy.foresight import foresee, part_of

WHAT_IF_S_MAX = 1.0


def figures(tiny: bool, peer: str | None = None) -> dict[str, Any]:
    """Every figure; `peer` is an interpreter that has python-microgrid and cvxpy. The tiny size compiles nothing."""
    if not tiny:
        kernels.warm_all()
    return {
        "what_if": _what_if(tiny),
        "rules": _rules(3600 if tiny else 60, 1 if tiny else 9),
        "foresight": _foresight(tiny),
        "closed_loop": closed_loops(tiny, peer),
    } | ({"booking": bookings(peer)} if peer is not None and not tiny else {})


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
        "plan": f"quick: {made.plan_horizon_h} h ahead, at most {made.plan_scenarios} scenarios",
        "dearer_than_full_plan_frac": _against_full(year, now, made),
        "saved_against_rules": made.now.rules_cost - made.now.replay.cost_with_stored,
    }


def _against_full(year: Scenario, now: EnergySettings, made: WhatIf) -> float:
    """How much dearer the quick plan's year is than the full plan's."""
    full = replay(with_settings(year, now), "plan").cost_with_stored
    return (made.now.replay.cost_with_stored - full) / abs(full)


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
