"""What a stream of pictures shows without reading it: owns standing still, and something moving.

A frozen camera repeats its picture exactly, or all but a clock in a corner. A live camera looking at an
empty road has sensor noise everywhere, so that most of its pixels change a little from frame to frame.
"""

from __future__ import annotations

import numpy as np

from edge.ports import Picture

STEP_PX = 4
SAME_FRACTION_MAX = 0.01
MOVED_LEVEL_MIN = 24
MOVED_FRACTION_MIN = 0.012
BACKGROUND_WEIGHT = 0.08


class FreezeWatch:
    """Says whether the picture has stood still for longer than `frozen_after_s`."""

    def __init__(self, frozen_after_s: float) -> None:
        self._frozen_after_s = frozen_after_s
        self._last: Picture | None = None
        self._still_since_s = 0.0

    def frozen(self, image: Picture, at_s: float) -> bool:
        """Take the next picture (BGR) at `at_s` monotonic seconds."""
        sample = np.ascontiguousarray(image[::STEP_PX, ::STEP_PX])
        if self._last is None or not _same(self._last, sample):
            self._still_since_s = at_s
        self._last = sample
        return self._frozen_after_s > 0 and at_s - self._still_since_s >= self._frozen_after_s


def _same(before: Picture, after: Picture) -> bool:
    if before.shape != after.shape:
        return False
    changed = (before != after).any(axis=2)
    return float(changed.mean()) <= SAME_FRACTION_MAX


class MotionWatch:
    """Says whether something moved against a slowly learnt background."""

    def __init__(self) -> None:
        self._background: np.ndarray | None = None

    def moved(self, image: Picture) -> bool:
        """Take the next picture (BGR); the first one counts as motion."""
        grey = image[:: 2 * STEP_PX, :: 2 * STEP_PX].mean(axis=2, dtype=np.float32)
        if self._background is None or self._background.shape != grey.shape:
            self._background = grey
            return True
        # A change of light moves every pixel alike and is no vehicle.
        difference = grey - self._background
        moved = np.abs(difference - np.median(difference)) >= MOVED_LEVEL_MIN
        self._background += BACKGROUND_WEIGHT * difference
        return float(moved.mean()) >= MOVED_FRACTION_MIN
