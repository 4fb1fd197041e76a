"""Goal and badges: owns what a person wants to earn in the month, what it stands for, and what was reached."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.uix.widget import Widget

from mobile.core.api.points import PointsOfMe
from mobile.core.models.home import Home
from mobile.core.models.rules import Rules
from mobile.ui.kit import (
    Bar,
    Card,
    CardList,
    Field,
    Figure,
    FilledButton,
    OutlineButton,
    QuietButton,
    Row,
    Section,
    Sheet,
    Text,
)
from mobile.ui.screens.page import Page
from mobile.ui.screens.sending import send_from
from mobile.ui.theme import theme

GOAL_POINTS_MAX = 1_000_000


class Goal(Page):
    """The month's goal above, badges below."""

    def opened(self) -> None:
        self._home, self._rules = Home(self.client), Rules(self.client)
        self.watch(self._home.changed)
        self.watch(self._rules.changed)

    @property
    def title(self) -> str:
        return self.words("Goal and badges")

    @property
    def model(self) -> Home:
        return self._home

    def on_shown(self) -> None:
        super().on_shown()
        self.run(self._rules.refresh_if_old())

    def closed(self) -> None:
        self._home.close()
        self._rules.close()

    def parts(self) -> Sequence[Widget]:
        today = self._home.shown.value
        if today is None:
            return self.waiting_for(self._home, kind="card", rows=2)
        return [self._goal(today.me), self._saved(today.me), *self._badges(today.me)]

    def _goal(self, me: PointsOfMe) -> Widget:
        words, card, frac = self.words, Card(test_id="goal"), self._home.goal_frac()
        card.add_widget(Text(text=words("This month's goal"), style="section"))
        if me.goal is None or frac is None:
            card.add_widget(Text(text=words("A goal of your own makes small savings add up."), tone="ink2"))
        else:
            of = words("of {points}", points=words.points(me.goal.month_points))
            card.add_widget(Figure(value=words.number(me.goal.earned_points), unit="" if theme.is_large else of))
            if theme.is_large:
                card.add_widget(Text(text=of, tone="ink3"))
            card.add_widget(Bar(frac=frac))
        button = OutlineButton(text=words("Set a goal") if me.goal is None else words("Change it"), test_id="set-goal")
        button.bind(on_release=lambda _button: self._ask(me))
        card.add_widget(button)
        return card

    def _saved(self, me: PointsOfMe) -> Widget:
        words, card = self.words, Card(test_id="saved")
        card.add_widget(Text(text=words("Saved in all"), style="section"))
        card.add_widget(Figure(value=words.grams(me.total_grams), unit="CO₂"))
        for one in me.equivalents if me.total_grams else ():
            card.add_widget(Text(text=words.said(one), tone="ink2"))
        return card

    def _badges(self, me: PointsOfMe) -> list[Widget]:
        words, card = self.words, CardList(test_id="badges")
        earned = {one.badge: one for one in me.badges}
        rules = self._rules.shown.value
        for method in rules.methods if rules is not None else ():
            if not method.badge:
                continue
            got = earned.get(method.badge)
            row = Row(icon="award", title=words.both(method.name_zh, method.name_en), test_id=f"badge-{method.badge}")
            if got is None:
                row.subtitle, row.icon_tone, row.icon_ground = words("Not yet earned"), "ink3", "surface2"
            else:
                row.subtitle = words("first on {day}", day=words.date(got.first_at))
                row.value, row.value_tone = words.n("{n} time", "{n} times", got.times), "admit"
            card.add_widget(row)
        if not card.children:
            return []
        return [Section(title=words("Badges")), card]

    def _ask(self, me: PointsOfMe) -> None:
        words = self.words
        sheet = Sheet(title=words("This month's goal"), close_label=words("Close"), test_id="goal-sheet")
        field = Field(label=words("Points in a month"), input_type="number", max_chars=7, test_id="goal-points")
        field.text = "" if me.goal is None else str(me.goal.month_points)
        save = FilledButton(text=words("Save"), test_id="goal-save")
        save.bind(on_release=lambda _button: self._save(sheet, save, field))
        sheet.body.add_widget(field)
        sheet.body.add_widget(save)
        if me.goal is not None:
            drop = QuietButton(text=words("No goal"), test_id="goal-drop")
            drop.bind(on_release=lambda _button: self._send(sheet, save, field, None))
            sheet.body.add_widget(drop)
        sheet.open(self)

    def _save(self, sheet: Sheet, button: FilledButton, field: Field) -> None:
        text = field.text.strip()
        if not text.isascii() or not text.isdigit() or not 0 < int(text) <= GOAL_POINTS_MAX:
            field.error = self.words("A whole number from 1 to 1,000,000.")
            return
        self._send(sheet, button, field, int(text))

    def _send(self, sheet: Sheet, button: FilledButton, field: Field, points: int | None) -> None:
        self.run(send_from(self, sheet, button, field, lambda: self._home.set_goal(points)), outlives=True)
