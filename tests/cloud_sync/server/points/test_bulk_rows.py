"""Accounts in bulk: what the benchmarks fill in is a ledger that holds, and people read their accounts from it."""

from __future__ import annotations

from benchmarks._points_rows import fill
from cloud_sync.server.points import queries
from cloud_sync.server.services import Services
from tests.cloud_sync.server.points.stand import give_points, holds


async def test_bulk_rows_are_a_ledger_that_holds(services: Services) -> None:
    async with services.pool.acquire() as connection:
        ids = await fill(connection, accounts=25, entries=500, last=services.clock())
    found = await holds(services)
    assert found.holds, found
    assert (found.accounts, found.entries) == (25, 500)
    me = await queries.me(services, ids[3])
    assert me.balance == me.available > 0
    assert len((await queries.history(services.pool, ids[3], limit=10)).entries) == 10
    await give_points(services, ids[3], 5)
    assert (await holds(services)).holds
