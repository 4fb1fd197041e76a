"""What riders prove of the shuttles: owns rides, passenger-kilometres, and the least that the shuttles drove.

A ride is two codes read by one person, as long as the way between its stops on that day. Two granted rides between the
same stops that do not overlap were two runs; the most rides of which no two overlap are the fewest runs there were.
Runs without a rider who read the codes are not seen, so that vehicle-kilometres are a lower bound, and null where no
ride proves any.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cloud_sync.server.sql import Reader

EMPTY: dict[str, Any] = {"rides": 0, "passenger_km": 0.0, "vehicle_km": None, "vehicle_km_known_frac": 0.0}
# Rides of the day before are looked at too, so that a run is the same in every span.
_BEFORE = timedelta(days=1)
_RIDES = """
  SELECT t.started_at, t.ended_at, t.metres, t.start_place, t.end_place,
    t.start_place <> '' AND coalesce(e.state = 'granted' AND e.reversed_at IS NULL, false) AS proven
  FROM point_trips t LEFT JOIN point_events e USING (event_id)
  WHERE t.key = 'shuttle' AND t.ended_at >= $1 AND t.ended_at < $2 ORDER BY t.ended_at, t.started_at DESC, t.trip_id
"""


async def by_hour(db: Reader, since: datetime, until: datetime) -> dict[datetime, dict[str, Any]]:
    """The rides of each hour that has any, by the hour in which they ended; kilometres with three places."""
    rides = await db.fetch(_RIDES, since - _BEFORE, until)
    hours: dict[datetime, list[tuple[Any, bool]]] = {}
    for ride, is_run in _with_runs(rides):
        if ride["ended_at"] >= since:
            at = ride["ended_at"].astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            hours.setdefault(at, []).append((ride, is_run))
    return {at: _body(of_hour) for at, of_hour in hours.items()}


def _with_runs(rides: Iterable[Any]) -> Iterable[tuple[Any, bool]]:
    """Each ride, in the order in which they ended, and whether it is the first one of another run."""
    ended: dict[tuple[str, str], datetime] = {}
    for ride in rides:
        way = ride["start_place"], ride["end_place"]
        is_run = ride["proven"] and (way not in ended or ride["started_at"] >= ended[way])
        if is_run:
            ended[way] = ride["ended_at"]
        yield ride, is_run


def _body(rides: list[tuple[Any, bool]]) -> dict[str, Any]:
    proven = sum(ride["proven"] for ride, _ in rides)
    run_metres = sum(ride["metres"] for ride, is_run in rides if is_run)
    return {
        "rides": len(rides),
        "passenger_km": round(sum(ride["metres"] for ride, _ in rides) / 1000, 3),
        "vehicle_km": round(run_metres / 1000, 3) if proven else None,
        "vehicle_km_known_frac": round(proven / len(rides), 4),
    }
