"""A real PostgreSQL for all tests of the cloud: one server a session, empty tables for each test."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import argon2
import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from cloud_sync.server import auth, build, projections
from cloud_sync.server.bodies import BadBody, read_body
from cloud_sync.server.config import AuthConfig, BrokerConfig, CloudConfig, DatabaseConfig, GatewayConfig, ServerConfig
from cloud_sync.server.postgres import EmbeddedPostgres, migrate
from cloud_sync.server.services import Services
from control.domain.events import EVENT_KINDS

NOW = datetime(2026, 11, 21, 2, 42, 31, tzinfo=UTC)
QUICK_HASHER = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
PASSWORD = "a long enough password"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """The embedded server, with the tables in its database `island`."""
    folder = Path(tempfile.mkdtemp(prefix="island-test-"))
    folder.chmod(0o755)
    server = EmbeddedPostgres(
        folder, settings={"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "1GB"}
    )
    try:
        asyncio.run(server.start())
        asyncio.run(migrate(server.url()))
        yield server
    finally:
        asyncio.run(server.stop())
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def database_url(postgres_server: EmbeddedPostgres) -> AsyncIterator[str]:
    """The database with all tables; what the test left in them is deleted (quicker than a database a test)."""
    yield postgres_server.url()
    connection = await asyncpg.connect(postgres_server.url())
    try:
        await _empty_tables(connection)
    finally:
        await connection.close()


async def _empty_tables(connection: Any) -> None:
    rows = await connection.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        " AND relname <> 'alembic_version'"
    )
    statements = [f"DELETE FROM {row['relname']}" for row in rows]
    statements.append("INSERT INTO snapshot_versions (version, at, by, why) VALUES (1, now(), 'system', 'first')")
    # As a replica: tables that let nothing be deleted are emptied too, in any order.
    await connection.execute("SET session_replication_role = replica; " + "; ".join(statements))


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def leap(self, **amount: float) -> None:
        self.at += timedelta(**amount)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> CloudConfig:
    """No broker; one gateway `gw-east`; cookies without TLS."""
    return CloudConfig(
        server=ServerConfig(data_dir=tmp_path / "data"),
        database=DatabaseConfig(url=database_url, migrate_at_start=False, pool_size_max=5),
        broker=BrokerConfig(kind="none"),
        gateways=(GatewayConfig(id="gw-east", name="East gate", secret_file=tmp_path / "gw-east.secret"),),
    )


@pytest.fixture
async def services(config: CloudConfig, clock: FakeClock) -> AsyncIterator[Services]:
    """Database and stores, without HTTP."""
    async with AsyncExitStack() as stack:
        yield await build.opened_services(stack, config, clock=clock, hasher=QUICK_HASHER)


@pytest.fixture
async def app(config: CloudConfig, clock: FakeClock) -> AsyncIterator[FastAPI]:
    """The application between its start and its end, without workers."""
    made = build.create_app(config, clock=clock, hasher=QUICK_HASHER, workers=False)
    async with made.router.lifespan_context(made):
        yield made


@pytest.fixture
def demo_account(config: CloudConfig) -> CloudConfig:
    return replace(config, auth=AuthConfig(demo_user="demo"))


@dataclass
class Person:
    """A signed-in client; `post` and the like send the CSRF token."""

    http: httpx.AsyncClient
    csrf_token: str

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(f"/api/v1{path}", **more)

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.http.request(method, f"/api/v1{path}", headers={"X-CSRF-Token": self.csrf_token}, **more)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self.send("POST", path, json=body or {})


@pytest.fixture
async def sign_in(app: FastAPI) -> AsyncIterator[Any]:
    """`await sign_in("approver")` gives a Person with that role."""
    async with AsyncExitStack() as stack:

        async def signed_in(role: str) -> Person:
            given: Services = app.state.services
            await add_account(given, role)
            http = await stack.enter_async_context(_browser(app))
            answer = await http.post("/api/v1/session", json={"username": role, "password": PASSWORD})
            return Person(http, answer.json()["csrf_token"])

        yield signed_in


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not signed in."""
    async with _browser(app) as http:
        yield http


