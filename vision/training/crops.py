"""Real plate crops: owns loading them, withholding some, weighting provinces and repainting grounds."""

from __future__ import annotations

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from control.domain.plates import ALPHABET, PlateColour, PlateKind

WITHHELD_SHARE = 0.08


@dataclass(frozen=True, slots=True)
class Crop:
    """One labelled picture of one plate, uint8 BGR; `corners` (4, 2) where the plate does not fill the picture."""

    image: np.ndarray
    text: str
    colour: PlateColour
    two_rows: bool = False
    corners: np.ndarray | None = None

    @property
    def kind(self) -> PlateKind:
        """Kind of a plain car's plate; the labelled crops hold no other."""
        return PlateKind.LARGE if self.colour is PlateColour.YELLOW else PlateKind.SMALL


def load_crops(folder: Path) -> list[Crop]:
    """Every crop of `labels.csv` whose label is complete and in the alphabet."""
    crops = []
    with (folder / "labels.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            text = row["plate"].replace("O", "0").replace("I", "1")
            if row["colour"] in ("blue", "yellow") and all(char in ALPHABET for char in text):
                image = cv2.imread(str(folder / row["file"]))
                colour = PlateColour.BLUE if is_blue(image) else PlateColour(row["colour"])
                crops.append(Crop(image, text, colour))
    return crops


def is_blue(image: np.ndarray) -> bool:
    """Whether most coloured pixels are blue: some crops that the labels call yellow plainly are."""
    hue, saturation, value = cv2.split(cv2.cvtColor(image, cv2.COLOR_BGR2HSV))
    coloured = (saturation > 80) & (value > 50)
    return bool(((hue > 95) & (hue < 130) & coloured).sum() > 0.6 * max(1, coloured.sum()))


def withhold(crops: list[Crop], seed: int = 7) -> tuple[list[Crop], list[Crop]]:
    """(training, withheld): plates are kept whole on one side, provinces with few crops stay in training."""
    counts = Counter(crop.text[0] for crop in crops)
    plates = sorted({crop.text for crop in crops if counts[crop.text[0]] >= 12})
    chosen = set(np.random.default_rng(seed).permutation(plates)[: round(WITHHELD_SHARE * len(crops))])
    return [c for c in crops if c.text not in chosen], [c for c in crops if c.text in chosen]


def province_weights(crops: list[Crop]) -> np.ndarray:
    """Sampling weights, sum 1: (crops of the province) to the power -0.65, yellow crops doubled."""
    counts = Counter(crop.text[0] for crop in crops)
    weights = np.array([(2.0 if c.colour is PlateColour.YELLOW else 1.0) / counts[c.text[0]] ** 0.65 for c in crops])
    return weights / weights.sum()


def repaint(image: np.ndarray, ground: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """A blue crop with another ground and ink (float BGR each; ground may be (h, 1, 3)); light and grain stay.

    White strokes differ from a blue ground most in the red channel, so its percentiles place every pixel
    between ground and stroke.
    """
    red = image[..., 2].astype(np.float32)
    low, high = np.percentile(red, (12, 96))
    cover = np.clip((red - low) / max(high - low, 12.0), -0.15, 1.2)[..., None]
    light = cv2.GaussianBlur(image.max(axis=2).astype(np.float32), (0, 0), max(2.0, image.shape[0] / 4))
    light = (light / max(float(light.max()), 1.0))[..., None] ** 0.7
    level = 0.35 + 0.65 * float(high) / 255
    return np.clip((ground * (1 - cover) + ink * cover) * light * level, 0, 255).astype(np.uint8)
