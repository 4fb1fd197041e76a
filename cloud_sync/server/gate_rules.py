"""Rules on their way to the gates: owns the set that is published from the gate's rule book.

A set keeps what was sent, with instants; the newest holds, and the gates complete it with the rows they ship with.
"""

from __future__ import annotations

import json
from datetime import datetime, tzinfo
from typing import Any

from cloud_sync.server import rule_books
from cloud_sync.server.store import Actor, new_snapshot
from control.gate.rule_book import sent_rows


async def publish(connection: Any, actor: Actor, *, reason: str, at: datetime, zone: tzinfo) -> None:
    """Publishes the newest gate book with a new snapshot; to be called last in the transaction that wrote the book."""
    book = await rule_books.gate_rules(connection)
    await connection.execute("UPDATE rule_sets SET valid_until = $1 WHERE valid_until IS NULL", at)
    await connection.execute(
        "INSERT INTO rule_sets (rule_version, body, valid_from, author, reason, created_at)"
        " VALUES ($1, $2::jsonb, $3, $4, $5, $3)",
        f"office-{book.version}",
        json.dumps({"rule": sent_rows(book, zone)}, ensure_ascii=False),
        at,
        actor.username,
        reason,
    )
    await new_snapshot(connection, at, actor, f"gate rules {book.version}")
