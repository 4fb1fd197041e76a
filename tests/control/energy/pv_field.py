"""A simulated PV field with faults, for the diagnosis: owns sun, clouds and what can be wrong, obvious and from a seed.

Three sites: `mixed` has five inverters of four strings to the south, east and west, `south` four of three strings that
all look south, `roofs` three of two strings, each pair on a roof of its own. The "clear sky" that is handed to the
diagnosis comes from other assumptions than the truth: it is 7 % too high and knows nothing of the day's haze.
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
TILT_DEG = 12.0
SITES: dict[str, dict[str, tuple[int, ...]]] = {
    "mixed": {
        "a": (180, 180, 180, 180),
        "b": (180, 180, 90, 90),
        "c": (90, 90, 270, 270),
        "d": (270,) * 4,
        "e": (180,) * 4,
    },
    "south": {"a": (180,) * 3, "b": (180,) * 3, "c": (180,) * 3, "d": (180,) * 3},
    "roofs": {"a": (180, 180), "b": (90, 90), "c": (270, 270)},
}
SKIES = {"clear": (0.98, 0.01), "scattered": (0.75, 0.25), "overcast": (0.05, 0.05), "rain": (0.0, 0.02)}


def field_of(site: str = "mixed", dc_to_ac: Mapping[str, float] | None = None) -> tuple[PvSpec, ...]:
    """The field; `dc_to_ac` is how far an inverter's strings exceed it (1.05)."""
    return tuple(
        PvSpec(
            id=name,
            rated_ac_kw=100.0 * len(azimuths) / (dc_to_ac or {}).get(name, 1.05),
            strings=tuple(
                StringSpec(id=f"s{n}", rated_dc_kw=100.0, tilt_deg=TILT_DEG, azimuth_deg=float(azimuth))
                for n, azimuth in enumerate(azimuths)
            ),
        )
        for name, azimuths in SITES[site].items()
    )


def sun(at: datetime) -> tuple[float, float]:
    """Elevation and azimuth (from north, clockwise), rad; declination by Cooper (1969)."""
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


@dataclass(frozen=True)
class Light:
    """The sun's light at one moment, W/m2: the beam on each azimuth's plane, and the diffuse of a clear sky."""

    beam: Mapping[float, float]
    sine: float

    @classmethod
    def at(cls, at: datetime, azimuths_deg: frozenset[float]) -> Light:
        elevation, azimuth = sun(at)
        if elevation <= 0.02:
            return cls(dict.fromkeys(azimuths_deg, 0.0), 0.0)
        beam, tilt = 950.0 * math.exp(-0.12 / math.sin(elevation)), math.radians(TILT_DEG)
        up, along = math.sin(elevation) * math.cos(tilt), math.cos(elevation) * math.sin(tilt)
        planes = {one: beam * max(0.0, up + along * math.cos(azimuth - math.radians(one))) for one in azimuths_deg}
        return cls(planes, math.sin(elevation))

    def diffuse(self, beam_frac: float) -> float:
        """Under clouds that leave this part of the beam: they take the beam and scatter some of it."""
        return (90.0 + 160.0 * (1.0 - beam_frac)) * self.sine**0.5


def _whole(days: float, hour: float) -> float:
    return 1.0


def _never(days: float, hour: float) -> bool:
    return False


@dataclass
class Faults:
    """What is wrong, by inverter or `inverter/string`. Each takes the days since the start and the sun's hour."""

    string_part: dict[str, Callable[[float, float], float]] = field(default_factory=dict)
    every_string_part: Callable[[float, float], float] = _whole
    shadow_part: dict[str, Callable[[float, float], float]] = field(default_factory=dict)  # of the direct light
    cap_part: dict[str, Callable[[float, float], float]] = field(default_factory=dict)  # of the inverter's rating
    frozen: dict[str, Callable[[float, float], bool]] = field(default_factory=dict)
    missing: dict[str, Callable[[float, float], bool]] = field(default_factory=dict)  # no value at all
    not_a_number: dict[str, Callable[[float, float], bool]] = field(default_factory=dict)
    limit_part: Callable[[str, float, float], float | None] = lambda inverter, days, hour: None


class Clouds:
    """How much of the beam comes through, over the field and at each inverter."""

    def __init__(self, random: Random, inverters: tuple[str, ...]) -> None:
        self.random = random
        self.wide = 0.0
        self.near = dict.fromkeys(inverters, 0.0)

    def beam(self, inverter: str, sky: str) -> float:
        """Part of the beam at an inverter; call `drift` once a sample."""
        mean, spread = SKIES[sky]
        return min(1.0, max(0.0, mean + spread * self.wide + 0.5 * spread * self.near[inverter]))

    def drift(self, period_s: float) -> None:
        """Clouds of about twenty minutes over the field, of five at an inverter."""
        self.wide = _drift(self.random, self.wide, period_s / 1200.0)
        for name in self.near:
            self.near[name] = _drift(self.random, self.near[name], period_s / 300.0)


def _drift(random: Random, value: float, times: float) -> float:
    keep = math.exp(-times)
    return keep * value + math.sqrt(1.0 - keep * keep) * random.gauss(0.0, 1.0)


@dataclass
class Truth:
    """What the faults took at the bus so far, kWh by inverter, and what ratings cut off; our own limits are neither."""

    lost_kwh: dict[str, float] = field(default_factory=dict)
    cut_kwh: dict[str, float] = field(default_factory=dict)


