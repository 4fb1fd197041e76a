"""Guardians: owns how a child's account is joined to a grown-up's by a short-lived code, and parted from it.

Who is a child is a dated rule of points (`account.guardian_age`; PIPL art. 31 says fourteen).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from cloud_sync.server import rule_books
from cloud_sync.server.auth import token_hash
from cloud_sync.server.people.limits import limit
from cloud_sync.server.people.members import ADULT_YEARS, account_uuid, age_years
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit
from control.points.rules import GUARDIAN_AGE

_DIGITS = 8
_GUESSES_MAX = 10
_GUESSES_WINDOW_S = 3600


@dataclass(frozen=True, slots=True)
class Relative:
    """A guardian or a child, by id and name."""

    user_id: str
    name: str


async def is_child(given: Services, db: Reader, born_on: date | None) -> bool:
    """Whether somebody born on a day needs a guardian today; who told no day counts as old enough."""
    today = given.today_from().date()
    rules = (await rule_books.point_rules(db)).at(today)
    return born_on is not None and age_years(born_on, today) < rules.value(GUARDIAN_AGE)


async def make_code(given: Services, user_id: str) -> tuple[str, datetime]:
    """A code for the child's phone, and until when it works. Raises Problem `guardian_refused`."""
    async with given.pool.acquire() as connection, connection.transaction():
        await _check_guardian(connection, account_uuid(user_id), given.today_from().date())
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"
        until = given.clock() + timedelta(seconds=given.config.auth.guardian_code_s)
        await connection.execute("DELETE FROM guardian_codes WHERE guardian_id = $1", account_uuid(user_id))
        await connection.execute(
            "INSERT INTO guardian_codes (code_hash, guardian_id, expires_at) VALUES ($1, $2, $3)",
            token_hash(code),
            account_uuid(user_id),
            until,
        )
    return code, until


async def _check_guardian(connection: Any, guardian: UUID, today: date) -> None:
    """Grown up as far as is known, switched on, and nobody's child."""
    row = await connection.fetchrow(
        "SELECT born_on, guardian_id, enabled FROM users WHERE user_id = $1 FOR SHARE", guardian
    )
    is_child = row is not None and row["born_on"] is not None and age_years(row["born_on"], today) < ADULT_YEARS
    if row is None or not row["enabled"] or row["guardian_id"] is not None or is_child:
        raise Problem("guardian_refused")


async def take_code(connection: Any, code: str, *, now: datetime) -> UUID:
    """The guardian whose code this is; it works once. Raises Problem `code_invalid`."""
    found: UUID | None = await connection.fetchval(
        "DELETE FROM guardian_codes WHERE code_hash = $1 AND expires_at > $2 RETURNING guardian_id",
        token_hash(code.strip()),
        now,
    )
    if found is None:
        raise Problem("code_invalid")
    return found


async def join(given: Services, actor: Actor, user_id: str, code: str) -> None:
    """Joins an account that exists to the guardian of a code. Raises Problem."""
    await limit(given, f"guardian/{user_id}", _GUESSES_MAX, _GUESSES_WINDOW_S)
    person, now = account_uuid(user_id), given.clock()
    async with given.pool.acquire() as connection, connection.transaction():
        guardian = await take_code(connection, code, now=now)
        row = await connection.fetchrow("SELECT born_on, guardian_id FROM users WHERE user_id = $1 FOR UPDATE", person)
        if row["guardian_id"] is not None and await is_child(given, connection, row["born_on"]):
            raise Problem("guardian_needed")
        has_wards = await connection.fetchval("SELECT EXISTS (SELECT 1 FROM users WHERE guardian_id = $1)", person)
        if guardian == person or has_wards:
            raise Problem("guardian_refused")
        await _check_guardian(connection, guardian, given.today_from().date())
        await _set(connection, actor, person, guardian, now)


async def leave(given: Services, actor: Actor, user_id: str) -> None:
    """A person old enough parts from their guardian. Raises Problem `guardian_needed` for a child."""
    person = account_uuid(user_id)
    async with given.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow("SELECT born_on, guardian_id FROM users WHERE user_id = $1 FOR UPDATE", person)
        if row is None or row["guardian_id"] is None:
            raise Problem("not_found")
        if await is_child(given, connection, row["born_on"]):
            raise Problem("guardian_needed")
        await _set(connection, actor, person, None, given.clock())


async def release(given: Services, actor: Actor, guardian_id: str, ward_id: str) -> None:
    """A guardian parts from a ward; a child's account earns nothing until it has a guardian again."""
    person = account_uuid(ward_id)
    async with given.pool.acquire() as connection, connection.transaction():
        mine = await connection.fetchval(
            "SELECT guardian_id = $2 FROM users WHERE user_id = $1 FOR UPDATE", person, account_uuid(guardian_id)
        )
        if not mine:
            raise Problem("not_found")
        await _set(connection, actor, person, None, given.clock())


async def _set(connection: Any, actor: Actor, person: UUID, guardian: UUID | None, now: datetime) -> None:
    before = await connection.fetchval("SELECT guardian_id::text FROM users WHERE user_id = $1", person)
    await connection.execute("UPDATE users SET guardian_id = $2 WHERE user_id = $1", person, guardian)
    await write_audit(
        connection,
        at=now,
        actor=actor,
        action="guardian_changed",
        subject=("user", str(person)),
        before={"guardian_id": before},
        after={"guardian_id": str(guardian) if guardian else None},
    )


async def guardian_of(db: Reader, user_id: str) -> Relative | None:
    """The person's guardian."""
    row = await db.fetchrow(
        "SELECT g.user_id::text, g.name FROM users u JOIN users g ON g.user_id = u.guardian_id WHERE u.user_id = $1",
        account_uuid(user_id),
    )
    return Relative(**row) if row else None


async def wards_of(db: Reader, user_id: str) -> tuple[Relative, ...]:
    """The children of a guardian."""
    rows = await db.fetch(
        "SELECT user_id::text, name FROM users WHERE guardian_id = $1 ORDER BY name, user_id", account_uuid(user_id)
    )
    return tuple(Relative(**row) for row in rows)
