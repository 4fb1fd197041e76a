"""Events that want to be neutral: owns their accounts, from the first line to the certificate.

An event's account is open while lines are added, closed when its footprint is posted to the book, and covered by a
retirement of its own, which two people make on the ledger. Taking the closing back reverses the debit: nothing is
deleted.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import uuid_utils

from cloud_sync.server import rule_books
from cloud_sync.server.carbon import retirements
from cloud_sync.server.carbon.events_book import EventState, event_state, post_event, reverse_event
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader, as_json
from cloud_sync.server.store import Actor, write_audit
from control.carbon.event_footprint import EventFootprint, EventLine, event_footprint
from control.carbon.exact import GRAMS_PER_TONNE
from control.carbon.factor_keys import EventSource
from control.carbon.factors import FactorSet, MissingFactor
from control.carbon.postings import event_subject

AMOUNT_MAX = Decimal(10_000_000_000)
NAME_MAX, NOTE_MAX = 120, 200
LINES_MAX = 200
PAGE_MAX = 100


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event in a list; `grams` once it is closed."""

    event_id: str
    name: str
    name_en: str
    organiser: str
    starts_on: date
    ends_on: date
    people: int
    state: str
    grams: int | None


@dataclass(frozen=True, slots=True)
class LineRow:
    """One line of an account. `amount` is in the source's unit."""

    line_id: str
    source: str
    amount: Decimal
    measured: bool
    note: str
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True)
class EventPartRow:
    """Grams of one source."""

    source: str
    amount: str
    unit: str
    kg_per_unit: str
    grams: int
    factor_id: str


@dataclass(frozen=True, slots=True)
class FootprintRow:
    """What an account comes to: as posted when it is closed, else as of now."""

    grams: int
    uncertainty_frac: str
    parts: tuple[EventPartRow, ...]
    factor_version: str
    factor_ids: tuple[str, ...]
    day: str


@dataclass(frozen=True, slots=True)
class RetirementOf:
    """A retirement that was made for an event."""

    retirement_id: str
    state: str
    tonnes: int
    proposed_by: str
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One event with everything. `tonnes_needed` is what a retirement has to bring; 0 when nothing is open."""

    row: EventRow
    lines: tuple[LineRow, ...]
    footprint: FootprintRow | None
    state: EventState
    tonnes_needed: int
    retirements: tuple[RetirementOf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An account to open."""

    name: str
    name_en: str = ""
    organiser: str
    starts_on: date
    ends_on: date
    people: int


_ROW = ", ".join(EventRow.__dataclass_fields__)
_LINE = ", ".join(LineRow.__dataclass_fields__)


# ---------------------------------------------------------------- reads


async def listed(db: Reader, *, cursor: str = "", limit: int = 50) -> tuple[tuple[EventRow, ...], str | None]:
    """Events, the newest first, and the cursor of the next page."""
    limit = min(limit, PAGE_MAX)
    rows = await db.fetch(
        f"SELECT {_ROW} FROM carbon_events WHERE $1 = '' OR (starts_on, event_id) <"
        " (SELECT starts_on, event_id FROM carbon_events WHERE event_id = $1)"
        " ORDER BY starts_on DESC, event_id DESC LIMIT $2",
        *(cursor, limit + 1),
    )
    found = tuple(EventRow(**row) for row in rows[:limit])
    return found, found[-1].event_id if len(rows) > limit else None


