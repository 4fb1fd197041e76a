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
from control.energy.scenarios import ScenarioTuning, fill_envelope, fill_scenarios, fill_season
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

    `cells` of the value curve; `horizon_h` ahead, in slots of an hour, anew each hour; `mix_day` and `mix_night` are
    how much of the mean curve each scenario takes before a step back by day and by night. Import above the month's
    target (its peak so far, or what the storage could have kept to on each of the last `peak_days`) is planned as if
    the demand charge were spread over `peak_h` hours.
    """

    cells: int = 16
    horizon_h: int = 30
    mix_day: float = 0.1
    mix_night: float = 0.3
    peak_days: int = 14
    peak_h: float = 4.0


FULL = CausalTuning()
FULL_READING = ScenarioTuning()
QUICK = CausalTuning(horizon_h=24)
QUICK_READING = ScenarioTuning(scenarios=14, pool_days=14)


class CausalPlant(NamedTuple):
    """The scalars of one run for the kernel; meanings as in CausalInput."""

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


class _Series(NamedTuple):
    """What is measured or published, (n,) a step."""

    load_kw: Floats
    pv_kw: Floats
    import_per_kwh: Floats
    export_per_kwh: Floats
    carbon_per_kwh: Floats
    grid_up: Floats


class _Memory(NamedTuple):
    """What the run has learned: hourly means (hours,), envelope and season (24,), numbers at the places below."""

    load_kw: Floats
    pv_kw: Floats
    carbon: Floats
    envelope: Floats
    season: Floats
    scalar: Floats


# Places in `_Memory.scalar`.
_FAILURES, _REPAIRS, _UP_H, _DOWN_H, _BEST, _PEAK, _TARGET, _MONTH = range(8)


@inner
def _learn(series: _Series, memory: _Memory, plant: CausalPlant, step: int) -> None:
    """Take in what is measured at `step`."""
    at = plant.first_step + step
    hour = at // plant.steps_per_h
    seen = min(at % plant.steps_per_h, step) + 1
    memory.load_kw[hour] += (series.load_kw[step] - memory.load_kw[hour]) / seen
    memory.pv_kw[hour] += (series.pv_kw[step] - memory.pv_kw[hour]) / seen
    memory.carbon[hour] += (series.carbon_per_kwh[step] - memory.carbon[hour]) / seen
    up = series.grid_up[step] > 0.5
    memory.scalar[_UP_H if up else _DOWN_H] += 1.0 / plant.steps_per_h
    if step > 0 and up != (series.grid_up[step - 1] > 0.5):
        memory.scalar[_REPAIRS if up else _FAILURES] += 1.0


@inner
def _kept_below_kw(memory: _Memory, storage: Floats, first_day: int, day: int, days: int) -> float:
    """The lowest import that the storage, full in the morning, could have kept to on each of the days before `day`."""
    usable = (storage[1] - storage[0]) * storage[5]
    least = 0.0
    for before in range(max(first_day, day - days), day):
        low, high = 0.0, 0.0
        for hour in range(before * 24, before * 24 + 24):
            high = max(high, memory.load_kw[hour] - memory.pv_kw[hour])
        low = max(0.0, high - storage[3])
        for _ in range(20):
            middle = 0.5 * (low + high)
            over = 0.0
            for hour in range(before * 24, before * 24 + 24):
                over += max(0.0, memory.load_kw[hour] - memory.pv_kw[hour] - middle)
            if over > usable:
                low = middle
            else:
                high = middle
        least = max(least, high)
    return least


@inner
def _new_day(
    memory: _Memory,
    storage: Floats,
    month: int,
    day: int,
    first_day: int,
    tuning: CausalTuning,
    reading: ScenarioTuning,
) -> None:
    """What is looked at once a day: the season of the sky and the target of import."""
    fill_season(
        memory.pv_kw, day, first_day, reading.season_days, reading.season_max, reading.season_pull, memory.season
    )
    if month != memory.scalar[_MONTH]:
        memory.scalar[_MONTH] = month
        memory.scalar[_PEAK] = 0.0
    memory.scalar[_TARGET] = _kept_below_kw(memory, storage, first_day, day, tuning.peak_days)


@inner
def _carbon_ahead(carbon: Floats, now: int, at: int, first: int) -> float:
    """What the carbon of hour `at` may cost where nobody publishes it: the mean of that hour in the last three days."""
    source = at
    while source > now:
        source -= 24
    total, count = 0.0, 0
    for _ in range(3):
        if source >= first:
            total += carbon[source]
            count += 1
        source -= 24
    return total / count if count > 0 else float(carbon[now])


@inner
def _soft_kw(memory: _Memory, plant: CausalPlant) -> float:
    """Import up to here adds nothing to the demand charge."""
    if plant.demand_charge_per_kw <= 0.0:
        return _NO_TARGET_KW
    return float(max(memory.scalar[_PEAK], memory.scalar[_TARGET]))


@inner
def _fill_ahead(
    series: _Series,
    memory: _Memory,
    plant: CausalPlant,
    hour: int,
    up: bool,
    over_per_kwh: float,
    edge_kw: Floats,
    price: Floats,
) -> None:
    """Write the ladders of the hours after `hour`, with the grid there or away."""
    first = plant.first_step // plant.steps_per_h
    limit = 1.0 if up else 0.0
    for slot in range(edge_kw.shape[0]):
        at = hour + 1 + slot
        begin = at * plant.steps_per_h - plant.first_step
        end = min(begin + plant.steps_per_h, series.import_per_kwh.size)
        bought, sold, carbon = 0.0, 0.0, 0.0
        for step in range(begin, end):
            bought += series.import_per_kwh[step] / (end - begin)
            sold += series.export_per_kwh[step] / (end - begin)
            if plant.published:
                carbon += series.carbon_per_kwh[step] / (end - begin)
        if not plant.published:
            carbon = _carbon_ahead(memory.carbon, hour, at, first)
        fill_ladder(
            edge_kw[slot],
            price[slot],
            bought + carbon,
            sold,
            plant.import_max_kw * limit,
            plant.export_max_kw * limit,
            _soft_kw(memory, plant),
            over_per_kwh,
            plant.backup_kw,
            plant.backup_per_kwh,
            plant.unserved_per_kwh,
        )


@inner
def _plan(
    series: _Series,
    memory: _Memory,
    kind: Whole,
    storage: Floats,
    plant: CausalPlant,
    tuning: CausalTuning,
    reading: ScenarioTuning,
    hour: int,
    up: bool,
) -> Floats:
    """What energy is worth at the end of `hour`, (2, cells): with the grid there and away."""
    slots = min(tuning.horizon_h, memory.load_kw.size - 1 - hour)
    flat = np.zeros(tuning.cells)
    if slots <= 0:
        return np.zeros((2, tuning.cells))
    scalar = memory.scalar
    first_day = 0 if plant.first_step == 0 else 1
    scalar[_BEST] = fill_envelope(memory.pv_kw, hour, first_day, reading.envelope_days, memory.season, memory.envelope)
    count = max(1, min(reading.scenarios, hour // 24 - first_day))
    net_kw, weight = np.empty((count, slots)), np.empty(count)
    fill_scenarios(
        memory.load_kw, memory.pv_kw, kind, hour, first_day, memory.season, memory.envelope, scalar[_BEST], reading,
        net_kw, weight,
    )  # fmt: skip
    fail, repair = 0.0, 0.0
    # A grid that was never there is not waited for.
    island = scalar[_UP_H] <= 0.0
    if not island and (scalar[_FAILURES] > 0.0 or not up):
        fail = min(1.0, scalar[_FAILURES] / max(scalar[_UP_H], 1.0))
        repair = min(1.0, (scalar[_REPAIRS] + 1.0) / (scalar[_DOWN_H] + 2.0))
    over = plant.demand_charge_per_kw / tuning.peak_h
    edge, price = np.empty((slots, LADDER_STEPS)), np.empty((slots, LADDER_STEPS + 1))
    _fill_ahead(series, memory, plant, hour, not island, over, edge, price)
    edge_down, price_down = edge, price
    if repair > 0.0:
        edge_down, price_down = np.empty_like(edge), np.empty_like(price)
        _fill_ahead(series, memory, plant, hour, False, over, edge_down, price_down)
    mix = np.empty(slots)
    for slot in range(slots):
        bright = memory.envelope[(hour + 1 + slot) % 24] > 0.02 * scalar[_BEST]
        mix[slot] = tuning.mix_day if bright else tuning.mix_night
    curves = curves_with_outages(
        net_kw, weight, edge, price, edge_down, price_down, fail, repair, mix, flat, storage, 1.0
    )
    if island:
        curves[1] = curves[0]
    return curves


@inner
def _act(
    series: _Series,
    memory: _Memory,
    curve: Floats,
    energy_kwh: float,
    storage: Floats,
    plant: CausalPlant,
    over_per_kwh: float,
    step: int,
    edge_kw: Floats,
    price: Floats,
) -> float:
    """The storage's power in this step by the curve, after the least power of the generator has had its say."""
    step_h = 1.0 / plant.steps_per_h
    net_kw = series.load_kw[step] - series.pv_kw[step]
    there = 1.0 if series.grid_up[step] > 0.5 else 0.0
    grid_kw = plant.import_max_kw * there
    fill_ladder(
        edge_kw,
        price,
        series.import_per_kwh[step] + series.carbon_per_kwh[step],
        series.export_per_kwh[step],
        grid_kw,
        plant.export_max_kw * there,
        _soft_kw(memory, plant),
        over_per_kwh,
        plant.backup_kw,
        plant.backup_per_kwh,
        plant.unserved_per_kwh,
    )
    power: float = execute_by_curve(curve, energy_kwh, net_kw, edge_kw, price, storage, step_h)
    rest_kw = net_kw - power - grid_kw
    if plant.backup_kw > 0.0 and 0.0 < rest_kw < plant.backup_min_kw:
        # It cannot run so low: cover the rest from the storage where that is possible, else store its surplus.
        can_kw = float(min(storage[3], (energy_kwh - storage[0]) * storage[5] / step_h))
        if power + rest_kw <= can_kw:
            return float(power + rest_kw)
        room_kw = max(0.0, min(storage[2], (storage[1] - energy_kwh) / (storage[4] * step_h)))
        power = float(max(power - (plant.backup_min_kw - rest_kw), -room_kw))
    return power


