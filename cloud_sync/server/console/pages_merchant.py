"""The counter of a merchant: owns its page, the shell that stands without a network, and what it did today."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, JSONResponse, Response

from cloud_sync.server import auth
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.pages_vouchers import csv_of, month_of, organisation_name, statement_of
from cloud_sync.server.console.points_views import scene_word, yuan
from cloud_sync.server.console.render import READ_TIMEOUT_S, STATIC_DIR, page, words_of
from cloud_sync.server.console.till_words import spoken
from cloud_sync.server.console.words import Words
from cloud_sync.server.people import members
from cloud_sync.server.points import catalogue, confirmations, desk_figures
from cloud_sync.server.points.desk_figures import CounterLine
from cloud_sync.server.points.market_records import MerchantMethod
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Server = auth.who_may(Can.SERVE_AT_MERCHANT)
TABS = (
    ("redeem", "gift", N_("Redeem")),
    ("act", "leaf", N_("Green act")),
    ("voucher", "ticket", N_("Vouchers")),
    ("today", "list", N_("Today")),
)


@router.get("/till")
async def till(request: Request, user: Server, given: Given) -> Response:
    """The counter; an account of no merchant is told so."""
    words = words_of(request)
    async with asyncio.timeout(READ_TIMEOUT_S):
        org_id = await _merchant(given, user)
        found = await members.organisation(given.pool, org_id) if org_id else None
        acts = await confirmations.merchant_methods(given, org_id) if org_id else ()
    return page(
        request,
        "till.html",
        user=user,
        keys_off=True,
        merchant=organisation_name(words, found) if found else user.name,
        merchant_id=org_id,
        tabs=[(key, icon, words.gettext(text)) for key, icon, text in TABS],
        acts=[_act(words, one) for one in acts],
        spoken=spoken(words),
        zone=given.config.zone.key,
    )


async def _merchant(given: Services, user: auth.CurrentUser) -> str:
    try:
        return await confirmations.merchant_of(given.pool, user)
    except Problem as problem:
        if problem.code != "no_merchant":
            raise
        return ""


def _act(words: Words, one: MerchantMethod) -> dict[str, str]:
    worth = words.gettext("%(n)s points") % {"n": words.number(one.points_one)}
    return {"key": one.key, "name": one.name_zh if words.language == "zh" else one.name_en, "worth": worth}


@router.get("/till/today")
async def today(request: Request, user: Server, given: Given) -> Response:
    """What this counter did today, for its script."""
    words = words_of(request)
    org_id = await confirmations.merchant_of(given.pool, user)
    async with asyncio.timeout(READ_TIMEOUT_S):
        lines = await desk_figures.counter_lines(given.pool, org_id, given.today_from())
        items = await catalogue.items(given.pool, given.clock(), everything=True)
    names = {one.item_id: one.name_zh if words.language == "zh" else one.name_en for one in items}
    body = {
        "redemptions": sum(one.kind == "redeemed" for one in lines),
        "confirmations": sum(one.kind == "act" for one in lines),
        "total_fen": sum(one.amount_fen or 0 for one in lines),
        "lines": [_line(words, one, names) for one in lines],
    }
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


def _line(words: Words, one: CounterLine, names: dict[str, str]) -> dict[str, Any]:
    match one.kind:
        case "redeemed":
            name = names.get(one.what, one.what)
        case "act":
            name = scene_word(words, one.what)
        case "taken_back":
            name = words.gettext("Voucher, taken back")
        case _:
            name = words.gettext("Voucher")
    return {"at": one.at.isoformat(), "name": name, "points": one.points, "amount_fen": one.amount_fen}


@router.get("/till/statement")
async def statement_page(request: Request, user: Server, given: Given, month: str = "") -> Response:
    """What this merchant is owed for a month."""
    words, wanted = words_of(request), month_of(given, month)
    org_id = await confirmations.merchant_of(given.pool, user)
    found = await members.organisation(given.pool, org_id)
    return page(
        request,
        "till_statement.html",
        user=user,
        keys_off=True,
        merchant=organisation_name(words, found) if found else user.name,
        month=wanted,
        statement=await statement_of(given, org_id, wanted),
        yuan=yuan,
    )


@router.get("/till/statement.csv")
async def statement_csv(request: Request, user: Server, given: Given, month: str = "") -> Response:
    """The same as a file."""
    wanted, org_id = month_of(given, month), await confirmations.merchant_of(given.pool, user)
    return csv_of(request, given, await statement_of(given, org_id, wanted), wanted)


@router.get("/till/offline")
async def offline(request: Request, user: Server) -> Response:
    """What a tablet shows without a network; nothing of anybody is on it."""
    return page(request, "till_offline.html", user=user)


@router.get("/till/worker.js")
async def worker(user: Server) -> Response:
    """The script that keeps that shell, allowed to answer for the counter's page."""
    headers = {"Service-Worker-Allowed": "/till", "Cache-Control": "no-cache"}
    return FileResponse(STATIC_DIR / "till_worker.js", media_type="text/javascript", headers=headers)
