"""The footprint of an event: owns grams by source and their uncertainty.

What was counted comes as lines: passenger-kilometres by means of travel, nights in a room, meals, kilowatt-hours. The
rows of the event's last day hold. Electricity carries the factor of the grid: an event that proves green power buys it
for the zone, and the zone's inventory shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import isqrt

from control.carbon import factor_keys as keys
from control.carbon.exact import GRAMS_PER_KG, InexactNumber, Number, exact, half_up, to_decimal
from control.carbon.factor_keys import EventSource, GridArea
from control.carbon.factors import Factor, Factors, FactorSet
from control.domain.errors import IslandError


class BadEventLine(IslandError):
    """A line whose amount cannot be meant: not finite, zero or negative."""


@dataclass(frozen=True, slots=True)
class EventLine:
    """`amount` in the source's unit (`factor_keys.EVENT_UNIT`); `measured` where a meter or a list counted it."""

    source: EventSource
    amount: Number
    measured: bool = False


@dataclass(frozen=True, slots=True)
class EventPart:
    """Grams of all lines of one source, and the row that made them."""

    source: EventSource
    amount: Decimal
    unit: str
    grams: int
    kg_per_unit: Decimal
    factor_id: str


@dataclass(frozen=True, slots=True)
class EventFootprint:
    """Whole grams CO2e. `uncertainty_frac` says how far the total may be off when lines are off independently."""

    grams: int
    uncertainty_frac: Decimal
    parts: tuple[EventPart, ...]
    factor_version: str
    factor_ids: tuple[str, ...]
    day: date


_PLACES = 3
_FACTOR_PLACES = 4


def event_footprint(lines: Iterable[EventLine], day: date, factors: FactorSet) -> EventFootprint:
    """The footprint with the rows of `day`. Raises BadEventLine naming the source, and MissingFactor.

    Grams are rounded half up once a source; uncertainties are added as independent ones, by the root of squares.
    """
    rows = factors.at(day)
    given = tuple(lines)
    parts = tuple(_part(source, given, rows) for source in EventSource if any(one.source is source for one in given))
    total = sum(part.grams for part in parts)
    doubts = {one.measured: rows.row(keys.event_uncertainty_key(measured=one.measured)) for one in given}
    used = (*(part.factor_id for part in parts), *(doubts[one].factor_id for one in sorted(doubts)))
    return EventFootprint(
        grams=total,
        uncertainty_frac=_uncertainty(given, rows, total),
        parts=parts,
        factor_version=rows.version,
        factor_ids=used,
        day=day,
    )


def _part(source: EventSource, lines: Iterable[EventLine], rows: Factors) -> EventPart:
    amount = sum((_amount(one) for one in lines if one.source is source), Fraction(0))
    row = _row(source, rows)
    kg = rows.number(row.key)
    return EventPart(
        source=source,
        amount=to_decimal(amount, _PLACES),
        unit=keys.EVENT_UNIT[source],
        grams=half_up(amount * kg * GRAMS_PER_KG),
        kg_per_unit=to_decimal(kg, _FACTOR_PLACES),
        factor_id=row.factor_id,
    )


def _row(source: EventSource, rows: Factors) -> Factor:
    if source is EventSource.ELECTRICITY:
        return rows.row(keys.grid_key(GridArea(rows.choice(keys.GRID_AREA))))
    return rows.row(keys.event_key(source))


def _amount(line: EventLine) -> Fraction:
    try:
        amount = exact(line.amount)
    except InexactNumber as error:
        raise BadEventLine(f"{line.source}: {error}") from error
    if amount <= 0:
        raise BadEventLine(f"{line.source}: {float(amount):g} is no amount; leave the line out.")
    return amount


def _uncertainty(lines: Iterable[EventLine], rows: Factors, total: int) -> Decimal:
    if total == 0:
        return Decimal(0)
    squares = Fraction(0)
    for one in lines:
        grams = _amount(one) * rows.number(_row(one.source, rows).key) * GRAMS_PER_KG
        squares += (grams * rows.number(keys.event_uncertainty_key(measured=one.measured))) ** 2
    return to_decimal(Fraction(isqrt(half_up(squares)), total), _PLACES)
