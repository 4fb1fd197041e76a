"""Trains and publishes both plate networks with one command: owns the order of the steps and their shares of the time.

    python -m vision.training.plates --data DATA --out OUT --minutes 220

A step whose result lies in OUT already is passed over, so that an interrupted run goes on where it stopped.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MINUTES = 220.0


@dataclass(frozen=True, slots=True)
class Step:
    """One module of this package with its arguments, and the file by which its end is known."""

    module: str
    result: Path
    arguments: tuple[str, ...]


def steps(data: Path, out: Path, minutes: float) -> Iterator[Step]:
    """From two first recognisers and a first detector over the harvest to the networks that are published."""

    def recogniser(name: str, share: float, seed: int, *more: str) -> Step:
        time = ("--minutes", f"{share * minutes:.1f}", "--seed", str(seed))
        arguments = ("--data", str(data), "--out", str(out / name), *time, *more)
        return Step("recogniser", out / name / "finished", arguments)

    def detector(name: str, share: float, seed: int, *more: str) -> Step:
        time = ("--minutes", f"{share * minutes:.1f}", "--seed", str(seed))
        return Step("detector", out / name / "finished", ("--data", str(data), "--out", str(out / name), *time, *more))

    def published(detector_of: str, recogniser_of: str, target: Path) -> Step:
        networks = ("--detector", f"{out / detector_of}/plate_detector.onnx")
        networks += ("--recogniser", f"{out / recogniser_of}/plate_recogniser.onnx")
        return Step("publish", target / "finished", (*networks, "--out", str(target)))

    first, second, harvest = out / "models1", out / "models2", out / "harvest.npz"
    early = ("--rate", "3e-3", "--strength", "0.55")
    yield recogniser("rec1", 0.12, 1, *early)
    yield recogniser("rec1b", 0.12, 6, *early)
    yield detector("det1", 0.06, 1, "--rate", "3e-3")
    yield published("det1", "rec1", first)
    yield published("det1", "rec1b", second)
    sources = ("--models", str(first), "--second", str(second))
    yield Step("harvest", harvest, ("--data", str(data), *sources, "--out", str(harvest)))
    harvested = ("--rate", "2.5e-3", "--harvest", str(harvest))
    yield detector("det2", 0.28, 2, *harvested, "--resume", str(out / "det1/detector.pt"))
    late = ("--strength", "0.62", "--real", "0.42", "--pool", "16000", "--resume", str(out / "rec1/recogniser.pt"))
    yield recogniser("rec2", 0.42, 2, *harvested, *late)
    yield published("det2", "rec2", out / "models")


def run(step: Step) -> None:
    """Raises CalledProcessError when the step fails."""
    print(f"{step.module} {' '.join(step.arguments)}", flush=True)
    step.result.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", f"vision.training.{step.module}", *step.arguments], check=True)
    if not step.result.exists():
        step.result.touch()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="for all steps together")
    args = parser.parse_args()
    for step in steps(args.data, args.out, args.minutes):
        if not step.result.exists():
            run(step)


if __name__ == "__main__":
    main()
