"""Redemption of points: owns the catalogue item, the states of a redemption, and its one-time code.

reserved -> issued -> used; issued -> expired -> returned; reserved -> returned. Stock and points are taken with the
reservation and come back with `returned`. Everything is a value: the cloud locks the item and the account, asks here,
and stores the answer with the ledger entry in one transaction.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from control.points import rules as keys
from control.points.crockford import decode, encode, normalised
from control.points.rules import PointRules

CODE_LENGTH = 12
CODE_BYTES = 8
_CODE_BITS = 5 * CODE_LENGTH
_PEPPER_BYTES_MIN = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing of the catalogue. `stock` is all that was ever put in; `valid_until` None: until further notice."""

    item_id: str
    name_zh: str
    name_en: str
    price_points: int
    stock: int
    person_max: int
    merchants: frozenset[str]
    valid_from: datetime
    valid_until: datetime | None = None

    def __post_init__(self) -> None:
        if self.price_points <= 0 or self.stock < 0 or self.person_max <= 0:
            raise ValueError(f"Item {self.item_id} needs a price and a limit above 0 and a stock of 0 or more.")


class State(StrEnum):
    """Where a redemption stands."""

    RESERVED = "reserved"
    ISSUED = "issued"
    USED = "used"
    EXPIRED = "expired"
    RETURNED = "returned"


