"""Permits in words and cards: owns how a window, a state and a number are told wherever one is shown."""

from __future__ import annotations

from datetime import date, datetime

from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.core.api.permits import ApplicationRow, Form
from mobile.core.models.choices import Choices
from mobile.core.models.vehicles import kinds
from mobile.core.words import N_, Words
from mobile.ui.kit import Across, Column, PlateChip, Spring, Tag
from mobile.ui.theme import theme

# State -> (words, tone, icon).
STATES = {
    "draft": (N_("Draft"), "plain", "file-pen"),
    "submitted": (N_("Under review"), "plain", "hourglass"),
    "returned": (N_("Returned"), "hold", "undo-2"),
    "approved": (N_("Approved, begins later"), "permit", "calendar-clock"),
    "refused": (N_("Not approved"), "refuse", "octagon-x"),
    "active": (N_("Valid now"), "permit", "shield-check"),
    "used_up": (N_("Used up"), "plain", "check-check"),
    "expired": (N_("Expired"), "plain", "calendar-x"),
    "revoked": (N_("Withdrawn"), "refuse", "shield-x"),
    "appealed": (N_("Appeal under review"), "plain", "scale"),
}
FIELDS = {
    "plate": N_("Plate"),
    "plate_colour": N_("Colour of the plate"),
    "permit_class": N_("Kind of permit"),
    "entry_kind": N_("How often"),
    "entries": N_("Number of entries"),
    "vehicle_type": N_("Vehicle"),
    "emission_class": N_("Emission class"),
    "drive": N_("Fuel"),
    "consumption_per_100km": N_("Consumption"),
    "purpose": N_("Purpose"),
    "purpose_text": N_("What is to be done"),
    "gates": N_("Gates"),
    "route": N_("Route on the island"),
    "window_from": N_("From"),
    "window_until": N_("Until"),
    "holder": N_("Who is responsible"),
    "papers": N_("Papers"),
    "": N_("The whole application"),
}
UNITS = {"lng": "kg", "lpg": "kg", "cng": "m³"}


def state_tag(words: Words, status: str) -> Tag:
    """A state as a pill; one that this version does not know by its code."""
    text, tone, icon = STATES.get(status, (status, "plain", "circle-question-mark"))
    return Tag(text=words(text), tone=tone, icon=icon, test_id=f"state-{status}")


def field_name(words: Words, field: str) -> str:
    """A field of the form as people call it."""
    return words(FIELDS[field]) if field in FIELDS else field


def span(words: Words, begins: datetime | None, ends: datetime | None) -> str:
    """A window: "today 08:00–18:00", or both days."""
    if begins is None or ends is None:
        return words("No time chosen yet")
    if words.local(begins).date() == words.local(ends).date():
        return f"{words.day(begins)} {words.time(begins)}–{words.time(ends)}"
    return f"{words.day(begins)} {words.time(begins)} – {words.day(ends)} {words.time(ends)}"


def title_of(words: Words, choices: Choices, purpose: str | None, text: str) -> str:
    """What an application is for, in a line."""
    said = text.strip().splitlines()
    return said[0] if said else choices.name("purposes", purpose) or words("Purpose not said yet")


def day_and_title(words: Words, choices: Choices, row: ApplicationRow) -> str:
    """The same with its day in front, for a list."""
    title = title_of(words, choices, row.purpose, row.purpose_text)
    return f"{day_number(words, row.window_from)} {title}".strip()


def day_number(words: Words, at: datetime | date | None) -> str:
    """ "11-24"; "" for none."""
    if at is None:
        return ""
    return f"{words.local(at) if isinstance(at, datetime) else at:%m-%d}"


def short_number(application_id: str) -> str:
    """What is said at the gate of a number: its last four digits."""
    return application_id[-4:]


def plate_line(words: Words, plate: str, colour: str, tag: Widget, *, height_dp: float = 30) -> Widget:
    """A plate with its state at the right; below it where text is large."""
    chip = PlateChip(text=plate, kind=kinds(plate), colour=colour, height_dp=height_dp, test_id="plate")
    line = Column(spacing=dp(8)) if theme.is_large else Across(spacing=dp(8))
    line.add_widget(chip)
    if not theme.is_large:
        line.add_widget(Spring())
        tag.pos_hint = {"center_y": 0.5}
    line.add_widget(tag)
    return line


def vehicle_words(words: Words, choices: Choices, form: Form) -> str:
    """Type and class of a vehicle, each once."""
    named = (
        choices.name("vehicle_types", "" if form.vehicle_type == "unknown" else form.vehicle_type),
        choices.name("emission_classes", form.emission_class),
    )
    return " · ".join(dict.fromkeys(one for one in named if one)) or words.number(None)


def entries_words(words: Words, left: int | None) -> str:
    """How many entries remain."""
    return words("any number") if left is None else words.n("{n} entry left", "{n} entries left", left)
