"""The steps of an application: owns which fields stand on which page, and how they are filled in with a thumb."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.core.api.parsing import plain
from mobile.core.api.permits import VehicleRecord
from mobile.core.models.application_draft import DraftPaper
from mobile.core.models.application_gaps import missing_papers, step_of
from mobile.ui.kit import (
    Card,
    CardList,
    CheckRow,
    ChoiceGrid,
    Column,
    Field,
    IconButton,
    Note,
    NumberStepper,
    OutlineButton,
    Pair,
    PickField,
    QuietButton,
    Row,
    Section,
    Segment,
    Text,
)
from mobile.ui.screens.choosing import pick_field
from mobile.ui.screens.given_paper import ask_paper
from mobile.ui.screens.moment_sheet import MomentSheet
from mobile.ui.screens.permit_parts import FIELDS, UNITS, field_name
from mobile.ui.screens.vehicle_fields import colour_field, colour_of, plate_field, vehicle_fields

if TYPE_CHECKING:
    from mobile.ports.pictures import Prepared
    from mobile.ui.screens.apply import Apply

TEXT_CHARS_MAX = 500
TICKS = {
    "ok": ("circle-check", "admit"),
    "warn": ("triangle-alert", "hold"),
    "wrong": ("octagon-x", "refuse"),
    "unknown": ("circle-question-mark", "unsure"),
}


def vehicle(page: Apply) -> list[Widget]:
    """One's own vehicle, or any plate."""
    words, form = page.words, page.form
    parts: list[Widget] = []
    mine = page.vehicles.shown.value or ()
    if mine:
        parts.append(Text(text=words("My vehicles"), style="smallstrong", tone="ink2"))
        # Chosen is one whose every field stands in the form: where its plate alone does, pressing it fills in the rest.
        chosen = next((one.plate for one in mine if plain(fields_of(one)).items() <= form.items()), "")
        grid = ChoiceGrid(options=[(one.plate, one.plate) for one in mine], value=chosen, test_id="mine")
        grid.spacing = dp(8)
        grid.bind(value=lambda _grid, plate: page.changed(**fields_of(next(one for one in mine if one.plate == plate))))
        parts.append(grid)
    parts.append(plate_field(words, form, page.change, page.redraw, page.error("plate")))
    parts += [*page.remarks("plate"), *colour_field(words, form, page.change), *page.remarks("plate_colour")]
    for name, field in vehicle_fields(page, page.choices, form, page.change, page.error).items():
        parts += [field, *page.remarks(name)]
    holder = Field(label=words("Who is responsible"), text=form.get("holder", ""), error=page.error("holder"))
    holder.helper, holder.test_id, holder.max_chars = words("A person or a company."), "holder", TEXT_CHARS_MAX
    holder.bind(on_typed=lambda _field, text: page.change(holder=text))
    return [*parts, holder, *page.remarks("holder")]


def fields_of(one: VehicleRecord) -> dict[str, object]:
    """A vehicle as fields of the form."""
    return {
        "plate": one.plate,
        "plate_colour": colour_of(one.plate_colour),
        "vehicle_type": one.vehicle_type,
        "emission_class": one.emission_class,
        "drive": None if one.drive == "electric" else one.drive,
        "consumption_per_100km": one.consumption_per_100km,
    }


def purpose(page: Apply) -> list[Widget]:
    """Which kind of permit, why, and which way."""
    words, form, choices = page.words, page.form, page.choices
    classes = choices.options("permit_classes")
    kind = pick_field(
        *(page, words("Kind of permit"), classes, form.get("permit_class")),
        lambda code: page.changed(permit_class=code),
        test_id="permit_class",
        helper=_class_words(page),
        error=page.error("permit_class"),
    )
    why = Column(spacing=dp(2))
    why.add_widget(Text(text=words("Purpose"), style="smallstrong", tone="ink2"))
    grid = ChoiceGrid(options=choices.options("purposes"), value=form.get("purpose") or "", test_id="purpose")
    grid.spacing = dp(8)
    grid.bind(value=lambda _grid, code: page.change(purpose=code))
    why.add_widget(grid)
    if page.error("purpose"):
        why.add_widget(Text(text=page.error("purpose"), style="small", tone="refuse"))
    text = Field(label=words("What is to be done"), text=form.get("purpose_text", ""), multiline=True, test_id="text")
    text.max_chars, text.error = TEXT_CHARS_MAX, page.error("purpose_text")
    text.bind(on_typed=lambda _field, typed: page.change(purpose_text=typed))
    route = Field(label=words("Route on the island"), text=form.get("route", ""), multiline=True, test_id="route")
    route.rows, route.max_chars = 2, TEXT_CHARS_MAX
    route.bind(on_typed=lambda _field, typed: page.change(route=typed))
    return [
        *(kind, *page.remarks("permit_class"), why, *page.remarks("purpose")),
        *(text, *page.remarks("purpose_text"), route, *page.remarks("route")),
    ]


