"""Ways between places: owns the dated rows of their metres, and which row holds on which day.

A row is never changed: the next one of the same two places takes over on its first day, so that an old trip counts
with the way of its day. 0 metres: nobody is taken there from that day on. Each direction is a way of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cloud_sync.server.points.desk_records import WayRecord
from cloud_sync.server.points.parts import day_of, text_of
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from cloud_sync.server.store import Actor, write_audit

METRES_MAX = 200_000
PLACE_CHARS_MAX = 200
_WRITING_LOCK = 73_017
_ROWS = (
    "SELECT from_place, to_place, metres, valid_from, source, author, reason, at,"
    " lead(valid_from) OVER (PARTITION BY from_place, to_place ORDER BY valid_from) AS valid_until FROM point_ways"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class WayWish:
    """A way from a place to another from a day on: its length, by which source, and why."""

    from_place: str
    to_place: str
    metres: int
    valid_from: date
    source: str
    reason: str


async def ways(db: Reader) -> tuple[WayRecord, ...]:
    """Every row, by its places, the newest day first."""
    rows = await db.fetch(f"{_ROWS} ORDER BY from_place, to_place, valid_from DESC")
    return tuple(WayRecord(**row) for row in rows)


async def ways_on(db: Reader, day: date) -> tuple[WayRecord, ...]:
    """The rows that hold on a day."""
    return tuple(row for row in await ways(db) if row.holds(day))


async def metres_between(db: Reader, places: Sequence[str], day: date) -> dict[tuple[str, str], int]:
    """The ways between some places on a day, in the directions of the table."""
    if len(set(places)) < 2:
        return {}
    rows = await db.fetch(
        "SELECT DISTINCT ON (from_place, to_place) from_place, to_place, metres FROM point_ways"
        " WHERE from_place = ANY ($1::text[]) AND to_place = ANY ($1::text[]) AND valid_from <= $2"
        " ORDER BY from_place, to_place, valid_from DESC",
        *(list(set(places)), day),
    )
    return {(row["from_place"], row["to_place"]): row["metres"] for row in rows if row["metres"]}


async def set_way(given: Services, actor: Actor, wish: WayWish) -> None:
    """Begins a row. The first of two places may begin on any day, a later one today or later. Raises Problem."""
    start, end = text_of(wish.from_place)[:PLACE_CHARS_MAX], text_of(wish.to_place)[:PLACE_CHARS_MAX]
    source, reason, now = text_of(wish.source), text_of(wish.reason), given.clock()
    if start == end or not 0 <= wish.metres <= METRES_MAX:
        raise Problem("invalid", detail=f"a way joins two places over at most {METRES_MAX} m")
    async with given.change() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _WRITING_LOCK)
        last = await connection.fetchrow(
            "SELECT metres, valid_from FROM point_ways WHERE from_place = $1 AND to_place = $2"
            " ORDER BY valid_from DESC LIMIT 1",
            *(start, end),
        )
        _check_next(wish, last, today=day_of(given, now))
        await connection.execute(
            "INSERT INTO point_ways (from_place, to_place, metres, valid_from, source, author, reason, at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            *(start, end, wish.metres, wish.valid_from, source, actor.username, reason, now),
        )
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="way_set",
            subject=("point_way", f"{start}>{end}"),
            before=None if last is None else {"metres": last["metres"]},
            after={"metres": wish.metres, "valid_from": wish.valid_from.isoformat(), "source": source},
            why=reason,
        )


def _check_next(wish: WayWish, last: Any, *, today: date) -> None:
    if wish.metres == (last["metres"] if last else 0):
        raise Problem("nothing_changed")
    if last and (wish.valid_from < today or wish.valid_from <= last["valid_from"]):
        raise Problem("way_day_taken", valid_from=last["valid_from"].isoformat())
