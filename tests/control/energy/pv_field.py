"""A simulated PV field with faults, for the diagnosis: owns sun, clouds and what can be wrong, obvious and from a seed.

Five inverters of four strings each, south, east and west. The "clear sky" that is handed to the diagnosis comes from
other assumptions than the truth: it is 7 % too high and knows nothing of the day's haze.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from control.energy.pv_types import InverterSample, PvSample
from control.energy.site import PvSpec, StringSpec

LATITUDE_DEG, LONGITUDE_DEG = 19.14, 110.58
START = datetime(2026, 3, 2, 16, tzinfo=UTC)  # midnight in Hainan
EFFICIENCY = 0.98
_AZIMUTHS = {
    "a": (180, 180, 180, 180),
    "b": (180, 180, 90, 90),
    "c": (90, 90, 270, 270),
    "d": (270,) * 4,
    "e": (180,) * 4,
}


def field_of(dc_to_ac: Mapping[str, float] | None = None) -> tuple[PvSpec, ...]:
    """The field; `dc_to_ac` is how far an inverter's strings exceed it (1.05)."""
    return tuple(
        PvSpec(
            id=name,
            rated_ac_kw=400.0 / (dc_to_ac or {}).get(name, 1.05),
            strings=tuple(
                StringSpec(id=f"s{n}", rated_dc_kw=100.0, tilt_deg=12.0, azimuth_deg=float(azimuth))
                for n, azimuth in enumerate(azimuths)
            ),
        )
        for name, azimuths in _AZIMUTHS.items()
    )


def sun(at: datetime) -> tuple[float, float]:
    """Elevation and azimuth (from north, clockwise), rad."""
    day = at.timetuple().tm_yday
    declination = math.radians(23.45) * math.sin(2.0 * math.pi * (284 + day) / 365.0)
    solar_h = at.hour + at.minute / 60.0 + at.second / 3600.0 + LONGITUDE_DEG / 15.0
    hour = math.radians(15.0 * (solar_h % 24.0 - 12.0))
    latitude = math.radians(LATITUDE_DEG)
    sine = math.sin(latitude) * math.sin(declination) + math.cos(latitude) * math.cos(declination) * math.cos(hour)
    elevation = math.asin(sine)
    azimuth = math.pi + math.atan2(
        math.sin(hour), math.cos(hour) * math.sin(latitude) - math.tan(declination) * math.cos(latitude)
    )
    return elevation, azimuth


def plane_w(at: datetime, tilt_deg: float, azimuth_deg: float, beam_frac: float) -> tuple[float, float]:
    """Direct and diffuse light on a plane, W/m2; `beam_frac` is what clouds leave of the sun's beam."""
    elevation, azimuth = sun(at)
    if elevation <= 0.02:
        return 0.0, 0.0
    beam = 950.0 * math.exp(-0.12 / math.sin(elevation))
    tilt, facing = math.radians(tilt_deg), math.radians(azimuth_deg)
    cosine = math.sin(elevation) * math.cos(tilt) + math.cos(elevation) * math.sin(tilt) * math.cos(azimuth - facing)
    diffuse = (90.0 + 160.0 * (1.0 - beam_frac)) * math.sin(elevation) ** 0.5
    return beam * beam_frac * max(0.0, cosine), diffuse


@dataclass
class Faults:
    """What is wrong. Each takes the days since the start and the sun's hour; None or 1: nothing."""

    string_part: dict[str, Callable[[float, float], float]] = field(default_factory=dict)
    shadow_part: dict[str, Callable[[float, float], float]] = field(default_factory=dict)  # of the direct light
    cap_part: dict[str, Callable[[float, float], float]] = field(default_factory=dict)  # of the inverter's rating
    frozen: dict[str, Callable[[float, float], bool]] = field(default_factory=dict)
    limit_part: Callable[[str, float, float], float | None] = lambda inverter, days, hour: None


SKIES = {
    "clear": (0.98, 0.01, 0.01),
    "scattered": (0.75, 0.25, 0.06),
    "overcast": (0.05, 0.05, 0.04),
    "rain": (0.0, 0.02, 0.03),
}


