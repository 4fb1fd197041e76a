"""Loads over a real MQTT broker, and what a broker or a load may get wrong."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import aiomqtt
import pytest
from structlog.testing import capture_logs

from cloud_sync.server.broker import free_port
from control.domain.energy import LoadTier, Quality
from control.domain.errors import DeviceError
from control.energy.site import LoadSpec
from edge.adapters.mqtt_loads import LoadBus, MqttLoads
from edge.energy.ports import LoadReading, WriteNotTaken
from hw_sim.microgrid.field_broker import field_broker

CHILLERS = LoadSpec(id="chillers", tier=LoadTier.COMFORT, sheddable=True, rated_kw=800)
WATER = LoadSpec(id="water", tier=LoadTier.DEFERRABLE, sheddable=True, rated_kw=200)


class Load:
    """The other end: hears `set`, tells `state`. `deaf` follows nothing; `lies` names the command and stays on."""

    def __init__(self, client: aiomqtt.Client) -> None:
        self._client = client
        self.heard: list[dict[str, Any]] = []
        self.deaf = self.lies = self.hears = False

    async def run(self) -> None:
        await self._client.subscribe("island/loads/chillers/set")
        self.hears = True
        async for message in self._client.messages:
            said = json.loads(message.payload)
            self.heard.append(said)
            if not self.deaf:
                on = True if self.lies else said["on"]
                await self.tell(on=on, command_id=said["command_id"])

    async def tell(self, *, load: str = "chillers", retain: bool = False, **said: Any) -> None:
        body = {"power_kw": 321.5, "on": True, "rated_kw": 800, "command_id": ""} | said
        await self.say(json.dumps(body), load=load, retain=retain)

    async def say(self, payload: str | bytes, *, load: str = "chillers", retain: bool = False) -> None:
        await self._client.publish(f"island/loads/{load}/state", payload, retain=retain)


@pytest.fixture(scope="module")
def broker_port():
    """One broker for all tests; each clears what it has kept."""
    with asyncio.Runner() as runner:
        context = field_broker(host="127.0.0.1", port=0)
        port = runner.run(context.__aenter__())
        yield port
        runner.run(context.__aexit__(None, None, None))


@asynccontextmanager
async def field(port: int, clock: Any, *, kept: str | None = None) -> AsyncIterator[tuple[MqttLoads, Load]]:
    loads = MqttLoads(
        LoadBus(host="127.0.0.1", port=port),
        gateway="gw",
        loads=[CHILLERS, WATER],
        clock=clock,
        random=random.Random(1),
    )
    async with aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V311) as client:
        load = Load(client)
        await load.say(kept or b"", retain=True)
        tasks = [asyncio.create_task(load.run()), asyncio.create_task(loads.run())]
        try:
            await until(lambda: loads.connected and load.hears)
            yield loads, load
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


def of(loads: MqttLoads) -> LoadReading:
    return loads.read()["chillers"]


async def test_state_and_its_age(broker_port, clock) -> None:
    async with field(broker_port, clock) as (loads, load):
        assert (of(loads).power_kw.quality, of(loads).on) == (Quality.LOST, None)
        await load.tell()
        await until(lambda: of(loads).on is True)
        assert (of(loads).power_kw.value, of(loads).power_kw.quality) == (321.5, Quality.GOOD)
        assert of(loads).rated_kw.value == 800
        clock.advance(3.5)
        assert (of(loads).power_kw.value, of(loads).power_kw.quality) == (321.5, Quality.STALE)
        clock.advance(7)
        assert (of(loads).power_kw.value, of(loads).power_kw.quality, of(loads).on) == (None, Quality.LOST, None)


async def test_state_that_the_broker_kept_is_as_old_as_it_says(broker_port, clock) -> None:
    at = (clock.now() - timedelta(seconds=5)).isoformat()
    kept = json.dumps({"at": at, "power_kw": 100, "on": True, "rated_kw": 800, "command_id": ""})
    async with field(broker_port, clock, kept=kept) as (loads, load):
        await until(lambda: of(loads).on is True)
        assert of(loads).power_kw.quality is Quality.STALE
        assert of(loads).power_kw.age_s == pytest.approx(5)
        await load.say(kept)  # the same second once more is no news
        await load.tell(load="water")
        await until(lambda: loads.read()["water"].on is True)
        assert of(loads).power_kw.quality is Quality.STALE


async def test_kept_state_without_a_time_says_nothing(broker_port, clock) -> None:
    async with field(broker_port, clock, kept='{"power_kw": 100, "on": true}') as (loads, load):
        await load.tell(load="water")
        await until(lambda: loads.read()["water"].on is True)
        assert of(loads).power_kw.quality is Quality.LOST


@pytest.mark.parametrize("power", ["NaN", '"abc"', "true", "null", "1e400", "1201", "-5000", "9" * 400])
async def test_power_that_is_no_number_or_cannot_be(broker_port, clock, power) -> None:
    async with field(broker_port, clock) as (loads, load):
        await load.say(f'{{"power_kw": {power}, "on": false, "rated_kw": null}}')
        await until(lambda: of(loads).on is False)
        assert (of(loads).power_kw.value, of(loads).power_kw.quality) == (None, Quality.INVALID)
        assert of(loads).rated_kw.value == 800


async def test_nonsense_is_passed_over(broker_port, clock) -> None:
    async with field(broker_port, clock) as (loads, load):
        for payload in (b"", b"\xff\xfe", "{", "[]", "7", "[" * 4000, json.dumps({"x": "y" * 5000})):
            await load.say(payload)
        await load.tell(load="nobody")
        await load.tell(on="yes")
        await until(lambda: of(loads).power_kw.good)
        assert of(loads).on is None


async def test_switching_off_is_followed_and_kept_up(broker_port, clock) -> None:
    async with field(broker_port, clock) as (loads, load):
        await load.tell()
        await until(lambda: of(loads).on is True)
        await loads.switch("chillers", True, 30)
        assert load.heard == []  # it is on by itself
        await loads.switch("chillers", False, 30)
        await until(lambda: of(loads).on is False)
        said = load.heard[0]
        assert (said["on"], said["until"]) == (False, (clock.now() + timedelta(seconds=30)).isoformat())
        await loads.switch("chillers", False, 30)
        clock.advance(8)
        await loads.switch("chillers", False, 30)
        assert len(load.heard) == 1
        clock.advance(8)
        await loads.switch("chillers", False, 30)  # less than half of the time is left
        await until(lambda: len(load.heard) == 2)
        assert load.heard[1]["command_id"] != said["command_id"]
        await until(lambda: of(loads).power_kw.age_s == 0)
        await loads.switch("chillers", True, 30)
        await until(lambda: of(loads).on is True)


async def test_load_that_turns_on_by_itself_is_told_again(broker_port, clock) -> None:
    async with field(broker_port, clock) as (loads, load):
        await loads.switch("chillers", False, 30)
        await until(lambda: of(loads).on is False)
        await load.tell(on=True)
        await until(lambda: of(loads).on is True)
        await loads.switch("chillers", False, 30)
        await until(lambda: len(load.heard) == 2)


@pytest.mark.parametrize(("fault", "found"), [("deaf", None), ("lies", 1.0)])
async def test_load_that_does_not_follow(broker_port, clock, fault, found) -> None:
    async with field(broker_port, clock) as (loads, load):
        setattr(load, fault, True)
        await loads.switch("chillers", False, 30)
        await until(lambda: len(load.heard) == 1 and (found is None or of(loads).on is True))
        clock.advance(0.9)
        await loads.switch("chillers", False, 30)
        clock.advance(0.2)
        with pytest.raises(WriteNotTaken) as error:
            await loads.switch("chillers", False, 30)
        assert (error.value.wanted, error.value.found) == (0, found)
        await until(lambda: len(load.heard) == 2)  # and it is said once more
        assert load.heard[0]["command_id"] == load.heard[1]["command_id"]
        setattr(load, fault, False)
        clock.advance(1.5)
        with pytest.raises(WriteNotTaken):
            await loads.switch("chillers", False, 30)
        await until(lambda: of(loads).on is False)
        await loads.switch("chillers", False, 30)


async def test_no_broker_is_told_once_and_tried_again(clock) -> None:
    port = free_port("127.0.0.1")
    bus = LoadBus(host="127.0.0.1", port=port)
    loads = MqttLoads(bus, gateway="gw", loads=[CHILLERS], clock=clock, random=random.Random(1))
    with capture_logs() as logs:
        running = asyncio.create_task(loads.run())
        await until(lambda: bool(logs))
        with pytest.raises(DeviceError, match="not connected"):
            await loads.switch("chillers", False, 30)
        async with field_broker(host="127.0.0.1", port=port):
            await until(lambda: loads.connected)
            await loads.switch("chillers", False, 30)
        await until(lambda: not loads.connected)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    events = [line["event"] for line in logs if line["event"].startswith("load_bus")]
    assert events == ["load_bus_lost", "load_bus_up", "load_bus_lost"]
