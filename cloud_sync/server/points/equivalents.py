"""Grams that people can imagine: owns what a sum of grams is compared with, by dated factors with sources.

Only what the factors give is shown. A tree is not: no source says how much one binds in a day.
"""

from __future__ import annotations

from datetime import date

from cloud_sync.server import rule_books
from cloud_sync.server.points.records import EquivalentRecord
from cloud_sync.server.sql import Reader
from control.carbon.comparison import grid_electricity, petrol_car
from control.carbon.factors import Factors
from control.domain.exact import to_decimal

_PLACES = 1


async def equivalents(db: Reader, grams: int, day: date) -> tuple[EquivalentRecord, ...]:
    """What `grams` of CO2e are like, with the factors of a day."""
    factors = (await rule_books.factors(db)).at(day)
    shown = (petrol_km(grams, factors), grid_kwh(grams, factors))
    return tuple(one for one in shown if one is not None)


def petrol_km(grams: int, factors: Factors) -> EquivalentRecord:
    """Kilometres of an ordinary petrol car whose tank-to-wheel CO2 is as much."""
    car = petrol_car(factors)
    amount = f"{to_decimal(car.km(grams), _PLACES):f}"
    chinese, english = f"相当于燃油小客车行驶 {amount} 公里", f"As much as a petrol car emits over {amount} km"
    return EquivalentRecord("petrol_km", amount, "km", chinese, english, car.row_ids)


def grid_kwh(grams: int, factors: Factors) -> EquivalentRecord | None:
    """Kilowatt-hours of the province's grid whose CO2 is as much; None by the factor of a grid without any."""
    grid = grid_electricity(factors)
    if not grid.g_per_kwh:
        return None
    amount = f"{to_decimal(grid.kwh(grams), _PLACES):f}"
    chinese, english = f"相当于 {amount} 度网电的排放", f"As much as {amount} kWh of grid electricity emits"
    return EquivalentRecord("grid_kwh", amount, "kWh", chinese, english, grid.row_ids)