class Clouds:
    """How much of the beam comes through, over the field and at each inverter."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.wide = 0.0
        self.near: dict[str, float] = {}

    def beam(self, inverter: str, sky: str) -> float:
        """Part of the beam at an inverter; call `drift` once a sample."""
        mean, spread, _ = SKIES[sky]
        return min(1.0, max(0.0, mean + spread * self.wide + 0.5 * spread * self.near.get(inverter, 0.0)))

    def drift(self, period_s: float) -> None:
        """Clouds of about twenty minutes over the field, of five at an inverter."""
        self.wide = _drift(self.random, self.wide, period_s / 1200.0)
        for name in _AZIMUTHS:
            self.near[name] = _drift(self.random, self.near.get(name, 0.0), period_s / 300.0)


def _drift(random: Random, value: float, times: float) -> float:
    keep = math.exp(-times)
    return keep * value + math.sqrt(1.0 - keep * keep) * random.gauss(0.0, 1.0)


def samples(
    pvs: tuple[PvSpec, ...],
    skies: list[str],
    *,
    faults: Faults | None = None,
    seed: int = 1,
    period_s: float = 300.0,
    clear: bool = True,
) -> Iterator[PvSample]:
    """The samples of so many days, one sky each; night is passed over but for one sample in four hours."""
    random, faults = Random(seed), faults or Faults()
    clouds, last = Clouds(random), {}
    uneven = {f"{pv.id}/{one.id}": 1.0 + random.gauss(0.0, 0.012) for pv in pvs for one in pv.strings}
    steps = int(86_400 / period_s)
    for step in range(len(skies) * steps):
        at = START + timedelta(seconds=step * period_s)
        middle = at - timedelta(seconds=period_s / 2)
        clouds.drift(period_s)
        if sun(middle)[0] <= -0.05 and step % int(4 * 3600 / period_s):
            continue
        days = step / steps
        hour = (days % 1.0) * 24.0 - 8.0 + LONGITUDE_DEG / 15.0
        sky = skies[int(days)]
        inverters = tuple(
            _inverter(pv, middle, days, hour, clouds.beam(pv.id, sky), faults, uneven, random, last) for pv in pvs
        )
        yield PvSample(
            at=at,
            period_s=period_s,
            inverters=inverters,
            clear_dc_kw={
                f"{pv.id}/{one.id}": 1.07
                * one.rated_dc_kw
                * sum(plane_w(middle, one.tilt_deg, one.azimuth_deg, 1.0))
                / 1000
                for pv in pvs
                for one in pv.strings
            }
            if clear
            else {},
        )


def _inverter(
    pv: PvSpec,
    at: datetime,
    days: float,
    hour: float,
    beam: float,
    faults: Faults,
    uneven: Mapping[str, float],
    random: Random,
    last: dict[str, float],
) -> InverterSample:
    could = {}
    for one in pv.strings:
        key = f"{pv.id}/{one.id}"
        direct, diffuse = plane_w(at, one.tilt_deg, one.azimuth_deg, beam)
        direct *= faults.shadow_part.get(key, _whole)(days, hour)
        part = faults.string_part.get(key, _whole)(days, hour) * uneven[key] * (1.0 + random.gauss(0.0, 0.004))
        light = direct + diffuse
        could[one.id] = max(0.0, one.rated_dc_kw * light / 1000.0 * (1.0 - 0.0001 * light) * part)
    limit = faults.limit_part(pv.id, days, hour)
    limit_kw = None if limit is None else limit * pv.rated_ac_kw
    held = min(
        pv.rated_ac_kw * faults.cap_part.get(pv.id, _whole)(days, hour), limit_kw if limit_kw is not None else 1e9
    )
    offered = EFFICIENCY * sum(could.values())
    given = min(offered, held)
    share = given / offered if offered > 0.0 else 0.0
    shown = {f"{pv.id}/{name}": kw * share for name, kw in could.items()} | {pv.id: given}
    for key, value in shown.items():
        if key in faults.frozen and faults.frozen[key](days, hour):
            shown[key] = last.get(key, value)
        last[key] = shown[key]
    return InverterSample(
        id=pv.id,
        ac_kw=shown[pv.id],
        limit_kw=limit_kw,
        dc_kw={one.id: shown[f"{pv.id}/{one.id}"] for one in pv.strings},
    )


def _whole(days: float, hour: float) -> float:
    return 1.0
