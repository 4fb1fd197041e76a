"""The microgrid's live page and what is beside it: chargers, solar strings, alarms, telemetry; and taking over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.contract.v1 import TakeoverMode
from cloud_sync.server import auth, energy_settings, queries_energy
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console import energy_day, energy_told, energy_views
from cloud_sync.server.console.energy_because import because_line, merged
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, page, words_of
from cloud_sync.server.form_values import number
from cloud_sync.server.problems import Problem
from cloud_sync.server.records_energy import EnergyNow, PlanRecord, SettingsDesk
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=600)]
UNIT_COOKIE = "island_energy_unit"
UNIT_KEPT_S = 365 * 86400
VIEWS = ("yesterday", "24", "48")
BECAUSE_SHOWN = 6
STEP_S = 900
SESSIONS_SINCE = timedelta(days=2)
Operator = auth.who_may(energy_settings.OPERATOR)


@dataclass(frozen=True, slots=True)
class Grid:
    """The microgrid that a page is about. `gateway_id` is "" where none has told anything yet."""

    gateway_id: str
    name: str
    all: tuple[tuple[str, str], ...]


async def grid_of(given: Services, wanted: str) -> Grid:
    """The wanted microgrid, else the first. Raises Problem `not_found` for one that is none."""
    found = await queries_energy.energy_gateways(given.pool)
    if wanted and wanted not in dict(found):
        raise Problem("not_found")
    if not found:
        return Grid("", "", ())
    gateway_id = wanted or found[0][0]
    return Grid(gateway_id, dict(found)[gateway_id], found)


def money_of(request: Request, unit: str) -> bool:
    """Whether savings are shown as money; the choice is kept in a cookie."""
    return (unit or request.cookies.get(UNIT_COOKIE, "")) == "cny"


def window_of(request: Request, given: Services, view: str, at: str) -> tuple[datetime, datetime]:
    """From and until of the day's chart: local midnight, and so many hours on."""
    zone = words_of(request).zone
    today = given.today_from()
    since = today - timedelta(days=1) if view == "yesterday" else today
    if at:
        try:
            since = datetime.fromisoformat(at).replace(tzinfo=zone, hour=0, minute=0, second=0, microsecond=0)
        except ValueError as error:
            raise Problem("invalid", detail="at") from error
    return since, since + timedelta(hours=48 if view == "48" else 24)


@router.get("/microgrid")
async def live(
    request: Request,
    user: auth.EnergyViewer,
    given: Given,
    gateway: str = "",
    view: str = "24",
    unit: str = "",
    at: str = "",
) -> Response:
    """What flows, what is planned and why, what is wrong."""
    view = view if view in VIEWS else "24"
    money, now, words = money_of(request, unit), given.clock(), words_of(request)
    async with asyncio.timeout(READ_TIMEOUT_S):
        grid = await grid_of(given, gateway)
        if not grid.gateway_id:
            return await desk_page(request, "microgrid_none.html", user=user)
        desk = await energy_settings.desk(given.pool, grid.gateway_id)
        settings = desk.settings
        shown = await queries_energy.energy_now(
            given.pool, grid.gateway_id, now=now, carbon_per_kwh=settings.carbon_per_kwh
        )
        today = given.today_from()
        sums = await queries_energy.energy_sums(
            given.pool, grid.gateway_id, since=today, month_from=today.replace(day=1)
        )
        plan = await queries_energy.plan_at(given.pool, grid.gateway_id)
        alarms = await queries_energy.energy_alarms(given.pool, grid.gateway_id, open_only=True, limit=20)
        orders = await queries_energy.takeovers(given.pool, grid.gateway_id, limit=5)
        since, until = window_of(request, given, view, at)
        measured = await queries_energy.energy_series(
            given.pool, grid.gateway_id, since=since, until=min(until, max(now, since)), step_s=STEP_S
        )
    price = energy_day.price_at(words, settings, now)
    flow = energy_views.flow_payload(words, shown)
    answer = page(
        request,
        "microgrid.html",
        user=user,
        grid=grid,
        shown=shown,
        age_mode=energy_views.liveness(shown.age_s if shown else None),
        plan=plan,
        settings_version=settings_version(shown, desk),
        flow=flow,
        flow_finding=energy_views.flow_finding(words, flow),
        total=energy_views.power(words, shown.total_kw if shown else None),
        kpis=energy_views.kpis(words, shown, sums=sums, plan=plan, desk=desk, alarms=alarms, money=money, price=price),
        chart=energy_day.day_payload(words, measured, plan, settings, until=until, now=now, money=money),
        chart_finding=energy_day.day_finding(words, measured, sums),
        chart_table=energy_day.day_table(words, measured, plan, until=until, now=now),
        plan_cannot=energy_told.violations(words, plan),
        plan_by_tariff=energy_told.days_by_tariff(plan),
        because=because_of(request, plan, now=now, money=money),
        alarms=alarms,
        takeover=queries_energy.takeover_now(orders, now=now),
        orders=orders,
        money=money,
        view=view,
        since=since,
        at=at,
        desk=desk,
        may_operate=user.may(energy_settings.OPERATOR),
    )
    if unit in ("cny", "co2"):
        answer.set_cookie(UNIT_COOKIE, unit, max_age=UNIT_KEPT_S, samesite="lax", path="/")
    return answer


def settings_version(shown: EnergyNow | None, desk: SettingsDesk) -> int:
    """What the gateway says that it runs by, else what the cloud knows."""
    return shown.settings_version if shown is not None else desk.in_force


def because_of(request: Request, plan: PlanRecord | None, *, now: datetime, money: bool) -> list[Any]:
    """The reasons that are not over yet, the soonest first."""
    if plan is None:
        return []
    ahead = merged(one for one in plan.because if one.until > now)[:BECAUSE_SHOWN]
    return [because_line(words_of(request), one, now=now, money=money) for one in ahead]


