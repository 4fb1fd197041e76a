"""The ledger of points in PostgreSQL: owns how entries are stored, how an account is taken up, and the check of all.

What an entry may be stands in `control.points.ledger`; here is what it needs of an account without its whole history:
balance, open lots, and the rows that the new one names. The caller holds the person's lock.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

from cloud_sync.proofs.points_rows import LotKey, by_key, dumped_parts, parts_of, sealed_of
from cloud_sync.server.points.parts import refusal
from control.points.ledger import AccountState, Entry, EntryKind, Lot, PointsAccount, Refusal, SealedEntry
from control.points.words import CAUSES

Make = Callable[[PointsAccount, datetime], Entry]

_STATE = """
SELECT b.length, b.head, b.debt, b.balance, b.last_at, e.seq, e.person AS of_person, e.entry_id, e.kind, e.at, e.points,
  e.author, e.reason, e.about, e.valid_until, e.details, e.prev_hash, e.hash, e.spent
FROM (SELECT $1::text AS person) p
LEFT JOIN point_balances b ON b.person = p.person
LEFT JOIN point_entries e ON e.person = p.person AND e.entry_id = ANY ($2::text[])
"""
_APPEND = """
WITH gone AS (
  DELETE FROM point_lots WHERE person = $1 AND (valid_until, seq, entry_id) IN
    (SELECT * FROM unnest($16::timestamptz[], $17::integer[], $18::text[]))),
left_over AS (
  INSERT INTO point_lots (person, valid_until, seq, entry_id, points_left)
    SELECT $1, * FROM unnest($19::timestamptz[], $20::integer[], $21::text[], $22::bigint[])
    ON CONFLICT (person, valid_until, seq, entry_id) DO UPDATE SET points_left = excluded.points_left),
kept AS (
  INSERT INTO point_entries (person, seq, entry_id, kind, at, points, author, reason, about, valid_until, details,
    prev_hash, hash, spent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, $13, $14::jsonb))
INSERT INTO point_balances (person, balance, debt, length, head, last_at) VALUES ($1, $6, $15, $2, $13, $5)
ON CONFLICT (person) DO UPDATE SET balance = point_balances.balance + excluded.balance, debt = excluded.debt,
  length = excluded.length, head = excluded.head, last_at = excluded.last_at
"""


async def post(connection: Any, person: str, now: datetime, make: Make, *, ids: tuple[str, ...]) -> SealedEntry:
    """Appends what `make` gives for the account, at `now` or at the last entry's time where that is later.

    `ids` are the entry's own id and the one that it is about. The same entry again gives the row that is there.
    Raises Problem `points_refused` with the ledger's reason.
    """
    account = await account_of(connection, person, ids=ids)
    return await append(connection, account, make(account, moment(account, now)))


def moment(account: PointsAccount, now: datetime) -> datetime:
    """When the next entry of an account is: now, or at the last entry's time where that is later."""
    return now if account.last_at is None else max(now, account.last_at)


async def append(connection: Any, account: PointsAccount, entry: Entry) -> SealedEntry:
    """Appends one entry to an account as `account_of` gave it. Raises Problem `points_refused`."""
    before, length = account.lots(), len(account)
    sealed = account.append(entry)
    if isinstance(sealed, Refusal):
        raise refusal(CAUSES, sealed.cause, detail=sealed.detail)
    if len(account) > length:
        await _store(connection, account, sealed, before)
    return sealed


async def account_of(connection: Any, person: str, *, ids: tuple[str, ...] = ()) -> PointsAccount:
    """The account as it stands, knowing the entries of `ids`."""
    rows = await connection.fetch(_STATE, person, list(ids))
    head, known = rows[0], [row for row in rows if row["entry_id"] is not None]
    if head["length"] is None:
        return PointsAccount(person)
    lots = await connection.fetch(
        "SELECT entry_id, seq, valid_until, points_left FROM point_lots WHERE person = $1", person
    )
    expired, taken_back = await _taken(connection, person, [row["entry_id"] for row in known])
    return PointsAccount(
        person,
        AccountState(
            head=head["head"],
            length=head["length"],
            last_at=head["last_at"],
            debt=head["debt"],
            lots=tuple(_lot(row) for row in lots),
            known=tuple(sealed_of(row, person) for row in known),
            spent={row["entry_id"]: parts_of(row["spent"]) for row in known if row["spent"] is not None},
            expired=expired,
            taken_back=taken_back,
        ),
    )


async def _taken(connection: Any, person: str, ids: list[str]) -> tuple[dict[str, int], dict[str, str]]:
    """What of the entries has expired, and by which entry each was taken back."""
    expired: dict[str, int] = {}
    taken_back: dict[str, str] = {}
    if ids:
        rows = await connection.fetch(
            "SELECT about, kind, entry_id, points FROM point_entries WHERE person = $1 AND about = ANY ($2::text[])",
            person,
            ids,
        )
        for row in rows:
            if row["kind"] == EntryKind.EXPIRE.value:
                expired[row["about"]] = expired.get(row["about"], 0) - row["points"]
            else:
                taken_back[row["about"]] = row["entry_id"]
    return expired, taken_back


def _lot(row: Any) -> Lot:
    return Lot(row["entry_id"], row["seq"], row["valid_until"], row["points_left"])


async def _store(connection: Any, account: PointsAccount, sealed: SealedEntry, before: tuple[Lot, ...]) -> None:
    entry, parts = sealed.entry, account.parts_of(sealed.entry.entry_id)
    old, new = by_key(before), by_key(account.lots())
    gone = [key for key in old if key not in new]
    kept = [lot for key, lot in new.items() if old.get(key) != lot]
    await connection.execute(
        _APPEND,
        *(entry.account_id, sealed.seq, entry.entry_id, entry.kind.value, entry.at, entry.points, entry.author),
        *(entry.reason, entry.about, entry.valid_until, json.dumps(dict(entry.details), ensure_ascii=False)),
        *(sealed.prev_hash, sealed.hash, dumped_parts(parts) if parts else None, account.debt),
        *_columns(gone),
        *_columns([(lot.valid_until, lot.seq, lot.entry_id) for lot in kept]),
        [lot.left for lot in kept],
    )


def _columns(keys: list[LotKey]) -> tuple[list[datetime], list[int], list[str]]:
    return [key[0] for key in keys], [key[1] for key in keys], [key[2] for key in keys]
