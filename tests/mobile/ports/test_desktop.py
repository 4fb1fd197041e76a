"""A computer's cameras and files: pictures that are watched, what is said without any, where it is chosen."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mobile.ports.build import DESKTOP, build_ports, desktop_camera
from mobile.ports.camera import Camera, CameraState, Frame
from mobile.ports.desktop import papers
from mobile.ports.desktop.cameras import PolledCamera
from mobile.ports.desktop.files import DesktopFiles
from mobile.ports.desktop.reader import ZxingReader
from mobile.ports.files import FILE_BYTES_MAX, FileUnreadable, Kind
from mobile.ports.papers import PDF, Handed
from mobile.ports.reader import meant


async def _until(met: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not met():
            await asyncio.sleep(0.005)


def _text(camera: Camera) -> str | None:
    frame = camera.newest()
    return None if frame is None else meant(ZxingReader().read(frame))


def _put(path: Path, content: bytes) -> None:
    """As a careful writer does: never half a picture."""
    beside = path.with_suffix(".part")
    beside.write_bytes(content)
    beside.replace(path)


async def test_a_watched_picture_is_shown_when_it_changes(tmp_path: Path, draw: Any) -> None:
    path = tmp_path / "code.png"
    _put(path, draw.png(draw.board("ONE")))
    camera = desktop_camera(str(path))
    assert camera.state is CameraState.OFF
    camera.start()
    camera.start()
    try:
        await _until(lambda: _text(camera) == "ONE")
        assert camera.state is CameraState.ON
        frame = camera.newest()
        path.write_bytes(b"half a picture")
        _put(path, draw.png(draw.board("TWO")))
        await _until(lambda: _text(camera) == "TWO")
        assert camera.newest() is not frame
    finally:
        camera.stop()
    assert camera.state is CameraState.OFF
    assert camera.newest() is None


async def test_of_a_folder_the_newest_picture_is_shown(tmp_path: Path, draw: Any) -> None:
    for number, name in enumerate(("OLD", "NEW")):
        path = tmp_path / f"{name}.png"
        _put(path, draw.png(draw.board(name)))
        os.utime(path, (1_000 + number, 1_000 + number))
    camera = desktop_camera(str(tmp_path))
    camera.start()
    try:
        await _until(lambda: _text(camera) == "NEW")
    finally:
        camera.stop()


@pytest.fixture
def screen(draw: Any) -> Iterator[str]:
    """The address of a device's screen."""
    picture = draw.png(draw.board("ON THE WEB"))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(picture)

        def log_message(self, format: str, *args: Any) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/points/b7/code.png"
        server.shutdown()
        thread.join()


async def test_a_picture_on_the_web_is_shown(screen: str) -> None:
    camera = desktop_camera(screen)
    camera.start()
    try:
        await _until(lambda: _text(camera) == "ON THE WEB")
    finally:
        camera.stop()


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (PermissionError("not for you"), CameraState.DENIED),
        (FileNotFoundError("none"), CameraState.MISSING),
        (OSError("broken"), CameraState.FAILED),
    ],
)
async def test_a_camera_says_why_it_gives_nothing_and_can_be_tried_again(error: OSError, state: CameraState) -> None:
    class Source:
        def __enter__(self) -> Callable[[], Frame | None]:
            raise error

        def __exit__(self, *_: object) -> None:
            """Never entered."""

    camera = PolledCamera(Source, every_s=0)
    for _ in range(2):
        camera.start()
        await _until(lambda: camera.state is state)
    assert camera.newest() is None
    assert not camera.light(True)
    assert not camera.open_settings()


async def test_a_stream_that_is_not_there_fails() -> None:
    camera = desktop_camera("/nowhere/at/all.png")
    camera.start()
    await _until(lambda: camera.state is CameraState.MISSING)
    video = desktop_camera("987")
    video.start()
    await _until(lambda: video.state is CameraState.MISSING)


@pytest.mark.parametrize(("choice", "state"), [("none", CameraState.MISSING), ("denied", CameraState.DENIED)])
def test_a_place_without_a_camera_can_be_tried(choice: str, state: CameraState) -> None:
    camera = desktop_camera(choice)
    camera.start()
    assert camera.state is state
    assert camera.newest() is None
    camera.stop()


async def test_a_chosen_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "insurance.pdf"
    path.write_bytes(b"%PDF-")
    asked: list[Kind] = []

    async def ask(kind: Kind) -> Path | None:
        asked.append(kind)
        return path if kind is Kind.PAPER else None

    files = DesktopFiles(ask)
    found = await files.choose(Kind.PAPER)
    assert found is not None
    assert (found.name, found.content) == ("insurance.pdf", b"%PDF-")
    assert await files.choose(Kind.PICTURE) is None
    assert asked == [Kind.PAPER, Kind.PICTURE]
    assert await DesktopFiles(None).choose(Kind.PAPER) is None
    assert await files.photograph() is None


async def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(FILE_BYTES_MAX + 1)
    for path, told in ((huge, "choose a smaller file"), (tmp_path / "gone.jpg", "gone.jpg cannot be read")):

        async def ask(_kind: Kind, path: Path = path) -> Path:
            return path

        with pytest.raises(FileUnreadable, match=told):
            await DesktopFiles(ask).choose(Kind.PICTURE)


def test_a_computers_screen_is_never_said_to_be_raised() -> None:
    ports = build_ports(DESKTOP, camera="none")
    ports.brightness.brighten()
    assert not ports.brightness.raised
    assert not ports.brightness.can_raise
    ports.brightness.restore()
    ports.vibration.buzz(30)


def test_choosing_the_ports_loads_no_library_that_is_large_or_has_no_recipe() -> None:
    check = (
        "import sys, mobile.ports.build, mobile.ports.pictures\n"
        "mobile.ports.build.build_ports('desktop', camera='none')\n"
        "print(sorted({'cv2', 'numpy', 'kivy'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


async def test_a_paper_is_shown_where_there_is_a_viewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paper, seen, viewer = tmp_path / "visits.pdf", tmp_path / "seen", tmp_path / "viewer"
    viewer.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.part && mv {seen}.part {seen}\n')
    viewer.chmod(0o700)
    monkeypatch.setattr(papers, "VIEWER", str(viewer))
    assert await papers.DesktopPapers().hand_over(paper, PDF) is Handed.LIES
    await _until(seen.exists)
    assert seen.read_text() == str(paper)


async def test_without_a_viewer_a_paper_only_lies_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(papers, "VIEWER", str(tmp_path / "none"))
    assert await papers.DesktopPapers().hand_over(tmp_path / "visits.pdf", PDF) is Handed.LIES
