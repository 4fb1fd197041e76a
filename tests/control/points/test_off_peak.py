"""Off-peak hours: how a charge is shared out by the clock of the island."""

from __future__ import annotations

from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from control.points.off_peak import off_peak_kwh

ZONE = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 11, 21, 22, tzinfo=ZONE)
HOURS = {"zone": ZONE, "from_hour": 23, "until_hour": 7}


def at(hours: float, kwh: int) -> tuple[datetime, Fraction]:
    return EVENING + timedelta(hours=hours), Fraction(kwh)


def test_what_flows_over_the_edge_is_shared_by_time() -> None:
    assert off_peak_kwh([at(0, 0), at(2, 10)], **HOURS) == 5


def test_a_night_counts_whole_and_a_day_not() -> None:
    assert off_peak_kwh([at(1, 0), at(9, 40)], **HOURS) == 40
    assert off_peak_kwh([at(-8, 0), at(0, 40)], **HOURS) == 0
    assert off_peak_kwh([at(0, 0), at(12, 24)], **HOURS) == 16


def test_hours_within_a_day_and_the_whole_day() -> None:
    assert off_peak_kwh([at(0, 0), at(24, 24)], zone=ZONE, from_hour=11, until_hour=13) == 2
    assert off_peak_kwh([at(0, 0), at(24, 24)], zone=ZONE, from_hour=0, until_hour=0) == 24


def test_order_and_a_meter_that_goes_back() -> None:
    assert off_peak_kwh([at(3, 10), at(1, 0), at(4, 8), at(5, 9)], **HOURS) == 11
    assert off_peak_kwh([at(3, 10)], **HOURS) == 0


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 100)), min_size=2, max_size=12))
def test_both_halves_of_the_day_make_the_whole(steps: list[tuple[int, int]]) -> None:
    minute, kwh, readings = 0, 0, []
    for minutes, more in steps:
        minute, kwh = minute + minutes + 1, kwh + more
        readings.append((EVENING + timedelta(minutes=minute), Fraction(kwh)))
    parts = [off_peak_kwh(readings, zone=ZONE, from_hour=a, until_hour=b) for a, b in ((23, 7), (7, 23))]
    assert sum(parts) == readings[-1][1] - readings[0][1]
