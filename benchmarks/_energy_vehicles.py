"""How often vehicles' power lay in its 10 to 90 % band. Owns the measurement on the simulated vehicles of the site.

Vehicles as the simulated microgrid draws them come to eight chargers of 60 kW, take what they want, and leave; one that
finds no place drives on. Forecasts start at midnight, morning, noon and evening in turn and know only stays that had
ended. What is judged is the power of vehicles that came after the forecast, by quarter of an hour; by day means 7 to
22 o'clock, for at night nothing in a band from nothing to nothing is no art. The first week begins after
one day; `nothing_known` knows no stay at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np

from control.energy.ev_arrivals import Stay, forecast_arrivals
from control.energy.plan import Series
from hw_sim.microgrid.config import VehicleConfig
from hw_sim.microgrid.vehicles import Arrivals, Vehicle

CHARGERS, CHARGER_KW = 8, 60.0
SLOT_S, STEP_S = 900, 60
PER_DAY = 86_400 // SLOT_S
SLOTS = 36 * 3600 // SLOT_S
START = datetime(2026, 3, 2, tzinfo=timezone(timedelta(hours=8)))
WARM_FROM, DAY_H = 35, (7, 22)
GOAL = {"low": 0.72, "high": 0.88}


@dataclass(slots=True)
class _Visit:
    """One vehicle that found a charger; `kw` (slots of the whole time,) is its mean power."""

    arrived_s: float
    left_s: float
    energy_kwh: float
    kw: dict[int, float]


def vehicles_coverage(tiny: bool) -> dict[str, Any]:
    """Parts of 1 in the band of power, after five weeks, in the first week and with no past, by day and all hours."""
    visits = _visits(WARM_FROM + (6 if tiny else 37))
    warm = [day * PER_DAY + 24 * (day % 4) for day in range(WARM_FROM, WARM_FROM + (4 if tiny else 35))]
    first = [day * PER_DAY + quarter * 24 for day in range(1, 3 if tiny else 7) for quarter in range(4)]
    found = {
        "warm": _covered(visits, warm, known=True),
        "first_week": _covered(visits, first, known=True),
        "nothing_known": _covered(visits, warm, known=False),
    }
    inside = found["warm"]["day"]["inside"]
    return found | {
        "goal": GOAL,
        "stays_per_day": len(visits) / (max(one.left_s for one in visits) / 86_400.0),
        "within_goal": tiny or GOAL["low"] <= inside <= GOAL["high"],
    }


def _visits(days: int, seed: int = 1) -> list[_Visit]:
    """Everyone who came to a free charger, in the order of coming."""
    coming = Arrivals(VehicleConfig(), seed=seed, started_at=START)
    here: list[tuple[Vehicle, _Visit]] = []
    visits: list[_Visit] = []
    for now_s in range(0, days * 86_400, STEP_S):
        here = [one for one in here if one[0].leaves_s > now_s]
        for vehicle in coming.due(now_s):
            if len(here) < CHARGERS:
                visit = _Visit(vehicle.comes_s, vehicle.leaves_s, 0.0, {})
                here.append((vehicle, visit))
                visits.append(visit)
        for vehicle, visit in here:
            kw = min(vehicle.takes_kw, CHARGER_KW)
            vehicle.charge(kw, STEP_S)
            visit.energy_kwh += kw * STEP_S / 3600.0
            slot = now_s // SLOT_S
            visit.kw[slot] = visit.kw.get(slot, 0.0) + kw * STEP_S / SLOT_S
    return visits


def _covered(visits: list[_Visit], origins: list[int], *, known: bool) -> dict[str, dict[str, float]]:
    inside: list[Any] = []
    off_kw: list[Any] = []
    came_kw: list[Any] = []
    by_day: list[Any] = []
    for at in origins:
        begins_s = at * SLOT_S
        starts_at = START + timedelta(seconds=begins_s)
        stays = [_stay(one) for one in visits if known and one.left_s <= begins_s]
        band = forecast_arrivals(
            stays,
            seen_from=START if known else starts_at,
            starts_at=starts_at,
            slot_s=SLOT_S,
            slots=SLOTS,
            timezone="Asia/Shanghai",
            chargers=CHARGERS,
            charger_kw=CHARGER_KW,
        ).power
        came = _came(visits, at)
        inside.append((band.low <= came + 1e-9) & (came <= band.high + 1e-9))
        off_kw.append(band.mid - came)
        came_kw.append(came)
        hour = (at + np.arange(SLOTS)) % PER_DAY / 4.0
        by_day.append((hour >= DAY_H[0]) & (hour < DAY_H[1]))
    rows = tuple(np.concatenate(one) for one in (inside, off_kw, came_kw))
    day = np.concatenate(by_day)
    return {"all": _figures(*rows), "day": _figures(*(one[day] for one in rows))}


def _stay(visit: _Visit) -> Stay:
    return Stay(
        arrived_at=START + timedelta(seconds=visit.arrived_s),
        stay_h=(visit.left_s - visit.arrived_s) / 3600.0,
        energy_kwh=visit.energy_kwh,
    )


def _came(visits: list[_Visit], at: int) -> Series:
    """Mean power, kW, (slots,) of those that came after."""
    power = np.zeros(SLOTS)
    for one in visits:
        if one.arrived_s >= at * SLOT_S:
            for slot, kw in one.kw.items():
                if slot < at + SLOTS:
                    power[slot - at] += kw
    return power


def _figures(inside: Any, off_kw: Any, came_kw: Any) -> dict[str, float]:
    return {
        "values": float(inside.size),
        "inside": float(inside.mean()),
        "bias_kw": float(off_kw.mean()),
        "mean_error_kw": float(np.abs(off_kw).mean()),
        "mean_kw": float(came_kw.mean()),
    }
