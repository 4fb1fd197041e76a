"""Points: one's account, codes, trips, catalogue, appeals, vouchers. Points and grams are whole; exact amounts text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from mobile.core.api.calling import Caller


@dataclass(frozen=True, slots=True)
class Sentence:
    """A word of the domain with its sentence in both languages."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class FigureRecord:
    """One number of a formula, as exact text."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FormulaRecord:
    """How grams and points came about; the version holds from `valid_from`."""

    key: str
    version: int
    name_zh: str
    name_en: str
    figures: tuple[FigureRecord, ...]
    sources: tuple[str, ...]
    row_ids: tuple[str, ...]
    capped_by: tuple[Sentence, ...]
    valid_from: date | None


@dataclass(frozen=True, slots=True)
class EarningRecord:
    """One act. `state` is granted, held or refused; `reasons` say why not granted."""

    event_id: str
    key: str
    scene: Sentence
    state: str
    started_at: datetime
    ended_at: datetime
    claimed_at: datetime
    evidence: Sentence
    start_place: str
    end_place: str
    merchant: str
    points: int
    grams: int
    reasons: tuple[Sentence, ...]
    formula: FormulaRecord | None
    release_at: datetime | None
    decided_at: datetime
    reversed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ScanResult:
    """The answer to a scan: granted, held, refused, trip_started, trip_ended or charge_noted."""

    scan_id: str
    state: str
    points: int
    grams: int
    key: str
    reason: str
    sentence_zh: str
    sentence_en: str
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class EquivalentRecord:
    """Grams as something that people can imagine; `amount` is exact text."""

    code: str
    amount: str
    unit: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class BadgeRecord:
    """A badge and how often it was earned."""

    badge: str
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class GoalRecord:
    """What a person wants to earn in the month, and what they earned."""

    month_points: int
    earned_points: int


@dataclass(frozen=True, slots=True)
class PointsOfMe:
    """A person's account today. `available` can be spent; `held_points` wait."""

    balance: int
    available: int
    debt: int
    held_points: int
    held_count: int
    today_points: int
    today_grams: int
    total_grams: int
    next_end_at: datetime | None
    next_end_points: int
    equivalents: tuple[EquivalentRecord, ...]
    badges: tuple[BadgeRecord, ...]
    goal: GoalRecord | None


