"""Whether a head that learnt on site is better: owns the fair comparison of two heads on the same crops.

Every crop is judged by a head that saw no crop of the same vehicle. The head before is judged in the same way, from
the crops that it had learnt from, so that neither is asked about what it knows by heart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from control.domain.vehicles import VehicleType
from vision.head import Learner, Samples

Z_95 = 1.959964


@dataclass(frozen=True, slots=True)
class Score:
    """Right of how many, with the Wilson interval of 95 %."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """0 to 1."""
        return self.right / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Lower and upper bound of the share (Wilson 1927)."""
        if not self.of:
            return 0.0, 1.0
        spread = Z_95 * math.sqrt(self.share * (1 - self.share) / self.of + Z_95**2 / (4 * self.of**2))
        middle, scale = self.share + Z_95**2 / (2 * self.of), 1 + Z_95**2 / self.of
        return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


@dataclass(frozen=True, slots=True)
class Trial:
    """Both heads on all crops, and type by type."""

    before: Score
    after: Score
    by_type: dict[str, tuple[Score, Score]]

    @property
    def falls(self) -> bool:
        """Whether the new head is right less often."""
        return self.after.right < self.before.right


def tried(learner: Learner, samples: Samples, *, known_before: NDArray[np.bool_], seed: int = 1) -> Trial:
    """Compare what `known_before` (n,) teaches with what all crops teach. With none known the shipped head judges."""
    before = learner.cross_logits(samples, seed=seed, known=known_before).argmax(axis=1) == samples.numbers
    after = learner.cross_logits(samples, seed=seed).argmax(axis=1) == samples.numbers
    types = {learner.classes[number]: samples.numbers == number for number in np.unique(samples.numbers)}
    return Trial(
        _score(before),
        _score(after),
        {_name(kind): (_score(before[of]), _score(after[of])) for kind, of in types.items()},
    )


def _name(kind: VehicleType) -> str:
    return kind.value


def _score(right: NDArray[np.bool_]) -> Score:
    return Score(int(right.sum()), len(right))
