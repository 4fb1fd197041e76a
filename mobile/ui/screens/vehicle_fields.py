"""What a vehicle is, to be filled in: owns the fields that the form of a permit and the list of vehicles share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kivy.metrics import dp
from kivy.uix.widget import Widget

from control.domain.plates import PlateColour
from mobile.core.models.choices import Choices
from mobile.core.models.vehicles import Typed, colours, typed
from mobile.core.typed import figure_of
from mobile.core.words import N_, Words
from mobile.ui.kit import ChoiceGrid, Column, Field, PlateField, Text
from mobile.ui.screen import AppScreen
from mobile.ui.screens.choosing import pick_field
from mobile.ui.screens.permit_parts import UNITS

COLOURS = {
    "blue": N_("Blue"),
    "yellow": N_("Yellow"),
    "green": N_("Green"),
    "yellow_green": N_("Yellow-green"),
    "white": N_("White"),
    "black": N_("Black"),
    "farm_green": N_("Farm green"),
}
NEW_ENERGY_CHARS = 8
Change = Callable[..., None]
Said = Callable[[str], str]


def plate_field(words: Words, form: Mapping[str, Any], change: Change, left: Callable[[], None], error: str) -> Widget:
    """The plate's boxes; the keyboard says at once when no such plate exists."""

    def check(text: str, _new_energy: bool) -> str:
        return words("There is no plate like this.") if typed(text) is Typed.WRONG else ""

    plate = form.get("plate", "")
    field = PlateField(check=check, field_label=words("Plate"), text=plate, test_id="plate-field")
    field.new_energy = len(plate) >= NEW_ENERGY_CHARS
    field.sheet_title, field.done_text = words("Plate of the vehicle"), words("Done")
    field.new_energy_text, field.erase_label = words("New energy"), words("Erase")
    field.error = error

    def taken(_field: PlateField, text: str) -> None:
        possible = colours(text)
        change(plate=text, plate_colour=possible[0] if len(possible) == 1 else "unknown")

    field.bind(on_typed=taken, on_leave=lambda _field: left())
    return field


def colour_field(words: Words, form: Mapping[str, Any], change: Change) -> list[Widget]:
    """Which of the colours that this text can have; nothing while there is no choice."""
    possible = colours(form.get("plate", ""))
    if len(possible) < 2:
        return []
    column = Column(spacing=dp(2))
    column.add_widget(Text(text=words("Colour of the plate"), style="smallstrong", tone="ink2"))
    options = [(one, words(COLOURS[one])) for one in possible if one in COLOURS]
    grid = ChoiceGrid(options=options, value=form.get("plate_colour", ""), test_id="colour")
    grid.spacing = dp(8)
    grid.bind(value=lambda _grid, value: change(plate_colour=value))
    column.add_widget(grid)
    return [column]


def vehicle_fields(
    screen: AppScreen, choices: Choices, form: Mapping[str, Any], change: Change, error: Said
) -> dict[str, Widget]:
    """By field: type, emission class, fuel and consumption."""
    words = screen.words
    usual = choices.usual_per_100km(form.get("emission_class", ""))
    consumption = Field(
        label=words("Consumption, if you know it"),
        text=_number(form.get("consumption_per_100km")),
        helper=words("Usual for this class: {usual}", usual=usual) if usual else "",
        error=error("consumption_per_100km"),
        input_type="number",
        suffix=f"{UNITS.get(form.get('drive') or '', 'L')}/100 km",
        max_chars=8,
        test_id="consumption",
    )
    consumption.bind(on_typed=lambda _field, text: change(consumption_per_100km=_decimal(text)))
    kinds = choices.options("vehicle_types")
    known_type = form.get("vehicle_type") if form.get("vehicle_type") != "unknown" else ""

    def picked(name: str, label: str, options: list[tuple[str, str]], value: str | None) -> Widget:
        def then(code: str) -> None:
            change(**{name: code})
            screen.redraw()

        return pick_field(screen, label, options, value, then, test_id=name, error=error(name))

    return {
        "vehicle_type": picked("vehicle_type", words("Vehicle"), kinds, known_type),
        "emission_class": picked(
            "emission_class", words("Emission class"), choices.options("emission_classes"), form.get("emission_class")
        ),
        "drive": picked("drive", words("Fuel"), choices.options("drives"), form.get("drive")),
        "consumption_per_100km": consumption,
    }


def colour_of(code: str) -> str:
    """A colour that the server knows."""
    return code if code in set(PlateColour) else PlateColour.UNKNOWN.value


def _number(value: object) -> str:
    """Without zeros at the end: "38"."""
    text = "" if value is None else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _decimal(text: str) -> str | None:
    """A number as it is sent. None for nothing, or for what is no number."""
    figure = figure_of(text)
    return None if figure is None else f"{figure:f}"
