"""The carbon ledger as people read it: owns rows, figures, formulas and findings in the reader's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

from babel.dates import format_date
from markupsafe import Markup

from cloud_sync.server.carbon.records import (
    Declared,
    EntryRow,
    FactorUsed,
    Figure,
    LotRow,
    Preview,
    RetirementRow,
    Summary,
    VisitRow,
)
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.permits_labels import class_name, said_of
from cloud_sync.server.console.permits_views import plate_chip
from cloud_sync.server.console.words import Words
from control.carbon.words import TIERS
from control.permits import words as permit_words

TIER_NAMES = {1: N_("Fuel measured"), 2: N_("Odometer"), 3: N_("Route and time"), 4: N_("Class default")}
EVIDENCE_NAMES = {
    "fuel": N_("Fuel"),
    "vehicle_class": N_("Emission class"),
    "energy": N_("Drive"),
    "fuel_used": N_("Fuel used"),
    "odometer_in_km": N_("Odometer at entry"),
    "odometer_out_km": N_("Odometer at exit"),
    "type_approval_per_100km": N_("Type-approval consumption"),
    "route_km": N_("Route"),
    "idle_min": N_("Standing with the engine on"),
    "pto_min": N_("Machine running"),
    "stay_min": N_("Stay"),
    "visit": N_("The whole visit"),
}
EVIDENCE_UNITS = {
    "odometer_in_km": "km",
    "odometer_out_km": "km",
    "route_km": "km",
    "idle_min": "min",
    "pto_min": "min",
    "stay_min": "min",
    "type_approval_per_100km": "/100 km",
}
FUELS = {
    "petrol": N_("Petrol"),
    "diesel": N_("Diesel"),
    "lng": N_("LNG"),
    "cng": N_("CNG"),
    "lpg": N_("LPG"),
    "plug_in_or_fuel_cell": N_("Plug-in hybrid or fuel cell"),
}
PROBLEMS = {
    "nothing_known": N_("Neither fuel nor vehicle class is known. Enter one of them."),
    "no_engine": N_("The vehicle has no engine."),
    "missing_factor": N_("A factor is missing for this day."),
    "withdrawn": N_("This turned out to be no visit."),
}
KINDS = {
    "visit_debit": N_("Emission of a visit"),
    "event_debit": N_("Emission of an event"),
    "correction": N_("Correction"),
    "credit_bought": N_("Credits bought"),
    "retirement": N_("Retirement"),
    "settlement": N_("Cover"),
    "reversal": N_("Reversal"),
}
# What the system writes into the book as the reason of an entry: the book keeps it in English for ever.
REASONS = {
    "the visit is over": N_("the visit is over"),
    "evidence was declared": N_("evidence was declared"),
    "first in, first out": N_("first in, first out"),
    "its own retirement": N_("its own retirement"),
}
_EVENT_REASON = "event "
STATES = {"proposed": N_("Waiting for review"), "confirmed": N_("Retired"), "cancelled": N_("Cancelled")}


@dataclass(frozen=True, slots=True)
class Line:
    """One visit in the table."""

    visit_id: str
    at: str
    chip: Markup
    purpose: str
    tier: int | None
    method: str
    method_title: str
    fuel: str
    kg: str
    uncertainty: str
    tinted: str
    state: str
    state_tone: str
    problem: str
    is_overdue: bool


def kg(grams: int, places: int = 2) -> str:
    """Kilograms with thousands apart."""
    return f"{Decimal(grams) / 1000:,.{places}f}".replace("-", "−")


def whole_kg(grams: int) -> str:
    """Kilograms; a decimal only where there is one."""
    text = f"{Decimal(grams) / 1000:,.1f}".replace("-", "−")
    return text.removesuffix(".0")


def share(value: Decimal | None, places: int = 1) -> str:
    """A share in percent; missing stays missing."""
    return "—" if value is None else f"{value * 100:.{places}f}%"


def plus_minus(value: Decimal | None) -> str:
    """A relative uncertainty."""
    return "—" if value is None else f"±{(value * 100).normalize():f}%"


def line(words: Words, row: VisitRow, preview: Preview | None = None) -> Line:
    """One visit; tinted where the retirement beside it would cover it."""
    state, tone = _state(words, row)
    return Line(
        visit_id=row.visit_id,
        at=_when(words, row.at),
        chip=plate_chip(words, row.plate, row.plate_colour, "ps"),
        purpose=row.purpose_text or said_of(words, permit_words.PURPOSES, row.purpose) or "—",
        tier=row.tier,
        method=words.gettext(TIER_NAMES[row.tier]) if row.tier else "—",
        method_title=tier_name(words, row.tier),
        fuel=f"{row.fuel_amount:,.2f} {unit(words, row.fuel_unit)}" if row.fuel_amount is not None else "—",
        kg=kg(row.owed_g) if not row.problem else "—",
        uncertainty=plus_minus(row.uncertainty_frac),
        tinted=_tinted(row.visit_id, preview),
        state=state,
        state_tone=tone,
        problem=words.gettext(PROBLEMS[row.problem]) if row.problem else "",
        is_overdue=row.days_late > 0,
    )


def _tinted(visit_id: str, preview: Preview | None) -> str:
    if preview is None:
        return ""
    if visit_id == preview.part_visit_id:
        return "part"
    return "whole" if visit_id in preview.visit_ids else ""


def _state(words: Words, row: VisitRow) -> tuple[str, str]:
    if row.problem:
        return words.gettext("No figure"), "refuse"
    if row.information:
        return words.gettext("Information only"), "plain"
    if row.open_g == 0:
        return words.gettext("Covered whole"), "admit"
    if row.days_late:
        return words.gettext("%(n)d days overdue") % {"n": row.days_late}, "refuse"
    if row.covered_g:
        return words.gettext("Covered in part"), "hold"
    return words.gettext("Not covered"), "hold"


def _when(words: Words, at: datetime) -> str:
    return f"{words.day(at)} {words.clock_time(at)}"


def tier_name(words: Words, tier: int | None) -> str:
    """The tier's full name."""
    return TIERS[tier][0 if words.language == "zh" else 1] if tier else ""


