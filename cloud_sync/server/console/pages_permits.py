"""Permits in force, passes and visits: what became of applications, as pages."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth, queries, store
from cloud_sync.server.api.session import remote_of
from cloud_sync.server.console.pages_gate import READ_TIMEOUT_S, done
from cloud_sync.server.console.render import page
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=500)]
_FROM_APPLICATION = re.compile(r"XK-\d{4}-\d{6}")


def from_application(permit_id: str) -> bool:
    """Whether a permit came from an application; older ones were given directly and have none."""
    return _FROM_APPLICATION.fullmatch(permit_id) is not None


@router.get("/permits")
async def permits(
    request: Request, user: auth.GateViewer, given: Given, plate: str = "", show: str = "active"
) -> Response:
    """Permits, those in force first or all."""
    now = given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await queries.permits(given.pool, now=now, plate=plate[:16], active_only=show != "all")
        waiting = await queries.holds_count(given.pool)
    return page(
        request,
        "permits.html",
        user=user,
        permits=found,
        filed={one.permit_id for one in found if from_application(one.permit_id)},
        plate=plate,
        show="all" if show == "all" else "active",
        holds_count=waiting,
    )


@router.post("/permits/{permit_id}/revoke")
async def revoke_permit(
    request: Request, permit_id: str, user: auth.ListKeeper, given: Given, why: Text = ""
) -> Response:
    """Ends a permit now."""
    await store.revoke_permit(given, store.Actor.of(user, remote_of(request)), permit_id, why=why)
    return done(request, "permit_revoked", "/permits")
