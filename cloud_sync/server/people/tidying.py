"""What people leave behind in the store: owns which tokens, codes, counts and requests the daily run forgets."""

from __future__ import annotations

from datetime import datetime, timedelta

from cloud_sync.server.services import Services

COUNTS_KEPT = timedelta(days=2)  # longer than any window of `limits`
_OVER = ("token_families", "app_tokens", "oidc_flows", "guardian_codes")


async def tidy(
    given: Services, now: datetime, *, request_keys_days: int | None, data_requests_days: int | None = None
) -> int:
    """Deletes what is over; how many rows. A request goes so many days after its answer, an open one never."""
    statements = [(f"DELETE FROM {table} WHERE expires_at < $1", now) for table in _OVER]
    statements.append(("DELETE FROM request_counts WHERE window_start < $1", now - COUNTS_KEPT))
    if request_keys_days is not None:
        statements.append(("DELETE FROM idempotency_keys WHERE at < $1", now - timedelta(days=request_keys_days)))
    if data_requests_days is not None:
        before = now - timedelta(days=data_requests_days)
        statements.append(("DELETE FROM data_requests WHERE answered_at < $1", before))
    done = [await given.pool.execute(statement, before, timeout=300.0) for statement, before in statements]
    return sum(int(one.split()[-1]) for one in done)
