"""Proof of the carbon book: owns that every stored entry, posting, balance, cover and published head is computed again.

The chain is read in its order, some thousand rows at a time; memory grows with the accounts that are open, not with
the entries. What lies beside the chain (lots, retired units, covers, figures of visits) is built into the entry that
it belongs to once more, and has to give the same bytes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from cloud_sync.proofs import carbon_beside as beside
from cloud_sync.proofs.carbon_rows import BOOK_ID, ENTRY_COLUMNS, by_seq, entries_by_id, sealed_of
from cloud_sync.proofs.proof import Looked, Proof, unheard
from control.carbon.ledger import Account, Cause, Entry, Refusal, SealedEntry, genesis_hash, row_refusal

CHUNK = 2_000
_TIMEOUT_S = 300.0


async def expected(connection: Any) -> int:
    """About how many entries there are to check."""
    return int(await connection.fetchval("SELECT coalesce(max(seq), 0) FROM ledger_entries"))


async def verify(db: Any, looked: Looked = unheard) -> Proof:
    """The book as it stands in `db`, a connection or a pool of them. Nothing is changed.

    A break is the first entry that does not hold; 0 where only what lies beside the chain does not.
    """
    async with _snapshot(db) as connection:
        run = _Run(await _published(connection))
        async for rows in _chunks(connection):
            if await run.chunk(connection, rows):
                return run.proof()
            looked(len(rows))
        await run.finish(connection)
        return run.proof()


@asynccontextmanager
async def _snapshot(db: Any) -> AsyncIterator[Any]:
    """One state of the whole database, however long the proof takes."""
    async with AsyncExitStack() as stack:
        connection = await stack.enter_async_context(db.acquire()) if hasattr(db, "acquire") else db
        if not connection.is_in_transaction():
            await stack.enter_async_context(connection.transaction(isolation="repeatable_read", readonly=True))
        yield connection


async def _published(connection: Any) -> dict[int, bytes]:
    rows = await connection.fetch("SELECT length, head FROM chain_heads WHERE book = $1", BOOK_ID)
    return {row["length"]: bytes(row["head"]) for row in rows}


async def _chunks(connection: Any) -> AsyncIterator[list[Any]]:
    after = 0
    while True:
        rows = await connection.fetch(
            f"SELECT {ENTRY_COLUMNS} FROM ledger_entries WHERE seq > $1 ORDER BY seq LIMIT {CHUNK}",
            after,
            timeout=_TIMEOUT_S,
        )
        if not rows:
            return
        yield rows
        after = rows[-1]["seq"]


@dataclass(slots=True)
class _Known:
    """What the rule of the book asks of the entries before: only what this chunk can ask for."""

    balances: dict[Account, int] = field(default_factory=dict)
    reversed: dict[str, str] = field(default_factory=dict)
    originals: dict[str, Entry] = field(default_factory=dict)
    original_seqs: dict[str, int] = field(default_factory=dict)
    at_seq: int = 0

    def entry(self, entry_id: str) -> Entry | None:
        """An entry before the present one. That no id stands twice is looked at once, at the end."""
        return self.originals.get(entry_id) if self.original_seqs.get(entry_id, self.at_seq) < self.at_seq else None

    def reversed_by(self, entry_id: str) -> str | None:
        return self.reversed.get(entry_id)

    def balance(self, account: Account) -> int:
        return self.balances.get(account, 0)

    def take(self, entry: Entry) -> None:
        if entry.reverses is not None:
            self.reversed[entry.reverses] = entry.entry_id
        for posting in entry.postings:
            after = self.balance(posting.account) + posting.grams
            if after:
                self.balances[posting.account] = after
            else:
                self.balances.pop(posting.account, None)


class _Run:
    """One pass over the book; stops at the first break."""

    def __init__(self, published: Mapping[int, bytes]) -> None:
        self.published = dict(published)
        self.length, self.head, self.postings = 0, genesis_hash(BOOK_ID), 0
        self.known = _Known()
        self.broken: tuple[int, str] | None = None
        self._stand()

    def proof(self) -> Proof:
        seq, why = self.broken or (None, "")
        return Proof(BOOK_ID, self.length, self.head.hex(), seq, why)

    async def chunk(self, connection: Any, rows: list[Any]) -> bool:
        """Follows some rows; whether one is broken."""
        first, last = rows[0]["seq"], rows[-1]["seq"]
        postings = by_seq(
            await connection.fetch(
                "SELECT seq, place, account, grams FROM ledger_postings WHERE seq BETWEEN $1 AND $2"
                " ORDER BY seq, place",
                first,
                last,
                timeout=_TIMEOUT_S,
            )
        )
        wanted = [row["reverses"] for row in rows if row["reverses"] is not None]
        found = await entries_by_id(connection, wanted) if wanted else {}
        self.known.originals = {entry_id: one.entry for entry_id, one in found.items()}
        self.known.original_seqs = {entry_id: one.seq for entry_id, one in found.items()}
        companions = await beside.of_rows(connection, rows)
        for row in rows:
            why = self._row(row, postings.get(row["seq"], []), companions)
            if why:
                self.broken = (row["seq"], why)
                return True
        return False

    def _row(self, row: Any, postings: list[Any], companions: beside.Companions) -> str:
        try:
            sealed = sealed_of(row, postings)
        except ValueError as error:
            return f"it names a kind or an account of nobody's: {error}"
        if [one["place"] for one in postings] != list(range(len(postings))):
            return "a posting is missing or out of place"
        self.known.at_seq = sealed.seq
        refused = row_refusal(sealed, self.known, length=self.length, head=self.head)
        if refused is not None:
            return _sentence(refused)
        why = companions.why(sealed.entry)
        if why:
            return why
        self._take(sealed, len(postings))
        return self._stand()

    def _take(self, sealed: SealedEntry, postings: int) -> None:
        self.known.take(sealed.entry)
        self.length, self.head = sealed.seq, sealed.hash
        self.postings += postings

    def _stand(self) -> str:
        """Whether the head published at this length is the head that was found."""
        published = self.published.pop(self.length, None)
        if published is None or published == self.head:
            return ""
        return "the head that was published at this length is another one"

    async def finish(self, connection: Any) -> None:
        """What can be said only at the end: nothing cut off, nothing too many, every balance as its postings say."""
        if self.published:
            self.broken = (self.length + 1, f"it is missing: a head of {max(self.published)} entries was published")
            return
        for check in (self._postings_left, self._ids_twice, self._balances):
            why = await check(connection)
            if why:
                self.broken = (0, why)
                return
        why = await beside.why_not_whole(connection, self.known.reversed)
        if why:
            self.broken = (0, why)

    async def _postings_left(self, connection: Any) -> str:
        stored = await connection.fetchval("SELECT count(*) FROM ledger_postings", timeout=_TIMEOUT_S)
        return "" if stored == self.postings else f"{stored} postings are stored, the entries have {self.postings}"

    async def _ids_twice(self, connection: Any) -> str:
        twice = await connection.fetchval(
            "SELECT entry_id FROM ledger_entries GROUP BY entry_id HAVING count(*) > 1 LIMIT 1", timeout=_TIMEOUT_S
        )
        return "" if twice is None else f"entry {twice} is there twice"

    async def _balances(self, connection: Any) -> str:
        left = {str(account): grams for account, grams in self.known.balances.items()}
        async for account, grams in _balances(connection):
            due = left.pop(account, 0)
            if due != grams:
                return f"the balance of {account} is {grams} g, its postings sum to {due} g"
        if left:
            account, grams = next(iter(left.items()))
            return f"the balance of {account} is missing, its postings sum to {grams} g"
        return ""


async def _balances(connection: Any) -> AsyncIterator[tuple[str, int]]:
    query = "SELECT account, grams FROM ledger_balances WHERE grams <> 0"
    async for row in connection.cursor(query, prefetch=CHUNK, timeout=_TIMEOUT_S):
        yield row["account"], row["grams"]


def _sentence(refused: Refusal) -> str:
    if refused.cause is Cause.HASH:
        return "it was altered"
    return refused.detail
