"""What just happened, to every open page: owns the fan-out from PostgreSQL NOTIFY to server-sent events.

A transaction writes rows to `live_events` and notifies; every worker listens, reads the rows once and puts
them into a bounded queue a client. A message names what changed and never holds a plate: pages ask again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg
import structlog

from cloud_sync.server.sql import Reader

CHANNEL = "island_live"
QUEUE_MAX = 256
BATCH_MAX = 100
REPLAY_MAX = 500
REPLAY_OVERLAP = "5 seconds"
RECONNECT_S = 1.0
PROBE_S = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """`kind` and `key` say what to look at again; a key is never a plate.

    passage, media, command, corrected, revised: an arrival's id; gateway: its id; alarm: a device;
    permits: the snapshot version; resync: everything.
    """

    live_id: int
    kind: str
    key: str
    gateway_id: str | None = None
    lane_id: str | None = None

    def data(self) -> dict[str, Any]:
        """As sent."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that pages should look at again."""

    kind: str
    key: str
    gateway_id: str | None = None
    lane_id: str | None = None


async def announce(connection: Any, changes: Iterable[Change]) -> None:
    """Tells every page, when the transaction commits. A flood becomes one `resync`."""
    distinct = list(dict.fromkeys(changes))
    if not distinct:
        return
    if len(distinct) > BATCH_MAX:
        distinct = [Change("resync", "")]
    await connection.execute(
        "WITH fresh AS (INSERT INTO live_events (kind, key, gateway_id, lane_id)"
        " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) RETURNING live_id)"
        f" SELECT pg_notify('{CHANNEL}', min(live_id)::text || ' ' || max(live_id)::text) FROM fresh",
        [one.kind for one in distinct],
        [one.key for one in distinct],
        [one.gateway_id for one in distinct],
        [one.lane_id for one in distinct],
    )


class LiveHub:
    """One listener connection a process, any number of clients. A client that falls behind is told to resync."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._clients: set[asyncio.Queue[LiveEvent | None]] = set()
        self._ranges: asyncio.Queue[tuple[int, int]] = asyncio.Queue(maxsize=QUEUE_MAX)
        self.listening = asyncio.Event()

    @property
    def clients_count(self) -> int:
        """How many listen now."""
        return len(self._clients)

    async def run(self) -> None:
        """Listens until cancelled; after a lost connection all clients resync."""
        while True:
            try:
                await self._listen()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
                log.warning("live_listener_lost", error=str(error))
                await asyncio.sleep(RECONNECT_S)
                self._put(LiveEvent(0, "resync", ""))

    async def _listen(self) -> None:
        """On a connection of its own, which is dropped whole at the end."""
        connection = await asyncpg.connect(self._url, timeout=10.0, command_timeout=10.0)
        try:
            await connection.add_listener(CHANNEL, self._notified)
            self.listening.set()
            while True:
                await self._forward(connection)
        finally:
            self.listening.clear()
            connection.terminate()

    async def _forward(self, connection: Any) -> None:
        """Waits for the next range; looks after the connection every ten seconds without one."""
        try:
            first, last = await asyncio.wait_for(self._ranges.get(), timeout=PROBE_S)
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=5.0)
            return
        for event in await _events_between(connection, first, last):
            self._put(event)

    def _notified(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        first, _, last = str(payload).partition(" ")
        try:
            self._ranges.put_nowait((int(first), int(last)))
        except (asyncio.QueueFull, ValueError):
            self._put(LiveEvent(0, "resync", ""))

    def _put(self, event: LiveEvent) -> None:
        for queue in self._clients:
            if queue.full():
                _empty(queue)
                queue.put_nowait(LiveEvent(event.live_id, "resync", ""))
            else:
                queue.put_nowait(event)

    def close(self) -> None:
        """Ends every open stream, so that a shutdown need not wait for people to close their pages."""
        for queue in self._clients:
            if queue.full():
                _empty(queue)
            queue.put_nowait(None)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[asyncio.Queue[LiveEvent | None]]:
        """A queue that gets everything from now on, and None at the end."""
        queue: asyncio.Queue[LiveEvent | None] = asyncio.Queue(maxsize=QUEUE_MAX)
        self._clients.add(queue)
        try:
            yield queue
        finally:
            self._clients.discard(queue)


def _empty(queue: asyncio.Queue[LiveEvent | None]) -> None:
    while not queue.empty():
        queue.get_nowait()


async def _events_between(db: Reader, first: int, last: int) -> list[LiveEvent]:
    rows = await db.fetch(
        "SELECT live_id, kind, key, gateway_id, lane_id FROM live_events WHERE live_id BETWEEN $1 AND $2"
        " ORDER BY live_id",
        first,
        last,
    )
    return [LiveEvent(**row) for row in rows]


async def replay(db: Reader, last_id: int) -> list[LiveEvent]:
    """What a client missed since `last_id`; one `resync` when that is too much or too long ago.

    Identity numbers are given before commit, so a lower one may appear later: rows of the last seconds before
    `last_id` come again. Looking twice at what changed does no harm.
    """
    known_at = await db.fetchval("SELECT at FROM live_events WHERE live_id = $1", last_id)
    if known_at is None:
        return [LiveEvent(last_id, "resync", "")]
    rows = await db.fetch(
        "SELECT live_id, kind, key, gateway_id, lane_id FROM live_events"
        f" WHERE live_id <> $1 AND (live_id > $1 OR at > $2::timestamptz - interval '{REPLAY_OVERLAP}')"
        " ORDER BY live_id LIMIT $3",
        last_id,
        known_at,
        REPLAY_MAX + 1,
    )
    if len(rows) > REPLAY_MAX:
        return [LiveEvent(rows[-1]["live_id"], "resync", "")]
    return [LiveEvent(**row) for row in rows]
