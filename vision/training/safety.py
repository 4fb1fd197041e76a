"""Counts the two errors that matter at the gate on rendered plates: fuel passed as new-energy, new-energy refused.

    python -m vision.training.safety --models DIR --plates 3000 --seed 11

Every plate is pasted askew onto noise, spoilt, and read between corners as inexact as the detector's.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from control.domain.plates import PlateColour, PlateKind, Verdict, identify
from vision.colour import ColourReading, read_pixels, settle
from vision.recogniser import PlateText, Recogniser
from vision.render.plates import random_plate, render_plate
from vision.render.scenes import paste_plate, random_quad
from vision.render.weather import degrade

CONFIDENCES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9)
KINDS = (PlateKind.SMALL, PlateKind.LARGE, PlateKind.NEV_SMALL, PlateKind.NEV_LARGE, PlateKind.TRACTOR)


def one_reading(rng: np.random.Generator, kind: PlateKind, recogniser: Recogniser) -> tuple[str, PlateText]:
    """(true text, reading) of one rendered plate."""
    text, _, two_rows = random_plate(rng, kind)
    plate = render_plate(text, kind, two_rows=two_rows, rng=rng)
    width = float(np.exp(rng.uniform(np.log(60), np.log(240))))
    scene = rng.integers(40, 160, (200, 320, 3)).astype(np.uint8)
    quad = random_quad(rng, centre=(160, 100), width_px=width, aspect=plate.shape[0] / plate.shape[1])
    scene = degrade(paste_plate(scene, plate, quad), rng, strength=float(rng.uniform(0, 0.7)))
    inexact = quad + rng.normal(0, 0.012 * width, quad.shape)
    return text, recogniser.read(scene, inexact.astype(np.float32))


def verdict_of(reading: PlateText) -> Verdict:
    colour = settle(ColourReading(reading.colour, reading.colour_confidence), read_pixels(reading.plate_bgr)).colour
    return identify(reading.text, colour).verdict


def count(recogniser: Recogniser, plates: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    total, right, verdicts = Counter(), Counter(), Counter()
    for index in range(plates):
        kind = KINDS[index % len(KINDS)]
        text, reading = one_reading(rng, kind, recogniser)
        total[kind] += 1
        right[kind] += reading.text == text
        for floor in CONFIDENCES:
            sure = reading.confidence >= floor and reading.colour is not PlateColour.UNKNOWN
            verdicts[kind, floor, verdict_of(reading) if sure else Verdict.UNSURE] += 1
    for kind in KINDS:
        print(f"{kind}: {right[kind]}/{total[kind]} read whole")
        for floor in CONFIDENCES:
            counts = ", ".join(f"{v} {verdicts[kind, floor, v]}" for v in Verdict)
            print(f"    at confidence {floor:.1f}: {counts}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--plates", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=11)
    args = parser.parse_args()
    count(Recogniser.load(args.models), args.plates, args.seed)


if __name__ == "__main__":
    main()
