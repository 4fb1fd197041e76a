"""Words of applications on the console: owns the names of form fields, steps, reasons and emission classes.

Sentences that the rules of permits own (states, problems, refusals) come from `control.permits.words`, where both
languages stand beside each other; `said` picks the reader's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.words import Words
from control.carbon.factor_keys import EmissionClass

FIELDS = {
    "plate": N_("Plate"),
    "plate_colour": N_("Plate colour"),
    "permit_class": N_("Class"),
    "entry_kind": N_("How often"),
    "entries": N_("Entries"),
    "vehicle_type": N_("Vehicle"),
    "emission_class": N_("Emission class"),
    "drive": N_("Fuel type"),
    "consumption_per_100km": N_("Consumption"),
    "purpose": N_("Purpose"),
    "purpose_text": N_("Purpose in words"),
    "gates": N_("Gates"),
    "route": N_("Route"),
    "window_from": N_("From"),
    "window_until": N_("Until"),
    "holder": N_("Holder"),
    "papers": N_("Papers"),
    "applicant_id": N_("Applicant"),
    "": N_("As a whole"),
}
GATES = {
    "east": N_("East gate"),
    "north": N_("North gate"),
    "south": N_("South gate"),
    "west": N_("West gate"),
}
CLASSES = {
    EmissionClass.PETROL_CAR: N_("Petrol car"),
    EmissionClass.LIGHT_VAN: N_("Light van"),
    EmissionClass.AMBULANCE: N_("Ambulance"),
    EmissionClass.POLICE_CAR: N_("Police car"),
    EmissionClass.LIGHT_TRUCK: N_("Light truck"),
    EmissionClass.MEDIUM_TRUCK: N_("Medium truck"),
    EmissionClass.HEAVY_TRUCK: N_("Heavy truck"),
    EmissionClass.CRANE: N_("Crane"),
    EmissionClass.FIRE_ENGINE: N_("Fire engine"),
    EmissionClass.COACH: N_("Coach"),
    EmissionClass.GENERATOR_TRUCK: N_("Generator truck"),
    EmissionClass.MOTORCYCLE: N_("Motorcycle"),
}
STEPS = {
    "create": N_("%(who)s began it"),
    "copy": N_("%(who)s copied an earlier application"),
    "emergency_entry": N_("Came in on an emergency, papers to follow"),
    "edit": N_("%(who)s changed the form"),
    "submit": N_("%(who)s submitted it"),
    "return": N_("%(who)s returned it"),
    "approve": N_("%(who)s approved it"),
    "refuse": N_("%(who)s refused it"),
    "activate": N_("The permit began"),
    "count_entries": N_("Entries counted"),
    "expire": N_("The term ended"),
    "revoke": N_("%(who)s revoked it"),
    "appeal": N_("%(who)s appealed"),
    "grant_appeal": N_("%(who)s granted the appeal"),
    "reject_appeal": N_("%(who)s rejected the appeal"),
    "undo_approval": N_("%(who)s took the approval back"),
    "assign": N_("%(who)s named the applicant"),
}
STEP_TONES = {
    "approve": "admit",
    "grant_appeal": "admit",
    "return": "accent",
    "refuse": "refuse",
    "revoke": "refuse",
    "reject_appeal": "refuse",
}
REFUSE_REASONS = {
    "not_needed": N_("The work does not need a fuel vehicle"),
    "electric_exists": N_("An electric vehicle does the same"),
    "papers_false": N_("A paper is false or belongs to another vehicle"),
    "purpose_unclear": N_("The purpose is not shown by the papers"),
    "window_conflict": N_("The island is closed to such vehicles at that time"),
}
REVOKE_REASONS = {
    "not_as_applied": N_("Used otherwise than applied for"),
    "offset_overdue": N_("Offsets are overdue"),
    "lent": N_("Used by another vehicle"),
    "closed": N_("The island is closed to such vehicles at that time"),
    "asked": N_("The holder asked for it"),
}


def said(words: Words, pair: tuple[str, str]) -> str:
    """Of a pair Chinese, English: the one for this reader."""
    return pair[0] if words.language == "zh" else pair[1]


def said_of(words: Words, table: Mapping[Any, tuple[str, str]], code: str | None) -> str:
    """The sentence of a code; one that nobody named is shown as it is, and "" where there is none."""
    pair = table.get(code)
    return said(words, pair) if pair else str(code or "")


def field_name(words: Words, field: str) -> str:
    """A field of the form as people call it."""
    return words.gettext(FIELDS[field]) if field in FIELDS else field


def gate_name(words: Words, gate_id: str) -> str:
    """A gate by its side of the island; other ids are shown as they are."""
    return words.gettext(GATES[gate_id]) if gate_id in GATES else gate_id


def class_name(words: Words, code: str) -> str:
    """An emission class; "" while nobody has said."""
    return words.gettext(CLASSES[EmissionClass(code)]) if code in set(EmissionClass) else code


def reason_text(words: Words, table: Mapping[str, str], code: str, note: str) -> str:
    """What is written into the history: the chosen reason, then what was typed; "" where both are missing."""
    chosen = words.gettext(table[code]) if code in table else ""
    joint = "：" if words.language == "zh" else ": "
    return joint.join(part for part in (chosen, note.strip()) if part)
