"""Drawing in metres with smooth edges: owns the few strokes that scenery and vehicle bodies are made of.

A canvas is BGRA at twice its final resolution; `finish` shrinks it. x runs right and y runs down from the
top-left corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[float, float, float]
Points = Sequence[tuple[float, float]]
_FINER = 2


class _Region(NamedTuple):
    """A rectangle of pixels."""

    left: int
    top: int
    right: int
    bottom: int

    def mask(self) -> np.ndarray:
        """Coverage of nothing, of the rectangle's size."""
        return np.zeros((self.bottom - self.top, self.right - self.left), np.uint8)


class Canvas:
    """A transparent sheet of `width_m` by `height_m`."""

    def __init__(self, width_m: float, height_m: float, *, px_per_m: float) -> None:
        self.width_m, self.height_m = width_m, height_m
        self._scale = px_per_m * _FINER
        self._size = (max(2, round(width_m * self._scale)), max(2, round(height_m * self._scale)))
        self.pixels = np.zeros((self._size[1], self._size[0], 4), np.uint8)

    def polygon(self, points: Points, colour: Colour, *, to: Colour | None = None, alpha: float = 1.0) -> None:
        """Fill; with `to` the colour runs from top to bottom of the shape."""
        region = self._region(points, 0.0)
        if region is None:
            return
        mask = region.mask()
        cv2.fillPoly(mask, [self._pixels(points, region)], 255, cv2.LINE_AA, 4)
        self._fill(region, mask, colour, to, alpha)

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
        region = self._region(points, width)
        if region is None:
            return
        mask = region.mask()
        thickness = max(1, round(width * self._scale))
        cv2.polylines(mask, [self._pixels(points, region)], False, 255, thickness, cv2.LINE_AA, 4)
        self._fill(region, mask, colour, None, alpha)

    def text(self, text: str, x: float, y: float, height: float, colour: Colour, *, alpha: float = 1.0) -> None:
        """Latin letters and digits centred on (x, y), capitals `height` metres tall."""
        stamp = lettering(text, max(6, round(height * self._scale * 1.35)))
        half = (stamp.shape[1] / 2 / self._scale, stamp.shape[0] / 2 / self._scale)
        region = self._region([(x - half[0], y - half[1]), (x + half[0], y + half[1])], 0.0)
        if region is None:
            return
        mask = region.mask()
        inside = mask[: stamp.shape[0], : stamp.shape[1]]
        inside[:] = stamp[: inside.shape[0], : inside.shape[1]]
        self._fill(region, mask, colour, None, alpha)

    def finish(self) -> np.ndarray:
        """The sheet at its final resolution, BGRA with colour premultiplied by alpha."""
        premultiplied = self.pixels.copy()
        alpha = premultiplied[..., 3:].astype(np.uint16)
        premultiplied[..., :3] = (premultiplied[..., :3] * alpha // 255).astype(np.uint8)
        size = (max(1, self._size[0] // _FINER), max(1, self._size[1] // _FINER))
        return cv2.resize(premultiplied, size, interpolation=cv2.INTER_AREA)

    def _region(self, points: Points, margin: float) -> _Region | None:
        """The part of the sheet that a shape touches; None when it lies outside."""
        corners = np.array(points, float) * self._scale
        reach = margin * self._scale + 2
        left, top = np.maximum(np.floor(corners.min(axis=0) - reach), 0).astype(int)
        right, bottom = np.minimum(np.ceil(corners.max(axis=0) + reach), self._size).astype(int)
        return _Region(left, top, right, bottom) if right > left and bottom > top else None

    def _pixels(self, points: Points, region: _Region) -> np.ndarray:
        places = np.array(points, float) * self._scale - (region.left, region.top)
        return np.round(places * 16).astype(np.int32)

    def _fill(self, region: _Region, mask: np.ndarray, colour: Colour, to: Colour | None, alpha: float) -> None:
        cover = (mask.astype(np.float32) * (alpha / 255.0))[..., None]
        ramp = np.linspace(0, 1, mask.shape[0], dtype=np.float32)[:, None, None]
        start, end = np.array(colour, np.float32), np.array(to or colour, np.float32)
        ink = start + (end - start) * ramp
        part = self.pixels[region.top : region.bottom, region.left : region.right]
        under = part.astype(np.float32)
        has = under[..., 3:] / 255.0
        result = cover + has * (1 - cover)
        mixed = (ink * cover + under[..., :3] * has * (1 - cover)) / np.maximum(result, 1e-4)
        part[..., :3] = np.clip(mixed, 0, 255).astype(np.uint8)
        part[..., 3:] = np.clip(result * 255, 0, 255).astype(np.uint8)


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
