"""The uplink over real mosquitto, plain and with client certificates; the cloud is a few lines of MQTT."""

from __future__ import annotations

import asyncio
import gc
import random
import shutil
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cloud_sync.contract.v1 import (
    Ack,
    AckStatus,
    Batch,
    Hello,
    decode_up,
    encode_ack,
    genesis_hash,
    topic_ack,
    topic_down,
)
from cloud_sync.server.broker import free_port
from cloud_sync.uplink.sender import SenderSettings
from control.domain.errors import ConfigurationError
from control.domain.events import VehiclePassed
from edge.adapters.journal_upkeep import JournalSettings
from edge.adapters.mqtt import MqttSettings, MqttUplink, tls_context
from edge.adapters.sqlite_journal import SqliteJournal

GATEWAY = "gw-1"
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
pytestmark = pytest.mark.skipif(not Path(MOSQUITTO).exists(), reason="mosquitto is not installed")


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


@dataclass
class Down:
    """Keeps what comes down."""

    messages: asyncio.Queue[tuple[str, bytes]] = field(default_factory=asyncio.Queue)

    async def receive(self, kind: str, payload: bytes) -> None:
        self.messages.put_nowait((kind, payload))


@dataclass
class Cloud:
    """Answers Hello and batches as the contract asks; `deaf` for so many batches first."""

    deaf: int = 0
    seqs: list[int] = field(default_factory=list)
    head: bytes = b""
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, client: aiomqtt.Client) -> None:
        async with client:
            await client.subscribe("island/v1/+/up/0")
            self.ready.set()
            async for message in client.messages:
                answer = self.answer(decode_up(message.payload))
                if answer is not None:
                    await client.publish(topic_ack(GATEWAY, 0), encode_ack(answer))

    def answer(self, message: Batch | Hello) -> Ack | None:
        stream = (message.gateway, message.epoch, message.lane)
        if isinstance(message, Hello):
            self.head = self.head or genesis_hash(*stream, 0)
            return Ack(*stream, len(self.seqs), AckStatus.RESUME, self.head)
        if self.deaf:
            self.deaf -= 1
            return None
        if message.first_seq > len(self.seqs) + 1:
            return Ack(*stream, len(self.seqs), AckStatus.GAP)
        new = [row for row in message.rows if row.seq > len(self.seqs)]
        self.seqs += [row.seq for row in new]
        self.head = message.head_hash if new else self.head
        return Ack(*stream, len(self.seqs), AckStatus.OK)


