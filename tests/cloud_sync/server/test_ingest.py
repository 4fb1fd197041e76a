"""Ingest against a real PostgreSQL, and the whole way from a journal through a real broker to its rows."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count, repeat
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from cloud_sync.contract.chain import event_hash, genesis_hash
from cloud_sync.contract.v1 import AckStatus, Batch, EventRow, Hello, Point, batch_of
from cloud_sync.server import projections
from cloud_sync.server.broker import BrokerSettings, EmbeddedBroker
from cloud_sync.server.ingest import Ingest, IngestMetrics
from cloud_sync.server.ingest_worker import BrokerAccess, IngestWorker, Leases
from cloud_sync.uplink.sender import SenderSettings
from control.domain.events import DeviceLost, VehiclePassed
from edge.adapters.journal_upkeep import JournalSettings
from edge.adapters.mqtt import MqttSettings, MqttUplink
from edge.adapters.sqlite_journal import SqliteJournal
from edge.verify import verify_cloud

pytestmark = pytest.mark.timeout(600)  # processes start again and again, on busy machines too
GATEWAY, EPOCH, LANE = "gw-test", 77, 1
PASSWORD = "a broker password"
JOURNAL = JournalSettings(ballast_bytes=0)


def rows_of(count: int, *, first: int = 1, prev: bytes | None = None, bodies: dict[int, bytes] | None = None) -> Batch:
    """A valid batch on the test's stream."""
    head = prev_hash = prev or genesis_hash(GATEWAY, EPOCH, LANE, 0)
    rows = []
    for seq in range(first, first + count):
        body = (bodies or {}).get(seq, b'{"device":"camera","lane_id":"l","why":"w","at":"2026-11-21T02:00:00+00:00"}')
        values = (seq, seq.to_bytes(16), seq << 16, 1_700_000_000_000_000 + seq, seq)
        head = event_hash(head, *values, b"boot", b"device_lost", body)
        rows.append(EventRow(*values, "boot", "device_lost", body, head))
    return batch_of(GATEWAY, EPOCH, LANE, prev_hash, rows)


async def add_gateway(pool: asyncpg.Pool, gateway: str = GATEWAY) -> None:
    await pool.execute("INSERT INTO gateways (gateway_id, name) VALUES ($1, $1)", gateway)


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=6) as made:
        await add_gateway(made)
        yield made


async def no_projection(connection: Any, gateway: str, rows: Any) -> tuple[()]:
    return ()


def ingest_on(pool: asyncpg.Pool, project: Any = no_projection) -> Ingest:
    return Ingest(pool=pool, project=project, metrics=IngestMetrics(CollectorRegistry()))


async def greeted(ingest: Ingest, **changes: Any) -> None:
    await ingest.take(replace(Hello(GATEWAY, EPOCH, LANE, 0, 0), **changes))


async def stored_seqs(pool: asyncpg.Pool) -> list[int]:
    return [row["seq"] for row in await pool.fetch("SELECT seq FROM events ORDER BY epoch, lane, seq")]


async def test_batch_of_an_epoch_that_never_said_hello_is_asked_to(pool: asyncpg.Pool) -> None:
    assert (await ingest_on(pool).take(rows_of(3))).status is AckStatus.HELLO
    assert await stored_seqs(pool) == []


async def test_batches_are_stored_once_whatever_is_repeated(pool: asyncpg.Pool) -> None:
    ingest = ingest_on(pool)
    await greeted(ingest)
    whole = rows_of(9)
    first = Batch(GATEWAY, EPOCH, LANE, whole.prev_hash, whole.rows[:4])
    overlapping = Batch(GATEWAY, EPOCH, LANE, whole.rows[1].hash, whole.rows[2:7])
    answers = [await ingest.take(batch) for batch in (first, first, overlapping, whole, first)]
    assert [(answer.status, answer.applied_seq) for answer in answers] == [
        (AckStatus.OK, 4),
        (AckStatus.OK, 4),
        (AckStatus.OK, 7),
        (AckStatus.OK, 9),
        (AckStatus.OK, 9),
    ]
    assert await stored_seqs(pool) == list(range(1, 10))
    assert bytes(await pool.fetchval("SELECT head_hash FROM cursors")) == whole.head_hash


