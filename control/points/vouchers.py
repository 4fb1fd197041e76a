"""Zero-carbon vouchers (零碳券): owns the reward scheme, issuing, spending, and what a merchant is owed.

A voucher is a fixed amount in fen that the office gives under a dated scheme (管理办法 art. 28, 34(7)), by default to
organisations only. It is no points: nothing here turns one into the other, and no voucher changes hands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from control.domain.errors import ConfigurationError


class HolderKind(StrEnum):
    """Who may hold a voucher."""

    ORGANISATION = "organisation"
    PERSON = "person"


ORGANISATIONS_ONLY = frozenset({HolderKind.ORGANISATION})


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardScheme:
    """One dated scheme. `amounts_fen` are the amounts that vouchers may have, `budget_fen` all that may be issued.

    `in_parts` allows a voucher to be spent bit by bit. A scheme is never edited: it ends and another begins.
    """

    scheme_id: str
    name_zh: str
    name_en: str
    amounts_fen: frozenset[int]
    budget_fen: int
    validity_days: int
    valid_from: datetime
    merchants: frozenset[str]
    source: str
    author: str
    approved_by: str
    reason: str
    in_parts: bool = False
    holders: frozenset[HolderKind] = ORGANISATIONS_ONLY
    valid_until: datetime | None = None


def check_scheme(scheme: RewardScheme) -> RewardScheme:
    """The scheme, checked. Raises ConfigurationError naming scheme, field and reason."""
    where = f"Scheme {scheme.scheme_id or 'without id'}"
    for name in ("scheme_id", "name_zh", "name_en", "source", "author", "approved_by", "reason"):
        if not str(getattr(scheme, name)).strip():
            raise ConfigurationError(f"{where}: `{name}` is missing; a scheme needs it as text.")
    if scheme.approved_by == scheme.author:
        raise ConfigurationError(f"{where}: `approved_by` is the author; a second person approves a scheme.")
    if not scheme.amounts_fen or not all(_is_fen(fen) for fen in scheme.amounts_fen):
        raise ConfigurationError(f"{where}: `amounts_fen` needs whole fen above 0.")
    if not _is_fen(scheme.budget_fen) or scheme.budget_fen < min(scheme.amounts_fen):
        raise ConfigurationError(f"{where}: `budget_fen` needs whole fen, enough for one voucher.")
    if scheme.validity_days <= 0:
        raise ConfigurationError(f"{where}: `validity_days` must be above 0, not {scheme.validity_days}.")
    if not scheme.holders or not scheme.merchants:
        raise ConfigurationError(f"{where}: `holders` and `merchants` need one each at least.")
    if scheme.valid_from.tzinfo is None or (scheme.valid_until is not None and scheme.valid_until <= scheme.valid_from):
        raise ConfigurationError(f"{where}: `valid_from` needs a time zone, and `valid_until` is after it.")
    return scheme


def _is_fen(fen: object) -> bool:
    return isinstance(fen, int) and not isinstance(fen, bool) and fen > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """One voucher; it ends at `valid_until`. What is left of it is what its spends say."""

    voucher_id: str
    scheme_id: str
    holder_kind: HolderKind
    holder_id: str
    amount_fen: int
    issued_at: datetime
    valid_until: datetime
    issued_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """Fen of a voucher at a merchant, or with `reverses` the same fen taken back, below 0."""

    spend_id: str
    voucher_id: str
    merchant_id: str
    request_id: str
    amount_fen: int
    at: datetime
    reverses: str | None = None


class VoucherRefused(StrEnum):
    """Why something is not done."""

    NOT_IN_FORCE = "not_in_force"
    HOLDER_NOT_ALLOWED = "holder_not_allowed"
    AMOUNT_NOT_ALLOWED = "amount_not_allowed"
    BUDGET_USED_UP = "budget_used_up"
    OWN_ISSUE = "own_issue"
    EXPIRED = "expired"
    HOLDER_OFF = "holder_off"
    OTHER_MERCHANT = "other_merchant"
    WHOLE_ONLY = "whole_only"
    NOT_ENOUGH_LEFT = "not_enough_left"
    REQUEST_DIFFERS = "request_differs"
    OTHER_SCHEME = "other_scheme"
    UNKNOWN_SPEND = "unknown_spend"
    REVERSED_ALREADY = "reversed_already"


def issue_voucher(
    scheme: RewardScheme,
    *,
    voucher_id: str,
    holder_kind: HolderKind,
    holder_id: str,
    amount_fen: int,
    issued_by: str,
    issued_fen: int,
    at: datetime,
) -> Voucher | VoucherRefused:
    """A new voucher; `issued_fen` is what the scheme has issued already."""
    if at < scheme.valid_from or (scheme.valid_until is not None and at >= scheme.valid_until):
        return VoucherRefused.NOT_IN_FORCE
    if holder_kind not in scheme.holders:
        return VoucherRefused.HOLDER_NOT_ALLOWED
    if issued_by == holder_id:
        return VoucherRefused.OWN_ISSUE
    if amount_fen not in scheme.amounts_fen:
        return VoucherRefused.AMOUNT_NOT_ALLOWED
    if issued_fen + amount_fen > scheme.budget_fen:
        return VoucherRefused.BUDGET_USED_UP
    return Voucher(
        voucher_id=voucher_id,
        scheme_id=scheme.scheme_id,
        holder_kind=holder_kind,
        holder_id=holder_id,
        amount_fen=amount_fen,
        issued_at=at,
        valid_until=at + timedelta(days=scheme.validity_days),
        issued_by=issued_by,
    )


def left_fen(voucher: Voucher, spends: Iterable[Spend]) -> int:
    """What is left of a voucher, whether it has ended or not."""
    return voucher.amount_fen - sum(one.amount_fen for one in spends if one.voucher_id == voucher.voucher_id)


def spend(voucher: Voucher, scheme: RewardScheme, spends: Iterable[Spend], asked: Spend) -> Spend | VoucherRefused:
    """The spend as it is to be stored; `spends` are all of the voucher.

    A merchant's request that is there already is answered with what was stored, whatever id it has now.
    """
    there = tuple(one for one in spends if one.voucher_id == voucher.voucher_id)
    for one in there:
        if (one.merchant_id, one.request_id) == (asked.merchant_id, asked.request_id) and one.reverses is None:
            return _again(one, asked, there)
    if voucher.scheme_id != scheme.scheme_id or asked.voucher_id != voucher.voucher_id or asked.reverses is not None:
        return VoucherRefused.OTHER_SCHEME
    if not voucher.issued_at <= asked.at < voucher.valid_until:
        return VoucherRefused.EXPIRED
    if asked.merchant_id not in scheme.merchants:
        return VoucherRefused.OTHER_MERCHANT
    left = left_fen(voucher, there)
    if not _is_fen(asked.amount_fen) or asked.amount_fen > left:
        return VoucherRefused.NOT_ENOUGH_LEFT
    if not scheme.in_parts and asked.amount_fen != voucher.amount_fen:
        return VoucherRefused.WHOLE_ONLY
    return asked


def _again(stored: Spend, asked: Spend, spends: Iterable[Spend]) -> Spend | VoucherRefused:
    if stored.amount_fen != asked.amount_fen:
        return VoucherRefused.REQUEST_DIFFERS
    taken_back = any(one.reverses == stored.spend_id for one in spends)
    return VoucherRefused.REVERSED_ALREADY if taken_back else stored


def take_back(spends: Iterable[Spend], spend_id: str, *, reversal_id: str, at: datetime) -> Spend | VoucherRefused:
    """The reversal of a spend, once; nothing is deleted. Asked again, it is the one that is there."""
    there = tuple(spends)
    original = next((one for one in there if one.spend_id == spend_id and one.reverses is None), None)
    if original is None:
        return VoucherRefused.UNKNOWN_SPEND
    for one in there:
        if one.reverses == spend_id:
            return one if one.spend_id == reversal_id else VoucherRefused.REVERSED_ALREADY
    return Spend(
        spend_id=reversal_id,
        voucher_id=original.voucher_id,
        merchant_id=original.merchant_id,
        request_id=original.request_id,
        amount_fen=-original.amount_fen,
        at=at,
        reverses=spend_id,
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """What a merchant is owed for a time: from `since` until just before `until`."""

    merchant_id: str
    since: datetime
    until: datetime
    lines: tuple[Spend, ...]

    @property
    def total_fen(self) -> int:
        """Spends less what was taken back."""
        return sum(line.amount_fen for line in self.lines)


def statement(merchant_id: str, spends: Iterable[Spend], *, since: datetime, until: datetime) -> Statement:
    """The merchant's lines in their order. Statements of consecutive times hold every line once."""
    lines = (one for one in spends if one.merchant_id == merchant_id and since <= one.at < until)
    return Statement(merchant_id, since, until, tuple(sorted(lines, key=lambda one: (one.at, one.spend_id))))


@dataclass(frozen=True, slots=True)
class Difference:
    """A request on which the merchant's till and the statement disagree; None where one of them has no line.

    A request that was taken back whole agrees with one that the merchant does not list.
    """

    request_id: str
    ours_fen: int | None
    merchants_fen: int | None


def reconcile(ours: Statement, merchants_fen: Mapping[str, int]) -> tuple[Difference, ...]:
    """Where the merchant's own list, fen by request, differs; empty when both agree."""
    mine: dict[str, int] = {}
    for line in ours.lines:
        mine[line.request_id] = mine.get(line.request_id, 0) + line.amount_fen
    requests = sorted(mine.keys() | merchants_fen.keys())
    found = (Difference(one, mine.get(one), merchants_fen.get(one)) for one in requests)
    return tuple(one for one in found if (one.ours_fen or 0) != (one.merchants_fen or 0))
