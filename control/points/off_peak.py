"""Charging outside the peak: owns how much of a charge lies in the hours that the office names.

A meter is read every few minutes; what flowed between two readings is shared out by time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from fractions import Fraction
from itertools import pairwise

# When the meter was read (aware), and the energy since the session began (kWh).
Reading = tuple[datetime, Fraction]


def off_peak_kwh(readings: Iterable[Reading], *, zone: tzinfo, from_hour: int, until_hour: int) -> Fraction:
    """Exact kWh between the first and the last reading that lie in the island's hours `from_hour` to `until_hour`.

    Hours that end before they begin go over midnight; two that are equal name the whole day. A meter that goes back
    counts nothing for that time.
    """
    total = Fraction(0)
    for (began, before), (ended, after) in pairwise(sorted(readings)):
        span_s = _seconds(ended - began)
        if after > before and span_s:
            total += (after - before) * _off_peak_s(began, ended, zone, from_hour, until_hour) / span_s
    return total


def _off_peak_s(began: datetime, ended: datetime, zone: tzinfo, from_hour: int, until_hour: int) -> Fraction:
    day, last = began.astimezone(zone).date() - timedelta(days=1), ended.astimezone(zone).date()
    seconds = Fraction(0)
    while day <= last:
        opens = _at(day, from_hour, zone)
        closes = _at(day if from_hour < until_hour else day + timedelta(days=1), until_hour, zone)
        shared = min(ended, closes) - max(began, opens)
        seconds += max(Fraction(0), _seconds(shared))
        day += timedelta(days=1)
    return seconds


def _at(day: date, hour: int, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=zone)


def _seconds(span: timedelta) -> Fraction:
    return Fraction(span // timedelta(microseconds=1), 1_000_000)
