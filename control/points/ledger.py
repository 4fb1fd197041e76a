"""The ledger of points: owns what an entry is, which entries are refused, lots and their expiry, and the hash chain.

One account a person, append-only, whole points. Every positive entry is a lot with a last day; what is spent comes out
of the lot that ends first, of those the first in. No entry names two people, so that points cannot be handed on, and
points are no money. A balance is what the entries say, at any time.

Only the reversal of an earning may leave a debt, when the points were spent already: later points pay it before they
can be spent. Storage belongs to the cloud, which takes an account up where it stands (`AccountState`) inside the
transaction, and rebuilds it from all of its entries with `verify`.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from control.domain import sealing


class EntryKind(StrEnum):
    """What happened."""

    EARN = "earn"
    EXPIRE = "expire"
    REDEEM = "redeem"
    RETURN = "return"
    REVERSE = "reverse"
    ADJUST = "adjust"


# Kinds that give points, and so make lots with a validity of their own.
_GIVING = frozenset({EntryKind.EARN, EntryKind.ADJUST})
# What takes another entry back, and which kinds it may take back.
_ABOUT: Mapping[EntryKind, frozenset[EntryKind]] = {
    EntryKind.EXPIRE: _GIVING,
    EntryKind.REVERSE: _GIVING,
    EntryKind.RETURN: frozenset({EntryKind.REDEEM}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One fact. `points` is signed; `about` is the entry that expires, is reversed or comes back.

    `valid_until` is the moment when the points of a giving entry end; of a return it is the earliest end of what comes
    back. `at` is aware and not before the account's last entry. `details` names rows, events and redemptions.
    """

    entry_id: str
    account_id: str
    kind: EntryKind
    at: datetime
    points: int
    author: str
    reason: str
    about: str | None = None
    valid_until: datetime | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry in its place: `seq` from 1 without gaps in its account, and the chain's head before and after it."""

    seq: int
    entry: Entry
    prev_hash: bytes
    hash: bytes


