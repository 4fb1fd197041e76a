"""From a gateway's batch to committed rows: owns the one transaction of a batch and the answers to gateways.

Lock the cursor, skip what is applied, refuse a gap and stamps from the future, verify the chain, COPY, project, move
the cursor, commit; the acknowledgement follows the commit. An event that cannot be stored or projected goes to
quarantine with its reason and the stream goes on. Connection and leases are in `ingest_worker`.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import asyncpg
import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram

from cloud_sync.contract import hlc
from cloud_sync.contract.v1 import Ack, AckStatus, Batch, EventRow, Hello, genesis_hash
from cloud_sync.server.live import Change, announce

log = structlog.get_logger()

CLOCK_ALARM_LOCK = 7_303
EPOCH_START = datetime(1970, 1, 1, tzinfo=UTC)
EVENT_COLUMNS = (
    *("gateway_id", "epoch", "lane", "seq", "uuid", "hlc", "wall_at", "mono_ns", "boot_id"),
    *("kind", "body", "raw", "hash"),
)
# What a body or a field of one event can do to a statement; everything else is trouble of our own.
POISON = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, ValueError, OverflowError)
_CURSOR_SQL = (
    "SELECT applied_seq, head_hash, (SELECT enabled FROM gateways g WHERE g.gateway_id = c.gateway_id) AS enabled,"
    " EXISTS (SELECT FROM alarms a WHERE a.gateway_id = c.gateway_id AND a.device = 'clock' AND a.cleared_at IS NULL)"
    " AS clock_alarm"
    " FROM cursors c WHERE gateway_id = $1 AND epoch = $2 AND lane = $3 FOR UPDATE"
)


class Rejection(Protocol):
    """An event that the projection could not use."""

    @property
    def seq(self) -> int: ...

    @property
    def reason(self) -> str: ...


Project = Callable[[Any, str, Sequence[EventRow]], Awaitable[Sequence[Rejection] | None]]


class IngestMetrics:
    """Figures of ingest; the registry is the server's."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rows = Counter("island_ingest_rows_total", "Events committed", ["lane"], registry=registry)
        self.messages = Counter("island_ingest_messages_total", "Messages by answer", ["answer"], registry=registry)
        self.quarantined = Counter("island_ingest_quarantined_total", "Events in quarantine", registry=registry)
        self.clock_ahead = Counter(
            "island_ingest_clock_ahead_total",
            "Batches refused for stamps too far ahead",
            ["gateway"],
            registry=registry,
        )
        self.seconds = Histogram(
            "island_ingest_apply_seconds",
            "Time from a batch to its commit",
            buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3),
            registry=registry,
        )


@dataclass(frozen=True, slots=True)
class _Poison:
    row: EventRow
    reason: str


