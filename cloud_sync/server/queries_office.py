"""Reads for the office: owns the SQL over permits, watch lists, people, audit, and the snapshot for the gates.

Callers use them through `cloud_sync.server.queries`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cloud_sync.server.records import AuditRecord, PermitRecord, UserRecord, WatchRecord
from cloud_sync.server.sql import Reader, as_json, like_pattern
from control.domain.permits import Permit, PermitClass, PermitSnapshot, RegistryEntry, WatchEffect, WatchEntry
from control.domain.plates import normalise

_PERMIT_COLUMNS = ", ".join(name for name in PermitRecord.__dataclass_fields__ if name != "state")
_WATCH_COLUMNS = ", ".join(name for name in WatchRecord.__dataclass_fields__ if name != "active")


async def permits(
    db: Reader, *, now: datetime, plate: str = "", active_only: bool = False, limit: int = 500
) -> tuple[PermitRecord, ...]:
    """Permits, those that end last first; `plate` may be partial."""
    rows = await db.fetch(
        f"SELECT {_PERMIT_COLUMNS} FROM permits WHERE ($1 = '' OR plate LIKE $2)"
        " AND (NOT $3 OR (revoked_at IS NULL AND valid_until > $4)) ORDER BY valid_until DESC, permit_id LIMIT $5",
        plate,
        f"%{like_pattern(normalise(plate))}%",
        active_only,
        now,
        limit,
    )
    return tuple(_permit(row, now) for row in rows)


async def permit(db: Reader, permit_id: str, *, now: datetime) -> PermitRecord | None:
    """One permit."""
    row = await db.fetchrow(f"SELECT {_PERMIT_COLUMNS} FROM permits WHERE permit_id = $1", permit_id)
    return _permit(row, now) if row else None


def _permit(row: Any, now: datetime) -> PermitRecord:
    values = dict(row)
    values["gates"] = tuple(row["gates"])
    return PermitRecord(**values, state=_permit_state(row, now))


def _permit_state(row: Any, now: datetime) -> str:
    if row["revoked_at"] is not None:
        return "revoked"
    if now < row["valid_from"]:
        return "future"
    if now >= row["valid_until"]:
        return "expired"
    return "used_up" if row["entries_left"] == 0 else "active"


async def possible_permits(
    db: Reader, plate: str | None, suggestions: Sequence[str], *, now: datetime
) -> tuple[PermitRecord, ...]:
    """Permits of the plate itself or of one that looks like it: suggestions for a person, never for the gate."""
    if not plate:
        return ()
    rows = await db.fetch(
        f"SELECT {_PERMIT_COLUMNS} FROM permits"
        " WHERE revoked_at IS NULL AND valid_until > $2::timestamptz - interval '1 day'"
        " AND (plate = ANY($3::text[]) OR levenshtein(plate, $1) <= 1)"
        " ORDER BY levenshtein(plate, $1), valid_until LIMIT 5",
        plate,
        now,
        [normalise(one) for one in suggestions],
    )
    return tuple(_permit(row, now) for row in rows)


async def watch_list(db: Reader, *, now: datetime, active_only: bool = True) -> tuple[WatchRecord, ...]:
    """Plates on block, alert and allow lists, newest first."""
    rows = await db.fetch(
        f"SELECT {_WATCH_COLUMNS}, (removed_at IS NULL AND (valid_until IS NULL OR valid_until > $1)) AS active"
        " FROM watch_entries WHERE NOT $2 OR (removed_at IS NULL AND (valid_until IS NULL OR valid_until > $1))"
        " ORDER BY created_at DESC, watch_id DESC LIMIT 5000",
        now,
        active_only,
    )
    return tuple(WatchRecord(**row) for row in rows)


async def users(db: Reader) -> tuple[UserRecord, ...]:
    """Every account."""
    rows = await db.fetch(
        "SELECT u.user_id::text, u.username, u.name, u.role, u.enabled, u.created_at,"
        " max(s.last_seen_at) AS last_seen_at FROM users u LEFT JOIN sessions s USING (user_id)"
        " GROUP BY u.user_id ORDER BY u.username"
    )
    return tuple(UserRecord(**row) for row in rows)


async def audit(
    db: Reader,
    *,
    subject_kind: str = "",
    subject_id: str = "",
    by: str = "",
    action: str = "",
    before_id: int | None = None,
    limit: int = 100,
) -> tuple[AuditRecord, ...]:
    """The audit trail, newest first; `before_id` is the last row of the page before."""
    rows = await db.fetch(
        "SELECT audit_id, at, by, action, subject_kind, subject_id, before, after, why FROM audit"
        " WHERE ($1 = '' OR subject_kind = $1) AND ($2 = '' OR subject_id = $2) AND ($3 = '' OR by = $3)"
        " AND ($4 = '' OR action = $4) AND ($5::bigint IS NULL OR audit_id < $5) ORDER BY audit_id DESC LIMIT $6",
        subject_kind,
        subject_id,
        by,
        action,
        before_id,
        limit,
    )
    return tuple(_audit(row) for row in rows)


def _audit(row: Any) -> AuditRecord:
    values = dict(row)
    return AuditRecord(**values | {"before": as_json(row["before"]), "after": as_json(row["after"])})


# ---------------------------------------------------------------- what goes down to the gates


async def permit_snapshot(db: Reader, *, now: datetime) -> PermitSnapshot:
    """Everything a gate needs offline, at the newest version; what is over is left out.

    Of permits that were revoked while they would still hold, the ids go down: somebody may still show their pass.
    """
    version = await db.fetchval("SELECT max(version) FROM snapshot_versions")
    found = await db.fetch(
        f"SELECT {_PERMIT_COLUMNS} FROM permits WHERE revoked_at IS NULL AND valid_until > $1 ORDER BY permit_id", now
    )
    revoked = await db.fetch("SELECT permit_id FROM permits WHERE revoked_at IS NOT NULL AND valid_until > $1", now)
    watched = await watch_list(db, now=now)
    registered = await db.fetch("SELECT plate, energy, vehicle_type FROM registry ORDER BY plate")
    return PermitSnapshot(
        version=version,
        taken_at=now,
        permits=_by_plate([_permit_of(row) for row in found]),
        watch=_by_plate([_watch_of(row) for row in sorted(watched, key=lambda one: one.watch_id)]),
        registry={row["plate"]: RegistryEntry(**row) for row in registered},
        revoked=frozenset(row["permit_id"] for row in revoked),
    )


def _by_plate(entries: list[Any]) -> dict[str, tuple[Any, ...]]:
    grouped: dict[str, tuple[Any, ...]] = {}
    for one in entries:
        grouped[one.plate] = (*grouped.get(one.plate, ()), one)
    return grouped


def _permit_of(row: Any) -> Permit:
    return Permit(
        permit_id=row["permit_id"],
        plate=row["plate"],
        permit_class=PermitClass(row["permit_class"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        gates=frozenset(row["gates"]),
        entries_left=row["entries_left"],
        vehicle_type=row["vehicle_type"],
        holder=row["holder"],
    )


def _watch_of(row: WatchRecord) -> WatchEntry:
    return WatchEntry(row.plate, WatchEffect(row.effect), row.reason, row.valid_from, row.valid_until)


async def rule_rows(db: Reader, *, now: datetime) -> tuple[dict[str, Any], ...]:
    """The rows of the newest published set, each with the set's version; none: the gates keep those they ship with."""
    found = await db.fetchrow(
        "SELECT rule_version, body FROM rule_sets"
        " WHERE valid_from <= $1 AND (valid_until IS NULL OR valid_until > $1) ORDER BY valid_from DESC LIMIT 1",
        now,
    )
    if found is None:
        return ()
    return tuple({"rule_version": found["rule_version"], **row} for row in as_json(found["body"])["rule"])
