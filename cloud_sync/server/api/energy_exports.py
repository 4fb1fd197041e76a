"""The microgrid's tables for spreadsheets: owns alarms and charging sessions as CSV (UTF-8 with BOM)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import AwareDatetime

from cloud_sync.server import auth, queries_energy
from cloud_sync.server.api.csv_export import BOM, safe_cell
from cloud_sync.server.api.energy import Given, Grid
from cloud_sync.server.api.session import remote_of
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, note_access

router = APIRouter(prefix="/energy", tags=["energy"])
ROWS_MAX = 100_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALARM_COLUMNS = (
    *("raised_at", "cleared_at", "after_s", "code", "severity", "device", "lost_kwh", "suggestion", "evidence"),
)
SESSION_COLUMNS = (
    *("session_id", "charger", "started_at", "ended_at", "energy_kwh", "fed_back_kwh", "soc_frac", "depart_at"),
)


@router.get("/{gateway_id}/alarms.csv", response_class=Response)
async def alarms(gateway: Grid, user: auth.EnergyViewer, given: Given, request: Request) -> Response:
    """Every alarm, open ones first."""
    what = {"table": "alarms"}
    await note_access(given, Actor.of(user, remote_of(request)), "energy_exported", ("microgrid", gateway), what=what)
    found = await queries_energy.energy_alarms(given.pool, gateway, limit=ROWS_MAX)
    return _sheet(given, "alarms.csv", ALARM_COLUMNS, found)


@router.get("/{gateway_id}/sessions.csv", response_class=Response)
async def sessions(
    gateway: Grid, user: auth.EnergyViewer, given: Given, request: Request, since: AwareDatetime = EPOCH
) -> Response:
    """Charging sessions that are open or began after `since`, all of them without it."""
    what = {"table": "sessions", "from": since}
    await note_access(given, Actor.of(user, remote_of(request)), "energy_exported", ("microgrid", gateway), what=what)
    found = await queries_energy.charging_sessions(given.pool, gateway, since=since, limit=ROWS_MAX)
    return _sheet(given, "sessions.csv", SESSION_COLUMNS, found)


def _sheet(given: Services, name: str, columns: Sequence[str], rows: Iterable[Any]) -> Response:
    target = io.StringIO()
    sheet = csv.writer(target)
    sheet.writerow(columns)
    sheet.writerows([_cell(getattr(row, column), given) for column in columns] for row in rows)
    return Response(
        BOM + target.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


def _cell(value: object, given: Services) -> object:
    match value:
        case datetime():
            return value.astimezone(given.config.zone).isoformat(timespec="seconds")
        case float() | int():
            return round(value, 5)
        case dict():
            return safe_cell(json.dumps(value, ensure_ascii=False))
        case _:
            return safe_cell(value)
