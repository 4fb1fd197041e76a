"""Emission of a visit: the ladder, what is set aside and why, the gases, and recomputing."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.carbon.factor_keys import ElectricClass, EmissionClass, FactorFamily, Fuel, GwpSet
from control.carbon.factors import Factors, FactorSet, MissingFactor, parse_factor, parse_factors
from control.carbon.visit_emission import electric_information, visit_emission
from control.carbon.visit_types import (
    CLASS_OF_TYPE,
    Doubt,
    ElectricEvidence,
    NoFuelBurnt,
    NothingKnown,
    VisitEvidence,
)
from control.domain.plates import EnergyClass
from control.domain.vehicles import VehicleType

FILE = Path(__file__).resolve().parents[3] / "control/carbon/factors.toml"
# Property tests take no fixture of one test's scope.
DELIVERED_TODAY = parse_factors(tomllib.loads(FILE.read_text(encoding="utf-8"))).at(date(2026, 11, 21))
CAR = EmissionClass.PETROL_CAR
TRUCK = EmissionClass.HEAVY_TRUCK


@pytest.mark.parametrize(
    ("kind", "route_km", "idle_min", "pto_min", "litres", "co2_kg"),
    [
        (CAR, 6, 15, None, "0.730", "1.6"),
        (TRUCK, 6, 30, 0, "3.230", "8.8"),
        (EmissionClass.FIRE_ENGINE, 6, 0, 60, "14.280", "38.8"),
        (EmissionClass.COACH, 8, 30, None, "3.500", "9.5"),
    ],
)
def test_known_examples_by_route_and_times(
    today: Factors, kind: EmissionClass, route_km: int, idle_min: int, pto_min: int | None, litres: str, co2_kg: str
) -> None:
    evidence = VisitEvidence(vehicle_class=kind, route_km=route_km, idle_min=idle_min, pto_min=pto_min)
    found = visit_emission(evidence, today)
    assert found.tier == 3
    assert found.litres == Decimal(litres)
    assert round(Decimal(found.co2_g) / 1000, 1) == Decimal(co2_kg)
    standard = visit_emission(VisitEvidence(vehicle_class=kind), today)
    assert standard.tier == 4
    assert standard.fuel_amount == pytest.approx(Decimal(litres) * Decimal("1.1"), abs=Decimal("0.001"))


def test_measured_petrol_with_every_gas(today: Factors) -> None:
    found = visit_emission(VisitEvidence(fuel=Fuel.PETROL, fuel_used=10), today)
    # 10 L x 2.179 kg; 121.93 mg/L x 28; 182.90 mg/L x 265
    assert (found.co2_g, found.ch4_g_co2e, found.n2o_g_co2e) == (21_790, 34, 485)
    assert found.total_g == 22_309
    assert (found.tier, found.gwp_set, found.family) == (1, GwpSet.AR5, FactorFamily.JST303)
    assert found.uncertainty_frac == Decimal("0.05")
    assert len(found.factor_ids) == len(set(found.factor_ids)) == 8
    assert not found.information


@pytest.mark.parametrize(
    ("fuel", "unit", "co2e_kg_per_unit"),
    [(Fuel.PETROL, "L", "2.23"), (Fuel.DIESEL, "L", "2.76"), (Fuel.LNG, "kg", "3.35"), (Fuel.LPG, "kg", "3.25")],
)
def test_co2e_of_one_unit_of_each_fuel(today: Factors, fuel: Fuel, unit: str, co2e_kg_per_unit: str) -> None:
    found = visit_emission(VisitEvidence(fuel=fuel, fuel_used=100), today)
    assert found.fuel_unit == unit
    assert (found.litres is None) == (unit != "L")
    assert found.total_g / 100_000 == pytest.approx(float(co2e_kg_per_unit), abs=0.015)


def test_the_best_evidence_wins(today: Factors) -> None:
    evidence = VisitEvidence(
        vehicle_class=TRUCK,
        fuel_used=3,
        odometer_in_km=1000,
        odometer_out_km=1007,
        type_approval_per_100km=30,
        route_km=6,
        pto_min=0,
        stay_min=90,
    )
    assert visit_emission(evidence, today).tier == 1
    by_odometer = visit_emission(replace(evidence, fuel_used=None), today)
    assert (by_odometer.tier, by_odometer.fuel_amount) == (2, Decimal("2.100"))
    assert visit_emission(replace(evidence, fuel_used=None, odometer_in_km=None), today).tier == 3
    only_class = VisitEvidence(vehicle_class=TRUCK)
    assert visit_emission(only_class, today).tier == 4


def test_worse_evidence_is_more_uncertain(today: Factors) -> None:
    shares = [today.number(f"tier.{tier}.uncertainty") for tier in (1, 2, 3, 4)]
    assert shares == sorted(shares)


def test_the_odometer_does_not_hide_a_pump(today: Factors) -> None:
    evidence = VisitEvidence(
        vehicle_class=EmissionClass.FIRE_ENGINE, odometer_in_km=10, odometer_out_km=16, type_approval_per_100km=38
    )
    assumed = visit_emission(evidence, today)
    assert (assumed.tier, assumed.fuel_amount, assumed.assumed) == (2, Decimal("14.280"), ("pto_min", "fuel"))
    known = visit_emission(replace(evidence, pto_min=0, fuel=Fuel.DIESEL), today)
    assert (known.fuel_amount, known.assumed) == (Decimal("2.280"), ())


def test_an_odometer_without_type_approval_is_a_route(today: Factors) -> None:
    evidence = VisitEvidence(vehicle_class=CAR, odometer_in_km=10, odometer_out_km=16, idle_min=15)
    found = visit_emission(evidence, today)
    assert (found.tier, found.litres) == (3, Decimal("0.730"))


def test_unknown_idling_is_assumed_and_never_zero(today: Factors) -> None:
    evidence = VisitEvidence(vehicle_class=CAR, route_km=6)
    found = visit_emission(evidence, today)
    assert (found.litres, found.assumed) == (Decimal("0.730"), ("idle_min", "fuel"))
    short = visit_emission(replace(evidence, stay_min=6, idle_min=None), today)
    assert short.litres == Decimal("0.580")


TRIP = VisitEvidence(
    vehicle_class=TRUCK, odometer_in_km=1000, odometer_out_km=1008, type_approval_per_100km=30, route_km=8, stay_min=60
)
NAN = float("nan")


@pytest.mark.parametrize(
    ("fields", "evidence", "doubt", "tier"),
    [
        ({"fuel_used": NAN}, "fuel_used", Doubt.NOT_A_NUMBER, 2),
        ({"fuel_used": math.inf}, "fuel_used", Doubt.NOT_A_NUMBER, 2),
        ({"fuel_used": -3}, "fuel_used", Doubt.NEGATIVE, 2),
        ({"fuel_used": 0}, "fuel_used", Doubt.NOTHING_BURNT, 2),
        ({"fuel_used": 900}, "fuel_used", Doubt.TOO_MUCH_FUEL, 2),
        ({"fuel_used": 90}, "fuel_used", Doubt.TOO_MUCH_FOR_THE_STAY, 2),
        ({"fuel_used": 0.01}, "fuel_used", Doubt.TOO_LITTLE_FOR_THE_DISTANCE, 2),
        ({"odometer_out_km": 992}, "odometer_out_km", Doubt.ODOMETER_WENT_BACK, 3),
        ({"odometer_out_km": 1000}, "odometer_out_km", Doubt.DID_NOT_MOVE, 3),
        ({"odometer_out_km": 9000}, "odometer_out_km", Doubt.TOO_FAR, 3),
        ({"odometer_out_km": 1200}, "odometer_out_km", Doubt.TOO_FAST, 3),
        ({"odometer_out_km": 1001}, "odometer_out_km", Doubt.SHORTER_THAN_THE_ROUTE, 3),
        ({"odometer_in_km": NAN}, "odometer_in_km", Doubt.NOT_A_NUMBER, 3),
        ({"type_approval_per_100km": 400}, "type_approval_per_100km", Doubt.UNLIKELY_CONSUMPTION, 3),
        ({"type_approval_per_100km": 1}, "type_approval_per_100km", Doubt.UNLIKELY_CONSUMPTION, 3),
        ({"type_approval_per_100km": 0}, "type_approval_per_100km", Doubt.UNLIKELY_CONSUMPTION, 3),
        ({"odometer_in_km": None, "route_km": 0}, "route_km", Doubt.DID_NOT_MOVE, 4),
        ({"odometer_in_km": None, "idle_min": 61}, "idle_min", Doubt.ENGINE_RAN_TOO_LONG, 4),
        ({"pto_min": 61}, "pto_min", Doubt.ENGINE_RAN_TOO_LONG, 4),
        ({"stay_min": None, "pto_min": 1e9}, "pto_min", Doubt.ENGINE_RAN_TOO_LONG, 4),
        ({"stay_min": 43_174, "pto_min": 43_174}, "pto_min", Doubt.ENGINE_RAN_TOO_LONG, 4),
        ({"stay_min": 0}, "stay_min", Doubt.NO_TIME_INSIDE, 2),
        ({"vehicle_class": EmissionClass.COACH, "pto_min": 5}, "pto_min", Doubt.NO_MACHINE_IN_THIS_CLASS, 4),
    ],
)
def test_impossible_evidence_is_set_aside_by_name(
    today: Factors, fields: dict[str, object], evidence: str, doubt: Doubt, tier: int
) -> None:
    found = visit_emission(replace(TRIP, **fields), today)
    assert [(one.evidence, one.doubt) for one in found.set_aside] == [(evidence, doubt)]
    assert found.tier == tier
    assert found.total_g > 0


def test_a_broken_limit_names_its_row(today: Factors) -> None:
    found = visit_emission(replace(TRIP, fuel_used=900), today)
    assert found.set_aside[0].factor_id == today.row("limit.litres").factor_id
    assert found.set_aside[0].detail == "900 L"


def test_idle_and_machine_time_are_judged_together(today: Factors) -> None:
    found = visit_emission(replace(TRIP, odometer_in_km=None, idle_min=40, pto_min=40), today)
    assert {one.evidence for one in found.set_aside} == {"idle_min", "pto_min"}
    assert found.tier == 4


@pytest.mark.parametrize(
    "evidence",
    [
        VisitEvidence(),
        VisitEvidence(fuel=Fuel.DIESEL, route_km=8),
        VisitEvidence(fuel=Fuel.DIESEL, fuel_used=NAN),
        VisitEvidence(fuel_used=8),
    ],
)
def test_nothing_known_is_an_error_and_never_zero(today: Factors, evidence: VisitEvidence) -> None:
    with pytest.raises(NothingKnown, match="emission is unknown"):
        visit_emission(evidence, today)


def test_gas_vehicles_count_their_own_unit(today: Factors) -> None:
    found = visit_emission(VisitEvidence(vehicle_class=TRUCK, fuel=Fuel.LNG, route_km=6, idle_min=30, pto_min=0), today)
    assert (found.fuel_unit, found.fuel_amount) == ("kg", Decimal("2.248"))
    assert found.family is FactorFamily.GBT32151
    assert today.row("fuel.lng.per_litre").factor_id in found.factor_ids


def test_a_plug_in_is_information_until_its_fuel_is_measured(today: Factors) -> None:
    plug_in = VisitEvidence(vehicle_class=CAR, energy=EnergyClass.PLUG_IN_OR_FUEL_CELL, route_km=6)
    assert visit_emission(plug_in, today).information
    measured = visit_emission(replace(plug_in, fuel_used=Decimal("0.2")), today)
    assert not measured.information
    assert visit_emission(replace(plug_in, fuel_used=0), today).total_g == 0


@pytest.mark.parametrize("energy", [EnergyClass.BATTERY_ELECTRIC, EnergyClass.NO_ENGINE])
def test_a_vehicle_without_an_engine_is_not_asked_for_fuel(today: Factors, energy: EnergyClass) -> None:
    with pytest.raises(NoFuelBurnt):
        visit_emission(VisitEvidence(vehicle_class=CAR, energy=energy, fuel_used=3), today)


def test_electric_visits_carry_the_grid_for_information(today: Factors) -> None:
    metered = electric_information(ElectricEvidence(charged_kwh=10, route_km=6), today)
    assert (metered.co2_g, metered.basis) == (3648, "charged")
    driven = electric_information(ElectricEvidence(vehicle_class=ElectricClass.CAR, route_km=6), today)
    assert (driven.kwh, driven.co2_g, driven.basis) == (Decimal("0.990"), 361, "distance")
    with pytest.raises(NothingKnown):
        electric_information(ElectricEvidence(charged_kwh=NAN), today)


def test_an_old_visit_recomputes_with_the_rows_of_its_day(factor_rows: FactorSet) -> None:
    evidence, day = VisitEvidence(fuel=Fuel.DIESEL, fuel_used=10), date(2026, 11, 1)
    before = visit_emission(evidence, factor_rows.at(day))
    row = {
        "id": "X1",
        "key": "fuel.diesel.co2.jst303",
        "value": "2.6",
        "unit": "kg/L",
        "valid_from": date(2026, 12, 1),
        "source": "test",
        "author": "office",
        "reason": "corrected table",
    }
    later = factor_rows.replaced(parse_factor(row), version="2026.2")
    again = visit_emission(evidence, later.at(day))
    assert replace(again, factor_version=before.factor_version) == before
    assert visit_emission(evidence, later.at(date(2026, 12, 1))).co2_g == 26_000


def test_a_day_without_rows_is_named(factor_rows: FactorSet) -> None:
    with pytest.raises(MissingFactor):
        visit_emission(VisitEvidence(fuel=Fuel.DIESEL, fuel_used=10), factor_rows.at(date(2020, 1, 1)))


def test_every_type_that_a_camera_tells_apart_has_a_class() -> None:
    assert set(VehicleType) - set(CLASS_OF_TYPE) == {VehicleType.UNKNOWN, VehicleType.GOLF_CART}


figures = st.none() | st.floats() | st.integers(-10, 10_000) | st.decimals(-1, 500, places=3)


@settings(max_examples=80)
@given(
    evidence=st.builds(
        VisitEvidence,
        vehicle_class=st.none() | st.sampled_from(EmissionClass),
        energy=st.sampled_from([EnergyClass.FUEL, EnergyClass.UNKNOWN, EnergyClass.PLUG_IN_OR_FUEL_CELL]),
        fuel=st.none() | st.sampled_from(Fuel),
        fuel_used=figures,
        odometer_in_km=figures,
        odometer_out_km=figures,
        type_approval_per_100km=figures,
        route_km=figures,
        idle_min=figures,
        pto_min=figures,
        stay_min=figures,
    )
)
def test_any_evidence_gives_grams_within_belief_or_a_named_error(evidence: VisitEvidence) -> None:
    factors = DELIVERED_TODAY
    try:
        found = visit_emission(evidence, factors)
    except NothingKnown:
        assert evidence.vehicle_class is None
        return
    assert found.total_g == found.co2_g + found.ch4_g_co2e + found.n2o_g_co2e
    assert found.total_g > 0 or evidence.energy is EnergyClass.PLUG_IN_OR_FUEL_CELL
    assert found.total_g < 3_000_000
    assert visit_emission(evidence, factors) == found


@given(st.integers(10, 250_000))
def test_measured_grams_are_the_exact_product_rounded_once(millilitres: int) -> None:
    found = visit_emission(VisitEvidence(fuel=Fuel.DIESEL, fuel_used=Fraction(millilitres, 1000)), DELIVERED_TODAY)
    assert found.co2_g == (millilitres * 2718 + 500) // 1000
