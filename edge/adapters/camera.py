"""Cameras that stream: owns MJPEG over HTTP, and RTSP and video files through OpenCV.

Each keeps the newest picture only. A stream that ends, is silent or stands still is told as
`Unavailable`, and is opened anew after a jittered wait. Folders of pictures are in `adapters.folder`.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import cv2
import httpx
import numpy as np

from control.domain.errors import DeviceError
from control.domain.readings import Unavailable
from edge.adapters.mjpeg import MjpegParser, boundary_of
from edge.adapters.picture_watch import FreezeWatch, MotionWatch
from edge.ports import Clock, Frame, Picture
from edge.retrying import Backoff
from edge.slots import Slot

LOST, FROZEN, STARTING = "camera_lost", "camera_frozen", "camera_starting"
PICTURE_EDGE_PX_MIN = 16
_HANDOVER_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class RawPicture:
    """A picture as it came, JPEG bytes or pixels, and when its last byte was here (monotonic seconds)."""

    jpeg: bytes | None
    image: Picture | None
    taken_s: float = 0.0


class PictureStream(Protocol):
    """One attempt at a stream. `ends` is true where reaching the end is success, as with a file."""

    ends: bool

    def open(self) -> AsyncIterator[RawPicture]:
        """Pictures until the stream breaks; raises DeviceError."""
        ...


class StreamCamera:
    """A camera kept alive: pumps one stream, opens it anew, watches for silence and standing still."""

    def __init__(
        self, stream: PictureStream, *, clock: Clock, backoff: Backoff, frozen_after_s: float, fps_max: float
    ) -> None:
        self._stream, self._clock, self._backoff = stream, clock, backoff
        self._frozen_after_s = frozen_after_s
        self._gap_s = 1.0 / fps_max if fps_max > 0 else 0.0
        self._raw: Slot[RawPicture] = Slot()
        self._out: Slot[Frame | Unavailable] = Slot()
        self._latest: Frame | Unavailable = Unavailable(clock.monotonic(), STARTING)
        self.ended = asyncio.Event()

    @property
    def latest(self) -> Frame | Unavailable:
        """The newest picture, or why there is none."""
        return self._latest

    @property
    def dropped(self) -> int:
        """Pictures that were too old by the time somebody had room for them."""
        return self._raw.dropped + self._out.dropped

    async def next(self) -> Frame | Unavailable:
        """Wait for a picture newer than the last one given, or for news of a loss."""
        return await self._out.take()

    async def run(self) -> None:
        """Stream for ever; with a file, until it has been shown once."""
        while not self.ended.is_set():
            await self._once()

    async def _once(self) -> None:
        pump = asyncio.create_task(self._pump(), name="camera-pump")
        decode = asyncio.create_task(self._decode(), name="camera-decode")
        try:
            await pump
            self._backoff.succeeded()
        except DeviceError:
            self._lose(LOST)
            await self._clock.sleep(self._backoff.next_s())
        finally:
            await _stop(pump, decode)
        if self._stream.ends:
            self.ended.set()

    async def _pump(self) -> None:
        last_s = -1e9
        async with contextlib.aclosing(self._stream.open()) as pictures:
            async for raw in pictures:
                now_s = self._clock.monotonic()
                if now_s - last_s >= self._gap_s or self._stream.ends:
                    self._raw.put(replace(raw, taken_s=now_s))
                    last_s = now_s
                if self._stream.ends:
                    await asyncio.sleep(0)

    async def _decode(self) -> None:
        freeze, motion = FreezeWatch(self._frozen_after_s), MotionWatch()
        while True:
            raw = await self._raw.take()
            image = raw.image if raw.image is not None else await asyncio.to_thread(decode_jpeg, raw.jpeg or b"")
            if image is not None:
                self._backoff.succeeded()
                self._take(raw, image, freeze, motion)

    def _take(self, raw: RawPicture, image: Picture, freeze: FreezeWatch, motion: MotionWatch) -> None:
        if freeze.frozen(image, raw.taken_s):
            self._lose(FROZEN)
            return
        frame = Frame(image, self._clock.now(), raw.taken_s, raw.jpeg, moving=motion.moved(image))
        self._latest = frame
        self._out.put(frame)

    def _lose(self, why: str) -> None:
        if isinstance(self._latest, Unavailable) and self._latest.why == why:
            return
        self._latest = Unavailable(self._clock.monotonic(), why)
        self._out.put(self._latest)


async def _stop(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def decode_jpeg(data: bytes) -> Picture | None:
    """BGR pixels, or None where the bytes hold no picture of a useful size."""
    if not data:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if image is None or min(image.shape[:2]) < PICTURE_EDGE_PX_MIN else image


@dataclass(frozen=True, slots=True)
class MjpegStream:
    """Motion JPEG over HTTP. Silence for `timeout_s` breaks the stream."""

    url: str
    timeout_s: float
    ends: bool = False

    async def open(self) -> AsyncIterator[RawPicture]:
        """Pictures until the stream breaks; raises DeviceError."""
        try:
            async for jpeg in self._pictures():
                yield RawPicture(jpeg, None)
        except httpx.HTTPError as error:
            raise DeviceError(f"camera {self.url}: {type(error).__name__}: {error}") from error
        raise DeviceError(f"camera {self.url}: the stream ended")

    async def _pictures(self) -> AsyncIterator[bytes]:
        limits = httpx.Timeout(self.timeout_s)
        async with (
            httpx.AsyncClient(timeout=limits, trust_env=False) as client,
            client.stream("GET", self.url) as answer,
        ):
            answer.raise_for_status()
            parser = MjpegParser(boundary_of(answer.headers.get("content-type", "")))
            async for data in answer.aiter_raw():
                for jpeg in parser.feed(data):
                    yield jpeg


@dataclass(frozen=True, slots=True)
class VideoStream:
    """RTSP, or a video file, through OpenCV in a thread of its own.

    A file plays at its own pace with `realtime`, else as fast as somebody takes its pictures.
    """

    source: str
    timeout_s: float
    realtime: bool = True
    ends: bool = False
    loop: bool = False

    async def open(self) -> AsyncIterator[RawPicture]:
        """Pictures until the end or the break; raises DeviceError."""
        stop = threading.Event()
        queue: asyncio.Queue[Picture | DeviceError | None] = asyncio.Queue(maxsize=2)
        reader = asyncio.create_task(asyncio.to_thread(self._read, queue, asyncio.get_running_loop(), stop))
        try:
            while True:
                async with asyncio.timeout(2 * self.timeout_s + 1.0):
                    item = await queue.get()
                if isinstance(item, DeviceError):
                    raise item
                if item is None:
                    return
                yield RawPicture(None, item)
        except TimeoutError as error:
            raise DeviceError(f"camera {self.source}: silent for {self.timeout_s} s") from error
        finally:
            stop.set()
            while not queue.empty():
                queue.get_nowait()
            await asyncio.wait([reader], timeout=self.timeout_s + 1.0)

    def _read(
        self,
        queue: asyncio.Queue[Picture | DeviceError | None],
        loop: asyncio.AbstractEventLoop,
        stop: threading.Event,
    ) -> None:
        """In the thread: decode and hand over, one picture at a time, until told to stop."""
        capture = self._capture()
        try:
            if not capture.isOpened():
                _hand_over(queue, loop, stop, DeviceError(f"camera {self.source}: cannot be opened; check url or path"))
                return
            self._show(capture, queue, loop, stop)
        finally:
            capture.release()

    def _show(
        self,
        capture: cv2.VideoCapture,
        queue: asyncio.Queue[Picture | DeviceError | None],
        loop: asyncio.AbstractEventLoop,
        stop: threading.Event,
    ) -> None:
        fps = capture.get(cv2.CAP_PROP_FPS) or 25.0
        gap_s = 1.0 / min(max(fps, 1.0), 240.0) if self.realtime and self.ends else 0.0
        while not stop.wait(gap_s):
            good, image = capture.read()
            if good:
                _hand_over(queue, loop, stop, image)
            elif self.loop and capture.set(cv2.CAP_PROP_POS_FRAMES, 0):
                continue
            else:
                broken = None if self.ends else DeviceError(f"camera {self.source}: the stream ended")
                _hand_over(queue, loop, stop, broken)
                return

    def _capture(self) -> cv2.VideoCapture:
        if Path(self.source).exists():
            return cv2.VideoCapture(self.source)
        timeout_ms = int(self.timeout_s * 1000)
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms]
        return cv2.VideoCapture(self.source, cv2.CAP_FFMPEG, limits)


def _hand_over(
    queue: asyncio.Queue[Picture | DeviceError | None],
    loop: asyncio.AbstractEventLoop,
    stop: threading.Event,
    item: Picture | DeviceError | None,
) -> None:
    """From the thread into the loop; waits for room, and gives up when told to stop."""
    if stop.is_set():
        return
    handed = asyncio.run_coroutine_threadsafe(queue.put(item), loop)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            handed.result(timeout=0.2)
            return
    handed.cancel()
