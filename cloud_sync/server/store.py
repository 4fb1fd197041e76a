"""Every write that a person causes: owns its rules, and that each leaves an audit row in the same transaction.

What gateways send is written by `ingest` and `projections`. A changed permit or list makes a new snapshot
version; a decision becomes a command. Both wake the downlink through NOTIFY on `DOWNLINK_CHANNEL`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import uuid_utils

from cloud_sync.server import queries
from cloud_sync.server.auth import CurrentUser
from cloud_sync.server.live import Change, announce
from cloud_sync.server.permits import outbox
from cloud_sync.server.problems import Problem
from cloud_sync.server.records import CommandRecord, PermitRecord
from cloud_sync.server.services import Services
from control.domain.passages import Outcome
from control.domain.permits import PermitClass, WatchEffect
from control.domain.plates import ALPHABET, normalise

DOWNLINK_CHANNEL = "island_downlink"
URGENT = "urgent"  # begins the notification of a change that must not wait
SNAPSHOT_LOCK = 7_301_002
TEXT_CHARS_MAX = 500
DECISIONS = (Outcome.ADMIT, Outcome.ADMIT_UNDER_PERMIT, Outcome.REFUSE)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: the account, and where from."""

    username: str
    remote: str = ""

    @classmethod
    def of(cls, user: CurrentUser, remote: str = "") -> Actor:
        """The signed-in person."""
        return cls(user.username, remote)


async def write_audit(
    connection: Any,
    *,
    at: datetime,
    actor: Actor,
    action: str,
    subject: tuple[str, str],
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    why: str = "",
) -> None:
    """One row: who, when, what, before, after, why."""
    await connection.execute(
        "INSERT INTO audit (at, by, action, subject_kind, subject_id, before, after, why, remote)"
        " VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7::jsonb, $8, $9)",
        at,
        actor.username,
        action,
        *subject,
        _dumped(before),
        _dumped(after),
        why,
        actor.remote,
    )


def _dumped(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False, default=str)


async def note_access(
    given: Services, actor: Actor, action: str, subject: tuple[str, str], *, what: dict[str, Any] | None = None
) -> None:
    """Opening, searching and exporting personal data leaves a row too (PIPL: who saw what, and when)."""
    await write_audit(given.pool, at=given.clock(), actor=actor, action=action, subject=subject, after=what)


# ---------------------------------------------------------------- passages


async def decide_hold(
    given: Services,
    actor: Actor,
    arrival_id: str,
    *,
    outcome: Outcome,
    reason_code: str,
    note: str = "",
    permit_id: str | None = None,
    corrected_plate: str | None = None,
) -> CommandRecord:
    """Orders the gateway to admit or refuse a waiting vehicle. It is decided when the gateway's event comes back."""
    if outcome not in DECISIONS:
        raise Problem("invalid", detail="outcome must be admit, admit_under_permit or refuse")
    reason_code, note = _reason(reason_code, note)
    plate = _plate(corrected_plate) if corrected_plate else None
    now = given.clock()
    async with given.change() as connection:
        row = await _waiting(connection, arrival_id, now)
        if outcome is Outcome.ADMIT_UNDER_PERMIT:
            await _check_permit(connection, permit_id, now)
        command_id = str(uuid_utils.uuid7())
        await connection.execute(
            "INSERT INTO commands (command_id, gateway_id, arrival_id, lane_id, outcome, reason_code, note, permit_id,"
            " corrected_plate, issued_by, issued_at, expires_at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)",
            command_id,
            row["gateway_id"],
            arrival_id,
            row["lane_id"],
            outcome.value,
            reason_code,
            note,
            permit_id,
            plate,
            actor.username,
            now,
            now + timedelta(seconds=given.config.commands.expiry_s),
        )
        after = {"outcome": outcome.value, "reason_code": reason_code, "permit_id": permit_id, "plate": plate}
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="hold_decided",
            subject=("passage", arrival_id),
            after=after,
            why=note,
        )
        await announce(connection, [Change("command", arrival_id, row["gateway_id"], row["lane_id"])])
        await connection.execute("SELECT pg_notify($1, $2)", DOWNLINK_CHANNEL, f"command {command_id}")
        found = await queries.command(connection, command_id)
    assert found is not None
    return found


