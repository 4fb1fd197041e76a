"""Deleting an account: owns that nothing says any more who it was, while ledgers stay whole under its bare id.

Each part of the product may add an eraser, `async (connection, user_id, at)`, that runs in the same transaction.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from cloud_sync.server.auth import checked_account, end_everywhere
from cloud_sync.server.papers import forgetting as papers
from cloud_sync.server.people.members import account_uuid
from cloud_sync.server.permits import persons as permits
from cloud_sync.server.points import personal as points
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import PUBLIC, Role
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, write_audit

Eraser = Callable[[Any, str, datetime], Awaitable[None]]
ERASERS: dict[str, Eraser] = {"points": points.erase, "permits": permits.erase, "papers": papers.erase}
NOBODY = "gone-"  # begins the sign-in name of an account without a person


async def delete_own(given: Services, user_id: str, username: str, password: str, *, remote: str) -> None:
    """The person deletes their account, with their password once more. Raises Problem."""
    await checked_account(given, username, password, remote=remote)
    await anonymise(given, Actor(username, remote), user_id, why="")


async def anonymise(given: Services, actor: Actor, user_id: str, *, why: str) -> None:
    """Takes away everything that tells who it was. Accounts of staff are switched off instead. Raises Problem."""
    now, person = given.clock(), account_uuid(user_id)
    async with given.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT username, role, anonymised_at FROM users WHERE user_id = $1 FOR UPDATE", person
        )
        if row is None:
            raise Problem("not_found")
        if row["anonymised_at"] is not None:
            raise Problem("account_gone")
        if Role(row["role"]) not in PUBLIC:
            raise Problem("forbidden")
        for erase in ERASERS.values():
            await erase(connection, user_id, now)
        await end_everywhere(connection, person, now)
        nobody = await _erase(connection, person, row["username"], now)
        by = Actor(nobody, actor.remote) if actor.username == row["username"] else actor
        await write_audit(connection, at=now, actor=by, action="account_anonymised", subject=("user", user_id), why=why)
    # After the transaction: a file that goes does not come back. What a crash leaves here goes with the daily run.
    await papers.remove_files(given, since=now)


async def _erase(connection: Any, person: Any, username: str, now: datetime) -> str:
    """The new sign-in name, which is nobody's."""
    nobody = f"{NOBODY}{person.hex[:20]}"
    await connection.execute(
        "UPDATE users SET username = $2, name = '', phone = '', email = '', born_on = NULL, guardian_id = NULL,"
        " org_id = NULL, password_hash = '', enabled = false, anonymised_at = $3 WHERE user_id = $1",
        person,
        nobody,
        now,
    )
    for statement in (
        "UPDATE users SET guardian_id = NULL WHERE guardian_id = $1",
        "DELETE FROM guardianships WHERE ward_id = $1 OR guardian_id = $1",
        "DELETE FROM oidc_links WHERE user_id = $1",
        "DELETE FROM oidc_flows WHERE user_id = $1",
        "DELETE FROM guardian_codes WHERE guardian_id = $1",
        "DELETE FROM token_families WHERE user_id = $1",
        "UPDATE data_requests SET contact = '', message = '', answer = '', created_by = '' WHERE user_id = $1",
    ):
        await connection.execute(statement, person)
    await connection.execute("DELETE FROM idempotency_keys WHERE person = $1", str(person))
    await connection.execute(
        "UPDATE audit SET before = NULL, after = NULL WHERE subject_kind = 'user' AND subject_id = $1", str(person)
    )
    await connection.execute("UPDATE audit SET by = $2, remote = '' WHERE by = $1", username, nobody)
    return nobody
