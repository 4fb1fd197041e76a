"""Drawing in metres with smooth edges: owns the few strokes that scenery and vehicle bodies are made of.

A canvas is BGRA at twice its final resolution; `finish` shrinks it. x runs right and y runs down from the
top-left corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[float, float, float]
Points = Sequence[tuple[float, float]]
_FINER = 2


class Canvas:
    """A transparent sheet of `width_m` by `height_m`."""

    def __init__(self, width_m: float, height_m: float, *, px_per_m: float) -> None:
        self.width_m, self.height_m = width_m, height_m
        self._scale = px_per_m * _FINER
        self._size = (max(2, round(width_m * self._scale)), max(2, round(height_m * self._scale)))
        self.pixels = np.zeros((self._size[1], self._size[0], 4), np.uint8)

    def polygon(self, points: Points, colour: Colour, *, to: Colour | None = None, alpha: float = 1.0) -> None:
        """Fill; with `to` the colour runs from top to bottom of the shape."""
        self._fill(self._mask(points), colour, to, alpha)

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        colour: Colour,
        *,
        radius: float = 0.0,
        to: Colour | None = None,
        alpha: float = 1.0,
    ) -> None:
        """Fill a rectangle with round corners."""
        self.polygon(rounded(x, y, width, height, radius), colour, to=to, alpha=alpha)

    def disc(self, x: float, y: float, radius_x: float, radius_y: float, colour: Colour, *, alpha: float = 1.0) -> None:
        """Fill an ellipse."""
        turn = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        self.polygon([(x + radius_x * np.cos(a), y + radius_y * np.sin(a)) for a in turn], colour, alpha=alpha)

    def line(self, points: Points, colour: Colour, *, width: float, alpha: float = 1.0) -> None:
        """Draw an open line `width` metres thick."""
        mask = np.zeros(self.pixels.shape[:2], np.uint8)
        thickness = max(1, round(width * self._scale))
        cv2.polylines(mask, [self._pixels(points)], False, 255, thickness, cv2.LINE_AA, 4)
        self._fill(mask, colour, None, alpha)

    def glow(self, x: float, y: float, radius: float, colour: Colour, *, alpha: float) -> None:
        """A soft spot that fades out at `radius`."""
        height, width = self.pixels.shape[:2]
        reach, cx, cy = radius * self._scale, x * self._scale, y * self._scale
        ys, xs = np.ogrid[:height, :width]
        falloff = np.clip(1.0 - np.hypot(xs - cx, ys - cy) / reach, 0.0, 1.0) ** 2
        self._fill((falloff * 255).astype(np.uint8), colour, None, alpha)

    def text(self, text: str, x: float, y: float, height: float, colour: Colour, *, alpha: float = 1.0) -> None:
        """Latin letters and digits centred on (x, y), capitals `height` metres tall."""
        stamp = lettering(text, max(6, round(height * self._scale * 1.35)))
        left, top = round(x * self._scale - stamp.shape[1] / 2), round(y * self._scale - stamp.shape[0] / 2)
        mask = np.zeros(self.pixels.shape[:2], np.uint8)
        inside = mask[max(0, top) : top + stamp.shape[0], max(0, left) : left + stamp.shape[1]]
        inside[:] = stamp[: inside.shape[0], : inside.shape[1]]
        self._fill(mask, colour, None, alpha)

    def paste(self, picture: np.ndarray, x: float, y: float, width: float, height: float) -> None:
        """Lay an opaque BGR picture into a rectangle."""
        left, top = round(x * self._scale), round(y * self._scale)
        size = (round(width * self._scale), round(height * self._scale))
        shrunk = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if size[0] < picture.shape[1] else 1)
        self.pixels[top : top + size[1], left : left + size[0], :3] = shrunk
        self.pixels[top : top + size[1], left : left + size[0], 3] = 255

    def grain(self, amount: float, seed: int, *, coarse: int = 1) -> None:
        """Uneven brightness, as real surfaces have. `amount` in grey levels."""
        rng = np.random.default_rng(seed)
        height, width = self.pixels.shape[:2]
        noise = rng.normal(0, amount, (height // coarse + 1, width // coarse + 1)).astype(np.float32)
        noise = cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
        self.pixels[..., :3] = np.clip(self.pixels[..., :3] + noise, 0, 255).astype(np.uint8)

    def finish(self) -> np.ndarray:
        """The sheet at its final resolution, BGRA with colour premultiplied by alpha."""
        premultiplied = self.pixels.copy()
        alpha = premultiplied[..., 3:].astype(np.uint16)
        premultiplied[..., :3] = (premultiplied[..., :3] * alpha // 255).astype(np.uint8)
        size = (max(1, self._size[0] // _FINER), max(1, self._size[1] // _FINER))
        return cv2.resize(premultiplied, size, interpolation=cv2.INTER_AREA)

    def _pixels(self, points: Points) -> np.ndarray:
        return np.round(np.array(points, float) * self._scale * 16).astype(np.int32)

    def _mask(self, points: Points) -> np.ndarray:
        mask = np.zeros(self.pixels.shape[:2], np.uint8)
        cv2.fillPoly(mask, [self._pixels(points)], 255, cv2.LINE_AA, 4)
        return mask

    def _fill(self, mask: np.ndarray, colour: Colour, to: Colour | None, alpha: float) -> None:
        rows = np.flatnonzero(mask.any(axis=1))
        if not rows.size:
            return
        top, bottom = rows[0], rows[-1] + 1
        cover = (mask[top:bottom].astype(np.float32) * (alpha / 255.0))[..., None]
        ramp = np.linspace(0, 1, bottom - top, dtype=np.float32)[:, None, None]
        start, end = np.array(colour, np.float32), np.array(to or colour, np.float32)
        ink = start + (end - start) * ramp
        under = self.pixels[top:bottom].astype(np.float32)
        has = under[..., 3:] / 255.0
        result = cover + has * (1 - cover)
        mixed = (ink * cover + under[..., :3] * has * (1 - cover)) / np.maximum(result, 1e-4)
        self.pixels[top:bottom, :, :3] = np.clip(mixed, 0, 255).astype(np.uint8)
        self.pixels[top:bottom, :, 3:] = np.clip(result * 255, 0, 255).astype(np.uint8)


def rounded(x: float, y: float, width: float, height: float, radius: float) -> list[tuple[float, float]]:
    """Outline of a rectangle with round corners."""
    radius = min(radius, width / 2, height / 2)
    if radius <= 0:
        return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    points: list[tuple[float, float]] = []
    corners = ((width - radius, radius, -90), (width - radius, height - radius, 0), (radius, height - radius, 90))
    for cx, cy, start in (*corners, (radius, radius, 180)):
        for degrees in np.linspace(start, start + 90, 9):
            turn = np.radians(degrees)
            points.append((x + cx + radius * np.cos(turn), y + cy + radius * np.sin(turn)))
    return points


def mirrored(points: Points, width: float) -> list[tuple[float, float]]:
    """The same shape on the other half of something `width` wide."""
    return [(width - x, y) for x, y in points]


def mix(one: Colour, other: Colour, share: float) -> Colour:
    """`share` 0 gives the first colour, 1 the other."""
    blue, green, red = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return (blue, green, red)


@lru_cache(maxsize=256)
def lettering(text: str, size_px: int) -> np.ndarray:
    """Coverage (h, w) of a line of Latin text in the font that comes with Pillow."""
    font = ImageFont.load_default(size_px)
    left, top, right, bottom = font.getbbox(text)
    sheet = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(sheet).text((1 - left, 1 - top), text, fill=255, font=font)
    return np.asarray(sheet)
