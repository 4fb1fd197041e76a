"""Changing the microgrid: the what-if page and the page of all settings, from a draft to what is in force."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth, csv_sheets, day_ahead_csv, energy_settings
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console import day_ahead_views, whatif_views
from cloud_sync.server.console.energy_words import GROUPS, MORE_SLIDERS, SETTING, SLIDERS
from cloud_sync.server.console.pages_energy import Given, Operator, grid_of
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, page, words_of
from cloud_sync.server.energy_whatif import WhatIfDesk
from cloud_sync.server.form_values import local_time, number, whole
from cloud_sync.server.problems import Problem
from cloud_sync.server.records_energy import SettingsDesk
from control.energy.settings import RANGES, EnergySettings, settings_json

router = APIRouter(include_in_schema=False)
Text = Annotated[str, Form(max_length=600)]
LongText = Annotated[str, Form(max_length=day_ahead_csv.CHARS_MAX)]
FLAGS = ("v2g", "shed_allowed")
PERIOD_FIELDS = ("name", "from_hour", "to_hour", "import_per_kwh", "export_per_kwh", "months")
TARIFF_ROWS_MAX = 96


async def whatif_desk(request: Request) -> WhatIfDesk:
    """FastAPI dependency."""
    found: WhatIfDesk = request.app.state.whatif
    return found


Replays = Annotated[WhatIfDesk, Depends(whatif_desk)]


# ---------------------------------------------------------------- what-if


@router.get("/microgrid/what-if")
async def what_if(request: Request, user: auth.EnergyViewer, given: Given, gateway: str = "") -> Response:
    """Weights and limits to move, with what is in force beside them; the comparison comes when it is ready."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        grid = await grid_of(given, gateway)
        if not grid.gateway_id:
            return await desk_page(request, "microgrid_none.html", user=user, section="/microgrid/what-if")
        desk = await energy_settings.desk(given.pool, grid.gateway_id)
        draft = await energy_settings.draft(given.pool, grid.gateway_id, user.username, desk)
    return await desk_page(
        request,
        "microgrid_whatif.html",
        user=user,
        section="/microgrid/what-if",
        grid=grid,
        desk=desk,
        now=settings_json(desk.settings),
        draft=settings_json(draft),
        differs=energy_settings.differences(desk.settings, draft),
        step=_step(desk, draft),
        last=next((one for one in desk.versions if one.state == "in_force"), None),
        before=_before(desk),
        next_version=1 + max((one.version for one in desk.versions), default=0),
        sliders=SLIDERS,
        more=MORE_SLIDERS,
        ranges=RANGES,
        setting=SETTING,
        may_operate=user.may(energy_settings.OPERATOR),
    )


def _step(desk: SettingsDesk, draft: EnergySettings) -> int:
    """Where one stands: 1 adjust, 2 compare, 3 staged, 4 on its way to be in force."""
    if desk.staged is not None:
        return 3
    if desk.underway is not None:
        return 4
    return 2 if energy_settings.differences(desk.settings, draft) else 1


def _before(desk: SettingsDesk) -> int | None:
    """The version before the one in force; 0 is as delivered."""
    if desk.in_force == 0:
        return None
    earlier = [one.version for one in desk.versions if one.outcome == "used" and one.version < desk.in_force]
    return max(earlier, default=0)


@router.post("/microgrid/{gateway_id}/compare")
async def compare(
    request: Request, gateway_id: str, user: auth.EnergyViewer, given: Given, replays: Replays
) -> Response:
    """Replays the year under what is in force and under the draft; the answer is a part of the page."""
    desk = await _desk(given, gateway_id)
    base = await energy_settings.draft(given.pool, gateway_id, user.username, desk)
    draft = energy_settings.changed(base, numbers_of(await request.form()))
    actor = actor_of(user, request)
    await energy_settings.keep_draft(given, actor, gateway_id, draft, based_on=desk.in_force)
    result = await replays.compare(given, gateway_id, user.username, desk.settings, draft)
    words = words_of(request)
    return page(
        request,
        "_whatif_result.html",
        user=user,
        desk=desk,
        draft=draft,
        step=_step(desk, draft),
        result=result,
        headline=whatif_views.headline(words, result),
        subline=whatif_views.subline(words, result, draft),
        bars={one.key: whatif_views.difference_bar(one) for one in result.figures},
        chart=whatif_views.month_chart(words, result),
        limits=whatif_views.limits_line(words, result),
        source=whatif_views.source_sentence(words, result.source, desk.in_force),
        next_version=1 + max((one.version for one in desk.versions), default=0),
    )


