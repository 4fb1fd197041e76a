"""Hand scanners over TCP and at a serial device: lines, rubbish, losses and coming back."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import asynccontextmanager
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cloud_sync.contract.pass_code import TEXT_MAX
from edge.adapters.scanner import BAUD, LOST, Lines, device_scanner, tcp_scanner
from edge.clock import SystemClock
from edge.config import SCANNER_BAUDS
from edge.retrying import Backoff


def backoff() -> Backoff:
    return Backoff(random.Random(1), base_s=0.01, cap_s=0.05)


@asynccontextmanager
async def heard(scanner):
    """The scanner's lines as a queue while it runs."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(scanner.run(lines.put_nowait))
    try:
        async with asyncio.timeout(60):
            yield lines
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_lines_end_as_scanners_end_them() -> None:
    lines = Lines()
    assert lines.feed(b"IP:A") == []
    assert lines.feed(b"BC\r\nIP:D\r") == ["IP:ABC", "IP:D"]
    assert lines.feed(b"\n\n\r\nIP:E\n") == ["IP:E"]


@given(st.lists(st.binary(max_size=2000), max_size=8))
def test_no_line_is_longer_than_shows_that_it_is_too_long(pieces: list[bytes]) -> None:
    lines = Lines()
    for piece in pieces:
        for line in lines.feed(piece):
            assert 0 < len(line.encode("utf-8", "replace")) <= 3 * (TEXT_MAX + 1)
            assert len(line) <= TEXT_MAX + 1


def test_the_speeds_are_those_of_the_configuration() -> None:
    assert tuple(BAUD) == SCANNER_BAUDS


async def test_a_scanner_that_goes_is_heard_again_when_it_is_back() -> None:
    connected: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()
    server = await asyncio.start_server(lambda _, writer: connected.put_nowait(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    scanner = tcp_scanner("127.0.0.1", port, clock=SystemClock(), backoff=backoff())
    async with server, heard(scanner) as lines:
        first = await connected.get()
        first.write(b"IP:ONE\r\n")
        assert await lines.get() == "IP:ONE"
        assert scanner.trouble is None
        first.close()
        second = await connected.get()
        second.write(b"\xff\xfe\r\nIP:TWO\r\n")
        assert await lines.get() == "\ufffd\ufffd"
        assert await lines.get() == "IP:TWO"
        second.close()


async def test_a_scanner_that_is_not_there_is_told() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    scanner = tcp_scanner("127.0.0.1", port, clock=SystemClock(), backoff=backoff())
    async with heard(scanner):
        while scanner.trouble is None or scanner.trouble.why != LOST:
            await asyncio.sleep(0.01)


async def test_a_serial_device_is_read_and_lost_when_it_is_pulled_out(tmp_path: Path) -> None:
    theirs, ours = os.openpty()
    link = tmp_path / "scanner"
    link.symlink_to(os.ttyname(ours))
    scanner = device_scanner(link, 9600, clock=SystemClock(), backoff=backoff())
    async with heard(scanner) as lines:
        while scanner.trouble is not None:
            await asyncio.sleep(0.01)
        os.close(ours)
        os.write(theirs, b"IP:SERIAL\r\n")
        assert await lines.get() == "IP:SERIAL"
        link.unlink()
        os.close(theirs)
        while scanner.trouble is None or scanner.trouble.why != LOST:
            await asyncio.sleep(0.01)
