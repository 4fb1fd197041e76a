"""The gateway's view ahead: owns quantiles and scenarios of load and PV from what was measured, gaps and all.

Load comes from the latest days of the same kind (working or not), PV from the latest days as clearness against the
clear sky; both carry the present error on for some hours. The quantiles are widened or narrowed by a factor that is
measured: the same forecast is made for each of the last days, and its bands are held against what came. With no past
the bands are wide, and the sun is taken as clear sky under any cloud.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from control.energy.calendar import alike
from control.energy.plan import Band

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastTuning:
    """How the past is read. The parts of 1 that errors keep in an hour, widths of likeness as in ScenarioTuning;
    `cold_load` and `cold_clear` are the levels taken where nothing was ever measured. A past of n days widens the bands
    by `few_load` / n of the mean load and `few_clear` / n of the clear sky: so few days cannot show how days differ."""

    scenarios: int = 20
    days_max: int = 60
    backtest_days: int = 14
    halving_days: float = 20.0
    load_keep: float = 0.9
    clear_keep: float = 0.85
    load_like: float = 0.15
    clear_like: float = 0.25
    dim_frac: float = 0.05
    load_floor_frac: float = 0.02
    few_load: float = 0.15
    few_clear: float = 0.5
    cold_load: tuple[float, ...] = (0.4, 0.8, 1.0, 1.3, 2.0)
    cold_clear: tuple[float, ...] = (0.05, 0.3, 0.55, 0.8, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Measured:
    """What is known when the forecast is made.

    `load_kw` and `pv_kw` (n,) are means over slots of `slot_s` up to `starts_at` (aware), oldest first, NaN where
    unknown; `pv_kw` is what the sun would have given without a limit. `clear_kw` (n + slots,) is the clear sky over the
    same slots and those ahead; None: the best of the past stands for it. `load_now_kw` and `pv_now_kw` are the latest
    readings, `typical_load_kw` what the site is thought to need before anything was measured.
    """

    starts_at: datetime
    slot_s: int
    timezone: str
    slots: int
    load_kw: Floats
    pv_kw: Floats
    clear_kw: Floats | None = None
    load_now_kw: float | None = None
    pv_now_kw: float | None = None
    typical_load_kw: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """By how much the plain quantiles of load and PV must be stretched about their middle to hold what they say."""

    load: float = 1.0
    pv: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SiteForecast:
    """Bands (slots,), and scenarios (m, slots) of load and PV that belong together, with weights (m,) summing to 1."""

    load: Band
    pv: Band
    load_scenarios: Floats
    pv_scenarios: Floats
    weights: Floats


def pv_of_sites(pv_kw: Floats, clear_kw: Floats) -> Floats:
    """All sites together from each (sites, n): a site that is unknown is taken as clear or cloudy as the known ones.

    NaN where no site is known. `clear_kw` (sites, n) is each one's clear sky.
    """
    known = np.isfinite(pv_kw)
    seen = np.where(known, pv_kw, 0.0).sum(axis=0)
    could = np.where(known, clear_kw, 0.0).sum(axis=0)
    total: Floats = np.divide(seen * clear_kw.sum(axis=0), could, out=seen.copy(), where=could > 0.0)
    total[~known.any(axis=0)] = np.nan
    return total


def forecast_site(
    given: Measured, spread: Spread | None = None, tuning: ForecastTuning = ForecastTuning()
) -> SiteForecast:
    """The forecast of `given.slots` slots from `given.starts_at`; `spread` None: measured now (`measured_spread`)."""
    if spread is None:
        spread = measured_spread(given, tuning)
    plain = _plain(given, tuning)
    clear = _clear_sky(given, tuning)
    ceiling = np.full(given.slots, math.inf) if clear is None else np.maximum(clear[-given.slots :], plain.pv.high)
    days = max(1.0, len(given.load_kw) * given.slot_s / 86_400)
    load = _stretched(plain.load, spread.load, np.full(given.slots, math.inf))
    load = _widened(load, tuning.few_load / days * float(plain.load.mid.mean()), np.full(given.slots, math.inf))
    pv = _stretched(plain.pv, spread.pv, ceiling)
    if clear is not None:
        by_kw = tuning.few_clear / days * clear[-given.slots :]
        # The best of a few days is less than a clear sky.
        pv = _widened(pv, by_kw, ceiling if given.clear_kw is not None else ceiling + by_kw)
    return replace(plain, load=load, pv=pv)


def measured_spread(given: Measured, tuning: ForecastTuning = ForecastTuning()) -> Spread:
    """The stretch with which 80 % of what came on the last days would have lain in the 10 to 90 % bands.

    About as much work as `backtest_days` forecasts: once an hour is often enough. 1 where too little is known.
    """
    per_day = 86_400 // given.slot_s
    load_off, pv_off = [np.empty(0)], [np.empty(0)]
    for back in range(1, tuning.backtest_days + 1):
        past = len(given.load_kw) - back * per_day
        if past < 2 * per_day:
            break
        slots = min(given.slots, back * per_day)
        earlier = replace(
            given,
            starts_at=given.starts_at - timedelta(days=back),
            slots=slots,
            load_kw=given.load_kw[:past],
            pv_kw=given.pv_kw[:past],
            clear_kw=None if given.clear_kw is None else given.clear_kw[: past + slots],
            load_now_kw=None,
            pv_now_kw=None,
        )
        made = _plain(earlier, tuning)
        load_off.append(_off(given.load_kw[past : past + slots], made.load))
        bright = made.pv.high > tuning.dim_frac * max(1e-9, float(made.pv.high.max()))
        pv_off.append(_off(given.pv_kw[past : past + slots], made.pv)[bright])
    return Spread(load=_stretch(np.concatenate(load_off), per_day), pv=_stretch(np.concatenate(pv_off), per_day // 2))


def _off(came: Floats, band: Band) -> Floats:
    """How far outside its middle a value came, in half widths of the band."""
    half = np.where(came > band.mid, band.high - band.mid, band.mid - band.low)
    off: Floats = np.abs(came - band.mid) / np.maximum(half, 1e-9)
    return off


def _stretch(off: Floats, enough: int) -> float:
    known = off[np.isfinite(off)]
    if known.size < enough:
        return 1.0
    # A quantile, so that single absurd values do not count.
    return float(np.clip(np.quantile(known, 0.8), 0.3, 4.0))


def _stretched(band: Band, factor: float, ceiling: Floats) -> Band:
    low = np.maximum(0.0, band.mid - factor * (band.mid - band.low))
    return Band(low, band.mid, np.minimum(ceiling, band.mid + factor * (band.high - band.mid)))


def _widened(band: Band, by_kw: Floats | float, ceiling: Floats) -> Band:
    return Band(
        np.maximum(0.0, band.low - by_kw), band.mid, np.maximum(band.mid, np.minimum(ceiling, band.high + by_kw))
    )


def _plain(given: Measured, tuning: ForecastTuning) -> SiteForecast:
    load, load_weight = _load_scenarios(given, tuning)
    pv, pv_weight = _pv_scenarios(given, tuning)
    count = max(len(load), len(pv))
    # The shorter list is gone through again, so that each scenario has both.
    load, load_weight = _repeated(load, count), _repeated(load_weight, count)
    pv, pv_weight = _repeated(pv, count), _repeated(pv_weight, count)
    load_weight, pv_weight = load_weight / load_weight.sum(), pv_weight / pv_weight.sum()
    weights = load_weight * pv_weight
    low, mid, high = _quantiles(load, load_weight)
    least = tuning.load_floor_frac * float(mid.mean())
    return SiteForecast(
        load=Band(np.maximum(0.0, np.minimum(low, mid - least)), mid, np.maximum(high, mid + least)),
        pv=Band(*_quantiles(pv, pv_weight)),
        load_scenarios=load,
        pv_scenarios=pv,
        weights=weights / weights.sum(),
    )


def _repeated(one: Floats, count: int) -> Floats:
    return one[np.arange(count) % len(one)]


def _quantiles(scenarios: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """The weighted 10, 50 and 90 % quantiles of each slot."""
    order = np.argsort(scenarios, axis=0)
    value = np.take_along_axis(scenarios, order, axis=0)
    up_to = np.cumsum(weight[order], axis=0) - 0.5 * weight[order]

    def at(part: float) -> Floats:
        above = np.clip((up_to < part).sum(axis=0), 0, len(value) - 1)
        below = np.maximum(above - 1, 0)
        slot = np.arange(value.shape[1])
        step = up_to[above, slot] - up_to[below, slot]
        share = np.divide(part - up_to[below, slot], step, out=np.ones_like(step), where=step > 0.0)
        mixed: Floats = value[below, slot] + np.clip(share, 0.0, 1.0) * (value[above, slot] - value[below, slot])
        return mixed

    return at(0.1), at(0.5), at(0.9)


def _by_age(past: Floats, slots: int, per_day: int, days: int) -> Floats:
    """The same slot of earlier days, (days, slots): row a is a + 1 days before; NaN before and after the past."""
    first = len(past) - per_day * np.arange(1, days + 1)[:, None]
    at = first + np.arange(slots)[None, :]
    inside = (at >= 0) & (at < len(past))
    table: Floats = np.where(inside, past[np.clip(at, 0, max(len(past) - 1, 0))] if len(past) else np.nan, np.nan)
    return table


def _days_known(given: Measured, tuning: ForecastTuning) -> int:
    return min(tuning.days_max, -(-len(given.load_kw) // (86_400 // given.slot_s)))


def _latest(past: Floats, now: float | None) -> float:
    """The present value: the reading, or else the last slot; NaN where neither is known."""
    if now is not None and math.isfinite(now):
        return now
    return float(past[-1]) if len(past) else math.nan


def _load_scenarios(given: Measured, tuning: ForecastTuning) -> tuple[Floats, Floats]:
    per_day, days = 86_400 // given.slot_s, _days_known(given, tuning)
    now = _latest(given.load_kw, given.load_now_kw)
    cold = _cold_load(given, now, tuning)
    if days == 0:
        return cold
    table = _by_age(given.load_kw, given.slots, per_day, days)
    usual = _usual(table)
    if not np.isfinite(usual).any():
        return cold
    usual = np.where(np.isfinite(usual), usual, np.nanmean(usual))
    local = given.starts_at.astimezone(ZoneInfo(given.timezone))
    day_of = [(local + timedelta(seconds=given.slot_s * slot)).date() for slot in range(given.slots)]
    made = np.empty((min(tuning.scenarios, days), given.slots))
    error = np.zeros(len(made))
    before = (
        _by_age(given.load_kw[:-1], 1, per_day, days)[:, 0] if len(given.load_kw) > per_day else np.full(days, math.nan)
    )
    for day in sorted(set(day_of)):
        slots = np.flatnonzero([one == day for one in day_of])
        rows = _rows_alike(table[:, slots], day)[: len(made)]
        rows = rows[np.arange(len(made)) % len(rows)]
        block = table[rows][:, slots]
        made[:, slots] = np.where(np.isfinite(block), block, usual[slots])
        if slots[0] == 0:
            error = np.nan_to_num(now - before[rows])
    hours = (np.arange(given.slots) + 0.5) * given.slot_s / 3600.0
    made = np.maximum(0.0, made + error[:, None] * tuning.load_keep**hours)
    scale = tuning.load_like * max(float(usual.mean()), 1e-9)
    return made, _weights(error / scale, tuning.halving_days)


def _usual(table: Floats) -> Floats:
    """The median of the known days in each slot; NaN where none is."""
    known = np.isfinite(table).any(axis=0)
    usual = np.full(table.shape[1], math.nan)
    if known.any():
        usual[known] = np.nanmedian(table[:, known], axis=0)
    return usual


def _rows_alike(block: Floats, day: date) -> Whole:
    """Rows (days back less one) of which at least half is known, of this day's kind; where none is, of any kind."""
    kinds = alike([day - timedelta(days=back) for back in range(len(block) + 1)])
    known = np.isfinite(block).mean(axis=1) >= 0.5
    rows = np.flatnonzero(known & (kinds[1:] == kinds[0]))
    if len(rows) == 0:
        rows = np.flatnonzero(known)
    return rows if len(rows) else np.zeros(1, dtype=np.int64)


