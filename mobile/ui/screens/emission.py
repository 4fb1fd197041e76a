"""Emission and offset: owns the list of one's visits with their sums, and the statement of a year."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from kivy.uix.widget import Widget

from mobile.core.api.carbon import VisitRow
from mobile.core.models.choices import Choices
from mobile.core.models.visits import EVIDENCE, Visits, save_paper, statement, sums
from mobile.ports.papers import PDF
from mobile.ui.kit import (
    Card,
    CardList,
    EmptyState,
    Figure,
    Note,
    OutlineButton,
    Pair,
    QuietButton,
    Row,
    Section,
    Segment,
    Tag,
    Text,
)
from mobile.ui.screens.page import Page
from mobile.ui.screens.permit_parts import day_number, title_of


class Emission(Page):
    """A tab of drivers."""

    is_tab = True

    def opened(self) -> None:
        self._tabs = {name: Visits(self.client, name) for name in ("all", "open")}
        self._tab, self._choices, self._is_making = "all", Choices(self.client), False
        self._year = 0  # of the statement; 0: this one
        for one in (*self._tabs.values(), self._choices):
            self.watch(one.changed)
        self.watch(self.client.outbox.changed)

    @property
    def model(self) -> Visits:
        return self._tabs[self._tab]

    @property
    def title(self) -> str:
        return self.words("Emission and offset")

    def on_shown(self) -> None:
        super().on_shown()
        self.run(self._choices.refresh_if_old())

    def closed(self) -> None:
        for one in (*self._tabs.values(), self._choices):
            one.close()

    # ------------------------------------------------------------ widgets

    def parts(self) -> Sequence[Widget]:
        words, shown = self.words, self.model.shown
        segment = Segment(options=[("all", words("All visits")), ("open", words("To be offset"))], value=self._tab)
        segment.test_id = "visits-tab"
        segment.bind(value=lambda _segment, value: self._choose(value))
        if shown.value is None:
            return [segment, *self.waiting_for(self.model)]
        if not shown.value:
            return [segment, self._empty()]
        parts: list[Widget] = [self._sums(shown.value), segment]
        if age := self.age_of(self.model):
            parts.append(Section(title=words("Visits"), note=age, icon="history"))
        waiting = [one for one in self.client.outbox.entries(EVIDENCE) if one.state == "waiting"]
        if waiting:
            text = words.n("{n} statement waits to be sent", "{n} statements wait to be sent", len(waiting))
            parts.append(Tag(text=text, tone="stale", icon="cloud-upload", test_id="waiting"))
        card = CardList(test_id="visits")
        for one in shown.value:
            card.add_widget(self._row(one))
        parts.append(card)
        if self.model.has_more:
            more = QuietButton(text=words("Show more"), busy=self.model.is_loading_more, test_id="more")
            more.bind(on_release=lambda _button: self.run(self.model.more()))
            parts.append(more)
        return [*parts, self._paper()]

    def _choose(self, tab: str) -> None:
        self._tab = tab
        self.redraw()
        self.run(self.model.refresh_if_old())

    def _empty(self) -> Widget:
        words = self.words
        text = words("After a visit of a fuel vehicle its emission stands here, and how it is offset.")
        title = words("Nothing to be offset") if self._tab == "open" else words("No visit yet")
        return EmptyState(icon="leaf", title=title, text=text, test_id="empty")

    def _sums(self, rows: Sequence[VisitRow]) -> Widget:
        words, card, found = self.words, Card(test_id="sums"), sums(rows)
        said = words("Emitted on these visits")
        if self.model.has_more:
            said = words("Emitted on the {n} visits shown", n=len(rows))
        card.add_widget(Text(text=said, style="small", tone="ink2"))
        value, _, unit = words.grams(found.owed_g).partition(" ")
        card.add_widget(Figure(value=value, unit=f"{unit} CO₂e", test_id="owed"))
        card.add_widget(Pair(label=words("Offset"), value=words.grams(found.covered_g), tone="admit"))
        card.add_widget(
            Pair(label=words("Still open"), value=words.grams(found.open_g), tone="hold" if found.open_g else "ink")
        )
        if self.model.has_more:
            text = words("Older visits are not in it. Show more below adds them.")
            card.add_widget(Text(text=text, style="small", tone="ink3", test_id="sums-of-shown"))
        return card

    def _row(self, one: VisitRow) -> Widget:
        words = self.words
        row = Row(title=f"{day_number(words, one.day)} {title_of(words, self._choices, one.purpose, one.purpose_text)}")
        row.subtitle, row.pressable, row.test_id = one.plate, True, f"visit-{one.visit_id}"
        if one.problem:
            row.tag_text, row.tag_tone, row.tag_icon = words("No figure yet"), "unsure", "circle-question-mark"
        else:
            grams = words("{grams} CO₂e", grams=words.grams(one.owed_g))
            row.subtitle = f"{one.plate} · {grams}"
            row.tag_text, row.tag_tone, row.tag_icon = standing(self, one)
        row.bind(on_release=lambda _row: self.go("visit", visit_id=one.visit_id))
        return row

    def _paper(self) -> Widget:
        words, card = self.words, Card()
        this_year = words.today().year
        year = self._year or this_year
        options = [(str(one), str(one)) for one in (this_year, this_year - 1)]
        years = Segment(options=options, value=str(year), test_id="statement-year")
        years.bind(value=lambda _years, value: self._choose_year(int(value)))
        card.add_widget(years)
        button = OutlineButton(text=words("Statement of {year} as PDF", year=year), icon="download", compact=True)
        button.test_id, button.busy = "statement", self._is_making
        button.bind(on_release=lambda _button: self.run(self._make(year), outlives=True))
        card.add_widget(button)
        card.add_widget(
            Note(text=words("With a code by which anybody can check that it is genuine."), icon="badge-check")
        )
        return card

    def _choose_year(self, year: int) -> None:
        self._year = year
        self.redraw()

    async def _make(self, year: int) -> None:
        if self._is_making:
            return
        self._is_making = True
        self.redraw()
        try:
            until = min(date(year, 12, 31), self.words.today())
            content = await statement(self.client, date(year, 1, 1), until, self.words.language)
            path = await save_paper(self.client, f"visits-{year}.pdf", content)
        finally:
            self._is_making = False
            self.redraw()
        await self.app.hand_over(path, PDF)


def standing(screen: Page, one: VisitRow) -> tuple[str, str, str]:
    """How a visit's offset stands: words, tone, icon."""
    words = screen.words
    if one.information:
        return words("For information"), "plain", "info"
    if one.open_g <= 0:
        return words("Offset"), "admit", "circle-check"
    if one.days_late > 0:
        return words.n("{n} day late", "{n} days late", one.days_late), "refuse", "alarm-clock"
    return words("To be offset"), "hold", "clock"
