"""Acts that points are asked for: owns how one is judged with what the store knows, kept, and paid.

Whatever comes (a scan, a trip, a merchant's word, a passage, a charge) becomes an `EarningEvent` and comes here, under
the person's lock. Granted is written to the ledger in the same transaction, held waits, refused is kept with its why.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any

from cloud_sync.server import rule_books
from cloud_sync.server.live import Change, announce
from cloud_sync.server.points import book
from cloud_sync.server.points.parts import day_of, midnight
from cloud_sync.server.points.ways import metres_between
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader
from control.domain.exact import InexactNumber, exact
from control.points import entries
from control.points.award import Award, Cap
from control.points.earning import judge
from control.points.earning_types import (
    Anomaly,
    EarningEvent,
    Granted,
    Held,
    Judgement,
    PastEarning,
    Person,
    RefusedEarning,
    Surroundings,
    dedupe_key,
)
from control.points.methodology import SINGLE_USE, Evidence, MethodologySet, scene_of
from control.points.rules import PointRuleSet

EVIDENCE_LOCKS = 73_016
CLOUD = "cloud"
_DAY = timedelta(days=1)
_COLUMNS = (
    *("event_id", "person", "key", "scene", "state", "day", "started_at", "ended_at", "claimed_at", "evidence"),
    *("source_id", "evidence_ref", "activity", "trip_id", "distance_km", "steps", "start_place", "end_place"),
    *("confirmed_by", "merchant", "clock_doubt", "dedupe_key", "points", "grams", "reasons", "detail", "judgement"),
    *("badge", "release_at", "decided_at", "decided_by", "entry_id"),
)
_INSERT = (
    f"INSERT INTO point_events ({', '.join(_COLUMNS)})"
    f" VALUES ({', '.join(f'${place}' for place in range(1, len(_COLUMNS) + 1))})"
)


@dataclass(frozen=True, slots=True)
class Books:
    """The rules and methodologies, with all their days."""

    rules: PointRuleSet
    methods: MethodologySet


async def books_of(db: Reader) -> Books:
    """The books as they are now."""
    return Books(await rule_books.point_rules(db), await rule_books.methodologies(db))


async def earn(
    given: Services, connection: Any, event: EarningEvent, person: Person, books: Books, *, by: str = CLOUD
) -> Judgement:
    """Judges and keeps an event, and pays it where it is granted. The caller holds the person's lock."""
    if event.evidence in SINGLE_USE:
        await connection.execute(
            f"SELECT pg_advisory_xact_lock({EVIDENCE_LOCKS}, hashtext($1))", f"{event.source_id}/{event.evidence_ref}"
        )
    around = await _surroundings(given, connection, event)
    judged = judge(event, person, around, books.methods, books.rules)
    entry_id = None
    if isinstance(judged, Granted):
        entry_id = await pay(given, connection, event, judged, books, by=by)
    await _keep(given, connection, event, judged, by=by, entry_id=entry_id)
    if isinstance(judged, Held):
        await announce(connection, [Change("points_held", event.event_id)])
    return judged


async def pay(given: Services, connection: Any, event: EarningEvent, granted: Granted, books: Books, *, by: str) -> str:
    """Writes the points of a granted event; the entry's id."""
    award, now = granted.award, given.clock()
    reason = f"{award.key} v{award.methodology_version}"

    def make(_: Any, at: datetime) -> Any:
        rules = books.rules.at(day_of(given, at))
        return entries.earned(event, granted, entries.Stamp(at, by, reason), rules, given.config.zone)

    sealed = await book.post(connection, event.person_id, now, make, ids=(f"earn:{granted.dedupe_key}",))
    return sealed.entry.entry_id


async def _surroundings(given: Services, connection: Any, event: EarningEvent) -> Surroundings:
    """The person's past of the event's day and the days beside it, who used the evidence, and the ways between."""
    day = day_of(given, event.ended_at)
    rows = await connection.fetch(
        "SELECT event_id, dedupe_key, key, started_at, ended_at, claimed_at, grams, points, trip_id, steps,"
        " start_place, end_place FROM point_events"
        " WHERE person = $1 AND ended_at >= $2 AND ended_at < $3 AND state <> 'refused'",
        *(event.person_id, midnight(given, day - _DAY), midnight(given, day + 2 * _DAY)),
    )
    used_by = await connection.fetchval(
        "SELECT person FROM point_events WHERE source_id = $1 AND evidence_ref = $2 AND state <> 'refused'"
        " ORDER BY person = $3 DESC LIMIT 1",
        *(event.source_id, event.evidence_ref, event.person_id),
    )
    past = tuple(_past(row) for row in rows)
    places = {event.start_place, event.end_place}.union(*((one.start_place, one.end_place) for one in past)) - {""}
    return Surroundings(
        zone=given.config.zone,
        past=past,
        evidence_used_by=used_by or "",
        metres=await metres_between(connection, tuple(places), day),
    )


