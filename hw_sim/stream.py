"""One camera's stream: owns its pace, its faults and the newest picture that all viewers share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable

import cv2
import numpy as np

from hw_sim.camera import SIZE, LaneCamera, Shot
from hw_sim.config import CameraConfig
from hw_sim.faults import CameraFaults

_MOVING_SPEED = 0.05


class CameraStream:
    """Renders while somebody watches. A viewer that is slow misses pictures and delays nobody."""

    def __init__(
        self, camera: LaneCamera, shoot: Callable[[], Shot], config: CameraConfig, faults: CameraFaults
    ) -> None:
        self._camera = camera
        self._shoot = shoot
        self._config = config
        self._faults = faults
        self._viewers = 0
        self._watched = asyncio.Event()
        self._changed = asyncio.Condition()
        self._newest = b""
        self._number = 0
        self._drawing = asyncio.Lock()

    async def run(self) -> None:
        """Take pictures for ever, at the pace of what there is to see."""
        loop = asyncio.get_running_loop()
        await self.snapshot()  # The scenery takes a second or two to draw: before anybody watches.
        while True:
            await self._watched.wait()
            started_s = loop.time()
            shot = self._shoot()
            picture = await self.snapshot(shot)
            async with self._changed:
                self._newest, self._number = picture, self._number + 1
                self._changed.notify_all()
            await asyncio.sleep(max(0.01, 1.0 / self._fps(shot) - (loop.time() - started_s)))

    def _fps(self, shot: Shot) -> float:
        if not shot.vehicles:
            return self._config.fps_empty
        moving = any(abs(v.speed) > _MOVING_SPEED for v in shot.vehicles)
        return self._config.fps_moving if moving else self._config.fps_waiting

    async def snapshot(self, shot: Shot | None = None) -> bytes:
        """One picture as JPEG, with the camera's faults."""
        if self._faults.frozen and self._newest:
            return self._newest
        if self._faults.black:
            return _black()
        async with self._drawing:
            return await asyncio.to_thread(self._camera.jpeg, shot or self._shoot(), quality=self._config.jpeg_quality)

    async def pictures(self) -> AsyncGenerator[bytes, None]:
        """Every new picture from now on; ends when the stream is dropped."""
        self._viewers += 1
        self._watched.set()
        number = self._number
        try:
            while not self._faults.dropped:
                async with self._changed:
                    await self._changed.wait_for(lambda seen=number: self._number != seen)
                    picture, number = self._newest, self._number
                yield picture
        finally:
            self._viewers -= 1
            if not self._viewers:
                self._watched.clear()

    @property
    def dropped(self) -> bool:
        """Whether the camera refuses viewers."""
        return self._faults.dropped


def _black() -> bytes:
    encoded, data = cv2.imencode(".jpg", np.zeros((SIZE[1], SIZE[0], 3), np.uint8))
    assert encoded
    return data.tobytes()
