"""Tomorrows made of yesterdays: owns turning hours of the past into scenarios of the hours ahead.

Load comes from the latest days of the target day's kind. PV comes from the latest days as clearness, against an
envelope that only the past has drawn; what the sky of the season changes from day to day is estimated from the
envelopes of two windows and taken out. Every scenario is shifted by how far its own day was from today at this hour,
less and less with the hours ahead, and weighs less the larger that distance was and the older it is.

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

    `scenarios` at most; a day's weight halves every `halving_days`; the present error of load and of clearness
    is carried on with `load_keep` and `clear_keep` an hour; `load_like` and `clear_like` are the widths of likeness,
    in parts of the mean load and of clearness; the envelope looks back `envelope_days`; the season is estimated from
    two windows of `season_days` and is at most `season_max` a day. `unlike` is the part of its weight that a day keeps
    however unlike today it is: leaving such days out makes the controller too sure. `dark` is the weight of one
    scenario without any sun, since a month of fair days does not mean that no other can come.
    """

    scenarios: int = 28
    halving_days: float = 20.0
    load_keep: float = 0.9
    clear_keep: float = 0.85
    load_like: float = 0.15
    clear_like: float = 0.25
    envelope_days: int = 30
    season_days: int = 25
    season_max: float = 0.01
    unlike: float = 0.0
    clear_prior: float = 1.0
    dark: float = 0.01


@inner
def season_per_day(pv_kw: Floats, day: int, first_day: int, window: int, most: float) -> float:
    """The factor by which a clear day's PV grows from one day to the next about now, seen before `day`."""
    days = min(window, (day - first_day) // 2)
    if days < 5:
        return 1.0
    late = 0.0
    early = 0.0
    for hour in range(24):
        late_best = 0.0
        early_best = 0.0
        for back in range(1, days + 1):
            late_best = max(late_best, pv_kw[(day - back) * 24 + hour])
            early_best = max(early_best, pv_kw[(day - days - back) * 24 + hour])
        late += late_best
        early += early_best
    if late <= 0.0 or early <= 0.0:
        return 1.0
    grown = float((late / early) ** (1.0 / days))
    return min(max(grown, 1.0 - most), 1.0 + most)


@inner
def fill_envelope(pv_kw: Floats, now: int, first_day: int, days: int, season: float, envelope: Floats) -> float:
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
            scale *= season
        envelope[hour] = highest
        best = max(best, highest)
    return best


@inner
def recent_clearness(pv_kw: Floats, at: int, scale: float, envelope: Floats, best: float) -> float:
    """Clearness of the day so far at the hour `at`, the latest hours counting most; -1 before there was any sun."""
    hour = at % 24
    seen = 0.0
    could = 0.0
    weight = 1.0
    for back in range(hour + 1):
        bright = envelope[hour - back]
        if bright > DIM_FRAC * best:
            seen += weight * pv_kw[at - back] * scale
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
    """Write each scenario's load into `net_kw` (n, slots) and its present error, kW, into `error` (n,)."""
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
def subtract_pv(
    pv_kw: Floats,
    now: int,
    season: float,
    keep: float,
    prior: float,
    envelope: Floats,
    best: float,
    net_kw: Floats,
    error: Floats,
) -> None:
    """Take each scenario's PV off `net_kw` (n, slots) and write its present error of clearness into `error` (n,)."""
    count, slots = net_kw.shape
    clear_now = recent_clearness(pv_kw, now, 1.0, envelope, best)
    clear = np.zeros((count, slots))
    mean_error = 0.0
    for one in range(count):
        age = one + 1
        scale = season**age
        clear_then = recent_clearness(pv_kw, now - 24 * age, scale, envelope, best)
        error[one] = clear_now - clear_then if clear_now >= 0.0 and clear_then >= 0.0 else 0.0
        mean_error += error[one] / count
        for slot in range(slots):
            bright = envelope[(now + 1 + slot) % 24]
            if bright <= 0.0:
                continue
            source = now + 1 + slot - 24 * age
            factor = scale
            while source > now:
                source -= 24
                factor *= season
            clear[one, slot] = pv_kw[source] * factor / bright
    kept = 1.0
    for slot in range(slots):
        kept *= keep
        bright = envelope[(now + 1 + slot) % 24]
        if bright <= 0.0:
            continue
        share = _carried(clear[:, slot], error, mean_error, kept, prior)
        for one in range(count):
            net_kw[one, slot] -= min(max(clear[one, slot] + share * error[one], 0.0), 1.0) * bright


@inner
def _carried(later: Floats, error: Floats, mean_error: float, kept: float, prior: float) -> float:
    """The part of the present error that is still there later, as the past shows it.

    The slope of `later` (n,) against what was then at this hour (its distance from now is `error`, (n,)), drawn
    towards `kept` with the weight of `prior`.
    """
    mean = 0.0
    for one in range(error.size):
        mean += later[one] / error.size
    both, own = 0.0, 0.0
    for one in range(error.size):
        off = mean_error - error[one]
        both += off * (later[one] - mean)
        own += off * off
    return (both + prior * kept) / (own + prior)


@inner
def fill_weights(
    halving_days: float,
    load_like_kw: float,
    clear_like: float,
    unlike: float,
    load_error: Floats,
    clear_error: Floats,
    weight: Floats,
) -> None:
    """Write the weights (n,), summing to 1: by age and by likeness now."""
    total = 0.0
    for one in range(weight.size):
        load_off = load_error[one] / load_like_kw if load_like_kw > 0.0 else 0.0
        clear_off = clear_error[one] / clear_like
        like = np.exp(-0.5 * (load_off**2 + clear_off**2))
        # The tiny addend keeps a weight where nothing in the past is like today.
        weight[one] = 0.5 ** (one / halving_days) * (unlike + (1.0 - unlike) * like) + 1e-9
        total += weight[one]
    for one in range(weight.size):
        weight[one] /= total


@inner
def fill_scenarios(
    load_kw: Floats,
    pv_kw: Floats,
    kind: Whole,
    now: int,
    first_day: int,
    season: float,
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
    if now // 24 <= first_day:
        net_kw[:] = load_kw[now]
        weight[:] = 1.0 / weight.size
        return
    load_error, clear_error = np.empty(weight.size), np.empty(weight.size)
    fill_load(load_kw, kind, now, first_day, tuning.load_keep, net_kw, load_error)
    sunless_kw = net_kw[0].copy()
    subtract_pv(pv_kw, now, season, tuning.clear_keep, tuning.clear_prior, envelope, best, net_kw, clear_error)
    mean_kw = 0.0
    for back in range(24):
        mean_kw += load_kw[now - back] / 24.0
    fill_weights(
        tuning.halving_days,
        tuning.load_like * mean_kw,
        tuning.clear_like,
        tuning.unlike,
        load_error,
        clear_error,
        weight,
    )
    if weight.size > 1:
        weight[-1] = 0.0
        weight *= (1.0 - tuning.dark) / weight.sum()
        net_kw[-1] = sunless_kw
        weight[-1] = tuning.dark
