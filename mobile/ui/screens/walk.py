"""Handing in a walk: owns the form with steps, way and time, and telling what became of it."""

from __future__ import annotations

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.core.errors import StoreError
from mobile.core.models.scan import OutcomeState, outcome_of
from mobile.core.models.scan_walk import WalkProblem, hand_in, walk_of
from mobile.core.models.scan_words import outcome
from mobile.core.shown import trouble_of
from mobile.ui.kit import Column, Field, FilledButton, Note, Scroll, Text, TopBar
from mobile.ui.screen import AppScreen
from mobile.ui.screens.scan_sheets import ResultSheet


class Walk(AppScreen):
    """Steps and kilometres as the phone or a band counted them; the server judges whether they fit each other."""

    def opened(self) -> None:
        self._problems: frozenset[WalkProblem] = frozenset()
        self._entry_id: int | None = None
        self._sheet: ResultSheet | None = None
        self.watch(self.client.outbox.changed, self._outbox_changed)

    # ------------------------------------------------------------ widgets

    def build(self) -> Widget:
        words = self.words
        page = BoxLayout(orientation="vertical")
        bar = TopBar(title=words("Hand in a walk"), back_label=words("Back"), test_id="walk-bar")
        bar.bind(on_back=lambda _bar: self.back())
        page.add_widget(bar)
        column = Column(padding=(dp(20), dp(8), dp(20), dp(28)), spacing=dp(16))
        column.add_widget(
            Text(text=words("A walk that has just ended, as your phone or band counted it."), tone="ink2")
        )
        self._steps = Field(label=words("Steps"), input_type="number", max_chars=7, test_id="walk-steps")
        self._km = Field(label=words("Way"), suffix=words("km"), input_type="number", max_chars=7, test_id="walk-km")
        self._minutes = Field(
            label=words("Duration"), suffix=words("min"), input_type="number", max_chars=4, test_id="walk-minutes"
        )
        for field in (self._steps, self._km, self._minutes):
            field.bind(on_typed=lambda field, _text: setattr(field, "error", ""))
            column.add_widget(field)
        column.add_widget(Note(text=words("Steps and way have to fit. What does not is looked at by a person.")))
        button = FilledButton(text=words("Hand in"), icon="footprints", test_id="walk-hand-in")
        button.bind(on_release=lambda _button: self._hand_in())
        column.add_widget(button)
        scroll = Scroll()
        scroll.add_widget(column)
        page.add_widget(scroll)
        self._show_problems()
        return page

    def _show_problems(self) -> None:
        words, found = self.words, self._problems
        wrong_steps, wrong_km = WalkProblem.NO_STEPS in found, WalkProblem.NO_DISTANCE in found
        self._steps.error = words("A whole number of steps, above 0.") if wrong_steps else ""
        self._km.error = words("Kilometres above 0, as 2.4.") if wrong_km else ""
        wrong_time = WalkProblem.NO_DURATION in found
        self._minutes.error = words("Whole minutes, at most a day.") if wrong_time else ""

    # ------------------------------------------------------------ handing in

    def _hand_in(self) -> None:
        now = self.client.clock.now()
        found = walk_of(
            steps=self._steps.text, distance_km=self._km.text, minutes=self._minutes.text, ended_at=now, now=now
        )
        if isinstance(found, frozenset):
            self._problems = found
            self._show_problems()
            return
        self._problems = frozenset()
        try:
            self._entry_id = hand_in(self.client, found)
        except StoreError as error:
            self.say(trouble_of(error).said(self.words), icon="octagon-x")
        else:
            self._tell()

    def _outbox_changed(self) -> None:
        entry = None if self._entry_id is None else self.client.outbox.entry(self._entry_id)
        if entry is not None and entry.state != "waiting" and self._sheet is not None:
            self._tell()

    def _tell(self) -> None:
        entry = None if self._entry_id is None else self.client.outbox.entry(self._entry_id)
        if entry is None:
            return
        found = outcome_of(entry)
        told = outcome(self.words, found)
        if self._sheet is None:
            self._sheet = ResultSheet(self.words, told, then=lambda _action: self.go("trips"), actions=("trip",))
            self._sheet.bind(on_closed=lambda _sheet: setattr(self, "_sheet", None))
            self._sheet.open(self)
        else:
            self._sheet.tell(told)
        if found.state is not OutcomeState.NOT_TAKEN:  # one that waits is kept: the same again would be another walk
            for field in (self._steps, self._km, self._minutes):
                field.text = ""