@dataclass(frozen=True, slots=True)
class EntryRecord:
    """One row of a person's ledger; `event` holds the formula where it was earned."""

    seq: int
    entry_id: str
    kind: Sentence
    at: datetime
    points: int
    reason: str
    about: str | None
    valid_until: datetime | None
    hash: str
    event: EarningRecord | None


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Entries, the newest first."""

    entries: tuple[EntryRecord, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Acts, the newest first."""

    events: tuple[EarningRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class TripRecord:
    """One way between two codes; `ended_at` None: it still runs, and counts when it ends before `ends_by`."""

    trip_id: str | None
    scene: Sentence
    start_place: str
    end_place: str
    metres: int | None
    started_at: datetime
    ended_at: datetime | None
    state: str
    points: int
    grams: int
    event: EarningRecord | None
    ends_by: datetime | None


@dataclass(frozen=True, slots=True)
class PhoneRules:
    """What the app says of today's rules at once: the greatest age of a code, seconds; how long a trip may last."""

    code_age_s: int
    phone_clock_s: int
    trip_s: int
    appeal_days: int
    grams_per_point: int
    cap_day_points: int


@dataclass(frozen=True, slots=True)
class MethodRecord:
    """A methodology of today."""

    methodology_id: str
    key: str
    version: int
    name_zh: str
    name_en: str
    scene: Sentence
    formula_zh: str
    formula_en: str
    unit: str
    figures: tuple[FigureRecord, ...]
    sources: tuple[str, ...]
    evidence: tuple[Sentence, ...]
    cap_day_g: int
    acts_day_max: int
    claim_window_h: int
    badge: str
    valid_from: date
    reason: str


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
    valid_from: datetime
    valid_until: datetime | None
    state: str
    merchant_names_en: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RedemptionRecord:
    """One thing that a person took; without its code."""

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
    """A redemption with its one-time code."""

    redemption: RedemptionRecord
    code: str
    code_grouped: str


@dataclass(frozen=True, slots=True)
class PersonCode:
    """What a person shows a merchant once, for some minutes."""

    code: str
    code_grouped: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class AppealRecord:
    """A word against a refusal, and the answer."""

    appeal_id: str
    event: EarningRecord
    text: str
    at: datetime
    state: str
    points: int
    answer: str
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class AppealMade:
    """The appeal's id."""

    appeal_id: str


@dataclass(frozen=True, slots=True)
class VoucherRecord:
    """One voucher with what is left of it. `state` is valid, spent or ended."""

    voucher_id: str
    scheme_id: str
    scheme_name_zh: str
    scheme_name_en: str
    amount_fen: int
    left_fen: int
    issued_at: datetime
    valid_until: datetime
    state: str


@dataclass(frozen=True, slots=True)
class VoucherCode:
    """A voucher with its code."""

    voucher: VoucherRecord
    code: str
    code_grouped: str


class Points:
    """Calls about points."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def me(self) -> PointsOfMe:
        """Balance, today, what waits, and what the grams stand for."""
        return await self._caller.call("GET", "/points/me", answer=PointsOfMe)

    async def history(self, *, before: int | None = None, limit: int = 50) -> HistoryPage:
        """The ledger, the newest first."""
        query = {"before": before, "limit": limit}
        return await self._caller.call("GET", "/points/me/history", query=query, answer=HistoryPage)

    async def events(self, *, state: str = "", cursor: str = "", limit: int = 50) -> EventPage:
        """Acts, also what waits and what was refused."""
        query = {"state": state, "cursor": cursor, "limit": limit}
        return await self._caller.call("GET", "/points/me/events", query=query, answer=EventPage)

    async def trips(self, *, limit: int = 50) -> tuple[TripRecord, ...]:
        """One's ways; one that still runs comes first."""
        return await self._caller.call("GET", "/points/trips", query={"limit": limit}, answer=tuple[TripRecord, ...])

    async def badges(self) -> tuple[BadgeRecord, ...]:
        """One's badges."""
        return await self._caller.call("GET", "/points/badges", answer=tuple[BadgeRecord, ...])

    async def set_goal(self, month_points: int) -> None:
        """What one wants to earn in a month."""
        await self._caller.call("PUT", "/points/goal", body={"month_points": month_points})

    async def drop_goal(self) -> None:
        """Takes the goal away."""
        await self._caller.call("DELETE", "/points/goal")

    async def scan(self, text: str, scanned_at: datetime, *, direction: str | None = None, key: str) -> ScanResult:
        """Hands a code in. A refusal is an answer."""
        body = {"text": text, "scanned_at": scanned_at, "direction": direction}
        return await self._caller.call("POST", "/points/scans", body=body, key=key, answer=ScanResult)

    async def walk(
        self, *, started_at: datetime, ended_at: datetime, distance_km: str, steps: int, key: str
    ) -> ScanResult:
        """Hands a walk in."""
        body = {"started_at": started_at, "ended_at": ended_at, "distance_km": distance_km, "steps": steps}
        return await self._caller.call("POST", "/points/walks", body=body, key=key, answer=ScanResult)

    async def person_code(self) -> PersonCode:
        """A code to show a merchant."""
        return await self._caller.call("POST", "/points/person-code", answer=PersonCode)

    async def methods(self) -> tuple[MethodRecord, ...]:
        """How acts are counted today."""
        return await self._caller.call("GET", "/points/methods", answer=tuple[MethodRecord, ...], is_signed=False)

    async def phone_rules(self) -> PhoneRules:
        """What the app has to know without a network."""
        return await self._caller.call("GET", "/points/phone-rules", answer=PhoneRules, is_signed=False)

    async def catalogue(self) -> tuple[ItemRecord, ...]:
        """What is offered."""
        return await self._caller.call("GET", "/points/catalogue", answer=tuple[ItemRecord, ...])

    async def redeem(self, item_id: str, *, key: str) -> CodeRecord:
        """Takes one thing; the same key again gives the same code."""
        return await self._caller.call(
            "POST", "/points/redemptions", body={"item_id": item_id}, key=key, answer=CodeRecord
        )

    async def redemptions(self, *, before: str | None = None, limit: int = 50) -> tuple[RedemptionRecord, ...]:
        """What one took, the newest first."""
        query = {"before": before, "limit": limit}
        return await self._caller.call("GET", "/points/redemptions", query=query, answer=tuple[RedemptionRecord, ...])

    async def appeals(self, *, before: str | None = None, limit: int = 50) -> tuple[AppealRecord, ...]:
        """One's appeals, the newest first."""
        query = {"before": before, "limit": limit}
        return await self._caller.call("GET", "/points/appeals", query=query, answer=tuple[AppealRecord, ...])

    async def appeal(self, event_id: str, text: str, *, key: str) -> AppealMade:
        """Appeals against a refusal or a reversal."""
        body = {"event_id": event_id, "text": text}
        return await self._caller.call("POST", "/points/appeals", body=body, key=key, answer=AppealMade)

    async def my_vouchers(self) -> tuple[VoucherCode, ...]:
        """Vouchers of the person's organisation, for accounts that may hold some."""
        return await self._caller.call("GET", "/vouchers/mine", answer=tuple[VoucherCode, ...])
