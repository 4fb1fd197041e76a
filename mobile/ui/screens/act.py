"""One act, or one entry of the ledger: owns the page with what it was, how it was computed, and how to appeal."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from kivy.uix.widget import Widget

from mobile.core.api.points import AppealMade, EarningRecord, EntryRecord
from mobile.core.models.history import Acts, Appeals, History
from mobile.core.models.trips import can_appeal
from mobile.core.repeats import RepeatKey
from mobile.ui.kit import Card, CardList, EmptyState, Figure, Note, OutlineButton, Row, Text
from mobile.ui.screens.act_rows import where
from mobile.ui.screens.page import Page
from mobile.ui.screens.trip_appeal import AppealSheet
from mobile.ui.screens.trip_parts import computed_card, icon_of


class Act(Page):
    """`given`: `event_id`, and the `act` itself where it may be older than the first page."""

    def opened(self) -> None:
        self._acts, self._appeals = Acts(self.client), Appeals(self.client)
        # A word that is sent twice, because the first answer was lost, is one word.
        self._appeal_key = RepeatKey()
        self.watch(self._acts.changed)
        self.watch(self._appeals.changed)

    @property
    def title(self) -> str:
        return self.words("How it counted")

    @property
    def model(self) -> Acts:
        return self._acts

    def on_shown(self) -> None:
        super().on_shown()
        self.run(self._appeals.refresh_if_old())

    def closed(self) -> None:
        self._acts.close()
        self._appeals.close()

    def found(self) -> EarningRecord | None:
        """The act that is shown."""
        return self._acts.act(self.given["event_id"]) or self.given.get("act")

    def parts(self) -> Sequence[Widget]:
        found = self.found()
        if found is None:
            return self._missing()
        return [self._head(found), *self.formula(found), *self._appeal(found)]

    def _missing(self) -> Sequence[Widget]:
        if self.model.shown.value is None or self.model.shown.is_refreshing:
            return self.waiting_for(self.model)
        title = self.words("Not on this phone")
        text = self.words("It is older than what was loaded. Look under History.")
        return [EmptyState(icon="history", title=title, text=text, test_id="empty")]

    def _head(self, act: EarningRecord) -> Widget:
        words, card = self.words, Card(test_id="act")
        sign, tone = ("+", "admit") if act.state == "granted" and act.reversed_at is None else ("", "ink2")
        card.add_widget(
            Row(icon=icon_of(act.scene.code), title=words.said(act.scene), subtitle=self._when(act), padding=(0, 0))
        )
        card.add_widget(Figure(value=f"{sign}{words.number(act.points)}", unit=words("points"), tone=tone))
        if act.reversed_at is not None:
            text = words("Taken back on {day}", day=words.date(act.reversed_at))
            card.add_widget(Note(text=text, icon="undo-2", tone="refuse"))
        for reason in act.reasons:
            icon, tone = ("clock", "hold") if act.state == "held" else ("octagon-x", "refuse")
            card.add_widget(Note(text=words.said(reason), icon=icon, tone=tone))
        if act.release_at is not None and act.state == "held":
            text = words("Decided by {time}", time=words.when(act.release_at))
            card.add_widget(Text(text=text, style="small", tone="ink2"))
        return card

    def _when(self, act: EarningRecord) -> str:
        words = self.words
        return " · ".join(filter(None, (words.when(act.started_at), where(words, act))))

    def formula(self, act: EarningRecord) -> list[Widget]:
        """How the grams came about."""
        card = computed_card(self.words, act)
        return [] if card is None else [card]

    def _appeal(self, act: EarningRecord) -> list[Widget]:
        words = self.words
        made = next((one for one in self._appeals.shown.value or () if one.event.event_id == act.event_id), None)
        if made is not None:
            card = CardList()
            row = Row(
                icon="message-square-warning", title=words("Your appeal"), subtitle=made.answer or made.text, lines=6
            )
            row.tag_text = words("Answered") if made.decided_at else words("Unanswered")
            row.tag_tone = "admit" if made.decided_at else "hold"
            if made.points:
                row.value, row.value_tone = f"+{words.number(made.points)}", "admit"
            card.add_widget(row)
            return [card]
        if not can_appeal(act):
            return []
        button = OutlineButton(text=words("Not right? Tell us"), icon="message-square-warning", test_id="appeal")
        button.bind(on_release=lambda _button: self._ask(act))
        return [button]

    def _ask(self, act: EarningRecord) -> None:
        def send(text: str) -> Awaitable[AppealMade]:
            return self._appeals.make(act.event_id, text, key=self._appeal_key.of(act.event_id, text))

        sent = self.words("Sent. The answer stands here.")
        AppealSheet(self, is_refusal=act.state == "refused", send=send, sent=sent).open(self)


class Entry(Act):
    """`given`: `entry_id`, and the `entry` itself where it may be older than the first page; a row of the ledger."""

    def opened(self) -> None:
        super().opened()
        self._history = History(self.client)
        self.watch(self._history.changed)

    @property
    def model(self) -> History:
        return self._history

    def closed(self) -> None:
        super().closed()
        self._history.close()

    def _entry(self) -> EntryRecord | None:
        return self._history.entry(self.given["entry_id"]) or self.given.get("entry")

    def found(self) -> EarningRecord | None:
        entry = self._entry()
        return None if entry is None else entry.event

    def parts(self) -> Sequence[Widget]:
        entry = self._entry()
        if entry is None:
            return self._missing()
        act = [] if entry.event is None else [self._head(entry.event), *self.formula(entry.event)]
        appeal = [] if entry.event is None else self._appeal(entry.event)
        return [*act, self._row(entry), *appeal]

    def _row(self, entry: EntryRecord) -> Widget:
        words, card = self.words, CardList(test_id="entry")
        card.add_widget(
            Row(title=words.said(entry.kind), subtitle=entry.reason, lines=4, value=words.number(entry.points))
        )
        card.add_widget(Row(title=words("Booked"), value=words.stamp(entry.at)))
        if entry.valid_until is not None:
            card.add_widget(Row(title=words("Can be spent until"), value=words.date(entry.valid_until)))
        card.add_widget(
            Row(title=words("Number in the ledger"), value=words.number(entry.seq), subtitle=entry.hash[:16])
        )
        return card
