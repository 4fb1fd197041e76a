"""The embedded broker: it starts, keeps gateways apart, lets a removed one go, and takes over from a killed server."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import pytest

from cloud_sync.server import broker as broker_module
from cloud_sync.server.broker import BrokerSettings, EmbeddedBroker, free_port
from control.domain.errors import DeviceError

pytestmark = pytest.mark.timeout(600)  # processes start again and again, on busy machines too
GATEWAYS = {"gw-east": "east secret", "gw-west": "west secret"}
PATIENCE_S = 60


@asynccontextmanager
async def running(folder: Path, port: int = 0) -> AsyncIterator[EmbeddedBroker]:
    broker = EmbeddedBroker(settings(folder, port))
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()


def settings(folder: Path, port: int = 0) -> BrokerSettings:
    return BrokerSettings(folder, "127.0.0.1", port, "cloud", 'cloud "secret" \\', GATEWAYS)


def client(broker: EmbeddedBroker, user: str, password: str) -> aiomqtt.Client:
    return aiomqtt.Client("127.0.0.1", broker.port, username=user, password=password, timeout=PATIENCE_S)


def gateway(broker: EmbeddedBroker, user: str) -> aiomqtt.Client:
    return client(broker, user, GATEWAYS[user])


def cloud(broker: EmbeddedBroker) -> aiomqtt.Client:
    return client(broker, "cloud", 'cloud "secret" \\')


async def heard(listener: aiomqtt.Client, until: str) -> list[str]:
    """Payloads up to the one that was sent last."""
    found: list[str] = []
    async with asyncio.timeout(PATIENCE_S):
        async for message in listener.messages:
            found.append(bytes(message.payload).decode())
            if found[-1] == until:
                break
    return found


async def test_a_gateway_speaks_on_its_own_topics_alone(tmp_path: Path) -> None:
    async with running(tmp_path) as broker, cloud(broker) as listener:
        await listener.subscribe("island/v1/+/up/#", qos=1)
        async with gateway(broker, "gw-east") as east:
            await east.publish("island/v1/gw-west/up/0", b"forged", qos=0)
            await east.publish("island/v1/gw-east/down/command", b"forged", qos=0)
        async with gateway(broker, "gw-east") as east:
            await east.publish("island/v1/gw-east/up/0", b"own", qos=1)
        assert await heard(listener, until="own") == ["own"]


@pytest.mark.parametrize("topic", ["island/v1/gw-west/down/#", "island/v1/gw-west/ack/0", "island/v1/+/up/0", "#"])
async def test_a_gateway_hears_nothing_that_is_not_its_own(tmp_path: Path, topic: str) -> None:
    async with running(tmp_path) as broker, cloud(broker) as sender, gateway(broker, "gw-east") as east:
        await east.subscribe("island/v1/gw-east/down/#", qos=1)
        await east.subscribe(topic, qos=1)
        await sender.publish("island/v1/gw-west/down/command", b"secret", qos=1)
        await sender.publish("island/v1/gw-west/ack/0", b"secret", qos=1)
        await sender.publish("island/v1/gw-east/down/command", b"mine", qos=1)
        assert "secret" not in await heard(east, until="mine")


async def test_a_wrong_password_and_an_unknown_user_are_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as broker:
        for user, password in (("gw-east", "west secret"), ("gw-north", "east secret"), ("", "")):
            with pytest.raises(aiomqtt.MqttError):
                async with client(broker, user, password):
                    pass


async def test_a_removed_gateway_is_disconnected(tmp_path: Path) -> None:
    async with running(tmp_path) as broker, gateway(broker, "gw-west") as west:
        await broker.reload({"gw-east": "east secret"})
        with pytest.raises(aiomqtt.MqttError):
            await asyncio.wait_for(anext(west.messages), timeout=PATIENCE_S)


async def test_messages_for_an_absent_listener_survive_a_killed_broker(tmp_path: Path) -> None:
    async with running(tmp_path) as broker:
        listening = {"identifier": "ingest", "clean_session": False, "username": "cloud", "timeout": PATIENCE_S}
        async with aiomqtt.Client("127.0.0.1", broker.port, password='cloud "secret" \\', **listening) as listener:
            await listener.subscribe("island/v1/+/up/#", qos=1)
        async with gateway(broker, "gw-east") as east:
            for number in range(20):
                await east.publish("island/v1/gw-east/up/0", str(number).encode(), qos=1)
        assert broker.pid
        os.kill(broker.pid, signal.SIGKILL)
        again = aiomqtt.Client("127.0.0.1", broker.port, password='cloud "secret" \\', **listening)
        async with running(tmp_path, broker.port), again as listener:
            assert await heard(listener, until="19") == [str(number) for number in range(20)]


async def test_a_broker_that_outlived_its_server_is_replaced(tmp_path: Path) -> None:
    first = EmbeddedBroker(settings(tmp_path))
    await first.start()
    async with running(tmp_path, first.port) as second:
        assert second.pid != first.pid
        async with gateway(second, "gw-east") as east:
            await east.publish("island/v1/gw-east/up/0", b"x", qos=1)
    await first.stop()


async def test_a_port_that_is_still_held_is_waited_for(tmp_path: Path) -> None:
    holder = socket.create_server(("127.0.0.1", free_port("127.0.0.1")))
    asyncio.get_running_loop().call_later(0.2, holder.close)
    async with running(tmp_path, holder.getsockname()[1]) as broker:
        assert broker.pid


async def test_a_leftover_that_will_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "STOP_TIMEOUT_S", 0.2)
    async with running(tmp_path) as first:
        assert first.pid
        os.kill(first.pid, signal.SIGSTOP)
        async with running(tmp_path, first.port) as second:
            assert second.pid not in (None, first.pid)


async def test_a_broker_that_dies_is_started_again(tmp_path: Path) -> None:
    async with running(tmp_path) as broker:
        watching = asyncio.create_task(broker.watch())
        first = broker.pid
        assert first
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_S):
            await broker.down.wait()
            await broker.up.wait()
        assert broker.pid not in (None, first)
        watching.cancel()


async def test_a_taken_port_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "PORT_PATIENCE_S", 0.1)
    async with running(tmp_path / "one") as broker:
        other = EmbeddedBroker(settings(tmp_path / "two", broker.port))
        with pytest.raises(DeviceError, match="is taken"):
            await other.start()
