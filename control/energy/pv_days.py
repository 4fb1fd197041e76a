"""Judging a PV string by the day: owns telling a shadow (some hours) from dirt (all hours the same)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field

from control.energy.pv_types import PvLimits

BIN_S = 1800
BINS = 86_400 // BIN_S
_BINS_MIN = 6


@dataclass(slots=True)
class DayOfString:
    """What a string gave and should have given, kWh by half hour of the sun's day."""

    given_kwh: dict[int, float] = field(default_factory=dict)
    expected_kwh: dict[int, float] = field(default_factory=dict)
    brightest_frac: float = 0.0

    def add(self, bin_: int, given_kwh: float, expected_kwh: float, bright_frac: float) -> None:
        """One slot more; `bright_frac` is the expected part of the rating in it."""
        self.given_kwh[bin_] = self.given_kwh.get(bin_, 0.0) + given_kwh
        self.expected_kwh[bin_] = self.expected_kwh.get(bin_, 0.0) + expected_kwh
        self.brightest_frac = max(self.brightest_frac, bright_frac)


@dataclass(frozen=True, slots=True)
class DayVerdict:
    """What a day says of a string. Parts of what was expected; `dark_bins` are half hours (0 to 47) with a dip.

    `bright` is whether the day could have cast a shadow.
    """

    part: float
    rest_part: float
    dark_bins: frozenset[int]
    bright: bool
    of: DayOfString


def judged(day: DayOfString, limits: PvLimits) -> DayVerdict | None:
    """The verdict, or None for a day with too little light to tell."""
    parts = _parts(day.given_kwh, day.expected_kwh)
    if len(parts) < _BINS_MIN:
        return None
    ordered = sorted(parts.values())
    rest = _quantile(ordered, 0.75)
    dark = frozenset(bin_ for bin_, part in parts.items() if part <= rest * (1.0 - limits.shading_loss_frac))
    total = sum(day.expected_kwh[bin_] for bin_ in parts)
    return DayVerdict(
        part=sum(day.given_kwh[bin_] for bin_ in parts) / total,
        rest_part=rest,
        dark_bins=dark if len(dark) <= 0.6 * len(parts) else frozenset(),
        bright=day.brightest_frac >= limits.bright_frac,
        of=day,
    )


def _parts(given_kwh: Mapping[int, float], expected_kwh: Mapping[int, float]) -> dict[int, float]:
    """By half hour what part of the expected came; half hours at the day's edges with next to nothing are left out."""
    most = max(expected_kwh.values(), default=0.0)
    return {bin_: given_kwh[bin_] / kwh for bin_, kwh in sorted(expected_kwh.items()) if kwh > 0.1 * most and kwh > 0.0}


def _quantile(ordered: list[float], part: float) -> float:
    place = part * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def same_shadow(one: frozenset[int], other: frozenset[int]) -> frozenset[int]:
    """The half hours that both days have dark, if they are the same shadow; else none."""
    both = one & other
    return both if both and len(both) >= 0.5 * min(len(one), len(other)) else frozenset()


def is_shaded(days: list[DayVerdict], limits: PvLimits) -> frozenset[int]:
    """The half hours of a shadow that came back on the last bright days, or none."""
    bright = [day for day in days if day.bright][-limits.shading_days :]
    if len(bright) < limits.shading_days:
        return frozenset()
    found = bright[-1].dark_bins
    for day in bright:
        found = same_shadow(found, day.dark_bins)
        if len(found) < 2 or day.rest_part < 1.0 - limits.shading_rest_frac:
            return frozenset()
    return found


def is_unshaded(days: list[DayVerdict], limits: PvLimits) -> bool:
    """Whether the last bright days had no dip."""
    bright = [day for day in days if day.bright][-limits.shading_clear_days :]
    return len(bright) == limits.shading_clear_days and not any(day.dark_bins for day in bright)


def is_soiled(days: list[DayVerdict], limits: PvLimits) -> bool:
    """Whether each of the last days lost, and all of them together the same at all hours.

    Clouds that pass over one string and not its peers make the hours of a single day uneven.
    """
    last = days[-limits.soiling_days :]
    if len(last) < limits.soiling_days or any(day.part > 1.0 - limits.soiling_loss_frac for day in last):
        return False
    parts = sorted(
        _parts(_pooled(day.of.given_kwh for day in last), _pooled(day.of.expected_kwh for day in last)).values()
    )
    return _quantile(parts, 0.85) - _quantile(parts, 0.15) <= limits.even_frac


def is_clean(days: list[DayVerdict], limits: PvLimits) -> bool:
    """Whether the last two days lost next to nothing: it has rained, or somebody has washed."""
    last = days[-2:]
    return len(last) == 2 and all(day.part >= 1.0 - limits.soiling_clear_frac for day in last)


def short_kwh(days: Iterable[DayVerdict], bins: Container[int] = range(BINS)) -> float:
    """What these days fell short of in these half hours, before the inverter."""
    return sum(
        max(0.0, kwh - day.of.given_kwh[bin_])
        for day in days
        for bin_, kwh in day.of.expected_kwh.items()
        if bin_ in bins
    )


def _pooled(days: Iterable[Mapping[int, float]]) -> dict[int, float]:
    total: dict[int, float] = {}
    for day in days:
        for bin_, kwh in day.items():
            total[bin_] = total.get(bin_, 0.0) + kwh
    return total
