"""A review desk with something on it: people of the office, drivers, papers, and applications in every state."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest_asyncio

from cloud_sync.server import auth, rule_books
from cloud_sync.server.permits import applications, documents
from cloud_sync.server.permits.records import ApplicationRecord
from control.domain.permits import PermitClass
from control.domain.plates import PlateColour
from control.domain.vehicles import VehicleType
from control.permits import rules as keys
from control.permits.application import Drive, EntryKind, Form, Paper, Purpose, Remark
from control.permits.rules import to_mapping

on_one_loop = partial(pytest_asyncio.fixture, loop_scope="session")
PASSWORD = "a long enough password"
ZONE = ZoneInfo("Asia/Shanghai")
PEOPLE = (
    ("reviewer", "林晓", "reviewer"),
    ("second", "符雅婷", "approver"),
    ("driver", "王立强", "driver"),
    ("other", "陈大文", "driver"),
    ("auditor", "周审", "auditor"),
)


def at_island(days: int, hour: int) -> datetime:
    """A full hour some days from now, on the island's clock."""
    local = datetime.now(ZONE).replace(hour=hour, minute=0, second=0, microsecond=0)
    return (local + timedelta(days=days)).astimezone(UTC)


CRANE = Form(
    plate="琼C61K28",
    plate_colour=PlateColour.YELLOW,
    vehicle_type=VehicleType.CRANE,
    emission_class="crane",
    drive=Drive.DIESEL,
    consumption_per_100km=Decimal("38"),
    purpose=Purpose.LIFTING,
    purpose_text="会议中心外立面换幕墙，须 50 t 吊臂",
    gates=("east",),
    entry_kind=EntryKind.COUNTED,
    entries=2,
    holder="海南宏达吊装有限公司",
)


def drawn_paper(ground: tuple[int, int, int], lines: int) -> bytes:
    """A sheet with grey lines; no two are the same bytes."""
    image = np.full((900, 680, 3), 250, np.uint8)
    cv2.rectangle(image, (0, 0), (680, 120), ground, -1)
    for at in range(lines):
        cv2.rectangle(image, (60, 180 + at * 60), (600 - 37 * (at % 4), 200 + at * 60), (150, 160, 160), -1)
    cv2.circle(image, (520, 760), 70, (40, 40, 200), 5)
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes())


@dataclass
class Office:
    """Files and decides as people do, without a browser."""

    site: Any
    users: Mapping[str, auth.CurrentUser]

    async def filed(self, who: str = "driver", *, submitted: bool = True, papers: int = 2, **more: Any) -> str:
        """An application of somebody, handed in unless said otherwise; its number."""
        given, user = self.site.given, self.users[who]
        kept = tuple([await self.paper(user, number) for number in range(papers)])
        window = {"window_from": at_island(2, 7), "window_until": at_island(2, 19)}
        form = replace(CRANE, **(window | {"papers": kept} | more))
        record = await applications.create(given, user, form)
        if submitted:
            await applications.submit(given, user, record.row.application_id)
        return record.row.application_id

    async def standing(self, who: str = "driver") -> str:
        """One that two people have to approve."""
        window = {"window_from": at_island(5, 7), "window_until": at_island(60, 19)}
        more = {"permit_class": PermitClass.STANDING, "entry_kind": EntryKind.STANDING, "entries": None}
        return await self.filed(who, **(window | more))

    async def paper(self, user: auth.CurrentUser, number: int) -> Paper:
        """A picture that this person sends."""
        kinds = ("vehicle_licence", "vehicle_photo", "duty_order", "insurance")
        until = {0: at_island(400, 7).date(), 3: at_island(1, 7).date()}.get(number)
        content = drawn_paper((60 + 40 * number, 120, 160), 8 + number)
        stored = await documents.take(self.site.given, user, content)
        return Paper(stored.sha256, kinds[number], stored.media_type, stored.size_bytes, f"{kinds[number]}.jpg", until)

    def sheet(self) -> bytes:
        """A paper as a file, as somebody brings it to the office."""
        return drawn_paper((20, 90, 40), 9)

    async def returned(self, application_id: str, remarks: Mapping[str, str]) -> ApplicationRecord:
        """The reviewer asks for something."""
        said = [Remark(name, text) for name, text in remarks.items()]
        return await applications.send_back(self.site.given, self.users["reviewer"], application_id, remarks=said)

    async def approved(self, application_id: str, who: str = "reviewer") -> ApplicationRecord:
        """One approval."""
        return await applications.approve(self.site.given, self.users[who], application_id)


@on_one_loop()
async def office(site: Any, people: None) -> Office:
    """Accounts for each role that the desk knows, each called as in PEOPLE and with the common password."""
    users = {}
    for username, name, role in PEOPLE:
        user_id = await auth.insert_user(
            site.given.pool,
            username=username,
            name=name,
            role=auth.Role(role),
            password_hash=await site.given.passwords.hash(PASSWORD),
            at=datetime.now(UTC),
        )
        users[username] = auth.CurrentUser(user_id, username, name, auth.Role(role), "")
    await _more_time_to_undo(site)
    return Office(site, users)


async def _more_time_to_undo(site: Any) -> None:
    """Ten minutes instead of some seconds: no test may depend on how fast a machine is."""
    mapping = to_mapping(rule_books.delivered(rule_books.BookName.PERMITS))
    for row in mapping["rule"]:
        if row["key"] == keys.APPROVAL_UNDO:
            row["value"] = "600"
    await site.given.pool.execute(
        "INSERT INTO rule_books (book, version, body, author, reason, at) VALUES ('permits', 1, $1::jsonb, '', '', $2)",
        json.dumps(mapping),
        datetime.now(UTC),
    )


@on_one_loop()
async def lanes(site: Any, people: None, make_gateway: Any) -> None:
    """Two gates that have reported."""
    gateway = make_gateway(site.given)
    rows = [
        {"lane_id": "e1", "gate_id": "east", "direction": "in", "name": "东入口 1", "barrier": "closed"},
        {"lane_id": "n1", "gate_id": "north", "direction": "in", "name": "北入口 1", "barrier": "closed"},
    ]
    await gateway.send(gateway.health(at=datetime.now(UTC).isoformat(), lanes=rows))


@on_one_loop()
async def office_desk(make_desk: Callable[..., Any], office: Office, lanes: None) -> Any:
    """`await office_desk("reviewer", ...)` opens a window and signs in."""
    del lanes

    async def opened(who: str, *args: Any, **more: Any) -> Any:
        desk = await make_desk(*args, **more)
        await desk.page.goto(f"{desk.site.url}/sign-in?next=%2Freviews")
        await desk.page.fill("input[name=username]", who)
        await desk.page.fill("input[name=password]", PASSWORD)
        await desk.page.press("input[name=password]", "Enter")
        await desk.page.wait_for_url("**/reviews")
        return desk

    return opened