async def record(db: Reader, event_id: str) -> EventRecord:
    """One event. Raises Problem `not_found`."""
    row = await db.fetchrow(f"SELECT {_ROW}, footprint FROM carbon_events WHERE event_id = $1", event_id)
    if row is None:
        raise Problem("not_found")
    shown = EventRow(**{name: row[name] for name in EventRow.__dataclass_fields__})
    lines = await _lines(db, event_id)
    footprint = as_json(row["footprint"]) if row["footprint"] else None
    if footprint is None and lines:
        footprint = as_mapping(_footprint(lines, shown.ends_on, await rule_books.factors(db)))
    state = await event_state(db, event_id)
    made = await db.fetch(
        "SELECT retirement_id, state, tonnes, proposed_by, decided_at FROM retirements WHERE subject = $1"
        " ORDER BY proposed_at",
        event_subject(event_id),
    )
    promised_g = GRAMS_PER_TONNE * sum(one["tonnes"] for one in made if one["state"] == "proposed")
    open_g = max(0, state.owed_g - state.covered_g - promised_g)
    return EventRecord(
        row=shown,
        lines=lines,
        footprint=_footprint_row(footprint) if footprint else None,
        state=state,
        tonnes_needed=-(-open_g // GRAMS_PER_TONNE),
        retirements=tuple(RetirementOf(**one) for one in made),
    )


async def _lines(db: Reader, event_id: str) -> tuple[LineRow, ...]:
    rows = await db.fetch(
        f"SELECT {_LINE} FROM carbon_event_lines WHERE event_id = $1 AND withdrawn_at IS NULL"
        " ORDER BY added_at, line_id",
        event_id,
    )
    return tuple(LineRow(**row) for row in rows)


def _footprint(lines: Sequence[LineRow], day: date, factors: FactorSet) -> EventFootprint:
    given = [EventLine(EventSource(one.source), one.amount, one.measured) for one in lines]
    try:
        return event_footprint(given, day, factors)
    except MissingFactor as error:
        raise Problem("invalid", detail=str(error)) from error


def as_mapping(found: EventFootprint) -> dict[str, Any]:
    """A footprint as it is kept."""
    return {
        "grams": found.grams,
        "uncertainty_frac": str(found.uncertainty_frac),
        "parts": [
            {
                "source": one.source.value,
                "amount": str(one.amount),
                "unit": one.unit,
                "kg_per_unit": str(one.kg_per_unit),
                "grams": one.grams,
                "factor_id": one.factor_id,
            }
            for one in found.parts
        ],
        "factor_version": found.factor_version,
        "factor_ids": list(found.factor_ids),
        "day": found.day.isoformat(),
    }


def _footprint_row(told: dict[str, Any]) -> FootprintRow:
    parts = tuple(EventPartRow(**one) for one in told["parts"])
    return FootprintRow(**{**told, "parts": parts, "factor_ids": tuple(told["factor_ids"])})


# ---------------------------------------------------------------- changes


async def create(given: Services, actor: Actor, wanted: NewEvent) -> str:
    """Opens an account; its id. Raises Problem."""
    name, organiser = wanted.name.strip()[:NAME_MAX], wanted.organiser.strip()[:NAME_MAX]
    if not name or not organiser or not 0 < wanted.people < 1_000_000 or wanted.ends_on < wanted.starts_on:
        raise Problem("invalid", detail="name, organiser, people, days")
    # An event of a day without factors could never be counted.
    one_meal = LineRow("", EventSource.MEAL.value, Decimal(1), False, "", given.clock(), "")
    _footprint([one_meal], wanted.ends_on, await rule_books.factors(given.pool))
    now, event_id = given.clock(), f"HD-{uuid_utils.uuid7()!s}"
    async with given.change() as connection:
        await connection.execute(
            "INSERT INTO carbon_events (event_id, name, name_en, organiser, starts_on, ends_on, people, state,"
            " created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9)",
            *(event_id, name, wanted.name_en.strip()[:NAME_MAX], organiser, wanted.starts_on, wanted.ends_on),
            *(wanted.people, now, actor.username),
        )
        after = {"name": name, "organiser": organiser, "people": wanted.people}
        await _noted(connection, now, actor, "event_opened", event_id, after=after)
    return event_id


async def add_line(
    given: Services, actor: Actor, event_id: str, *, source: EventSource, amount: Decimal, measured: bool, note: str
) -> str:
    """Adds a line to an open account; its id. Raises Problem."""
    if not amount.is_finite() or not 0 < amount <= AMOUNT_MAX:
        raise Problem("invalid", detail="amount")
    now, line_id = given.clock(), str(uuid_utils.uuid7())
    async with given.change() as connection:
        await _open_event(connection, event_id)
        count = await connection.fetchval("SELECT count(*) FROM carbon_event_lines WHERE event_id = $1", event_id)
        if count >= LINES_MAX:
            raise Problem("invalid", detail=f"at most {LINES_MAX} lines")
        await connection.execute(
            "INSERT INTO carbon_event_lines (line_id, event_id, source, amount, measured, note, added_at, added_by)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            *(line_id, event_id, source.value, round(amount, 3), measured, note.strip()[:NOTE_MAX], now),
            actor.username,
        )
        after = {"line": line_id, "source": source.value, "amount": str(amount), "measured": measured}
        await _noted(connection, now, actor, "event_line_added", event_id, after=after)
    return line_id


async def remove_line(given: Services, actor: Actor, event_id: str, line_id: str) -> None:
    """A line of an open account counts no longer. Raises Problem."""
    now = given.clock()
    async with given.change() as connection:
        await _open_event(connection, event_id)
        row = await connection.fetchrow(
            "UPDATE carbon_event_lines SET withdrawn_at = $3, withdrawn_by = $4"
            " WHERE event_id = $1 AND line_id = $2 AND withdrawn_at IS NULL RETURNING source, amount",
            *(event_id, line_id, now, actor.username),
        )
        if row is None:
            raise Problem("not_found")
        before = {"line": line_id, "source": row["source"], "amount": str(row["amount"])}
        await _noted(connection, now, actor, "event_line_withdrawn", event_id, before=before)


async def close(given: Services, actor: Actor, event_id: str) -> int:
    """Posts the footprint to the book; its grams. Raises Problem."""
    now = given.clock()
    async with given.change() as connection:
        row = await _open_event(connection, event_id)
        lines = await _lines(connection, event_id)
        footprint = _footprint(lines, row["ends_on"], await rule_books.factors(connection)) if lines else None
        if footprint is None or footprint.grams == 0:
            raise Problem("event_empty")
        told = as_mapping(footprint)
        await connection.execute(
            "UPDATE carbon_events SET state = 'closed', grams = $2, footprint = $3::jsonb, closed_at = $4,"
            " closed_by = $5 WHERE event_id = $1",
            *(event_id, footprint.grams, json.dumps(told, ensure_ascii=False), now, actor.username),
        )
        await post_event(
            connection,
            event_id,
            footprint.grams,
            at=now,
            author=actor.username,
            reason=f"event {row['name']}",
            evidence=" ".join(footprint.factor_ids),
        )
        await _noted(connection, now, actor, "event_closed", event_id, after={"grams": footprint.grams})
    return footprint.grams


async def reopen(given: Services, actor: Actor, event_id: str, *, why: str) -> None:
    """Takes the closing back: the debit is reversed and its account is open again. Raises Problem."""
    if not why.strip():
        raise Problem("reason_missing")
    now = given.clock()
    async with given.change() as connection:
        row = await connection.fetchrow(
            "SELECT state, grams FROM carbon_events WHERE event_id = $1 FOR UPDATE", event_id
        )
        if row is None or row["state"] != "closed":
            raise Problem("not_found")
        await connection.execute(
            "UPDATE carbon_events SET state = 'open', grams = NULL, footprint = NULL, closed_at = NULL,"
            " closed_by = NULL WHERE event_id = $1",
            event_id,
        )
        await reverse_event(connection, event_id, at=now, author=actor.username, reason=why.strip()[:NOTE_MAX])
        before = {"grams": row["grams"]}
        await _noted(connection, now, actor, "event_reopened", event_id, before=before, why=why)


async def propose(given: Services, actor: Actor, event_id: str) -> str:
    """Promises the tonnes that cover the event; another person confirms on the ledger. The retirement's id."""
    found = await record(given.pool, event_id)
    if found.row.state != "closed" or found.tonnes_needed == 0:
        raise Problem("event_empty", detail=event_id)
    text = f"{found.row.name} ({found.row.starts_on} – {found.row.ends_on})"
    return await retirements.propose(
        given, actor, tonnes=found.tonnes_needed, cancelled_for=text, subject=event_subject(event_id)
    )


async def _open_event(connection: Any, event_id: str) -> Any:
    row = await connection.fetchrow(
        "SELECT event_id, name, ends_on, state FROM carbon_events WHERE event_id = $1 FOR UPDATE", event_id
    )
    if row is None:
        raise Problem("not_found")
    if row["state"] != "open":
        raise Problem("event_closed")
    return row


async def _noted(connection: Any, at: datetime, actor: Actor, action: str, event_id: str, **more: Any) -> None:
    await write_audit(connection, at=at, actor=actor, action=action, subject=("carbon_event", event_id), **more)
