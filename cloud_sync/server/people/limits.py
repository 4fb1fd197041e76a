"""Rate limits of single acts: owns how requests are counted in fixed windows, and the refusal when there are too many.

Counted outside the caller's transaction, so that a refused or failed request counts as well. Keys are kept hashed.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services

HOUR_S = 3_600


async def limit(given: Services, key: str, max: int, window_s: int) -> None:
    """Counts one request under `key`. Raises Problem `too_many_requests` from the one after `max` in a window."""
    now = given.clock()
    began_s = int(now.timestamp()) // window_s * window_s
    count = await given.pool.fetchval(
        "INSERT INTO request_counts (limit_key, window_start, requests) VALUES ($1, $2, 1)"
        " ON CONFLICT (limit_key, window_start) DO UPDATE SET requests = request_counts.requests + 1"
        " RETURNING requests",
        hashlib.sha256(f"{window_s}/{key}".encode("utf-8", "surrogatepass")).hexdigest(),
        datetime.fromtimestamp(began_s, UTC),
    )
    if count > max:
        raise Problem("too_many_requests", retry_after_s=began_s + window_s - int(now.timestamp()))
