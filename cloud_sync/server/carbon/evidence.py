"""Evidence of a visit: owns what may be declared, joining it with permit and gate, and how it is kept.

What the office declared holds before what the applicant declared; of each the newest. What a figure was computed from
is kept as text beside it, without plate or name, so that it can be computed again for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from cloud_sync.server.sql import as_json
from control.carbon.factor_keys import EmissionClass, Fuel
from control.carbon.visit_types import CLASS_OF_TYPE, VisitEvidence
from control.domain.plates import EnergyClass
from control.domain.vehicles import VehicleType
from control.permits.application import Drive

# What people may declare of a visit, with the type of the value.
FIGURES = (
    *("fuel_used", "odometer_in_km", "odometer_out_km", "type_approval_per_100km"),
    *("route_km", "idle_min", "pto_min"),
)
CHOICES: Mapping[str, type[StrEnum]] = {"fuel": Fuel, "vehicle_class": EmissionClass}
_ENUMS: Mapping[str, type[StrEnum]] = {**CHOICES, "energy": EnergyClass}
_FUEL_OF = {
    Drive.PETROL: Fuel.PETROL,
    Drive.DIESEL: Fuel.DIESEL,
    Drive.LNG: Fuel.LNG,
    Drive.CNG: Fuel.CNG,
    Drive.LPG: Fuel.LPG,
}
_MINUTE_PLACES = Decimal("0.001")


@dataclass(frozen=True, slots=True)
class Declaration:
    """What one person declared at once: by field, the text of the value or None where it is withdrawn."""

    by_office: bool
    told: Mapping[str, str | None]


def merged(declarations: Iterable[Declaration]) -> dict[str, str]:
    """What holds of several declarations, the oldest first, field by field.

    A value of the office holds against any of the applicant's, also a newer one. Applicants withdraw only what they
    declared themselves; the office withdraws both.
    """
    office: dict[str, str] = {}
    applicant: dict[str, str] = {}
    for one in declarations:
        for name, value in one.told.items():
            if value is not None:
                (office if one.by_office else applicant)[name] = value
                continue
            applicant.pop(name, None)
            if one.by_office:
                office.pop(name, None)
    return applicant | office


def of_form(form: Mapping[str, Any]) -> dict[str, str]:
    """What the application of the permit says: class, fuel, drive, type approval."""
    told: dict[str, str] = {}
    kind = form.get("emission_class") or CLASS_OF_TYPE.get(_vehicle_type(form.get("vehicle_type")))
    if kind in set(EmissionClass):
        told["vehicle_class"] = str(kind)
    drive = form.get("drive")
    if drive in set(Drive):
        if drive == Drive.PLUG_IN:
            told["energy"] = EnergyClass.PLUG_IN_OR_FUEL_CELL.value
        else:
            told["fuel"] = _FUEL_OF[Drive(str(drive))].value
    if form.get("consumption_per_100km") is not None:
        told["type_approval_per_100km"] = str(form["consumption_per_100km"])
    return told


def of_visit(visit: Mapping[str, Any]) -> dict[str, str]:
    """What the gates saw: the type of the vehicle, and the stay where both ends are known."""
    told: dict[str, str] = {}
    kind = CLASS_OF_TYPE.get(_vehicle_type(visit["vehicle_type"]))
    if kind is not None:
        told["vehicle_class"] = kind.value
    entered, left = visit["entered_at"], visit["left_at"]
    if visit["state"] == "complete" and entered is not None and left is not None and left > entered:
        told["stay_min"] = str((Decimal((left - entered).total_seconds()) / 60).quantize(_MINUTE_PLACES))
    return told


def told_of(visit: Mapping[str, Any], form: Mapping[str, Any], declared: Mapping[str, str]) -> dict[str, str]:
    """Everything that is known of a visit, as text: what was declared before the form, the form before the camera."""
    return of_visit(visit) | of_form(form) | dict(declared)


def told_again(visit: Mapping[str, Any], kept: Mapping[str, str], declared: Mapping[str, str]) -> dict[str, str]:
    """The same when the form is gone: what was kept beside the last figure, the newest stay, what was declared."""
    return dict(kept) | {name: text for name, text in of_visit(visit).items() if name == "stay_min"} | dict(declared)


def parsed(told: Mapping[str, str]) -> VisitEvidence:
    """The evidence that the ladder reads. Raises ValueError for a choice of nobody's."""
    values: dict[str, Any] = {}
    for field in fields(VisitEvidence):
        if field.name not in told:
            continue
        text = told[field.name]
        values[field.name] = _ENUMS[field.name](text) if field.name in _ENUMS else _number(text)
    return VisitEvidence(**values)


def _number(text: str) -> Decimal | str:
    """A text that is no number goes on as it is: the ladder sets it aside with a name."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _vehicle_type(text: Any) -> VehicleType:
    return VehicleType(text) if text in set(VehicleType) else VehicleType.UNKNOWN


async def declarations(db: Any, visit_ids: list[str]) -> dict[str, list[Any]]:
    """Every declaration of these visits, the oldest first."""
    rows = await db.fetch(
        "SELECT * FROM visit_evidence WHERE visit_id = ANY($1::text[]) ORDER BY visit_id, evidence_id", visit_ids
    )
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row["visit_id"], []).append(row)
    return found


def declaration_of(row: Any) -> Declaration:
    """A row of `visit_evidence`."""
    return Declaration(row["by_role"] == "office", as_json(row["declared"]))


async def forms(db: Any, application_ids: list[str]) -> dict[str, Mapping[str, Any]]:
    """The forms of these applications; one that was made anonymous says nothing any more and is left out."""
    rows = await db.fetch(
        "SELECT application_id, form FROM applications WHERE application_id = ANY($1::text[]) AND redacted_at IS NULL",
        application_ids,
    )
    return {row["application_id"]: as_json(row["form"]) for row in rows}


def exit_of(visit: Mapping[str, Any]) -> datetime | None:
    """When a visit ended: its exit, or its entry where nobody saw it leave."""
    found: datetime | None = visit["left_at"] or visit["entered_at"]
    return found
