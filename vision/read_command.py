"""The `read` command: owns its arguments, its JSON lines and its table; the reading itself is `vision.reader`'s."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from control.domain.errors import IslandError
from control.domain.readings import PlateReading
from vision import pictures, video
from vision.drawing import save_annotated
from vision.read_output import CsvRows, JsonLines, Result, Sink, Table
from vision.reader import PlateReader

EPILOG = """\
JSON: one line a picture, as
  {"file", "ms", "plates": [{"text", "kind", "colour", "energy", "verdict", "confidence", "quad"}],
   "vehicles": [{"type", "confidence", "box"}], "error"}
quad: corners in pixels of the upright original, clockwise from the plate's top left. ms: pixels to reading, without
decoding. vehicles: always [] until a vehicle model is installed. A video gives one line for each plate that
came by, with "frame" and "at_s" of its best sighting besides and ms a frame; or one line without plates.

Exit status: 0 all read (with or without plates), 1 a file could not be read, 2 wrong usage, 130 interrupted.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command and give its exit status."""
    options = _parser().parse_args(arguments)
    video.silence_decoders()
    try:
        return _run(options)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has left. What is still buffered must go somewhere, or Python complains at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except IslandError as error:
        print(f"read: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="island read",
        description="Read number plates in pictures, folders and videos. 识别图片、文件夹和视频中的车牌。",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="picture, video, or folder (with what lies below it)")
    parser.add_argument("--json", action="store_true", help="one JSON line a picture on the standard output")
    parser.add_argument("--crops", action="store_true", help="every picture is one plate already cut out")
    parser.add_argument("--csv", type=Path, metavar="PATH", help="also write a table, one row a plate")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="also write the pictures with their plates marked")
    parser.add_argument("--models", type=Path, metavar="DIR", help="models to use instead of those of the package")
    return parser


def _run(options: argparse.Namespace) -> int:
    failures = 0
    with ExitStack() as stack:
        sinks = _sinks(options, stack)
        sources = list(_sources([Path(name) for name in options.files]))
        reader = PlateReader(options.models)
        # The bar is for people: where the error stream is no terminal it stays away.
        bar = stack.enter_context(tqdm(total=len(sources), unit="file", disable=not sys.stderr.isatty(), leave=False))
        for source in sources:
            for result in _read(source, reader, options):
                failures += result.error is not None
                for sink in sinks:
                    sink.put(result)
            bar.update()
    if failures:
        print(f"read: {failures} of {len(sources)} could not be read.", file=sys.stderr)
    return 1 if failures else 0


def _sinks(options: argparse.Namespace, stack: ExitStack) -> list[Sink]:
    sinks: list[Sink] = [JsonLines(sys.stdout) if options.json else Table(sys.stdout)]
    try:
        if options.csv:
            # The byte order mark lets spreadsheets recognise the Chinese characters.
            sinks.append(
                CsvRows(
                    stack.enter_context(
                        options.csv.open("w", newline="", encoding="utf-8-sig", errors="backslashreplace")
                    )
                )
            )
        if options.draw:
            options.draw.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IslandError(f"{error.filename} cannot be written: {error.strerror}.") from error
    return sinks


# ------------------------------------------------------------------------------------------------------------ sources


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read, or what is wrong with an argument; `relative` is where a drawn copy of it goes."""

    path: Path
    relative: Path
    error: str | None = None


def _sources(paths: list[Path]) -> Iterator[Source]:
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


# ------------------------------------------------------------------------------------------------------------ reading


def _read(source: Source, reader: PlateReader, options: argparse.Namespace) -> Iterator[Result]:
    """Everything that one file gives; what is wrong with it becomes a result too."""
    started = time.perf_counter()
    try:
        yield from _readings(source, reader, options)
    except pictures.PictureError as error:
        yield Result(str(source.path), (time.perf_counter() - started) * 1000, error=str(error))


def _readings(source: Source, reader: PlateReader, options: argparse.Namespace) -> Iterator[Result]:
    if source.error:
        raise pictures.PictureError(source.error)
    if source.path.suffix.lower() in video.SUFFIXES:
        yield from _read_video(source, reader, options)
    else:
        yield _read_picture(source, reader, options)


def _read_picture(source: Source, reader: PlateReader, options: argparse.Namespace) -> Result:
    picture = pictures.read_picture(source.path)
    reading = reader.read(picture.image_bgr, crop=options.crops)
    if options.draw:
        save_annotated(picture.image_bgr, reading.plates, options.draw / source.relative)
    original = pictures.in_original(picture, reading.plates)
    return Result(str(source.path), reading.ms, original, reading.vehicles)


def _read_video(source: Source, reader: PlateReader, options: argparse.Namespace) -> Iterator[Result]:
    """One result an arrival, as soon as the plate has gone; one without plates when none came by."""
    times_ms: list[float] = []

    def readings() -> Iterator[tuple[video.VideoFrame, tuple[PlateReading, ...]]]:
        for frame in video.sampled_frames(source.path):
            reading = reader.read(frame.image_bgr, crop=options.crops)
            times_ms.append(reading.ms)
            yield frame, reading.plates

    name, came_by = str(source.path), False
    for arrival in video.arrivals(readings()):
        came_by, best = True, arrival.best
        if options.draw:
            target = options.draw / source.relative.with_name(f"{source.relative.name}.{best.frame.index}.jpg")
            save_annotated(best.frame.image_bgr, [arrival.reading], target)
        yield Result(name, _mean(times_ms), (arrival.reading,), frame=best.frame.index, at_s=best.frame.at_s)
    if not came_by:
        yield Result(name, _mean(times_ms))


def _mean(values: list[float]) -> float:
    return sum(values) / max(1, len(values))


if __name__ == "__main__":
    sys.exit(main())
