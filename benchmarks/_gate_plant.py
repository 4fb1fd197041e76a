"""The other side of the latency benchmark, in a process of its own: a camera and a barrier controller.

One new-energy car after another drives up, is let in, crosses, and makes room for the next. Speaks MJPEG over
HTTP and Modbus TCP, and prints its two ports as one JSON line.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime

import cv2
import numpy as np
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hw_sim.camera import LaneCamera, Seen, Shot
from hw_sim.fleet import Role, draw_fleet, draw_vehicle
from hw_sim.scenery import Weather

WIDTH_PX, HEIGHT_PX, FPS = 1280, 720, 12
SCENES, STANDS_AT_M = 24, -4.0
APPROACH_S, ARM_S, CROSSING_S, GAP_S, PATIENCE_S = 0.4, 0.2, 0.3, 1.6, 5.0


class Plant:
    """Where the car and the arm are, by the time since the last change."""

    def __init__(self, scenes: list[np.ndarray], empty: np.ndarray) -> None:
        self._scenes, self._empty = itertools.cycle(scenes), empty
        self._scene = next(self._scenes)
        self._rng = np.random.default_rng(5)
        self._came_s, self._opened_s = time.monotonic() + GAP_S, None

    def car_s(self) -> float:
        """Seconds since the present car came into view; negative while the road is empty."""
        return time.monotonic() - self._came_s

    def inputs(self) -> list[bool]:
        """Loop A, loop B, beam, limit open, limit closed, no faults. A car that is held backs out after a while."""
        if self._opened_s is None and self.car_s() > PATIENCE_S:
            self._next_car()
        opened = None if self._opened_s is None else time.monotonic() - self._opened_s
        gone = opened is not None and opened > ARM_S + CROSSING_S
        under = opened is not None and ARM_S < opened <= ARM_S + CROSSING_S
        up = opened is not None and opened >= ARM_S
        return [self.car_s() >= APPROACH_S and not gone, under, under, up, opened is None, False, False, False]

    def pulse(self, coil: int) -> None:
        """Open or close; a closed arm lets the next car come."""
        if coil == 0 and self._opened_s is None:
            self._opened_s = time.monotonic()
        if coil == 1:
            self._next_car()

    def _next_car(self) -> None:
        self._opened_s, self._scene = None, next(self._scenes)
        self._came_s = time.monotonic() + GAP_S

    def jpeg(self) -> bytes:
        """What the camera sees, with a sensor's noise."""
        scene = self._scene if self.car_s() >= 0 else self._empty
        noise = self._rng.integers(0, 5, (HEIGHT_PX // 4, WIDTH_PX // 4, 3), np.uint8)
        noisy = cv2.add(scene, cv2.resize(noise, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_NEAREST))
        return cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def scenes() -> tuple[list[np.ndarray], np.ndarray]:
    """Electric cars that stand before the arm, each with its own plate, and the empty lane."""
    at = datetime(2026, 11, 20, 3, tzinfo=UTC)
    lane, rng, fleet = (
        LaneCamera("bench", seed=11, weather=Weather.CLEAR, hour=11),
        random.Random(11),
        draw_fleet(11, at),
    )
    drawn = [
        draw_vehicle(rng, fleet, lane_id="bench", number=number, arrives_at_s=0.0, role=Role.ELECTRIC)
        for number in range(SCENES)
    ]
    shots = [Shot(at, (Seen(replace(one, dirt_frac=0.0), STANDS_AT_M, 0.0),)) for one in drawn]
    first, *others = (cv2.resize(lane.picture(shot), (WIDTH_PX, HEIGHT_PX)) for shot in (Shot(at, ()), *shots))
    return others, first


async def camera(plant: Plant, writer: asyncio.StreamWriter) -> None:
    """Stream until the other side goes."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=f\r\n\r\n")
    while True:
        jpeg = plant.jpeg()
        writer.write(b"--f\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(jpeg), jpeg))
        await writer.drain()
        await asyncio.sleep(1 / FPS)


async def main() -> None:
    """Serve until the input is closed."""
    plant = Plant(*scenes())

    async def act(code, start, address, count, registers, values):
        if code == 2:
            registers[0] = sum(bit << place for place, bit in enumerate(plant.inputs()))
        if code == 5 and values and values[0]:
            plant.pulse(address)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            await camera(plant, writer)

    bits = [SimData(0, count=16, values=False, datatype=DataType.BITS) for _ in range(2)]
    words = [SimData(0, count=160, values=0, datatype=DataType.REGISTERS) for _ in range(2)]
    device = SimDevice(1, simdata=([bits[0]], [bits[1]], [words[0]], [words[1]]), action=act)
    modbus = ModbusTcpServer(device, address=("127.0.0.1", 0))
    await modbus.listen()
    http = await asyncio.start_server(serve, "127.0.0.1", 0)
    ports = {
        "modbus": modbus.transport.sockets[0].getsockname()[1],
        "http": http.sockets[0].getsockname()[1],
    }
    print(json.dumps(ports), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    http.close()
    await modbus.shutdown()


if __name__ == "__main__":
    asyncio.run(main())