def _cold_load(given: Measured, now: float, tuning: ForecastTuning) -> tuple[Floats, Floats]:
    level = now if math.isfinite(now) else given.typical_load_kw
    made = np.array(tuning.cold_load)[:, None] * np.full((1, given.slots), max(level, 0.0))
    return made, np.full(len(made), 1.0 / len(made))


def _weights(off: Floats, halving_days: float) -> Floats:
    weight: Floats = 0.5 ** (np.arange(len(off)) / halving_days) * np.exp(-0.5 * np.minimum(off**2, 50.0)) + 1e-9
    return weight


def _clear_sky(given: Measured, tuning: ForecastTuning) -> Floats | None:
    """The clear sky over past and future; without one, the best of each slot of the day; None: nothing is known."""
    past = len(given.pv_kw)
    if given.clear_kw is not None:
        return given.clear_kw
    per_day = 86_400 // given.slot_s
    days = -(-past // per_day)
    if days == 0 or not np.isfinite(given.pv_kw).any():
        return None
    padded = np.concatenate((np.full(days * per_day - past, np.nan), given.pv_kw)).reshape(days, per_day)
    best = np.max(np.nan_to_num(padded[-min(days, 30) :]), axis=0)
    at = np.arange(-past, given.slots) % per_day
    clear: Floats = best[at]
    return clear


def _pv_scenarios(given: Measured, tuning: ForecastTuning) -> tuple[Floats, Floats]:
    clear = _clear_sky(given, tuning)
    if clear is None:
        return np.zeros((1, given.slots)), np.ones(1)
    past = len(given.pv_kw)
    ahead = clear[past:]
    dim = tuning.dim_frac * max(float(clear.max(initial=0.0)), 1e-9)
    per_day, days = 86_400 // given.slot_s, _days_known(given, tuning)
    clearness = np.full(past, math.nan)
    bright = clear[:past] > dim
    clearness[bright] = np.clip(given.pv_kw[bright] / clear[:past][bright], 0.0, 1.1)
    rows = _sunny_rows(clearness, per_day, days, given.slots, ahead > dim)
    if len(rows) == 0:
        level = np.array(tuning.cold_clear)[:, None]
        return level * ahead[None, :], np.full(len(level), 1.0 / len(level))
    rows = rows[: tuning.scenarios]
    table = _wrapped(_by_age(clearness, given.slots, per_day, days), per_day)[rows]
    usual = _usual(table)
    usual = np.where(np.isfinite(usual), usual, np.nanmean(usual) if np.isfinite(usual).any() else 0.5)
    made = np.where(np.isfinite(table), table, usual[None, :])
    error = _clear_error(given, clear, clearness, rows, per_day, dim)
    hours = (np.arange(given.slots) + 0.5) * given.slot_s / 3600.0
    made = np.clip(made + error[:, None] * tuning.clear_keep**hours, 0.0, 1.1)
    return made * ahead[None, :], _weights(error / tuning.clear_like, tuning.halving_days)


def _sunny_rows(clearness: Floats, per_day: int, days: int, slots: int, bright: Flags) -> Whole:
    """Rows (days back less one) of which at least half of the bright slots is known."""
    if days == 0 or not bright.any():
        return np.zeros(0, dtype=np.int64)
    table = _wrapped(_by_age(clearness, slots, per_day, days), per_day)[:, bright]
    return np.flatnonzero(np.isfinite(table).mean(axis=1) >= 0.5)


def _wrapped(table: Floats, per_day: int) -> Floats:
    """What lies after the present is taken from a day earlier on."""
    made = table.copy()
    for begin in range(per_day, table.shape[1], per_day):
        block = made[:, begin : begin + per_day]
        earlier = made[:, begin - per_day : begin - per_day + block.shape[1]]
        made[:, begin : begin + per_day] = np.where(np.isfinite(block), block, earlier)
    return made


def _clear_error(given: Measured, clear: Floats, clearness: Floats, rows: Whole, per_day: int, dim: float) -> Floats:
    """How much clearer it is now than at this hour of those days: the last hour, the latest slots counting most."""
    past = len(clearness)
    span = min(past, max(1, 3600 // given.slot_s))
    weight = 0.5 ** np.arange(span)[::-1]
    recent = clearness[past - span :].copy()
    if given.pv_now_kw is not None and math.isfinite(given.pv_now_kw) and clear[min(past, len(clear) - 1)] > dim:
        recent[-1] = float(np.clip(given.pv_now_kw / clear[min(past, len(clear) - 1)], 0.0, 1.1))
    error = np.zeros(len(rows))
    for one, row in enumerate(rows):
        begin = past - span - (int(row) + 1) * per_day
        if begin < 0:
            continue
        then = clearness[begin : begin + span]
        known = np.isfinite(recent) & np.isfinite(then)
        if known.any():
            error[one] = float(np.average((recent - then)[known], weights=weight[known]))
    return error
