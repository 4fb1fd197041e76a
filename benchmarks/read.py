"""Reading a picture: our time and our share of right plates beside agentclpr's, picture by picture in one run.

    ./island bench read --json                      rendered scenes
    ./island bench read --json --data FOLDER        a folder with labels.csv (columns file, plate, and maybe colour)

The peer is optional (`pip install .[benchmark]`). It drags in its own OpenCV, so it had better live in another
virtual environment: `--peer-python PATH` names that one's interpreter. Times are from decoded pixels to text; the
`cpu_ms` beside them are what the processor spent, which other programs on the machine hardly change.
A plate counts as right when the whole text is among the answers, with O taken for 0 and I for 1.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import cv2
import numpy as np

from control.domain.errors import IslandError
from control.domain.plates import normalise
from vision.pictures import read_picture
from vision.reader import PlateReader
from vision.render.plates import colour_of, random_plate, render_plate
from vision.render.scenes import paste_plate, random_quad
from vision.render.weather import degrade

PEER = Path(__file__).with_name("_peer_agentclpr.py")
SCENE_WIDTH_PX, SCENE_HEIGHT_PX = 1280, 720
# The peer looks at a picture in the size it gets and takes seconds for a large one; this side serves it best.
PEER_SIDE_PX = 640
# The goal: at most half of the peer's time.
RATIO_MAX = 0.5
_FOLD = str.maketrans("OI", "01")


@dataclass(frozen=True, slots=True)
class Case:
    """A picture with the plate that is on it."""

    path: Path
    plate: str
    colour: str


@dataclass(slots=True)
class Tally:
    """Times and right answers of one reader."""

    times_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    right: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    of: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def count(self, case: Case, texts: list[str], *, ms: float, cpu_ms: float) -> None:
        """Take in one answer."""
        self.times_ms.append(ms)
        self.cpu_ms.append(cpu_ms)
        self.of[case.colour] += 1
        self.right[case.colour] += _folded(case.plate) in {_folded(text) for text in texts}

    def summary(self) -> dict[str, Any]:
        """Figures for the report."""
        return {
            "ms_median": round(median(self.times_ms), 2),
            "ms_p95": round(quantiles(self.times_ms, n=20)[-1] if len(self.times_ms) > 1 else self.times_ms[0], 2),
            "cpu_ms_median": round(median(self.cpu_ms), 2),
            "right": sum(self.right.values()),
            "of": sum(self.of.values()),
            "by_colour": {colour: f"{self.right[colour]}/{self.of[colour]}" for colour in sorted(self.of)},
        }


def main(arguments: list[str]) -> int:
    """Measure, print, and give 1 when the goal against a measured peer is missed."""
    options = _parser().parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            report = run(_cases(options, Path(folder)), options)
    except (IslandError, OSError) as error:
        print(f"bench read: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report, ensure_ascii=False) if options.json else _for_people(report))
    return 0 if report["ratio_ms"] is None or report["ratio_ms"] <= RATIO_MAX else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="island bench read", description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="one JSON object instead of text")
    parser.add_argument("--data", type=Path, metavar="DIR", help="labelled pictures instead of rendered ones")
    parser.add_argument("--pictures", type=int, metavar="N", help="how many (40 rendered ones, or all of the folder)")
    parser.add_argument("--peer-python", default=sys.executable, metavar="PATH", help="interpreter that has the peer")
    parser.add_argument("--peer-side-px", type=int, default=PEER_SIDE_PX, metavar="N", help="0: pictures as they are")
    parser.add_argument("--no-peer", action="store_true", help="measure ours alone")
    return parser


def run(cases: list[Case], options: argparse.Namespace) -> dict[str, Any]:
    """Each picture goes to both in turn, so that whatever else the machine does falls on both."""
    ours, theirs = Tally(), Tally()
    reader = PlateReader()
    reader.read(read_picture(cases[0].path).image_bgr)  # the first run allocates
    with _peer(options) as peer:
        for case in cases:
            _read(reader, case, ours)
            answer = peer.ask(case.path, options.peer_side_px)
            if answer is not None:
                theirs.count(case, answer["texts"], ms=answer["ms"], cpu_ms=answer["cpu_ms"])
    measured = bool(theirs.times_ms)
    return {
        "benchmark": "read",
        "pictures": len(cases),
        "source": str(options.data) if options.data else "rendered",
        "ours": ours.summary() | {"memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024},
        "peer": {"name": peer.name, "side_px": options.peer_side_px} | (theirs.summary() if measured else {}),
        "ratio_ms": _ratio(ours.times_ms, theirs.times_ms),
        "ratio_cpu_ms": _ratio(ours.cpu_ms, theirs.cpu_ms),
        "ratio_ms_goal": RATIO_MAX,
    }


def _read(reader: PlateReader, case: Case, tally: Tally) -> None:
    image = read_picture(case.path).image_bgr
    cpu_started = time.process_time()
    reading = reader.read(image)
    cpu_ms = (time.process_time() - cpu_started) * 1000
    tally.count(case, [plate.text for plate in reading.plates], ms=reading.ms, cpu_ms=cpu_ms)


def _ratio(ours: list[float], theirs: list[float]) -> float | None:
    return float(f"{median(ours) / median(theirs):.3g}") if theirs else None


# --------------------------------------------------------------------------------------------------------------- peer


class Absent:
    """The peer that is not there; `name` says why."""

    def __init__(self, why: str) -> None:
        self.name = f"agentclpr: {why}"

    def ask(self, path: Path, side_px: int) -> None:
        """No answer."""


class Peer:
    """The peer's process."""

    def __init__(self, process: subprocess.Popen[str], name: str) -> None:
        self._process = process
        self.name = name

    def ask(self, path: Path, side_px: int) -> dict[str, Any]:
        """Its answer to one picture. Raises IslandError when it died of it."""
        answer = _exchange(self._process, {"file": str(path), "side_px": side_px})
        if "error" in answer:
            raise IslandError(f"{self.name} failed on {path.name}: {answer['error']}. Run with --no-peer to go on.")
        return answer