@dataclass
class Mosquitto:
    """One broker on a port of its own."""

    folder: Path
    lines: list[str]
    port: int = field(default_factory=partial(free_port, "127.0.0.1"))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        config = self.folder / f"mosquitto-{self.port}.conf"
        config.write_text("\n".join(["user root", f"listener {self.port} 127.0.0.1", *self.lines]) + "\n")
        process = await asyncio.create_subprocess_exec(
            MOSQUITTO, "-c", str(config), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await self._accepts()
            yield
        finally:
            process.kill()
            await process.wait()

    async def _accepts(self) -> None:
        async with asyncio.timeout(60):
            while not self._open():
                await asyncio.sleep(0.05)

    def _open(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal.open(
        tmp_path / "j.db",
        gateway_id=GATEWAY,
        boot_id="b",
        clock=SystemClock(),
        settings=JournalSettings(ballast_bytes=0),
    )
    async with opened as made:
        yield made


def uplink_to(port: int, journal: SqliteJournal, down: Down, tls: ssl.SSLContext | None = None) -> MqttUplink:
    sender = SenderSettings(silence_s=0.3, silence_s_max=1.0, batch_rows_max=20)
    settings = MqttSettings(
        "127.0.0.1", port, tls=tls, timeout_s=3.0, retry_base_s=0.02, retry_cap_s=0.1, sender=sender
    )
    draw = random.Random(7)
    return MqttUplink(
        gateway=GATEWAY, settings=settings, journal=journal, down=down, clock=SystemClock(), random=draw.random
    )


@asynccontextmanager
async def tasks(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    running = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for one in running:
            one.cancel()
        await asyncio.wait(running)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        for _ in iter(holds, True):
            await asyncio.sleep(0.01)


def events(first: int, count: int) -> list[VehiclePassed]:
    return [VehiclePassed(f"a-{first + i}", "l", "passed", "2026-11-21T02:00:00.000Z") for i in range(count)]


async def test_rows_are_confirmed_by_the_cloud_alone(journal: SqliteJournal, tmp_path: Path) -> None:
    """The broker takes everything; the cloud is silent for three batches: nothing counts until it answers."""
    cloud, broker = Cloud(deaf=3), Mosquitto(tmp_path, ["allow_anonymous true"])
    await journal.append_many(events(1, 50))
    async with broker.running():
        client = aiomqtt.Client("127.0.0.1", broker.port)
        async with tasks(cloud.run(client)):
            await cloud.ready.wait()
            async with tasks(uplink_to(broker.port, journal, Down()).run()):
                await until(lambda: cloud.deaf == 0)
                await until(lambda: journal.backlog()["0"] == 0)
    assert cloud.seqs == list(range(1, 51))


async def test_it_outlives_the_broker(journal: SqliteJournal, tmp_path: Path) -> None:
    cloud, broker = Cloud(), Mosquitto(tmp_path, ["allow_anonymous true"])
    uplink = uplink_to(broker.port, journal, Down())
    async with tasks(uplink.run()):
        await journal.append_many(events(1, 30))
        for turn in (1, 2, 3):
            async with broker.running():
                cloud.ready.clear()
                async with tasks(cloud.run(aiomqtt.Client("127.0.0.1", broker.port))):
                    await journal.append_many(events(turn * 100, 30))
                    await until(lambda: journal.backlog()["0"] == 0)
                    await until(lambda: uplink.connected)
            await until(lambda: not uplink.connected)
    assert cloud.seqs == list(range(1, 121))


async def test_what_is_retained_comes_down_at_once(journal: SqliteJournal, tmp_path: Path) -> None:
    broker, down = Mosquitto(tmp_path, ["allow_anonymous true"]), Down()
    async with broker.running(), aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish(topic_down(GATEWAY, "snapshot"), b"kept", qos=1, retain=True)
        async with tasks(uplink_to(broker.port, journal, down).run()), asyncio.timeout(60):
            assert await down.messages.get() == ("snapshot", b"kept")
            await client.publish(topic_down(GATEWAY, "command"), b"now", qos=1)
            assert await down.messages.get() == ("command", b"now")


async def test_garbage_for_an_acknowledgement_harms_nothing(journal: SqliteJournal, tmp_path: Path) -> None:
    cloud, broker = Cloud(), Mosquitto(tmp_path, ["allow_anonymous true"])
    async with broker.running(), tasks(cloud.run(aiomqtt.Client("127.0.0.1", broker.port))):
        await cloud.ready.wait()
        uplink = uplink_to(broker.port, journal, Down())
        async with tasks(uplink.run()):
            await until(lambda: uplink.last_ack_s is not None)
            async with aiomqtt.Client("127.0.0.1", broker.port) as client:
                await client.publish(topic_ack(GATEWAY, 0), b"garbage", qos=1)
            await journal.append_many(events(1, 5))
            await until(lambda: journal.backlog()["0"] == 0)
            await until(lambda: uplink.connected)


# ---------------------------------------------------------------- TLS


@dataclass
class Authority:
    """Signs certificates for one test."""

    folder: Path
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        made = self._builder(name, name, self.key).add_extension(x509.BasicConstraints(True, None), True)
        self.certificate = made.sign(self.key, hashes.SHA256())
        self.path = self._write("ca.pem", self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, common_name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
        local = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
        made = self._builder(name, self.certificate.subject, key).add_extension(local, False)
        certificate = made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._write(f"{common_name}.pem", certificate), self._write(f"{common_name}.key", pem)

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        made = made.serial_number(x509.random_serial_number())
        return made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))

    def _write(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path


def tls_broker(folder: Path, authority: Authority) -> Mosquitto:
    certificate, key = authority.issue("broker")
    lines = [f"cafile {authority.path}", f"certfile {certificate}", f"keyfile {key}", "require_certificate true"]
    return Mosquitto(folder, [*lines, "use_identity_as_username true", "tls_version tlsv1.3"])


async def test_client_certificates_are_used_and_asked_for(journal: SqliteJournal, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cloud, broker = Cloud(), tls_broker(tmp_path, authority)
    await journal.append_many(events(1, 30))
    cloud_client = aiomqtt.Client(
        "127.0.0.1", broker.port, tls_context=tls_context(authority.path, *authority.issue("cloud"))
    )
    async with broker.running(), tasks(cloud.run(cloud_client)):
        await cloud.ready.wait()
        context = tls_context(authority.path, *authority.issue(GATEWAY))
        async with tasks(uplink_to(broker.port, journal, Down(), context).run()):
            await until(lambda: journal.backlog()["0"] == 0)
    assert cloud.seqs == list(range(1, 31))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves that socket open
async def test_strange_broker_is_not_spoken_to(journal: SqliteJournal, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "ours").mkdir()
    broker = tls_broker(tmp_path, Authority(tmp_path / "theirs"))
    ours = Authority(tmp_path / "ours")
    uplink = uplink_to(broker.port, journal, Down(), tls_context(ours.path, *ours.issue(GATEWAY)))
    async with broker.running():
        with suppress(TimeoutError):
            await asyncio.wait_for(uplink._session_logged(), timeout=60)
        assert not uplink.connected
        assert uplink._told_lost
    gc.collect()


def test_missing_certificate_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nowhere\.pem"):
        tls_context(tmp_path / "nowhere.pem")
