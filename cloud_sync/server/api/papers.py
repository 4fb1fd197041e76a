"""Papers for programs: ask for one, have it as PDF, list them; anybody checks one by its code."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from cloud_sync.server import auth
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import remote_of
from cloud_sync.server.papers import issued
from cloud_sync.server.papers.issued import Checked, PaperPage, PaperRow, Wanted
from cloud_sync.server.people.limits import HOUR_S, limit
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=API, tags=["papers"])
Given = Annotated[Services, Depends(services)]
Kind = Literal["visits", "neutralisation", "event", "month", "year"]


class PaperBody(BaseModel):
    """Which paper. `subject` is a visit, an application, an event, a month (`2026-10`) or a year (`2026`).

    A statement of visits needs `since` and `until`; the office names whose in `subject`.
    """

    kind: Kind
    subject: str = Field(default="", max_length=80)
    since: date | None = None
    until: date | None = None
    language: Literal["zh", "en"] = "zh"


def base_url(request: Request, given: Services) -> str:
    """Where people outside reach this server: the first configured origin, else as it was asked."""
    origins = given.config.server.origins
    return origins[0] if origins else str(request.base_url)


@router.post("/papers", status_code=201)
async def issue(body: PaperBody, user: auth.AnyPerson, given: Given, request: Request) -> PaperRow:
    """Makes a paper of what the books say now: the office any, a person those of their own visits."""
    await limit(given, f"paper/{user.user_id}", given.config.limits.papers_per_hour, HOUR_S)
    wanted = Wanted(kind=body.kind, subject=body.subject, since=body.since, until=body.until, language=body.language)
    return await issued.issue(given, user, wanted, base_url=base_url(request, given), remote=remote_of(request))


@router.get("/papers")
async def papers(
    user: auth.AnyPerson,
    given: Given,
    kind: Kind | Literal[""] = "",
    subject: Annotated[str, Query(max_length=80)] = "",
    cursor: Annotated[str, Query(max_length=40)] = "",
    count: Annotated[int, Query(ge=1, le=issued.PAGE_MAX)] = 50,
) -> PaperPage:
    """Issued papers, the newest first: the office sees all, a person their own."""
    return await issued.listed(given, user, kind=kind, subject=subject, cursor=cursor, limit=count)


@router.get("/papers/{paper_id}/file", response_class=Response)
async def paper_file(paper_id: str, user: auth.AnyPerson, given: Given, request: Request) -> Response:
    """The PDF."""
    number, content = await issued.file_of(given, user, paper_id, remote=remote_of(request))
    headers = {"Content-Disposition": f'attachment; filename="{number}.pdf"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


@router.get("/public/papers/{code}")
async def checked(code: str, given: Given, request: Request) -> Checked:
    """What a paper says, with masked plates, whether it is genuine, and whether the books still say so."""
    wanted = given.config.reports
    await limit(given, f"verify/{remote_of(request)}", wanted.verify_requests_max, wanted.verify_window_s)
    return await issued.check(given, code)
