"""The page of what gateways have learnt of their vehicles: versions, accuracy, and the orders about them."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.contract.v1 import HeadAction
from cloud_sync.server import auth, vehicle_heads
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=100)]


@router.get("/vision")
async def vision(request: Request, user: auth.GateViewer, given: Given) -> Response:
    """Every gateway's head: in use, learnt versions with their accuracy, corrections, orders."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        heads = await vehicle_heads.gateway_heads(given.pool, now=given.clock())
    return await desk_page(request, "vision.html", user=user, heads=heads, shipped=vehicle_heads.SHIPPED)


@router.post("/vision/{gateway_id}")
async def order(
    request: Request,
    gateway_id: str,
    user: auth.SystemRunner,
    given: Given,
    act: Text,
    version: Text = "",
    force: Text = "",
) -> Response:
    """Orders a gateway to learn, to use a version, or to step back."""
    if act not in set(HeadAction):
        raise Problem("invalid", detail="act")
    actor = actor_of(user, request)
    await vehicle_heads.order_head(
        given, actor, gateway_id, action=HeadAction(act), version=version, force=force == "yes"
    )
    return done(request, "head_ordered", "/vision")