class Cause(StrEnum):
    """Why an entry is refused, or where a chain is broken."""

    ID_TAKEN = "id_taken"
    OTHER_ACCOUNT = "other_account"
    NO_TEXT = "no_text"
    BAD_TEXT = "bad_text"
    NO_TIME_ZONE = "no_time_zone"
    BEFORE_THE_LAST = "before_the_last"
    NOT_WHOLE_POINTS = "not_whole_points"
    WRONG_SIGN = "wrong_sign"
    NO_VALIDITY = "no_validity"
    ABOUT_NOTHING = "about_nothing"
    ABOUT_UNKNOWN = "about_unknown"
    ABOUT_WRONG_KIND = "about_wrong_kind"
    TAKEN_BACK_ALREADY = "taken_back_already"
    WRONG_AMOUNT = "wrong_amount"
    NOT_ENDED = "not_ended"
    NOT_ENOUGH = "not_enough"
    SEQUENCE = "sequence"
    PREVIOUS_HASH = "previous_hash"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that is not taken, and why."""

    cause: Cause
    detail: str


@dataclass(frozen=True, slots=True)
class Lot:
    """Points of one giving entry that end at one time. `entry_id` names the entry, `left` what is there still."""

    entry_id: str
    seq: int
    valid_until: datetime
    left: int


@dataclass(frozen=True, slots=True)
class Break:
    """The first entry that does not hold: its place, its id, and why."""

    seq: int
    entry_id: str
    cause: Cause
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """An account as it stands after `length` entries, as far as the next entry needs it.

    `lots` are all open ones in any order. Of the entry that the next one has the id of, and of the one that it is
    about, `known` holds the rows; for the latter also `spent` (the parts that a redemption came out of), `expired`
    (points of it that have ended) and `taken_back` (by which entry).
    """

    head: bytes
    length: int
    last_at: datetime | None
    debt: int = 0
    lots: tuple[Lot, ...] = ()
    known: tuple[SealedEntry, ...] = ()
    spent: Mapping[str, tuple[Lot, ...]] = field(default_factory=dict)
    expired: Mapping[str, int] = field(default_factory=dict)
    taken_back: Mapping[str, str] = field(default_factory=dict)


class PointsAccount:
    """One person's account, built from its entries. It takes them one after the other and refuses bad ones."""

    def __init__(self, account_id: str, state: AccountState | None = None) -> None:
        """Empty, or as it stands; what was before the state is then only known as far as the state says."""
        state = state or AccountState(head=genesis_hash(account_id), length=0, last_at=None)
        self.account_id = account_id
        self.head = state.head
        self.debt = state.debt
        self._length = state.length
        self._last_at = state.last_at
        self._sealed: list[SealedEntry] = []
        self._by_id = {row.entry.entry_id: row for row in state.known}
        self._lots = sorted(state.lots, key=_spending_order)
        self._spent = dict(state.spent)
        self._expired = dict(state.expired)
        self._taken_back = dict(state.taken_back)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[SealedEntry]:
        """The rows taken since the account was built."""
        return iter(self._sealed)

    @property
    def last_at(self) -> datetime | None:
        """When the last entry was written."""
        return self._last_at

    @property
    def balance(self) -> int:
        """Sum of all entries: what is in lots, also those that have ended and were not expired yet, less the debt."""
        return sum(lot.left for lot in self._lots) - self.debt

    def available(self, at: datetime) -> int:
        """What can be spent at a time: lots that have not ended, or 0 while there is a debt."""
        return 0 if self.debt else sum(lot.left for lot in self._lots if at < lot.valid_until)

    def lots(self) -> tuple[Lot, ...]:
        """What is left, in the order in which it is spent."""
        return tuple(self._lots)

    def parts_of(self, entry_id: str) -> tuple[Lot, ...]:
        """The parts of lots that a redemption or a deduction came out of; empty for other entries."""
        return self._spent.get(entry_id, ())

    def reversible(self, entry_id: str) -> int:
        """What a reversal of a giving entry takes: its points less those that have expired; 0 where there is none."""
        sealed = self._by_id.get(entry_id)
        if sealed is None or sealed.entry.kind not in _GIVING or entry_id in self._taken_back:
            return 0
        return sealed.entry.points - self._expired.get(entry_id, 0)

    def expiries(self, at: datetime, *, author: str, reason: str) -> tuple[Entry, ...]:
        """The entries that are due: one for each giving entry of which points have ended."""
        ended: dict[str, int] = {}
        for lot in self.lots():
            if lot.valid_until <= at:
                ended[lot.entry_id] = ended.get(lot.entry_id, 0) + lot.left
        return tuple(
            Entry(
                entry_id=f"expire:{about}:{len(self)}",
                account_id=self.account_id,
                kind=EntryKind.EXPIRE,
                at=at,
                points=-points,
                author=author,
                reason=reason,
                about=about,
            )
            for about, points in ended.items()
        )

    def append(self, entry: Entry) -> SealedEntry | Refusal:
        """The entry sealed into its place, or why not; after a refusal the account is as before.

        The same entry again gives the row that is there already, so that a lost answer can be asked for twice.
        """
        there = self._by_id.get(entry.entry_id)
        if there is not None and there.entry == entry:
            return there
        refused = self.refusal(entry)
        if refused is not None:
            return refused
        sealed = seal(len(self) + 1, entry, self.head)
        self.take(sealed)
        return sealed

    def refusal(self, entry: Entry) -> Refusal | None:
        """Why an entry may not be appended, or None."""
        if entry.entry_id in self._by_id:
            return Refusal(Cause.ID_TAKEN, f"entry {entry.entry_id} is in the account already, and differs")
        if entry.account_id != self.account_id:
            return Refusal(Cause.OTHER_ACCOUNT, f"the entry is for {entry.account_id}")
        return _form(entry) or self._order(entry) or self._about(entry) or self._amount(entry)

    def _order(self, entry: Entry) -> Refusal | None:
        if self._last_at is not None and entry.at < self._last_at:
            return Refusal(Cause.BEFORE_THE_LAST, f"the last entry is of {self._last_at.isoformat()}")
        return None

    def _about(self, entry: Entry) -> Refusal | None:
        kinds = _ABOUT.get(entry.kind)
        if kinds is None or entry.about is None:
            return None
        original = self._by_id.get(entry.about)
        if original is None:
            return Refusal(Cause.ABOUT_UNKNOWN, f"there is no entry {entry.about}")
        if original.entry.kind not in kinds or original.entry.points * entry.points >= 0:
            return Refusal(Cause.ABOUT_WRONG_KIND, f"a {entry.kind} is not about a {original.entry.kind}")
        by = self._taken_back.get(entry.about)
        # What came back after a reversal may still end.
        if by is not None and entry.kind is not EntryKind.EXPIRE:
            return Refusal(Cause.TAKEN_BACK_ALREADY, f"{entry.about} was taken back by {by}")
        return None

    def _amount(self, entry: Entry) -> Refusal | None:
        due: int | None = None
        match entry.kind:
            case EntryKind.EXPIRE:
                due = -sum(lot.left for lot in self._ended(entry.about, entry.at))
                if due == 0:
                    return Refusal(Cause.NOT_ENDED, f"nothing of {entry.about} has ended")
            case EntryKind.REVERSE:
                due = -self.reversible(entry.about or "")
            case EntryKind.RETURN:
                due = -self._by_id[entry.about or ""].entry.points
            case EntryKind.REDEEM | EntryKind.ADJUST if entry.points < 0 and -entry.points > self.available(entry.at):
                return Refusal(Cause.NOT_ENOUGH, f"{self.available(entry.at)} points can be spent")
            case _:
                pass
        if due is not None and entry.points != due:
            return Refusal(Cause.WRONG_AMOUNT, f"the entry is of {entry.points} points where {due} are due")
        return None

    def _ended(self, entry_id: str | None, at: datetime) -> list[Lot]:
        return [lot for lot in self._lots if lot.entry_id == entry_id and lot.valid_until <= at]

    def take(self, sealed: SealedEntry) -> None:
        """Appends a row that has been checked already, by `verify` or by the store it was read from."""
        entry = sealed.entry
        match entry.kind:
            case EntryKind.EXPIRE:
                assert entry.about is not None
                ended = self._ended(entry.about, entry.at)
                self._lots = [lot for lot in self._lots if lot not in ended]
                self._expired[entry.about] = self._expired.get(entry.about, 0) - entry.points
            case EntryKind.RETURN:
                self._give_back(sealed)
            case EntryKind.REVERSE:
                self._take_back(sealed)
            case _ if entry.points > 0:
                assert entry.valid_until is not None
                self._add(Lot(entry.entry_id, sealed.seq, entry.valid_until, entry.points))
            case _:
                self._spent[entry.entry_id] = self._spend(-entry.points, lambda lot: entry.at < lot.valid_until)
        if entry.about is not None and entry.kind is not EntryKind.EXPIRE:
            self._taken_back[entry.about] = entry.entry_id
        self._sealed.append(sealed)
        self._length, self._last_at = sealed.seq, entry.at
        self._by_id[entry.entry_id] = sealed
        self.head = sealed.hash

    def _give_back(self, sealed: SealedEntry) -> None:
        """Points of a redemption, to the lots they came from; those that would have ended have the entry's time."""
        entry = sealed.entry
        assert entry.about is not None
        assert entry.valid_until is not None
        for lot in self._spent[entry.about]:
            self._add(replace(lot, seq=sealed.seq, valid_until=max(lot.valid_until, entry.valid_until)))

    def _take_back(self, sealed: SealedEntry) -> None:
        """A reversal: first what is left of the same entry, then other lots in their order, then a debt."""
        entry = sealed.entry
        left = -entry.points
        left -= sum(part.left for part in self._spend(left, lambda lot: lot.entry_id == entry.about))
        left -= sum(part.left for part in self._spend(left, lambda lot: entry.at < lot.valid_until))
        self.debt += left

    def _add(self, lot: Lot) -> None:
        """A lot, less the debt that it pays."""
        paid = min(self.debt, lot.left)
        self.debt -= paid
        if lot.left > paid:
            insort(self._lots, replace(lot, left=lot.left - paid), key=_spending_order)

    def _spend(self, points: int, may: Callable[[Lot], bool]) -> tuple[Lot, ...]:
        """The parts that up to `points` come out of, of the lots that may be used, in the order of spending."""
        parts: list[Lot] = []
        kept: list[Lot] = []
        for lot in self._lots:
            part = min(points, lot.left) if points and may(lot) else 0
            if part:
                parts.append(replace(lot, left=part))
                points -= part
            if part == 0:
                kept.append(lot)
            elif part < lot.left:
                kept.append(replace(lot, left=lot.left - part))
        self._lots = kept
        return tuple(parts)


