"""Reading plates: our share of right ones and our time beside every peer's, picture by picture in one run.

    ./island bench read --json                                rendered scenes
    ./island bench read --json --data FOLDER --data FOLDER    scenes with labels.csv (file, plate, maybe colour, type,
                                                              source, quad_xy)
    ./island bench read --json --crops FOLDER --withheld      cut plates; --withheld: those never trained on
    ./island bench read --json --data FOLDER --boxes 94x24    and what upright boxes around the plates hold
    ./island bench read --data FOLDER --report DIR            a page with the picture of every failure

The peers are optional and each runs in a process of its own; they drag in their own OpenCV, so each had better have
its own virtual environment: `--peer-python NAME=PATH` names its interpreter. One that cannot run is named with the
reason. Times are from decoded pixels to text; the `cpu_ms` beside them are what the processor spent, which other
programs on the machine hardly change. A plate counts as right when the whole text is among the answers, with O taken
for 0 and I for 1.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import _read_output, _read_peers, _read_report
from benchmarks._read_answers import Outcome, PeerAnswer
from benchmarks._read_cases import RENDERED_SET, Case, boxed_cases, labelled_cases, rendered_cases, withheld_only
from benchmarks._read_peers import PEERS, Peer, Task
from benchmarks._read_tally import by_set
from control.domain.errors import IslandError
from control.gate.rules import Policy
from vision.pictures import read_picture
from vision.reader import PlateReader
from vision.recogniser import rectify
from vision.runtime import MODELS_DIR
from vision.training.answers import delivered_policy, gate_answer

# A peer looks at a scene in the size it gets and takes seconds for a large one; this side serves agentclpr best.
PEER_SIDE_PX = 640
# The goal on scenes: at most this share of agentclpr's time.
RATIO_MAX = 1 / 6
RATIO_PEER = "agentclpr"
# How a plate that we found is given to a peer that finds none.
CUT_WIDTH_PX, CUT_HEIGHT_PX, CUT_TWO_ROWS_HEIGHT_PX = 320, 96, 160
_OUTPUTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "json": partial(json.dumps, ensure_ascii=False),
    "table": _read_output.table,
    "people": _read_output.for_people,
}


def main(arguments: list[str]) -> int:
    """Measure, print, and give 1 when the goal against a measured peer is missed."""
    options = _parser().parse_args(arguments)
    try:
        if options.report:
            _read_report.check_place(options.report)
        with tempfile.TemporaryDirectory() as folder:
            report = run(options, Path(folder))
    except (IslandError, OSError) as error:
        print(f"bench read: {error}", file=sys.stderr)
        return 2
    print(_OUTPUTS[options.output](report))
    return 0 if report["ratio_ms"] is None or report["ratio_ms"] <= RATIO_MAX else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="island bench read", description=__doc__.split("\n")[0])
    outputs = parser.add_mutually_exclusive_group()
    outputs.add_argument("--json", dest="output", action="store_const", const="json", help="one JSON object")
    outputs.add_argument("--table", dest="output", action="store_const", const="table", help="Markdown for documents")
    parser.set_defaults(output="people")
    parser.add_argument("--data", type=Path, action="append", default=[], metavar="DIR", help="labelled scenes; repeat")
    parser.add_argument("--crops", type=Path, action="append", default=[], metavar="DIR", help="labelled crops; repeat")
    parser.add_argument("--withheld", action="store_true", help="of the crops, only those never trained on")
    parser.add_argument(
        "--boxes", type=_size, metavar="WxH", help="also upright boxes around the plates, squeezed to WxH"
    )
    parser.add_argument("--pictures", type=int, metavar="N", help="at most N of every folder (40 rendered ones)")
    parser.add_argument("--models", type=Path, metavar="DIR", help="our weights (those that come with the product)")
    parser.add_argument("--report", type=Path, metavar="DIR", help="write a page with every failure, outside of here")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="A,B", help=f"of {', '.join(PEERS)}")
    parser.add_argument(
        "--peer-python", action="append", default=[], metavar="[NAME=]PATH", help="a peer's interpreter"
    )
    parser.add_argument("--peer-side-px", type=int, default=PEER_SIDE_PX, metavar="N", help="0: scenes as they are")
    parser.add_argument("--no-peer", action="store_true", help="measure ours alone")
    return parser


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 94x24")
    return int(width), int(height)


def run(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Measure what the options name; `folder` is for pictures that are made on the way."""
    reader = PlateReader(options.models)
    cases = _cases(options, folder, reader)
    pythons = _read_peers.interpreters(options.peer_python, sys.executable)
    keys = [] if options.no_peer else [key.strip() for key in options.peers.split(",") if key.strip()]
    with _read_peers.started(keys, pythons) as peers:
        outcomes = measure(cases, reader, peers, options.peer_side_px, folder)
        report = _report(outcomes, peers, options)
    if options.report:
        report["page"] = str(_read_report.write(options.report, outcomes, peers, report, options.models))
    return report