async def _waiting(connection: Any, arrival_id: str, now: datetime) -> Any:
    """The passage, locked. Raises Problem when it does not wait, or another order for it still runs."""
    row = await connection.fetchrow("SELECT * FROM passages WHERE arrival_id = $1 FOR UPDATE", arrival_id)
    if row is None:
        raise Problem("not_found")
    if row["guard_outcome"] is not None:
        raise Problem("already_decided", by=row["guard_by"], outcome=row["guard_outcome"])
    if row["outcome"] != Outcome.HOLD.value or row["movement"] is not None:
        raise Problem("not_waiting")
    running = await connection.fetchrow(
        "SELECT issued_by, outcome FROM commands WHERE arrival_id = $1"
        " AND (result = 'done' OR (result IS NULL AND expires_at > $2))",
        arrival_id,
        now,
    )
    if running:
        raise Problem("already_decided", by=running["issued_by"], outcome=running["outcome"])
    return row


async def _check_permit(connection: Any, permit_id: str | None, now: datetime) -> None:
    found = await queries.permit(connection, permit_id or "", now=now)
    if found is None or found.state != "active":
        raise Problem("invalid", detail="permit_id must name a permit that is valid now")


async def correct_plate(given: Services, actor: Actor, arrival_id: str, text: str, *, note: str = "") -> None:
    """A person read the plate otherwise. The raw reading stays; the newest correction is shown and searched."""
    corrected, now = _plate(text), given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow("SELECT * FROM passages WHERE arrival_id = $1 FOR UPDATE", arrival_id)
        if row is None:
            raise Problem("not_found")
        await connection.execute(
            "INSERT INTO corrections (arrival_id, raw_text, corrected_text, by, source, note, at, recorded_at)"
            " VALUES ($1, $2, $3, $4, 'console', $5, $6, now())",
            arrival_id,
            row["raw_plate"] or "",
            corrected,
            actor.username,
            _text(note),
            now,
        )
        await connection.execute("UPDATE passages SET plate = $2 WHERE arrival_id = $1", arrival_id, corrected)
        await outbox.put(connection, [arrival_id])
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="plate_corrected",
            subject=("passage", arrival_id),
            before={"plate": row["plate"]},
            after={"plate": corrected},
            why=note,
        )
        await announce(connection, [Change("corrected", arrival_id, row["gateway_id"], row["lane_id"])])


async def revise(
    given: Services, actor: Actor, arrival_id: str, *, outcome: Outcome, reason_code: str, note: str = ""
) -> None:
    """Says what a past decision should have been. Nothing at the barrier changes."""
    if outcome not in DECISIONS:
        raise Problem("invalid", detail="outcome must be admit, admit_under_permit or refuse")
    reason_code, note = _reason(reason_code, note)
    now = given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow("SELECT * FROM passages WHERE arrival_id = $1 FOR UPDATE", arrival_id)
        if row is None:
            raise Problem("not_found")
        await connection.execute(
            "INSERT INTO revisions (arrival_id, outcome, reason_code, note, by, source, at, recorded_at)"
            " VALUES ($1, $2, $3, $4, $5, 'console', $6, now())",
            arrival_id,
            outcome.value,
            reason_code,
            note,
            actor.username,
            now,
        )
        await connection.execute(
            "UPDATE passages SET revised_outcome = $2, revised_at = $3 WHERE arrival_id = $1",
            arrival_id,
            outcome.value,
            now,
        )
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="decision_revised",
            subject=("passage", arrival_id),
            before={"outcome": row["final_outcome"]},
            after={"outcome": outcome.value, "reason_code": reason_code},
            why=note,
        )
        await announce(connection, [Change("revised", arrival_id, row["gateway_id"], row["lane_id"])])


