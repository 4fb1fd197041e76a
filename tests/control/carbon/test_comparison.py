"""Grams as kilometres of an ordinary petrol car, and as electricity of the grid."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest

from control.carbon.comparison import grid_electricity, petrol_car
from control.carbon.factors import Factors, FactorSet, MissingFactor


def test_a_petrol_car_emits_its_fuel(today: Factors) -> None:
    car = petrol_car(today)
    litres, kg_per_l = (
        next(one.value for one in today.rows.values() if one.row_id == car.row_ids[at]) for at in (0, 2)
    )
    assert car.g_per_km == litres * kg_per_l * 10
    assert car.km(int(car.g_per_km * 1000)) == pytest.approx(1000, rel=1e-3)
    assert (car.km(0), len(set(car.row_ids))) == (Fraction(0), 3)


def test_grid_electricity_is_that_of_the_province(today: Factors) -> None:
    grid = grid_electricity(today)
    rows = {one.row_id: one for one in today.rows.values()}
    area, factor = (rows[one] for one in grid.row_ids)
    assert factor.key == f"grid.{area.value}.co2"
    assert grid.g_per_kwh == factor.value * 1000
    assert grid.kwh(0) == 0
    assert grid.kwh(12_345) * factor.value * 1000 == 12_345


def test_before_the_first_factors_nothing_is_compared(factor_rows: FactorSet) -> None:
    with pytest.raises(MissingFactor):
        petrol_car(factor_rows.at(date(2019, 1, 1)))
    with pytest.raises(MissingFactor):
        grid_electricity(factor_rows.at(date(2019, 1, 1)))