# What still takes stock and a place under the person's limit.
HOLDING = frozenset(State) - {State.RETURNED}
STEPS: frozenset[tuple[State, State]] = frozenset(
    {
        (State.RESERVED, State.ISSUED),
        (State.RESERVED, State.RETURNED),
        (State.ISSUED, State.USED),
        (State.ISSUED, State.EXPIRED),
        (State.EXPIRED, State.RETURNED),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """One thing that one person took. `ends_at` is the end of the reservation, then of the code.

    `code_hash` is what is stored of the one-time code; `used_request` is the merchant's request that used it.
    """

    redemption_id: str
    item_id: str
    person_id: str
    price_points: int
    state: State
    reserved_at: datetime
    ends_at: datetime
    code_hash: bytes = b""
    used_at: datetime | None = None
    used_by: str = ""
    used_request: str = ""


class RedemptionRefused(StrEnum):
    """Why something is not done."""

    NOT_ON_OFFER = "not_on_offer"
    SOLD_OUT = "sold_out"
    PERSON_LIMIT = "person_limit"
    NOT_ENOUGH_POINTS = "not_enough_points"
    WRONG_STATE = "wrong_state"
    TOO_LATE = "too_late"
    NOT_YET = "not_yet"
    WRONG_CODE = "wrong_code"
    OTHER_MERCHANT = "other_merchant"
    OWN_CODE = "own_code"
    USED_ALREADY = "used_already"


@dataclass(frozen=True, slots=True)
class RedemptionRefusal:
    """What was not done, and why; `used_at` where the code was used before."""

    reason: RedemptionRefused
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """An item with what was taken of it: how many in all, and how many by the person who asks."""

    item: Item
    taken: int
    taken_by_person: int

    @property
    def left(self) -> int:
        """How many are left."""
        return self.item.stock - self.taken


def shelf_of(item: Item, redemptions: Iterable[Redemption], person_id: str) -> Shelf:
    """The shelf as the redemptions say."""
    held = [one for one in redemptions if one.item_id == item.item_id and one.state in HOLDING]
    return Shelf(item, len(held), sum(one.person_id == person_id for one in held))


def reserve(
    shelf: Shelf, *, redemption_id: str, person_id: str, available_points: int, at: datetime, rules: PointRules
) -> Redemption | RedemptionRefusal:
    """A reservation; its price is taken from the ledger in the same transaction."""
    item = shelf.item
    if at < item.valid_from or (item.valid_until is not None and at >= item.valid_until):
        return RedemptionRefusal(RedemptionRefused.NOT_ON_OFFER)
    if shelf.left <= 0:
        return RedemptionRefusal(RedemptionRefused.SOLD_OUT)
    if shelf.taken_by_person >= item.person_max:
        return RedemptionRefusal(RedemptionRefused.PERSON_LIMIT)
    if available_points < item.price_points:
        return RedemptionRefusal(RedemptionRefused.NOT_ENOUGH_POINTS)
    return Redemption(
        redemption_id=redemption_id,
        item_id=item.item_id,
        person_id=person_id,
        price_points=item.price_points,
        state=State.RESERVED,
        reserved_at=at,
        ends_at=at + timedelta(minutes=rules.value(keys.RESERVATION)),
    )


def one_time_code(randomness: bytes) -> str:
    """Twelve characters (60 bits) of 8 random bytes that the caller draws."""
    if len(randomness) != CODE_BYTES:
        raise ValueError(f"A one-time code is made of {CODE_BYTES} random bytes, not of {len(randomness)}.")
    return encode(int.from_bytes(randomness, "big") >> (8 * CODE_BYTES - _CODE_BITS), CODE_LENGTH)


def code_hash(code: str, pepper: bytes) -> bytes:
    """What is stored of a code, and by which it is found: HMAC-SHA-256 with the cloud's secret."""
    if len(pepper) < _PEPPER_BYTES_MIN:
        raise ValueError(f"The secret for one-time codes has {len(pepper)} bytes; it needs {_PEPPER_BYTES_MIN}.")
    return hmac.digest(pepper, b"island/redemption/v1/" + normalised(code).encode("utf-8", "surrogatepass"), "sha256")


def readable(code: str) -> bool:
    """Whether a text could be a code at all."""
    text = normalised(code)
    return len(text) == CODE_LENGTH and decode(text) is not None


def issue(
    redemption: Redemption, *, hashed_code: bytes, at: datetime, rules: PointRules
) -> Redemption | RedemptionRefusal:
    """The reservation with its code."""
    if redemption.state is not State.RESERVED:
        return RedemptionRefusal(RedemptionRefused.WRONG_STATE)
    if at >= redemption.ends_at:
        return RedemptionRefusal(RedemptionRefused.TOO_LATE)
    ends_at = at + timedelta(days=rules.value(keys.CODE_VALIDITY))
    return replace(redemption, state=State.ISSUED, code_hash=hashed_code, ends_at=ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class UseRequest:
    """A merchant's wish to take a code. The same `request_id` is sent again when the answer was lost."""

    hashed_code: bytes
    merchant_id: str
    request_id: str
    staff_id: str
    at: datetime


def use(redemption: Redemption, item: Item, request: UseRequest) -> Redemption | RedemptionRefusal:
    """The redemption as used, or why not. The same request of the same merchant has the same answer for ever."""
    if not redemption.code_hash or not hmac.compare_digest(redemption.code_hash, request.hashed_code):
        return RedemptionRefusal(RedemptionRefused.WRONG_CODE)
    if redemption.state is State.USED:
        same = (redemption.used_by, redemption.used_request) == (request.merchant_id, request.request_id)
        return redemption if same else RedemptionRefusal(RedemptionRefused.USED_ALREADY, redemption.used_at)
    if redemption.state is not State.ISSUED:
        return RedemptionRefusal(RedemptionRefused.WRONG_STATE)
    if request.merchant_id not in item.merchants:
        return RedemptionRefusal(RedemptionRefused.OTHER_MERCHANT)
    if request.staff_id == redemption.person_id:
        return RedemptionRefusal(RedemptionRefused.OWN_CODE)
    if request.at >= redemption.ends_at:
        return RedemptionRefusal(RedemptionRefused.TOO_LATE)
    return replace(
        redemption,
        state=State.USED,
        used_at=request.at,
        used_by=request.merchant_id,
        used_request=request.request_id,
    )


def expire(redemption: Redemption, at: datetime) -> Redemption | RedemptionRefusal:
    """An issued code whose time is over."""
    if redemption.state is not State.ISSUED:
        return RedemptionRefusal(RedemptionRefused.WRONG_STATE)
    if at < redemption.ends_at:
        return RedemptionRefusal(RedemptionRefused.NOT_YET)
    return replace(redemption, state=State.EXPIRED)


def give_back(redemption: Redemption) -> Redemption | RedemptionRefusal:
    """A reservation that is dropped, or an expired code: stock and points come back, once."""
    if redemption.state not in (State.RESERVED, State.EXPIRED):
        return RedemptionRefusal(RedemptionRefused.WRONG_STATE)
    return replace(redemption, state=State.RETURNED)
