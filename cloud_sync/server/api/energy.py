"""The microgrid for programs: flow, telemetry, plans, alarms, chargers, settings in versions, takeovers, what-if."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel, Field

from cloud_sync.contract.v1 import TakeoverMode
from cloud_sync.server import auth, energy_settings, queries_energy
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.problems import Problem
from cloud_sync.server.records_energy import (
    ChargerRecord,
    EnergyAlarmRecord,
    EnergyNow,
    EnergySeries,
    EnergySums,
    InverterRecord,
    ModeRecord,
    PlanRecord,
    SessionRecord,
    SettingsDesk,
    TakeoverRecord,
)
from cloud_sync.server.records_whatif import WhatIfResult
from cloud_sync.server.services import Services, services
from control.energy.settings import RANGES

router = APIRouter(prefix=f"{API}/energy", tags=["energy"])
Given = Annotated[Services, Depends(services)]
Operator = auth.who_may(energy_settings.OPERATOR)
SERIES_POINTS_MAX = 20_000


async def known_gateway(gateway_id: str, given: Given, _: auth.EnergyViewer) -> str:
    """FastAPI dependency: a gateway that has a microgrid, told to people who are signed in. Raises `not_found`."""
    if gateway_id not in dict(await queries_energy.energy_gateways(given.pool)):
        raise Problem("not_found")
    return gateway_id


Grid = Annotated[str, Depends(known_gateway)]


class Changes(BaseModel):
    """Settings that differ from what is in force, by name."""

    changes: dict[str, Any] = Field(default_factory=dict, max_length=40)


class Staging(Changes):
    """Why, and from when on; without a time it waits to be put in force."""

    reason: str = Field(max_length=500)
    effective_at: AwareDatetime | None = None


class Release(BaseModel):
    """When a staged version takes effect; without a time at once."""

    effective_at: AwareDatetime | None = None


class Reason(BaseModel):
    """Why."""

    reason: str = Field(max_length=500)


class TakeoverBody(BaseModel):
    """`storage_kw` goes with `storage`: positive discharges."""

    mode: TakeoverMode
    storage_kw: float | None = Field(default=None, allow_inf_nan=False)
    minutes: float = Field(default=30.0, allow_inf_nan=False)
    note: str = Field(max_length=500)


class Version(BaseModel):
    """The number of a version that was made."""

    version: int


@router.get("")
async def gateways(user: auth.EnergyViewer, given: Given) -> dict[str, str]:
    """Microgrids by gateway id, with their names."""
    return dict(await queries_energy.energy_gateways(given.pool))


@router.get("/{gateway_id}/now")
async def now(gateway: Grid, user: auth.EnergyViewer, given: Given) -> EnergyNow | None:
    """The newest sample with what follows from it; null before the first."""
    desk = await energy_settings.desk(given.pool, gateway)
    carbon = desk.settings.carbon_per_kwh
    return await queries_energy.energy_now(given.pool, gateway, now=given.clock(), carbon_per_kwh=carbon)


@router.get("/{gateway_id}/today")
async def today(gateway: Grid, user: auth.EnergyViewer, given: Given) -> EnergySums:
    """Energies since local midnight and the month's peak."""
    since = given.today_from()
    return await queries_energy.energy_sums(given.pool, gateway, since=since, month_from=since.replace(day=1))


@router.get("/{gateway_id}/series")
async def series(
    gateway: Grid,
    user: auth.EnergyViewer,
    given: Given,
    since: AwareDatetime,
    until: AwareDatetime,
    step_s: Annotated[int, Query(ge=10, le=86400)] = 900,
) -> EnergySeries:
    """Means of what was measured, a value each `step_s`; gaps are null."""
    check_range(since, until, step_s, SERIES_POINTS_MAX)
    return await queries_energy.energy_series(given.pool, gateway, since=since, until=until, step_s=step_s)


def check_range(since: datetime, until: datetime, step_s: int, most: int) -> None:
    """Raises Problem where a range is backwards or has more than `most` steps."""
    if until <= since:
        raise Problem("invalid", detail="until must be after since")
    if (until - since) / timedelta(seconds=step_s) > most:
        raise Problem("range_too_long")


@router.get("/{gateway_id}/plan")
async def plan(
    gateway: Grid, user: auth.EnergyViewer, given: Given, at: AwareDatetime | None = None
) -> PlanRecord | None:
    """The newest plan with its reasons, or the one that held at a time."""
    return await queries_energy.plan_at(given.pool, gateway, at=at)


@router.get("/{gateway_id}/alarms")
async def alarms(
    gateway: Grid, user: auth.EnergyViewer, given: Given, open_only: bool = False
) -> tuple[EnergyAlarmRecord, ...]:
    """Open ones first."""
    return await queries_energy.energy_alarms(given.pool, gateway, open_only=open_only)


