"""How long papers of people stay: owns taking name, plates and times out of a paper's record, and its file away.

What stays is that a paper with this number, code and file was issued, and when: whoever holds it learns at its code
that its record was withdrawn by rule. Papers of the whole zone and of events name no visitor and stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cloud_sync.server.papers.issued import OF_PEOPLE, files
from cloud_sync.server.services import Services

KIND = "papers"
_REDACT = (
    "UPDATE papers SET facts = '{}', issued_by = '', issued_for = NULL, redacted_at = $1 WHERE redacted_at IS NULL"
)


async def erase(connection: Any, user_id: str, at: datetime) -> None:
    """The papers of an account that is deleted; their files go with `remove_files` when that is done for good."""
    await connection.execute(f"{_REDACT} AND issued_for = $2", at, user_id)


async def forget(given: Services, now: datetime, days: Mapping[str, int]) -> int:
    """One run by the rows that hold now; how many papers. Safe to repeat after a crash."""
    count = 0
    if KIND in days:
        before = now - timedelta(days=days[KIND])
        done = await given.pool.execute(
            f"{_REDACT} AND issued_at < $2 AND kind = ANY($3::text[])", now, before, list(OF_PEOPLE), timeout=300.0
        )
        count = int(done.split()[-1])
    await remove_files(given)
    return count


async def remove_files(given: Services, *, since: datetime | None = None) -> None:
    """Removes what still lies of papers whose record was withdrawn, all or since a time."""
    rows = await given.pool.fetch(
        "SELECT sha256 FROM papers WHERE redacted_at IS NOT NULL AND ($1::timestamptz IS NULL OR redacted_at >= $1)",
        since,
    )
    await asyncio.to_thread(_unlink, [files(given).path_of(row["sha256"]) for row in rows])


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
