"""The ring of a day: owns the geometry of the public page's drawing. Pure; lengths are units of its `viewBox`.

Midnight stands at the bottom and noon at the top. Outside stand the sun and, on top of it, what came out of the
storage; inside the grid, the deeper the more of the quarter hour's electricity came from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from cloud_sync.server.carbon.public_board import SLOTS, PublicSlot

SIZE = 452.0
_CENTRE = SIZE / 2
_GRID_IN, _GRID_OUT = 126.0, 138.0
_BASE, _TALL = 144.0, 66.0
_LEAST = 4.0  # a bar that can be seen
_GAP = 0.2  # of a bar's angle
_PALE = 0.42
_SCALE_KW_MIN = 100.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One piece of the drawing: `path` for an SVG, `kind` for its colour, `opacity` 0 to 1."""

    path: str
    kind: str
    opacity: float


@dataclass(frozen=True, slots=True)
class Hand:
    """Where "now" is."""

    x1: float
    y1: float
    x2: float
    y2: float


def bars(slots: Iterable[PublicSlot]) -> tuple[Bar, ...]:
    """The day as pieces; a gap draws nothing but its hatched place in the grid's ring."""
    given = tuple(slots)
    scale = max([_SCALE_KW_MIN, *(_outside(one) for one in given)])
    found: list[Bar] = []
    for place, slot in enumerate(given):
        pale = 1.0 if slot.measured else _PALE
        found += _outer(place, slot, scale, pale)
        if slot.grid_frac is not None:
            share = 0.12 + 0.88 * slot.grid_frac
            found.append(Bar(_sector(place, _GRID_IN, _GRID_OUT), "grid", round(share * max(pale, 0.6), 3)))
        elif slot.measured:
            found.append(Bar(_sector(place, _GRID_IN, _GRID_OUT), "gap", 1.0))
    return tuple(found)


def _outside(slot: PublicSlot) -> float:
    return max(slot.pv_kw or 0.0, 0.0) + max(slot.storage_kw or 0.0, 0.0)


def _outer(place: int, slot: PublicSlot, scale: float, pale: float) -> Iterable[Bar]:
    low = _BASE
    for kind, kw in (("pv", slot.pv_kw), ("storage", slot.storage_kw)):
        if kw is None or (kw <= 0 and kind == "storage"):
            continue
        tall = max(_LEAST, _TALL * max(kw, 0.0) / scale)
        yield Bar(_sector(place, low, low + tall), kind, pale)
        low += tall + 1


def _sector(place: int, inner: float, outer: float) -> str:
    """A piece of a ring: as wide as a quarter hour, less the gap to the next."""
    width = 2 * math.pi / SLOTS
    start, end = (place + _GAP / 2) * width, (place + 1 - _GAP / 2) * width
    (x1, y1), (x2, y2), (x3, y3), (x4, y4) = (
        *(_point(angle, inner) for angle in (start, end)),
        *(_point(angle, outer) for angle in (end, start)),
    )
    return f"M{x1} {y1}A{inner:g} {inner:g} 0 0 1 {x2} {y2}L{x3} {y3}A{outer:g} {outer:g} 0 0 0 {x4} {y4}Z"


def _point(angle: float, radius: float) -> tuple[float, float]:
    """`angle` from midnight at the bottom, with the clock."""
    return round(_CENTRE - radius * math.sin(angle), 2), round(_CENTRE + radius * math.cos(angle), 2)


def hand(hours: float) -> Hand:
    """The hand at an hour of the day."""
    angle = 2 * math.pi * hours / 24
    (x1, y1), (x2, y2) = _point(angle, _GRID_IN - 12), _point(angle, _BASE + _TALL + 4)
    return Hand(x1, y1, x2, y2)


def hour_mark(hour: int) -> tuple[float, float]:
    """Where the figure of an hour stands."""
    return _point(2 * math.pi * hour / 24, _GRID_IN - 22)