def _browser(app: FastAPI) -> httpx.AsyncClient:
    """A client that keeps cookies."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://island.test")


async def add_account(given: Services, role: str) -> None:
    """An account called as its role, with PASSWORD."""
    hashed = await given.passwords.hash(PASSWORD)
    await auth.insert_user(
        given.pool,
        username=role,
        name=role.title(),
        role=auth.Role(role),
        password_hash=hashed,
        at=given.clock(),
    )


# ---------------------------------------------------------------- what gateways send


@dataclass(frozen=True)
class Row:
    """One journalled event, as ingest hands it to the projections."""

    seq: int
    uuid: bytes
    kind: str
    body: bytes


class Gateway:
    """Journals events and puts them into the store as ingest does: rows, projections, cursor, one transaction."""

    def __init__(self, given: Services, gateway_id: str = "gw-east") -> None:
        self._given = given
        self.gateway_id = gateway_id
        self._seq = 0

    def row(self, kind: str, raw: bytes | None = None, **body: Any) -> Row:
        self._seq += 1
        uuid = uuid5(UUID(int=0), f"{self.gateway_id}/{self._seq}").bytes
        return Row(self._seq, uuid, kind, raw if raw is not None else json.dumps(body, ensure_ascii=False).encode())

    async def send(self, *rows: Row) -> tuple[projections.Rejected, ...]:
        async with self._given.pool.acquire() as connection, connection.transaction():
            for row in rows:
                await self._store(connection, row)
            return await projections.apply(connection, self.gateway_id, rows)

    async def _store(self, connection: Any, row: Row) -> None:
        if row.kind in EVENT_KINDS and isinstance(read_body(row.kind, row.body), BadBody):
            return  # ingest puts it into quarantine
        await connection.execute(
            "INSERT INTO events (gateway_id, epoch, lane, seq, uuid, hlc, wall_at, mono_ns, boot_id, kind, body, raw,"
            " hash) VALUES ($1, 1, 0, $2, $3, $2, $4, 0, 'boot', $5, $6, $7, '')",
            *(self.gateway_id, row.seq, UUID(bytes=row.uuid), NOW, row.kind, row.body.decode(), row.body),
        )

    def decided(self, arrival_id: str, plate: str | None = "琼CD12345", outcome: str = "admit", **more: Any) -> Row:
        """A `passage_decided` with everything in it."""
        kind, verdict = more.pop("kind", "nev_small"), more.pop("verdict", "new_energy")
        reading = plate and {
            "text": plate,
            "kind": kind,
            "colour": "green",
            "energy": "battery_electric",
            "verdict": verdict,
            "confidence": 0.97,
            "characters": [{"char": one, "probability": 0.99, "alternatives": [["8", 0.01]]} for one in plate],
        }
        body = {
            "arrival_id": arrival_id,
            "lane_id": "e1",
            "gate_id": "east",
            "direction": "in",
            "at": NOW.isoformat(timespec="milliseconds"),
            "outcome": outcome,
            "reasons": [{"code": "new_energy", "clause": "art. 25", "detail": ""}],
            "rule_version": "7",
            "plate": reading,
            "vehicle": {"type": "car", "confidence": 0.9},
            "unavailable": None,
            "permit_id": None,
            "complete_permit_after": False,
            "record_emission": False,
            "suggestions": [],
            "snapshot_version": 1,
            "frame_sha256": "a" * 64,
            "crop_sha256": None,
            "decide_ms": 21.5,
        }
        return self.row("passage_decided", **(body | more))

    def guard_decided(self, arrival_id: str, outcome: str = "admit", **more: Any) -> Row:
        body = {"arrival_id": arrival_id, "lane_id": "e1", "outcome": outcome, "reason_code": "looked", "note": ""}
        body |= {"by": "wang", "source": "hut", "command_id": None, "corrected_plate": None, "permit_id": None}
        return self.row("guard_decided", **(body | {"at": NOW.isoformat()} | more))

    def health(self, **more: Any) -> Row:
        lane = {"lane_id": "e1", "gate_id": "east", "direction": "in", "name": "East in 1", "barrier": "closed"}
        body = {"at": NOW.isoformat(), "software": "0.1.0", "uptime_s": 12.5, "backlog": {"0": 3, "2": 40}}
        body |= {"snapshot_version": 1, "disk_free_frac": 0.5, "lanes": [lane]}
        return self.row("gateway_health", **(body | more))


@pytest.fixture
def gateway(services: Services) -> Gateway:
    return Gateway(services)


@pytest.fixture
def make_gateway() -> type[Gateway]:
    return Gateway
