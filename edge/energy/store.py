"""What the gateway remembers of its microgrid beside the journal: owns the file of samples and means, and retention.

The journal holds what is told to the cloud; this file holds every second for some days and the means for longer, so
that a restart goes on in the middle of a period and the forecast has a past. One thread writes and reads it.
Where the disk has no room even for opening it, the memory stands in until the next start: control needs no past.
`synchronous=NORMAL`: a killed process loses nothing, a power cut at most the last seconds.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog

from control.domain.errors import IslandError

Result = TypeVar("Result")
Row = tuple[float, dict[str, Any]]

STORE_FILE = "energy.db"
PRUNE_ROWS_STEP = 2000
SECOND_S = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS samples (number INTEGER PRIMARY KEY, at_s REAL NOT NULL, body BLOB NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS samples_at ON samples (at_s);
CREATE TABLE IF NOT EXISTS means (
  period_s INTEGER NOT NULL, at_s INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (period_s, at_s)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stays (
  number INTEGER PRIMARY KEY, charger TEXT NOT NULL, session TEXT NOT NULL, arrived_s REAL NOT NULL,
  left_s REAL, energy_kwh REAL
) STRICT;
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
"""
_PRUNE_SAMPLES = """
DELETE FROM samples WHERE number IN (
  SELECT number FROM samples WHERE at_s < ? AND number <= (SELECT max(number) FROM samples) - ? LIMIT ?
)
"""
_PRUNE_MEANS = """
DELETE FROM means WHERE period_s = ? AND at_s < ? AND at_s < (
  SELECT at_s FROM means WHERE period_s = ? ORDER BY at_s DESC LIMIT 1 OFFSET ?
)
"""
# A charger has one vehicle: another session's stay that never ended is not known to have been one.
_FORGET_UNENDED = "DELETE FROM stays WHERE charger = ? AND session <> ? AND left_s IS NULL"
_BEGIN_STAY = """
INSERT INTO stays (charger, session, arrived_s) SELECT ?1, ?2, ?3
WHERE NOT EXISTS (SELECT 1 FROM stays WHERE charger = ?1 AND session = ?2 AND left_s IS NULL)
"""
_END_STAY = """
UPDATE stays SET left_s = ?, energy_kwh = ?, session = '' WHERE charger = ? AND session = ? AND left_s IS NULL
"""
_PRUNE_STAYS = "DELETE FROM stays WHERE arrived_s < ? AND number <= (SELECT max(number) FROM stays) - ?"
STAYS_KEPT = 2000
_NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY})

log = structlog.get_logger(__name__)


class EnergyStoreError(IslandError):
    """The file of samples cannot be used: disk full or broken. Control goes on without it."""


