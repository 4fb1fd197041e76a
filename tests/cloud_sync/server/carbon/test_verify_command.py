"""`./island verify` proves the ledger too, for people and for programs, and its exit status says so."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from benchmarks._ledger_rows import fill
from cloud_sync.server.carbon import book, queries
from edge import verify


async def run(ledger: Any, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str]:
    status = await asyncio.to_thread(verify.main, ["--database-url", ledger.given.database_url, *more])
    return status, capsys.readouterr().out


def carbon_of(told: str) -> dict[str, Any]:
    [found] = [one for one in json.loads(told)["ledgers"] if one["book"] == "carbon"]
    return found


async def test_a_whole_ledger_and_a_broken_one(ledger: Any, capsys: pytest.CaptureFixture[str]) -> None:
    await ledger.visit("v1")
    await ledger.turn()
    capsys.readouterr()
    status, told = await run(ledger, capsys)
    assert status == 0
    assert "ok      ledger: carbon: 1 entries, head " in told
    status, told = await run(ledger, capsys, "--json")
    assert (status, json.loads(told)["ok"], carbon_of(told)["rows"]) == (0, True, 1)

    connection = await asyncpg.connect(ledger.given.database_url)
    await connection.execute(
        "SET session_replication_role = replica; UPDATE ledger_entries SET reason = 'another' WHERE seq = 1"
    )
    await connection.close()
    status, told = await run(ledger, capsys, "--json")
    assert (status, json.loads(told)["ok"]) == (1, False)
    assert (carbon_of(told)["broken_seq"], carbon_of(told)["why"]) == (1, "it was altered")
    status, told = await run(ledger, capsys)
    assert "BROKEN  ledger: carbon: entry 1: it was altered" in told


async def test_the_ledger_that_benchmarks_use_is_whole(ledger: Any) -> None:
    """What is written by COPY is what the book itself would have written."""
    last = datetime(2026, 11, 20, tzinfo=UTC)
    connection = await asyncpg.connect(ledger.given.database_url)
    try:
        entries = await fill(connection, 600, last=last)
        proof = await book.verify(connection)
    finally:
        await connection.close()
    assert proof.ok, proof
    assert proof.rows == entries > 500
    shown = await queries.summary(ledger.pool, year=2026, today=last.date(), zone=ledger.given.config.zone)
    assert shown.open_visits == 75
    assert shown.pooled_g == (await ledger.balances()).get("retired", 0)
