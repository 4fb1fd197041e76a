"""Appeals: owns the list of what a visitor asked to have looked at again, with the answers."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.uix.widget import Widget

from mobile.core.models.history import Appeals as AppealsModel
from mobile.ui.kit import CardList, EmptyState, QuietButton, Row, Section
from mobile.ui.screens.page import Page
from mobile.ui.screens.trip_parts import icon_of


class Appeals(Page):
    """The newest first."""

    def opened(self) -> None:
        self._appeals = AppealsModel(self.client)
        self.watch(self._appeals.changed)

    @property
    def title(self) -> str:
        return self.words("Appeals")

    @property
    def model(self) -> AppealsModel:
        return self._appeals

    def closed(self) -> None:
        self._appeals.close()

    def parts(self) -> Sequence[Widget]:
        words, shown = self.words, self._appeals.shown
        if shown.value is None:
            return self.waiting_for(self._appeals)
        if not shown.value:
            text = words("If an act was not counted and should have been, open it under History and tell us.")
            title = words("No appeals")
            return [EmptyState(icon="message-square-warning", title=title, text=text, test_id="empty")]
        age = self.age_of(self._appeals)
        parts: list[Widget] = [Section(title=words("Appeals"), note=age)] if age else []
        card = CardList()
        for one in shown.value:
            row = Row(icon=icon_of(one.event.scene.code), title=words.said(one.event.scene), lines=6)
            row.subtitle = one.answer or one.text
            row.tag_text = words("Answered") if one.decided_at else words("Unanswered")
            row.tag_tone = "admit" if one.decided_at else "hold"
            if one.points:
                row.value, row.value_tone = f"+{words.number(one.points)}", "admit"
            row.pressable = True
            row.test_id = f"appeal-{one.appeal_id}"
            row.bind(on_release=lambda _row, event_id=one.event.event_id: self.go("act", event_id=event_id))
            card.add_widget(row)
        parts.append(card)
        if self._appeals.has_more:
            more = QuietButton(text=words("Show more"), test_id="more")
            more.bind(on_release=lambda _button: self.run(self._appeals.more()))
            parts.append(more)
        return parts
