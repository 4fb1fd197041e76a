"""How much of the gap between rules and perfect foresight is captured with the past and published tariffs alone.

Owns the comparison on the 25 scenarios of python-microgrid. Tuned on six of them (`TUNED_ON`); the others judge. The
bound is the whole year as one linear programme by HiGHS in the same run, and everybody is booked by the same
simulator, energy left in the storage valued alike. A decision is timed by the processor time of the whole run. The tiny
form takes some days of the simulated year instead, so that it needs no package of the benchmark extra.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from benchmarks._energy_forecast import coverage
from benchmarks._energy_vehicles import vehicles_coverage
from control.energy import booking, causal
from control.energy.booking import replay_actions, stored_value_per_kwh
from control.energy.plan_controller import causal_input
from control.energy.reference_year import reference_year
from control.energy.rules_controller import rules_actions
from control.energy.scenario import GENSET_BY_COST, Actions, Scenario
from edge.energy.foresight import foresee
from edge.energy.pymgrid_scenarios import COUNT, read_pymgrid

TUNED_ON = (0, 1, 2, 4, 12, 19)
# Gaps below this part of the cost are noise: their share says nothing.
GAP_FRAC_MIN = 0.001
TINY_DAYS = 12
GOALS: dict[str, Any] = {
    "published": {"mean": 0.80, "worst": 0.65},
    "unpublished": {"mean": 0.74, "worst": 0.55},
    "us_max": 300.0,
}


@dataclass(frozen=True)
class Row:
    """One scenario-year. Costs with the stored energy valued; `capture` None where there is no gap worth the name."""

    scenario: str
    kind: str
    tuned_on: bool
    rules_cost: float
    bound_cost: float
    gap_frac: float
    saved: float
    saved_unpublished: float
    capture: float | None
    capture_unpublished: float | None
    us_per_decision: float
    bound_s: float


def figures(tiny: bool) -> dict[str, Any]:
    """Every scenario with its bound, and the means and worst cases of the groups."""
    causal.causal_run.warm()
    booking.settle.warm()
    if tiny:
        rows = [_row(_some_days(reference_year(step_s=3600), TINY_DAYS), tuned_on=False)]
    else:
        rows = [_row(read_pymgrid(number), tuned_on=number in TUNED_ON) for number in range(COUNT)]
    grid = [row for row in rows if row.kind == "grid"]
    judged = [row for row in grid if not row.tuned_on]
    below = [row.scenario for row in rows if min(row.saved, row.saved_unpublished) < -1e-6 * row.rules_cost]
    worst_us = max(row.us_per_decision for row in rows)
    return {
        "goals": GOALS,
        "convention": "measured values of a step are known at that step, as in python-microgrid; outages never ahead",
        "scenarios": [{field.name: getattr(row, field.name) for field in fields(row)} for row in rows],
        "judged_grid_tied": _summary(judged) | _held(judged, tiny=tiny),
        "judged_with_weak_grid_or_genset": _summary([row for row in rows if not row.tuned_on and row.kind != "island"]),
        "judged_islands": _summary([row for row in rows if not row.tuned_on and row.kind == "island"]),
        "all_grid_tied": _summary(grid),
        "below_rules": {"scenarios": below, "within_goal": tiny or not below},
        "speed": {"us_per_decision_worst": worst_us, "within_goal": tiny or worst_us <= GOALS["us_max"]},
        "forecast": coverage(tiny),
        "vehicles": vehicles_coverage(tiny),
    }


def _held(rows: list[Row], *, tiny: bool) -> dict[str, Any]:
    """Whether mean and worst case reach their goals, for the carbon intensity ahead published and not."""
    told = _summary(rows)
    missed = [
        f"{carbon} {which}"
        for carbon in ("published", "unpublished")
        for which, least in GOALS[carbon].items()
        if carbon in told and told[carbon][which] < least
    ]
    return {"missed": missed, "within_goal": tiny or not missed}


def _row(scenario: Scenario, *, tuned_on: bool) -> Row:
    rules = replay_actions(scenario, rules_actions(scenario), controller="rules").cost_with_stored
    started = time.perf_counter()
    bound = foresee(scenario, stored_value_per_kwh=stored_value_per_kwh(scenario)).lower_bound
    bound_s = time.perf_counter() - started
    cost, us = _planned(scenario, published=True)
    blind_cost, _ = _planned(scenario, published=False)
    gap = rules - bound
    wide = gap > GAP_FRAC_MIN * abs(rules)
    return Row(
        scenario=scenario.name,
        kind=_kind(scenario),
        tuned_on=tuned_on,
        rules_cost=rules,
        bound_cost=bound,
        gap_frac=gap / abs(rules),
        saved=rules - cost,
        saved_unpublished=rules - blind_cost,
        capture=(rules - cost) / gap if wide else None,
        capture_unpublished=(rules - blind_cost) / gap if wide else None,
        us_per_decision=us,
        bound_s=bound_s,
    )


def _planned(scenario: Scenario, *, published: bool) -> tuple[float, float]:
    """Cost of the causal run, and microseconds a decision."""
    given = replace(causal_input(scenario), carbon_published=published)
    started = time.process_time()
    storage_kw = causal.run_causal(given)
    us = (time.process_time() - started) * 1e6 / scenario.steps
    actions = Actions(
        storage_kw=storage_kw, pv_max_kw=scenario.pv_kw, genset_kw=np.full(scenario.steps, GENSET_BY_COST)
    )
    return replay_actions(scenario, actions, controller="plan").cost_with_stored, us


def _kind(scenario: Scenario) -> str:
    if not np.any(scenario.grid_up):
        return "island"
    if not np.all(scenario.grid_up):
        return "weak grid"
    return "grid" if scenario.genset is None else "grid and genset"


def _summary(rows: list[Row]) -> dict[str, Any]:
    wide = [row for row in rows if row.capture is not None and row.capture_unpublished is not None]
    if not wide:
        return {"scenarios": 0}
    published = [row.capture for row in wide if row.capture is not None]
    blind = [row.capture_unpublished for row in wide if row.capture_unpublished is not None]
    return {
        "scenarios": len(wide),
        "published": {"mean": float(np.mean(published)), "worst": min(published)},
        "unpublished": {"mean": float(np.mean(blind)), "worst": min(blind)},
        "saved": float(sum(row.saved for row in rows)),
    }


def _some_days(scenario: Scenario, days: int) -> Scenario:
    steps = round(days * 86_400 / scenario.step_s)
    series = ("local", "load_kw", "pv_kw", "import_price", "export_price", "co2_kg_per_kwh", "grid_up")
    return replace(scenario, **{name: getattr(scenario, name)[:steps] for name in series})