def _spending_order(lot: Lot) -> tuple[datetime, int, str]:
    return (lot.valid_until, lot.seq, lot.entry_id)


def _form(entry: Entry) -> Refusal | None:
    """What is wrong with the entry by itself."""
    if not all(text.strip() for text in (entry.entry_id, entry.account_id, entry.author, entry.reason)):
        return Refusal(Cause.NO_TEXT, "an entry needs an id, an account, an author and a reason")
    if entry.at.tzinfo is None or (entry.valid_until is not None and entry.valid_until.tzinfo is None):
        return Refusal(Cause.NO_TIME_ZONE, "the times of an entry need a time zone")
    if isinstance(entry.points, bool) or not isinstance(entry.points, int) or entry.points == 0:
        return Refusal(Cause.NOT_WHOLE_POINTS, "an entry is of whole points, and not of none")
    gives = entry.kind in (EntryKind.EARN, EntryKind.RETURN)
    if entry.kind is not EntryKind.ADJUST and gives != (entry.points > 0):
        return Refusal(Cause.WRONG_SIGN, f"a {entry.kind} is not of {entry.points} points")
    if (entry.kind in _ABOUT) != (entry.about is not None):
        return Refusal(Cause.ABOUT_NOTHING, "an entry names another one exactly when it takes that back")
    if (entry.points > 0) != (entry.valid_until is not None) or (entry.valid_until or entry.at) < entry.at:
        return Refusal(Cause.NO_VALIDITY, "points that are given end at some later time, and others have no end")
    return _text_form(entry)


