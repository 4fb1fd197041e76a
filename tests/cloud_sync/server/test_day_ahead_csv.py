"""A day's published prices as CSV: taken whole, or refused with the line."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from cloud_sync.server.day_ahead_csv import with_day, without_day
from cloud_sync.server.problems import Problem
from control.energy.settings import EnergySettings

ZONE = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 21)
DELIVERED = EnergySettings()


def sheet(day: str = "2026-11-22", *, offset: str = "+08:00", minutes: int = 60, sold: bool = False) -> str:
    at = [divmod(minutes * place, 60) for place in range(1440 // minutes)]
    rows = [f"{day}T{h:02d}:{m:02d}{offset},{0.3 + h / 100:.2f}{',0.2' if sold else ''}" for h, m in at]
    return "\n".join(["at,import_price,export_price" if sold else "at,import_price", *rows])


def taken(text: str, base: EnergySettings = DELIVERED, source: str = "exchange") -> EnergySettings:
    return with_day(base, text, source=source, zone=ZONE, today=TODAY)


@pytest.mark.parametrize("minutes", [60, 15])
@pytest.mark.parametrize("sold", [True, False])
@pytest.mark.parametrize("offset", ["", "+08:00"])
def test_a_day_of_hours_or_quarters_is_taken(minutes: int, sold: bool, offset: str) -> None:
    [day] = taken("\ufeff" + sheet(minutes=minutes, sold=sold, offset=offset) + "\n\n").day_ahead
    assert (day.day, day.source, len(day.import_per_kwh)) == (date(2026, 11, 22), "exchange", 1440 // minutes)
    assert (day.import_per_kwh[0], day.import_per_kwh[-1]) == (0.3, 0.53)
    assert day.export_per_kwh == ((0.2,) * (1440 // minutes) if sold else ())


def test_rows_in_any_order_and_in_another_offset_are_the_same_day() -> None:
    head, *rows = sheet().splitlines()
    assert taken("\n".join([head, *reversed(rows)])) == taken(sheet())
    utc = [row.replace("2026-11-22T", "2026-11-21T") for row in sheet(offset="Z").splitlines()[17:]]
    utc += sheet(offset="Z").splitlines()[1:17]
    [day] = taken("\n".join([head, *utc])).day_ahead
    assert day.day == date(2026, 11, 22)


def test_a_day_takes_the_place_of_the_same_and_days_that_are_over_go() -> None:
    base = taken(sheet("2026-11-21", sold=True), taken(sheet("2026-11-22")))
    again = taken(sheet("2026-11-22", minutes=15), base, source="second")
    assert [(one.day.day, one.source) for one in again.day_ahead] == [(21, "exchange"), (22, "second")]
    later = with_day(again, sheet("2026-11-23"), source="x", zone=ZONE, today=date(2026, 11, 22))
    assert [one.day.day for one in later.day_ahead] == [22, 23]
    assert [one.day.day for one in without_day(later, "2026-11-22").day_ahead] == [23]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Line 1 must be"),
        ("at,import_price", "no row below"),
        ("at,price\n1,2", "Line 1 must be"),
        (sheet().replace("T05:00", "T04:00"), "Line 7: 2026-11-22 04:00 stands there before"),
        (sheet().replace("T05:00", "T05:30"), "no price for 2026-11-22 05:00"),
        (sheet().replace("2026-11-22T05", "2026-11-23T05"), "no price for 2026-11-22 05:00"),
        ("\n".join(sheet().splitlines()[:-1]), "There are 23 prices"),
        (sheet().replace("0.35", "cheap"), "Line 7: a price is no number"),
        (sheet().replace("0.35", "nan"), r"import_per_kwh\[5\] must be a number"),
        (sheet().replace("0.35", "35"), r"import_per_kwh\[5\] is 35"),
        (sheet().replace("0.35", "0.35,0.2"), "Line 7 has 3 fields instead of 2"),
        (sheet().replace("2026-11-22T05:00", "five"), "Line 7: at must be a time"),
        ("at,import_price\n" + "x" * 20_001, "longer than 20000"),
    ],
)
def test_what_is_no_day_is_refused_with_the_line(text: str, said: str) -> None:
    with pytest.raises(Problem, match=said):
        taken(text)


def test_who_published_must_be_said() -> None:
    with pytest.raises(Problem, match="source must say"):
        taken(sheet(), source=" ")
