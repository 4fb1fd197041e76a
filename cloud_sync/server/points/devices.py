"""Devices that show codes: owns how they are put up, keyed anew, stopped and read.

A device's key is derived and never stored; it is told once, as a file and a QR for the device.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import uuid_utils

from cloud_sync.server import rule_books
from cloud_sync.server.points.desk_records import DeviceRecord, DeviceSecret
from cloud_sync.server.points.parts import device_master, qr_svg, rules_now, text_of
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit
from control.points import rules as keys
from control.points.crockford import encode
from control.points.rotating_code import EPOCH, SLOT_MAX, STEP_S, ClockModel, Device, device_key

# As long as a device that is keyed anew may still show codes of its old key.
OVERLAP = timedelta(days=1)


class Shows(StrEnum):
    """What the code of a slot stands for."""

    ACT = "act"
    START = "start"
    END = "end"
    EITHER = "either"
    CHARGER = "charger"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceWish:
    """A device to put up. `keys` and `directions` go by slot; `makes_acts`: a machine whose code is one act's."""

    name: str
    place: str
    keys: tuple[str, ...]
    directions: tuple[Shows, ...]
    makes_acts: bool = False
    merchant: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """A device with what its slots stand for."""

    device: Device
    directions: tuple[Shows, ...]


@dataclass(frozen=True, slots=True)
class OneDevice:
    """What `rotating_code.verify` looks up. Whether a code was used, the store's unique key says in the end."""

    found: Device | None = field(default=None)

    def device(self, number: int) -> Device | None:
        """The device, which was looked up by its number."""
        return self.found if self.found is not None and self.found.number == number else None

    def used(self, use_key: str) -> bool:
        """Not known yet: the row that keeps the use is unique."""
        return False


async def board_of(given: Services, db: Reader, number: int | None, at: datetime) -> Board | None:
    """The device of a number, with its present key and the one before while that still holds."""
    if number is None:
        return None
    row = await db.fetchrow("SELECT * FROM point_devices WHERE number = $1", number)
    if row is None:
        return None
    master, generation = device_master(given), row["generation"]
    secrets = [device_key(master, row["device_id"], generation)]
    if row["previous_until"] is not None and at < row["previous_until"]:
        secrets.append(device_key(master, row["device_id"], generation - 1))
    device = Device(
        device_id=row["device_id"],
        number=row["number"],
        secrets=tuple(secrets),
        keys=tuple(row["keys"]),
        clock=ClockModel(row["clock_offset_s"], row["clock_learnt_at"]),
        place=row["place"],
        merchant_id=row["merchant"],
        makes_acts=row["makes_acts"],
        active=row["active"],
    )
    return Board(device, tuple(Shows(one) for one in row["directions"]))


async def learn_clock(connection: Any, device: Device, clock: ClockModel, now: datetime) -> None:
    """Writes back what a scan taught of the clock; what another scan taught later stays."""
    if clock != device.clock:
        await connection.execute(
            "UPDATE point_devices SET clock_offset_s = $2, clock_learnt_at = $3, last_seen_at = $4"
            " WHERE device_id = $1 AND clock_learnt_at < $3",
            *(device.device_id, clock.offset_s, clock.learnt_at, now),
        )


# ---------------------------------------------------------------- putting up and taking down


async def add_device(given: Services, actor: Actor, wish: DeviceWish) -> DeviceSecret:
    """A new device; its secret is told this once. Raises Problem."""
    name, place = text_of(wish.name), text_of(wish.place)
    await _check(given, wish)
    now, device_id = given.clock(), str(uuid_utils.uuid7())
    async with given.change() as connection:
        if wish.merchant and not await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM organisations WHERE org_id = $1)", wish.merchant
        ):
            raise Problem("invalid", detail="merchant must be the id of an organisation")
        number = await connection.fetchval(
            "INSERT INTO point_devices (device_id, number, name, place, merchant, keys, directions, makes_acts,"
            " clock_learnt_at, created_at, created_by)"
            " VALUES ($1, nextval('point_device_numbers'), $2, $3, $4, $5, $6, $7, $8, $8, $9) RETURNING number",
            *(device_id, name, place, wish.merchant, list(wish.keys), [one.value for one in wish.directions]),
            *(wish.makes_acts, now, actor.username),
        )
        after = {"name": name, "place": place, "keys": wish.keys, "directions": wish.directions, "number": number}
        await write_audit(
            connection, at=now, actor=actor, action="device_added", subject=("point_device", device_id), after=after
        )
        row = await connection.fetchrow("SELECT * FROM point_devices WHERE device_id = $1", device_id)
    return _secret(given, row)


