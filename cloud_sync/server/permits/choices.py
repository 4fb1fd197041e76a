"""What a form may hold today: owns the lists that an applicant chooses from, their names, and the limits beside them.

Gates are those that exist; limits are the rules of the day. A form is still checked when it is handed in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from cloud_sync.server import rule_books
from cloud_sync.server.permits import storing
from cloud_sync.server.permits.records import Words
from cloud_sync.server.services import Services
from control.carbon import factor_keys
from control.carbon.visit_types import EmissionClass
from control.domain.exact import to_decimal
from control.domain.permits import PermitClass
from control.domain.vehicles import VehicleType
from control.permits import rules as keys
from control.permits import words
from control.permits.rules import PermitRules

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
GATES: Mapping[str, tuple[str, str]] = {
    "east": ("东门", "East gate"),
    "north": ("北门", "North gate"),
    "south": ("南门", "South gate"),
    "west": ("西门", "West gate"),
}
CLASSES: Mapping[PermitClass, tuple[str, str]] = {
    PermitClass.SPECIAL: ("特种车辆", "Special vehicle"),
    PermitClass.STANDING: ("长期许可", "Standing permit"),
    PermitClass.EMERGENCY: ("应急许可", "Emergency permit"),
}
VEHICLES: Mapping[VehicleType, tuple[str, str]] = {
    VehicleType.CAR: ("小客车", "Car"),
    VehicleType.MINIBUS: ("面包车", "Minibus"),
    VehicleType.BUS: ("客车", "Bus"),
    VehicleType.PICKUP: ("皮卡", "Pickup"),
    VehicleType.TRUCK: ("货车", "Truck"),
    VehicleType.FIRE_ENGINE: ("消防车", "Fire engine"),
    VehicleType.AMBULANCE: ("救护车", "Ambulance"),
    VehicleType.POLICE_CAR: ("警用车", "Police car"),
    VehicleType.CRANE: ("汽车起重机", "Mobile crane"),
    VehicleType.MACHINERY: ("工程机械", "Machinery"),
    VehicleType.SANITATION: ("环卫车", "Sanitation vehicle"),
    VehicleType.GOLF_CART: ("高尔夫球车", "Golf cart"),
    VehicleType.MOTORCYCLE: ("摩托车", "Motorcycle"),
    VehicleType.TRICYCLE: ("三轮车", "Tricycle"),
}
EMISSIONS: Mapping[EmissionClass, tuple[str, str]] = {
    EmissionClass.PETROL_CAR: ("汽油小客车", "Petrol car"),
    EmissionClass.LIGHT_VAN: ("轻型客货车", "Light van"),
    EmissionClass.AMBULANCE: ("救护车", "Ambulance"),
    EmissionClass.POLICE_CAR: ("警用车", "Police car"),
    EmissionClass.LIGHT_TRUCK: ("轻型货车", "Light truck"),
    EmissionClass.MEDIUM_TRUCK: ("中型货车", "Medium truck"),
    EmissionClass.HEAVY_TRUCK: ("重型货车", "Heavy truck"),
    EmissionClass.CRANE: ("汽车起重机", "Mobile crane"),
    EmissionClass.FIRE_ENGINE: ("消防车", "Fire engine"),
    EmissionClass.COACH: ("大客车", "Coach"),
    EmissionClass.GENERATOR_TRUCK: ("发电车", "Generator truck"),
    EmissionClass.MOTORCYCLE: ("摩托车", "Motorcycle"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be chosen."""

    code: str
    words: Words


@dataclass(frozen=True, slots=True)
class ClassChoice:
    """A class of permits: the papers that it needs, its longest window, and how early it is asked for."""

    code: str
    words: Words
    papers: tuple[str, ...]
    window_days_max: Decimal
    ahead_hours_least: Decimal


@dataclass(frozen=True, slots=True)
class EmissionChoice:
    """A class of emission factors; its usual consumption is in L, kg or m3 per 100 km."""

    code: str
    words: Words
    usual_per_100km: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """Everything that the form of a permit offers."""

    gates: tuple[Choice, ...]
    permit_classes: tuple[ClassChoice, ...]
    purposes: tuple[Choice, ...]
    vehicle_types: tuple[Choice, ...]
    drives: tuple[Choice, ...]
    emission_classes: tuple[EmissionChoice, ...]
    entry_kinds: tuple[Choice, ...]
    paper_kinds: tuple[Choice, ...]
    ahead_days_max: Decimal
    entries_max: int
    papers_max: int
    paper_bytes_max: int
    picture_side_least_px: int
    appeal_papers_max: int


async def choices(given: Services) -> Choices:
    """The lists and limits of today."""
    today = given.clock().astimezone(given.config.zone).date()
    rows = await given.pool.fetch("SELECT DISTINCT gate_id FROM lanes ORDER BY gate_id")
    rules = (await storing.book(given.pool)).rows.at(today)
    factors = (await rule_books.factors(given.pool)).at(today)
    emissions = tuple(
        EmissionChoice(
            one.value, Words(*EMISSIONS[one]), to_decimal(factors.number(factor_keys.consumption_key(one)), 2)
        )
        for one in EmissionClass
    )
    return Choices(
        gates=tuple(_choice(row["gate_id"], GATES) for row in rows),
        permit_classes=tuple(_class(one, rules) for one in CLASSES),
        purposes=_listed(words.PURPOSES),
        vehicle_types=_listed(VEHICLES),
        drives=_listed(words.DRIVES),
        emission_classes=emissions,
        entry_kinds=_listed(words.ENTRY_KINDS),
        paper_kinds=_listed(words.PAPER_KINDS),
        ahead_days_max=_in(rules.term(keys.APPLY_AHEAD_MAX), _DAY),
        entries_max=rules.count(keys.ENTRIES_MAX),
        papers_max=rules.count(keys.DOCUMENT_COUNT_MAX),
        paper_bytes_max=rules.count(keys.DOCUMENT_BYTES_MAX),
        picture_side_least_px=rules.count(keys.PICTURE_SIDE_LEAST),
        appeal_papers_max=rules.count(keys.APPEAL_EVIDENCE_MAX),
    )


def _choice(code: str, named: Mapping[Any, tuple[str, str]]) -> Choice:
    """A gate that nobody named is called by its id."""
    return Choice(str(code), Words(*named.get(code, (code, code))))


def _listed(named: Mapping[Any, tuple[str, str]]) -> tuple[Choice, ...]:
    return tuple(_choice(code, named) for code in named)


def _class(permit_class: PermitClass, rules: PermitRules) -> ClassChoice:
    return ClassChoice(
        permit_class.value,
        Words(*CLASSES[permit_class]),
        rules.names(keys.papers_key(permit_class)),
        _in(rules.term(keys.window_key(permit_class)), _DAY),
        _in(rules.term(keys.ahead_key(permit_class)), _HOUR),
    )


def _in(term: timedelta, unit: timedelta) -> Decimal:
    return Decimal(str(term / unit))
