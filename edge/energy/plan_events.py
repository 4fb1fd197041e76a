"""From a plan to what the cloud is told of it: owns the event's series, and how long the island would carry itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from control.domain.events import EnergyPlanned
from control.energy.dispatch_types import SiteNow
from control.energy.plan import Because, Plan, Series
from control.energy.plan_input import PlanInput
from control.energy.site import SiteSpec
from edge.facts import iso


def planned_event(plan: Plan, hours: float | None) -> EnergyPlanned:
    """The plan as it is journalled, kW to a tenth."""
    series = {
        "pv_low": _kw(plan.pv_kw.low),
        "pv_mid": _kw(plan.pv_kw.mid),
        "pv_high": _kw(plan.pv_kw.high),
        "load_low": _kw(plan.load_kw.low),
        "load_mid": _kw(plan.load_kw.mid),
        "load_high": _kw(plan.load_kw.high),
        "storage": _kw(plan.storage_kw),
        "grid": _kw(plan.grid_kw),
        "ev": _kw(plan.ev_kw),
        "soc_frac": _rounded(plan.soc_frac, 4),
        "carbon_per_kwh": _rounded(plan.carbon_per_kwh, 4),
    }
    return EnergyPlanned(
        at=iso(plan.made_at),
        starts_at=iso(plan.starts_at),
        slot_s=plan.slot_s,
        rung=plan.rung.value,
        settings_version=plan.settings_version,
        made_ms=round(plan.made_ms, 2),
        series=series,
        because=[_because(one) for one in plan.because],
        violations=list(plan.violations),
        ride_through_h=None if hours is None else round(hours, 2),
    )


def _kw(series: Series) -> list[float]:
    return _rounded(series, 1)


def _rounded(series: Series, digits: int) -> list[float]:
    return [float(value) for value in np.round(np.nan_to_num(series), digits)]


def _because(one: Because) -> dict[str, Any]:
    return {
        "at": iso(one.at),
        "until": iso(one.until),
        "code": one.code,
        "values": {name: round(v, 4) if isinstance(v, float) else v for name, v in one.values.items()},
        "cost_saved": round(one.cost_saved, 2),
        "carbon_saved_kg": round(one.carbon_saved_kg, 2),
    }


def ride_through_h(site: SiteSpec, picture: SiteNow, given: PlanInput) -> float | None:
    """Hours that the storages carry the essential loads from now on, with little sun, were the grid to go now.

    None where a state of charge is not known; the horizon where they would last longer.
    """
    stored_kwh = room_kwh = 0.0
    specs = {one.id: one for one in site.storages}
    for one in picture.storages:
        spec = specs[one.id]
        if one.soc_frac is None:
            return None
        stored_kwh += max(one.soc_frac - spec.soc_min_frac, 0.0) * spec.capacity_kwh * spec.efficiency_discharge
        room_kwh += max(spec.soc_max_frac - spec.soc_min_frac, 0.0) * spec.capacity_kwh
    slot_h = given.slot_s / 3600.0
    load = given.site_load or given.load
    net = np.nan_to_num(load.mid) * given.essential_frac - np.nan_to_num(given.pv.low)
    for index, net_kw in enumerate(net):
        need_kwh = float(net_kw) * slot_h
        if need_kwh > stored_kwh:
            return float(index * slot_h + slot_h * stored_kwh / need_kwh)
        stored_kwh = min(stored_kwh - need_kwh, room_kwh)
    return float(len(net) * slot_h)
