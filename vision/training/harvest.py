"""What a first pair of networks gets out of the real pictures for a second, better training.

Owns four harvests, each kept only where the first recogniser agrees with what is known:
the corners of the plates in the labelled crops, the shapes of their characters, and the text and the corners of
the unlabelled plates in the road scenes.

    python -m vision.training.harvest --data DATA --models OUT/models1 --second OUT/models2 --out OUT/harvest.npz
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from control.domain.plates import PlateColour, formats_of
from vision.detector import Detector
from vision.recogniser import Recogniser, rectify
from vision.render.glyphs import glyph
from vision.render.plates import layout_of
from vision.training.alignment import ink_of, refined
from vision.training.crops import Crop, load_crops, withhold
from vision.training.views import Scene, box_quad, load_scenes

COVER_WIDTH, COVER_HEIGHT = 32, 64
LIKENESS_MIN = 0.82
PROVINCE_LIKENESS_MIN = 0.7
SCENE_CONFIDENCE_MIN = 0.75
FIT_MIN = 0.27
CORNERS_FIT_MIN = 0.2
PLATE_WIDTH, PLATE_HEIGHT = 176, 56
MARGIN = 0.15


@dataclass(slots=True)
class Harvest:
    """Corners per training crop (NaN where unsure), character covers with their characters, plates of scenes.

    `scene_corners` is (boxes of all scenes in the order of `load_scenes`, 4, 2), NaN where unsure.
    """

    corners: np.ndarray
    covers: np.ndarray
    cover_chars: np.ndarray
    plates: np.ndarray
    plate_texts: np.ndarray
    plate_colours: np.ndarray
    scene_corners: np.ndarray

    @classmethod
    def load(cls, path: Path) -> Harvest:
        with np.load(path) as data:
            return cls(**{name: data[name] for name in cls.__dataclass_fields__})

    def save(self, path: Path) -> None:
        np.savez(path, **{name: getattr(self, name) for name in self.__dataclass_fields__})


def crop_corners(crop: Crop, detector: Detector, recogniser: Recogniser) -> np.ndarray:
    """The plate's corners in the crop's pixels, float32 (4, 2); NaN where text or geometry disagree."""
    pad = crop.image.shape[1] // 2
    padded = cv2.copyMakeBorder(crop.image, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=(90, 90, 90))
    for box in detector.find(padded)[:2]:
        reading = recogniser.read(padded, box.quad, rows=1)
        if reading.text == crop.text:
            light = crop.colour is PlateColour.BLUE
            quad, fit = refined(padded, box.quad, light=light)
            return ((quad if fit >= CORNERS_FIT_MIN else box.quad) - pad).astype(np.float32)
    return np.full((4, 2), np.nan, np.float32)


def covers_of(crop: Crop, corners: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """(character, cover uint8 (64, 32)) of the characters whose ink stands clearly off the ground."""
    light = crop.colour is PlateColour.BLUE
    if refined(crop.image, corners, light=light)[1] < FIT_MIN:
        return []
    ink = ink_of(rectify(crop.image, corners, (440, 140)), light=light)
    found = []
    for char, box in zip(crop.text, layout_of(crop.text, crop.kind).boxes, strict=True):
        x, y, w, h = (round(v) for v in box)
        cover = _cover(ink[max(0, y - 8) : y + h + 8, max(0, x - 4) : x + w + 4])
        if cover is not None and char != "1":
            found.append((char, cover))
    return found


def _cover(cell: np.ndarray) -> np.ndarray | None:
    """The ink cut to its own box; None where it does not fill the place of a character or has no clear ground."""
    if np.percentile(cell, 20) > 0.3 or np.percentile(cell, 90) < 0.7:
        return None
    solid = cell > 0.5
    columns, rows = np.nonzero(solid.sum(axis=0) >= 4)[0], np.nonzero(solid.sum(axis=1) >= 3)[0]
    if len(columns) == 0 or columns[-1] - columns[0] < 36 or rows[-1] - rows[0] < 80:
        return None
    cut = cell[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scaled = cv2.resize(cut, (COVER_WIDTH, COVER_HEIGHT), interpolation=cv2.INTER_AREA)
    return (np.clip(scaled * 1.2 - 0.1, 0, 1) * 255).astype(np.uint8)


def typical(covers: np.ndarray, chars: np.ndarray) -> np.ndarray:
    """bool (n,): whether a cover resembles its character's mean cover and, more loosely, the atlas.

    A cut that lost its top or holds a neighbour's stroke would teach a wrong shape.
    """
    keep = np.ones(len(covers), bool)
    for char in np.unique(chars).tolist():
        of_char = np.nonzero(chars == char)[0]
        atlas = np.maximum(*(glyph(char, COVER_WIDTH, COVER_HEIGHT, variant=v).astype(np.float32) for v in range(2)))
        likeness = np.array([_likeness(covers[i], cv2.GaussianBlur(atlas, (5, 5), 0)) for i in of_char])
        best = of_char[likeness >= np.median(likeness)]
        mean = covers[best].mean(axis=0)
        near = np.array([_likeness(covers[i], mean) for i in of_char])
        floor = LIKENESS_MIN if char.isascii() else PROVINCE_LIKENESS_MIN
        keep[of_char] = (near >= floor) & (likeness >= np.median(likeness) - 0.25)
    return keep


def _likeness(cover: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(cover.reshape(-1), other.reshape(-1))[0, 1])


def scene_plates(
    scene: Scene, detector: Detector, recogniser: Recogniser, second: Recogniser
) -> list[tuple[np.ndarray, str, str]]:
    """(picture with a margin, text, colour) of the boxed plates that both recognisers read alike and surely."""
    found = []
    for box in detector.find(scene.image):
        reading = recogniser.read(scene.image, box.quad, rows=1)
        sure = reading.confidence >= SCENE_CONFIDENCE_MIN and reading.raw == reading.text
        rows = [row for row in formats_of(reading.text) if reading.colour in row.colours]
        agreed = sure and second.read(scene.image, box.quad, rows=1).text == reading.text
        if agreed and rows and _is_boxed(box.quad, scene.boxes):
            middle = box.quad.mean(axis=0)
            wide = (box.quad - middle) * (1 + 2 * MARGIN) + middle
            picture = rectify(scene.image, wide.astype(np.float32), (PLATE_WIDTH, PLATE_HEIGHT))
            found.append((picture, reading.text, str(reading.colour)))
    return found


def scene_corners(scene: Scene, detector: Detector, recogniser: Recogniser) -> np.ndarray:
    """Corners of the scene's boxed plates, float32 (boxes, 4, 2); NaN where the grid does not fit the ink."""
    corners = np.full((len(scene.boxes), 4, 2), np.nan, np.float32)
    for found in detector.find(scene.image):
        if not _is_boxed(found.quad, scene.boxes):
            continue
        reading = recogniser.read(scene.image, found.quad, rows=1)
        if reading.confidence < SCENE_CONFIDENCE_MIN or len(reading.text) != 7:
            continue
        light = reading.colour is PlateColour.BLUE
        quad, _ = refined(scene.image, found.quad, light=light)
        quad, fit = refined(scene.image, quad, light=light)
        if fit >= FIT_MIN:
            middles = scene.boxes[:, :2] + scene.boxes[:, 2:] / 2
            nearest = int(np.abs(middles - quad.mean(axis=0)).sum(axis=1).argmin())
            corners[nearest] = quad
    return corners


