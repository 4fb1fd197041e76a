"""Counts the two errors that matter at the gate: fuel passed as new-energy, and new-energy refused.

    python -m vision.training.safety --plates 12000 --jobs 2              rendered plates of every kind, light and dirt
    python -m vision.training.safety --plates 12000 --whole               found by the detector too, not by corners
    python -m vision.training.safety --data DATA                          and every real picture at hand
    python -m vision.training.safety --json

The answers are the gate's by the delivered rules, from one picture each. The same seed gives the same counts with any
number of jobs. Real pictures: the crops are labelled and hold no new-energy plate; the road scenes of 2017 are not,
and whatever they are read as new-energy is listed to be looked at.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from control.domain.plates import Verdict, mask
from vision.detector import PlateBox
from vision.pictures import read_picture
from vision.reader import PlateReader
from vision.training.answers import GateAnswer, delivered_policy, gate_answer
from vision.training.intervals import share_interval, spoken
from vision.training.trials import Trial, trial

FALSE_PASS_MAX = 1e-4
FALSE_REFUSAL_MAX = 1e-3
SHARE_OF_JOB = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """What the gate made of one picture. `verdict` is that of the surest plate, also where the gate asks a person."""

    name: str
    group: str
    is_new_energy: bool
    is_right: bool
    answer: GateAnswer
    verdict: Verdict
    doubts: tuple[str, ...] = ()


class _Given:
    """A detector that was told the corners; a second, thorough look finds nothing more."""

    def __init__(self) -> None:
        self.boxes: tuple[PlateBox, ...] = ()

    def find(self, image_bgr: np.ndarray, *, thorough: bool) -> tuple[PlateBox, ...]:
        return () if thorough else self.boxes


@cache
def _given_reader(models: Path | None) -> tuple[PlateReader, _Given]:
    given = _Given()
    return PlateReader(models, detector=given), given


@cache
def _whole_reader(models: Path | None) -> PlateReader:
    return PlateReader(models)


def look(number: int, *, seed: int, models: Path | None, whole: bool) -> Seen:
    """Draw one trial and read it."""
    drawn = trial(seed, number)
    if whole:
        plates = _whole_reader(models).read(drawn.scene).plates
    else:
        reader, given = _given_reader(models)
        given.boxes = (PlateBox(drawn.quad, 1.0, drawn.rows),)
        plates = reader.read(drawn.scene).plates
    name = f"{seed}/{number} {drawn.kind} {drawn.light}"
    return _seen(name, _group(drawn), drawn.is_new_energy, drawn.text, plates)


def _group(drawn: Trial) -> str:
    return f"{drawn.kind}|{drawn.light}"


def _seen(name: str, group: str, is_new_energy: bool, text: str | None, plates: tuple[Any, ...]) -> Seen:
    """`text` None: nobody knows it, so that no reading counts as right."""
    answer, doubts = gate_answer(plates, delivered_policy_once())
    verdict = plates[0].verdict if plates else Verdict.UNSURE
    return Seen(name, group, is_new_energy, bool(plates) and plates[0].text == text, answer, verdict, doubts)


@cache
def delivered_policy_once() -> Any:
    """The delivered policy, read once a process."""
    return delivered_policy()


def rendered(plates: int, *, seed: int, jobs: int, models: Path | None, whole: bool) -> Iterator[Seen]:
    """Every trial of a seed, in order."""
    work = partial(look, seed=seed, models=models, whole=whole)
    if jobs == 1:
        yield from map(work, range(plates))
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(work, range(plates), chunksize=SHARE_OF_JOB)


def real_crops(data: Path, models: Path | None) -> Iterator[Seen]:
    """The labelled crops, blue and yellow."""
    from vision.training.crops import load_crops

    reader = _whole_reader(models)
    for number, crop in enumerate(load_crops(data / "plates/crops_train")):
        plates = reader.read(crop.image, crop=True).plates
        yield _seen(f"crop {number} {mask(crop.text)}", "crops", False, crop.text, plates)


def real_scenes(data: Path, models: Path | None) -> Iterator[Seen]:
    """The road scenes, whose plates nobody labelled; every plate that is found counts by itself."""
    reader = _whole_reader(models)
    for path in sorted((data / "plates/scenes_train").glob("*.jpg")):
        for plate in reader.read(read_picture(path).image_bgr).plates:
            yield _seen(f"{path.name} {mask(plate.text)}", "unlabelled", False, None, (plate,))


def summary(seen: Iterable[Seen]) -> dict[str, Any]:
    """Counts by group, and the two errors with what they are allowed."""
    all_seen = list(seen)
    fuel = [one for one in all_seen if not one.is_new_energy]
    new_energy = [one for one in all_seen if one.is_new_energy]
    return {
        "plates": len(all_seen),
        "read_whole": sum(one.is_right for one in all_seen),
        "answers": _answers(all_seen),
        "by_kind": {name: _answers(members) for name, members in _grouped(all_seen, 0).items()},
        "by_light": {name: _answers(members) for name, members in _grouped(all_seen, -1).items()},
        "false_pass": _error(fuel, GateAnswer.OPEN, FALSE_PASS_MAX),
        "false_refusal": _error(new_energy, GateAnswer.REFUSE, FALSE_REFUSAL_MAX),
        "verdicts_on_the_wrong_side": _wrong_verdicts(all_seen),
        "doubts": dict(Counter(doubt for one in all_seen for doubt in one.doubts).most_common()),
        "right_but_sent_to_a_person": sum(one.is_right and one.answer is GateAnswer.PERSON for one in all_seen),
    }


def _grouped(seen: list[Seen], part: int) -> dict[str, list[Seen]]:
    groups: dict[str, list[Seen]] = {}
    for one in seen:
        groups.setdefault(one.group.split("|")[part], []).append(one)
    return groups


def _answers(seen: list[Seen]) -> dict[str, int]:
    counts = Counter(one.answer for one in seen)
    right = sum(one.is_right for one in seen)
    return {"of": len(seen), "right": right} | {str(answer): counts[answer] for answer in GateAnswer}


def _error(seen: list[Seen], wrong: GateAnswer, allowed: float) -> dict[str, Any]:
    members = [one.name for one in seen if one.answer is wrong]
    low, high = share_interval(len(members), len(seen))
    found = {"count": len(members), "of": len(seen), "interval": [low, high], "allowed": allowed}
    return found | {"spoken": spoken(len(members), len(seen)), "which": members}


def _wrong_verdicts(seen: list[Seen]) -> dict[str, int]:
    """How often text and colour agreed on the wrong side, with or without being sure: what the thresholds hold back."""
    return {
        "fuel_as_new_energy": sum(o.verdict is Verdict.NEW_ENERGY for o in seen if not o.is_new_energy),
        "new_energy_as_fuel": sum(o.verdict is Verdict.FUEL for o in seen if o.is_new_energy),
    }


def _for_people(name: str, found: dict[str, Any]) -> str:
    lines = [f"{name}: {found['plates']:,} plates, {found['read_whole']:,} read whole", _row("all", found["answers"])]
    lines += [_row(group, counts) for group, counts in (found["by_kind"] | found["by_light"]).items()]
    for error in ("false_pass", "false_refusal"):
        if found[error]["of"]:
            lines.append(f"  {error}: {found[error]['spoken']}; allowed {found[error]['allowed']:g}")
            lines += [f"      {which}" for which in found[error]["which"]]
    lines.append(f"  verdicts on the wrong side before the thresholds: {found['verdicts_on_the_wrong_side']}")
    lines.append(
        f"  sent to a person though read right: {found['right_but_sent_to_a_person']}; doubts: {found['doubts']}"
    )
    return "\n".join(lines)


def _row(group: str, counts: dict[str, int]) -> str:
    answers = ", ".join(f"{answer} {counts[answer]}" for answer in GateAnswer)
    return f"    {group:14} {counts['right']:6}/{counts['of']:6} right; {answers}"


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything that the options name."""
    cv2.setNumThreads(1)
    found = {}
    if options.plates:
        seen = rendered(
            options.plates, seed=options.seed, jobs=options.jobs, models=options.models, whole=options.whole
        )
        found["rendered"] = summary(seen)
    if options.data:
        found["real crops"] = summary(real_crops(options.data, options.models))
        found["real scenes"] = summary(real_scenes(options.data, options.models))
    return found


def main(arguments: list[str] | None = None) -> int:
    """Count and print; 1 when an error is more frequent than allowed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=Path, help="weights (those that come with the product)")
    parser.add_argument("--plates", type=int, default=12000, help="rendered plates; 0: none")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--whole", action="store_true", help="let the detector find the rendered plates too")
    parser.add_argument("--data", type=Path, help="folder of the training data, for the real pictures")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    found = measure(options)
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        print("\n".join(_for_people(name, counts) for name, counts in found.items()))
    errors = [counts[error] for counts in found.values() for error in ("false_pass", "false_refusal")]
    return int(any(error["count"] > error["allowed"] * error["of"] for error in errors))


if __name__ == "__main__":
    sys.exit(main())
