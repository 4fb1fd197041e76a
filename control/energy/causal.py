"""Control that knows only the past and the published tariffs: owns the run over a year, step by step.

At a step the controller knows what is measured at that step (load, PV, price and whether the grid is there), as the
controllers of python-microgrid do, everything before it, and the published tariffs ahead; the carbon intensity ahead
only where it is published. It never knows outages ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CausalInput:
    """One run. Series are (n,) float64, one value a step of `step_s` seconds (a divisor of 3,600).

    The first step begins `first_step` steps after a local midnight. `day_kind` and `month` are per local day from that
    of the first step on: which days are alike (such as 0 working day, 1 day of rest), and a number that changes with
    the month. `import_per_kwh` and `export_per_kwh` are the tariff without carbon, `carbon_per_kwh` what the carbon of
    an imported kWh costs (intensity x price), `grid_up` 1 or 0. `storage` is as in `stochastic_dp.storage_vector`.
    `backup_*` describe a generator that may always run, at `backup_min_kw` at least when it does.
    """

    step_s: int
    first_step: int = 0
    day_kind: Whole
    month: Whole
    load_kw: Floats
    pv_kw: Floats
    import_per_kwh: Floats
    export_per_kwh: Floats
    carbon_per_kwh: Floats
    grid_up: Floats
    import_max_kw: float
    export_max_kw: float
    storage: Floats
    energy_kwh: float
    demand_charge_per_kw: float = 0.0
    backup_kw: float = 0.0
    backup_min_kw: float = 0.0
    backup_per_kwh: float = 0.0
    unserved_per_kwh: float = 10.0
    carbon_published: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class CausalTuning:
    """How much is thought about: more scenarios, cells and hours cost time (see docs/decisions/0008)."""

    scenarios: int = 56
    cells: int = 24
    horizon_h: int = 30
    plan_every_h: int = 1


QUICK = CausalTuning(scenarios=14, cells=16, horizon_h=24)


def run_causal(given: CausalInput, tuning: CausalTuning = CausalTuning()) -> Floats:  # noqa: B008 (frozen)
    """The power of the storage in every step, (n,) kW at the bus, positive discharges.

    It keeps to the power limits and the usable energy of `storage`, so a simulator of the same storage can book it as
    it is. What happens after a step changes nothing before it.
    """
    raise NotImplementedError
