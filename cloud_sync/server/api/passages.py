"""Passages for programs: live, held, searched, one, and what people do to them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import AwareDatetime, BaseModel, Field

from cloud_sync.server import auth, csv_sheets, queries, store
from cloud_sync.server.api.address import API
from cloud_sync.server.api.passage_exports import csv_lines, workbook
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.paging import CURSOR_CHARS_MAX
from cloud_sync.server.papers.xlsx import MEDIA_TYPE
from cloud_sync.server.problems import Problem
from cloud_sync.server.records import (
    CommandRecord,
    GateStats,
    Hold,
    PassageDetail,
    PassageFilter,
    PassagePage,
    PassageRecord,
)
from cloud_sync.server.services import Services, services
from control.domain.passages import Outcome

router = APIRouter(prefix=API, tags=["passages"])
Given = Annotated[Services, Depends(services)]


class DecisionBody(BaseModel):
    """What to do with a held vehicle, and why."""

    outcome: Outcome
    reason_code: str = Field(max_length=64)
    note: str = Field(default="", max_length=500)
    permit_id: str | None = Field(default=None, max_length=64)
    corrected_plate: str | None = Field(default=None, max_length=16)


class CorrectionBody(BaseModel):
    """The plate as a person reads it."""

    plate: str = Field(max_length=16)
    note: str = Field(default="", max_length=500)


class RevisionBody(BaseModel):
    """What a past decision should have been, and why."""

    outcome: Outcome
    reason_code: str = Field(max_length=64)
    note: str = Field(default="", max_length=500)


async def passage_filter(
    plate: Annotated[str, Query(max_length=32, description="partial; ? one character, * any number")] = "",
    near: Annotated[bool, Query(description="allow two wrong characters")] = False,
    from_at: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until_at: Annotated[AwareDatetime | None, Query(alias="until")] = None,
    gate: Annotated[str, Query(max_length=64)] = "",
    lane: Annotated[str, Query(max_length=64)] = "",
    outcome: Annotated[list[Outcome] | None, Query()] = None,
    kind: Annotated[list[str] | None, Query()] = None,
    verdict: Annotated[list[str] | None, Query()] = None,
    manual: Annotated[bool, Query(description="only those that a person decided")] = False,
) -> PassageFilter:
    """FastAPI dependency: the search in the address."""
    return PassageFilter(
        plate=plate,
        near=near,
        from_at=from_at,
        until_at=until_at,
        gate_id=gate,
        lane_id=lane,
        outcomes=tuple(one.value for one in outcome or ()),
        kinds=tuple(kind or ()),
        verdicts=tuple(verdict or ()),
        manual=manual,
    )


Wanted = Annotated[PassageFilter, Depends(passage_filter)]


def filter_words(wanted: PassageFilter) -> dict[str, object]:
    """What was searched for, for the audit trail: only what was set."""
    empty = PassageFilter()
    found = {name: getattr(wanted, name) for name in PassageFilter.__dataclass_fields__}
    return {name: value for name, value in found.items() if value != getattr(empty, name)}


@router.get("/passages")
async def search(
    wanted: Wanted,
    user: auth.GateViewer,
    given: Given,
    request: Request,
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARS_MAX)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> PassagePage:
    """Arrivals that match, newest first."""
    words = filter_words(wanted)
    if words and not cursor:
        actor = actor_of(user, request)
        await store.note_access(given, actor, "passages_searched", ("search", ""), what=words)
    return await queries.search(given.pool, wanted, cursor=cursor, limit=limit)


@router.get("/passages.csv", response_class=StreamingResponse)
async def export(
    wanted: Wanted, user: auth.Exporter, given: Given, request: Request, lang: str = "zh"
) -> StreamingResponse:
    """All matches as CSV (UTF-8 with BOM), newest first."""
    actor = actor_of(user, request)
    await store.note_access(given, actor, "passages_exported", ("export", ""), what=filter_words(wanted))
    return csv_sheets.streamed(csv_lines(given, wanted, lang=lang), "passages.csv")


@router.get("/passages.xlsx", response_class=Response)
async def export_workbook(
    wanted: Wanted, user: auth.Exporter, given: Given, request: Request, lang: str = "zh"
) -> Response:
    """All matches as XLSX, newest first; more rows than a workbook takes are refused."""
    actor = actor_of(user, request)
    await store.note_access(given, actor, "passages_exported", ("export", ""), what=filter_words(wanted))
    content = await workbook(given, wanted, lang=lang)
    headers = {"Content-Disposition": 'attachment; filename="passages.xlsx"', "Cache-Control": "no-store"}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


@router.get("/passages/recent")
async def recent(
    user: auth.GateViewer,
    given: Given,
    lane: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> tuple[PassageRecord, ...]:
    """The newest arrivals."""
    return await queries.passages_recent(given.pool, lane_id=lane, limit=limit)


@router.get("/holds")
async def holds(user: auth.GateViewer, given: Given) -> tuple[Hold, ...]:
    """Vehicles that wait for a person, the longest wait first."""
    return await queries.holds(given.pool, now=given.clock())


@router.get("/stats")
async def stats(user: auth.GateViewer, given: Given) -> GateStats:
    """The last 60 minutes and today."""
    return await queries.gate_stats(given.pool, now=given.clock(), today_from=given.today_from())


@router.get("/passages/{arrival_id}")
async def detail(arrival_id: str, user: auth.GateViewer, given: Given, request: Request) -> PassageDetail:
    """Everything about one arrival; that it was opened is audited."""
    return await opened_detail(given, user, arrival_id, remote=remote_of(request))


async def opened_detail(given: Services, user: auth.CurrentUser, arrival_id: str, *, remote: str) -> PassageDetail:
    """Shared with the pages: reads it and leaves the audit row. Raises Problem `not_found`."""
    found = await queries.passage_detail(given.pool, arrival_id, now=given.clock())
    if found is None:
        raise Problem("not_found")
    await store.note_access(given, store.Actor.of(user, remote), "passage_opened", ("passage", arrival_id))
    return found


@router.post("/passages/{arrival_id}/decision", status_code=202)
async def decide(
    arrival_id: str, body: DecisionBody, user: auth.GateDecider, given: Given, request: Request
) -> CommandRecord:
    """Orders the gateway to admit or refuse. It is decided when the gateway says so: watch the stream."""
    return await store.decide_hold(
        given,
        actor_of(user, request),
        arrival_id,
        outcome=body.outcome,
        reason_code=body.reason_code,
        note=body.note,
        permit_id=body.permit_id,
        corrected_plate=body.corrected_plate,
    )


@router.post("/passages/{arrival_id}/correction", status_code=204)
async def correct(
    arrival_id: str, body: CorrectionBody, user: auth.GateDecider, given: Given, request: Request
) -> None:
    """A person reads the plate otherwise; the raw reading stays."""
    actor = actor_of(user, request)
    await store.correct_plate(given, actor, arrival_id, body.plate, note=body.note)


@router.post("/passages/{arrival_id}/revision", status_code=204)
async def revise(arrival_id: str, body: RevisionBody, user: auth.GateDecider, given: Given, request: Request) -> None:
    """Says what a past decision should have been; nothing at the barrier changes."""
    actor = actor_of(user, request)
    await store.revise(given, actor, arrival_id, outcome=body.outcome, reason_code=body.reason_code, note=body.note)


@router.get("/commands/{command_id}")
async def command(command_id: str, user: auth.GateViewer, given: Given) -> CommandRecord:
    """An order and what became of it."""
    found = await queries.command(given.pool, command_id)
    if found is None:
        raise Problem("not_found")
    return found
