"""Catch-up of a gateway's backlog, end to end, beside what COPY alone reaches into the same table in the same run.

Journal, broker (nats-server), ingest and PostgreSQL are the real ones; gateway and cloud are two processes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
from prometheus_client import CollectorRegistry

from cloud_sync.contract.v1 import EventRow, batch_of, encode_up, genesis_hash
from cloud_sync.server.broker import BrokerSettings, EmbeddedBroker
from cloud_sync.server.ingest import EVENT_COLUMNS, Ingest, IngestMetrics, _record
from cloud_sync.server.ingest_worker import BrokerAccess, IngestWorker
from cloud_sync.server.postgres import EmbeddedPostgres, migrate

GATEWAY, PASSWORD = "gw-bench", "a password for this run"
BATCH_ROWS = 1000


async def nothing_projected(connection: Any, gateway: str, rows: Any) -> tuple[()]:
    """The transport and the store are measured; projections have a cost of their own."""
    return ()


async def catch_up(folder: Path, events: int) -> dict[str, float]:
    """Everything in one run."""
    async with AsyncExitStack() as stack:
        server = EmbeddedPostgres(folder)
        await server.start()
        stack.push_async_callback(server.stop)
        await migrate(server.url())
        pool = await stack.enter_async_context(asyncpg.create_pool(server.url(), min_size=2, max_size=6))
        await pool.execute("INSERT INTO gateways (gateway_id, name) VALUES ($1, $1)", GATEWAY)
        broker = EmbeddedBroker(BrokerSettings(folder, "127.0.0.1", 0, "cloud", PASSWORD, {GATEWAY: PASSWORD}))
        await broker.start()
        stack.push_async_callback(broker.stop)
        worker = asyncio.create_task(_worker(pool, server.url(), broker.port).run())
        stack.callback(worker.cancel)
        sent = await _gateway(folder / "journal.db", broker.port, events)
        stored = await pool.fetchval("SELECT count(*) FROM events WHERE lane = 1")
        assert stored == events, f"{stored} of {events} events are in the cloud"
        rows = await _rows(pool)
        copied = await _copy_rows_per_s(pool, rows)
    return _figures(events, sent, copied, rows)


def _worker(pool: asyncpg.Pool, url: str, port: int) -> IngestWorker:
    metrics = IngestMetrics(CollectorRegistry())
    ingest = Ingest(pool=pool, project=nothing_projected, metrics=metrics)
    access = BrokerAccess("127.0.0.1", port, "cloud", PASSWORD)
    return IngestWorker(access=access, ingest=ingest, metrics=metrics, database_url=url)


async def _gateway(path: Path, port: int, events: int) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks._sync_gateway", str(path), str(port), GATEWAY, PASSWORD, str(events)),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    output, _ = await asyncio.wait_for(process.communicate(), 600)
    if process.returncode:
        raise SystemExit(f"the gateway's process ended with {process.returncode}")
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


async def _rows(pool: asyncpg.Pool) -> list[EventRow]:
    """One batch of what was stored, for the two limits."""
    found = await pool.fetch("SELECT * FROM events WHERE lane = 1 ORDER BY seq LIMIT $1", BATCH_ROWS)
    return [
        EventRow(
            row["seq"],
            row["uuid"].bytes,
            row["hlc"],
            int(row["wall_at"].timestamp() * 1e6),
            row["mono_ns"],
            row["boot_id"],
            row["kind"],
            bytes(row["raw"]),
            bytes(row["hash"]),
        )
        for row in found
    ]


async def _copy_rows_per_s(pool: asyncpg.Pool, rows: list[EventRow], times: int = 20) -> float:
    """COPY and commit into a copy of the table, a batch at a time, with nothing around it."""
    epoch = 0
    async with pool.acquire() as connection:
        await connection.execute("CREATE UNLOGGED TABLE limit_run (LIKE events INCLUDING ALL)")
        await connection.execute("ALTER TABLE limit_run SET LOGGED")
        took_s = 0.0
        for epoch in range(1, times + 1):
            batch = batch_of(GATEWAY, epoch, 1, genesis_hash(GATEWAY, epoch, 1, 0), rows)
            records = [_record(batch, row) for row in rows]
            began_s = time.perf_counter()
            await connection.copy_records_to_table("limit_run", records=records, columns=EVENT_COLUMNS)
            took_s += time.perf_counter() - began_s
    return len(rows) * times / took_s


def _figures(events: int, sent: dict[str, Any], copied: float, rows: list[EventRow]) -> dict[str, float]:
    waits_ms = sorted(sent["gate_event_ms"])
    batch = batch_of(GATEWAY, 1, 1, genesis_hash(GATEWAY, 1, 1, 0), rows)
    rate = events / sent["took_s"]
    return {
        "events": events,
        "took_s": sent["took_s"],
        "events_per_s": rate,
        "copy_limit_per_s": copied,
        "of_copy_limit": rate / copied,
        "wire_bytes_per_event": len(encode_up(batch)) / len(rows),
        "gate_events_meanwhile": len(waits_ms),
        "gate_event_p50_ms": waits_ms[len(waits_ms) // 2],
        "gate_event_p99_ms": waits_ms[len(waits_ms) * 99 // 100],
    }


def main(arguments: Sequence[str]) -> int:
    """Print the figures; `--json` as one line."""
    parser = argparse.ArgumentParser(prog="bench sync", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=20_000, help="thousands; 1000000 for the goal's run")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="island-bench-"))
    folder.chmod(0o755)
    try:
        found = asyncio.run(catch_up(folder, max(given.events // 1000, 1) * 1000))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if given.json:
        print(json.dumps({name: round(value, 3) for name, value in found.items()}))
    else:
        print("\n".join(f"{name:24} {value:14,.2f}" for name, value in found.items()))
    return 0
