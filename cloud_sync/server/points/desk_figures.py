"""Figures for the office's desk and a merchant's counter: owns the sums of a day, of thirty days, and of a counter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from cloud_sync.server.points.parts import said
from cloud_sync.server.points.records import Sentence
from cloud_sync.server.sql import Reader
from control.points.methodology import scene_of
from control.points.redemption import State
from control.points.words import SCENES, STATES

COUNTER_LINES_MAX = 200

_SCENES_OF_DAY = """
WITH per_person AS (
  SELECT scene, person,
    count(*) FILTER (WHERE state = 'granted' AND reversed_at IS NULL) AS acts,
    coalesce(sum(points) FILTER (WHERE state = 'granted' AND reversed_at IS NULL), 0) AS points,
    coalesce(sum(grams) FILTER (WHERE state = 'granted' AND reversed_at IS NULL), 0) AS grams,
    coalesce(sum(points) FILTER (WHERE state = 'held'), 0) AS held_points,
    coalesce(sum(grams) FILTER (WHERE state <> 'refused' AND reversed_at IS NULL), 0) AS room_g
  FROM point_events WHERE day = $1 GROUP BY scene, person)
SELECT scene, sum(acts) AS acts, count(*) FILTER (WHERE acts > 0) AS people, sum(points) AS points,
  sum(grams) AS grams, sum(held_points) AS held_points, max(room_g) AS most_g
FROM per_person GROUP BY scene HAVING sum(acts) + sum(held_points) > 0 ORDER BY sum(points) DESC, scene
"""
_COUNTER = """
SELECT at, kind, what, points, amount_fen FROM (
  SELECT r.used_at AS at, 'redeemed' AS kind, r.item_id AS what, r.price_points AS points, NULL::bigint AS amount_fen
    FROM redemptions r WHERE r.used_by = $1 AND r.state = 'used' AND r.used_at >= $2
  UNION ALL
  SELECT c.at, 'act', e.key, e.points, NULL FROM merchant_confirmations c
    JOIN point_events e ON e.source_id = c.org_id AND e.evidence_ref LIKE c.confirmation_id || '.%'
    WHERE c.org_id = $1 AND c.at >= $2 AND e.ended_at >= $2 AND e.state <> 'refused'
  UNION ALL
  SELECT s.at, CASE WHEN s.reverses IS NULL THEN 'spend' ELSE 'taken_back' END, s.voucher_id, NULL, s.amount_fen
    FROM voucher_spends s WHERE s.merchant = $1 AND s.at >= $2) lines
ORDER BY at DESC LIMIT $3
"""


@dataclass(frozen=True, slots=True)
class SceneFigures:
    """One scene on one day; `most_g` is what the person nearest to the scene's cap has, held acts counted."""

    key: str
    scene: Sentence
    acts: int
    people: int
    points: int
    grams: int
    held_points: int
    most_g: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A day in all: what was given, to how many, and what waits (of any day)."""

    points: int
    acts: int
    people: int
    grams: int
    accounts: int
    held: int
    held_points: int
    scenes: tuple[SceneFigures, ...]


@dataclass(frozen=True, slots=True)
class CounterLine:
    """One thing at a counter: a redemption (`what` is the item), an act (its methodology), a voucher's spend."""

    at: datetime
    kind: str
    what: str
    points: int | None
    amount_fen: int | None


@dataclass(frozen=True, slots=True)
class StateCount:
    """Redemptions in one state, and their points."""

    state: Sentence
    count: int
    points: int


async def day_figures(db: Reader, day: date) -> DayFigures:
    """What one day of the island gave."""
    scenes = tuple(_scene(row) for row in await db.fetch(_SCENES_OF_DAY, day))
    row = await db.fetchrow(
        "SELECT (SELECT count(DISTINCT person) FROM point_events WHERE day = $1 AND state = 'granted') AS people,"
        " (SELECT count(*) FROM point_balances) AS accounts, count(*) AS held, coalesce(sum(points), 0) AS held_points"
        " FROM point_events WHERE state = 'held'",
        day,
    )
    return DayFigures(
        points=sum(one.points for one in scenes),
        acts=sum(one.acts for one in scenes),
        people=row["people"],
        grams=sum(one.grams for one in scenes),
        accounts=row["accounts"],
        held=row["held"],
        held_points=int(row["held_points"]),
        scenes=scenes,
    )


def _scene(row: Any) -> SceneFigures:
    numbers = {name: int(row[name]) for name in ("acts", "people", "points", "grams", "held_points", "most_g")}
    return SceneFigures(key=row["scene"], scene=said(SCENES, scene_of(row["scene"])), **numbers)


async def daily_points(db: Reader, until: date, *, days: int) -> tuple[tuple[date, int], ...]:
    """Points given on each of the last days, `until` being the last; a day on which none were given has 0."""
    first = until - timedelta(days=days - 1)
    rows = await db.fetch(
        "SELECT day, sum(points) AS points FROM point_events"
        " WHERE day BETWEEN $1 AND $2 AND state = 'granted' AND reversed_at IS NULL GROUP BY day",
        *(first, until),
    )
    found = {row["day"]: int(row["points"]) for row in rows}
    return tuple((day, found.get(day, 0)) for day in (first + timedelta(days=n) for n in range(days)))


async def device_names(db: Reader) -> dict[str, str]:
    """What each device is called."""
    return {row["device_id"]: row["name"] for row in await db.fetch("SELECT device_id, name FROM point_devices")}


async def released_entry(db: Reader, event_id: str, by: str, since: datetime) -> tuple[str, str] | None:
    """Person and entry of an act that somebody released not long ago and that was not taken back; else None."""
    row = await db.fetchrow(
        "SELECT person, entry_id FROM point_events WHERE event_id = $1 AND state = 'granted' AND decided_by = $2"
        " AND decided_at > $3 AND reversed_at IS NULL AND entry_id IS NOT NULL",
        *(event_id, by, since),
    )
    return None if row is None else (row["person"], row["entry_id"])


async def redemption_states(db: Reader) -> tuple[StateCount, ...]:
    """All redemptions by state, in the order of their life."""
    rows = await db.fetch("SELECT state, count(*) AS n, sum(price_points) AS points FROM redemptions GROUP BY state")
    found = {row["state"]: row for row in rows}
    return tuple(
        StateCount(
            said(STATES, state), *((found[state]["n"], int(found[state]["points"])) if state in found else (0, 0))
        )
        for state in State
    )


async def counter_lines(db: Reader, org_id: str, since: datetime) -> tuple[CounterLine, ...]:
    """What a counter did since a moment, the newest first; nothing of it names a person."""
    rows = await db.fetch(_COUNTER, org_id, since, COUNTER_LINES_MAX)
    return tuple(CounterLine(**row) for row in rows)
