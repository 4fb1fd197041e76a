"""Gates, permits, lists, people and audit for programs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from cloud_sync.server import auth, queries, store
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.permits import applications
from cloud_sync.server.records import (
    AlarmRecord,
    AuditRecord,
    GatewayRecord,
    LaneRecord,
    PermitRecord,
    WatchRecord,
)
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.domain.permits import WatchEffect
from control.domain.plates import EnergyClass
from control.domain.vehicles import VehicleType

router = APIRouter(prefix=API)
Given = Annotated[Services, Depends(services)]
Reviewer = auth.who_may(Can.REVIEW)


class WhyBody(BaseModel):
    """A reason."""

    why: str = Field(max_length=500)


class WatchBody(BaseModel):
    """A plate to watch."""

    plate: str = Field(max_length=16)
    effect: WatchEffect
    reason: str = Field(max_length=500)
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


class RegistryBody(BaseModel):
    """What the vehicle register says."""

    energy: EnergyClass
    vehicle_type: VehicleType | None = None
    source: str = Field(default="", max_length=200)


@router.get("/gateways", tags=["gates"])
async def gateways(user: auth.GateViewer, given: Given) -> tuple[GatewayRecord, ...]:
    """Every gateway: live, stale or lost, backlog, versions."""
    return await queries.gateways(given.pool, now=given.clock())


@router.get("/lanes", tags=["gates"])
async def lanes(user: auth.GateViewer, given: Given) -> tuple[LaneRecord, ...]:
    """Every lane with its latest state."""
    return await queries.lanes(given.pool, now=given.clock())


@router.get("/alarms", tags=["gates"])
async def alarms(user: auth.GateViewer, given: Given, open_only: bool = False) -> tuple[AlarmRecord, ...]:
    """Devices that went and came back."""
    return await queries.alarms(given.pool, open_only=open_only)


@router.get("/permits", tags=["permits"])
async def permits(
    user: auth.GateViewer, given: Given, plate: Annotated[str, Query(max_length=16)] = "", active_only: bool = False
) -> tuple[PermitRecord, ...]:
    """Permits, those that end last first."""
    return await queries.permits(given.pool, now=given.clock(), plate=plate, active_only=active_only)


@router.post("/permits/{permit_id}/revoke", status_code=204, tags=["permits"])
async def revoke_permit(permit_id: str, body: WhyBody, user: Reviewer, given: Given, request: Request) -> None:
    """Ends a permit now, with or without an application behind it."""
    await applications.revoke_permit(given, user, permit_id, why=body.why, remote=remote_of(request))


@router.get("/watch", tags=["permits"])
async def watch_list(user: auth.GateViewer, given: Given, active_only: bool = True) -> tuple[WatchRecord, ...]:
    """Plates on block, alert and allow lists."""
    return await queries.watch_list(given.pool, now=given.clock(), active_only=active_only)


@router.post("/watch", status_code=201, tags=["permits"])
async def add_watch(body: WatchBody, user: auth.ListKeeper, given: Given, request: Request) -> dict[str, int]:
    """Puts a plate on a list; every gate learns of it."""
    return {"watch_id": await store.add_watch(given, actor_of(user, request), **body.model_dump())}


@router.post("/watch/{watch_id}/remove", status_code=204, tags=["permits"])
async def remove_watch(watch_id: int, body: WhyBody, user: auth.ListKeeper, given: Given, request: Request) -> None:
    """Takes it off."""
    await store.remove_watch(given, actor_of(user, request), watch_id, why=body.why)


@router.put("/registry/{plate}", status_code=204, tags=["permits"])
async def set_registry(plate: str, body: RegistryBody, user: auth.ListKeeper, given: Given, request: Request) -> None:
    """What the vehicle register says of a plate; it overrides what the plate lets a gate infer."""
    vehicle_type = body.vehicle_type.value if body.vehicle_type else None
    await store.set_registry(
        given,
        actor_of(user, request),
        plate=plate,
        energy=body.energy.value,
        vehicle_type=vehicle_type,
        source=body.source,
    )


@router.get("/audit", tags=["people"])
async def audit(
    user: auth.AuditReader,
    given: Given,
    subject_kind: str = "",
    subject_id: str = "",
    by: str = "",
    action: str = "",
    before_id: int | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> tuple[AuditRecord, ...]:
    """Who did what, newest first."""
    return await queries.audit(
        given.pool,
        subject_kind=subject_kind,
        subject_id=subject_id,
        by=by,
        action=action,
        before_id=before_id,
        limit=limit,
    )
