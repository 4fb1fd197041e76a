"""A database of the benchmarks' size: owns how it is filled in minutes, and the folder that keeps it between runs.

The rows are the product's own, sealed by its own functions. What makes it quick is the way in: a server that flushes
nothing, processes side by side, and tables without indexes and constraints, which PostgreSQL makes again afterwards
and so checks over every row.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks import _ledger_rows, _points_rows
from cloud_sync.server.migrations import versions
from cloud_sync.server.postgres import EmbeddedPostgres, migrate

KEEP_HELP = "keep the filled database here; the next run with the same sizes starts with it at once"
MARK = "benchmark_size"
ACCOUNTS_AT_ONCE = 5_000
ENTRIES_OF_ONE = 20_000
# While it is filled, nothing is flushed: a server that dies then leaves a database without a mark, which is not used.
FILLING = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "shared_buffers": "512MB",
    "maintenance_work_mem": "512MB",
    "max_wal_size": "8GB",
}
# Each row of these is written once and in bulk; accounts of people are few beside them.
_TABLES = tuple(name for name in (*_ledger_rows.COLUMNS, *_points_rows.TABLES) if name != "users")
_CONSTRAINTS = """
SELECT conrelid::regclass::text AS name, conname, contype::text AS kind, pg_get_constraintdef(oid) AS definition
  FROM pg_constraint
 WHERE contype IN ('p', 'u', 'x', 'f')
   AND (conrelid = ANY($1::text[]::regclass[]) OR confrelid = ANY($1::text[]::regclass[]))
"""
_INDEXES = """
SELECT indexrelid::regclass::text AS name, indrelid::regclass::text AS of_table, pg_get_indexdef(indexrelid) AS made
  FROM pg_index
 WHERE indrelid = ANY($1::text[]::regclass[]) AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is in it, and the shape of its tables: a folder that was filled otherwise is another one."""

    entries: int
    accounts: int
    schema: str

    @classmethod
    def of(cls, entries: int, accounts: int) -> Size:
        """With the tables as the migrations make them now."""
        files = sorted(Path(next(iter(versions.__path__))).glob("*.py"))
        return cls(entries, accounts, hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16])


@contextmanager
def kept_or_made(keep: Path | None, prefix: str) -> Iterator[Path]:
    """The folder of a database: the one to keep, or one that is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix=prefix)) if keep is None else keep.resolve()
    if keep is None:
        folder.chmod(0o755)  # the server may run as another user
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def filled(folder: Path, size: Size, *, last: datetime, settings: dict[str, str]) -> AsyncIterator[str]:
    """A server with so much in it, by `settings`; its address. What is filled already is used as it is.

    `last` is when the newest row was written, where it is filled now. Raises SystemExit where the folder holds another
    database.
    """
    async with _serving(folder, settings) as url:
        there = await _is_there(url, size)
        if there:
            yield url
    if there:
        return
    async with _serving(folder, FILLING) as url:
        await migrate(url)
        await _fill(url, size, last)
    async with _serving(folder, settings) as url:
        yield url


async def _is_there(url: str, size: Size) -> bool:
    """Whether this database is filled with so much; the mark stands in itself. Raises SystemExit for another one."""
    connection = await asyncpg.connect(url)
    try:
        if await connection.fetchval("SELECT to_regclass($1)", MARK) is None:
            if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
                return False
            raise SystemExit("the database in this folder was never finished: name another folder, or remove it")
        told = Size(*await connection.fetchrow(f"SELECT entries, accounts, schema FROM {MARK}"))
    finally:
        await connection.close()
    if told != size:
        raise SystemExit(f"the folder holds {told}, not {size}: name another folder, or remove it")
    return True


@asynccontextmanager
async def _serving(folder: Path, settings: dict[str, str]) -> AsyncIterator[str]:
    server = EmbeddedPostgres(folder, settings=settings)
    await server.start()
    try:
        yield server.url()
    finally:
        await server.stop()


