"""Visits: one's own, or everybody's for staff."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from cloud_sync.server import auth, store
from cloud_sync.server.api.address import API
from cloud_sync.server.api.moments import Moment
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.paging import CURSOR_CHARS_MAX
from cloud_sync.server.permits import access, visit_queries
from cloud_sync.server.permits.records import UnreadPassage, VisitPage, VisitRecord
from cloud_sync.server.permits.visit_queries import VisitFilter
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=API, tags=["visits"])
Given = Annotated[Services, Depends(services)]
Staff = auth.who_may(Can.READ_APPLICATIONS)


@router.get("/visits")
async def listed(
    user: auth.AnyPerson,
    given: Given,
    request: Request,
    plate: Annotated[str, Query(max_length=16)] = "",
    open_only: bool = False,
    from_at: Annotated[Moment | None, Query(alias="from")] = None,
    until_at: Annotated[Moment | None, Query(alias="until")] = None,
    application_id: Annotated[str, Query(max_length=64)] = "",
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARS_MAX)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> VisitPage:
    """Visits that match, the newest first."""
    staff = user.may(Can.READ_APPLICATIONS)
    if staff and plate and not cursor:
        actor = actor_of(user, request)
        await store.note_access(given, actor, "visits_searched", ("search", ""), what={"plate": plate})
    wanted = VisitFilter(
        owners=None if staff else access.owners_of(user),
        plate=plate,
        open_only=open_only,
        from_at=from_at,
        until_at=until_at,
        application_id=application_id,
    )
    return await visit_queries.listed(given.pool, wanted, cursor=cursor, limit=limit)


@router.get("/visits/unread")
async def unread(user: Staff, given: Given) -> tuple[UnreadPassage, ...]:
    """Vehicles that went through while nobody could read their plate: correct the passage to name them."""
    return await visit_queries.unread(given.pool)


@router.get("/visits/{visit_id}")
async def one(visit_id: str, user: auth.AnyPerson, given: Given, request: Request) -> VisitRecord:
    """One visit; that staff opened it is audited."""
    staff = user.may(Can.READ_APPLICATIONS)
    found = await visit_queries.one(given.pool, visit_id, owners=None if staff else access.owners_of(user))
    if found is None:
        raise Problem("not_found")
    if staff:
        actor, owner = actor_of(user, request), await visit_queries.owner_of(given.pool, visit_id)
        await store.note_access(given, actor, "visit_opened", ("visit", visit_id), what={"person_id": owner})
    return found