async def add_note(given: Services, actor: Actor, arrival_id: str, text: str) -> None:
    """A remark about an arrival, kept in its audit trail."""
    note, now = _text(text), given.clock()
    if not note:
        raise Problem("reason_missing")
    async with given.change() as connection:
        row = await connection.fetchrow("SELECT gateway_id, lane_id FROM passages WHERE arrival_id = $1", arrival_id)
        if row is None:
            raise Problem("not_found")
        await write_audit(
            connection, at=now, actor=actor, action="note_added", subject=("passage", arrival_id), why=note
        )
        await announce(connection, [Change("passage", arrival_id, row["gateway_id"], row["lane_id"])])


# ---------------------------------------------------------------- permits and lists


async def add_permit(
    given: Services,
    actor: Actor,
    *,
    plate: str,
    permit_class: PermitClass,
    valid_from: datetime,
    valid_until: datetime,
    gates: tuple[str, ...] = (),
    entries_left: int | None = None,
    vehicle_type: str | None = None,
    holder: str = "",
    permit_id: str = "",
    why: str = "",
) -> PermitRecord:
    """A permit without an application, on its way to every gate. People apply for one instead. Raises Problem."""
    if valid_until <= valid_from:
        raise Problem("invalid", detail="valid_until must be after valid_from")
    now = given.clock()
    permit_id = permit_id or f"XK-{now.astimezone(given.config.zone):%Y%m%d}-{str(uuid_utils.uuid7())[-6:].upper()}"
    values = (permit_id, _plate(plate), permit_class.value, valid_from, valid_until, list(gates), entries_left)
    async with given.change() as connection:
        try:
            await connection.execute(
                "INSERT INTO permits (permit_id, plate, permit_class, valid_from, valid_until, gates, entries_left,"
                " entries_max, vehicle_type, holder, created_at, changed_at, created_by)"
                " VALUES ($1,$2,$3,$4,$5,$6,$7,$7,$8,$9,$10,$10,$11)",
                *values,
                vehicle_type,
                _text(holder),
                now,
                actor.username,
            )
        except asyncpg.UniqueViolationError as error:
            raise Problem("already_exists", detail=permit_id) from error
        found = await queries.permit(connection, permit_id, now=now)
        assert found is not None
        after = {"plate": found.plate, "class": found.permit_class, "from": valid_from, "until": valid_until}
        await write_audit(
            connection, at=now, actor=actor, action="permit_added", subject=("permit", permit_id), after=after, why=why
        )
        await new_snapshot(connection, now, actor, f"permit {permit_id} added")
    return found


async def revoke_permit(given: Services, actor: Actor, permit_id: str, *, why: str) -> None:
    """Ends a permit without an application now. Raises Problem."""
    if not why.strip():
        raise Problem("reason_missing")
    now = given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow(
            "UPDATE permits SET revoked_at = $2, changed_at = $2, revoked_by = $3, revoked_why = $4"
            " WHERE permit_id = $1 AND revoked_at IS NULL RETURNING plate",
            permit_id,
            now,
            actor.username,
            _text(why),
        )
        if row is None:
            raise Problem("not_found")
        await write_audit(
            connection, at=now, actor=actor, action="permit_revoked", subject=("permit", permit_id), why=why
        )
        await new_snapshot(connection, now, actor, f"permit {permit_id} revoked", urgent=True)


