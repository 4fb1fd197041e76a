"""Published prices of one day as CSV: owns reading `at,import_price[,export_price]` and taking it into settings."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from cloud_sync.server import energy_settings
from cloud_sync.server.problems import Problem
from control.energy.settings import DAY_AHEAD_COUNTS, EnergySettings, settings_json

CHARS_MAX = 20_000
HEADERS = (("at", "import_price"), ("at", "import_price", "export_price"))
_DAY = timedelta(days=1)


def with_day(settings: EnergySettings, text: str, *, source: str, zone: ZoneInfo, today: date) -> EnergySettings:
    """The settings with the day of this CSV in place of what they had for it; days that are over are left out.

    Raises Problem `setting_refused` that names the line or the key.
    """
    new = _day_of(_rows(text), zone) | {"source": source.strip()}
    kept = [one for one in settings_json(settings)["day_ahead"] if one["day"] != new["day"]]
    kept = [one for one in kept if date.fromisoformat(one["day"]) >= today]
    return energy_settings.changed(settings, {"day_ahead": [*kept, new]})


def without_day(settings: EnergySettings, day: str) -> EnergySettings:
    """The settings without that day. Raises Problem."""
    kept = [one for one in settings_json(settings)["day_ahead"] if one["day"] != day]
    return energy_settings.changed(settings, {"day_ahead": kept})


def _refused(words: str) -> Problem:
    return Problem("setting_refused", detail=words)


def _rows(text: str) -> list[tuple[int, datetime, list[float]]]:
    """Line number, time and prices of each row."""
    if len(text) > CHARS_MAX:
        raise _refused(f"The CSV is longer than {CHARS_MAX} characters: a day has at most 96 rows.")
    sheet = csv.reader(io.StringIO(text.lstrip("\ufeff").strip()))
    header = tuple(cell.strip() for cell in next(sheet, []))
    if header not in HEADERS:
        raise _refused("Line 1 must be at,import_price or at,import_price,export_price.")
    found = [_row(sheet.line_num, cells, len(header)) for cells in sheet if any(cell.strip() for cell in cells)]
    if not found:
        raise _refused("There is no row below the header.")
    return found


def _row(line: int, cells: Sequence[str], width: int) -> tuple[int, datetime, list[float]]:
    if len(cells) != width:
        raise _refused(f"Line {line} has {len(cells)} fields instead of {width}.")
    try:
        at = datetime.fromisoformat(cells[0].strip())
    except ValueError as error:
        raise _refused(f"Line {line}: at must be a time like 2026-11-22T08:00+08:00.") from error
    try:
        prices = [float(cell) for cell in cells[1:]]
    except ValueError as error:
        raise _refused(f"Line {line}: a price is no number.") from error
    return line, at, prices


def _day_of(rows: Iterable[tuple[int, datetime, list[float]]], zone: ZoneInfo) -> dict[str, Any]:
    """A day of the settings' JSON. A time without an offset is local."""
    by_time: dict[datetime, list[float]] = {}
    for line, at, prices in rows:
        local = at.replace(tzinfo=None) if at.tzinfo is None else at.astimezone(zone).replace(tzinfo=None)
        if local in by_time:
            raise _refused(f"Line {line}: {local:%Y-%m-%d %H:%M} stands there before.")
        by_time[local] = prices
    midnight = datetime.combine(min(by_time).date(), time())
    if len(by_time) not in DAY_AHEAD_COUNTS:
        raise _refused(f"There are {len(by_time)} prices: a day has 24 hours or 96 quarters of an hour.")
    step = _DAY / len(by_time)
    wanted = [midnight + step * place for place in range(len(by_time))]
    if missing := [at for at in wanted if at not in by_time]:
        raise _refused(f"There is no price for {missing[0]:%Y-%m-%d %H:%M}: all must be of one local day.")
    prices_of = [by_time[at] for at in wanted]
    return {
        "day": f"{midnight:%Y-%m-%d}",
        "import_per_kwh": [row[0] for row in prices_of],
        "export_per_kwh": [row[1] for row in prices_of if len(row) > 1],
    }