async def _desk(given: Any, gateway_id: str) -> SettingsDesk:
    grid = await grid_of(given, gateway_id)
    return await energy_settings.desk(given.pool, grid.gateway_id)


def numbers_of(form: Any) -> dict[str, Any]:
    """The settings among the fields of a form. Raises Problem `invalid` that names the field."""
    found: dict[str, Any] = {}
    for key in RANGES:
        if key in form:
            value = float(number(str(form[key]), key))
            found[key] = value / 100 if RANGES[key].unit == "" else value
    for key in FLAGS:
        if f"{key}_there" in form:
            found[key] = key in form
    if "carbon_source" in form:
        found["carbon_source"] = str(form["carbon_source"])[:200]
    return found


@router.get("/microgrid/{gateway_id}/what-if.csv")
async def export(
    request: Request, gateway_id: str, user: auth.EnergyViewer, given: Given, replays: Replays
) -> Response:
    """The comparison of this person's draft as CSV (UTF-8 with BOM)."""
    desk = await _desk(given, gateway_id)
    draft = await energy_settings.draft(given.pool, gateway_id, user.username, desk)
    result = await replays.compare(given, gateway_id, user.username, desk.settings, draft)
    words = words_of(request)
    changed = energy_settings.differences(desk.settings, draft)
    rows: list[Iterable[object]] = [
        [whatif_views.source_sentence(words, result.source, desk.in_force)],
        [words.gettext("Figure"), words.gettext("Unit"), f"v{desk.in_force}", words.gettext("Draft")],
        *([one.key, one.unit, round(one.now, 4), round(one.draft, 4)] for one in result.figures),
        *([f"carbon {one.month}", "tCO2e", round(one.now_t, 3), round(one.draft_t, 3)] for one in result.months),
        *([key, RANGES[key].unit if key in RANGES else "", old, new] for key, (old, new) in changed.items()),
    ]
    return csv_sheets.answer(rows, "what-if.csv")


# ---------------------------------------------------------------- all settings


@router.get("/microgrid/settings")
async def settings(request: Request, user: auth.EnergyViewer, given: Given, gateway: str = "") -> Response:
    """Every setting with unit, range and meaning, the tariff, and the versions with the gateway's answers."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        grid = await grid_of(given, gateway)
        if not grid.gateway_id:
            return await desk_page(request, "microgrid_none.html", user=user, section="/microgrid")
        desk = await energy_settings.desk(given.pool, grid.gateway_id)
        draft = await energy_settings.draft(given.pool, grid.gateway_id, user.username, desk)
    by_version = {one.version: one.settings for one in desk.versions}
    return await desk_page(
        request,
        "microgrid_settings.html",
        user=user,
        section="/microgrid",
        grid=grid,
        desk=desk,
        now=settings_json(desk.settings),
        draft=settings_json(draft),
        differs=energy_settings.differences(desk.settings, draft),
        days=day_ahead_views.days_of(desk.settings, draft),
        groups=GROUPS,
        ranges=RANGES,
        setting=SETTING,
        changes={
            one.version: energy_settings.differences(by_version.get(one.based_on, EnergySettings()), one.settings)
            for one in desk.versions
        },
        may_operate=user.may(energy_settings.OPERATOR),
    )


@router.post("/microgrid/{gateway_id}/draft")
async def keep_draft(request: Request, gateway_id: str, user: Operator, given: Given) -> Response:
    """Everything typed on the settings page becomes this person's draft."""
    form = await request.form()
    desk = await _desk(given, gateway_id)
    actor = actor_of(user, request)
    if form.get("act") == "drop":
        await energy_settings.drop_draft(given, actor, gateway_id)
        return done(request, "energy_draft_dropped", f"/microgrid/what-if?gateway={gateway_id}")
    base = await energy_settings.draft(given.pool, gateway_id, user.username, desk)
    changes = numbers_of(form)
    if "tariff_rows" in form:
        changes["tariff"] = tariff_of(form)
    await energy_settings.keep_draft(
        given, actor, gateway_id, energy_settings.changed(base, changes), based_on=desk.in_force
    )
    return done(request, "energy_draft_kept", f"/microgrid/what-if?gateway={gateway_id}")


