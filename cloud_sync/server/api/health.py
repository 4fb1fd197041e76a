"""Health and figures of the server itself. No personal data in either."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from cloud_sync.server import queries
from cloud_sync.server.api.address import API
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=API, tags=["health"])
Given = Annotated[Services, Depends(services)]


class Health(BaseModel):
    """The server works, and how many events of all gateways it has taken in."""

    status: str
    at: datetime
    events_applied: int


@router.get("/health")
async def health(given: Given) -> Health:
    """200 when the database answers."""
    applied = await queries.events_applied(given.pool, timeout_s=3.0)
    return Health(status="ok", at=given.clock(), events_applied=applied)


@router.get("/metrics", response_class=Response)
async def metrics(given: Given) -> Response:
    """For Prometheus."""
    for one in await queries.gateways(given.pool, now=given.clock()):
        if one.age_s is not None:
            given.metrics.gateway_age_s.labels(one.gateway_id).set(one.age_s)
        given.metrics.gateway_backlog.labels(one.gateway_id).set(sum(one.backlog.values()))
    given.metrics.holds_waiting.set(await queries.holds_count(given.pool))
    return Response(given.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
