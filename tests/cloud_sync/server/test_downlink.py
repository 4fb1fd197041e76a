"""The way down: key, snapshots and commands, over a real broker and a real PostgreSQL."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiomqtt
import asyncpg
import pytest

from cloud_sync.contract.v1 import KeyPair, PublicKey, open_command, open_snapshot
from cloud_sync.server import downlink, store
from cloud_sync.server.broker import BrokerSettings, EmbeddedBroker
from cloud_sync.server.downlink import DownlinkPublisher, load_or_make_key
from cloud_sync.server.ingest_worker import BrokerAccess
from cloud_sync.server.services import Services
from cloud_sync.server.store import DOWNLINK_CHANNEL, URGENT
from control.domain.errors import ConfigurationError
from control.domain.permits import PermitClass, WatchEffect

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
GATEWAYS = {"gw-a": "password a", "gw-b": "password b"}
KEY = KeyPair.generate()


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as made:
        for gateway in GATEWAYS:
            await made.execute("INSERT INTO gateways (gateway_id, name) VALUES ($1, $1)", gateway)
        yield made


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    made = EmbeddedBroker(BrokerSettings(tmp_path, "127.0.0.1", 0, "cloud", "pw", GATEWAYS))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@asynccontextmanager
async def publishing(pool: asyncpg.Pool, url: str, port: int) -> AsyncIterator[None]:
    access = BrokerAccess("127.0.0.1", port, "cloud", "pw")
    began_s = time.monotonic()

    def clock() -> datetime:
        return NOW + timedelta(seconds=time.monotonic() - began_s)

    publisher = DownlinkPublisher(access=access, pool=pool, database_url=url, key=KEY, clock=clock)
    task = asyncio.create_task(publisher.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def listening(port: int, gateway: str = "gw-a") -> AsyncIterator[asyncio.Queue[tuple[str, bytes]]]:
    """What one gateway hears."""
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def hear(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            heard.put_nowait((message.topic.value.rsplit("/", 1)[1], message.payload))

    async with aiomqtt.Client("127.0.0.1", port, username=gateway, password=GATEWAYS[gateway]) as client:
        await client.subscribe(f"island/v1/{gateway}/down/+", qos=1)
        task = asyncio.create_task(hear(client))
        try:
            yield heard
        finally:
            task.cancel()
            await asyncio.wait([task])


async def add_permit(pool: asyncpg.Pool, permit_id: str, version: int, notice: str = "") -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "INSERT INTO permits (permit_id, plate, permit_class, valid_from, valid_until, created_at, created_by)"
            " VALUES ($1, '琼A12345', 'special', $2, $3, $2, 'office')",
            *(permit_id, NOW, NOW + timedelta(days=1)),
        )
        await connection.execute("INSERT INTO snapshot_versions VALUES ($1, $2, 'office', 'permit')", version, NOW)
        await connection.execute("SELECT pg_notify($1, $2)", DOWNLINK_CHANNEL, notice)


async def add_command(pool: asyncpg.Pool, command_id: str, expires_at: datetime) -> None:
    await pool.execute(
        "INSERT INTO commands (command_id, gateway_id, arrival_id, lane_id, outcome, reason_code, issued_by, issued_at,"
        " expires_at) VALUES ($1, 'gw-a', 'a-1', 'l', 'admit', 'known', 'li', $2, $3)",
        *(command_id, NOW, expires_at),
    )
    await pool.execute("SELECT pg_notify($1, '')", DOWNLINK_CHANNEL)


async def next_of(heard: asyncio.Queue[tuple[str, bytes]], kind: str) -> bytes:
    async with asyncio.timeout(60):
        while True:
            found, payload = await heard.get()
            if found == kind:
                return payload


async def test_snapshot_is_kept_for_gateways_that_come_later_and_follows_changes(
    pool: asyncpg.Pool, database_url: str, broker: EmbeddedBroker
) -> None:
    async with publishing(pool, database_url, broker.port):
        for gateway in GATEWAYS:
            async with listening(broker.port, gateway) as heard:
                first = open_snapshot(await next_of(heard, "snapshot"), KEY.public)
                assert (first.gateway, first.version, first.permits.permits) == (gateway, 1, {})
        async with listening(broker.port) as heard:
            await next_of(heard, "snapshot")
            await add_permit(pool, "p-1", 2)
            second = open_snapshot(await next_of(heard, "snapshot"), KEY.public)
            assert second.version == 2
            assert [permit.permit_id for permit in second.permits.permits["琼A12345"]] == ["p-1"]


async def test_many_changes_in_a_row_go_down_together(
    pool: asyncpg.Pool, database_url: str, broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downlink, "SNAPSHOT_EVERY_S", 2.0)
    async with publishing(pool, database_url, broker.port), listening(broker.port) as heard:
        await next_of(heard, "snapshot")
        for version in range(2, 32):
            await add_permit(pool, f"p-{version}", version)
        versions = [0]
        while versions[-1] < 31:
            versions.append(open_snapshot(await next_of(heard, "snapshot"), KEY.public).version)
        assert len(versions) < 20


async def test_an_urgent_change_waits_for_no_other(
    pool: asyncpg.Pool, database_url: str, broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downlink, "SNAPSHOT_EVERY_S", 3600.0)
    async with publishing(pool, database_url, broker.port), listening(broker.port) as heard:
        await next_of(heard, "snapshot")
        await add_permit(pool, "p-2", 2)
        await add_permit(pool, "p-3", 3, f"{URGENT} 3")
        while open_snapshot(await next_of(heard, "snapshot"), KEY.public).version < 3:
            pass


async def test_revocations_and_watch_entries_are_urgent(services: Services) -> None:
    heard: list[str] = []
    async with services.pool.acquire() as connection:
        await connection.add_listener(DOWNLINK_CHANNEL, lambda *notice: heard.append(str(notice[-1]).split()[0]))
        actor, until = store.Actor("chen"), NOW + timedelta(days=900)
        added = await store.add_permit(
            services,
            actor,
            plate="琼A12345",
            permit_class=PermitClass.SPECIAL,
            valid_from=NOW,
            valid_until=until,
            why="x",
        )
        await store.revoke_permit(services, actor, added.permit_id, why="sold")
        watch_id = await store.add_watch(services, actor, plate="琼A12345", effect=WatchEffect.ALERT, reason="look")
        await store.remove_watch(services, actor, watch_id, why="found")
        async with asyncio.timeout(60):
            while len(heard) < 4:
                await asyncio.sleep(0.01)
        await connection.reset()
    assert heard == ["snapshot", URGENT, URGENT, "snapshot"]


async def test_command_comes_down_until_it_is_answered(
    pool: asyncpg.Pool, database_url: str, broker: EmbeddedBroker
) -> None:
    await add_command(pool, "c-old", NOW - timedelta(seconds=1))
    async with publishing(pool, database_url, broker.port), listening(broker.port) as heard:
        await add_command(pool, "c-1", NOW + timedelta(minutes=5))
        command = open_command(await next_of(heard, "command"), KEY.public)
        assert (command.command_id, command.gateway, command.outcome) == ("c-1", "gw-a", "admit")
        assert open_command(await next_of(heard, "command"), KEY.public) == command
        await pool.execute("UPDATE commands SET result = 'done'")
        await add_command(pool, "c-2", NOW + timedelta(minutes=5))
        later = [open_command(await next_of(heard, "command"), KEY.public).command_id for _ in range(3)]
        assert later[1:] == ["c-2", "c-2"]  # at most one of the answered command was under way


def test_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "downlink.pem"
    made = load_or_make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_or_make_key(path).public.key_id == made.public.key_id
    beside = path.with_name("downlink.pem.pub").read_text(encoding="utf-8")
    assert PublicKey.from_text(beside).key_id == made.public.key_id


def test_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "downlink.pem"
    load_or_make_key(path)
    path.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        load_or_make_key(path)
