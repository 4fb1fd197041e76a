"""What people read of points and vouchers: owns the shapes that pages and the JSON API share. No SQL, no HTML.

Points are whole, carbon is in grams, money in fen, times are aware. Exact amounts (km, kWh, kg) are text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something said to a person: the word of the domain, and its sentence in both languages."""

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
    """How grams and points came about: the methodology's version, figures, sources, and the ids of all rows used.

    `valid_from` is the day from which that version holds.
    """

    key: str
    version: int
    name_zh: str
    name_en: str
    figures: tuple[FigureRecord, ...]
    sources: tuple[str, ...]
    row_ids: tuple[str, ...]
    capped_by: tuple[Sentence, ...]
    valid_from: date | None = None


@dataclass(frozen=True, slots=True)
class EarningRecord:
    """One act that points were asked for. `state` is granted, held or refused; `reasons` say why not granted."""

    event_id: str
    person: str
    key: str
    scene: Sentence
    state: str
    started_at: datetime
    ended_at: datetime
    claimed_at: datetime
    evidence: Sentence
    source_id: str
    start_place: str
    end_place: str
    merchant: str
    activity: str
    points: int
    grams: int
    reasons: tuple[Sentence, ...]
    detail: str
    formula: FormulaRecord | None
    release_at: datetime | None
    decided_at: datetime
    decided_by: str
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
    """Grams as something that people can imagine. `amount` is text; `row_ids` name the dated factors behind it."""

    code: str
    amount: str
    unit: str
    zh: str
    en: str
    row_ids: tuple[str, ...]


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
    """A person's account today. `available` can be spent; `held_points` wait for a look or for time."""

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
    """Entries, the newest first; `next_before` goes into the next request, None at the end."""

    entries: tuple[EntryRecord, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class EventPage:
    """Acts, the newest first; `next_cursor` goes into the next request, None at the end."""

    events: tuple[EarningRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class TripRecord:
    """One way between two codes; `ended_at` None: it still runs, and its end counts until `ends_by`.

    `event` is the act that it became, with its formula or why it gave nothing.
    """

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
    event: EarningRecord | None = None
    ends_by: datetime | None = None


@dataclass(frozen=True, slots=True)
class PhoneRules:
    """What a phone has to know of today's rules to say it at once, also without a network.

    A code that is older than `code_age_s` when it is read is too old even where a device's clock is as far off as may
    be. `phone_clock_s` is how far a phone's clock may be off; `trip_s` how long a trip may last.
    """

    code_age_s: int
    phone_clock_s: int
    trip_s: int
    appeal_days: int
    grams_per_point: int
    cap_day_points: int


@dataclass(frozen=True, slots=True)
class MethodRecord:
    """A methodology of today, for everybody to read. Sources are as written, `policy value` where none exists."""

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
class DeviceRecord:
    """A device or board that shows codes. `directions` by slot: act, start, end, either or charger."""

    device_id: str
    number: int
    typed_number: str
    name: str
    place: str
    merchant: str
    keys: tuple[str, ...]
    directions: tuple[str, ...]
    makes_acts: bool
    generation: int
    active: bool
    clock_offset_s: int
    clock_learnt_at: datetime
    clock_doubt: bool
    last_seen_at: datetime | None
    scans_day: int
    refused_day: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceSecret:
    """Shown once: what is loaded into the device. `file_text` is JSON; `svg` the same as a QR."""

    device_id: str
    number: int
    generation: int
    file_name: str
    file_text: str
    svg: str


@dataclass(frozen=True, slots=True)
class WayRecord:
    """The way from a place to another, from a day on until another row begins; 0 metres: not served."""

    from_place: str
    to_place: str
    metres: int
    valid_from: date
    valid_until: date | None
    source: str
    author: str
    reason: str
    at: datetime

    def holds(self, day: date) -> bool:
        """Whether the row holds on a day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """An act that waits for a person's look, with who asks for it (name, or empty) and their last acts' count."""

    event: EarningRecord
    person_name: str
    account_opened_at: datetime
    events_week: int
    held_week: int
    refused_week: int


@dataclass(frozen=True, slots=True)
class HeldPage:
    """The oldest first; `next_cursor` goes into the next request."""

    held: tuple[HeldRecord, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class AppealRecord:
    """A person's word against a refusal. Decided by somebody else than who refused."""

    appeal_id: str
    person: str
    person_name: str
    event: EarningRecord
    text: str
    at: datetime
    state: str
    points: int
    answer: str
    decided_at: datetime | None
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class SceneDay:
    """One scene on one day."""

    day: date
    scene: Sentence
    granted: int
    held: int
    refused: int
    points: int
    grams: int
    people: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The office's figures of a range of days; money-like sums are of all accounts now."""

    since: date
    until: date
    rows: tuple[SceneDay, ...]
    granted_points: int
    grams: int
    people: int
    held_open: int
    appeals_open: int
    accounts: int
    outstanding_points: int
    redeemed_points: int


@dataclass(frozen=True, slots=True)
class RefusalCell:
    """How often one reason came up at one device or source in one hour of the island's day (0 to 23)."""

    source_id: str
    name: str
    hour: int
    reason: Sentence
    count: int


@dataclass(frozen=True, slots=True)
class PersonPoints:
    """One person's account for staff."""

    person: str
    name: str
    opened_at: datetime
    me: PointsOfMe
    events: EventPage


@dataclass(frozen=True, slots=True)
class HeadRecord:
    """A published head: all chains up to `until` under one hash (hex)."""

    until: datetime
    accounts: int
    entries: int
    root: str
    published_at: datetime


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
