"""Reads of the carbon ledger: owns the summary, lists of visits and entries, and everything about one visit.

A summary reads sums of days, never all visits; lists are paged by cursor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from cloud_sync.proofs.carbon_rows import BOOK_ID, ENTRY_COLUMNS, LOTS, by_seq, lot_of
from cloud_sync.server import rule_books
from cloud_sync.server.carbon import evidence, lots
from cloud_sync.server.carbon.figures import of_mapping
from cloud_sync.server.carbon.records import (
    ChainCheck,
    CoverRow,
    DayPoint,
    Declared,
    Doubted,
    EntryPage,
    EntryRow,
    FactorUsed,
    Figure,
    PostingRow,
    Summary,
    VisitPage,
    VisitRecord,
    VisitRow,
)
from cloud_sync.server.carbon.retirements import share
from cloud_sync.server.paging import cursor_of, number_of, place_of
from cloud_sync.server.permits.where import Where
from cloud_sync.server.sql import as_json, like_pattern
from control.carbon.factors import Factor, FactorSet
from control.carbon.words import DOUBTS, TIERS

LIMIT_MAX = 200
TABS = ("open", "all", "unknown")


# ---------------------------------------------------------------- summary


async def summary(db: Any, *, year: int, today: date, zone: Any) -> Summary:
    """The figures of the page, of one year and of what is open. A handful of indexed reads."""
    first, last = date(year, 1, 1), date(year + 1, 1, 1)
    days = await db.fetch(
        "SELECT day, owed_g, covered_g, visits, retired_g FROM carbon_days WHERE day >= $1 AND day < $2 ORDER BY day",
        first,
        last,
    )
    totals = await db.fetchrow(
        "SELECT coalesce(sum(owed_g - covered_g), 0)::bigint AS open_g,"
        " coalesce(sum(open_visits), 0)::bigint AS visits,"
        " extract(year FROM min(day))::int AS first_year, extract(year FROM max(day))::int AS last_year,"
        " (SELECT count(*) FROM visit_accounts WHERE problem NOT IN ('', 'withdrawn')) AS unknown,"
        " (SELECT count(*) FROM ledger_entries WHERE kind IN ('correction', 'reversal') AND at >= $1 AND at < $2)"
        "   AS corrections,"
        " (SELECT max(seq) FROM ledger_entries) AS length,"
        " (SELECT grams FROM ledger_balances WHERE account = 'retired') AS pooled_g,"
        " (SELECT median_days FROM carbon_medians WHERE year = $3) AS median_days"
        " FROM carbon_days",
        datetime(year, 1, 1, tzinfo=zone),
        datetime(year + 1, 1, 1, tzinfo=zone),
        year,
    )
    oldest = await db.fetchrow(
        "SELECT day, due_on FROM visit_accounts WHERE covered_g < owed_g ORDER BY at, visit_id LIMIT 1"
    )
    overdue = await db.fetchrow(
        "SELECT count(*) AS visits, coalesce(sum(owed_g - covered_g), 0)::bigint AS grams FROM visit_accounts"
        " WHERE covered_g < owed_g AND due_on < $1",
        today,
    )
    owed_g, covered_g = sum(row["owed_g"] for row in days), sum(row["covered_g"] for row in days)
    return Summary(
        year=year,
        years=_years(totals, year, today),
        open_g=totals["open_g"],
        open_visits=totals["visits"],
        oldest_day=oldest["day"] if oldest else None,
        oldest_days=(today - oldest["day"]).days if oldest else None,
        due_days=(oldest["due_on"] - oldest["day"]).days if oldest and oldest["due_on"] else None,
        year_owed_g=owed_g,
        year_visits=sum(row["visits"] for row in days),
        year_covered_g=covered_g,
        year_retired_g=sum(row["retired_g"] for row in days),
        closure_frac=share(covered_g, owed_g),
        median_days=totals["median_days"],
        available_tonnes=await lots.available_tonnes(db),
        pooled_g=totals["pooled_g"] or 0,
        corrections=totals["corrections"],
        unknown_visits=totals["unknown"],
        length=totals["length"] or 0,
        check=await last_check(db),
        days=tuple(DayPoint(row["day"], row["owed_g"], row["retired_g"]) for row in days),
        overdue_visits=overdue["visits"],
        overdue_g=overdue["grams"],
    )


def _years(totals: Any, year: int, today: date) -> tuple[int, ...]:
    first, last = totals["first_year"] or today.year, totals["last_year"] or today.year
    return tuple(sorted({*range(min(first, today.year), max(last, today.year) + 1), year}, reverse=True))


async def last_check(db: Any) -> ChainCheck:
    """The last proof of the book."""
    row = await db.fetchrow(
        "SELECT at, rows, head_hash, broken_seq, why FROM ledger_checks WHERE book = $1 ORDER BY check_id DESC LIMIT 1",
        BOOK_ID,
    )
    return ChainCheck(**row) if row else ChainCheck(None, 0, "", None, "")


# ---------------------------------------------------------------- visits


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """Which visits. `tab`: `open` (oldest first), `all` of a year (newest first), `unknown` without a figure.

    `owners` narrows to the visits of these applicants.
    """

    tab: str = "all"
    year: int | None = None
    tier: int | None = None
    vehicle_class: str = ""
    plate: str = ""
    owners: tuple[str, ...] | None = None


_VISIT = (
    "SELECT a.*, v.plate, v.application_id, f.form ->> 'plate_colour' AS plate_colour, f.form ->> 'purpose' AS purpose,"
    " f.form ->> 'purpose_text' AS purpose_text, f.applicant_id FROM visit_accounts a"
    " LEFT JOIN visits v USING (visit_id) LEFT JOIN applications f USING (application_id)"
)


async def visit_page(
    db: Any, wanted: VisitFilter, *, today: date, cursor: str | None = None, limit: int = 50
) -> VisitPage:
    """Visits by cursor. Raises Problem `bad_cursor`."""
    limit = max(1, min(limit, LIMIT_MAX))
    where, args = _where(wanted)
    oldest_first = wanted.tab == "open"
    at, visit_id = place_of(cursor)
    if at is not None:
        sign = ">" if oldest_first else "<"
        args += [at, visit_id]
        where.append(f"(a.at, a.visit_id) {sign} (${len(args) - 1}, ${len(args)})")
    order = "a.at, a.visit_id" if oldest_first else "a.at DESC, a.visit_id DESC"
    condition = f" WHERE {' AND '.join(where)}" if where else ""
    rows = await db.fetch(f"{_VISIT}{condition} ORDER BY {order} LIMIT {limit + 1}", *args)
    items = tuple(_visit_row(row, today) for row in rows[:limit])
    last = items[-1] if len(rows) > limit else None
    return VisitPage(items, cursor_of(last.at, last.visit_id) if last else None)


def _where(wanted: VisitFilter) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    args: list[Any] = []

    def add(condition: str, *values: Any) -> None:
        args.extend(values)
        where.append(condition.format(*range(len(args) - len(values) + 1, len(args) + 1)))

    if wanted.tab == "open":
        where.append("a.covered_g < a.owed_g")
    if wanted.tab == "unknown":
        where.append("a.problem NOT IN ('', 'withdrawn')")
    if wanted.tab == "all":
        where.append("a.problem <> 'withdrawn'")
    if wanted.year is not None and wanted.tab == "all":
        add("a.day >= ${} AND a.day < ${}", date(wanted.year, 1, 1), date(wanted.year + 1, 1, 1))
    if wanted.tier is not None:
        add("a.tier = ${}", wanted.tier)
    if wanted.vehicle_class:
        add("a.vehicle_class = ${}", wanted.vehicle_class)
    if wanted.plate:
        add("v.plate LIKE ${}", f"%{like_pattern(wanted.plate)}%")
    if wanted.owners is not None:
        add("f.applicant_id = ANY(${}::text[])", list(wanted.owners))
    return where, args


def _visit_row(row: Any, today: date) -> VisitRow:
    late = (today - row["due_on"]).days if row["due_on"] and row["covered_g"] < row["owed_g"] else 0
    return VisitRow(
        visit_id=row["visit_id"],
        at=row["at"],
        day=row["day"],
        plate=row["plate"] or "",
        plate_colour=row["plate_colour"] or "unknown",
        purpose=row["purpose"] or "",
        purpose_text=row["purpose_text"] or "",
        application_id=row["application_id"],
        vehicle_class=row["vehicle_class"],
        tier=row["tier"],
        fuel_amount=row["fuel_amount"],
        fuel_unit=row["fuel_unit"],
        owed_g=row["owed_g"],
        covered_g=row["covered_g"],
        information=row["information"],
        uncertainty_frac=row["uncertainty_frac"],
        due_on=row["due_on"],
        days_late=max(0, late),
        problem=row["problem"],
        revision=row["revision"],
    )


async def visit(db: Any, visit_id: str, *, today: date, until: date | None = None) -> VisitRecord | None:
    """Everything about one visit; `until` is the last day for the applicant's evidence, as the caller knows it."""
    row = await db.fetchrow(f"{_VISIT} WHERE a.visit_id = $1", visit_id)
    if row is None:
        return None
    seen = await db.fetchrow("SELECT entered_at, left_at, gate_in, gate_out FROM visits WHERE visit_id = $1", visit_id)
    figures = await db.fetch(
        "SELECT * FROM visit_emissions WHERE visit_id = $1 ORDER BY revision DESC LIMIT 50", visit_id
    )
    declared = (await evidence.declarations(db, [visit_id])).get(visit_id, [])
    ends = seen or {"entered_at": None, "left_at": None, "gate_in": None, "gate_out": None}
    return VisitRecord(
        row=_visit_row(row, today),
        figure=_figure(figures[0], await rule_books.factors(db)) if figures and figures[0]["emission"] else None,
        declared=tuple(_declared(one) for one in declared),
        covers=await covers(db, visit_id),
        entries=await entries_of(db, visit_id),
        revisions=len(figures),
        entered_at=ends["entered_at"],
        left_at=ends["left_at"],
        gate_in=ends["gate_in"],
        gate_out=ends["gate_out"],
        evidence_until=until,
        neutralised_at=row["neutralised_at"],
    )


