"""Measures detector and recogniser together on labelled scenes; never used for training.

    python -m vision.training.evaluate --data DATA [--models DIR] [--failures DIR]

A scene is right if the expected plate is among those read, O folded with 0 and I with 1.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from vision.detector import Detector, PlateBox
from vision.recogniser import PlateText, Recogniser

FOLD = str.maketrans("OI", "01")


def measure(folder: Path, detector: Detector, recogniser: Recogniser, failures: Path | None) -> None:
    total, right, colour_right, misses, spent = Counter(), Counter(), Counter(), [], []
    with (folder / "labels.csv").open(encoding="utf-8") as rows:
        scenes = list(csv.DictReader(rows))
    for scene in scenes:
        image = cv2.imread(str(folder / scene["file"]))
        started = time.perf_counter()
        boxes = detector.find(image)
        readings = [recogniser.read(image, box.quad) for box in boxes]
        spent.append((time.perf_counter() - started) * 1000)
        kind = f"{scene['colour']} {'two rows' if scene['type'] == 'double' else ''}".strip()
        total[kind] += 1
        found = [r for r in readings if r.text.translate(FOLD) == scene["plate"].translate(FOLD)]
        right[kind] += bool(found)
        colour_right[kind] += bool(found and found[0].colour == scene["colour"])
        if not found:
            misses.append(describe(scene, boxes, readings))
        if not found and failures:
            picture(failures / f"{scene['file']}.png", image, boxes, readings)
    print("\n".join(misses))
    for kind in total:
        print(f"{kind:16} {right[kind]:3}/{total[kind]:3}  with the right colour {colour_right[kind]}")
    print(f"all {sum(right.values())}/{sum(total.values())}, {np.median(spent):.1f} ms a scene (median)")


def describe(scene: dict[str, str], boxes: tuple[PlateBox, ...], readings: list[PlateText]) -> str:
    read = [f"{r.text} (raw {r.raw}, {r.colour}, {r.rows}, {r.confidence:.2f}, box {b.score:.2f})"
            for r, b in zip(readings, boxes, strict=True)]  # fmt: skip
    return f"{scene['file']} {scene['plate']} {scene['colour']}: {'; '.join(read) or 'no plate found'}"


def picture(path: Path, image: np.ndarray, boxes: tuple[PlateBox, ...], readings: list[PlateText]) -> None:
    """The scene with its quads, the plates as the recogniser saw them above."""
    image = image.copy()
    thickness = max(1, image.shape[1] // 500)
    for box in boxes:
        cv2.polylines(image, [np.round(box.quad).astype(np.int32)], True, (0, 0, 255), thickness)
    scale = 640 / max(image.shape[:2])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((image.shape[0] + 80, 640, 3), np.uint8)
    canvas[80:, : image.shape[1]] = image
    for index, reading in enumerate(readings[:4]):
        plate = reading.plate_bgr
        canvas[: plate.shape[0], index * 160 : index * 160 + 160] = plate
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), canvas)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--failures", type=Path)
    args = parser.parse_args()
    detector, recogniser = Detector.load(args.models), Recogniser.load(args.models)
    measure(args.data / "plates/scenes_dev", detector, recogniser, args.failures)


if __name__ == "__main__":
    main()
