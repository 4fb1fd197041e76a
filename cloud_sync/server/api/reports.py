"""Inventories for programs: months, exports, evidence of green power, sinks; and the feed for another platform."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, Field

from cloud_sync.server import auth, csv_sheets, rule_books
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.carbon import feed, green_power, inventory
from cloud_sync.server.carbon.feed import FeedPage, KindTold, TokenRow
from cloud_sync.server.carbon.green_power import GreenRow, SinkRow
from cloud_sync.server.carbon.inventory import as_told, month_of, span
from cloud_sync.server.papers import issued, xlsx
from cloud_sync.server.papers.inventory_book import csv_rows, sheets
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.carbon.inventory import MonthInventory

router = APIRouter(prefix=API, tags=["reports"])
COMPLETENESS_MAX = timedelta(days=400)
Given = Annotated[Services, Depends(services)]
Reader = auth.who_may(Can.READ_LEDGER)
Keeper = auth.who_may(Can.KEEP_LEDGER)
Platform = Annotated[str, Depends(feed.platform)]
MonthText = Annotated[str, Query(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="2026-10")]
MonthField = Annotated[str, Field(pattern=r"^20\d\d-(0[1-9]|1[0-2])$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class GreenBody(BaseModel):
    """Certified green power of a month; the document was sent to `/documents` before."""

    month: MonthField
    kwh: Decimal = Field(gt=0, le=green_power.KWH_MAX, max_digits=13, decimal_places=3)
    reference: str = Field(min_length=1, max_length=green_power.TEXT_MAX)
    document_sha256: Sha256


class SinkBody(BaseModel):
    """What plants took up in a month, whole grams CO2e, by a method with its source."""

    month: MonthField
    grams: int = Field(gt=0, le=green_power.GRAMS_MAX)
    method: str = Field(min_length=1, max_length=green_power.TEXT_MAX)
    source: str = Field(min_length=1, max_length=green_power.TEXT_MAX)


class Why(BaseModel):
    """Why."""

    reason: str = Field(max_length=500)


class Made(BaseModel):
    """The id of what was made."""

    id: str


class TokenBody(BaseModel):
    """Which platform."""

    name: str = Field(min_length=1, max_length=feed.NAME_MAX)


class NewToken(Made):
    """The token is shown this once."""

    token: str


class Completeness(BaseModel):
    """By kind: hours written and hours silent, of the hours asked, and the known part of them."""

    since: datetime
    until: datetime
    kinds: dict[str, KindTold]


async def months_of(given: Services, first: str, last: str) -> tuple[MonthInventory, ...]:
    """The inventories from one month to another. Raises Problem."""
    start, end = month_of(first), month_of(last)
    wanted = span(start, end)
    if not wanted or len(wanted) > inventory.MONTHS_MAX:
        raise Problem("range_too_long" if wanted else "invalid", detail="first, last")
    factors = await rule_books.factors(given.pool)
    return await inventory.months(given.pool, wanted, zone=given.config.zone, factors=factors)


# ---------------------------------------------------------------- months


@router.get("/reports/months")
async def months(user: Reader, given: Given, first: MonthText, last: MonthText) -> list[dict[str, Any]]:
    """Inventories by month: grams as integers, kWh and parts as text; what is not known is null."""
    return [as_told(one) for one in await months_of(given, first, last)]


@router.get("/reports/months.{form}", response_class=Response)
async def months_file(
    form: Literal["csv", "xlsx"],
    user: Reader,
    given: Given,
    first: MonthText,
    last: MonthText,
    lang: Literal["zh", "en"] = "zh",
) -> Response:
    """The same as CSV (UTF-8 with BOM) or XLSX with sheets of factors and completeness."""
    found = await months_of(given, first, last)
    factors = await rule_books.factors(given.pool)
    name = f"inventory_{first}_{last}.{form}"
    if form == "csv":
        return csv_sheets.answer(csv_rows(found, lang), name)
    evidence = await green_power.listed(given.pool)
    made = sheets(found, factors, evidence, lang)
    content = await asyncio.to_thread(xlsx.written, made, zone=given.config.zone, made_at=given.clock())
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=xlsx.MEDIA_TYPE, headers=headers)


# ---------------------------------------------------------------- evidence


@router.get("/reports/green-power")
async def green(user: Reader, given: Given) -> tuple[GreenRow, ...]:
    """Evidence of green power in force."""
    return await green_power.listed(given.pool)


@router.post("/reports/green-power", status_code=201)
async def add_green(body: GreenBody, user: Keeper, given: Given, request: Request) -> Made:
    """Adds green power of a month with its document."""
    made = await green_power.add(
        given,
        user,
        month=month_of(body.month),
        kwh=body.kwh,
        reference=body.reference,
        sha256=body.document_sha256,
        remote=remote_of(request),
    )
    return Made(id=made)


@router.post("/reports/green-power/{green_id}/withdraw", status_code=204)
async def withdraw_green(green_id: str, body: Why, user: Keeper, given: Given, request: Request) -> None:
    """Evidence counts no longer."""
    await green_power.withdraw(given, actor_of(user, request), green_id, why=body.reason)


@router.get("/reports/sinks")
async def sinks(user: Reader, given: Given) -> tuple[SinkRow, ...]:
    """Sinks in force."""
    return await green_power.sinks(given.pool)


@router.post("/reports/sinks", status_code=201)
async def add_sink(body: SinkBody, user: Keeper, given: Given, request: Request) -> Made:
    """Adds what plants took up in a month."""
    values = body.model_dump(exclude={"month"})
    made = await green_power.add_sink(given, user, month=month_of(body.month), remote=remote_of(request), **values)
    return Made(id=made)


@router.post("/reports/sinks/{sink_id}/withdraw", status_code=204)
async def withdraw_sink(sink_id: str, body: Why, user: Keeper, given: Given, request: Request) -> None:
    """A sink counts no longer."""
    await green_power.withdraw_sink(given, actor_of(user, request), sink_id, why=body.reason)


# ---------------------------------------------------------------- the feed


@router.get("/feed/rows")
async def feed_rows(
    platform: Platform,
    given: Given,
    cursor: Annotated[int, Query(ge=0, le=2**62)] = 0,
    count: Annotated[int, Query(ge=1, le=feed.ROWS_MAX)] = 500,
    kind: Annotated[list[Literal["passages", "energy", "charging", "visits", "shuttle"]] | None, Query()] = None,
) -> FeedPage:
    """Rows after a cursor, in order; ask again with the returned `cursor`. Bearer token of a platform."""
    return await feed.page_after(given.pool, cursor, limit=count, kinds=kind or ())


@router.get("/feed/completeness")
async def feed_completeness(
    platform: Platform, given: Given, since: AwareDatetime, until: AwareDatetime
) -> Completeness:
    """Of how many hours something is known, by kind."""
    if not timedelta(0) < until - since <= COMPLETENESS_MAX or since.year < issued.FIRST_YEAR:
        raise Problem("range_too_long")
    told = await feed.completeness(given.pool, since, until)
    return Completeness(since=since.astimezone(UTC), until=until.astimezone(UTC), kinds=told)


@router.get("/feed/tokens")
async def feed_tokens(user: auth.SystemRunner, given: Given) -> tuple[TokenRow, ...]:
    """Platforms that may read the feed."""
    return await feed.tokens(given.pool)


@router.post("/feed/tokens", status_code=201)
async def make_feed_token(body: TokenBody, user: auth.SystemRunner, given: Given, request: Request) -> NewToken:
    """A token for a platform, shown once."""
    token_id, token = await feed.make_token(given, actor_of(user, request), body.name)
    return NewToken(id=token_id, token=token)


@router.delete("/feed/tokens/{token_id}", status_code=204)
async def revoke_feed_token(token_id: str, user: auth.SystemRunner, given: Given, request: Request) -> None:
    """The platform reads no more."""
    await feed.revoke_token(given, actor_of(user, request), token_id)
