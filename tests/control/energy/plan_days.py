"""A day of an island for tests of the planner: owns one plausible question, to be varied."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from control.energy.plan import Band
from control.energy.plan_input import EvJob, PlanInput
from control.energy.settings import EnergySettings, tariff_at
from control.energy.site import StorageSpec

LFP = StorageSpec(id="lfp", capacity_kwh=4000, charge_max_kw=2000, discharge_max_kw=2000)
VRFB = StorageSpec(
    id="vrfb",
    capacity_kwh=4000,
    charge_max_kw=1000,
    discharge_max_kw=1000,
    efficiency_charge=0.86,
    efficiency_discharge=0.86,
)
CARS = (
    EvJob(id="cp-01", arrives_slot=0, departs_slot=20, needed_kwh=45, max_kw=60),
    EvJob(id="cp-07", arrives_slot=30, departs_slot=70, needed_kwh=30, max_kw=60, v2g_kw=30, spare_kwh=15),
)
START = datetime(2026, 3, 2, 16, tzinfo=UTC)  # midnight on the island


def day(*, slots: int = 144, seed: int = 1, **changed: Any) -> PlanInput:
    """36 hours from midnight, one storage half full unless changed."""
    draw = np.random.default_rng(seed)
    hour = np.arange(slots) / 4 % 24
    load = 2100 + 600 * np.sin((hour - 8) / 24 * 2 * np.pi) + draw.uniform(0, 150, slots)
    pv = np.maximum(0, 3900 * np.sin((hour - 6) / 12 * np.pi)) * draw.uniform(0.6, 1.0, slots)
    settings = changed.get("settings", EnergySettings())
    rows = [tariff_at(settings, month=3, hour=float(one)) for one in hour]
    given: dict[str, Any] = {
        "made_at": START,
        "starts_at": START,
        "slot_s": 900,
        "load": Band(0.9 * load, load, 1.1 * load),
        "pv": Band(0.6 * pv, pv, 1.2 * pv),
        "import_per_kwh": np.array([row.import_per_kwh for row in rows]),
        "export_per_kwh": np.array([row.export_per_kwh for row in rows]),
        "carbon_per_kwh": np.full(slots, settings.carbon_per_kwh),
        "settings": settings,
        "settings_version": 3,
        "storages": ((LFP, 0.5),),
    }
    return PlanInput(**(given | changed))
