"""Points that are spent and acts that are confirmed: owns the shapes of catalogue, redemptions and the till."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cloud_sync.server.points.records import Sentence


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """One thing of the catalogue. `state` is offered, coming, ended or sold_out."""

    item_id: str
    name_zh: str
    name_en: str
    text_zh: str
    text_en: str
    price_points: int
    stock: int
    left: int
    person_max: int
    merchants: tuple[str, ...]
    merchant_names: tuple[str, ...]
    merchant_names_en: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class RedemptionRecord:
    """One thing that a person took; the code itself is never here."""

    redemption_id: str
    item_id: str
    name_zh: str
    name_en: str
    price_points: int
    state: Sentence
    reserved_at: datetime
    ends_at: datetime
    used_at: datetime | None
    used_by: str


@dataclass(frozen=True, slots=True)
class CodeRecord:
    """A redemption with its one-time code, for the person who bought it."""

    redemption: RedemptionRecord
    code: str
    code_grouped: str
    svg: str


@dataclass(frozen=True, slots=True)
class TillCheck:
    """What a merchant sees of a code before taking it. `ok` False: `reason` says why."""

    ok: bool
    reason: Sentence | None
    redemption_id: str | None
    name_zh: str
    name_en: str
    ends_at: datetime | None
    used_at: datetime | None
    used_here: bool = False


@dataclass(frozen=True, slots=True)
class PersonCode:
    """What a person shows a merchant once, for some minutes, so that the merchant may confirm an act."""

    code: str
    code_grouped: str
    svg: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ConfirmedAct:
    """What became of one confirmed act; a merchant sees no figures of the person's account."""

    key: str
    state: str
    points: int
    grams: int
    reason: Sentence | None


@dataclass(frozen=True, slots=True)
class ConfirmationRecord:
    """A merchant's confirmation."""

    confirmation_id: str
    at: datetime
    acts: tuple[ConfirmedAct, ...]


@dataclass(frozen=True, slots=True)
class MerchantMethod:
    """What a merchant may confirm."""

    key: str
    name_zh: str
    name_en: str
    unit: str
    points_one: int
