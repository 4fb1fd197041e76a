"""Working days and days of rest in China, as the State Council arranged them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from control.energy.calendar import DayKind, alike, arranged, day_kind


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
