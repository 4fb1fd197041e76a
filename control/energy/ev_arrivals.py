"""Vehicles that will come: owns how many, what they will need, and the power they draw, from past stays.

Arrivals are counted by local hour and kind of day (working or not); the latest days count most, and with few days the
rate is drawn towards a usual one, which alone holds where nothing was ever seen. Energy and stay are quantiles of the
past stays. The band of power is that of a random sum: Poisson arrivals, each with its own need.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from control.energy.calendar import alike
from control.energy.plan import Band

Floats = npt.NDArray[np.float64]

# The 10 and 90 % quantiles of a normal distribution lie so many standard deviations from its mean.
_Z10 = 1.2816


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One vehicle's past visit at a charger: from an aware time, so many hours, with so much energy taken."""

    arrived_at: datetime
    stay_h: float
    energy_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrivalTuning:
    """How the past is read. `usual_*` is taken where nothing is known and counts as `usual_days` of the past.

    `usual_per_day` is per charger, spread evenly over the hours from `usual_from_h` to `usual_until_h`.
    """

    halving_days: float = 30.0
    usual_days: float = 1.0
    usual_per_day: float = 1.0
    usual_from_h: int = 7
    usual_until_h: int = 22
    usual_kwh: tuple[float, float, float] = (6.0, 18.0, 40.0)
    usual_stay_h: tuple[float, float, float] = (0.7, 2.0, 6.0)
    stays_min: int = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Arrivals:
    """What is expected: arrivals per slot (slots,), quantiles (10, 50, 90 %) of need and stay, and the power, kW.

    `power` is that of vehicles which are not here yet.
    """

    per_slot: Floats
    energy_kwh: tuple[float, float, float]
    stay_h: tuple[float, float, float]
    power: Band


def forecast_arrivals(
    stays: Sequence[Stay],
    *,
    seen_from: datetime,
    starts_at: datetime,
    slot_s: int,
    slots: int,
    timezone: str,
    chargers: int,
    charger_kw: float,
    now: datetime | None = None,
    tuning: ArrivalTuning = ArrivalTuning(),
) -> Arrivals:
    """The vehicles of the slots from `starts_at` on; `stays` are those that arrived from `seen_from` to `starts_at`.

    Times are aware. `charger_kw` is what one charger gives. Numbers that cannot be meant are left out. Who came between
    `starts_at` and `now` is here already: only the rest of the first slot counts.
    """
    zone = ZoneInfo(timezone)
    known = [one for one in stays if _meant(one) and seen_from <= one.arrived_at < starts_at]
    rate_per_h = _rates(known, seen_from.astimezone(zone), starts_at.astimezone(zone), chargers, tuning)
    slot_h = slot_s / 3600.0
    local = [(starts_at + timedelta(seconds=slot_s * slot)).astimezone(zone) for slot in range(slots)]
    kind = _kinds([at.date() for at in local])
    per_slot = np.array([rate_per_h[kind[at.date()], at.hour] * slot_h for at in local])
    if now is not None:
        per_slot[:1] *= min(max(1.0 - (now - starts_at).total_seconds() / slot_s, 0.0), 1.0)
    enough = len(known) >= tuning.stays_min
    energy = _quantiles([one.energy_kwh for one in known]) if enough else tuning.usual_kwh
    stay = _quantiles([one.stay_h for one in known]) if enough else tuning.usual_stay_h
    mean_kwh = float(np.mean([one.energy_kwh for one in known])) if enough else float(np.mean(tuning.usual_kwh))
    return Arrivals(
        per_slot=per_slot,
        energy_kwh=energy,
        stay_h=stay,
        power=_power(per_slot, mean_kwh, charger_kw, chargers, slot_h),
    )


def _meant(stay: Stay) -> bool:
    return math.isfinite(stay.energy_kwh) and math.isfinite(stay.stay_h) and stay.energy_kwh >= 0 and stay.stay_h > 0


def _kinds(days: Sequence[date]) -> dict[date, int]:
    different = sorted(set(days))
    return dict(zip(different, alike(different).tolist(), strict=True))


def _rates(known: Sequence[Stay], begin: datetime, end: datetime, chargers: int, tuning: ArrivalTuning) -> Floats:
    """Arrivals an hour, (2, 24): working days and days of rest."""
    count = np.zeros((2, 24))
    seen = np.zeros((2, 24))
    days = [begin.date() + timedelta(days=one) for one in range((end.date() - begin.date()).days + 1)]
    kind = _kinds(days)
    for day in days:
        weight = 0.5 ** ((end.date() - day).days / tuning.halving_days)
        first = begin.hour + 1 if day == begin.date() else 0
        last = end.hour if day == end.date() else 24
        seen[kind[day], first:last] += weight
    for one in known:
        at = one.arrived_at.astimezone(begin.tzinfo)
        if (at.date(), at.hour) in ((begin.date(), begin.hour), (end.date(), end.hour)):
            # Hours that were seen in part are not counted.
            continue
        count[kind[at.date()], at.hour] += 0.5 ** ((end.date() - at.date()).days / tuning.halving_days)
    usual = np.zeros(24)
    open_h = max(tuning.usual_until_h - tuning.usual_from_h, 1)
    usual[tuning.usual_from_h : tuning.usual_until_h] = tuning.usual_per_day * chargers / open_h
    # A kind of day that was never seen is taken like the other before it is taken as usual.
    both = (count.sum(axis=0) + tuning.usual_days * usual) / (seen.sum(axis=0) + tuning.usual_days)
    rates: Floats = (count + tuning.usual_days * both) / (seen + tuning.usual_days)
    return rates


def _quantiles(values: Sequence[float]) -> tuple[float, float, float]:
    low, mid, high = np.quantile(np.array(values), (0.1, 0.5, 0.9))
    return float(low), float(mid), float(high)


def _power(per_slot: Floats, mean_kwh: float, charger_kw: float, chargers: int, slot_h: float) -> Band:
    """Each arrival draws the charger's power from its slot on until it has what it needs; never more than all do."""
    zero = np.zeros(len(per_slot))
    if charger_kw <= 0.0 or chargers <= 0:
        return Band(zero, zero, zero)
    busy = min(len(per_slot), max(1, math.ceil(mean_kwh / charger_kw / slot_h)))
    drawn_kw = np.full(busy, min(charger_kw, mean_kwh / (busy * slot_h)))
    mean = np.convolve(per_slot, drawn_kw)[: len(per_slot)]
    # Arrivals are Poisson, so the variance of the number at the chargers is its mean.
    deviation = np.sqrt(np.convolve(per_slot, drawn_kw**2)[: len(per_slot)])
    most = float(chargers * charger_kw)
    mid = np.minimum(mean, most)
    return Band(
        np.maximum(mid - _Z10 * deviation, 0.0), mid, np.maximum(mid, np.minimum(mean + _Z10 * deviation, most))
    )
