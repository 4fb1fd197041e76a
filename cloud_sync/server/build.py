"""The composition root of the cloud: joins configuration, database, broker, workers, API and console."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import argon2
from fastapi import FastAPI

from cloud_sync.server import auth, downlink, energy_whatif, postgres, projections, retention, seeds
from cloud_sync.server.api import routes as api_routes
from cloud_sync.server.api.address import API
from cloud_sync.server.api.errors import install_handlers
from cloud_sync.server.api.headers import SecurityHeaders
from cloud_sync.server.broker import BrokerSettings, EmbeddedBroker
from cloud_sync.server.carbon import feed, offsets
from cloud_sync.server.carbon import worker as carbon_worker
from cloud_sync.server.config import BrokerConfig, CloudConfig
from cloud_sync.server.console.routes import mount_console
from cloud_sync.server.ingest import Ingest, IngestMetrics
from cloud_sync.server.ingest_worker import BrokerAccess, IngestWorker
from cloud_sync.server.live import LiveHub
from cloud_sync.server.media import MediaStore
from cloud_sync.server.metrics import Metrics
from cloud_sync.server.passwords import Passwords
from cloud_sync.server.people import demo
from cloud_sync.server.permits import worker as permit_worker
from cloud_sync.server.permits.document_store import DocumentStore
from cloud_sync.server.permits.tools import PermitTools
from cloud_sync.server.points import worker as points_worker
from cloud_sync.server.route_index import RouteIndex
from cloud_sync.server.secret_files import made_secret, read_secret
from cloud_sync.server.services import Clock, Services
from cloud_sync.server.supervise import running
from control.domain.errors import ConfigurationError

API_VERSION = "1"
KEY_FILE = Path("secrets", "downlink.pem")


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
            app.state.whatif = energy_whatif.WhatIfDesk()
            stack.callback(app.state.whatif.close)
            app.state.first_account = await auth.prepare_first_account(given)
            app.state.demo_accounts = await demo.add_accounts(given)
            await stack.enter_async_context(running("live", given.live.run))
            if workers:
                await stack.enter_async_context(running("what-if", app.state.whatif.run))
                await _start_workers(stack, given)
            yield
            given.live.close()

    app = FastAPI(
        title=config.server.name,
        version=API_VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{API}/openapi.json",
    )
    app.add_middleware(SecurityHeaders)
    install_handlers(app)
    app.router.routes.extend(api_routes.routes())
    mount_console(app)
    app.router.routes.insert(0, RouteIndex(app.routes))
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
    if config.database.migrate_at_start:
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
        permits=PermitTools(
            documents=DocumentStore(
                config.server.data_dir / "documents",
                free_bytes_min=config.media.free_bytes_min,
                checks_at_once=config.media.document_checks_at_once,
            ),
            pass_key=downlink.load_or_make_key(config.server.data_dir / KEY_FILE),
            overdue_for=offsets.overdue_for,
        ),
    )
    await seeds.plant(given)
    return given


async def _start_workers(stack: AsyncExitStack, given: Services) -> None:
    if given.config.retention.enabled:
        await stack.enter_async_context(running("retention", partial(retention.run_daily, given)))
    await stack.enter_async_context(running("permits", partial(permit_worker.run, given)))
    await stack.enter_async_context(running("ledger", partial(carbon_worker.run, given)))
    await stack.enter_async_context(running("points", partial(points_worker.run, given)))
    await stack.enter_async_context(running("feed", partial(feed.run, given)))
    access = await _broker_access(stack, given.config)
    if access is not None:
        await _start_sync(stack, given, access)


async def _broker_access(stack: AsyncExitStack, config: CloudConfig) -> BrokerAccess | None:
    """Starts the embedded broker, or reads how to reach the configured one; None when no events are taken."""
    wanted, secrets = config.broker, config.server.data_dir / "secrets"
    if wanted.kind == "none":
        return None
    if wanted.kind == "external":
        password = read_secret(wanted.password_file) if wanted.password_file else None
        if password is None:
            raise ConfigurationError(f"broker.password_file {wanted.password_file} is empty or missing")
        return BrokerAccess(wanted.host, wanted.port, wanted.username, password, _tls(wanted))
    password = made_secret(secrets / "broker_password")
    broker = EmbeddedBroker(
        BrokerSettings(
            data_dir=config.server.data_dir,
            host=wanted.host,
            port=wanted.port,
            username=wanted.username,
            password=password,
            gateways={one.id: made_secret(one.secret_file) for one in config.gateways},
            binary=wanted.binary,
            store_bytes_max=wanted.store_bytes_max,
        )
    )
    await broker.start()
    stack.push_async_callback(broker.stop)
    await stack.enter_async_context(running("broker", broker.watch))
    return BrokerAccess(wanted.host, broker.port, wanted.username, password)


def _tls(wanted: BrokerConfig) -> ssl.SSLContext | None:
    if wanted.ca_file is None:
        return None
    try:
        context = ssl.create_default_context(cafile=wanted.ca_file)
        if wanted.cert_file:
            context.load_cert_chain(wanted.cert_file, wanted.key_file)
    except OSError as error:
        raise ConfigurationError(f"broker.ca_file, cert_file or key_file cannot be used: {error}") from error
    return context


async def _start_sync(stack: AsyncExitStack, given: Services, access: BrokerAccess) -> None:
    """Ingest and downlink."""
    metrics = IngestMetrics(given.metrics.registry)
    ingest = Ingest(pool=given.pool, project=projections.apply, metrics=metrics)
    worker = IngestWorker(access=access, ingest=ingest, metrics=metrics, database_url=given.database_url)
    publisher = downlink.DownlinkPublisher(
        access=access, pool=given.pool, database_url=given.database_url, key=given.permits.pass_key, clock=given.clock
    )
    await stack.enter_async_context(running("ingest", worker.run))
    await stack.enter_async_context(running("downlink", publisher.run))
