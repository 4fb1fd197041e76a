"""A lane's hand scanner on a serial-to-network bridge: owns its socket and the line that it types for each code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

LISTENERS_MAX = 4
SEND_TIMEOUT_S = 2.0


class HandScanner:
    """Types to whoever is connected; what is read while nobody is connected is lost, as with a real one."""

    def __init__(self) -> None:
        self._listeners: list[asyncio.StreamWriter] = []

    @property
    def heard(self) -> bool:
        """Whether somebody is connected."""
        return bool(self._listeners)

    async def type(self, text: str) -> None:
        """One line, ended as scanners end it."""
        for writer in list(self._listeners):
            writer.write(text.encode() + b"\r\n")
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(SEND_TIMEOUT_S):
                    await writer.drain()

    @asynccontextmanager
    async def serving(self, host: str, port: int) -> AsyncIterator[int]:
        """Listen until the context ends; gives the bound port."""
        server = await asyncio.start_server(self._connected, host, port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for writer in list(self._listeners):
                writer.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._listeners) >= LISTENERS_MAX:
            writer.close()
            return
        self._listeners.append(writer)
        with suppress(ConnectionError):
            while await reader.read(256):
                pass  # A scanner hears nothing.
        self._listeners.remove(writer)
        writer.close()
