"""From any numbers to a question that can be solved: owns what is done about values that cannot be meant.

Nothing is refused. What is repaired is told by name, `input.WHAT` or `input.WHAT:ID`, and ends in `Plan.violations`:

    input.slot          the length of a slot was not above nought: 900 s are taken
    input.slots         the series differ in length or are empty: cut, or continued with their last value
    input.load, input.pv, input.import_price, input.export_price, input.carbon
                        a value was missing, not finite, absurdly large or (load, PV, carbon) negative: the neighbour's
    input.band          the low quantile of PV was above the middle one: the middle one is taken
    input.peak          the month's peak was not a number or negative: nought
    input.setting:KEY   a setting was not a number or negative: the default's value
    input.storage:ID    a capacity, power or efficiency was impossible: the storage is left out, or the value bounded
    input.soc:ID        the state of charge was missing or not within 0 to 1: the lower limit, or the nearest
    input.limits:ID     the lower limit was above the upper one: both are taken as the lower of the two
    input.ev:ID         times, energies or powers of a vehicle were impossible: bounded, or the vehicle left out
    input.grid          whether the grid is there was not known: taken as there
    input.scenarios     scenarios did not fit the slots or were no numbers: the value curves follow the middle forecast
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

import numpy as np

from control.energy import exact_dp as dp
from control.energy.plan import Series
from control.energy.plan_input import EvJob, PlanInput
from control.energy.settings import RANGES, EnergySettings
from control.energy.site import StorageSpec
from control.energy.site_lp import Ev

_LARGEST_KW = 1e7
_LARGEST_PRICE = 1e4
_SLOTS_MAX = 1000


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """What is really solved. Series (slots,); prices hold the weighted carbon; storages are vectors of `exact_dp`."""

    slot_h: float
    load: Series
    pv: Series
    pv_low: Series
    import_tariff: Series
    import_price: Series
    export_price: Series
    carbon: Series
    import_cap: Series
    export_cap: Series
    reserve: Series
    specs: tuple[StorageSpec, ...]
    storages: tuple[Series, ...]
    ev_ids: tuple[str, ...]
    evs: tuple[Ev, ...]
    unserved: float
    demand_price: float
    demand_free_kw: float
    settings: EnergySettings
    told: tuple[str, ...]

    @property
    def slots(self) -> int:
        """How many slots."""
        return self.load.size


def repair(given: PlanInput) -> Question:
    """A question for any input."""
    told: set[str] = set()
    settings = _settings(given.settings, told)
    slot_s = _number(given.slot_s)
    if slot_s is None or not 1.0 <= slot_s <= 86_400.0:
        told.add("input.slot")
        slot_s = 900.0
    slot_h = slot_s / 3600.0
    slots = _slots(given, slot_h, settings, told)
    load = _series(given.load.mid, slots, "load", told, low=0.0, high=_LARGEST_KW)
    pv = _series(given.pv.mid, slots, "pv", told, low=0.0, high=_LARGEST_KW)
    pv_low = _series(given.pv.low, slots, "pv", told, low=0.0, high=_LARGEST_KW)
    if (pv_low > pv + 1e-9).any():
        told.add("input.band")
        pv_low = np.minimum(pv_low, pv)
    tariff = _series(given.import_per_kwh, slots, "import_price", told, low=-_LARGEST_PRICE, high=_LARGEST_PRICE)
    export = _series(given.export_per_kwh, slots, "export_price", told, low=-_LARGEST_PRICE, high=_LARGEST_PRICE)
    carbon = _series(given.carbon_per_kwh, slots, "carbon", told, low=0.0, high=_LARGEST_PRICE)
    bought = tariff + carbon * settings.carbon_price_per_t / 1000.0
    up = _grid_up(given.grid_up, slots, told)
    dearest = float(max(np.max(np.abs(bought)), np.max(np.abs(export))))
    demand = settings.demand_charge_per_kw
    unserved = max(settings.unserved_per_kwh, 2.0 * dearest, 1e-3) + demand / slot_h
    specs, storages = _storages(given.storages, slot_h, settings, dearest, unserved, told)
    storages = tuple(_ending(who, bought) for who in storages)
    jobs = [(job, _ev(job, slots, settings, told)) for job in given.evs]
    evs = [(job.id, ev) for job, ev in jobs if ev is not None]
    essential = site_load(given, load) * _bounded(given.essential_frac, 0.0, 1.0, 0.6)
    reserve = _reserve(essential - pv_low, up, specs, storages, slot_h, settings)
    peak = _number(given.peak_so_far_kw)
    if peak is None or peak < 0.0:
        told.add("input.peak")
        peak = 0.0
    return Question(
        slot_h=slot_h,
        load=load,
        pv=pv,
        pv_low=pv_low,
        import_tariff=tariff,
        import_price=bought,
        export_price=export,
        carbon=carbon,
        import_cap=settings.import_max_kw * up,
        export_cap=settings.export_max_kw * up,
        reserve=reserve,
        specs=specs,
        storages=storages,
        ev_ids=tuple(name for name, _ in evs),
        evs=tuple(ev for _, ev in evs),
        unserved=unserved,
        demand_price=demand,
        demand_free_kw=min(max(peak, settings.import_target_kw), settings.import_max_kw),
        settings=settings,
        told=tuple(sorted(told)),
    )


def site_load(given: PlanInput, load: Series) -> Series:
    """The load (slots,) without vehicles; all of it where that is not known or does not fit."""
    alone = flat(given.site_load.mid) if given.site_load is not None else load
    if alone.size != load.size or not np.isfinite(alone).all():
        return load
    return np.clip(alone, 0.0, load)


def starts_at(given: PlanInput) -> datetime:
    """When the first slot begins; a time without a zone is taken as UTC."""
    return given.starts_at if given.starts_at.tzinfo else given.starts_at.replace(tzinfo=UTC)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        return None
    made = float(value)
    return made if math.isfinite(made) else None


def _bounded(value: object, low: float, high: float, otherwise: float) -> float:
    made = _number(value)
    return otherwise if made is None else min(max(made, low), high)


def _settings(given: EnergySettings, told: set[str]) -> EnergySettings:
    """Numbers that are none, or negative, become the default's; shares stay within 0 to 1."""
    plain: dict[str, Any] = {each.name: getattr(given, each.name) for each in fields(given)}
    for key in RANGES:
        made = _number(plain[key])
        share = key.endswith("_frac")
        if made is None or made < 0.0 or (share and made > 1.0) or made > _LARGEST_KW:
            told.add(f"input.setting:{key}")
            made = float(getattr(EnergySettings(), key))
        plain[key] = made
    return EnergySettings(**plain)


