"""Emission of one's visits: figures, evidence, what covers them, and papers about them. Carbon is in whole grams."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mobile.core.api.calling import PDF, Caller


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit with its figure. `problem` says why there is none."""

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
    """Visits with their figures, the newest first."""

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
    """A piece of evidence that was set aside, and why."""

    evidence: str
    doubt: str
    detail: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What somebody declared of a visit; `by` is empty for the applicant."""

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


@dataclass(frozen=True, slots=True)
class Figure:
    """How a visit's grams came about."""

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
    factor_version: str
    factors: tuple[FactorUsed, ...]
    set_aside: tuple[Doubted, ...]
    assumed: tuple[str, ...]
    information: bool


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """One visit with its figure, what was declared, and what covers it. Evidence is taken until `evidence_until`."""

    row: VisitRow
    figure: Figure | None
    declared: tuple[Declared, ...]
    covers: tuple[CoverRow, ...]
    revisions: int
    entered_at: datetime | None
    left_at: datetime | None
    gate_in: str | None
    gate_out: str | None
    evidence_until: date | None
    neutralised_at: datetime | None


@dataclass(frozen=True, slots=True)
class EvidenceMade:
    """The number of a declaration."""

    evidence_id: str


@dataclass(frozen=True, slots=True)
class PaperRow:
    """An issued paper."""

    paper_id: str
    kind: str
    subject: str
    language: str
    sha256: str
    size_bytes: int
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class PaperPage:
    """Issued papers, the newest first."""

    items: tuple[PaperRow, ...]
    next_cursor: str | None


class Carbon:
    """Calls about the emission of one's visits."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def visits(
        self, *, tab: str = "all", year: int | None = None, cursor: str | None = None, limit: int = 50
    ) -> VisitPage:
        """One's visits; `tab` is all, open or unknown."""
        query = {"tab": tab, "year": year, "cursor": cursor, "limit": limit}
        return await self._caller.call("GET", "/carbon/visits", query=query, answer=VisitPage)

    async def visit(self, visit_id: str) -> VisitRecord:
        """How a visit's figure came about."""
        return await self._caller.call(
            "GET", "/carbon/visits/{visit_id}", path={"visit_id": visit_id}, answer=VisitRecord
        )

    async def declare(
        self, visit_id: str, evidence: Mapping[str, Any], *, papers: tuple[str, ...] = (), key: str
    ) -> EvidenceMade:
        """Adds evidence: fields by their names, None withdraws one; `papers` are hashes of uploaded ones."""
        return await self._caller.call(
            "POST",
            "/carbon/visits/{visit_id}/evidence",
            path={"visit_id": visit_id},
            body={**evidence, "papers": papers},
            key=key,
            answer=EvidenceMade,
        )

    async def issue_paper(
        self,
        *,
        kind: str,
        subject: str = "",
        since: date | None = None,
        until: date | None = None,
        language: str = "zh",
    ) -> PaperRow:
        """Makes a statement of visits (`visits` with days) or a certificate of a visit (`neutralisation`)."""
        body = {"kind": kind, "subject": subject, "since": since, "until": until, "language": language}
        return await self._caller.call("POST", "/papers", body=body, answer=PaperRow)

    async def papers(self, *, kind: str = "", subject: str = "", cursor: str = "", count: int = 50) -> PaperPage:
        """Papers that were issued to the person."""
        query = {"kind": kind, "subject": subject, "cursor": cursor, "count": count}
        return await self._caller.call("GET", "/papers", query=query, answer=PaperPage)

    async def paper_file(self, paper_id: str) -> bytes:
        """The PDF."""
        return await self._caller.call(
            "GET", "/papers/{paper_id}/file", path={"paper_id": paper_id}, answer=bytes, media_type=PDF
        )
