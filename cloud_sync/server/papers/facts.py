"""What a paper says, from the books: owns the facts of each kind, as they are kept with the paper for ever.

Facts are JSON: grams are integers, numbers with decimals text, times ISO text in UTC. `now_true` looks whether the
books still say the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from cloud_sync.proofs.carbon_rows import COVER_COLUMNS, LOTS, UNITS, cover_of, lot_of, retirement_of
from cloud_sync.server import rule_books
from cloud_sync.server.carbon import inventory
from cloud_sync.server.carbon.events_book import event_state
from cloud_sync.server.carbon.inventory import Month, as_told, month_of, span
from cloud_sync.server.problems import Problem
from cloud_sync.server.sql import Reader, as_json
from control.carbon.exact import to_decimal
from control.carbon.factors import Factor, FactorSet
from control.carbon.inventory import period_total
from control.carbon.offset_reports import StatementPart, statement
from control.carbon.offsets import Debit
from control.carbon.postings import event_subject, visit_account

VISITS_MAX = 2000
Facts = dict[str, Any]
_VISITS = (
    "SELECT a.visit_id, a.at, a.day, a.owed_g, a.covered_g, a.tier, a.uncertainty_frac, a.fuel_amount, a.fuel_unit,"
    " a.information, a.problem, a.revision, v.plate, v.gate_in, v.gate_out, v.entered_at, v.left_at, v.application_id"
    " FROM visit_accounts a JOIN visits v USING (visit_id) WHERE v.withdrawn_at IS NULL AND v.anonymised_at IS NULL"
)


# ---------------------------------------------------------------- visits


async def of_owner(db: Reader, owners: Sequence[str], *, since: date, until: date, holder: str) -> Facts:
    """The visits of a person or organisation on the days from `since` to `until`. Raises Problem `nothing_to_say`."""
    rows = await db.fetch(
        f"{_VISITS} AND v.application_id IN (SELECT application_id FROM applications"
        " WHERE applicant_id = ANY($1::text[])) AND a.day >= $2 AND a.day <= $3"
        " AND NOT a.information ORDER BY a.at, a.visit_id LIMIT $4",
        *(list(owners), since, until, VISITS_MAX + 1),
    )
    facts = await _of_visits(db, rows)
    return facts | {"holder": holder, "from": since.isoformat(), "to": until.isoformat()}


async def of_subject(db: Reader, subject: str) -> tuple[Facts, str]:
    """One visit, or all visits of one application, and whose they are.

    Raises Problem `not_found`, and `not_neutralised` while a gram is owed that nothing covers.
    """
    rows = await db.fetch(
        f"{_VISITS} AND (a.visit_id = $1 OR v.application_id = $1) AND NOT a.information"
        " ORDER BY a.at, a.visit_id LIMIT $2",
        *(subject, VISITS_MAX + 1),
    )
    if not rows:
        raise Problem("not_found")
    facts = await _of_visits(db, rows) | {"whole_application": all(row["application_id"] == subject for row in rows)}
    if facts["owed_g"] == 0 or facts["covered_g"] < facts["owed_g"] or any(one["problem"] for one in facts["visits"]):
        raise Problem("not_neutralised", detail=subject)
    owner = await db.fetchval(
        "SELECT applicant_id FROM applications WHERE application_id = $1", rows[0]["application_id"]
    )
    return facts, owner or ""


async def is_neutral(db: Reader, application_id: str) -> bool:
    """Whether a certificate can be issued for the visits of an application: something was owed, all is covered."""
    return bool(
        await db.fetchval(
            "SELECT coalesce(sum(a.owed_g) > 0 AND bool_and(a.covered_g = a.owed_g AND a.problem = ''), false)"
            " FROM visit_accounts a JOIN visits v USING (visit_id) WHERE v.application_id = $1"
            " AND v.withdrawn_at IS NULL AND v.anonymised_at IS NULL AND NOT a.information",
            application_id,
        )
    )


async def _of_visits(db: Reader, rows: Sequence[Any]) -> Facts:
    if not rows:
        raise Problem("nothing_to_say")
    if len(rows) > VISITS_MAX:
        raise Problem("range_too_long")
    told = await _offsets(db, [(row["visit_id"], row["at"], row["owed_g"]) for row in rows])
    ids = [row["visit_id"] for row in rows]
    return {
        "visits": [_visit(row) for row in rows],
        "applications": sorted({row["application_id"] for row in rows if row["application_id"]}),
        **told,
        "factors": await _factors_of_visits(db, ids),
    }


def _visit(row: Any) -> Facts:
    return {
        "visit_id": row["visit_id"],
        "plate": row["plate"],
        "entered_at": _iso(row["entered_at"]),
        "left_at": _iso(row["left_at"]),
        "owed_g": row["owed_g"],
        "covered_g": row["covered_g"],
        "tier": row["tier"],
        "uncertainty_frac": _decimal(row["uncertainty_frac"]),
        "fuel_amount": _decimal(row["fuel_amount"]),
        "fuel_unit": row["fuel_unit"],
        "revision": row["revision"],
        "problem": row["problem"],
    }


async def _factors_of_visits(db: Reader, ids: list[str]) -> list[Facts]:
    """The factor rows behind the newest figures of visits, each once."""
    rows = await db.fetch(
        "SELECT DISTINCT ON (visit_id) emission FROM visit_emissions WHERE visit_id = ANY($1::text[])"
        " ORDER BY visit_id, revision DESC",
        ids,
    )
    used = {one for row in rows if row["emission"] for one in as_json(row["emission"]).get("factor_ids", ())}
    return _rows_of(await rule_books.factors(db), used)


async def _offsets(db: Reader, owed: Sequence[tuple[str, datetime, int]]) -> Facts:
    """Owed, covered, and the units that cover: `owed` is subject, time and grams."""
    debits = [Debit(subject, at, grams) for subject, at, grams in owed if grams]
    rows = await db.fetch(
        f"SELECT {COVER_COLUMNS} FROM covers WHERE visit_id = ANY($1::text[]) AND freed_by IS NULL"
        " ORDER BY at, lot_no, serial, from_g",
        [debit.visit_id for debit in debits],
    )
    lots = await db.fetch(f"{LOTS} WHERE l.lot_id = ANY($1::text[])", list({row["lot_id"] for row in rows}))
    units = await db.fetch(f"{UNITS} WHERE u.unit_id = ANY($1::text[])", list({row["unit_id"] for row in rows}))
    found = statement(
        "",
        debits,
        [cover_of(row) for row in rows],
        lots={row["lot_id"]: lot_of(row) for row in lots},
        retirements={row["unit_id"]: retirement_of(row) for row in units},
    )
    return {
        "owed_g": found.owed_g,
        "covered_g": found.covered_g,
        "neutralised_at": _iso(found.neutralised_at),
        "parts": [_part(one) for one in found.parts],
    }


def _part(one: StatementPart) -> Facts:
    return {
        "registry": one.registry,
        "project": one.project,
        "vintage": one.vintage,
        "serials": one.serials,
        "units": one.units,
        "from_g": one.from_g,
        "to_g": one.to_g,
        "grams": one.grams,
        "retired_at": _iso(one.retired_at),
        "evidence": one.evidence,
        "cancelled_for": one.cancelled_for,
    }


# ---------------------------------------------------------------- events


async def of_event(db: Reader, event_id: str) -> Facts:
    """A closed event whose last gram is covered. Raises Problem `not_found`, `not_neutralised`."""
    row = await db.fetchrow("SELECT * FROM carbon_events WHERE event_id = $1", event_id)
    if row is None:
        raise Problem("not_found")
    state = await event_state(db, event_id)
    if row["state"] != "closed" or state.neutralised_at is None:
        raise Problem("not_neutralised", detail=event_id)
    footprint = as_json(row["footprint"])
    told = await _offsets(db, [(event_subject(event_id), row["closed_at"], state.owed_g)])
    return {
        "event_id": event_id,
        "name": row["name"],
        "name_en": row["name_en"],
        "organiser": row["organiser"],
        "starts_on": row["starts_on"].isoformat(),
        "ends_on": row["ends_on"].isoformat(),
        "people": row["people"],
        "sources": footprint["parts"],
        "uncertainty_frac": footprint["uncertainty_frac"],
        "factor_version": footprint["factor_version"],
        **told,
        "factors": _rows_of(await rule_books.factors(db), footprint["factor_ids"]),
    }


# ---------------------------------------------------------------- months and years


async def of_months(db: Reader, first: Month, last: Month, *, zone: ZoneInfo) -> Facts:
    """The inventory of some months with its sum. Raises Problem `nothing_to_say` before the first factor."""
    factors = await rule_books.factors(db)
    found = await inventory.months(db, span(first, last), zone=zone, factors=factors)
    if not found:
        raise Problem("nothing_to_say")
    total = period_total(found)
    return {
        "from": str(first),
        "to": str(last),
        "months": [as_told(one) for one in found],
        "known_net_location_g": total.known_net_location_g,
        "known_net_market_g": total.known_net_market_g,
        "net_location_g": total.net_location_g,
        "net_market_g": total.net_market_g,
        "incomplete": [str(Month(*one)) for one in total.incomplete],
        "factors": _rows_of(factors, {row for one in found for row in one.factor_ids}),
        "evidence": await _evidence(db, first, last),
    }


async def _evidence(db: Reader, first: Month, last: Month) -> list[Facts]:
    rows = await db.fetch(
        "SELECT year, month, kwh, reference, document_sha256 FROM green_power WHERE withdrawn_at IS NULL"
        " AND (year, month) >= ($1, $2) AND (year, month) <= ($3, $4) ORDER BY year, month, green_id",
        *(first.year, first.month, last.year, last.month),
    )
    return [
        {
            "month": str(Month(row["year"], row["month"])),
            "kwh": str(row["kwh"].normalize()),
            "reference": row["reference"],
            "sha256": row["document_sha256"],
        }
        for row in rows
    ]


# ---------------------------------------------------------------- still true


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether the books still say what the paper says; `since` is when they began to differ, where that is known."""

    holds: bool
    since: datetime | None = None


