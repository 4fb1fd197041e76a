"""A very small HTTP/1.1 server on asyncio: owns parsing, limits and the multipart stream.

For the simulator's own endpoints only; the gateway and the cloud have real servers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from control.domain.errors import IslandError

BOUNDARY = "island-frame"
HEAD_LIMIT = 16_384
BODY_LIMIT = 65_536
REQUEST_TIMEOUT_S = 10.0
SEND_TIMEOUT_S = 10.0
_PHRASES = {200: "OK", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed", 503: "Service Unavailable"}


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `body` is the parsed JSON of a POST, else None."""

    method: str
    path: str
    body: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, or a stream of JPEG pictures."""

    status: int
    content: bytes = b""
    content_type: str = "application/json"
    pictures: AsyncGenerator[bytes, None] | None = None


Handler = Callable[[Request], Awaitable[Answer]]


class BadRequest(IslandError):
    """What the peer sent is no request of ours."""


def json_answer(value: Any, status: int = 200) -> Answer:
    """An answer that carries JSON."""
    return Answer(status, json.dumps(value, ensure_ascii=False).encode())


@asynccontextmanager
async def serve_http(handler: Handler, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the context ends; gives the bound port. Open streams are cut at the end."""
    tasks: set[asyncio.Task[Any]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await _converse(handler, reader, writer)
        except (ConnectionError, TimeoutError):
            pass  # The viewer went away or stopped reading; nothing is owed to it.
        except asyncio.CancelledError:
            pass  # The end of the server.
        finally:
            tasks.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.wait_closed()

    server = await asyncio.start_server(connected, host, port, limit=HEAD_LIMIT)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _converse(handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            request = await _read(reader)
        answer = await handler(request)
    except (BadRequest, ValueError, asyncio.LimitOverrunError) as error:
        answer = json_answer({"error": str(error)}, 400)
    except asyncio.IncompleteReadError:
        return
    if answer.pictures is not None:
        await _stream(answer.pictures, writer)
        return
    head = (
        f"HTTP/1.1 {answer.status} {_PHRASES.get(answer.status, 'Unknown')}\r\nContent-Type: {answer.content_type}\r\n"
    )
    writer.write(f"{head}Content-Length: {len(answer.content)}\r\nConnection: close\r\n\r\n".encode() + answer.content)
    async with asyncio.timeout(SEND_TIMEOUT_S):
        await writer.drain()


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3:
        raise BadRequest(f"{first[:80]!r} is no request line.")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= BODY_LIMIT:
        raise BadRequest(f"A body of {length} bytes is too long.")
    body = await reader.readexactly(length) if length else b""
    return Request(parts[0], parts[1].split("?", 1)[0], json.loads(body) if body else None)


async def _stream(pictures: AsyncGenerator[bytes, None], writer: asyncio.StreamWriter) -> None:
    writer.write(
        f"HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary={BOUNDARY}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n".encode()
    )
    try:
        async for picture in pictures:
            writer.write(
                f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n".encode()
                + picture
                + b"\r\n"
            )
            async with asyncio.timeout(SEND_TIMEOUT_S):
                await writer.drain()
    finally:
        await pictures.aclose()
