"""Questions that nobody should ask the planner, and whether its answer is still a plan. Owns both."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np

from control.energy import exact_dp as dp
from control.energy.plan import Band, Plan
from control.energy.plan_input import EvJob, PlanInput
from control.energy.plan_repair import repair
from control.energy.settings import RANGES, EnergySettings
from control.energy.site import StorageSpec

_BAD = (np.nan, np.inf, -np.inf, -1.0, 0.0, 1e-12, 1e9, 1e300, -1e300, 1e-300, 0.5, 1.0, 2.0, 100.0)
_START = datetime(2026, 3, 1, 22, 37, tzinfo=UTC)


def nonsense(seed: int) -> PlanInput:
    """A question in which anything may be wrong: not numbers, wrong lengths, impossible or contradictory limits."""
    draw = np.random.default_rng(seed)
    slots = int(draw.choice([1, 2, 5, 8, 16, 24]))
    wild = float(draw.choice([0.0, 0.05, 0.5]))
    sizes = 1.0 if draw.random() < 0.8 else 10.0 ** draw.uniform(-4, 4)

    def bad() -> float:
        return float(draw.choice(_BAD))

    def number(low: float, high: float) -> float:
        return bad() if draw.random() < wild else float(draw.uniform(low, high))

    def series(low: float, high: float) -> Any:
        length = slots if draw.random() > 0.1 * wild else int(draw.integers(0, 2 * slots + 1))
        made = draw.uniform(low, high, length)
        spoiled = draw.random(length) < 0.3 * wild
        made[spoiled] = draw.choice(_BAD, int(spoiled.sum()))
        return made

    def band(high: float) -> Band:
        return Band(low=series(0, high), mid=series(0, high), high=series(0, high))

    storages = tuple(
        (
            StorageSpec(
                id=f"s{i}",
                capacity_kwh=number(0, 400) * sizes,
                charge_max_kw=number(0, 100) * sizes,
                discharge_max_kw=number(0, 100) * sizes,
                efficiency_charge=number(0.7, 1),
                efficiency_discharge=number(0.7, 1),
                soc_min_frac=number(0, 0.6),
                soc_max_frac=number(0.4, 1),
                self_discharge_frac_per_h=number(0, 0.01) if draw.random() < 0.3 else 0.0,
            ),
            number(-0.1, 1.1),
        )
        for i in range(int(draw.choice([0, 1, 1, 1, 2, 3])))
    )
    evs = tuple(
        EvJob(
            id=f"ev{i}",
            arrives_slot=int(draw.integers(-3, slots + 2)),
            departs_slot=int(draw.integers(-3, 3 * slots)),
            needed_kwh=number(0, 60),
            max_kw=number(0, 60),
            v2g_kw=number(0, 30),
            room_kwh=number(0, 80),
            spare_kwh=number(0, 20),
            efficiency=number(0.7, 1),
        )
        for i in range(int(draw.choice([0, 0, 0, 1, 2, 20], p=[0.3, 0.2, 0.2, 0.15, 0.14, 0.01])))
    )
    scenarios = int(draw.choice([0, 0, 3]))
    given = PlanInput(
        made_at=_START,
        starts_at=[_START, _START.replace(tzinfo=None), _START.astimezone(timezone(timedelta(hours=5.75)))][
            int(draw.integers(0, 3))
        ],
        slot_s=int(draw.choice([900, 900, 900, 60, 3600, 0, -5, 10**7])),
        load=band(120 * sizes),
        pv=band(150 * sizes),
        import_per_kwh=series(-0.2 if draw.random() < 0.2 else 0.1, 1.5),
        export_per_kwh=series(-0.2, 1.0),
        carbon_per_kwh=series(0, 1),
        settings=_settings(draw, wild),
        settings_version=1,
        storages=storages,
        evs=evs,
        peak_so_far_kw=number(0, 200),
        essential_frac=number(0, 1),
        grid_up=None if draw.random() < 0.8 else draw.choice([0.0, 1.0, np.nan], slots, p=[0.3, 0.69, 0.01]),
    )
    if not scenarios:
        return given
    pv, load = (np.array([series(0, 100)[:slots] for _ in range(scenarios)], dtype=object) for _ in range(2))
    return replace(given, pv_scenarios=pv, load_scenarios=load, scenario_weights=draw.uniform(0, 1, scenarios))


def _settings(draw: np.random.Generator, wild: float) -> EnergySettings:
    chosen: dict[str, Any] = {}
    for key, span in RANGES.items():
        if draw.random() < 0.3:
            chosen[key] = float(draw.uniform(span.low, span.high))
        if draw.random() < 0.3 * wild:
            chosen[key] = float(draw.choice(_BAD))
    if draw.random() < 0.3:
        chosen["import_max_kw"] = float(draw.choice([0.0, 10.0, 100.0]))
    return EnergySettings(**chosen, v2g=bool(draw.integers(0, 2)))


def fault_of(given: PlanInput, plan: Plan) -> str | None:
    """What is wrong with a plan: not finite, out of balance, or a limit broken that it does not name."""
    asked = repair(given)
    every = (plan.storage_kw, plan.grid_kw, plan.ev_kw, plan.soc_frac, plan.curtailed_kw, plan.unserved_kw)
    if any(one.shape != (asked.slots,) or not np.isfinite(one).all() for one in every):
        return "a series is not finite or of another length"
    scale = 1e-3 + 1e-6 * float(asked.load.max() + asked.pv.max() + np.abs(plan.storage_kw).max())
    supply = asked.pv - plan.curtailed_kw + plan.storage_kw + plan.grid_kw
    if np.abs(supply - (asked.load + plan.ev_kw - plan.unserved_kw)).max() > scale:
        return "the balance is off"
    if (plan.grid_kw - asked.import_cap).max() > scale:
        return "import is above its limit"
    if (-plan.grid_kw - asked.export_cap).max() > scale and "limit.export" not in plan.violations:
        return "export is above its limit and that is not named"
    if plan.unserved_kw.max() > scale and "limit.unserved" not in plan.violations:
        return "load is unserved and that is not named"
    for spec, who in zip(asked.specs, asked.storages, strict=True):
        power, level = plan.storage_kw_of[spec.id], plan.soc_frac_of[spec.id] * spec.capacity_kwh
        if power.max() > who[dp.DISCHARGE] + scale or -power.min() > who[dp.CHARGE] + scale:
            return "a storage is beyond its power"
        edge = 1e-6 * who[dp.HIGH] + scale
        drained = np.where(power > scale, level, who[dp.HIGH])
        if drained.min() < who[dp.LOW] - edge or level.min() < -edge or level.max() > who[dp.HIGH] + edge:
            return "a storage is beyond its energy"
        factor = np.where(power > 0, 1.0 / who[dp.ETA_D], who[dp.ETA_C])
        before = np.concatenate(([who[dp.START]], level[:-1]))
        if np.abs(who[dp.KEEP] * before - factor * power * asked.slot_h - level).max() > edge:
            return "a storage's power and energy do not belong together"
        curve = plan.curves[spec.id]
        if not np.isfinite(curve.value_per_kwh).all() or (np.diff(curve.value_per_kwh) > 1e-9).any():
            return "a value curve is not finite or rises"
        if (np.diff(curve.energy_kwh) < 0).any() or curve.energy_kwh.size != curve.value_per_kwh.size + 1:
            return "a value curve's levels do not rise"
    return None