async def now_true(db: Reader, kind: str, facts: Mapping[str, Any], *, zone: ZoneInfo, issued_at: datetime) -> Truth:
    """Looks the paper's figures up again."""
    if kind in ("visits", "neutralisation"):
        return await _visits_true(db, kind, facts, issued_at)
    if kind == "event":
        state = await event_state(db, facts["event_id"])
        if state.owed_g == facts["owed_g"] and state.covered_g >= facts["covered_g"]:
            return Truth(True)
        return Truth(False, await _changed_at(db, [event_subject(facts["event_id"])], issued_at))
    now = await inventory.months(
        db,
        [month_of(one["month"]) for one in facts["months"]],
        zone=zone,
        factors=await rule_books.factors(db),
    )
    return Truth([as_told(one) for one in now] == facts["months"])


async def _visits_true(db: Reader, kind: str, facts: Mapping[str, Any], issued_at: datetime) -> Truth:
    wanted = {one["visit_id"]: one for one in facts["visits"]}
    rows = await db.fetch(
        "SELECT visit_id, owed_g, covered_g FROM visit_accounts WHERE visit_id = ANY($1::text[])", list(wanted)
    )
    found = {row["visit_id"]: row for row in rows}
    same = len(found) == len(wanted) and all(
        row["owed_g"] == wanted[visit_id]["owed_g"] and row["covered_g"] >= wanted[visit_id]["covered_g"]
        for visit_id, row in found.items()
    )
    if same and kind == "neutralisation" and len(facts["visits"]) < await _visits_now(db, facts):
        return Truth(False, await _later_visit_at(db, facts))
    if same:
        return Truth(True)
    return Truth(False, await _changed_at(db, [str(visit_account(one)) for one in wanted], issued_at))


