"""What the demonstration shows of permits and points: owns its special vehicles, their passes, and visitors who scan.

A dirty crane comes in by the pass behind its windscreen, a dirty truck by the hand scanner, a third vehicle shows a
forged pass and does not. Who came in leaves a little later: its visit is over, and its emission is posted. Visitors
scan the codes of a shuttle's boards and of a recycling machine.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cloud_sync.contract.pass_code import issue
from cloud_sync.contract.signed import KeyPair
from control.domain.permits import Permit, PermitClass
from control.domain.vehicles import VehicleType
from hw_sim.cloud_client import CloudClient
from hw_sim.fleet import Role, civil_plate
from hw_sim.island import Island
from hw_sim.narration import Narrator
from hw_sim.site_files import GATE_ID
from hw_sim.summary import PermitSummary

VISITOR = "demo-visitor"
STAYS_S = 20.0
ACT_EVERY_S = 15.0
ACT_G = 1_250
TRIP_S = 75.0
WAY_M = 900
WHARF, CENTRE = "码头 Wharf", "会议中心 Conference centre"


@dataclass(frozen=True, slots=True)
class Guest:
    """A special vehicle of the show: when it comes, and how its pass is shown."""

    at_s: float
    permit: Permit
    vehicle_type: VehicleType
    place: str
    genuine: bool = True


@dataclass(slots=True)
class _Course:
    """Where the show stands, in seconds of the loop."""

    began_s: float
    sent: dict[str, Guest] = field(default_factory=dict)
    gone_at_s: dict[str, float] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    trip_from_s: float | None = None
    acted_s: float = -1e9


def guests_of(seed: int, now: datetime) -> tuple[Guest, ...]:
    """Two vehicles whose permits are applied for, and one that forged its pass."""
    rng = random.Random(f"{seed}/guests")

    def permit(holder: str, vehicle_type: VehicleType) -> Permit:
        begins, ends = now - timedelta(hours=1), now + timedelta(days=6)
        plate = civil_plate(rng)
        return Permit(
            f"show-{plate[-3:]}",
            plate,
            PermitClass.SPECIAL,
            begins,
            ends,
            frozenset({GATE_ID}),
            40,
            vehicle_type.value,
            holder,
        )

    crane, truck = VehicleType.CRANE, VehicleType.TRUCK
    return (
        Guest(4.0, permit("海岛起重 Island Lifting", crane), crane, "windscreen"),
        Guest(30.0, permit("海岛抢修 Island Repairs", truck), truck, "scanner"),
        Guest(50.0, permit("", VehicleType.PICKUP), VehicleType.PICKUP, "windscreen", genuine=False),
    )


class PermitShow:
    """Plays the guests and the visitors; `look` is called about once a second."""

    def __init__(self, island: Island, voice: Narrator, guests: tuple[Guest, ...], password: str) -> None:
        self._island, self._voice, self._guests, self._password = island, voice, guests, password
        self._visitor = CloudClient(island.site.cloud_url)
        self._course: _Course | None = None
        self._entries = next(lane.lane_id for lane in island.site.lanes if lane.direction == "in")
        self._exits = next((lane.lane_id for lane in island.site.lanes if lane.direction == "out"), None)
        self._devices: dict[str, str] = {}
        self._scans = self._grams = 0

    async def __aenter__(self) -> PermitShow:
        await self._visitor.__aenter__()
        await self._visitor.sign_in(VISITOR, self._password)
        await self._put_up_devices()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._visitor.__aexit__(*error)

    # ---------------------------------------------------------------------------------------------- the vehicles

    async def look(self) -> None:
        """Let happen what is due."""
        now_s = asyncio.get_running_loop().time()
        course = self._course = self._course or _Course(now_s)
        for guest in self._guests:
            if guest.permit.plate not in course.sent and now_s - course.began_s >= guest.at_s:
                course.sent[guest.permit.plate] = guest
                await self._send(guest)
        await self._send_home(course, now_s)
        await self._scan(course, now_s)

    async def _send(self, guest: Guest) -> None:
        text = await self._pass_of(guest)
        if text is None:
            return
        shown = {"pass_text": text, "pass_place": guest.place, "pass_good": guest.genuine}
        role = Role.FUEL_PERMIT if guest.genuine else Role.FUEL
        dirt = 0.9 if guest.genuine else 0.0
        await self._vehicle(self._entries, guest, role=role.value, dirt_frac=dirt, **shown)
        word = "通行码 a pass" if guest.genuine else "伪造的通行码 a forged pass"
        self._voice.say(f"          {guest.vehicle_type.value} comes with {word} ({guest.place})")

    async def _pass_of(self, guest: Guest) -> str | None:
        if guest.genuine:
            return await self._island.office.pass_of(guest.permit.plate)
        return issue(guest.permit, issued_at=datetime.now(UTC), key=KeyPair.generate())

    async def _vehicle(self, lane_id: str, guest: Guest, **more: Any) -> None:
        body = {"lane": lane_id, "plate": guest.permit.plate, "vehicle_type": guest.vehicle_type.value, **more}
        if guest.vehicle_type is VehicleType.PICKUP:
            body["colour"] = "blue"
        await self._island.sim_post("/vehicles", body)

    async def _send_home(self, course: _Course, now_s: float) -> None:
        """Who came in goes to an exit some seconds later, its plate washed."""
        if self._exits is None or len(course.left) == len(course.sent):
            return
        for row in await self._island.sim_get("/truth"):
            if row["lane_id"] == self._entries and row["outcome"] == "passed" and row["plate"] in course.sent:
                course.gone_at_s.setdefault(row["plate"], now_s)
        for plate, since_s in course.gone_at_s.items():
            if plate not in course.left and now_s - since_s >= STAYS_S:
                course.left.add(plate)
                await self._vehicle(self._exits, course.sent[plate], role=Role.FUEL_PERMIT.value)

    # ---------------------------------------------------------------------------------------------- the visitors

    async def _put_up_devices(self) -> None:
        """A board at each end of the shuttle's way, and a machine that takes bottles."""
        api = self._island.api
        known = {one["name"]: one for one in await api.get("/api/v1/points/devices")}
        wishes = (
            {"name": "接驳车 Shuttle A", "place": WHARF, "keys": ["shuttle"], "directions": ["either"]},
            {"name": "接驳车 Shuttle B", "place": CENTRE, "keys": ["shuttle"], "directions": ["either"]},
            {
                "name": "回收机 Recycling machine",
                "place": WHARF,
                "keys": ["recycling.pet", "recycling.aluminium"],
                "directions": ["act", "act"],
                "makes_acts": True,
            },
        )
        for wish in wishes:
            if wish["name"] in known:
                continue
            made = await api.post("/api/v1/points/devices", wish)
            await self._island.sim_post("/points", json.loads(made["file_text"]) | {"name": wish["name"]})
            self._devices[str(wish["name"])] = str(made["device_id"])
        if self._devices:
            drawn = {(one["from_place"], one["to_place"]) for one in await api.get("/api/v1/points/ways")}
            for a, b in {(WHARF, CENTRE), (CENTRE, WHARF)} - drawn:
                way = {"from_place": a, "to_place": b, "metres": WAY_M, "source": "demo", "reason": "line of the demo"}
                await self._island.office.reviewer.put("/api/v1/points/ways", way)

    async def _scan(self, course: _Course, now_s: float) -> None:
        names = dict(zip(("from", "to", "machine"), self._devices.values(), strict=False))
        if len(names) < 3:
            return
        if now_s - course.acted_s >= ACT_EVERY_S:
            course.acted_s = now_s
            await self._island.sim_post(f"/points/{names['machine']}/acts", {"slot": 0, "amount": ACT_G})
            await self._take(names["machine"])
        if course.trip_from_s is None:
            course.trip_from_s = now_s
            await self._take(names["from"])
        elif 0 <= course.trip_from_s <= now_s - TRIP_S:
            course.trip_from_s = float("inf")
            await self._take(names["to"])

    async def _take(self, device_id: str) -> None:
        """The visitor's phone reads what a device shows now."""
        shown = await self._island.sim_get(f"/points/{device_id}/code")
        body = {"text": shown["text"], "scanned_at": datetime.now(UTC).isoformat()}
        found = await self._visitor.post("/api/v1/points/scans", body)
        self._scans += 1
        self._grams += int(found["grams"])

    # ---------------------------------------------------------------------------------------------- the account

    async def account(self) -> PermitSummary:
        """What the cloud says of permits, visits and points at the end."""
        office = self._island.office.reviewer
        year = datetime.now(UTC).astimezone().year
        figures = await office.get("/api/v1/carbon/summary", {"year": year})
        visits = (await office.get("/api/v1/visits", {"limit": 200}))["items"]
        applications = (await office.get("/api/v1/applications", {"limit": 200}))["items"]
        return PermitSummary(
            applications=len(applications),
            visits=len(visits),
            visits_over=sum(bool(one["is_over"]) for one in visits),
            posted_g=int(figures["year_owed_g"]),
            scans=self._scans,
            points_g=self._grams,
        )


def permits_of(guests: tuple[Guest, ...]) -> tuple[Permit, ...]:
    """What has to be applied for before the show."""
    return tuple(guest.permit for guest in guests if guest.genuine)
