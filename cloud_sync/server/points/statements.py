"""What merchants are owed for vouchers: owns the statement of a time, its CSV, and how a till's list differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from cloud_sync.server.people.members import organisation
from cloud_sync.server.points.voucher_records import DifferenceRecord, StatementLine, StatementRecord
from cloud_sync.server.problems import Problem
from cloud_sync.server.sql import Reader
from control.points import vouchers as domain
from control.points.vouchers import Spend, Statement

SPAN_MAX = timedelta(days=400)
LINES_MAX = 100_000
_HEAD_ZH = ("时间", "请求编号", "零碳券", "方案", "金额（元）", "撤销的消费", "消费编号")
_HEAD_EN = ("at", "request", "voucher", "scheme", "amount CNY", "takes back", "spend")


async def statement(db: Reader, merchant: str, *, since: datetime, until: datetime) -> StatementRecord:
    """A merchant's lines from `since` until just before `until`, and the redemptions meanwhile. Raises Problem."""
    ours, schemes = await _statement(db, merchant, since, until)
    taken = await db.fetchrow(
        "SELECT count(*) AS number, coalesce(sum(price_points), 0) AS points FROM redemptions"
        " WHERE used_by = $1 AND state = 'used' AND used_at >= $2 AND used_at < $3",
        *(merchant, since, until),
    )
    found = await organisation(db, merchant)
    return StatementRecord(
        merchant=merchant,
        merchant_name=found.name if found else "",
        since=since,
        until=until,
        lines=tuple(_line(one, schemes) for one in ours.lines),
        total_fen=ours.total_fen,
        redemptions=taken["number"],
        redemption_points=int(taken["points"]),
    )


async def _statement(db: Reader, merchant: str, since: datetime, until: datetime) -> tuple[Statement, dict[str, str]]:
    if not timedelta(0) < until - since <= SPAN_MAX:
        raise Problem("invalid", detail=f"since must be before until, at most {SPAN_MAX.days} days")
    rows = await db.fetch(
        "SELECT p.spend_id, p.voucher_id, p.merchant AS merchant_id, p.request_id, p.amount_fen, p.at, p.reverses,"
        " v.scheme_id FROM voucher_spends p JOIN vouchers v USING (voucher_id)"
        " WHERE p.merchant = $1 AND p.at >= $2 AND p.at < $3 ORDER BY p.at, p.spend_id LIMIT $4",
        *(merchant, since, until, LINES_MAX + 1),
    )
    if len(rows) > LINES_MAX:
        raise Problem("range_too_long")
    schemes = {row["voucher_id"]: row["scheme_id"] for row in rows}
    spends = (Spend(**{name: value for name, value in row.items() if name != "scheme_id"}) for row in rows)
    return domain.statement(merchant, spends, since=since, until=until), schemes


def _line(one: Spend, schemes: Mapping[str, str]) -> StatementLine:
    scheme = schemes[one.voucher_id]
    return StatementLine(one.spend_id, one.voucher_id, scheme, one.request_id, one.amount_fen, one.at, one.reverses)


async def reconcile(
    db: Reader, merchant: str, *, since: datetime, until: datetime, merchants_fen: Mapping[str, int]
) -> tuple[DifferenceRecord, ...]:
    """Where the merchant's own list, fen by request, differs from ours; empty when both agree."""
    ours, _ = await _statement(db, merchant, since, until)
    found = domain.reconcile(ours, merchants_fen)
    return tuple(DifferenceRecord(one.request_id, one.ours_fen, one.merchants_fen) for one in found)


def csv_rows(told: StatementRecord, *, lang: str, zone: Any) -> Iterator[tuple[object, ...]]:
    """The statement for a spreadsheet: local times, yuan with two decimals, the sum at the end."""
    yield _HEAD_ZH if lang.startswith("zh") else _HEAD_EN
    for one in told.lines:
        at = one.at.astimezone(zone).isoformat(sep=" ", timespec="seconds")
        cells = (one.request_id, one.voucher_id, one.scheme_id)
        yield at, *cells, _yuan(one.amount_fen), one.reverses, one.spend_id
    yield "合计" if lang.startswith("zh") else "total", "", "", "", _yuan(told.total_fen), "", ""


def _yuan(fen: int) -> Decimal:
    """Two decimals; below zero where it was taken back."""
    return Decimal(fen).scaleb(-2)
