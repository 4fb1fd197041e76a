"""From events to the tables that people read: owns `passages`, `lanes`, `gateway_health`, `alarms`, `media_links`.

The microgrid's tables are `projections_energy`'s.
What an event says about a visit is looked at by `permits.visits`; here its arrival is put on the list for that.

`apply` runs in ingest's transaction, after the rows were stored. Kinds that this server does not know are stored
and not projected. Everything here can be rebuilt from `events`; what people did on the console is laid on top.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol
from uuid import UUID

from cloud_sync.server import projections_energy
from cloud_sync.server.bodies import BadBody, read_body
from cloud_sync.server.live import Change, announce
from cloud_sync.server.permits import outbox
from cloud_sync.server.projection_parts import Batch, Fact, Writer, at_of
from control.domain.events import (
    EVENT_KINDS,
    BarrierCommanded,
    BarrierResult,
    CommandResult,
    DecisionRevised,
    DeviceBack,
    DeviceLost,
    GatewayHealth,
    GuardDecided,
    MediaStored,
    PassageDecided,
    PlateCorrected,
    VehiclePassed,
)
from control.domain.plates import normalise
from control.permits import passages

REBUILD_CHUNK = 1000
REBUILD_LOCK = 7_301_005


class StoredEvent(Protocol):
    """What a row of the contract and a row of `events` share."""

    @property
    def seq(self) -> int: ...

    @property
    def uuid(self) -> bytes: ...

    @property
    def kind(self) -> str: ...

    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event whose body cannot be used: for quarantine. The stream goes on."""

    seq: int
    reason: str


async def apply(
    connection: Any, gateway_id: str, events: Iterable[StoredEvent], *, received_at: datetime | None = None
) -> tuple[Rejected, ...]:
    """Projects events in their order, inside the caller's transaction; returns those that it could not use."""
    facts, rejected = _facts(events)
    if facts:
        at = received_at or await connection.fetchval("SELECT now()")
        batch = Batch(connection, gateway_id, at)
        changes: list[Change] = []
        for kind, write in _WRITERS.items():
            if kind in facts:
                changes += await write(batch, facts[kind])
        if received_at is None:
            await announce(connection, changes)
            await _to_visits(connection, facts)
    return rejected


async def _to_visits(connection: Any, facts: dict[str, list[Fact]]) -> None:
    """Arrivals that something new is known of: the worker of visits takes them up when this is committed."""
    arrivals = dict.fromkeys(fact.body.arrival_id for kind in passages.EVENTS for fact in facts.get(kind, ()))
    await outbox.put(connection, arrivals)


def _facts(events: Iterable[StoredEvent]) -> tuple[dict[str, list[Fact]], tuple[Rejected, ...]]:
    facts: dict[str, list[Fact]] = {}
    rejected: list[Rejected] = []
    for event in events:
        if event.kind not in EVENT_KINDS:
            continue
        body = read_body(event.kind, event.body)
        if isinstance(body, BadBody):
            rejected.append(Rejected(event.seq, body.why))
        else:
            facts.setdefault(event.kind, []).append(Fact(_uuid(event.uuid), body))
    return facts, tuple(rejected)


def _uuid(raw: Any) -> UUID:
    return UUID(bytes=raw) if isinstance(raw, bytes) else UUID(str(raw))


# ---------------------------------------------------------------- passages

_NEWEST_CORRECTION = (
    "(SELECT c.corrected_text FROM corrections c WHERE c.arrival_id = {arrival}"
    " ORDER BY c.recorded_at DESC, c.correction_id DESC LIMIT 1)"
)
_DECIDED_COLUMNS = (
    *("arrival_id", "gateway_id", "lane_id", "gate_id", "direction", "arrived_at", "decided_at", "received_at"),
    *("outcome", "reasons", "rule_version", "raw_plate", "plate_kind", "plate_colour", "energy", "verdict"),
    *("confidence", "reading", "vehicle", "vehicle_type", "unavailable", "permit_id", "complete_permit_after"),
    *("record_emission", "suggestions", "snapshot_version", "frame_sha256", "crop_sha256", "decide_ms"),
)
_KEPT_COLUMNS = ("arrival_id", "gateway_id", "arrived_at", "received_at")  # of the first decision
_DECIDED_SQL = (
    f"INSERT INTO passages ({', '.join(_DECIDED_COLUMNS)}, plate)"
    f" VALUES ({', '.join(f'${i}' for i in range(1, len(_DECIDED_COLUMNS) + 1))}, $12)"
    " ON CONFLICT (arrival_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _DECIDED_COLUMNS if name not in _KEPT_COLUMNS)
    + f", plate = coalesce({_NEWEST_CORRECTION.format(arrival='excluded.arrival_id')}, excluded.raw_plate)"
    " WHERE passages.gateway_id = excluded.gateway_id AND passages.anonymised_at IS NULL"
)


