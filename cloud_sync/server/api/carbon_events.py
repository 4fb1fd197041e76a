"""Events that want to be neutral, for programs: account, lines, footprint, closing, and their retirement."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from cloud_sync.server import auth
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.carbon import events
from cloud_sync.server.carbon.events import EventRecord, EventRow, NewEvent
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.carbon.factor_keys import EventSource

router = APIRouter(prefix=f"{API}/events", tags=["events"])
Given = Annotated[Services, Depends(services)]
Reader = auth.who_may(Can.READ_LEDGER)
Keeper = auth.who_may(Can.KEEP_LEDGER)
Amount = Annotated[Decimal, Field(gt=0, le=events.AMOUNT_MAX, max_digits=14, decimal_places=3)]


class EventBody(BaseModel):
    """An account to open."""

    name: str = Field(min_length=1, max_length=events.NAME_MAX)
    name_en: str = Field(default="", max_length=events.NAME_MAX)
    organiser: str = Field(min_length=1, max_length=events.NAME_MAX)
    starts_on: date
    ends_on: date
    people: int = Field(gt=0, lt=1_000_000)


class LineBody(BaseModel):
    """A line: passenger-kilometres of a means of travel, nights, meals or kWh."""

    source: EventSource
    amount: Amount
    measured: bool = False
    note: str = Field(default="", max_length=events.NOTE_MAX)


class Why(BaseModel):
    """Why."""

    reason: str = Field(max_length=500)


class Made(BaseModel):
    """The id of what was made."""

    id: str


class Closed(BaseModel):
    """What the event owes from now on, whole grams CO2e."""

    grams: int


class EventPage(BaseModel):
    """Events, the newest first; `next_cursor` is null at the end."""

    items: tuple[EventRow, ...]
    next_cursor: str | None


@router.get("")
async def listed(
    user: Reader,
    given: Given,
    cursor: Annotated[str, Query(max_length=60)] = "",
    count: Annotated[int, Query(ge=1, le=events.PAGE_MAX)] = 50,
) -> EventPage:
    """Events, the newest first."""
    items, after = await events.listed(given.pool, cursor=cursor, limit=count)
    return EventPage(items=items, next_cursor=after)


@router.post("", status_code=201)
async def create(body: EventBody, user: Keeper, given: Given, request: Request) -> Made:
    """Opens an account."""
    made = await events.create(given, actor_of(user, request), NewEvent(**body.model_dump()))
    return Made(id=made)


@router.get("/{event_id}")
async def record(event_id: str, user: Reader, given: Given) -> EventRecord:
    """One event with lines, footprint, and how far it is covered."""
    return await events.record(given.pool, event_id)


@router.post("/{event_id}/lines", status_code=201)
async def add_line(event_id: str, body: LineBody, user: Keeper, given: Given, request: Request) -> Made:
    """Adds a line to an open account."""
    line = await events.add_line(given, actor_of(user, request), event_id, **body.model_dump())
    return Made(id=line)


@router.delete("/{event_id}/lines/{line_id}", status_code=204)
async def remove_line(event_id: str, line_id: str, user: Keeper, given: Given, request: Request) -> None:
    """A line counts no longer."""
    await events.remove_line(given, actor_of(user, request), event_id, line_id)


@router.post("/{event_id}/close")
async def close(event_id: str, user: Keeper, given: Given, request: Request) -> Closed:
    """Posts the footprint to the book."""
    return Closed(grams=await events.close(given, actor_of(user, request), event_id))


@router.post("/{event_id}/reopen", status_code=204)
async def reopen(event_id: str, body: Why, user: Keeper, given: Given, request: Request) -> None:
    """Takes the closing back."""
    await events.reopen(given, actor_of(user, request), event_id, why=body.reason)


@router.post("/{event_id}/retirement", status_code=201)
async def propose(event_id: str, user: Keeper, given: Given, request: Request) -> Made:
    """Promises the tonnes that cover the event; another person confirms on the ledger."""
    return Made(id=await events.propose(given, actor_of(user, request), event_id))