def _class_words(page: Apply) -> str:
    one = page.choices.permit_class(page.form.get("permit_class", ""))
    if one is None:
        return ""
    days = page.words.n("At most {n} day", "At most {n} days", int(one.window_days_max))
    hours = int(one.ahead_hours_least)
    if not hours:
        return days
    ahead = page.words.n("asked for {n} hour ahead", "asked for {n} hours ahead", hours)
    return page.words.both("，", ", ").join((days, ahead))


def place_and_time(page: Apply) -> list[Widget]:
    """Gates, window, and how often."""
    words, form = page.words, page.form
    gates = CardList(test_id="gates")
    for code, name in page.choices.options("gates"):
        row = CheckRow(text=name, active=code in form.get("gates", ()), test_id=f"gate-{code}", padding=(dp(16), dp(4)))
        row.bind(active=lambda _row, active, code=code: _take_gate(page, code, active))
        gates.add_widget(row)
    parts: list[Widget] = [Text(text=words("Gates"), style="smallstrong", tone="ink2"), gates]
    if page.error("gates"):
        parts.append(Text(text=page.error("gates"), style="small", tone="refuse"))
    parts += page.remarks("gates")
    for name, label in (("window_from", words("From")), ("window_until", words("Until"))):
        parts += [_moment_field(page, name, label), *page.remarks(name)]
    return [*parts, *_entries(page), *page.remarks("entry_kind", "entries")]


def _take_gate(page: Apply, code: str, active: bool) -> None:
    page.change(gates=[*(one for one in page.form.get("gates", ()) if one != code), *([code] if active else [])])


def _moment_field(page: Apply, name: str, label: str) -> PickField:
    words, value = page.words, page.form.get(name)
    at = words.local(datetime.fromisoformat(value)) if value else None
    field = PickField(field_label=label, value=f"{words.day(at)} {words.time(at)}" if at else "", test_id=name)
    field.hint, field.error, field.trail_icon = words("Choose day and time"), page.error(name), "calendar-clock"
    field.bind(on_release=lambda _field: _ask_moment(page, name, label, at))
    return field


def _ask_moment(page: Apply, name: str, label: str, at: datetime | None) -> None:
    words, now = page.words, page.words.local(page.client.clock.now())
    known = page.choices.shown.value
    ahead = timedelta(days=int(known.ahead_days_max)) if known else timedelta(days=90)
    kind = page.choices.permit_class(page.form.get("permit_class", ""))
    begins = page.form.get("window_from")
    first = words.local(datetime.fromisoformat(begins)) if begins and name == "window_until" else now
    if at is None:
        hours = int(kind.ahead_hours_least) if kind and name == "window_from" else 0
        day = first + timedelta(hours=hours)
        if name == "window_from" and hours:
            day += timedelta(days=1)
        at = day.replace(hour=8 if name == "window_from" else 18, minute=0)
        if name == "window_until" and at <= first:  # it begins in the evening
            at = first + timedelta(hours=1)
    last = first + (timedelta(days=int(kind.window_days_max)) if kind and name == "window_until" else ahead)
    sheet = MomentSheet(words, label, at, (first.date(), last.date()), lambda chosen: page.changed(**{name: chosen}))
    sheet.open(page)