async def _check(given: Services, wish: DeviceWish) -> None:
    if not 0 < len(wish.keys) == len(wish.directions) <= SLOT_MAX + 1:
        raise Problem("invalid", detail=f"keys and directions need one entry a slot, at most {SLOT_MAX + 1}")
    known = {row.key for row in (await rule_books.methodologies(given.pool)).rows}
    unknown = set(wish.keys) - known
    if unknown:
        raise Problem("invalid", detail=f"there is no methodology {min(unknown)}")
    if wish.makes_acts and set(wish.directions) != {Shows.ACT}:
        raise Problem("invalid", detail="a machine that makes acts shows acts only")


async def rotate_device(given: Services, actor: Actor, device_id: str, *, lost: bool, why: str) -> DeviceSecret:
    """A new key. The old one holds for another day, or ends now where the device was lost. Raises Problem."""
    reason, now = text_of(why), given.clock()
    until = None if lost else now + OVERLAP
    async with given.change() as connection:
        row = await connection.fetchrow(
            "UPDATE point_devices SET generation = generation + 1, previous_until = $2, clock_offset_s = 0,"
            " clock_learnt_at = $3 WHERE device_id = $1 RETURNING *",
            *(device_id, until, now),
        )
        await _audit(connection, row, actor, "device_rotated", {"generation": row and row["generation"]}, reason, now)
    return _secret(given, row)


async def set_active(given: Services, actor: Actor, device_id: str, active: bool, *, why: str) -> None:
    """Takes a device out of use, or into it again. Raises Problem."""
    reason, now = text_of(why), given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow(
            "UPDATE point_devices SET active = $2 WHERE device_id = $1 RETURNING *", device_id, active
        )
        await _audit(connection, row, actor, "device_switched", {"active": active}, reason, now)


async def set_clock(given: Services, actor: Actor, device_id: str) -> None:
    """An engineer set the device's clock right: it is learnt anew from zero. Raises Problem."""
    now = given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow(
            "UPDATE point_devices SET clock_offset_s = 0, clock_learnt_at = $2 WHERE device_id = $1 RETURNING *",
            *(device_id, now),
        )
        await _audit(connection, row, actor, "device_clock_set", {}, "", now)


async def _audit(
    connection: Any, row: Any, actor: Actor, action: str, after: dict[str, Any], why: str, now: datetime
) -> None:
    if row is None:
        raise Problem("not_found")
    subject = ("point_device", row["device_id"])
    await write_audit(connection, at=now, actor=actor, action=action, subject=subject, after=after, why=why)


def _secret(given: Services, row: Any) -> DeviceSecret:
    content = {
        "kind": "island-code-device",
        "version": 1,
        "device_id": row["device_id"],
        "number": row["number"],
        "generation": row["generation"],
        "secret_hex": device_key(device_master(given), row["device_id"], row["generation"]).hex(),
        "keys": list(row["keys"]),
        "directions": list(row["directions"]),
        "makes_acts": row["makes_acts"],
        "epoch": EPOCH.isoformat(),
        "step_s": STEP_S,
    }
    text = json.dumps(content, separators=(",", ":"))
    file_name = f"island-device-{row['number']}-{row['generation']}.json"
    return DeviceSecret(row["device_id"], row["number"], row["generation"], file_name, text, qr_svg(text))


# ---------------------------------------------------------------- reading


async def devices(given: Services) -> tuple[DeviceRecord, ...]:
    """Every device, with its scans of the last day."""
    now = given.clock()
    drift_max_s = (await rules_now(given, given.pool)).value(keys.CODE_DRIFT_MAX)
    rows = await given.pool.fetch(
        "SELECT d.*, coalesce(s.scans, 0) AS scans, coalesce(s.refused, 0) AS refused, s.seen FROM point_devices d"
        " LEFT JOIN (SELECT device_id, count(*) AS scans, count(*) FILTER (WHERE reason <> '') AS refused,"
        "   max(received_at) AS seen FROM point_scans WHERE received_at > $1 GROUP BY device_id) s USING (device_id)"
        " ORDER BY d.number",
        now - timedelta(days=1),
    )
    return tuple(_record(row, drift_max_s) for row in rows)


def _record(row: Any, drift_max_s: int) -> DeviceRecord:
    return DeviceRecord(
        device_id=row["device_id"],
        number=row["number"],
        typed_number=encode(row["number"], 4),
        name=row["name"],
        place=row["place"],
        merchant=row["merchant"],
        keys=tuple(row["keys"]),
        directions=tuple(row["directions"]),
        makes_acts=row["makes_acts"],
        generation=row["generation"],
        active=row["active"],
        clock_offset_s=row["clock_offset_s"],
        clock_learnt_at=row["clock_learnt_at"],
        clock_doubt=abs(row["clock_offset_s"]) > drift_max_s,
        last_seen_at=row["seen"] or row["last_seen_at"],
        scans_day=row["scans"],
        refused_day=row["refused"],
        created_at=row["created_at"],
    )
