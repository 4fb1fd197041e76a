"""Visits in the database: owns turning what gateways sent into visits that are the same however late it came.

An arrival of the list (`outbox`) is read from its events again, becomes a passage or none, and the visits of its plate
are matched again; `control.permits` says how. What differs from the rows is written with a higher revision, so that a
rebuild from nothing gives the same visits. Battery-electric vehicles leave no row: they owe nothing, and nobody has to
know when they came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from cloud_sync.server.live import Change, announce
from cloud_sync.server.permits import emergencies, history, publishing, storing
from cloud_sync.server.services import Services
from cloud_sync.server.sql import as_json
from cloud_sync.server.store import new_snapshot
from control.domain.passages import Direction
from control.domain.plates import EnergyClass, energy_of, formats_of
from control.gate.presence import DOUBTS
from control.permits import rules as keys
from control.permits.passages import EVENTS, GateEvent, Passage, passages
from control.permits.visits import Visit, VisitLimits, visits

log = structlog.get_logger()

CHANNEL = "island_visits"
LOCK = 7_301_011
BATCH = 500
_HLC_COUNTER_BITS = 16
_NONSENSE = (KeyError, ValueError, TypeError, AttributeError, OverflowError)
_NO_EMISSION = frozenset({EnergyClass.BATTERY_ELECTRIC, EnergyClass.NO_ENGINE})


@dataclass(frozen=True, slots=True)
class Row:
    """A visit as its row has it, beside revision and times of writing."""

    visit_id: str
    plate: str
    permit_id: str | None
    application_id: str | None
    gate_in: str | None
    gate_out: str | None
    entered_at: datetime | None
    left_at: datetime | None
    entry_arrival: str | None
    exit_arrival: str | None
    state: str
    flags: tuple[str, ...]
    vehicle_type: str | None
    emergency: bool
    is_over: bool


_NAMES = tuple(Row.__dataclass_fields__)
_COLUMNS = ", ".join(_NAMES)


async def take_up(given: Services) -> int:
    """The next arrivals of the list, in one transaction; how many there were. A crash leaves them on the list."""
    async with given.change() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
        rows = await connection.fetch("SELECT todo_id, arrival_id FROM visit_todo ORDER BY todo_id LIMIT $1", BATCH)
        if rows:
            arrivals = list(dict.fromkeys(row["arrival_id"] for row in rows))
            plates = await _read_again(connection, arrivals)
            await _match(connection, given, plates)
            await connection.execute(
                "DELETE FROM visit_todo WHERE todo_id = ANY($1::bigint[])", [row["todo_id"] for row in rows]
            )
    return len(rows)


async def close_unended(given: Services) -> int:
    """Visits that stayed open too long by the rule of their day are closed with their exit unknown; how many plates."""
    book = await storing.book(given.pool)
    shortest_h = min(float(row.value) for row in book.rows.rows if row.key == keys.VISIT_OPEN_MAX)
    rows = await given.pool.fetch(
        "SELECT plate FROM visits WHERE NOT is_over AND withdrawn_at IS NULL AND entered_at < $1"
        " GROUP BY plate ORDER BY min(entered_at) LIMIT $2",
        given.clock() - timedelta(hours=shortest_h),
        BATCH,
    )
    plates = {row["plate"] for row in rows}
    if plates:
        async with given.change() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK)
            await _match(connection, given, plates)
    return len(plates)


# ---------------------------------------------------------------- from events to passages


async def _read_again(connection: Any, arrivals: list[str]) -> set[str]:
    """Passages of these arrivals as they are known now; every plate whose visits this may change."""
    rows = await connection.fetch(
        "DELETE FROM visit_passages v USING passages p WHERE v.arrival_id = ANY($1::text[])"
        " AND p.arrival_id = v.arrival_id AND p.anonymised_at IS NULL RETURNING v.plate",
        arrivals,
    )
    plates = {row["plate"] for row in rows}
    found = await _passages(connection, arrivals)
    kept = await _of_interest(connection, [one for one, _ in found])
    await connection.executemany(
        "INSERT INTO visit_passages (arrival_id, gateway_id, plate, gate_id, direction, movement, at, hlc, permit_id,"
        " tailgated, vehicle_type, complete_after) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12)"
        " ON CONFLICT (arrival_id) DO NOTHING",
        [_passage_row(one, gateway_id) for one, gateway_id in found if one.arrival_id in kept],
    )
    return (plates | {one.plate for one, _ in found if one.arrival_id in kept}) - {""}


async def _passages(connection: Any, arrivals: list[str]) -> list[tuple[Passage, str]]:
    """Each arrival's passage with its gateway. What retention made anonymous stays as it was read before."""
    rows = await connection.fetch(
        "SELECT e.uuid, e.kind, e.hlc, e.body, p.gateway_id FROM passages p JOIN events e"
        " ON e.gateway_id = p.gateway_id AND e.body ? 'arrival_id' AND e.body ->> 'arrival_id' = p.arrival_id"
        " WHERE p.arrival_id = ANY($1::text[]) AND p.anonymised_at IS NULL AND e.kind = ANY($2::text[])",
        arrivals,
        list(EVENTS),
    )
    by_console = await connection.fetch(
        "SELECT correction_id, arrival_id, corrected_text, recorded_at FROM corrections"
        " WHERE arrival_id = ANY($1::text[]) AND event_uuid IS NULL",
        arrivals,
    )
    events = [GateEvent(str(row["uuid"]), row["kind"], row["hlc"], as_json(row["body"])) for row in rows]
    events += [_correction(row) for row in by_console]
    gateways = {event.body["arrival_id"]: row["gateway_id"] for event, row in zip(events, rows, strict=False)}
    permits = await _plates_of_permits(connection, events)
    return [(one, gateways[one.arrival_id]) for one in _made(events, permits)]


