"""The one worker that reads pictures for every lane: owns fairness and what happens when it is behind.

Each lane has one place in the queue. A newer picture takes the place of its lane's older one (the newest
wins), so the queue never holds more than one picture a lane; the lane that was served longest ago is next.
What goes wrong with the reader is told by whoever keeps it; here it is one picture's answer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from control.domain.readings import Unavailable
from edge.ports import Clock, Frame, FrameReading, Picture
from edge.reader_process import ReaderFailedError, ReaderLostError

DROPPED, FAILED = "picture_dropped", "reader_failed"


class AsyncReader(Protocol):
    """Reads one picture at a time without holding up the loop."""

    async def read(self, image: Picture, *, vehicles: bool = False) -> FrameReading:
        """Raises ReaderFailedError for this picture, ReaderLostError when the reader itself is gone."""
        ...


@dataclass(slots=True)
class LaneTally:
    """What became of one lane's pictures, and how long the last one waited for its turn."""

    read: int = 0
    dropped: int = 0
    failed: int = 0
    waited_s: float = 0.0
    waited_s_max: float = 0.0


@dataclass(frozen=True, slots=True)
class _Job:
    frame: Frame
    asked_s: float
    answer: asyncio.Future[FrameReading | Unavailable]


class InferenceWorker:
    """`read` may be called by any lane at any time; `run` serves them one after another."""

    def __init__(self, reader: AsyncReader, clock: Clock) -> None:
        self._reader, self._clock = reader, clock
        self._waiting: dict[str, _Job] = {}
        self._served: list[str] = []
        self._work = asyncio.Event()
        self.tallies: dict[str, LaneTally] = {}

    async def read(self, lane_id: str, frame: Frame) -> FrameReading | Unavailable:
        """What the picture holds; `picture_dropped` when a newer one of the lane came first."""
        if (older := self._waiting.pop(lane_id, None)) is not None:
            self._drop(lane_id, older)
        job = _Job(frame, self._clock.monotonic(), asyncio.get_running_loop().create_future())
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

    def tally(self, lane_id: str) -> LaneTally:
        """The lane's figures since the start."""
        return self.tallies.setdefault(lane_id, LaneTally())

    def queue_age_s(self, lane_id: str) -> float:
        """For how long the lane's picture has been waiting; 0 where none waits."""
        job = self._waiting.get(lane_id)
        return 0.0 if job is None else max(0.0, self._clock.monotonic() - job.asked_s)

    def _next_lane(self) -> str:
        """The waiting lane that was served longest ago."""
        lane_id = min(self._waiting, key=lambda lane: self._served.index(lane) if lane in self._served else -1)
        self._served = [lane for lane in self._served if lane != lane_id] + [lane_id]
        return lane_id

    async def _serve(self, lane_id: str) -> None:
        job = self._waiting.pop(lane_id)
        tally = self.tally(lane_id)
        tally.waited_s = max(0.0, self._clock.monotonic() - job.asked_s)
        tally.waited_s_max = max(tally.waited_s_max, tally.waited_s)
        try:
            outcome = await self._outcome(lane_id, job.frame)
        except BaseException:
            job.answer.cancel()
            raise
        if not job.answer.done():
            job.answer.set_result(outcome)

    async def _outcome(self, lane_id: str, frame: Frame) -> FrameReading | Unavailable:
        tally = self.tally(lane_id)
        try:
            reading = await self._reader.read(frame.image, vehicles=frame.vehicles)
        except ReaderFailedError:
            tally.failed += 1
            return Unavailable(self._clock.monotonic(), FAILED)
        except ReaderLostError as error:
            tally.failed += 1
            return Unavailable(self._clock.monotonic(), error.why)
        tally.read += 1
        return reading

    def _drop(self, lane_id: str, job: _Job) -> None:
        self.tally(lane_id).dropped += 1
        if not job.answer.done():
            job.answer.set_result(Unavailable(self._clock.monotonic(), DROPPED))
