"""Visits into the book: owns the debit of every visit that is over, and its revisions.

A visit is posted once. When gate or evidence tell something else later, its covers are freed, its debit is reversed
and the new figure is posted; the oldest visits are covered again in the same transaction. What the office corrected by
hand is posted again after the new debit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import structlog

from cloud_sync.proofs.carbon_beside import figure_digest
from cloud_sync.server import rule_books
from cloud_sync.server.carbon import book, evidence, settling
from cloud_sync.server.carbon.figures import Unknown, as_mapping, figure
from cloud_sync.server.carbon.settling import SYSTEM, DaySums
from cloud_sync.server.services import Services
from control.carbon.factors import FactorSet, MissingFactor
from control.carbon.offset_reports import due_day
from control.carbon.offsets import Debit
from control.carbon.postings import Stamp, reversal_of, visit_account, visit_correction, visit_debit
from control.carbon.visit_types import VisitEmission

BATCH_MAX = 500
WITHDRAWN = "withdrawn"
CARRIED = "again:"  # begins the entry that repeats the office's corrections after a new debit

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Computed:
    """What holds of one visit now: what is told, and the figure or why there is none."""

    visit: Any
    told: Mapping[str, str]
    evidence_id: str
    at: datetime
    day: date
    figure: VisitEmission | Unknown

    @property
    def emission(self) -> VisitEmission | None:
        """The figure, where there is one."""
        return None if isinstance(self.figure, Unknown) else self.figure

    @property
    def posted_g(self) -> int:
        """What the visit owes."""
        return 0 if self.emission is None or self.emission.information else self.emission.total_g


async def turn(given: Services, *, since: datetime | None = None) -> int:
    """Everything that is over and newer than what was posted, and the covers of it; how many visits."""
    count = 0
    while True:
        async with given.change() as connection:
            await book.lock(connection)
            ids = await _todo(connection, since)
            await recompute(given, connection, ids)
            count += len(ids)
            if len(ids) < BATCH_MAX:
                await settling.settle(connection, at=given.clock())
                return count


async def _todo(connection: Any, since: datetime | None) -> list[str]:
    """Visits that are over, or were withdrawn, in a revision that the book does not know."""
    rows = await connection.fetch(
        "SELECT v.visit_id FROM visits v LEFT JOIN visit_accounts a USING (visit_id)"
        " WHERE (v.is_over OR v.withdrawn_at IS NOT NULL) AND ($1::timestamptz IS NULL OR v.updated_at >= $1)"
        " AND coalesce(a.visit_revision, 0) < v.revision AND (a.visit_id IS NOT NULL OR v.withdrawn_at IS NULL)"
        " ORDER BY v.updated_at, v.visit_id LIMIT $2",
        since,
        BATCH_MAX,
    )
    return [row["visit_id"] for row in rows]


async def recompute(
    given: Services,
    connection: Any,
    visit_ids: Sequence[str],
    *,
    author: str = SYSTEM,
    reason: str = "the visit is over",
) -> None:
    """Figures of these visits by what is known now; what differs from the book is reversed and posted anew."""
    if not visit_ids:
        return
    await book.lock(connection)
    now = given.clock()
    factors = await rule_books.factors(connection)
    before = {
        row["visit_id"]: row
        for row in await connection.fetch(
            "SELECT a.*, e.evidence, e.emission FROM visit_accounts a LEFT JOIN visit_emissions e"
            " USING (visit_id, revision) WHERE visit_id = ANY($1::text[])",
            list(visit_ids),
        )
    }
    computed = await _computed(connection, visit_ids, before, factors, given)
    fresh: list[_Computed] = []
    for one in computed:
        known = before.get(one.visit["visit_id"])
        if known is not None and _same(one, known):
            await _seen(connection, one)
            continue
        if known is not None and known["entry_id"] is not None:
            await _undo(connection, known, at=now, author=author, reason=reason)
        fresh.append(one)
    await _post(
        connection,
        fresh,
        {one: row["revision"] + 1 for one, row in before.items()},
        factors=factors,
        stamp=Stamp(entry_id="", at=now, author=author, reason=reason),
        given=given,
    )


async def _computed(
    connection: Any, visit_ids: Sequence[str], before: Mapping[str, Any], factors: FactorSet, given: Services
) -> list[_Computed]:
    visits = await connection.fetch(
        "SELECT * FROM visits WHERE visit_id = ANY($1::text[]) ORDER BY visit_id", visit_ids
    )
    forms = await evidence.forms(connection, [row["application_id"] for row in visits if row["application_id"]])
    declared = await evidence.declarations(connection, list(visit_ids))
    found: list[_Computed] = []
    for visit in visits:
        at = evidence.exit_of(visit)
        if at is None:
            continue
        rows = declared.get(visit["visit_id"], [])
        holds = evidence.merged(evidence.declaration_of(row) for row in rows)
        form, known = forms.get(visit["application_id"] or ""), before.get(visit["visit_id"])
        if form is None and visit["application_id"] and known is not None:
            told = evidence.told_again(visit, evidence.as_json(known["evidence"]), holds)
        else:
            told = evidence.told_of(visit, form or {}, holds)
        day = at.astimezone(given.config.zone).date()
        result = (
            Unknown(WITHDRAWN, "the visit turned out to be none")
            if visit["withdrawn_at"] is not None
            else figure(told, factors.at(day))
        )
        found.append(_Computed(visit, told, rows[-1]["evidence_id"] if rows else "", at, day, result))
    return found


def _same(one: _Computed, known: Any) -> bool:
    """Whether the book says this already. A newer version of the factors with the same rows is no difference."""
    emission = evidence.as_json(known["emission"])
    if known["at"] != one.at or evidence.as_json(known["evidence"]) != dict(one.told):
        return False
    if isinstance(one.figure, Unknown):
        return bool(known["problem"] == one.figure.problem)
    return emission is not None and emission | {"factor_version": ""} == as_mapping(one.figure) | {"factor_version": ""}


async def _seen(connection: Any, one: _Computed) -> None:
    await connection.execute(
        "UPDATE visit_accounts SET visit_revision = $2, evidence_id = $3 WHERE visit_id = $1",
        one.visit["visit_id"],
        one.visit["revision"],
        one.evidence_id,
    )


async def _undo(connection: Any, known: Any, *, at: datetime, author: str, reason: str) -> None:
    """Covers and debit of a visit are taken back."""
    visit_id, entry_id = known["visit_id"], known["entry_id"]
    await settling.release(connection, visit_id, at=at, author=author, reason=reason)
    corrections = await connection.fetch(
        "SELECT e.entry_id FROM ledger_entries e JOIN ledger_postings p USING (seq) WHERE p.account = $1"
        " AND e.kind = 'correction' AND NOT EXISTS (SELECT 1 FROM ledger_entries r WHERE r.reverses = e.entry_id)"
        " ORDER BY e.seq DESC",
        str(visit_account(visit_id)),
    )
    # Corrections first: without them the visit may not stand above what its debit says.
    for one in (*(row["entry_id"] for row in corrections), entry_id):
        posted = await book.entry_of(connection, one)
        assert posted is not None
        stamp = Stamp(entry_id=f"reverse:{one}", at=at, author=author, reason=reason)
        await book.post(connection, reversal_of(stamp, posted.entry))
    owed_g = await connection.fetchval("SELECT owed_g FROM visit_accounts WHERE visit_id = $1", visit_id)
    await connection.execute(
        "UPDATE visit_accounts SET owed_g = 0, covered_g = 0, entry_id = NULL, neutralised_at = NULL"
        " WHERE visit_id = $1",
        visit_id,
    )
    owed = int(owed_g > 0)
    await settling.add_to_days(connection, {known["day"]: DaySums(visits=-owed, owed_g=-owed_g, open_visits=-owed)})


async def _post(
    connection: Any,
    computed: Sequence[_Computed],
    revisions: Mapping[str, int],
    *,
    factors: FactorSet,
    stamp: Stamp,
    given: Services,
) -> None:
    """Figures into history, debits into the book, and what holds of each visit now."""
    if not computed:
        return
    corrected = await _corrected(connection, [one for one in revisions if revisions[one] > 1])
    rows = [_row(one, revisions.get(one.visit["visit_id"], 1), factors, stamp.at, given) for one in computed]
    entries, carried = [], []
    for row, one in zip(rows, computed, strict=True):
        if row["entry_id"] is None:
            continue
        assert one.emission is not None
        own = Stamp(entry_id=row["entry_id"], at=stamp.at, author=stamp.author, reason=stamp.reason)
        entries.append(visit_debit(own, row["visit_id"], one.emission, evidence=figure_digest(row)))
        known = corrected.get(row["visit_id"])
        # A visit never owes less than nothing.
        added_g = 0 if known is None else max(known.added_g, -row["owed_g"])
        if known is not None and added_g:
            again = Stamp(entry_id=f"{CARRIED}{row['entry_id']}", at=stamp.at, author=SYSTEM, reason=known.reason)
            carried.append(visit_correction(again, row["visit_id"], added_g))
            row["owed_g"] += added_g
    await book.post_many(connection, entries + carried)
    await _keep_figures(connection, rows)
    await _keep_accounts(connection, rows)
    sums: dict[date, DaySums] = {}
    for row in rows:
        owes = int(row["owed_g"] > 0)
        added = DaySums(visits=owes, owed_g=row["owed_g"], open_visits=owes)
        sums[row["day"]] = sums.get(row["day"], DaySums()) + added
    await settling.add_to_days(connection, sums)


@dataclass(frozen=True, slots=True)
class _Corrected:
    """What the office put right of one visit by hand, in all, and why."""

    added_g: int
    reason: str

    def and_then(self, later: _Corrected) -> _Corrected:
        """Both together."""
        reason = self.reason if later.reason in self.reason.split("; ") else f"{self.reason}; {later.reason}"
        return _Corrected(self.added_g + later.added_g, reason)


async def _corrected(connection: Any, visit_ids: Sequence[str]) -> dict[str, _Corrected]:
    """The office's corrections of these visits: the newest that repeated them, and those that came after it."""
    accounts = {str(visit_account(one)): one for one in visit_ids}
    rows = await connection.fetch(
        "SELECT p.account, -p.grams AS added_g, e.entry_id, e.reason FROM ledger_postings p JOIN ledger_entries e"
        " USING (seq) WHERE p.account = ANY($1::text[]) AND e.kind = 'correction' ORDER BY e.seq",
        list(accounts),
    )
    found: dict[str, _Corrected] = {}
    for row in rows:
        visit_id, one = accounts[row["account"]], _Corrected(row["added_g"], row["reason"])
        before = None if row["entry_id"].startswith(CARRIED) else found.get(visit_id)
        found[visit_id] = one if before is None else before.and_then(one)
    return found


