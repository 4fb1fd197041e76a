"""Passages for spreadsheets, as CSV and XLSX: owns their columns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime

from cloud_sync.server import queries
from cloud_sync.server.csv_sheets import BOM, CHUNK_ROWS, lines
from cloud_sync.server.papers import xlsx
from cloud_sync.server.problems import Problem
from cloud_sync.server.records import PassageFilter, PassageRecord
from cloud_sync.server.services import Services

WORKBOOK_ROWS_MAX = 50_000

# English and Chinese head, and the value.
_COLUMNS: tuple[tuple[str, str, Callable[[PassageRecord], object]], ...] = (
    ("arrived at", "到达时间", lambda p: p.arrived_at),
    ("gate", "闸口", lambda p: p.gate_id),
    ("lane", "车道", lambda p: p.lane_id),
    ("direction", "方向", lambda p: p.direction),
    ("plate", "车牌", lambda p: p.plate),
    ("plate as read", "原始识读", lambda p: p.raw_plate),
    ("plate kind", "号牌种类", lambda p: p.plate_kind),
    ("energy", "能源类别", lambda p: p.energy),
    ("vehicle", "车型", lambda p: p.vehicle_type),
    ("confidence", "置信度", lambda p: None if p.confidence is None else round(p.confidence, 4)),
    ("decision by rules", "规则决定", lambda p: p.outcome),
    ("final decision", "最终决定", lambda p: p.final_outcome),
    ("reasons", "理由", lambda p: " ".join(one.code for one in p.reasons)),
    ("rule version", "规则版本", lambda p: p.rule_version),
    ("decided by", "决定人", lambda p: p.guard_by),
    ("permit", "许可", lambda p: p.permit_id),
    ("passed", "通过", lambda p: p.movement),
    ("arrival id", "到达编号", lambda p: p.arrival_id),
)


async def csv_lines(given: Services, wanted: PassageFilter, *, lang: str) -> AsyncIterator[str]:
    """Head and rows in pieces; reads through a database cursor, so that memory stays small."""
    yield BOM + lines([[chinese if lang.startswith("zh") else english for english, chinese, _ in _COLUMNS]])
    async with given.pool.acquire(timeout=10.0) as connection, connection.transaction(readonly=True):
        piece: list[list[object]] = []
        async for record in queries.search_all(connection, wanted):
            piece.append([_shown(value(record), given) for _, _, value in _COLUMNS])
            if len(piece) == CHUNK_ROWS:
                yield lines(piece)
                piece = []
        yield lines(piece)


async def workbook(given: Services, wanted: PassageFilter, *, lang: str) -> bytes:
    """The same as XLSX, with real times and numbers. Raises Problem `range_too_long`: a workbook is made in memory."""
    at = 1 if lang.startswith("zh") else 0
    rows: list[list[xlsx.Cell]] = []
    async with given.pool.acquire(timeout=10.0) as connection, connection.transaction(readonly=True):
        async for record in queries.search_all(connection, wanted):
            rows.append([_cell(value(record)) for _, _, value in _COLUMNS])
            if len(rows) > WORKBOOK_ROWS_MAX:
                raise Problem("range_too_long", detail=f"more than {WORKBOOK_ROWS_MAX} rows: take CSV")
    table = xlsx.SheetTable(("passages", "通行记录")[at], tuple(column[at] for column in _COLUMNS), rows)
    return await asyncio.to_thread(xlsx.written, [table], zone=given.config.zone, made_at=given.clock())


def _cell(value: object) -> xlsx.Cell:
    return value if isinstance(value, (int, float, datetime)) or value is None else str(value)


def _shown(value: object, given: Services) -> object:
    if isinstance(value, datetime):
        return value.astimezone(given.config.zone).strftime("%Y-%m-%d %H:%M:%S")
    return value
