"""Pages without sign-in: the zone's own page, and what anybody may check of a paper. No plate, no name."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from cloud_sync.server.carbon.public_board import BoardDesk, board_desk
from cloud_sync.server.console import zone_ring, zone_views
from cloud_sync.server.console.pages_gate import READ_TIMEOUT_S
from cloud_sync.server.console.render import page, words_of
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
