"""The running gate over its real sockets: stream, snapshot, truth, faults."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import cv2
import httpx
import numpy as np
import pytest

from edge.rules_file import delivered_rules
from hw_sim.camera import SIZE
from hw_sim.config import CameraConfig, GateConfig, LaneConfig, SimConfig
from hw_sim.service import Addresses, SimulatedGate

CONFIG = SimConfig(
    gate=GateConfig(http_port=0, speed=6.0, showcase=True, hour=10.5),
    camera=CameraConfig(fps_moving=20.0, fps_waiting=20.0, fps_empty=20.0),
    lane=(LaneConfig(id="in-1", label="IN-1", modbus_port=0, first_s=0.5),),
)


@dataclass
class Running:
    """The gate, where it is, and a client for it."""

    gate: SimulatedGate
    at: Addresses
    http: httpx.AsyncClient

    async def fault(self, name: str, value: object = True) -> httpx.Response:
        return await self.http.post("/faults", json={"lane": "in-1", "fault": name, "value": value})

    async def pictures(self, count: int) -> list[bytes]:
        """The first pictures of the stream, cut at their stated lengths."""
        found: list[bytes] = []
        async with self.http.stream("GET", "/lane/in-1/stream.mjpg") as answer:
            assert answer.headers["content-type"].startswith("multipart/x-mixed-replace")
            buffer = b""
            async for chunk in answer.aiter_raw():
                buffer += chunk
                while (part := cut(buffer)) is not None:
                    picture, buffer = part
                    found.append(picture)
                    if len(found) == count:
                        return found
        return found


def cut(buffer: bytes) -> tuple[bytes, bytes] | None:
    """One part of the multipart stream and what follows it."""
    head, found, rest = buffer.partition(b"\r\n\r\n")
    if not found:
        return None
    length = int(next(line for line in head.split(b"\r\n") if b"Content-Length" in line).split(b":")[1])
    return (rest[:length], rest[length + 2 :]) if len(rest) >= length + 2 else None


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    gate = SimulatedGate(CONFIG, delivered_rules(), now=lambda: datetime.now(UTC), monotonic=time.monotonic)
    async with gate.running() as at, httpx.AsyncClient(base_url=f"http://127.0.0.1:{at.http_port}", timeout=60) as http:
        yield Running(gate, at, http)


async def test_stream_sends_pictures_that_differ(running: Running):
    pictures = await running.pictures(3)
    images = [cv2.imdecode(np.frombuffer(p, np.uint8), cv2.IMREAD_COLOR) for p in pictures]
    assert {image.shape for image in images} == {(SIZE[1], SIZE[0], 3)}
    assert len(set(pictures)) == 3


async def test_snapshot_truth_and_state(running: Running):
    picture = await running.http.get("/lane/in-1/snapshot.jpg")
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content[:2] == b"\xff\xd8"
    async with asyncio.timeout(60):
        while not (truth := (await running.http.get("/truth")).json()) or not truth[0]["on_loop_at"]:
            await asyncio.sleep(0.05)
    assert truth[0]["lane_id"] == "in-1"
    assert truth[0]["role"] == "electric"
    assert truth[0]["expected_outcomes"] == ["admit", "hold"]
    state = (await running.http.get("/state")).json()
    assert state["in-1"]["vehicles"][0] == truth[0]["vehicle_id"]
    assert sum(state["in-1"]["violations"].values()) == 0


async def test_frozen_camera_repeats_itself_and_black_one_is_black(running: Running):
    await running.pictures(1)
    assert (await running.fault("camera_frozen")).status_code == 200
    frozen = await running.pictures(3)
    assert len(set(frozen)) == 1
    await running.fault("camera_frozen", False)
    await running.fault("camera_black")
    async with asyncio.timeout(60):
        picture = (await running.pictures(2))[-1]
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).max() == 0


async def test_dropped_stream_ends_and_is_refused_until_it_is_back(running: Running):
    collected = asyncio.create_task(running.pictures(10_000))
    async with asyncio.timeout(60):
        while not running.gate.stations["in-1"].stream._viewers:
            await asyncio.sleep(0.02)
    await running.fault("camera_dropped")
    async with asyncio.timeout(60):
        await collected
    assert (await running.http.get("/lane/in-1/stream.mjpg")).status_code == 503
    await running.fault("camera_dropped", False)
    assert len(await running.pictures(1)) == 1


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"lane": "in-1", "fault": "nonsense"}, "barrier_stuck"),
        ({"lane": "in-9", "fault": "barrier_stuck"}, "in-1"),
        ({"lane": "in-1", "fault": "loop_a", "value": "melted"}, "melted"),
        ([1], "None"),
    ],
)
async def test_wrong_faults_are_refused_with_what_is_known(running: Running, body: object, named: str):
    answer = await running.http.post("/faults", json=body)
    assert answer.status_code == 400
    assert named in answer.json()["error"]


async def test_garbage_on_the_socket_is_answered_and_does_no_harm(running: Running):
    for garbage in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"\x00\xff\r\n\r\n"):
        reader, writer = await asyncio.open_connection("127.0.0.1", running.at.http_port)
        writer.write(garbage)
        assert b" 400 " in await asyncio.wait_for(reader.readline(), timeout=60)
        writer.close()
        await writer.wait_closed()
    assert (await running.http.get("/nothing")).status_code == 404


async def test_paused_gate_lets_nobody_come_until_told():
    config = replace(CONFIG, gate=replace(CONFIG.gate, paused=True))
    seconds = itertools.count(0.0, 0.05)
    gate = SimulatedGate(config, delivered_rules(), now=lambda: datetime.now(UTC), monotonic=lambda: next(seconds))
    for _ in range(200):
        gate.world.step(0.05)
    assert gate.world.quiet
    gate._arrivals({"stopped": False})
    for _ in range(40):
        gate.world.step(0.05)
    assert not gate.world.quiet
