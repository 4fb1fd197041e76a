"""Journal append with 100 producers, each waiting for the disk, beside raw SQLite in the same run.

Limits, all WAL with synchronous=FULL and rows made beforehand: one transaction of all rows (the file's own speed),
groups of as many rows as there are producers (what group commit could reach at best), one row a commit.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from control.domain.events import BarrierCommanded
from edge.adapters.journal_upkeep import JournalSettings
from edge.adapters.sqlite_journal import SqliteJournal
from edge.clock import SystemClock

AT = "2026-11-21T02:42:31.000Z"
EVENT = BarrierCommanded("01a1fcad262570dcb55d", "01a1fcad26257b9f9f78", "east-in", "open", "decision", AT, AT)
SINGLE_ROWS_MAX = 300


async def append_all(folder: Path, rows: int, producers: int) -> dict[str, float]:
    """Rows a second and waiting times, milliseconds, of our journal."""
    waits_s: list[float] = []

    async def produce(journal: SqliteJournal) -> None:
        for _ in range(rows // producers):
            began_s = time.perf_counter()
            await journal.append(EVENT)
            waits_s.append(time.perf_counter() - began_s)

    settings = JournalSettings(ballast_bytes=0)
    opened = SqliteJournal.open(
        folder / "ours.db", gateway_id="gw", boot_id="boot", clock=SystemClock(), settings=settings
    )
    async with opened as journal:
        await asyncio.gather(*(produce(journal) for _ in range(producers)))  # warm: statements, pages
        waits_s.clear()
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        await asyncio.gather(*(produce(journal) for _ in range(producers)))
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
    waits_s.sort()
    return {
        "rows_per_s": len(waits_s) / took_s,
        "cpu_us_per_row": cpu_s / len(waits_s) * 1e6,
        "p50_ms": waits_s[len(waits_s) // 2] * 1e3,
        "p99_ms": waits_s[len(waits_s) * 99 // 100] * 1e3,
    }


def raw_rows_per_s(path: Path, rows: int, group: int) -> float:
    """SQLite alone: `executemany` in transactions of `group` rows, neither hashed nor encoded nor awaited."""
    body = json.dumps({name: getattr(EVENT, name) for name in EVENT.__dataclass_fields__}).encode()
    made = [
        (seq, os.urandom(16), seq << 16, seq, seq, 1, "barrier_commanded", body, os.urandom(32))
        for seq in range(1, rows + 1)
    ]
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        columns = "seq INTEGER PRIMARY KEY, uuid, hlc, wall_us, mono_ns, boot, kind, body, hash"
        db.execute(f"CREATE TABLE raw ({columns})")
        began_s = time.perf_counter()
        for start in range(0, rows, group):
            db.execute("BEGIN")
            db.executemany("INSERT INTO raw VALUES (?,?,?,?,?,?,?,?,?)", made[start : start + group])
            db.execute("COMMIT")
        return rows / (time.perf_counter() - began_s)


def measure(rows: int, producers: int, folder: Path) -> dict[str, float]:
    """Everything in one run."""
    ours = asyncio.run(append_all(folder, rows, producers))
    one = raw_rows_per_s(folder / "one.db", rows, rows)
    groups = raw_rows_per_s(folder / "groups.db", rows, producers)
    single = raw_rows_per_s(folder / "single.db", min(rows, SINGLE_ROWS_MAX), 1)
    limits = {"raw_one_transaction": one, "raw_groups": groups, "raw_single_rows": single}
    ratio = {"of_raw_groups": ours["rows_per_s"] / groups, "times_single_rows": ours["rows_per_s"] / single}
    return {"rows": rows, "producers": producers, **ours, **limits, **ratio}


def main(arguments: Sequence[str]) -> int:
    """Print the figures; `--json` as one line."""
    parser = argparse.ArgumentParser(prog="bench journal", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--producers", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="on the disk to be measured; default: the temporary folder")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        found = measure(given.rows, given.producers, Path(folder))
    if given.json:
        print(json.dumps({name: round(value, 3) for name, value in found.items()}))
    else:
        print("\n".join(f"{name:24} {value:12,.2f}" for name, value in found.items()))
    return 0
