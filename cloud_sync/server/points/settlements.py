"""Months of vouchers that are settled with a merchant: owns settling one, and what came for it afterwards.

What is owed is what the counter recorded when each voucher was spent. A list of the merchant's own may lie beside it;
where that differs, the differences and why they stand are kept with the settlement. A settlement keeps the lines that
it holds. What is spent or taken back later is never written into it; it is shown as a difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, time

from cloud_sync.server.people.members import OrganisationKind, organisation
from cloud_sync.server.points import statements
from cloud_sync.server.points.parts import text_of
from cloud_sync.server.points.voucher_records import DifferenceRecord, SettlementRecord, StatementLine
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services
from cloud_sync.server.sql import Reader, as_json
from cloud_sync.server.store import Actor, write_audit

_LATE = """
WITH month AS (SELECT spend_id FROM voucher_spends WHERE merchant = $1 AND at >= $2 AND at < $3),
settled AS (SELECT unnest(spend_ids) AS spend_id FROM voucher_settlements WHERE merchant = $1 AND month = $4)
SELECT p.spend_id, p.voucher_id, v.scheme_id, p.request_id, p.amount_fen, p.at, p.reverses
FROM voucher_spends p JOIN vouchers v USING (voucher_id)
WHERE p.merchant = $1 AND p.at >= $2 AND p.spend_id NOT IN (SELECT spend_id FROM settled)
  AND (p.spend_id IN (SELECT spend_id FROM month) OR p.reverses IN (SELECT spend_id FROM month))
ORDER BY p.at, p.spend_id LIMIT $5
"""


def month_window(given: Services, month: str) -> tuple[datetime, datetime]:
    """From the first midnight of a month (`YYYY-MM`) until just before the next one's. Raises Problem."""
    try:
        first = date.fromisoformat(f"{month}-01")
        after = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    except ValueError as error:
        raise Problem("invalid", detail="month") from error
    since, until = (datetime.combine(day, time(), given.config.zone) for day in (first, after))
    return since, until


async def settle(
    given: Services,
    actor: Actor,
    merchant: str,
    month: str,
    merchants_fen: Mapping[str, int] | None = None,
    *,
    why: str = "",
) -> SettlementRecord:
    """Settles a month that is over. Raises Problem.

    `merchants_fen` is the merchant's own list, fen by request; where it differs, `why` has to say why that stands.
    """
    (since, until), now = month_window(given, month), given.clock()
    if until > now:
        raise Problem("month_not_over")
    async with given.change() as connection:
        found = await organisation(connection, merchant)
        if found is None or found.kind != OrganisationKind.MERCHANT.value:
            raise Problem("not_found")
        if await settlement(connection, merchant, month) is not None:
            raise Problem("month_settled")
        differences: tuple[DifferenceRecord, ...] = ()
        if merchants_fen is not None:
            span = {"since": since, "until": until}
            differences = await statements.reconcile(connection, merchant, **span, merchants_fen=merchants_fen)
        if differences and not why.strip():
            raise Problem("till_differs")
        ours = await statements.statement(connection, merchant, since=since, until=until)
        made = SettlementRecord(
            merchant=merchant,
            month=month,
            amount_fen=ours.total_fen,
            lines=len(ours.lines),
            settled_by=actor.username,
            at=now,
            compared=merchants_fen is not None,
            differences=differences,
            why=text_of(why, needed=False) if differences else "",
        )
        inserted = await connection.fetchval(
            "INSERT INTO voucher_settlements (merchant, month, amount_fen, lines, spend_ids, compared, differences,"
            " why, settled_by, at) VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8, $9, $10)"
            " ON CONFLICT (merchant, month) DO NOTHING RETURNING month",
            *(merchant, month, made.amount_fen, made.lines, [one.spend_id for one in ours.lines], made.compared),
            *(json.dumps([asdict(one) for one in differences]), made.why, actor.username, now),
        )
        if inserted is None:
            raise Problem("month_settled")
        await write_audit(
            connection,
            at=now,
            actor=actor,
            action="vouchers_settled",
            subject=("organisation", merchant),
            after={"month": month, "amount_fen": made.amount_fen, "lines": made.lines, "differences": len(differences)},
            why=made.why,
        )
    return made


async def settlement(db: Reader, merchant: str, month: str) -> SettlementRecord | None:
    """The settlement of a merchant's month."""
    row = await db.fetchrow(
        "SELECT merchant, month, amount_fen, lines, settled_by, at, compared, differences, why FROM voucher_settlements"
        " WHERE merchant = $1 AND month = $2",
        *(merchant, month),
    )
    if row is None:
        return None
    differences = tuple(DifferenceRecord(**one) for one in as_json(row["differences"]))
    return SettlementRecord(**{**row, "differences": differences})


async def late_lines(given: Services, merchant: str, month: str) -> tuple[StatementLine, ...]:
    """What a settled month does not hold: its lines that arrived later, and what was taken back of it since."""
    since, until = month_window(given, month)
    rows = await given.pool.fetch(_LATE, merchant, since, until, month, statements.LINES_MAX)
    return tuple(StatementLine(**row) for row in rows)
