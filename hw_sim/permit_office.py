"""Permits of the demonstration by the way that everybody's go: owns what its driver files and its office approves.

The driver's, the reviewer's and the approver's accounts are the demonstration's own. Its trucks did not apply a day
ahead, so the term for that is a dated row of the demonstration.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np

from control.domain.errors import IslandError
from control.domain.permits import Permit, PermitClass
from control.domain.plates import PlateColour, PlateKind
from control.domain.vehicles import VehicleType
from hw_sim.cloud_client import CloudClient
from vision.render.plates import render_plate

DRIVER, REVIEWER, APPROVER = "demo-driver", "demo-reviewer", "demo-approver"
WINDOW = timedelta(days=6)
PUBLISH_WAIT_S = 120.0
POLL_S = 0.3
_EARLIER = timedelta(hours=1)
_WHY = "演示 demonstration"


@dataclass(frozen=True, slots=True)
class Duty:
    """What a type of vehicle comes for, and how its emission is estimated."""

    purpose: str
    emission_class: str


DUTIES: dict[VehicleType, Duty] = {
    VehicleType.CRANE: Duty("lifting", "crane"),
    VehicleType.TRUCK: Duty("power_repair", "generator_truck"),
    VehicleType.AMBULANCE: Duty("medical", "ambulance"),
    VehicleType.SANITATION: Duty("sanitation", "medium_truck"),
}


class PermitOffice:
    """The driver and the office at their work. Use as an async context manager."""

    def __init__(self, base_url: str, password: str) -> None:
        self._password = password
        self._stack = AsyncExitStack()
        self.driver, self.reviewer, self.approver = (CloudClient(base_url) for _ in range(3))

    async def __aenter__(self) -> PermitOffice:
        people = ((self.driver, DRIVER), (self.reviewer, REVIEWER), (self.approver, APPROVER))
        for client, _ in people:
            await self._stack.enter_async_context(client)
        await asyncio.gather(*(client.sign_in(name, self._password) for client, name in people))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def grant_all(self, permits: Iterable[Permit], *, gate_id: str) -> int:
        """Applies for every permit and approves it; how many. What is there already stays."""
        known = {one["plate"] for one in await self.reviewer.get("/api/v1/permits")}
        wanted = [permit for permit in permits if permit.plate not in known]
        for permit in wanted:
            await self.grant(permit, gate_id=gate_id)
        return len(wanted)

    async def grant(self, permit: Permit, *, gate_id: str) -> str:
        """One permit from the empty form to its last approval; gives its number."""
        paper = await self.driver.upload(licence_picture(permit.plate), "image/png")
        body = form_of(permit, gate_id=gate_id, sha256=paper["sha256"], now=datetime.now(UTC))
        made = await self.driver.post("/api/v1/applications", body)
        number = str(made["row"]["application_id"])
        await self.driver.post(f"/api/v1/applications/{number}/submit", {})
        await self.reviewer.post(f"/api/v1/applications/{number}/approve", {"reason": _WHY})
        if permit.permit_class is not PermitClass.SPECIAL:
            await self.approver.post(f"/api/v1/applications/{number}/approve", {"reason": _WHY})
        return number

    async def pass_of(self, plate: str) -> str | None:
        """The text of the pass of a plate's permit, as its driver shows it."""
        found = await self.driver.get("/api/v1/applications", {"plate": plate, "mine": "true"})
        for one in found["items"]:
            if one["status"] in ("approved", "active"):
                issued = await self.driver.get(f"/api/v1/applications/{one['application_id']}/pass")
                return str(issued["text"])
        return None

    async def published(self, plates: Iterable[str]) -> None:
        """Wait until the permits of all plates went out to the gates. Raises IslandError when that takes too long."""
        loop, wanted = asyncio.get_running_loop(), set(plates)
        until_s = loop.time() + PUBLISH_WAIT_S
        while loop.time() < until_s:
            if wanted <= {one["plate"] for one in await self.reviewer.get("/api/v1/permits")}:
                return
            await asyncio.sleep(POLL_S)
        raise IslandError(f"The permits were not published within {PUBLISH_WAIT_S:.0f} s.")


async def shorten_terms(office: CloudClient, *, undo_s: int | None = None) -> None:
    """Special vehicles may come on the day of their application; `undo_s` changes the seconds for second thoughts."""
    rows = {"apply_ahead.special.least": "0"} | ({} if undo_s is None else {"approval.undo": str(undo_s)})
    today = (datetime.now(UTC) + timedelta(hours=8)).date().isoformat()
    book = await office.get("/api/v1/rules/permits")
    held = {one["key"]: one["now"]["value"] for one in book["keys"]}
    for key, value in rows.items():
        if held.get(key) != value:
            body = {"key": key, "valid_from": today, "value": value, "source": _WHY, "reason": _WHY}
            await office.post("/api/v1/rules/permits", body)


def form_of(permit: Permit, *, gate_id: str, sha256: str, now: datetime) -> dict[str, Any]:
    """The form for a permit that begins an hour ago."""
    vehicle_type = VehicleType(permit.vehicle_type or VehicleType.TRUCK.value)
    emergency = permit.permit_class is PermitClass.EMERGENCY
    duty = DUTIES[vehicle_type]
    colour = PlateColour.BLUE if vehicle_type is VehicleType.AMBULANCE else PlateColour.YELLOW
    return {
        "plate": permit.plate,
        "plate_colour": colour.value,
        "permit_class": permit.permit_class.value,
        "entry_kind": "standing" if emergency else "counted",
        **({} if emergency else {"entries": 40}),
        "vehicle_type": vehicle_type.value,
        "emission_class": duty.emission_class,
        "drive": "diesel",
        "purpose": duty.purpose,
        "purpose_text": _WHY,
        "gates": [gate_id],
        "route": "东屿岛环线 island ring road",
        "window_from": (now - _EARLIER).isoformat(),
        "window_until": (now + WINDOW).isoformat(),
        "holder": permit.holder,
        "papers": [{"sha256": sha256, "kind": "duty_order" if emergency else "vehicle_licence", "name": "paper.png"}],
    }


def licence_picture(plate: str) -> bytes:
    """A sheet with the vehicle's plate on it, as a PNG: the demonstration's papers."""
    sheet = np.full((480, 720, 3), 246, np.uint8)
    picture = render_plate(plate, PlateKind.LARGE, two_rows=False, colour=PlateColour.YELLOW)
    sheet[120 : 120 + picture.shape[0], 140 : 140 + picture.shape[1]] = picture
    cv2.rectangle(sheet, (24, 24), (696, 456), (96, 92, 88), 2)
    cv2.putText(sheet, "DEMONSTRATION LICENCE", (150, 360), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (60, 60, 60), 2)
    encoded, data = cv2.imencode(".png", sheet)
    assert encoded
    return data.tobytes()
