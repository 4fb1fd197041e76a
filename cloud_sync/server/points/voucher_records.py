"""Vouchers as pages and programs see them: owns the shapes of schemes, spends, statements and settlements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SchemeRecord:
    """One reward scheme. `state` is proposed, coming, in_force or ended."""

    scheme_id: str
    name_zh: str
    name_en: str
    amounts_fen: tuple[int, ...]
    budget_fen: int
    issued_fen: int
    spent_fen: int
    validity_days: int
    valid_from: datetime
    valid_until: datetime | None
    merchants: tuple[str, ...]
    holders: tuple[str, ...]
    in_parts: bool
    source: str
    reason: str
    author: str
    approved_by: str | None
    approved_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class VoucherRecord:
    """One voucher with what is left of it. `state` is valid, spent or ended."""

    voucher_id: str
    scheme_id: str
    scheme_name_zh: str
    scheme_name_en: str
    holder_kind: str
    holder_id: str
    holder_name: str
    amount_fen: int
    left_fen: int
    issued_at: datetime
    valid_until: datetime
    state: str


@dataclass(frozen=True, slots=True)
class VoucherCode:
    """A voucher with its code, for its holder."""

    voucher: VoucherRecord
    code: str
    code_grouped: str
    svg: str


@dataclass(frozen=True, slots=True)
class SpendRecord:
    """One line: a spend, or (below zero) its taking back."""

    spend_id: str
    voucher_id: str
    merchant: str
    request_id: str
    amount_fen: int
    left_fen: int
    at: datetime
    reverses: str | None


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One line of a merchant's statement."""

    spend_id: str
    voucher_id: str
    scheme_id: str
    request_id: str
    amount_fen: int
    at: datetime
    reverses: str | None


@dataclass(frozen=True, slots=True)
class StatementRecord:
    """What a merchant is owed for a time, and the redemptions that it took meanwhile."""

    merchant: str
    merchant_name: str
    since: datetime
    until: datetime
    lines: tuple[StatementLine, ...]
    total_fen: int
    redemptions: int
    redemption_points: int


@dataclass(frozen=True, slots=True)
class DifferenceRecord:
    """A request on which till and statement disagree."""

    request_id: str
    ours_fen: int | None
    merchants_fen: int | None


@dataclass(frozen=True, slots=True)
class SettlementRecord:
    """A merchant's month (`YYYY-MM`) that is settled, with what was owed then.

    `compared`: the merchant's own list lay beside it; `differences` are those of that list, `why` says why they stand.
    """

    merchant: str
    month: str
    amount_fen: int
    lines: int
    settled_by: str
    at: datetime
    compared: bool = False
    differences: tuple[DifferenceRecord, ...] = ()
    why: str = ""
