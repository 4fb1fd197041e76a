"""The reports page: months with their gaps, exports, evidence of green power, issued papers, and the feed's tokens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, UploadFile
from fastapi.responses import Response

from cloud_sync.server import auth, rule_books
from cloud_sync.server.api.papers import base_url
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.carbon import feed, green_power, inventory
from cloud_sync.server.carbon.inventory import Month, month_of, span
from cloud_sync.server.console import report_chart, report_views, report_words
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, words_of
from cloud_sync.server.form_values import day, number
from cloud_sync.server.papers import holders, issued
from cloud_sync.server.papers.issued import Wanted
from cloud_sync.server.permits import documents
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Reader = auth.who_may(Can.READ_LEDGER)
Keeper = auth.who_may(Can.KEEP_LEDGER)
Text = Annotated[str, Form(max_length=500)]
PAPERS_SHOWN = 20
# Pages that ask for the certificate of what they show, and show it afterwards.
ASKED_AT = {"visit": "/ledger/visits", "application": "/applications"}


@router.get("/reports")
async def reports(request: Request, user: Reader, given: Given, year: str = "", cursor: str = "") -> Response:
    """A year by month, and what can be made of it."""
    return await _page(request, user, given, year=year, cursor=cursor[:40])


async def _page(
    request: Request, user: Any, given: Services, *, year: str = "", cursor: str = "", fresh_token: str = ""
) -> Response:
    words = words_of(request)
    today = given.clock().astimezone(given.config.zone).date()
    this = Month.of(today)
    async with asyncio.timeout(READ_TIMEOUT_S):
        first = await inventory.first_month(given.pool, given.config.zone) or this
        years = tuple(range(this.year, min(first.year, this.year) - 1, -1))
        chosen = int(year) if year.isdigit() and int(year) in years else this.year
        # Months before the island told anything are no gaps.
        wanted = span(max(Month(chosen, 1), min(first, this)), min(Month(chosen, 12), this))
        factors = await rule_books.factors(given.pool)
        months = await inventory.months(given.pool, wanted, zone=given.config.zone, factors=factors)
        evidence = await green_power.listed(given.pool)
        sinks = await green_power.sinks(given.pool)
        papers = await issued.listed(given, user, cursor=cursor, limit=PAPERS_SHOWN)
        tokens = await feed.tokens(given.pool) if user.may(Can.RUN_SYSTEM) else ()
        since, until = await feed.written_span(given, given.pool)
        told = await feed.completeness(given.pool, since, until) if since < until else {}
    return await desk_page(
        request,
        "reports.html",
        user=user,
        year=chosen,
        years=years,
        month_lines=report_views.lines(words, months, this),
        finding=report_views.finding(words, months, chosen),
        chart=report_chart.chart(months),
        box=(report_chart.WIDTH, report_chart.HEIGHT),
        first=str(wanted[0]),
        last=str(wanted[-1]),
        this=str(this),
        today=today,
        green_rows=[one for one in evidence if one.year == chosen],
        sinks=[one for one in sinks if one.year == chosen],
        papers=papers,
        tokens=tokens,
        feed_told=report_views.feed_lines(words, told),
        feed_since=since,
        fresh_token=fresh_token,
        view=report_views,
        kinds=report_words,
        words=words,
    )


@router.post("/reports/papers")
async def issue(
    request: Request,
    user: Keeper,
    given: Given,
    kind: Text = "",
    subject: Text = "",
    language: Text = "zh",
    at: Text = "",
    since: Text = "",
    until: Text = "",
) -> Response:
    """Makes a paper and shows it where it was asked for; of a statement of visits `subject` names the holder."""
    wanted = Wanted(kind=kind, subject=subject.strip()[:80], language=language)
    if kind == "visits":
        wanted = replace(
            wanted,
            subject=await holders.holder_of(given.pool, wanted.subject),
            since=day(since, "since"),
            until=day(until, "until"),
        )
    await issued.issue(given, user, wanted, base_url=base_url(request, given), remote=remote_of(request))
    href = f"{ASKED_AT[at]}/{quote(wanted.subject, safe='')}" if at in ASKED_AT else "/reports"
    return done(request, "paper_issued", href)


@router.get("/reports/papers/{paper_id}")
async def paper_file(paper_id: str, user: Reader, given: Given, request: Request) -> Response:
    """The PDF, in the browser."""
    number, content = await issued.file_of(given, user, paper_id, remote=remote_of(request))
    headers = {"Content-Disposition": f'inline; filename="{number}.pdf"', "Cache-Control": "no-store"}
    return Response(content, media_type="application/pdf", headers=headers)


@router.post("/reports/green-power")
async def add_green(
    request: Request,
    user: Keeper,
    given: Given,
    document: UploadFile,
    month: Text = "",
    kwh: Text = "",
    reference: Text = "",
) -> Response:
    """Adds green power of a month with its document."""
    most = await documents.bytes_max(given)
    content = await document.read(most + 1)
    if len(content) > most:
        raise Problem("too_large")
    async with documents.admitted(given, user):
        kept = await documents.take(given, user, content, remote=remote_of(request))
    await green_power.add(
        given,
        user,
        month=_month(month),
        kwh=number(kwh, "kwh"),
        reference=reference,
        sha256=kept.sha256,
        remote=remote_of(request),
    )
    return done(request, "green_power_added", f"/reports?year={month[:4]}")


@router.post("/reports/green-power/{green_id}/withdraw")
async def withdraw_green(request: Request, green_id: str, user: Keeper, given: Given, why: Text = "") -> Response:
    """Evidence counts no longer."""
    await green_power.withdraw(given, actor_of(user, request), green_id, why=why)
    return done(request, "evidence_withdrawn", "/reports")


@router.post("/reports/sinks")
async def add_sink(
    request: Request,
    user: Keeper,
    given: Given,
    month: Text = "",
    kg: Text = "",
    method: Text = "",
    source: Text = "",
) -> Response:
    """Adds what plants took up in a month."""
    await green_power.add_sink(
        given,
        user,
        month=_month(month),
        grams=int(number(kg, "kg") * 1000),
        method=method,
        source=source,
        remote=remote_of(request),
    )
    return done(request, "sink_added", f"/reports?year={month[:4]}")


@router.post("/reports/sinks/{sink_id}/withdraw")
async def withdraw_sink(request: Request, sink_id: str, user: Keeper, given: Given, why: Text = "") -> Response:
    """A sink counts no longer."""
    await green_power.withdraw_sink(given, actor_of(user, request), sink_id, why=why)
    return done(request, "evidence_withdrawn", "/reports")


@router.post("/reports/feed-tokens")
async def make_token(request: Request, user: auth.SystemRunner, given: Given, name: Text = "") -> Response:
    """A token for a platform, shown once."""
    _, token = await feed.make_token(given, actor_of(user, request), name)
    return await _page(request, user, given, fresh_token=token)


@router.post("/reports/feed-tokens/{token_id}/revoke")
async def revoke_token(request: Request, token_id: str, user: auth.SystemRunner, given: Given) -> Response:
    """The platform reads no more."""
    await feed.revoke_token(given, actor_of(user, request), token_id)
    return done(request, "feed_token_revoked", "/reports")


def _month(text: str) -> Month:
    try:
        return month_of(text.strip()[:7])
    except ValueError as error:
        raise Problem("invalid", detail="month") from error