async def _visits_now(db: Reader, facts: Mapping[str, Any]) -> int:
    """How many visits the application of a certificate has now; those of a single visit's stay one."""
    if not facts.get("whole_application"):
        return 0
    return int(await db.fetchval(f"SELECT count(*) FROM ({_OF_APPLICATIONS}) one", facts["applications"]))


async def _later_visit_at(db: Reader, facts: Mapping[str, Any]) -> datetime | None:
    known = [one["visit_id"] for one in facts["visits"]]
    found: datetime | None = await db.fetchval(
        f"SELECT min(at) FROM ({_OF_APPLICATIONS}) one WHERE visit_id <> ALL($2::text[])", facts["applications"], known
    )
    return found


_OF_APPLICATIONS = (
    "SELECT a.visit_id, a.at FROM visit_accounts a JOIN visits v USING (visit_id)"
    " WHERE v.application_id = ANY($1::text[]) AND v.withdrawn_at IS NULL AND NOT a.information"
)


async def _changed_at(db: Reader, accounts: list[str], after: datetime) -> datetime | None:
    """The first correction or reversal of these accounts after the paper was issued."""
    found: datetime | None = await db.fetchval(
        "SELECT min(e.at) FROM ledger_postings p JOIN ledger_entries e USING (seq)"
        " WHERE p.account = ANY($1::text[]) AND e.kind IN ('correction', 'reversal') AND e.at >= $2",
        *(accounts, after),
    )
    return found


# ---------------------------------------------------------------- small things


def _rows_of(factors: FactorSet, ids: Iterable[str]) -> list[Facts]:
    wanted = set(ids)
    return [_factor(row) for row in factors.rows if row.factor_id in wanted]


def _factor(row: Factor) -> Facts:
    value = row.value if isinstance(row.value, str) else _decimal(to_decimal(Fraction(row.value), 6))
    return {
        "id": row.factor_id,
        "key": row.key,
        "value": value,
        "unit": row.unit,
        "source": row.source,
        "valid_from": row.valid_from.isoformat(),
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _decimal(value: Decimal | None) -> str | None:
    return None if value is None else format(value.normalize(), "f")
