"""The list of accounts: owns finding accounts by name or role, page by page."""

from __future__ import annotations

from cloud_sync.server.problems import Problem
from cloud_sync.server.records import UserRecord
from cloud_sync.server.roles import PUBLIC, Role
from cloud_sync.server.sql import Reader, like_pattern

STAFF_ROLES = sorted(frozenset(Role) - PUBLIC)


async def accounts(
    db: Reader, *, query: str = "", roles: tuple[str, ...] = (), after: str = "", limit: int = 100
) -> tuple[UserRecord, ...]:
    """Accounts by sign-in name, from the one after `after`; `query` is the beginning of a sign-in name."""
    rows = await db.fetch(
        "SELECT u.user_id::text, u.username, u.name, u.role, u.enabled, u.created_at, u.org_id, o.name AS org_name,"
        " (SELECT max(last_seen_at) FROM sessions s WHERE s.user_id = u.user_id) AS last_seen_at"
        " FROM users u LEFT JOIN organisations o USING (org_id)"
        " WHERE anonymised_at IS NULL AND username > $1 AND username LIKE $2"
        " AND (cardinality($3::text[]) = 0 OR role = ANY($3::text[])) ORDER BY username LIMIT $4",
        after,
        like_pattern(query.casefold()) + "%",
        list(roles),
        limit,
    )
    return tuple(UserRecord(**row) for row in rows)


async def id_of(db: Reader, username: str) -> str:
    """The account of a sign-in name. Raises Problem `not_found`."""
    found = await db.fetchval(
        "SELECT user_id::text FROM users WHERE username = $1 AND anonymised_at IS NULL", username.strip().casefold()
    )
    if found is None:
        raise Problem("not_found", detail="username")
    return str(found)
