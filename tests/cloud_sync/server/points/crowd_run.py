"""A crowd of buyers on a loop of its own, for drawn plans."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg

from cloud_sync.server import build
from cloud_sync.server.config import BrokerConfig, CloudConfig, DatabaseConfig, ServerConfig
from tests.cloud_sync.server.points.stand import add_item, add_organisation, add_person, give_points, holds

NOW = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
STOCK, PRICE, PEOPLE = 3, 100, 4


async def run_plan(url: str, folder: Path, plan: list[tuple[int, int, bool]], buy: Any, figures: Any) -> None:
    """Each step is a person, one of three keys, and whether the connection is cut before the end."""
    config = CloudConfig(
        server=ServerConfig(data_dir=folder / "data"),
        database=DatabaseConfig(url=url, migrate_at_start=False, pool_size_max=3),
        broker=BrokerConfig(kind="none"),
        gateways=(),
    )
    async with AsyncExitStack() as stack:
        given = await build.opened_services(stack, config, clock=lambda: NOW)
        pool = await asyncpg.create_pool(url, min_size=8, max_size=8)
        stack.push_async_callback(pool.close)
        mark = uuid4().hex[:8]
        merchant = await add_organisation(given, f"shop-{mark}")
        item_id = await add_item(given, merchant, stock=STOCK, person_max=2, price_points=PRICE)
        people = [await add_person(given, f"{mark}-{number}") for number in range(PEOPLE)]
        for person in people:
            await give_points(given, person, 2 * PRICE)
        steps = (buy(given, pool, people[who], item_id, f"key-{key}", crash=cut) for who, key, cut in plan)
        made = await asyncio.gather(*steps)
        for (who, key, _), first in zip(plan, made, strict=True):
            again = await buy(given, pool, people[who], item_id, f"key-{key}")
            assert first == again or "_" in first or first == "crashed"
        taken, counted, _ = await figures(given, item_id)
        paid = await given.pool.fetchval(
            "SELECT coalesce(-sum(points), 0)::int FROM point_entries WHERE kind = 'redeem' AND person = ANY ($1)",
            people,
        )
        assert taken == counted <= STOCK
        assert paid == counted * PRICE
        assert (await holds(given)).holds
