"""The live stream: what changed reaches every listener, a lost line is replayed, a slow reader resyncs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cloud_sync.server import live, store
from cloud_sync.server.api import stream
from cloud_sync.server.live import Change, LiveHub, announce
from control.domain.permits import WatchEffect

ACTOR = store.Actor("chen")


@pytest.fixture
async def hub(services: Any) -> AsyncIterator[LiveHub]:
    task = asyncio.create_task(services.live.run())
    await asyncio.wait_for(services.live.listening.wait(), timeout=60)
    yield services.live
    task.cancel()
    await asyncio.wait([task])


async def say(services: Any, *keys: str) -> None:
    async with services.pool.acquire() as connection, connection.transaction():
        await announce(connection, [Change("passage", key) for key in keys])


async def end_listeners(services: Any) -> None:
    """As an administrator or a failing server does."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
    await services.pool.execute(query, live.LISTENER)


async def wait_until_asked(services: Any) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND query = 'SELECT 1'"
    async with asyncio.timeout(60):
        while not await services.pool.fetchval(query, live.LISTENER):
            await asyncio.sleep(0.01)


async def take(queue: Any) -> Any:
    return await asyncio.wait_for(queue.get(), timeout=60)


async def test_what_a_transaction_changed_reaches_every_client_when_it_commits(services: Any, hub: LiveHub) -> None:
    async with hub.client() as one, hub.client() as two:
        async with services.pool.acquire() as connection, connection.transaction():
            await announce(connection, [Change("passage", "a1", "gw-east", "e1")])
            assert one.empty()
        for queue in (one, two):
            event = await take(queue)
            assert (event.kind, event.key, event.lane_id) == ("passage", "a1", "e1")


async def test_several_servers_hear_one_another(services: Any, hub: LiveHub) -> None:
    other = LiveHub(services.database_url)
    task = asyncio.create_task(other.run())
    await asyncio.wait_for(other.listening.wait(), timeout=60)
    async with other.client() as queue:
        await store.add_watch(services, ACTOR, plate="琼C12345", effect=WatchEffect.ALERT, reason="look")
        assert (await take(queue)).kind == "permits"
    task.cancel()
    await asyncio.wait([task])


async def test_a_flood_is_one_resync(services: Any, hub: LiveHub) -> None:
    async with hub.client() as queue:
        await say(services, *(str(n) for n in range(live.BATCH_MAX + 1)))
        assert (await take(queue)).kind == "resync"
        assert queue.empty()


async def test_a_slow_reader_resyncs_and_holds_up_nobody(services: Any, hub: LiveHub) -> None:
    async with hub.client() as slow, hub.client() as quick:
        for n in range(live.QUEUE_MAX + 1):
            hub._put(live.LiveEvent(n + 1, "passage", str(n)))
            await take(quick)
        assert (await take(slow)).kind == "resync"
        assert slow.empty()


async def test_a_lost_database_connection_is_made_anew_and_clients_resync(
    services: Any, hub: LiveHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "RECONNECT_S", 0.01)
    async with hub.client() as queue:
        await end_listeners(services)
        assert (await take(queue)).kind == "resync"
        assert hub.listening.is_set(), "what changes after a resync is heard"
        await say(services, "a1")
        assert (await take(queue)).key == "a1"


async def test_a_connection_lost_in_the_middle_of_reading_is_made_anew_too(
    services: Any, hub: LiveHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that begins between the server's farewell and the end of the connection must not end the hub."""
    monkeypatch.setattr(live, "RECONNECT_S", 0.01)
    async with hub.client() as queue:
        for turn in range(12):
            changes = [asyncio.create_task(say(services, f"{turn}/{n}")) for n in range(3)]
            await asyncio.gather(end_listeners(services), *changes)
            while (await take(queue)).kind != "resync":
                pass
        await say(services, "last")
        while (event := await take(queue)).key != "last":
            assert event.kind == "passage"


async def test_a_silent_connection_is_asked_whether_it_lives(
    services: Any, hub: LiveHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "PROBE_S", 0.01)
    async with hub.client() as queue:
        await say(services, "a1")
        assert (await take(queue)).key == "a1"
        await wait_until_asked(services)
        await say(services, "a2")
        assert (await take(queue)).key == "a2"


async def test_a_page_that_comes_back_gets_what_it_missed(services: Any) -> None:
    await say(services, "a1")
    first = await services.pool.fetchval("SELECT max(live_id) FROM live_events")
    await services.pool.execute("UPDATE live_events SET at = at - interval '1 hour'")
    await say(services, "a2", "a3")
    assert [event.key for event in await live.replay(services.pool, first)] == ["a2", "a3"]
    assert [event.kind for event in await live.replay(services.pool, 10**9)] == ["resync"]


async def test_a_stream_begins_with_a_heartbeat_replays_and_goes_on(services: Any, hub: LiveHub) -> None:
    async with hub.client() as queue:
        await say(services, "a1")
        known = await services.pool.fetchval("SELECT max(live_id) FROM live_events")
        await services.pool.execute("UPDATE live_events SET at = at - interval '1 hour'")
        await say(services, "a2")
        # What the hub hears late, after the stream began, would come to it once more.
        assert [(await take(queue)).key for _ in range(2)] == ["a1", "a2"]
    frames = stream.frames(services, None, known, heartbeat_s=0.05)
    first = await anext(frames)
    assert first.startswith("retry: 2000\n\nevent: heartbeat\n")
    assert data_of(await anext(frames))["key"] == "a2"
    assert (await anext(frames)).startswith("event: heartbeat\n")
    await say(services, "a3")
    while (text := await anext(frames)).startswith("event: heartbeat"):
        pass
    assert data_of(text)["key"] == "a3"
    assert text.startswith("id: ")
    await frames.aclose()
    assert hub.clients_count == 0


async def test_a_stream_ends_with_its_session_and_with_the_server(services: Any, hub: LiveHub) -> None:
    frames = stream.frames(services, "no such session", None, heartbeat_s=0.001)
    texts = [text async for text in frames]
    assert len(texts) == stream.SESSION_CHECK_TURNS
    other = stream.frames(services, None, None, heartbeat_s=60)
    await anext(other)
    hub.close()
    assert [text async for text in other] == []


def data_of(frame: str) -> Any:
    return json.loads(frame.partition("data: ")[2])
