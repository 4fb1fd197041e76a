"""What a person reads of their own points: owns the account of today, history, acts, trips and badges."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cloud_sync.server import rule_books
from cloud_sync.server.paging import cursor_of, place_of
from cloud_sync.server.points import told
from cloud_sync.server.points.equivalents import equivalents
from cloud_sync.server.points.parts import day_of, midnight, said
from cloud_sync.server.points.records import (
    BadgeRecord,
    EventPage,
    GoalRecord,
    HistoryPage,
    PointsOfMe,
    TripRecord,
)
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from control.points.methodology import scene_of
from control.points.words import SCENES

LIMIT_MAX = 200

_ME = """
SELECT coalesce(b.balance, 0) AS balance, coalesce(b.debt, 0) AS debt,
  (SELECT coalesce(sum(points_left), 0) FROM point_lots WHERE person = p.person AND valid_until <= $2) AS ended,
  n.valid_until AS next_end_at, coalesce(n.points, 0) AS next_end_points,
  h.points AS held_points, h.number AS held_count, t.points AS today_points, t.grams AS today_grams,
  m.points AS month_points, g.month_points AS goal,
  (SELECT coalesce(sum(grams), 0) FROM point_events
    WHERE person = p.person AND state = 'granted' AND reversed_at IS NULL) AS total_grams
FROM (SELECT $1::text AS person) p
LEFT JOIN point_balances b ON b.person = p.person
LEFT JOIN point_goals g ON g.person = p.person
LEFT JOIN LATERAL (SELECT valid_until, sum(points_left) AS points FROM point_lots
  WHERE person = p.person AND valid_until > $2 GROUP BY valid_until ORDER BY valid_until LIMIT 1) n ON true
CROSS JOIN LATERAL (SELECT coalesce(sum(points), 0) AS points, count(*) AS number FROM point_events
  WHERE person = p.person AND state = 'held') h
CROSS JOIN LATERAL (SELECT coalesce(sum(points), 0) AS points, coalesce(sum(grams), 0) AS grams FROM point_events
  WHERE person = p.person AND state = 'granted' AND reversed_at IS NULL AND ended_at >= $3) t
CROSS JOIN LATERAL (SELECT coalesce(sum(points), 0) AS points FROM point_events
  WHERE person = p.person AND state = 'granted' AND reversed_at IS NULL AND ended_at >= $4) m
"""


async def me(given: Services, person: str) -> PointsOfMe:
    """The account today, with what waits, what ends next, and what the grams stand for."""
    now = given.clock()
    today = day_of(given, now)
    async with given.reading() as db:
        row = await db.fetchrow(_ME, person, now, midnight(given, today), midnight(given, today.replace(day=1)))
        shown = await equivalents(db, int(row["total_grams"]), today)
        earned = await badges(db, person)
    return PointsOfMe(
        balance=row["balance"],
        available=0 if row["debt"] else int(row["balance"] - row["ended"]),
        debt=row["debt"],
        held_points=row["held_points"],
        held_count=row["held_count"],
        today_points=row["today_points"],
        today_grams=int(row["today_grams"]),
        total_grams=int(row["total_grams"]),
        next_end_at=row["next_end_at"],
        next_end_points=int(row["next_end_points"]),
        equivalents=shown,
        badges=earned,
        goal=None if row["goal"] is None else GoalRecord(row["goal"], row["month_points"]),
    )


async def badges(db: Reader, person: str) -> tuple[BadgeRecord, ...]:
    """Badges, the newest first."""
    rows = await db.fetch(
        "SELECT badge, count(*) AS times, min(ended_at) AS first_at, max(ended_at) AS last_at FROM point_events"
        " WHERE person = $1 AND badge <> '' AND state = 'granted' AND reversed_at IS NULL"
        " GROUP BY badge ORDER BY last_at DESC",
        person,
    )
    return tuple(BadgeRecord(**row) for row in rows)


async def set_goal(given: Services, person: str, month_points: int) -> None:
    """What a person wants to earn in a month; their own wish, and no audit."""
    await given.pool.execute(
        "INSERT INTO point_goals (person, month_points, set_at) VALUES ($1, $2, $3)"
        " ON CONFLICT (person) DO UPDATE SET month_points = excluded.month_points, set_at = excluded.set_at",
        *(person, month_points, given.clock()),
    )


async def drop_goal(given: Services, person: str) -> None:
    """No goal."""
    await given.pool.execute("DELETE FROM point_goals WHERE person = $1", person)


async def history(db: Reader, person: str, *, before: int | None = None, limit: int = 50) -> HistoryPage:
    """The ledger of a person, the newest first, with the formula behind what was earned."""
    rows = await db.fetch(
        "SELECT * FROM point_entries WHERE person = $1 AND ($2::integer IS NULL OR seq < $2)"
        " ORDER BY seq DESC LIMIT $3",
        *(person, before, limit + 1),
    )
    methods = await rule_books.methodologies(db)
    shown = rows[:limit]
    events = await db.fetch(
        "SELECT * FROM point_events WHERE person = $1 AND entry_id = ANY ($2::text[])",
        *(person, [row["entry_id"] for row in shown if row["kind"] == "earn"]),
    )
    by_entry = {row["entry_id"]: told.earning(row, methods) for row in events}
    made = tuple(told.entry(row, by_entry.get(row["entry_id"])) for row in shown)
    return HistoryPage(made, shown[-1]["seq"] if len(rows) > limit else None)


async def taken_back(db: Reader, person: str, entry_ids: Sequence[str]) -> frozenset[str]:
    """Those of a person's entries that were reversed."""
    rows = await db.fetch(
        "SELECT about FROM point_entries WHERE person = $1 AND kind = 'reverse' AND about = ANY ($2::text[])",
        *(person, list(entry_ids)),
    )
    return frozenset(row["about"] for row in rows)


