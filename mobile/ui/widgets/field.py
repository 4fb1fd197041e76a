"""Where people type: owns the label, the help, the error and the edges of a field."""

from __future__ import annotations

from pathlib import Path

from kivy.input import MotionEvent
from kivy.lang import Builder
from kivy.properties import BooleanProperty, ColorProperty, NumericProperty, StringProperty
from kivy.uix.behaviors import FocusBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.textinput import TextInput

from mobile.ui.widgets.base import Across, Column
from mobile.ui.widgets.press import Press


class PlainInput(TextInput):
    """Kivy's input without its ground; Tab is left to the window's walk along the keys."""

    max_chars = NumericProperty(0)

    def insert_text(self, substring: str, from_undo: bool = False) -> None:
        """Take what still fits."""
        room = len(substring) if not self.max_chars else max(0, int(self.max_chars) - len(self.text))
        if room:
            super().insert_text(substring[:room], from_undo=from_undo)

    def keyboard_on_key_down(
        self, window: object, keycode: tuple[int, str], text: str, modifiers: list[str]
    ) -> bool | None:
        """Leave Tab and Escape to others."""
        if keycode[1] in ("tab", "escape"):
            return False
        return super().keyboard_on_key_down(window, keycode, text, modifiers)


class FieldBox(BoxLayout):
    """The ground and the edge of a field."""

    edge = ColorProperty([0, 0, 0, 0])
    thick = BooleanProperty(False)
    ground = StringProperty("surface")


class FieldFoot(Across):
    """Below a field: what is wrong, else a help."""

    helper = StringProperty("")
    error = StringProperty("")


class Field(Column):
    """A label, a line or several to type into, and below it a help or what is wrong.

    Errors show where they are; what was typed is never changed from here.
    """

    label = StringProperty("")
    text = StringProperty("")
    hint = StringProperty("")
    helper = StringProperty("")
    error = StringProperty("")
    icon = StringProperty("")
    suffix = StringProperty("")
    password = BooleanProperty(False)
    is_hidden = BooleanProperty(False)
    clearable = BooleanProperty(True)
    multiline = BooleanProperty(False)
    rows = NumericProperty(3)
    input_type = StringProperty("text")
    max_chars = NumericProperty(0)
    read_only = BooleanProperty(False)
    focus = BooleanProperty(False)
    key_focused = BooleanProperty(False)
    trail_label = StringProperty("")
    __events__ = ("on_typed", "on_leave", "on_enter")

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.is_hidden = self.password
        self.bind(password=self.setter("is_hidden"))
        self.ids.input.bind(focus=self._focus_changed)

    @property
    def input(self) -> PlainInput:
        """Kivy's own input, for what this does not wrap."""
        return self.ids.input

    def on_touch_down(self, touch: MotionEvent) -> bool:
        """The button at the right leaves the keyboard where it is."""
        trail = self.ids.trail
        if not trail.disabled and trail.collide_point(*touch.pos):
            FocusBehavior.ignored_touch.append(touch)
        return super().on_touch_down(touch)

    def take_text(self, text: str) -> None:
        """What is in the input now."""
        if text != self.text:
            self.text = text
            self.dispatch("on_typed", text)

    def press_trail(self) -> None:
        """The eye shows the password, the cross empties the field."""
        if self.password:
            self.is_hidden = not self.is_hidden
        else:
            self.input.text = ""
            self.focus = True

    def press(self) -> None:
        """Take the keyboard."""
        self.focus = True

    def on_focus(self, _: object, focus: bool) -> None:
        if self.input.focus != focus:
            self.input.focus = focus

    def _focus_changed(self, _: object, focus: bool) -> None:
        self.focus = focus
        if not focus:
            self.dispatch("on_leave")

    def on_typed(self, text: str) -> None:
        """The person changed the text."""

    def on_leave(self) -> None:
        """The field lost the keyboard: the moment to check it."""

    def on_enter(self) -> None:
        """Enter was pressed in a field of one line."""


class PickField(Press, Column):
    """Looks like a field and opens something when pressed: a choice, a date."""

    field_label = StringProperty("")
    value = StringProperty("")
    hint = StringProperty("")
    helper = StringProperty("")
    error = StringProperty("")
    icon = StringProperty("")
    trail_icon = StringProperty("chevron-down")


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
