"""What a plan is: owns its shape, from the planner to the fast loop, the journal and the console.

All arrays have one value a slot, float64, kW at the bus with the signs of `control.domain.energy`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from control.domain.energy import PlanRung

Series = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ValueCurve:
    """What stored energy is worth: marginal value (yuan a kWh in the storage) between levels.

    `energy_kwh` (n,) rises; `value_per_kwh` (n - 1,) holds between two levels and never rises with energy.
    """

    energy_kwh: Series
    value_per_kwh: Series


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A forecast: the 10 %, 50 % and 90 % quantiles, each (slots,)."""

    low: Series
    mid: Series
    high: Series


@dataclass(frozen=True, slots=True)
class Because:
    """Why an hour is planned as it is.

    `code` names what binds (a limit, a price difference, the reserve, ...); `values` are the figures of its sentence;
    `cost_saved` and `carbon_saved_kg` are against leaving the storage alone.
    """

    at: datetime
    until: datetime
    code: str
    values: dict[str, float | str]
    cost_saved: float = 0.0
    carbon_saved_kg: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One plan from `starts_at` on; `storage_kw` and `soc_frac` are of all storages together, per storage beside.

    `ev_worth_per_kwh` is what the planner holds one more kWh in a vehicle that is here to be worth, by id.
    `load_kw` leaves out vehicles, `ev_kw` is all of theirs: planned ones, silent ones and those that are expected.
    `soc_frac` holds at each slot's end. What the limits leave no other way for is in `curtailed_kw` and `unserved_kw`.
    """

    made_at: datetime
    starts_at: datetime
    slot_s: int
    rung: PlanRung
    settings_version: int
    pv_kw: Band
    load_kw: Band
    storage_kw: Series
    grid_kw: Series
    ev_kw: Series
    soc_frac: Series
    import_per_kwh: Series
    export_per_kwh: Series
    carbon_per_kwh: Series
    curves: dict[str, ValueCurve]
    because: tuple[Because, ...] = ()
    violations: tuple[str, ...] = ()
    made_ms: float = 0.0
    storage_kw_of: dict[str, Series] = field(default_factory=dict)
    soc_frac_of: dict[str, Series] = field(default_factory=dict)
    ev_worth_per_kwh: dict[str, float] = field(default_factory=dict)
    curtailed_kw: Series = field(default_factory=lambda: np.zeros(0))
    unserved_kw: Series = field(default_factory=lambda: np.zeros(0))