def _entries(page: Apply) -> list[Widget]:
    words, form, known = page.words, page.form, page.choices.shown.value
    kinds = page.choices.options("entry_kinds")
    if form.get("permit_class") == "special":
        kinds = [one for one in kinds if one[0] != "standing"]
    segment = Segment(options=kinds, value=form.get("entry_kind", "single"), test_id="entry_kind")

    def chosen(_segment: Segment, kind: str) -> None:
        page.changed(entry_kind=kind, entries=max(2, form.get("entries") or 2) if kind == "counted" else None)

    segment.bind(value=chosen)
    parts: list[Widget] = [Text(text=words("How often"), style="smallstrong", tone="ink2"), segment]
    if form.get("entry_kind") == "counted":
        stepper = NumberStepper(value=form.get("entries") or 2, low=1, high=known.entries_max if known else 100)
        stepper.test_id, stepper.less_label, stepper.more_label = "entries", words("Fewer"), words("More")

        def count(_stepper: NumberStepper, value: float) -> None:
            stepper.label = words.n("{n} entry", "{n} entries", int(value))
            page.change(entries=int(value))

        stepper.label = words.n("{n} entry", "{n} entries", int(stepper.value))
        stepper.bind(value=count)
        parts.append(stepper)
    if page.error("entries") or page.error("entry_kind"):
        parts.append(Text(text=page.error("entries") or page.error("entry_kind"), style="small", tone="refuse"))
    return parts


# ---------------------------------------------------------------- papers


def papers(page: Apply) -> list[Widget]:
    """What the class needs, what was added, and the way to add one."""
    words, draft = page.words, page.draft
    assert draft is not None
    kind = page.choices.permit_class(page.form.get("permit_class", ""))
    parts: list[Widget] = [*page.remarks("papers")]
    if page.error("papers"):
        parts.append(Text(text=page.error("papers"), style="small", tone="refuse"))
    card = CardList(test_id="papers")
    for paper in draft.papers:
        card.add_widget(_paper_row(page, paper))
    for code in missing_papers(draft, kind):
        row = Row(icon="file-plus", title=page.choices.name("paper_kinds", code), pressable=True, chevron=True)
        row.subtitle, row.icon_tone, row.icon_ground = words("Still needed"), "hold", "holdsoft"
        row.test_id = f"add-{code}"
        row.bind(on_release=lambda _row, code=code: _add(page, code))
        card.add_widget(row)
    if card.children:
        parts.append(card)
    other = OutlineButton(text=words("Add another paper"), icon="plus", compact=True, test_id="add-paper")
    other.bind(on_release=lambda _button: _add_other(page))
    known = page.choices.shown.value
    other.disabled = known is not None and len(draft.papers) >= known.papers_max
    text = words("Photos are made smaller, and where and when they were taken is removed before they are sent.")
    return [*parts, other, Note(text=text, icon="lock")]


def _paper_row(page: Apply, paper: DraftPaper) -> Widget:
    words = page.words
    column = Column(padding=(0, 0, dp(8), dp(4)))
    row = Row(icon="file-text" if paper.media_type.endswith("pdf") else "image")
    row.title, row.subtitle = page.choices.name("paper_kinds", paper.kind), paper.name
    row.value_icon, row.value_tone = "check", "admit"
    column.add_widget(row)
    buttons = Card(orientation="horizontal", padding=(dp(8), 0), spacing=dp(4), ground="", radius_dp=0)
    valid = (
        words("Valid until {day}", day=words.date(paper.valid_until)) if paper.valid_until else words("Last day on it")
    )
    date_button = QuietButton(text=valid, icon="calendar", test_id=f"date-{paper.kind}")
    date_button.bind(on_release=lambda _button: _ask_date(page, paper))
    drop = IconButton(icon="trash-2", label=words("Remove"), tone="ink2", test_id=f"drop-{paper.kind}")
    drop.bind(on_release=lambda _button: _drop(page, paper))
    return _with_buttons(column, buttons, (date_button, drop))


def _with_buttons(column: Column, line: Card, buttons: Sequence[Widget]) -> Widget:
    for button in buttons:
        line.add_widget(button)
    column.add_widget(line)
    return column


def _ask_date(page: Apply, paper: DraftPaper) -> None:
    now = page.words.local(page.client.clock.now())
    at = now if paper.valid_until is None else datetime.combine(paper.valid_until, now.time(), now.tzinfo)

    def taken(chosen: datetime) -> None:
        assert page.draft is not None
        page.draft = page.drafts.date_paper(page.draft, paper, chosen.date())
        page.changed()

    days = (now.date(), (now + timedelta(days=3660)).date())
    MomentSheet(page.words, page.words("Last day on it"), at, days, taken, has_time=False).open(page)


def _drop(page: Apply, paper: DraftPaper) -> None:
    assert page.draft is not None
    page.draft = page.drafts.drop_paper(page.draft, paper)
    page.changed()


