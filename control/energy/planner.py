"""The planner: owns the way from a question to a plan, by the ladder exact, previous plan shifted, rules.

Exact is the piecewise-linear programme for one storage, with a search over the peak where demand is charged, and the
banded interior point for several storages and vehicles. Where a solver is not compiled yet, has too many vehicles to
be in time, or does not reach its tolerance, the previous plan goes on; where there is none that still covers these
slots, the rules make one.

`Plan.violations` holds the names of `plan_repair` (`input.`) and what the plan itself cannot keep:

    limit.unserved        load is not served: more than import, PV and storages can give
    limit.export          more is exported than allowed: vehicles or storages must give while nothing takes it
    limit.reserve:ID      the storage is below its reserve at some slot's end
    limit.soc:ID          the storage is outside its range at some slot's end: it was at the start, or discharges itself
    limit.ev:ID           the vehicle leaves with less than it was to have
    limit.import_wish     import above the wished limit and the month's peak is planned

What the question itself says was assumed (`PlanInput.assumed`) stands behind them.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from control.domain.energy import PlanRung
from control.energy import exact_dp as dp
from control.energy.because import explain
from control.energy.demand import plan_under_demand
from control.energy.interior_point import solve_banded
from control.energy.plan import Band, Plan, Series
from control.energy.plan_input import EvJob, PlanInput
from control.energy.plan_repair import Question, flat, repair, site_load, starts_at
from control.energy.plan_rules import Schedule, even_charging, follow, rules
from control.energy.plan_value import value_curves
from control.energy.site_cost import settle_series
from control.energy.site_lp import SiteProblem, solve_site

__all__ = ["EvJob", "PlanInput", "make_plan"]

_ERROR_MAX = 1e-6
_GAP, _TRIES = 1e-9, 60
_TOGETHER_MAX = 120  # storages and vehicles: their programme takes half a second then, and grows with the square
_SEEN = 1e-3  # kW or kWh below which nothing is told


def make_plan(given: PlanInput, previous: Plan | None = None) -> Plan:
    """A plan for any numbers: nothing is refused and nothing raised for a value, see `Plan.violations`."""
    question = repair(given)
    start = starts_at(given)
    schedule, rung = _climb_down(question, start, previous)
    flows = settle_series(
        question.load + schedule.ev_kw - question.pv - schedule.storage_kw.sum(axis=0),
        question.pv,
        question.import_price,
        question.export_price,
        question.import_cap,
        question.export_cap,
    )
    nets, weights = _scenarios(given, question)
    unfit = () if nets is not None or given.scenario_weights is None else ("input.scenarios",)
    curves = value_curves(question, schedule.ev_kw, schedule.allowed_kw, nets, weights)
    capacity = sum(spec.capacity_kwh for spec in question.specs) or 1.0
    slot_s = round(question.slot_h * 3600)
    site_kw = site_load(given, question.load)
    return Plan(
        made_at=given.made_at,
        starts_at=start,
        slot_s=slot_s,
        rung=rung,
        settings_version=given.settings_version,
        pv_kw=_band(given.pv, question.pv),
        load_kw=_band(given.site_load or given.load, site_kw),
        storage_kw=schedule.storage_kw.sum(axis=0),
        grid_kw=flows[0] - flows[1],
        ev_kw=schedule.ev_kw + question.load - site_kw,
        soc_frac=schedule.energy_kwh[:, 1:].sum(axis=0) / capacity,
        import_per_kwh=question.import_tariff,
        export_per_kwh=question.export_price,
        carbon_per_kwh=question.carbon,
        curves=curves,
        because=explain(question, schedule, flows, start, rung),
        violations=tuple(sorted({*question.told, *unfit})) + _broken(question, schedule, flows) + given.assumed,
        storage_kw_of={spec.id: schedule.storage_kw[s] for s, spec in enumerate(question.specs)},
        soc_frac_of={spec.id: schedule.energy_kwh[s, 1:] / spec.capacity_kwh for s, spec in enumerate(question.specs)},
        ev_worth_per_kwh=_worth_of_vehicles(question, schedule),
        curtailed_kw=flows[2],
        unserved_kw=flows[3],
    )


def _climb_down(question: Question, start: datetime, previous: Plan | None) -> tuple[Schedule, PlanRung]:
    if (made := _exact(question)) is not None:
        return made, PlanRung.EXACT
    if previous is not None and (made := _shifted(question, start, previous)) is not None:
        return made, PlanRung.PREVIOUS
    return rules(question), PlanRung.RULES


def _exact(question: Question) -> Schedule | None:
    """The optimum, or None where no solver is ready or it did not reach its tolerance."""
    if not question.evs and len(question.storages) <= 1:
        return _one(question)
    if len(question.storages) + len(question.evs) > _TOGETHER_MAX or not solve_banded.ready:
        return None
    return _several(question)


def _one(question: Question) -> Schedule | None:
    slots, nothing = question.slots, np.zeros(question.slots)
    if not question.storages:
        return Schedule(np.zeros((0, slots)), np.zeros((0, slots + 1)), nothing, np.zeros(0))
    storage_kw, energy, _, cost, allowed, _ = plan_under_demand(
        question.load,
        question.pv,
        question.import_price,
        question.export_price,
        question.import_cap,
        question.export_cap,
        question.reserve[0],
        question.storages[0],
        question.demand_price,
        question.demand_free_kw,
        _GAP,
        _TRIES,
    )
    if not (np.isfinite(cost) and np.isfinite(storage_kw).all() and np.isfinite(energy).all()):
        return None
    limit = max(allowed, question.demand_free_kw) if question.demand_price > 0 else np.inf
    return Schedule(storage_kw[None, :], energy[None, :], nothing, np.zeros(0), limit)


def _several(question: Question) -> Schedule | None:
    problem = SiteProblem(
        slot_h=question.slot_h,
        load=question.load,
        pv=question.pv,
        import_price=question.import_price,
        export_price=question.export_price,
        import_cap=question.import_cap,
        export_cap=question.export_cap,
        reserve=question.reserve,
        storages=question.storages,
        evs=question.evs,
        unserved=question.unserved,
        short_price=question.settings.unserved_per_kwh,
        v2g_wear=2.0 * question.settings.wear_per_kwh,
        demand_price=question.demand_price,
        demand_free_kw=question.demand_free_kw,
    )
    answer = solve_site(problem)
    if not answer.error <= _ERROR_MAX or not np.isfinite(answer.storage_kw).all():
        return None
    ev_kw = answer.ev_kw.sum(axis=0) if question.evs else np.zeros(question.slots)
    residual = question.load + ev_kw - question.pv - answer.storage_kw.sum(axis=0)
    peak = float(np.max(np.minimum(residual, question.import_cap)))
    limit = max(peak, question.demand_free_kw) if question.demand_price > 0 else np.inf
    return Schedule(answer.storage_kw, answer.energy_kwh, ev_kw, answer.ev_short_kwh, limit, answer.ev_worth)


def _shifted(question: Question, start: datetime, previous: Plan) -> Schedule | None:
    """The previous plan from this start on, walked through the limits; its missing end stands still."""
    slot_s = question.slot_h * 3600
    if abs(previous.slot_s - slot_s) > 1e-6 or previous.starts_at.tzinfo is None:
        return None
    skip = round((start - previous.starts_at).total_seconds() / slot_s)
    rest = flat(previous.storage_kw)[skip:] if skip >= 0 else np.zeros(0)
    if rest.size < max(1, question.slots // 2) or not np.isfinite(rest).all():
        return None
    wanted = np.zeros(question.slots)
    wanted[: rest.size] = rest[: question.slots]
    ev_kw, short = even_charging(question)
    return follow(question, wanted, ev_kw, short, floor=False)


def _worth_of_vehicles(question: Question, schedule: Schedule) -> dict[str, float]:
    """For those that are here: the fast loop then charges them when energy is cheaper than that, else by deadline."""
    if schedule.ev_worth is None or not np.isfinite(schedule.ev_worth).all():
        return {}
    rows = zip(question.ev_ids, question.evs, schedule.ev_worth, strict=True)
    return {name: float(worth) for name, ev, worth in rows if ev.first == 0}


def _scenarios(given: PlanInput, question: Question) -> tuple[Series | None, Series | None]:
    """Load less PV of the scenarios and their weights, where they fit the slots and are numbers."""
    if given.pv_scenarios is None or given.load_scenarios is None or given.scenario_weights is None:
        return None, None
    weights = flat(given.scenario_weights)
    load, pv = flat(given.load_scenarios), flat(given.pv_scenarios)
    size = weights.size * question.slots
    if not size or load.size != size or pv.size != size:
        return None, None
    good = all(np.isfinite(one).all() and np.abs(one).max() < 1e8 for one in (load, pv, weights))
    if not good or weights.min() < 0.0 or weights.sum() <= 0.0:
        return None, None
    net = np.ascontiguousarray((load - pv).reshape(weights.size, question.slots))
    return net, weights / weights.sum()


def _band(given: Band, middle: Series) -> Band:
    """The forecast as it was used; quantiles that are none, or on the wrong side, become the middle."""
    made = []
    for side, value in ((-1.0, given.low), (1.0, given.high)):
        raw = flat(value)
        if raw.size != middle.size:
            made.append(middle)
            continue
        with np.errstate(invalid="ignore"):
            good = np.isfinite(raw) & (side * (raw - middle) >= 0.0) & (np.abs(raw) < 1e8)
        made.append(np.where(good, raw, middle))
    return Band(low=made[0], mid=middle, high=made[1])


def _broken(question: Question, schedule: Schedule, flows: Series) -> tuple[str, ...]:
    """The limits that the plan cannot keep."""
    told = []
    if flows[3].max() > _SEEN:
        told.append("limit.unserved")
    if (flows[1] - question.export_cap).max() > _SEEN:
        told.append("limit.export")
    if flows[0].max() > question.demand_free_kw + _SEEN:
        told.append("limit.import_wish")
    for s, (spec, who) in enumerate(zip(question.specs, question.storages, strict=True)):
        ends = schedule.energy_kwh[s, 1:]
        least = _SEEN + 1e-6 * who[dp.HIGH]
        if (question.reserve[s] - ends).max() > least:
            told.append(f"limit.reserve:{spec.id}")
        if max((who[dp.SOFT_LOW] - ends).max(), (ends - who[dp.SOFT_HIGH]).max()) > least:
            told.append(f"limit.soc:{spec.id}")
    told += [
        f"limit.ev:{name}" for name, short in zip(question.ev_ids, schedule.ev_short_kwh, strict=True) if short > 0.01
    ]
    return tuple(told)
