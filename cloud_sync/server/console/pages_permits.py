"""Permits in force, passes and visits: what became of applications, as pages."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from markupsafe import Markup

from cloud_sync.server import auth, queries, store
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.console import permits_views, permits_visits
from cloud_sync.server.console.permits_labels import gate_name
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, words_of
from cloud_sync.server.permits import applications, desk, passes, visit_queries
from cloud_sync.server.permits import queries as permit_queries
from cloud_sync.server.permits.visit_queries import VisitFilter
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Reader = auth.who_may(Can.READ_APPLICATIONS)
Reviewer = auth.who_may(Can.REVIEW)
Text = Annotated[str, Form(max_length=500)]
VISIT_ROWS = 50
_FROM_APPLICATION = re.compile(r"XK-\d{4}-\d{6}")


def from_application(permit_id: str) -> bool:
    """Whether a permit came from an application; older ones were given directly and have none."""
    return _FROM_APPLICATION.fullmatch(permit_id) is not None


@router.get("/permits")
async def permits(
    request: Request, user: auth.GateViewer, given: Given, plate: str = "", show: str = "active"
) -> Response:
    """Permits, those in force first or all."""
    now = given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await queries.permits(given.pool, now=now, plate=plate[:16], active_only=show != "all")
    return await desk_page(
        request,
        "permits.html",
        user=user,
        permits=found,
        filed={one.permit_id for one in found if from_application(one.permit_id)},
        plate=plate,
        gate_name=partial(gate_name, words_of(request)),
        show="all" if show == "all" else "active",
    )


@router.post("/permits/{permit_id}/revoke")
async def revoke_permit(request: Request, permit_id: str, user: Reviewer, given: Given, why: Text = "") -> Response:
    """Ends a permit now."""
    await applications.revoke_permit(given, user, permit_id, why=why, remote=remote_of(request))
    return done(request, "permit_revoked", "/permits")


# ---------------------------------------------------------------- the pass


@router.get("/applications/{application_id}/pass")
async def permit_pass(request: Request, application_id: str, user: Reader, given: Given) -> Response:
    """The pass of a permit, to show or to print."""
    words = words_of(request)
    async with asyncio.timeout(READ_TIMEOUT_S):
        shown = await passes.issued(given, application_id)
        record = await permit_queries.application(given.pool, application_id, now=given.clock(), zone=given.config.zone)
    return await desk_page(
        request,
        "permit_pass.html",
        user=user,
        shown=shown,
        gates=permits_views.joined(words, [gate_name(words, one) for one in shown.gates]),
        chip=permits_views.plate_chip(words, shown.plate, record.form.plate_colour if record else "", "pl"),
        svg=Markup(shown.svg),
    )


# ---------------------------------------------------------------- visits


@router.get("/visits")
async def visits(
    request: Request, user: Reader, given: Given, plate: str = "", show: str = "", cursor: str | None = None
) -> Response:
    """Who came and went, with what it emitted; and passages whose plate somebody has to name."""
    words, text = words_of(request), plate[:16]
    tab = show if show in ("inside", "unread") else ""
    if text and not cursor:
        actor = actor_of(user, request)
        await store.note_access(given, actor, "visits_searched", ("search", ""), what={"plate": text})
    async with asyncio.timeout(READ_TIMEOUT_S):
        unread = await visit_queries.unread(given.pool)
        wanted = VisitFilter(plate=text, open_only=tab == "inside")
        found = await visit_queries.listed(given.pool, wanted, cursor=cursor, limit=VISIT_ROWS)
        beside = await desk.beside_visits(given.pool, [one.visit_id for one in found.items])
    return await desk_page(
        request,
        "visits.html",
        user=user,
        show=tab,
        plate=text,
        tabs=[
            ("", words.gettext("All"), None),
            ("inside", words.gettext("Inside now"), None),
            ("unread", words.gettext("Plates to name"), len(unread)),
        ],
        unread=unread,
        rows=[permits_visits.visit_line(words, one, beside[one.visit_id]) for one in found.items],
        cursor=cursor,
        next_cursor=found.next_cursor,
    )