class EnergyStore:
    """Use `EnergyStore.open(...)` as a context. Every method raises EnergyStoreError."""

    def __init__(self, db: sqlite3.Connection, thread: ThreadPoolExecutor) -> None:
        self._db, self._thread = db, thread

    @classmethod
    @asynccontextmanager
    async def open(cls, path: Path) -> AsyncIterator[EnergyStore]:
        """The file at `path`, made where need be; a damaged one is set aside as `*.damaged` and begun anew."""
        with ThreadPoolExecutor(1, thread_name_prefix="energy-store") as thread:
            loop = asyncio.get_running_loop()
            db = await loop.run_in_executor(thread, _opened, path)
            try:
                yield cls(db, thread)
            finally:
                await loop.run_in_executor(thread, db.close)

    async def add(self, *, at_s: float, body: Mapping[str, Any]) -> None:
        """One sample; `at_s` is seconds since 1970."""
        raw = msgspec.json.encode(body)
        await self._do(lambda db: db.execute("INSERT INTO samples (at_s, body) VALUES (?, ?)", (at_s, raw)))

    async def add_mean(self, *, period_s: int, at_s: int, body: Mapping[str, Any]) -> None:
        """The mean of one period that is over; told twice is told once."""
        row = (period_s, at_s, msgspec.json.encode(body))
        await self._do(lambda db: db.execute("INSERT OR REPLACE INTO means VALUES (?, ?, ?)", row))

    async def samples(self, *, from_s: float, until_s: float = 1e18) -> list[Row]:
        """Samples from `from_s` on and before `until_s`, in the order in which they were taken."""
        query = "SELECT at_s, body FROM samples WHERE at_s >= ? AND at_s < ? ORDER BY number"
        return await self._do(lambda db: _rows(db.execute(query, (from_s, until_s))))

    async def means(self, *, period_s: int, from_s: float, until_s: float = 1e18) -> list[Row]:
        """Means of that period, oldest first."""
        query = "SELECT at_s, body FROM means WHERE period_s = ? AND at_s >= ? AND at_s < ? ORDER BY at_s"
        return await self._do(lambda db: _rows(db.execute(query, (period_s, from_s, until_s))))

    async def begin_stay(self, *, charger: str, session: str, arrived_s: float) -> None:
        """A vehicle came; told twice is told once."""

        def begin(db: sqlite3.Connection) -> None:
            db.execute(_FORGET_UNENDED, (charger, session))
            db.execute(_BEGIN_STAY, (charger, session, arrived_s))

        await self._do(begin)

    async def end_stay(self, *, charger: str, session: str, left_s: float, energy_kwh: float) -> None:
        """It left, and took so much. Of one whose coming is not known nothing is kept; the session's id never is."""
        row = (left_s, energy_kwh, charger, session)
        await self._do(lambda db: db.execute(_END_STAY, row))

    async def stays(self, *, from_s: float) -> list[tuple[float, float, float]]:
        """Stays that ended, of vehicles that came since: came, left (seconds since 1970), kWh, in order of coming."""
        query = (
            "SELECT arrived_s, left_s, energy_kwh FROM stays WHERE left_s IS NOT NULL AND arrived_s >= ?"
            " ORDER BY arrived_s"
        )
        return await self._do(lambda db: db.execute(query, (from_s,)).fetchall())

    async def prune_stays(self, *, older_s: float) -> None:
        """Forget stays that began before; the newest 2000 stay, so that a clock that leaps ahead deletes no past."""
        await self._do(lambda db: db.execute(_PRUNE_STAYS, (older_s, STAYS_KEPT)))

    async def note(self, name: str) -> dict[str, Any] | None:
        """A remembered object."""
        query = "SELECT body FROM notes WHERE name = ?"
        found = await self._do(lambda db: db.execute(query, (name,)).fetchone())
        return None if found is None else msgspec.json.decode(found[0])

    async def put_note(self, name: str, body: Mapping[str, Any]) -> None:
        """Remember an object in place of the one before."""
        row = (name, msgspec.json.encode(body))
        await self._do(lambda db: db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", row))

    async def prune(self, *, now_s: float, keep_s: Mapping[int, float]) -> None:
        """Forget what is older than `keep_s` by period; period 1 is the samples. In small steps.

        As many rows stay as fill `keep_s`, whatever their time: a clock that leaps ahead must not delete the past.
        """
        for period_s, kept_s in keep_s.items():
            older_s, rows = now_s - kept_s, int(kept_s // period_s)
            query, parameters = _PRUNE_MEANS, (period_s, older_s, period_s, rows - 1)
            if period_s == SECOND_S:
                query, parameters = _PRUNE_SAMPLES, (older_s, rows, PRUNE_ROWS_STEP)
            await self._do(lambda db, q=query, p=parameters: db.execute(q, p))

    async def _do(self, action: Callable[[sqlite3.Connection], Result]) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, action, self._db)
        except sqlite3.Error as error:
            raise EnergyStoreError(f"the file of energy samples could not be used: {error}") from error


def _rows(cursor: sqlite3.Cursor) -> list[Row]:
    return [(float(at_s), msgspec.json.decode(body)) for at_s, body in cursor]


def _opened(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connected(path)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in _NO_ROOM:
            log.warning("energy samples are kept in memory only", path=str(path), why=str(error))
            return _connected(":memory:")
        raise EnergyStoreError(f"{path} cannot be opened ({error}): free some room, or stop who holds it") from error
    except sqlite3.DatabaseError:
        for suffix in ("-shm", "-wal", ""):
            source = path.with_name(path.name + suffix)
            if source.exists():
                source.replace(path.with_name(f"{path.name}.damaged{suffix}"))
        return _connected(path)


def _connected(path: Path | str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.executescript(_SCHEMA)
    except sqlite3.DatabaseError:
        db.close()
        raise
    if isinstance(path, Path):
        path.chmod(0o600)
    return db
