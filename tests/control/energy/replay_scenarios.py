"""Scenarios for the replay tests: owns small ones with every trouble in them, from a seed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np

from control.energy.scenario import GensetSpec, Scenario
from control.energy.site import StorageSpec


def troubled(seed: int, *, steps: int = 192, step_s: int = 900, genset: bool = False) -> Scenario:
    """Load, sun and prices at random; outages, negative prices, export dearer than import, tight limits."""
    draw = np.random.default_rng(seed)
    start = np.datetime64("2026-03-30T22:00:00", "s")
    hour = np.arange(steps) * step_s / 3600.0
    spec = GensetSpec(min_kw=40.0, max_kw=220.0, fuel_cost_per_kwh=0.5, co2_kg_per_kwh=0.9) if genset else None
    return Scenario(
        name=f"troubled-{seed}",
        at0=datetime(2026, 3, 30, 22, tzinfo=timezone(timedelta(hours=8))),
        step_s=float(step_s),
        local=start + np.arange(steps) * np.timedelta64(step_s, "s"),
        load_kw=np.round(draw.uniform(0.0, 300.0, steps), 1),
        pv_kw=np.round(np.maximum(0.0, 350.0 * np.sin((hour - 8.0) / 12.0 * np.pi) * draw.uniform(0.2, 1.0, steps)), 1),
        import_price=np.round(draw.uniform(-0.1, 1.1, steps), 2),
        export_price=np.round(draw.uniform(-0.1, 0.6, steps), 2),
        co2_kg_per_kwh=np.round(draw.uniform(0.1, 0.6, steps), 3),
        grid_up=draw.random(steps) > 0.08,
        storage=StorageSpec(
            id="storage",
            capacity_kwh=400.0,
            charge_max_kw=120.0,
            discharge_max_kw=150.0,
            efficiency_charge=0.93,
            efficiency_discharge=0.9,
            soc_min_frac=0.1,
            soc_max_frac=0.9,
        ),
        soc_initial_frac=float(draw.uniform(0.1, 0.9)),
        wear_cost_per_kwh=0.03,
        import_max_kw=180.0,
        export_max_kw=60.0,
        demand_charge_per_kw=3.0,
        co2_price_per_kg=0.08,
        unserved_cost_per_kwh=10.0,
        surplus_cost_per_kwh=1.0,
        genset=spec,
    )


def unlike_any_other(seed: int) -> Scenario:
    """A scenario that may be anything: any step and beginning, no grid, no storage power, no load, no sun, no room."""
    draw = np.random.default_rng(1_000_000 + seed)
    step_s = int(draw.choice([60, 300, 900, 1800, 3600]))
    steps = int(draw.choice([2, 3, 24, 60, 150]))
    made = troubled(seed, steps=steps, step_s=step_s, genset=bool(draw.random() < 0.4))
    start = np.datetime64("2026-01-30T00:00:00", "s") + int(draw.integers(0, 300 * 86400 // step_s)) * step_s
    low, initial, high = np.sort(draw.uniform(0.0, 1.0, 3))
    store = replace(
        made.storage,
        capacity_kwh=float(draw.choice([0.5, 400.0, 90_000.0])),
        charge_max_kw=float(draw.choice([0.0, 120.0, 1e6])),
        discharge_max_kw=float(draw.choice([0.0, 150.0, 1e6])),
        efficiency_charge=float(draw.choice([0.3, 0.93, 1.0])),
        efficiency_discharge=float(draw.choice([0.3, 0.9, 1.0])),
        soc_min_frac=float(low),
        soc_max_frac=float(high),
    )
    return replace(
        made,
        name=f"unlike-{seed}",
        local=start + np.arange(steps) * np.timedelta64(step_s, "s"),
        load_kw=made.load_kw * float(draw.choice([0.0, 1.0, 1.0, 20.0])),
        pv_kw=made.pv_kw * float(draw.choice([0.0, 1.0, 1.0, 20.0])),
        export_price=np.minimum(made.export_price, made.import_price) if draw.random() < 0.5 else made.export_price,
        grid_up=np.full(steps, draw.random() < 0.5) if draw.random() < 0.4 else made.grid_up,
        storage=store,
        soc_initial_frac=float(initial),
        reserve_frac=float(draw.choice([0.0, 0.5, 1.0])),
        import_max_kw=float(draw.choice([0.0, 180.0, 1e6])),
        export_max_kw=float(draw.choice([0.0, 60.0, 1e6])),
        demand_charge_per_kw=float(draw.choice([0.0, 3.0])),
        wear_cost_per_kwh=float(draw.choice([0.0, 0.03, 5.0])),
    )
