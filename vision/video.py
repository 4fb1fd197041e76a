"""Videos to readings: owns sampling frames from a file, and joining the sightings of one plate into one arrival.

This is for looking at recordings. At the gate the lane's own fusing (`control.gate.arrivals`) does that work,
because it also knows loops and time.
"""

from __future__ import annotations

import math
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.plates import PlateColour
from control.domain.readings import CharacterReading, PlateReading
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
# A plate that was not seen for this long has gone.
GONE_AFTER_S = 2.0
# Sightings whose texts differ in at most so many characters are the same plate, misread.
SAME_PLATE_EDITS_MAX = 2
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

    frame_index: int
    at_s: float
    reading: PlateReading


@dataclass(frozen=True, slots=True)
class Arrival:
    """One plate over all frames in which it was seen; `best` is where it was read best, with that frame's pixels."""

    reading: PlateReading
    best: Sighting
    best_image_bgr: BgrImage
    first_at_s: float
    last_at_s: float


@dataclass(slots=True)
class _Track:
    """Sightings of one plate, and the pixels of the best one alone: a long video must not fill the memory."""

    sightings: list[Sighting]
    best: Sighting
    best_image_bgr: BgrImage

    @property
    def last(self) -> Sighting:
        return self.sightings[-1]

    def add(self, sighting: Sighting, image_bgr: BgrImage) -> None:
        self.sightings.append(sighting)
        if sighting.reading.confidence > self.best.reading.confidence:
            self.best, self.best_image_bgr = sighting, image_bgr


def silence_decoders() -> None:
    """Keep OpenCV and FFmpeg from writing to the error stream; what fails is told by our own errors."""
    os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
    cv2.setLogLevel(0)


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
    tracks: list[_Track] = []
    for frame, readings in frames:
        gone = [track for track in tracks if frame.at_s - track.last.at_s > GONE_AFTER_S]
        tracks = [track for track in tracks if track not in gone]
        yield from map(_arrival, gone)
        for reading in readings:
            _join(tracks, Sighting(frame.index, frame.at_s, reading), frame.image_bgr)
    yield from map(_arrival, tracks)


def _join(tracks: list[_Track], sighting: Sighting, image_bgr: BgrImage) -> None:
    """Put a sighting to the track whose last text is nearest, or begin a track; a frame shows a plate once."""
    text = sighting.reading.text
    waiting = [track for track in tracks if track.last.frame_index != sighting.frame_index]
    nearest = min(waiting, key=lambda track: edits(track.last.reading.text, text), default=None)
    if nearest is None or edits(nearest.last.reading.text, text) > SAME_PLATE_EDITS_MAX:
        tracks.append(_Track([sighting], sighting, image_bgr))
    else:
        nearest.add(sighting, image_bgr)


def _arrival(track: _Track) -> Arrival:
    reading = fuse([sighting.reading for sighting in track.sightings])
    return Arrival(
        reading=replace(reading, quad=track.best.reading.quad),
        best=track.best,
        best_image_bgr=track.best_image_bgr,
        first_at_s=track.sightings[0].at_s,
        last_at_s=track.last.at_s,
    )


def fuse(readings: list[PlateReading]) -> PlateReading:
    """One reading of several of the same plate; at least one is needed.

    The length is the one with the most confidence behind it; then the characters are voted place by place,
    each frame weighted by its confidence. The colour is voted likewise. Corners are those of the best frame.
    """
    best = max(readings, key=lambda reading: reading.confidence)
    behind: Counter[int] = Counter()
    for reading in readings:
        behind[len(reading.characters)] += reading.confidence
    length = behind.most_common(1)[0][0]
    voters = [reading for reading in readings if len(reading.characters) == length]
    characters = tuple(_vote(voters, place) for place in range(length))
    colour, colour_confidence = _vote_colour(voters)
    return replace(
        best,
        characters=characters,
        colour=colour,
        colour_confidence=colour_confidence,
        confidence=math.prod(character.probability for character in characters),
        frames=len(readings),
    )


def _vote(voters: list[PlateReading], place: int) -> CharacterReading:
    votes: dict[str, float] = defaultdict(float)
    for reading in voters:
        character = reading.characters[place]
        for char, probability in ((character.char, character.probability), *character.alternatives):
            votes[char] += reading.confidence * probability
    total = sum(reading.confidence for reading in voters)
    ranked = sorted(votes.items(), key=lambda item: -item[1])
    shares = [(char, weight / total if total > 0 else 0.0) for char, weight in ranked]
    return CharacterReading(shares[0][0], min(1.0, shares[0][1]), tuple(shares[1:]))


def _vote_colour(voters: list[PlateReading]) -> tuple[PlateColour, float]:
    votes: dict[PlateColour, float] = defaultdict(float)
    for reading in voters:
        votes[reading.colour] += reading.confidence * reading.colour_confidence
    colour = max(votes, key=votes.__getitem__)
    total = sum(reading.confidence for reading in voters)
    return colour, min(1.0, votes[colour] / total) if total > 0 else 0.0


def edits(one: str, other: str) -> int:
    """Levenshtein distance: how many characters must be changed, added or dropped."""
    previous = list(range(len(other) + 1))
    for row, a in enumerate(one, 1):
        current = [row]
        for column, b in enumerate(other, 1):
            current.append(min(previous[column] + 1, current[-1] + 1, previous[column - 1] + (a != b)))
        previous = current
    return previous[-1]
