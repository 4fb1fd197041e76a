"""Grams that people can imagine: owns what a sum of grams is compared with, by dated factors with sources.

Only what the factors give is shown. A tree is not: no source says how much one binds in a day.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from cloud_sync.server import rule_books
from cloud_sync.server.points.records import EquivalentRecord
from cloud_sync.server.sql import Reader
from control.carbon.factors import Factors
from control.domain.exact import to_decimal

_DRIVING = "class.petrol_car.driving"
_FAMILY = "fuel.petrol.family"
_PLACES = 1


async def equivalents(db: Reader, grams: int, day: date) -> tuple[EquivalentRecord, ...]:
    """What `grams` of CO2e are like, with the factors of a day."""
    return (petrol_km(grams, (await rule_books.factors(db)).at(day)),)


def petrol_km(grams: int, factors: Factors) -> EquivalentRecord:
    """Kilometres of an ordinary petrol car whose tank-to-wheel CO2 is as much."""
    co2 = f"fuel.petrol.co2.{factors.choice(_FAMILY)}"
    # L/100km times kg/L is kg/100km; times ten is g/km.
    grams_km = factors.number(_DRIVING) * factors.number(co2) * 10
    amount = f"{to_decimal(Fraction(grams) / grams_km, _PLACES):f}"
    rows = tuple(factors.row(key).row_id for key in (_DRIVING, _FAMILY, co2))
    chinese, english = f"相当于燃油小客车行驶 {amount} 公里", f"As much as a petrol car emits over {amount} km"
    return EquivalentRecord("petrol_km", amount, "km", chinese, english, rows)