def _cases(options: argparse.Namespace, folder: Path, reader: PlateReader) -> list[Case]:
    found = [labelled_cases(data)[: options.pictures] for data in options.data]
    for crops in options.crops:
        cases = labelled_cases(crops, crop=True)
        found.append((withheld_only(cases, crops) if options.withheld else cases)[: options.pictures])
    if options.boxes:
        found += [list(boxed_cases(cases, options.boxes, folder, reader)) for cases in list(found)]
    return [case for cases in found for case in cases] or rendered_cases(folder, options.pictures)


def measure(cases: list[Case], reader: PlateReader, peers: list[Peer], side_px: int, folder: Path) -> list[Outcome]:
    """Each picture goes to all in turn, so that whatever else the machine does falls on all."""
    policy = delivered_policy()
    reader.read(read_picture(cases[0].path).image_bgr, crop=cases[0].crop)  # the first run allocates
    outcomes = []
    for case in cases:
        image = read_picture(case.path).image_bgr
        outcome = _ours(case, image, reader, policy)
        for peer in peers:
            if peer.why_not is None:
                outcome.peers[peer.key] = _theirs(peer, outcome, image, side_px, folder)
        outcomes.append(outcome)
    return outcomes


def _ours(case: Case, image: NDArray[np.uint8], reader: PlateReader, policy: Policy) -> Outcome:
    cpu_started = time.process_time()
    reading = reader.read(image, crop=case.crop)
    cpu_ms = (time.process_time() - cpu_started) * 1000
    answer, doubts = gate_answer(reading.plates, policy)
    return Outcome(case, reading.plates, reading.ms, cpu_ms, answer, doubts)


def _theirs(peer: Peer, outcome: Outcome, image: NDArray[np.uint8], side_px: int, folder: Path) -> PeerAnswer:
    if outcome.case.crop or peer.scenes:
        tasks = [Task(outcome.case.path, outcome.case.crop, side_px)]
    else:
        tasks = [Task(path, crop=True, side_px=0) for path in _cut_plates(outcome, image, folder)]
    answers = [peer.ask(task) for task in tasks]
    texts = tuple(text for answer in answers for text in answer["texts"])
    return PeerAnswer(texts, sum(a["ms"] for a in answers), sum(a["cpu_ms"] for a in answers))


def _cut_plates(outcome: Outcome, image: NDArray[np.uint8], folder: Path) -> list[Path]:
    paths = []
    for index, reading in enumerate(outcome.readings):
        height = CUT_TWO_ROWS_HEIGHT_PX if reading.rows == 2 else CUT_HEIGHT_PX
        path = folder / f"cut_{index}.png"
        cv2.imwrite(str(path), rectify(image, np.array(reading.quad, np.float32), (CUT_WIDTH_PX, height)))
        paths.append(path)
    return paths


# ------------------------------------------------------------------------------------------------------------ report


def _report(outcomes: list[Outcome], peers: list[Peer], options: argparse.Namespace) -> dict[str, Any]:
    sets = by_set(outcomes, peers)
    ratio_ms, ratio_cpu_ms = _ratios(sets, options)
    return {
        "benchmark": "read",
        "pictures": len(outcomes),
        "models": model_sizes(options.models),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "peer_side_px": options.peer_side_px,
        "peers": [peer.facts() for peer in peers],
        "sets": sets,
        "ratio_peer": RATIO_PEER,
        "ratio_ms": ratio_ms,
        "ratio_cpu_ms": ratio_cpu_ms,
        "ratio_ms_goal": round(RATIO_MAX, 3),
    }


def _ratios(sets: dict[str, Any], options: argparse.Namespace) -> tuple[float | None, float | None]:
    """Our time by the peer's on the first set of scenes."""
    first = sets.get(options.data[0].name if options.data else RENDERED_SET, {"peers": {}})
    for name, peer in first["peers"].items():
        if name.split()[0] == RATIO_PEER and "warp" not in name:
            return peer["ratio_ms"], peer["ratio_cpu_ms"]
    return None, None


def model_sizes(models_dir: Path | None) -> dict[str, int]:
    """Bytes of the networks that read plates, and `total`."""
    folder = models_dir or MODELS_DIR
    rows = tomllib.loads((folder / "models.toml").read_text(encoding="utf-8"))
    sizes = {name: (folder / row["file"]).stat().st_size for name, row in rows.items() if name.startswith("plate_")}
    return sizes | {"total": sum(sizes.values())}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
