"""Hand scanners: owns their lines over TCP (a serial-to-network bridge) or from a serial device, and coming back.

A scanner types the text of a code and ends it with CR, LF or both. Everything else about it is not trusted: length,
characters and pace are bounded here and in `edge.pass_watch`.
"""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import structlog

from cloud_sync.contract.pass_code import TEXT_MAX
from control.domain.readings import Unavailable
from edge.ports import Clock
from edge.retrying import Backoff

log = structlog.get_logger(__name__)

Opened = Callable[[], AbstractAsyncContextManager[asyncio.StreamReader]]

CONNECT_TIMEOUT_S = 5.0
CHUNK_BYTES = 1024
LOST, STARTING = "scanner_lost", "scanner_starting"
# As many as `edge.config.SCANNER_BAUDS` allows.
BAUD = {9600: termios.B9600, 19200: termios.B19200, 38400: termios.B38400, 115200: termios.B115200}


class Lines:
    """Cuts what comes into lines. Of a line that is too long only as much is kept as shows that it is."""

    def __init__(self) -> None:
        self._begun = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """The lines that ended with this piece, empty ones left out."""
        pieces = data.replace(b"\r", b"\n").split(b"\n")
        ended = []
        for piece in pieces[:-1]:
            self._extend(piece)
            if self._begun:
                ended.append(self._begun.decode("utf-8", "replace"))
            self._begun.clear()
        self._extend(pieces[-1])
        return ended

    def _extend(self, piece: bytes) -> None:
        self._begun += piece[: TEXT_MAX + 1 - len(self._begun)]


class LineScanner:
    """Reads lines for ever from what `opened` opens; `name` is where that is, for the log."""

    def __init__(self, name: str, opened: Opened, *, clock: Clock, backoff: Backoff) -> None:
        self._name, self._opened, self._clock, self._backoff = name, opened, clock, backoff
        self._trouble: Unavailable | None = Unavailable(clock.monotonic(), STARTING)
        self._told = False

    @property
    def trouble(self) -> Unavailable | None:
        """Why no line can come now; None while the scanner is there."""
        return self._trouble

    async def run(self, take: Callable[[str], None]) -> None:
        """Connect, read, and after a loss wait and connect again."""
        while True:
            try:
                async with self._opened() as reader:
                    self._here()
                    await self._read(reader, take)
            except (OSError, TimeoutError, termios.error) as error:
                self._gone(str(error) or type(error).__name__)
            else:
                self._gone("it ended the connection")
            await self._clock.sleep(self._backoff.next_s())

    async def _read(self, reader: asyncio.StreamReader, take: Callable[[str], None]) -> None:
        lines = Lines()
        while data := await reader.read(CHUNK_BYTES):
            for line in lines.feed(data):
                take(line)

    def _here(self) -> None:
        log.info("scanner there", scanner=self._name)
        self._trouble, self._told = None, False
        self._backoff.succeeded()

    def _gone(self, why: str) -> None:
        if self._trouble is None or self._trouble.why == STARTING:
            self._trouble = Unavailable(self._clock.monotonic(), LOST)
        if not self._told:
            log.warning("scanner lost", scanner=self._name, why=why)
        self._told = True


def tcp_scanner(host: str, port: int, *, clock: Clock, backoff: Backoff) -> LineScanner:
    """A scanner behind a serial-to-network bridge that listens on `host` and `port`."""
    return LineScanner(f"{host}:{port}", lambda: _tcp(host, port), clock=clock, backoff=backoff)


def device_scanner(path: Path, baud: int, *, clock: Clock, backoff: Backoff) -> LineScanner:
    """A scanner at a serial device; `baud` is one of `BAUD`."""
    return LineScanner(str(path), lambda: _device(path, BAUD[baud]), clock=clock, backoff=backoff)


@asynccontextmanager
async def _tcp(host: str, port: int) -> AsyncIterator[asyncio.StreamReader]:
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader
    finally:
        writer.close()


@asynccontextmanager
async def _device(path: Path, speed: int) -> AsyncIterator[asyncio.StreamReader]:
    handle = os.open(path, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    file = os.fdopen(handle, "rb", buffering=0)
    try:
        if os.isatty(handle):
            _raw(handle, speed)
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, file)
    except BaseException:
        file.close()
        raise
    try:
        yield reader
    finally:
        transport.close()


def _raw(handle: int, speed: int) -> None:
    """8N1 without flow control, echo or line editing."""
    settings = termios.tcgetattr(handle)
    settings[0] = settings[1] = settings[3] = 0
    settings[2] = termios.CS8 | termios.CREAD | termios.CLOCAL
    settings[4] = settings[5] = speed
    termios.tcsetattr(handle, termios.TCSANOW, settings)
