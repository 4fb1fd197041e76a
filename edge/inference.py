"""The one worker that reads pictures for every lane: owns fairness and what happens when it is behind.

Each lane has one place in the queue. A newer picture takes the place of its lane's older one (the newest
wins), so the queue never holds more than one picture a lane; lanes are served in turn.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from dataclasses import dataclass

import structlog

from control.domain.readings import Unavailable
from edge.ports import Clock, Frame, FrameReading, Reader

log = structlog.get_logger(__name__)

DROPPED, FAILED = "picture_dropped", "reader_failed"


@dataclass(frozen=True, slots=True)
class _Job:
    frame: Frame
    answer: asyncio.Future[FrameReading | Unavailable]


class InferenceWorker:
    """`read` may be called by any lane at any time; `run` serves them one after another."""

    def __init__(self, reader: Reader, executor: Executor, clock: Clock) -> None:
        self._reader, self._executor, self._clock = reader, executor, clock
        self._waiting: dict[str, _Job] = {}
        self._served: list[str] = []
        self._work = asyncio.Event()
        self.read_count = 0
        self.dropped_count = 0
        self.failed_count = 0

    async def read(self, lane_id: str, frame: Frame) -> FrameReading | Unavailable:
        """What the picture holds; `picture_dropped` when a newer one of the lane came first."""
        if (older := self._waiting.pop(lane_id, None)) is not None:
            self._drop(older)
        job = _Job(frame, asyncio.get_running_loop().create_future())
        self._waiting[lane_id] = job
        self._work.set()
        return await job.answer

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            await self._work.wait()
            if not self._waiting:
                self._work.clear()
                continue
            await self._serve(self._next_lane())

    def _next_lane(self) -> str:
        """The waiting lane that was served longest ago."""
        lane_id = min(self._waiting, key=lambda lane: self._served.index(lane) if lane in self._served else -1)
        self._served = [lane for lane in self._served if lane != lane_id] + [lane_id]
        return lane_id

    async def _serve(self, lane_id: str) -> None:
        job = self._waiting.pop(lane_id)
        reading = asyncio.get_running_loop().run_in_executor(self._executor, self._reader.read, job.frame.image)
        await asyncio.wait([reading])
        if not job.answer.done():
            job.answer.set_result(self._outcome(lane_id, reading))

    def _outcome(self, lane_id: str, reading: asyncio.Future[FrameReading]) -> FrameReading | Unavailable:
        error = reading.exception()
        if error is None:
            self.read_count += 1
            return reading.result()
        self.failed_count += 1
        log.error("reader failed on a picture", lane=lane_id, exc_info=error)
        return Unavailable(self._clock.monotonic(), FAILED)

    def _drop(self, job: _Job) -> None:
        self.dropped_count += 1
        if not job.answer.done():
            job.answer.set_result(Unavailable(self._clock.monotonic(), DROPPED))
