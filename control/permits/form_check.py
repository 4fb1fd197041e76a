"""What is wrong with a form: owns every problem an application can have, each named beside its field.

The same list serves the form, the API and the reviewer; an application with a problem is not submitted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import chain

from control.domain.exact import InexactNumber, exact
from control.domain.permits import PermitClass
from control.domain.plates import EnergyClass, PlateColour, Verdict, formats_of, identify, normalise
from control.permits import rules as keys
from control.permits.application import Application, Drive, EntryKind, Form, Purpose
from control.permits.rules import PAPERS, PermitRules

TEXT_MAX = 500


class ProblemCode(StrEnum):
    """What is wrong with a field."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    PLATE_FORMAT = "plate_format"
    PLATE_COLOUR = "plate_colour"
    PLATE_TEMPORARY = "plate_temporary"
    NEEDS_NO_PERMIT = "needs_no_permit"
    TRAILER = "trailer"
    REGISTER_SAYS_OTHERWISE = "register_says_otherwise"
    BLOCKED = "blocked"
    CLASS_UNKNOWN = "class_unknown"
    CONSUMPTION_NOT_POSITIVE = "consumption_not_positive"
    CONSUMPTION_TOO_LOW = "consumption_too_low"
    CONSUMPTION_TOO_HIGH = "consumption_too_high"
    PURPOSE_TEXT_MISSING = "purpose_text_missing"
    GATE_UNKNOWN = "gate_unknown"
    GATE_TWICE = "gate_twice"
    NO_TIME_ZONE = "no_time_zone"
    WINDOW_BACKWARDS = "window_backwards"
    WINDOW_OVER = "window_over"
    WINDOW_TOO_LONG = "window_too_long"
    TOO_SOON = "too_soon"
    TOO_FAR_AHEAD = "too_far_ahead"
    OVERLAPS = "overlaps"
    ENTRIES_RANGE = "entries_range"
    ENTRIES_NOT_COUNTED = "entries_not_counted"
    STANDING_NOT_ALLOWED = "standing_not_allowed"
    PAPER_MISSING = "paper_missing"
    PAPER_KIND_UNKNOWN = "paper_kind_unknown"
    PAPER_TWICE = "paper_twice"
    TOO_MANY_PAPERS = "too_many_papers"
    OFFSET_OVERDUE = "offset_overdue"


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem beside its field; `detail` is the limit or the thing meant. Its sentences are in `words`."""

    code: ProblemCode
    field: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OtherPermit:
    """Another permit or application of the same vehicle that is not over."""

    permit_id: str
    window_from: datetime
    window_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FormFacts:
    """What the cloud knows when a form is checked. Times are aware UTC.

    `default_per_100km` is the consumption of the form's class by the factors of the day, in the fuel's own unit.
    `overdue_visits` are this vehicle's or holder's visits whose offset is overdue.
    """

    now: datetime
    gates: frozenset[str]
    emission_classes: frozenset[str]
    default_per_100km: Decimal | None = None
    registered: EnergyClass | None = None
    block_reason: str | None = None
    overdue_visits: tuple[str, ...] = ()
    others: tuple[OtherPermit, ...] = ()


def check(application: Application, rules: PermitRules, facts: FormFacts) -> tuple[Problem, ...]:
    """Every problem of the form, in the form's order; empty when it may be submitted.

    The emergency entry that came first (`entered_at`) is neither too soon nor over: its papers are what is checked.
    """
    form = application.form
    parts = (
        _plate(form, facts),
        _vehicle(form, rules, facts),
        _purpose(form),
        _gates(form, facts),
        _window(application, rules, facts),
        _entries(form, rules),
        _papers(form, rules),
        _debts(form, rules, facts),
    )
    return tuple(chain.from_iterable(parts))


def _missing(form: Form, *names: str) -> Iterator[Problem]:
    for name in names:
        value = getattr(form, name)
        if value is None or (isinstance(value, str) and not value.strip()):
            yield Problem(ProblemCode.MISSING, name)
        elif isinstance(value, str) and len(value) > TEXT_MAX:
            yield Problem(ProblemCode.TOO_LONG, name, str(TEXT_MAX))


def _plate(form: Form, facts: FormFacts) -> Iterator[Problem]:
    text = normalise(form.plate)
    if not text:
        yield Problem(ProblemCode.MISSING, "plate")
        return
    if form.plate_colour is PlateColour.PAPER:
        yield Problem(ProblemCode.PLATE_TEMPORARY, "plate")
        return
    if not formats_of(text):
        yield Problem(ProblemCode.PLATE_FORMAT, "plate", text[:TEXT_MAX])
        return
    yield from _plate_and_drive(form, text, facts)
    if facts.block_reason is not None:
        yield Problem(ProblemCode.BLOCKED, "plate", facts.block_reason)


def _plate_and_drive(form: Form, text: str, facts: FormFacts) -> Iterator[Problem]:
    """The colour may be left out: then the text alone has to do, and only the register can contradict it."""
    seen = identify(text, form.plate_colour)
    if form.plate_colour is not PlateColour.UNKNOWN and seen.verdict is Verdict.UNSURE:
        yield Problem(ProblemCode.PLATE_COLOUR, "plate_colour", form.plate_colour)
    energy = facts.registered or seen.energy
    if energy is EnergyClass.BATTERY_ELECTRIC:
        yield Problem(ProblemCode.NEEDS_NO_PERMIT, "plate")
    elif energy is EnergyClass.NO_ENGINE:
        yield Problem(ProblemCode.TRAILER, "plate")
    elif facts.registered is not None and form.drive is not None and _contradicts(form.drive, facts.registered):
        yield Problem(ProblemCode.REGISTER_SAYS_OTHERWISE, "drive", facts.registered)


def _contradicts(drive: Drive, registered: EnergyClass) -> bool:
    by_drive = EnergyClass.PLUG_IN_OR_FUEL_CELL if drive is Drive.PLUG_IN else EnergyClass.FUEL
    return registered not in (by_drive, EnergyClass.UNKNOWN)


def _vehicle(form: Form, rules: PermitRules, facts: FormFacts) -> Iterator[Problem]:
    yield from _missing(form, "drive", "emission_class", "holder")
    if form.emission_class and form.emission_class not in facts.emission_classes:
        yield Problem(ProblemCode.CLASS_UNKNOWN, "emission_class", form.emission_class[:TEXT_MAX])
    if form.consumption_per_100km is not None:
        yield from _consumption(form.consumption_per_100km, rules, facts)


def _consumption(declared: Decimal, rules: PermitRules, facts: FormFacts) -> Iterator[Problem]:
    """It may be left out: the class default is taken then."""
    field = "consumption_per_100km"
    try:
        amount = exact(declared)
    except InexactNumber:
        amount = None
    if amount is None or amount <= 0:
        yield Problem(ProblemCode.CONSUMPTION_NOT_POSITIVE, field)
        return
    if facts.default_per_100km is None:
        return
    default = exact(facts.default_per_100km)
    least, most = default * rules.number(keys.CONSUMPTION_LEAST), default * rules.number(keys.CONSUMPTION_MOST)
    if amount < least:
        yield Problem(ProblemCode.CONSUMPTION_TOO_LOW, field, f"{float(least):g}")
    elif amount > most:
        yield Problem(ProblemCode.CONSUMPTION_TOO_HIGH, field, f"{float(most):g}")


def _purpose(form: Form) -> Iterator[Problem]:
    yield from _missing(form, "purpose")
    if form.purpose is Purpose.OTHER and not form.purpose_text.strip():
        yield Problem(ProblemCode.PURPOSE_TEXT_MISSING, "purpose_text")
    for name in ("purpose_text", "route"):
        if len(getattr(form, name)) > TEXT_MAX:
            yield Problem(ProblemCode.TOO_LONG, name, str(TEXT_MAX))


def _gates(form: Form, facts: FormFacts) -> Iterator[Problem]:
    """A permit for no gate in particular would open all of them: they are named one by one."""
    if not form.gates:
        yield Problem(ProblemCode.MISSING, "gates")
    for gate in dict.fromkeys(form.gates):
        if gate not in facts.gates:
            yield Problem(ProblemCode.GATE_UNKNOWN, "gates", gate[:TEXT_MAX])
        elif form.gates.count(gate) > 1:
            yield Problem(ProblemCode.GATE_TWICE, "gates", gate)


def _window(application: Application, rules: PermitRules, facts: FormFacts) -> Iterator[Problem]:
    form = application.form
    yield from _missing(form, "window_from", "window_until")
    begins, ends = form.window_from, form.window_until
    if begins is None or ends is None:
        return
    zoneless = [name for name, at in (("window_from", begins), ("window_until", ends)) if at.tzinfo is None]
    if zoneless:
        yield from (Problem(ProblemCode.NO_TIME_ZONE, name) for name in zoneless)
        return
    if ends <= begins:
        yield Problem(ProblemCode.WINDOW_BACKWARDS, "window_until")
        return
    longest = rules.term(keys.window_key(form.permit_class))
    if ends - begins > longest:
        yield Problem(ProblemCode.WINDOW_TOO_LONG, "window_until", _days(longest))
    if application.entered_at is None:
        yield from _ahead(form.permit_class, begins, ends, rules, facts.now)
    for other in facts.others:
        if begins < other.window_until and other.window_from < ends:
            yield Problem(ProblemCode.OVERLAPS, "window_from", other.permit_id)
            return


def _ahead(
    permit_class: PermitClass, begins: datetime, ends: datetime, rules: PermitRules, now: datetime
) -> Iterator[Problem]:
    least = rules.term(keys.ahead_key(permit_class))
    if ends <= now:
        yield Problem(ProblemCode.WINDOW_OVER, "window_until")
    elif least and begins < now + least:
        yield Problem(ProblemCode.TOO_SOON, "window_from", f"{least / timedelta(hours=1):g}")
    elif begins > now + rules.term(keys.APPLY_AHEAD_MAX):
        yield Problem(ProblemCode.TOO_FAR_AHEAD, "window_from", _days(rules.term(keys.APPLY_AHEAD_MAX)))


def _days(term: timedelta) -> str:
    return f"{term / timedelta(days=1):g}"


def _entries(form: Form, rules: PermitRules) -> Iterator[Problem]:
    most = rules.count(keys.ENTRIES_MAX)
    if form.entry_kind is EntryKind.COUNTED:
        if form.entries is None or not 1 <= form.entries <= most:
            yield Problem(ProblemCode.ENTRIES_RANGE, "entries", str(most))
    elif form.entries is not None:
        yield Problem(ProblemCode.ENTRIES_NOT_COUNTED, "entries")
    if form.entry_kind is EntryKind.STANDING and form.permit_class is PermitClass.SPECIAL:
        yield Problem(ProblemCode.STANDING_NOT_ALLOWED, "entry_kind")


def _papers(form: Form, rules: PermitRules) -> Iterator[Problem]:
    kinds = [paper.kind for paper in form.papers]
    for needed in rules.names(keys.papers_key(form.permit_class)):
        if needed not in kinds:
            yield Problem(ProblemCode.PAPER_MISSING, "papers", needed)
    for unknown in dict.fromkeys(kind for kind in kinds if kind not in PAPERS):
        yield Problem(ProblemCode.PAPER_KIND_UNKNOWN, "papers", unknown[:TEXT_MAX])
    if len({paper.sha256 for paper in form.papers}) < len(form.papers):
        yield Problem(ProblemCode.PAPER_TWICE, "papers")
    most = rules.count(keys.DOCUMENT_COUNT_MAX)
    if len(form.papers) > most:
        yield Problem(ProblemCode.TOO_MANY_PAPERS, "papers", str(most))


def _debts(form: Form, rules: PermitRules, facts: FormFacts) -> Iterator[Problem]:
    """道路交通安全法 art. 53: an emergency is never held up by a debt."""
    emergency = form.permit_class is PermitClass.EMERGENCY
    if facts.overdue_visits and not emergency and rules.flag(keys.BLOCK_WHILE_OFFSET_OVERDUE):
        yield Problem(ProblemCode.OFFSET_OVERDUE, "", ", ".join(facts.overdue_visits))
