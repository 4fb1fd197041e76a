"""Workbooks: owns how tables become XLSX. Numbers are numbers, units stand in the heads, no cell is a formula.

Writing takes processor time: call `written` in a thread.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import xlsxwriter

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ROWS_MAX = 1_048_000
_WIDTH_MIN, _WIDTH_MAX = 10, 48
Cell = str | int | float | Decimal | date | datetime | bool | None


@dataclass(frozen=True, slots=True)
class SheetTable:
    """One sheet: its name (31 characters at most), its heads and rows, and lines above them. None is an empty cell."""

    name: str
    heads: tuple[str, ...]
    rows: Sequence[Sequence[Cell]] = ()
    above: tuple[str, ...] = field(default=())


def written(sheets: Iterable[SheetTable], *, zone: ZoneInfo, made_at: datetime) -> bytes:
    """The workbook. Times are written on the clock of `zone`, without their zone, as spreadsheets know none."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(target, options) as book:
        book.set_properties({"created": made_at.astimezone(zone).replace(tzinfo=None)})
        look = {
            "head": book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}),
            "day": book.add_format({"num_format": "yyyy-mm-dd"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        }
        for one in sheets:
            _sheet(book.add_worksheet(one.name[:31]), one, look, zone)
    return target.getvalue()


def _sheet(page: xlsxwriter.worksheet.Worksheet, table: SheetTable, look: dict[str, object], zone: ZoneInfo) -> None:
    top = len(table.above) + bool(table.above)
    for place, line in enumerate(table.above):
        page.write_string(place, 0, line)
    for column, head in enumerate(table.heads):
        page.write_string(top, column, head, look["head"])
        page.set_column(column, column, _width(table, column))
    for down, row in enumerate(table.rows[:ROWS_MAX], top + 1):
        for column, value in enumerate(row):
            _write(page, down, column, value, look, zone)
    page.freeze_panes(top + 1, 1)
    if table.rows:
        page.autofilter(top, 0, top + len(table.rows), len(table.heads) - 1)


def _write(
    page: xlsxwriter.worksheet.Worksheet,
    down: int,
    column: int,
    value: Cell,
    look: dict[str, object],
    zone: ZoneInfo,
) -> None:
    match value:
        case None:
            return
        case bool():
            page.write_boolean(down, column, value)
        case int() | float() | Decimal():
            page.write_number(down, column, float(value) if isinstance(value, Decimal) else value)
        case datetime():
            page.write_datetime(down, column, value.astimezone(zone).replace(tzinfo=None), look["time"])
        case date():
            page.write_datetime(down, column, value, look["day"])
        case str():
            page.write_string(down, column, value)


def _width(table: SheetTable, column: int) -> int:
    """Wide enough for what is in it, within reason; Chinese characters are twice as wide."""
    texts = [table.heads[column], *(str(row[column]) for row in table.rows[:200] if row[column] is not None)]
    longest = max(sum(2 if ord(one) > 0x2E80 else 1 for one in text) for text in texts)
    return min(max(longest + 2, _WIDTH_MIN), _WIDTH_MAX)
