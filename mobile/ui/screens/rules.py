"""How the island counts: owns the page of published formulas, factors and rules with their days and sources."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from kivy.uix.widget import Widget

from mobile.core.api.points import MethodRecord
from mobile.core.api.public import Said
from mobile.core.models.rules import Rules as RulesModel
from mobile.core.models.rules import RulesOfToday
from mobile.core.words import N_
from mobile.ui.kit import CardList, Pair, Row, Section, Segment, Sheet, Text
from mobile.ui.screens.page import Page
from mobile.ui.screens.trip_parts import icon_of

VALUE_CHARS_MAX = 16
_VIEWS = (("methods", N_("Acts")), ("factors", N_("Factors")), ("rules", N_("Rules")))


class Rules(Page):
    """Readable without an account, and without a network once it was seen."""

    has_bar = False

    def opened(self) -> None:
        self._rules, self._view = RulesModel(self.client), "methods"
        self.watch(self._rules.changed)

    @property
    def title(self) -> str:
        return self.words("How the island counts")

    @property
    def model(self) -> RulesModel:
        return self._rules

    def closed(self) -> None:
        self._rules.close()

    def parts(self) -> Sequence[Widget]:
        words, rules = self.words, self._rules.shown.value
        if rules is None:
            return self.waiting_for(self._rules, rows=6)
        views = Segment(options=[(key, words(label)) for key, label in _VIEWS], value=self._view, test_id="view")
        views.bind(value=lambda _segment, value: self._choose(value))
        day = words("As of {day}", day=words.date(rules.rules.day))
        return [views, Section(title=day, note=self.age_of(self._rules)), *self._chosen(rules)]

    def _choose(self, value: str) -> None:
        self._view = value
        self.redraw()

    def _chosen(self, rules: RulesOfToday) -> list[Widget]:
        match self._view:
            case "methods":
                return [self._methods(rules)]
            case "factors":
                return [self._factors(rules)]
            case _:
                return [self._published(rules)]

    def _methods(self, rules: RulesOfToday) -> Widget:
        words, card = self.words, CardList(test_id="methods")
        for one in rules.methods:
            row = Row(icon=icon_of(one.scene.code), title=words.both(one.name_zh, one.name_en), lines=3)
            row.subtitle = words.both(one.formula_zh, one.formula_en)
            row.chevron = row.pressable = True
            row.test_id = f"method-{one.key}"
            row.bind(on_release=lambda _row, one=one: self._show(one))
            card.add_widget(row)
        return card

    def _show(self, one: MethodRecord) -> None:
        words = self.words
        sheet = Sheet(title=words.both(one.name_zh, one.name_en), close_label=words("Close"), test_id="method-sheet")
        lines = [
            (words("Formula"), words.both(one.formula_zh, one.formula_en)),
            (words("Version"), words("{n}, from {day}", n=one.version, day=words.date(one.valid_from))),
            (words("At most a day"), words.grams(one.cap_day_g)),
            (words("Shown by"), words.both("、", ", ").join(words.said(part) for part in one.evidence)),
        ]
        for label, value in lines:
            sheet.body.add_widget(Pair(label=label, value=value))
        for source in one.sources:
            text = words("Source: {source}", source=source)
            sheet.body.add_widget(Text(text=text, style="small", tone="ink3"))
        sheet.open(self)

    def _factors(self, rules: RulesOfToday) -> Widget:
        card = CardList(test_id="factors")
        for one in rules.factors.factors:
            card.add_widget(self._row(one.said, one.valid_from))
        return card

    def _published(self, rules: RulesOfToday) -> Widget:
        card = CardList(test_id="rules")
        for one in (*rules.rules.permits, *rules.rules.points):
            card.add_widget(self._row(one.said, one.valid_from))
        return card

    def _row(self, said: Said, since: date) -> Row:
        """What it is about and where it comes from; a value that is too long for the right side stands below."""
        words, text = self.words, self.words.both(said.text_zh, said.text_en)
        source = words(
            "{source}, from {day}",
            source=words.both(said.source_zh, said.source_en),
            day=words.date(since),
        )
        row = Row(title=words.both(said.name_zh, said.name_en), lines=8)
        if len(text) > VALUE_CHARS_MAX:
            row.subtitle = f"{text}\n{source}"
        else:
            row.value, row.subtitle = text, source
        return row