async def events(db: Reader, person: str, *, state: str = "", cursor: str | None = None, limit: int = 50) -> EventPage:
    """The acts of a person by when they were claimed, the newest first; also what was refused, and why."""
    at, event_id = place_of(cursor)
    rows = await db.fetch(
        "SELECT * FROM point_events WHERE person = $1 AND ($2 = '' OR state = $2)"
        " AND ($3::timestamptz IS NULL OR (claimed_at, event_id) < ($3, $4))"
        " ORDER BY claimed_at DESC, event_id DESC LIMIT $5",
        *(person, state, at, event_id, limit + 1),
    )
    methods = await rule_books.methodologies(db)
    shown = rows[:limit]
    return EventPage(tuple(told.earning(row, methods) for row in shown), next_act(rows, limit))


def next_act(rows: list[Any], limit: int) -> str | None:
    """The cursor behind the last act that is shown, None where no more were read."""
    return cursor_of(rows[limit - 1]["claimed_at"], rows[limit - 1]["event_id"]) if len(rows) > limit else None


async def trips(db: Reader, person: str, *, now: datetime, longest_s: int, limit: int = 50) -> tuple[TripRecord, ...]:
    """Ways between two codes, the newest first, the one that still runs at the head."""
    rows = await db.fetch(
        "SELECT e.*, t.trip_id, t.metres FROM point_trips t JOIN point_events e USING (event_id)"
        " WHERE t.person = $1 ORDER BY t.ended_at DESC LIMIT $2",
        *(person, limit),
    )
    methods = await rule_books.methodologies(db)
    running = await db.fetchrow(
        "SELECT s.key, s.place, s.direction, s.code_at FROM point_scans s WHERE s.person = $1"
        " AND s.direction IN ('start', 'end') AND s.code_at > $2 ORDER BY s.code_at DESC LIMIT 1",
        *(person, now - timedelta(seconds=longest_s)),
    )
    made = tuple(
        TripRecord(
            trip_id=row["trip_id"],
            scene=said(SCENES, scene_of(row["key"])),
            start_place=row["start_place"],
            end_place=row["end_place"],
            metres=row["metres"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            state=row["state"],
            points=row["points"],
            grams=row["grams"],
            event=told.earning(row, methods),
        )
        for row in rows
    )
    if running is None or running["direction"] != "start":
        return made
    scene, place, at = said(SCENES, scene_of(running["key"])), running["place"], running["code_at"]
    ends_by = at + timedelta(seconds=longest_s)
    return (TripRecord(None, scene, place, "", None, at, None, "running", 0, 0, ends_by=ends_by), *made)
