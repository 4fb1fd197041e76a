"""One worker for all lanes: fair, bounded, and not stopped by one bad picture."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import numpy as np
import pytest
import structlog

from control.domain.readings import Unavailable
from edge.clock import SystemClock
from edge.inference import DROPPED, FAILED, InferenceWorker
from edge.ports import Frame


class GatedReader:
    """Gives back the picture's first value, one picture at each `step`; 255 raises."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self._gate = threading.Semaphore(0)

    def step(self, count: int = 1) -> None:
        self._gate.release(count)

    def read(self, image: np.ndarray, *, crop: bool = False) -> int:
        assert self._gate.acquire(timeout=10)
        value = int(image[0, 0, 0])
        self.order.append(value)
        if value == 255:
            raise ValueError("broken picture")
        return value


def frame(value: int) -> Frame:
    return Frame(np.full((2, 2, 3), value, np.uint8), datetime(2026, 1, 1, tzinfo=UTC), 0.0)


@asynccontextmanager
async def working(reader: GatedReader) -> AsyncIterator[InferenceWorker]:
    with ThreadPoolExecutor(1) as executor:
        worker = InferenceWorker(reader, executor, SystemClock())
        task = asyncio.create_task(worker.run())
        try:
            async with asyncio.timeout(20):
                yield worker
        finally:
            task.cancel()
            reader.step(50)
            await asyncio.gather(task, return_exceptions=True)


async def ask(worker: InferenceWorker, lane: str, value: int) -> asyncio.Task:
    task = asyncio.create_task(worker.read(lane, frame(value)))
    await asyncio.sleep(0)
    return task


async def test_the_newest_picture_of_a_lane_wins() -> None:
    reader = GatedReader()
    async with working(reader) as worker:
        first = await ask(worker, "a", 1)
        await asyncio.sleep(0)
        older, newer = await ask(worker, "a", 2), await ask(worker, "a", 3)
        reader.step(2)
        assert await first == 1
        assert (await older).why == DROPPED
        assert await newer == 3
    assert reader.order == [1, 3]
    assert worker.dropped_count == 1


async def test_a_busy_lane_does_not_starve_a_quiet_one() -> None:
    reader = GatedReader()
    async with working(reader) as worker:
        answers = [await ask(worker, "busy", 1)]
        for value in range(2, 12):
            answers.append(await ask(worker, "busy", value))
        answers.append(await ask(worker, "quiet", 100))
        answers.append(await ask(worker, "busy", 12))
        reader.step(3)
        await asyncio.gather(*answers)
    assert reader.order == [1, 100, 12]


async def test_lanes_are_served_in_turn() -> None:
    reader = GatedReader()
    async with working(reader) as worker:
        done: list[asyncio.Task] = []
        for round_number in range(3):
            waiting = [await ask(worker, lane, 10 * round_number + i) for i, lane in enumerate("abc")]
            reader.step(3)
            await asyncio.gather(*waiting)
            done += waiting
    assert reader.order == [0, 1, 2, 10, 11, 12, 20, 21, 22]


async def test_a_picture_that_breaks_the_reader_is_a_value_and_the_worker_goes_on() -> None:
    reader = GatedReader()
    async with working(reader) as worker:
        with structlog.testing.capture_logs() as logs:
            reader.step(2)
            bad = await worker.read("a", frame(255))
        assert isinstance(bad, Unavailable)
        assert bad.why == FAILED
        assert await worker.read("a", frame(7)) == 7
    assert [entry["log_level"] for entry in logs] == ["error"]
    assert (worker.read_count, worker.failed_count) == (1, 1)


async def test_a_lane_that_stopped_waiting_harms_nobody() -> None:
    reader = GatedReader()
    async with working(reader) as worker:
        gone = await ask(worker, "a", 1)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        reader.step(2)
        assert await worker.read("b", frame(2)) == 2
