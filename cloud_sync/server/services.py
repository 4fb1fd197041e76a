"""What every request may use: owns the bundle that `build` fills and handlers ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

import asyncpg
from fastapi import Request

from cloud_sync.server.config import CloudConfig
from cloud_sync.server.media import MediaStore
from cloud_sync.server.passwords import Passwords

if TYPE_CHECKING:
    from cloud_sync.server.live import LiveHub
    from cloud_sync.server.metrics import Metrics
    from cloud_sync.server.permits.tools import PermitTools

Clock = Callable[[], datetime]
POOL_WAIT_S = 10.0


@dataclass(frozen=True, slots=True)
class Services:
    """`pool` is PostgreSQL (`database_url` holds its password).

    `clock` gives aware UTC, `live` fans out what just happened, `media` keeps pictures,
    `permits` has what passes, papers and the rule of overdue offsets need.
    """

    config: CloudConfig
    database_url: str = field(repr=False)
    pool: asyncpg.Pool
    clock: Clock
    live: LiveHub
    media: MediaStore
    metrics: Metrics
    passwords: Passwords
    permits: PermitTools

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Any]:
        """A connection in a transaction of its own."""
        async with self.pool.acquire(timeout=POOL_WAIT_S) as connection, connection.transaction():
            yield connection

    def reading(self) -> Any:
        """A connection for several reads, which costs less than one for each."""
        return self.pool.acquire(timeout=POOL_WAIT_S)

    def today_from(self) -> datetime:
        """The start of the local day, as an aware datetime."""
        local = self.clock().astimezone(self.config.zone)
        return datetime.combine(local.date(), time(), self.config.zone)


async def services(request: Request) -> Services:
    """FastAPI dependency; a plain function would run in a thread of its own for every request."""
    found: Services = request.app.state.services
    return found