async def _fill(url: str, size: Size, last: datetime) -> None:
    connection = await asyncpg.connect(url, command_timeout=3600)
    try:
        constraints = await connection.fetch(_CONSTRAINTS, list(_TABLES))
        indexes = await connection.fetch(_INDEXES, list(_TABLES))
        for one in sorted(constraints, key=lambda one: one["kind"] != "f"):
            await connection.execute(f"ALTER TABLE {one['name']} DROP CONSTRAINT {one['conname']}")
        for one in indexes:
            await connection.execute(f"DROP INDEX {one['name']}")
        with told("writing rows"):
            await asyncio.to_thread(_write, url, size, last)
        with told("making indexes and constraints"):
            await _make_again(url, constraints, indexes)
        with told("vacuum"):
            await connection.execute("VACUUM (ANALYZE)")
        await connection.execute(f"CREATE TABLE {MARK} (entries bigint, accounts bigint, schema text)")
        await connection.execute(f"INSERT INTO {MARK} VALUES ($1, $2, $3)", size.entries, size.accounts, size.schema)
    finally:
        await connection.close()


def _write(url: str, size: Size, last: datetime) -> None:
    """The ledger in one process, as its chain is one; accounts of points in another. Few rows need no process."""
    each = size.entries // size.accounts
    with _workers(size) as workers:
        parts: list[Future[None]] = [workers.submit(_ledger, url, size.entries, last)]
        for first in range(0, size.accounts, ACCOUNTS_AT_ONCE):
            numbers = range(first, min(size.accounts, first + ACCOUNTS_AT_ONCE))
            parts.append(workers.submit(_points, url, numbers, each, last))
        for part in parts:
            part.result()


def _workers(size: Size) -> Executor:
    if size.entries < ENTRIES_OF_ONE:
        return ThreadPoolExecutor(1)
    # Rows form no circles, and there are many: nothing is there to be collected.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(max(2, len(os.sched_getaffinity(0))), context, initializer=gc.disable)


def _ledger(url: str, entries: int, last: datetime) -> None:
    async def fill() -> None:
        connection = await asyncpg.connect(url, command_timeout=3600)
        await _ledger_rows.fill(connection, entries, last=last)
        await connection.close()

    asyncio.run(fill())


def _points(url: str, numbers: range, each: int, last: datetime) -> None:
    async def fill() -> None:
        connection = await asyncpg.connect(url, command_timeout=3600)
        await _points_rows.fill_accounts(connection, numbers, entries_each=each, last=last)
        await connection.close()

    asyncio.run(fill())


async def _make_again(url: str, constraints: Sequence[Any], indexes: Sequence[Any]) -> None:
    """Indexes and keys of two tables at a time, then what refers to other tables."""
    of_table: dict[str, list[str]] = {}
    for one in constraints:
        if one["kind"] != "f":
            statement = f"ALTER TABLE {one['name']} ADD CONSTRAINT {one['conname']} {one['definition']}"
            of_table.setdefault(one["name"], []).append(statement)
    for one in indexes:
        of_table.setdefault(one["of_table"], []).append(one["made"])
    async with asyncpg.create_pool(url, min_size=0, max_size=2, command_timeout=3600) as pool:

        async def make(statements: list[str]) -> None:
            async with pool.acquire() as connection:
                for statement in statements:
                    await connection.execute(statement)

        await asyncio.gather(*(make(statements) for statements in of_table.values()))
        refers = [one for one in constraints if one["kind"] == "f"]
        await make([f"ALTER TABLE {one['name']} ADD CONSTRAINT {one['conname']} {one['definition']}" for one in refers])


@contextmanager
def told(what: str) -> Iterator[None]:
    """Says on the error stream what is being done, and how long it took."""
    began = time.monotonic()
    print(f"{what} ...", file=sys.stderr, flush=True)
    yield
    print(f"{what}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