async def test_gap_is_refused_and_says_where_to_begin(pool: asyncpg.Pool) -> None:
    ingest = ingest_on(pool)
    await greeted(ingest)
    whole = rows_of(9)
    await ingest.take(Batch(GATEWAY, EPOCH, LANE, whole.prev_hash, whole.rows[:2]))
    ack = await ingest.take(Batch(GATEWAY, EPOCH, LANE, whole.rows[3].hash, whole.rows[4:]))
    assert (ack.status, ack.applied_seq) == (AckStatus.GAP, 2)
    assert await stored_seqs(pool) == [1, 2]


async def test_rows_that_do_not_follow_the_head_are_refused(pool: asyncpg.Pool) -> None:
    ingest = ingest_on(pool)
    await greeted(ingest)
    await ingest.take(rows_of(3))
    ack = await ingest.take(rows_of(2, first=4, prev=b"x" * 32))
    assert (ack.status, ack.applied_seq) == (AckStatus.CHAIN, 3)
    assert await stored_seqs(pool) == [1, 2, 3]


@pytest.mark.parametrize(
    "body",
    [b"not json", b'{"a": "\\u0000"}', b"\xff\xfe", b'{"n": 1e999999}', b"\x00"],
    ids=["no json", "nul", "no utf-8", "huge number", "nul byte"],
)
async def test_poison_goes_to_quarantine_and_the_stream_goes_on(pool: asyncpg.Pool, body: bytes) -> None:
    ingest = ingest_on(pool)
    await greeted(ingest)
    batch = rows_of(6, bodies={4: body})
    ack = await ingest.take(batch)
    assert (ack.status, ack.applied_seq) == (AckStatus.OK, 6)
    assert await stored_seqs(pool) == [1, 2, 3, 5, 6]
    row = await pool.fetchrow("SELECT seq, raw, hash, reason FROM quarantine")
    assert (row["seq"], bytes(row["raw"]), bytes(row["hash"])) == (4, body, batch.rows[3].hash)
    assert row["reason"].startswith("cannot be stored")
    assert (await ingest.take(rows_of(1, first=7, prev=batch.head_hash))).status is AckStatus.OK


async def test_event_that_the_projection_rejects_is_stored_and_quarantined(pool: asyncpg.Pool) -> None:
    ingest = ingest_on(pool, projections.apply)
    await greeted(ingest)
    await ingest.take(rows_of(3, bodies={2: b'{"device": 7}'}))
    assert await stored_seqs(pool) == [1, 2, 3]
    assert await pool.fetchval("SELECT seq FROM quarantine") == 2
    assert await pool.fetchval("SELECT count(*) FROM alarms") == 2


async def test_projection_that_raises_on_one_event_blocks_nobody(pool: asyncpg.Pool) -> None:
    async def project(connection: Any, gateway: str, rows: Any) -> tuple[()]:
        await connection.execute(
            "INSERT INTO lanes (gateway_id, lane_id, gate_id, direction) VALUES ($1, $2, '', '')",
            gateway,
            str(rows[0].seq),
        )
        if any(row.seq == 3 for row in rows):
            raise KeyError("three")
        return ()

    ingest = ingest_on(pool, project)
    await greeted(ingest)
    assert (await ingest.take(rows_of(5))).applied_seq == 5
    assert await pool.fetchval("SELECT seq FROM quarantine") == 3
    assert await pool.fetchval("SELECT count(*) FROM lanes WHERE lane_id = '3'") == 0


async def test_nothing_is_kept_when_the_transaction_fails(pool: asyncpg.Pool) -> None:
    async def project(connection: Any, gateway: str, rows: Any) -> tuple[()]:
        raise asyncpg.exceptions.AdminShutdownError("gone")

    ingest = ingest_on(pool, project)
    await greeted(ingest)
    with pytest.raises(asyncpg.exceptions.AdminShutdownError):
        await ingest.take(rows_of(3))
    assert await stored_seqs(pool) == []
    assert await pool.fetchval("SELECT applied_seq FROM cursors") == 0