async def add_watch(
    given: Services,
    actor: Actor,
    *,
    plate: str,
    effect: WatchEffect,
    reason: str,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
) -> int:
    """Puts a plate on a list; the new entry's number. Raises Problem."""
    if not reason.strip():
        raise Problem("reason_missing")
    now = given.clock()
    async with given.change() as connection:
        watch_id = await connection.fetchval(
            "INSERT INTO watch_entries (plate, effect, reason, valid_from, valid_until, created_at, created_by)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING watch_id",
            _plate(plate),
            effect.value,
            _text(reason),
            valid_from or now,
            valid_until,
            now,
            actor.username,
        )
        after = {"plate": _plate(plate), "effect": effect.value, "until": valid_until}
        subject = ("watch", str(watch_id))
        await write_audit(
            connection, at=now, actor=actor, action="watch_added", subject=subject, after=after, why=reason
        )
        await new_snapshot(connection, now, actor, f"watch entry {watch_id} added", urgent=True)
    return int(watch_id)


async def remove_watch(given: Services, actor: Actor, watch_id: int, *, why: str) -> None:
    """Takes an entry off its list. Raises Problem."""
    if not why.strip():
        raise Problem("reason_missing")
    now = given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow(
            "UPDATE watch_entries SET removed_at = $2, removed_by = $3 WHERE watch_id = $1 AND removed_at IS NULL"
            " RETURNING plate, effect",
            watch_id,
            now,
            actor.username,
        )
        if row is None:
            raise Problem("not_found")
        subject = ("watch", str(watch_id))
        await write_audit(
            connection, at=now, actor=actor, action="watch_removed", subject=subject, before=dict(row), why=why
        )
        await new_snapshot(connection, now, actor, f"watch entry {watch_id} removed")


async def set_registry(
    given: Services, actor: Actor, *, plate: str, energy: str, vehicle_type: str | None, source: str
) -> None:
    """What the vehicle register says of a plate."""
    now, text = given.clock(), _plate(plate)
    async with given.change() as connection:
        before = await connection.fetchrow("SELECT energy, vehicle_type, source FROM registry WHERE plate = $1", text)
        await connection.execute(
            "INSERT INTO registry (plate, energy, vehicle_type, source, updated_at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT (plate) DO UPDATE SET energy = excluded.energy, vehicle_type = excluded.vehicle_type,"
            " source = excluded.source, updated_at = excluded.updated_at",
            text,
            energy,
            vehicle_type,
            _text(source),
            now,
        )
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="registry_set",
            subject=("registry", text),
            before=dict(before) if before else None,
            after={"energy": energy, "vehicle_type": vehicle_type, "source": source},
        )
        await new_snapshot(connection, now, actor, "registry changed")


async def new_snapshot(connection: Any, now: datetime, actor: Actor, why: str, *, urgent: bool = False) -> None:
    """What the gates hold has changed; to be called last in a transaction, which it makes wait for others' commits.

    The lock makes versions commit in their order: a gateway refuses a lower one.

    Urgent is what stops or marks somebody: it goes down at once, while other changes may wait for one another.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", SNAPSHOT_LOCK)
    version = await connection.fetchval(
        "INSERT INTO snapshot_versions (version, at, by, why)"
        " SELECT max(version) + 1, $1, $2, $3 FROM snapshot_versions RETURNING version",
        now,
        actor.username,
        why,
    )
    kind = URGENT if urgent else "snapshot"
    await connection.execute("SELECT pg_notify($1, $2)", DOWNLINK_CHANNEL, f"{kind} {version}")
    await announce(connection, [Change("permits", str(version))])


# ---------------------------------------------------------------- what people type


def _plate(text: str) -> str:
    """Normalised, of characters that plates have. Formats are not asked for: foreign and old plates exist."""
    plate = normalise(text)
    if not 4 <= len(plate) <= 10 or any(char not in ALPHABET + "WJOI" for char in plate):
        raise Problem("plate_invalid")
    return plate


def _reason(reason_code: str, note: str) -> tuple[str, str]:
    if not reason_code.strip():
        raise Problem("reason_missing")
    return reason_code.strip()[:64], _text(note)


def _text(text: str) -> str:
    """At most 500 characters and no control characters, which PostgreSQL and terminals dislike."""
    return "".join(char for char in text.strip() if char >= " " or char == "\n")[:TEXT_CHARS_MAX]
