"""Figures for Prometheus where there is no hut's page: owns one address on loopback that answers GET /metrics."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from edge.metrics import metrics_text

if TYPE_CHECKING:
    from edge.app import Gateway

HOST = "127.0.0.1"
REQUEST_BYTES_MAX = 8192
PATIENCE_S = 5.0


class MetricsServer:
    """`serve` says of what, `run` answers until cancelled."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._gateway: Gateway | None = None

    def serve(self, gateway: Gateway) -> None:
        """Answer with this gateway's figures."""
        self._gateway = gateway

    async def run(self) -> None:
        """Until cancelled; a port that is taken raises OSError, and the part is tried again."""
        server = await asyncio.start_server(self._answer, HOST, self.port, limit=REQUEST_BYTES_MAX)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                request = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._response(request))
                await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever asks badly gets no answer
        finally:
            writer.close()

    def _response(self, request: bytes) -> bytes:
        if not request.startswith(b"GET /metrics ") or self._gateway is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        body = metrics_text(self._gateway)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {len(body)}\r\n"
        return head.encode() + b"Connection: close\r\n\r\n" + body
