"""A driver's first screen: owns what is in force, what has to be done, what is with the office, and what is past."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress

from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.core.api.carbon import VisitRow
from mobile.core.api.permits import ApplicationRow
from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.models.application_draft import APPLICATION, Draft, Drafts
from mobile.core.models.applications import Applications, OneApplication, Part
from mobile.core.models.choices import Choices
from mobile.core.models.passes import fetch_missing
from mobile.core.models.visits import Visits
from mobile.core.outbox import Entry
from mobile.core.words import Words
from mobile.ui.kit import (
    Across,
    Card,
    CardList,
    Dashes,
    EmptyState,
    FilledButton,
    IconButton,
    OutlineButton,
    PressCard,
    QuietButton,
    Row,
    Section,
    Tag,
    Text,
)
from mobile.ui.screens.page import Page
from mobile.ui.screens.permit_parts import STATES, day_and_title, day_number, plate_line, span, state_tag, title_of

# More entries than this are told as a number alone.
DASHES_MAX = 8
# Returned ones whose remarks are asked for beside the list.
REMARKS_MAX = 5
_PAPERS_STEP = 3


class Permits(Page):
    """A tab of drivers."""

    is_tab = True

    def opened(self) -> None:
        self._applications, self._choices = Applications(self.client), Choices(self.client)
        self._visits, self._drafts = Visits(self.client, "open"), Drafts(self.client)
        self._returned: dict[str, OneApplication] = {}
        self._followed_at = self._applications.shown.seen_at
        self.watch(self._applications.changed, self._heard)
        self.watch(self._choices.changed)
        self.watch(self._visits.changed)
        self.watch(self.client.outbox.changed, self._outbox_changed)
        self._take_returned()

    @property
    def model(self) -> Applications:
        return self._applications

    @property
    def title(self) -> str:
        return self.words("Entry permits")

    def on_shown(self) -> None:
        super().on_shown()
        self.run(self._choices.refresh_if_old())
        self.run(self._visits.refresh_if_old())
        self._tidy()
        self.redraw()  # drafts may have changed meanwhile

    def closed(self) -> None:
        for one in (self._applications, self._choices, self._visits, *self._returned.values()):
            one.close()

    # ------------------------------------------------------------ what is heard

    def _heard(self) -> None:
        self.redraw()
        shown = self._applications.shown
        if shown.phase == "ready" and shown.seen_at != self._followed_at:
            self._followed_at = shown.seen_at
            self.run(self._follow())

    async def _follow(self) -> None:
        """Passes into the phone before they are needed, and what the office wants of returned ones."""
        try:
            await fetch_missing(self.client, self._applications.of(Part.IN_FORCE))
        except (ApiProblem, Offline, StoreError):
            self._followed_at = None  # with the next answer again
        self._take_returned()
        for one in tuple(self._returned.values()):
            await one.refresh_if_old()

    def _take_returned(self) -> None:
        rows = [one for one in self._applications.of(Part.TO_DO) if one.status == "returned"][:REMARKS_MAX]
        for row in rows:
            if row.application_id not in self._returned:
                one = OneApplication(self.client, row.application_id)
                self._returned[row.application_id] = one
                self.watch(one.changed)

    def _outbox_changed(self) -> None:
        self.redraw()
        if self.is_shown:
            self._tidy()

    def _tidy(self) -> None:
        """What was handed in stands in the server's list from now on."""
        if self.client.outbox.entries(APPLICATION, "sent"):
            with suppress(StoreError):  # it stays hidden, and is forgotten another time
                self._drafts.tidy()
            self.run(self._applications.refresh())

    # ------------------------------------------------------------ widgets

    def actions(self) -> Sequence[Widget]:
        new = IconButton(icon="plus", label=self.words("New application"), ground="accent", tone="onaccent")
        new.test_id = "new"
        new.bind(on_release=lambda _button: self.go("apply"))
        return [new]

    def parts(self) -> Sequence[Widget]:
        shown = self._applications.shown
        numbers = {one.application_id for one in shown.value or ()}
        drafts = [one for one in self._drafts.all() if one.application_id not in numbers]
        here = [*map(self._waiting_card, self._applications.on_their_way()), *map(self._draft_card, drafts)]
        if shown.value is None:
            return [*self._to_do(here), *self.waiting_for(self._applications, kind="card", rows=2)]
        if not shown.value and not here:
            return [self._empty()]
        in_force = [self._force_card(one) for one in self._applications.of(Part.IN_FORCE)]
        returned = [self._to_do_card(one) for one in self._applications.of(Part.TO_DO)]
        parts = [*self._age(), *in_force, *self._to_do([*returned, *here])]
        with_office, past = self._applications.of(Part.WITH_OFFICE), self._past_rows()
        if with_office:
            parts.append(Section(title=self.words("With the office")))
            parts.append(self._list(map(self._office_row, with_office), "with-office"))
        if past:
            parts.append(Section(title=self.words("Past")))
            parts.append(self._list(past, "past"))
        if self._applications.has_more:
            more = QuietButton(text=self.words("Show more"), test_id="more")
            more.busy = self._applications.is_loading_more
            more.bind(on_release=lambda _button: self.run(self._applications.more()))
            parts.append(more)
        return parts

    def _age(self) -> list[Widget]:
        """How old everything is, where it is not fresh."""
        age = self.age_of(self._applications)
        if not age or self._applications.shown.is_refreshing:
            return []
        return [Tag(text=self.words("As of {age}", age=age), tone="stale", icon="history", test_id="age")]

    def _to_do(self, cards: Sequence[Widget]) -> list[Widget]:
        return [Section(title=self.words("For you to do"), test_id="to-do"), *cards] if cards else []

    def _list(self, rows: Iterable[Row], test_id: str) -> CardList:
        card = CardList(test_id=test_id)
        for row in rows:
            card.add_widget(row)
        return card

    def _empty(self) -> Widget:
        text = self.words("A fuel vehicle needs a permit before it comes to the island. Electric vehicles need none.")
        state = EmptyState(icon="shield-check", title=self.words("No permit yet"), text=text, test_id="empty")
        state.action_text, state.action_icon = self.words("Apply for one"), "plus"
        state.bind(on_action=lambda _state: self.go("apply"))
        return state

    # ------------------------------------------------------------ in force

    def _force_card(self, row: ApplicationRow) -> Widget:
        words, number = self.words, row.application_id
        card = PressCard(outline="permitsolid", test_id=f"permit-{number}")
        card.bind(on_release=lambda _card: self.go("application", application_id=number))
        tag = state_tag(words, row.status)
        is_over = row.window_until is not None and row.window_until <= self.client.clock.now()
        if is_over:
            tag = state_tag(words, "expired")
        card.add_widget(plate_line(words, row.plate, row.plate_colour, tag, height_dp=36))
        card.add_widget(Text(text=title_of(words, self._choices, row.purpose, row.purpose_text), style="section"))
        when = words.both("，", ", ").join(
            filter(None, (span(words, row.window_from, row.window_until), self._choices.gates(row.gates)))
        )
        card.add_widget(Text(text=when, tone="ink2"))
        card.add_widget(self._entries(row))
        button = FilledButton(text=words("Show the pass"), icon="qr-code", kind="permit", test_id=f"pass-{number}")
        button.bind(on_release=lambda _button: self.go("pass", application_id=number))
        card.add_widget(button)
        return card

    def _entries(self, row: ApplicationRow) -> Widget:
        words = self.words
        if row.entries_left is None:
            return Text(text=words("Any number of entries"), style="small", tone="ink3")
        record = OneApplication(self.client, row.application_id)
        record.close()  # its cache alone is of interest here
        used = None if record.shown.value is None else record.shown.value.entries_used
        total = 1 if row.entry_kind == "single" else None if used is None else used + row.entries_left
        if total is None or total > DASHES_MAX:
            left = words.n("{n} entry left", "{n} entries left", row.entries_left)
            return Text(text=left, style="small", tone="ink3")
        used = total - row.entries_left
        line = Across(spacing=dp(10))
        line.add_widget(Dashes(total=total, used=used, pos_hint={"center_y": 0.5}))
        told = words("{used} used, {left} left", used=used, left=row.entries_left)
        line.add_widget(Text(text=told, style="small", tone="ink3"))
        return line

    # ------------------------------------------------------------ to do

    def _to_do_card(self, row: ApplicationRow) -> Widget:
        words, number, card = self.words, row.application_id, PressCard(test_id=f"todo-{row.application_id}")
        card.bind(on_release=lambda _card: self.go("application", application_id=number))
        card.add_widget(plate_line(words, row.plate, row.plate_colour, state_tag(words, row.status)))
        title, text, action, icon, step = self._asked(row)
        card.add_widget(Text(text=title, style="strong"))
        card.add_widget(Text(text=text, style="small", tone="ink2"))
        button = OutlineButton(text=action, icon=icon, compact=True, test_id=f"change-{number}")
        button.bind(on_release=lambda _button: self.go("apply", application_id=number, step=step))
        card.add_widget(button)
        return card

    def _asked(self, row: ApplicationRow) -> tuple[str, str, str, str, int | None]:
        """What the office wants: title, text, button, its icon, and the step of the form that it is about."""
        words = self.words
        due = words("Until {when}.", when=words.when(row.due_at)) if row.due_at else ""
        if row.status == "draft":
            title = words("Came in on an emergency") if row.is_emergency_entry else self._title(row)
            text = words("Papers and purpose follow now.") if row.is_emergency_entry else words("Not handed in yet.")
            return title, f"{text} {due}".strip(), words("Complete it"), "pencil", None
        one = self._returned.get(row.application_id)
        remarks = () if one is None else one.remarks()
        record = None if one is None else one.shown.value
        reason = (
            next((line.reason for line in reversed(record.history) if line.after == "returned"), "") if record else ""
        )
        title = " ".join(text for _field, text in remarks) or reason or self._title(row)
        kept = words("Everything else is kept for you.")
        if remarks and all(field == "papers" for field, _text in remarks):
            return title, f"{kept} {due}".strip(), words("Add a photo"), "camera", _PAPERS_STEP
        return title, f"{kept} {due}".strip(), words("Change it"), "pencil", None

    def _title(self, row: ApplicationRow) -> str:
        return title_of(self.words, self._choices, row.purpose, row.purpose_text)

    def _draft_card(self, draft: Draft) -> Widget:
        words, form, card = self.words, draft.form, PressCard(test_id=f"draft-{draft.draft_id}")
        card.bind(on_release=lambda _card: self.go("apply", draft_id=draft.draft_id))
        card.add_widget(
            plate_line(words, form.get("plate", ""), form.get("plate_colour", "unknown"), state_tag(words, "draft"))
        )
        title = title_of(words, self._choices, form.get("purpose"), form.get("purpose_text", ""))
        card.add_widget(Text(text=title, style="strong"))
        changed = words("Only on this phone, changed {when}", when=words.when(draft.changed_at))
        card.add_widget(Text(text=changed, style="small", tone="ink3"))
        return card

    def _waiting_card(self, entry: Entry) -> Widget:
        """What waits to be sent, or was refused at once."""
        words, form, is_refused = self.words, entry.body["form"], entry.state == "refused"
        card = Card(test_id=f"sending-{entry.entry_id}")
        tag = Tag(text=words("Not taken"), tone="refuse", icon="octagon-x")
        if not is_refused:
            tag = Tag(text=words("Waits to be sent"), tone="stale", icon="cloud-upload")
        card.add_widget(plate_line(words, form.get("plate", ""), form.get("plate_colour", "unknown"), tag))
        title = title_of(words, self._choices, form.get("purpose"), form.get("purpose_text", ""))
        card.add_widget(Text(text=title, style="strong"))
        if is_refused and entry.problem is not None:
            card.add_widget(Text(text=refusal(self.words, entry), style="small", tone="refuse", test_id="why"))
        else:
            text = words("Kept {when}. It is sent once, as soon as there is a network.", when=words.when(entry.made_at))
            card.add_widget(Text(text=text, style="small", tone="ink3"))
        if is_refused or not entry.tries:
            button = OutlineButton(text=words("Change it"), icon="pencil", compact=True)
            button.test_id = f"take-back-{entry.entry_id}"
            button.bind(on_release=lambda _button: self._take_back(entry))
            card.add_widget(button)
        return card

    def _take_back(self, entry: Entry) -> None:
        draft = self._drafts.take_back(entry)
        if draft is None:
            self.say(self.words("It is being sent just now."), icon="cloud-upload")
        else:
            self.go("apply", draft_id=draft.draft_id)

    # ------------------------------------------------------------ with the office, past

    def _office_row(self, row: ApplicationRow) -> Row:
        words = self.words
        parts = []
        if row.submitted_at is not None:
            parts.append(words("Handed in {when}", when=words.when(row.submitted_at)))
        if row.due_at is not None and row.due_of_office:
            parts.append(words("answer by {when}", when=words.when(row.due_at)))
        return self._row(row, words.both("，", ", ").join(parts))

    def _row(self, row: ApplicationRow, subtitle: str) -> Row:
        text, tone, icon = STATES.get(row.status, (row.status, "plain", ""))
        shown = Row(title=day_and_title(self.words, self._choices, row), subtitle=subtitle, pressable=True)
        shown.tag_text, shown.tag_tone, shown.tag_icon = self.words(text), tone, icon
        shown.test_id = f"row-{row.application_id}"
        shown.bind(on_release=lambda _row: self.go("application", application_id=row.application_id))
        return shown

    def _past_rows(self) -> list[Row]:
        rows = [self._visit_row(one) for one in self._visits.shown.value or ()]
        return [*rows, *(self._row(one, self._past_words(one)) for one in self._applications.of(Part.PAST))]

    def _past_words(self, row: ApplicationRow) -> str:
        joint = self.words.both("，", ", ")
        return joint.join(filter(None, (row.plate, span(self.words, row.window_from, row.window_until))))

    def _visit_row(self, one: VisitRow) -> Row:
        words = self.words
        title = title_of(words, self._choices, one.purpose, one.purpose_text)
        row = Row(title=f"{day_number(words, one.day)} {title}", pressable=True)
        row.subtitle = words("{grams} CO₂e, the office offsets it", grams=words.grams(one.open_g))
        row.tag_text, row.tag_tone, row.tag_icon = words("To be offset"), "hold", "clock"
        row.test_id = f"visit-{one.visit_id}"
        row.bind(on_release=lambda _row: self.go("visit", visit_id=one.visit_id))
        return row


def refusal(words: Words, entry: Entry) -> str:
    """Why the server did not take an application: its sentence, and what is wrong with which field."""
    problem = entry.problem
    if problem is None:
        return ""
    said = [f"{one[words.both('zh', 'en')]}" for one in problem.more.get("problems", [])]
    return "\n".join([problem.sentence(words), *said])
