"""Words of a visit's emission: owns what may be known of a visit, what was set aside and why, and the figure itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from control.carbon.exact import Number
from control.carbon.factor_keys import ElectricClass, EmissionClass, FactorFamily, Fuel, GwpSet
from control.domain.errors import IslandError
from control.domain.plates import EnergyClass
from control.domain.vehicles import VehicleType

# A camera's type says how much is burnt only roughly; of several classes that fit, the thirstier one is taken.
CLASS_OF_TYPE: dict[VehicleType, EmissionClass] = {
    VehicleType.CAR: EmissionClass.PETROL_CAR,
    VehicleType.MINIBUS: EmissionClass.LIGHT_VAN,
    VehicleType.BUS: EmissionClass.COACH,
    VehicleType.PICKUP: EmissionClass.LIGHT_TRUCK,
    VehicleType.TRUCK: EmissionClass.HEAVY_TRUCK,
    VehicleType.FIRE_ENGINE: EmissionClass.FIRE_ENGINE,
    VehicleType.AMBULANCE: EmissionClass.AMBULANCE,
    VehicleType.POLICE_CAR: EmissionClass.POLICE_CAR,
    VehicleType.CRANE: EmissionClass.CRANE,
    VehicleType.MACHINERY: EmissionClass.CRANE,
    VehicleType.SANITATION: EmissionClass.HEAVY_TRUCK,
    VehicleType.MOTORCYCLE: EmissionClass.MOTORCYCLE,
    VehicleType.TRICYCLE: EmissionClass.MOTORCYCLE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitEvidence:
    """What is known of one visit; None is unknown, never zero.

    `fuel_used` is in litres for petrol and diesel, kilograms for LNG and LPG, cubic metres for CNG, and
    `type_approval_per_100km` in the same unit. `route_km` runs from gate to gate. `idle_min` is the time standing with
    the engine on, `pto_min` the time in which it drove a pump or a crane, `stay_min` the time from entry to exit.
    """

    vehicle_class: EmissionClass | None = None
    energy: EnergyClass = EnergyClass.FUEL
    fuel: Fuel | None = None
    fuel_used: Number | None = None
    odometer_in_km: Number | None = None
    odometer_out_km: Number | None = None
    type_approval_per_100km: Number | None = None
    route_km: Number | None = None
    idle_min: Number | None = None
    pto_min: Number | None = None
    stay_min: Number | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectricEvidence:
    """What is known of an electric vehicle's visit. `charged_kwh` is measured at the socket, losses included."""

    vehicle_class: ElectricClass | None = None
    charged_kwh: Number | None = None
    route_km: Number | None = None


class Doubt(StrEnum):
    """Why a piece of evidence is not believed."""

    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    NOTHING_BURNT = "nothing_burnt"
    TOO_MUCH_FUEL = "too_much_fuel"
    TOO_MUCH_FOR_THE_STAY = "too_much_for_the_stay"
    TOO_LITTLE_FOR_THE_DISTANCE = "too_little_for_the_distance"
    ODOMETER_WENT_BACK = "odometer_went_back"
    DID_NOT_MOVE = "did_not_move"
    TOO_FAR = "too_far"
    TOO_FAST = "too_fast"
    SHORTER_THAN_THE_ROUTE = "shorter_than_the_route"
    UNLIKELY_CONSUMPTION = "unlikely_consumption"
    NO_TIME_INSIDE = "no_time_inside"
    ENGINE_RAN_TOO_LONG = "engine_ran_too_long"
    NO_MACHINE_IN_THIS_CLASS = "no_machine_in_this_class"


@dataclass(frozen=True, slots=True)
class SetAside:
    """One piece of evidence that was not believed: the field, the reason, and the row of the limit, if there is one."""

    evidence: str
    doubt: Doubt
    detail: str
    factor_id: str | None = None


@dataclass(frozen=True, slots=True)
class VisitEmission:
    """Greenhouse gas of one visit in whole grams CO2e, by the best evidence believed.

    Each gas is rounded half up once; `total_g` is their sum. `tier` is 1 (measured fuel), 2 (odometer), 3 (route) or
    4 (standard visit); `uncertainty_frac` is relative. `assumed` names evidence taken from the class's rows.
    `information`: an estimate to be shown and not to be posted (a plug-in hybrid of which nothing was measured).
    `fuel_amount` is rounded to 0.001 for reading; the grams come from the exact amount.
    """

    day: date
    co2_g: int
    ch4_g_co2e: int
    n2o_g_co2e: int
    fuel: Fuel
    fuel_amount: Decimal
    fuel_unit: str
    tier: int
    uncertainty_frac: Decimal
    family: FactorFamily
    gwp_set: GwpSet
    factor_version: str
    factor_ids: tuple[str, ...]
    set_aside: tuple[SetAside, ...]
    assumed: tuple[str, ...]
    information: bool

    @property
    def total_g(self) -> int:
        """What is posted."""
        return self.co2_g + self.ch4_g_co2e + self.n2o_g_co2e

    @property
    def litres(self) -> Decimal | None:
        """The fuel in litres, or None for a fuel that is not sold by the litre."""
        return self.fuel_amount if self.fuel_unit == "L" else None


@dataclass(frozen=True, slots=True)
class ElectricInformation:
    """Grid CO2 of an electric visit, for information: no permit asks for it and nothing is posted."""

    day: date
    kwh: Decimal
    co2_g: int
    basis: str
    factor_version: str
    factor_ids: tuple[str, ...]
    set_aside: tuple[SetAside, ...]


class NothingKnown(IslandError):
    """No tier has evidence that is believed; the emission is unknown and not zero."""

    def __init__(self, set_aside: tuple[SetAside, ...]) -> None:
        doubted = (
            "; ".join(f"{one.evidence}: {one.doubt}" for one in set_aside)
            or "neither fuel and its amount nor the vehicle's class"
        )
        super().__init__(f"The visit's emission is unknown ({doubted}). Enter the vehicle's class or the fuel used.")
        self.set_aside = set_aside


class NoFuelBurnt(IslandError):
    """The vehicle has no engine; its grid electricity is information, see `electric_information`."""
