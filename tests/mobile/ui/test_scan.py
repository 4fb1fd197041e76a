"""Scanning in a real window: codes of simulated devices before the camera, the real reader, the real cloud."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import segno

from cloud_sync.server.points import devices, ways
from cloud_sync.server.points.devices import Shows
from cloud_sync.server.store import Actor
from hw_sim.http_server import Request
from hw_sim.points_devices import PointsDevices

OFFICE = Actor("office")
CAN = "recycling.aluminium"


@dataclass
class Street:
    """Devices that stand on the island, and the picture that is held before the phone's camera."""

    island: Any
    picture: Path
    shown: PointsDevices = field(init=False)

    def __post_init__(self) -> None:
        self.shown = PointsDevices(self.island.clock)

    async def put_up(self, name: str, *keys: str, directions: tuple[Shows, ...] = (), makes_acts: bool = False) -> str:
        """A device of the cloud with its secret in the simulated one; its id."""
        wish = devices.DeviceWish(
            name=name, place=name, keys=keys, directions=directions or (Shows.ACT,) * len(keys), makes_acts=makes_acts
        )
        made = await devices.add_device(self.island.given, OFFICE, wish)
        self.shown.put_up(json.loads(made.file_text) | {"name": name})
        return made.device_id

    def ask(self, method: str, *path: str, body: Any = None) -> Any:
        """What the device's own page answers."""
        answer = self.shown.answer(Request(method, "/".join(path), body), list(path))
        assert answer.status == 200, answer.content
        return answer.content if answer.content_type == "image/png" else json.loads(answer.content)

    def hold(self, device_id: str) -> None:
        """Holds the screen of the device before the camera."""
        self.put(self.ask("GET", device_id, "code.png"))

    def put(self, content: bytes) -> None:
        """Never half a picture."""
        beside = self.picture.with_suffix(".part")
        beside.write_bytes(content)
        beside.replace(self.picture)

    def put_text(self, text: str) -> None:
        """A code of somebody else."""
        beside = self.picture.with_suffix(".other.png")
        segno.make_qr(text).save(str(beside), scale=8, border=4)
        self.put(beside.read_bytes())

    async def way(self, start: str, end: str, metres: int) -> None:
        """A line between two stops."""
        day = self.island.clock().date() - timedelta(days=1)
        wish = ways.WayWish(
            from_place=start, to_place=end, metres=metres, valid_from=day, source="route plan", reason="a line"
        )
        await ways.set_way(self.island.given, OFFICE, wish)

    async def points(self) -> int:
        """What the cloud counted."""
        return int(
            await self.island.given.pool.fetchval(
                "SELECT coalesce(sum(points), 0) FROM point_events WHERE state = 'granted'"
            )
        )


@pytest.fixture
def street(island: Any, tmp_path: Path) -> Street:
    """An empty one; what is held before the camera is this picture."""
    made = Street(island, tmp_path / "camera.png")
    made.put_text("NOTHING YET")
    return made


@pytest.fixture
def at_home(island: Any, signed_in: Callable[..., Any]) -> Callable[..., Any]:
    """`await at_home(url)`: a phone whose owner has had an account for a month, so that points are not held."""

    async def made(url: str = "") -> Path:
        folder: Path = await signed_in("visitor", server=url)
        await island.given.pool.execute("UPDATE users SET created_at = created_at - interval '30 days'")
        return folder

    return made


async def another(app: Any) -> None:
    """The next code may be held before the camera: one that is read while a result stands there is not told."""
    await app.tap("scan-result-again")
    await app.wait_for("scan-result", gone=True)


async def test_points_are_earned_by_the_code_of_a_recycling_machine(
    stage: Any, street: Street, at_home: Callable[..., Any]
) -> None:
    machine = await street.put_up("Recycling cube", CAN, makes_acts=True)
    street.ask("POST", machine, "acts", body={"slot": 0, "amount": 100})
    app = await stage(
        server=street.island.url, data_dir=await at_home(), language="en", theme="light", camera=str(street.picture)
    )
    await app.tap("tab-scan")
    await app.wait_for(text="Not a code of the island")
    await another(app)
    street.hold(machine)
    await app.wait_for(text="Points earned")
    assert f"+{await street.points():,}" in await app.texts()
    await another(app)
    assert (await app.state())["waiting"] == 0

    # The same act, typed: it is known already, and nothing is counted twice.
    before = await street.points()
    await app.tap("scan-type")
    await app.type(street.ask("GET", machine, "code")["typed"].lower(), into="typed-code")
    await app.tap("typed-hand-in")
    await app.wait_for(text="No points this time")
    assert await street.points() == before
    assert (await app.state())["faults"] == 0