def _row(one: _Computed, revision: int, factors: FactorSet, now: datetime, given: Services) -> dict[str, Any]:
    """Everything that is written of a visit, by column."""
    emission, visit_id = one.emission, one.visit["visit_id"]
    due_on, due_row = None, ""
    if one.posted_g:
        try:
            due_on, due_row = due_day(Debit(visit_id, one.at, one.posted_g), zone=given.config.zone, factors=factors)
        except MissingFactor as error:
            log.warning("no_due_day", visit=visit_id, missing=error.key)
    return {
        "visit_id": visit_id,
        "revision": revision,
        "visit_revision": one.visit["revision"],
        "evidence_id": one.evidence_id,
        "entry_id": f"debit:{visit_id}:{revision}" if one.posted_g else None,
        "at": one.at,
        "day": one.day,
        "owed_g": one.posted_g,
        "grams": emission.total_g if emission else 0,
        "emission": as_mapping(emission) if emission else None,
        "evidence": dict(one.told),
        "factor_version": factors.version,
        "problem": one.figure.problem if isinstance(one.figure, Unknown) else "",
        "computed_at": now,
        "due_on": due_on,
        "due_factor_id": due_row,
        "tier": emission.tier if emission else None,
        "uncertainty_frac": emission.uncertainty_frac if emission else None,
        "fuel_amount": emission.fuel_amount if emission else None,
        "fuel_unit": emission.fuel_unit if emission else "",
        "information": emission.information if emission else False,
        "vehicle_class": one.told.get("vehicle_class", ""),
    }


