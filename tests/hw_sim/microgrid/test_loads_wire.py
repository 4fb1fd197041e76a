"""Loads over the field's own MQTT broker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiomqtt
import pytest


class Listener:
    """What each load said last, and a way to order."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self.client = client
        self.last: dict[str, dict[str, Any]] = {}

    async def listen(self) -> None:
        async for message in self.client.messages:
            self.last[message.topic.value.split("/")[2]] = json.loads(message.payload)

    async def until(self, load_id: str, **values: Any) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while not values.items() <= self.last.get(load_id, {"": 0}).items():
                await asyncio.sleep(0.02)
        return self.last[load_id]

    async def until_said_again(self, load_id: str, *, times: int) -> None:
        async with asyncio.timeout(60):
            for _ in range(times):
                said = self.last[load_id]["at"]
                while self.last[load_id]["at"] == said:
                    await asyncio.sleep(0.02)

    async def order(self, load_id: str, **what: Any) -> None:
        await self.client.publish(f"island/loads/{load_id}/set", json.dumps(what).encode())


@pytest.fixture
async def field(make_bench) -> AsyncIterator[tuple[Listener, Any]]:
    bench = make_bench()
    async with bench.microgrid.running() as at, aiomqtt.Client("127.0.0.1", at.mqtt_port) as client:
        await client.subscribe("island/loads/+/state")
        listener = Listener(client)
        task = asyncio.create_task(listener.listen())
        yield listener, bench
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_state_comes_and_orders_are_followed_until_they_lapse(field):
    listener, bench = field
    state = await listener.until("pumps", on=True)
    assert state["rated_kw"] == 300.0
    assert state["power_kw"] == pytest.approx(bench.world.loads["pumps"].power_kw, abs=1.0)
    assert datetime.fromisoformat(state["at"]).tzinfo is not None
    until = (datetime.now(UTC) + timedelta(seconds=10)).isoformat()
    await listener.order("pumps", command_id="c-1", on=False, until=until)
    await listener.until("pumps", on=False, command_id="c-1")
    bench.pass_time(1.0)
    await listener.until("pumps", power_kw=0.0)
    bench.pass_time(12.0)
    assert (await listener.until("pumps", on=True))["command_id"] == "c-1"


async def test_what_cannot_be_read_is_ignored(field):
    listener, bench = field
    await listener.until("pumps", on=True)
    for payload in (b"\xff", b"[]", b'{"on": 1}', b'{"on": false, "until": "soon"}'):
        await listener.client.publish("island/loads/pumps/set", payload)
    async with asyncio.timeout(60):
        while bench.microgrid.loads.ignored < 4:
            await asyncio.sleep(0.02)
    assert bench.world.loads["pumps"].on


async def test_silent_stuck_and_deaf_loads(field):
    listener, bench = field
    await listener.until("pumps", on=True)
    await listener.until("hall", on=True)
    faults = bench.microgrid.faults
    faults.set("pumps", "stuck", True)
    stuck_kw = (await listener.until("pumps"))["power_kw"]
    faults.set("pumps", "reject_writes", True)
    await listener.order("pumps", command_id="c-2", on=False, until=None)
    async with asyncio.timeout(60):
        while bench.microgrid.loads.ignored < 1:
            await asyncio.sleep(0.02)
    assert bench.world.loads["pumps"].on
    faults.set("pumps", "reject_writes", False)
    await listener.order("pumps", command_id="c-3", on=False)
    found = await listener.until("pumps", on=False)
    assert found["power_kw"] == stuck_kw
    faults.set("hall", "silent", True)
    # What was under way when it fell silent has come before what another load says twice.
    await listener.until_said_again("pumps", times=2)
    said = listener.last["hall"]["at"]
    await listener.until_said_again("pumps", times=2)
    assert listener.last["hall"]["at"] == said