def _figure(row: Any, factors: FactorSet) -> Figure:
    found = of_mapping(as_json(row["emission"]))
    rows = {one.factor_id: one for one in factors.rows}
    zh, en = TIERS[found.tier]
    return Figure(
        revision=row["revision"],
        computed_at=row["computed_at"],
        day=found.day,
        co2_g=found.co2_g,
        ch4_g_co2e=found.ch4_g_co2e,
        n2o_g_co2e=found.n2o_g_co2e,
        total_g=found.total_g,
        fuel=found.fuel.value,
        fuel_amount=found.fuel_amount,
        fuel_unit=found.fuel_unit,
        tier=found.tier,
        tier_zh=zh,
        tier_en=en,
        uncertainty_frac=found.uncertainty_frac,
        family=found.family.value,
        gwp_set=found.gwp_set.value,
        factor_version=found.factor_version,
        factors=tuple(_factor(rows[one]) for one in found.factor_ids if one in rows),
        set_aside=tuple(
            Doubted(one.evidence, one.doubt.value, one.detail, *DOUBTS[one.doubt]) for one in found.set_aside
        ),
        assumed=found.assumed,
        information=found.information,
        evidence=as_json(row["evidence"]),
    )


def _factor(row: Factor) -> FactorUsed:
    value = row.value if isinstance(row.value, str) else f"{float(row.value):g}"
    return FactorUsed(row.factor_id, row.key, value, row.unit, row.source, row.valid_from)


