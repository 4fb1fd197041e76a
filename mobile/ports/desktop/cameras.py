"""Cameras of a computer: owns the thread that keeps the newest picture, and where pictures come from.

From a video device or a stream through OpenCV, or from a picture that is looked at again and again: a file, the newest
file of a folder, or a picture on the web. The last are how the demonstration and the tests hold a code before the app.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from mobile.ports.camera import CameraState, Frame
from mobile.ports.files import FILE_BYTES_MAX
from mobile.ports.pictures import frame_of

PICTURE_ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp"})
WEB_TIMEOUT_S = 3.0
# As a phone's preview: enough for any of our codes, and quick to draw.
SIDE_MAX_PX = 1_280

Grab = Callable[[], Frame | None]
Opened = Callable[[], AbstractContextManager[Grab]]


class PolledCamera:
    """Keeps the newest picture of a source, which a thread asks every `every_s`."""

    has_light = False
    texture = None
    turned_deg = 0

    def __init__(self, source: Opened, *, every_s: float) -> None:
        self._source = source
        self._every_s = every_s
        self._lock = threading.Lock()
        self._stop: threading.Event | None = None
        self._frame: Frame | None = None
        self._state = CameraState.OFF

    @property
    def state(self) -> CameraState:
        """What it is at now."""
        return self._state

    def start(self) -> None:
        """Begins, once; again after it failed."""
        if self._state in (CameraState.STARTING, CameraState.ON):
            return
        self.stop()
        self._stop, self._state = threading.Event(), CameraState.STARTING
        threading.Thread(target=self._run, args=(self._stop,), name="camera", daemon=True).start()

    def stop(self) -> None:
        """Ends; the thread lets go of the device by itself."""
        with self._lock:
            if self._stop is not None:
                self._stop.set()
            self._stop, self._frame, self._state = None, None, CameraState.OFF

    def newest(self) -> Frame | None:
        """The last picture."""
        return self._frame

    def light(self, on: bool) -> bool:
        """No lamp."""
        return False

    def open_settings(self) -> bool:
        """A computer's permissions are no page to open."""
        return False

    def _run(self, stop: threading.Event) -> None:
        try:
            with self._source() as grab:
                while not stop.is_set():
                    self._told(stop, CameraState.ON, grab())
                    stop.wait(self._every_s)
        except PermissionError:
            self._told(stop, CameraState.DENIED, None)
        except FileNotFoundError:
            self._told(stop, CameraState.MISSING, None)
        except (OSError, httpx.HTTPError):
            self._told(stop, CameraState.FAILED, None)

    def _told(self, stop: threading.Event, state: CameraState, frame: Frame | None) -> None:
        """Says what happened, unless this run was stopped meanwhile. A source without a new picture keeps the last."""
        with self._lock:
            if stop.is_set():
                return
            self._state = state
            if frame is not None or state is not CameraState.ON:
                self._frame = frame


def video(device: int | str) -> Opened:
    """A video device by number, or a stream by address. OpenCV is loaded in the thread: it is large."""

    @contextmanager
    def opened() -> Any:
        import cv2

        if isinstance(device, int):
            _check_device(Path(f"/dev/video{device}"))
        capture = cv2.VideoCapture(device)
        try:
            if not capture.isOpened():
                raise OSError(f"no pictures come from {device}")

            def grab() -> Frame | None:
                fine, bgr = capture.read()
                if not fine:
                    raise OSError(f"{device} gives no more pictures")
                rgb, luma = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
                return Frame(bgr.shape[1], bgr.shape[0], luma.tobytes(), rgb.tobytes())

            yield grab
        finally:
            capture.release()

    return opened


def _check_device(path: Path) -> None:
    """Says why, which OpenCV does not. Raises FileNotFoundError, PermissionError."""
    if os.name == "posix" and path.parent.is_dir():
        with path.open("rb"):
            pass


def watched(path: Path) -> Opened:
    """A picture file, or the newest picture of a folder."""

    @contextmanager
    def opened() -> Any:
        if not path.exists():
            raise FileNotFoundError(path)
        seen: tuple[Path, int] | None = None

        def grab() -> Frame | None:
            nonlocal seen
            newest = _newest(path)
            if newest is None or newest == seen:
                return None
            seen = newest
            return _frame(newest[0].read_bytes())

        yield grab

    return opened


def _newest(path: Path) -> tuple[Path, int] | None:
    """The file and when it was written (ns); None while there is none."""
    files = path.iterdir() if path.is_dir() else (path,)
    found = ((one, _written_at(one)) for one in files if one.suffix.lower() in PICTURE_ENDINGS)
    return max(((one, at) for one, at in found if at is not None), key=lambda one: one[1], default=None)


def _written_at(path: Path) -> int | None:
    """None for a file that went away meanwhile."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def on_the_web(address: str) -> Opened:
    """A picture that is fetched again and again, as a device's screen in the simulator."""

    @contextmanager
    def opened() -> Any:
        with ExitStack() as stack:
            client = stack.enter_context(httpx.Client(timeout=WEB_TIMEOUT_S, trust_env=False))
            last = b""

            def grab() -> Frame | None:
                nonlocal last
                answer = client.get(address)
                if not answer.is_success or answer.content == last or len(answer.content) > FILE_BYTES_MAX:
                    return None
                last = answer.content
                return _frame(last)

            yield grab

    return opened


def _frame(content: bytes) -> Frame | None:
    """None for a picture that is only half written."""
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.thumbnail((SIDE_MAX_PX, SIDE_MAX_PX))
            return frame_of(picture)
    except (OSError, SyntaxError, ValueError):
        return None
