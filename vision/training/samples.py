"""Training samples of the recogniser: owns how a crop or a rendered plate becomes a spoilt input and its target."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from control.domain.plates import ALPHABET, PlateColour, PlateKind
from vision.recogniser import COLOURS, INPUT_HEIGHT, INPUT_WIDTH, SLOTS, join_rows, two_row_canvas
from vision.render import weather
from vision.render.glyphs import glyph
from vision.render.plates import (
    GREEN_BOTTOM,
    GREEN_TOP,
    GROUNDS,
    GlyphSource,
    colour_of,
    random_plate,
    render_plate,
)
from vision.training.crops import Crop, province_weights, repaint

REPAINTS = (PlateColour.GREEN, PlateColour.YELLOW, PlateColour.WHITE, PlateColour.BLACK, PlateColour.FARM_GREEN)
# Shares of the views that a detector cut badly, and that were cut along an upright box.
WILD_SHARE, BOXED_SHARE = 0.08, 0.2
DARK = (PlateColour.BLACK, PlateColour.FARM_GREEN)


class RealGlyphs:
    """Characters cut from real plates, as a source for `render_plate`; the atlas where there is no such cut."""

    def __init__(self, rng: np.random.Generator, chars: np.ndarray, covers: np.ndarray) -> None:
        self._rng = rng
        self._covers = {char: covers[chars == char] for char in np.unique(chars).tolist()}

    def __call__(self, char: str, width: int, height: int, *, variant: int = 0, stroke: int = 0) -> np.ndarray:
        few = len(self._covers.get(char, ())) < 8 and self._rng.random() < 0.5
        if few or char not in self._covers:
            return glyph(char, width, height, variant=variant, stroke=stroke)
        of_char = self._covers[char]
        cover = of_char[int(self._rng.integers(len(of_char)))]
        return cv2.resize(cover, (width, height), interpolation=cv2.INTER_LINEAR)


@dataclass(slots=True)
class Pool:
    """Rendered plates at half scale, replaced a few at a time so that none is seen too often."""

    rng: np.random.Generator
    plates: list[Crop]
    real_glyphs: RealGlyphs | None = None
    real_glyph_share: float = 0.6

    @classmethod
    def filled(cls, rng: np.random.Generator, count: int, real_glyphs: RealGlyphs | None = None) -> Pool:
        pool = cls(rng, [], real_glyphs)
        pool.plates = [pool._new() for _ in range(count)]
        return pool

    def refresh(self, count: int) -> None:
        for _ in range(count):
            self.plates[int(self.rng.integers(len(self.plates)))] = self._new()

    def _new(self) -> Crop:
        real = self.real_glyphs is not None and self.rng.random() < self.real_glyph_share
        return rendered_crop(self.rng, self.real_glyphs if real else glyph)

    def draw(self) -> Crop:
        return self.plates[int(self.rng.integers(len(self.plates)))]


def rendered_crop(rng: np.random.Generator, glyph_of: GlyphSource = glyph) -> Crop:
    """One rendered plate of any kind, half scale."""
    text, kind, two_rows = random_plate(rng)
    colour = colour_of(kind)
    if kind is PlateKind.ARMED_POLICE and not two_rows and rng.random() < 0.4:
        text = "WJ" + "".join(str(int(digit)) for digit in rng.integers(10, size=7))  # as issued before 2012
    if kind is PlateKind.SMALL and rng.random() < 0.06:
        colour = PlateColour.BLACK
    image = render_plate(text, kind, two_rows=two_rows, rng=rng, colour=colour, glyph_of=glyph_of)
    half = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return Crop(half, text, colour, two_rows)


def repainted(crop: Crop, rng: np.random.Generator) -> Crop:
    """A blue crop as it would look on another ground."""
    colour = REPAINTS[int(rng.choice(len(REPAINTS), p=(0.4, 0.2, 0.15, 0.15, 0.1)))]
    jitter = rng.uniform(0.8, 1.15)
    if colour is PlateColour.GREEN:
        ramp = np.linspace(0, 1, crop.image.shape[0], dtype=np.float32)[:, None, None] ** rng.uniform(0.5, 1.5)
        ground = np.array(GREEN_TOP, np.float32) * (1 - ramp) + np.array(GREEN_BOTTOM, np.float32) * ramp
    else:
        ground = np.array(GROUNDS[colour], np.float32)
    ink = np.full(3, 245.0 if colour in DARK else 25.0, np.float32)
    return Crop(repaint(crop.image, ground * jitter, ink), crop.text, colour, corners=crop.corners)


def jittered_view(crop: Crop, rng: np.random.Generator, background: np.ndarray, amount: float) -> np.ndarray:
    """The crop warped into the net's input as an imperfect detector would cut it, uint8 (H, W, 3)."""
    height, width = crop.image.shape[:2]
    out_width, out_height = two_row_canvas() if crop.two_rows else (INPUT_WIDTH, INPUT_HEIGHT)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    if rng.random() < WILD_SHARE:
        amount *= 2.2
    spread = np.array([0.022, 0.055], np.float32) * amount
    common = rng.normal(0, 1, 2) * spread * 0.8
    scale = 1 + rng.normal(0.02, 1, 2) * np.array([0.03, 0.07]) * amount
    target = (corners - 0.5) * scale + 0.5 + common + rng.normal(0, 1, (4, 2)) * spread * 0.8
    target[:, 0] += (0.5 - corners[:, 1]) * rng.normal(0, 0.025) * amount
    if rng.random() < BOXED_SHARE:
        target = boxed(target, rng, aspect=out_height / out_width)
    target = (target * (out_width, out_height)).astype(np.float32)
    source = crop.corners if crop.corners is not None else (corners * (width, height)).astype(np.float32)
    image = crop.image
    if width > 2 * out_width:
        image = cv2.resize(image, (out_width, out_height), interpolation=cv2.INTER_AREA)
        source = (source * (out_width / width, out_height / height)).astype(np.float32)
    canvas = cv2.resize(background, (out_width, out_height))
    mapping = cv2.getPerspectiveTransform(source, target)
    warped = cv2.warpPerspective(
        image, mapping, (out_width, out_height), dst=canvas, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_TRANSPARENT
    )
    return warped