class Ingest:
    """Applies messages. Stateless: any number of them may serve one database."""

    def __init__(
        self, *, pool: asyncpg.Pool, project: Project, metrics: IngestMetrics, wall_s: Callable[[], float] = time.time
    ) -> None:
        self._pool, self._project, self._metrics, self._wall_s = pool, project, metrics, wall_s

    async def take(self, message: Batch | Hello) -> Ack:
        """Apply and answer. Raises asyncpg.PostgresError, OSError or TimeoutError when the database cannot be had:
        then nothing was applied, and the gateway sends again."""
        began_s = time.perf_counter()
        async with self._pool.acquire(timeout=10.0) as connection, connection.transaction():
            match message:
                case Hello():
                    ack = await self._hello(connection, message)
                case Batch():
                    ack = await self._batch(connection, message)
        self._metrics.messages.labels(ack.status.value).inc()
        if isinstance(message, Batch):
            self._metrics.seconds.observe(time.perf_counter() - began_s)
        return ack

    async def _hello(self, connection: Any, hello: Hello) -> Ack:
        stream = (hello.gateway, hello.epoch, hello.lane)
        if not await connection.fetchval("SELECT enabled FROM gateways WHERE gateway_id = $1", hello.gateway):
            return _refused(hello)
        genesis = genesis_hash(*stream, hello.base_seq)
        await connection.execute(
            "INSERT INTO cursors (gateway_id, epoch, lane, applied_seq, head_hash) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
            *(*stream, hello.base_seq, genesis),
        )
        cursor = await connection.fetchrow(_CURSOR_SQL, *stream)
        agreed = await _agreed_seq(connection, hello, genesis)
        return Ack(*stream, cursor["applied_seq"], AckStatus.RESUME, bytes(cursor["head_hash"]), agreed)

    async def _batch(self, connection: Any, batch: Batch) -> Ack:
        stream = (batch.gateway, batch.epoch, batch.lane)
        cursor = await connection.fetchrow(_CURSOR_SQL, *stream)
        if cursor is None:
            return Ack(*stream, 0, AckStatus.HELLO)
        if not cursor["enabled"]:
            return _refused(batch)
        applied = cursor["applied_seq"]
        if batch.last_seq <= applied:
            return Ack(*stream, applied, AckStatus.OK)
        if batch.first_seq > applied + 1:
            return Ack(*stream, applied, AckStatus.GAP)
        skipped = applied + 1 - batch.first_seq
        before = batch.rows[skipped - 1].hash if skipped else batch.prev_hash
        if before != bytes(cursor["head_hash"]):
            log.warning("ingest_chain_parts", gateway=batch.gateway, lane=batch.lane, seq=applied)
            return Ack(*stream, applied, AckStatus.CHAIN)
        limit = hlc.first_too_far(int(self._wall_s() * 1000))
        sound = next((n for n, row in enumerate(batch.rows) if row.hlc >= limit), len(batch.rows))
        if sound > skipped:
            part = batch if sound == len(batch.rows) else replace(batch, rows=batch.rows[:sound])
            await self._apply(connection, part, part.rows[skipped:])
        if sound < len(batch.rows):
            applied = max(applied, batch.first_seq + sound - 1)
            return await self._refuse_clock(connection, batch, applied, batch.rows[sound])
        if cursor["clock_alarm"]:
            await _end_clock_alarm(connection, batch.gateway, self._wall())
        return Ack(*stream, batch.last_seq, AckStatus.OK)

    async def _refuse_clock(self, connection: Any, batch: Batch, applied: int, row: EventRow) -> Ack:
        """Such rows wait in the gateway's journal until its clock is right and it stamps them anew."""
        lead_h = (hlc.wall_ms_of(row.hlc) - int(self._wall_s() * 1000)) // 3_600_000
        self._metrics.clock_ahead.labels(batch.gateway).inc()
        if await _raise_clock_alarm(connection, batch.gateway, self._wall()):
            log.error("gateway_clock_ahead", gateway=batch.gateway, lead_h=lead_h)
        detail = f"row {row.seq} is stamped {lead_h} h ahead of the cloud's clock: put the gateway's clock right"
        return Ack(batch.gateway, batch.epoch, batch.lane, applied, AckStatus.CLOCK, detail=detail)

    def _wall(self) -> datetime:
        return EPOCH_START + timedelta(seconds=self._wall_s())

    async def _apply(self, connection: Any, batch: Batch, rows: Sequence[EventRow]) -> None:
        unstored = await self._store(connection, batch, rows)
        poisoned = {poison.row.seq for poison in unstored}
        stored = [row for row in rows if row.seq not in poisoned] if poisoned else rows
        unusable = await self._projected(connection, batch.gateway, stored) if stored else []
        for poison in (*unstored, *unusable):
            await self._quarantine(connection, batch, poison)
        await connection.execute(
            "UPDATE cursors SET applied_seq = $4, head_hash = $5, updated_at = now()"
            " WHERE gateway_id = $1 AND epoch = $2 AND lane = $3",
            *(batch.gateway, batch.epoch, batch.lane, batch.last_seq, batch.head_hash),
        )
        self._metrics.rows.labels(str(batch.lane)).inc(len(rows))

    async def _store(self, connection: Any, batch: Batch, rows: Sequence[EventRow]) -> list[_Poison]:
        """COPY in a savepoint; what cannot be stored is found by halving."""
        try:
            async with connection.transaction():
                records = [_record(batch, row) for row in rows]
                await connection.copy_records_to_table("events", records=records, columns=EVENT_COLUMNS, timeout=15.0)
        except POISON as error:
            if len(rows) == 1:
                return [_Poison(rows[0], f"cannot be stored: {error}")]
            middle = len(rows) // 2
            first = await self._store(connection, batch, rows[:middle])
            return first + await self._store(connection, batch, rows[middle:])
        return []

    async def _projected(self, connection: Any, gateway: str, rows: Sequence[EventRow]) -> list[_Poison]:
        """The projection names what it cannot use; an event that trips it up all the same is found by halving."""
        by_seq = {row.seq: row for row in rows}
        try:
            async with connection.transaction():
                rejected = await self._project(connection, gateway, rows)
        except (*POISON, LookupError, TypeError, AttributeError) as error:
            if len(rows) == 1:
                log.exception("projection_failed", gateway=gateway, kind=rows[0].kind, seq=rows[0].seq)
                return [_Poison(rows[0], f"cannot be projected: {type(error).__name__}: {error}")]
            middle = len(rows) // 2
            first = await self._projected(connection, gateway, rows[:middle])
            return first + await self._projected(connection, gateway, rows[middle:])
        return [_Poison(by_seq[one.seq], one.reason) for one in rejected or ()]

    async def _quarantine(self, connection: Any, batch: Batch, poison: _Poison) -> None:
        row, reason = poison.row, poison.reason.replace("\0", "\\0")[:500]
        log.warning("event_quarantined", gateway=batch.gateway, lane=batch.lane, seq=row.seq, kind=row.kind)
        await connection.execute(
            "INSERT INTO quarantine (gateway_id, epoch, lane, seq, reason, raw, hash)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
            *(batch.gateway, batch.epoch, batch.lane, row.seq, reason, row.body, row.hash),
        )
        self._metrics.quarantined.inc()


