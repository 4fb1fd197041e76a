"""The book of grams: owns what an entry is, which entries are refused, the hash chain, and its verification.

Append-only and double-entry, in whole grams of CO2e: every entry's postings sum to zero, and a wrong entry is reversed
by another, never changed. What an entry means is built in `postings`. Storage belongs to the cloud, which checks with
`refusal` inside its transaction and chains with `seal`.

Signs: the liability of a visit or an event is negative while it is owed and reaches zero when it is covered; zone,
events, credits and retired are positive; the registry's account is what came out of registries, negative.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from control.carbon.exact import GRAMS_PER_TONNE
from control.domain import sealing


class AccountKind(StrEnum):
    """What an account is about; `visit`, `event` and `credit` have one account per visit, event and lot."""

    VISIT = "visit"
    ZONE = "zone"
    EVENT = "event"
    EVENTS = "events"
    CREDIT = "credit"
    REGISTRY = "registry"
    RETIRED = "retired"
    CORRECTION = "correction"


_SINGLE = frozenset(
    {
        *(AccountKind.ZONE, AccountKind.EVENTS, AccountKind.REGISTRY),
        *(AccountKind.RETIRED, AccountKind.CORRECTION),
    }
)


@dataclass(frozen=True, slots=True, order=True)
class Account:
    """One account; `ref` is the visit's or the lot's id, and empty for the others."""

    kind: AccountKind
    ref: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.ref}" if self.ref else str(self.kind)


ZONE = Account(AccountKind.ZONE)
EVENTS = Account(AccountKind.EVENTS)
REGISTRY = Account(AccountKind.REGISTRY)
RETIRED = Account(AccountKind.RETIRED)
CORRECTION = Account(AccountKind.CORRECTION)


def account_of(text: str) -> Account:
    """The account that `str(account)` names. Raises ValueError."""
    kind, _, ref = text.partition(":")
    return Account(AccountKind(kind), ref)


class EntryKind(StrEnum):
    """What happened."""

    VISIT_DEBIT = "visit_debit"
    EVENT_DEBIT = "event_debit"
    CORRECTION = "correction"
    CREDIT_BOUGHT = "credit_bought"
    RETIREMENT = "retirement"
    SETTLEMENT = "settlement"
    REVERSAL = "reversal"


# Which accounts an entry of each kind may touch: those that lose grams, and those that gain them.
_K = AccountKind
_SHAPES: Mapping[EntryKind, tuple[frozenset[AccountKind], frozenset[AccountKind]]] = {
    EntryKind.VISIT_DEBIT: (frozenset({_K.VISIT}), frozenset({_K.ZONE})),
    EntryKind.EVENT_DEBIT: (frozenset({_K.EVENT}), frozenset({_K.EVENTS})),
    EntryKind.CREDIT_BOUGHT: (frozenset({_K.REGISTRY}), frozenset({_K.CREDIT})),
    EntryKind.RETIREMENT: (frozenset({_K.CREDIT}), frozenset({_K.RETIRED})),
    EntryKind.SETTLEMENT: (frozenset({_K.RETIRED}), frozenset({_K.VISIT, _K.EVENT})),
    EntryKind.CORRECTION: (frozenset({_K.VISIT, _K.CORRECTION}), frozenset({_K.VISIT, _K.CORRECTION})),
}
_NOT_BELOW_ZERO = frozenset({AccountKind.ZONE, AccountKind.EVENTS, AccountKind.CREDIT, AccountKind.RETIRED})
_NOT_ABOVE_ZERO = frozenset({AccountKind.VISIT, AccountKind.EVENT, AccountKind.REGISTRY})
_WHOLE_TONNES = frozenset({EntryKind.CREDIT_BOUGHT, EntryKind.RETIREMENT})
# Units cancelled in a registry never come back.
_FINAL = frozenset({EntryKind.RETIREMENT, EntryKind.REVERSAL})


@dataclass(frozen=True, slots=True)
class Posting:
    """Whole grams CO2e that an account gains (positive) or loses."""

    account: Account
    grams: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One fact in the book. `at` is aware; `details` names factor rows, serials and evidence, as text."""

    entry_id: str
    kind: EntryKind
    at: datetime
    postings: tuple[Posting, ...]
    author: str
    reason: str
    reverses: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SealedEntry:
    """An entry in its place: `seq` from 1 without gaps, and the head of the chain before and after it."""

    seq: int
    entry: Entry
    prev_hash: bytes
    hash: bytes


