"""What the planner is given: owns the shape of its question; it is judged and repaired in `plan_repair`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from control.energy.plan import Band, Series
from control.energy.settings import EnergySettings
from control.energy.site import StorageSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class EvJob:
    """One vehicle that is here or expected.

    It may charge in the slots `arrives_slot` to `departs_slot` (excluded; beyond the horizon: the part of the need
    that falls within it is planned). `needed_kwh` is what its battery still lacks for what its driver asked for,
    `room_kwh` how much it can take at most (0: no more than needed), `spare_kwh` how much may be taken out of it
    below its present level. Powers are at the bus, both positive.
    """

    id: str
    arrives_slot: int = 0
    departs_slot: int
    needed_kwh: float
    max_kw: float
    v2g_kw: float = 0.0
    room_kwh: float = 0.0
    spare_kwh: float = 0.0
    efficiency: float = 0.93


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanInput:
    """One question. Series are (slots,) float64 in kW, prices in yuan a kWh, `carbon_per_kwh` in kg a kWh.

    `load` leaves out the vehicles of `evs`. `storages` are pairs of specification and state of charge (0 to 1).
    `peak_so_far_kw` is the highest mean import of a slot in this month. The scenarios are PV and load that belong
    together, (n, slots) each, with weights (n,); None where there are none. `essential_frac` is the part of the load
    that must be carried when the grid is away, for the ride-through reserve. `grid_up` (slots,) is 1 where the grid
    is expected to be there, 0 where an outage is announced; None: always there. `site_load` is the load
    without any vehicle, where `load` has some in it that are not in `evs` (silent ones, those that are expected): they
    are not carried when the grid is away, and are told as vehicles. `assumed` ends in `Plan.violations`.
    """

    made_at: datetime
    starts_at: datetime
    slot_s: int
    load: Band
    pv: Band
    import_per_kwh: Series
    export_per_kwh: Series
    carbon_per_kwh: Series
    settings: EnergySettings
    settings_version: int
    storages: tuple[tuple[StorageSpec, float], ...] = ()
    evs: tuple[EvJob, ...] = ()
    peak_so_far_kw: float = 0.0
    pv_scenarios: Series | None = None
    load_scenarios: Series | None = None
    scenario_weights: Series | None = None
    essential_frac: float = 0.6
    grid_up: Series | None = None
    site_load: Band | None = None
    assumed: tuple[str, ...] = ()
