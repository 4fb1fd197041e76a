"""Which days are alike: owns telling working days from days of rest in China, 调休 working weekends included.

The dates come from the package `holidays`. The State Council arranges each year's 调休 in the autumn before; for years
that the installed version does not know, the public holidays by law remain (the lunar ones computed) and no weekend is
worked: `arranged` tells which of the two holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from holidays import HolidayBase

_SATURDAY = 5


class DayKind(StrEnum):
    """What a day is to those who work."""

    WORKING = "working"  # 工作日
    WORKED_WEEKEND = "worked_weekend"  # 调休上班
    WEEKEND = "weekend"  # 周末
    HOLIDAY = "holiday"  # 法定节假日及调休放假

    @property
    def works(self) -> bool:
        """Whether offices are open."""
        return self in (DayKind.WORKING, DayKind.WORKED_WEEKEND)


@lru_cache(maxsize=16)
def _china(year: int) -> HolidayBase:
    import holidays

    return holidays.country_holidays("CN", years=year)


@lru_cache(maxsize=4096)
def day_kind(day: date) -> DayKind:
    """What this day is."""
    known = _china(day.year)
    if day in known.weekend_workdays:
        return DayKind.WORKED_WEEKEND
    if day in known:
        return DayKind.HOLIDAY
    return DayKind.WEEKEND if day.weekday() >= _SATURDAY else DayKind.WORKING


def arranged(year: int) -> bool:
    """Whether the arrangement of 调休 in this year is known."""
    return any(day.year == year for day in _china(year).weekend_workdays)


def alike(days: Iterable[date]) -> npt.NDArray[np.int64]:
    """0 for each day that is worked, 1 for each day of rest, (days,), as the causal run and the forecast take it."""
    return np.array([0 if day_kind(day).works else 1 for day in days], dtype=np.int64)
