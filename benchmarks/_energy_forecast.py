"""How often what came lay in the forecast's 10 to 90 % bands. Owns the measurement on the simulated year, by horizon.

Quarter-hours as in the gateway, from midnight, morning, noon and evening in turn, at the site's readings of the moment
before; the clear sky is that of the past (no table), which is the harder case. PV counts by day only. The cold start
is every forecast of the first week.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any

import numpy as np

from control.energy.forecast import Measured, forecast_site
from control.energy.plan import Band, Series
from control.energy.reference_year import PV_RATED_KW, reference_year
from control.energy.scenario import Scenario

HORIZONS_H = ((0, 3), (3, 6), (6, 12), (12, 24), (24, 36))
SLOT_S = 900
PER_DAY = 86_400 // SLOT_S
# As much as the gateway keeps.
KEPT_DAYS = 70
GOAL = {"low": 0.72, "high": 0.88}


@dataclass(frozen=True)
class _Seen:
    """Per horizon: whether each value lay in its band, and by how much the middle was off, in parts of the mean."""

    inside: list[list[Any]]
    off_kw: list[list[Any]]


def coverage(tiny: bool) -> dict[str, Any]:
    """Parts of 1 in the bands of load and PV by horizon, warm (after a month) and cold (the first week)."""
    year = reference_year(step_s=SLOT_S)
    warm_days = range(35, 50, 8) if tiny else range(35, year.steps // PER_DAY - 2, 5)
    cold_days = range(1, 3) if tiny else range(7)
    started = time.perf_counter()
    warm = _cover(year, [day * PER_DAY + (24 * index) % PER_DAY for index, day in enumerate(warm_days)])
    took_s = time.perf_counter() - started
    cold = _cover(year, [day * PER_DAY + quarter * 24 for day in cold_days for quarter in range(4)])
    all_hours = (warm["load"]["all"]["inside"], warm["pv"]["all"]["inside"])
    return {
        "goal": GOAL,
        "warm": warm,
        "cold_start": cold,
        "ms_per_forecast": took_s * 1e3 / len(warm_days),
        "within_goal": tiny or all(GOAL["low"] <= one <= GOAL["high"] for one in all_hours),
    }


def _cover(year: Scenario, origins: list[int]) -> dict[str, Any]:
    slots = HORIZONS_H[-1][1] * 3600 // SLOT_S
    load = _Seen([[] for _ in HORIZONS_H], [[] for _ in HORIZONS_H])
    pv = _Seen([[] for _ in HORIZONS_H], [[] for _ in HORIZONS_H])
    for at in origins:
        made = forecast_site(_measured(year, at, slots))
        came_load, came_pv = year.load_kw[at : at + slots], year.pv_kw[at : at + slots]
        _note(load, made.load, came_load, np.ones(slots, dtype=bool))
        # By the clock, not by what came: an overcast noon counts.
        hour = (at + np.arange(slots)) % PER_DAY / 4.0
        _note(pv, made.pv, came_pv, (hour >= 8.0) & (hour < 17.0))
    return {"load": _told(load, float(year.load_kw.mean())), "pv": _told(pv, PV_RATED_KW)}


def _measured(year: Scenario, at: int, slots: int) -> Measured:
    begin = max(0, at - KEPT_DAYS * PER_DAY)
    return Measured(
        starts_at=year.at0 + timedelta(seconds=at * SLOT_S),
        slot_s=SLOT_S,
        timezone="Asia/Shanghai",
        slots=slots,
        load_kw=year.load_kw[begin:at],
        pv_kw=year.pv_kw[begin:at],
        typical_load_kw=float(year.load_kw.mean()),
    )


def _note(seen: _Seen, band: Band, came: Series, counts: Any) -> None:
    for place, (begin_h, end_h) in enumerate(HORIZONS_H):
        part = slice(begin_h * 3600 // SLOT_S, end_h * 3600 // SLOT_S)
        here = counts[part]
        inside = (band.low[part] <= came[part] + 1e-9) & (came[part] <= band.high[part] + 1e-9)
        seen.inside[place].append(inside[here])
        seen.off_kw[place].append(np.abs(band.mid[part] - came[part])[here])


def _told(seen: _Seen, scale_kw: float) -> dict[str, Any]:
    told = {
        f"{begin_h}-{end_h} h": _figures(seen.inside[place], seen.off_kw[place], scale_kw)
        for place, (begin_h, end_h) in enumerate(HORIZONS_H)
    }
    told["all"] = _figures(list(chain(*seen.inside)), list(chain(*seen.off_kw)), scale_kw)
    return told


def _figures(inside: list[Any], off_kw: list[Any], scale_kw: float) -> dict[str, float]:
    values = np.concatenate(inside)
    if values.size == 0:
        return {"values": 0.0}
    return {
        "values": float(values.size),
        "inside": float(values.mean()),
        "mean_error_frac": float(np.concatenate(off_kw).mean() / scale_kw),
    }