async def _keep_figures(connection: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    await connection.executemany(
        "INSERT INTO visit_emissions (visit_id, revision, entry_id, at, day, grams, emission, evidence, factor_version,"
        " problem, computed_at) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9, $10, $11)",
        [
            (
                *(row["visit_id"], row["revision"], row["entry_id"], row["at"], row["day"], row["grams"]),
                row["emission"] and json.dumps(row["emission"], ensure_ascii=False),
                json.dumps(row["evidence"], ensure_ascii=False),
                *(row["factor_version"], row["problem"], row["computed_at"]),
            )
            for row in rows
        ],
    )


_ACCOUNT = (
    *("visit_id", "revision", "visit_revision", "evidence_id", "entry_id", "at", "day", "owed_g", "due_on"),
    *("due_factor_id", "tier", "uncertainty_frac", "fuel_amount", "fuel_unit", "information", "problem"),
    "vehicle_class",
)
_KEEP_ACCOUNT = (
    f"INSERT INTO visit_accounts ({', '.join(_ACCOUNT)})"
    f" VALUES ({', '.join(f'${number}' for number in range(1, len(_ACCOUNT) + 1))})"
    f" ON CONFLICT (visit_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _ACCOUNT[1:])}"
)


async def _keep_accounts(connection: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    await connection.executemany(_KEEP_ACCOUNT, [tuple(row[name] for name in _ACCOUNT) for row in rows])
