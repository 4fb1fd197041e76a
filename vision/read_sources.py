"""What the `read` command reads: owns turning arguments into files, and one file into results."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from control.domain.readings import PlateReading
from vision import pictures, video
from vision.drawing import save_annotated
from vision.read_output import Result
from vision.reader import BgrImage, FrameReading


class Reads(Protocol):
    """Reads one picture."""

    def read(self, image_bgr: BgrImage, *, crop: bool = False, vehicles: bool = False) -> FrameReading:
        """Plates and vehicles."""
        ...


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, or what is wrong with an argument; `relative` is where a drawn copy of it goes."""

    path: Path
    relative: Path
    error: str | None = None

    @property
    def is_video(self) -> bool:
        """By the ending of its name."""
        return is_video(self.path)


def is_video(path: Path) -> bool:
    """By the ending of its name."""
    return path.suffix.lower() in video.SUFFIXES


@dataclass(frozen=True, slots=True)
class Way:
    """How files are read: as plates already cut out or not, with their vehicles or not; where drawn copies go."""

    crops: bool = False
    vehicles: bool = False
    draw: Path | None = None


def sources_of(paths: Sequence[Path]) -> Iterator[Source]:
    """The files behind the arguments: folders give the pictures and videos below them, in order of name."""
    for path in paths:
        try:
            if path.is_dir():
                yield from _folder(path, under=Path(path.name) if len(paths) > 1 else Path())
            else:
                yield Source(path, Path(path.name))
        except (OSError, ValueError) as error:
            yield Source(path, Path("unreadable"), f"The path cannot be followed: {error}.")


def _folder(folder: Path, *, under: Path) -> Iterator[Source]:
    known = pictures.SUFFIXES | video.SUFFIXES
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in known and not path.is_dir())
    if not found:
        yield Source(folder, under, "There is no picture and no video in this folder.")
    for path in found:
        yield Source(path, under / path.relative_to(folder))


def results_of(source: Source, reader: Reads, way: Way, stop: threading.Event) -> Iterator[Result]:
    """Everything that one file gives; what is wrong with it becomes a result too. A video ends early on `stop`."""
    if source.error:
        yield Result(str(source.path), 0.0, error=source.error)
        return
    started = time.perf_counter()
    try:
        if source.is_video:
            yield from _video_results(source, reader, way, stop)
        else:
            yield _picture_result(source, reader, way)
    except pictures.PictureError as error:
        yield Result(str(source.path), (time.perf_counter() - started) * 1000, error=str(error))


def _picture_result(source: Source, reader: Reads, way: Way) -> Result:
    picture = pictures.read_picture(source.path)
    reading = reader.read(picture.image_bgr, crop=way.crops, vehicles=way.vehicles)
    if way.draw:
        target = way.draw / source.relative
        save_annotated(picture.image_bgr, reading.plates, target, vehicles=reading.vehicles or ())
    plates = pictures.in_original(picture, reading.plates)
    vehicles = pictures.vehicles_in_original(picture, reading.vehicles)
    return Result(str(source.path), reading.ms, plates, vehicles)


def _video_results(source: Source, reader: Reads, way: Way, stop: threading.Event) -> Iterator[Result]:
    """One result an arrival, as soon as the plate has gone; one without plates when none came by."""
    times_ms: list[float] = []

    def readings() -> Iterator[tuple[video.VideoFrame, tuple[PlateReading, ...]]]:
        for frame in video.sampled_frames(source.path):
            if stop.is_set():
                return
            reading = reader.read(frame.image_bgr, crop=way.crops)
            times_ms.append(reading.ms)
            yield frame, reading.plates

    name, came_by = str(source.path), False
    for arrival in video.arrivals(readings()):
        came_by, best = True, arrival.best
        if way.draw:
            target = way.draw / source.relative.with_name(f"{source.relative.name}.{best.frame.index}.jpg")
            save_annotated(best.frame.image_bgr, [arrival.reading], target)
        yield Result(name, _mean(times_ms), (arrival.reading,), frame=best.frame.index, at_s=best.frame.at_s)
    if not came_by:
        yield Result(name, _mean(times_ms))


def _mean(values: list[float]) -> float:
    return sum(values) / max(1, len(values))
