"""The journal on SQLite: owns the one writer task, group commit, numbering and the hash chain.

An append resolves when its transaction is on the disk (WAL, synchronous=FULL). Appends that wait while
a commit runs share the next one. Only the writer task writes; reading has a connection of its own.
Rows are made in `journal_rows`; the file and its repair are in `journal_file`, room, pruning and checkpoints in
`journal_upkeep`.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import aiosqlite
import structlog

from cloud_sync.contract import hlc
from cloud_sync.contract.chain import genesis_hash
from cloud_sync.contract.v1 import BATCH_BODY_BYTES_MAX, LANES, EventRow, Point
from control.domain.events import EVENT_KINDS, JournalRebuilt, SyncLane, TelemetryDropped
from edge.adapters import journal_file
from edge.adapters.journal_disk import Room
from edge.adapters.journal_epochs import NewEpoch, begin_epoch, first_new_stamp
from edge.adapters.journal_file import Damage, StoredLane
from edge.adapters.journal_rows import (
    EPOCH_START,
    MICROSECOND,
    Entry,
    Job,
    Origin,
    Rows,
    chain_group,
    entry_of,
    epoch_number,
    insert_statement,
    recorded,
)
from edge.adapters.journal_upkeep import JournalSettings, Upkeep, prune
from edge.journal import Clock, JournalError, LaneHead, PendingMedia, Receipt, Recorded

log = structlog.get_logger(__name__)

GROUP_ROWS_MAX = 1000
WAITING_ROWS_MAX = 20_000
ONE_STATEMENT_ROWS_MAX = 256
RECENT_SCAN_ROWS = 20_000
ALWAYS_ROOM_LANES = frozenset({int(SyncLane.GATE), int(SyncLane.ALARM)})

Result = TypeVar("Result")


class SqliteJournal:
    """See `edge.journal.Journal` and `UplinkJournal`. Use `SqliteJournal.open(...)` as a context."""

    def __init__(
        self,
        *,
        gateway_id: str,
        boot: int,
        boot_id: str,
        clock: Clock,
        writer: aiosqlite.Connection,
        reader: aiosqlite.Connection,
        keeper: aiosqlite.Connection,
        upkeep: Upkeep,
        lanes: Iterable[StoredLane],
    ) -> None:
        self.gateway_id = gateway_id
        self._origin = Origin(boot, boot_id.encode())
        self._clock = clock
        self._writer, self._reader, self._keeper, self._upkeep = writer, reader, keeper, upkeep
        self._heads: dict[int, LaneHead] = {lane.lane: _head_of(lane) for lane in lanes}
        self._pruned = {lane.lane: lane.pruned_seq for lane in lanes}
        self._boots = {boot: boot_id}
        self._acked_unsaved: set[int] = set()
        self._telemetry_at: dict[str, float] = {}
        self._hlc = max(lane.last_hlc for lane in lanes)
        self._loop = asyncio.get_running_loop()
        self._jobs: list[Job] = []
        self._waiting_rows = 0
        self._actions: list[Callable[[], Awaitable[None]]] = []
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False
        self._listeners: list[Callable[[], None]] = []

    @classmethod
    @asynccontextmanager
    async def open(
        cls, path: Path, *, gateway_id: str, boot_id: str, clock: Clock, settings: JournalSettings | None = None
    ) -> AsyncIterator[SqliteJournal]:
        """A journal at `path`, made or rebuilt where need be. Raises JournalError when it cannot be had."""
        with journal_file.locked(path):
            epoch = epoch_number(clock.now())
            stamp = f"{clock.now():%Y%m%dT%H%M%S}-{epoch % 100_000}"
            found = await asyncio.to_thread(
                journal_file.prepare, path, gateway_id=gateway_id, new_epoch=epoch, stamp=stamp
            )
            async with (
                journal_file.connected(path) as writer,
                journal_file.connected(path) as reader,
                journal_file.connected(path) as keeper,
            ):
                journal = cls(
                    gateway_id=gateway_id,
                    boot=await journal_file.boot_number(writer, boot_id),
                    boot_id=boot_id,
                    clock=clock,
                    writer=writer,
                    reader=reader,
                    keeper=keeper,
                    upkeep=Upkeep(path, settings or JournalSettings()),
                    lanes=found.lanes,
                )
                async with journal._running():
                    await journal._tell_damage(found.damage)
                    yield journal

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[None]:
        rows = await self._reader.execute_fetchall("SELECT boot, boot_id FROM boots")
        self._boots = {int(boot): str(boot_id) for boot, boot_id in rows}
        await self._upkeep.look(self._writer)
        task = asyncio.create_task(self._write_loop(), name="journal-writer")
        try:
            yield
        finally:
            self._closing = True
            self._wake.set()
            await task

    async def _tell_damage(self, damage: Damage | None) -> None:
        if damage is None:
            return
        log.error("journal_rebuilt", why=damage.why, set_aside=str(damage.set_aside), carried=damage.carried)
        carried = {str(lane): count for lane, count in damage.carried.items()}
        at = self._clock.now().isoformat(timespec="milliseconds")
        await self.append(JournalRebuilt(damage.why, damage.set_aside.name, carried, damage.carried_whole, at))

    async def append(self, event: object) -> Receipt:
        """Return when the event is on the disk. Raises JournalError."""
        entries = (entry_of(event),)
        if self._waiting_rows >= WAITING_ROWS_MAX:
            await self._wait_for_room()
        return (await self._submitted(entries))[0]

    async def append_many(self, events: Sequence[object]) -> tuple[Receipt, ...]:
        """All of them in one transaction, or none. Raises JournalError."""
        if not events:
            return ()
        entries = tuple(map(entry_of, events))
        if self._waiting_rows >= WAITING_ROWS_MAX:
            await self._wait_for_room()
        return await self._submitted(entries)

    async def _wait_for_room(self) -> None:
        while self._waiting_rows >= WAITING_ROWS_MAX and not self._closing:
            self._room.clear()
            await self._room.wait()

    def _submitted(self, entries: tuple[Entry, ...]) -> asyncio.Future[tuple[Receipt, ...]]:
        """Done when the entries are on the disk."""
        if self._closing:
            raise JournalError("the journal is closed")
        done: asyncio.Future[tuple[Receipt, ...]] = self._loop.create_future()
        self._waiting_rows += len(entries)
        self._jobs.append(Job(entries, done))
        self._wake.set()
        return done

    async def _write_loop(self) -> None:
        next_upkeep_s = 0.0
        while not (self._closing and not self._jobs and not self._actions):
            await self._wait_for_work(next_upkeep_s)
            while self._actions:
                await self._actions.pop(0)()
            if self._jobs:
                await self._write_group(self._take_group())
            self._upkeep.checkpoint(self._keeper)
            if (now_s := self._clock.monotonic()) >= next_upkeep_s:
                next_upkeep_s = now_s + self._upkeep.settings.upkeep_every_s
                await self._keep_up()
        await self._save_acked()
        await self._upkeep.quiet()

    async def _wait_for_work(self, until_s: float) -> None:
        if not self._jobs and not self._actions and not self._closing:
            self._wake.clear()
            timeout_s = max(until_s - self._clock.monotonic(), 0.01)
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._wake.wait()

    def _take_group(self) -> list[Job]:
        rows = count = 0
        for job in self._jobs:
            if count and rows + len(job.entries) > GROUP_ROWS_MAX:
                break
            rows, count = rows + len(job.entries), count + 1
        group, self._jobs = self._jobs[:count], self._jobs[count:]
        self._waiting_rows -= rows
        if not self._room.is_set() and self._waiting_rows < WAITING_ROWS_MAX:
            self._room.set()
        return group

    async def _write_group(self, group: list[Job]) -> None:
        if self._upkeep.room is not Room.PLENTY:
            group = self._thin_out(group)
        try:
            await self._store(group)
        except sqlite3.Error as error:
            await self._after_failure(group, error)

    async def _after_failure(self, group: list[Job], error: sqlite3.Error) -> None:
        """A full disk is given the ballast and asked once more; whatever fails then is refused."""
        if not _is_full(error):
            _refuse(group, f"the journal could not write: {error}")
            return
        log.error("journal_disk_full", ballast_released=self._upkeep.give_up_ballast())
        group = self._thin_out(group)
        try:
            await self._upkeep.truncate(self._writer, anyway=True)
            await self._store(group)
        except sqlite3.Error as again:
            _refuse(group, f"the disk is full: free some room on it ({again})")

    def _thin_out(self, group: list[Job]) -> list[Job]:
        """Answer those jobs at once that the room does not allow; the others go on."""
        kept = []
        for job in group:
            lanes = {entry.lane for entry in job.entries}
            if self._upkeep.room is Room.RESERVE and not lanes <= ALWAYS_ROOM_LANES:
                job.refuse("the disk is full: only gate events and alarms are kept until there is room")
            elif lanes == {SyncLane.TELEMETRY} and self._too_soon(job):
                job.resolve(tuple(Receipt(entry.lane, 0, b"", b"") for entry in job.entries))
            else:
                kept.append(job)
        return kept

    def _too_soon(self, job: Job) -> bool:
        now_s = self._clock.monotonic()
        kinds = {entry.kind for entry in job.entries}
        last_s = max(self._telemetry_at.get(kind, -1e9) for kind in kinds)
        if now_s - last_s < self._upkeep.settings.thin_telemetry_s:
            return True
        self._telemetry_at.update(dict.fromkeys(kinds, now_s))
        return False

    async def _store(self, group: list[Job]) -> None:
        """Number, chain and write the group in one transaction; the heads move only after it."""
        if not group:
            return
        chained = chain_group(group, self._heads, self._origin, self._hlc, self._clock)
        await self._insert(chained.rows)
        for lane, (seq, digest) in chained.ends.items():
            # The head as it is now: an acknowledgement may have come meanwhile.
            self._heads[lane] = replace(self._heads[lane], head_seq=seq, head_hash=digest)
        self._hlc = chained.last_hlc
        for job, receipts in zip(group, chained.receipts, strict=True):
            job.resolve(receipts)
        for listener in self._listeners:
            listener()

    async def _insert(self, rows: Rows) -> None:
        """One statement is its own transaction and one trip to the thread; more need BEGIN and COMMIT."""
        if len(rows) == 1:
            [(lane, of_lane)] = rows.items()
            if len(of_lane) <= ONE_STATEMENT_ROWS_MAX:
                await self._writer.execute(*insert_statement(lane, of_lane))
                return
        async with self._transaction():
            for lane, of_lane in rows.items():
                for start in range(0, len(of_lane), ONE_STATEMENT_ROWS_MAX):
                    part = of_lane[start : start + ONE_STATEMENT_ROWS_MAX]
                    await self._writer.execute(*insert_statement(lane, part))

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        await self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield
            await self._writer.execute("COMMIT")
        except sqlite3.Error:
            await self._writer.rollback()
            raise

    async def _keep_up(self) -> None:
        try:
            await self._save_acked()
            if await self._upkeep.look(self._writer) in (Room.DROP, Room.RESERVE):
                await self._drop_telemetry()
            for lane in LANES:
                await self._prune(lane)
            await self._upkeep.truncate(self._writer, anyway=self._upkeep.room is not Room.PLENTY)
            await self._forget_claims()
        except sqlite3.Error as error:
            log.warning("journal_upkeep_failed", error=str(error))

    async def _save_acked(self) -> None:
        for lane in sorted(self._acked_unsaved):
            seq = self._heads[lane].acked_seq
            update = (
                f"UPDATE lanes SET acked_seq=?1, acked_hash=(SELECT hash FROM lane_{lane} WHERE seq=?1) WHERE lane=?2"
            )
            await self._writer.execute(update + " AND acked_seq < ?1", (seq, lane))
        self._acked_unsaved.clear()

    async def _prune(self, lane: int) -> None:
        head = self._heads[lane]
        keep_rows = self._upkeep.settings.keep_rows if self._upkeep.room is Room.PLENTY else 0
        # The acknowledged row itself stays: its hash is where the next batch begins.
        until = min(head.acked_seq - 1, head.head_seq - keep_rows)
        if until > self._pruned[lane]:
            self._pruned[lane] = await prune(self._writer, lane, until_seq=until) or until

    async def _drop_telemetry(self) -> None:
        lane = int(SyncLane.TELEMETRY)
        head = self._heads[lane]
        if head.head_seq == head.acked_seq:
            return
        all_pruned = "UPDATE lanes SET pruned_seq=acked_seq, pruned_hash=acked_hash WHERE lane=2"
        await self._begin_epoch(lane, head.head_seq, "telemetry dropped", f"DELETE FROM lane_{lane}", all_pruned)
        self._pruned[lane] = head.head_seq
        why, at = self._upkeep.room.value, self._clock.now().isoformat(timespec="milliseconds")
        event = TelemetryDropped(lane, head.acked_seq + 1, head.head_seq, f"disk: {why}", at)
        done: asyncio.Future[tuple[Receipt, ...]] = asyncio.get_running_loop().create_future()
        await self._write_group([Job((entry_of(event),), done)])
        log.error("journal_telemetry_dropped", first_seq=event.first_seq, last_seq=event.last_seq)

    async def _begin_epoch(
        self, lane: int, base_seq: int, why: str, *statements: str, first_stamp: int | None = None
    ) -> LaneHead:
        """A new epoch after `base_seq`; later rows are chained anew. In one transaction."""
        epoch = max(epoch_number(self._clock.now()), self._heads[lane].epoch + 1)
        async with self._transaction():
            new = NewEpoch(lane, epoch, base_seq, why, first_stamp)
            chained = await begin_epoch(self._writer, self.gateway_id, self._boots, new)
            for statement in statements:
                await self._writer.execute(statement)
        if first_stamp is not None:
            sane = self._hlc < hlc.first_too_far(self._wall_ms())
            self._hlc = max(self._hlc, chained.last_stamp) if sane else chained.last_stamp
        self._heads[lane] = LaneHead(lane, epoch, base_seq, chained.head_seq, chained.head_hash, base_seq)
        self._acked_unsaved.discard(lane)
        return self._heads[lane]

    def _wall_ms(self) -> int:
        return (self._clock.now() - EPOCH_START) // timedelta(milliseconds=1)

    async def _forget_claims(self) -> None:
        now_us = (self._clock.now() - EPOCH_START) // MICROSECOND
        # A clock that leapt ahead must not make a command fresh again: a week of grace.
        oldest_us = now_us - timedelta(days=7) // MICROSECOND
        await self._writer.execute("DELETE FROM claims WHERE expires_us < ?", (oldest_us,))

    async def _do(self, action: Callable[[], Awaitable[Result]]) -> Result:
        """Run `action` in the writer task, between two groups."""
        if self._closing:
            raise JournalError("the journal is closed")
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

        async def run() -> None:
            try:
                result = await action()
            except (sqlite3.Error, JournalError) as error:
                if not done.done():
                    done.set_exception(JournalError(f"the journal could not write: {error}"))
            else:
                if not done.done():
                    done.set_result(result)

        self._actions.append(run)
        self._wake.set()
        return await done

    # Reading, for the cycles and the hut page

    async def recent(self, kinds: Iterable[str], limit: int) -> tuple[Recorded, ...]:
        """The newest events of these kinds, newest first, by the hybrid clock."""
        wanted = tuple(dict.fromkeys(kinds))
        found: list[tuple[int, Recorded]] = []
        for lane in {int(EVENT_KINDS[kind][1]) for kind in wanted}:
            marks = ",".join("?" * len(wanted))
            query = (
                f"SELECT hlc, seq, uuid, wall_us, kind, body FROM lane_{lane} WHERE seq > ? AND kind IN ({marks})"
                " ORDER BY seq DESC LIMIT ?"
            )
            oldest = self._heads[lane].head_seq - RECENT_SCAN_ROWS
            for stamp, *row in await self._reader.execute_fetchall(query, (oldest, *wanted, limit)):
                found.append((stamp, recorded(lane, *row)))
        found.sort(key=lambda pair: pair[0], reverse=True)
        return tuple(recorded for _, recorded in found[:limit])

    def backlog(self) -> dict[str, int]:
        """Rows that the cloud has not committed yet, by lane number as text."""
        return {str(head.lane): head.head_seq - head.acked_seq for head in self._heads.values()}

    async def claim(self, command_id: str, *, expires_at: datetime) -> bool:
        """True the first time this id is seen. Raises JournalError."""
        expires_us = (expires_at - EPOCH_START) // MICROSECOND

        async def insert() -> bool:
            statement = "INSERT OR IGNORE INTO claims VALUES (?, ?)"
            return (await self._writer.execute(statement, (command_id, expires_us))).rowcount == 1

        return await self._do(insert)

    # For the uplink

    def heads(self) -> tuple[LaneHead, ...]:
        """Every lane's position, from memory."""
        return tuple(self._heads.values())

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each commit that added rows."""
        self._listeners.append(listener)

    async def pending(self, lane: int, *, after: int, limit: int) -> tuple[EventRow, ...]:
        """Rows with `seq > after`, at most `limit` and at most a batch's bytes, but one at least."""
        query = f"SELECT {','.join(journal_file.COLUMNS)} FROM lane_{lane} WHERE seq > ? ORDER BY seq LIMIT ?"
        rows: list[EventRow] = []
        body_bytes = 0
        for row in await self._reader.execute_fetchall(query, (after, limit)):
            seq, uuid, stamp, wall_us, mono_ns, boot, kind, body, digest = row
            body_bytes += len(body)
            if rows and body_bytes > BATCH_BODY_BYTES_MAX:
                break
            rows.append(EventRow(seq, uuid, stamp, wall_us, mono_ns, self._boots[boot], kind, body, digest))
        return tuple(rows)

    async def hash_at(self, lane: int, seq: int) -> bytes | None:
        """Head of the chain after row `seq`; None where it is pruned or never was."""
        head = self._heads[lane]
        if seq == head.head_seq:
            return head.head_hash
        if seq == head.base_seq:
            return genesis_hash(self.gateway_id, head.epoch, lane, seq)
        rows = await self._reader.execute_fetchall(f"SELECT hash FROM lane_{lane} WHERE seq = ?", (seq,))
        return next((bytes(digest) for (digest,) in rows), None)

    async def points(self, lane: int, numbers: Iterable[int]) -> tuple[Point, ...]:
        """The chain's head after each of these rows; rows that are pruned are left out."""
        found = [(seq, await self.hash_at(lane, seq)) for seq in numbers]
        return tuple(Point(seq, digest) for seq, digest in found if digest is not None)

    async def acknowledge(self, lane: int, seq: int) -> None:
        """The cloud committed everything up to `seq`. Saved with the next upkeep: the handshake makes up for a loss."""
        head = self._heads[lane]
        if head.acked_seq < seq <= head.head_seq:
            self._heads[lane] = replace(head, acked_seq=seq)
            self._acked_unsaved.add(lane)

    async def rewind(self, lane: int, *, agreed_seq: int, why: str) -> LaneHead:
        """Begin a new epoch after `agreed_seq`: later rows are chained anew and sent again."""

        async def begin() -> LaneHead:
            base_seq = max(agreed_seq, self._pruned[lane])
            log.warning("journal_new_epoch", lane=lane, after_seq=base_seq, agreed_seq=agreed_seq, why=why)
            return await self._begin_epoch(lane, base_seq, why)

        return await self._do(begin)

    async def restamp(self, lane: int, *, agreed_seq: int) -> LaneHead | None:
        """The cloud refuses rows after `agreed_seq` for their stamps: a new epoch with stamps of our present clock.

        None, and nothing is changed, while our own clock agrees with those stamps: then it is the clock that is wrong.
        """

        async def begin() -> LaneHead | None:
            base_seq = max(agreed_seq, self._pruned[lane])
            first = await first_new_stamp(self._writer, lane, base_seq=base_seq, wall_ms=self._wall_ms())
            if first is None:
                return None
            log.warning("journal_stamped_anew", lane=lane, after_seq=base_seq)
            return await self._begin_epoch(lane, base_seq, "the clock was put right", first_stamp=first)

        return await self._do(begin)

    # For the media upload

    async def media_pending(self, limit: int) -> tuple[PendingMedia, ...]:
        """Evidence files to send, those tried least first, oldest first."""
        query = "SELECT sha256, media_type, size_bytes, tries FROM media_outbox ORDER BY tries, rowid LIMIT ?"
        return tuple(PendingMedia(*row) for row in await self._reader.execute_fetchall(query, (limit,)))

    async def media_waiting(self) -> frozenset[str]:
        """Every evidence file that the cloud does not have yet."""
        return frozenset(sha256 for (sha256,) in await self._reader.execute_fetchall("SELECT sha256 FROM media_outbox"))

    async def media_done(self, sha256: str) -> None:
        """The cloud has the file, or refused it for good."""
        await self._do(lambda: self._writer.execute("DELETE FROM media_outbox WHERE sha256=?", (sha256,)))

    async def media_failed(self, sha256: str) -> None:
        """Count a try; the file moves behind the others."""
        statement = "UPDATE media_outbox SET tries = tries + 1 WHERE sha256=?"
        await self._do(lambda: self._writer.execute(statement, (sha256,)))


def _head_of(stored: StoredLane) -> LaneHead:
    return LaneHead(stored.lane, stored.epoch, stored.base_seq, stored.head_seq, stored.head_hash, stored.acked_seq)


def _is_full(error: sqlite3.Error) -> bool:
    name = getattr(error, "sqlite_errorname", "")
    return name == "SQLITE_FULL" or name.startswith("SQLITE_IOERR")


def _refuse(jobs: Iterable[Job], why: str) -> None:
    for job in jobs:
        job.refuse(why)
