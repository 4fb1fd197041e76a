"""The console in a real browser: one served server and one Chromium a test, and a gate with something to look at."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import argon2
import cv2
import httpx
import numpy as np
import pytest
import pytest_asyncio
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from cloud_sync.server import auth, build, store
from cloud_sync.server.config import CloudConfig
from cloud_sync.server.services import Services
from control.domain.permits import PermitClass, WatchEffect

expect.set_options(timeout=60_000)
CHROMIUM = "/usr/bin/chromium"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
QUICK_HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = "a long enough password"
AXE = Path(__file__).parents[2] / "assets" / "axe.min.js"
QUAD = [[520, 470], [760, 470], [760, 545], [520, 545]]


# The browser lives as long as the session, so everything that talks to it shares its loop.
on_one_loop = partial(pytest_asyncio.fixture, loop_scope="session")


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Site:
    """A served server with its address."""

    url: str
    given: Services

    @property
    def token(self) -> str:
        return self.given.config.gateways[0].secret_file.read_text().strip()


@on_one_loop()
async def site(config: CloudConfig) -> AsyncIterator[Site]:
    """The real application on a free port, with accounts for all three roles."""
    async with _served(build.create_app(config, clock=utc_now, hasher=QUICK_HASHER, workers=False)) as served:
        yield served


@pytest.fixture(scope="session")
def serve() -> Callable[[FastAPI], AbstractAsyncContextManager[Site]]:
    """For scenes of their own: serves an application."""
    return _served


@pytest.fixture(scope="session")
def open_desks() -> Callable[[Site, Browser], AbstractAsyncContextManager[Callable[..., Any]]]:
    """For scenes of their own: windows at a served application."""
    return _desks


@asynccontextmanager
async def _served(app: FastAPI) -> AsyncIterator[Site]:
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve(), name="test server")
    while not server.started:
        assert not serving.done(), "the server did not start"
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Site(f"http://127.0.0.1:{port}", app.state.services)
    finally:
        server.should_exit = True
        await asyncio.wait_for(serving, timeout=60)


@on_one_loop()
async def people(site: Site) -> None:
    """`guard`, `office` and `engineer`, each with PASSWORD."""
    for role, name in (("guard", "陈海龙"), ("approver", "李静"), ("engineer", "王工")):
        await auth.insert_user(
            site.given.pool,
            username=role,
            name=name,
            role=auth.Role(role),
            password_hash=await site.given.passwords.hash(PASSWORD),
            at=utc_now(),
        )


@on_one_loop(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield browser
        await browser.close()


@dataclass
class Seen:
    """What a browser complained of, and what it asked others for."""

    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)


@dataclass
class Desk:
    """One browser window at the console."""

    page: Page
    context: BrowserContext
    site: Site
    seen: Seen

    async def sign_in(self, role: str = "guard") -> None:
        await self.page.goto(f"{self.site.url}/sign-in")
        await self.page.fill("input[name=username]", role)
        await self.page.fill("input[name=password]", PASSWORD)
        await self.page.press("input[name=password]", "Enter")
        await self.page.wait_for_url(lambda url: "/sign-in" not in url)

    async def open(self, path: str) -> None:
        await self.page.goto(self.site.url + path)

    async def armed(self) -> None:
        """Waits until the keys that decide work: they rest for a moment after a page or another vehicle came."""
        await expect(self.page.locator("body[data-armed]")).to_be_visible()

    async def axe(self) -> list[str]:
        """Violations that axe-core finds on the page, one line each."""
        await self.page.evaluate(AXE.read_text(encoding="utf-8"))
        await self.page.evaluate("document.fonts.ready")
        found = await self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]


@on_one_loop()
async def make_desk(site: Site, people: None, chromium: Browser) -> AsyncIterator[Callable[..., Any]]:
    """`await make_desk(language, theme)` opens a window; what it complained of is checked at the end."""
    async with _desks(site, chromium) as made:
        yield made


@asynccontextmanager
async def _desks(site: Site, chromium: Browser) -> AsyncIterator[Callable[..., Any]]:
    desks: list[Desk] = []

    async def made(language: str = "zh", theme: str = "light", width: int = 1440, height: int = 900) -> Desk:
        context = await chromium.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        values = {"island_language": language, "island_theme": theme}
        await context.add_cookies([{"name": name, "value": value, "url": site.url} for name, value in values.items()])
        desk = Desk(await context.new_page(), context, site, Seen())
        desk.page.on("console", lambda one: desk.seen.errors.append(one.text) if one.type == "error" else None)
        desk.page.on("pageerror", lambda one: desk.seen.errors.append(str(one)))
        desk.page.on("request", lambda one: _note_foreign(desk, one.url))
        desk.page.set_default_timeout(60_000)
        desks.append(desk)
        return desk

    yield made
    for desk in desks:
        await desk.context.close()
        assert desk.seen.foreign == []


def _note_foreign(desk: Desk, url: str) -> None:
    if not url.startswith((desk.site.url, "data:", "blob:")):
        desk.seen.foreign.append(url)


@on_one_loop()
async def desk(make_desk: Callable[..., Any]) -> AsyncIterator[Desk]:
    """A window in Chinese, light; it must not complain of anything."""
    made = await make_desk()
    yield made
    assert made.seen.errors == []


# ---------------------------------------------------------------- a gate with something to look at

GROUNDS = {"blue": (184, 82, 20), "yellow": (0, 184, 245), "white": (255, 255, 255), "black": (27, 25, 22)}
GREEN = (150, 220, 150)


@dataclass(frozen=True)
class Pictures:
    """Evidence of one arrival: frame and crop as JPEG, and where the plate is in the frame."""

    frame: bytes
    crop: bytes
    quad: list[list[float]]


def drawn_pictures(plate: str, colour: str, vehicle_type: str) -> Pictures:
    """Flat shapes that stand for a vehicle of this type and colour of plate."""
    ground = GROUNDS.get(colour, GREEN)
    paint = (60 + 17 * len(vehicle_type), 120, 180)
    image = np.full((720, 1280, 3), (150, 158, 160), np.uint8)
    image[400:] = (96, 100, 102)
    cv2.rectangle(image, (380, 180), (900, 600), paint, -1)
    cv2.rectangle(image, (440, 220), (840, 380), (70, 60, 50), -1)
    cv2.rectangle(image, tuple(QUAD[0]), tuple(QUAD[2]), ground, -1)
    return Pictures(_jpeg(image), _jpeg(image[460:555, 500:780]), [[float(x), float(y)] for x, y in QUAD])


def _jpeg(image: Any) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


@dataclass
class Scene:
    """Feeds the store as gateways do, with times near now."""

    site: Site
    gateway: Any
    pictures: Callable[[str, str, str], Pictures] = drawn_pictures
    started_at: datetime = field(default_factory=utc_now)
    _known: set[str] = field(default_factory=set)

    async def vehicle(self, arrival_id: str, plate: str | None, *, ago_s: float = 30.0, **more: Any) -> None:
        """One arrival with its pictures, `ago_s` seconds ago; `more` overrides what the gate journalled."""
        colour, vehicle_type = more.pop("colour", "green"), more.pop("vehicle_type", "car")
        shown = self.pictures(plate or "", colour, vehicle_type)
        hashes = {"frame": await self.upload(shown.frame), "crop": await self.upload(shown.crop)}
        at = self.stamp(ago_s)
        reading = plate and reading_of(plate, colour, shown.quad, more)
        body = PASSAGE | {"arrival_id": arrival_id, "at": at, "plate": reading or None} | more
        body |= {"vehicle": {"type": vehicle_type, "confidence": 0.97, "box": [380, 180, 900, 600]}}
        body |= {f"{role}_sha256": sha256 for role, sha256 in hashes.items()}
        stored = [self.gateway.row("media_stored", **stored_body(*one, arrival_id, at)) for one in hashes.items()]
        assert await self.gateway.send(self.gateway.row("passage_decided", **body), *stored) == ()

    async def upload(self, content: bytes) -> str:
        """Puts a picture where the server takes them from gateways, once."""
        sha256 = hashlib.sha256(content).hexdigest()
        if sha256 in self._known:
            return sha256
        async with httpx.AsyncClient(base_url=self.site.url, timeout=60) as http:
            answer = await http.put(
                f"/api/v1/media/{sha256}", content=content, headers={"Authorization": f"Bearer {self.site.token}"}
            )
        assert answer.status_code in (200, 201)
        self._known.add(sha256)
        return sha256

    async def held_crane(self, arrival_id: str = "held-1", *, ago_s: float = 38.0) -> str:
        """A yellow plate whose fourth character is B or 8, one character from a permit; the permit's id."""
        permit = await store.add_permit(
            self.site.given,
            store.Actor("approver"),
            plate="琼C78083",
            permit_class=PermitClass.SPECIAL,
            valid_from=self.started_at - timedelta(hours=3),
            valid_until=self.started_at + timedelta(hours=7),
            gates=("east", "north"),
            entries_left=3,
            vehicle_type="crane",
            holder="宏达吊装",
        )
        await self.vehicle(
            arrival_id,
            "琼C7B083",
            ago_s=ago_s,
            outcome="hold",
            unsure={3: "8"},
            colour="yellow",
            kind="large",
            energy="fuel",
            verdict="fuel",
            vehicle_type="crane",
            suggestions=["琼C78083"],
            reasons=[
                {"code": "near_permit", "clause": "", "detail": ""},
                {"code": "character_unsure", "clause": "project policy value", "detail": ""},
                {"code": "fuel_without_permit", "clause": "管理办法 art. 25", "detail": ""},
            ],
        )
        return permit.permit_id

    async def held_short_plate(self, arrival_id: str = "held-2", *, ago_s: float = 21.0) -> None:
        """A green plate that lost its last character."""
        reasons = [{"code": "colour_contradicts_format", "clause": "", "detail": ""}]
        await self.vehicle(
            arrival_id,
            "琼AD0827",
            ago_s=ago_s,
            outcome="hold",
            kind="small",
            verdict="unsure",
            energy="unknown",
            lane_id="n1",
            gate_id="north",
            reasons=reasons,
        )

    async def health(self, *lanes: dict[str, Any]) -> None:
        """A sign of life with the state of each lane."""
        body = {"at": utc_now().isoformat(), "lanes": list(lanes or LANES), "backlog": {"gate": 0, "media": 3}}
        await self.gateway.send(self.gateway.health(**body))

    async def guard_decided(self, arrival_id: str, outcome: str, *, ago_s: float = 5.0, by: str = "guard") -> None:
        """The gateway says that a person decided."""
        more = {"by": by, "source": "console", "reason_code": "plate_read_by_eye", "at": self.stamp(ago_s)}
        await self.gateway.send(self.gateway.guard_decided(arrival_id, outcome, **more))

    def stamp(self, ago_s: float) -> str:
        return (self.started_at - timedelta(seconds=ago_s)).isoformat(timespec="milliseconds")


