"""Hand scanners: owns their lines over TCP (a serial-to-network bridge) or from a serial device, and coming back.

A scanner types the text of a code and ends it with CR, LF or both. Everything else about it is not trusted: length,
characters and pace are bounded here and in `edge.pass_watch`.
"""

from __future__ import annotations

import asyncio
import os
import termios
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from cloud_sync.contract.pass_code import TEXT_MAX
from control.domain.readings import Unavailable
from edge.ports import Clock
from edge.retrying import Backoff

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 5.0
CHUNK_BYTES = 1024
LOST = "scanner_lost"
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
    """Reads lines for ever from what `_opened` opens."""

    def __init__(self, clock: Clock, backoff: Backoff) -> None:
        self._clock, self._backoff = clock, backoff
        self.trouble: Unavailable | None = Unavailable(clock.monotonic(), LOST)
        self._told = False

    async def run(self, take: Callable[[str], None]) -> None:
        """Connect, read, and after a loss wait and connect again."""
        while True:
            try:
                async with self._opened() as reader:
                    self._here()
                    await self._read(reader, take)
            except (OSError, TimeoutError, termios.error) as error:
                self._gone(str(error))
            else:
                self._gone("the scanner closed the connection")
            await self._clock.sleep(self._backoff.next_s())

    async def _read(self, reader: asyncio.StreamReader, take: Callable[[str], None]) -> None:
        lines = Lines()
        while data := await reader.read(CHUNK_BYTES):
            for line in lines.feed(data):
                take(line)

    def _here(self) -> None:
        self.trouble = None
        self._backoff.reset()
        log.info("scanner there", scanner=self.name)
        self._told = False

    def _gone(self, why: str) -> None:
        if self.trouble is None:
            self.trouble = Unavailable(self._clock.monotonic(), LOST)
        if not self._told:
            log.warning("scanner lost", scanner=self.name, why=why)
        self._told = True

    @property
    def name(self) -> str:
        """Where it is, for the log."""
        raise NotImplementedError

    def _opened(self) -> asynccontextmanager[asyncio.StreamReader]:
        raise NotImplementedError
