"""Finding plates: owns the detector's input, the decoding of its cells and the second, closer look at the corners.

A picture is seen whole at a small size, and every find is cut out at one size and looked at again, which places its
corners more exactly. The quick size serves what stands before the camera; the thorough ones, at four times the cost,
what is small, far, or so near that it fills the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.runtime import Model, open_model

STRIDE_PX = 8
CORNER_UNIT_PX = 64.0
SIDE_MULTIPLE_PX = 32
# Longest sides, in pixels, at which a whole picture is seen.
QUICK_SIDES_PX = (416,)
THOROUGH_SIDES_PX = (640, 192)
# A picture smaller than this is not enlarged further: there is nothing more in it.
ENLARGEMENT_MAX = 1.5
FIND_SCORE_MIN = 0.3
KEEP_SCORE_MIN = 0.4
FINDS_MAX = 16
# The closer look: window in pixels, and how wide the plate is made to appear in it.
LOOK_WIDTH_PX, LOOK_HEIGHT_PX = 192, 96
LOOK_PLATE_PX = 110.0
SAME_PLATE_OVERLAP_FRAC = 0.45
GREY = (114, 114, 114)


@dataclass(frozen=True, slots=True)
class PlateBox:
    """A plate in a picture: corners float32 (4, 2) in pixels, clockwise from the plate's own top left."""

    quad: NDArray[np.float32]
    score: float
    rows: int


class Detector:
    """Finds the corners of the plates in a picture; one instance serves one thread at a time."""

    def __init__(self, model: Model) -> None:
        self._model = model

    @classmethod
    def load(cls, models_dir: Path | None = None) -> Detector:
        """The detector of `models.toml`. Raises ConfigurationError."""
        return cls(open_model("plate_detector", models_dir))

    def find(self, image_bgr: NDArray[np.uint8], *, thorough: bool = True) -> tuple[PlateBox, ...]:
        """Every plate in the picture, uint8 (h, w, 3), the surest first; not the small ones unless `thorough`."""
        small, finds = image_bgr, []
        for side_px in THOROUGH_SIDES_PX if thorough else QUICK_SIDES_PX:
            small = shrunk(small, side_px)
            finds += self._finds_in(small, image_bgr)
        finds = without_doubles(finds)[:FINDS_MAX]
        sure = [box for box in self._looked_at(image_bgr, finds) if box.score >= KEEP_SCORE_MIN]
        return tuple(without_doubles(sure))

    def _finds_in(self, small_bgr: NDArray[np.uint8], image_bgr: NDArray[np.uint8]) -> list[PlateBox]:
        """Finds in a resized picture, in pixels of the original."""
        cells = self._cells(_padded(small_bgr)[None])
        factor = np.array(image_bgr.shape[1::-1], np.float32) / np.array(small_bgr.shape[1::-1], np.float32)
        return [PlateBox(box.quad * factor, box.score, box.rows) for box in boxes_of(cells[0])]

    def _cells(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        (cells,) = self._model.run(cv2.dnn.blobFromImages(list(images), 1 / 255, swapRB=True))
        return cells

    def _looked_at(self, image_bgr: NDArray[np.uint8], finds: list[PlateBox]) -> list[PlateBox]:
        """Every find after a closer look; one that the look does not confirm keeps its corners and half its score."""
        if not finds:
            return []
        views = [look_of(box) for box in finds]
        windows = np.stack([_window(image_bgr, scale, offset) for scale, offset in views])
        cells = self._cells(windows)
        return [
            _nearest_middle(boxes_of(seen), box, scale, offset)
            for seen, box, (scale, offset) in zip(cells, finds, views, strict=True)
        ]


def boxes_of(cells: NDArray[np.float32]) -> list[PlateBox]:
    """Local maxima of one picture's cells (10, h, w) as boxes in that picture's pixels."""
    heat = 1.0 / (1.0 + np.exp(-cells[0]))
    peaks = (heat >= FIND_SCORE_MIN) & (heat >= cv2.dilate(heat, np.ones((3, 3), np.uint8)))
    boxes = []
    for y, x in zip(*np.nonzero(peaks), strict=True):
        centre = np.array([x + 0.5, y + 0.5], np.float32) * STRIDE_PX
        quad = cells[1:9, y, x].reshape(4, 2) * np.float32(CORNER_UNIT_PX) + centre
        boxes.append(PlateBox(quad.astype(np.float32), float(heat[y, x]), 2 if cells[9, y, x] > 0 else 1))
    return boxes


def without_doubles(boxes: list[PlateBox]) -> list[PlateBox]:
    """The surest box of every group that overlaps, the surest first."""
    kept: list[PlateBox] = []
    for box in sorted(boxes, key=lambda box: -box.score):
        if not any(_overlap_frac(box.quad, other.quad) > SAME_PLATE_OVERLAP_FRAC for other in kept):
            kept.append(box)
    return kept


def look_of(box: PlateBox) -> tuple[float, NDArray[np.float32]]:
    """(scale, offset): pixel p of the picture stands at p * scale + offset in the closer look's window."""
    scale = LOOK_PLATE_PX / max(4.0, float(np.ptp(box.quad[:, 0])))
    middle = np.array([LOOK_WIDTH_PX / 2, LOOK_HEIGHT_PX / 2], np.float32)
    return scale, middle - box.quad.mean(axis=0) * scale


def _window(image_bgr: NDArray[np.uint8], scale: float, offset: NDArray[np.float32]) -> NDArray[np.uint8]:
    size = (LOOK_WIDTH_PX, LOOK_HEIGHT_PX)
    if scale < 0.6:
        image_bgr, scale, offset = _averaged(image_bgr, scale, offset)
    matrix = np.array([[scale, 0, offset[0]], [0, scale, offset[1]]], np.float32)
    return cv2.warpAffine(image_bgr, matrix, size, borderMode=cv2.BORDER_CONSTANT, borderValue=GREY)


def _averaged(
    image_bgr: NDArray[np.uint8], scale: float, offset: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], float, NDArray[np.float32]]:
    """The window's part of the picture shrunk with averaging, else fine texture would turn into noise."""
    low = np.maximum(np.floor(-offset / scale).astype(int) - 2, 0)
    high = np.ceil((np.array([LOOK_WIDTH_PX, LOOK_HEIGHT_PX]) - offset) / scale).astype(int) + 2
    part = image_bgr[low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)]
    height, width = part.shape[:2]
    small = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(part, small, interpolation=cv2.INTER_AREA), 1.0, (offset + low * scale).astype(np.float32)