@router.get("/{gateway_id}/modes")
async def modes(gateway: Grid, user: auth.EnergyViewer, given: Given) -> tuple[ModeRecord, ...]:
    """Changes of the grid connection's mode, the newest first."""
    return await queries_energy.mode_changes(given.pool, gateway)


@router.get("/{gateway_id}/chargers")
async def chargers(gateway: Grid, user: auth.EnergyViewer, given: Given) -> tuple[ChargerRecord, ...]:
    """Every charger with the vehicle that stands there."""
    shown = await queries_energy.energy_now(given.pool, gateway, now=given.clock(), carbon_per_kwh=0.0)
    sessions = await queries_energy.charging_sessions(given.pool, gateway, since=given.clock())
    return queries_energy.chargers(shown.devices if shown else {}, sessions)


@router.get("/{gateway_id}/sessions")
async def sessions(
    gateway: Grid, user: auth.EnergyViewer, given: Given, since: AwareDatetime
) -> tuple[SessionRecord, ...]:
    """Charging sessions that are open or began after `since`."""
    return await queries_energy.charging_sessions(given.pool, gateway, since=since, limit=1000)


@router.get("/{gateway_id}/pv")
async def solar(gateway: Grid, user: auth.EnergyViewer, given: Given) -> tuple[InverterRecord, ...]:
    """Inverters and strings: now, expected, lost, diagnosis."""
    shown = await queries_energy.energy_now(given.pool, gateway, now=given.clock(), carbon_per_kwh=0.0)
    return queries_energy.inverters(shown.devices if shown else {})


@router.get("/{gateway_id}/takeovers")
async def takeovers(gateway: Grid, user: auth.EnergyViewer, given: Given) -> tuple[TakeoverRecord, ...]:
    """What people ordered, the newest first."""
    return await queries_energy.takeovers(given.pool, gateway)


@router.post("/{gateway_id}/takeovers", status_code=202)
async def take_over(
    user: Operator, gateway: Grid, body: TakeoverBody, given: Given, request: Request
) -> TakeoverRecord:
    """Orders the gateway to hold, to run the storage at a power, or back to automatic."""
    actor = actor_of(user, request)
    return await energy_settings.take_over(
        given,
        actor,
        gateway,
        mode=body.mode,
        storage_kw=body.storage_kw,
        minutes=body.minutes,
        note=body.note,
    )


# ---------------------------------------------------------------- settings


@router.get("/{gateway_id}/settings")
async def settings(gateway: Grid, user: auth.EnergyViewer, given: Given) -> SettingsDesk:
    """What is in force, and the versions with the gateway's answers."""
    return await energy_settings.desk(given.pool, gateway)


@router.get("/{gateway_id}/settings/ranges")
async def ranges(gateway: Grid, user: auth.EnergyViewer) -> dict[str, dict[str, Any]]:
    """What each number may be: unit, lowest, highest, step."""
    return {key: asdict(span) for key, span in RANGES.items()}


@router.post("/{gateway_id}/settings", status_code=201)
async def stage(user: Operator, gateway: Grid, body: Staging, given: Given, request: Request) -> Version:
    """Stages a version; with a time it is sent down and takes effect then."""
    desk = await energy_settings.desk(given.pool, gateway)
    wanted = energy_settings.changed(desk.settings, body.changes)
    actor = actor_of(user, request)
    made = await energy_settings.stage(
        given, actor, gateway, wanted, reason=body.reason, effective_at=body.effective_at
    )
    return Version(version=made)


@router.post("/{gateway_id}/settings/{version}/release", status_code=202)
async def release(
    user: Operator, gateway: Grid, version: int, body: Release, given: Given, request: Request
) -> Version:
    """Puts a staged version in force. It is in force when the gateway says so."""
    actor = actor_of(user, request)
    await energy_settings.release(given, actor, gateway, version, effective_at=body.effective_at)
    return Version(version=version)


@router.post("/{gateway_id}/settings/{version}/discard", status_code=204)
async def discard(user: Operator, gateway: Grid, version: int, given: Given, request: Request) -> None:
    """Gives a staged version up."""
    await energy_settings.discard(given, actor_of(user, request), gateway, version)


@router.post("/{gateway_id}/settings/{version}/rollback", status_code=202)
async def roll_back(
    user: Operator, gateway: Grid, version: int, body: Reason, given: Given, request: Request
) -> Version:
    """The settings of an earlier version as a new one, in force at once; 0 is as delivered."""
    actor = actor_of(user, request)
    return Version(version=await energy_settings.roll_back(given, actor, gateway, version, reason=body.reason))


@router.post("/{gateway_id}/what-if")
async def what_if(
    gateway: Grid, body: Changes, user: auth.EnergyViewer, given: Given, request: Request
) -> WhatIfResult:
    """A past year under what is in force and under the changes."""
    desk = await energy_settings.desk(given.pool, gateway)
    draft = energy_settings.changed(desk.settings, body.changes)
    found: WhatIfResult = await request.app.state.whatif.compare(given, gateway, user.username, desk.settings, draft)
    return found
