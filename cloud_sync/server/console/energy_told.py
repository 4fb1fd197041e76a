"""What a gateway tells of trouble, in words: owns alarms' evidence and suggestions, and what a plan cannot keep."""

from __future__ import annotations

from cloud_sync.server.console.energy_views import energy_label, figure
from cloud_sync.server.console.energy_words import EVIDENCE, EVIDENCE_SHARES, EVIDENCE_UNITS, SUGGESTION, VIOLATION
from cloud_sync.server.console.words import Words
from cloud_sync.server.energy_flow import known
from cloud_sync.server.records_energy import EnergyAlarmRecord, PlanRecord

TARIFF_DAY = "price.tariff:"


def suggestion(words: Words, alarm: EnergyAlarmRecord) -> str:
    """What to do about an alarm: the gateway's suggestion, else ours for its code."""
    message = SUGGESTION.get(alarm.suggestion) or SUGGESTION.get(alarm.code)
    return words.gettext(message) if message else alarm.suggestion


def evidence_of(words: Words, alarm: EnergyAlarmRecord) -> tuple[tuple[str, str], ...]:
    """What the gateway lays beside an alarm, named and with units; a name that nobody knows is shown as it is."""
    return tuple(_evidence(words, name, value) for name, value in alarm.evidence.items())


def _evidence(words: Words, name: str, value: object) -> tuple[str, str]:
    stem, _, end = name.rpartition("_")
    unit = EVIDENCE_UNITS.get(end, "") if stem in EVIDENCE else ""
    message = EVIDENCE.get(stem if unit else name)
    label = words.gettext(message) if message else name.replace("_", " ")
    number = known(value)
    if number is None:
        return label, ", ".join(map(str, value)) if isinstance(value, list) else str(value)[:200]
    if name in EVIDENCE_SHARES:
        return label, words.percent(number)
    if end == "h" and unit and stem.endswith("solar"):
        return label, f"{int(number):02d}:{round(number % 1 * 60) % 60:02d}"
    shown = figure(number, 0 if number == int(number) else 1)
    return label, f"{shown}\u2009{energy_label(words, 'unit', unit)}" if unit else shown


def violations(words: Words, plan: PlanRecord | None) -> list[str]:
    """What the plan cannot keep, in words; what was repaired of its input is no business of a page."""
    found = [] if plan is None else [one for one in plan.violations if not one.startswith(("input.", TARIFF_DAY))]
    return [_violation(words, one) for one in found]


def days_by_tariff(plan: PlanRecord | None) -> list[str]:
    """The days that the plan takes the tariff for, because nobody published their prices."""
    found = [] if plan is None else plan.violations
    return [one.removeprefix(TARIFF_DAY) for one in found if one.startswith(TARIFF_DAY)]


def _violation(words: Words, code: str) -> str:
    kind, _, device = code.partition(":")
    message = VIOLATION.get(kind)
    return words.gettext(message) % {"device": device} if message else code
