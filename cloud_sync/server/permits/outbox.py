"""Arrivals whose visits have to be looked at again: owns the list between ingest and the worker of visits.

Rows are written in the transaction of what happened, so that none is lost and none comes too early.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

CHANNEL = "island_visit_todo"


async def put(connection: Any, arrival_ids: Iterable[str]) -> None:
    """Appends arrivals and wakes the worker when the caller's transaction commits."""
    arrivals = list(arrival_ids)
    if not arrivals:
        return
    await connection.execute("INSERT INTO visit_todo (arrival_id) SELECT unnest($1::text[])", arrivals)
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)
