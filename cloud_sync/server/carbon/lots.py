"""Lots of credits: owns buying them, taking a wrong purchase back, and which of their units are still there.

A serial number of a registry stands once, by the rule of `control.carbon.offsets` and by a constraint of the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Any

import asyncpg
import uuid_utils

from cloud_sync.proofs.carbon_rows import LOTS, lot_of
from cloud_sync.server.carbon import book
from cloud_sync.server.carbon.records import LotRow
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, write_audit
from control.carbon.offsets import CreditLot, OffsetError, Units, check_lots, free_units
from control.carbon.postings import Stamp, credits_bought, reversal_of


async def buy(
    given: Services,
    actor: Actor,
    *,
    registry: str,
    project: str,
    vintage: int,
    serial_prefix: str,
    first_serial: int,
    last_serial: int,
    bought_on: date,
    evidence: str,
    why: str = "",
) -> str:
    """Takes a purchase into the book; the lot's id. Raises Problem: serials taken, a lot without units or evidence."""
    now = given.clock()
    lot = CreditLot(
        lot_id=f"LOT-{uuid_utils.uuid7()!s}",
        registry=registry.strip(),
        project=project.strip(),
        vintage=vintage,
        serial_prefix=serial_prefix.strip(),
        first_serial=first_serial,
        last_serial=last_serial,
        bought_on=bought_on,
        evidence=evidence.strip(),
    )
    try:
        check_lots((lot,))
    except OffsetError as error:
        raise Problem("invalid", detail=str(error)) from error
    async with given.change() as connection:
        await book.lock(connection)
        await _store(connection, lot, actor, now)
        reason = why.strip() or f"{lot.registry}, {lot.project}"
        stamp = Stamp(entry_id=f"bought:{lot.lot_id}", at=now, author=actor.username, reason=reason)
        await book.post(connection, credits_bought(stamp, lot))
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="credits_bought",
            subject=("lot", lot.lot_id),
            after=asdict(lot),
            why=why,
        )
    return lot.lot_id


async def _store(connection: Any, lot: CreditLot, actor: Actor, now: Any) -> None:
    await connection.execute(
        "INSERT INTO credit_series (registry, serial_prefix) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        lot.registry,
        lot.serial_prefix,
    )
    try:
        await connection.execute(
            "INSERT INTO credit_lots (lot_id, series_no, project, vintage, serials, bought_on, evidence, added_by,"
            " added_at) SELECT $1, series_no, $4, $5, int8range($6, $7, '[]'), $8, $9, $10, $11 FROM credit_series"
            " WHERE registry = $2 AND serial_prefix = $3",
            lot.lot_id,
            lot.registry,
            lot.serial_prefix,
            lot.project,
            lot.vintage,
            lot.first_serial,
            lot.last_serial,
            lot.bought_on,
            lot.evidence,
            actor.username,
            now,
        )
    except asyncpg.ExclusionViolationError as error:
        raise Problem("units_taken", detail=lot.serial_text(lot.first_serial, lot.last_serial)) from error


async def take_back(given: Services, actor: Actor, lot_id: str, *, why: str) -> None:
    """Reverses a purchase that was entered wrongly, while none of its units is retired or promised. Raises Problem."""
    if not why.strip():
        raise Problem("reason_missing")
    now = given.clock()
    async with given.change() as connection:
        await book.lock(connection)
        bought = await book.entry_of(connection, f"bought:{lot_id}")
        if bought is None:
            raise Problem("not_found")
        if await connection.fetchval(
            "SELECT 1 FROM retirement_units WHERE lot_id = $1 AND NOT given_back LIMIT 1", lot_id
        ):
            raise Problem("units_in_use", detail=lot_id)
        stamp = Stamp(entry_id=f"reverse:bought:{lot_id}", at=now, author=actor.username, reason=why.strip())
        entry = reversal_of(stamp, bought.entry)
        await book.post(connection, entry)
        await connection.execute("UPDATE credit_lots SET voided_by = $2 WHERE lot_id = $1", lot_id, entry.entry_id)
        await write_audit(
            connection, at=now, actor=actor, action="credits_taken_back", subject=("lot", lot_id), why=why
        )


async def known_lots(db: Any, lot_id: str | None = None) -> list[CreditLot]:
    """Lots that hold, all or one."""
    return [
        lot_of(row)
        for row in await db.fetch(f"{LOTS} WHERE l.voided_by IS NULL AND ($1::text IS NULL OR l.lot_id = $1)", lot_id)
    ]


async def promised(db: Any, lot_ids: Iterable[str]) -> list[Units]:
    """Units of these lots that are retired, or promised to a retirement that is not decided."""
    rows = await db.fetch(
        "SELECT lot_id, lower(serials) AS first_serial, upper(serials) - 1 AS last_serial FROM retirement_units"
        " WHERE NOT given_back AND lot_id = ANY($1::text[])",
        list(lot_ids),
    )
    return [Units(row["lot_id"], row["first_serial"], row["last_serial"]) for row in rows]


async def available_tonnes(db: Any) -> int:
    """Units of all lots that are neither retired nor promised."""
    return int(
        await db.fetchval(
            "SELECT (SELECT coalesce(sum(upper(serials) - lower(serials)), 0) FROM credit_lots WHERE voided_by IS NULL)"
            " - (SELECT coalesce(sum(upper(serials) - lower(serials)), 0) FROM retirement_units WHERE NOT given_back)"
        )
    )


async def listed(db: Any) -> tuple[LotRow, ...]:
    """Every lot, in the order in which their units are retired; those without a unit left last."""
    rows = await db.fetch(LOTS)
    used: dict[str, list[Units]] = {}
    for units in await promised(db, [row["lot_id"] for row in rows]):
        used.setdefault(units.lot_id, []).append(units)
    found = [_row(row, used.get(row["lot_id"], [])) for row in rows]
    return tuple(
        sorted(found, key=lambda one: (one.left_tonnes == 0 or one.voided, one.bought_on, one.vintage, one.lot_id))
    )


def _row(row: Any, used: list[Units]) -> LotRow:
    lot, voided = lot_of(row), row["voided_by"] is not None
    free = () if voided else tuple(free_units(lot, used))
    return LotRow(
        lot_id=lot.lot_id,
        registry=lot.registry,
        project=lot.project,
        vintage=lot.vintage,
        serials=lot.serial_text(lot.first_serial, lot.last_serial),
        next_serials=lot.serial_text(free[0].first_serial, free[0].last_serial) if free else "",
        bought_on=lot.bought_on,
        evidence=lot.evidence,
        tonnes=lot.tonnes,
        left_tonnes=sum(units.tonnes for units in free),
        added_by=row["added_by"],
        voided=voided,
    )
