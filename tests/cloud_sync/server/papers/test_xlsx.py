"""Workbooks hold numbers as numbers, times on the island's clock, and nothing that calculates."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl

from cloud_sync.server.papers.xlsx import SheetTable, written

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)


def test_cells_are_what_they_are_and_no_text_becomes_a_formula() -> None:
    rows = [("=1+1", 12, Decimal("0.5"), NOW, date(2026, 11, 21), None), ("http://x", 1.5, None, None, None, None)]
    table = SheetTable("通行" * 20, ("文", "数", "小数", "时间", "日", "空"), rows, ("说明",))
    content = written([table], zone=ZONE, made_at=NOW)
    assert content == written([table], zone=ZONE, made_at=NOW)
    book = openpyxl.load_workbook(io.BytesIO(content))
    page = book.worksheets[0]
    assert page.title == ("通行" * 20)[:31]
    assert page["A1"].value == "说明"
    values = [cell.value for cell in page[4]]
    assert (values[:3], values[5]) == (["=1+1", 12, 0.5], None)
    assert [one.isoformat() for one in values[3:5]] == ["2026-11-21T10:42:31", "2026-11-21T00:00:00"]
    assert [cell.data_type for cell in page[4]] == ["s", "n", "n", "d", "d", "n"]
    assert page["A5"].hyperlink is None
    book.close()


async def test_passages_come_as_a_workbook_too(app: Any, sign_in: Any, make_gateway: Any) -> None:
    gateway = make_gateway(app.state.services)
    assert await gateway.send(gateway.decided("a-1"), gateway.decided("a-2", "琼A12345D")) == ()
    office = await sign_in("reviewer")
    answer = await office.get("/passages.xlsx?lang=en")
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    rows = [[cell.value for cell in row] for row in book["passages"].iter_rows()]
    book.close()
    assert rows[0][:2] == ["arrived at", "gate"]
    assert {row[4] for row in rows[1:]} == {"琼CD12345", "琼A12345D"}
    assert isinstance(rows[1][0], datetime)
    assert (await (await sign_in("guard")).get("/passages.xlsx")).status_code == 403
