"""The carbon book in the database: owns posting. Who may post what is decided in `control.carbon.ledger`.

One writer at a time, by an advisory lock that lasts until the caller's transaction ends; whoever posts does so last
or keeps the transaction short. Of what is stored only those entries and balances are loaded that a check asks for.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from cloud_sync.proofs.carbon import verify
from cloud_sync.proofs.carbon_rows import BOOK_ID, entries_by_id
from cloud_sync.server.problems import Problem
from control.carbon.ledger import (
    Account,
    Entry,
    Refusal,
    SealedEntry,
    genesis_hash,
    refusal,
    seal,
)
from control.carbon.words import CAUSES

__all__ = [
    "BOOK_ID",
    "BOOK_LOCK",
    "EntryRefused",
    "balance_g",
    "entry_of",
    "head",
    "lock",
    "post",
    "post_many",
    "publish_head",
    "reversed_by",
    "verify",
]

BOOK_LOCK = 7_301_011


class EntryRefused(Problem):
    """The book does not take an entry; the caller's transaction has to end without it."""

    def __init__(self, entry: Entry, refused: Refusal) -> None:
        zh, en = CAUSES[refused.cause]
        super().__init__("entry_refused", detail=f"{entry.entry_id}: {refused.detail}", cause_zh=zh, cause_en=en)
        self.refusal = refused


class _Known:
    """What the book knows of the entries that come, and of those taken in the same call."""

    def __init__(self, entries: dict[str, Entry], reversed_by: dict[str, str], balances: dict[Account, int]) -> None:
        self._entries, self._reversed, self.balances = entries, reversed_by, balances

    def entry(self, entry_id: str) -> Entry | None:
        return self._entries.get(entry_id)

    def reversed_by(self, entry_id: str) -> str | None:
        return self._reversed.get(entry_id)

    def balance(self, account: Account) -> int:
        return self.balances.get(account, 0)

    def take(self, entry: Entry) -> None:
        self._entries[entry.entry_id] = entry
        if entry.reverses is not None:
            self._reversed[entry.reverses] = entry.entry_id
        for posting in entry.postings:
            self.balances[posting.account] = self.balance(posting.account) + posting.grams


async def lock(connection: Any) -> None:
    """Until the end of the transaction nobody else posts."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", BOOK_LOCK)


async def head(db: Any) -> tuple[int, bytes]:
    """Length and head of the chain."""
    row = await db.fetchrow("SELECT seq, hash FROM ledger_entries ORDER BY seq DESC LIMIT 1")
    return (0, genesis_hash(BOOK_ID)) if row is None else (row["seq"], bytes(row["hash"]))


async def balance_g(db: Any, account: Account) -> int:
    """Sum of an account's postings, grams."""
    return int(await db.fetchval("SELECT grams FROM ledger_balances WHERE account = $1", str(account)) or 0)


async def post(connection: Any, entry: Entry) -> SealedEntry:
    """Appends one entry inside the caller's transaction. Raises EntryRefused."""
    [sealed] = await post_many(connection, (entry,))
    return sealed


async def post_many(connection: Any, entries: Sequence[Entry]) -> tuple[SealedEntry, ...]:
    """Appends entries in their order inside the caller's transaction, all or none. Raises EntryRefused.

    A few statements, however many entries there are.
    """
    if not entries:
        return ()
    await lock(connection)
    known = await _known(connection, entries)
    length, hash_before = await head(connection)
    sealed: list[SealedEntry] = []
    for entry in entries:
        refused = refusal(entry, known)
        if refused is not None:
            raise EntryRefused(entry, refused)
        length += 1
        sealed.append(seal(length, entry, hash_before))
        hash_before = sealed[-1].hash
        known.take(entry)
    await _store(connection, sealed, known)
    return tuple(sealed)


async def _known(connection: Any, entries: Sequence[Entry]) -> _Known:
    reverses = [entry.reverses for entry in entries if entry.reverses is not None]
    stored = await entries_by_id(connection, {*(entry.entry_id for entry in entries), *reverses})
    reversed_by = (
        await connection.fetch(
            "SELECT reverses, entry_id FROM ledger_entries WHERE reverses = ANY($1::text[])", reverses
        )
        if reverses
        else ()
    )
    accounts = {posting.account for entry in entries for posting in entry.postings}
    by_text = {str(account): account for account in accounts}
    balances = await connection.fetch(
        "SELECT account, grams FROM ledger_balances WHERE account = ANY($1::text[])", list(by_text)
    )
    return _Known(
        {entry_id: row.entry for entry_id, row in stored.items()},
        {row["reverses"]: row["entry_id"] for row in reversed_by},
        {by_text[row["account"]]: row["grams"] for row in balances},
    )


async def _store(connection: Any, sealed: Sequence[SealedEntry], known: _Known) -> None:
    entries = [row.entry for row in sealed]
    await connection.execute(
        "INSERT INTO ledger_entries (seq, entry_id, kind, at, author, reason, reverses, details, prev_hash, hash)"
        " SELECT seq, entry_id, kind, at, author, reason, reverses, details::jsonb, prev_hash, hash FROM"
        " unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],"
        " $8::text[], $9::bytea[], $10::bytea[])"
        " AS t (seq, entry_id, kind, at, author, reason, reverses, details, prev_hash, hash)",
        [row.seq for row in sealed],
        [entry.entry_id for entry in entries],
        [entry.kind.value for entry in entries],
        [entry.at.astimezone(UTC) for entry in entries],
        [entry.author for entry in entries],
        [entry.reason for entry in entries],
        [entry.reverses for entry in entries],
        [json.dumps(dict(entry.details), ensure_ascii=False) for entry in entries],
        [row.prev_hash for row in sealed],
        [row.hash for row in sealed],
    )
    postings = [(row.seq, place, one) for row in sealed for place, one in enumerate(row.entry.postings)]
    await connection.execute(
        "INSERT INTO ledger_postings (seq, place, account, grams)"
        " SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::bigint[])",
        [seq for seq, _, _ in postings],
        [place for _, place, _ in postings],
        [str(one.account) for _, _, one in postings],
        [one.grams for _, _, one in postings],
    )
    touched = sorted({one.account for _, _, one in postings})
    await connection.execute(
        "INSERT INTO ledger_balances (account, grams) SELECT * FROM unnest($1::text[], $2::bigint[])"
        " ON CONFLICT (account) DO UPDATE SET grams = excluded.grams",
        [str(account) for account in touched],
        [known.balance(account) for account in touched],
    )


async def publish_head(connection: Any, *, day: date, at: datetime) -> bool:
    """Writes down length and head once a day, so that a tail that was cut off is found. Whether it was the first."""
    await lock(connection)
    length, hash_now = await head(connection)
    done = await connection.execute(
        "INSERT INTO chain_heads (book, day, length, head, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        BOOK_ID,
        day,
        length,
        hash_now,
        at,
    )
    return bool(done.endswith(" 1"))


async def entry_of(db: Any, entry_id: str) -> SealedEntry | None:
    """One stored entry."""
    return (await entries_by_id(db, (entry_id,))).get(entry_id)


async def reversed_by(db: Any, entry_id: str) -> str | None:
    """The id of the entry that reversed it, or None."""
    found: str | None = await db.fetchval("SELECT entry_id FROM ledger_entries WHERE reverses = $1", entry_id)
    return found
