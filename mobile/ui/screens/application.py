"""One application: owns its way so far, what to do next by when, its history in words, and the ways on."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.uix.widget import Widget

from mobile.core.api.permits import ApplicationRecord, ChangeRecord, DeadlineRecord
from mobile.core.models.application_draft import Drafts
from mobile.core.models.applications import OneApplication, can_discard, discard
from mobile.core.models.choices import Choices
from mobile.core.words import N_
from mobile.ui.kit import (
    Card,
    CardList,
    FactGrid,
    FilledButton,
    Note,
    OutlineButton,
    Pair,
    QuietButton,
    Row,
    Section,
    Tag,
    Text,
    Timeline,
)
from mobile.ui.screens.application_appeal import appeal_sheet
from mobile.ui.screens.discarding import discard_dialog
from mobile.ui.screens.page import Page
from mobile.ui.screens.permit_parts import (
    entries_words,
    field_name,
    plate_line,
    span,
    state_tag,
    title_of,
    vehicle_words,
)

_STEPS = {
    "create": N_("{who} began it"),
    "copy": N_("{who} copied an earlier one"),
    "emergency_entry": N_("Came in on an emergency, papers to follow"),
    "edit": N_("{who} changed it"),
    "submit": N_("{who} handed it in"),
    "return": N_("{who} returned it"),
    "approve": N_("{who} approved it"),
    "undo_approval": N_("{who} took the approval back"),
    "refuse": N_("{who} did not approve it"),
    "assign": N_("{who} named the applicant"),
    "activate": N_("The permit began"),
    "count_entries": N_("An entry was counted"),
    "expire": N_("The term ended"),
    "revoke": N_("{who} withdrew the permit"),
    "appeal": N_("{who} appealed"),
    "grant_appeal": N_("{who} granted the appeal"),
    "reject_appeal": N_("{who} rejected the appeal"),
}
_HISTORY_MAX = 40


class Application(Page):
    """`given`: `application_id`."""

    def opened(self) -> None:
        self._application = OneApplication(self.client, self.given["application_id"])
        self._choices, self._drafts = Choices(self.client), Drafts(self.client)
        self._is_busy = False
        self.watch(self._application.changed)
        self.watch(self._choices.changed)

    @property
    def model(self) -> OneApplication:
        return self._application

    @property
    def title(self) -> str:
        return str(self.given["application_id"])

    def on_shown(self) -> None:
        super().on_shown()
        self.run(self._choices.refresh_if_old())

    def closed(self) -> None:
        self._application.close()
        self._choices.close()

    # ------------------------------------------------------------ widgets

    def parts(self) -> Sequence[Widget]:
        record = self._application.shown.value
        if record is None:
            return self.waiting_for(self._application, kind="card", rows=3)
        age = self.age_of(self._application)
        parts: list[Widget] = []
        if age and not self._application.shown.is_refreshing:
            parts.append(Tag(text=self.words("As of {age}", age=age), tone="stale", icon="history", test_id="age"))
        parts += [self._head(record), *self._next(record), self._way(record), self._facts(record)]
        return [*parts, *self._history(record), *self._more(record)]

    def _head(self, record: ApplicationRecord) -> Widget:
        words, row, card = self.words, record.row, Card(test_id="head")
        card.add_widget(plate_line(words, row.plate, row.plate_colour, state_tag(words, row.status)))
        card.add_widget(Text(text=title_of(words, self._choices, row.purpose, row.purpose_text), style="section"))
        card.add_widget(Text(text=span(words, row.window_from, row.window_until), style="small", tone="ink2"))
        if row.status in ("active", "approved"):
            button = FilledButton(text=words("Show the pass"), icon="qr-code", kind="permit", test_id="to-pass")
            button.bind(on_release=lambda _button: self.go("pass", application_id=row.application_id))
            card.add_widget(button)
        return card

    def _next(self, record: ApplicationRecord) -> list[Widget]:
        """What the driver, or the office, has to do by when."""
        words, row = self.words, record.row
        if row.status not in ("draft", "returned", "submitted", "appealed", "refused", "revoked"):
            return []
        card = Card(test_id="next", outline="holdsolid" if row.status in ("draft", "returned") else "")
        for term in record.deadlines:
            card.add_widget(self._term(term))
        for field, text in self._application.remarks():
            card.add_widget(Text(text=field_name(words, field), style="smallstrong", tone="hold"))
            card.add_widget(Text(text=text, style="strong", test_id=f"remark-{field}"))
        reason = self._reason(record)
        if reason:
            card.add_widget(Text(text=words("The office's reason"), style="smallstrong", tone="ink2"))
            card.add_widget(Text(text=reason, test_id="reason"))
        if row.status in ("draft", "returned"):
            if row.is_emergency_entry and row.status == "draft":
                text = words("The vehicle came in on an emergency. Complete purpose and papers, then hand it in.")
                card.add_widget(Text(text=text, style="small", tone="ink2"))
            button = FilledButton(text=words("Change and hand in"), icon="pencil", test_id="change")
            button.bind(on_release=lambda _button: self.go("apply", application_id=row.application_id))
            card.add_widget(button)
        if can_discard(row):
            discard = QuietButton(text=words("Throw this draft away"), icon="trash-2", kind="refuse", test_id="discard")
            discard.bind(on_release=lambda _button: discard_dialog(self, self._discard).open(self))
            card.add_widget(discard)
        if row.status in ("refused", "revoked") and record.appeal is None:
            button = OutlineButton(text=words("Appeal"), icon="scale", compact=True, test_id="appeal")
            button.bind(on_release=lambda _button: self._appeal())
            card.add_widget(button)
        return [card] if card.children else []

    def _term(self, term: DeadlineRecord) -> Widget:
        words = self.words
        who = words("The office") if term.of_office else words("You")
        text = words("{who}: by {when}", who=who, when=words.when(term.due_at))
        tone = "refuse" if term.overdue else "ink2" if term.of_office else "hold"
        row = Row(icon="clock", title=text, subtitle=words.both(term.words.zh, term.words.en), lines=4, title_tone=tone)
        row.icon_tone, row.icon_ground = ("ink2", "surface2") if term.of_office else ("hold", "holdsoft")
        return row

    def _reason(self, record: ApplicationRecord) -> str:
        last = next(
            (one for one in reversed(record.history) if one.after == record.row.status and one.before != one.after),
            None,
        )
        return "" if last is None or last.action not in ("return", "refuse", "revoke", "reject_appeal") else last.reason

    def _way(self, record: ApplicationRecord) -> Widget:
        """Filled in, handed in, decided, in force."""
        words, row = self.words, record.row
        card = Card(test_id="way")
        names = (words("Filled in"), words("Sent to the office"), words("Decided by the office"), words("Valid"))
        moments = (record.created_at, row.submitted_at, row.decided_at, row.published_at)
        reached = {"draft": 0, "returned": 1, "submitted": 1, "appealed": 2, "refused": 2, "approved": 2}.get(
            row.status, 3
        )
        is_problem = row.status in ("returned", "refused", "revoked", "expired")
        steps = []
        for at, (name, moment) in enumerate(zip(names, moments, strict=True)):
            state = "done" if at < reached else "next"
            if at == reached:
                state = "problem" if is_problem else "done" if row.status in ("used_up", "active") else "now"
            note = words.when(moment) if moment is not None and at <= reached else ""
            steps.append((name, note, state))
        card.add_widget(Timeline(steps=steps))
        return card

    def _facts(self, record: ApplicationRecord) -> Widget:
        words, form = self.words, record.form
        card = Card(padding=0, test_id="facts")
        facts = [
            (words("Window"), span(words, form.window_from, form.window_until)),
            (words("Gates"), self._choices.gates(form.gates) or words.number(None)),
            (words("Vehicle"), vehicle_words(words, self._choices, form)),
            (words("Entries"), entries_words(words, record.entries_left)),
            (words("Purpose"), self._choices.name("purposes", form.purpose) or words.number(None)),
            (words("Papers"), words.n("{n} paper", "{n} papers", len(form.papers))),
        ]
        card.add_widget(FactGrid(facts=facts))
        return card

    def _history(self, record: ApplicationRecord) -> list[Widget]:
        card = CardList(test_id="history")
        for one in tuple(reversed(record.history))[:_HISTORY_MAX]:
            said = [
                *(text["text"] for text in one.remarks if text.get("text")),
                one.reason if one.action != "copy" else "",
            ]
            row = Row(title=self._said(one), lines=6, value=self.words.when(one.at), value_tone="ink3")
            row.subtitle = " ".join(filter(None, said))
            card.add_widget(row)
        return [Section(title=self.words("History")), card]

    def _said(self, one: ChangeRecord) -> str:
        words = self.words
        who = (
            words("You")
            if one.role in ("driver", "organisation") and not one.by_name
            else one.by_name or words("The office")
        )
        return words(_STEPS[one.action], who=who) if one.action in _STEPS else one.action

    def _more(self, record: ApplicationRecord) -> list[Widget]:
        words, card = self.words, Card(test_id="more")
        if record.appeal is not None:
            card.add_widget(Pair(label=words("Appealed"), value=words.when(record.appeal.at)))
            card.add_widget(Text(text=record.appeal.reason, style="small", tone="ink2"))
        copy = OutlineButton(text=words("Apply for this again"), icon="copy-plus", compact=True, test_id="copy")
        copy.bind(on_release=lambda _button: self._copy(record))
        card.add_widget(copy)
        text = words("Everything but the time and the papers is taken over.")
        card.add_widget(Note(text=text, icon="info"))
        return [card]

    # ------------------------------------------------------------ ways on

    def _copy(self, record: ApplicationRecord) -> None:
        self.go("apply", draft_id=self._drafts.copy(record.form).draft_id)

    def _discard(self) -> None:
        self.run(self._discarded(), outlives=True)

    async def _discarded(self) -> None:
        if self._is_busy:
            return
        self._is_busy = True
        try:
            await discard(self.client, self.given["application_id"])
        finally:
            self._is_busy = False
        self.say(self.words("The draft is deleted."), icon="circle-check")
        if self.is_shown:
            self.back()

    def _appeal(self) -> None:
        appeal_sheet(self, self._choices, self._application).open(self)
