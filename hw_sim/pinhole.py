"""A pinhole camera beside a lane: owns where points and textured planes of the world fall in the picture.

World axes in metres: x to the right in the picture, y up, z away from the camera along the lane.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR_M = 0.35


@dataclass(frozen=True, slots=True)
class Plane:
    """A textured rectangle: its top-left corner and its edges to the right and downwards, in metres."""

    corner: tuple[float, float, float]
    right: tuple[float, float, float]
    down: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Pinhole:
    """Intrinsics and pose. `matrix` is the 3 x 4 projection."""

    width_px: int
    height_px: int
    matrix: np.ndarray

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (n, 2) and depth in metres as third column of world points (n, 3)."""
        homogeneous = np.hstack([points, np.ones((len(points), 1))]) @ self.matrix.T
        return np.column_stack([homogeneous[:, :2] / homogeneous[:, 2:], homogeneous[:, 2]])

    def texture_to_pixels(self, plane: Plane, width_px: int, height_px: int) -> np.ndarray:
        """The 3 x 3 homography that carries texture pixels onto the picture."""
        right = np.array([*plane.right, 0.0]) / width_px
        down = np.array([*plane.down, 0.0]) / height_px
        corner = np.array([*plane.corner, 1.0])
        return self.matrix @ np.column_stack([right, down, corner])

    def outline(self, plane: Plane) -> np.ndarray | None:
        """The plane's outline in pixels after cutting off what lies behind the lens; None when nothing is left."""
        corner, right, down = (np.array(v, float) for v in (plane.corner, plane.right, plane.down))
        world = np.stack([corner, corner + right, corner + right + down, corner + down])
        cut = _in_front(world, self.matrix[2])
        return self.project(cut)[:, :2] if len(cut) >= 3 else None


def _in_front(polygon: np.ndarray, depth_row: np.ndarray) -> np.ndarray:
    """Sutherland-Hodgman against the near plane."""
    depth = polygon @ depth_row[:3] + depth_row[3] - NEAR_M
    kept: list[np.ndarray] = []
    for here in range(len(polygon)):
        there = (here + 1) % len(polygon)
        if depth[here] >= 0:
            kept.append(polygon[here])
        if depth[here] * depth[there] < 0:
            share = depth[here] / (depth[here] - depth[there])
            kept.append(polygon[here] + share * (polygon[there] - polygon[here]))
    return np.array(kept)


def look_at(
    *, eye: tuple[float, float, float], target: tuple[float, float, float], focal_px: float, size: tuple[int, int]
) -> Pinhole:
    """A level camera at `eye` whose middle shows `target`; `size` is width and height in pixels."""
    forward = np.array(target, float) - np.array(eye, float)
    forward /= np.linalg.norm(forward)
    right = np.cross([0.0, 1.0, 0.0], forward)
    right /= np.linalg.norm(right)
    down = -np.cross(forward, right)
    rotation = np.stack([right, down, forward])
    intrinsics = np.array([[focal_px, 0, size[0] / 2], [0, focal_px, size[1] / 2], [0, 0, 1]])
    pose = np.hstack([rotation, (-rotation @ np.array(eye, float))[:, None]])
    return Pinhole(size[0], size[1], intrinsics @ pose)
