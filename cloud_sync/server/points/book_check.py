"""The check of the whole ledger of points: owns the stream over all accounts, and the heads that are published.

Memory holds one account at a time. A head puts the chains of all accounts up to a midnight under one hash, so that
entries cut off at the end of a chain, or a whole account, are missed as well.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from cloud_sync.server.points.book import by_key, parts_of, sealed_of
from cloud_sync.server.points.records import HeadRecord
from cloud_sync.server.sql import Reader
from control.points.ledger import Break, PointsAccount, verify

PREFETCH = 2_000
HEADS_CHECKED = 7
_ENTRIES = (
    "SELECT person, seq, entry_id, kind, at, points, author, reason, about, valid_until, details, prev_hash, hash,"
    " spent FROM point_entries ORDER BY person, seq"
)
_BALANCES = "SELECT person, balance, debt, length, head FROM point_balances ORDER BY person"
_LOTS = "SELECT person, valid_until, seq, entry_id, points_left FROM point_lots ORDER BY person"
_HEADS_AT = """
SELECT person, length, head FROM point_balances WHERE last_at < $1
UNION ALL
(SELECT DISTINCT ON (e.person) e.person, e.seq, e.hash FROM point_entries e JOIN point_balances b USING (person)
  WHERE b.last_at >= $1 AND e.at < $1 ORDER BY e.person, e.seq DESC)
ORDER BY person
"""


@dataclass(frozen=True, slots=True)
class BookCheck:
    """How much was looked at, and the first thing that does not hold: the account, and what is wrong there."""

    accounts: int
    entries: int
    person: str = ""
    broken: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing is broken."""
        return not self.broken


class _Root:
    """The hash over all heads up to a time, grown account by account in the order of their ids."""

    def __init__(self, until: datetime | None = None, expected: bytes = b"") -> None:
        self.until = until
        self.expected = expected
        self.accounts = 0
        self.entries = 0
        self._hash = sha256(b"island/points/heads/v1")

    def add(self, person: str, length: int, head: bytes) -> None:
        self.accounts += 1
        self.entries += length
        self._hash.update(f"\n{person} {length} ".encode() + head)

    @property
    def value(self) -> bytes:
        return self._hash.digest()


async def publish_head(connection: Any, until: datetime, now: datetime) -> HeadRecord | None:
    """Publishes the head of everything before `until`, once; None where it is published already."""
    if await connection.fetchval("SELECT EXISTS (SELECT 1 FROM point_heads WHERE until >= $1)", until):
        return None
    root = _Root()
    async for row in connection.cursor(_HEADS_AT, until, prefetch=PREFETCH):
        root.add(row["person"], row["length"], row["head"])
    await connection.execute(
        "INSERT INTO point_heads (until, accounts, entries, root, published_at) VALUES ($1, $2, $3, $4, $5)",
        *(until, root.accounts, root.entries, root.value, now),
    )
    return HeadRecord(until, root.accounts, root.entries, root.value.hex(), now)


async def heads(db: Reader, *, limit: int = 30) -> tuple[HeadRecord, ...]:
    """Published heads, the newest first."""
    rows = await db.fetch("SELECT * FROM point_heads ORDER BY until DESC LIMIT $1", limit)
    return tuple(
        HeadRecord(row["until"], row["accounts"], row["entries"], row["root"].hex(), row["published_at"])
        for row in rows
    )


async def check(connection: Any) -> BookCheck:
    """Every chain, every balance and open lot beside it, and the last published heads; stops at the first break."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        published = await connection.fetch(
            "SELECT until, root FROM point_heads ORDER BY until DESC LIMIT $1", HEADS_CHECKED
        )
        roots = [_Root(row["until"], row["root"]) for row in published]
        accounts = entries = 0
        async with (
            _grouped(connection, _ENTRIES) as chains,
            _grouped(connection, _BALANCES) as balances,
            _grouped(connection, _LOTS) as lots,
        ):
            async for person, rows in chains.groups():
                broken = _look_at(person, rows, await balances.of(person), await lots.of(person), roots)
                accounts, entries = accounts + 1, entries + len(rows)
                if broken:
                    return BookCheck(accounts, entries, person, broken)
            left = balances.skipped or lots.skipped or balances.rest or lots.rest
        if left:
            return BookCheck(accounts, entries, left, "there is a balance or a lot, and no entry")
        for root in roots:
            if root.value != root.expected:
                return BookCheck(accounts, entries, "", f"the chains before {root.until} are not what was published")
        return BookCheck(accounts, entries)


def _look_at(person: str, rows: list[Any], balance: list[Any], lots: list[Any], roots: list[_Root]) -> str:
    made = verify(person, (sealed_of(row, person) for row in rows))
    if isinstance(made, Break):
        return f"entry {made.seq} {made.entry_id}: {made.cause}: {made.detail}"
    for row in rows:
        stored = parts_of(row["spent"]) if row["spent"] is not None else ()
        if stored != made.parts_of(row["entry_id"]):
            return f"entry {row['seq']}: the parts that it came out of are not what the entries say"
    for root in roots:
        assert root.until is not None
        last = next((row for row in reversed(rows) if row["at"] < root.until), None)
        if last is not None:
            root.add(person, last["seq"], last["hash"])
    return _compare(made, balance, lots)


def _compare(made: PointsAccount, balance: list[Any], lots: list[Any]) -> str:
    told = [(row["balance"], row["debt"], row["length"], row["head"]) for row in balance]
    if told != [(made.balance, made.debt, len(made), made.head)]:
        return "the balance is not what the entries say"
    kept = {(row["valid_until"], row["seq"], row["entry_id"]): row["points_left"] for row in lots}
    if kept != {key: lot.left for key, lot in by_key(made.lots()).items()}:
        return "the open lots are not what the entries say"
    return ""


class _Groups:
    """Rows of a query ordered by person, taken person by person in step with another one."""

    def __init__(self, cursor: Any) -> None:
        self._rows: AsyncIterator[Any] = cursor
        self._next: Any = None
        self.skipped = ""

    async def _step(self) -> Any:
        row, self._next = self._next, await anext(self._rows, None)
        return row

    async def begin(self) -> None:
        await self._step()

    async def groups(self) -> AsyncIterator[tuple[str, list[Any]]]:
        """Each person with all rows."""
        while self._next is not None:
            person = self._next["person"]
            yield person, await self.of(person)

    async def of(self, person: str) -> list[Any]:
        """The rows of a person; those of persons before are noted as skipped."""
        while self._next is not None and self._next["person"] < person:
            passed = await self._step()
            self.skipped = self.skipped or passed["person"]
        rows = []
        while self._next is not None and self._next["person"] == person:
            rows.append(await self._step())
        return rows

    @property
    def rest(self) -> str:
        """The first person that is left, or nothing."""
        return "" if self._next is None else self._next["person"]


@asynccontextmanager
async def _grouped(connection: Any, query: str) -> AsyncIterator[_Groups]:
    groups = _Groups(connection.cursor(query, prefetch=PREFETCH).__aiter__())
    await groups.begin()
    yield groups