def _declared(row: Any) -> Declared:
    office = row["by_role"] == "office"
    return Declared(
        evidence_id=row["evidence_id"],
        at=row["at"],
        by=row["by"] if office else "",
        by_role=row["by_role"],
        declared=as_json(row["declared"]),
        papers=tuple(row["papers"]),
        note=row["note"],
    )


async def covers(db: Any, subject: str) -> tuple[CoverRow, ...]:
    """The stretches of units that cover a visit or `event:ID`, in their order."""
    rows = await db.fetch(
        "SELECT c.lot_id, c.serial, c.from_g, c.to_g, c.at, u.retirement_id FROM covers c"
        " JOIN retirement_units u USING (unit_id) WHERE c.visit_id = $1 AND c.freed_by IS NULL"
        " ORDER BY c.at, c.entry_id, c.place",
        subject,
    )
    known = {row["lot_id"]: lot_of(row) for row in await db.fetch(LOTS)} if rows else {}
    return tuple(_cover(row, known) for row in rows)


def _cover(row: Any, known: Mapping[str, Any]) -> CoverRow:
    lot = known[row["lot_id"]]
    return CoverRow(
        registry=lot.registry,
        project=lot.project,
        vintage=lot.vintage,
        serial=lot.serial_text(row["serial"], row["serial"]),
        retirement_id=row["retirement_id"],
        from_g=row["from_g"],
        to_g=row["to_g"],
        at=row["at"],
    )


