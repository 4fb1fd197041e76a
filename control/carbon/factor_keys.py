"""Names of the dated factors: owns which keys there are, in which unit, and which values are believed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import product


class Fuel(StrEnum):
    """What is burnt. Petrol and diesel come in litres, LNG and LPG in kilograms, CNG in standard cubic metres."""

    PETROL = "petrol"
    DIESEL = "diesel"
    LNG = "lng"
    CNG = "cng"
    LPG = "lpg"


class FactorFamily(StrEnum):
    """Whose CO2 factors: JS/T 303-2026 of public institutions, or the enterprise guides of GB/T 32151."""

    JST303 = "jst303"
    GBT32151 = "gbt32151"


class GwpSet(StrEnum):
    """Which assessment report's global warming potentials over 100 years."""

    AR5 = "ar5"
    SAR = "sar"


class EmissionClass(StrEnum):
    """Vehicles that burn about as much: one row of default consumption each."""

    PETROL_CAR = "petrol_car"
    LIGHT_VAN = "light_van"
    AMBULANCE = "ambulance"
    POLICE_CAR = "police_car"
    LIGHT_TRUCK = "light_truck"
    MEDIUM_TRUCK = "medium_truck"
    HEAVY_TRUCK = "heavy_truck"
    CRANE = "crane"
    FIRE_ENGINE = "fire_engine"
    COACH = "coach"
    GENERATOR_TRUCK = "generator_truck"
    MOTORCYCLE = "motorcycle"


class ElectricClass(StrEnum):
    """Electric vehicles that use about as much."""

    SMALL_CAR = "small_car"
    CAR = "car"
    SUV = "suv"
    VAN = "van"
    LIGHT_TRUCK = "light_truck"
    SHUTTLE_8M = "shuttle_8m"
    BUS_12M = "bus_12m"
    SIGHTSEEING_CART = "sightseeing_cart"
    MOTORCYCLE = "motorcycle"
    BICYCLE = "bicycle"


class GridArea(StrEnum):
    """Whose average emission a kilowatt-hour of the grid carries."""

    HAINAN = "hainan"
    SOUTHERN = "southern"
    NATIONAL = "national"


class EventSource(StrEnum):
    """What an event's account counts: travel in passenger-kilometres, nights in a room, meals, kilowatt-hours."""

    PLANE = "plane"
    RAIL = "rail"
    COACH = "coach"
    CAR = "car"
    ELECTRIC_CAR = "electric_car"
    SHIP = "ship"
    ROOM = "room"
    MEAL = "meal"
    VEGETARIAN_MEAL = "vegetarian_meal"
    ELECTRICITY = "electricity"


TIERS = (1, 2, 3, 4)
AMOUNT_UNIT: Mapping[Fuel, str] = {
    Fuel.PETROL: "L",
    Fuel.DIESEL: "L",
    Fuel.LNG: "kg",
    Fuel.CNG: "m3",
    Fuel.LPG: "kg",
}
EVENT_UNIT: Mapping[EventSource, str] = {
    EventSource.PLANE: "pkm",
    EventSource.RAIL: "pkm",
    EventSource.COACH: "pkm",
    EventSource.CAR: "pkm",
    EventSource.ELECTRIC_CAR: "pkm",
    EventSource.SHIP: "pkm",
    EventSource.ROOM: "night",
    EventSource.MEAL: "meal",
    EventSource.VEGETARIAN_MEAL: "meal",
    EventSource.ELECTRICITY: "kWh",
}
WITH_MACHINE = frozenset(
    {EmissionClass.LIGHT_TRUCK, EmissionClass.MEDIUM_TRUCK, EmissionClass.HEAVY_TRUCK, EmissionClass.CRANE}
    | {EmissionClass.FIRE_ENGINE, EmissionClass.GENERATOR_TRUCK}
)

GWP_SET = "gwp.set"
GRID_AREA = "grid.area"
TIER_4_MARGIN = "tier.4.margin"
CHARGING_LOSS = "ev.charging_loss"
OFFSET_DUE = "offset.due"
EVIDENCE_TERM = "evidence.term"
AMOUNT_PER_H_MAX = "limit.litres_per_h"
AMOUNT_MIN = "limit.litres_least"
AMOUNT_MAX = "limit.litres"
CONSUMPTION_MIN = "limit.litres_per_100km_least"
CONSUMPTION_MAX = "limit.litres_per_100km"
SPEED_MAX = "limit.speed"
DISTANCE_MIN = "limit.distance_least"
DISTANCE_MAX = "limit.distance"
ENGINE_TIME_MAX = "limit.engine_time"
SHARE_OF_DEFAULT_MIN = "limit.share_of_default"


def family_key(fuel: Fuel) -> str:
    """Which family's CO2 factor holds for a fuel."""
    return f"fuel.{fuel}.family"


def co2_key(fuel: Fuel, family: FactorFamily) -> str:
    """CO2 of burning one litre, kilogram or cubic metre."""
    return f"fuel.{fuel}.co2.{family}"


def ch4_key(fuel: Fuel) -> str:
    """CH4 of burning one litre, kilogram or cubic metre."""
    return f"fuel.{fuel}.ch4"


def n2o_key(fuel: Fuel) -> str:
    """N2O of burning one litre, kilogram or cubic metre."""
    return f"fuel.{fuel}.n2o"


def equivalent_key(fuel: Fuel) -> str:
    """How much gas holds the energy of one litre of a class's default consumption."""
    return f"fuel.{fuel}.per_litre"


def gwp_key(gwp: GwpSet, gas: str) -> str:
    """Global warming potential of `ch4` or `n2o`."""
    return f"gwp.{gwp}.{gas}"


