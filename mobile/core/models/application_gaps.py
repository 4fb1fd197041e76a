"""What is still missing in a form: owns the checks that need no server, so that they also help without a network.

The server has the last word; these save a person a long wait for an answer that can be known at once.
"""

from __future__ import annotations

from datetime import datetime

from control.domain.plates import PlateColour
from mobile.core.api.permits import ClassChoice
from mobile.core.models.application_draft import Draft
from mobile.core.models.vehicles import Typed, typed

# The steps of the form, each with its fields.
STEPS = (
    ("plate", "holder", "vehicle_type", "emission_class", "drive", "consumption_per_100km", "plate_colour"),
    ("permit_class", "purpose", "purpose_text", "route"),
    ("gates", "window_from", "window_until", "entry_kind", "entries"),
    ("papers",),
)
_NEEDED = ("holder", "emission_class", "drive", "purpose", "window_from", "window_until")


def step_of(field: str) -> int:
    """On which page of the form a field stands; the last one, the overview, for all others."""
    return next((at for at, names in enumerate(STEPS) if field in names), len(STEPS))


def gaps(draft: Draft, permit_class: ClassChoice | None) -> tuple[str, ...]:
    """Fields that are missing or cannot be right, in the form's order."""
    form = draft.form
    found = {name for name in _NEEDED if not form.get(name)}
    colour = PlateColour(form.get("plate_colour") or "unknown")
    if typed(form.get("plate", ""), colour) is not Typed.GOOD:
        found.add("plate")
    if form.get("purpose") == "other" and not form.get("purpose_text", "").strip():
        found.add("purpose_text")
    if not form.get("gates"):
        found.add("gates")
    if form.get("entry_kind") == "counted" and not form.get("entries"):
        found.add("entries")
    if not {"window_from", "window_until"} & found and _moment(form["window_until"]) <= _moment(form["window_from"]):
        found.add("window_until")
    if missing_papers(draft, permit_class):
        found.add("papers")
    return tuple(name for names in STEPS for name in names if name in found)


def missing_papers(draft: Draft, permit_class: ClassChoice | None) -> tuple[str, ...]:
    """Kinds of papers that the class needs and nobody has added."""
    have = {one.kind for one in draft.papers}
    return () if permit_class is None else tuple(one for one in permit_class.papers if one not in have)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
