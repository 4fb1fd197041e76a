"""Training views of the detector: owns cutting real scenes at every scale and pasting plates with known corners."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from control.domain.plates import PlateColour
from vision.render import weather
from vision.render.scenes import paste_plate, random_quad
from vision.training.crops import Crop
from vision.training.samples import Pool, repainted

SIZE = 320
WRITING = "0123456789ABCDEFGHKLMNPRSTUVWXY:/- "


# How much larger a plate is than the box that the labels draw tightly around its characters (width, height).
PLATE_PER_BOX = (1.05, 1.12)


@dataclass(frozen=True, slots=True)
class Scene:
    """A road picture, uint8 BGR, with its plates' boxes, float32 (n, 4) as x, y, w, h, and their corners.

    `quads` is float32 (n, 4, 2); where `exact` (n,) is False only a box is known and the quad is made from it.
    """

    image: np.ndarray
    boxes: np.ndarray
    quads: np.ndarray
    exact: np.ndarray


@dataclass(frozen=True, slots=True)
class Plate:
    """A plate in a view: quad float32 (4, 2) in view pixels; `exact` is False where only a box is known."""

    quad: np.ndarray
    two_rows: bool
    exact: bool


def load_scenes(folder: Path, corners: np.ndarray | None = None) -> list[Scene]:
    """Every scene of `boxes.csv`, with the harvested `corners` (all boxes, 4, 2), NaN where they are unsure."""
    boxes: dict[str, list[list[float]]] = defaultdict(list)
    with (folder / "boxes.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            boxes[row["file"]].append([float(row[key]) for key in "xywh"])
    scenes, start = [], 0
    for name, rows in sorted(boxes.items()):
        quads = np.stack([box_quad(grown(np.array(row, np.float32))) for row in rows])
        exact = np.zeros(len(rows), bool)
        if corners is not None:
            known = corners[start : start + len(rows)]
            exact = np.isfinite(known).all(axis=(1, 2))
            quads[exact] = known[exact]
        scenes.append(Scene(cv2.imread(str(folder / name)), np.array(rows, np.float32), quads, exact))
        start += len(rows)
    return scenes


def grown(box: np.ndarray) -> np.ndarray:
    """A labelled box (x, y, w, h) at the size of the plate."""
    size = box[2:] * PLATE_PER_BOX
    return np.concatenate([box[:2] + (box[2:] - size) / 2, size]).astype(np.float32)


def box_quad(box: np.ndarray) -> np.ndarray:
    x, y, width, height = box
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


@dataclass(slots=True)
class ViewSampler:
    """Draws views of SIZE x SIZE pixels: real plates, some repainted, and pasted ones of every kind."""

    rng: np.random.Generator
    scenes: list[Scene]
    crops: list[Crop]
    pool: Pool

    def batch(self, count: int) -> tuple[np.ndarray, list[list[Plate]]]:
        """(uint8 (count, SIZE, SIZE, 3), the plates of each view)."""
        self.pool.refresh(max(1, count // 6))
        views = [self.view() for _ in range(count)]
        return np.stack([image for image, _ in views]), [plates for _, plates in views]

    def view(self) -> tuple[np.ndarray, list[Plate]]:
        scene = self.scenes[int(self.rng.integers(len(self.scenes)))]
        if self.rng.random() < 0.4:
            scene = self._repainted_scene(scene)
        width_px = float(np.exp(self.rng.uniform(np.log(26), np.log(270))))
        box = scene.boxes[int(self.rng.integers(len(scene.boxes)))]
        choice = self.rng.random()
        if choice < 0.45:
            image, plates = self._cut(scene, scale=width_px / box[2], about=box)
        else:
            about = box if self.rng.random() < 0.5 else None
            scale = float(np.exp(self.rng.uniform(np.log(0.4), np.log(2.2))))
            image, plates = self._cut(scene, scale=scale, about=about)
        if 0.4 < choice < 0.93:
            for _ in range(1 if width_px > 120 else int(self.rng.integers(1, 4))):
                image, plates = self._with_pasted(image, plates, width_px * self.rng.uniform(0.8, 1.25))
        if self.rng.random() < 0.25:
            image = self._with_stickers(image, plates)
        if self.rng.random() < 0.3:
            image = self._with_writing(image, plates)
        return self._spoiled(image), plates

    def _with_stickers(self, image: np.ndarray, plates: list[Plate]) -> np.ndarray:
        """Coloured labels, some with letters, that touch the plates' sides and are no part of them."""
        image = image.copy()
        for plate in plates:
            side = int(self.rng.integers(4))
            along, out = plate.quad[(side + 1) % 4] - plate.quad[side], plate.quad[side] - plate.quad[side - 1]
            gap, depth = self.rng.uniform(0.0, 0.08), self.rng.uniform(0.2, 0.5) * (1.0 if side % 2 else 0.8)
            low, high = np.sort(self.rng.uniform(-0.1, 1.1, 2))
            if high - low < 0.3:
                continue
            base, tip = plate.quad[side] + gap * out, plate.quad[side] + (gap + depth) * out
            label = np.stack([base + low * along, base + high * along, tip + high * along, tip + low * along])
            cv2.fillConvexPoly(
                image, np.round(label).astype(np.int32), self.rng.uniform(0, 255, 3).tolist(), cv2.LINE_AA
            )
            if self.rng.random() < 0.6:
                text = "".join(WRITING[int(i)] for i in self.rng.integers(len(WRITING), size=4))
                x, y = np.round((label.min(axis=0) + label.max(axis=0)) / 2 - (10, -4)).astype(int).tolist()
                shade = self.rng.uniform(0, 255, 3).tolist()
                cv2.putText(image, text, (x, y), 0, float(np.ptp(label[:, 1])) / 45, shade, 1, cv2.LINE_AA)
        return image

    def _with_writing(self, image: np.ndarray, plates: list[Plate]) -> np.ndarray:
        """Time stamps and lettering, which are no plates."""
        image = image.copy()
        for _ in range(int(self.rng.integers(1, 4))):
            size = float(np.exp(self.rng.uniform(np.log(0.4), np.log(2.0))))
            text = "".join(WRITING[int(i)] for i in self.rng.integers(len(WRITING), size=int(self.rng.integers(4, 13))))
            (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
            x, y = int(self.rng.integers(-20, SIZE - 20)), int(self.rng.integers(height, SIZE))
            if not any(_near(box_quad(np.array([x, y - height, width, height])), p.quad) for p in plates):
                shade = (self.rng.uniform(0, 255, 3) if self.rng.random() < 0.5 else np.full(3, 240)).tolist()
                thickness = int(self.rng.integers(1, 2 + round(2 * size)))
                cv2.putText(image, text, (x, y), int(self.rng.integers(0, 5)), size, shade, thickness, cv2.LINE_AA)
        return image

    def _repainted_scene(self, scene: Scene) -> Scene:
        image = scene.image.copy()
        for box in scene.boxes:
            x, y, w, h = np.round(box).astype(int)
            x, y = max(0, x), max(0, y)
            crop = Crop(image[y : y + h, x : x + w], "", PlateColour.BLUE)
            if crop.image.size:
                image[y : y + h, x : x + w] = repainted(crop, self.rng).image
        return replace(scene, image=image)

    def _cut(self, scene: Scene, *, scale: float, about: np.ndarray | None) -> tuple[np.ndarray, list[Plate]]:
        """A square of the scene at `scale`, holding the box `about` where one is given."""
        side = SIZE / scale
        height, width = scene.image.shape[:2]
        if about is None:
            left = self.rng.uniform(-0.1 * side, max(width - 0.9 * side, 0))
            top = self.rng.uniform(-0.1 * side, max(height - 0.9 * side, 0))
        else:
            left = about[0] + about[2] / 2 - self.rng.uniform(0.1, 0.9) * side
            top = about[1] + about[3] / 2 - self.rng.uniform(0.1, 0.9) * side
        square = _padded_square(scene.image, round(left), round(top), max(8, round(side)))
        mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        image = cv2.resize(square, (SIZE, SIZE), interpolation=mode)
        quads = ((scene.quads - (round(left), round(top))) * (SIZE / square.shape[0])).astype(np.float32)
        known = zip(quads, scene.exact.tolist(), strict=True)
        plates = [Plate(quad, False, exact) for quad, exact in known if _mostly_inside(quad)]
        return self._turned(image, plates)

    def _turned(self, image: np.ndarray, plates: list[Plate]) -> tuple[np.ndarray, list[Plate]]:
        """Turned and sheared a little, in half of the views."""
        if self.rng.random() < 0.5:
            return image, plates
        matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), float(self.rng.normal(0, 10)), 1.0)
        matrix[0, 1] += self.rng.normal(0, 0.14)
        matrix[1, 0] += self.rng.normal(0, 0.08)
        image = cv2.warpAffine(image, matrix, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
        moved = [(p.quad @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32) for p in plates]
        return image, [Plate(q, p.two_rows, p.exact) for q, p in zip(moved, plates, strict=True) if _mostly_inside(q)]

    def _with_pasted(self, image: np.ndarray, plates: list[Plate], width_px: float) -> tuple[np.ndarray, list[Plate]]:
        """One more plate, covering a real one where sizes agree, else beside all others."""
        crop = self._plate_to_paste()
        centre = (self.rng.uniform(0.05, 0.95) * SIZE, self.rng.uniform(0.05, 0.95) * SIZE)
        aspect = crop.image.shape[0] / crop.image.shape[1]
        if crop.two_rows:
            width_px *= 0.8
        quad = random_quad(self.rng, centre=centre, width_px=width_px, aspect=aspect, tilt_deg_max=30, skew=0.18)
        if not _mostly_inside(quad) or any(_near(quad, p.quad) for p in plates):
            return image, plates
        plate = self._lit(crop.image, image, quad)
        if self.rng.random() < 0.5:
            plate, quad_drawn = _framed(plate, quad, self.rng)
            image = paste_plate(image, plate, quad_drawn)
        else:
            image = paste_plate(image, plate, quad)
        return image, [*plates, Plate(quad, crop.two_rows, True)]

    def _plate_to_paste(self) -> Crop:
        if self.rng.random() < 0.25:
            crop = self.crops[int(self.rng.integers(len(self.crops)))]
            if crop.image.shape[:2] == (36, 136):  # these are cut exactly along the plate's edges
                return repainted(crop, self.rng) if self.rng.random() < 0.4 else crop
        crop = self.pool.draw()
        for _ in range(12 if self.rng.random() < 0.15 else 0):
            crop = crop if crop.two_rows else self.pool.draw()
        return crop

    def _lit(self, plate: np.ndarray, image: np.ndarray, quad: np.ndarray) -> np.ndarray:
        """The plate at about its final size, as blurred and as bright as its surroundings."""
        width = int(np.clip(quad[1, 0] - quad[0, 0], 16, 320))
        height = max(6, round(width * plate.shape[0] / plate.shape[1]))
        small = cv2.resize(plate, (width, height), interpolation=cv2.INTER_AREA)
        x, y = np.clip(quad.mean(axis=0), 0, SIZE - 1).astype(int)
        around = image[max(0, y - 40) : y + 40, max(0, x - 40) : x + 40]
        gain = float(np.clip((float(around.mean()) + 60) / 150, 0.35, 1.15) * self.rng.uniform(0.7, 1.3))
        return weather.degrade(weather.exposure(small, gain=gain), self.rng, strength=float(self.rng.random() * 0.8))

    def _spoiled(self, image: np.ndarray) -> np.ndarray:
        gain, offset = np.exp(self.rng.normal(-0.1, 0.4)), self.rng.normal(0, 14)
        gamma = np.exp(self.rng.normal(0, 0.35))
        ramp = 255 * (np.arange(256) / 255) ** gamma
        tables = [np.clip(ramp * gain * self.rng.uniform(0.85, 1.15) + offset, 0, 255) for _ in range(3)]
        image = cv2.LUT(image, np.stack(tables, axis=1).astype(np.uint8)[None])
        if self.rng.random() < 0.3:
            image = weather.defocus(image, sigma_px=float(self.rng.uniform(0.4, 1.6)))
        if self.rng.random() < 0.25:
            image = weather.motion_blur(
                image, length_px=int(self.rng.integers(2, 7)), angle_deg=float(self.rng.uniform(0, 180))
            )
        if self.rng.random() < 0.3:
            image = weather.noise(image, self.rng, sigma=float(self.rng.uniform(2, 12)))
        if self.rng.random() < 0.25:
            image = weather.jpeg(image, quality=int(self.rng.integers(25, 85)))
        return image


def _padded_square(image: np.ndarray, left: int, top: int, side: int) -> np.ndarray:
    height, width = image.shape[:2]
    inside = image[max(0, top) : min(height, top + side), max(0, left) : min(width, left + side)]
    if not inside.size:
        return np.zeros((side, side, 3), np.uint8)
    above, before = max(0, -top), max(0, -left)
    below, after = side - above - inside.shape[0], side - before - inside.shape[1]
    return cv2.copyMakeBorder(inside, above, below, before, after, cv2.BORDER_CONSTANT, value=(114, 114, 114))


def _mostly_inside(quad: np.ndarray) -> bool:
    centre = quad.mean(axis=0)
    margin = 0.3 * (quad.max(axis=0) - quad.min(axis=0))
    return bool((centre - margin > 0).all() and (centre + margin < SIZE).all())


def _near(quad: np.ndarray, other: np.ndarray) -> bool:
    reach = (quad.max(axis=0) - quad.min(axis=0) + other.max(axis=0) - other.min(axis=0)) * 0.55
    return bool((np.abs(quad.mean(axis=0) - other.mean(axis=0)) < reach).all())


def _framed(plate: np.ndarray, quad: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The plate on a holder or a car's body of one shade, and the larger quad that both cover together."""
    height, width = plate.shape[:2]
    border = max(1, round(height * rng.uniform(0.05, 0.35)))
    shade = rng.uniform(0, 255, 3) * 0.3 + rng.uniform(0, 178)
    framed = cv2.copyMakeBorder(plate, border, border, border, border, cv2.BORDER_CONSTANT, value=shade.tolist())
    inner = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    outer = np.array(
        [[-border, -border], [width + border, -border], [width + border, height + border], [-border, height + border]],
        np.float32,
    )
    mapping = cv2.getPerspectiveTransform(inner, quad.astype(np.float32))
    return framed, cv2.perspectiveTransform(outer[None], mapping)[0]