# ---------------------------------------------------------------- entries


async def entry_page(db: Any, *, kinds: Sequence[str] = (), cursor: str | None = None, limit: int = 50) -> EntryPage:
    """Entries, newest first. Raises Problem `bad_cursor`."""
    limit = max(1, min(limit, LIMIT_MAX))
    before = number_of(cursor)
    where = Where("true")
    if before is not None:
        where.add("seq < {}", before)
    if kinds:
        where.add("kind = ANY({}::text[])", list(kinds))
    rows = await db.fetch(
        f"SELECT {ENTRY_COLUMNS} FROM ledger_entries WHERE {where.text} ORDER BY seq DESC LIMIT {limit + 1}",
        *where.values,
    )
    items = await _entries(db, rows[:limit])
    return EntryPage(items, str(items[-1].seq) if len(rows) > limit else None)


async def entries_of(db: Any, visit_id: str) -> tuple[EntryRow, ...]:
    """The entries that touched a visit's account, oldest first."""
    rows = await db.fetch(
        f"SELECT {ENTRY_COLUMNS} FROM ledger_entries WHERE seq IN"
        " (SELECT seq FROM ledger_postings WHERE account = $1) ORDER BY seq LIMIT 500",
        f"visit:{visit_id}",
    )
    return await _entries(db, rows)


async def _entries(db: Any, rows: Sequence[Any]) -> tuple[EntryRow, ...]:
    postings = by_seq(
        await db.fetch(
            "SELECT seq, account, grams FROM ledger_postings WHERE seq = ANY($1::bigint[]) ORDER BY seq, place",
            [row["seq"] for row in rows],
        )
    )
    return tuple(_entry(row, postings.get(row["seq"], [])) for row in rows)


def _entry(row: Any, postings: list[Any]) -> EntryRow:
    accounts = [one["account"] for one in postings]
    visits = [one.removeprefix("visit:") for one in accounts if one.startswith("visit:")]
    return EntryRow(
        seq=row["seq"],
        entry_id=row["entry_id"],
        kind=row["kind"],
        at=row["at"],
        author=row["author"],
        reason=row["reason"],
        reverses=row["reverses"],
        visit_id=visits[0] if len(visits) == 1 else None,
        grams=max((one["grams"] for one in postings), default=0),
        postings=tuple(PostingRow(one["account"], one["grams"]) for one in postings),
        details=as_json(row["details"]),
        hash=bytes(row["hash"]).hex(),
    )
