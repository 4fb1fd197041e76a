"""Pages without sign-in: the zone's own page, and what anybody may check of a paper. No plate, no name."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from cloud_sync.server.api.session import remote_of
from cloud_sync.server.carbon.public_board import BoardDesk, board_desk
from cloud_sync.server.console import report_words, zone_ring, zone_views
from cloud_sync.server.console.render import READ_TIMEOUT_S, page, words_of
from cloud_sync.server.papers import issued
from cloud_sync.server.people.limits import limit
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Desk = Annotated[BoardDesk, Depends(board_desk)]


@router.get("/zone")
async def zone(request: Request, given: Given, desk: Desk) -> Response:
    """What the zone emits now, this year and today, and how it is counted."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        board = await desk.board(given)
    words = words_of(request)
    local = board.at.astimezone(words.zone)
    return page(
        request,
        "zone.html",
        user=None,
        board=board,
        view=zone_views,
        words=words,
        ring=zone_ring,
        bars=zone_ring.bars(board.slots),
        hand=zone_ring.hand(local.hour + local.minute / 60),
    )


@router.get("/verify")
async def find_paper(request: Request, given: Given, code: Annotated[str, Query(max_length=40)] = "") -> Response:
    """Where somebody types the code of a paper that cannot be scanned."""
    if code.strip():
        return await verify(request, given, code)
    return page(request, "verify.html", user=None, paper=None, asked="", view=report_words, words=words_of(request))


@router.get("/verify/{code}")
async def verify(request: Request, given: Given, code: str) -> Response:
    """Whether a paper is genuine and still true, and what it says with masked plates."""
    wanted = given.config.reports
    await limit(given, f"verify/{remote_of(request)}", wanted.verify_requests_max, wanted.verify_window_s)
    status, found = 200, None
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            found = await issued.check(given, code)
    except Problem as problem:
        if problem.code != "not_found":
            raise
        status = 404
    asked = "" if found else code[:20]
    return page(
        request,
        "verify.html",
        user=None,
        status=status,
        paper=found,
        asked=asked,
        view=report_words,
        words=words_of(request),
    )
