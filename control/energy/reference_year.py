"""The simulated year of the island: owns sun, cloud, load and outages of a year that never was.

It stands in where no year was measured: for what-if, for benchmarks and for the console's first day. The sums follow
what is published of the island (5.1 MW of PV that give about 4.5 GWh, about 50 MWh a day, about 90 MWh and a peak of
6.64 MW in Forum week); the storage (VRFB 1 MW/4 MWh and LFP 2 MW/4 MWh taken as one), the share of critical load, the
shapes and the outages are invented. Drawn from a seed and nothing else: the same arguments give the same year.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import numpy.typing as npt

from control.energy.plan import Series
from control.energy.scenario import Flags, Scenario, Times, with_settings
from control.energy.settings import EnergySettings
from control.energy.site import StorageSpec

Whole = npt.NDArray[np.int64]

LATITUDE_DEG, LONGITUDE_DEG, UTC_OFFSET_H = 19.14, 110.58, 8
PV_RATED_KW = 5100.0
FORUM_PEAK_KW = 6640.0
# Of what the rated power would give on a plane in clear air: heat, soiling, and modules that lie in floors and walls.
_PV_YIELD = 0.61
_LOAD_MEAN_KW = 50_000.0 / 24.0
_BASE_S = 900
# Mean clearness of the days of each month: cloudy north-east monsoon in winter, bright spring, storms from May on.
_CLEARNESS = (0.46, 0.50, 0.56, 0.64, 0.70, 0.70, 0.72, 0.68, 0.60, 0.54, 0.48, 0.44)
_STORM_CHANCE = (0.0, 0.0, 0.02, 0.10, 0.30, 0.35, 0.35, 0.40, 0.35, 0.20, 0.05, 0.0)
_DAY_MEAN_C = (18.6, 19.8, 22.3, 25.3, 27.7, 28.8, 28.8, 28.3, 27.3, 25.5, 22.9, 19.8)
_STORAGE = StorageSpec(
    id="storage",
    name="储能 storage",
    capacity_kwh=8000.0,
    charge_max_kw=3000.0,
    discharge_max_kw=3000.0,
    efficiency_charge=0.92,
    efficiency_discharge=0.92,
    soc_min_frac=0.10,
    soc_max_frac=0.95,
    grid_forming=True,
)


def reference_year(
    step_s: int = 900, year: int = 2025, seed: int = 1, settings: EnergySettings | None = None
) -> Scenario:
    """The year in steps of `step_s` (divides 900, or a multiple of it that divides an hour), priced by the settings."""
    if step_s <= 0 or (_BASE_S % step_s and (step_s % _BASE_S or 3600 % step_s)):
        raise ValueError(f"A step of {step_s} s does not fit: it must divide 900 s, or be 900, 1800 or 3600 s.")
    draw = np.random.default_rng(seed)
    start = np.datetime64(f"{year:04d}-01-01T00:00:00", "s")
    end = np.datetime64(f"{year + 1:04d}-01-01T00:00:00", "s")
    base = np.arange(start, end, np.timedelta64(_BASE_S, "s"))
    days = len(base) // 96
    typhoon = _typhoon_days(draw, base)
    pv_kw = _pv_kw(draw, base, typhoon)
    load_kw = _load_kw(draw, base, typhoon)
    grid_up = _grid_up(draw, days, typhoon)
    local = np.arange(start, end, np.timedelta64(step_s, "s"))
    scenario = Scenario(
        name=f"boao-{year}",
        at0=datetime(year, 1, 1, tzinfo=timezone(timedelta(hours=UTC_OFFSET_H))),
        step_s=float(step_s),
        local=local,
        load_kw=_in_steps(load_kw, step_s),
        pv_kw=_in_steps(pv_kw, step_s),
        import_price=np.zeros(len(local)),
        export_price=np.zeros(len(local)),
        co2_kg_per_kwh=np.zeros(len(local)),
        grid_up=_in_steps(grid_up.astype(np.float64), step_s, smooth=False) > 0.5,
        storage=_STORAGE,
        soc_initial_frac=0.5,
        wear_cost_per_kwh=0.0,
        import_max_kw=0.0,
        export_max_kw=0.0,
        critical_frac=0.45,
    )
    return with_settings(scenario, settings or EnergySettings())


def _in_steps(values: Series, step_s: int, *, smooth: bool = True) -> Series:
    """Quarter-hours as steps of another length, with the same sum."""
    if step_s >= _BASE_S:
        return np.ascontiguousarray(values.reshape(-1, step_s // _BASE_S).mean(axis=1))
    parts = _BASE_S // step_s
    if not smooth:
        return np.repeat(values, parts)
    at = (np.arange(len(values) * parts) + 0.5) / parts - 0.5
    drawn = np.interp(at, np.arange(len(values)), values).reshape(-1, parts)
    mean = drawn.mean(axis=1)
    return np.ascontiguousarray((drawn * (values / np.where(mean > 0.0, mean, 1.0))[:, None]).reshape(-1))


def _month(at: Times) -> Whole:
    return at.astype("datetime64[M]").astype(np.int64) % 12


def _day_of_year(at: Times) -> Series:
    days: Series = (at.astype("datetime64[D]") - at.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.float64)
    return days + 1.0


def _hour(at: Times) -> Series:
    """Local hour in the middle of a quarter."""
    second: Series = (at - at.astype("datetime64[D]")).astype("timedelta64[s]").astype(np.float64)
    return (second + _BASE_S / 2) / 3600.0


def _persistent(draw: np.random.Generator, n: int, keep: float) -> Series:
    """Unit-variance noise that forgets: each value keeps so much of the one before (at most 200 steps back)."""
    span = min(n, 200)
    weights = keep ** np.arange(span)
    drawn = draw.standard_normal(n + span)
    made: Series = np.convolve(drawn, weights, mode="full")[span : span + n] / np.sqrt(np.sum(weights**2))
    return made


def _typhoon_days(draw: np.random.Generator, at: Times) -> Whole:
    """Three to five days between July and October, counted from the first of January."""
    first = int(_day_of_year(at[_month(at) == 6])[0]) if len(at) else 182
    started = first + np.sort(draw.choice(112, size=2, replace=False))
    return np.unique(np.concatenate((started, started + 1, [first + 60])))


def clear_sky_wm2(at: Times) -> Series:
    """Horizontal irradiance without clouds, (n,) W/m2. Haurwitz 1945; declination after Cooper 1969, equation of time
    after Woolf 1968."""
    day = _day_of_year(at)
    turn = 2.0 * np.pi * (day - 1.0) / 365.242
    declination = np.radians(23.45) * np.sin(2.0 * np.pi * (284.0 + day) / 365.0)
    equation_min = 0.258 * np.cos(turn) - 7.416 * np.sin(turn) - 3.648 * np.cos(2 * turn) - 9.228 * np.sin(2 * turn)
    solar_h = _hour(at) + (LONGITUDE_DEG / 15.0 - UTC_OFFSET_H) + equation_min / 60.0
    angle = np.radians(15.0 * (solar_h - 12.0))
    latitude = np.radians(LATITUDE_DEG)
    height = np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    above = np.maximum(height, 1e-3)
    return np.where(height > 0.0, 1098.0 * above * np.exp(-0.057 / above), 0.0)


def _pv_kw(draw: np.random.Generator, at: Times, typhoon: Whole) -> Series:
    days = len(at) // 96
    noon = at[48::96]
    mean = np.array(_CLEARNESS)[_month(noon)]
    of_day = np.clip(mean + 0.20 * _persistent(draw, days, 0.55), 0.10, 1.0)
    storm = draw.random(days) < np.array(_STORM_CHANCE)[_month(noon)]
    storm_at, storm_h = draw.uniform(13.0, 17.0, days), draw.uniform(1.0, 3.0, days)
    of_day[typhoon - 1] = 0.12
    clear = np.repeat(of_day, 96)
    # Broken cloud flickers most, a clear or a closed sky hardly.
    flicker = 0.55 * clear * (1.0 - clear) * 1.6 * _persistent(draw, len(at), 0.72)
    index = np.clip(clear + flicker, 0.05, 1.05)
    since = _hour(at) - np.repeat(storm_at, 96)
    index = np.where(np.repeat(storm, 96) & (since > 0.0) & (since < np.repeat(storm_h, 96)), index * 0.22, index)
    return np.minimum(PV_RATED_KW * clear_sky_wm2(at) / 1000.0 * index * _PV_YIELD, 0.88 * PV_RATED_KW)


def _load_kw(draw: np.random.Generator, at: Times, typhoon: Whole) -> Series:
    hour, month = _hour(at), _month(at)
    days = len(at) // 96
    weekday = (at.astype("datetime64[D]").astype(np.int64) + 3) % 7
    # Hotels follow their guests: a small rise in the morning, the day's peak in the evening.
    hotels = 0.55 + 0.35 * _bump(hour, 8.0, 1.6) + 0.85 * _bump(hour, 20.0, 2.4) + 0.2 * _bump(hour, 13.0, 2.0)
    venue = 0.35 + 0.75 * _bump(hour, 10.5, 2.2) + 0.7 * _bump(hour, 15.0, 2.4)
    public = 0.5 + 0.25 * _bump(hour, 19.0, 3.0) + 0.15 * _bump(hour, 11.0, 3.0)
    outside_c = np.repeat(np.array(_DAY_MEAN_C)[month[48::96]] + 1.4 * _persistent(draw, days, 0.7), 96) + 3.4 * np.cos(
        2.0 * np.pi * (hour - 14.5) / 24.0
    )
    cooling = 0.085 * np.maximum(0.0, outside_c - 20.0) * (0.75 + 0.35 * _bump(hour, 20.5, 3.0))
    guests = np.where(weekday >= 5, 1.10, 1.0) * np.repeat(1.0 + 0.05 * _persistent(draw, days, 0.8), 96)
    guests = np.where(_festive(at), guests * 1.18, guests)
    work = np.where(weekday >= 5, 0.75, 1.0)
    kw = guests * (hotels + cooling) + 0.55 * work * venue + 0.5 * public
    kw[np.isin(_day_of_year(at).astype(np.int64), typhoon)] *= 0.82
    kw *= 1.0 + 0.018 * _persistent(draw, len(at), 0.85)
    forum = _forum(at)
    kw *= _LOAD_MEAN_KW / np.mean(kw[~forum])
    extra = (0.12 + 0.55 * _bump(hour, 10.8, 1.9) + 0.5 * _bump(hour, 15.0, 1.9) + _bump(hour, 19.6, 1.8)) * forum
    return _raised_to(kw, extra, FORUM_PEAK_KW)


def _raised_to(kw: Series, extra: Series, peak_kw: float) -> Series:
    """Add so much of the extra shape that the year's peak is exactly this."""
    with_extra = extra > 0.0
    share = np.min((peak_kw - kw[with_extra]) / extra[with_extra])
    return kw + share * extra


