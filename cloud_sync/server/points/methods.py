"""The rules that everybody may read: owns the list of methodologies with formula, figures and sources in words."""

from __future__ import annotations

from datetime import date

from cloud_sync.server import rule_books
from cloud_sync.server.points import told
from cloud_sync.server.points.parts import said
from cloud_sync.server.points.records import FigureRecord, MethodRecord, PhoneRules
from cloud_sync.server.sql import Reader
from control.points import rules as keys
from control.points.methodology import Difference, Formula, Methodology, PerAct, PerUnit, sources_of
from control.points.rotating_code import STEP_S
from control.points.words import EVIDENCE, SCENES


async def methods(db: Reader, day: date) -> tuple[MethodRecord, ...]:
    """The methodologies of a day, in the order of the book."""
    found = (await rule_books.methodologies(db)).at(day)
    return tuple(_record(row) for row in found.values())


async def phone_rules(db: Reader, day: date) -> PhoneRules:
    """What a phone has to know of the rules of a day."""
    rules = (await rule_books.point_rules(db)).at(day)
    phone_clock_s = rules.value(keys.PHONE_CLOCK)
    # The window around the step that is expected, a step for rounding, and what either clock may be off.
    code_age_s = (rules.value(keys.CODE_WINDOW) + 1) * STEP_S + rules.value(keys.CODE_DRIFT_MAX) + phone_clock_s
    return PhoneRules(
        code_age_s=code_age_s,
        phone_clock_s=phone_clock_s,
        trip_s=rules.value(keys.TRIP_MAX),
        appeal_days=rules.value(keys.APPEAL_WINDOW),
        grams_per_point=rules.value(keys.GRAMS_PER_POINT),
        cap_day_points=rules.value(keys.CAP_DAY),
    )


def _record(row: Methodology) -> MethodRecord:
    figures = _figures(row.formula)
    chinese, english = _words(row, dict(figures))
    return MethodRecord(
        methodology_id=row.methodology_id,
        key=row.key,
        version=row.version,
        name_zh=row.name_zh,
        name_en=row.name_en,
        scene=said(SCENES, row.scene),
        formula_zh=chinese,
        formula_en=english,
        unit=row.unit.value,
        figures=tuple(FigureRecord(name, value) for name, value in figures),
        sources=sources_of(row.formula),
        evidence=tuple(said(EVIDENCE, one) for one in sorted(row.evidence)),
        cap_day_g=row.cap_day_g,
        acts_day_max=row.limits.acts_day_max,
        claim_window_h=row.claim_window_h,
        badge=row.badge,
        valid_from=row.valid_from,
        reason=row.reason,
    )


def _figures(formula: Formula) -> tuple[tuple[str, str], ...]:
    match formula:
        case Difference(baseline, project):
            return (("baseline_g", told.readable(str(baseline))), ("project_g", told.readable(str(project))))
        case PerUnit(grams) | PerAct(grams):
            return (("grams", told.readable(str(grams))),)


def _words(row: Methodology, figures: dict[str, str]) -> tuple[str, str]:
    unit = row.unit.value
    match row.formula:
        case Difference():
            values = f"({figures['baseline_g']} − {figures['project_g']}) g/{unit}"
            return f"减排量 = {values} × 活动量（{unit}）", f"reduction = {values} × activity ({unit})"
        case PerUnit():
            values = f"{figures['grams']} g/{unit}"
            return f"减排量 = {values} × 活动量（{unit}）", f"reduction = {values} × activity ({unit})"
        case PerAct():
            return f"减排量 = 每次 {figures['grams']} g", f"reduction = {figures['grams']} g each time"
