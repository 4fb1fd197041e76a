"""Control that knows only the past and the published tariffs: owns the run over a year, step by step.

At a step the controller knows what is measured at that step (load, PV, price and whether the grid is there), as the
controllers of python-microgrid do, everything before it, and the published tariffs ahead; the carbon intensity ahead
only where it is published. It never knows outages ahead: it learns how often the grid goes and how soon it comes back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from control.energy.kernels import inner, kernel
from control.energy.scenarios import (
    DIM_FRAC,
    ScenarioTuning,
    fill_envelope,
    fill_load,
    fill_weights,
    season_per_day,
    subtract_pv,
)
from control.energy.stochastic_dp import LADDER_STEPS, curves_with_outages, execute_by_curve, fill_ladder

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

# Large enough to stand for "no target" of import.
_NO_TARGET_KW = 1e12


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


class CausalTuning(NamedTuple):
    """How much is thought about, and how (sizes of the effects in docs/decisions/0008).

    `cells` of the value curve; `horizon_h` ahead, in slots of an hour; a new curve every `plan_every_h`; `mix_day` and
    `mix_night` are how much of the mean curve each scenario takes before a step back by day and by night. A month's
    first guess of its import peak is `peak_keep` of the last month's; more than the peak so far is planned as if the
    demand charge were spread over `peak_h` hours.
    """

    cells: int = 16
    horizon_h: int = 30
    plan_every_h: int = 1
    mix_day: float = 0.1
    mix_night: float = 0.5
    peak_keep: float = 0.8
    peak_h: float = 4.0


class _Plant(NamedTuple):
    """The scalars of one run for the kernel."""

    steps_per_h: int
    first_step: int
    published: bool
    import_max_kw: float
    export_max_kw: float
    energy_kwh: float
    demand_charge_per_kw: float
    backup_kw: float
    backup_min_kw: float
    backup_per_kwh: float
    unserved_per_kwh: float


QUICK_SCENARIOS = ScenarioTuning(count=14)
QUICK = CausalTuning(horizon_h=24)


@inner
def _carbon_ahead(carbon: Floats, now: int, at: int, first: int) -> float:
    """What the carbon of the hour `at` may cost where nobody publishes it: this hour's mean of the last three days."""
    source = at
    while source > now:
        source -= 24
    total = 0.0
    count = 0
    for _ in range(3):
        if source >= first:
            total += carbon[source]
            count += 1
        source -= 24
    return total / count if count > 0 else carbon[now]


@inner
def _backed_up(
    storage_kw: float, net_kw: float, grid_kw: float, charge_kw: float, plant: _Plant, used: bool
) -> float:
    """The storage's power once the generator's least power has had its say: the surplus goes into the storage."""
    rest = net_kw - storage_kw
    if not used or rest <= grid_kw:
        return storage_kw
    running = min(max(rest - grid_kw, plant.backup_min_kw), plant.backup_kw)
    return max(storage_kw - max(0.0, running - rest), -charge_kw)


def _example() -> tuple[Any, ...]:
    hours = 30
    one = np.ones(hours)
    return (
        one,
        one,
        one,
        one,
        one,
        one,
        np.zeros(2, np.int64),
        np.zeros(2, np.int64),
        np.array([10.0, 90.0, 30.0, 30.0, 0.95, 0.95, 0.01]),
        _Plant(1, 0, True, 100.0, 50.0, 50.0, 0.0, 0.0, 0.0, 0.0, 10.0),
        CausalTuning(cells=8, horizon_h=4),
        ScenarioTuning(count=2),
    )


