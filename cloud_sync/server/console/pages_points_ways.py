"""The ways between places: owns the page of their dated rows, and beginning a new one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console.render import READ_TIMEOUT_S, done, page
from cloud_sync.server.form_values import day, whole
from cloud_sync.server.points import devices, ways
from cloud_sync.server.points.desk_records import WayRecord
from cloud_sync.server.points.parts import day_of
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=400)]
PointReader = auth.who_may(Can.READ_POINTS)
PointKeeper = auth.who_may(Can.KEEP_POINTS)


@dataclass(frozen=True, slots=True)
class WayLines:
    """Two places with the row of today (None before its first day), and all rows, the newest first."""

    from_place: str
    to_place: str
    now: WayRecord | None
    rows: tuple[WayRecord, ...]


def lines(rows: tuple[WayRecord, ...], today: date) -> list[WayLines]:
    """The rows by their places."""
    found = []
    for places, of_places in groupby(rows, key=lambda row: (row.from_place, row.to_place)):
        dated = tuple(of_places)
        found.append(WayLines(*places, next((row for row in dated if row.holds(today)), None), dated))
    return found


@router.get("/points/ways")
async def ways_page(request: Request, user: PointReader, given: Given) -> Response:
    """Every way with its days, and the places that devices stand at."""
    today = day_of(given, given.clock())
    async with asyncio.timeout(READ_TIMEOUT_S):
        rows = await ways.ways(given.pool)
        boards = await devices.devices(given)
    places = {one.place for one in boards} | {place for row in rows for place in (row.from_place, row.to_place)}
    return page(
        request,
        "points_ways.html",
        user=user,
        ways=lines(rows, today),
        places=sorted(places),
        today=today,
        tomorrow=today + timedelta(days=1),
    )


@router.post("/points/ways")
async def set_way(
    request: Request,
    user: PointKeeper,
    given: Given,
    from_place: Text,
    to_place: Text,
    metres: Text,
    valid_from: Text,
    source: Text,
    reason: Text,
) -> Response:
    """A new row; the one before it ends there."""
    wish = ways.WayWish(
        from_place=from_place,
        to_place=to_place,
        metres=whole(metres, "metres"),
        valid_from=day(valid_from, "valid_from"),
        source=source,
        reason=reason,
    )
    await ways.set_way(given, actor_of(user, request), wish)
    return done(request, "way_set", "/points/ways")
