"""Reminders: owns the list of what the person should do by when, and where each leads."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.uix.widget import Widget

from mobile.core.api.permits import ReminderRecord
from mobile.core.models.reminders import Reminders as RemindersModel
from mobile.ui.kit import CardList, EmptyState, Row, Section
from mobile.ui.screens.page import Page


class Reminders(Page):
    """Unread ones first, as the server orders them."""

    @property
    def title(self) -> str:
        return self.words("Reminders")

    @property
    def model(self) -> RemindersModel:
        return self._reminders

    def opened(self) -> None:
        self._reminders = RemindersModel(self.client)
        self.watch(self._reminders.changed)

    def closed(self) -> None:
        self._reminders.close()

    def parts(self) -> Sequence[Widget]:
        words, shown = self.words, self._reminders.shown
        if shown.value is None:
            return self.waiting_for(self._reminders)
        if not shown.value:
            text = words("When something has to be done by a day, it stands here.")
            return [EmptyState(icon="bell", title=words("Nothing to do"), text=text, test_id="empty")]
        age = self.age_of(self._reminders)
        parts: list[Widget] = [Section(title=words("To do"), note=age)] if age else []
        card = CardList()
        for one in shown.value:
            row = Row(icon="bell" if one.seen_at else "bell-ring", title=words.said(one.words), subtitle=one.plate)
            row.value = words.when(one.due_at) if one.due_at else ""
            row.icon_tone, row.icon_ground = ("ink2", "surface2") if one.seen_at else ("hold", "holdsoft")
            row.pressable = row.chevron = True
            row.lines, row.test_id = 4, f"reminder-{one.key}"
            row.bind(on_release=lambda _row, one=one: self._open(one))
            card.add_widget(row)
        return [*parts, card]

    def _open(self, one: ReminderRecord) -> None:
        self.run(self._reminders.read(one.key), outlives=True)
        if self.client.role == "driver" and one.application_id:
            self.go("application", application_id=one.application_id)
