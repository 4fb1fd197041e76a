"""One application as the review desk shows it: owns its lines, marks, papers, history and notices as sentences.

Everything is made from the records of `cloud_sync.server.permits`; what is wrong with a form is judged there and only
put into words here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from cloud_sync.contract.look import plates
from cloud_sync.server.console import labels
from cloud_sync.server.console.permits_labels import class_name, gate_name, said_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.permits.records import ApplicationRecord
from control.domain.plates import PlateColour, PlateKind, formats_of, identify, normalise
from control.permits import words as permit_words
from control.permits.application import EntryKind, Form, Paper

SOON = timedelta(hours=24)
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})


@dataclass(frozen=True, slots=True)
class Mark:
    """What a check says of one field. `tone` is good, warn, bad or none (not known)."""

    tone: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class FieldLine:
    """One field: its value, what the check says, and what the office remarked the last time."""

    field: str
    name: str
    value: str
    tone: str = ""
    note: str = ""
    remark: str = ""
    verdict: str = ""


@dataclass(frozen=True, slots=True)
class PaperCard:
    """One paper of an application or of an appeal."""

    href: str
    name: str
    file_name: str
    size: str
    is_picture: bool
    tone: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to know before deciding."""

    tone: str
    icon: str
    title: str
    text: str = ""


# ---------------------------------------------------------------- plate and title


def chip(words: Words, form: Form, size: str) -> Markup:
    """The plate of a form."""
    return plate_chip(words, form.plate, form.plate_colour, size)


def plate_chip(words: Words, plate: str, colour: str, size: str) -> Markup:
    """A plate as text and colour."""
    if not normalise(plate):
        return Markup(plates.chip("", plates.UNREAD, label=words.gettext("No plate yet"), size=size))
    return Markup(plates.chip(plate, _ground(plate, colour), label=plates.spoken(plate), size=size))


def _ground(plate: str, colour: str) -> str:
    return plates.ground_of(kind_of(plate), colour)


def kind_of(plate: str) -> PlateKind:
    """The kind that the text alone tells; unknown where several look like this, as blue and yellow ones do."""
    kinds = {row.kind for row in formats_of(normalise(plate))}
    return kinds.pop() if len(kinds) == 1 else PlateKind.UNKNOWN


def title(words: Words, form: Form) -> str:
    """Vehicle and purpose, the shortest that says what it is about."""
    parts = (vehicle(words, form), form.purpose_text.strip() or purpose(words, form))
    return " · ".join(part for part in parts if part)


def vehicle(words: Words, form: Form) -> str:
    """The vehicle's type, else its emission class."""
    if form.vehicle_type.value != "unknown":
        return labels.label(words, "vehicle", form.vehicle_type.value)
    return class_name(words, form.emission_class) or words.gettext("Vehicle not said")


def permit_class(words: Words, code: str) -> str:
    """Emergency, special or standing."""
    return labels.label(words, "permit_class", code)


def purpose(words: Words, form: Form) -> str:
    """The purpose as its code's sentence; "" while nobody has said."""
    return said_of(words, permit_words.PURPOSES, form.purpose)


def status(words: Words, code: str) -> str:
    """The state of an application."""
    return said_of(words, permit_words.STATUSES, code)


def status_tone(code: str) -> str:
    """The colour word of a state."""
    return {
        "submitted": "hold",
        "returned": "unsure",
        "approved": "permit",
        "active": "admit",
        "refused": "refuse",
        "revoked": "refuse",
        "appealed": "hold",
    }.get(code, "stale")


def status_icon(code: str) -> str:
    """The icon of a state."""
    return {
        "submitted": "clock",
        "returned": "undo-2",
        "approved": "shield-check",
        "active": "shield-check",
        "refused": "octagon-x",
        "revoked": "shield-x",
        "appealed": "gavel",
        "draft": "pencil",
    }.get(code, "circle")


def when(words: Words, at: datetime | None) -> str:
    """When a vehicle wants to come in: today and tomorrow by their names."""
    if at is None:
        return words.gettext("no time yet")
    today = words.clock().astimezone(words.zone).date()
    local = at.astimezone(words.zone)
    clock = f"{local:%H:%M}"
    if local.date() == today:
        return words.gettext("enters today %(time)s") % {"time": clock}
    if local.date() == today + timedelta(days=1):
        return words.gettext("enters tomorrow %(time)s") % {"time": clock}
    return words.gettext("enters %(day)s") % {"day": words.day(at)}


def is_soon(words: Words, at: datetime | None) -> bool:
    """Whether it wants to come in within a day, or should be in already."""
    return at is not None and at - words.clock() <= SOON


# ---------------------------------------------------------------- fields


def fields(
    words: Words, record: ApplicationRecord, marks: Mapping[str, Mark], extra: Sequence[FieldLine]
) -> tuple[tuple[FieldLine, ...], tuple[FieldLine, ...]]:
    """The form in two columns; `extra` are lines of the checks that stand for no field of the form."""
    form = record.form
    remarks = open_remarks(record)

    def line(field: str, name: str, value: str, *also: str) -> FieldLine:
        found = [marks[one] for one in (field, *also) if one in marks]
        worst = min(found, key=lambda one: _ORDER.index(one.tone), default=Mark(""))
        said_before = "；".join(remarks[one] for one in (field, *also) if one in remarks)
        return FieldLine(field, name, value, worst.tone, worst.note, said_before, words.gettext("in order"))

    left = (
        line("holder", words.gettext("Holder"), form.holder),
        line("plate", words.gettext("Plate"), plate_line(words, form), "plate_colour"),
        line("vehicle_type", words.gettext("Vehicle"), vehicle_line(words, form), "drive", "emission_class"),
        line("purpose", words.gettext("Purpose"), purpose_line(words, form), "purpose_text"),
        line("window_from", words.gettext("Window"), window_line(words, form), "window_until"),
    )
    right = (
        line("gates", words.gettext("Gates"), gates_line(words, form), "entry_kind", "entries", "route"),
        line("consumption_per_100km", words.gettext("Consumption"), consumption_line(words, form)),
        *extra,
    )
    return left, right


