"""One person's points at the office: owns the page of their account and entries, and taking an entry back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from cloud_sync.server import auth, store
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console import points_views
from cloud_sync.server.console.points_desk import said
from cloud_sync.server.console.render import READ_TIMEOUT_S, done, page, words_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.points import desk, queries, reviews
from cloud_sync.server.points.records import EntryRecord
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.points.ledger import EntryKind

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=400)]
EntryId = Annotated[str, Query(min_length=1, max_length=200)]
Before = Annotated[int | None, Query(ge=1, le=2**31 - 1)]
PointReader = auth.who_may(Can.READ_POINTS)
PointKeeper = auth.who_may(Can.KEEP_POINTS)
_GIVEN = frozenset({EntryKind.EARN, EntryKind.ADJUST})


@dataclass(frozen=True, slots=True)
class EntryLine:
    """A row of the ledger. `state` is open where it can be taken back, taken_back, or empty."""

    entry_id: str
    at: datetime
    kind: str
    what: str
    points: int
    valid_until: datetime | None
    state: str


@router.get("/points/people/{person}")
async def person_page(
    request: Request, person: str, user: PointReader, given: Given, before: Before = None
) -> Response:
    """A person's account with its entries, the newest first. That it was opened leaves a row."""
    words = words_of(request)
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await desk.person(given, person)
        history = await queries.history(given.pool, person, before=before)
        back = await queries.taken_back(given.pool, person, [one.entry_id for one in history.entries])
    actor = actor_of(user, request)
    await store.note_access(given, actor, "points_opened", ("person", person))
    return page(
        request,
        "points_person.html",
        user=user,
        person=person,
        who=points_views.masked(found.name),
        opened_at=found.opened_at,
        me=found.me,
        entries=[_line(words, one, back) for one in history.entries],
        next_before=history.next_before,
        carbon=points_views.carbon,
    )


def _line(words: Words, one: EntryRecord, back: frozenset[str]) -> EntryLine:
    can_be = one.kind.code in _GIVEN and one.points > 0
    return EntryLine(
        entry_id=one.entry_id,
        at=one.at,
        kind=said(words, one.kind),
        what=said(words, one.event.scene) if one.event else one.reason,
        points=one.points,
        valid_until=one.valid_until,
        state="taken_back" if one.entry_id in back else "open" if can_be else "",
    )


@router.post("/points/people/{person}/take-back")
async def take_back(
    request: Request, person: str, user: PointKeeper, given: Given, entry_id: EntryId, why: Text = ""
) -> Response:
    """Takes an earning or an adjustment back by a further entry."""
    actor = actor_of(user, request)
    await reviews.reverse(given, actor, user, person, entry_id, why=why)
    return done(request, "points_reversed", f"/points/people/{person}")
