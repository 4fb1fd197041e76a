"""Events that want to be neutral: their list, one account with its lines, and the way to the certificate."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth
from cloud_sync.server.api.papers import base_url
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.carbon import events
from cloud_sync.server.carbon.events import NewEvent
from cloud_sync.server.console import event_views
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, words_of
from cloud_sync.server.form_values import day, number
from cloud_sync.server.papers import issued
from cloud_sync.server.papers.issued import Wanted
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.carbon.factor_keys import EVENT_UNIT, EventSource

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Reader = auth.who_may(Can.READ_LEDGER)
Keeper = auth.who_may(Can.KEEP_LEDGER)
Text = Annotated[str, Form(max_length=500)]


@router.get("/events")
async def listed(request: Request, user: Reader, given: Given, cursor: str = "") -> Response:
    """All events, the newest first."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        rows, after = await events.listed(given.pool, cursor=cursor[:60])
    return await desk_page(
        request,
        "events.html",
        user=user,
        rows=rows,
        next_cursor=after,
        view=event_views,
        today=given.clock().astimezone(given.config.zone).date(),
    )


@router.post("/events")
async def create(
    request: Request,
    user: Keeper,
    given: Given,
    name: Text = "",
    name_en: Text = "",
    organiser: Text = "",
    starts_on: Text = "",
    ends_on: Text = "",
    people: Text = "",
) -> Response:
    """Opens an account."""
    wanted = NewEvent(
        name=name,
        name_en=name_en,
        organiser=organiser,
        starts_on=day(starts_on, "starts_on"),
        ends_on=day(ends_on, "ends_on"),
        people=int(people) if people.isdecimal() and len(people) < 8 else 0,
    )
    event_id = await events.create(given, actor_of(user, request), wanted)
    return done(request, "event_opened", f"/events/{event_id}")


@router.get("/events/{event_id}")
async def one(request: Request, event_id: str, user: Reader, given: Given) -> Response:
    """One account."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await events.record(given.pool, event_id)
        papers = await issued.listed(given, user, kind="event", subject=event_id)
    return await desk_page(
        request,
        "event.html",
        user=user,
        section="/events",
        found=found,
        papers=papers.items,
        view=event_views,
        words=words_of(request),
        sources=[(source.value, EVENT_UNIT[source]) for source in EventSource],
    )


@router.post("/events/{event_id}/lines")
async def add_line(
    request: Request,
    event_id: str,
    user: Keeper,
    given: Given,
    source: Text = "",
    amount: Text = "",
    note: Text = "",
    measured: Text = "",
) -> Response:
    """Adds a line."""
    try:
        kind = EventSource(source)
    except ValueError as error:
        raise Problem("invalid", detail="source") from error
    value, actor = number(amount, "amount"), actor_of(user, request)
    await events.add_line(given, actor, event_id, source=kind, amount=value, measured=measured == "yes", note=note)
    return done(request, "saved", f"/events/{event_id}")


@router.post("/events/{event_id}/lines/{line_id}/remove")
async def remove_line(request: Request, event_id: str, line_id: str, user: Keeper, given: Given) -> Response:
    """A line counts no longer."""
    await events.remove_line(given, actor_of(user, request), event_id, line_id)
    return done(request, "saved", f"/events/{event_id}")


@router.post("/events/{event_id}/close")
async def close(request: Request, event_id: str, user: Keeper, given: Given) -> Response:
    """Posts the footprint to the book."""
    await events.close(given, actor_of(user, request), event_id)
    return done(request, "event_closed", f"/events/{event_id}")


@router.post("/events/{event_id}/reopen")
async def reopen(request: Request, event_id: str, user: Keeper, given: Given, why: Text = "") -> Response:
    """Takes the closing back."""
    await events.reopen(given, actor_of(user, request), event_id, why=why)
    return done(request, "event_reopened", f"/events/{event_id}")


@router.post("/events/{event_id}/retirement")
async def propose(request: Request, event_id: str, user: Keeper, given: Given) -> Response:
    """Promises the tonnes that cover the event."""
    await events.propose(given, actor_of(user, request), event_id)
    return done(request, "retirement_proposed", f"/events/{event_id}")


@router.post("/events/{event_id}/certificate")
async def certificate(request: Request, event_id: str, user: Keeper, given: Given, language: Text = "zh") -> Response:
    """Issues the certificate."""
    wanted = Wanted(kind="event", subject=event_id, language=language)
    await issued.issue(given, user, wanted, base_url=base_url(request, given), remote=remote_of(request))
    return done(request, "paper_issued", f"/events/{event_id}")
