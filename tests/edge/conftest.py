"""Shared by the gateway's tests: a clock that only moves when told, pictures, and a JPEG maker."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest


class ManualClock:
    """Time that stands still until `advance`; sleepers wake in order."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0
        self.start = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed_s)

    def monotonic(self) -> float:
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.elapsed_s + seconds, future))
        await future

    def advance(self, seconds: float) -> None:
        self.elapsed_s += seconds
        due = [item for item in self._sleepers if item[0] <= self.elapsed_s]
        self._sleepers = [item for item in self._sleepers if item[0] > self.elapsed_s]
        for _, future in sorted(due, key=lambda item: item[0]):
            if not future.done():
                future.set_result(None)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def noisy(seed: int, level: int = 120, shape: tuple[int, int] = (240, 320)) -> np.ndarray:
    """A flat grey scene with the noise of a sensor."""
    noise = np.random.default_rng(seed).normal(0, 3, (*shape, 3))
    return np.clip(level + noise, 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", image)[1].tobytes()


@pytest.fixture
def make_noisy():
    return noisy


@pytest.fixture
def make_jpeg():
    return jpeg
