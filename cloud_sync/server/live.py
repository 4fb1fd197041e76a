"""What just happened, to every open page: owns the fan-out from PostgreSQL NOTIFY to server-sent events.

A transaction writes rows to `live_events` and notifies; every worker listens, reads the rows once and puts
them into a bounded queue a client. A message names what changed and never holds a plate: pages ask again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import asyncpg
import structlog

from cloud_sync.server.sql import DATABASE_TROUBLE, Reader

CHANNEL = "island_live"
LISTENER = "island live"  # as the database lists the connection
QUEUE_MAX = 256
BATCH_MAX = 100
REPLAY_MAX = 500
REPLAY_OVERLAP = "5 seconds"
RECONNECT_S = 0.5
RECONNECT_S_MAX = 10.0
PROBE_S = 10.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """`kind` and `key` say what to look at again; a key is never a plate.

    passage, media, command, corrected, revised: an arrival's id; gateway: its id; alarm: a device;
    permits: the snapshot version; application, visit: its id; resync: everything.
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


class _Lost:
    """In place of a range: the connection ended."""


_Notices = asyncio.Queue[tuple[int, int] | _Lost]
Item = TypeVar("Item")


class LiveHub:
    """One listener connection a process, any number of clients. A client that falls behind is told to resync."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._clients: set[asyncio.Queue[LiveEvent | None]] = set()
        self.listening = asyncio.Event()

    @property
    def clients_count(self) -> int:
        """How many listen now."""
        return len(self._clients)

    async def run(self) -> None:
        """Listens until cancelled; a lost connection is made anew, with a pause that grows while that fails."""
        pause_s = RECONNECT_S
        while True:
            try:
                await self._listen()
            except DATABASE_TROUBLE as error:
                pause_s = RECONNECT_S if self.listening.is_set() else min(pause_s * 2, RECONNECT_S_MAX)
                log.warning("live_listener_lost", error=str(error) or type(error).__name__, again_in_s=pause_s)
            finally:
                self.listening.clear()
            await asyncio.sleep(pause_s)

    async def _listen(self) -> None:
        """On a connection of its own, which is dropped whole at the end.

        Whoever had a page open before may have missed something, and is told so once nothing more can be missed.
        """
        notices: _Notices = asyncio.Queue(maxsize=QUEUE_MAX)
        named = {"application_name": LISTENER}
        connection = await asyncpg.connect(self._url, timeout=10.0, command_timeout=10.0, server_settings=named)
        try:
            connection.add_termination_listener(lambda _: _put_last(notices, _Lost()))
            await connection.add_listener(CHANNEL, lambda *notice: self._notified(notices, str(notice[-1])))
            self.listening.set()
            self._put(LiveEvent(0, "resync", ""))
            while True:
                await self._forward(connection, notices)
        finally:
            connection.terminate()

    async def _forward(self, connection: Any, notices: _Notices) -> None:
        """The next range to all clients; a connection that says nothing for ten seconds is asked whether it lives."""
        try:
            async with asyncio.timeout(PROBE_S):
                notice = await notices.get()
        except TimeoutError:
            await connection.execute("SELECT 1", timeout=5.0)
            return
        if isinstance(notice, _Lost):
            raise ConnectionResetError("the database closed the connection")
        for event in await _events_between(connection, *notice):
            self._put(event)

    def _notified(self, notices: _Notices, payload: str) -> None:
        first, _, last = payload.partition(" ")
        try:
            notices.put_nowait((int(first), int(last)))
        except (asyncio.QueueFull, ValueError):
            self._put(LiveEvent(0, "resync", ""))

    def _put(self, event: LiveEvent) -> None:
        for queue in self._clients:
            if queue.full():
                _put_last(queue, LiveEvent(event.live_id, "resync", ""))
            else:
                queue.put_nowait(event)

    def close(self) -> None:
        """Ends every open stream, so that a shutdown need not wait for people to close their pages."""
        for queue in self._clients:
            _put_last(queue, None)

    @asynccontextmanager
    async def client(self) -> AsyncIterator[asyncio.Queue[LiveEvent | None]]:
        """A queue that gets everything from now on, and None at the end."""
        queue: asyncio.Queue[LiveEvent | None] = asyncio.Queue(maxsize=QUEUE_MAX)
        self._clients.add(queue)
        try:
            yield queue
        finally:
            self._clients.discard(queue)


def _put_last(queue: asyncio.Queue[Item], item: Item) -> None:
    """Puts it in for certain: what waits in a full queue gives way to it."""
    if queue.full():
        while not queue.empty():
            queue.get_nowait()
    queue.put_nowait(item)


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
