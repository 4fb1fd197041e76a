"""The MQTT client of both sides: a cancelled call stays cancelled, and what takes too long is an error of MQTT."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from cloud_sync.mqtt_client import MqttClient
from cloud_sync.server.broker import BrokerSettings, EmbeddedBroker


def client_on(port: int, timeout_s: float = 60.0) -> MqttClient:
    return MqttClient(
        "127.0.0.1",
        port,
        identifier="tester",
        username="cloud",
        password="pw",
        tls=None,
        keepalive_s=20,
        timeout_s=timeout_s,
        incoming_max=100,
    )


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[EmbeddedBroker]:
    made = EmbeddedBroker(BrokerSettings(tmp_path, "127.0.0.1", 0, "cloud", "pw", {}))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def test_a_cancellation_that_comes_with_the_answer_is_heeded(broker: EmbeddedBroker) -> None:
    async with client_on(broker.port) as client:

        async def publish_for_ever() -> None:
            while True:
                await client.publish("island/v1/gw/down/command", b"x", qos=1)

        task = asyncio.create_task(publish_for_ever())
        tell = client._client.on_publish

        def told_and_cancelled(*told: Any) -> None:
            tell(*told)
            task.cancel()

        client._client.on_publish = told_and_cancelled
        await asyncio.wait([task], timeout=30)
        assert task.cancelled()


async def test_a_broker_that_says_nothing_is_an_error_of_mqtt() -> None:
    silent = socket.create_server(("127.0.0.1", 0))
    with silent, pytest.raises(aiomqtt.MqttError, match="connect timed out"):
        async with client_on(silent.getsockname()[1], timeout_s=0.1):
            pass
