"""Vehicles that show a pass, and devices that show codes of points: what the camera reads, what the cloud accepts."""

from __future__ import annotations

import asyncio
import json
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import zxingcpp

from cloud_sync.contract.pass_code import issue
from cloud_sync.contract.signed import KeyPair
from control.domain.permits import Permit, PermitClass
from control.points import rules as point_rules
from control.points.rotating_code import (
    ClockModel,
    CodeAccepted,
    CodeRefusal,
    Device,
    Scan,
    device_key,
    verify,
)
from control.points.rules import parse_rules
from edge.adapters.pass_codes import ZxingPassReader
from edge.rules_file import delivered_rules
from hw_sim.camera import LaneCamera, Seen, Shot
from hw_sim.config import GateConfig, LaneConfig, SimConfig
from hw_sim.fleet import PassPlace
from hw_sim.http_server import Answer, Request
from hw_sim.points_devices import PointsDevices
from hw_sim.scenery import Weather
from hw_sim.sent import BadVehicle, drawn_of
from hw_sim.service import SimulatedGate
from hw_sim.world import STOP_M

RULES_FILE = Path(point_rules.__file__).with_name("rules.toml")
NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)
KEY = KeyPair.generate()
PERMIT = Permit(
    "XK-2026-000529", "琼C78083", PermitClass.SPECIAL, NOW, NOW + timedelta(days=3), frozenset({"east", "west"}), 3
)
TEXT = issue(PERMIT, issued_at=NOW, key=KEY)


@pytest.mark.parametrize("vehicle_type", ["crane", "truck", "car", "ambulance", "pickup", "sanitation"])
@pytest.mark.parametrize(("hour", "weather"), [(10.0, Weather.CLEAR), (22.0, Weather.RAIN)])
def test_the_gate_s_camera_reads_the_board_of_a_vehicle_at_the_line(
    vehicle_type: str, hour: float, weather: Weather
) -> None:
    drawn = drawn_of({"plate": "琼C78083", "vehicle_type": vehicle_type, "dirt_frac": 0.9, "pass_text": TEXT})
    camera = LaneCamera("E-IN-1", seed=3, weather=weather, hour=hour)
    found = set()
    for _ in range(4):
        jpeg = np.frombuffer(camera.jpeg(Shot(NOW, (Seen(drawn, STOP_M, 0.0),))), np.uint8)
        found.update(ZxingPassReader().read(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)))
    assert found == {TEXT}


@pytest.mark.parametrize(
    "body", [None, {}, {"plate": 5}, {"plate": "琼C78083", "vehicle_type": "boat"}, {"plate": "", "colour": "pink"}]
)
def test_a_wish_that_is_no_vehicle_is_refused_by_name(body: object) -> None:
    with pytest.raises(BadVehicle):
        drawn_of(body)


async def test_a_vehicle_that_was_sent_comes_and_its_driver_scans(monkeypatch: pytest.MonkeyPatch) -> None:
    config = SimConfig(
        gate=GateConfig(http_port=0, speed=8.0, paused=True, hour=10.0),
        lane=(LaneConfig(id="in-1", modbus_port=0, scanner_port=0),),
    )
    seconds = iter(range(10_000_000))
    gate = SimulatedGate(config, delivered_rules(), now=lambda: NOW, monotonic=lambda: next(seconds) * 0.01)
    async with gate.running() as at, asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", at.scanner_ports["in-1"])
        while not gate.stations["in-1"].scanner.heard:
            await asyncio.sleep(0.01)
        body = {"plate": "琼C78083", "pass_text": TEXT, "pass_place": "scanner"}
        drawn = gate.stations["in-1"].lane.arrivals.send(drawn_of(body))
        assert drawn.pass_place is PassPlace.SCANNER
        assert not gate.world.quiet
        assert await reader.readline() == TEXT.encode() + b"\r\n"
        writer.close()


# ------------------------------------------------------------------------------------------------ devices of points