def boxed(corners: np.ndarray, rng: np.random.Generator, *, aspect: float) -> np.ndarray:
    """Corners (4, 2) in fractions of the view for a plate that hangs askew and was cut along its upright box."""
    angle, lean = rng.normal(0, 0.12), rng.normal(0, 0.12)
    upright = (corners - 0.5) * (1, aspect)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle) + lean, np.cos(angle)]])
    turned = upright @ turn
    low, high = turned.min(axis=0), turned.max(axis=0)
    return (turned - low) / np.maximum(high - low, 1e-3) * (corners.max(axis=0) - corners.min(axis=0)) + corners.min(0)


def spoiled(image: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Resolution, light, blur and grain of a gate camera."""
    if rng.random() < 0.55 * min(1.0, strength * 1.5):
        image = weather.small_sensor(image, factor=float(rng.uniform(0.36, 0.9)))
    return weather.degrade(image, rng, strength=strength)


def target_of(text: str) -> np.ndarray:
    """Class per slot, int64 (SLOTS,): index in ALPHABET plus one, 0 after the last character."""
    classes = np.zeros(SLOTS, np.int64)
    for index, char in enumerate(text[:SLOTS]):
        classes[index] = ALPHABET.index(char) + 1
    return classes


@dataclass(slots=True)
class Sampler:
    """Draws batches: real crops by province weight, some repainted, and rendered plates of every kind."""

    rng: np.random.Generator
    crops: list[Crop]
    pool: Pool
    backgrounds: list[np.ndarray]
    real_share: float = 0.45
    weights: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.weights = province_weights(self.crops)

    def batch(self, size: int, strength: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Images uint8 (size, H, W, 3), characters int64 (size, SLOTS), colours int64 (size,)."""
        self.pool.refresh(size // 6)
        picks = self.rng.choice(len(self.crops), size=size, p=self.weights)
        samples = [self._sample(int(pick), strength) for pick in picks]
        images, texts, colours = zip(*samples, strict=True)
        return np.stack(images), np.stack(texts), np.array(colours)

    def _sample(self, pick: int, strength: float) -> tuple[np.ndarray, np.ndarray, int]:
        real = self.rng.random() < self.real_share
        crop = self.crops[pick] if real else self.pool.draw()
        if real and crop.colour is PlateColour.BLUE and self.rng.random() < 0.22:
            crop = repainted(crop, self.rng)
        background = self._background()
        image = jittered_view(crop, self.rng, background, 1.0 if real else 0.5 + strength)
        image = spoiled(image, self.rng, strength * (0.7 if real else 1.0))
        if crop.two_rows:
            image = join_rows(image)
        return image, target_of(crop.text), COLOURS.index(crop.colour)

    def _background(self) -> np.ndarray:
        scene = self.backgrounds[int(self.rng.integers(len(self.backgrounds)))]
        y, x = int(self.rng.integers(scene.shape[0] - 40)), int(self.rng.integers(scene.shape[1] - 120))
        return scene[y : y + 40, x : x + 120]
