"""Rows of the carbon book: owns how an entry lies in the tables, for whoever posts and whoever proves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from cloud_sync.proofs.json_columns import as_json
from control.carbon.ledger import Entry, EntryKind, Posting, SealedEntry, account_of
from control.carbon.offsets import Cover, CreditLot, Retirement, Units
from control.carbon.postings import Stamp

BOOK_ID = "carbon"

ENTRY_COLUMNS = "seq, entry_id, kind, at, author, reason, reverses, details, prev_hash, hash"
LOT_COLUMNS = (
    "l.lot_id, l.lot_no, s.registry, l.project, l.vintage, s.serial_prefix, lower(l.serials) AS first_serial,"
    " upper(l.serials) - 1 AS last_serial, l.bought_on, l.evidence, l.added_by, l.added_at, l.voided_by"
)
LOTS = f"SELECT {LOT_COLUMNS} FROM credit_lots l JOIN credit_series s USING (series_no)"
UNITS = (
    "SELECT u.unit_id, u.retirement_id, u.lot_id, u.lot_no, lower(u.serials) AS first_serial,"
    " upper(u.serials) - 1 AS last_serial, u.given_back, r.decided_at, r.evidence, r.cancelled_for"
    " FROM retirement_units u JOIN retirements r USING (retirement_id)"
)
COVER_COLUMNS = "entry_id, place, visit_id, unit_id, lot_id, lot_no, serial, from_g, to_g, at, freed_by"


def sealed_of(row: Any, postings: Sequence[Any]) -> SealedEntry:
    """One stored entry with its postings in their order. Raises ValueError for a kind or an account of nobody's."""
    entry = Entry(
        entry_id=row["entry_id"],
        kind=EntryKind(row["kind"]),
        at=row["at"],
        postings=tuple(Posting(account_of(one["account"]), one["grams"]) for one in postings),
        author=row["author"],
        reason=row["reason"],
        reverses=row["reverses"],
        details=as_json(row["details"]),
    )
    return SealedEntry(row["seq"], entry, bytes(row["prev_hash"]), bytes(row["hash"]))


def by_seq(rows: Iterable[Any]) -> dict[int, list[Any]]:
    """Postings by the entry that they belong to."""
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row["seq"], []).append(row)
    return found


async def entries_by_id(db: Any, ids: Iterable[str]) -> dict[str, SealedEntry]:
    """The named entries that are there, whole."""
    rows = await db.fetch(f"SELECT {ENTRY_COLUMNS} FROM ledger_entries WHERE entry_id = ANY($1::text[])", list(ids))
    postings = by_seq(
        await db.fetch(
            "SELECT seq, place, account, grams FROM ledger_postings WHERE seq = ANY($1::bigint[]) ORDER BY seq, place",
            [row["seq"] for row in rows],
        )
    )
    return {row["entry_id"]: sealed_of(row, postings.get(row["seq"], ())) for row in rows}


def lot_of(row: Any) -> CreditLot:
    """One lot from a row of LOTS."""
    return CreditLot(
        lot_id=row["lot_id"],
        registry=row["registry"],
        project=row["project"],
        vintage=row["vintage"],
        serial_prefix=row["serial_prefix"],
        first_serial=row["first_serial"],
        last_serial=row["last_serial"],
        bought_on=row["bought_on"],
        evidence=row["evidence"],
    )


def retirement_of(row: Any) -> Retirement:
    """Confirmed units from a row of UNITS: one retirement a stretch of one lot, as the book knows it."""
    return Retirement(
        retirement_id=row["unit_id"],
        units=Units(row["lot_id"], row["first_serial"], row["last_serial"]),
        retired_at=row["decided_at"],
        evidence=row["evidence"],
        cancelled_for=row["cancelled_for"],
    )


def cover_of(row: Any) -> Cover:
    """One cover from its row."""
    return Cover(
        visit_id=row["visit_id"],
        retirement_id=row["unit_id"],
        lot_id=row["lot_id"],
        serial=row["serial"],
        from_g=row["from_g"],
        to_g=row["to_g"],
        at=row["at"],
    )


def stamp_of(entry: Entry) -> Stamp:
    """Who posted an entry, when and why, to build it once more."""
    return Stamp(entry_id=entry.entry_id, at=entry.at, author=entry.author, reason=entry.reason)
