"""Where and when people went is forgotten by rule; what they earned stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cloud_sync.server import retention

SCAN = (
    "INSERT INTO point_scans (scan_id, person, received_at, scanned_at, remote, state)"
    " VALUES ($1, 'p', $2, $2, '', 'x')"
)
TRIP = (
    "INSERT INTO point_trips (trip_id, person, key, start_scan, end_scan, start_place, end_place, metres, started_at,"
    " ended_at, event_id) VALUES ($1, 'p', 'shuttle', $1 || 'a', $1 || 'b', 'pier', 'centre', 2600, $2, $2, $1)"
)


async def test_ways_are_forgotten_after_their_time(services: Any) -> None:
    now = services.clock()
    for name, days in (("old", 366), ("young", 364)):
        await services.pool.execute(SCAN, name, now - timedelta(days=days))
        await services.pool.execute(TRIP, name, now - timedelta(days=days))
    await retention.run_once(services)
    assert [row["scan_id"] for row in await services.pool.fetch("SELECT scan_id FROM point_scans")] == ["young"]
    trips = await services.pool.fetch("SELECT trip_id, start_place, metres FROM point_trips ORDER BY trip_id")
    assert [tuple(row) for row in trips] == [("old", "", 2600), ("young", "pier", 2600)]
    again = await retention.run_once(services)
    assert again.rows_deleted == 0
