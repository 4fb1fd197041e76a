"""Finding vehicles: owns the detector's input, the decoding of its cells and the dropping of doubles.

The network knows six classes of COCO. They say that a vehicle is there and roughly of what sort; the type is
`vision.vehicle_classifier`'s. A golf cart or a wheel loader is found as a car or a truck.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.runtime import Model, open_model

COCO_CLASSES = ("bicycle", "car", "motorcycle", "bus", "train", "truck")
STRIDES_PX = (8, 16, 32)
# A box side's distance from its cell's middle is a distribution over 0 to 10 strides.
BINS = 11
SIDE_PX = 416
SIDE_MULTIPLE_PX = 32
ENLARGEMENT_MAX = 2.0
MEAN_BGR = np.array((103.53, 116.28, 123.675), np.float32)
STD_BGR = np.array((57.375, 57.12, 58.395), np.float32)
SCORE_MIN = 0.35
# The nearer look: its side in pixels, and the score that is enough where a plate says that something is there.
NEAR_SIDE_PX = 256
NEAR_SCORE_MIN = 0.2
SAME_VEHICLE_IOU = 0.6
FINDS_MAX = 24


@dataclass(frozen=True, slots=True)
class FoundVehicle:
    """A vehicle in a picture: x0, y0, x1, y1 in pixels; scores (6,) of `COCO_CLASSES`, each 0 to 1 by itself."""

    box: NDArray[np.float32]
    scores: NDArray[np.float32]

    @property
    def score(self) -> float:
        """How sure the detector is that this is a vehicle, 0 to 1."""
        return float(self.scores.max())


class VehicleDetector:
    """Finds the vehicles in a picture; one instance serves one thread at a time."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @classmethod
    def load(cls, models_dir: Path | None = None) -> VehicleDetector:
        """The detector of `models.toml`. Raises ConfigurationError."""
        return cls(open_model("vehicle_detector", models_dir))

    def find(self, image_bgr: NDArray[np.uint8]) -> tuple[FoundVehicle, ...]:
        """Every vehicle in the picture, uint8 (h, w, 3), the surest first."""
        scale = min(SIDE_PX / max(image_bgr.shape[:2]), ENLARGEMENT_MAX)
        return self._finds(image_bgr, scale, SCORE_MIN)

    def find_near(self, image_bgr: NDArray[np.uint8], square: NDArray[np.float32]) -> tuple[FoundVehicle, ...]:
        """Vehicles in one square (x0, y0, x1, y1) of the picture, which may lie partly outside, seen from nearer.

        Something must be there for the caller to ask, so that less evidence is enough than in a whole picture.
        """
        height, width = image_bgr.shape[:2]
        low = np.clip(np.floor(square[:2]), 0, None).astype(int)
        high = np.clip(np.ceil(square[2:]), None, (width, height)).astype(int)
        if (high <= low).any():
            return ()
        part = image_bgr[low[1] : high[1], low[0] : high[0]]
        finds = self._finds(part, NEAR_SIDE_PX / float(square[2] - square[0]), NEAR_SCORE_MIN)
        return tuple(FoundVehicle(find.box + np.tile(low, 2).astype(np.float32), find.scores) for find in finds)

    def _finds(self, image_bgr: NDArray[np.uint8], scale: float, score_min: float) -> tuple[FoundVehicle, ...]:
        values, factor = network_input(image_bgr, scale)
        levels = zip(self._model.run(values), STRIDES_PX, strict=True)
        finds = [find for cells, stride in levels for find in finds_of(cells[0], stride, score_min)]
        height, width = image_bgr.shape[:2]
        edge = np.array([width, height, width, height], np.float32)
        inside = [FoundVehicle(np.clip(find.box * factor, 0, edge), find.scores) for find in finds]
        return tuple(without_doubles([find for find in inside if area(find.box) > 0])[:FINDS_MAX])


def network_input(image_bgr: NDArray[np.uint8], scale: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Values (1, 3, h, w) of the picture resized by `scale`, and the factor (4,) from their pixels to its own."""
    height, width = image_bgr.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image_bgr, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    values = (small.astype(np.float32) - MEAN_BGR) / STD_BGR
    padded = np.zeros((3, *(-(-side // SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX for side in size[::-1])), np.float32)
    padded[:, : size[1], : size[0]] = values.transpose(2, 0, 1)
    return padded[None], np.array([width / size[0], height / size[1]] * 2, np.float32)


def finds_of(cells: NDArray[np.float32], stride_px: int, score_min: float) -> list[FoundVehicle]:
    """One level's cells (6 + 44, h, w) as boxes in the pixels of the network's input."""
    count = len(COCO_CLASSES)
    scores = 1 / (1 + np.exp(-cells[:count]))
    rows, columns = np.nonzero(scores.max(axis=0) >= score_min)
    bins = np.exp(cells[count:, rows, columns].reshape(4, BINS, -1))
    left, top, right, bottom = (bins * np.arange(BINS)[:, None]).sum(axis=1) / bins.sum(axis=1) * stride_px
    x, y = (columns + 0.5) * stride_px, (rows + 0.5) * stride_px
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1).astype(np.float32)
    return [FoundVehicle(box, s) for box, s in zip(boxes, scores[:, rows, columns].T, strict=True)]


def without_doubles(finds: list[FoundVehicle]) -> list[FoundVehicle]:
    """The surest of every group that is one vehicle, whatever its class, the surest first."""
    kept: list[FoundVehicle] = []
    for find in sorted(finds, key=lambda find: -find.score):
        if not any(iou(find.box, other.box) > SAME_VEHICLE_IOU for other in kept):
            kept.append(find)
    return kept


def iou(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Shared area of two boxes as a share of what they cover together."""
    shared = shared_area(one, other)
    together = area(one) + area(other) - shared
    return shared / together if together > 0 else 0.0


def shared_area(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Area that two boxes have in common, square pixels."""
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(np.prod(np.maximum(sides, 0)))


def area(box: NDArray[np.float32]) -> float:
    """Area of a box, square pixels."""
    return float(np.prod(np.maximum(box[2:] - box[:2], 0)))