LANES = [
    {
        "lane_id": "e1",
        "gate_id": "east",
        "direction": "in",
        "name": "东入口 1",
        "barrier": "closed",
        "camera": "ok",
        "loop_a": "free",
    },
    {
        "lane_id": "n1",
        "gate_id": "north",
        "direction": "in",
        "name": "北入口 1",
        "barrier": "closed",
        "camera": "ok",
        "loop_a": "free",
    },
    {
        "lane_id": "x1",
        "gate_id": "east",
        "direction": "out",
        "name": "东出口",
        "barrier": "open",
        "camera": "camera_frozen",
    },
]
PASSAGE: dict[str, Any] = {
    "lane_id": "e1",
    "gate_id": "east",
    "direction": "in",
    "outcome": "admit",
    "reasons": [{"code": "battery_electric", "clause": "管理办法 art. 25", "detail": ""}],
    "rule_version": "2026.1",
    "unavailable": None,
    "permit_id": None,
    "complete_permit_after": False,
    "record_emission": False,
    "suggestions": [],
    "snapshot_version": 1,
    "decide_ms": 21.4,
}


def reading_of(plate: str, colour: str, quad: list[list[float]], more: dict[str, Any]) -> dict[str, Any]:
    """A reading as gateways journal it; takes its own keys out of `more`."""
    unsure = more.pop("unsure", {})
    return {
        "text": plate,
        "kind": more.pop("kind", "nev_small"),
        "energy": more.pop("energy", "battery_electric"),
        "verdict": more.pop("verdict", "new_energy"),
        "colour": colour,
        "colour_confidence": 0.99,
        "confidence": 0.5 if unsure else 0.97,
        "characters": [_character(char, at, unsure) for at, char in enumerate(plate)],
        "quad": quad,
        "frames": 7,
    }


