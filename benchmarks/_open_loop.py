"""An open-loop HTTP load: requests begin when they are due, whether or not the ones before were answered.

A slow answer therefore delays nobody's start, and every latency counts from when the request was due.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

HEAD_BYTES_MAX = 65_536


@dataclass(frozen=True, slots=True)
class Ask:
    """One request: what it is called in the figures, its bytes on the wire, and the statuses that are right."""

    name: str
    wire: bytes
    right: frozenset[int] = frozenset({200})


@dataclass(frozen=True, slots=True)
class Answered:
    """How one went; `status` 0 is a connection that broke."""

    name: str
    status: int
    right: bool
    took_s: float


def request(name: str, method: str, path: str, *, token: str = "", body: bytes = b"", **headers: str) -> Ask:
    """A request with a keep-alive connection."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"] if body else []
    right = frozenset({200, 201})
    return Ask(name, "\r\n".join(lines).encode() + b"\r\n\r\n" + body, right)


async def drive(
    host: str, port: int, ask: Callable[[int], Ask], *, rate_per_s: float, seconds: float, connections: int = 64
) -> list[Answered]:
    """Sends `ask(n)` for n = 0, 1, 2... at the rate; every answer, in the order of completion."""
    idle: asyncio.LifoQueue[_Connection] = asyncio.LifoQueue()
    for _ in range(connections):
        idle.put_nowait(_Connection(host, port))
    answers: list[Answered] = []
    began_s = time.perf_counter()

    async def one(number: int, due_s: float) -> None:
        asked = ask(number)
        connection = await idle.get()
        try:
            status = await connection.ask(asked.wire)
        except (OSError, asyncio.IncompleteReadError, ValueError):
            status = 0
            connection.close()
        finally:
            idle.put_nowait(connection)
        answers.append(Answered(asked.name, status, status in asked.right, time.perf_counter() - due_s))

    async with asyncio.TaskGroup() as tasks:
        for number in range(int(rate_per_s * seconds)):
            due_s = began_s + number / rate_per_s
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            tasks.create_task(one(number, due_s))
    while not idle.empty():
        idle.get_nowait().close()
    return answers


class _Connection:
    """One keep-alive connection, opened when it is first needed."""

    def __init__(self, host: str, port: int) -> None:
        self._address = (host, port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, wire: bytes) -> int:
        """Sends one request and reads its whole answer; the status."""
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self._reader, self._writer = await asyncio.open_connection(*self._address, limit=HEAD_BYTES_MAX)
        self._writer.write(wire)
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        await self._reader.readexactly(int(fields.get("content-length", "0")))
        return int(head.split(" ", 2)[1])

    def close(self) -> None:
        """Ends it; the next request opens another."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


def percentile_ms(took_s: Sequence[float], frac: float) -> float:
    """The value that `frac` of them do not exceed, in milliseconds."""
    ordered = sorted(took_s)
    return ordered[min(len(ordered) - 1, int(len(ordered) * frac))] * 1e3
