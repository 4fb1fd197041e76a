"""Plates in pictures: owns the geometry between a clean plate and the pixels of a scene.

A quad is float32 (4, 2): the plate's corners clockwise from its top left, in pixels of the scene.
"""

from __future__ import annotations

import cv2
import numpy as np


def plate_corners(plate: np.ndarray) -> np.ndarray:
    """The quad of a clean plate image in its own pixels."""
    height, width = plate.shape[:2]
    return np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)


def random_quad(
    rng: np.random.Generator,
    *,
    centre: tuple[float, float],
    width_px: float,
    aspect: float,
    tilt_deg_max: float = 12.0,
    skew: float = 0.12,
) -> np.ndarray:
    """A plausible view of a plate: turned, sheared and slightly in perspective.

    `aspect` is height by width of the clean plate; `skew` scales shear and perspective (0 = none).
    """
    width, height = width_px * rng.uniform(1 - skew, 1.0), width_px * aspect * rng.uniform(1 - skew, 1 + skew / 2)
    corners = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]], np.float32) * (width, height)
    corners[:, 0] += corners[:, 1] * rng.normal(0, skew)
    corners[:, 1] *= 1 + np.sign(corners[:, 0]) * rng.normal(0, skew / 3)
    angle = np.deg2rad(np.clip(rng.normal(0, tilt_deg_max / 2), -tilt_deg_max, tilt_deg_max))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]], np.float32)
    return (corners @ turn + np.array(centre)).astype(np.float32)


def paste_plate(scene: np.ndarray, plate: np.ndarray, quad: np.ndarray) -> np.ndarray:
    """A copy of `scene` (uint8 BGR) with `plate` warped onto `quad`, edges anti-aliased."""
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    target = (max(4, round(float(max(sides[0], sides[2])))), max(4, round(float(max(sides[1], sides[3])))))
    if target[0] < plate.shape[1]:
        plate = cv2.resize(plate, target, interpolation=cv2.INTER_AREA)
    left, top = np.maximum(np.floor(quad.min(axis=0)).astype(int) - 2, 0)
    right, bottom = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 3, (scene.shape[1], scene.shape[0]))
    if right <= left or bottom <= top:
        return scene.copy()
    local = (quad - np.array([left, top])).astype(np.float32)
    mapping = cv2.getPerspectiveTransform(plate_corners(plate), local)
    size = (int(right - left), int(bottom - top))
    warped = cv2.warpPerspective(plate, mapping, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(cover, np.round(local * 16).astype(np.int32), 255, cv2.LINE_AA, shift=4)
    alpha = (cover.astype(np.float32) / 255)[..., None]
    out = scene.copy()
    under = out[top:bottom, left:right]
    under[:] = (under * (1 - alpha) + warped * alpha + 0.5).astype(np.uint8)
    return out


def rectify(image: np.ndarray, quad: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The quad's content warped upright to `size` = (width, height); shrinking is anti-aliased."""
    width, height = size
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    side = float(np.linalg.norm(quad[1] - quad[0]))
    if side > 1.6 * width:
        return _rectify_large(image, quad, size, side / width)
    mapping = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    return cv2.warpPerspective(image, mapping, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _rectify_large(image: np.ndarray, quad: np.ndarray, size: tuple[int, int], factor: float) -> np.ndarray:
    """Warp at a whole multiple of the wanted size, then average down."""
    times = min(8, int(np.ceil(factor / 1.2)))
    big = (size[0] * times, size[1] * times)
    target = np.array([[0, 0], [big[0], 0], [big[0], big[1]], [0, big[1]]], np.float32)
    mapping = cv2.getPerspectiveTransform(quad.astype(np.float32), target)
    warped = cv2.warpPerspective(image, mapping, big, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cv2.resize(warped, size, interpolation=cv2.INTER_AREA)
