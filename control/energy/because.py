"""Why a plan does what it does: owns one reason an hour, with its figures; the console makes sentences of them.

A reason is the first of these that holds. Every one carries `load_kwh`, `pv_kwh`, `ev_kwh`, `storage_kwh` (positive
discharges), `grid_kwh` (positive imports), `import_per_kwh`, `export_per_kwh` (means of the hour, import with the
weighted carbon) and `soc_frac` (at its end); beside these:

    code            holds when                                             further values
    unserved        load is not served                                     unserved_kwh, import_max_kw
    island          the grid is away                                       curtailed_kwh
    export_limit    PV is curtailed with export at its limit               curtailed_kwh, export_max_kw
    curtail_price   PV is curtailed because export or import is negative   curtailed_kwh
    fill_reserve    it charges, being below the reserve                    reserve_frac
    store_surplus   it charges, most of it from surplus PV                 later_per_kwh, at_export_limit
    charge_cheap    it charges, most of it from the grid                   later_per_kwh
    import_limit    it discharges with import at its limit                 import_max_kw
    hold_peak       it discharges with import at the planned peak          peak_kw, demand_per_kw
    sell            it discharges and exports                              refill_per_kwh
    avoid_dear      it discharges instead of importing                     refill_per_kwh
    full            it rests at its upper limit
    reserve_held    it rests at the reserve while import is dear           reserve_frac
    empty           it rests at its lower limit
    wait            it rests: no price difference pays losses and wear     next_per_kwh, wear_per_kwh
    ev_charge       there is no storage; vehicles charge
    no_storage      there is no storage

`at_export_limit` is 1 where the surplus could not have been fed in, because export is at its limit, and 0 elsewhere.
`later_per_kwh` is what the stored energy will replace, `refill_per_kwh` what it costs to put it back, `next_per_kwh`
the import price that is farthest from this hour's within the next day; 0 where the plan ends before. Savings are
against leaving the storages alone (vehicles as planned): energy, unserved load, wear, and the demand charge in the
hour that would have made the peak. `carbon_saved_kg` counts what is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from control.domain.energy import PlanRung
from control.energy import exact_dp as dp
from control.energy.plan import Because, Series
from control.energy.plan_repair import Question
from control.energy.plan_rules import Schedule
from control.energy.site_cost import settle_series

CODES = (
    "unserved",
    "island",
    "export_limit",
    "curtail_price",
    "fill_reserve",
    "store_surplus",
    "charge_cheap",
    "import_limit",
    "hold_peak",
    "sell",
    "avoid_dear",
    "full",
    "reserve_held",
    "empty",
    "wait",
    "ev_charge",
    "no_storage",
)
_SEEN_KW = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Story:
    """The plan, slot by slot: flows (4, slots) of `settle_series`, the storages together, saved money and carbon."""

    question: Question
    flows: Series
    storage_kw: Series
    ev_kw: Series
    energy: Series
    reserve: Series
    allowed_kw: float
    saved: Series
    carbon_saved: Series


def explain(
    question: Question, schedule: Schedule, flows: Series, start: datetime, rung: PlanRung
) -> tuple[Because, ...]:
    """One reason an hour (of the clock); the first and last may be shorter. `rung` is given with each."""
    story = _story(question, schedule, flows)
    slot = timedelta(hours=question.slot_h)
    told = []
    for a, b in _hours(start.astimezone(UTC), slot, question.slots):
        code, more = _reason(story, a, b)
        told.append(
            Because(
                at=start + a * slot,
                until=start + b * slot,
                code=code,
                values=_figures(story, a, b) | more | {"rung": rung.value},
                cost_saved=float(story.saved[a:b].sum()),
                carbon_saved_kg=float(story.carbon_saved[a:b].sum()),
            )
        )
    return tuple(told)


def _story(question: Question, schedule: Schedule, flows: Series) -> _Story:
    alone = settle_series(
        question.load + schedule.ev_kw - question.pv,
        question.pv,
        question.import_price,
        question.export_price,
        question.import_cap,
        question.export_cap,
    )
    wear = np.zeros(question.slots)
    for who, energy in zip(question.storages, schedule.energy_kwh, strict=True):
        wear += who[dp.WEAR] * np.abs(np.diff(energy) + (1.0 - who[dp.KEEP]) * energy[:-1])
    saved = (_money(question, alone) - _money(question, flows)) * question.slot_h - wear
    free = question.demand_free_kw
    before, now = max(alone[0].max(), free), max(flows[0].max(), free)
    saved[int(alone[0].argmax())] += question.demand_price * (before - now)
    return _Story(
        question=question,
        flows=flows,
        storage_kw=schedule.storage_kw.sum(axis=0),
        ev_kw=schedule.ev_kw,
        energy=schedule.energy_kwh.sum(axis=0) if question.storages else np.zeros(question.slots + 1),
        reserve=question.reserve.sum(axis=0),
        allowed_kw=schedule.allowed_kw,
        saved=saved,
        carbon_saved=(alone[0] - flows[0]) * question.carbon * question.slot_h,
    )


def _money(question: Question, flows: Series) -> Series:
    priced: Series = (
        flows[0] * question.import_price
        - flows[1] * question.export_price
        + flows[3] * question.settings.unserved_per_kwh
    )
    return priced


def _hours(start: datetime, slot: timedelta, slots: int) -> list[tuple[int, int]]:
    """First and last slot (excluded) of each hour of the clock; slots of an hour or longer stand alone."""
    hours = [(start + k * slot).replace(minute=0, second=0, microsecond=0) for k in range(slots)]
    first = [k for k in range(slots) if k == 0 or hours[k] != hours[k - 1]]
    return list(zip(first, [*first[1:], slots], strict=True))


def _figures(story: _Story, a: int, b: int) -> dict[str, float | str]:
    asked, slot_h = story.question, story.question.slot_h
    capacity = sum(spec.capacity_kwh for spec in asked.specs) or 1.0
    return {
        "load_kwh": float(asked.load[a:b].sum() * slot_h),
        "pv_kwh": float(asked.pv[a:b].sum() * slot_h),
        "ev_kwh": float(story.ev_kw[a:b].sum() * slot_h),
        "storage_kwh": float(story.storage_kw[a:b].sum() * slot_h),
        "grid_kwh": float((story.flows[0] - story.flows[1])[a:b].sum() * slot_h),
        "import_per_kwh": float(asked.import_price[a:b].mean()),
        "export_per_kwh": float(asked.export_price[a:b].mean()),
        "soc_frac": float(story.energy[b] / capacity),
    }


def _reason(story: _Story, a: int, b: int) -> tuple[str, dict[str, float | str]]:
    asked, slot_h = story.question, story.question.slot_h
    sold, curtailed, unserved = (story.flows[k, a:b] for k in (1, 2, 3))
    if unserved.max() > _SEEN_KW:
        lost = float(unserved.sum() * slot_h)
        return "unserved", {"unserved_kwh": lost, "import_max_kw": float(asked.import_cap[a:b].max())}
    gone: dict[str, float | str] = {"curtailed_kwh": float(curtailed.sum() * slot_h)}
    if asked.import_cap[a:b].max() <= 0.0 and asked.settings.import_max_kw > 0.0:
        return "island", gone
    if curtailed.max() > _SEEN_KW:
        full = (sold >= asked.export_cap[a:b] - _SEEN_KW) & (curtailed > _SEEN_KW)
        if full.any():
            return "export_limit", gone | {"export_max_kw": float(asked.export_cap[a:b].max())}
        return "curtail_price", gone
    if not asked.storages:
        return ("ev_charge" if story.ev_kw[a:b].max() > _SEEN_KW else "no_storage"), {}
    power = float(story.storage_kw[a:b].mean())
    if power < -_SEEN_KW:
        return _charging(story, a, b)
    return _discharging(story, a, b) if power > _SEEN_KW else _resting(story, a, b)


def _charging(story: _Story, a: int, b: int) -> tuple[str, dict[str, float | str]]:
    asked = story.question
    if story.energy[a] < story.reserve[a] - 1e-6:
        return "fill_reserve", _reserve(story, a)
    surplus = np.maximum((asked.pv - asked.load - story.ev_kw)[a:b], 0.0)
    taken = np.maximum(-story.storage_kw[a:b], 0.0)
    worth: dict[str, float | str] = {"later_per_kwh": _at_other_side(story, b, 1.0, float(taken.sum()))}
    if np.minimum(taken, surplus).sum() < 0.5 * taken.sum():
        return "charge_cheap", worth
    bound = (surplus > asked.export_cap[a:b]).any() and (story.flows[1, a:b] >= asked.export_cap[a:b] - _SEEN_KW).any()
    return "store_surplus", worth | {"at_export_limit": float(bound)}


def _discharging(story: _Story, a: int, b: int) -> tuple[str, dict[str, float | str]]:
    asked, gives = story.question, story.storage_kw[a:b] > _SEEN_KW
    bought, sold = story.flows[0, a:b], story.flows[1, a:b]
    # A limit binds only in the slots in which the storage gives because of it.
    if (gives & (bought >= asked.import_cap[a:b] - _SEEN_KW) & (bought > _SEEN_KW)).any():
        return "import_limit", {"import_max_kw": float(asked.import_cap[a:b].max())}
    if (gives & (bought >= story.allowed_kw - _SEEN_KW) & (bought > _SEEN_KW)).any():
        return "hold_peak", {"peak_kw": story.allowed_kw, "demand_per_kw": asked.demand_price}
    refill: dict[str, float | str] = {
        "refill_per_kwh": _at_other_side(story, b, -1.0, float(story.storage_kw[a:b].sum()))
    }
    return ("sell" if sold.mean() > _SEEN_KW else "avoid_dear"), refill


def _resting(story: _Story, a: int, b: int) -> tuple[str, dict[str, float | str]]:
    asked = story.question
    low, high = (sum(who[place] for who in asked.storages) for place in (dp.SOFT_LOW, dp.SOFT_HIGH))
    near = 0.002 * max(float(high), 1e-9)
    price = float(asked.import_price[a:b].mean())
    if story.energy[b] >= high - near:
        return "full", {}
    if story.energy[b] <= low + near:
        return "empty", {}
    if story.energy[b] <= story.reserve[b - 1] + near and price >= float(asked.import_price.mean()):
        return "reserve_held", _reserve(story, a)
    ahead = asked.import_price[b : b + round(24 / asked.slot_h)]
    farthest = float(ahead[np.abs(ahead - price).argmax()]) if ahead.size else 0.0
    return "wait", {"next_per_kwh": farthest, "wear_per_kwh": asked.settings.wear_per_kwh}


def _reserve(story: _Story, a: int) -> dict[str, float | str]:
    capacity = sum(spec.capacity_kwh for spec in story.question.specs)
    return {"reserve_frac": float(story.reserve[a] / capacity)}


def _at_other_side(story: _Story, start: int, sign: float, amount: float) -> float:
    """The mean price at which the storages next turn to discharging (1) or charging (-1) as much power as `amount`."""
    asked = story.question
    moved = np.maximum(sign * story.storage_kw[start:], 0.0)
    until = np.minimum(np.cumsum(moved), amount)
    part = np.diff(until, prepend=0.0)
    if part.sum() <= 0.0:
        return 0.0
    alone = (asked.load + story.ev_kw - asked.pv)[start:]
    price = np.where(alone > 0.0, asked.import_price[start:], asked.export_price[start:])
    return float((price * part).sum() / part.sum())
