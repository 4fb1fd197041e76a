"""The copy of all of a person's data: owns the registry that each part of the product adds its collector to.

A collector is `async (db, user_id) -> JSON-able value`; it gives the person's own data alone and pages nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from cloud_sync.server.carbon import personal as carbon
from cloud_sync.server.papers import issued as papers
from cloud_sync.server.people import personal
from cloud_sync.server.people.members import account_uuid
from cloud_sync.server.people.terms import VERSION
from cloud_sync.server.permits import persons as permits
from cloud_sync.server.points import personal as points
from cloud_sync.server.sql import Reader

Collector = Callable[[Reader, str], Awaitable[Any]]
LOOKS_MAX = 1000


async def _account(db: Reader, user_id: str) -> Any:
    return asdict(await personal.personal_data(db, user_id))


async def _consents(db: Reader, user_id: str) -> Any:
    rows = await db.fetch(
        "SELECT purpose, given, version, language, at FROM consents WHERE user_id = $1 ORDER BY consent_id",
        account_uuid(user_id),
    )
    return [dict(row) for row in rows]


async def _looks(db: Reader, user_id: str) -> Any:
    return [asdict(one) for one in await personal.access_log(db, user_id, limit=LOOKS_MAX)]


async def _sessions(db: Reader, user_id: str) -> Any:
    rows = await db.fetch(
        "SELECT created_at, last_seen_at, user_agent AS device FROM sessions WHERE user_id = $1"
        " UNION ALL SELECT created_at, NULL, device FROM token_families WHERE user_id = $1 AND revoked_at IS NULL"
        " ORDER BY created_at",
        account_uuid(user_id),
    )
    return [dict(row) for row in rows]


async def _requests(db: Reader, user_id: str) -> Any:
    rows = await db.fetch(
        "SELECT kind, message, state, created_at, answer, answered_at FROM data_requests WHERE user_id = $1"
        " ORDER BY created_at",
        account_uuid(user_id),
    )
    return [dict(row) for row in rows]


COLLECTORS: dict[str, Collector] = {
    "account": _account,
    "consents": _consents,
    "sessions": _sessions,
    "data_requests": _requests,
    "access_log": _looks,
    "points": points.copy_of,
    "permits": permits.collect,
    "papers": papers.copy_of,
    "carbon": carbon.collect,
}


async def copy_of(db: Reader, user_id: str, *, at: datetime) -> dict[str, Any]:
    """Everything that any part of the product holds about a person."""
    parts = {name: await collect(db, user_id) for name, collect in COLLECTORS.items()}
    return {"made_at": at, "terms_version": VERSION, **parts}
