"""The `read` command: owns its arguments, what it writes where, and how it ends; readers and files are others'."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from control.domain.errors import IslandError
from vision import video
from vision.abilities import sees_vehicles
from vision.read_output import CsvRows, JsonLines, Sink, Table
from vision.read_pool import ReadPool, Stopped
from vision.read_progress import Progress
from vision.read_resume import Done, done_in
from vision.read_sources import Way, sources_of
from vision.reader import PlateReader
from vision.runtime import run_on

EPILOG = """\
JSON: one line a picture, as
  {"file", "ms", "plates": [{"text", "kind", "colour", "energy", "verdict", "confidence", "quad"}],
   "vehicles": [{"type", "confidence", "box"}], "error"}
quad: corners in pixels of the upright original, clockwise from the plate's top left. ms: pixels to plates, without
decoding and without the vehicles, which take some 50 more. vehicles: box is x0, y0, x1, y1; those with a plate come
first; [] where none was seen or none was looked for (--crops, --plates-only, videos). A video gives one line for each
plate that came by, with "frame" and "at_s" of its best sighting besides and ms a frame; or one line without plates.

Many files: every core reads, and the output keeps the order of the files. With --out FILE the JSON lines go into a
file that an interrupted run continues with --resume; a line that was cut off is read again.

Exit status: 0 all read (with or without plates), 1 a file could not be read, 2 wrong usage, 130 interrupted.
"""
OK, FAILED, MISUSED, INTERRUPTED, NO_LISTENER = 0, 1, 2, 130, 141


def main(arguments: list[str] | None = None) -> int:
    """Run the command and give its exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _options(given)
    video.silence_decoders()
    try:
        run_on(options.provider, threads=options.threads)
        return _run(options, given)
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left. What is still buffered must go somewhere, or Python complains at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NO_LISTENER
    except IslandError as error:
        print(f"read: {error}", file=sys.stderr)
        return FAILED


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="island read",
        description="Read number plates in pictures, folders and videos. 识别图片、文件夹和视频中的车牌。",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="picture, video, or folder (with what lies below it)")
    parser.add_argument("--json", action="store_true", help="one JSON line a picture on the standard output")
    parser.add_argument("--crops", action="store_true", help="every picture is one plate already cut out")
    parser.add_argument("--plates-only", action="store_true", help="do not look for vehicles, which takes longer")
    parser.add_argument("--csv", type=Path, metavar="PATH", help="also write a table, one row a plate")
    parser.add_argument("--draw", type=Path, metavar="DIR", help="also write the pictures with their plates marked")
    parser.add_argument("--out", type=Path, metavar="PATH", help="write the JSON lines into a file")
    parser.add_argument("--resume", action="store_true", help="continue the file of --out; what is in it is not read")
    parser.add_argument("--progress", action="store_true", help="tell the progress also where there is no terminal")
    parser.add_argument("--workers", type=int, metavar="N", help="readers side by side; default: one a core")
    parser.add_argument("--models", type=Path, metavar="DIR", help="models to use instead of those of the package")
    parser.add_argument("--provider", action="append", default=[], help="run on this first, as openvino; default: cpu")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="CPU threads for each reader's networks")
    options = parser.parse_args(arguments)
    if options.resume and not options.out:
        parser.error("--resume continues the file of --out: name it")
    if options.workers is not None and options.workers < 1:
        parser.error("--workers must be 1 or more")
    return options


def _run(options: argparse.Namespace, arguments: list[str]) -> int:
    with ExitStack() as stack:
        done, sinks = _outputs(options, stack)
        sources = list(sources_of([Path(name) for name in options.files]))
        left = list(done.left_of(sources))
        failures = done.failures
        progress = stack.enter_context(Progress(len(sources), len(sources) - len(left), always=options.progress))
        pool = ReadPool(
            lambda: PlateReader(options.models),
            Way(crops=options.crops, vehicles=_wants_vehicles(options), draw=options.draw),
            workers=min(options.workers or len(os.sched_getaffinity(0)), max(1, len(left))),
        )
        try:
            with pool, _interruptible(pool.stop):
                for result in pool.results(iter(left)):
                    if result is None:
                        progress.one_more()
                        continue
                    failures += result.error is not None
                    for sink in sinks:
                        sink.put(result)
        except Stopped:
            progress.close()
            return _interrupted(progress.done, len(sources), options, arguments)
    if failures:
        print(f"read: {failures} of {len(sources)} could not be read.", file=sys.stderr)
    return FAILED if failures else OK


def _wants_vehicles(options: argparse.Namespace) -> bool:
    return not (options.crops or options.plates_only) and sees_vehicles(options.models)


@contextmanager
def _interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C stops between two results, so that no line is cut off; a second one stops at once."""

    def first(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _interrupted(done: int, total: int, options: argparse.Namespace, arguments: list[str]) -> int:
    print(f"Interrupted after {done} of {total}.", file=sys.stderr)
    if options.out:
        again = [*arguments, *([] if options.resume else ["--resume"])]
        print(f"What was read is in {options.out}. Continue with: ./island read {shlex.join(again)}", file=sys.stderr)
    else:
        print("With --out FILE a run can be continued.", file=sys.stderr)
    return INTERRUPTED


# ------------------------------------------------------------------------------------------------------------ outputs


def _outputs(options: argparse.Namespace, stack: ExitStack) -> tuple[Done, list[Sink]]:
    """What an earlier run has done, and where the results go."""
    done, sinks = Done(), list[Sink]()
    if options.json:
        sinks.append(JsonLines(sys.stdout))
    elif not options.out:
        sinks.append(Table(sys.stdout))
    try:
        if options.out:
            done, stream = _continued(options.out, stack, resume=options.resume)
            sinks.append(JsonLines(stream))
        if options.csv:
            sinks.append(_csv_rows(options.csv, done, stack))
        if options.draw:
            options.draw.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise IslandError(f"{error.filename} cannot be written: {error.strerror}.") from error
    return done, sinks


def _continued(path: Path, stack: ExitStack, *, resume: bool) -> tuple[Done, TextIO]:
    """The file of `--out`, open behind the last line that counts."""
    if not resume and path.exists():
        raise IslandError(f"{path} is there already: continue it with --resume, or name another file.")
    done = done_in(path) if resume else Done()
    stream = stack.enter_context(path.open("a", encoding="utf-8"))
    os.truncate(path, done.end)
    return done, stream


def _csv_rows(path: Path, done: Done, stack: ExitStack) -> CsvRows:
    """The table, begun with what an earlier run has read."""
    # The byte order mark lets spreadsheets recognise the Chinese characters.
    stream = stack.enter_context(path.open("w", newline="", encoding="utf-8-sig", errors="backslashreplace"))
    rows = CsvRows(stream)
    for answer in done.answers:
        rows.put_answer(answer)
    return rows


if __name__ == "__main__":
    sys.exit(main())
