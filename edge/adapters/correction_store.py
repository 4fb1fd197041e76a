"""Labelled crops in one SQLite file: owns its schema, its retention, and the names of vehicles in it.

A crop lies in its row, so that both go together; deleted rows are overwritten on the disk. The gateway and the
command line may use the file at the same time.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from control.domain.errors import DeviceError
from edge.corrections import Correction, LabelledCrop

Answer = TypeVar("Answer")

CORRECTIONS_FILE = "corrections.db"
BUSY_TIMEOUT_S = 5.0
_TABLES = """
CREATE TABLE IF NOT EXISTS naming (key BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS corrections (
  number INTEGER PRIMARY KEY AUTOINCREMENT, arrival_id TEXT NOT NULL UNIQUE, lane_id TEXT NOT NULL,
  gate_id TEXT NOT NULL, at TEXT NOT NULL, made_by TEXT NOT NULL, source TEXT NOT NULL, label TEXT NOT NULL,
  predicted TEXT NOT NULL, predicted_confidence REAL NOT NULL, predicted_by TEXT NOT NULL, vehicle TEXT NOT NULL,
  crop BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS corrections_at ON corrections (at);
"""


class CorrectionStoreError(DeviceError):
    """The file of corrections cannot be used."""


@dataclass(frozen=True, slots=True)
class CorrectionStore:
    """Corrections in the file `path`, which is made when it is first written."""

    path: Path

    async def keep(self, correction: Correction, *, plate: str) -> None:
        """Store one; a later word on the same arrival takes its place. Raises CorrectionStoreError."""
        await asyncio.to_thread(self.write, correction, plate)

    def write(self, correction: Correction, plate: str) -> None:
        """`keep` without a loop. Crops of one plate get one name; without a plate every arrival has its own."""

        def insert(store: sqlite3.Connection) -> None:
            store.execute(
                "INSERT OR REPLACE INTO corrections (arrival_id, lane_id, gate_id, at, made_by, source, label,"
                " predicted, predicted_confidence, predicted_by, vehicle, crop) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                (
                    correction.arrival_id,
                    correction.lane_id,
                    correction.gate_id,
                    _text_of(correction.at),
                    correction.by,
                    correction.source,
                    correction.label,
                    correction.predicted,
                    correction.predicted_confidence,
                    correction.predicted_by,
                    _vehicle_name(store, plate or correction.arrival_id),
                    correction.crop,
                ),
            )

        self._use(insert)

    def read(self) -> list[LabelledCrop]:
        """All of them, oldest first. Raises CorrectionStoreError."""
        if not self.path.exists():
            return []
        rows = self._use(
            lambda store: store.execute(
                "SELECT number, label, predicted, vehicle, crop FROM corrections ORDER BY number"
            ).fetchall()
        )
        return [LabelledCrop(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many crops there are of each type."""
        if not self.path.exists():
            return {}
        query = "SELECT label, COUNT(*) FROM corrections GROUP BY label ORDER BY label"
        return dict(self._use(lambda store: store.execute(query).fetchall()))

    async def prune(self, *, now: datetime, keep_days: float) -> int:
        """Remove what is older; gives how many. Raises CorrectionStoreError."""
        oldest = _text_of(now - timedelta(days=keep_days))
        return await asyncio.to_thread(self._remove_before, oldest)

    def _remove_before(self, oldest: str) -> int:
        if not self.path.exists():
            return 0
        return self._use(lambda store: store.execute("DELETE FROM corrections WHERE at < ?", (oldest,)).rowcount)

    def _use(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        try:
            with self._opened() as store:
                return work(store)
        except (sqlite3.Error, OSError) as error:
            raise CorrectionStoreError(f"corrections {self.path}: {error}; the gate works without them") from error

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        store = sqlite3.connect(self.path, timeout=BUSY_TIMEOUT_S)
        try:
            store.execute("PRAGMA secure_delete=ON")
            store.executescript(_TABLES)
            with store:
                yield store
        finally:
            store.close()


def _text_of(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")


def _vehicle_name(store: sqlite3.Connection, of: str) -> str:
    row = store.execute("SELECT key FROM naming").fetchone()
    if row is None:
        row = (secrets.token_bytes(32),)
        store.execute("INSERT INTO naming (key) VALUES (?)", row)
    return hmac.new(row[0], of.encode(), hashlib.sha256).hexdigest()[:24]
