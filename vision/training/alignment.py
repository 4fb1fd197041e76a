"""Exact places of the characters of a one-row plate: owns fitting the layout's grid to the ink of a real plate."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from vision.recogniser import rectify

WIDTH, HEIGHT = 440, 140
PAD_X, PAD_Y = 30, 20
CHARACTER_LEFTS = (15.5, 72.5, 151.5, 208.5, 265.5, 322.5, 379.5)
SHEARS = np.linspace(-0.3, 0.3, 9)
SHIFTS = np.arange(-22, 23, 2)
SCALES = np.linspace(0.9, 1.1, 9)


def ink_of(upright: np.ndarray, *, light: bool) -> np.ndarray:
    """How far every pixel is from ground to stroke, float32 in [0, 1]."""
    grey = upright[..., 2 if light else 1].astype(np.float32)
    grey = grey if light else 255 - grey
    low, high = np.percentile(grey, (15, 95))
    return np.clip((grey - low) / max(float(high - low), 20.0), 0, 1)


def refined(image: np.ndarray, quad: np.ndarray, *, light: bool) -> tuple[np.ndarray, float]:
    """(the quad moved, scaled and sheared so that the grid fits the ink, how well it fits from -1 to 1)."""
    wide = _mapped(quad, _canvas_corners())
    ink = ink_of(rectify(image, wide, (WIDTH + 2 * PAD_X, HEIGHT + 2 * PAD_Y)), light=light)
    best = max((_fit_x(ink, shear) for shear in SHEARS), key=lambda fit: fit[0])
    score, shear, shift, scale = best
    shift_y, scale_y = _fit_y(_sheared(ink, shear))
    unit = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    moved = (unit - (WIDTH / 2, HEIGHT / 2)) * (scale, scale_y) + (WIDTH / 2 + shift, HEIGHT / 2 + shift_y)
    moved[:, 0] += shear * (moved[:, 1] - HEIGHT / 2)
    return _mapped(quad, moved.astype(np.float32)), score


def _canvas_corners() -> np.ndarray:
    low, high = np.array([-PAD_X, -PAD_Y]), np.array([WIDTH + PAD_X, HEIGHT + PAD_Y])
    return np.array([low, [high[0], low[1]], high, [low[0], high[1]]], np.float32)


def _mapped(quad: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points of the upright plate (mm) in the picture's pixels."""
    unit = np.array([[0, 0], [WIDTH, 0], [WIDTH, HEIGHT], [0, HEIGHT]], np.float32)
    return cv2.perspectiveTransform(points[None], cv2.getPerspectiveTransform(unit, quad.astype(np.float32)))[0]


def _sheared(ink: np.ndarray, shear: float) -> np.ndarray:
    matrix = np.array([[1, shear, -shear * ink.shape[0] / 2], [0, 1, 0]], np.float32)
    size = (ink.shape[1], ink.shape[0])
    return cv2.warpAffine(ink, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


@lru_cache(maxsize=1)
def _grids() -> tuple[np.ndarray, list[tuple[float, float]]]:
    """One row of column weights per (shift, scale): characters positive, the gaps between them negative."""
    columns = np.arange(WIDTH + 2 * PAD_X) - PAD_X + 0.5
    rows, choices = [], []
    for shift in SHIFTS:
        for scale in SCALES:
            at = (columns - WIDTH / 2 - shift) / scale + WIDTH / 2
            cells = np.zeros(len(columns), bool)
            for left in CHARACTER_LEFTS:
                cells |= (at >= left) & (at < left + 45)
            inside = (at >= 8) & (at < 432) & ~((at > 130) & (at < 140))
            gaps = inside & ~cells & ~((at > 124) & (at < 146))
            rows.append(cells / cells.sum() - gaps / max(1, gaps.sum()))
            choices.append((float(shift), float(scale)))
    return np.stack(rows), choices


def _fit_x(ink: np.ndarray, shear: float) -> tuple[float, float, float, float]:
    """(score, shear, shift, scale) of the best grid at one shear."""
    grids, choices = _grids()
    profile = _sheared(ink, shear)[PAD_Y + 28 : PAD_Y + 112].mean(axis=0)
    scores = grids @ profile
    best = int(scores.argmax())
    return float(scores[best]), float(shear), *choices[best]


def _fit_y(ink: np.ndarray) -> tuple[float, float]:
    """(shift, scale) that bring the rows holding ink, outwards from the middle, to those of the characters."""
    profile = cv2.blur(ink[:, PAD_X + 20 : PAD_X + 420].mean(axis=1, keepdims=True), (1, 3))[:, 0]
    middle = len(profile) // 2
    inked = profile > 0.45 * np.median(profile[middle - 25 : middle + 25])
    top, bottom = middle, middle
    while top > 0 and inked[max(0, top - 3) : top].any():
        top -= 1
    while bottom < len(profile) - 1 and inked[bottom + 1 : bottom + 4].any():
        bottom += 1
    height = float(bottom - top + 1)
    if not 72 <= height <= 112:
        return 0.0, 1.0
    return (top + bottom + 1) / 2 - PAD_Y - HEIGHT / 2, height / 90
