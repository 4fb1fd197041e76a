"""What the office reads of points: owns held acts, appeals, figures by day and scene, refusals, one person."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from cloud_sync.server import rule_books
from cloud_sync.server.paging import place_of
from cloud_sync.server.people.members import names, points_person
from cloud_sync.server.points import queries, told
from cloud_sync.server.points.desk_records import (
    AppealRecord,
    HeldPage,
    HeldRecord,
    Overview,
    PersonPoints,
    RefusalCell,
    SceneDay,
)
from cloud_sync.server.points.parts import said
from cloud_sync.server.points.records import Sentence
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from control.points.earning_types import Refused
from control.points.methodology import Scene
from control.points.rotating_code import CodeRefused
from control.points.trips import TripRefused
from control.points.words import CODES, REFUSED, SCENES, TRIPS

WEEK = timedelta(days=7)
DAYS_MAX = 400
CELLS_MAX = 2_000


async def held(db: Reader, *, cursor: str | None = None, limit: int = 50) -> HeldPage:
    """What waits for a look, the oldest first, with what the person did in the week before."""
    at, event_id = place_of(cursor)
    rows = await db.fetch(
        "SELECT e.*, u.created_at AS opened_at, w.events, w.held, w.refused FROM point_events e"
        " LEFT JOIN users u ON u.user_id = e.person::uuid"
        " CROSS JOIN LATERAL (SELECT count(*) AS events, count(*) FILTER (WHERE state = 'held') AS held,"
        "   count(*) FILTER (WHERE state = 'refused') AS refused FROM point_events p"
        "   WHERE p.person = e.person AND p.claimed_at BETWEEN e.claimed_at - $4::interval AND e.claimed_at) w"
        " WHERE e.state = 'held' AND ($1::timestamptz IS NULL OR (e.claimed_at, e.event_id) > ($1, $2))"
        " ORDER BY e.claimed_at, e.event_id LIMIT $3",
        *(at, event_id, limit + 1, WEEK),
    )
    shown = rows[:limit]
    methods = await rule_books.methodologies(db)
    called = await names(db, {row["person"] for row in shown})
    made = tuple(
        HeldRecord(
            event=told.earning(row, methods),
            person_name=called.get(row["person"], ""),
            account_opened_at=row["opened_at"] or row["claimed_at"],
            events_week=row["events"],
            held_week=row["held"],
            refused_week=row["refused"],
        )
        for row in shown
    )
    total = await db.fetchval("SELECT count(*) FROM point_events WHERE state = 'held'")
    return HeldPage(made, queries.next_act(rows, limit), total)


async def appeals(
    db: Reader, *, state: str = "open", person: str = "", before: str | None = None, limit: int = 50
) -> tuple[AppealRecord, ...]:
    """Appeals in a state (empty: all), the newest first; of one person where named."""
    rows = await db.fetch(
        "SELECT a.appeal_id, a.person, a.text, a.at, a.state AS appeal_state, a.points AS appeal_points, a.answer,"
        " a.decided_at AS answered_at, a.decided_by AS answered_by, a.event_id"
        " FROM point_appeals a WHERE ($1 = '' OR a.state = $1) AND ($2 = '' OR a.person = $2)"
        " AND ($3::text IS NULL OR a.appeal_id < $3) ORDER BY a.appeal_id DESC LIMIT $4",
        *(state, person, before, limit),
    )
    events = await db.fetch(
        "SELECT e.* FROM point_events e JOIN point_appeals a USING (event_id) WHERE a.appeal_id = ANY ($1::text[])",
        [row["appeal_id"] for row in rows],
    )
    methods = await rule_books.methodologies(db)
    by_id = {row["event_id"]: told.earning(row, methods) for row in events}
    called = await names(db, {row["person"] for row in rows})
    return tuple(
        AppealRecord(
            appeal_id=row["appeal_id"],
            person=row["person"],
            person_name=called.get(row["person"], ""),
            event=by_id[row["event_id"]],
            text=row["text"],
            at=row["at"],
            state=row["appeal_state"],
            points=row["appeal_points"],
            answer=row["answer"],
            decided_at=row["answered_at"],
            decided_by=row["answered_by"],
        )
        for row in rows
    )


async def overview(db: Reader, *, since: date, until: date) -> Overview:
    """Figures by day and scene, both days included. Raises Problem `invalid`."""
    _check_days(since, until)
    rows = await db.fetch(
        "SELECT day, scene, count(*) FILTER (WHERE state = 'granted' AND reversed_at IS NULL) AS granted,"
        " count(*) FILTER (WHERE state = 'held') AS held, count(*) FILTER (WHERE state = 'refused') AS refused,"
        " coalesce(sum(points) FILTER (WHERE state = 'granted' AND reversed_at IS NULL), 0)::bigint AS points,"
        " coalesce(sum(grams) FILTER (WHERE state = 'granted' AND reversed_at IS NULL), 0)::bigint AS grams,"
        " count(DISTINCT person) FILTER (WHERE state = 'granted') AS people"
        " FROM point_events WHERE day BETWEEN $1 AND $2 GROUP BY day, scene ORDER BY day DESC, scene",
        *(since, until),
    )
    days = tuple(SceneDay(**{**dict(row), "scene": said(SCENES, Scene(row["scene"]))}) for row in rows)
    now = await db.fetchrow(
        "SELECT (SELECT count(*) FROM point_events WHERE state = 'held') AS held_open,"
        " (SELECT count(*) FROM point_appeals WHERE state = 'open') AS appeals_open,"
        " (SELECT count(*) FROM point_balances) AS accounts,"
        " (SELECT coalesce(sum(balance), 0)::bigint FROM point_balances) AS outstanding_points,"
        " (SELECT coalesce(sum(price_points), 0)::bigint FROM redemptions WHERE state <> 'returned')"
        "   AS redeemed_points,"
        " (SELECT count(DISTINCT person) FROM point_events"
        "   WHERE day BETWEEN $1 AND $2 AND state = 'granted') AS people",
        *(since, until),
    )
    return Overview(
        since=since,
        until=until,
        rows=days,
        granted_points=sum(one.points for one in days),
        grams=sum(one.grams for one in days),
        **dict(now),
    )


def _check_days(since: date, until: date) -> None:
    if not timedelta(0) <= until - since <= timedelta(days=DAYS_MAX):
        raise Problem("invalid", detail=f"since must not be after until, at most {DAYS_MAX} days")


async def refusals(db: Reader, zone: tzinfo, *, since: datetime, until: datetime) -> tuple[RefusalCell, ...]:
    """How often each reason came up at each device or place, by hour of the island's day; the most frequent first."""
    _check_days(since.date(), until.date())
    rows = await db.fetch(
        "WITH told AS ("
        " SELECT coalesce(nullif(s.device_id, ''), '?') AS source_id, s.received_at AS at, s.reason FROM point_scans s"
        "   WHERE s.reason <> '' AND s.received_at >= $1 AND s.received_at < $2"
        " UNION ALL"
        " SELECT e.source_id, e.claimed_at, unnest(e.reasons) FROM point_events e WHERE e.state = 'refused'"
        "   AND e.evidence NOT IN ('device_code', 'trip_codes') AND e.claimed_at >= $1 AND e.claimed_at < $2)"
        " SELECT source_id, coalesce(d.name, o.name, '') AS name, reason, count(*) AS count,"
        "   extract(hour FROM at AT TIME ZONE $3)::int AS hour FROM told"
        " LEFT JOIN point_devices d ON d.device_id = source_id LEFT JOIN organisations o ON o.org_id = source_id"
        " GROUP BY source_id, 2, reason, hour ORDER BY count DESC, source_id, hour LIMIT $4",
        *(since, until, str(zone), CELLS_MAX),
    )
    return tuple(
        RefusalCell(row["source_id"], row["name"], row["hour"], refusal_word(row["reason"]), row["count"])
        for row in rows
    )


def refusal_word(code: str) -> Sentence:
    """The sentence of a refusal, whichever part of the domain it comes from."""
    if code in set(CodeRefused):
        return said(CODES, CodeRefused(code))
    if code in set(TripRefused):
        return said(TRIPS, TripRefused(code))
    return said(REFUSED, Refused(code)) if code in set(Refused) else told.reason(code)


async def person(given: Services, user_id: str) -> PersonPoints:
    """One person's account for staff; the caller notes that it was opened. Raises Problem `not_found`."""
    found = await points_person(given.pool, user_id)
    called: dict[str, Any] = await names(given.pool, [user_id])
    return PersonPoints(
        person=user_id,
        name=called.get(user_id, ""),
        opened_at=found.opened_at,
        me=await queries.me(given, user_id),
        events=await queries.events(given.pool, user_id),
    )