def _text_form(entry: Entry) -> Refusal | None:
    if not all(isinstance(text, str) for text in entry.details.values()):
        return Refusal(Cause.BAD_TEXT, "details are text")
    texts = (entry.entry_id, entry.account_id, entry.author, entry.reason, entry.about or "", *entry.details)
    why = sealing.unwritable((*texts, *entry.details.values()))
    return None if why is None else Refusal(Cause.BAD_TEXT, f"a text cannot be written as UTF-8: {why}")


def genesis_hash(account_id: str) -> bytes:
    """Head of an account without entries."""
    return sealing.genesis("points", account_id)


def canonical_bytes(seq: int, entry: Entry) -> bytes:
    """The bytes that are hashed: JSON with sorted keys and no spaces, times in UTC to the microsecond."""
    fields = {
        "about": entry.about,
        "account": entry.account_id,
        "at": sealing.utc_text(entry.at),
        "author": entry.author,
        "details": dict(entry.details),
        "id": entry.entry_id,
        "kind": str(entry.kind),
        "points": entry.points,
        "reason": entry.reason,
        "seq": seq,
        "valid_until": None if entry.valid_until is None else sealing.utc_text(entry.valid_until),
    }
    return sealing.canonical(fields)


def seal(seq: int, entry: Entry, prev_hash: bytes) -> SealedEntry:
    """The entry as row `seq` of its account's chain: SHA-256 over the head before it and its canonical bytes."""
    return SealedEntry(seq, entry, prev_hash, sealing.sealed(prev_hash, canonical_bytes(seq, entry)))


def verify(account_id: str, rows: Iterable[SealedEntry]) -> PointsAccount | Break:
    """The account that the rows make, in order, or the first row that is broken.

    A chain that was cut at its end is whole in itself: compare `head` and length with what was published.
    """
    account = PointsAccount(account_id)
    for row in rows:
        broken = _broken(row, account)
        if broken is not None:
            return Break(row.seq, row.entry.entry_id, broken.cause, broken.detail)
        account.take(row)
    return account


def _broken(row: SealedEntry, account: PointsAccount) -> Refusal | None:
    if row.seq != len(account) + 1:
        return Refusal(Cause.SEQUENCE, f"row {row.seq} stands where {len(account) + 1} is due")
    if row.prev_hash != account.head:
        return Refusal(Cause.PREVIOUS_HASH, "the row does not follow the one before it")
    refused = account.refusal(row.entry)
    if refused is not None:
        return refused
    if seal(row.seq, row.entry, row.prev_hash).hash != row.hash:
        return Refusal(Cause.HASH, "the row is not what was hashed")
    return None