def _past(row: Any) -> PastEarning:
    return PastEarning(**{**dict(row), "steps": row["steps"] or 0})


async def _keep(
    given: Services, connection: Any, event: EarningEvent, judged: Judgement, *, by: str, entry_id: str | None
) -> None:
    award = None if isinstance(judged, RefusedEarning) else judged.award
    reasons = () if isinstance(judged, Granted) else judged.reasons
    await connection.execute(
        _INSERT,
        *(event.event_id, event.person_id, event.key, scene_of(event.key).value, state_of(judged)),
        *(day_of(given, event.ended_at), event.started_at, event.ended_at, event.claimed_at, event.evidence.value),
        *(event.source_id, event.evidence_ref, _exact_text(event.activity), event.trip_id),
        *(None if event.distance_km is None else _exact_text(event.distance_km), event.steps),
        *(event.start_place, event.end_place, event.confirmed_by, event.merchant_id, event.clock_doubt),
        *(dedupe_key(event), award.points if award else 0, award.grams if award else 0),
        *([one.value for one in reasons], judged.detail if isinstance(judged, RefusedEarning) else ""),
        *(award_text(award) if award else "{}", award.badge if award else ""),
        *(judged.release_at if isinstance(judged, Held) else None, given.clock(), by, entry_id),
    )


def state_of(judged: Judgement) -> str:
    """granted, held or refused."""
    match judged:
        case Granted():
            return "granted"
        case Held():
            return "held"
        case RefusedEarning():
            return "refused"


def _exact_text(value: Any) -> str:
    """An exact amount as text: a fraction or a whole number. What is no number stays readable, for it was refused."""
    try:
        return str(exact(value))
    except InexactNumber:
        return str(value)[:64]


# ---------------------------------------------------------------- back from the store


def event_of(row: Any) -> EarningEvent:
    """The event of a row, so that it can be judged again with the rows of its day."""
    return EarningEvent(
        event_id=row["event_id"],
        person_id=row["person"],
        key=row["key"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        claimed_at=row["claimed_at"],
        evidence=Evidence(row["evidence"]),
        source_id=row["source_id"],
        evidence_ref=row["evidence_ref"],
        activity=Fraction(row["activity"]),
        trip_id=row["trip_id"],
        distance_km=None if row["distance_km"] is None else Fraction(row["distance_km"]),
        steps=row["steps"],
        start_place=row["start_place"],
        end_place=row["end_place"],
        confirmed_by=row["confirmed_by"],
        merchant_id=row["merchant"],
        clock_doubt=row["clock_doubt"],
    )


def held_of(row: Any) -> Held:
    """What waits, as it was judged."""
    award = award_of(row["judgement"])
    assert award is not None
    return Held(award, row["dedupe_key"], tuple(Anomaly(one) for one in row["reasons"]), row["release_at"])


def award_text(award: Award) -> str:
    """An award as JSON, as `award_of` reads it."""
    kept = {name: getattr(award, name) for name in Award.__slots__}
    return json.dumps(kept, ensure_ascii=False)


@lru_cache(maxsize=4_096)
def award_of(judgement: str) -> Award | None:
    """The award of a row's judgement; None where it was refused at once. The same few come again and again."""
    kept = json.loads(judgement)
    if not kept:
        return None
    return Award(
        points=kept["points"],
        grams=kept["grams"],
        key=kept["key"],
        methodology_version=kept["methodology_version"],
        row_ids=tuple(kept["row_ids"]),
        capped_by=tuple(Cap(one) for one in kept["capped_by"]),
        sources=tuple(kept["sources"]),
        figures=tuple((name, value) for name, value in kept["figures"]),
        badge=kept["badge"],
    )


async def settle(
    connection: Any,
    event_id: str,
    judged: Granted | RefusedEarning,
    *,
    at: datetime,
    by: str,
    entry_id: str | None,
) -> None:
    """Writes what became of a held event."""
    refused = isinstance(judged, RefusedEarning)
    await connection.execute(
        "UPDATE point_events SET state = $2, decided_at = $3, decided_by = $4, entry_id = $5, release_at = NULL,"
        " reasons = CASE WHEN $2 = 'refused' THEN reasons || $6::text[] ELSE reasons END,"
        " detail = CASE WHEN $2 = 'refused' THEN $7 ELSE detail END WHERE event_id = $1",
        *(event_id, state_of(judged), at, by, entry_id),
        [one.value for one in judged.reasons] if isinstance(judged, RefusedEarning) else [],
        judged.detail if refused else "",
    )
