"""Measures the reader on labelled scenes and on withheld crops while training; `benchmarks.read` does it beside peers.

    python -m vision.training.evaluate --data DATA [--models DIR] [--failures DIR]

A scene is right if the expected plate is among those read, O folded with 0 and I with 1. Neither lot is trained on.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from control.domain.readings import PlateReading
from vision.pictures import read_picture
from vision.reader import PlateReader
from vision.recogniser import Recogniser
from vision.training.crops import load_crops, withhold

FOLD = str.maketrans("OI", "01")
CANVAS_WIDTH_PX, STRIP_HEIGHT_PX = 640, 80


def measure_scenes(folder: Path, reader: PlateReader, recogniser: Recogniser, failures: Path | None) -> None:
    """Print the misses, then right ones by colour and the median time."""
    total, right, colour_right, spent = Counter(), Counter(), Counter(), []
    with (folder / "labels.csv").open(encoding="utf-8") as stream:
        scenes = list(csv.DictReader(stream))
    for scene in scenes:
        image = read_picture(folder / scene["file"]).image_bgr
        found = reader.read(image)
        spent.append(found.ms)
        group = f"{scene['colour']} {'two rows' if scene['type'] == 'double' else ''}".strip()
        same = [plate for plate in found.plates if folded(plate.text) == folded(scene["plate"])]
        total[group] += 1
        right[group] += bool(same)
        colour_right[group] += bool(same and same[0].colour == scene["colour"])
        if not same:
            print(described(scene, found.plates))
        if not same and failures:
            draw(failures / f"{scene['file']}.png", image, found.plates, recogniser)
    for group in total:
        print(f"{group:16} {right[group]:3}/{total[group]:3}  with the right colour {colour_right[group]}")
    print(f"scenes {right.total()}/{total.total()}, {np.median(spent):.1f} ms a scene (median)")


def measure_crops(folder: Path, reader: PlateReader) -> None:
    """Print the misses among the withheld crops, then how many were right."""
    crops = withhold(load_crops(folder))[1]
    right = colour_right = 0
    for crop in crops:
        plates = reader.read(crop.image, crop=True).plates
        is_right = any(folded(plate.text) == folded(crop.text) for plate in plates)
        right += is_right
        colour_right += any(plate.colour is crop.colour for plate in plates)
        if not is_right:
            print(described({"file": "crop", "plate": crop.text, "colour": crop.colour}, plates))
    print(f"withheld crops {right}/{len(crops)}, right ground {colour_right}")


def folded(text: str) -> str:
    """O taken for 0 and I for 1."""
    return text.translate(FOLD)


def described(scene: dict[str, str], plates: tuple[PlateReading, ...]) -> str:
    """One line about a miss."""
    read = [f"{plate.text} ({plate.colour}, {plate.rows} rows, {plate.confidence:.2f})" for plate in plates]
    return f"{scene['file']} {scene['plate']} {scene['colour']}: {'; '.join(read) or 'no plate found'}"


def draw(path: Path, image: NDArray[np.uint8], plates: tuple[PlateReading, ...], recogniser: Recogniser) -> None:
    """The scene with its quads, the plates as the recogniser saw them above."""
    cuts = [recogniser.read(image, np.array(plate.quad, np.float32)).plate_bgr for plate in plates[:4]]
    marked = image.copy()
    for plate in plates:
        corners = np.round(np.array(plate.quad)).astype(np.int32)
        cv2.polylines(marked, [corners], True, (0, 0, 255), max(1, image.shape[1] // 500))
    scale = CANVAS_WIDTH_PX / max(image.shape[:2])
    marked = cv2.resize(marked, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas = np.zeros((marked.shape[0] + STRIP_HEIGHT_PX, CANVAS_WIDTH_PX, 3), np.uint8)
    canvas[STRIP_HEIGHT_PX:, : marked.shape[1]] = marked
    for index, cut in enumerate(cuts):
        canvas[: cut.shape[0], index * 160 : index * 160 + 160] = cut
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), canvas)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--failures", type=Path)
    options = parser.parse_args()
    reader = PlateReader(options.models)
    plates = options.data / "plates"
    measure_scenes(plates / "scenes_dev", reader, Recogniser.load(options.models), options.failures)
    measure_crops(plates / "crops_train", reader)


if __name__ == "__main__":
    main()
