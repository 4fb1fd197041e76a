"""Videos to readings: owns sampling frames from a file, and telling every plate that came by once.

Following a plate over frames and fusing its characters is `control.gate.arrivals`' work, here as at the gate.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.readings import PlateReading
from control.gate.arrivals import Track, Tracker
from vision.pictures import PIXELS_MAX_UNPACKED, PictureError

BgrImage = NDArray[np.uint8]

SUFFIXES = frozenset(
    f".{ending}"
    for ending in (
        *("mp4", "m4v", "mov", "avi", "mkv", "webm", "ts", "mts", "flv"),
        *("wmv", "mpg", "mpeg", "mjpeg", "mjpg", "3gp"),
    )
)
# One frame in 200 ms: a vehicle that drives through at 20 km/h is still seen several times.
SAMPLE_EVERY_S = 0.2
# So many frames of a damaged file may fail before the rest is given up.
FAILED_FRAMES_MAX = 25


@dataclass(frozen=True, slots=True)
class VideoFrame:
    """One sampled frame: its number from 0, its time from the start, and its pixels."""

    index: int
    at_s: float
    image_bgr: BgrImage


@dataclass(frozen=True, slots=True)
class Sighting:
    """One plate in one frame."""

    frame: VideoFrame
    reading: PlateReading


@dataclass(frozen=True, slots=True)
class Arrival:
    """One plate over all frames in which it was seen. Its corners are those in `best`, where it was read best."""

    reading: PlateReading
    best: Sighting
    first_at_s: float
    last_at_s: float


def silence_decoders() -> None:
    """Keep OpenCV and FFmpeg from writing to the error stream; what fails is told by our own errors."""
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)


def sampled_frames(path: Path, *, every_s: float = SAMPLE_EVERY_S) -> Iterator[VideoFrame]:
    """Frames of a video file, one for each `every_s` seconds, upright, in order.

    Raises PictureError when the file is no video, or when nothing of it can be shown.
    """
    if not path.is_file():
        raise PictureError("There is no such file.")
    if path.stat().st_size == 0:
        raise PictureError("The file is empty (0 bytes).")
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    try:
        if not capture.isOpened():
            raise PictureError("This is not a video that can be read.")
        _check_size(capture)
        yield from _sample(capture, every_s)
    finally:
        capture.release()


def _check_size(capture: cv2.VideoCapture) -> None:
    width, height = (int(capture.get(key)) for key in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
    if width * height > PIXELS_MAX_UNPACKED:
        raise PictureError(f"The video is too large: {width} x {height} pixels a frame.")


def _sample(capture: cv2.VideoCapture, every_s: float) -> Iterator[VideoFrame]:
    fps = capture.get(cv2.CAP_PROP_FPS)
    frame_s = 1 / fps if math.isfinite(fps) and 1 <= fps <= 1000 else 0.04
    step = max(1, round(every_s / frame_s))
    shown = failed = index = 0
    while failed <= FAILED_FRAMES_MAX and capture.grab():
        if index % step == 0:
            taken, image = capture.retrieve()
            if taken and image is not None:
                shown += 1
                yield VideoFrame(index, index * frame_s, image)
            else:
                failed += 1
        index += 1
    if not shown:
        raise PictureError("The video has no frame that can be shown.")


def arrivals(frames: Iterable[tuple[VideoFrame, tuple[PlateReading, ...]]]) -> Iterator[Arrival]:
    """Join the readings of successive frames: one `Arrival` a plate, told once the plate has gone."""
    tracker = Tracker()
    best: dict[int, Sighting] = {}
    for frame, readings in frames:
        seen = tracker.add(frame.at_s, readings)
        for track in seen.active:
            sighting = Sighting(frame, track.readings[-1])
            best[track.track_id] = _better(best.get(track.track_id), sighting)
        yield from (_arrival(track, best.pop(track.track_id)) for track in seen.ended)
    yield from (_arrival(track, best.pop(track.track_id)) for track in tracker.flush())


def _better(known: Sighting | None, now: Sighting) -> Sighting:
    return now if known is None or now.reading.confidence > known.reading.confidence else known


def _arrival(track: Track, best: Sighting) -> Arrival:
    reading = replace(track.reading, quad=best.reading.quad)
    return Arrival(reading, best, track.first_at_s, track.last_at_s)