class Cause(StrEnum):
    """Why an entry is refused, or where a chain is broken."""

    ID_TAKEN = "id_taken"
    NO_TEXT = "no_text"
    BAD_TEXT = "bad_text"
    NO_TIME_ZONE = "no_time_zone"
    NOT_WHOLE_GRAMS = "not_whole_grams"
    TOO_FEW_POSTINGS = "too_few_postings"
    ACCOUNT_TWICE = "account_twice"
    BAD_ACCOUNT = "bad_account"
    UNBALANCED = "unbalanced"
    WRONG_ACCOUNTS = "wrong_accounts"
    NOT_WHOLE_TONNES = "not_whole_tonnes"
    REVERSES_NOTHING = "reverses_nothing"
    REVERSES_UNKNOWN = "reverses_unknown"
    REVERSED_ALREADY = "reversed_already"
    FINAL = "final"
    NOT_THE_MIRROR = "not_the_mirror"
    OVERDRAWN = "overdrawn"
    SEQUENCE = "sequence"
    PREVIOUS_HASH = "previous_hash"
    HASH = "hash"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that is not taken, and why."""

    cause: Cause
    detail: str


class Known(Protocol):
    """What the book knows when an entry comes: entries by id, what reversed them, balances in grams."""

    def entry(self, entry_id: str) -> Entry | None:
        """The entry of an id."""
        ...

    def reversed_by(self, entry_id: str) -> str | None:
        """The id of the entry that reversed it."""
        ...

    def balance(self, account: Account) -> int:
        """Sum of an account's postings, grams."""
        ...


def refusal(entry: Entry, known: Known) -> Refusal | None:
    """Why `entry` may not be appended to what is known, or None. An id that is there already is always refused."""
    if known.entry(entry.entry_id) is not None:
        return Refusal(Cause.ID_TAKEN, f"entry {entry.entry_id} is in the book already")
    return _form(entry) or _meaning(entry, known) or _cover(entry, known)


def _form(entry: Entry) -> Refusal | None:
    """What is wrong with the entry by itself."""
    accounts = [posting.account for posting in entry.postings]
    if not (entry.entry_id.strip() and entry.author.strip() and entry.reason.strip()):
        return Refusal(Cause.NO_TEXT, "an entry needs an id, an author and a reason")
    if entry.at.tzinfo is None:
        return Refusal(Cause.NO_TIME_ZONE, "the time of an entry needs a time zone")
    if any(isinstance(posting.grams, bool) or not isinstance(posting.grams, int) for posting in entry.postings):
        return Refusal(Cause.NOT_WHOLE_GRAMS, "postings are whole grams")
    if len(accounts) < 2 or any(posting.grams == 0 for posting in entry.postings):
        return Refusal(Cause.TOO_FEW_POSTINGS, "an entry has two postings or more, and none of zero")
    if len(set(accounts)) < len(accounts):
        return Refusal(Cause.ACCOUNT_TWICE, "an account has one posting in an entry")
    if any(bool(account.ref) == (account.kind in _SINGLE) for account in accounts):
        return Refusal(Cause.BAD_ACCOUNT, "visits and lots are named, the other accounts are one each")
    total = sum(posting.grams for posting in entry.postings)
    if total:
        return Refusal(Cause.UNBALANCED, f"the postings sum to {total} g, not to 0")
    return _text_form(entry)


def _text_form(entry: Entry) -> Refusal | None:
    refs = (posting.account.ref for posting in entry.postings)
    texts = (entry.entry_id, entry.author, entry.reason, entry.reverses or "", *refs, *entry.details)
    if not all(isinstance(text, str) for text in entry.details.values()):
        return Refusal(Cause.BAD_TEXT, "details are text")
    why = sealing.unwritable((*texts, *entry.details.values()))
    return None if why is None else Refusal(Cause.BAD_TEXT, f"a text cannot be written as UTF-8: {why}")


def _meaning(entry: Entry, known: Known) -> Refusal | None:
    """What is wrong with the entry for its kind."""
    if entry.kind is EntryKind.REVERSAL:
        return _reversal(entry, known)
    if entry.reverses is not None:
        return Refusal(Cause.WRONG_ACCOUNTS, f"a {entry.kind} reverses nothing; that is the kind {EntryKind.REVERSAL}")
    losing, gaining = _SHAPES[entry.kind]
    for posting in entry.postings:
        if posting.account.kind not in (losing if posting.grams < 0 else gaining):
            return Refusal(Cause.WRONG_ACCOUNTS, f"a {entry.kind} may not post {posting.grams} g to {posting.account}")
    if entry.kind in _WHOLE_TONNES and any(posting.grams % GRAMS_PER_TONNE for posting in entry.postings):
        return Refusal(Cause.NOT_WHOLE_TONNES, "credits are bought and retired in whole tonnes")
    return None


def _reversal(entry: Entry, known: Known) -> Refusal | None:
    if entry.reverses is None:
        return Refusal(Cause.REVERSES_NOTHING, "a reversal names the entry that it reverses")
    original = known.entry(entry.reverses)
    if original is None:
        return Refusal(Cause.REVERSES_UNKNOWN, f"there is no entry {entry.reverses}")
    if original.kind in _FINAL:
        return Refusal(Cause.FINAL, f"a {original.kind} is final")
    by = known.reversed_by(entry.reverses)
    if by is not None:
        return Refusal(Cause.REVERSED_ALREADY, f"{entry.reverses} was reversed by {by}")
    if {(p.account, -p.grams) for p in original.postings} != {(p.account, p.grams) for p in entry.postings}:
        return Refusal(Cause.NOT_THE_MIRROR, f"the postings are not those of {entry.reverses} with the other sign")
    return None


