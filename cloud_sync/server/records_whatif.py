"""What a replay tells people: owns the shapes that the what-if page, its JSON and its CSV share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class YearSource:
    """Which year was replayed: `measured` from our own quarter hours, or `reference`, the simulated one.

    `filled_frac` is the share of quarter hours that were missing and taken from the nearest day.
    """

    kind: str
    first_month: str
    last_month: str
    days: int
    filled_frac: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: now and draft in `unit`. `better` is +1 where more is better, -1 where less is."""

    key: str
    unit: str
    now: float
    draft: float
    better: int
    digits: int

    @property
    def difference(self) -> float:
        """Draft less now."""
        return self.draft - self.now


@dataclass(frozen=True, slots=True)
class MonthPair:
    """Carbon of one month, tonnes."""

    month: str
    now_t: float
    draft_t: float


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit over the whole year, under the draft."""

    key: str
    kept: bool
    value: float


@dataclass(frozen=True, slots=True)
class WhatIfResult:
    """One comparison. `seconds` is how long both years took, `steps` how many each has.

    `yuan_per_t` is what an avoided tonne costs; None where carbon does not fall or nothing is paid for it.
    """

    source: YearSource
    steps: int
    seconds: float
    figures: tuple[Figure, ...]
    months: tuple[MonthPair, ...]
    limits: tuple[Limit, ...]
    yuan_per_t: float | None

    def figure(self, key: str) -> Figure:
        """One row by name."""
        return next(one for one in self.figures if one.key == key)
