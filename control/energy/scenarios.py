"""Tomorrows made of yesterdays: owns turning hours of the past into scenarios of the hours ahead.

Load comes from the latest days of the target day's kind. PV comes from the latest days as clearness, against an
envelope that only the past has drawn; what the sky of the season changes from day to day is estimated for each hour
from the envelopes of two windows and taken out. Every day is shifted by how far it was from today at this hour, less
and less with the hours ahead, and weighs less the larger that distance was and the older it is. Scenarios of equal
weight are then drawn without chance, the day of the load apart from the day of the sun: each source keeps its share,
and no scenario is spent on a day that hardly counts.

Histories are hourly means, (days * 24,) float64, from a local midnight on; only what is at or before `now` (an index)
is read. These are inner functions of kernels: scalars and float64 or int64 arrays only.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from control.energy.kernels import inner

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

DAY_H = 24
# Below this part of the day's highest envelope an hour says nothing about the sky.
DIM_FRAC = 0.05


class ScenarioTuning(NamedTuple):
    """How the past is read; sizes of the effects in docs/decisions/0008.

    `scenarios` at most, drawn from the latest `pool_days`; a day's weight halves every `halving_days` for PV and every
    `load_halving_days` for load; the present error of load and of clearness is carried on with `load_keep` and
    `clear_keep` an hour; `load_like` and `clear_like` are the widths of likeness, in parts of the mean load and of
    clearness; the envelope looks back `envelope_days`; the season is estimated from two windows of `season_days`, drawn
    towards that of the whole day with the weight of `season_pull` of the highest hour, and is at most `season_max` a
    day. `dark` is the weight of one scenario without any sun, since a month of fair days does not mean that no other
    can come.
    """

    scenarios: int = 28
    pool_days: int = 28
    halving_days: float = 14.0
    load_halving_days: float = 20.0
    load_keep: float = 0.9
    clear_keep: float = 0.85
    load_like: float = 0.15
    clear_like: float = 0.3
    envelope_days: int = 30
    season_days: int = 25
    season_pull: float = 0.1
    season_max: float = 0.02
    dark: float = 0.01


@inner
def fill_season(pv_kw: Floats, day: int, first_day: int, window: int, most: float, pull: float, season: Floats) -> None:
    """Write the factor by which a clear day's PV grows a day about now, (24,) by hour, seen before `day`."""
    days = min(window, (day - first_day) // 2)
    season[:] = 1.0
    if days < 5:
        return
    late, early = np.zeros(DAY_H), np.zeros(DAY_H)
    late_all, early_all, best = 0.0, 0.0, 0.0
    for hour in range(DAY_H):
        for back in range(1, days + 1):
            late[hour] = max(late[hour], pv_kw[(day - back) * DAY_H + hour])
            early[hour] = max(early[hour], pv_kw[(day - days - back) * DAY_H + hour])
        late_all += late[hour]
        early_all += early[hour]
        best = max(best, early[hour])
    if late_all <= 0.0 or early_all <= 0.0:
        return
    # The pull keeps an hour at the edge of the day, where little is measured, from growing without measure.
    base = max(pull, 1e-6) * best
    for hour in range(DAY_H):
        grown = float(((late[hour] + base * late_all / early_all) / (early[hour] + base)) ** (1.0 / days))
        season[hour] = min(max(grown, 1.0 - most), 1.0 + most)


@inner
def fill_envelope(pv_kw: Floats, now: int, first_day: int, days: int, season: Floats, envelope: Floats) -> float:
    """Write the highest PV of each hour of the day (24,) as far as the past shows it; gives the highest of all."""
    today, hour_now = now // 24, now % 24
    best = 0.0
    for hour in range(24):
        latest = today if hour <= hour_now else today - 1
        highest = 0.0
        scale = 1.0
        for back in range(days):
            if latest - back < first_day:
                break
            highest = max(highest, pv_kw[(latest - back) * 24 + hour] * scale)
            scale *= season[hour]
        envelope[hour] = highest
        best = max(best, highest)
    return best


@inner
def recent_clearness(pv_kw: Floats, at: int, age: int, season: Floats, envelope: Floats, best: float) -> float:
    """Clearness at the hour `at`, `age` days ago, of that day so far, the latest most; -1 before there was any sun."""
    hour = at % 24
    seen = 0.0
    could = 0.0
    weight = 1.0
    for back in range(hour + 1):
        bright = envelope[hour - back]
        if bright > DIM_FRAC * best:
            seen += weight * pv_kw[at - back] * season[hour - back] ** age
            could += weight * bright
            weight *= 0.5
    return seen / could if could > 0.0 else -1.0


@inner
def days_alike(kind: Whole, target: int, before: int, first_day: int, out: Whole) -> int:
    """Write the days before `before` of the kind of day `target`, latest first; all days where none is alike."""
    count = 0
    day = before - 1
    while day >= first_day and count < out.size:
        if kind[day] == kind[target]:
            out[count] = day
            count += 1
        day -= 1
    if count == 0:
        day = before - 1
        while day >= first_day and count < out.size:
            out[count] = day
            count += 1
            day -= 1
    return count


@inner
def fill_load(
    load_kw: Floats, kind: Whole, now: int, first_day: int, keep: float, net_kw: Floats, error: Floats
) -> None:
    """Write the load after each of n days into `net_kw` (n, slots) and its present error, kW, into `error` (n,)."""
    count, slots = net_kw.shape
    today, hour_now = now // 24, now % 24
    alike = np.empty(count, np.int64)
    for day in range(today, (now + slots) // 24 + 1):
        known = days_alike(kind, day, today, first_day, alike)
        start = max(now + 1, day * 24)
        end = min(now + slots, day * 24 + 23)
        for one in range(count):
            source = alike[one % known] * 24
            if day == today:
                error[one] = load_kw[now] - load_kw[source + hour_now]
            left = error[one] * keep ** (start - now)
            for at in range(start, end + 1):
                net_kw[one, at - now - 1] = max(0.0, load_kw[source + at - day * 24] + left)
                left *= keep


@inner
def fill_clearness(
    pv_kw: Floats, now: int, season: Floats, keep: float, envelope: Floats, best: float, clear: Floats, error: Floats
) -> None:
    """Write the clearness after each of the last n days into `clear` (n, slots), its present error into `error` (n,).

    The error is today's clearness less that day's at this hour; it is carried on.
    """
    count, slots = clear.shape
    clear_now = recent_clearness(pv_kw, now, 0, season, envelope, best)
    for one in range(count):
        age = one + 1
        clear_then = recent_clearness(pv_kw, now - DAY_H * age, age, season, envelope, best)
        error[one] = clear_now - clear_then if clear_now >= 0.0 and clear_then >= 0.0 else 0.0
        left = error[one]
        for slot in range(slots):
            left *= keep
            hour = (now + 1 + slot) % DAY_H
            clear[one, slot] = 0.0
            if envelope[hour] <= 0.0:
                continue
            source = now + 1 + slot - DAY_H * age
            days = age
            while source > now:
                source -= DAY_H
                days += 1
            later = pv_kw[source] * season[hour] ** days / envelope[hour] + left
            clear[one, slot] = min(max(later, 0.0), 1.0)


@inner
def fill_weights(halving_days: float, like: float, error: Floats, weight: Floats) -> None:
    """Write the weights (n,) of days, latest first, summing to 1: by age and by likeness now."""
    total = 0.0
    for one in range(weight.size):
        off = error[one] / like if like > 0.0 else 0.0
        # The tiny addend keeps a weight where nothing in the past is like today.
        weight[one] = 0.5 ** (one / halving_days) * np.exp(-0.5 * off**2) + 1e-9
        total += weight[one]
    for one in range(weight.size):
        weight[one] /= total


@inner
def draw(weight: Floats, level: Floats, share: Floats, out: Whole) -> None:
    """Write for each of `share` (m,), between 0 and 1, which day stands there when days lie by `level` (n,)."""
    order = np.argsort(level, kind="mergesort")
    for one in range(share.size):
        place, total = 0, weight[order[0]]
        # Rounding must not decide between two days.
        while total < share[one] - 1e-9 and place < order.size - 1:
            place += 1
            total += weight[order[place]]
        out[one] = order[place]


@inner
def fill_sums(rows: Floats, factor: Floats, out: Floats) -> None:
    """Write the sum of each of `rows` (n, slots), weighted by `factor` (slots,), into `out` (n,)."""
    for one in range(out.size):
        out[one] = 0.0
        for slot in range(factor.size):
            out[one] += rows[one, slot] * factor[slot]


@inner
def fill_scenarios(
    load_kw: Floats,
    pv_kw: Floats,
    kind: Whole,
    now: int,
    first_day: int,
    season: Floats,
    envelope: Floats,
    best: float,
    tuning: ScenarioTuning,
    net_kw: Floats,
    weight: Floats,
) -> None:
    """Write load less PV of the hours after `now`, (n, slots) kW, and the weights (n,).

    With no whole day in the past there is one scenario: the load stays as it is and there will be no sun (to take
    the present sun as lasting costs a tenth of a year's gain in one day).
    """
    if now // DAY_H <= first_day:
        net_kw[:] = load_kw[now]
        weight[:] = 1.0 / weight.size
        return
    count, slots = net_kw.shape
    pool = min(tuning.pool_days, now // DAY_H - first_day)
    load, clear, error = np.empty((pool, slots)), np.empty((pool, slots)), np.empty(pool)
    of_day, level = np.empty(pool), np.empty(pool)
    drawn = count - 1 if count > 1 else 1
    share, load_of, clear_of = np.empty(drawn), np.empty(drawn, np.int64), np.empty(drawn, np.int64)
    bright = np.empty(slots)
    for slot in range(slots):
        bright[slot] = envelope[(now + 1 + slot) % DAY_H]

    fill_load(load_kw, kind, now, first_day, tuning.load_keep, load, error)
    mean_kw = 0.0
    for back in range(DAY_H):
        mean_kw += load_kw[now - back] / DAY_H
    fill_weights(tuning.load_halving_days, tuning.load_like * mean_kw, error, of_day)
    fill_sums(load, np.ones(slots), level)
    for one in range(drawn):
        # Steps of the golden ratio: evenly spread, and without a pattern in common with the sun's.
        share[one] = (0.5 + one * 0.6180339887498949) % 1.0
    draw(of_day, level, share, load_of)

    fill_clearness(pv_kw, now, season, tuning.clear_keep, envelope, best, clear, error)
    fill_weights(tuning.halving_days, tuning.clear_like, error, of_day)
    fill_sums(clear, bright, level)
    for one in range(drawn):
        share[one] = (one + 0.5) / drawn
    draw(of_day, level, share, clear_of)

    for one in range(drawn):
        weight[one] = (1.0 - tuning.dark) / drawn if count > 1 else 1.0
        for slot in range(slots):
            net_kw[one, slot] = load[load_of[one], slot] - clear[clear_of[one], slot] * bright[slot]
    if count > 1:
        weight[-1] = tuning.dark
        net_kw[-1] = load[0]
