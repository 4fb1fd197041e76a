"""Retiring credits: owns proposing, confirming by another person, cancelling, and what a retirement would cover.

Whole tonnes go, oldest purchase first, or from one lot that was chosen. Until somebody confirms, the units are only
promised, so that two proposals never hold the same one. A confirmed retirement is final, as it is in the registry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import uuid_utils

from cloud_sync.proofs.carbon_rows import LOTS, UNITS, lot_of, retirement_of
from cloud_sync.server.carbon import book, settling
from cloud_sync.server.carbon.lots import available_tonnes, known_lots, promised
from cloud_sync.server.carbon.records import Preview, RetirementRow, UnitsRow
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor, write_audit
from control.carbon.exact import GRAMS_PER_TONNE
from control.carbon.ledger import account_of
from control.carbon.offsets import (
    Debit,
    OffsetError,
    PartUnit,
    Retirement,
    Units,
    check_retirements,
    match,
    next_units,
    units_of,
)
from control.carbon.postings import Stamp, credits_retired, visits_covered

TEXT_CHARS_MAX = 500
SHOWN_MAX = 200


async def propose(
    given: Services, actor: Actor, *, tonnes: int, cancelled_for: str, lot_id: str | None = None, subject: str = ""
) -> str:
    """Promises units to a retirement that another person has to confirm; its id. Raises Problem."""
    text = cancelled_for.strip()[:TEXT_CHARS_MAX]
    if not text:
        raise Problem("reason_missing")
    now, retirement_id = given.clock(), f"RET-{uuid_utils.uuid7()!s}"
    async with given.change() as connection:
        await book.lock(connection)
        units = await _next(connection, tonnes, lot_id)
        await connection.execute(
            "INSERT INTO retirements (retirement_id, state, tonnes, cancelled_for, proposed_by, proposed_at, subject)"
            " VALUES ($1, 'proposed', $2, $3, $4, $5, $6)",
            retirement_id,
            tonnes,
            text,
            actor.username,
            now,
            subject,
        )
        await _promise(connection, retirement_id, units)
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="retirement_proposed",
            subject=("retirement", retirement_id),
            after={"tonnes": tonnes, "units": [str(one) for one in units], "subject": subject},
            why=text,
        )
    return retirement_id


async def _next(db: Any, tonnes: int, lot_id: str | None) -> tuple[Units, ...]:
    """The units to go, by the rule. Raises Problem."""
    if tonnes < 1:
        raise Problem("invalid", detail="tonnes")
    lots = await known_lots(db, lot_id)
    try:
        return next_units(lots, await promised(db, [lot.lot_id for lot in lots]), tonnes)
    except OffsetError as error:
        raise Problem("too_few_units", detail=str(error)) from error


async def _promise(connection: Any, retirement_id: str, units: Sequence[Units]) -> None:
    try:
        await connection.execute(
            "INSERT INTO retirement_units (unit_id, retirement_id, place, lot_id, lot_no, serials)"
            " SELECT $1 || '/' || t.place, $1, t.place, t.lot_id, l.lot_no, int8range(t.first, t.last, '[]')"
            " FROM unnest($2::smallint[], $3::text[], $4::bigint[], $5::bigint[]) AS t (place, lot_id, first, last)"
            " JOIN credit_lots l USING (lot_id)",
            retirement_id,
            list(range(1, len(units) + 1)),
            [one.lot_id for one in units],
            [one.first_serial for one in units],
            [one.last_serial for one in units],
        )
    except asyncpg.ExclusionViolationError as error:
        raise Problem("units_in_use") from error


async def confirm(given: Services, actor: Actor, retirement_id: str, *, evidence: str) -> None:
    """Another person confirms with the registry's proof: the units are retired and cover the oldest visits.

    Raises Problem.
    """
    proof = evidence.strip()[:TEXT_CHARS_MAX]
    if not proof:
        raise Problem("reason_missing", detail="evidence")
    now = given.clock()
    async with given.change() as connection:
        await book.lock(connection)
        row = await _pending(connection, retirement_id)
        if row["proposed_by"] == actor.username:
            raise Problem("same_person")
        await connection.execute(
            "UPDATE retirements SET state = 'confirmed', evidence = $2, decided_by = $3, decided_at = $4"
            " WHERE retirement_id = $1",
            retirement_id,
            proof,
            actor.username,
            now,
        )
        fresh = await _retire(connection, retirement_id, row, actor)
        if row["subject"]:
            fresh = await _cover_subject(connection, row["subject"], fresh, actor, now)
        await _pool(connection, fresh)
        await settling.settle(connection, at=now, author=actor.username)
        if not row["subject"]:
            day = now.astimezone(given.config.zone).date()
            added = settling.DaySums(retired_g=row["tonnes"] * GRAMS_PER_TONNE)
            await settling.add_to_days(connection, {day: added})
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="retirement_confirmed",
            subject=("retirement", retirement_id),
            after={"tonnes": row["tonnes"], "evidence": proof},
            why=row["cancelled_for"],
        )


async def _retire(connection: Any, retirement_id: str, row: Any, actor: Actor) -> list[tuple[Retirement, int]]:
    """Posts the units of a retirement; each stretch with the number of its lot."""
    units = await connection.fetch(f"{UNITS} WHERE u.retirement_id = $1 ORDER BY u.place", retirement_id)
    lots = {lot["lot_id"]: lot_of(lot) for lot in await connection.fetch(LOTS)}
    retired = [(retirement_of(unit), unit["lot_no"]) for unit in units]
    try:
        check_retirements(lots.values(), [one for one, _ in retired])
    except OffsetError as error:
        raise Problem("units_in_use", detail=str(error)) from error
    entries = [
        credits_retired(
            Stamp(
                entry_id=f"retired:{one.retirement_id}",
                at=one.retired_at,
                author=actor.username,
                reason=row["cancelled_for"],
            ),
            one,
            lots[one.units.lot_id],
        )
        for one, _ in retired
    ]
    await book.post_many(connection, entries)
    return retired


async def _cover_subject(
    connection: Any, subject: str, fresh: list[tuple[Retirement, int]], actor: Actor, now: Any
) -> list[Any]:
    """An event is covered by its own retirement; what is left of it joins the pool."""
    lot_nos = {one.units.lot_id: lot_no for one, lot_no in fresh}
    owed = -await book.balance_g(connection, account_of(subject))
    parts = list(units_of(one for one, _ in fresh))
    matching = match([Debit(subject, now, owed)] if owed else [], parts)
    if matching.covers:
        number = await connection.fetchval(
            "SELECT count(DISTINCT entry_id) + 1 FROM covers WHERE visit_id = $1", subject
        )
        stamp = Stamp(entry_id=f"settle:{subject}:{number}", at=now, author=actor.username, reason="its own retirement")
        await book.post(connection, visits_covered(stamp, matching.covers))
        await settling.put_covers(connection, [(stamp.entry_id, matching.covers)], lot_nos)
    return [(part, lot_nos[part.lot_id]) for part in matching.pooled]


async def _pool(connection: Any, fresh: Sequence[tuple[Retirement | PartUnit, int]]) -> None:
    """Units that cover nothing yet join the pooled balance."""
    parts: list[PartUnit] = []
    lot_nos: dict[str, int] = {}
    for one, lot_no in fresh:
        found = [one] if isinstance(one, PartUnit) else list(units_of((one,)))
        parts += found
        lot_nos |= {part.lot_id: lot_no for part in found}
    await settling.add_parts(connection, parts, lot_nos)


async def _pending(connection: Any, retirement_id: str) -> Any:
    row = await connection.fetchrow("SELECT * FROM retirements WHERE retirement_id = $1 FOR UPDATE", retirement_id)
    if row is None:
        raise Problem("not_found")
    if row["state"] != "proposed":
        raise Problem("not_pending", by=row["decided_by"], state=row["state"])
    return row


async def cancel(given: Services, actor: Actor, retirement_id: str, *, why: str) -> None:
    """Gives the promised units back; only until somebody confirmed. Raises Problem."""
    if not why.strip():
        raise Problem("reason_missing")
    now = given.clock()
    async with given.change() as connection:
        await book.lock(connection)
        row = await _pending(connection, retirement_id)
        await connection.execute(
            "UPDATE retirements SET state = 'cancelled', decided_by = $2, decided_at = $3, why = $4"
            " WHERE retirement_id = $1",
            retirement_id,
            actor.username,
            now,
            why.strip()[:TEXT_CHARS_MAX],
        )
        await connection.execute(
            "UPDATE retirement_units SET given_back = true WHERE retirement_id = $1", retirement_id
        )
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="retirement_cancelled",
            subject=("retirement", retirement_id),
            before={"tonnes": row["tonnes"]},
            why=why,
        )


# ---------------------------------------------------------------- reads


async def listed(db: Any, *, pending_only: bool = False, limit: int = 100) -> tuple[RetirementRow, ...]:
    """Retirements, the newest first."""
    rows = await db.fetch(
        "SELECT * FROM retirements WHERE NOT $1 OR state = 'proposed' ORDER BY proposed_at DESC, retirement_id DESC"
        " LIMIT $2",
        pending_only,
        limit,
    )
    return await _with_units(db, rows)


async def found(db: Any, retirement_id: str) -> RetirementRow | None:
    """One retirement."""
    rows = await db.fetch("SELECT * FROM retirements WHERE retirement_id = $1", retirement_id)
    return next(iter(await _with_units(db, rows)), None)


async def _with_units(db: Any, rows: Sequence[Any]) -> tuple[RetirementRow, ...]:
    units = await db.fetch(
        f"{UNITS} WHERE u.retirement_id = ANY($1::text[]) ORDER BY u.retirement_id, u.place",
        [row["retirement_id"] for row in rows],
    )
    lots = {row["lot_id"]: lot_of(row) for row in await db.fetch(LOTS)} if units else {}
    by_id: dict[str, list[UnitsRow]] = {}
    for unit in units:
        stretch = Units(unit["lot_id"], unit["first_serial"], unit["last_serial"])
        by_id.setdefault(unit["retirement_id"], []).append(_units_row(lots, stretch))
    return tuple(
        RetirementRow(
            retirement_id=row["retirement_id"],
            state=row["state"],
            tonnes=row["tonnes"],
            cancelled_for=row["cancelled_for"],
            subject=row["subject"],
            proposed_by=row["proposed_by"],
            proposed_at=row["proposed_at"],
            evidence=row["evidence"],
            decided_by=row["decided_by"],
            decided_at=row["decided_at"],
            why=row["why"],
            units=tuple(by_id.get(row["retirement_id"], ())),
        )
        for row in rows
    )


def _units_row(lots: Any, units: Units) -> UnitsRow:
    lot = lots[units.lot_id]
    return UnitsRow(
        lot_id=lot.lot_id,
        registry=lot.registry,
        project=lot.project,
        vintage=lot.vintage,
        serials=lot.serial_text(units.first_serial, units.last_serial),
        tonnes=units.tonnes,
    )


async def preview(db: Any, *, tonnes: int, year: int, now: datetime, lot_id: str | None = None) -> Preview:
    """What retiring so many tonnes would do now; `tonnes` is lowered to what the lots hold. Nothing is changed."""
    lots = await known_lots(db, lot_id)
    used = await promised(db, [lot.lot_id for lot in lots])
    most = sum(lot.tonnes for lot in lots) - sum(one.tonnes for one in used)
    tonnes = max(0, min(tonnes, most))
    units = next_units(lots, used, tonnes)
    parts = [*(await settling.pool(db)).parts, *units_of(_would_be(units, now))]
    debits = await settling.oldest_open(db, sum(part.free_g for part in parts))
    matching = match(debits, parts)
    by_visit: dict[str, int] = {}
    for cover in matching.covers:
        by_visit[cover.visit_id] = by_visit.get(cover.visit_id, 0) + cover.grams
    open_g, _ = await open_now(db)
    owed_g, covered_g = await year_sums(db, year)
    more_g = await _of_year(db, by_visit, year) if by_visit else 0
    whole = [debit.visit_id for debit in debits if by_visit.get(debit.visit_id) == debit.grams]
    by_id = {lot.lot_id: lot for lot in lots}
    return Preview(
        tonnes=tonnes,
        most_tonnes=most,
        units=tuple(_units_row(by_id, one) for one in units),
        visits=len(whole),
        visit_ids=tuple(whole[:SHOWN_MAX]),
        part_visit_id=next((one.visit_id for one in matching.open_debits if one.visit_id in by_visit), None),
        covered_g=sum(by_visit.values()),
        open_before_g=open_g,
        open_after_g=open_g - sum(by_visit.values()),
        pooled_after_g=matching.pooled_g,
        left_tonnes=await available_tonnes(db) - tonnes,
        year=year,
        closure_before_frac=share(covered_g, owed_g),
        closure_after_frac=share(covered_g + more_g, owed_g),
    )


def _would_be(units: Sequence[Units], now: datetime) -> Iterator[Retirement]:
    for place, one in enumerate(units):
        yield Retirement(
            retirement_id=f"~{place:04}", units=one, retired_at=now, evidence="preview", cancelled_for="preview"
        )


async def _of_year(db: Any, by_visit: dict[str, int], year: int) -> int:
    return int(
        await db.fetchval(
            "SELECT coalesce(sum(t.grams), 0) FROM unnest($1::text[], $2::bigint[]) AS t (visit_id, grams)"
            " JOIN visit_accounts a USING (visit_id) WHERE a.day >= $3 AND a.day < $4",
            list(by_visit),
            list(by_visit.values()),
            date(year, 1, 1),
            date(year + 1, 1, 1),
        )
    )


async def open_now(db: Any) -> tuple[int, int]:
    """Grams and visits of all years that are not covered."""
    row = await db.fetchrow(
        "SELECT coalesce(sum(owed_g - covered_g), 0)::bigint AS open_g, coalesce(sum(open_visits), 0)::bigint AS visits"
        " FROM carbon_days"
    )
    return row["open_g"], row["visits"]


async def year_sums(db: Any, year: int) -> tuple[int, int]:
    """Owed and covered grams of a year's visits."""
    row = await db.fetchrow(
        "SELECT coalesce(sum(owed_g), 0)::bigint AS owed_g, coalesce(sum(covered_g), 0)::bigint AS covered_g"
        " FROM carbon_days WHERE day >= $1 AND day < $2",
        date(year, 1, 1),
        date(year + 1, 1, 1),
    )
    return row["owed_g"], row["covered_g"]


def share(part: int, whole: int) -> Decimal | None:
    """A share to four places, or None of nothing."""
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001")) if whole else None