_ORDER = ("bad", "warn", "none", "good", "")


def open_remarks(record: ApplicationRecord) -> dict[str, str]:
    """What the office asked for at the last return, by field."""
    last = next((one for one in reversed(record.history) if one.action == "return"), None)
    found: dict[str, str] = {}
    for remark in () if last is None else last.remarks:
        found[remark["field"]] = "；".join(part for part in (found.get(remark["field"], ""), remark["text"]) if part)
    return found


def vehicle_line(words: Words, form: Form) -> str:
    """Type, emission class and fuel."""
    named = vehicle(words, form)
    of_class = class_name(words, form.emission_class)
    parts = (named, of_class if of_class != named else "", said_of(words, permit_words.DRIVES, form.drive))
    return " · ".join(part for part in parts if part)


def purpose_line(words: Words, form: Form) -> str:
    """The code's sentence and the applicant's own."""
    return " · ".join(part for part in (purpose(words, form), form.purpose_text.strip()) if part)


def window_line(words: Words, form: Form) -> str:
    """From and until, as far as they are given."""
    if form.window_from is None:
        return ""
    if form.window_until is None:
        return words.gettext("from %(time)s") % {"time": words.time(form.window_from, seconds=False)}
    return words.window(form.window_from, form.window_until)


def plate_line(words: Words, form: Form) -> str:
    """Colour and kind of the plate."""
    if not form.plate:
        return ""
    if form.plate_colour is not PlateColour.UNKNOWN:
        seen = identify(form.plate, form.plate_colour).kind.value
        return f"{labels.label(words, 'colour', form.plate_colour.value)} · {labels.label(words, 'kind', seen)}"
    kind = kind_of(form.plate)
    return (
        labels.label(words, "kind", kind.value) if kind is not PlateKind.UNKNOWN else words.gettext("Colour not said")
    )


def gates_line(words: Words, form: Form) -> str:
    """Gates and how often."""
    return " · ".join(
        part
        for part in (
            joined(words, [gate_name(words, one) for one in form.gates]),
            entries_line(words, form),
            form.route.strip(),
        )
        if part
    )


def joined(words: Words, parts: Sequence[str]) -> str:
    """A list as people write it."""
    return ("、" if words.language == "zh" else ", ").join(parts)


def entries_line(words: Words, form: Form) -> str:
    """How often it may come in."""
    if form.entry_kind is EntryKind.COUNTED and form.entries is not None:
        return words.ngettext("%(num)s entry", "%(num)s entries", form.entries) % {"num": form.entries}
    return said_of(words, permit_words.ENTRY_KINDS, form.entry_kind)


def consumption_line(words: Words, form: Form) -> str:
    """What was declared, with its unit; without it the class default is taken."""
    if form.consumption_per_100km is None:
        return words.gettext("Class default")
    unit = {"lng": "kg", "lpg": "kg", "cng": "m³"}.get(str(form.drive), "L")
    return f"{form.consumption_per_100km.normalize():f} {unit}/100 km"


# ---------------------------------------------------------------- papers


def size_text(size_bytes: int) -> str:
    """Bytes as people read them."""
    return f"{size_bytes / 1_000_000:.1f} MB" if size_bytes >= 1_000_000 else f"{max(1, round(size_bytes / 1000))} kB"


def paper_cards(words: Words, papers: Sequence[Paper], marks: Mapping[str, Mark]) -> tuple[PaperCard, ...]:
    """The papers, each with what a check says of its kind; `marks` by kind."""
    return tuple(_paper_card(words, paper, marks.get(paper.kind, Mark(""))) for paper in papers)


def _paper_card(words: Words, paper: Paper, mark: Mark) -> PaperCard:
    name = said_of(words, permit_words.PAPER_KINDS, paper.kind)
    until = words.gettext("valid until %(day)s") % {"day": paper.valid_until} if paper.valid_until else ""
    return PaperCard(
        href=f"/api/v1/documents/{paper.sha256}",
        name=name,
        file_name=paper.name or name,
        size=size_text(paper.size_bytes),
        is_picture=paper.media_type in PICTURES,
        tone=mark.tone,
        note=mark.note or until,
    )


def papers_line(words: Words, count: int) -> str:
    """How many papers there are."""
    return words.ngettext("%(num)s paper", "%(num)s papers", count) % {"num": count}


def quoted(words: Words, text: str) -> str:
    """What a person wrote, in quotation marks; "" stays ""."""
    if not text:
        return ""
    return f"“{text}”" if words.language == "zh" else f"‘{text}’"


def kilograms(grams: int) -> str:
    """Grams as kilograms of CO2e with one decimal."""
    return f"{grams / 1000:,.1f}".replace("-", "−")