async def test_unknown_and_disabled_gateways_are_refused(pool: asyncpg.Pool) -> None:
    ingest = ingest_on(pool)
    hello = Hello("gw-stranger", EPOCH, LANE, 0, 0)
    assert (await ingest.take(hello)).status is AckStatus.REFUSED
    await greeted(ingest)
    await pool.execute("UPDATE gateways SET enabled = false")
    assert (await ingest.take(rows_of(1))).status is AckStatus.REFUSED
    assert await stored_seqs(pool) == []


async def test_hello_tells_the_highest_point_that_both_have(pool: asyncpg.Pool) -> None:
    ingest = ingest_on(pool)
    await greeted(ingest)
    batch = rows_of(9, bodies={5: b"poison"})
    await ingest.take(batch)
    points = [Point(row.seq, row.hash if row.seq <= 5 else b"z" * 32) for row in batch.rows]
    ack = await ingest.take(Hello(GATEWAY, EPOCH, LANE, 0, 12, tuple(points)))
    assert (ack.status, ack.applied_seq, ack.agreed_seq) == (AckStatus.RESUME, 9, 5)
    assert ack.head_hash == batch.head_hash


async def test_two_workers_never_serve_one_gateway_together(database_url: str) -> None:
    first, second = Leases(database_url), Leases(database_url)
    try:
        assert await first.holds("gw-a")
        assert not await second.holds("gw-a")
        assert await second.holds("gw-b")
        first.close()
        await until(lambda: second.holds("gw-a"))
    finally:
        first.close()
        second.close()


# ---------------------------------------------------------------- the whole way


@dataclass
class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class CuttingProxy:
    """A TCP proxy that can cut every connection, and loses what was under way."""

    target_port: int
    port: int = 0
    writers: set[asyncio.StreamWriter] = field(default_factory=set)
    cuts: int = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[CuttingProxy]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        self.cuts += 1
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
        except OSError:
            writer.transport.abort()
            return
        self.writers |= {writer, far_writer}
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(16384):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        writer.transport.abort()


class NoDown:
    """Nothing is expected from above."""

    async def receive(self, kind: str, payload: bytes) -> None:
        raise AssertionError(kind)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    made = EmbeddedBroker(BrokerSettings(tmp_path, "127.0.0.1", 0, "cloud", PASSWORD, {GATEWAY: PASSWORD}))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def task(work: Any) -> AsyncIterator[None]:
    running = asyncio.create_task(work)
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])


def worker_on(pool: asyncpg.Pool, url: str, port: int, project: Any = no_projection) -> IngestWorker:
    metrics = IngestMetrics(CollectorRegistry())
    ingest = Ingest(pool=pool, project=project, metrics=metrics)
    access = BrokerAccess("127.0.0.1", port, "cloud", PASSWORD)
    return IngestWorker(access=access, ingest=ingest, metrics=metrics, database_url=url)


def uplink_on(journal: SqliteJournal, port: int, seed: int = 1) -> MqttUplink:
    quick = SenderSettings(silence_s=0.5, silence_s_max=2.0, batch_rows_max=50)
    settings = MqttSettings("127.0.0.1", port, GATEWAY, PASSWORD, retry_base_s=0.05, retry_cap_s=0.2, sender=quick)
    draw = random.Random(seed)
    return MqttUplink(
        gateway=GATEWAY, settings=settings, journal=journal, down=NoDown(), clock=SystemClock(), random=draw.random
    )


async def until(holds: Callable[[], Awaitable[bool]], *, seconds: float = 180) -> None:
    """Ask until the answer is yes: for what other processes do, which no event of ours tells."""
    async with asyncio.timeout(seconds):
        for pause in repeat(0.02):
            if await holds():
                return
            await asyncio.sleep(pause)


async def all_acknowledged(journal: SqliteJournal) -> None:
    async def empty() -> bool:
        return not any(journal.backlog().values())

    await until(empty)


async def in_the_middle(journal: SqliteJournal, *, left: int) -> None:
    """Until so many rows at most are not yet acknowledged, with others under way."""

    async def few() -> bool:
        return journal.backlog()["0"] <= left

    await until(few)