def _example() -> tuple[Any, ...]:
    one = np.ones(30)
    plant = CausalPlant(1, 0, True, 100.0, 50.0, 50.0, 0.0, 0.0, 0.0, 0.0, 10.0)
    days = np.zeros(2, np.int64)
    storage = np.array([10.0, 90.0, 30.0, 30.0, 0.95, 0.95, 0.01])
    return _Series(one, one, one, one, one, one), days, days, storage, plant, CausalTuning(), ScenarioTuning()


@kernel(example=_example)
def causal_run(
    series: _Series,
    kind: Whole,
    month: Whole,
    storage: Floats,
    plant: CausalPlant,
    tuning: CausalTuning,
    reading: ScenarioTuning,
) -> Floats:
    """The power of the storage in every step, (n,) kW; see `run_causal`."""
    steps = series.load_kw.size
    step_h = 1.0 / plant.steps_per_h
    hours = (plant.first_step + steps - 1) // plant.steps_per_h + 1
    first_day = 0 if plant.first_step == 0 else 1
    memory = _Memory(np.zeros(hours), np.zeros(hours), np.zeros(hours), np.zeros(24), np.ones(24), np.zeros(8))
    memory.scalar[_MONTH] = month[0]
    memory.scalar[_PEAK] = max(0.0, series.load_kw[0] - series.pv_kw[0])
    over = plant.demand_charge_per_kw / tuning.peak_h
    action = np.empty(steps)
    curves = np.zeros((2, tuning.cells))
    edge, price = np.empty(LADDER_STEPS), np.empty(LADDER_STEPS + 1)
    energy, planned = plant.energy_kwh, -1
    for step in range(steps):
        hour = (plant.first_step + step) // plant.steps_per_h
        if step > 0 and (plant.first_step + step) % (24 * plant.steps_per_h) == 0:
            _new_day(memory, storage, month[hour // 24], hour // 24, first_day, tuning, reading)
        _learn(series, memory, plant, step)
        up = series.grid_up[step] > 0.5
        if hour > planned:
            planned = hour
            curves = _plan(series, memory, kind, storage, plant, tuning, reading, hour, up)
        power = _act(series, memory, curves[0 if up else 1], energy, storage, plant, over, step, edge, price)
        action[step] = power
        energy -= power * step_h / storage[5] if power > 0.0 else power * step_h * storage[4]
        if up:
            imported = series.load_kw[step] - series.pv_kw[step] - power
            memory.scalar[_PEAK] = max(memory.scalar[_PEAK], min(imported, plant.import_max_kw))
    return action


def run_causal(given: CausalInput, tuning: CausalTuning = FULL, reading: ScenarioTuning = FULL_READING) -> Floats:
    """The power of the storage in every step, (n,) kW at the bus, positive discharges.

    It keeps to the power limits and the usable energy of `storage`, so a simulator of the same storage can book it as
    it is. What happens after a step changes nothing before it.
    """
    series = _Series(
        *(
            np.ascontiguousarray(one, dtype=np.float64)
            for one in (
                given.load_kw,
                given.pv_kw,
                given.import_per_kwh,
                given.export_per_kwh,
                given.carbon_per_kwh,
                given.grid_up,
            )
        )
    )
    plant = CausalPlant(
        steps_per_h=3600 // given.step_s,
        first_step=given.first_step,
        published=given.carbon_published,
        import_max_kw=float(given.import_max_kw),
        export_max_kw=float(given.export_max_kw),
        energy_kwh=float(given.energy_kwh),
        demand_charge_per_kw=float(given.demand_charge_per_kw),
        backup_kw=float(given.backup_kw),
        backup_min_kw=float(given.backup_min_kw),
        backup_per_kwh=float(given.backup_per_kwh),
        unserved_per_kwh=float(given.unserved_per_kwh),
    )
    kind = np.ascontiguousarray(given.day_kind, dtype=np.int64)
    month = np.ascontiguousarray(given.month, dtype=np.int64)
    storage = np.ascontiguousarray(given.storage, dtype=np.float64)
    return causal_run(series, kind, month, storage, plant, tuning, reading)
