"""The devices that show codes: owns the page of their state and refusals, and putting up, keying anew, stopping."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth, rule_books
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.points_desk import said
from cloud_sync.server.console.points_views import scene_word
from cloud_sync.server.console.render import READ_TIMEOUT_S, done, page, words_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.people import members
from cloud_sync.server.points import desk, devices, ways
from cloud_sync.server.points.desk_records import DeviceRecord, DeviceSecret, RefusalCell
from cloud_sync.server.points.parts import day_of
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=400)]
PointReader = auth.who_may(Can.READ_POINTS)
# As in the JSON API: whoever decides about points holds no secret of a device.
DeviceKeeper = auth.who_may(Can.RUN_SYSTEM)
REFUSALS_SINCE = timedelta(days=7)
DIRECTION = {
    "act": N_("an act of a moment"),
    "either": N_("start or end of a way"),
    "start": N_("the start of a way"),
    "end": N_("the end of a way"),
    "charger": N_("a charging session"),
}


@dataclass(frozen=True, slots=True)
class RefusalLine:
    """One reason at one source: how often in each hour of the day."""

    name: str
    reason: str
    hours: tuple[int, ...]
    total: int
    most: int
    told: str


@router.get("/points/devices")
async def devices_page(request: Request, user: PointReader, given: Given) -> Response:
    """Every board and machine, and where codes are refused."""
    return await _page(request, user, given)


async def _page(
    request: Request, user: auth.CurrentUser, given: Services, *, secret: DeviceSecret | None = None
) -> Response:
    words, now = words_of(request), given.clock()
    today = day_of(given, now)
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await devices.devices(given)
        cells = await desk.refusals(given.pool, given.config.zone, since=now - REFUSALS_SINCE, until=now)
        orgs = await members.organisations(given.pool, kind=members.OrganisationKind.MERCHANT)
        methods = (await rule_books.methodologies(given.pool)).at(today)
        known = await ways.ways(given.pool)
    names = {one.org_id: _name(words, one) for one in orgs}
    places = {one.place for one in found} | {place for one in known for place in (one.from_place, one.to_place)}
    return page(
        request,
        "points_devices.html",
        user=user,
        devices=found,
        secret=secret,
        secret_of=next((one.name for one in found if secret and one.device_id == secret.device_id), ""),
        refusals=refusal_lines(words, cells),
        merchants=[{"org_id": key, "name": name} for key, name in names.items()],
        merchant_of=lambda org_id: names.get(org_id, org_id),
        methods=[{"key": row.key, "name": _method(words, row)} for row in methods.values()],
        directions=[(code, words.gettext(text)) for code, text in DIRECTION.items()],
        places=sorted(places),
        shows=lambda device: shows(words, device),
        offset=lambda seconds: offset(words, seconds),
    )


def _name(words: Words, one: members.Organisation) -> str:
    return one.name if words.language == "zh" or not one.name_en else one.name_en


def _method(words: Words, row: Any) -> str:
    return str(row.name_zh if words.language == "zh" else row.name_en)


def shows(words: Words, device: DeviceRecord) -> str:
    """What a device's codes are for, once each."""
    return ", ".join(dict.fromkeys(scene_word(words, key) for key in device.keys))


def offset(words: Words, seconds: int) -> str:
    """How far a clock is ahead (+) or behind (−)."""
    sign = "+" if seconds > 0 else "−" if seconds < 0 else "±"
    return f"{sign}{words.duration(abs(seconds))}"


def refusal_lines(words: Words, cells: Iterable[RefusalCell]) -> list[RefusalLine]:
    """The reasons by source, the most frequent first."""
    hours: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 24)
    for cell in cells:
        hours[(cell.name or cell.source_id, said(words, cell.reason))][cell.hour] += cell.count
    most = max((max(one) for one in hours.values()), default=1)
    lines = [RefusalLine(*key, tuple(one), sum(one), most, _told(words, one)) for key, one in hours.items()]
    return sorted(lines, key=lambda line: (-line.total, line.name, line.reason))


def _told(words: Words, hours: list[int]) -> str:
    peak = hours.index(max(hours))
    return words.gettext("Most between %(from)d:00 and %(until)d:00") % {"from": peak, "until": peak + 1}


@router.post("/points/devices")
async def add_device(
    request: Request,
    user: DeviceKeeper,
    given: Given,
    name: Text,
    place: Text,
    direction: Text = "act",
    merchant: Text = "",
    makes_acts: Text = "",
    keys: Annotated[list[str] | None, Form()] = None,
) -> Response:
    """A new device; the answer is the only page that shows its secret."""
    if direction not in DIRECTION:
        raise Problem("invalid", detail="direction")
    chosen = tuple(keys or ())
    wish = devices.DeviceWish(
        name=name,
        place=place,
        keys=chosen,
        directions=(devices.Shows(direction),) * len(chosen),
        makes_acts=makes_acts == "yes",
        merchant=merchant,
    )
    secret = await devices.add_device(given, actor_of(user, request), wish)
    return await _page(request, user, given, secret=secret)


@router.post("/points/devices/{device_id}/renew")
async def renew_device(
    request: Request, device_id: str, user: DeviceKeeper, given: Given, why: Text = "", lost: Text = ""
) -> Response:
    """A new secret; the old one ends now when the device was lost."""
    actor = actor_of(user, request)
    secret = await devices.rotate_device(given, actor, device_id, lost=lost == "yes", why=why)
    return await _page(request, user, given, secret=secret)


@router.post("/points/devices/{device_id}/clock")
async def set_clock(request: Request, device_id: str, user: DeviceKeeper, given: Given) -> Response:
    """Says that the device's clock was set right at the device."""
    await devices.set_clock(given, actor_of(user, request), device_id)
    return done(request, "device_clock_set", "/points/devices")


@router.post("/points/devices/{device_id}/{switch}")
async def switch_device(
    request: Request, device_id: str, switch: str, user: DeviceKeeper, given: Given, why: Text = ""
) -> Response:
    """Out of use, or into it again."""
    if switch not in ("on", "off"):
        raise Problem("not_found")
    actor = actor_of(user, request)
    await devices.set_active(given, actor, device_id, switch == "on", why=why)
    return done(request, "device_switched", "/points/devices")
