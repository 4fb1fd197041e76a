"""The whole program in a process of its own: starts with nothing, takes an event, ends cleanly, starts again."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiomqtt
import httpx
import pytest
import structlog

from cloud_sync.contract import v1
from cloud_sync.server.__main__ import configure_logging
from cloud_sync.server.broker import free_port

TOML = """
[server]
data_dir = "data"
port = 0
[broker]
port = {port}
[auth]
demo_user = "demo"
[[gateways]]
id = "gw-east"
secret_file = "gw-east.secret"
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="island-main-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@asynccontextmanager
async def started(config: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str, str]]:
    """The program with what it told: the console's address and the first account."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cloud_sync.server", "--config", str(config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert process.stdout
    try:
        async with asyncio.timeout(200):
            console = (await process.stdout.readline()).decode().split()[1]
            account = (await process.stdout.readline()).decode().partition(": ")[2].strip()
        yield process, console, account
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), timeout=60)


@pytest.mark.timeout(900)
async def test_the_whole_program(folder: Path) -> None:
    port = free_port("127.0.0.1")
    config = folder / "cloud.toml"
    config.write_text(TOML.format(port=port))
    for round_number in range(2):
        async with started(config) as (process, console, account):
            assert await greeted(port, (folder / "gw-east.secret").read_text().strip())
            await look(console, account)
            if round_number == 0:
                process.send_signal(signal.SIGINT)
                assert await asyncio.wait_for(process.wait(), timeout=60) == 0
        assert not leftovers(folder)
    assert (folder / "data" / "secrets" / "downlink.pem.pub").read_text().startswith("ed25519:")


async def greeted(port: int, secret: str) -> bool:
    """Whether the cloud answers a gateway's first word."""
    async with aiomqtt.Client("127.0.0.1", port, username="gw-east", password=secret, timeout=60) as gateway:
        await gateway.subscribe("island/v1/gw-east/ack/#", qos=1)
        hello = v1.encode_up(v1.Hello("gw-east", 1, 0, 0, 0))
        for _ in range(60):
            await gateway.publish("island/v1/gw-east/up/0", hello, qos=1)
            try:
                answer = await asyncio.wait_for(anext(gateway.messages), timeout=1.0)
            except TimeoutError:
                continue
            return v1.decode_ack(bytes(answer.payload)).status is v1.AckStatus.RESUME
    return False


async def look(console: str, account: str) -> None:
    """Signs in as a person would."""
    username, _, password = account.partition(" / ")
    async with httpx.AsyncClient(base_url=console, timeout=60) as http:
        assert (await http.get("/api/v1/gateways")).status_code == 401
        signed = await http.post("/api/v1/session", json={"username": username, "password": password})
        assert signed.status_code == 200
        (gateway,) = (await http.get("/api/v1/gateways")).json()
        assert gateway["gateway_id"] == "gw-east"


def leftovers(folder: Path) -> list[str]:
    """Command lines of processes that still use the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(folder) in words:
                found.append(words)
    return found


def test_a_traceback_shows_no_local_variable(capsys: pytest.CaptureFixture[str]) -> None:
    plate = f"琼A{12_345}"
    configure_logging()
    try:
        assert plate[99]
    except IndexError:
        structlog.get_logger().exception("worker_failed")
    finally:
        structlog.reset_defaults()
    shown = capsys.readouterr().err
    assert "IndexError" in shown
    assert plate not in shown