@kernel(example=_example)
def causal_run(
    load_kw: Floats,
    pv_kw: Floats,
    import_per_kwh: Floats,
    export_per_kwh: Floats,
    carbon_per_kwh: Floats,
    grid_up: Floats,
    day_kind: Whole,
    month: Whole,
    storage: Floats,
    plant: _Plant,
    tuning: CausalTuning,
    reading: ScenarioTuning,
) -> Floats:
    """The power of the storage in every step, (n,) kW; see `run_causal`."""
    steps = load_kw.size
    per_h = plant.steps_per_h
    step_h = 1.0 / per_h
    cells = tuning.cells
    action = np.zeros(steps)
    last_hour = (plant.first_step + steps - 1) // per_h
    hours = last_hour + 1
    first_hour = plant.first_step // per_h
    first_day = 0 if plant.first_step == 0 else 1
    load_h, pv_h, carbon_h = np.zeros(hours), np.zeros(hours), np.zeros(hours)
    envelope = np.zeros(24)
    curves = np.zeros((2, cells))
    edge, price = np.zeros(LADDER_STEPS), np.zeros(LADDER_STEPS + 1)
    energy = plant.energy_kwh
    season, best = 1.0, 0.0
    season_day = -1
    failures, repairs, up_steps, down_steps = 0, 0, 0, 0
    peak_kw, past_peak_kw, peak_month = 0.0, 0.0, month[first_hour // 24]
    in_hour = 0
    planned_hour = -tuning.plan_every_h - 1
    for step in range(steps):
        hour = (plant.first_step + step) // per_h
        day = hour // 24
        new_hour = step == 0 or (plant.first_step + step) % per_h == 0
        in_hour = 1 if new_hour else in_hour + 1
        load_h[hour] += (load_kw[step] - load_h[hour]) / in_hour
        pv_h[hour] += (pv_kw[step] - pv_h[hour]) / in_hour
        carbon_h[hour] = carbon_per_kwh[step]
        up = grid_up[step] > 0.5
        if up:
            up_steps += 1
            if step > 0 and grid_up[step - 1] <= 0.5:
                repairs += 1
        else:
            down_steps += 1
            if step > 0 and grid_up[step - 1] > 0.5:
                failures += 1
        if month[day] != peak_month:
            peak_month = month[day]
            past_peak_kw = peak_kw
            peak_kw = tuning.peak_keep * past_peak_kw
        charged = plant.demand_charge_per_kw > 0.0
        over = plant.demand_charge_per_kw / tuning.peak_h if charged else 0.0
        if new_hour and hour >= planned_hour + tuning.plan_every_h and hour < last_hour:
            planned_hour = hour
            if day != season_day:
                season_day = day
                season = season_per_day(pv_h, day, first_day, reading.season_days, reading.season_max)
            best = fill_envelope(pv_h, hour, first_day, reading.envelope_days, season, envelope)
            fail = failures / (up_steps * step_h) if failures > 0 else 0.0
            repair = (repairs + 1.0) / (down_steps * step_h + 2.0) if failures > 0 or not up else 0.0
            curves = _plan(
                load_h, pv_h, carbon_h, import_per_kwh, export_per_kwh, carbon_per_kwh, day_kind, storage, plant,
                tuning, reading, hour, first_hour, first_day, season, best, envelope,
                peak_kw if charged else _NO_TARGET_KW, over, min(fail, 1.0), min(repair, 1.0),
            )  # fmt: skip
        elif hour == last_hour:
            curves[:] = 0.0
        net = load_kw[step] - pv_kw[step]
        grid_kw = plant.import_max_kw if up else 0.0
        cost = import_per_kwh[step] + carbon_per_kwh[step]
        fill_ladder(
            edge,
            price,
            cost,
            export_per_kwh[step],
            grid_kw,
            plant.export_max_kw if up else 0.0,
            peak_kw if charged else _NO_TARGET_KW,
            over / step_h,
            plant.backup_kw,
            plant.backup_per_kwh,
            plant.unserved_per_kwh,
        )
        power = execute_by_curve(curves[0 if up else 1], energy, net, edge, price, storage, step_h)
        charge_kw = max(0.0, min(storage[2], (storage[1] - energy) / (storage[4] * step_h)))
        power = _backed_up(power, net, grid_kw, charge_kw, plant, plant.backup_kw > 0.0)
        action[step] = power
        if power > 0.0:
            energy -= power * step_h / storage[5]
        else:
            energy -= power * step_h * storage[4]
        if up:
            peak_kw = max(peak_kw, min(net - power, plant.import_max_kw))
    return action
