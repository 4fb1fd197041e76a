"""What waits to be sent: owns that each thing is sent once, in its order, and that a refusal is kept until it was read.

`put` returns when the row is durable: from then on the person may be told "kept". Its idempotency key is in the same
row, so a second try after a lost answer, or after the app was killed, is recognised by the server. Kinds do not wait
for each other; within a kind the first has to be through before the second is tried.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from mobile.core.api.parsing import Unreadable, plain
from mobile.core.errors import ApiProblem, FileGone, Offline, SignedOut, StoreError
from mobile.core.shown import Trouble, trouble_of
from mobile.core.signal import Signal
from mobile.core.store import Store

log = logging.getLogger("mobile")
WAITING, SENT, REFUSED = "waiting", "sent", "refused"
_COLUMNS = "entry_id, kind, key, body, made_at, is_prepared, state, tries, answer, problem"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to send. `answer` is there once it is sent, `problem` when it is refused or was last tried in vain."""

    entry_id: int
    kind: str
    key: str
    body: dict[str, Any]
    made_at: datetime
    is_prepared: bool
    state: str
    tries: int
    answer: Any
    problem: Trouble | None


Send = Callable[[Entry], Awaitable[Any]]
Prepare = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait after so many tries in vain: full jitter below a doubling bound (AWS, 2015)."""

    first_s: float = 2.0
    most_s: float = 300.0

    def wait_s(self, tries: int, drawn: float) -> float:
        """`drawn` is from 0 to 1."""
        return min(self.most_s, self.first_s * 2.0 ** min(tries - 1, 30)) * drawn


class Outbox:
    """Sends what waits for the present account. `mono` gives seconds, `draw` numbers from 0 to 1."""

    def __init__(
        self,
        store: Store,
        *,
        now: Callable[[], datetime],
        mono: Callable[[], float],
        draw: Callable[[], float],
        backoff: Backoff,
    ) -> None:
        self.changed = Signal()
        self._store = store
        self._now = now
        self._mono = mono
        self._draw = draw
        self._backoff = backoff
        self._kinds: dict[str, tuple[Send, Prepare | None]] = {}
        self._due_s: dict[str, float] = {}  # a kind's next try, on the monotonic clock
        self._woken = asyncio.Event()
        self._tasks: dict[str, asyncio.Task[None]] = {}  # one a kind
        self._is_resting = False

    def register(self, kind: str, send: Send, *, prepare: Prepare | None = None) -> None:
        """Says how a kind is sent. `prepare` sees a body once before its first try; what it makes is kept and sent.

        It may raise Offline: the network has to be heard first.
        `send` gives what the answer is kept as; it may be called again with the same entry, and passes on `entry.key`.
        """
        assert kind not in self._kinds, f"{kind} is registered already"
        self._kinds[kind] = (send, prepare)
        self._woken.set()

    # ------------------------------------------------------------ rows

    def put(self, kind: str, body: dict[str, Any], *, key: str | None = None, draft: str = "") -> Entry:
        """Keeps something to send; the `draft` that it was is gone in the same moment.

        Raises StoreError; then nothing is kept, and the draft is as it was.
        """
        with self._store.database.change() as change:
            made = change.execute(
                "INSERT INTO outbox (account, kind, key, body, made_at) VALUES (?, ?, ?, ?, ?)",
                (self._store.account, kind, key or uuid4().hex, _text(body), self._now().isoformat()),
            ).lastrowid
            change.execute("DELETE FROM drafts WHERE account = ? AND name = ?", (self._store.account, draft))
        assert made is not None
        entry = self.entry(made)
        assert entry is not None
        self._woken.set()
        self.changed.emit()
        return entry

    def entry(self, entry_id: int) -> Entry | None:
        """One of the account's."""
        row = self._store.database.row(
            f"SELECT {_COLUMNS} FROM outbox WHERE account = ? AND entry_id = ?", self._store.account, entry_id
        )
        return None if row is None else _entry(row)

    def entries(self, kind: str | None = None, state: str | None = None) -> tuple[Entry, ...]:
        """Those of the account, the oldest first."""
        rows = self._store.database.rows(
            f"SELECT {_COLUMNS} FROM outbox WHERE account = ?1 AND (?2 IS NULL OR kind = ?2)"
            " AND (?3 IS NULL OR state = ?3) ORDER BY entry_id",
            *(self._store.account, kind, state),
        )
        return tuple(map(_entry, rows))

    @property
    def waiting(self) -> int:
        """How many wait to be sent."""
        row = self._store.database.row(
            "SELECT count(*) AS n FROM outbox WHERE account = ? AND state = 'waiting'", self._store.account
        )
        assert row is not None
        return int(row["n"])

    def withdraw(self, entry_id: int) -> bool:
        """Takes back what was never tried; False when it may have been sent already."""
        return self._delete(entry_id, "state = 'waiting' AND tries = 0")

    def dismiss(self, entry_id: int) -> bool:
        """Forgets what was sent or refused, once the person knows."""
        return self._delete(entry_id, "state <> 'waiting'")

    def _delete(self, entry_id: int, where: str) -> bool:
        with self._store.database.change() as change:
            found = change.execute(
                f"DELETE FROM outbox WHERE account = ? AND entry_id = ? AND {where}", (self._store.account, entry_id)
            ).rowcount
        if found:
            self.changed.emit()
        return bool(found)

    def _set(self, entry_id: int, **values: Any) -> None:
        columns = ", ".join(f"{name} = ?" for name in values)
        with self._store.database.change() as change:
            change.execute(f"UPDATE outbox SET {columns} WHERE entry_id = ?", (*values.values(), entry_id))

    # ------------------------------------------------------------ sending

    async def turn(self) -> float | None:
        """Sends everything that is due; the seconds until something is due again, None when nothing waits for time."""
        self._begin()
        while self._tasks:
            await asyncio.wait(self._tasks.values())
        return self._left_s()

    def _begin(self) -> None:
        """Starts every kind that is due and not being sent."""
        for kind in self._waiting_kinds():
            if kind not in self._tasks and self._due_s.get(kind, 0.0) <= self._mono():
                task = asyncio.create_task(self._send_kind(kind), name=f"outbox {kind}")
                self._tasks[kind] = task
                task.add_done_callback(partial(self._ended, kind))

    def _ended(self, kind: str, task: asyncio.Task[None]) -> None:
        del self._tasks[kind]
        self._woken.set()
        if not task.cancelled() and (fault := task.exception()) is not None:
            # A mistake of ours in one kind: the others go on, and this one is tried again later.
            self._due_s[kind] = self._mono() + self._backoff.most_s
            log.error("sending %s failed", kind, exc_info=fault)

    def _left_s(self) -> float | None:
        """Seconds until a kind is due that nobody is sending."""
        kinds = [kind for kind in self._waiting_kinds() if kind not in self._tasks]
        return min((max(0.0, self._due_s.get(kind, 0.0) - self._mono()) for kind in kinds), default=None)

    def _waiting_kinds(self) -> list[str]:
        if self._is_resting:
            return []
        rows = self._store.database.rows(
            "SELECT kind FROM outbox WHERE account = ? AND state = 'waiting' GROUP BY kind ORDER BY min(entry_id)",
            self._store.account,
        )
        return [row["kind"] for row in rows if row["kind"] in self._kinds]

    async def _send_kind(self, kind: str) -> None:
        """Sends a kind's entries in their order up to the first that has to wait."""
        try:
            while (entry := self._first(kind)) is not None:
                if not await self._try(entry):
                    return
        except StoreError:
            self._due_s[kind] = self._mono() + self._backoff.most_s  # what waits is still there
            raise

    def _first(self, kind: str) -> Entry | None:
        row = self._store.database.row(
            f"SELECT {_COLUMNS} FROM outbox WHERE account = ? AND kind = ? AND state = 'waiting'"
            " ORDER BY entry_id LIMIT 1",
            *(self._store.account, kind),
        )
        return None if row is None else _entry(row)

    def _prepared(self, entry: Entry) -> Entry:
        """The entry as every try sends it, noted as tried."""
        _, prepare = self._kinds[entry.kind]
        body = entry.body if entry.is_prepared or prepare is None else prepare(entry.body)
        self._set(entry.entry_id, body=_text(body), is_prepared=1, tries=entry.tries + 1)
        found = self.entry(entry.entry_id)
        assert found is not None
        return found

    async def _try(self, entry: Entry) -> bool:
        """One try; whether the next of its kind may follow."""
        send, _ = self._kinds[entry.kind]
        try:
            entry = self._prepared(entry)
            answer = await send(entry)
        except SignedOut:
            self.pause()  # until somebody signs in
            return False
        except Offline as error:
            self._wait(entry, error, None)
            return False
        except ApiProblem as problem:
            if problem.may_pass:
                self._wait(entry, problem, problem.retry_after_s)
                return False
            self._end(entry, REFUSED, problem=_text(trouble_of(problem)))
        except FileGone as error:
            self._end(entry, REFUSED, problem=_text(trouble_of(error)))
        except Unreadable:
            # Another version of the app kept it; the person finds it among what was not taken.
            self._end(entry, REFUSED, problem=_text(Trouble("bad_answer")))
        else:
            self._end(entry, SENT, answer=_text(answer), problem=None)
        return True

    def _end(self, entry: Entry, state: str, **values: Any) -> None:
        self._due_s.pop(entry.kind, None)
        self._set(entry.entry_id, state=state, ended_at=self._now().isoformat(timespec="microseconds"), **values)
        self.changed.emit()

    def _wait(self, entry: Entry, error: ApiProblem | Offline, retry_after_s: float | None) -> None:
        wait_s = self._backoff.wait_s(entry.tries, self._draw())
        self._due_s[entry.kind] = self._mono() + max(wait_s, retry_after_s or 0.0)
        self._set(entry.entry_id, problem=_text(trouble_of(error)))
        self.changed.emit()

    def retry_now(self) -> None:
        """Tries everything at once: the network is back, or a person asks."""
        self._due_s.clear()
        self._woken.set()

    def resume(self) -> None:
        """Goes on after a rest, for whoever is signed in now."""
        self._is_resting = False
        self.retry_now()
        self.changed.emit()

    async def run(self) -> None:
        """Sends for ever."""
        try:
            while True:
                self._woken.clear()
                self._begin()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._left_s()):
                        await self._woken.wait()
        finally:
            await self._stop_sending()

    def pause(self) -> None:
        """Begins nothing new until `resume`."""
        self._is_resting = True

    async def rest(self) -> None:
        """Sends nothing until `resume`; what is being sent at this moment stays in the outbox, with its key."""
        self.pause()
        await self._stop_sending()

    async def _stop_sending(self) -> None:
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def settled(self, entry_id: int, within_s: float) -> Entry | None:
        """The entry once it was sent or refused, or as it is after so many seconds."""
        ended = asyncio.Event()

        def look() -> None:
            entry = self.entry(entry_id)
            if entry is None or entry.state != WAITING:
                ended.set()

        stop = self.changed.connect(look)
        look()
        try:
            async with asyncio.timeout(within_s):
                await ended.wait()
        except TimeoutError:
            pass
        finally:
            stop()
        return self.entry(entry_id)


def _entry(row: Any) -> Entry:
    return Entry(
        row["entry_id"],
        row["kind"],
        row["key"],
        json.loads(row["body"]),
        datetime.fromisoformat(row["made_at"]),
        bool(row["is_prepared"]),
        row["state"],
        row["tries"],
        row["answer"] and json.loads(row["answer"]),
        row["problem"] and Trouble.of(json.loads(row["problem"])),
    )


def _text(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))
