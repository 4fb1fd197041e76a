"""What lies beside the carbon chain: owns that lots, retired units, covers and figures of visits fit their entries.

Each entry is built once more from those rows by the same function that built it first; its hash then says whether one
of them was altered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cloud_sync.proofs.carbon_rows import COVER_COLUMNS, LOTS, UNITS, cover_of, lot_of, retirement_of, stamp_of
from cloud_sync.proofs.json_columns import as_json
from control.carbon.ledger import Entry, EntryKind
from control.carbon.offsets import UnitUsedTwice, check_lots
from control.carbon.postings import credits_bought, credits_retired, visit_account, visits_covered
from control.domain import sealing

_TIMEOUT_S = 300.0


def figure_digest(row: Mapping[str, Any]) -> str:
    """SHA-256 of one row of `visit_emissions`, hexadecimal: what was known, and what came out of it."""
    told = {
        "at": sealing.utc_text(row["at"]),
        "emission": as_json(row["emission"]),
        "evidence": as_json(row["evidence"]),
        "factor_version": row["factor_version"],
        "revision": row["revision"],
        "visit_id": row["visit_id"],
    }
    return sha256(sealing.canonical(told)).hexdigest()


@dataclass(frozen=True, slots=True)
class Companions:
    """The rows beside some entries, by the id of the entry, the lot or the unit."""

    lots: Mapping[str, Any]
    units: Mapping[str, Any]
    covers: Mapping[str, list[Any]]
    emissions: Mapping[str, Any]

    def why(self, entry: Entry) -> str:
        """What does not fit this entry, or ""."""
        match entry.kind:
            case EntryKind.CREDIT_BOUGHT:
                return self._bought(entry)
            case EntryKind.RETIREMENT:
                return self._retired(entry)
            case EntryKind.SETTLEMENT:
                return self._covered(entry)
            case EntryKind.VISIT_DEBIT:
                return self._owed(entry)
            case _:
                return ""

    def _bought(self, entry: Entry) -> str:
        row = self.lots.get(_ref(entry, "credit"))
        if row is None:
            return "its lot of credits is missing"
        same = credits_bought(stamp_of(entry), lot_of(row)) == entry and row["added_by"] == entry.author
        return "" if same and row["added_at"] == entry.at else "its lot of credits was altered"

    def _retired(self, entry: Entry) -> str:
        unit = self.units.get(entry.details.get("retirement", ""))
        row = self.lots.get(_ref(entry, "credit"))
        if unit is None or row is None or unit["decided_at"] is None or unit["given_back"]:
            return "its retired units are missing"
        same = unit["lot_no"] == row["lot_no"] and unit["decided_at"] == entry.at
        if same and credits_retired(stamp_of(entry), retirement_of(unit), lot_of(row)) == entry:
            return ""
        return "its retired units were altered"

    def _covered(self, entry: Entry) -> str:
        rows = self.covers.get(entry.entry_id, [])
        if not rows or [row["place"] for row in rows] != list(range(len(rows))):
            return "a cover of this settlement is missing or out of place"
        if visits_covered(stamp_of(entry), map(cover_of, rows)) != entry:
            return "a cover of this settlement was altered"
        return ""

    def _owed(self, entry: Entry) -> str:
        row = self.emissions.get(entry.entry_id)
        if row is None:
            return "the figure of this visit is missing"
        same = (
            entry.postings[0].account == visit_account(row["visit_id"])
            and abs(entry.postings[0].grams) == row["grams"]
            and entry.details.get("evidence") == figure_digest(row)
            and entry.details.get("day") == row["day"].isoformat()
            and entry.at == row["computed_at"]
        )
        return "" if same else "the figure of this visit was altered"


async def of_rows(connection: Any, rows: list[Any]) -> Companions:
    """The rows beside these entries; asked for only where an entry can have some."""
    ids: dict[str, list[str]] = {}
    for row in rows:
        ids.setdefault(row["kind"], []).append(row["entry_id"])
    settled, owed = ids.get(EntryKind.SETTLEMENT, []), ids.get(EntryKind.VISIT_DEBIT, [])
    credits = EntryKind.CREDIT_BOUGHT in ids or EntryKind.RETIREMENT in ids
    lots = await connection.fetch(LOTS) if credits else ()
    named = [as_json(row["details"]).get("retirement", "") for row in rows if row["kind"] == EntryKind.RETIREMENT]
    units = await connection.fetch(f"{UNITS} WHERE u.unit_id = ANY($1::text[])", named) if named else ()
    covers: dict[str, list[Any]] = {}
    if settled:
        for row in await connection.fetch(
            f"SELECT {COVER_COLUMNS} FROM covers WHERE entry_id = ANY($1::text[]) ORDER BY entry_id, place",
            settled,
            timeout=_TIMEOUT_S,
        ):
            covers.setdefault(row["entry_id"], []).append(row)
    emissions = (
        await connection.fetch(
            "SELECT entry_id, visit_id, revision, at, day, grams, emission, evidence, factor_version, computed_at"
            " FROM visit_emissions WHERE entry_id = ANY($1::text[])",
            owed,
            timeout=_TIMEOUT_S,
        )
        if owed
        else ()
    )
    return Companions(
        lots={row["lot_id"]: row for row in lots},
        units={row["unit_id"]: row for row in units},
        covers=covers,
        emissions={row["entry_id"]: row for row in emissions},
    )


async def why_not_whole(connection: Any, reversed_by: Mapping[str, str]) -> str:
    """What only the whole says: no serial twice, no gram of a unit twice, freed covers, and what visits owe."""
    try:
        check_lots(lot_of(row) for row in await connection.fetch(f"{LOTS} WHERE l.voided_by IS NULL"))
    except UnitUsedTwice as error:
        return str(error)
    freed = await connection.fetch("SELECT DISTINCT entry_id, freed_by FROM covers WHERE freed_by IS NOT NULL")
    if any(reversed_by.get(row["entry_id"]) != row["freed_by"] for row in freed):
        return "covers are marked free whose settlement was not reversed"
    for query, why in _NOTHING_MAY_BE_FOUND:
        found = await connection.fetchval(query, timeout=_TIMEOUT_S)
        if found is not None:
            return why.format(found)
    return ""


def _ref(entry: Entry, kind: str) -> str:
    return next((one.account.ref for one in entry.postings if one.account.kind == kind), "")


# Each asks for one thing that must not be there.
_NOTHING_MAY_BE_FOUND = (
    (
        "SELECT c.entry_id FROM covers c JOIN ledger_entries e ON e.reverses = c.entry_id"
        " WHERE c.freed_by IS DISTINCT FROM e.entry_id LIMIT 1",
        "settlement {} was reversed and its covers are not free",
    ),
    (
        "SELECT unit_id FROM (SELECT unit_id, from_g, lag(to_g) OVER (PARTITION BY lot_no, serial ORDER BY from_g)"
        " AS before_g FROM covers WHERE freed_by IS NULL) t WHERE from_g < before_g LIMIT 1",
        "a gram of unit {} covers two visits",
    ),
    (
        "SELECT c.entry_id FROM covers c LEFT JOIN retirement_units u USING (unit_id) WHERE u.unit_id IS NULL"
        " OR NOT u.serials @> c.serial OR u.lot_no <> c.lot_no OR u.lot_id <> c.lot_id OR u.given_back LIMIT 1",
        "settlement {} covers with units that were not retired",
    ),
    (
        "SELECT c.entry_id FROM covers c LEFT JOIN ledger_entries e USING (entry_id) WHERE e.entry_id IS NULL LIMIT 1",
        "covers name a settlement {} that is not there",
    ),
    (
        "SELECT lot_id FROM credit_lots l WHERE NOT EXISTS"
        " (SELECT 1 FROM ledger_postings WHERE account = 'credit:' || l.lot_id) LIMIT 1",
        "lot {} was never bought",
    ),
    (
        "SELECT lot_id FROM credit_lots l LEFT JOIN ledger_entries e ON e.entry_id = l.voided_by"
        " LEFT JOIN ledger_postings p ON p.seq = e.seq AND p.account = 'credit:' || l.lot_id"
        " WHERE l.voided_by IS NOT NULL AND (e.kind IS DISTINCT FROM 'reversal' OR p.seq IS NULL) LIMIT 1",
        "lot {} is marked void and was not taken back",
    ),
    (
        "SELECT u.unit_id FROM retirement_units u JOIN retirements r USING (retirement_id) WHERE r.state = 'confirmed'"
        " AND NOT EXISTS (SELECT 1 FROM ledger_postings p JOIN ledger_entries e USING (seq)"
        " WHERE p.account = 'credit:' || u.lot_id AND e.kind = 'retirement' AND e.details ->> 'retirement' = u.unit_id)"
        " LIMIT 1",
        "units {} are said to be retired and no entry says so",
    ),
    (
        "SELECT a.visit_id FROM visit_accounts a LEFT JOIN ledger_balances b ON b.account = 'visit:' || a.visit_id"
        " WHERE a.owed_g - a.covered_g <> -coalesce(b.grams, 0) LIMIT 1",
        "visit {} owes something else than the book says",
    ),
    (
        "SELECT b.account FROM ledger_balances b WHERE b.grams <> 0 AND b.account LIKE 'visit:%'"
        " AND NOT EXISTS (SELECT 1 FROM visit_accounts a WHERE 'visit:' || a.visit_id = b.account) LIMIT 1",
        "{} has a balance and no visit is known of it",
    ),
    (
        "SELECT 'pool' WHERE (SELECT coalesce(sum(to_g - from_g), 0) FROM pooled_parts)"
        " <> coalesce((SELECT grams FROM ledger_balances WHERE account = 'retired'), 0)",
        "the {}ed parts of units are not the balance of what is retired",
    ),
    (
        "SELECT p.unit_id FROM pooled_parts p JOIN covers c USING (lot_no, serial)"
        " WHERE c.freed_by IS NULL AND int4range(p.from_g, p.to_g) && int4range(c.from_g, c.to_g) LIMIT 1",
        "a gram of unit {} is free and covers a visit",
    ),
    (
        "SELECT day FROM (SELECT day, sum(owed_g) AS owed_g, sum(covered_g) AS covered_g,"
        " count(*) FILTER (WHERE covered_g < owed_g) AS open_visits, count(*) FILTER (WHERE owed_g > 0) AS visits"
        " FROM visit_accounts GROUP BY day) a FULL JOIN carbon_days d USING (day)"
        " WHERE (coalesce(a.owed_g, 0), coalesce(a.covered_g, 0), coalesce(a.open_visits, 0), coalesce(a.visits, 0))"
        " <> (coalesce(d.owed_g, 0), coalesce(d.covered_g, 0), coalesce(d.open_visits, 0), coalesce(d.visits, 0))"
        " LIMIT 1",
        "the sums of {} are not those of its visits",
    ),
)