def _exchange(process: subprocess.Popen[str], task: dict[str, Any] | None = None) -> dict[str, Any]:
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if task is not None:
            process.stdin.write(json.dumps(task) + "\n")
            process.stdin.flush()
        line = process.stdout.readline()
    except BrokenPipeError:
        line = ""
    return json.loads(line) if line else {"error": "its process ended"}


@contextmanager
def _peer(options: argparse.Namespace) -> Iterator[Peer | Absent]:
    if options.no_peer or not shutil.which(options.peer_python):
        yield Absent("not asked for" if options.no_peer else f"there is no interpreter {options.peer_python}")
        return
    command = [options.peer_python, str(PEER)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            greeting = _exchange(process)
            yield Absent(greeting["error"]) if "error" in greeting else Peer(process, greeting["name"])
        finally:
            process.terminate()
            with suppress(BrokenPipeError):
                process.stdin.close()


# -------------------------------------------------------------------------------------------------------------- cases


def _cases(options: argparse.Namespace, folder: Path) -> list[Case]:
    if not options.data:
        return rendered_cases(folder, options.pictures)
    cases = labelled_cases(options.data)[: options.pictures]
    if not cases:
        raise IslandError(f"{options.data / 'labels.csv'} names no plate.")
    return cases


def labelled_cases(folder: Path) -> list[Case]:
    """The rows of FOLDER/labels.csv that have a plate."""
    with (folder / "labels.csv").open(newline="", encoding="utf-8-sig") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("plate")]
    return [Case(folder / row["file"], row["plate"], row.get("colour") or "unknown") for row in rows]


def rendered_cases(folder: Path, count: int | None, *, seed: int = 7) -> list[Case]:
    """Scenes drawn here: a plate of any kind, tilted and weathered, over a busy ground."""
    rng = np.random.default_rng(seed)
    return [_rendered_case(folder / f"{index:03}.png", rng) for index in range(count or 40)]


def _rendered_case(path: Path, rng: np.random.Generator) -> Case:
    text, kind, two_rows = random_plate(rng)
    plate = render_plate(text, kind, two_rows=two_rows, rng=rng)
    height, width = plate.shape[:2]
    quad = random_quad(
        rng,
        centre=(SCENE_WIDTH_PX * rng.uniform(0.25, 0.75), SCENE_HEIGHT_PX * rng.uniform(0.4, 0.8)),
        width_px=rng.uniform(130, 300),
        aspect=height / width,
    )
    scene = degrade(paste_plate(_ground(rng), plate, quad), rng, strength=0.2)
    cv2.imwrite(str(path), scene)
    return Case(path, text, colour_of(kind).value)


def _ground(rng: np.random.Generator) -> np.ndarray:
    """Something like a street: a gradient, blocks of other greys, and grain."""
    ramp = np.linspace(rng.uniform(90, 180), rng.uniform(40, 110), SCENE_HEIGHT_PX)[:, None, None]
    scene = np.broadcast_to(ramp, (SCENE_HEIGHT_PX, SCENE_WIDTH_PX, 3)).astype(np.uint8).copy()
    for _ in range(25):
        x, y = int(rng.integers(SCENE_WIDTH_PX)), int(rng.integers(SCENE_HEIGHT_PX))
        size = int(rng.integers(20, 260)), int(rng.integers(20, 160))
        colour = tuple(int(c) for c in np.clip(rng.uniform(20, 220) + rng.uniform(-25, 25, 3), 0, 255))
        cv2.rectangle(scene, (x, y, *size), colour, cv2.FILLED)
    return scene


# ------------------------------------------------------------------------------------------------------------- output


def _folded(text: str) -> str:
    return normalise(text).translate(_FOLD)


def _for_people(report: dict[str, Any]) -> str:
    lines = [f"{report['pictures']} pictures, {report['source']}"]
    for who, tally in (("ours", report["ours"]), (report["peer"]["name"], report["peer"])):
        if "of" in tally:
            times = f"{tally['ms_median']:8.1f} ms  {tally['cpu_ms_median']:8.1f} ms CPU"
            colours = "  ".join(f"{colour} {share}" for colour, share in tally["by_colour"].items())
            lines.append(f"  {who:18} {times}  {tally['right']}/{tally['of']} right   {colours}")
        else:
            lines.append(f"  {who}")
    if report["ratio_ms"] is not None:
        lines.append(
            f"  ours / peer: {report['ratio_ms']:.2f} of the time (goal: at most {report['ratio_ms_goal']}), "
            f"{report['ratio_cpu_ms']:.2f} of the CPU"
        )
    return "\n".join(lines)
