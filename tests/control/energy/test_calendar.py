"""Working days and days of rest in China, as the State Council arranged them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from control.energy.calendar import DayKind, alike, arranged, day_kind

# By the notices of the State Council's General Office of November 2024 and November 2025: first and last day of each
# holiday (the last two of 2025 are one), and the weekends that are worked for them.
HOLIDAYS = {
    2025: ("01-01 01-01", "01-28 02-04", "04-04 04-06", "05-01 05-05", "05-31 06-02", "10-01 10-08"),
    2026: (
        "01-01 01-03", "02-15 02-23", "04-04 04-06", "05-01 05-05", "06-19 06-21", "09-25 09-27", "10-01 10-07",
    ),
}  # fmt: skip
WORKED = {
    2025: ("01-26", "02-08", "04-27", "09-28", "10-11"),
    2026: ("01-04", "02-14", "02-28", "05-09", "09-20", "10-10"),
}


def all_days(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)


def rests(year: int) -> set[date]:
    """The days of rest of a year by the notice alone."""
    worked = {date.fromisoformat(f"{year}-{one}") for one in WORKED[year]}
    free = {day for day in all_days(year) if day.weekday() >= 5} - worked
    for span in HOLIDAYS[year]:
        first, last = (date.fromisoformat(f"{year}-{one}") for one in span.split())
        free |= {first + timedelta(days=one) for one in range((last - first).days + 1)}
    return free


@pytest.mark.parametrize("year", [2025, 2026])
def test_every_day_of_the_published_years(year: int) -> None:
    expected = rests(year)
    assert {day for day in all_days(year) if not day_kind(day).works} == expected
    assert {day for day in all_days(year) if day_kind(day) is DayKind.WORKED_WEEKEND} == {
        date.fromisoformat(f"{year}-{one}") for one in WORKED[year]
    }
    assert arranged(year)


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 1, 5), DayKind.WORKING),
        (date(2026, 1, 10), DayKind.WEEKEND),
        (date(2026, 1, 1), DayKind.HOLIDAY),
        (date(2026, 2, 14), DayKind.WORKED_WEEKEND),
        (date(2026, 2, 23), DayKind.HOLIDAY),
        (date(2026, 10, 10), DayKind.WORKED_WEEKEND),
        (date(2025, 1, 26), DayKind.WORKED_WEEKEND),
        (date(2025, 10, 8), DayKind.HOLIDAY),
    ],
)
def test_days_as_they_were_arranged(day: date, kind: DayKind) -> None:
    assert day_kind(day) is kind
    assert kind.works is (kind in (DayKind.WORKING, DayKind.WORKED_WEEKEND))


def test_a_year_that_is_not_yet_arranged_keeps_the_holidays_by_law() -> None:
    assert arranged(2026)
    assert not arranged(2045)
    assert day_kind(date(2045, 10, 2)) is DayKind.HOLIDAY
    assert day_kind(date(2045, 3, 6)) is DayKind.WORKING
    assert day_kind(date(2045, 3, 4)) is DayKind.WEEKEND


def test_days_alike() -> None:
    days = [date(2026, 2, 13) + timedelta(days=one) for one in range(4)]
    assert alike(days).tolist() == [0, 0, 1, 1]
