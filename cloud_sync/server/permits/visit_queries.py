"""Reads of visits: owns the SQL over them for pages and programs.

A visit belongs to whose application it was made under, and to who has its plate confirmed, from the day of that on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud_sync.server.paging import cursor_of, place_of
from cloud_sync.server.permits.records import UnreadPassage, VisitPage, VisitRecord
from cloud_sync.server.permits.where import Where
from cloud_sync.server.sql import Reader, like_pattern
from control.domain.plates import normalise

PLATES_MAX = 1000
# The index of parts knows nothing shorter; what is shorter is in so many plates that the newest visits have some.
TRIGRAM = 3
_NAMES = tuple(VisitRecord.__dataclass_fields__)
_COLUMNS = ", ".join(f"v.{name}" for name in _NAMES)
_MINE = (
    "v.visit_id IN (SELECT m.visit_id FROM visits m JOIN applications a USING (application_id)"
    " WHERE a.applicant_id = ANY({0}::text[])"
    " UNION SELECT m.visit_id FROM visits m JOIN vehicles c USING (plate) WHERE c.owner_id = ANY({0}::text[])"
    " AND c.removed_at IS NULL AND c.confirmed_at <= coalesce(m.left_at, m.entered_at))"
)
# The plates first: by time alone, every visit would be looked at to find the few of a rare plate.
_LIKE = f"v.plate = ANY(ARRAY(SELECT DISTINCT p.plate FROM visits p WHERE p.plate LIKE {{}} LIMIT {PLATES_MAX}))"
_AT = "coalesce(v.entered_at, v.left_at)"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitFilter:
    """Which visits; None and empty mean any. `owners` None is everybody's, for staff."""

    owners: tuple[str, ...] | None = None
    plate: str = ""
    open_only: bool = False
    from_at: datetime | None = None
    until_at: datetime | None = None
    application_id: str = ""


async def listed(db: Reader, wanted: VisitFilter, *, cursor: str | None = None, limit: int = 50) -> VisitPage:
    """Visits that match, the newest first; withdrawn ones are left out. Raises Problem `bad_cursor`."""
    where = Where("v.withdrawn_at IS NULL")
    if wanted.owners is not None:
        where.add(_MINE, list(wanted.owners))
    if wanted.plate:
        text = normalise(wanted.plate)
        where.add(_LIKE if len(text) >= TRIGRAM else "v.plate LIKE {}", f"%{like_pattern(text)}%")
    if wanted.open_only:
        where.add("NOT v.is_over")
    if wanted.from_at is not None:
        where.add(f"{_AT} >= {{}}", wanted.from_at)
    if wanted.until_at is not None:
        where.add(f"{_AT} < {{}}", wanted.until_at)
    if wanted.application_id:
        where.add("v.application_id = {}", wanted.application_id)
    at, last = place_of(cursor)
    if at is not None:
        where.add(f"({_AT}, v.visit_id) < ({{}}, {{}})", at, last)
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM visits v WHERE {where.text} ORDER BY {_AT} DESC, v.visit_id DESC LIMIT {limit + 1}",
        *where.values,
    )
    items = tuple(_record(row) for row in rows[:limit])
    return VisitPage(items, _after(items[-1]) if len(rows) > limit else None)


async def one(db: Reader, visit_id: str, *, owners: tuple[str, ...] | None = None) -> VisitRecord | None:
    """One visit, withdrawn or not; None where it is not one of these owners'."""
    where = Where("v.visit_id = $1", visit_id)
    if owners is not None:
        where.add(_MINE, list(owners))
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM visits v WHERE {where.text}", *where.values)
    return _record(row) if row else None


async def owner_of(db: Reader, visit_id: str) -> str | None:
    """Whose a visit is: the applicant of the permit that it came under."""
    found: str | None = await db.fetchval(
        "SELECT applicant_id FROM visits JOIN applications USING (application_id) WHERE visit_id = $1", visit_id
    )
    return found


async def of_plate(db: Reader, plate: str, *, limit: int = 20) -> tuple[VisitRecord, ...]:
    """The latest visits of one vehicle, for who reviews its next application."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM visits v WHERE v.withdrawn_at IS NULL AND v.plate = $1"
        " ORDER BY coalesce(v.entered_at, v.left_at) DESC, v.visit_id DESC LIMIT $2",
        normalise(plate),
        limit,
    )
    return tuple(_record(row) for row in rows)


async def unread(db: Reader, *, limit: int = 100) -> tuple[UnreadPassage, ...]:
    """What went through unread, the newest first: it becomes a visit when a person names the plate."""
    rows = await db.fetch(
        "SELECT arrival_id, gate_id, direction, at, vehicle_type FROM visit_passages WHERE plate = ''"
        " ORDER BY hlc DESC LIMIT $1",
        limit,
    )
    return tuple(UnreadPassage(**row) for row in rows)


def _after(last: VisitRecord) -> str:
    at = last.entered_at or last.left_at
    assert at is not None
    return cursor_of(at, last.visit_id)


def _record(row: Any) -> VisitRecord:
    return VisitRecord(**{name: tuple(row[name]) if name == "flags" else row[name] for name in _NAMES})
