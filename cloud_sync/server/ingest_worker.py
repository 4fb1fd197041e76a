"""Ingest's place on the broker: owns the connection, one task a stream, and the lease per gateway.

Workers are stateless: each hears every gateway, and the one that holds a gateway's lease (an advisory lock
of PostgreSQL, gone with its connection) applies what that gateway sends. The cursor row guards all the same.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from uuid import uuid4

import aiomqtt
import asyncpg
import structlog

from cloud_sync.contract.v1 import (
    GATEWAY_ID,
    LANES,
    Ack,
    AckStatus,
    Batch,
    ChainBroken,
    Hello,
    decode_up,
    encode_ack,
    topic_ack,
)
from cloud_sync.mqtt_client import MqttClient
from cloud_sync.server.ingest import Ingest, IngestMetrics
from cloud_sync.server.sql import DATABASE_TROUBLE
from control.domain.errors import ContractError

log = structlog.get_logger()

LEASE_CLASS = 7_301
LEASE_RETRY_S = 0.5
STREAM_QUEUE_MAX = 64
INCOMING_MAX = 8192
TROUBLE_PAUSE_S = 0.5
RECONNECT_S_MAX = 1.0


@dataclass(frozen=True, slots=True)
class BrokerAccess:
    """How the cloud's own side reaches the broker."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    timeout_s: float = 10.0

    def client(self, purpose: str) -> MqttClient:
        """A client with an id of its own."""
        return MqttClient(
            self.host,
            self.port,
            identifier=f"{purpose}-{uuid4().hex[:12]}",
            username=self.username,
            password=self.password,
            tls=self.tls,
            keepalive_s=20,
            timeout_s=self.timeout_s,
            incoming_max=INCOMING_MAX,
        )


class Leases:
    """Which gateways are ours. Held by one connection; when that is lost, so are all of them."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._connection: asyncpg.Connection | None = None
        self._lock = asyncio.Lock()
        self._ours: set[str] = set()
        self._asked_s: dict[str, float] = {}

    async def holds(self, gateway: str) -> bool:
        """Whether the gateway is ours, asking for it now and then. Raises DATABASE_TROUBLE."""
        if gateway in self._ours and self._connection is not None and not self._connection.is_closed():
            return True
        async with self._lock:
            return await self._ask(gateway)

    async def _ask(self, gateway: str) -> bool:
        connection = await self._connected()
        now_s = asyncio.get_running_loop().time()
        if gateway in self._ours:
            return True
        if now_s < self._asked_s.get(gateway, 0.0) + LEASE_RETRY_S:
            return False
        self._asked_s[gateway] = now_s
        query = "SELECT pg_try_advisory_lock($1, hashtext($2))"
        if await connection.fetchval(query, LEASE_CLASS, gateway, timeout=5.0):
            log.info("lease_taken", gateway=gateway)
            self._ours.add(gateway)
        return gateway in self._ours

    async def _connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._ours.clear()
            self._asked_s.clear()
            self._connection = await asyncpg.connect(self._url, timeout=5.0)
        return self._connection

    def close(self) -> None:
        """Give everything back."""
        self._ours.clear()
        connection, self._connection = self._connection, None
        if connection is not None:
            # The server frees the leases when it sees the end; a farewell could wait for a database that is away.
            connection.terminate()


class IngestWorker:
    """One connection, a task for each stream that was heard; `run` never returns."""

    def __init__(
        self,
        *,
        access: BrokerAccess,
        ingest: Ingest,
        metrics: IngestMetrics,
        database_url: str,
        random: Callable[[], float] | None = None,
    ) -> None:
        self._access, self._ingest, self._metrics = access, ingest, metrics
        self._random = random or Random().random
        self._told_lost = False
        self._leases = Leases(database_url)
        self._streams: dict[tuple[str, int], asyncio.Queue[bytes]] = {}

    async def run(self) -> None:
        """For ever: connect, hear, apply, answer; after a loss of the broker again, soon."""
        while True:
            await self._session()
            await asyncio.sleep(self._random() * RECONNECT_S_MAX)

    async def _session(self) -> None:
        try:
            async with self._access.client("ingest") as client, asyncio.TaskGroup() as tasks:
                await client.subscribe("island/v1/+/up/+", qos=0)
                self._told_lost = False
                log.info("ingest_up", host=self._access.host, port=self._access.port)
                await self._hear(client, tasks)
        except* aiomqtt.MqttError as group:
            level = log.debug if self._told_lost else log.warning
            level("ingest_lost_broker", error=str(group.exceptions[0]))
            self._told_lost = True
        finally:
            self._streams.clear()
            self._leases.close()

    async def _hear(self, client: MqttClient, tasks: asyncio.TaskGroup) -> None:
        async for message in client.messages:
            stream = _stream_of(message.topic.value)
            if stream is None or not isinstance(message.payload, bytes):
                continue
            queue = self._streams.get(stream)
            if queue is None:
                queue = self._streams[stream] = asyncio.Queue(STREAM_QUEUE_MAX)
                tasks.create_task(self._serve(client, stream, queue), name=f"ingest-{stream[0]}-{stream[1]}")
            try:
                queue.put_nowait(message.payload)
            except asyncio.QueueFull:
                self._metrics.messages.labels("dropped").inc()  # the gateway sends it again

    async def _serve(self, client: MqttClient, stream: tuple[str, int], queue: asyncio.Queue[bytes]) -> None:
        while True:
            payload = await queue.get()
            try:
                ack = await self._answer(stream, payload)
            except DATABASE_TROUBLE as error:
                log.warning("ingest_database_trouble", gateway=stream[0], error=str(error) or type(error).__name__)
                self._metrics.messages.labels("trouble").inc()
                await asyncio.sleep(TROUBLE_PAUSE_S)
                continue
            if ack is not None:
                await client.publish(topic_ack(*stream), encode_ack(ack), qos=0)

    async def _answer(self, stream: tuple[str, int], payload: bytes) -> Ack | None:
        if not await self._leases.holds(stream[0]):
            return None
        message = self._decoded(stream, payload)
        if isinstance(message, Ack | None):
            return message
        return await self._ingest.take(message)

    def _decoded(self, stream: tuple[str, int], payload: bytes) -> Batch | Hello | Ack | None:
        """The message; the answer to one that was altered; None for garbage, which has no answer."""
        try:
            message = decode_up(payload)
        except ChainBroken as error:
            self._metrics.messages.labels("chain").inc()
            return Ack(error.gateway, error.epoch, error.lane, 0, AckStatus.CHAIN, detail=str(error))
        except ContractError as error:
            log.warning("ingest_garbage", gateway=stream[0], lane=stream[1], error=str(error))
            self._metrics.messages.labels("garbage").inc()
            return None
        if (message.gateway, message.lane) != stream:
            log.warning("ingest_wrong_topic", gateway=stream[0], claimed=message.gateway)
            self._metrics.messages.labels("garbage").inc()
            return None
        return message


def _stream_of(topic: str) -> tuple[str, int] | None:
    parts = topic.split("/")
    lanes = {str(lane): lane for lane in LANES}
    if len(parts) != 5 or not GATEWAY_ID.fullmatch(parts[2]) or parts[4] not in lanes:
        return None
    return parts[2], lanes[parts[4]]
