"""Entries of the points ledger: owns how each is made from what happened, and their ids.

Ids are made from the event, the redemption or the reversed entry, so that what is done twice has the same id and is
taken once.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from control.points import rules as keys
from control.points.award import Award
from control.points.earning_types import EarningEvent, Granted
from control.points.ledger import Entry, EntryKind, PointsAccount
from control.points.redemption import Redemption
from control.points.rules import PointRules


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who writes an entry, when (aware) and why."""

    at: datetime
    author: str
    reason: str


def ends_at(at: datetime, rules: PointRules, zone: tzinfo) -> datetime:
    """The midnight of the island on which points end: the day that many months later, to its end."""
    day = at.astimezone(zone).date()
    months = day.year * 12 + day.month - 1 + rules.value(keys.VALIDITY)
    year, month = divmod(months, 12)
    last = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    return datetime.combine(last + timedelta(days=1), time(), tzinfo=zone)


def earned(event: EarningEvent, granted: Granted, stamp: Stamp, rules: PointRules, zone: tzinfo) -> Entry:
    """The points of a granted event. They live from when they are written, not from the event."""
    return Entry(
        entry_id=f"earn:{granted.dedupe_key}",
        account_id=event.person_id,
        kind=EntryKind.EARN,
        at=stamp.at,
        points=granted.award.points,
        author=stamp.author,
        reason=stamp.reason,
        valid_until=ends_at(stamp.at, rules, zone),
        details=_details(event, granted.award),
    )


def _details(event: EarningEvent, award: Award) -> dict[str, str]:
    return {
        "event": event.event_id,
        "key": award.key,
        "version": str(award.methodology_version),
        "rows": ",".join(award.row_ids),
        "grams": str(award.grams),
        "capped_by": ",".join(award.capped_by),
        "source": event.source_id,
        "ref": event.evidence_ref,
        **{f"figure.{name}": value for name, value in award.figures},
    }


def redeemed(redemption: Redemption, stamp: Stamp) -> Entry:
    """The price of a reservation."""
    return Entry(
        entry_id=f"redeem:{redemption.redemption_id}",
        account_id=redemption.person_id,
        kind=EntryKind.REDEEM,
        at=stamp.at,
        points=-redemption.price_points,
        author=stamp.author,
        reason=stamp.reason,
        details={"redemption": redemption.redemption_id, "item": redemption.item_id},
    )


def returned(redemption: Redemption, stamp: Stamp, rules: PointRules) -> Entry:
    """The price of a returned redemption, back to the lots it came from."""
    return Entry(
        entry_id=f"return:{redemption.redemption_id}",
        account_id=redemption.person_id,
        kind=EntryKind.RETURN,
        at=stamp.at,
        points=redemption.price_points,
        author=stamp.author,
        reason=stamp.reason,
        about=f"redeem:{redemption.redemption_id}",
        valid_until=stamp.at + timedelta(days=rules.value(keys.RETURN_GRACE)),
        details={"redemption": redemption.redemption_id, "item": redemption.item_id},
    )


def reversed_(account: PointsAccount, entry_id: str, stamp: Stamp) -> Entry:
    """The reversal of a giving entry: what has not expired of it. Of nothing, the ledger refuses it."""
    return Entry(
        entry_id=f"reverse:{entry_id}",
        account_id=account.account_id,
        kind=EntryKind.REVERSE,
        at=stamp.at,
        points=-account.reversible(entry_id),
        author=stamp.author,
        reason=stamp.reason,
        about=entry_id,
    )


def adjusted(appeal_id: str, account_id: str, points: int, stamp: Stamp, rules: PointRules, zone: tzinfo) -> Entry:
    """What an appeal gives (more than 0) or takes."""
    return Entry(
        entry_id=f"adjust:{appeal_id}",
        account_id=account_id,
        kind=EntryKind.ADJUST,
        at=stamp.at,
        points=points,
        author=stamp.author,
        reason=stamp.reason,
        valid_until=ends_at(stamp.at, rules, zone) if points > 0 else None,
        details={"appeal": appeal_id},
    )
