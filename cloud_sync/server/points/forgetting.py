"""What points forget by rule: owns that where and when people went does not outlive its use. The ledger stays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from cloud_sync.server.services import Services

RULE = "points_ways"
_STATEMENTS = (
    "DELETE FROM point_scans WHERE received_at < $1",
    "DELETE FROM point_charge_claims WHERE at < $1",
    "UPDATE point_trips SET start_place = '', end_place = '' WHERE ended_at < $1 AND start_place <> ''",
    "UPDATE point_events SET start_place = '', end_place = '' WHERE ended_at < $1 AND start_place <> ''",
)


async def forget(given: Services, now: datetime, days: Mapping[str, int]) -> int:
    """Scans and charging claims that are too old, and the places of old trips; how many rows."""
    if RULE not in days:
        return 0
    before, count = now - timedelta(days=days[RULE]), 0
    for statement in _STATEMENTS:
        done = await given.pool.execute(statement, before, timeout=300.0)
        count += int(done.split()[-1])
    return count