def _character(char: str, at: int, unsure: dict[int, str]) -> dict[str, Any]:
    if at in unsure:
        return {"char": char, "probability": 0.54, "alternatives": [[unsure[at], 0.44], ["0", 0.001]]}
    return {"char": char, "probability": 0.998 - at * 0.005, "alternatives": [["8", 0.001]]}


def stored_body(role: str, sha256: str, arrival_id: str, at: str) -> dict[str, Any]:
    body = {"sha256": sha256, "media_type": "image/jpeg", "size_bytes": 1, "arrival_id": arrival_id}
    return body | {"role": role, "at": at}


@on_one_loop()
async def scene(site: Site, people: None, make_gateway: Any) -> Scene:
    """Lanes, two held vehicles (a crane one character from a permit, a green plate one short) and some passed."""
    made = Scene(site, make_gateway(site.given))
    await made.health()
    for at, (plate, more) in enumerate(PASSED):
        await made.vehicle(f"passed-{at}", plate, ago_s=60 + at * 71, **more)
    await made.guard_decided("passed-3", "admit")
    await made.held_crane()
    await made.held_short_plate()
    await store.add_watch(
        site.given, store.Actor("approver"), plate="琼B66666", effect=WatchEffect.BLOCK, reason="三次冲卡"
    )
    return made


FUEL = {"colour": "blue", "kind": "small", "energy": "fuel", "verdict": "fuel"}
PASSED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("琼AD31906", {}),
    ("琼CF20773", {"energy": "plug_in_or_fuel_cell"}),
    ("琼C12345", FUEL | {"outcome": "refuse", "reasons": [{"code": "fuel_without_permit", "clause": "art. 25"}]}),
    ("琼AD55093", {"outcome": "hold", "reasons": [{"code": "too_few_frames"}]}),
    ("琼A12345D", {"colour": "yellow_green", "kind": "nev_large", "vehicle_type": "bus"}),
    ("琼X1234应急", {"colour": "white", "kind": "emergency", "verdict": "special", "complete_permit_after": True}),
    ("粤Z1234港", {"colour": "black", "kind": "hong_kong", "verdict": "special"}),
    ("琼C1234警", {"colour": "white", "kind": "police", "verdict": "special"}),
)
