"""The uplink's connection: owns the MQTT client, its reconnects, and the sending of what `Sender` asks.

The broker's acknowledgement is never trusted: rows count as delivered when the cloud's own says so.
Messages go out at QoS 0 for that reason; what is lost is sent again by the sender.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import aiomqtt
import structlog

from cloud_sync.contract.v1 import AckStatus, decode_ack, encode_up, topic_up
from cloud_sync.mqtt_client import MqttClient
from cloud_sync.uplink.backoff import full_jitter_s
from cloud_sync.uplink.sender import (
    Greet,
    Sender,
    SenderSettings,
    SendRows,
    Wait,
)
from control.domain.errors import ConfigurationError, ContractError
from edge.journal import Clock, JournalError, UplinkJournal
from edge.uplink_steps import UplinkSteps

log = structlog.get_logger(__name__)

INCOMING_MAX = 4096
IDLE_LOOK_S = 5.0


class DownReceiver(Protocol):
    """Takes what comes on the down topics."""

    async def receive(self, kind: str, payload: bytes) -> None:
        """One message."""
        ...


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where the broker is. `tls` is a context or None for a broker on this machine."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    keepalive_s: int = 20
    timeout_s: float = 10.0
    retry_base_s: float = 0.25
    retry_cap_s: float = 15.0
    sender: SenderSettings = field(default_factory=SenderSettings)


def tls_context(ca_file: Path | None, cert_file: Path | None = None, key_file: Path | None = None) -> ssl.SSLContext:
    """TLS 1.2 or newer, the server always verified. Raises ConfigurationError naming the file at fault."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
        if cert_file is not None:
            context.load_cert_chain(cert_file, key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"cloud.tls: {ca_file}, {cert_file}, {key_file}: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class MqttUplink:
    """Keeps a connection for as long as `run` runs; see `connected` and `last_ack_s` for the hut page."""

    def __init__(
        self,
        *,
        gateway: str,
        settings: MqttSettings,
        journal: UplinkJournal,
        down: DownReceiver,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._gateway, self._settings = gateway, settings
        self._journal, self._down, self._clock, self._random = journal, down, clock, random
        self._sender = Sender(gateway, settings.sender, random=random)
        self._steps = UplinkSteps(gateway, journal, self._sender)
        self._wake = asyncio.Event()
        self._told_lost = False
        self.connected = False
        self.last_ack_s: float | None = None
        journal.on_commit(self._wake.set)

    async def run(self) -> None:
        """For ever: connect, serve, wait with full jitter, again."""
        attempt = 0
        while True:
            ack_before_s = self.last_ack_s
            await self._session_logged()
            attempt = 0 if self.last_ack_s != ack_before_s else attempt + 1
            base_s, cap_s = self._settings.retry_base_s, self._settings.retry_cap_s
            await asyncio.sleep(full_jitter_s(attempt, base_s=base_s, cap_s=cap_s, random=self._random))

    async def _session_logged(self) -> None:
        """One connection. Its end is told once, and its return once."""
        try:
            await self._session()
        except* (aiomqtt.MqttError, OSError, TimeoutError, JournalError) as group:
            self._tell_lost(group.exceptions[0])
        finally:
            self.connected = False
            self._sender.disconnected()

    def _tell_lost(self, error: BaseException) -> None:
        why = error.__cause__ or error
        level = log.debug if self._told_lost else log.warning
        level("uplink_lost", host=self._settings.host, port=self._settings.port, error=str(why) or type(why).__name__)
        self._told_lost = True

    async def _session(self) -> None:
        async with self._client() as client, asyncio.TaskGroup() as tasks:
            self._sender.connected(self._steps.positions())
            self.connected, self._told_lost = True, False
            log.info("uplink_up", host=self._settings.host, port=self._settings.port)
            tasks.create_task(self._hear(client), name="uplink-hear")
            tasks.create_task(self._send(client), name="uplink-send")

    @contextlib.asynccontextmanager
    async def _client(self) -> AsyncIterator[MqttClient]:
        settings = self._settings
        suffix = int(self._random() * 2**48)
        client = MqttClient(
            settings.host,
            settings.port,
            identifier=f"{self._gateway}-{suffix:012x}",
            username=settings.username,
            password=settings.password,
            tls=settings.tls,
            keepalive_s=settings.keepalive_s,
            timeout_s=settings.timeout_s,
            incoming_max=INCOMING_MAX,
        )
        async with client:
            await client.subscribe(f"island/v1/{self._gateway}/ack/+", qos=0)
            await client.subscribe(f"island/v1/{self._gateway}/down/+", qos=1)
            yield client

    async def _hear(self, client: MqttClient) -> None:
        async for message in client.messages:
            _, _, _, branch, leaf = message.topic.value.split("/", 4)
            if branch == "ack":
                await self._take_ack(message.payload)
            else:
                await self._down.receive(leaf, message.payload)

    async def _take_ack(self, payload: bytes) -> None:
        try:
            ack = decode_ack(payload)
        except ContractError as error:
            log.warning("ack_refused", error=str(error))
            return
        if ack.status in (AckStatus.CLOCK, AckStatus.REFUSED):
            log.error("cloud_refused", lane=ack.lane, status=ack.status.value, why=ack.detail)
        self.last_ack_s = self._clock.monotonic()
        await self._steps.carry_out(self._sender.received(ack, self.last_ack_s))
        self._wake.set()

    async def _send(self, client: MqttClient) -> None:
        while True:
            self._wake.clear()
            self._sender.moved(self._steps.positions())
            now_s = self._clock.monotonic()
            match self._sender.next(now_s):
                case Greet() as action:
                    await self._greet(client, action)
                case SendRows() as action:
                    await self._send_rows(client, action)
                case Wait(until_s):
                    pause_s = IDLE_LOOK_S if until_s is None else max(until_s - now_s, 0.001)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(pause_s):
                            await self._wake.wait()

    async def _greet(self, client: MqttClient, action: Greet) -> None:
        await self._publish(client, action.lane, encode_up(await self._steps.hello(action)))
        self._sender.greeted(action.lane, self._clock.monotonic())

    async def _send_rows(self, client: MqttClient, action: SendRows) -> None:
        batch = await self._steps.batch(action)
        if batch is not None:
            await self._publish(client, action.lane, encode_up(batch))
            self._sender.sent(action, batch.last_seq, self._clock.monotonic())

    async def _publish(self, client: MqttClient, lane: int, payload: bytes) -> None:
        await client.publish(topic_up(self._gateway, lane), payload, qos=0)
