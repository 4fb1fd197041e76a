"""The phone's SQLite file: owns how it is opened, its schema's versions, durable changes, and what its failures mean.

Every change is on disk when its block ends (WAL, synchronous FULL). A failed one leaves what was there before. The file
is readable by its owner alone.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mobile.core.errors import StoreBroken, StoreError, StoreFull, StoreTooNew

BUSY_S = 5.0
# One text a version; a released one is never changed, the next is added.
SCHEMA = (
    """
    CREATE TABLE cache (
        account TEXT NOT NULL, key TEXT NOT NULL, json TEXT NOT NULL, seen_at TEXT NOT NULL,
        PRIMARY KEY (account, key)
    ) WITHOUT ROWID;
    CREATE TABLE drafts (
        account TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL,
        PRIMARY KEY (account, name)
    );
    CREATE TABLE codes (
        account TEXT NOT NULL, kind TEXT NOT NULL, code_id TEXT NOT NULL, json TEXT NOT NULL,
        made_at TEXT NOT NULL, ends_at TEXT,
        PRIMARY KEY (account, kind, code_id)
    );
    CREATE TABLE settings (key TEXT PRIMARY KEY, json TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE outbox (
        entry_id INTEGER PRIMARY KEY AUTOINCREMENT, account TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL,
        body TEXT NOT NULL, made_at TEXT NOT NULL, is_prepared INTEGER NOT NULL DEFAULT 0,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'refused')),
        tries INTEGER NOT NULL DEFAULT 0, answer TEXT, problem TEXT, ended_at TEXT,
        UNIQUE (account, key)
    );
    CREATE INDEX outbox_by_state ON outbox (account, state, kind, entry_id);
    """,
)


class Database:
    """One open file. Calls come from any thread, one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        with _told(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        try:
            with _told(path):
                self._prepare()
        except StoreError:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten
        found = self._connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise StoreBroken(f"{self.path} is damaged: {found}")
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(SCHEMA):
            raise StoreTooNew(f"{self.path} was written by a newer version of the app: install that one")
        for number, text in enumerate(SCHEMA[version:], start=version + 1):
            self._connection.executescript(f"BEGIN IMMEDIATE; {text}; PRAGMA user_version = {number}; COMMIT;")

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """One transaction, durable when the block ends. Raises StoreError; nothing of it is kept then."""
        with self._lock, _told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, *values: Any) -> list[sqlite3.Row]:
        """What a query finds. Raises StoreError."""
        with self._lock, _told(self.path):
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> sqlite3.Row | None:
        """The first of them."""
        found = self.rows(sql, *values)
        return found[0] if found else None

    def scrub(self) -> None:
        """Takes what was deleted out of the log, and removes damaged files that were set aside. Raises StoreError.

        What could be read of those was saved when they were set aside.
        """
        with self._lock, _told(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            for aside in self.path.parent.glob(f"{self.path.name}.damaged-*"):
                aside.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the file."""
        with self._lock:
            self._connection.close()


_BROKEN = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Failures of SQLite and of the file system as StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the low byte is the family
        if code == sqlite3.SQLITE_FULL:
            raise StoreFull(f"no room for {path}: {error}") from error
        kind = StoreBroken if code in _BROKEN else StoreError
        raise kind(f"{path}: {error}") from error
    except OSError as error:
        raise StoreError(f"{path}: {error}") from error


# ---------------------------------------------------------------- after damage

_SAVED = {
    "outbox": "entry_id, account, kind, key, body, made_at, is_prepared, state, tries, answer, problem, ended_at",
    "drafts": "account, name, json",
    "codes": "account, kind, code_id, json, made_at, ends_at",
    "settings": "key, json",
}


def opened_or_mended(path: Path) -> tuple[Database, Path | None]:
    """The file, and where the damaged one was put if there was one; what could be read of it is in the new one."""
    try:
        return Database(path), None
    except StoreBroken:
        aside = _set_aside(path)
    mended = Database(path)
    _save_from(aside, mended)
    return mended, aside


def _set_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    with _told(path):
        for end in ("-wal", "-shm", ""):
            beside = path.with_name(path.name + end)
            if beside.exists():
                beside.rename(aside.with_name(aside.name + end))
    return aside


def _save_from(aside: Path, mended: Database) -> None:
    """Copies what can be read, from both ends of each table. The cache is left out: it comes again from the server."""
    connection = sqlite3.connect(aside)
    try:
        for table, columns in _SAVED.items():
            found = [*_readable(connection, table, columns, "ASC"), *_readable(connection, table, columns, "DESC")]
            places = ", ".join("?" * (columns.count(",") + 1))
            with mended.change() as change:
                change.executemany(f"INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})", found)
    finally:
        connection.close()


def _readable(connection: sqlite3.Connection, table: str, columns: str, order: str) -> list[Any]:
    """Rows up to the first one that cannot be read."""
    first = columns.partition(",")[0]
    found: list[Any] = []
    try:
        found.extend(connection.execute(f"SELECT {columns} FROM {table} ORDER BY {first} {order}"))
    except sqlite3.DatabaseError:
        return found
    return found