def _cover(entry: Entry, known: Known) -> Refusal | None:
    """No credit, pool or zone total below zero, no visit covered by more than it owes."""
    for posting in entry.postings:
        after = known.balance(posting.account) + posting.grams
        kind = posting.account.kind
        if (kind in _NOT_BELOW_ZERO and after < 0) or (kind in _NOT_ABOVE_ZERO and after > 0):
            return Refusal(Cause.OVERDRAWN, f"{posting.account} would stand at {after} g")
    return None


def genesis_hash(book_id: str) -> bytes:
    """Head of a book without entries."""
    return sealing.genesis("carbon-book", book_id)


def canonical_bytes(seq: int, entry: Entry) -> bytes:
    """The bytes that are hashed: JSON with sorted keys and no spaces, the time in UTC to the microsecond.

    Raises UnicodeEncodeError for text that is no Unicode.
    """
    fields = {
        "at": sealing.utc_text(entry.at),
        "author": entry.author,
        "details": dict(entry.details),
        "id": entry.entry_id,
        "kind": str(entry.kind),
        "postings": [[str(posting.account), posting.grams] for posting in entry.postings],
        "reason": entry.reason,
        "reverses": entry.reverses,
        "seq": seq,
    }
    return sealing.canonical(fields)


def seal(seq: int, entry: Entry, prev_hash: bytes) -> SealedEntry:
    """The entry as row `seq` of the chain: SHA-256 over the head before it and its canonical bytes."""
    return SealedEntry(seq, entry, prev_hash, sealing.sealed(prev_hash, canonical_bytes(seq, entry)))


class Book:
    """A book in memory. It takes entries one after the other and refuses bad ones; nothing is ever removed."""

    def __init__(self, book_id: str) -> None:
        self.book_id = book_id
        self.head = genesis_hash(book_id)
        self._sealed: list[SealedEntry] = []
        self._entries: dict[str, Entry] = {}
        self._reversed: dict[str, str] = {}
        self._balances: dict[Account, int] = {}

    def __len__(self) -> int:
        return len(self._sealed)

    def __iter__(self) -> Iterator[SealedEntry]:
        return iter(self._sealed)

    def entry(self, entry_id: str) -> Entry | None:
        """The entry of an id."""
        return self._entries.get(entry_id)

    def reversed_by(self, entry_id: str) -> str | None:
        """The id of the entry that reversed it."""
        return self._reversed.get(entry_id)

    def balance(self, account: Account) -> int:
        """Sum of an account's postings, grams."""
        return self._balances.get(account, 0)

    def balances(self) -> Mapping[Account, int]:
        """All accounts that were ever posted to; they sum to zero."""
        return dict(self._balances)

    def append(self, entry: Entry) -> SealedEntry | Refusal:
        """The entry sealed into its place, or why not; after a refusal the book is as before."""
        refused = refusal(entry, self)
        if refused is not None:
            return refused
        sealed = seal(len(self) + 1, entry, self.head)
        self.take(sealed)
        return sealed

    def take(self, sealed: SealedEntry) -> None:
        """Appends a row that has been checked already, by `verify` or by the store it was read from."""
        entry = sealed.entry
        self._sealed.append(sealed)
        self._entries[entry.entry_id] = entry
        if entry.reverses is not None:
            self._reversed[entry.reverses] = entry.entry_id
        for posting in entry.postings:
            self._balances[posting.account] = self.balance(posting.account) + posting.grams
        self.head = sealed.hash


@dataclass(frozen=True, slots=True)
class Break:
    """The first entry that does not hold: its place, its id, and why."""

    seq: int
    entry_id: str
    cause: Cause
    detail: str


def verify(book_id: str, rows: Iterable[SealedEntry]) -> Book | Break:
    """The book that the rows make, in order, or the first row that is broken.

    Each row is checked for its number, its chain and whether the book would have taken it. A chain that was cut at its
    end is whole in itself: compare `Book.head` and its length with what was published.
    """
    book = Book(book_id)
    for row in rows:
        broken = row_refusal(row, book, length=len(book), head=book.head)
        if broken is not None:
            return Break(row.seq, row.entry.entry_id, broken.cause, broken.detail)
        book.take(row)
    return book


def row_refusal(row: SealedEntry, known: Known, *, length: int, head: bytes) -> Refusal | None:
    """Why a stored row does not follow a book of `length` entries whose head is `head`, or None.

    For a store whose rows do not fit into memory: `known` answers for the entries before this row.
    """
    if row.seq != length + 1:
        return Refusal(Cause.SEQUENCE, f"row {row.seq} stands where {length + 1} is due")
    if row.prev_hash != head:
        return Refusal(Cause.PREVIOUS_HASH, "the row does not follow the one before it")
    refused = refusal(row.entry, known)
    if refused is not None:
        return refused
    if seal(row.seq, row.entry, row.prev_hash).hash != row.hash:
        return Refusal(Cause.HASH, "the row is not what was hashed")
    return None