async def test_a_code_scanned_without_a_network_survives_and_counts_once(
    stage: Any, street: Street, at_home: Callable[..., Any], wire: Any
) -> None:
    machine = await street.put_up("Recycling cube", CAN, makes_acts=True)
    street.ask("POST", machine, "acts", body={"slot": 0, "amount": 100})
    line = await wire(street.island.url)
    choices = {"data_dir": await at_home(line.url), "server": line.url, "camera": str(street.picture), "language": "zh"}
    app = await stage(**choices)
    await line.cut()
    await app.tap("tab-scan")
    await app.wait_for("scan-result")
    await another(app)
    street.hold(machine)
    await app.wait_for(text="已存在手机里")
    assert "连上后自动入账，不会重复计分。" in await app.texts()
    app.kill()
    await app.gone()

    app = await stage(**choices)
    await app.wait_state(waiting=1)
    await app.tap("tab-scan")
    await app.wait_for(text="已存在手机里")  # the same code is known, also to the app that was started anew
    await line.mend()
    await app.wait_for(text="积分到账")
    assert await street.points() > 0
    assert await street.island.given.pool.fetchval("SELECT count(*) FROM point_scans") == 1


async def test_a_trip_is_begun_ended_and_explained(stage: Any, street: Street, at_home: Callable[..., Any]) -> None:
    both = (Shows.EITHER,)
    wharf = await street.put_up("码头 Wharf", "shuttle", directions=both)
    hall = await street.put_up("会议中心 Conference centre", "shuttle", directions=both)
    await street.way("码头 Wharf", "会议中心 Conference centre", 2_600)
    app = await stage(
        server=street.island.url, data_dir=await at_home(), language="en", theme="light", camera=str(street.picture)
    )
    street.hold(wharf)
    await app.tap("tab-scan")
    await app.wait_for(text="Trip begun")
    await app.tap("scan-result-trip")
    await app.wait_for("running")
    await app.tap("tab-me")
    await app.wait_for(text="From Wharf. Scan where you get off.")  # said on every other screen
    await app.tap("tab-trips")
    # Nine minutes on the way, without a clock that jumps.
    await street.island.given.pool.execute("UPDATE point_scans SET code_at = code_at - interval '9 minutes'")
    street.hold(hall)
    await app.tap("end-trip")
    await app.wait_for(text="Trip ended")
    assert "+192" in await app.texts()
    await app.tap("scan-result-trip")
    await app.tap(text="Wharf to Conference centre")
    await app.wait_for("computed")
    texts = await app.texts()
    for text in ("2.6 km", "104 g", "30 g", "192 g = 192 points", "+192"):
        assert text in texts
    await app.tap("trip-tell")
    await app.type("The bus went the long way.", into="appeal-text")
    await app.tap("appeal-send")
    await app.wait_for(text="We have it")
    message = await street.island.given.pool.fetchval("SELECT message FROM data_requests")
    assert message.endswith("The bus went the long way.")
    assert (await app.state())["faults"] == 0


async def test_a_person_who_refuses_the_camera_types_the_code_or_chooses_a_photo(
    stage: Any, street: Street, at_home: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = await street.put_up("Bins", "waste_sorting")
    machine = await street.put_up("Recycling cube", CAN, makes_acts=True)
    street.ask("POST", machine, "acts", body={"slot": 0, "amount": 100})
    pictures = tmp_path / "home" / "Pictures"
    pictures.mkdir(parents=True)
    (pictures / "code.png").write_bytes(street.ask("GET", machine, "code.png"))
    (pictures / "broken.jpg").write_bytes(b"\xff\xd8\xff half a picture")
    monkeypatch.setenv("HOME", str(pictures.parent))
    app = await stage(server=street.island.url, data_dir=await at_home(), language="en", camera="denied")
    await app.tap("tab-scan")
    await app.wait_for(text="The app may not use the camera")

    await app.tap("scan-type")
    await app.type("7k3q", into="typed-code")
    await app.tap("typed-hand-in")
    await app.wait_for(text="A board shows 10 characters")
    await app.type(street.ask("GET", board, "code")["typed"].lower(), clear=True, into="typed-code")
    await app.tap("typed-hand-in")
    await app.wait_for(text="Points earned")
    typed = await street.points()
    assert typed > 0
    await app.tap("scan-result-again")

    for name, told in (("broken.jpg", "The picture is damaged."), ("code.png", "Points earned")):
        await app.tap("scan-photo")
        await app.tap("file-Pictures")
        await app.tap(f"file-{name}")
        await app.wait_for(text=told)
    assert await street.points() > typed
    assert (await app.state())["faults"] == 0


async def test_in_the_background_the_camera_is_for_others(
    stage: Any, street: Street, at_home: Callable[..., Any]
) -> None:
    app = await stage(
        server=street.island.url, data_dir=await at_home(), language="en", theme="light", camera=str(street.picture)
    )
    await app.tap("tab-scan")
    await app.wait_for(text="Not a code of the island")
    for _ in range(2):
        assert await app.away(True) == "off"
        assert await app.away(False) in ("starting", "on")
    await another(app)
    street.put_text("SEEN AFTERWARDS")
    await app.wait_for(text="Not a code of the island")
    assert (await app.state())["faults"] == 0