def samples(
    pvs: tuple[PvSpec, ...],
    skies: list[str],
    *,
    faults: Faults | None = None,
    seed: int = 1,
    period_s: float = 300.0,
    clear: bool = True,
    truth: Truth | None = None,
) -> Iterator[PvSample]:
    """The samples of so many days, one sky each; night is passed over but for one sample in four hours."""
    random = Random(seed)
    faults, truth = faults or Faults(), truth or Truth()
    clouds, last = Clouds(random, tuple(pv.id for pv in pvs)), {}
    uneven = {f"{pv.id}/{one.id}": 1.0 + random.gauss(0.0, 0.012) for pv in pvs for one in pv.strings}
    azimuths = frozenset(one.azimuth_deg for pv in pvs for one in pv.strings)
    steps = int(86_400 / period_s)
    for step in range(len(skies) * steps):
        at = START + timedelta(seconds=step * period_s)
        middle = at - timedelta(seconds=period_s / 2)
        clouds.drift(period_s)
        if sun(middle)[0] <= -0.05 and step % int(4 * 3600 / period_s):
            continue
        days = step / steps
        hour = (days % 1.0) * 24.0 - 8.0 + LONGITUDE_DEG / 15.0
        light = Light.at(middle, azimuths)
        now = _Moment(light, days, hour, period_s, faults, uneven, random, last, truth)
        inverters = tuple(now.inverter(pv, clouds.beam(pv.id, skies[int(days)])) for pv in pvs)
        diffuse = light.diffuse(1.0)
        sky_kw = {
            f"{pv.id}/{one.id}": 1.07 * one.rated_dc_kw * (light.beam[one.azimuth_deg] + diffuse) / 1000.0
            for pv in pvs
            for one in pv.strings
        }
        yield PvSample(at=at, period_s=period_s, inverters=inverters, clear_dc_kw=sky_kw if clear else {})


@dataclass
class _Moment:
    """One period of the field."""

    light: Light
    days: float
    hour: float
    period_s: float
    faults: Faults
    uneven: Mapping[str, float]
    random: Random
    last: dict[str, float]
    truth: Truth

    def inverter(self, pv: PvSpec, beam: float) -> InverterSample:
        """What it shows; what it lost is booked."""
        healthy, could = 0.0, {}
        for one in pv.strings:
            key = f"{pv.id}/{one.id}"
            part = self.uneven[key] * (1.0 + self.random.gauss(0.0, 0.004))
            direct, diffuse = self.light.beam[one.azimuth_deg] * beam, self.light.diffuse(beam)
            healthy += _dc_kw(one.rated_dc_kw, direct + diffuse) * part
            direct *= self._of(self.faults.shadow_part, key)
            part *= self._of(self.faults.string_part, key) * self.faults.every_string_part(self.days, self.hour)
            could[one.id] = _dc_kw(one.rated_dc_kw, direct + diffuse) * part
        limit = self.faults.limit_part(pv.id, self.days, self.hour)
        limit_kw = None if limit is None else limit * pv.rated_ac_kw
        most_kw = pv.rated_ac_kw if limit_kw is None else min(pv.rated_ac_kw, limit_kw)
        offered = EFFICIENCY * sum(could.values())
        given = min(offered, most_kw, pv.rated_ac_kw * self._of(self.faults.cap_part, pv.id))
        self._book(pv, EFFICIENCY * healthy, most_kw, given)
        share = given / offered if offered > 0.0 else 0.0
        noise = 1.0 + self.random.gauss(0.0, 0.001)
        shown = {f"{pv.id}/{name}": kw * share for name, kw in could.items()} | {pv.id: given * noise}
        seen = {key: self._seen(key, kw) for key, kw in shown.items()}
        dc_kw = {one.id: seen[f"{pv.id}/{one.id}"] for one in pv.strings}
        return InverterSample(id=pv.id, ac_kw=seen[pv.id], limit_kw=limit_kw, dc_kw=dc_kw)

    def _of(self, parts: Mapping[str, Callable[[float, float], float]], key: str) -> float:
        return parts.get(key, _whole)(self.days, self.hour)

    def _seen(self, key: str, kw: float) -> float | None:
        faults, days, hour = self.faults, self.days, self.hour
        if faults.frozen.get(key, _never)(days, hour):
            kw = self.last.get(key, kw)
        self.last[key] = kw
        if faults.missing.get(key, _never)(days, hour):
            return None
        return math.nan if faults.not_a_number.get(key, _never)(days, hour) else kw

    def _book(self, pv: PvSpec, healthy_kw: float, most_kw: float, given_kw: float) -> None:
        hours = self.period_s / 3600.0
        lost, cut = self.truth.lost_kwh, self.truth.cut_kwh
        lost[pv.id] = lost.get(pv.id, 0.0) + (min(healthy_kw, most_kw) - given_kw) * hours
        if most_kw == pv.rated_ac_kw:
            cut[pv.id] = cut.get(pv.id, 0.0) + max(0.0, healthy_kw - pv.rated_ac_kw) * hours


def _dc_kw(rated_kw: float, light_w: float) -> float:
    """Modules are hotter, and so a little weaker, in bright light."""
    return rated_kw * light_w / 1000.0 * (1.0 - 0.0001 * light_w)