def _made(events: list[GateEvent], permits: Mapping[str, str]) -> list[Passage]:
    """An arrival that a gateway told nonsense about is told of and left out: the others do not wait for it."""
    try:
        return passages(events, doubts=frozenset(DOUBTS), plates_of_permits=permits)
    except _NONSENSE:
        pass
    found: list[Passage] = []
    for arrival_id in dict.fromkeys(str(event.body["arrival_id"]) for event in events):
        of_arrival = [event for event in events if event.body["arrival_id"] == arrival_id]
        try:
            found += passages(of_arrival, doubts=frozenset(DOUBTS), plates_of_permits=permits)
        except _NONSENSE as error:
            log.warning("passage_not_understood", arrival_id=arrival_id, error=repr(error))
    return found


def _correction(row: Any) -> GateEvent:
    """A plate corrected on the console is no gateway's event; it takes its place in time by the cloud's clock."""
    hlc = int(row["recorded_at"].timestamp() * 1000) << _HLC_COUNTER_BITS
    body = {"arrival_id": row["arrival_id"], "corrected_text": row["corrected_text"]}
    return GateEvent(f"correction/{row['correction_id']:020d}", "plate_corrected", hlc, body)


async def _plates_of_permits(connection: Any, events: Iterable[GateEvent]) -> Mapping[str, str]:
    wanted = list({event.body.get("permit_id") for event in events} - {None})
    rows = await connection.fetch("SELECT permit_id, plate FROM permits WHERE permit_id = ANY($1::text[])", wanted)
    return {row["permit_id"]: row["plate"] for row in rows}


async def _of_interest(connection: Any, found: list[Passage]) -> set[str]:
    """Arrivals that may belong to a visit that owes something; one that nobody could read stays until it is named."""
    rows = await connection.fetch(
        "SELECT plate, energy FROM registry WHERE plate = ANY($1::text[])", list({one.plate for one in found})
    )
    registered = {row["plate"]: row["energy"] for row in rows}
    return {one.arrival_id for one in found if one.went_through and _owes(one, registered)}


def _owes(passage: Passage, registered: Mapping[str, str]) -> bool:
    if passage.permit_id is not None or passage.complete_after or not passage.plate:
        return True
    energy = registered.get(passage.plate)
    if energy in set(EnergyClass) - {EnergyClass.UNKNOWN}:
        return energy not in _NO_EMISSION
    by_text = {energy_of(passage.plate, row.kind) for row in formats_of(passage.plate)}
    return not by_text or not by_text <= _NO_EMISSION


def _passage_row(passage: Passage, gateway_id: str) -> tuple[Any, ...]:
    return (
        *(passage.arrival_id, gateway_id, passage.plate, passage.gate_id, passage.direction.value, passage.movement),
        *(passage.at, passage.hlc, passage.permit_id, passage.tailgated),
        *(passage.vehicle_type if isinstance(passage.vehicle_type, str) else None, passage.complete_after),
    )


# ---------------------------------------------------------------- from passages to visits


async def _match(connection: Any, given: Services, plates: set[str]) -> None:
    """Visits of these plates again, and what follows from them: counts, drafts of emergencies, news."""
    if not plates:
        return
    now = given.clock()
    known = await _passages_of(connection, plates)
    for passage in known:
        if passage.complete_after and passage.direction is Direction.IN:
            await emergencies.draft(connection, given, passage)
    found = visits(known, now=now, limits=await _limits(connection, given))
    rows = await _rows(connection, found)
    changed = await _write(connection, plates, rows, now)
    if not changed:
        return
    counted = {one for row in changed for one in (row.permit_id, row.application_id)} - {None}
    if await publishing.recount(connection, given, [str(one) for one in counted]):
        await new_snapshot(connection, now, publishing.SYSTEM_ACCOUNT, "entries counted")
    await announce(connection, [Change("visit", row.visit_id) for row in changed])
    await connection.execute("SELECT pg_notify($1, '')", CHANNEL)


