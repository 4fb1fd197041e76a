"""Rows of lists: owns how an icon, words and a value share a line."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from mobile.ui.widgets.base import Across
from mobile.ui.widgets.press import Press


class Row(Press, BoxLayout):
    """An icon, a title over a subtitle, and at the right a value, a tag or an arrow.

    `fixed_px` gives a height of its own, for lists that are longer than the screen.
    """

    icon = StringProperty("")
    icon_tone = StringProperty("accent")
    icon_ground = StringProperty("accentsoft")
    title = StringProperty("")
    subtitle = StringProperty("")
    value = StringProperty("")
    value_tone = StringProperty("ink")
    value_icon = StringProperty("")
    tag_text = StringProperty("")
    tag_tone = StringProperty("plain")
    tag_icon = StringProperty("")
    chevron = BooleanProperty(False)
    pressable = BooleanProperty(False)
    lines = NumericProperty(2)
    title_tone = StringProperty("ink")
    fixed_px = NumericProperty(0)

    def on_touch_down(self, touch: object) -> bool:
        return super().on_touch_down(touch) if self.pressable else False

    def press(self) -> None:
        """Do what a tap would do, if this row does anything."""
        if self.pressable:
            super().press()


class Pair(Across):
    """A label at the left and its value at the right."""

    label = StringProperty("")
    value = StringProperty("")
    tone = StringProperty("ink")
    strong = BooleanProperty(False)


class Section(Across):
    """The heading over a card, with something quiet or something to press at its right."""

    title = StringProperty("")
    note = StringProperty("")
    icon = StringProperty("")
    note_tone = StringProperty("stale")
    action_text = StringProperty("")
    __events__ = ("on_action",)

    def on_action(self) -> None:
        """The words at the right were pressed."""


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