def _add(page: Apply, kind: str) -> None:
    def take(name: str, ready: Prepared) -> None:
        assert page.draft is not None
        page.draft = page.drafts.add_paper(page.draft, ready.content, kind=kind, name=name, media_type=ready.media_type)
        page.changed()

    ask_paper(page, page.choices.name("paper_kinds", kind), page.choices, take)


def _add_other(page: Apply) -> None:
    from mobile.ui.screens.choosing import choose

    title = page.words("Which paper is it?")
    choose(page, title, page.choices.options("paper_kinds"), "", lambda code: _add(page, code), test_id="paper-kind")


# ---------------------------------------------------------------- overview


def overview(page: Apply) -> list[Widget]:
    """Everything once more, with what the server's checks say."""
    words, draft = page.words, page.draft
    assert draft is not None
    parts: list[Widget] = []
    if page.refusal:
        card = Card(outline="refuse", test_id="refusal")
        card.add_widget(Text(text=words("The office's system did not take it"), style="strong", tone="refuse"))
        card.add_widget(Text(text=page.refusal, style="small"))
        parts.append(card)
    missing = page.gaps()
    if missing:
        parts.append(_missing(page, missing))
    else:
        parts += _ticks(page)
    parts.append(_summary(page))
    return parts


def _missing(page: Apply, missing: Sequence[str]) -> Widget:
    card = CardList(test_id="missing")
    for name in missing:
        row = Row(icon="circle-alert", title=field_name(page.words, name), subtitle=page.words("Still to be filled in"))
        row.icon_tone, row.icon_ground, row.pressable, row.chevron = "hold", "holdsoft", True, True
        row.test_id = f"missing-{name}"
        row.bind(on_release=lambda _row, name=name: page.turn_to(step_of(name)))
        card.add_widget(row)
    return card


def _ticks(page: Apply) -> list[Widget]:
    words, check = page.words, page.check
    if check is None:
        text = words("The automatic checks run when it is handed in, or when there is a network.")
        return [Note(text=text, icon="list-checks", test_id="unchecked")]
    card = CardList(test_id="ticks")
    for one in check.problems:
        row = Row(icon="octagon-x", title=field_name(words, one.field), subtitle=words.both(one.words.zh, one.words.en))
        row.icon_tone, row.icon_ground, row.pressable, row.lines = "refuse", "refusesoft", True, 4
        row.bind(on_release=lambda _row, one=one: page.turn_to(step_of(one.field)))
        card.add_widget(row)
    for tick in check.ticks:
        if tick.state == "wrong" and check.problems:
            continue
        icon, tone = TICKS.get(tick.state, TICKS["unknown"])
        row = Row(icon=icon, title=words.both(tick.words.zh, tick.words.en), icon_tone=tone, icon_ground=f"{tone}soft")
        card.add_widget(row)
    return [Section(title=words("Automatic checks")), card]


def _summary(page: Apply) -> Widget:
    words, form, draft, choices = page.words, page.form, page.draft, page.choices
    assert draft is not None
    card = Card(test_id="summary")
    for name, value in (
        ("plate", form.get("plate", "")),
        ("emission_class", choices.name("emission_classes", form.get("emission_class"))),
        ("drive", choices.name("drives", form.get("drive"))),
        ("consumption_per_100km", _consumption(form)),
        ("holder", form.get("holder", "")),
        ("permit_class", choices.name("permit_classes", form.get("permit_class"))),
        ("purpose", choices.name("purposes", form.get("purpose"))),
        ("purpose_text", form.get("purpose_text", "")),
        ("route", form.get("route", "")),
        ("gates", choices.gates(form.get("gates", ()))),
        ("window_from", _moment(page, "window_from")),
        ("window_until", _moment(page, "window_until")),
        ("entry_kind", choices.name("entry_kinds", form.get("entry_kind"))),
        ("entries", str(form.get("entries") or "")),
        ("papers", words.both("、", ", ").join(choices.name("paper_kinds", one.kind) for one in draft.papers)),
    ):
        if value:
            card.add_widget(Pair(label=words(FIELDS[name]), value=value))
    return card


def _consumption(form: dict[str, object]) -> str:
    value = form.get("consumption_per_100km")
    return f"{value} {UNITS.get(str(form.get('drive')), 'L')}/100 km" if value else ""


def _moment(page: Apply, name: str) -> str:
    value = page.form.get(name)
    if not value:
        return ""
    at = datetime.fromisoformat(value)
    return f"{page.words.day(at)} {page.words.time(at)}"


STEPS = (vehicle, purpose, place_and_time, papers, overview)