@router.post("/microgrid/{gateway_id}/day-ahead")
async def take_day_ahead(
    request: Request,
    gateway_id: str,
    user: Operator,
    given: Given,
    prices: LongText = "",
    source: Text = "",
    drop: Text = "",
) -> Response:
    """A day's published prices go into this person's draft, or out of it."""
    desk = await _desk(given, gateway_id)
    base = await energy_settings.draft(given.pool, gateway_id, user.username, desk)
    zone = words_of(request).zone
    if drop:
        draft = day_ahead_csv.without_day(base, drop)
    else:
        today = given.clock().astimezone(zone).date()
        draft = day_ahead_csv.with_day(base, prices, source=source, zone=zone, today=today)
    actor = actor_of(user, request)
    await energy_settings.keep_draft(given, actor, gateway_id, draft, based_on=desk.in_force)
    return done(request, "energy_draft_kept", f"/microgrid/settings?gateway={gateway_id}")


def tariff_of(form: Any) -> list[dict[str, Any]]:
    """The rows of the tariff table; a row without a name and hours is left out. Raises Problem."""
    columns = {name: [str(one) for one in form.getlist(f"tariff_{name}")] for name in PERIOD_FIELDS}
    rows = []
    for texts in list(zip(*columns.values(), strict=False))[:TARIFF_ROWS_MAX]:
        row = dict(zip(PERIOD_FIELDS, texts, strict=True))
        if not any(row[name].strip() for name in PERIOD_FIELDS):
            continue
        numbers = {name: float(number(row[name], name)) for name in PERIOD_FIELDS[1:5]}
        rows.append({"name": row["name"].strip()[:60], **numbers, "months": _months(row["months"])})
    return rows


def _months(text: str) -> list[int]:
    """`6-9, 12` or nothing for all. Raises Problem."""
    found: list[int] = []
    for part in text.replace("，", ",").split(","):
        first, _, last = part.strip().partition("-")
        if first:
            low, high = (whole(one, "months") for one in (first, last or first))
            if not 1 <= low <= 12 or not 1 <= high <= 12:
                raise Problem("invalid", detail="months")
            found += range(low, high + 1) if low <= high else [*range(low, 13), *range(1, high + 1)]
    return sorted(set(found))


# ---------------------------------------------------------------- versions


@router.post("/microgrid/{gateway_id}/stage")
async def stage(
    request: Request, gateway_id: str, user: Operator, given: Given, reason: Text = "", effective_at: Text = ""
) -> Response:
    """The draft becomes a version that waits; with a time it is sent and takes effect then."""
    desk = await _desk(given, gateway_id)
    draft = await energy_settings.draft(given.pool, gateway_id, user.username, desk)
    at = local_time(effective_at, given.config.zone, "effective_at")
    actor = actor_of(user, request)
    await energy_settings.stage(given, actor, gateway_id, draft, reason=reason, effective_at=at)
    return done(request, "energy_scheduled" if at else "energy_staged", f"/microgrid/what-if?gateway={gateway_id}")


@router.post("/microgrid/{gateway_id}/versions/{version}")
async def act(
    request: Request,
    gateway_id: str,
    version: int,
    user: Operator,
    given: Given,
    act: Text,
    reason: Text = "",
    effective_at: Text = "",
) -> Response:
    """Puts a staged version in force, discards it, goes back to an earlier one, or cancels what is scheduled."""
    await grid_of(given, gateway_id)
    actor, at = actor_of(user, request), local_time(effective_at, given.config.zone, "effective_at")
    match act:
        case "release":
            await energy_settings.release(given, actor, gateway_id, version, effective_at=at)
            code = "energy_scheduled" if at else "energy_released"
        case "discard":
            await energy_settings.discard(given, actor, gateway_id, version)
            code = "energy_discarded"
        case "roll_back":
            await energy_settings.roll_back(given, actor, gateway_id, version, reason=reason)
            code = "energy_rolled_back"
        case "cancel":
            await energy_settings.cancel_scheduled(given, actor, gateway_id, reason=reason)
            code = "energy_cancelled"
        case _:
            raise Problem("invalid", detail="act")
    return done(request, code, f"/microgrid/what-if?gateway={gateway_id}")