def unit(words: Words, code: str) -> str:
    """L, kg or m³."""
    return {"m3": "m³"}.get(code, code)


# ---------------------------------------------------------------- findings


def months(words: Words) -> list[str]:
    """The short names of the twelve months."""
    return [format_date(date(2000, month, 1), "LLL", locale=words.language) for month in range(1, 13)]


def finding(words: Words, shown: Summary) -> str:
    """What the chart says, in one sentence."""
    return words.gettext(
        "%(year)d: visits emitted %(owed)s kg, %(retired)s kg were retired; %(open)s kg of all years are not covered."
    ) % {
        "year": shown.year,
        "owed": whole_kg(shown.year_owed_g),
        "retired": whole_kg(shown.year_retired_g),
        "open": whole_kg(shown.open_g),
    }


def open_line(words: Words, shown: Summary) -> str:
    """Under the first figure: how many visits, the oldest, and the term."""
    if not shown.open_visits:
        return words.gettext("Every visit is covered.")
    told = {"n": f"{shown.open_visits:,}", "d": shown.oldest_days or 0, "due": shown.due_days or 0}
    if shown.due_days is None:
        return words.gettext("%(n)s visits, the oldest %(d)d days") % told
    return words.gettext("%(n)s visits, the oldest %(d)d days (term %(due)d days)") % told


def overdue_line(words: Words, shown: Summary) -> str:
    """Under the first figure: what is past its term; empty where nothing is."""
    if not shown.overdue_visits:
        return ""
    told = {"n": f"{shown.overdue_visits:,}", "kg": whole_kg(shown.overdue_g)}
    return words.gettext("Overdue: %(n)s visits, %(kg)s kg") % told


def lots_line(words: Words, rows: Sequence[LotRow]) -> str:
    """Which projects the available tonnes are from."""
    tonnes: dict[str, int] = {}
    for row in rows:
        if row.left_tonnes:
            tonnes[row.project] = tonnes.get(row.project, 0) + row.left_tonnes
    parts = [f"{project} {count:,}" for project, count in list(tonnes.items())[:3]]
    return " · ".join(parts) or words.gettext("No credits are left.")


def covers_line(words: Words, preview: Preview) -> str:
    """How many visits a retirement covers."""
    if preview.part_visit_id:
        return words.gettext("%(n)s visits, 1 more in part") % {"n": f"{preview.visits:,}"}
    return words.ngettext("%(n)s visit", "%(n)s visits", preview.visits) % {"n": f"{preview.visits:,}"}


def lot_name(row: LotRow) -> str:
    """Project and vintage."""
    return f"{row.project} {row.vintage}"


def state(words: Words, row: RetirementRow) -> str:
    """Where a retirement stands."""
    return words.gettext(STATES[row.state])


def kind(words: Words, row: EntryRow) -> str:
    """What an entry is."""
    return words.gettext(KINDS[row.kind])