def shrunk(image_bgr: NDArray[np.uint8], side_px: int) -> NDArray[np.uint8]:
    """The picture with its longer side at `side_px` pixels, but never enlarged by more than a half.

    Halved as often as that goes, which averages and is ten times as fast as one step to an odd size.
    """
    while max(image_bgr.shape[:2]) >= 2 * side_px and min(image_bgr.shape[:2]) >= 2:
        height, width = image_bgr.shape[0] // 2, image_bgr.shape[1] // 2
        even = image_bgr[: 2 * height, : 2 * width]
        image_bgr = cv2.resize(even, (width, height), interpolation=cv2.INTER_AREA)
    height, width = image_bgr.shape[:2]
    scale = min(side_px / max(height, width), ENLARGEMENT_MAX)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(image_bgr, size, interpolation=cv2.INTER_LINEAR)


def _nearest_middle(seen: list[PlateBox], find: PlateBox, scale: float, offset: NDArray[np.float32]) -> PlateBox:
    middle = np.array([LOOK_WIDTH_PX / 2, LOOK_HEIGHT_PX / 2])
    near = [box for box in seen if np.abs(box.quad.mean(axis=0) - middle).max() < LOOK_PLATE_PX * 0.4]
    if not near:
        return PlateBox(find.quad, find.score * 0.5, find.rows)
    best = max(near, key=lambda box: box.score)
    quad = ((best.quad - offset) / np.float32(scale)).astype(np.float32)
    return PlateBox(quad, (find.score + best.score) / 2, best.rows)


def _padded(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey added below and to the right, up to the next multiple of the net's stride."""
    height, width = image.shape[:2]
    below, right = -height % SIDE_MULTIPLE_PX, -width % SIDE_MULTIPLE_PX
    return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_CONSTANT, value=GREY)


def _overlap_frac(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Overlap of the boxes around two quads, as a share of the smaller box."""
    low = np.maximum(one.min(axis=0), other.min(axis=0))
    high = np.minimum(one.max(axis=0), other.max(axis=0))
    shared = float(np.prod(np.maximum(high - low, 0)))
    smaller = min(float(np.prod(np.ptp(one, axis=0))), float(np.prod(np.ptp(other, axis=0))))
    return shared / smaller if smaller > 0 else 0.0
