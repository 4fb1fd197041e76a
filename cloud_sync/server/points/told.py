"""Rows as people read them: owns how stored events, entries and formulas become records with their sentences."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import Any

from cloud_sync.server.points.events import award_of
from cloud_sync.server.points.parts import said
from cloud_sync.server.points.records import (
    EarningRecord,
    EntryRecord,
    FigureRecord,
    FormulaRecord,
    Sentence,
)
from control.domain.exact import to_decimal
from control.points.award import Award
from control.points.earning_types import Anomaly, Refused
from control.points.ledger import EntryKind
from control.points.methodology import Evidence, MethodologySet, Scene
from control.points.words import ANOMALIES, CAPS, EVIDENCE, KINDS, REFUSED, SCENES

ONE = Fraction(1)
_PLACES = 6
# The same few figures come again on every page.
SEEN = 4_096


def earning(row: Any, methods: MethodologySet) -> EarningRecord:
    """One act with its formula, and every reason in words."""
    award = award_of(row["judgement"])
    return EarningRecord(
        event_id=row["event_id"],
        person=row["person"],
        key=row["key"],
        scene=said(SCENES, Scene(row["scene"])),
        state=row["state"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        claimed_at=row["claimed_at"],
        evidence=said(EVIDENCE, Evidence(row["evidence"])),
        source_id=row["source_id"],
        start_place=row["start_place"],
        end_place=row["end_place"],
        merchant=row["merchant"],
        activity=readable(row["activity"]),
        points=row["points"],
        grams=row["grams"],
        reasons=tuple(reason(one) for one in row["reasons"]),
        detail=row["detail"],
        formula=None if award is None else formula(award, methods),
        release_at=row["release_at"],
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
        reversed_at=row["reversed_at"],
    )


def reason(code: str) -> Sentence:
    """Why an act was held or refused."""
    if code in set(Refused):
        return said(REFUSED, Refused(code))
    return said(ANOMALIES, Anomaly(code))


def formula(award: Award, methods: MethodologySet) -> FormulaRecord:
    """How the points came about, with the name of the methodology's version."""
    row = next((one for one in methods.rows if (one.key, one.version) == (award.key, award.methodology_version)), None)
    return FormulaRecord(
        key=award.key,
        version=award.methodology_version,
        name_zh=award.key if row is None else row.name_zh,
        name_en=award.key if row is None else row.name_en,
        figures=tuple(FigureRecord(name, figure(value)) for name, value in award.figures),
        sources=award.sources,
        row_ids=award.row_ids,
        capped_by=tuple(said(CAPS, one) for one in award.capped_by),
        valid_from=None if row is None else row.valid_from,
    )


@lru_cache(maxsize=SEEN)
def figure(value: str) -> str:
    """A figure of a formula as decimals; the unit that may follow it stays."""
    number, _, unit = value.partition(" ")
    return f"{readable(number)} {unit}".strip()


@lru_cache(maxsize=SEEN)
def readable(value: str) -> str:
    """An exact amount as decimals; what is no number stays as it is."""
    try:
        return f"{to_decimal(Fraction(value), _PLACES).normalize():f}"
    except (ValueError, ZeroDivisionError):
        return value


def entry(row: Any, event: EarningRecord | None) -> EntryRecord:
    """One row of the ledger."""
    return EntryRecord(
        seq=row["seq"],
        entry_id=row["entry_id"],
        kind=said(KINDS, EntryKind(row["kind"])),
        at=row["at"],
        points=row["points"],
        reason=row["reason"],
        about=row["about"],
        valid_until=row["valid_until"],
        hash=row["hash"].hex(),
        event=event,
    )