def _record(batch: Batch, row: EventRow) -> tuple[Any, ...]:
    return (
        batch.gateway,
        batch.epoch,
        batch.lane,
        row.seq,
        UUID(bytes=row.uuid),
        row.hlc,
        EPOCH_START + timedelta(microseconds=row.wall_us),
        row.mono_ns,
        row.boot_id,
        row.kind,
        row.body.decode(),
        row.body,
        row.hash,
    )


def _refused(message: Batch | Hello) -> Ack:
    log.warning("ingest_gateway_refused", gateway=message.gateway)
    detail = "this gateway is unknown or disabled"
    return Ack(message.gateway, message.epoch, message.lane, 0, AckStatus.REFUSED, detail=detail)


async def _raise_clock_alarm(connection: Any, gateway: str, at: datetime) -> bool:
    """True when there was none yet; streams of one gateway come here one after the other."""
    await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", CLOCK_ALARM_LOCK, gateway)
    raised = await connection.fetchval(
        "INSERT INTO alarms (event_uuid, gateway_id, device, why, raised_at, received_at)"
        " SELECT gen_random_uuid(), $1, 'clock', 'clock_ahead', $2, $2 WHERE NOT EXISTS"
        " (SELECT FROM alarms WHERE gateway_id = $1 AND device = 'clock' AND cleared_at IS NULL) RETURNING true",
        gateway,
        at,
    )
    if raised:
        await announce(connection, [Change("alarm", "clock", gateway)])
    return bool(raised)


async def _end_clock_alarm(connection: Any, gateway: str, at: datetime) -> None:
    await connection.execute(
        "UPDATE alarms SET cleared_at = $2, after_s = extract(epoch FROM $2 - raised_at)"
        " WHERE gateway_id = $1 AND device = 'clock' AND cleared_at IS NULL",
        gateway,
        at,
    )
    await announce(connection, [Change("alarm", "clock", gateway)])


async def _agreed_seq(connection: Any, hello: Hello, genesis: bytes) -> int:
    """The highest of the Hello's points that is ours too; the base of the epoch always is."""
    if not hello.points:
        return hello.base_seq
    rows = await connection.fetch(
        "SELECT seq, hash FROM events WHERE gateway_id = $1 AND epoch = $2 AND lane = $3 AND seq = ANY($4)"
        " UNION SELECT seq, hash FROM quarantine WHERE gateway_id = $1 AND epoch = $2 AND lane = $3 AND seq = ANY($4)",
        *(hello.gateway, hello.epoch, hello.lane, [point.seq for point in hello.points]),
    )
    ours = {row["seq"]: bytes(row["hash"]) for row in rows} | {hello.base_seq: genesis}
    return max((seq for seq, digest in hello.points if ours.get(seq) == digest), default=hello.base_seq)
