"""Shapes of the carbon ledger for programs and pages: owns summary, visits, evidence, lots, retirements, entries.

Grams are whole grams of CO2e, days are the island's days, times are aware UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class ChainCheck:
    """The last proof of the book, made in the background. `at` is None before the first."""

    at: datetime | None
    rows: int
    head_hash: str
    broken_seq: int | None
    why: str

    @property
    def ok(self) -> bool:
        """Whether the book was proven whole."""
        return self.at is not None and self.broken_seq is None


@dataclass(frozen=True, slots=True)
class DayPoint:
    """Sums of one day."""

    day: date
    owed_g: int
    retired_g: int


@dataclass(frozen=True, slots=True)
class Summary:
    """The four figures, the year's chart, and how the book stands.

    `open_*`, `oldest_*`, `due_*` and `overdue_*` (past their due day) are of all years, `year_*` of one.
    `closure_frac` is covered over owed of the year's visits (None without any), `median_days` from exit to the cover
    of the last gram. `unknown_visits` are over and have no figure yet.
    """

    year: int
    years: tuple[int, ...]
    open_g: int
    open_visits: int
    oldest_day: date | None
    oldest_days: int | None
    due_days: int | None
    year_owed_g: int
    year_visits: int
    year_covered_g: int
    year_retired_g: int
    closure_frac: Decimal | None
    median_days: Decimal | None
    available_tonnes: int
    pooled_g: int
    corrections: int
    unknown_visits: int
    length: int
    check: ChainCheck
    days: tuple[DayPoint, ...]
    overdue_visits: int = 0
    overdue_g: int = 0


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit in a list. `plate` is empty when it was made anonymous, `problem` says why there is no figure."""

    visit_id: str
    at: datetime
    day: date
    plate: str
    plate_colour: str
    purpose: str
    purpose_text: str
    application_id: str | None
    vehicle_class: str
    tier: int | None
    fuel_amount: Decimal | None
    fuel_unit: str
    owed_g: int
    covered_g: int
    information: bool
    uncertainty_frac: Decimal | None
    due_on: date | None
    days_late: int
    problem: str
    revision: int

    @property
    def open_g(self) -> int:
        """Owed and not covered."""
        return self.owed_g - self.covered_g


@dataclass(frozen=True, slots=True)
class VisitPage:
    """One page of visits; `next_cursor` is None at the end."""

    items: tuple[VisitRow, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class FactorUsed:
    """One dated row that a figure was computed with."""

    factor_id: str
    key: str
    value: str
    unit: str
    source: str
    valid_from: date


@dataclass(frozen=True, slots=True)
class Doubted:
    """A piece of evidence that was set aside; `zh` and `en` say why."""

    evidence: str
    doubt: str
    detail: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What somebody declared of a visit. `by` is a user's name for the office, and empty for the applicant."""

    evidence_id: str
    at: datetime
    by: str
    by_role: str
    declared: dict[str, str | None]
    papers: tuple[str, ...]
    note: str


@dataclass(frozen=True, slots=True)
class CoverRow:
    """A stretch of one unit that covers a visit."""

    registry: str
    project: str
    vintage: int
    serial: str
    retirement_id: str
    from_g: int
    to_g: int
    at: datetime

    @property
    def grams(self) -> int:
        """How much is covered."""
        return self.to_g - self.from_g


@dataclass(frozen=True, slots=True)
class Figure:
    """How a visit's grams came about, as computed at `computed_at`."""

    revision: int
    computed_at: datetime
    day: date
    co2_g: int
    ch4_g_co2e: int
    n2o_g_co2e: int
    total_g: int
    fuel: str
    fuel_amount: Decimal
    fuel_unit: str
    tier: int
    tier_zh: str
    tier_en: str
    uncertainty_frac: Decimal
    family: str
    gwp_set: str
    factor_version: str
    factors: tuple[FactorUsed, ...]
    set_aside: tuple[Doubted, ...]
    assumed: tuple[str, ...]
    information: bool
    evidence: dict[str, Any]


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """One visit with its figure, what was declared, what covers it, and its entries in the book."""

    row: VisitRow
    figure: Figure | None
    declared: tuple[Declared, ...]
    covers: tuple[CoverRow, ...]
    entries: tuple[EntryRow, ...]
    revisions: int
    entered_at: datetime | None
    left_at: datetime | None
    gate_in: str | None
    gate_out: str | None
    evidence_until: date | None
    neutralised_at: datetime | None


@dataclass(frozen=True, slots=True)
class PostingRow:
    """One line of an entry."""

    account: str
    grams: int


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry of the book. `visit_id` is the visit that it is about, where it is about one."""

    seq: int
    entry_id: str
    kind: str
    at: datetime
    author: str
    reason: str
    reverses: str | None
    visit_id: str | None
    grams: int
    postings: tuple[PostingRow, ...]
    details: dict[str, str]
    hash: str


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One page of entries, newest first."""

    items: tuple[EntryRow, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class LotRow:
    """One lot of credits. `left_tonnes` are neither retired nor promised to a pending retirement."""

    lot_id: str
    registry: str
    project: str
    vintage: int
    serials: str
    next_serials: str
    bought_on: date
    evidence: str
    tonnes: int
    left_tonnes: int
    added_by: str
    voided: bool


@dataclass(frozen=True, slots=True)
class UnitsRow:
    """Consecutive units of one lot."""

    lot_id: str
    registry: str
    project: str
    vintage: int
    serials: str
    tonnes: int


@dataclass(frozen=True, slots=True)
class RetirementRow:
    """A retirement: proposed by one, confirmed by another, or cancelled."""

    retirement_id: str
    state: str
    tonnes: int
    cancelled_for: str
    subject: str
    proposed_by: str
    proposed_at: datetime
    evidence: str
    decided_by: str | None
    decided_at: datetime | None
    why: str
    units: tuple[UnitsRow, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a retirement of so many tonnes would do now.

    `visit_ids` are the first of the visits that it covers whole, oldest first; `part_visit_id` is covered in part.
    `closure_*` are of the visits of `year`. `most_tonnes` can be retired at all.
    """

    tonnes: int
    most_tonnes: int
    units: tuple[UnitsRow, ...]
    visits: int
    visit_ids: tuple[str, ...]
    part_visit_id: str | None
    covered_g: int
    open_before_g: int
    open_after_g: int
    pooled_after_g: int
    left_tonnes: int
    year: int
    closure_before_frac: Decimal | None
    closure_after_frac: Decimal | None
