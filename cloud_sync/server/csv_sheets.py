"""Tables as CSV for spreadsheets: owns the byte order mark, how cells are written, and that no text is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable
from decimal import Decimal

from fastapi.responses import Response, StreamingResponse

BOM = "\ufeff"
MEDIA_TYPE = "text/csv; charset=utf-8"
CHUNK_ROWS = 500
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def lines(rows: Iterable[Iterable[object]]) -> str:
    """Rows as text. Numbers stay numbers, None is an empty cell, all else is text that a spreadsheet takes as text."""
    target = io.StringIO()
    csv.writer(target).writerows([_cell(one) for one in row] for row in rows)
    return target.getvalue()


def _cell(value: object) -> str | int | float:
    match value:
        case None:
            return ""
        case int() | float():
            return value
        case Decimal():
            return format(value, "f")
        case _:
            text = str(value)
            return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def answer(rows: Iterable[Iterable[object]], name: str) -> Response:
    """A file to keep."""
    return Response(BOM + lines(rows), media_type=MEDIA_TYPE, headers=_headers(name))


def streamed(pieces: AsyncIterator[str], name: str) -> StreamingResponse:
    """A file to keep that is longer than memory should hold; its first piece begins with BOM."""
    return StreamingResponse(pieces, media_type=MEDIA_TYPE, headers=_headers(name))


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
