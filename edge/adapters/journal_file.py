"""The journal's file: owns its schema, its pragmas, its lock, and what is done when it is damaged.

A damaged file is set aside under a new name, never deleted. What can still be proven by the hash chain
is carried over; the handshake with the cloud then decides where a new epoch begins.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiosqlite

from cloud_sync.contract.chain import event_hash, genesis_hash
from cloud_sync.contract.v1 import LANES
from edge.journal import JournalError

SCHEMA_VERSION = 1
COLUMNS = ("seq", "uuid", "hlc", "wall_us", "mono_ns", "boot", "kind", "body", "hash")
WAL_BYTES_MAX = 64 * 1024 * 1024
VERIFY_ROWS_MAX = 100_000

_LANE_TABLE = """
CREATE TABLE IF NOT EXISTS lane_{lane} (
  seq INTEGER PRIMARY KEY, uuid BLOB NOT NULL, hlc INTEGER NOT NULL, wall_us INTEGER NOT NULL,
  mono_ns INTEGER NOT NULL, boot INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL, hash BLOB NOT NULL
) STRICT;
"""
_TABLES = """
CREATE TABLE IF NOT EXISTS identity (gateway_id TEXT PRIMARY KEY) STRICT;
CREATE TABLE IF NOT EXISTS boots (boot INTEGER PRIMARY KEY, boot_id TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE IF NOT EXISTS lanes (
  lane INTEGER PRIMARY KEY, acked_seq INTEGER NOT NULL, acked_hash BLOB NOT NULL,
  pruned_seq INTEGER NOT NULL, pruned_hash BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS epochs (
  lane INTEGER NOT NULL, base_seq INTEGER NOT NULL, epoch INTEGER NOT NULL, why TEXT NOT NULL,
  PRIMARY KEY (lane, epoch)
) STRICT;
CREATE TABLE IF NOT EXISTS claims (command_id TEXT PRIMARY KEY, expires_us INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS media_outbox (
  sha256 TEXT PRIMARY KEY, media_type TEXT NOT NULL, size_bytes INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TRIGGER IF NOT EXISTS media_to_send AFTER INSERT ON lane_3 WHEN NEW.kind = 'media_stored' BEGIN
  INSERT OR IGNORE INTO media_outbox (sha256, media_type, size_bytes)
  VALUES (CAST(NEW.body AS TEXT) ->> 'sha256', CAST(NEW.body AS TEXT) ->> 'media_type',
          CAST(NEW.body AS TEXT) ->> 'size_bytes');
END;
"""

# FULL: a commit returns after the WAL reached the disk. Checkpoints are started by the journal itself,
# off the path of an append, so the automatic ones are off.
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA wal_autocheckpoint=0",
    "PRAGMA cell_size_check=ON",
    "PRAGMA busy_timeout=5000",
)


@dataclass(frozen=True, slots=True)
class StoredLane:
    """One lane as the file tells it."""

    lane: int
    epoch: int
    base_seq: int
    head_seq: int
    head_hash: bytes
    acked_seq: int
    acked_hash: bytes
    pruned_seq: int
    last_hlc: int


@dataclass(frozen=True, slots=True)
class Damage:
    """What was wrong with a file, where it lies now, and how many rows a lane could be carried over."""

    why: str
    set_aside: Path
    carried: dict[int, int]
    carried_whole: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sound file: where its lanes stand, and what had to be done."""

    lanes: tuple[StoredLane, ...]
    damage: Damage | None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """One process at a time. Raises JournalError when another holds the journal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise JournalError(f"journal {path} is open in another process: stop that gateway first") from error
        yield
    finally:
        os.close(handle)


def prepare(path: Path, *, gateway_id: str, new_epoch: int, stamp: str) -> Prepared:
    """Leave a sound journal at `path`, made or rebuilt where need be. `stamp` names a file set aside.

    Raises JournalError when the journal belongs to another gateway or a newer program.
    """
    why = _examine(path)
    if why is None:
        damage = None
        _create(path, gateway_id, new_epoch)
    else:
        damage = _rebuild(path, gateway_id, new_epoch, stamp, why)
    with closing(sqlite3.connect(path)) as db:
        return Prepared(tuple(read_lanes(db, gateway_id)), damage)


def read_lanes(db: sqlite3.Connection, gateway_id: str) -> list[StoredLane]:
    """Every lane's position."""
    return [_read_lane(db, gateway_id, lane) for lane in LANES]


def _read_lane(db: sqlite3.Connection, gateway_id: str, lane: int) -> StoredLane:
    acked_seq, acked_hash, pruned_seq = db.execute(
        "SELECT acked_seq, acked_hash, pruned_seq FROM lanes WHERE lane = ?", (lane,)
    ).fetchone()
    epoch, base_seq = db.execute(
        "SELECT epoch, base_seq FROM epochs WHERE lane = ? ORDER BY base_seq DESC, epoch DESC LIMIT 1", (lane,)
    ).fetchone()
    last = db.execute(f"SELECT seq, hash, hlc FROM lane_{lane} ORDER BY seq DESC LIMIT 1").fetchone()
    head_seq, head_hash, last_hlc = last or (0, b"", 0)
    if head_seq <= base_seq:
        head_seq, head_hash = base_seq, genesis_hash(gateway_id, epoch, lane, base_seq)
    if acked_seq > head_seq:  # everything was acknowledged and pruned
        head_seq, head_hash = acked_seq, acked_hash
    return StoredLane(lane, epoch, base_seq, head_seq, head_hash, acked_seq, acked_hash, pruned_seq, last_hlc)


def _examine(path: Path) -> str | None:
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(path)) as db:
            found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            return _unproven(db) if found == "ok" else str(found)
    except (sqlite3.DatabaseError, TypeError) as error:
        return str(error) or type(error).__name__


def _unproven(db: sqlite3.Connection) -> str | None:
    """Why the rows still to be sent cannot be proven; None when they can, or when the file is new."""
    if db.execute("PRAGMA user_version").fetchone()[0] == 0:
        return None
    gateway_id = db.execute("SELECT gateway_id FROM identity").fetchone()[0]
    for stored in read_lanes(db, gateway_id):
        proven = sum(1 for _ in _proven_rows(db, stored))
        if proven < min(stored.head_seq - stored.acked_seq, VERIFY_ROWS_MAX):
            return f"lane {stored.lane}: row {stored.acked_seq + proven + 1} does not follow its predecessor"
    return None


def _proven_rows(db: sqlite3.Connection, stored: StoredLane) -> Iterator[tuple[object, ...]]:
    """Rows after the acknowledged one, for as long as each hashes onto the one before."""
    head, expected = stored.acked_hash, stored.acked_seq + 1
    rows = db.execute(
        f"SELECT seq, uuid, hlc, wall_us, mono_ns, boot, kind, body, hash, boot_id FROM lane_{stored.lane}"
        " JOIN boots USING (boot) WHERE seq > ? ORDER BY seq LIMIT ?",
        (stored.acked_seq, VERIFY_ROWS_MAX),
    )
    for *row, boot_id in rows:
        seq, uuid, hlc, wall_us, mono_ns, _, kind, body, stated = row
        head = event_hash(head, seq, uuid, hlc, wall_us, mono_ns, boot_id.encode(), kind.encode(), body)
        if seq != expected or head != stated:
            return
        expected += 1
        yield tuple(row)


def _create(path: Path, gateway_id: str, new_epoch: int) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for pragma in PRAGMAS:
            db.execute(pragma)
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise JournalError(f"journal {path} was written by a newer program (schema {version}): update this one")
        if version == 0:
            _write_schema(db, gateway_id, new_epoch)
        _check_owner(db, path, gateway_id)
    path.chmod(0o600)


def _write_schema(db: sqlite3.Connection, gateway_id: str, new_epoch: int) -> None:
    tables = "".join(_LANE_TABLE.format(lane=lane) for lane in LANES)
    db.executescript(f"BEGIN IMMEDIATE; {tables} {_TABLES}")
    db.execute("INSERT INTO identity VALUES (?)", (gateway_id,))
    for lane in LANES:
        genesis = genesis_hash(gateway_id, new_epoch, lane, 0)
        db.execute("INSERT INTO epochs VALUES (?, 0, ?, 'first start')", (lane, new_epoch))
        db.execute("INSERT INTO lanes VALUES (?, 0, ?, 0, ?)", (lane, genesis, genesis))
    db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")
    db.execute("COMMIT")


def _check_owner(db: sqlite3.Connection, path: Path, gateway_id: str) -> None:
    owner = db.execute("SELECT gateway_id FROM identity").fetchone()[0]
    if owner != gateway_id:
        raise JournalError(f"journal {path} belongs to gateway {owner}, not {gateway_id}: use another data_dir")


def _rebuild(path: Path, gateway_id: str, new_epoch: int, stamp: str, why: str) -> Damage:
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for suffix in ("-shm", "-wal", ""):
        source = path.with_name(path.name + suffix)
        if source.exists():
            source.rename(aside.with_name(aside.name + suffix))
    _create(path, gateway_id, new_epoch)
    carried, whole = {}, True
    for lane in LANES:
        carried[lane], lane_whole = _carry_over(aside, path, gateway_id, lane)
        whole = whole and lane_whole
    return Damage(why, aside, carried, whole)


def _carry_over(aside: Path, path: Path, gateway_id: str, lane: int) -> tuple[int, bool]:
    """Copy what one lane can prove, under its old epoch. (0, False) when even its position is unreadable."""
    rows: list[tuple[object, ...]] = []
    try:
        with closing(sqlite3.connect(aside)) as old:
            if old.execute("SELECT gateway_id FROM identity").fetchone()[0] != gateway_id:
                return 0, False
            stored = _read_lane(old, gateway_id, lane)
            boots = old.execute("SELECT boot, boot_id FROM boots").fetchall()
            whole = _collect(rows, old, stored)
    except (sqlite3.DatabaseError, TypeError, ValueError):
        return 0, False
    _write_carried(path, stored, boots, rows)
    return len(rows), whole


def _collect(rows: list[tuple[object, ...]], old: sqlite3.Connection, stored: StoredLane) -> bool:
    try:
        rows.extend(_proven_rows(old, stored))
    except (sqlite3.DatabaseError, TypeError, AttributeError):
        return False
    return stored.acked_seq + len(rows) == stored.head_seq


def _write_carried(
    path: Path, stored: StoredLane, boots: list[tuple[int, str]], rows: list[tuple[object, ...]]
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT OR IGNORE INTO boots VALUES (?, ?)", boots)
        db.execute("DELETE FROM epochs WHERE lane = ?", (stored.lane,))
        db.execute("INSERT INTO epochs VALUES (?, ?, ?, 'carried over')", (stored.lane, stored.base_seq, stored.epoch))
        start = (stored.acked_seq, stored.acked_hash, stored.acked_seq, stored.acked_hash, stored.lane)
        db.execute("UPDATE lanes SET acked_seq=?, acked_hash=?, pruned_seq=?, pruned_hash=? WHERE lane=?", start)
        marks = ",".join("?" * len(COLUMNS))
        db.executemany(f"INSERT INTO lane_{stored.lane} ({','.join(COLUMNS)}) VALUES ({marks})", rows)
        db.execute("COMMIT")


@asynccontextmanager
async def connected(path: Path) -> AsyncIterator[aiosqlite.Connection]:
    """One connection, committing each statement by itself unless told otherwise."""
    async with aiosqlite.connect(path, isolation_level=None, cached_statements=512) as db:
        for pragma in PRAGMAS:
            await db.execute_fetchall(pragma)
        yield db


async def boot_number(db: aiosqlite.Connection, boot_id: str) -> int:
    """The small number that rows of this boot carry."""
    await db.execute("INSERT OR IGNORE INTO boots (boot_id) VALUES (?)", (boot_id,))
    [(boot,)] = await db.execute_fetchall("SELECT boot FROM boots WHERE boot_id=?", (boot_id,))
    return int(boot)