async def check_equal(journal: SqliteJournal, pool: asyncpg.Pool) -> None:
    """Cloud and journal hold the same rows, and each lane the same head."""
    for head in journal.heads():
        theirs = await pool.fetch(
            "SELECT seq, hash FROM events WHERE lane = $1 AND epoch = $2 ORDER BY seq", head.lane, head.epoch
        )
        assert [row["seq"] for row in theirs] == list(range(1, head.head_seq + 1))
        if theirs:
            assert bytes(theirs[-1]["hash"]) == head.head_hash


async def test_events_reach_the_cloud_through_cuts(
    pool: asyncpg.Pool, database_url: str, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """Connections of both sides are cut again and again: nothing is lost, nothing comes twice."""
    near, far = CuttingProxy(broker.port), CuttingProxy(broker.port)
    opened = SqliteJournal.open(
        tmp_path / "journal.db", gateway_id=GATEWAY, boot_id="boot", clock=SystemClock(), settings=JOURNAL
    )
    async with near.running(), far.running(), opened as journal:
        worker = worker_on(pool, database_url, far.port)
        async with task(worker.run()), task(uplink_on(journal, near.port).run()):
            for number in range(700):
                await journal.append(VehiclePassed(f"a-{number}", "lane", "passed", "2026-11-21T02:00:00+00:00"))
                if number % 5 == 0:
                    await journal.append(DeviceLost("camera", None, str(number), "2026-11-21T02:00:00+00:00"))
                if number % 50 == 25:
                    (near if number % 100 == 25 else far).cut()
                    await asyncio.sleep(0.1)  # so that something is under way when the next cut comes
            await all_acknowledged(journal)
        await check_equal(journal, pool)
    assert near.cuts > 5
    assert far.cuts > 5
    uuids = await pool.fetch("SELECT uuid FROM events")
    assert len({row["uuid"] for row in uuids}) == len(uuids) == 700 + 140


async def test_restored_journal_sends_its_new_rows_and_no_old_ones(
    pool: asyncpg.Pool, database_url: str, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """A backup of the journal is put back: numbers are used again, and nothing is swallowed or doubled."""
    path, backup = tmp_path / "journal.db", tmp_path / "backup.db"

    @asynccontextmanager
    async def opened() -> AsyncIterator[SqliteJournal]:
        journal = SqliteJournal.open(path, gateway_id=GATEWAY, boot_id="boot", clock=SystemClock(), settings=JOURNAL)
        worker = worker_on(pool, database_url, broker.port)
        async with journal as made, task(worker.run()), task(uplink_on(made, broker.port).run()):
            yield made

    async def append(journal: SqliteJournal, first: int, count: int) -> None:
        events = [VehiclePassed(f"a-{first + i}", "lane", "passed", "2026-11-21T02:00:00+00:00") for i in range(count)]
        await journal.append_many(events)

    async with opened() as journal:
        await append(journal, 1, 300)
        await all_acknowledged(journal)
    backup.write_bytes(path.read_bytes())
    async with opened() as journal:
        await append(journal, 301, 300)
        await all_acknowledged(journal)
    path.write_bytes(backup.read_bytes())
    async with opened() as journal:
        await append(journal, 1001, 500)
        await all_acknowledged(journal)
        assert {head.lane: head.base_seq for head in journal.heads()}[0] == 300
    rows = await pool.fetch("SELECT body ->> 'arrival_id' AS arrival FROM events WHERE lane = 0")
    arrivals = sorted(int(row["arrival"].removeprefix("a-")) for row in rows)
    assert arrivals == [*range(1, 601), *range(1001, 1501)]


async def test_broker_worker_and_gateway_are_killed_in_turn(
    pool: asyncpg.Pool, database_url: str, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """Whatever goes away in the middle: nothing is lost, nothing comes twice, the chains are equal."""
    draw, numbers = random.Random(3), count(1)

    def ingesting() -> AbstractAsyncContextManager[None]:
        return task(worker_on(pool, database_url, broker.port).run())

    async with task(broker.watch()), AsyncExitStack() as worker:
        await worker.enter_async_context(ingesting())
        for turn in range(9):
            opened = SqliteJournal.open(
                tmp_path / "journal.db", gateway_id=GATEWAY, boot_id=f"{turn}", clock=SystemClock(), settings=JOURNAL
            )
            async with opened as journal, task(uplink_on(journal, broker.port, turn).run()):
                events = [VehiclePassed(f"a-{next(numbers)}", "lane", "passed", "") for _ in range(400)]
                await journal.append_many(events)
                await in_the_middle(journal, left=draw.randrange(50, 400))
                match turn % 3:
                    case 0:
                        assert broker.pid is not None
                        os.kill(broker.pid, signal.SIGKILL)
                    case 1:
                        await worker.aclose()
                        await worker.enter_async_context(ingesting())
                if turn == 8:
                    await all_acknowledged(journal)
                    await check_equal(journal, pool)
    arrivals = await pool.fetch("SELECT body ->> 'arrival_id' AS arrival FROM events")
    assert len({row["arrival"] for row in arrivals}) == len(arrivals) == 9 * 400


DAY_MS = 24 * 3600 * 1000


def stamped(days_ahead: dict[int, int], count: int, *, epoch: int = EPOCH) -> Batch:
    """Rows stamped as 1970 began, some of them days later."""
    head = prev_hash = genesis_hash(GATEWAY, epoch, LANE, 0)
    rows, days = [], 0
    for seq in range(1, count + 1):
        days = days_ahead.get(seq, days)
        values = (seq, seq.to_bytes(16), (days * DAY_MS << 16) + seq, 1_700_000_000_000_000 + seq, seq)
        head = event_hash(head, *values, b"boot", b"device_lost", b"{}")
        rows.append(EventRow(*values, "boot", "device_lost", b"{}", head))
    return batch_of(GATEWAY, epoch, LANE, prev_hash, rows)


async def clock_alarms(pool: asyncpg.Pool) -> list[bool]:
    """Whether each is open, the oldest first."""
    rows = await pool.fetch("SELECT cleared_at FROM alarms WHERE device = 'clock' ORDER BY raised_at, cleared_at")
    return [row["cleared_at"] is None for row in rows]


async def test_stamps_from_the_future_are_refused_and_alarmed_until_the_clock_is_right(pool: asyncpg.Pool) -> None:
    metrics = IngestMetrics(CollectorRegistry())
    ingest = Ingest(pool=pool, project=no_projection, metrics=metrics, wall_s=lambda: 0.0)
    await greeted(ingest)
    for refused in (1, 2):
        ack = await ingest.take(stamped({4: 3652}, 6))
        assert (ack.status, ack.applied_seq) == (AckStatus.CLOCK, 3)
        assert "row 4 is stamped 87648 h ahead" in ack.detail
        assert metrics.clock_ahead.labels(GATEWAY)._value.get() == refused
    assert await stored_seqs(pool) == [1, 2, 3]
    assert await clock_alarms(pool) == [True]
    ingest = Ingest(pool=pool, project=no_projection, metrics=metrics, wall_s=lambda: 3652 * 86_400.0)
    assert (await ingest.take(stamped({4: 3652}, 6))).status is AckStatus.OK
    assert await clock_alarms(pool) == [False]
    assert await stored_seqs(pool) == [1, 2, 3, 4, 5, 6]


async def test_a_lead_of_hours_is_taken(pool: asyncpg.Pool) -> None:
    ingest = Ingest(
        pool=pool, project=no_projection, metrics=IngestMetrics(CollectorRegistry()), wall_s=lambda: 86_000.0
    )
    await greeted(ingest)
    assert (await ingest.take(stamped({1: 1}, 3))).status is AckStatus.OK
    assert await clock_alarms(pool) == []


@dataclass
class LeaptClock(SystemClock):
    """The machine's time and a leap."""

    leap: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return super().now() + self.leap


async def test_rows_of_a_clock_that_was_ahead_reach_the_cloud_once_it_is_right(
    pool: asyncpg.Pool, database_url: str, broker: EmbeddedBroker, tmp_path: Path
) -> None:
    """Nothing is lost, nothing comes twice, and what is journalled later is not held up."""
    clock = LeaptClock()
    quick = SenderSettings(silence_s=0.5, silence_s_max=2.0, batch_rows_max=50, refused_retry_s=0.1)
    opened = SqliteJournal.open(
        tmp_path / "journal.db", gateway_id=GATEWAY, boot_id="boot", clock=clock, settings=JOURNAL
    )
    settings = MqttSettings("127.0.0.1", broker.port, GATEWAY, PASSWORD, sender=quick)
    async with opened as journal:
        uplink = MqttUplink(
            gateway=GATEWAY, settings=settings, journal=journal, down=NoDown(), clock=clock, random=random.random
        )

        async def append(first: int) -> None:
            events = [VehiclePassed(f"a-{first + i}", "lane", "passed", "") for i in range(60)]
            await journal.append_many([*events, DeviceLost("camera", None, str(first), "2026-11-21T02:00:00+00:00")])

        async def alarmed() -> bool:
            return await clock_alarms(pool) == [True]

        async with task(worker_on(pool, database_url, broker.port).run()), task(uplink.run()):
            await append(0)
            await all_acknowledged(journal)
            clock.leap = timedelta(days=3652)
            await append(100)
            await until(alarmed)
            assert journal.backlog()["0"] == 60
            clock.leap = timedelta()
            await append(200)
            await all_acknowledged(journal)
    rows = await pool.fetch("SELECT body ->> 'arrival_id' AS arrival FROM events WHERE lane = 0 ORDER BY epoch, hlc")
    assert [row["arrival"] for row in rows] == [f"a-{first + i}" for first in (0, 100, 200) for i in range(60)]
    assert await pool.fetchval("SELECT count(DISTINCT uuid) FROM events") == 183
    assert await pool.fetchval("SELECT count(*) FROM quarantine") == 0
    assert not any(await clock_alarms(pool))
    assert all(found.broken_seq is None for found in await verify_cloud(database_url))


# ---------------------------------------------------------------- verify, on the cloud's side


async def stored_stream(pool: asyncpg.Pool) -> Batch:
    ingest = ingest_on(pool)
    await greeted(ingest)
    batch = rows_of(30, bodies={11: b"poison"})
    await ingest.take(batch)
    return batch


async def test_sound_cloud_is_proven_with_what_is_in_quarantine(pool: asyncpg.Pool, database_url: str) -> None:
    batch = await stored_stream(pool)
    [found] = await verify_cloud(database_url)
    assert (found.broken_seq, found.rows, found.quarantined) == (None, 30, 1)
    assert found.head_hash == batch.head_hash.hex()


ALTERATIONS = [
    "raw = convert_to('{\"device\": 1}', 'UTF8')",
    "body = '{\"device\": 1}'",
    "kind = 'device_back'",
    "wall_at = wall_at + interval '1 microsecond'",
    "hlc = hlc + 1",
    "mono_ns = mono_ns + 1",
    "boot_id = 'another'",
    "uuid = gen_random_uuid()",
    "hash = sha256('x')",
]


@pytest.mark.parametrize("seq", [1, 10, 12, 30])
@pytest.mark.parametrize("alteration", ALTERATIONS)
async def test_any_altered_row_of_the_cloud_is_found(
    pool: asyncpg.Pool, database_url: str, alteration: str, seq: int
) -> None:
    await stored_stream(pool)
    await pool.execute(f"UPDATE events SET {alteration} WHERE seq = {seq}")
    [found] = await verify_cloud(database_url)
    assert found.broken_seq == seq


@pytest.mark.parametrize("seqs", ["1", "5", "30", "29, 30", "1, 2, 3"])
async def test_deleted_rows_of_the_cloud_are_missed(pool: asyncpg.Pool, database_url: str, seqs: str) -> None:
    await stored_stream(pool)
    await pool.execute(f"DELETE FROM events WHERE seq IN ({seqs})")
    [found] = await verify_cloud(database_url)
    assert found.broken_seq is not None
    assert abs(found.broken_seq - int(seqs.split(",")[0])) <= 3


async def test_rows_that_retention_made_anonymous_are_counted_and_their_neighbours_still_proven(
    pool: asyncpg.Pool, database_url: str
) -> None:
    await stored_stream(pool)
    await pool.execute("UPDATE events SET raw = '', body = '{}', redacted_at = now() WHERE seq IN (4, 5)")
    [found] = await verify_cloud(database_url)
    assert (found.broken_seq, found.rows, found.redacted) == (None, 30, 2)
    await pool.execute("UPDATE events SET hash = sha256('x') WHERE seq = 5")
    [found] = await verify_cloud(database_url)
    assert found.broken_seq == 6
