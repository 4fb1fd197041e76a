"""Entries of the book: owns what a visit, a purchase, a retirement and a correction post to which accounts.

Each function only builds; whether the book takes the entry is decided in `ledger`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from control.carbon.exact import GRAMS_PER_TONNE
from control.carbon.ledger import (
    CORRECTION,
    EVENTS,
    REGISTRY,
    RETIRED,
    ZONE,
    Account,
    AccountKind,
    Entry,
    EntryKind,
    Posting,
)
from control.carbon.offsets import Cover, CreditLot, Retirement
from control.carbon.visit_types import VisitEmission
from control.domain import sealing
from control.domain.errors import IslandError


class NotPosted(IslandError):
    """An estimate that is information only, or nothing at all, has no place in the book."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Who posts an entry, when and why; `at` is aware."""

    entry_id: str
    at: datetime
    author: str
    reason: str


def visit_account(visit_id: str) -> Account:
    """Liability of one visit."""
    return Account(AccountKind.VISIT, visit_id)


def event_account(event_id: str) -> Account:
    """Liability of one event."""
    return Account(AccountKind.EVENT, event_id)


def event_subject(event_id: str) -> str:
    """How a cover names an event, where otherwise the id of a visit stands."""
    return str(event_account(event_id))


def credit_account(lot_id: str) -> Account:
    """Credits of one lot that are not retired yet."""
    return Account(AccountKind.CREDIT, lot_id)


def visit_debit(stamp: Stamp, visit_id: str, emission: VisitEmission, *, evidence: str = "") -> Entry:
    """What a visit owes. `evidence` is the content hash of what the figure was computed from.

    Raises NotPosted for an information figure and for a visit that burnt nothing.
    """
    grams = emission.total_g
    if emission.information or grams == 0:
        raise NotPosted(f"Visit {visit_id} has nothing to post: it is information only, or no fuel was burnt.")
    return _entry(
        stamp,
        EntryKind.VISIT_DEBIT,
        {visit_account(visit_id): -grams, ZONE: grams},
        tier=str(emission.tier),
        uncertainty=str(emission.uncertainty_frac),
        gwp_set=emission.gwp_set,
        factor_version=emission.factor_version,
        factor_ids=" ".join(emission.factor_ids),
        day=emission.day.isoformat(),
        evidence=evidence,
    )


def event_debit(stamp: Stamp, event_id: str, grams: int, *, evidence: str = "") -> Entry:
    """What an event owes. Its own retirement covers it; it is never covered before a visit by what is pooled.

    Raises NotPosted for an event that emitted nothing.
    """
    if grams == 0:
        raise NotPosted(f"Event {event_id} has nothing to post.")
    postings = {event_account(event_id): -grams, EVENTS: grams}
    return _entry(stamp, EntryKind.EVENT_DEBIT, postings, evidence=evidence)


def visit_correction(stamp: Stamp, visit_id: str, added_g: int) -> Entry:
    """A visit owes `added_g` more (negative: less) than was posted, where reversing and posting anew would not do."""
    return _entry(stamp, EntryKind.CORRECTION, {visit_account(visit_id): -added_g, CORRECTION: added_g})


def credits_bought(stamp: Stamp, lot: CreditLot) -> Entry:
    """A lot of credits comes out of its registry."""
    grams = lot.tonnes * GRAMS_PER_TONNE
    return _entry(
        stamp,
        EntryKind.CREDIT_BOUGHT,
        {REGISTRY: -grams, credit_account(lot.lot_id): grams},
        registry=lot.registry,
        project=lot.project,
        vintage=str(lot.vintage),
        serials=lot.serial_text(lot.first_serial, lot.last_serial),
        bought_on=lot.bought_on.isoformat(),
        evidence=lot.evidence,
    )


def credits_retired(stamp: Stamp, retirement: Retirement, lot: CreditLot) -> Entry:
    """Units of one lot are cancelled in their registry and join the pooled balance."""
    units = retirement.units
    grams = units.tonnes * GRAMS_PER_TONNE
    return _entry(
        stamp,
        EntryKind.RETIREMENT,
        {credit_account(lot.lot_id): -grams, RETIRED: grams},
        retirement=retirement.retirement_id,
        serials=lot.serial_text(units.first_serial, units.last_serial),
        evidence=retirement.evidence,
        cancelled_for=retirement.cancelled_for,
    )


def visits_covered(stamp: Stamp, covers: Iterable[Cover]) -> Entry:
    """The pooled balance covers visits, as `offsets.match` found. The entry holds the hash of the covers."""
    grams: dict[Account, int] = {}
    covers = tuple(covers)
    for cover in covers:
        account = _covered_account(cover.visit_id)
        grams[account] = grams.get(account, 0) + cover.grams
    return _entry(stamp, EntryKind.SETTLEMENT, {RETIRED: -sum(grams.values()), **grams}, covers=covers_digest(covers))


def _covered_account(subject: str) -> Account:
    prefix = f"{AccountKind.EVENT}:"
    return event_account(subject.removeprefix(prefix)) if subject.startswith(prefix) else visit_account(subject)


def covers_digest(covers: Iterable[Cover]) -> str:
    """SHA-256 of covers in their order, hexadecimal: ties the units to the settlement that used them."""
    rows = [
        [
            *(cover.visit_id, cover.retirement_id, cover.lot_id, cover.serial, cover.from_g, cover.to_g),
            sealing.utc_text(cover.at),
        ]
        for cover in covers
    ]
    return sha256(sealing.canonical(rows)).hexdigest()


def reversal_of(stamp: Stamp, original: Entry) -> Entry:
    """The entry that takes another one back."""
    return Entry(
        entry_id=stamp.entry_id,
        kind=EntryKind.REVERSAL,
        at=stamp.at,
        postings=tuple(Posting(posting.account, -posting.grams) for posting in original.postings),
        author=stamp.author,
        reason=stamp.reason,
        reverses=original.entry_id,
    )


def _entry(stamp: Stamp, kind: EntryKind, grams: dict[Account, int], **details: str) -> Entry:
    return Entry(
        entry_id=stamp.entry_id,
        kind=kind,
        at=stamp.at,
        postings=tuple(Posting(account, amount) for account, amount in sorted(grams.items())),
        author=stamp.author,
        reason=stamp.reason,
        details={name: str(text) for name, text in details.items()},
    )