def flat(value: object) -> Series:
    """Any value as a row of numbers; empty where it holds something else."""
    try:
        return np.asarray(value, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        return np.zeros(0)


def _slots(given: PlanInput, slot_h: float, settings: EnergySettings, told: set[str]) -> int:
    sizes = {
        flat(one).size
        for one in (
            given.load.mid,
            given.pv.mid,
            given.import_per_kwh,
            given.export_per_kwh,
            given.carbon_per_kwh,
        )
    }
    slots = flat(given.load.mid).size or max(sizes) or math.ceil(settings.horizon_h / slot_h)
    if sizes != {slots} or slots > _SLOTS_MAX:
        told.add("input.slots")
    return max(1, min(slots, _SLOTS_MAX))


def _series(value: object, slots: int, name: str, told: set[str], *, low: float, high: float) -> Series:
    """Exactly `slots` believable values; those that are not take their neighbour's."""
    raw = flat(value)[:slots]
    with np.errstate(invalid="ignore"):
        good = np.isfinite(raw) & (raw >= low) & (raw <= high)
    if not good.all() or raw.size == 0:
        told.add(f"input.{name}")
    if not good.any():
        return np.zeros(slots)
    at = np.flatnonzero(good)
    nearest = at[np.clip(np.searchsorted(at, np.arange(slots), side="right") - 1, 0, None)]
    return np.ascontiguousarray(raw[nearest])


def _grid_up(value: Series | None, slots: int, told: set[str]) -> Series:
    if value is None:
        return np.ones(slots)
    raw = flat(value)
    if raw.size < slots or not np.isfinite(raw[:slots]).all():
        told.add("input.grid")
        return np.ones(slots)
    return np.where(raw[:slots] > 0.5, 1.0, 0.0)


def _storages(
    given: tuple[tuple[StorageSpec, float], ...],
    slot_h: float,
    settings: EnergySettings,
    dearest: float,
    unserved: float,
    told: set[str],
) -> tuple[tuple[StorageSpec, ...], tuple[Series, ...]]:
    specs, vectors = [], []
    for spec, soc in given:
        who = _storage(spec, soc, slot_h, settings, told)
        if who is None:
            continue
        who[dp.RESERVE_PRICE] = settings.reserve_price_per_kwh_h
        who[dp.EDGE_PRICE] = max(1.0, dearest, settings.reserve_price_per_kwh_h)
        who[dp.UNSERVED] = unserved
        specs.append(spec)
        vectors.append(who)
    return tuple(specs), tuple(vectors)


def _storage(spec: StorageSpec, soc: float, slot_h: float, settings: EnergySettings, told: set[str]) -> Series | None:
    capacity = _number(spec.capacity_kwh)
    if capacity is None or not 1e-6 < capacity <= _LARGEST_KW:
        told.add(f"input.storage:{spec.id}")
        return None
    who = np.zeros(dp.SCALARS)
    who[dp.SLOT_H] = slot_h
    rows = (
        (dp.CHARGE, spec.charge_max_kw, 0.0, _LARGEST_KW, 0.0),
        (dp.DISCHARGE, spec.discharge_max_kw, 0.0, _LARGEST_KW, 0.0),
        (dp.ETA_C, spec.efficiency_charge, 0.05, 1.0, 0.9),
        (dp.ETA_D, spec.efficiency_discharge, 0.05, 1.0, 0.9),
    )
    for place, value, low, high, otherwise in rows:
        who[place] = _bounded(value, low, high, otherwise)
        if _number(value) != who[place]:
            told.add(f"input.storage:{spec.id}")
    who[dp.KEEP] = (1.0 - _bounded(spec.self_discharge_frac_per_h, 0.0, 0.5, 0.0)) ** slot_h
    low = _bounded(spec.soc_min_frac, 0.0, 1.0, 0.1)
    high = min(_bounded(spec.soc_max_frac, 0.0, 1.0, 0.95), settings.soc_max_frac)
    if low > high:
        told.add(f"input.limits:{spec.id}")
        low = high
    level = _number(soc)
    if level is None or not 0.0 <= level <= 1.0:
        told.add(f"input.soc:{spec.id}")
        level = low if level is None else min(max(level, 0.0), 1.0)
    who[dp.START], who[dp.SOFT_LOW], who[dp.SOFT_HIGH] = level * capacity, low * capacity, high * capacity
    who[dp.HIGH] = max(who[dp.SOFT_HIGH], who[dp.START])
    who[dp.WEAR] = settings.wear_per_kwh
    who[dp.LOW] = min(who[dp.SOFT_LOW], who[dp.START])
    return who


def _ending(who: Series, bought: Series) -> Series:
    """With what a kWh left at the end is worth: the refill at the cheapest price of the last day, if that pays."""
    day = max(1, round(24.0 / who[dp.SLOT_H]))
    recent = bought[-day:]
    refill = float(np.min(recent)) / who[dp.ETA_C] + who[dp.WEAR]
    used = float(np.mean(recent)) * who[dp.ETA_D] - who[dp.WEAR]
    who[dp.TERMINAL] = max(0.0, min(refill, used))
    return who


def _reserve(
    lacking: Series,
    up: Series,
    specs: tuple[StorageSpec, ...],
    storages: tuple[Series, ...],
    slot_h: float,
    settings: EnergySettings,
) -> Series:
    """Energy wanted in each storage at each slot's end, (storages, slots).

    The larger of the reserve share and what the essential load less low PV would take from it in the ride-through
    hours that follow. Beyond the horizon the same hours of its last day are looked at. The need is shared by what the
    storages can deliver; nothing is held back in slots where the grid is away, for then the reserve is being used.
    """
    slots = lacking.size
    if not storages:
        return np.zeros((0, slots))
    ahead = round(settings.ride_through_h / slot_h)
    day = min(slots, max(1, round(24.0 / slot_h)))
    longer = np.concatenate((lacking, np.resize(lacking[-day:], ahead + 1)))
    run = np.concatenate(([0.0], np.cumsum(np.maximum(longer, 0.0)) * slot_h))
    need = run[1 + ahead : 1 + ahead + slots] - run[1 : 1 + slots]
    usable = np.array([(who[dp.SOFT_HIGH] - who[dp.SOFT_LOW]) * who[dp.ETA_D] for who in storages])
    share = usable / max(float(usable.sum()), 1e-9)
    rows = []
    for who, spec, part in zip(storages, specs, share, strict=True):
        riding = who[dp.SOFT_LOW] + need * part / who[dp.ETA_D]
        held = np.maximum(riding, settings.reserve_frac * spec.capacity_kwh)
        rows.append(np.minimum(held, who[dp.SOFT_HIGH]) * up)
    return np.ascontiguousarray(rows)


def _ev(job: EvJob, slots: int, settings: EnergySettings, told: set[str]) -> Ev | None:
    """The vehicle within the horizon; None where it has left, comes later, or cannot be charged."""
    first, last = _number(job.arrives_slot), _number(job.departs_slot)
    power, need = _number(job.max_kw), _number(job.needed_kwh)
    if first is None or last is None or power is None or need is None or last <= first or power < 0 or need < 0:
        told.add(f"input.ev:{job.id}")
    first, last = int(max(first or 0.0, 0.0)), int(slots if last is None else min(last, 1e6))
    power, need = min(max(power or 0.0, 0.0), _LARGEST_KW), min(max(need or 0.0, 0.0), _LARGEST_KW)
    if last <= first or first >= slots or power <= 0.0:
        return None
    within = min(last, slots)
    need *= (within - first) / (last - first)
    spare = _bounded(job.spare_kwh, 0.0, _LARGEST_KW, 0.0)
    back = _bounded(job.v2g_kw, 0.0, _LARGEST_KW, 0.0) if settings.v2g else 0.0
    return Ev(
        first=first,
        last=within,
        need_kwh=need,
        room_kwh=max(need, _bounded(job.room_kwh, 0.0, _LARGEST_KW, 0.0)),
        spare_kwh=spare if back > 0.0 else 0.0,
        max_kw=power,
        v2g_kw=back,
        efficiency=_bounded(job.efficiency, 0.05, 1.0, 0.93),
    )
