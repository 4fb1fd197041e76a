"""Repeatable noise: owns smooth random fields that depend on a seed and a place (or time) alone, with no state.

Lattice values come from an integer hash, between them a smooth curve (value noise), so that any place and time
can be asked in any order and the same seed always gives the same weather.
"""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def seed_of(*parts: object) -> int:
    """A seed of its own for each purpose."""
    return zlib.crc32("/".join(str(part) for part in parts).encode())


def field(seed: int, x: Values, y: Values) -> Values:
    """Smooth noise on the plane, 0 to 1, features about one unit wide; arrays of one shape in and out."""
    left, low = np.floor(x), np.floor(y)
    across, up = _smooth(x - left), _smooth(y - low)
    column, row = left.astype(np.int64), low.astype(np.int64)
    bottom = _lattice(seed, column, row) * (1 - across) + _lattice(seed, column + 1, row) * across
    top = _lattice(seed, column, row + 1) * (1 - across) + _lattice(seed, column + 1, row + 1) * across
    return bottom * (1 - up) + top * up


def wave(seed: int, at: float) -> float:
    """Smooth noise along one axis, 0 to 1, features about one unit long."""
    left = int(at // 1.0)
    share = at - left
    share *= share * (3.0 - 2.0 * share)
    return _one(seed, left) * (1.0 - share) + _one(seed, left + 1) * share


def draw(seed: int, index: int) -> float:
    """An evenly distributed number, 0 to 1, for each index."""
    return _one(seed, index)


def _smooth(share: Values) -> Values:
    return share * share * (3.0 - 2.0 * share)


def _lattice(seed: int, column: npt.NDArray[np.int64], row: npt.NDArray[np.int64]) -> Values:
    mixed = (column * 374_761_393 + row * 668_265_263 + seed * 1_274_126_177) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 1_103_515_245) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 16)) * 2_246_822_519) & 0xFFFFFFFF
    return (mixed ^ (mixed >> 15)).astype(np.float64) / 0xFFFFFFFF


def _one(seed: int, index: int) -> float:
    mixed = (index * 374_761_393 + seed * 1_274_126_177) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 13)) * 1_103_515_245) & 0xFFFFFFFF
    mixed = ((mixed ^ (mixed >> 16)) * 2_246_822_519) & 0xFFFFFFFF
    return (mixed ^ (mixed >> 15)) / 0xFFFFFFFF