def consumption_key(kind: EmissionClass) -> str:
    """Default consumption while driving."""
    return f"class.{kind}.driving"


def idle_key(kind: EmissionClass) -> str:
    """Default consumption while standing with the engine on."""
    return f"class.{kind}.idle"


def pto_key(kind: EmissionClass) -> str:
    """Default consumption while the engine drives a pump, a crane, a generator."""
    return f"class.{kind}.pto"


def class_fuel_key(kind: EmissionClass) -> str:
    """The fuel of a class where nobody said which."""
    return f"class.{kind}.fuel"


def standard_key(kind: EmissionClass, what: str) -> str:
    """A standard visit's `distance`, `idle_time` or `pto_time`."""
    return f"class.{kind}.visit_{what}"


def uncertainty_key(tier: int) -> str:
    """How far a figure of this tier may be off."""
    return f"tier.{tier}.uncertainty"


def grid_key(area: GridArea) -> str:
    """CO2 of a kilowatt-hour of the grid."""
    return f"grid.{area}.co2"


def electric_key(kind: ElectricClass) -> str:
    """Default energy of an electric vehicle, at the battery."""
    return f"ev.{kind}.driving"


def event_key(source: EventSource) -> str:
    """Emission of one passenger-kilometre, night or meal of an event. Its electricity has the grid's factor."""
    return f"event.{source}.emission"


def event_uncertainty_key(*, measured: bool) -> str:
    """How far a line of an event may be off: counted and metered, or declared."""
    return f"event.uncertainty.{'measured' if measured else 'declared'}"


@dataclass(frozen=True, slots=True)
class KeySpec:
    """What a key's value may be: a number from `least` to `most` in `unit`, or one of `choices` (unit `choice`)."""

    unit: str
    least: Fraction = Fraction(0)
    most: Fraction = Fraction(0)
    choices: tuple[str, ...] = ()
    required: bool = True


CHOICE = "choice"


def _span(unit: str, least: str, most: str, *, required: bool = True) -> KeySpec:
    return KeySpec(unit, Fraction(least), Fraction(most), required=required)


def _fuels() -> Iterator[tuple[str, KeySpec]]:
    for fuel in Fuel:
        unit = AMOUNT_UNIT[fuel]
        yield family_key(fuel), KeySpec(CHOICE, choices=tuple(FactorFamily))
        yield ch4_key(fuel), _span(f"mg/{unit}", "0", "50000")
        yield n2o_key(fuel), _span(f"mg/{unit}", "0", "50000")
        if unit != "L":
            yield equivalent_key(fuel), _span(f"{unit}/L", "0.1", "5")
        for family in FactorFamily:
            # No family has to know every fuel; `family_key` says whose factor holds.
            yield co2_key(fuel, family), _span(f"kg/{unit}", "0.5", "10", required=False)


def _classes() -> Iterator[tuple[str, KeySpec]]:
    for kind in EmissionClass:
        yield consumption_key(kind), _span("L/100km", "0.1", "200")
        yield idle_key(kind), _span("L/h", "0.01", "200")
        yield class_fuel_key(kind), KeySpec(CHOICE, choices=tuple(Fuel))
        yield standard_key(kind, "distance"), _span("km", "0.1", "500")
        yield standard_key(kind, "idle_time"), _span("min", "0", "1440")
        if kind in WITH_MACHINE:
            yield pto_key(kind), _span("L/h", "0.01", "500")
            yield standard_key(kind, "pto_time"), _span("min", "0", "1440")


def _events() -> Iterator[tuple[str, KeySpec]]:
    for source in EventSource:
        if source is not EventSource.ELECTRICITY:
            yield event_key(source), _span(f"kg/{EVENT_UNIT[source]}", "0", "500")
    for measured in (True, False):
        yield event_uncertainty_key(measured=measured), _span("1", "0", "1")


def _others() -> Iterator[tuple[str, KeySpec]]:
    yield GWP_SET, KeySpec(CHOICE, choices=tuple(GwpSet))
    for gwp, gas in product(GwpSet, ("ch4", "n2o")):
        yield gwp_key(gwp, gas), _span("1", "1", "1000")
    for tier in TIERS:
        yield uncertainty_key(tier), _span("1", "0", "1")
    yield TIER_4_MARGIN, _span("1", "1", "2")
    yield GRID_AREA, KeySpec(CHOICE, choices=tuple(GridArea))
    for area in GridArea:
        yield grid_key(area), _span("kg/kWh", "0", "2")
    for electric in ElectricClass:
        yield electric_key(electric), _span("kWh/100km", "0.1", "500")
    yield CHARGING_LOSS, _span("1", "0", "1")
    yield OFFSET_DUE, _span("d", "1", "3660")
    yield EVIDENCE_TERM, _span("d", "0", "3660")
    yield AMOUNT_PER_H_MAX, _span("L/h", "1", "1000")
    yield AMOUNT_MIN, _span("L", "0.001", "1")
    yield AMOUNT_MAX, _span("L", "1", "5000")
    yield CONSUMPTION_MIN, _span("L/100km", "0.1", "10")
    yield CONSUMPTION_MAX, _span("L/100km", "1", "1000")
    yield SPEED_MAX, _span("km/h", "10", "300")
    yield DISTANCE_MIN, _span("km", "0.01", "10")
    yield DISTANCE_MAX, _span("km", "1", "5000")
    yield ENGINE_TIME_MAX, _span("h", "1", "240")
    yield SHARE_OF_DEFAULT_MIN, _span("1", "0", "1")


KEYS: Mapping[str, KeySpec] = dict([*_fuels(), *_classes(), *_events(), *_others()])
UNITS = frozenset(spec.unit for spec in KEYS.values())
