"""Declaring what a visit burnt: owns the sheet with its figures and its photos; what is kept there is sent once."""

from __future__ import annotations

from kivy.metrics import dp

from mobile.core.errors import StoreError
from mobile.core.models.choices import Choices
from mobile.core.models.declaration import FIGURES, PAPERS_MAX, Declaration
from mobile.core.models.visits import OneVisit
from mobile.core.outbox import Entry
from mobile.core.shown import trouble_of
from mobile.core.words import N_
from mobile.ui.kit import Field, FilledButton, Sheet, Text
from mobile.ui.screen import AppScreen
from mobile.ui.screens.choosing import pick_field
from mobile.ui.screens.given_paper import PaperList
from mobile.ui.screens.permit_parts import UNITS

# Words and unit of each figure; fuel is in the unit of the fuel.
_FIGURES = {
    "fuel_used": (N_("Fuel used"), ""),
    "odometer_in_km": (N_("Odometer on arrival"), "km"),
    "odometer_out_km": (N_("Odometer on leaving"), "km"),
    "route_km": (N_("Way on the island"), "km"),
    "idle_min": (N_("Engine idling"), "min"),
}
PLUG_IN = "plug_in"


class DeclareSheet(Sheet):
    """Fields that are left empty are not declared. `again`: one that was not taken; this one comes in its place."""

    def __init__(self, screen: AppScreen, choices: Choices, visit: OneVisit, again: Entry | None = None) -> None:
        words = self._words = screen.words
        super().__init__(title=words("Declare fuel or way"), close_label=words("Close"), test_id="declare-sheet")
        self._screen, self._visit, self._again = screen, visit, again
        self._filled = filled = Declaration.of(visit, again)
        self.body.spacing = dp(10)
        text = words("Fill in what you know, and add a photo that shows it: a receipt, or the dashboard.")
        self.body.add_widget(Text(text=text, tone="ink2", style="small"))
        fuels = [one for one in choices.options("drives") if one[0] != PLUG_IN]
        self.body.add_widget(pick_field(screen, words("Fuel"), fuels, filled.fuel, self._take_fuel, test_id="fuel"))
        self._fields = {name: self._field(name) for name in FIGURES}
        for field in self._fields.values():
            self.body.add_widget(field)
        self._tell_unit()
        self._papers = PaperList(
            screen,
            choices,
            title=words("Photo"),
            icon="image",
            most=PAPERS_MAX,
            button=lambda _count, _most: words("Add a photo"),
            test_id="declare-photo",
        )
        for number, content in enumerate(filled.papers, start=1):
            self._papers.add(words("Photo {n}", n=number), content)
        self.body.add_widget(self._papers)
        self._problem = Text(style="small", tone="refuse", test_id="declare-problem")
        self.body.add_widget(self._problem)
        self._papers.bind(count=lambda *_: self._clear())
        send = FilledButton(text=words("Declare"), icon="send", test_id="declare-send")
        send.bind(on_release=lambda _button: self._hand_in())
        self.body.add_widget(send)

    def _field(self, name: str) -> Field:
        label, unit = _FIGURES[name]
        field = Field(label=self._words(label), suffix=unit, input_type="number", max_chars=10, test_id=name)
        field.text = self._filled.typed[name]
        field.bind(on_typed=lambda _field, _text: self._clear(name))
        return field

    def _clear(self, name: str = "") -> None:
        """What was wrong or missing is being put right."""
        self._problem.text = ""
        if name:
            self._fields[name].error = ""

    def _take_fuel(self, fuel: str) -> None:
        self._filled.say_fuel(fuel)
        self._tell_unit()

    def _tell_unit(self) -> None:
        self._fields["fuel_used"].suffix = UNITS.get(self._filled.fuel, "L")

    def _hand_in(self) -> None:
        if self.leaving:
            return
        words, filled = self._words, self._filled
        filled.typed = {name: field.text for name, field in self._fields.items()}
        filled.papers = list(self._papers.contents)
        mistakes, missing = filled.mistakes(), filled.missing()
        for name, field in self._fields.items():
            field.error = words(mistakes[name]) if name in mistakes else ""
        self._problem.text = words(missing) if missing and not mistakes else ""
        if not mistakes and not missing:
            self._keep()

    def _keep(self) -> None:
        try:
            self._filled.hand_in(self._visit, self._again)
        except StoreError as error:
            self._problem.text = trouble_of(error).said(self._words)
            return
        self.close()
        self._screen.say(self._words("Kept. It counts once it is sent."), icon="circle-check")
