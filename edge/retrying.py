"""When to try again: owns the capped full jitter that every reconnecting adapter waits by."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoff:
    """Waits drawn evenly between 0 and a ceiling that doubles up to `cap_s`. `random` comes from the root."""

    random: random.Random
    base_s: float = 0.25
    cap_s: float = 10.0
    _tries: int = field(default=0)

    def next_s(self) -> float:
        """The wait before the next try, seconds."""
        ceiling_s = min(self.cap_s, self.base_s * 2**self._tries)
        self._tries = min(self._tries + 1, 16)
        return self.random.uniform(0.0, ceiling_s)

    def succeeded(self) -> None:
        """Begin again from the shortest wait."""
        self._tries = 0