async def _decided(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    await batch.connection.executemany(_DECIDED_SQL, [_decided_row(batch, fact.body) for fact in facts])
    lanes = {fact.body.lane_id: (fact.body.gate_id, fact.body.direction) for fact in facts}
    await batch.connection.executemany(
        "INSERT INTO lanes (gateway_id, lane_id, gate_id, direction) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (gateway_id, lane_id) DO UPDATE SET gate_id = excluded.gate_id, direction = excluded.direction"
        " WHERE (lanes.gate_id, lanes.direction) IS DISTINCT FROM (excluded.gate_id, excluded.direction)",
        [(batch.gateway_id, lane_id, *where) for lane_id, where in lanes.items()],
    )
    return [Change("passage", fact.body.arrival_id, batch.gateway_id, fact.body.lane_id) for fact in facts]


def _decided_row(batch: Batch, body: PassageDecided) -> tuple[Any, ...]:
    plate, vehicle, at = body.plate or {}, body.vehicle or {}, at_of(body.at)
    return (
        *(body.arrival_id, batch.gateway_id, body.lane_id, body.gate_id, body.direction, at, at, batch.received_at),
        *(body.outcome, json.dumps(body.reasons), body.rule_version, _plate_text(plate)),
        *(_word(plate, "kind"), _word(plate, "colour"), _word(plate, "energy"), _word(plate, "verdict")),
        *(_fraction(plate, "confidence"), _dumped(body.plate), _dumped(body.vehicle), _word(vehicle, "type")),
        *(body.unavailable, body.permit_id, body.complete_permit_after, body.record_emission, body.suggestions),
        *(body.snapshot_version, body.frame_sha256, body.crop_sha256, body.decide_ms),
    )


def _plate_text(plate: dict[str, Any]) -> str | None:
    text = plate.get("text")
    if not isinstance(text, str):
        characters = plate.get("characters")
        found = [one.get("char") for one in characters if isinstance(one, dict)] if isinstance(characters, list) else []
        text = "".join(one for one in found if isinstance(one, str))
    return normalise(text)[:32] or None


def _word(values: dict[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value[:64] if isinstance(value, str) else None


def _fraction(values: dict[str, Any], name: str) -> float | None:
    value = values.get(name)
    return float(value) if isinstance(value, (int, float)) and 0 <= value <= 1 else None


def _dumped(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


async def _guard_decided(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    """The first decision counts; the gateway refuses a second one, and so does this table."""
    await batch.connection.executemany(
        "UPDATE passages SET guard_outcome = $3, guard_reason = $4, guard_note = $5, guard_by = $6, guard_source = $7,"
        " guard_permit_id = $8, guard_at = $9 WHERE arrival_id = $1 AND gateway_id = $2 AND guard_outcome IS NULL",
        [_guard_row(batch, fact.body) for fact in facts],
    )
    corrected = [fact for fact in facts if fact.body.corrected_plate]
    await _insert_corrections(batch, [_correction_of_guard(fact) for fact in corrected])
    return [Change("passage", fact.body.arrival_id, batch.gateway_id, fact.body.lane_id) for fact in facts]


def _guard_row(batch: Batch, body: GuardDecided) -> tuple[Any, ...]:
    said = (body.outcome, body.reason_code, body.note, body.by, body.source, body.permit_id)
    return (body.arrival_id, batch.gateway_id, *said, at_of(body.at))


def _correction_of_guard(fact: Fact) -> Fact:
    body: GuardDecided = fact.body
    corrected = PlateCorrected(body.arrival_id, "", body.corrected_plate or "", body.by, body.source, body.at)
    return Fact(fact.uuid, corrected)


async def _barrier_commanded(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    """The first opening for an arrival; closing behind it is no fact about the passage."""
    opened: list[BarrierCommanded] = [
        fact.body for fact in facts if fact.body.arrival_id and fact.body.action == "open"
    ]
    await batch.connection.executemany(
        "UPDATE passages SET barrier_command_id = $3, barrier_action = $4, barrier_cause = $5, barrier_at = $6"
        " WHERE arrival_id = $1 AND gateway_id = $2 AND barrier_command_id IS NULL",
        [(one.arrival_id, batch.gateway_id, one.command_id, one.action, one.cause, at_of(one.at)) for one in opened],
    )
    return [Change("passage", str(one.arrival_id), batch.gateway_id, one.lane_id) for one in opened]


async def _barrier_result(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[BarrierResult] = [fact.body for fact in facts]
    await batch.connection.executemany(
        "UPDATE passages SET barrier_outcome = $3, barrier_detail = $4"
        " WHERE barrier_command_id = $1 AND gateway_id = $2",
        [(one.command_id, batch.gateway_id, one.outcome, one.detail) for one in bodies],
    )
    return []


async def _vehicle_passed(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[VehiclePassed] = [fact.body for fact in facts]
    await batch.connection.executemany(
        "UPDATE passages SET movement = $3, passed_at = $4 WHERE arrival_id = $1 AND gateway_id = $2",
        [(one.arrival_id, batch.gateway_id, one.movement, at_of(one.at)) for one in bodies],
    )
    return [Change("passage", one.arrival_id, batch.gateway_id, one.lane_id) for one in bodies]


async def _plate_corrected(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    await _insert_corrections(batch, facts)
    return [Change("corrected", fact.body.arrival_id, batch.gateway_id) for fact in facts]


async def _vehicle_corrected(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    """It stands in the passage's events; a page that shows them looks again."""
    return [Change("passage", fact.body.arrival_id, batch.gateway_id, fact.body.lane_id) for fact in facts]


async def _insert_corrections(batch: Batch, facts: Sequence[Fact]) -> None:
    """Only for the gateway's own arrivals, and where it changes something: the newest correction is what is shown.

    A guard's decision and the correction journalled beside it say the same.
    """
    rows = [_correction_row(batch, fact.uuid, fact.body) for fact in facts]
    await batch.connection.executemany(
        "INSERT INTO corrections (arrival_id, raw_text, corrected_text, by, source, at, recorded_at, event_uuid)"
        " SELECT p.arrival_id, coalesce(p.raw_plate, ''), $3, $4, $5, $6, $7, $8 FROM passages p"
        " WHERE p.arrival_id = $1 AND p.gateway_id = $2"
        f" AND $3 IS DISTINCT FROM coalesce({_NEWEST_CORRECTION.format(arrival='p.arrival_id')}, p.raw_plate)"
        " ON CONFLICT (event_uuid) DO NOTHING",
        rows,
    )
    await _refresh_plates(batch.connection, [row[0] for row in rows])


def _correction_row(batch: Batch, uuid: UUID, body: PlateCorrected) -> tuple[Any, ...]:
    text = normalise(body.corrected_text)[:32]
    return (body.arrival_id, batch.gateway_id, text, body.by, body.source, at_of(body.at), batch.received_at, uuid)


async def _refresh_plates(connection: Any, arrival_ids: list[str]) -> None:
    await connection.execute(
        f"UPDATE passages p SET plate = coalesce({_NEWEST_CORRECTION.format(arrival='p.arrival_id')}, p.raw_plate)"
        " WHERE p.arrival_id = ANY($1::text[]) AND p.anonymised_at IS NULL",
        arrival_ids,
    )


async def _decision_revised(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[tuple[UUID, DecisionRevised]] = [(fact.uuid, fact.body) for fact in facts]
    await batch.connection.executemany(
        "INSERT INTO revisions (arrival_id, outcome, reason_code, note, by, source, at, recorded_at, event_uuid)"
        " SELECT p.arrival_id, $3, $4, $5, $6, $7, $8, $9, $10 FROM passages p"
        " WHERE p.arrival_id = $1 AND p.gateway_id = $2 ON CONFLICT (event_uuid) DO NOTHING",
        [_revision_row(batch, uuid, one) for uuid, one in bodies],
    )
    await _refresh_revisions(batch.connection, [one.arrival_id for _, one in bodies])
    return [Change("revised", one.arrival_id, batch.gateway_id) for _, one in bodies]


def _revision_row(batch: Batch, uuid: UUID, body: DecisionRevised) -> tuple[Any, ...]:
    said = (body.outcome, body.reason_code, body.note, body.by, body.source)
    return (body.arrival_id, batch.gateway_id, *said, at_of(body.at), batch.received_at, uuid)


async def _refresh_revisions(connection: Any, arrival_ids: list[str]) -> None:
    await connection.execute(
        "UPDATE passages p SET revised_outcome = r.outcome, revised_at = r.at FROM"
        " (SELECT DISTINCT ON (arrival_id) arrival_id, outcome, at FROM revisions WHERE arrival_id = ANY($1::text[])"
        "  ORDER BY arrival_id, recorded_at DESC, revision_id DESC) r WHERE p.arrival_id = r.arrival_id",
        arrival_ids,
    )


async def _command_result(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[CommandResult] = [fact.body for fact in facts]
    await batch.connection.executemany(
        "UPDATE commands SET result = $3, result_detail = $4, result_at = $5"
        " WHERE command_id = $1 AND gateway_id = $2 AND result IS NULL",
        [(one.command_id, batch.gateway_id, one.outcome, one.detail, at_of(one.at)) for one in bodies],
    )
    ordered = await batch.connection.fetch(
        "UPDATE head_orders o SET result = r.result, result_detail = r.detail, result_at = r.at"
        " FROM unnest($2::text[], $3::text[], $4::text[], $5::timestamptz[]) AS r (command_id, result, detail, at)"
        " WHERE o.command_id = r.command_id AND o.gateway_id = $1 AND o.result IS NULL RETURNING o.gateway_id",
        batch.gateway_id,
        [one.command_id for one in bodies],
        [one.outcome for one in bodies],
        [one.detail for one in bodies],
        [at_of(one.at) for one in bodies],
    )
    rows = await batch.connection.fetch(
        "SELECT arrival_id, lane_id FROM commands WHERE command_id = ANY($1::text[]) AND gateway_id = $2",
        [one.command_id for one in bodies],
        batch.gateway_id,
    )
    changes = [Change("command", row["arrival_id"], batch.gateway_id, row["lane_id"]) for row in rows]
    changes += [Change("gateway", batch.gateway_id, batch.gateway_id) for _ in ordered]
    return changes + await projections_energy.takeover_results(batch, bodies)


# ---------------------------------------------------------------- gateways


async def _device_lost(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[tuple[UUID, DeviceLost]] = [(fact.uuid, fact.body) for fact in facts]
    await batch.connection.executemany(
        "INSERT INTO alarms (event_uuid, gateway_id, device, lane_id, why, raised_at, received_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (event_uuid) DO NOTHING",
        [
            (uuid, batch.gateway_id, one.device, one.lane_id, one.why, at_of(one.at), batch.received_at)
            for uuid, one in bodies
        ],
    )
    return [Change("alarm", one.device, batch.gateway_id, one.lane_id) for _, one in bodies]


async def _device_back(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[DeviceBack] = [fact.body for fact in facts]
    await batch.connection.executemany(
        "UPDATE alarms SET cleared_at = $4, after_s = $5 WHERE gateway_id = $1 AND device = $2"
        " AND lane_id IS NOT DISTINCT FROM $3 AND cleared_at IS NULL AND raised_at <= $4",
        [(batch.gateway_id, one.device, one.lane_id, at_of(one.at), one.after_s) for one in bodies],
    )
    return [Change("alarm", one.device, batch.gateway_id, one.lane_id) for one in bodies]


async def _gateway_health(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    """Only the newest of a batch says anything; of the vehicle head the newest that says something."""
    body: GatewayHealth = facts[-1].body
    head = next((fact.body.vehicle_head for fact in reversed(facts) if fact.body.vehicle_head), {})
    await batch.connection.execute(
        "INSERT INTO gateway_health (gateway_id, at, received_at, software, uptime_s, backlog, snapshot_version,"
        " disk_free_frac, lanes, vehicle_head) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
        " ON CONFLICT (gateway_id) DO UPDATE SET"
        " at = excluded.at, received_at = excluded.received_at, software = excluded.software,"
        " uptime_s = excluded.uptime_s, backlog = excluded.backlog, snapshot_version = excluded.snapshot_version,"
        " disk_free_frac = excluded.disk_free_frac, lanes = excluded.lanes,"
        " vehicle_head = CASE WHEN excluded.vehicle_head = '{}' THEN gateway_health.vehicle_head"
        "   ELSE excluded.vehicle_head END",
        *(batch.gateway_id, at_of(body.at), batch.received_at, body.software, body.uptime_s, json.dumps(body.backlog)),
        *(body.snapshot_version, body.disk_free_frac, json.dumps(body.lanes), json.dumps(head)),
    )
    await batch.connection.executemany(
        "INSERT INTO lanes (gateway_id, lane_id, gate_id, direction, name, state, state_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (gateway_id, lane_id) DO UPDATE SET"
        " gate_id = coalesce(nullif(excluded.gate_id, ''), lanes.gate_id),"
        " direction = coalesce(nullif(excluded.direction, ''), lanes.direction),"
        " name = coalesce(excluded.name, lanes.name), state = excluded.state, state_at = excluded.state_at",
        [row for lane in body.lanes if (row := _lane_row(batch, lane, body.at))],
    )
    return [Change("gateway", batch.gateway_id, batch.gateway_id)]


def _lane_row(batch: Batch, lane: dict[str, Any], at: str) -> tuple[Any, ...] | None:
    lane_id = _word(lane, "lane_id") or _word(lane, "id")
    if lane_id is None:
        return None
    gate_id, direction = _word(lane, "gate_id") or "", _word(lane, "direction") or ""
    return (batch.gateway_id, lane_id, gate_id, direction, _word(lane, "name"), json.dumps(lane), at_of(at))


async def _media_stored(batch: Batch, facts: Sequence[Fact]) -> list[Change]:
    bodies: list[MediaStored] = [fact.body for fact in facts]
    await batch.connection.executemany(
        "INSERT INTO media_links (sha256, arrival_id, role, gateway_id, at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT DO NOTHING",
        [(one.sha256, one.arrival_id, one.role, batch.gateway_id, at_of(one.at)) for one in bodies],
    )
    return [Change("media", one.arrival_id, batch.gateway_id) for one in bodies]


# In this order within a batch: a passage exists before anything is said about it, a command before its result.
_WRITERS: dict[str, Writer] = {
    "passage_decided": _decided,
    "barrier_commanded": _barrier_commanded,
    "barrier_result": _barrier_result,
    "guard_decided": _guard_decided,
    "vehicle_passed": _vehicle_passed,
    "plate_corrected": _plate_corrected,
    "vehicle_corrected": _vehicle_corrected,
    "decision_revised": _decision_revised,
    "command_result": _command_result,
    "device_lost": _device_lost,
    "device_back": _device_back,
    "gateway_health": _gateway_health,
    "media_stored": _media_stored,
    **projections_energy.WRITERS,
}


# ---------------------------------------------------------------- rebuilding

_REBUILT = ("passages", "lanes", "gateway_health", "alarms", "media_links", *projections_energy.TABLES)


@dataclass(frozen=True, slots=True)
class _Row:
    seq: int
    uuid: Any
    kind: str
    body: bytes


async def rebuild(connection: Any) -> int:
    """Empties the projections and applies all events again, in the order received, in one transaction; how many.

    Corrections and revisions made on the console stay. The caller runs retention afterwards.
    """
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", REBUILD_LOCK)
        await connection.execute("LOCK TABLE cursors IN SHARE ROW EXCLUSIVE MODE")
        await connection.execute(f"TRUNCATE {', '.join(_REBUILT)}")
        await connection.execute("DELETE FROM corrections WHERE event_uuid IS NOT NULL")
        await connection.execute("DELETE FROM revisions WHERE event_uuid IS NOT NULL")
        count = await _apply_all(connection)
        touched = await connection.fetch("SELECT arrival_id FROM corrections UNION SELECT arrival_id FROM revisions")
        ids = [row["arrival_id"] for row in touched]
        await _refresh_plates(connection, ids)
        await _refresh_revisions(connection, ids)
    return count


async def _apply_all(connection: Any) -> int:
    count = 0
    cursor = await connection.cursor(
        "SELECT gateway_id, received_at, seq, uuid, kind,"
        " CASE WHEN redacted_at IS NULL THEN raw ELSE convert_to(body::text, 'UTF8') END AS raw FROM events"
        " ORDER BY received_at, gateway_id, epoch, lane, seq"
    )
    while rows := await cursor.fetch(REBUILD_CHUNK):
        count += len(rows)
        for (gateway_id, received_at), group in groupby(rows, key=lambda row: (row["gateway_id"], row["received_at"])):
            events = [_Row(row["seq"], row["uuid"], row["kind"], row["raw"]) for row in group]
            await apply(connection, gateway_id, events, received_at=received_at)
    return count
