"""How long to wait before trying again: full jitter with a cap. Randomness is handed in."""

from __future__ import annotations

from collections.abc import Callable


def full_jitter_s(attempt: int, *, base_s: float, cap_s: float, random: Callable[[], float]) -> float:
    """Seconds before try `attempt` (0 is the first retry): uniform between 0 and the capped double.

    Source: Brooker, "Exponential Backoff And Jitter", 2015.
    """
    return random() * min(cap_s, base_s * 2.0 ** min(attempt, 30))