def reason(words: Words, row: EntryRow) -> str:
    """Why an entry was posted: what the system wrote in the reader's words, what a person wrote as it is."""
    if row.kind == "event_debit" and row.reason.startswith(_EVENT_REASON):
        return words.gettext("event %(name)s") % {"name": row.reason.removeprefix(_EVENT_REASON)}
    return words.gettext(REASONS[row.reason]) if row.reason in REASONS else row.reason


def author(words: Words, text: str) -> str:
    """Who posted an entry: a name of the office, the system, or an applicant, of whom the book has the bare id."""
    if text == "system":
        return words.gettext("by itself")
    try:
        UUID(text)
    except ValueError:
        return text
    return words.gettext("Applicant")


# ---------------------------------------------------------------- one visit


@dataclass(frozen=True, slots=True)
class Fact:
    """A name with its value."""

    name: str
    value: str
    assumed: bool = False


@dataclass(frozen=True, slots=True)
class Gas:
    """One gas of a visit: the formula with its numbers, and what comes out."""

    name: str
    formula: str
    kg: str


def facts(words: Words, figure: Figure) -> list[Fact]:
    """What was known, and what was assumed."""
    known = [
        Fact(evidence_name(words, name), evidence_value(words, name, text)) for name, text in figure.evidence.items()
    ]
    taken = [Fact(evidence_name(words, name), words.gettext("by the class"), assumed=True) for name in figure.assumed]
    return known + taken


def evidence_name(words: Words, name: str) -> str:
    """The field in words."""
    return words.gettext(EVIDENCE_NAMES[name]) if name in EVIDENCE_NAMES else name


def evidence_value(words: Words, name: str, text: str | None) -> str:
    """The value as people read it."""
    if text is None:
        return words.gettext("withdrawn")
    if name == "vehicle_class":
        return class_name(words, text)
    if text in FUELS:
        return words.gettext(FUELS[text])
    return f"{_trimmed(text)} {EVIDENCE_UNITS.get(name, '')}".strip()


def _trimmed(text: str) -> str:
    """A number without zeros at its end; what is no number stays as it was told."""
    try:
        return f"{Decimal(text).normalize():f}"
    except InvalidOperation:
        return text


def declared_line(words: Words, row: Declared) -> str:
    """One declaration in a line."""
    return " · ".join(
        f"{evidence_name(words, name)} {evidence_value(words, name, text)}" for name, text in row.declared.items()
    )


def gases(words: Words, figure: Figure) -> list[Gas]:
    """The formula of each gas with the numbers of its rows."""
    amount = f"{figure.fuel_amount.normalize():f} {unit(words, figure.fuel_unit)}"
    rows = {one.key: one for one in figure.factors}
    co2 = next((one for one in figure.factors if ".co2." in one.key), None)
    found = [Gas("CO₂", _product(amount, co2), kg(figure.co2_g, 3))]
    for name, gas, grams in (("CH₄", "ch4", figure.ch4_g_co2e), ("N₂O", "n2o", figure.n2o_g_co2e)):
        used = (rows.get(f"fuel.{figure.fuel}.{gas}"), rows.get(f"gwp.{figure.gwp_set}.{gas}"))
        found.append(Gas(name, _product(amount, *used), kg(grams, 3)))
    return found


def _product(amount: str, *rows: FactorUsed | None) -> str:
    parts = [row.value if row.unit == "1" else f"{row.value} {row.unit}" for row in rows if row is not None]
    return " × ".join((amount, *parts))


def fuel_formula(words: Words, figure: Figure) -> str:
    """How the fuel was found, by the tier's rule."""
    return {
        1: words.gettext("The fuel was measured."),
        2: words.gettext("Distance by the odometer × type-approval consumption ÷ 100, and the machine's fuel."),
        3: words.gettext("Route × class consumption ÷ 100, and the fuel of standing and of the machine."),
        4: words.gettext("A standard visit of the class, raised by the margin of this tier."),
    }[figure.tier]


def due_line(words: Words, row: VisitRow, today: date) -> str:
    """Until when a visit has to be covered."""
    if row.due_on is None or row.open_g == 0:
        return ""
    if row.days_late:
        return words.gettext("Due %(day)s, %(n)d days overdue") % {"day": row.due_on.isoformat(), "n": row.days_late}
    left = (row.due_on - today).days
    return words.gettext("Due %(day)s, in %(n)d days") % {"day": row.due_on.isoformat(), "n": left}