@router.post("/microgrid/{gateway_id}/takeover")
async def take_over(
    request: Request,
    gateway_id: str,
    user: Operator,
    given: Given,
    mode: Text,
    note: Text = "",
    storage_kw: Text = "",
    direction: Text = "discharge",
    minutes: Text = "30",
) -> Response:
    """Orders the gateway to hold, to run the storage at a power, or back to automatic."""
    if mode not in set(TakeoverMode):
        raise Problem("invalid", detail="mode")
    kw = None
    if mode == TakeoverMode.STORAGE:
        kw = float(number(storage_kw, "storage_kw")) * (-1.0 if direction == "charge" else 1.0)
    await energy_settings.take_over(
        given,
        actor_of(user, request),
        gateway_id,
        mode=TakeoverMode(mode),
        storage_kw=kw,
        minutes=float(number(minutes, "minutes")),
        note=note,
    )
    return done(request, "energy_taken_over", f"/microgrid?gateway={gateway_id}")


# ---------------------------------------------------------------- chargers, strings, alarms


async def _beside(given: Services, gateway: str) -> tuple[Grid, EnergyNow | None]:
    grid = await grid_of(given, gateway)
    shown = await queries_energy.energy_now(given.pool, grid.gateway_id, now=given.clock(), carbon_per_kwh=0.0)
    return grid, shown


@router.get("/microgrid/chargers")
async def chargers(request: Request, user: auth.EnergyViewer, given: Given, gateway: str = "") -> Response:
    """Every charger with its vehicle, and the sessions of two days."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        grid, shown = await _beside(given, gateway)
        sessions = await queries_energy.charging_sessions(
            given.pool, grid.gateway_id, since=given.clock() - SESSIONS_SINCE
        )
    found = queries_energy.chargers(shown.devices if shown else {}, sessions)
    return await desk_page(
        request,
        "microgrid_chargers.html",
        user=user,
        section="/microgrid/chargers",
        grid=grid,
        shown=shown,
        age_mode=energy_views.liveness(shown.age_s if shown else None),
        chargers=found,
        sessions=sessions,
        today=[one for one in sessions if one.started_at >= given.today_from()],
    )


@router.get("/microgrid/pv")
async def solar(request: Request, user: auth.EnergyViewer, given: Given, gateway: str = "") -> Response:
    """Every inverter and string: now, expected, lost, and what seems wrong."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        grid, shown = await _beside(given, gateway)
        alarms = await queries_energy.energy_alarms(given.pool, grid.gateway_id, code_prefix="pv_", limit=50)
    return await desk_page(
        request,
        "microgrid_pv.html",
        user=user,
        section="/microgrid",
        grid=grid,
        shown=shown,
        age_mode=energy_views.liveness(shown.age_s if shown else None),
        inverters=queries_energy.inverters(shown.devices if shown else {}),
        judged=energy_views.judged(shown),
        open_alarms=[one for one in alarms if one.cleared_at is None],
        past_alarms=[one for one in alarms if one.cleared_at is not None],
    )


@router.get("/microgrid/alarms")
async def alarms(request: Request, user: auth.EnergyViewer, given: Given, gateway: str = "") -> Response:
    """Alarms and mode changes, the newest first."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        grid = await grid_of(given, gateway)
        found = await queries_energy.energy_alarms(given.pool, grid.gateway_id)
        modes = await queries_energy.mode_changes(given.pool, grid.gateway_id)
        orders = await queries_energy.takeovers(given.pool, grid.gateway_id)
    return await desk_page(
        request,
        "microgrid_alarms.html",
        user=user,
        section="/microgrid",
        grid=grid,
        alarms=found,
        modes=modes,
        orders=orders,
    )


@router.get("/microgrid/history")
async def history(
    request: Request, user: auth.EnergyViewer, given: Given, gateway: str = "", since: str = "", until: str = ""
) -> Response:
    """Telemetry over a range longer than a day, and its export."""
    today = given.today_from()
    first, last = _day_of(request, since, today - timedelta(days=6)), _day_of(request, until, today)
    if last < first:
        first, last = last, first
    end = last + timedelta(days=1)
    step_s = _step_for(end - first)
    async with asyncio.timeout(READ_TIMEOUT_S):
        grid = await grid_of(given, gateway)
        measured = await queries_energy.energy_series(
            given.pool, grid.gateway_id, since=first, until=end, step_s=step_s
        )
        there = await queries_energy.periods_there(given.pool, grid.gateway_id)
        desk = await energy_settings.desk(given.pool, grid.gateway_id)
    words = words_of(request)
    return await desk_page(
        request,
        "microgrid_history.html",
        user=user,
        section="/microgrid",
        grid=grid,
        first=first,
        last=last,
        end=end,
        periods=there,
        chart=energy_day.day_payload(words, measured, None, desk.settings, until=end, now=given.clock(), money=False),
        chart_table=energy_day.day_table(words, measured, until=end, now=given.clock())[:400],
        nothing=all(one is None for one in measured.values["load_kw"]),
    )


def _day_of(request: Request, text: str, otherwise: datetime) -> datetime:
    if not text:
        return otherwise
    try:
        return datetime.fromisoformat(text[:10]).replace(tzinfo=words_of(request).zone)
    except ValueError as error:
        raise Problem("invalid", detail="since, until") from error


def _step_for(span: timedelta) -> int:
    """Quarter hours up to a week, hours up to two months, then days: a chart has about as many points as pixels."""
    days = span.total_seconds() / 86400
    return 900 if days <= 8 else 3600 if days <= 62 else 86400
