"""The microgrid's tables for spreadsheets: owns telemetry, alarms and charging sessions as CSV (UTF-8 with BOM)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import AwareDatetime

from cloud_sync.server import auth, csv_sheets, queries_energy
from cloud_sync.server.api.address import API
from cloud_sync.server.api.energy import Given, Grid, check_range
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.store import note_access

router = APIRouter(prefix=f"{API}/energy", tags=["energy"])
ROWS_MAX = 100_000
HISTORY_ROWS_MAX = 500_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALARM_COLUMNS = (
    *("raised_at", "cleared_at", "after_s", "code", "severity", "device", "lost_kwh", "suggestion", "evidence"),
)
SESSION_COLUMNS = (
    *("session_id", "charger", "started_at", "ended_at", "energy_kwh", "fed_back_kwh", "soc_frac", "depart_at"),
)


@router.get("/{gateway_id}/history.csv", response_class=StreamingResponse)
async def history(
    gateway: Grid,
    user: auth.EnergyViewer,
    given: Given,
    request: Request,
    since: AwareDatetime,
    until: AwareDatetime,
    period_s: Annotated[int, Query(description="1, 10, 60 or 900")] = 60,
) -> StreamingResponse:
    """Stored rows of one period."""
    if period_s not in queries_energy.SOURCE_PERIODS:
        raise Problem("invalid", detail="period_s is 1, 10, 60 or 900")
    check_range(since, until, period_s, HISTORY_ROWS_MAX)
    what = {"from": since, "until": until, "period_s": period_s}
    await note_access(given, actor_of(user, request), "energy_exported", ("microgrid", gateway), what=what)
    return csv_sheets.streamed(_history_lines(given, gateway, since, until, period_s), "telemetry.csv")


async def _history_lines(
    given: Services, gateway: str, since: datetime, until: datetime, period_s: int
) -> AsyncIterator[str]:
    async with given.pool.acquire(timeout=10.0) as connection, connection.transaction(readonly=True):
        cursor = await queries_energy.history_rows(connection, gateway, since=since, until=until, period_s=period_s)
        rows = await cursor.fetch(csv_sheets.CHUNK_ROWS)
        yield csv_sheets.BOM + csv_sheets.lines([queries_energy.HISTORY_COLUMNS])
        while rows:
            yield csv_sheets.lines([_cell(value, given) for value in row.values()] for row in rows)
            rows = await cursor.fetch(csv_sheets.CHUNK_ROWS)


@router.get("/{gateway_id}/alarms.csv", response_class=Response)
async def alarms(gateway: Grid, user: auth.EnergyViewer, given: Given, request: Request) -> Response:
    """Every alarm, open ones first."""
    what = {"table": "alarms"}
    await note_access(given, actor_of(user, request), "energy_exported", ("microgrid", gateway), what=what)
    found = await queries_energy.energy_alarms(given.pool, gateway, limit=ROWS_MAX)
    return _sheet(given, "alarms.csv", ALARM_COLUMNS, found)


@router.get("/{gateway_id}/sessions.csv", response_class=Response)
async def sessions(
    gateway: Grid, user: auth.EnergyViewer, given: Given, request: Request, since: AwareDatetime = EPOCH
) -> Response:
    """Charging sessions that are open or began after `since`, all of them without it."""
    what = {"table": "sessions", "from": since}
    await note_access(given, actor_of(user, request), "energy_exported", ("microgrid", gateway), what=what)
    found = await queries_energy.charging_sessions(given.pool, gateway, since=since, limit=ROWS_MAX)
    return _sheet(given, "sessions.csv", SESSION_COLUMNS, found)


def _sheet(given: Services, name: str, columns: Sequence[str], rows: Iterable[Any]) -> Response:
    cells = ([_cell(getattr(row, column), given) for column in columns] for row in rows)
    return csv_sheets.answer([columns, *cells], name)


def _cell(value: object, given: Services) -> object:
    match value:
        case datetime():
            return value.astimezone(given.config.zone).isoformat(timespec="seconds")
        case float():
            return round(value, 5)
        case dict():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return value
