"""The months of a year as a drawing: owns its geometry. Pure; lengths are units of its `viewBox`.

Upwards stand what was emitted by fuel and by the grid, downwards what was retired; a month that is not known whole is
pale and hatched, and one of which nothing is known has no bar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from control.carbon.exact import GRAMS_PER_TONNE
from control.carbon.inventory import MonthInventory

WIDTH, HEIGHT = 860, 190
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 14, 22
_BAR = 0.56  # of a month's width
_LEAST = 1.5


@dataclass(frozen=True, slots=True)
class Rect:
    """One piece of a bar."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the grid with its figure, tonnes."""

    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing; `months` are the middles of the twelve places."""

    rects: tuple[Rect, ...]
    lines: tuple[Line, ...]
    months: tuple[tuple[float, int], ...]
    zero: float


def chart(months: Sequence[MonthInventory]) -> Chart:
    """The bars of one year's months."""
    up = max([1.0, *(_t(one.fuel_g + one.grid_market_g) for one in months)])
    down = max([0.0, *(_t(one.retired_g + one.sinks_g) for one in months)])
    top = _nice(up)
    low = _nice(down) if down else 0.0
    unit = (HEIGHT - TOP - BOTTOM) / (top + low)
    zero = TOP + top * unit
    step = (WIDTH - LEFT - RIGHT) / 12
    rects: list[Rect] = []
    for one in months:
        x = LEFT + (one.month - 1) * step + step * (1 - _BAR) / 2
        rects += _bar(one, x, step * _BAR, zero, unit)
    marks = [top, top / 2, 0.0, *([-low] if low else [])]
    return Chart(
        rects=tuple(rects),
        lines=tuple(Line(round(zero - mark * unit, 1), f"{mark:g}".replace("-", "−")) for mark in marks),
        months=tuple((round(LEFT + (place + 0.5) * step, 1), place + 1) for place in range(12)),
        zero=round(zero, 1),
    )


def _bar(one: MonthInventory, x: float, width: float, zero: float, unit: float) -> list[Rect]:
    gap = " part" if one.missing else ""
    found: list[Rect] = []
    y = zero
    for kind, grams in (("grid", one.grid_market_g), ("fuel", one.fuel_g)):
        if grams > 0:
            tall = max(_LEAST, _t(grams) * unit)
            y -= tall
            found.append(Rect(round(x, 1), round(y, 1), round(width, 1), round(tall, 1), kind + gap))
    taken = one.retired_g + one.sinks_g
    if taken > 0:
        tall = max(_LEAST, _t(taken) * unit)
        found.append(Rect(round(x, 1), round(zero, 1), round(width, 1), round(tall, 1), "taken"))
    return found


def _t(grams: int) -> float:
    return max(grams, 0) / GRAMS_PER_TONNE


def _nice(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next(power * one for one in (1, 2, 5, 10) if power * one >= value)
