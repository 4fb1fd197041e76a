"""The lower rungs of the ladder: owns schedules that need no solver, and walking any wish through the limits.

The rules: surplus PV is stored; a deficit is met from the storage, above its reserve, where import is dearer than on
average or above its wished limit; vehicles charge evenly until they leave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from control.energy import exact_dp as dp
from control.energy.plan import Series
from control.energy.plan_repair import Question


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """Powers (storages, slots) at the bus, energies (storages, slots + 1) and vehicles together (slots,).

    `ev_short_kwh` (vehicles,) is what they lack on leaving, `ev_worth` (vehicles,) what one more kWh in them is worth
    when they come, where a solver says so.
    """

    storage_kw: Series
    energy_kwh: Series
    ev_kw: Series
    ev_short_kwh: Series
    allowed_kw: float = np.inf
    ev_worth: Series | None = None


def even_charging(question: Question) -> tuple[Series, Series]:
    """Vehicles charging evenly until they leave, (slots,), and what each lacks then."""
    total, short = np.zeros(question.slots), np.zeros(len(question.evs))
    for i, ev in enumerate(question.evs):
        hours = (ev.last - ev.first) * question.slot_h
        power = min(ev.max_kw, ev.need_kwh / (ev.efficiency * hours))
        total[ev.first : ev.last] += power
        short[i] = max(0.0, ev.need_kwh - power * ev.efficiency * hours)
    return total, short


def rules(question: Question) -> Schedule:
    """The schedule of the rules."""
    ev_kw, short = even_charging(question)
    deficit = question.load + ev_kw - question.pv
    dear = question.import_price > float(np.mean(question.import_price)) + 1e-9
    wished = np.maximum(deficit - question.demand_free_kw, 0.0)
    use = np.where(dear, np.maximum(deficit, 0.0), np.maximum(wished, deficit - question.import_cap))
    return follow(question, np.where(deficit < 0.0, deficit, use), ev_kw, short, floor=True)


def follow(question: Question, wanted_kw: Series, ev_kw: Series, short: Series, *, floor: bool) -> Schedule:
    """Walk a wish for all storages together through their limits; `floor` keeps to the reserve unless load is lost.

    The wish is shared by what each can do in the slot. Discharging never forces export beyond its limit, charging
    never costs load.
    """
    count, slots, slot_h = len(question.storages), question.slots, question.slot_h
    power, energy = np.zeros((count, slots)), np.zeros((count, slots + 1))
    for s, who in enumerate(question.storages):
        energy[s, 0] = who[dp.START]
    for t in range(slots if count else 0):
        need = question.load[t] + ev_kw[t]
        most_in = max(question.import_cap[t] + question.pv[t] - need, 0.0)
        lost = need - question.pv[t] - question.import_cap[t]
        wish = min(max(wanted_kw[t], -most_in, lost), need + question.export_cap[t])
        held = floor and lost <= 0.0
        able = [
            _able(who, energy[s, t], question.reserve[s, t] if held else 0.0, slot_h, wish)
            for s, who in enumerate(question.storages)
        ]
        share = min(1.0, abs(wish) / max(sum(able), 1e-12))
        for s, who in enumerate(question.storages):
            power[s, t] = able[s] * share if wish > 0 else -able[s] * share
            energy[s, t + 1] = dp.after(who, energy[s, t], power[s, t])
    return Schedule(power, energy, ev_kw, short)


def _able(who: Series, energy: float, reserve: float, slot_h: float, wish: float) -> float:
    """The most that a storage can give (`wish` above nought) or take in this slot, kW at the bus."""
    kept = who[dp.KEEP] * energy
    if wish > 0.0:
        floor = max(who[dp.SOFT_LOW], reserve)
        return float(min(who[dp.DISCHARGE], max(kept - floor, 0.0) * who[dp.ETA_D] / slot_h))
    return float(min(who[dp.CHARGE], max(who[dp.SOFT_HIGH] - kept, 0.0) / (who[dp.ETA_C] * slot_h)))