def _bump(hour: Series, centre: float, width: float) -> Series:
    off = (hour - centre + 12.0) % 24.0 - 12.0
    return np.exp(-0.5 * (off / width) ** 2)


def _forum(at: Times) -> Flags:
    """The Forum: Tuesday to Friday of the last whole week of March."""
    day = at.astype("datetime64[D]")
    last = np.datetime64(f"{str(day[0])[:4]}-03-31", "D")
    friday = last - (int(last.astype(np.int64)) + 3 - 4) % 7
    return (day <= friday) & (day > friday - 4)


def _festive(at: Times) -> Flags:
    """Spring festival (taken as 8 to 16 February, whatever the moon says), 1 to 5 May, 1 to 7 October."""
    month = _month(at) + 1
    day = (at.astype("datetime64[D]") - at.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    festive: Flags = (
        ((month == 2) & (day >= 8) & (day <= 16)) | ((month == 5) & (day <= 5)) | ((month == 10) & (day <= 7))
    )
    return festive


def _grid_up(draw: np.random.Generator, days: int, typhoon: Whole) -> Flags:
    """Three hours in a typhoon, and three short outages on other days."""
    up = np.ones(days * 96, np.bool_)
    begin = (int(typhoon[0]) - 1) * 96 + int(draw.integers(48, 72))
    up[begin : begin + 12] = False
    for one in np.sort(draw.choice(days, size=3, replace=False)):
        begin = int(one) * 96 + int(draw.integers(0, 90))
        up[begin : begin + int(draw.integers(1, 6))] = False
    return up
