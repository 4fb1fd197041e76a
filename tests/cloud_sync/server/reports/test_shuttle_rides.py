"""What riders prove of the shuttles: rides that overlap between the same stops are one run, and nothing is no zero."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cloud_sync.server.carbon import shuttle_rides

NOON = datetime(2026, 11, 20, 4, tzinfo=UTC)


async def ride(pool: Any, name: str, minute: int, *, way: str = "pier>hall", metres: int = 3_000, **event: Any) -> None:
    """A ride of nine minutes, by a person of its own; granted unless told otherwise."""
    start, end = way.split(">") if way else ("", "")
    at, state = NOON + timedelta(minutes=minute), event.get("state", "granted")
    await pool.execute(
        "INSERT INTO point_trips (trip_id, person, key, start_scan, end_scan, start_place, end_place, metres,"
        " started_at, ended_at, event_id) VALUES ($1, $1, 'shuttle', $2, $3, $4, $5, $6, $7, $8, $1)",
        *(name, f"{name}-on", f"{name}-off", start, end, metres, at, at + timedelta(minutes=9)),
    )
    await pool.execute(
        "INSERT INTO point_events (event_id, person, key, scene, state, day, started_at, ended_at, claimed_at,"
        " evidence, source_id, evidence_ref, activity, dedupe_key, points, grams, reasons, judgement, decided_at,"
        " decided_by, reversed_at) VALUES ($1, $1, 'shuttle', 'shuttle', $2, '2026-11-20', $3, $3, $3, 'trip_codes',"
        " $1, $1, '3', $1, 1, 1, '{}', '{}', $3, 'cloud', $4)",
        *(name, state, at, event.get("reversed_at")),
    )


async def test_rides_that_overlap_are_one_run(services: Any) -> None:
    pool = services.pool
    # Two may be on one bus; whoever gets on after somebody got off is on another; one goes the other way meanwhile.
    for name, minute in (("ann", 0), ("bob", 5), ("cai", 10)):
        await ride(pool, name, minute)
    await ride(pool, "dan", 1, way="hall>pier", metres=4_000)
    hours = await shuttle_rides.by_hour(pool, NOON, NOON + timedelta(hours=2))
    whole = {"rides": 4, "passenger_km": 13.0, "vehicle_km": 10.0, "vehicle_km_known_frac": 1.0}
    assert hours == {NOON: whole}


async def test_what_was_not_granted_proves_no_run(services: Any) -> None:
    pool = services.pool
    await ride(pool, "ann", 0)
    await ride(pool, "bob", 15, state="held")
    await ride(pool, "cai", 30, reversed_at=NOON)
    await ride(pool, "dan", 70, state="refused")
    await ride(pool, "eva", 130, way="")
    hours = await shuttle_rides.by_hour(pool, NOON, NOON + timedelta(hours=4))
    told = [(one["rides"], one["vehicle_km"], one["vehicle_km_known_frac"]) for one in hours.values()]
    assert told == [(3, 3.0, 0.3333), (1, None, 0.0), (1, None, 0.0)]


async def test_a_run_that_began_in_the_hour_before_counts_there(services: Any) -> None:
    pool = services.pool
    await ride(pool, "ann", 50)
    await ride(pool, "bob", 55)
    spans = [
        await shuttle_rides.by_hour(pool, NOON + timedelta(hours=one), NOON + timedelta(hours=2)) for one in (0, 1)
    ]
    assert spans[0][NOON]["vehicle_km"] == 3.0
    later = NOON + timedelta(hours=1)
    assert spans[0][later] == spans[1][later]
    assert spans[1][later]["vehicle_km"] == 0.0
