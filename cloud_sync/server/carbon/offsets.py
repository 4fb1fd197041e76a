"""Offsets for the other parts: owns what is overdue of a person, the estimate of a form, the pool, and statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

from cloud_sync.proofs.carbon_rows import COVER_COLUMNS, LOTS, UNITS, cover_of, lot_of, retirement_of
from cloud_sync.server import rule_books
from cloud_sync.server.carbon import book, evidence
from cloud_sync.server.carbon.figures import Unknown, figure
from control.carbon.ledger import RETIRED
from control.carbon.offset_reports import OffsetStatement, Overdue
from control.carbon.offset_reports import statement as stated
from control.carbon.offsets import Debit
from control.permits.application import Form

SUBJECTS_MAX = 10_000


async def overdue_for(db: Any, applicant_id: str, plates: Iterable[str], today: date) -> tuple[Overdue, ...]:
    """Visits of an applicant, or of these plates, that are not covered and past their due day; the latest first.

    The day was computed with the rule of the visit's day when the visit was posted.
    """
    rows = await db.fetch(
        "SELECT a.visit_id, a.owed_g - a.covered_g AS open_g, a.due_on, a.due_factor_id FROM visit_accounts a"
        " WHERE a.covered_g < a.owed_g AND a.due_on < $1 AND a.visit_id IN"
        " (SELECT v.visit_id FROM visits v JOIN applications f USING (application_id)"
        "   WHERE f.applicant_id = $2 AND $2 <> ''"
        " UNION SELECT v.visit_id FROM visits v WHERE v.plate = ANY($3::text[]) AND v.plate <> '')"
        " ORDER BY a.due_on, a.visit_id LIMIT 200",
        today,
        applicant_id,
        list(plates),
    )
    return tuple(
        Overdue(row["visit_id"], row["open_g"], row["due_on"], (today - row["due_on"]).days, row["due_factor_id"])
        for row in rows
    )


async def estimate(db: Any, form: Form, today: date) -> tuple[int, int, int] | None:
    """Least, likely and most grams of one visit of this vehicle, or None while nothing is known of it."""
    factors = (await rule_books.factors(db)).at(today)
    found = figure(evidence.of_form(asdict(form)), factors)
    if isinstance(found, Unknown):
        return None
    grams, off = Decimal(found.total_g), found.uncertainty_frac
    least = (grams * (1 - off)).to_integral_value(ROUND_FLOOR)
    most = (grams * (1 + off)).to_integral_value(ROUND_CEILING)
    return int(least), found.total_g, int(most)


async def pooled_g(db: Any) -> int:
    """Retired and not used, grams."""
    return await book.balance_g(db, RETIRED)


async def statement(db: Any, subject: str, visit_ids: Sequence[str]) -> OffsetStatement:
    """How far these visits (or `event:ID`) are neutralised, and by which serials."""
    ids = list(visit_ids)[:SUBJECTS_MAX]
    debits = [
        Debit(row["visit_id"], row["at"], row["owed_g"])
        for row in await db.fetch(
            "SELECT visit_id, at, owed_g FROM visit_accounts WHERE visit_id = ANY($1::text[]) AND owed_g > 0", ids
        )
    ]
    debits += await _event_debits(db, [one for one in ids if one.startswith("event:")])
    covers = await db.fetch(
        f"SELECT {COVER_COLUMNS} FROM covers WHERE visit_id = ANY($1::text[]) AND freed_by IS NULL"
        " ORDER BY at, entry_id, place",
        ids,
    )
    units = await db.fetch(f"{UNITS} WHERE u.unit_id = ANY($1::text[])", list({row["unit_id"] for row in covers}))
    return stated(
        subject,
        debits,
        [cover_of(row) for row in covers],
        lots={row["lot_id"]: lot_of(row) for row in await db.fetch(LOTS)},
        retirements={row["unit_id"]: retirement_of(row) for row in units},
    )


async def _event_debits(db: Any, subjects: Sequence[str]) -> list[Debit]:
    """The newest debit of each event, unless it was taken back."""
    rows = await db.fetch(
        "SELECT DISTINCT ON (p.account) p.account, -p.grams AS grams, e.at FROM ledger_postings p"
        " JOIN ledger_entries e USING (seq) WHERE p.account = ANY($1::text[]) AND e.kind = 'event_debit'"
        " AND NOT EXISTS (SELECT 1 FROM ledger_entries r WHERE r.reverses = e.entry_id)"
        " ORDER BY p.account, e.seq DESC",
        subjects,
    )
    return [Debit(row["account"], row["at"], row["grams"]) for row in rows]
