"""The composition root of the cloud: joins configuration, database, broker, workers, API and console."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import argon2
from fastapi import FastAPI

from cloud_sync.server import auth, postgres, retention, seeds
from cloud_sync.server.api import routes as api_routes
from cloud_sync.server.api.errors import install_handlers
from cloud_sync.server.api.headers import SecurityHeaders
from cloud_sync.server.config import CloudConfig
from cloud_sync.server.console.routes import mount_console
from cloud_sync.server.live import LiveHub
from cloud_sync.server.media import MediaStore
from cloud_sync.server.metrics import Metrics
from cloud_sync.server.passwords import Passwords
from cloud_sync.server.services import Clock, Services
from cloud_sync.server.supervise import running

API_VERSION = "1"


def utc_now() -> datetime:
    """The clock of a running server."""
    return datetime.now(UTC)


def create_app(
    config: CloudConfig, *, clock: Clock = utc_now, hasher: argon2.PasswordHasher | None = None, workers: bool = True
) -> FastAPI:
    """The application. Database and workers live from its start-up to its shutdown; `app.state.services` is theirs.

    Without `workers` neither broker, ingest nor retention runs: pages and API alone.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            given = await opened_services(stack, config, clock=clock, hasher=hasher)
            app.state.services = given
            app.state.first_account = await auth.prepare_first_account(given)
            await stack.enter_async_context(running("live", given.live.run))
            if workers:
                await _start_workers(stack, given)
            yield
            given.live.close()

    app = FastAPI(
        title=config.server.name,
        version=API_VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    app.add_middleware(SecurityHeaders)
    install_handlers(app)
    app.include_router(api_routes.router)
    mount_console(app)
    return app


async def opened_services(
    stack: AsyncExitStack,
    config: CloudConfig,
    *,
    clock: Clock = utc_now,
    hasher: argon2.PasswordHasher | None = None,
) -> Services:
    """Database at the newest revision, pool and stores; closed with the stack."""
    config.server.data_dir.mkdir(parents=True, exist_ok=True)
    url = await stack.enter_async_context(postgres.database_url(config.database, config.server.data_dir))
    await postgres.migrate(url)
    pool = await stack.enter_async_context(postgres.opened_pool(url, config.database))
    given = Services(
        config=config,
        database_url=url,
        pool=pool,
        clock=clock,
        live=LiveHub(url),
        media=MediaStore(
            config.server.data_dir / "media",
            size_bytes_max=config.media.size_bytes_max,
            free_bytes_min=config.media.free_bytes_min,
        ),
        metrics=Metrics(),
        passwords=Passwords(hasher or argon2.PasswordHasher()),
    )
    await seeds.plant(given)
    return given


async def _start_workers(stack: AsyncExitStack, given: Services) -> None:
    if given.config.retention.enabled:
        await stack.enter_async_context(running("retention", partial(retention.run_daily, given)))
