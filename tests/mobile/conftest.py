"""A real cloud for tests of the app: PostgreSQL and the server on a free port, as the tests of the cloud have them."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
import uvicorn

from cloud_sync.server import auth, build
from cloud_sync.server.config import CloudConfig
from cloud_sync.server.services import Services
from mobile.core.client import Client, Tuning, build_client
from mobile.core.network import Asking
from mobile.core.outbox import Backoff


def _of_cloud() -> ModuleType:
    """The cloud's own fixtures; their folder is no package."""
    name = "mobile_cloud_scene"
    if name not in sys.modules:
        path = Path(__file__).parents[1] / "cloud_sync" / "conftest.py"
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


_cloud = _of_cloud()
PASSWORD = _cloud.PASSWORD
NOWHERE = "http://127.0.0.1:9"
postgres_server = _cloud.postgres_server
database_url = _cloud.database_url
config = _cloud.config


@dataclass
class MovedClock:
    """The real time, moved by as much as a test says."""

    by: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.by


@dataclass
class Island:
    """A served cloud without workers. Its `clock` can be moved."""

    url: str
    given: Services
    clock: MovedClock

    async def add_person(self, role: str, username: str = "", name: str = "") -> str:
        """An account with PASSWORD; its id."""
        made = await auth.insert_user(
            self.given.pool,
            username=username or role,
            name=name or (username or role).title(),
            role=auth.Role(role),
            password_hash=await self.given.passwords.hash(PASSWORD),
            at=self.given.clock(),
        )
        return str(made)


@pytest.fixture
async def island(config: CloudConfig) -> AsyncIterator[Island]:
    """The cloud on a free port of the loopback."""
    clock = MovedClock()
    app = build.create_app(config, clock=clock, hasher=_cloud.QUICK_HASHER, workers=False)
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve(), name="test server")
    while not server.started:
        assert not serving.done(), "the server did not start"
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield Island(f"http://127.0.0.1:{port}", app.state.services, clock)
    server.should_exit = True
    await asyncio.wait_for(serving, timeout=60)


@pytest.fixture
async def phone(tmp_path: Path) -> AsyncIterator[Callable[..., Client]]:
    """`phone(url, role)` gives the app's services without a window; they are ended with the test."""
    opened: list[Client] = []

    def made(
        url: str = "http://127.0.0.1:9", role: str = "visitor", *, folder: str = "phone", **more: object
    ) -> Client:
        tuning = Tuning(backoff=Backoff(first_s=0.01, most_s=0.05), asking=Asking(first_s=0.01, most_s=0.05))
        client = build_client(tmp_path / folder, url, role, tuning=tuning, **more)  # type: ignore[arg-type]
        opened.append(client)
        return client

    yield made
    for client in opened:
        await client.stop()
