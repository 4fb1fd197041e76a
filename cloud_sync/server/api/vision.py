"""What gateways have learnt of their vehicles, for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from cloud_sync.contract.v1 import HeadAction
from cloud_sync.server import auth, vehicle_heads
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=API)
Given = Annotated[Services, Depends(services)]


class HeadOrderBody(BaseModel):
    """`version` goes with `use`; `force` uses what was learnt even if it is worse."""

    action: HeadAction
    version: str = Field(default="", max_length=vehicle_heads.VERSION_CHARS_MAX)
    force: bool = False


@router.get("/vision/heads", tags=["gates"])
async def heads(user: auth.GateViewer, given: Given) -> tuple[vehicle_heads.GatewayHead, ...]:
    """Every gateway: the head in use, its versions with their accuracy, and what there is to learn from."""
    return await vehicle_heads.gateway_heads(given.pool, now=given.clock())


@router.post("/vision/heads/{gateway_id}/orders", status_code=202, tags=["gates"])
async def order(
    gateway_id: str, body: HeadOrderBody, user: auth.SystemRunner, given: Given, request: Request
) -> vehicle_heads.HeadOrderRecord:
    """Orders a gateway to learn from its corrections, to use a version, or to step back."""
    actor = actor_of(user, request)
    return await vehicle_heads.order_head(
        given, actor, gateway_id, action=body.action, version=body.version, force=body.force
    )