async def _passages_of(connection: Any, plates: set[str]) -> list[Passage]:
    rows = await connection.fetch("SELECT * FROM visit_passages WHERE plate = ANY($1::text[])", list(plates))
    return [
        Passage(
            arrival_id=row["arrival_id"],
            gate_id=row["gate_id"],
            direction=Direction(row["direction"]),
            plate=row["plate"],
            movement=row["movement"],
            at=row["at"],
            hlc=row["hlc"],
            permit_id=row["permit_id"],
            tailgated=row["tailgated"],
            vehicle_type=row["vehicle_type"],
            complete_after=row["complete_after"],
        )
        for row in rows
    ]


async def _limits(connection: Any, given: Services) -> Any:
    """The limits by the rules of the local day of an entry."""
    book = (await storing.book(connection)).rows
    known: dict[Any, VisitLimits] = {}

    def at(entered_at: datetime) -> VisitLimits:
        day = entered_at.astimezone(given.config.zone).date()
        if day not in known:
            known[day] = VisitLimits.of(history.rules_on(book, day))
        return known[day]

    return at


async def _rows(connection: Any, found: Iterable[Visit]) -> list[Row]:
    """With the application behind each: the one of its permit, or the draft that its emergency entry left."""
    made = list(found)
    permits = await connection.fetch(
        "SELECT application_id FROM applications WHERE application_id = ANY($1::text[])",
        list({visit.permit_id for visit in made} - {None}),
    )
    drafts = await connection.fetch(
        "SELECT arrival_id, application_id FROM applications WHERE arrival_id = ANY($1::text[])",
        [visit.visit_id for visit in made],
    )
    of_permit = {row["application_id"] for row in permits}
    of_arrival = {row["arrival_id"]: row["application_id"] for row in drafts}
    return [_row(visit, of_permit, of_arrival) for visit in made]


def _row(visit: Visit, of_permit: set[str], of_arrival: Mapping[str, str]) -> Row:
    entry, left = visit.entry, visit.exit
    permit_id = visit.permit_id
    first = entry or left
    assert first is not None
    return Row(
        visit_id=visit.visit_id,
        plate=visit.plate,
        permit_id=permit_id,
        application_id=permit_id if permit_id in of_permit else of_arrival.get(visit.visit_id),
        gate_in=None if entry is None else entry.gate_id,
        gate_out=None if left is None else left.gate_id,
        entered_at=None if entry is None else entry.at,
        left_at=None if left is None else left.at,
        entry_arrival=None if entry is None else entry.arrival_id,
        exit_arrival=None if left is None else left.arrival_id,
        state=visit.state.value,
        flags=tuple(sorted(flag.value for flag in visit.flags)),
        vehicle_type=first.vehicle_type,
        emergency=entry is not None and entry.complete_after,
        is_over=visit.is_over,
    )


async def _write(connection: Any, plates: set[str], rows: list[Row], now: datetime) -> list[Row]:
    """Writes what differs and withdraws what is no visit any more; every row before and after that was touched."""
    known = await connection.fetch(
        f"SELECT {_COLUMNS}, withdrawn_at FROM visits WHERE anonymised_at IS NULL"
        " AND (plate = ANY($1::text[]) OR visit_id = ANY($2::text[]))",
        list(plates),
        [row.visit_id for row in rows],
    )
    before = {one["visit_id"]: _known(one) for one in known}
    withdrawn = {one["visit_id"] for one in known if one["withdrawn_at"] is not None}
    after = {row.visit_id: row for row in rows}
    fresh = [row for row in rows if row.visit_id in withdrawn or before.get(row.visit_id) != row]
    gone = [row for row in before.values() if row.visit_id not in after and row.visit_id not in withdrawn]
    await connection.executemany(_UPSERT_SQL, [(*_values(row), now) for row in fresh])
    await connection.execute(
        "UPDATE visits SET withdrawn_at = $2, is_over = true, revision = revision + 1, updated_at = $2"
        " WHERE visit_id = ANY($1::text[])",
        [row.visit_id for row in gone],
        now,
    )
    touched = [before[row.visit_id] for row in fresh if row.visit_id in before]
    return [*fresh, *gone, *touched]


_UPSERT_SQL = (
    f"INSERT INTO visits ({_COLUMNS}, revision, updated_at)"
    f" VALUES ({', '.join(f'${i}' for i in range(1, len(_NAMES) + 1))}, 1, ${len(_NAMES) + 1})"
    f" ON CONFLICT (visit_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _NAMES[1:])},"
    " revision = visits.revision + 1, withdrawn_at = NULL, updated_at = excluded.updated_at"
)


def _values(row: Row) -> tuple[Any, ...]:
    return tuple(list(row.flags) if name == "flags" else getattr(row, name) for name in _NAMES)


def _known(one: Any) -> Row:
    return Row(**{name: tuple(one[name]) if name == "flags" else one[name] for name in _NAMES})


async def rebuild(given: Services) -> int:
    """Reads every arrival of the events again; how many. The result is what the rows were already."""
    async with given.change() as connection:
        done = await connection.execute(
            "INSERT INTO visit_todo (arrival_id) SELECT arrival_id FROM passages WHERE anonymised_at IS NULL"
            " AND movement IS NOT NULL ORDER BY arrived_at, arrival_id"
        )
    while await take_up(given):
        pass
    return int(done.split()[-1])
