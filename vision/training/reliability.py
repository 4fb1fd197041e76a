"""Whether probabilities mean what they say: owns bins, calibration errors, Platt's line and the diagrams.

The expected calibration error is the mean distance between probability and share of right guesses over 15 bins of
equal width, weighted by how many guesses fall into each (Guo et al., ICML 2017).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 15
FLOOR = 1e-6
NEWTON_STEPS = 100
PULL = 0.5


@dataclass(slots=True)
class Guesses:
    """Probabilities with whether each came true."""

    probabilities: list[float] = field(default_factory=list)
    right: list[bool] = field(default_factory=list)

    def add(self, probability: float, right: bool) -> None:
        """One guess."""
        self.probabilities.append(min(1.0, max(0.0, probability)))
        self.right.append(right)

    def extend(self, others: Guesses) -> None:
        """All guesses of another lot."""
        self.probabilities += others.probabilities
        self.right += others.right

    def __len__(self) -> int:
        return len(self.right)


@dataclass(frozen=True, slots=True)
class Bin:
    """Guesses of like probability."""

    count: int
    mean_probability: float
    share_right: float


def bins_of(guesses: Guesses) -> list[Bin]:
    """The filled ones of `BINS` bins of equal width."""
    probabilities, right = np.array(guesses.probabilities), np.array(guesses.right, bool)
    places = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    found = []
    for place in np.unique(places):
        members = places == place
        found.append(Bin(int(members.sum()), float(probabilities[members].mean()), float(right[members].mean())))
    return found


def expected_calibration_error(guesses: Guesses) -> float:
    """0 to 1; nan where there are no guesses."""
    if not len(guesses):
        return math.nan
    return sum(b.count * abs(b.mean_probability - b.share_right) for b in bins_of(guesses)) / len(guesses)


def log_loss(guesses: Guesses) -> float:
    """Mean negative log likelihood, nats; nan where there are no guesses."""
    if not len(guesses):
        return math.nan
    probabilities = np.clip(np.array(guesses.probabilities), FLOOR, 1 - FLOOR)
    right = np.array(guesses.right, bool)
    return float(-np.log(np.where(right, probabilities, 1 - probabilities)).mean())


def facts_of(guesses: Guesses) -> dict[str, Any]:
    """What to write down about one reliability diagram."""
    return {
        "guesses": len(guesses),
        "right_share": round(float(np.mean(guesses.right)), 5) if len(guesses) else math.nan,
        "mean_probability": round(float(np.mean(guesses.probabilities)), 5) if len(guesses) else math.nan,
        "ece": round(expected_calibration_error(guesses), 5),
        "log_loss": round(log_loss(guesses), 5),
    }


def log_odds(probabilities: Iterable[float]) -> NDArray[np.float64]:
    """ln(p / (1 - p)), kept finite."""
    clipped = np.clip(np.array(list(probabilities), float), FLOOR, 1 - FLOOR)
    return np.log(clipped) - np.log1p(-clipped)


def fitted_line(guesses: Guesses) -> tuple[float, float]:
    """(slope, offset) of Platt's line on the log odds with the least log loss, by Newton's method.

    A weak pull towards (1, 0), no change, keeps it finite where few guesses or none were wrong.
    """
    x = log_odds(guesses.probabilities)
    design, y = np.stack([x, np.ones_like(x)], axis=1), np.array(guesses.right, float)
    unchanged = np.array([1.0, 0.0])
    line = unchanged
    for _ in range(NEWTON_STEPS):
        p = _from_log_odds(design @ line)
        slope = design.T @ (y - p) - PULL * (line - unchanged)
        curve = design.T @ (design * (p * (1 - p))[:, None]) + PULL * np.eye(2)
        step = np.linalg.solve(curve, slope)
        line = line + step / max(1.0, float(np.abs(step).max()))
    return float(line[0]), float(line[1])


def _from_log_odds(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return 0.5 * (1 + np.tanh(odds / 2))


def through_line(guesses: Guesses, line: tuple[float, float]) -> Guesses:
    """The guesses with their log odds moved onto a line."""
    moved = _from_log_odds(line[0] * log_odds(guesses.probabilities) + line[1])
    return Guesses(moved.tolist(), list(guesses.right))


# ------------------------------------------------------------------------------------------------------------ drawing

_SIDE, _EDGE = 300, 46


def diagram(title: str, guesses: Guesses) -> str:
    """A reliability diagram as SVG: a bar a bin, the gap to the diagonal, and how many guesses stand behind it."""
    marks = "".join(_bar(one, len(guesses)) for one in bins_of(guesses))
    ticks = "".join(_tick(value) for value in (0.0, 0.5, 1.0))
    error = f"ECE {100 * expected_calibration_error(guesses):.2f} %, {len(guesses):,} guesses"
    width, height = _SIDE + _EDGE + 16, _SIDE + _EDGE + 44
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{escape(title)}: {error}" font-family="Inter, system-ui, sans-serif" font-size="12">'
        f'<rect width="{width}" height="{height}" fill="#FFFFFF"/>'
        f'<text x="{_EDGE}" y="18" font-weight="600" fill="#10201E">{escape(title)}</text>'
        f'<text x="{_EDGE}" y="34" fill="#43534F">{error}</text>{ticks}{marks}'
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#596965" stroke-dasharray="4 4"/></svg>'
    )


def _x(value: float) -> float:
    return round(_EDGE + value * _SIDE, 1)


def _y(value: float) -> float:
    return round(44 + (1 - value) * _SIDE, 1)


def _tick(value: float) -> str:
    return (
        f'<line x1="{_x(0)}" y1="{_y(value)}" x2="{_x(1)}" y2="{_y(value)}" stroke="#DEE5E3"/>'
        f'<text x="{_EDGE - 6}" y="{_y(value) + 4}" text-anchor="end" fill="#596965">{value:g}</text>'
        f'<text x="{_x(value)}" y="{_y(0) + 18}" text-anchor="middle" fill="#596965">{value:g}</text>'
    )


def _bar(one: Bin, total: int) -> str:
    """Opacity tells the share of all guesses, since nearly all stand in the last bin."""
    left = min(int(one.mean_probability * BINS), BINS - 1) / BINS
    opacity = 0.3 + 0.7 * math.sqrt(one.count / total)
    top = _y(one.share_right)
    return (
        f'<rect x="{_x(left) + 1}" y="{top}" width="{_SIDE / BINS - 2:.1f}" height="{_y(0) - top:.1f}" '
        f'fill="#0A6478" opacity="{opacity:.2f}"><title>{one.count}: said {one.mean_probability:.3f}, '
        f"came true {one.share_right:.3f}</title></rect>"
    )
