"""Lanes without a barrier: owns deciding about every picture of a folder, and every plate that a stream shows.

Each passage goes through the same desk, journal and evidence as at a barrier; nothing is acted upon.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import structlog

from control.domain.readings import PlateReading, Unavailable
from control.gate.arrivals import Track
from control.gate.mounting import mounting_doubts, vehicle_around
from edge.arrival import Lookout, Shown, box_area, plate_width, vehicle_shown
from edge.changes import Changes
from edge.field_state import CameraWatch
from edge.inference import InferenceWorker
from edge.journal import Journal, JournalError
from edge.lane_facts import LaneSettings
from edge.passages import EvidenceDesk, Passage, PassageDesk, Sighting
from edge.ports import Camera, Clock, Frame, FrameReading, PictureSource, UnreadablePicture
from edge.tally import Tally

log = structlog.get_logger(__name__)

JOURNAL_RETRY_S = 1.0


class _Recorder:
    """Journal first, then the pictures; a journal that is full is waited for."""

    def __init__(
        self, journal: Journal, desk: PassageDesk, evidence: EvidenceDesk, clock: Clock, changes: Changes
    ) -> None:
        self._journal, self._desk, self._evidence = journal, desk, evidence
        self._clock, self._changes = clock, changes

    async def record(self, passage: Passage) -> None:
        while not await self._written(passage):
            await self._clock.sleep(JOURNAL_RETRY_S)
        self._desk.journalled([passage.event])
        self._changes.tell()

    async def _written(self, passage: Passage) -> bool:
        try:
            await self._journal.append(passage.event)
            await self._evidence.keep(passage)
        except JournalError as error:
            log.warning("journal cannot write; the picture waits", why=str(error))
            return False
        return True


class FolderLane:
    """Every picture is an arrival of its own; `finished` is set after the last one."""

    has_barrier = False

    def __init__(
        self,
        settings: LaneSettings,
        source: PictureSource,
        *,
        inference: InferenceWorker,
        journal: Journal,
        desk: PassageDesk,
        evidence: EvidenceDesk,
        changes: Changes,
        clock: Clock,
    ) -> None:
        self.settings = settings
        self._source, self._inference, self._desk = source, inference, desk
        self._recorder = _Recorder(journal, desk, evidence, clock, changes)
        self._clock = clock
        self.tally = Tally()
        self.finished = asyncio.Event()
        self.latest: Frame | Unavailable = Unavailable(clock.monotonic(), "camera_starting")

    async def run(self) -> None:
        """Go through the folder."""
        async for picture in self._source.pictures():
            await self._take(picture)
        self.finished.set()

    async def _take(self, picture: Frame | UnreadablePicture) -> None:
        self.tally.pictures += 1
        started = time.perf_counter()
        if isinstance(picture, UnreadablePicture):
            self.tally.unreadable += 1
            log.warning("picture cannot be decoded", file=picture.name, why=picture.why)
            sighting = Sighting(Unavailable(self._clock.monotonic(), "picture_unreadable"))
        else:
            self.latest = picture
            picture = replace(picture, vehicles=True)
            sighting = sighting_of(picture, await self._inference.read(self.settings.lane_id, picture))
        passage = self._desk.decide(self._desk.new_id(), sighting, self.settings.view)
        await self._recorder.record(passage)
        self.tally.read += isinstance(sighting.plate, PlateReading)
        self.tally.outcomes[passage.event.outcome] += 1
        self.tally.picture_ms.append((time.perf_counter() - started) * 1000)


def sighting_of(frame: Frame, reading: FrameReading | Unavailable) -> Sighting:
    """What one picture alone shows: its largest plate."""
    if isinstance(reading, Unavailable):
        return Sighting(reading, None, frame)
    vehicles = reading.vehicles or ()
    plate = max(reading.plates, key=plate_width, default=None)
    if plate is None:
        return Sighting(None, max(vehicles, key=box_area, default=None), frame)
    return Sighting(plate, vehicle_around(plate.quad, vehicles), frame, plate)


class WatchLane:
    """A stream without a barrier: a plate that was followed and is gone, is one passage."""

    has_barrier = False

    def __init__(
        self,
        settings: LaneSettings,
        camera: Camera,
        *,
        inference: InferenceWorker,
        journal: Journal,
        desk: PassageDesk,
        evidence: EvidenceDesk,
        changes: Changes,
        clock: Clock,
        ended: asyncio.Event,
    ) -> None:
        self.settings, self.camera = settings, camera
        self._inference, self._journal, self._desk = inference, journal, desk
        self._recorder = _Recorder(journal, desk, evidence, clock, changes)
        self._ended, self._clock = ended, clock
        self.camera_watch = CameraWatch(settings.lane_id, clock)
        self.lookout = Lookout()
        self.tally = Tally()
        self.finished = asyncio.Event()

    @property
    def latest(self) -> Frame | Unavailable:
        """The newest picture, or why there is none."""
        return self.camera.latest

    async def run(self) -> None:
        """Watch until the film ends, which a camera never does."""
        async with asyncio.TaskGroup() as tasks:
            pump = tasks.create_task(self.camera.run(), name=f"{self.settings.lane_id}-camera")
            look = tasks.create_task(self._look(), name=f"{self.settings.lane_id}-look")
            await self._ended.wait()
            await asyncio.wait([pump])
            look.cancel()
        await self._record_all(self.lookout.flush())
        self.finished.set()

    async def _look(self) -> None:
        while True:
            item = await self.camera.next()
            self.camera_watch.see(item)
            await self._tell_camera()
            if isinstance(item, Unavailable):
                continue
            if item.moving:
                await self._read(item)
            else:
                self.lookout.still(item)

    async def _tell_camera(self) -> None:
        news = self.camera_watch.news()
        if news:
            await self._journal.append_many(news)
            self.camera_watch.told()

    async def _read(self, frame: Frame) -> None:
        self.tally.pictures += 1
        frame = replace(frame, vehicles=self.lookout.wants_vehicles(frame.taken_s))
        reading = await self._inference.read(self.settings.lane_id, frame)
        if not isinstance(reading, Unavailable):
            await self._record_all(self.lookout.take(frame, reading))

    async def _record_all(self, ended: tuple[tuple[Track, Shown], ...]) -> None:
        for track, shown in ended:
            sighting = self._sighting(track, shown)
            started = time.perf_counter()
            passage = self._desk.decide(self._desk.new_id(), sighting, self.settings.view)
            await self._recorder.record(passage)
            self.tally.read += 1
            self.tally.outcomes[passage.event.outcome] += 1
            self.tally.picture_ms.append((time.perf_counter() - started) * 1000)

    def _sighting(self, track: Track, shown: Shown) -> Sighting:
        policy = self._desk.policy.rules.in_force(self._clock.now())
        doubts = () if policy is None else mounting_doubts(track.looks, policy)
        return Sighting(track.reading, vehicle_shown(track, shown), shown.frame, shown.reading, doubts)
