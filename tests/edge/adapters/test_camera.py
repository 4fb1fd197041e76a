"""Cameras against real sockets and files: MJPEG servers that break, a video, a folder."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest

from control.domain.readings import Unavailable
from edge.adapters.camera import MjpegStream, StreamCamera, VideoStream, decode_jpeg
from edge.adapters.folder import FolderSource
from edge.clock import SystemClock
from edge.ports import Frame, UnreadablePicture
from edge.retrying import Backoff

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=f\r\n\r\n"


def part(picture: bytes) -> bytes:
    return b"--f\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(picture), picture)


Behaviour = Callable[[int, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """A camera whose behaviour at each connection is given."""

    def __init__(self, behave: Behaviour) -> None:
        self._behave, self.connections, self.url = behave, 0, ""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.connections += 1
        try:
            await self._behave(self.connections, writer)
        except ConnectionError:
            return
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Server]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/stream.mjpg"
        async with server:
            yield self
            server.close()


def camera_of(stream, *, frozen_after_s: float = 0.0, fps_max: float = 0.0) -> StreamCamera:
    backoff = Backoff(random.Random(1), base_s=0.01, cap_s=0.02)
    return StreamCamera(stream, clock=SystemClock(), backoff=backoff, frozen_after_s=frozen_after_s, fps_max=fps_max)


@asynccontextmanager
async def running(camera: StreamCamera) -> AsyncIterator[StreamCamera]:
    task = asyncio.create_task(camera.run())
    try:
        async with asyncio.timeout(60):
            yield camera
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(camera: StreamCamera, wanted) -> Frame | Unavailable:
    while not wanted(item := await camera.next()):
        pass
    return item


def lost(why: str):
    return lambda item: isinstance(item, Unavailable) and item.why == why


async def test_pictures_come_with_their_own_jpeg_bytes(make_jpeg, make_noisy) -> None:
    sent = make_jpeg(make_noisy(1))

    async def behave(_: int, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + part(sent))
        await writer.drain()
        await asyncio.sleep(30)

    async with Server(behave).running() as server, running(camera_of(MjpegStream(server.url, 5.0))) as camera:
        frame = await camera.next()
    assert isinstance(frame, Frame)
    assert frame.jpeg == sent
    assert frame.image.shape == (240, 320, 3)


async def test_a_broken_connection_is_told_once_and_opened_anew(make_jpeg, make_noisy) -> None:
    async def behave(count: int, writer: asyncio.StreamWriter) -> None:
        if count in (1, 3):
            writer.write(HEAD + part(make_jpeg(make_noisy(count))))
            await writer.drain()
        await asyncio.sleep(0.05 if count < 3 else 30)

    async with Server(behave).running() as server, running(camera_of(MjpegStream(server.url, 5.0))) as camera:
        items = [await camera.next() for _ in range(3)]
    assert [type(item) for item in items] == [Frame, Unavailable, Frame]
    assert items[1].why == "camera_lost"
    assert server.connections == 3


async def test_a_silent_camera_is_lost(make_jpeg, make_noisy) -> None:
    async def behave(_: int, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + part(make_jpeg(make_noisy(1))))
        await writer.drain()
        await asyncio.sleep(30)

    async with Server(behave).running() as server, running(camera_of(MjpegStream(server.url, 0.2))) as camera:
        assert isinstance(await until(camera, lost("camera_lost")), Unavailable)


async def test_a_frozen_camera_is_told_and_thaws(make_jpeg, make_noisy) -> None:
    thaw = asyncio.Event()

    async def behave(_: int, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        number = 0
        while True:
            number += thaw.is_set()
            writer.write(part(make_jpeg(make_noisy(number))))
            await writer.drain()
            await asyncio.sleep(0.02)

    async with Server(behave).running() as server:
        stream_camera = camera_of(MjpegStream(server.url, 5.0), frozen_after_s=0.2)
        async with running(stream_camera) as camera:
            await until(camera, lost("camera_frozen"))
            assert isinstance(camera.latest, Unavailable)
            thaw.set()
            assert isinstance(await until(camera, lambda item: isinstance(item, Frame)), Frame)


async def test_garbage_between_pictures_is_passed_over(make_jpeg, make_noisy) -> None:
    good = make_jpeg(make_noisy(1))

    async def behave(_: int, writer: asyncio.StreamWriter) -> None:
        for picture in (b"no picture", good[: len(good) // 4], b"", good):
            writer.write((HEAD if picture == b"no picture" else b"") + part(picture))
            await writer.drain()
            await asyncio.sleep(0.05)
        await asyncio.sleep(30)

    async with Server(behave).running() as server, running(camera_of(MjpegStream(server.url, 5.0))) as camera:
        frame = await until(camera, lambda item: isinstance(item, Frame) and item.jpeg == good)
    assert isinstance(frame, Frame)


async def test_only_the_newest_picture_waits(make_jpeg, make_noisy) -> None:
    last = make_jpeg(make_noisy(99))

    async def behave(_: int, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"".join(part(make_jpeg(make_noisy(n))) for n in range(20)) + part(last))
        await writer.drain()
        await asyncio.sleep(30)

    async with Server(behave).running() as server, running(camera_of(MjpegStream(server.url, 5.0))) as camera:
        frame = await until(camera, lambda item: isinstance(item, Frame) and item.jpeg == last)
        assert isinstance(frame, Frame)
        assert camera.dropped > 0


async def test_a_web_page_instead_of_a_stream_is_a_loss() -> None:
    async def behave(_: int, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")
        await writer.drain()

    async with Server(behave).running() as server, running(camera_of(MjpegStream(server.url, 5.0))) as camera:
        await until(camera, lost("camera_lost"))


@pytest.fixture
def video(tmp_path: Path, make_noisy) -> Path:
    path = tmp_path / "pass.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 50.0, (320, 240))
    for number in range(10):
        writer.write(make_noisy(number, level=40 + 15 * number))
    writer.release()
    return path


@pytest.mark.parametrize("realtime", [True, False])
async def test_a_video_file_ends_by_itself(video: Path, realtime: bool) -> None:
    camera = camera_of(VideoStream(str(video), 5.0, realtime=realtime, ends=True))
    async with running(camera):
        await camera.ended.wait()
    assert isinstance(camera.latest, Frame)
    assert camera.latest.image.mean() == pytest.approx(40 + 15 * 9, abs=8)


async def test_an_address_without_a_camera_is_a_loss() -> None:
    async with running(camera_of(VideoStream("rtsp://127.0.0.1:1/none", 0.5))) as camera:
        await until(camera, lost("camera_lost"))


async def test_a_folder_gives_every_picture_in_order(tmp_path: Path, make_jpeg, make_noisy) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.jpg").write_bytes(make_jpeg(make_noisy(1)))
    (tmp_path / "b" / "c.png").write_bytes(cv2.imencode(".png", make_noisy(2))[1].tobytes())
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("not a picture")
    found = [item async for item in FolderSource(tmp_path, SystemClock()).pictures()]
    assert [item.name for item in found] == ["a.jpg", "b/c.png", "broken.jpg"]
    assert isinstance(found[2], UnreadablePicture)
    assert isinstance(found[0], Frame)
    assert found[0].jpeg is not None
    assert isinstance(found[1], Frame)
    assert found[1].jpeg is None


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff", b"GIF89a", np.zeros(10, np.uint8).tobytes()])
def test_bytes_without_a_picture_are_none(data: bytes) -> None:
    assert decode_jpeg(data) is None
