"""What a person reads of their own points: owns the shapes that pages and the JSON API share. No SQL, no HTML.

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
class HeadRecord:
    """A published head: all chains up to `until` under one hash (hex)."""

    until: datetime
    accounts: int
    entries: int
    root: str
    published_at: datetime
