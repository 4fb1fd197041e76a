"""Declaring what a visit burnt: owns the sheet with its figures and its photo; what is kept there is sent once."""

from __future__ import annotations

from typing import Any

from kivy.metrics import dp

from mobile.core.errors import StoreError
from mobile.core.models.choices import Choices
from mobile.core.models.visits import OneVisit
from mobile.core.outbox import Entry
from mobile.core.shown import trouble_of
from mobile.core.typed import figure_of
from mobile.core.words import N_
from mobile.ports.pictures import Prepared
from mobile.ui.kit import Column, Field, FilledButton, OutlineButton, Row, Sheet, Text
from mobile.ui.screen import AppScreen
from mobile.ui.screens.choosing import pick_field
from mobile.ui.screens.given_paper import ask_paper

# Field of the server, words, unit.
_FIGURES = (
    ("fuel_used", N_("Fuel used"), ""),
    ("odometer_in_km", N_("Odometer on arrival"), "km"),
    ("odometer_out_km", N_("Odometer on leaving"), "km"),
    ("route_km", N_("Way on the island"), "km"),
    ("idle_min", N_("Engine idling"), "min"),
)
_UNITS = {"lng": "kg", "lpg": "kg", "cng": "m³"}
PAPERS_MAX = 6
PLUG_IN = "plug_in"


class DeclareSheet(Sheet):
    """Fields that are left empty are not declared. `again`: one that was not taken; this one comes in its place."""

    def __init__(self, screen: AppScreen, choices: Choices, visit: OneVisit, again: Entry | None = None) -> None:
        words = self._words = screen.words
        super().__init__(title=words("Declare fuel or way"), close_label=words("Close"), test_id="declare-sheet")
        self._screen, self._visit, self._again = screen, visit, again
        begun: dict[str, Any] = {} if again is None else again.body["evidence"]
        self._papers: list[tuple[str, bytes]] = []
        record = visit.shown.value
        known = record.figure.fuel if record is not None and record.figure is not None else ""
        self._fuel = begun.get("fuel", known)
        self.body.spacing = dp(10)
        text = words("Fill in what you know, and add a photo that shows it: a receipt, or the dashboard.")
        self.body.add_widget(Text(text=text, tone="ink2", style="small"))
        fuels = [one for one in choices.options("drives") if one[0] != PLUG_IN]
        self.body.add_widget(pick_field(screen, words("Fuel"), fuels, self._fuel, self._take_fuel, test_id="fuel"))
        self._fields: dict[str, Field] = {}
        for name, label, unit in _FIGURES:
            field = Field(label=words(label), suffix=unit, input_type="number", max_chars=10, test_id=name)
            field.text = str(begun.get(name, ""))
            self._fields[name] = field
            self.body.add_widget(field)
        self._take_fuel(self._fuel, is_chosen="fuel" in begun)
        self._list = Column()
        self.body.add_widget(self._list)
        self._add = OutlineButton(text=words("Add a photo"), icon="camera", compact=True, test_id="declare-photo")
        self._add.bind(on_release=lambda _button: ask_paper(screen, words("Photo"), choices, self._taken))
        self.body.add_widget(self._add)
        for number, content in enumerate(() if again is None else visit.papers_of(again), start=1):
            self._add_paper(words("Photo {n}", n=number), content)
        self._problem = Text(style="small", tone="refuse", test_id="declare-problem")
        self.body.add_widget(self._problem)
        send = FilledButton(text=words("Declare"), icon="send", test_id="declare-send")
        send.bind(on_release=lambda _button: self._hand_in())
        self.body.add_widget(send)

    def _take_fuel(self, fuel: str, *, is_chosen: bool = True) -> None:
        self._fuel, self._is_chosen = fuel, is_chosen
        self._fields["fuel_used"].suffix = _UNITS.get(fuel, "L")

    def _taken(self, name: str, ready: Prepared) -> None:
        self._add_paper(name, ready.content)

    def _add_paper(self, name: str, content: bytes) -> None:
        self._papers.append((name, content))
        self._list.add_widget(Row(icon="image", title=name, lines=1, value_icon="check", value_tone="admit"))
        self._add.disabled = len(self._papers) >= PAPERS_MAX

    def _hand_in(self) -> None:
        if self.leaving:
            return
        words, evidence, is_good = self._words, {}, True
        for name, field in self._fields.items():
            field.error = ""
            if not field.text.strip():
                continue
            figure = figure_of(field.text)
            if figure is not None:
                evidence[name] = figure
            else:
                field.error, is_good = words("A number is needed."), False
        came, left = evidence.get("odometer_in_km"), evidence.get("odometer_out_km")
        if came is not None and left is not None and left < came:
            self._fields["odometer_out_km"].error, is_good = words("It cannot be less than on arrival."), False
        if not is_good:
            return
        if not evidence:
            self._problem.text = words("Fill in at least one figure.")
        elif not self._papers:
            self._problem.text = words("Add a photo that shows it.")
        else:
            if self._fuel and self._is_chosen:
                evidence["fuel"] = self._fuel
            self._keep(evidence)

    def _keep(self, evidence: dict[str, Any]) -> None:
        try:
            self._visit.declare(evidence, tuple(content for _name, content in self._papers))
        except StoreError as error:
            self._problem.text = trouble_of(error).said(self._words)
            return
        self.close()
        self._screen.say(self._words("Kept. It counts once it is sent."), icon="circle-check")
        if self._again is not None:
            self._visit.drop(self._again)