def _is_boxed(quad: np.ndarray, boxes: np.ndarray) -> bool:
    centre = quad.mean(axis=0)
    return any(
        (np.abs(box_quad(box).mean(axis=0) - centre) < (box[2] * 0.15, box[3] * 0.35)).all()
        and 0.75 < np.ptp(quad[:, 0]) / box[2] < 1.3
        for box in boxes
    )


def gather(data: Path, detector: Detector, recogniser: Recogniser, second: Recogniser) -> Harvest:
    learned, _ = withhold(load_crops(data / "plates/crops_train"))
    corners = np.stack([crop_corners(crop, detector, recogniser) for crop in learned])
    known = [(c, q) for c, q in zip(learned, corners, strict=True) if np.isfinite(q).all()]
    pairs = [pair for crop, quad in known for pair in covers_of(crop, quad)]
    covers, chars = np.stack([cover for _, cover in pairs]), np.array([char for char, _ in pairs])
    keep = typical(covers, chars)
    covers, chars = covers[keep], chars[keep]
    print(f"{len(known)} of {len(learned)} crops aligned, {len(covers)} characters", flush=True)
    scenes = load_scenes(data / "plates/scenes_train")
    plates = [found for scene in scenes for found in scene_plates(scene, detector, recogniser, second)]
    print(f"{len(plates)} plates of scenes", flush=True)
    return Harvest(
        corners,
        covers,
        chars,
        np.stack([picture for picture, _, _ in plates]),
        np.array([text for _, text, _ in plates]),
        np.array([colour for _, _, colour in plates]),
        np.concatenate([scene_corners(scene, detector, recogniser) for scene in scenes]),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument(
        "--second", type=Path, required=True, help="models whose recogniser was trained with another seed"
    )
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    recognisers = Recogniser.load(args.models), Recogniser.load(args.second)
    gather(args.data, Detector.load(args.models), *recognisers).save(args.out)


if __name__ == "__main__":
    main()