SECRET = device_key(b"m" * 32, "stop-1", 1)
BOARD = Device(
    device_id="stop-1", number=7, secrets=(SECRET,), keys=("shuttle",), clock=ClockModel(0, NOW), place="hall"
)
MACHINE = replace(BOARD, keys=("recycling.pet", "recycling.aluminium"), makes_acts=True)


class Island:
    """Devices that are put up, a clock that is told, and the cloud's check of what they show."""

    def __init__(self) -> None:
        self.now = NOW
        self.devices = PointsDevices(lambda: self.now)
        self.rules = parse_rules(tomllib.loads(RULES_FILE.read_text(encoding="utf-8"))).at(NOW.date())

    async def ask(self, method: str, path: str, body: object = None) -> Answer:
        return self.devices.answer(Request(method, path, body), [part for part in path.split("/") if part])

    async def shown(self) -> dict:
        return json.loads((await self.ask("GET", "stop-1/code")).content)

    async def put_up(self, *, makes_acts: bool = False) -> None:
        body = {"device_id": "stop-1", "number": 7, "secret_hex": SECRET.hex(), "makes_acts": makes_acts}
        assert (await self.ask("POST", "", body)).status == 200

    def judged(self, text: str, device: Device) -> CodeAccepted | CodeRefusal:
        known = SimpleNamespace(device=lambda number: device if number == 7 else None, used=lambda key: False)
        return verify(Scan(text=text, person_id="ann", scanned_at=self.now, received_at=self.now), known, self.rules)


async def test_a_board_s_code_is_accepted_and_is_another_after_half_a_minute() -> None:
    island = Island()
    await island.put_up()
    first = await island.shown()
    assert isinstance(island.judged(first["text"], BOARD), CodeAccepted)
    assert isinstance(island.judged(first["typed"], BOARD), CodeAccepted)
    picture = await island.ask("GET", "stop-1/code.png")
    image = cv2.imdecode(np.frombuffer(picture.content, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert [code.text for code in zxingcpp.read_barcodes(image)] == [first["text"]]
    island.now += timedelta(seconds=30)
    second = await island.shown()
    assert second["text"] != first["text"]
    assert 0 < second["seconds_left"] <= 30


async def test_a_machine_shows_one_code_for_one_act() -> None:
    island = Island()
    await island.put_up(makes_acts=True)
    assert (await island.shown())["text"] == ""
    await island.ask("POST", "stop-1/acts", {"slot": 1, "amount": 500})
    found = island.judged((await island.shown())["text"], MACHINE)
    assert isinstance(found, CodeAccepted)
    assert (found.key, found.content.amount, found.content.counter) == ("recycling.aluminium", 500, 1)
    await island.ask("POST", "stop-1/acts", {"slot": 0, "amount": 120})
    again = island.judged((await island.shown())["text"], MACHINE)
    assert isinstance(again, CodeAccepted)
    assert again.use_key != found.use_key


async def test_an_offline_device_is_believed_for_a_day_and_a_wrong_clock_is_not() -> None:
    island = Island()
    await island.put_up()
    await island.ask("POST", "stop-1/faults", {"offline": True, "drift_s_per_day": 4})
    island.now += timedelta(days=1)
    assert isinstance(island.judged((await island.shown())["text"], BOARD), CodeAccepted)
    await island.ask("POST", "stop-1/faults", {"drift_s": 3600})
    assert isinstance(island.judged((await island.shown())["text"], BOARD), CodeRefusal)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "nowhere/code", None, 400),
        ("POST", "", {"device_id": "x"}, 400),
        ("POST", "", {"device_id": "x", "number": 5, "secret_hex": "not hex"}, 400),
        ("POST", "", {"device_id": "x", "number": 1 << 40, "secret_hex": "00"}, 400),
        ("POST", "stop-1/acts", {"amount": "much"}, 400),
        ("DELETE", "", None, 404),
    ],
)
async def test_what_a_device_does_not_understand_is_said(method: str, path: str, body: object, status: int) -> None:
    island = Island()
    await island.put_up(makes_acts=True)
    assert (await island.ask(method, path, body)).status == status
