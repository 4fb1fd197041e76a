"""Vehicles of people and organisations: owns what they are, and whose a plate is taken to be.

Anybody may write down any plate; it counts as theirs once the office has seen its licence, or has approved an
application of theirs for it. One account at a time has a plate confirmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

import asyncpg
import uuid_utils

from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.permits import access
from cloud_sync.server.permits.records import VehicleRecord
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit
from control.domain.plates import PlateColour, normalise
from control.domain.vehicles import VehicleType
from control.permits.application import Drive

VEHICLES_MAX = 200
_COLUMNS = ", ".join(VehicleRecord.__dataclass_fields__)
VehicleDrive = StrEnum("VehicleDrive", {**{one.name: one.value for one in Drive}, "ELECTRIC": "electric"})


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleForm:
    """What people say of a vehicle; `consumption_per_100km` is in litres, kilograms or m3 of its fuel."""

    plate: str
    plate_colour: PlateColour = PlateColour.UNKNOWN
    vehicle_type: VehicleType = VehicleType.UNKNOWN
    drive: str = Drive.PETROL.value
    emission_class: str = ""
    consumption_per_100km: Decimal | None = None
    name: str = ""


async def listed(db: Reader, owners: tuple[str, ...]) -> tuple[VehicleRecord, ...]:
    """The vehicles of these owners by plate."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM vehicles WHERE owner_id = ANY($1::text[]) AND removed_at IS NULL ORDER BY plate",
        list(owners),
    )
    return tuple(VehicleRecord(**row) for row in rows)


async def unconfirmed(db: Reader, *, limit: int = 200) -> tuple[VehicleRecord, ...]:
    """Vehicles that the office has not looked at yet, the oldest first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM vehicles WHERE removed_at IS NULL AND confirmed_at IS NULL"
        " ORDER BY created_at, vehicle_id LIMIT $1",
        limit,
    )
    return tuple(VehicleRecord(**row) for row in rows)


async def add(given: Services, user: CurrentUser, form: VehicleForm, *, remote: str = "") -> VehicleRecord:
    """A vehicle of this person or their organisation. Raises Problem."""
    if not user.role.is_public:
        raise Problem("forbidden")
    owner_id, plate, now = access.applicant_id_of(user), _plate(form.plate), given.clock()
    vehicle_id = str(uuid_utils.uuid7())
    async with given.change() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"vehicles/{owner_id}")
        count = await connection.fetchval(
            "SELECT count(*) FROM vehicles WHERE owner_id = $1 AND removed_at IS NULL", owner_id
        )
        if count >= VEHICLES_MAX:
            raise Problem("invalid", detail=f"at most {VEHICLES_MAX} vehicles")
        try:
            row = await connection.fetchrow(
                "INSERT INTO vehicles (vehicle_id, owner_id, plate, plate_colour, vehicle_type, drive, emission_class,"
                " consumption_per_100km, name, created_at, updated_at)"
                f" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) RETURNING {_COLUMNS}",
                *(vehicle_id, owner_id, plate, *_values(form), now),
            )
        except asyncpg.UniqueViolationError as error:
            raise Problem("vehicle_known") from error
        await _audit(connection, now, Actor.of(user, remote), "vehicle_added", vehicle_id)
    return VehicleRecord(**row)


async def change(
    given: Services, user: CurrentUser, vehicle_id: str, form: VehicleForm, *, remote: str = ""
) -> VehicleRecord:
    """Other words for the same vehicle; another drive or type is not what the office has confirmed.

    A plate is not changed: another plate is another vehicle. Raises Problem.
    """
    now = given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow(
            "UPDATE vehicles SET plate_colour = $3, vehicle_type = $4, drive = $5, emission_class = $6,"
            " consumption_per_100km = $7, name = $8, updated_at = $9,"
            " confirmed_at = CASE WHEN drive = $5 AND vehicle_type = $4 THEN confirmed_at END,"
            " confirmed_by = CASE WHEN drive = $5 AND vehicle_type = $4 THEN confirmed_by END WHERE vehicle_id = $1"
            f" AND owner_id = ANY($2::text[]) AND removed_at IS NULL RETURNING {_COLUMNS}",
            *(vehicle_id, list(access.owners_of(user)), *_values(form), now),
        )
        if row is None:
            raise Problem("not_found")
        await _audit(connection, now, Actor.of(user, remote), "vehicle_changed", vehicle_id)
    return VehicleRecord(**row)


async def remove(given: Services, user: CurrentUser, vehicle_id: str, *, remote: str = "") -> None:
    """Takes it off the list. Raises Problem `not_found`."""
    now = given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow(
            "UPDATE vehicles SET removed_at = $3 WHERE vehicle_id = $1 AND owner_id = ANY($2::text[])"
            " AND removed_at IS NULL RETURNING vehicle_id",
            vehicle_id,
            list(access.owners_of(user)),
            now,
        )
        if row is None:
            raise Problem("not_found")
        await _audit(connection, now, Actor.of(user, remote), "vehicle_removed", vehicle_id)


async def confirm(given: Services, user: CurrentUser, vehicle_id: str, *, confirmed: bool, remote: str = "") -> None:
    """The office has seen the licence, or takes its word back. Raises Problem."""
    access.office(user)
    now = given.clock()
    async with given.change() as connection:
        try:
            row = await connection.fetchrow(
                "UPDATE vehicles SET confirmed_at = $2, confirmed_by = $3 WHERE vehicle_id = $1"
                " AND removed_at IS NULL RETURNING vehicle_id",
                vehicle_id,
                now if confirmed else None,
                user.username if confirmed else None,
            )
        except asyncpg.UniqueViolationError as error:
            raise Problem("vehicle_is_anothers") from error
        if row is None:
            raise Problem("not_found")
        action = "vehicle_confirmed" if confirmed else "vehicle_unconfirmed"
        await _audit(connection, now, Actor.of(user, remote), action, vehicle_id)


async def confirm_by_approval(connection: Any, owner_id: str, plate: str, now: datetime) -> None:
    """Who was given a permit for a plate has shown its papers. Another account's confirmation stays."""
    await connection.execute(
        "UPDATE vehicles SET confirmed_at = $3, confirmed_by = 'approval' WHERE owner_id = $1 AND plate = $2"
        " AND removed_at IS NULL AND confirmed_at IS NULL AND NOT EXISTS (SELECT 1 FROM vehicles other"
        "   WHERE other.plate = $2 AND other.removed_at IS NULL AND other.confirmed_at IS NOT NULL)",
        owner_id,
        plate,
        now,
    )


async def owner_of(db: Reader, plate: str) -> str:
    """The account that has the plate confirmed; empty where nobody has."""
    found = await db.fetchval(
        "SELECT owner_id FROM vehicles WHERE plate = $1 AND removed_at IS NULL AND confirmed_at IS NOT NULL", plate
    )
    return found or ""


def _plate(text: str) -> str:
    plate = normalise(text)
    if not 4 <= len(plate) <= 10:
        raise Problem("plate_invalid")
    return plate


def _values(form: VehicleForm) -> tuple[Any, ...]:
    return (
        form.plate_colour.value,
        form.vehicle_type.value,
        VehicleDrive(form.drive).value,
        form.emission_class,
        form.consumption_per_100km,
        form.name.strip(),
    )


async def _audit(connection: Any, now: datetime, actor: Actor, action: str, vehicle_id: str) -> None:
    await write_audit(connection, at=now, actor=actor, action=action, subject=("vehicle", vehicle_id))
