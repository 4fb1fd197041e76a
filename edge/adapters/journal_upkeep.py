"""What a journal needs besides appends: owns room, pruning, checkpoints and its settings.

All of it runs in the writer task between commits, in small steps, so that no append waits for long;
checkpoints run on a connection of their own while appends go on.
"""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import aiosqlite
import structlog

from edge.adapters.journal_disk import Ballast, Room, room_for, usage_of

log = structlog.get_logger(__name__)

PRUNE_ROWS_STEP = 500
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """Sizes of the journal. Acknowledged rows stay for the hut page until `keep_rows` a lane are newer."""

    journal_bytes_max: int = 1024 * MIB
    ballast_bytes: int = 64 * MIB
    keep_rows: int = 100_000
    upkeep_every_s: float = 1.0
    checkpoint_wal_bytes: int = 16 * MIB
    truncate_wal_bytes: int = 64 * MIB
    thin_telemetry_s: float = 60.0


class Upkeep:
    """The journal's room, and the steps that keep it."""

    def __init__(self, path: Path, settings: JournalSettings) -> None:
        self.settings = settings
        self.room = Room.PLENTY
        self._path = path
        self._wal = path.with_name(path.name + "-wal")
        self._ballast = Ballast(path.with_name(path.name + ".ballast"), settings.ballast_bytes)
        self._checkpoint: asyncio.Task[None] | None = None

    async def look(self, db: aiosqlite.Connection) -> Room:
        """Take the room's measure, and the ballast again when there is room for it."""
        held = await asyncio.to_thread(self._ballast.restore)
        free_bytes = await free_pages_bytes(db)
        usage = usage_of(self._path, free_bytes)
        room = room_for(usage, journal_bytes_max=self.settings.journal_bytes_max, ballast_held=held)
        if room is not self.room:
            log.warning("journal_room", room=room.value, was=self.room.value, free_bytes=usage.free_bytes)
        self.room = room
        return room

    def give_up_ballast(self) -> bool:
        """On a full disk: True when that made room."""
        self.room = Room.RESERVE
        return self._ballast.release()

    def checkpoint(self, keeper: aiosqlite.Connection) -> None:
        """Start a checkpoint beside the appends when the WAL has grown, unless one is running."""
        if self._checkpoint is not None and not self._checkpoint.done():
            return
        if self._wal_bytes() >= self.settings.checkpoint_wal_bytes:
            self._checkpoint = asyncio.create_task(_checkpoint(keeper, "PASSIVE"), name="journal-checkpoint")

    async def truncate(self, writer: aiosqlite.Connection, *, anyway: bool = False) -> None:
        """Write the WAL back and empty it when it has outgrown its limit: then appends wait for that."""
        if anyway or self._wal_bytes() >= self.settings.truncate_wal_bytes:
            await self.quiet()
            await _checkpoint(writer, "TRUNCATE")

    async def quiet(self) -> None:
        """Wait for a checkpoint that is running."""
        if self._checkpoint is not None:
            await self._checkpoint

    def _wal_bytes(self) -> int:
        try:
            return self._wal.stat().st_size
        except FileNotFoundError:
            return 0


async def free_pages_bytes(db: aiosqlite.Connection) -> int:
    """Bytes inside the file that are free again."""
    [(pages,)] = await db.execute_fetchall("PRAGMA freelist_count")
    [(size,)] = await db.execute_fetchall("PRAGMA page_size")
    return int(pages) * int(size)


async def prune(db: aiosqlite.Connection, lane: int, *, until_seq: int) -> int:
    """Delete one step of the oldest rows up to `until_seq`; the new last pruned row's number."""
    [(first,)] = await db.execute_fetchall(f"SELECT coalesce(min(seq), 0) FROM lane_{lane}")
    last = min(until_seq, first + PRUNE_ROWS_STEP - 1)
    if not first or last < first:
        return 0
    await db.execute("BEGIN IMMEDIATE")
    try:
        mark = f"UPDATE lanes SET pruned_seq=?1, pruned_hash=(SELECT hash FROM lane_{lane} WHERE seq=?1) WHERE lane=?2"
        await db.execute(mark, (last, lane))
        await db.execute(f"DELETE FROM lane_{lane} WHERE seq <= ?", (last,))
        await db.execute("COMMIT")
    except sqlite3.Error:
        await db.rollback()
        raise
    return int(last)


async def _checkpoint(db: aiosqlite.Connection, mode: str) -> None:
    try:
        await db.execute_fetchall(f"PRAGMA wal_checkpoint({mode})")
    except sqlite3.OperationalError as error:
        log.warning("journal_checkpoint_failed", mode=mode, error=str(error))
