"""The live stream: server-sent events with a heartbeat that pages can watch, and replay after a lost line."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from cloud_sync.server import auth
from cloud_sync.server.api.address import API
from cloud_sync.server.live import LiveEvent, replay
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=API, tags=["stream"])
Given = Annotated[Services, Depends(services)]
HEARTBEAT_S = 2.0
RETRY_MS = 2000
SESSION_CHECK_TURNS = 15


@router.get("/stream", response_class=StreamingResponse)
async def stream(
    request: Request,
    user: auth.EnergyViewer,
    given: Given,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
    since: Annotated[int | None, Query(ge=0)] = None,
) -> StreamingResponse:
    """`change` names what to look at again, `heartbeat` comes every 2 s. Ends when the session does."""
    known = since if since is not None else int(last_event_id) if last_event_id.isdecimal() else None
    token = request.cookies.get(auth.cookie_name(given))
    return StreamingResponse(
        frames(given, token, known),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def frames(
    given: Services, token: str | None, known: int | None, *, heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[str]:
    """The bytes of one stream. Subscribes before it replays, so that nothing falls between."""
    async with given.live.client() as queue:
        given.metrics.stream_clients.inc()
        try:
            yield f"retry: {RETRY_MS}\n\n" + _heartbeat(given)
            missed = [] if known is None else await replay(given.pool, known)
            for event in missed:
                yield _change(event)
            seen = {event.live_id for event in missed}
            async for event in _until_the_end(given, token, queue, heartbeat_s):
                if event is None:
                    yield _heartbeat(given)
                elif event.live_id not in seen:
                    yield _change(event)
        finally:
            given.metrics.stream_clients.dec()


async def _until_the_end(
    given: Services, token: str | None, queue: asyncio.Queue[LiveEvent | None], heartbeat_s: float
) -> AsyncIterator[LiveEvent | None]:
    """Changes, and None when it is time for a heartbeat; ends with the server, or when the session is over."""
    turns = 0
    while True:
        turns += 1
        if turns % SESSION_CHECK_TURNS == 0 and await auth.user_of_session(given, token) is None:
            return
        try:
            async with asyncio.timeout(heartbeat_s):
                event = await queue.get()
        except TimeoutError:
            yield None
            continue
        if event is None:
            return
        yield event


def _change(event: LiveEvent) -> str:
    mark = f"id: {event.live_id}\n" if event.live_id else ""
    return f"{mark}event: change\ndata: {_compact(event.data())}\n\n"


def _heartbeat(given: Services) -> str:
    return f"event: heartbeat\ndata: {_compact({'at': given.clock().isoformat()})}\n\n"


def _compact(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
