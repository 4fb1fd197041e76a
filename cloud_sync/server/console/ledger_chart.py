"""The ledger's chart: owns the lines of one year, emission and retired tonnes cumulated, and the gap between them.

Drawn on the server, so that it needs no script; the numbers are beside it in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from cloud_sync.server.carbon.records import DayPoint
from control.carbon.exact import GRAMS_PER_TONNE

WIDTH, HEIGHT = 822, 196
LEFT, RIGHT, TOP, BOTTOM = 34, 58, 12, 24
LABEL_APART = 15.0


@dataclass(frozen=True, slots=True)
class Tick:
    """One line of the grid, or one month: where it stands and what it says."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class MonthRow:
    """One month for the table: cumulated tonnes at its end."""

    month: int
    owed_t: float
    retired_t: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Paths in a box of `width` by `height`."""

    width: int
    height: int
    emitted: str
    retired: str
    gap: str
    lines: tuple[Tick, ...]
    months: tuple[Tick, ...]
    end_x: float
    emitted_y: float
    retired_y: float
    emitted_t: float
    retired_t: float
    rows: tuple[MonthRow, ...]
    left: int = LEFT
    right: int = WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM


def chart(days: Sequence[DayPoint], *, year: int, today: date, months: Sequence[str]) -> Chart:
    """The chart of a year up to `today` or the year's last day; `months` are the names of its twelve."""
    first, last = date(year, 1, 1), date(year, 12, 31)
    until = max(first, min(today, last))
    series = _cumulated(days, first, until)
    top = _nice_top(max((max(one[1], one[2]) for one in series), default=0.0))

    def x(day: date) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / 365

    def y(tonnes: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * tonnes / top

    above = [(x(day), y(owed)) for day, owed, _ in series]
    below = _steps([(x(day), y(retired)) for day, _, retired in series])
    end = series[-1]
    emitted_y, retired_y = _apart(y(end[1]), y(end[2]))
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        emitted=_path(above),
        retired=_path(below),
        gap=_gap(series, x, y),
        lines=tuple(Tick(y(top * part / 2), _tonnes(top * part / 2)) for part in range(3)),
        months=tuple(Tick(x(date(year, month, 1)), name) for month, name in enumerate(months, 1)),
        end_x=x(end[0]),
        emitted_y=emitted_y,
        retired_y=retired_y,
        emitted_t=end[1],
        retired_t=end[2],
        rows=_rows(series),
    )


def _cumulated(days: Sequence[DayPoint], first: date, until: date) -> list[tuple[date, float, float]]:
    """Every day with the tonnes emitted and retired until its end."""
    by_day = {one.day: one for one in days}
    owed_g = retired_g = 0
    found: list[tuple[date, float, float]] = []
    for number in range((until - first).days + 1):
        day = first + timedelta(days=number)
        point = by_day.get(day)
        if point is not None:
            owed_g += point.owed_g
            retired_g += point.retired_g
        found.append((day, owed_g / GRAMS_PER_TONNE, retired_g / GRAMS_PER_TONNE))
    return found


def _rows(series: Sequence[tuple[date, float, float]]) -> tuple[MonthRow, ...]:
    last = {day.month: MonthRow(day.month, owed, retired) for day, owed, retired in series}
    return tuple(last.values())


def _steps(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Retirements are steps: the line goes on and then up."""
    made: list[tuple[float, float]] = []
    for at, height in points:
        if made and made[-1][1] != height:
            made.append((at, made[-1][1]))
        made.append((at, height))
    return made


def _gap(series: Sequence[tuple[date, float, float]], x: Callable[[date], float], y: Callable[[float], float]) -> str:
    """The area where less is retired than was emitted."""
    upper = [(x(day), y(max(owed, retired))) for day, owed, retired in series]
    lower = _steps([(x(day), y(retired)) for day, _, retired in series])
    return f"{_path(upper)}L{_path(list(reversed(lower)))[1:]}Z"


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{at:.1f} {height:.1f}" for at, height in points)


def _apart(upper: float, lower: float) -> tuple[float, float]:
    """Two labels that do not lie on each other; the lines stay where they are."""
    missing = LABEL_APART - abs(upper - lower)
    if missing <= 0:
        return upper, lower
    shift = missing / 2 if upper <= lower else -missing / 2
    return upper - shift, lower + shift


def _nice_top(highest: float) -> float:
    """1, 2, 4, 6, 8 or 10 times a power of ten, so that the middle line is a round number too."""
    power = 0.001
    while power * 10 < highest:
        power *= 10
    return next((power * factor for factor in (1, 2, 4, 6, 8, 10) if power * factor >= highest), power * 10) or 1.0


def _tonnes(value: float) -> str:
    return f"{value:g}"
