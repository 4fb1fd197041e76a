"""The app's tokens: owns their families, rotation, and that a token used twice ends its whole family.

A family is one sign-in on one phone. Its access token lives minutes; its refresh token works once and is exchanged for
the next pair (RFC 9700, 4.14.2). The same refresh token within the leeway is a lost answer; later it is a stolen one.
The store keeps hashes alone.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import uuid_utils

from cloud_sync.server.auth import end_everywhere, token_hash
from cloud_sync.server.people.members import account_uuid
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, write_audit


@dataclass(frozen=True, slots=True)
class TokenPair:
    """What the app keeps. `access_token` goes into `Authorization: Bearer`."""

    access_token: str
    refresh_token: str
    expires_in_s: int
    refresh_until: datetime
    token_type: str = "Bearer"


async def open_family(given: Services, connection: Any, user_id: str, device: str) -> TokenPair:
    """A new sign-in of the app, inside the caller's transaction."""
    now, family_id = given.clock(), str(uuid_utils.uuid7())
    await connection.execute(
        "INSERT INTO token_families (family_id, user_id, device, created_at, expires_at) VALUES ($1, $2, $3, $4, $4)",
        family_id,
        account_uuid(user_id),
        device,
        now,
    )
    return await _issue(given, connection, family_id)


async def _issue(given: Services, connection: Any, family_id: str) -> TokenPair:
    now, settings = given.clock(), given.config.auth
    access, refresh = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    until = now + timedelta(days=settings.refresh_token_days)
    await connection.executemany(
        "INSERT INTO app_tokens (token_hash, family_id, kind, expires_at) VALUES ($1, $2, $3, $4)",
        [
            (token_hash(access), family_id, "access", now + timedelta(seconds=settings.access_token_s)),
            (token_hash(refresh), family_id, "refresh", until),
        ],
    )
    await connection.execute("UPDATE token_families SET expires_at = $2 WHERE family_id = $1", family_id, until)
    return TokenPair(access, refresh, settings.access_token_s, until)


async def refresh(given: Services, token: str, *, remote: str) -> TokenPair:
    """The next pair for a refresh token. Raises Problem `token_invalid`, or `token_reused` after ending the family."""
    async with given.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "SELECT t.used_at, f.family_id, u.user_id::text, u.username FROM app_tokens t"
            " JOIN token_families f USING (family_id) JOIN users u USING (user_id)"
            " WHERE t.token_hash = $1 AND t.kind = 'refresh' AND t.expires_at > $2 AND f.revoked_at IS NULL"
            " AND u.enabled FOR UPDATE OF f, t",
            token_hash(token),
            given.clock(),
        )
        if row is None:
            raise Problem("token_invalid")
        if not _is_stolen(given, row["used_at"]):
            await connection.execute(
                "UPDATE app_tokens SET used_at = $2 WHERE family_id = $1 AND kind = 'refresh' AND used_at IS NULL",
                row["family_id"],
                given.clock(),
            )
            return await _issue(given, connection, row["family_id"])
        await _end_stolen(given, connection, row, remote)
    raise Problem("token_reused")


def _is_stolen(given: Services, used_at: datetime | None) -> bool:
    leeway = timedelta(seconds=given.config.auth.refresh_leeway_s)
    return used_at is not None and given.clock() - used_at > leeway


async def _end_stolen(given: Services, connection: Any, row: Any, remote: str) -> None:
    now = given.clock()
    await _revoke(connection, row["family_id"], now)
    await write_audit(
        connection,
        at=now,
        actor=Actor(row["username"], remote),
        action="token_reused",
        subject=("user", row["user_id"]),
        after={"family_id": row["family_id"]},
    )


async def _revoke(connection: Any, family_id: str, at: datetime) -> None:
    await connection.execute("UPDATE token_families SET revoked_at = $2 WHERE family_id = $1", family_id, at)


async def revoke(given: Services, token: str) -> None:
    """Ends the family of an access or a refresh token; a token of nobody's is no error (RFC 7009, 2.2)."""
    await given.pool.execute(
        "UPDATE token_families SET revoked_at = $2 WHERE revoked_at IS NULL"
        " AND family_id = (SELECT family_id FROM app_tokens WHERE token_hash = $1)",
        token_hash(token),
        given.clock(),
    )


async def sign_out_everywhere(given: Services, actor: Actor, user_id: str) -> None:
    """Ends every session and every token of a person, this one too."""
    now = given.clock()
    async with given.pool.acquire() as connection, connection.transaction():
        await end_everywhere(connection, account_uuid(user_id), now)
        await write_audit(connection, at=now, actor=actor, action="signed_out_everywhere", subject=("user", user_id))
