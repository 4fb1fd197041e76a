"""How sure a count is: owns the exact interval of a share.

Clopper and Pearson 1934: the interval holds the true share with at least the wanted confidence, also at 0 of n.
"""

from __future__ import annotations

import math
from collections.abc import Callable

CONFIDENCE = 0.95
_HALVINGS = 60


def share_interval(hits: int, of: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """(low, high) of a share of which `hits` of `of` were seen; (0, 1) where nothing was looked at.

    Raises ValueError when `hits` is not within 0 to `of`.
    """
    if not 0 <= hits <= of:
        raise ValueError(f"{hits} hits of {of}")
    if of == 0:
        return 0.0, 1.0
    if hits > of - hits:
        low, high = share_interval(of - hits, of, confidence=confidence)
        return 1.0 - high, 1.0 - low
    tail = (1.0 - confidence) / 2
    low = 0.0 if hits == 0 else _share_where(lambda p: 1.0 - _at_most(hits - 1, of, p) < tail)
    return low, _share_where(lambda p: _at_most(hits, of, p) > tail)


def _share_where(below: Callable[[float], bool]) -> float:
    """The share at which `below` turns from true to false."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2


def _at_most(hits: int, of: int, share: float) -> float:
    """Probability of at most `hits` hits of `of` draws."""
    if share <= 0.0 or share >= 1.0:
        return 1.0 if share <= 0.0 or hits >= of else 0.0
    log_p, log_q = math.log(share), math.log1p(-share)
    whole = math.lgamma(of + 1)
    logs = [
        whole - math.lgamma(k + 1) - math.lgamma(of - k + 1) + k * log_p + (of - k) * log_q for k in range(hits + 1)
    ]
    return math.fsum(map(math.exp, logs))


def spoken(hits: int, of: int) -> str:
    """`3 of 1,000 (0.06 to 0.87 %)`, as documents give it."""
    low, high = share_interval(hits, of)
    return f"{hits:,} of {of:,} ({100 * low:.3g} to {100 * high:.3g} %)"
