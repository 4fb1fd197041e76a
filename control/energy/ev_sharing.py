"""How vehicles share what power there is: owns the order minimum, deadlines, then fair; compiled and plain alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from control.energy.kernels import inner, kernel

Array = npt.NDArray[np.float64]

_HALVINGS = 40


@inner
def share(minimum: Array, need: Array, want: Array, laxity: Array, soft_kw: float, hard_kw: float, out: Array) -> None:
    """Write to `out` (n,) what each vehicle may draw, kW; 0 <= minimum <= need <= want, each (n,).

    Everybody gets the minimum, those with the least `laxity` (s to spare before the deadline) first, as long as
    `hard_kw` lasts: less than its minimum serves a vehicle nothing. Then the deadlines' `need` up to `hard_kw`, least
    laxity first; then what is left of `soft_kw`, to the lowest first (max-min fair), up to `want`.
    """
    n = minimum.shape[0]
    left = max(0.0, hard_kw)
    done = np.zeros(n)
    for _ in range(n):
        first = _least(laxity, done)
        done[first] = 1.0
        out[first] = 0.0
        if minimum[first] <= left:
            out[first] = minimum[first]
            left -= minimum[first]
    done[:] = 0.0
    for _ in range(n):
        first = _least(laxity, done)
        done[first] = 1.0
        if minimum[first] <= out[first]:
            more = min(left, max(0.0, need[first] - out[first]))
            out[first] += more
            left -= more
    given = 0.0
    for i in range(n):
        given += out[i]
    raise_evenly(minimum, want, min(left, soft_kw - given), out)


@inner
def _least(laxity: Array, done: Array) -> int:
    best = -1
    for i in range(laxity.shape[0]):
        if done[i] == 0.0 and (best < 0 or laxity[i] < laxity[best]):
            best = i
    return best


@inner
def raise_evenly(minimum: Array, want: Array, more_kw: float, out: Array) -> None:
    """Lift the lowest up to one level, such that the lift adds up to `more_kw` (never over)."""
    n = out.shape[0]
    if more_kw <= 0.0 or n == 0:
        return
    low, high = 0.0, 0.0
    for i in range(n):
        high = max(high, want[i])
    if _lift(minimum, want, out, high) <= more_kw:
        low = high
    else:
        for _ in range(_HALVINGS):
            level = 0.5 * (low + high)
            if _lift(minimum, want, out, level) <= more_kw:
                low = level
            else:
                high = level
    for i in range(n):
        if minimum[i] <= out[i]:
            out[i] = max(out[i], min(want[i], low))


@inner
def _lift(minimum: Array, want: Array, out: Array, level: float) -> float:
    total = 0.0
    for i in range(out.shape[0]):
        if minimum[i] <= out[i]:
            total += max(0.0, min(want[i], level) - out[i])
    return total


def _example() -> tuple[Array, Array, Array, Array, float, float]:
    return np.ones(2), np.ones(2), np.ones(2), np.ones(2), 1.0, 2.0


@kernel(_example)
def shared_kw(minimum: Array, need: Array, want: Array, laxity: Array, soft_kw: float, hard_kw: float) -> Array:
    """What each vehicle may draw, (n,) kW; see `share`."""
    out = np.zeros(minimum.shape[0])
    share(minimum, need, want, laxity, soft_kw, hard_kw, out)
    return out
