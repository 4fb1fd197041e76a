"""What grams are compared with: owns km of a petrol car (tank to wheel) and kWh of the grid that emit as much CO2."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from control.carbon import factor_keys as keys
from control.carbon.exact import GRAMS_PER_KG
from control.carbon.factor_keys import EmissionClass, FactorFamily, Fuel, GridArea
from control.carbon.factors import Factors


@dataclass(frozen=True, slots=True)
class PetrolCar:
    """What an ordinary petrol car emits, and the ids of the factor rows that say so."""

    g_per_km: Fraction
    row_ids: tuple[str, ...]

    def km(self, grams: int) -> Fraction:
        """Kilometres that emit as much."""
        return Fraction(grams) / self.g_per_km


def petrol_car(rows: Factors) -> PetrolCar:
    """The car by the factors of a day. Raises MissingFactor."""
    chosen, driving = keys.family_key(Fuel.PETROL), keys.consumption_key(EmissionClass.PETROL_CAR)
    co2 = keys.co2_key(Fuel.PETROL, FactorFamily(rows.choice(chosen)))
    litres_per_km = rows.number(driving) / 100
    g_per_km = litres_per_km * rows.number(co2) * GRAMS_PER_KG
    return PetrolCar(g_per_km, tuple(rows.row(key).row_id for key in (driving, chosen, co2)))


@dataclass(frozen=True, slots=True)
class GridElectricity:
    """What a kWh of the grid emits, and the ids of the factor rows that say so."""

    g_per_kwh: Fraction
    row_ids: tuple[str, ...]

    def kwh(self, grams: int) -> Fraction:
        """Kilowatt-hours that emit as much."""
        return Fraction(grams) / self.g_per_kwh


def grid_electricity(rows: Factors) -> GridElectricity:
    """The grid of the area in use (the province) by the factors of a day. Raises MissingFactor."""
    grid = keys.grid_key(GridArea(rows.choice(keys.GRID_AREA)))
    g_per_kwh = rows.number(grid) * GRAMS_PER_KG
    return GridElectricity(g_per_kwh, tuple(rows.row(key).row_id for key in (keys.GRID_AREA, grid)))
