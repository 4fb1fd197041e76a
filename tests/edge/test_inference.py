"""One worker for all lanes: fair, bounded, and not stopped by one bad picture."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import numpy as np
import pytest

from control.domain.readings import Unavailable
from edge.clock import SystemClock
from edge.inference import DROPPED, FAILED, InferenceWorker
from edge.ports import Frame
from edge.reader_process import ReaderFailedError, ReaderLostError


class GatedReader:
    """Gives back the picture's first value, one picture at each `step`; 255 fails, 254 is the reader's end."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self._gate = asyncio.Semaphore(0)

    def step(self, count: int = 1) -> None:
        for _ in range(count):
            self._gate.release()

    async def read(self, image: np.ndarray, *, vehicles: bool = False) -> int:
        await self._gate.acquire()
        value = int(image[0, 0, 0])
        self.order.append(value)
        if value == 255:
            raise ReaderFailedError("broken picture")
        if value == 254:
            raise ReaderLostError("reader_died", "ended by SIGSEGV")
        return value


def frame(value: int) -> Frame:
    return Frame(np.full((2, 2, 3), value, np.uint8), datetime(2026, 1, 1, tzinfo=UTC), 0.0)


@asynccontextmanager
async def working(reader: GatedReader) -> AsyncIterator[InferenceWorker]:
    worker = InferenceWorker(reader, SystemClock())
    task = asyncio.create_task(worker.run())
    try:
        async with asyncio.timeout(60):
            yield worker
    finally:
        task.cancel()
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
    assert (worker.tally("a").read, worker.tally("a").dropped) == (2, 1)


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
        reader.step(2)
        bad = await worker.read("a", frame(255))
        assert isinstance(bad, Unavailable)
        assert bad.why == FAILED
        assert await worker.read("a", frame(7)) == 7
    assert (worker.tally("a").read, worker.tally("a").failed) == (1, 1)


async def test_a_lane_that_stopped_waiting_harms_nobody() -> None:
    reader = GatedReader()
    async with working(reader) as worker:
        gone = await ask(worker, "a", 1)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        reader.step(2)
        assert await worker.read("b", frame(2)) == 2


async def test_a_reader_that_is_lost_is_a_value_too() -> None:
    reader = GatedReader()
    async with working(reader) as worker:
        reader.step(2)
        lost = await worker.read("a", frame(254))
        assert isinstance(lost, Unavailable)
        assert lost.why == "reader_died"
        assert await worker.read("b", frame(1)) == 1


async def test_four_busy_lanes_get_the_same_share_and_no_picture_grows_old() -> None:
    """Each lane offers pictures much faster than they can be read; a lane waits for the three others at most."""
    reader = GatedReader()
    lanes = {"a": 10, "b": 20, "c": 30, "d": 40}
    async with working(reader) as worker:
        asked: list[asyncio.Task] = []
        for _ in range(50):
            for _ in range(5):
                for lane, value in lanes.items():
                    asked.append(await ask(worker, lane, value))
            assert len(worker._waiting) <= len(lanes)
            reader.step()
            await asyncio.sleep(0.001)
        reader.step(len(lanes) + 1)
        await asyncio.gather(*asked)
    shares = [reader.order.count(value) for value in lanes.values()]
    assert max(shares) - min(shares) <= 1
    for start in range(len(reader.order) - 3):
        assert len(set(reader.order[start : start + 4])) == 4
    tallies = [worker.tally(lane) for lane in lanes]
    assert sum(tally.read + tally.dropped for tally in tallies) == len(asked)
    assert all(tally.dropped >= 200 for tally in tallies)


async def test_the_age_of_a_waiting_picture_is_known() -> None:
    reader = GatedReader()
    async with working(reader) as worker:
        first = await ask(worker, "a", 1)
        await asyncio.sleep(0.01)
        second = await ask(worker, "b", 2)
        await asyncio.sleep(0.02)
        assert worker.queue_age_s("b") >= 0.02
        assert worker.queue_age_s("a") == 0.0
        reader.step(2)
        await asyncio.gather(first, second)
        assert worker.queue_age_s("b") == 0.0
        assert worker.tally("b").waited_s_max >= 0.02
