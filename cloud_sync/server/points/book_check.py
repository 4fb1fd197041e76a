"""Heads of the points ledger: owns their daily publication, and what was published. `proofs.points` compares them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cloud_sync.proofs.points import PREFETCH, Root
from cloud_sync.server.points.records import HeadRecord
from cloud_sync.server.sql import Reader

_HEADS_AT = """
SELECT person, length, head FROM point_balances WHERE last_at < $1
UNION ALL
(SELECT DISTINCT ON (e.person) e.person, e.seq, e.hash FROM point_entries e JOIN point_balances b USING (person)
  WHERE b.last_at >= $1 AND e.at < $1 ORDER BY e.person, e.seq DESC)
ORDER BY person
"""


async def publish_head(connection: Any, until: datetime, now: datetime) -> HeadRecord | None:
    """Publishes the head of everything before `until`, once; None where it is published already."""
    if await connection.fetchval("SELECT EXISTS (SELECT 1 FROM point_heads WHERE until >= $1)", until):
        return None
    root = Root()
    async for row in connection.cursor(_HEADS_AT, until, prefetch=PREFETCH):
        root.add(row["person"], row["length"], row["head"])
    await connection.execute(
        "INSERT INTO point_heads (until, accounts, entries, root, published_at) VALUES ($1, $2, $3, $4, $5)",
        *(until, root.accounts, root.entries, root.value, now),
    )
    return HeadRecord(until, root.accounts, root.entries, root.value.hex(), now)


async def heads(db: Reader, *, limit: int = 30) -> tuple[HeadRecord, ...]:
    """Published heads, the newest first."""
    rows = await db.fetch("SELECT * FROM point_heads ORDER BY until DESC LIMIT $1", limit)
    return tuple(
        HeadRecord(row["until"], row["accounts"], row["entries"], row["root"].hex(), row["published_at"])
        for row in rows
    )
