"""Rows of the points ledger as the domain knows them: owns the shapes of entries, parts and open lots in the tables."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from cloud_sync.proofs.json_columns import as_json
from control.points.ledger import Entry, EntryKind, Lot, SealedEntry


def sealed_of(row: Any, person: str) -> SealedEntry:
    """A row of `point_entries` as the ledger knows it."""
    entry = Entry(
        entry_id=row["entry_id"],
        account_id=person,
        kind=EntryKind(row["kind"]),
        at=row["at"],
        points=row["points"],
        author=row["author"],
        reason=row["reason"],
        about=row["about"],
        valid_until=row["valid_until"],
        details=as_json(row["details"]),
    )
    return SealedEntry(row["seq"], entry, row["prev_hash"], row["hash"])


def parts_of(stored: Any) -> tuple[Lot, ...]:
    """The parts that a redemption came out of, as stored beside its row."""
    return tuple(
        Lot(entry_id, seq, datetime.fromisoformat(valid_until), points)
        for entry_id, seq, valid_until, points in as_json(stored)
    )


def dumped_parts(parts: Iterable[Lot]) -> str:
    """As `parts_of` reads them."""
    return json.dumps([[one.entry_id, one.seq, one.valid_until.isoformat(), one.left] for one in parts])


LotKey = tuple[datetime, int, str]


def by_key(lots: Iterable[Lot]) -> dict[LotKey, Lot]:
    """Lots as the table keeps them: what came back of one entry in one row, once for each end."""
    merged: dict[LotKey, Lot] = {}
    for lot in lots:
        key = (lot.valid_until, lot.seq, lot.entry_id)
        there = merged.get(key)
        merged[key] = lot if there is None else replace(lot, left=lot.left + there.left)
    return merged
