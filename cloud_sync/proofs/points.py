"""Proof of the points ledger: owns that every chain, balance, open lot and published head is computed again.

Memory holds one account at a time. A head puts the chains of all accounts up to a midnight under one hash, so that
entries cut off at the end of a chain, or a whole account, are missed as well.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from cloud_sync.proofs.points_rows import by_key, parts_of, sealed_of
from cloud_sync.proofs.proof import Looked, Proof, unheard
from control.points.ledger import Break, PointsAccount
from control.points.ledger import verify as verify_account

BOOK_ID = "points"
PREFETCH = 2_000
HEADS_CHECKED = 7
_ENTRIES = (
    "SELECT person, seq, entry_id, kind, at, points, author, reason, about, valid_until, details, prev_hash, hash,"
    " spent FROM point_entries ORDER BY person, seq"
)
_BALANCES = "SELECT person, balance, debt, length, head FROM point_balances ORDER BY person"
_LOTS = "SELECT person, valid_until, seq, entry_id, points_left FROM point_lots ORDER BY person"


@dataclass(frozen=True, slots=True)
class BookCheck:
    """How much was looked at, and the first thing that does not hold: the account, its entry (or 0), what is wrong.

    `root` is the hash over all heads as they are now.
    """

    accounts: int
    entries: int
    root: bytes = b""
    person: str = ""
    seq: int = 0
    broken: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing is broken."""
        return not self.broken


class Root:
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


async def expected(connection: Any) -> int:
    """About how many entries there are to check."""
    return int(await connection.fetchval("SELECT coalesce(sum(length), 0) FROM point_balances"))


async def verify(connection: Any, looked: Looked = unheard) -> Proof:
    """The whole ledger as it stands. A break is the entry in its account, or 0 for what lies beside the chains."""
    found = await check(connection, looked)
    if found.holds:
        return Proof(BOOK_ID, found.entries, found.root.hex())
    why = f"account {found.person}: {found.broken}" if found.person else found.broken
    return Proof(BOOK_ID, found.entries, found.root.hex(), found.seq, why)


async def check(connection: Any, looked: Looked = unheard) -> BookCheck:
    """Every chain, every balance and open lot beside it, and the last published heads; stops at the first break."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        published = await connection.fetch(
            "SELECT until, root FROM point_heads ORDER BY until DESC LIMIT $1", HEADS_CHECKED
        )
        roots = [Root(row["until"], row["root"]) for row in published]
        chains, balances, lots = [await _grouped(connection, query) for query in (_ENTRIES, _BALANCES, _LOTS)]
        now = Root()
        while (person := chains.person) is not None:
            rows = await chains.of(person)
            seq, broken = _look_at(person, rows, await balances.of(person), await lots.of(person), roots)
            now.add(person, rows[-1]["seq"], rows[-1]["hash"])
            looked(len(rows))
            if broken:
                return BookCheck(now.accounts, now.entries, now.value, person, seq, broken)
    made = BookCheck(now.accounts, now.entries, now.value)
    left = balances.skipped or lots.skipped or balances.person or lots.person
    if left:
        return replace(made, person=left, broken="there is a balance or a lot, and no entry")
    for root in roots:
        if root.value != root.expected:
            return replace(made, broken=f"the chains before {root.until} are not what was published")
    return made


def _look_at(person: str, rows: list[Any], balance: list[Any], lots: list[Any], roots: list[Root]) -> tuple[int, str]:
    """The entry that does not hold (0: what lies beside) and why; nothing where all holds."""
    made = verify_account(person, (sealed_of(row, person) for row in rows))
    if isinstance(made, Break):
        return made.seq, f"entry {made.seq} {made.entry_id}: {made.cause}: {made.detail}"
    for row in rows:
        stored = parts_of(row["spent"]) if row["spent"] is not None else ()
        if stored != made.parts_of(row["entry_id"]):
            return 0, f"entry {row['seq']}: the parts that it came out of are not what the entries say"
    for root in roots:
        assert root.until is not None
        last = next((row for row in reversed(rows) if row["at"] < root.until), None)
        if last is not None:
            root.add(person, last["seq"], last["hash"])
    return 0, _compare(made, balance, lots)


def _compare(made: PointsAccount, balance: list[Any], lots: list[Any]) -> str:
    told = [(row["balance"], row["debt"], row["length"], row["head"]) for row in balance]
    if told != [(made.balance, made.debt, len(made), made.head)]:
        return "the balance is not what the entries say"
    kept = {(row["valid_until"], row["seq"], row["entry_id"]): row["points_left"] for row in lots}
    if kept != {key: lot.left for key, lot in by_key(made.lots()).items()}:
        return "the open lots are not what the entries say"
    return ""


class _Groups:
    """Rows of a query ordered by person, some thousand at a time, taken person by person in step with another one."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor
        self._rows: deque[Any] = deque()
        self.skipped = ""

    async def fill(self) -> None:
        """Fetches the next ones."""
        self._rows.extend(await self._cursor.fetch(PREFETCH))

    @property
    def person(self) -> str | None:
        """Whose rows come next; None at the end."""
        return self._rows[0]["person"] if self._rows else None

    async def of(self, person: str) -> list[Any]:
        """The rows of a person; those of persons before are noted as skipped."""
        found = []
        while self._rows and self._rows[0]["person"] <= person:
            row = self._rows.popleft()
            if row["person"] == person:
                found.append(row)
            else:
                self.skipped = self.skipped or row["person"]
            if not self._rows:
                await self.fill()
        return found


async def _grouped(connection: Any, query: str) -> _Groups:
    groups = _Groups(await connection.cursor(query))
    await groups.fill()
    return groups
