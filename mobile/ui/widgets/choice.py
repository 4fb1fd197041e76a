"""Choosing: owns segments, chips, switches, ticks and small numbers."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.stacklayout import StackLayout
from kivy.uix.widget import Widget

from mobile.ui.motion import COLOUR_S, animate
from mobile.ui.widgets.base import Across, Column, Marked
from mobile.ui.widgets.press import Press


class Option(Press, AnchorLayout):
    """One of several that can be chosen."""

    key = StringProperty("")
    text = StringProperty("")
    chosen = BooleanProperty(False)


class SegmentOption(Option):
    """One part of a segment."""


class ChipOption(Option):
    """One chip; as wide as its word."""


class _Options:
    """Keeps the options in step with `options`, a list of (key, text), and with the chosen `value`."""

    options = ListProperty([])
    value = StringProperty("")
    option_class: type[Option] = SegmentOption

    def _prepare(self, holder: Widget) -> None:
        self._holder = holder
        self.bind(options=self._build, value=self._choose)
        self._build()

    def _build(self, *_: object) -> None:
        self._holder.clear_widgets()
        for key, text in self.options:
            option = self.option_class(key=key, text=text, test_id=f"{self.test_id}-{key}" if self.test_id else "")
            option.bind(on_release=lambda chosen: setattr(self, "value", chosen.key))
            self._holder.add_widget(option)
        self._choose()

    def _choose(self, *_: object) -> None:
        for option in self._holder.children:
            option.chosen = option.key == self.value


class Segment(Marked, _Options, BoxLayout):
    """Two to four ways to see something, side by side; one of them is chosen."""

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self._prepare(self)


class Chips(Marked, _Options, ScrollView):
    """Filters in a line that scrolls sideways."""

    option_class = ChipOption

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self._prepare(self.ids.holder)


class ChoiceGrid(Marked, _Options, StackLayout):
    """Chips that break into lines."""

    option_class = ChipOption

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self._prepare(self)


class Toggle(Press, Widget):
    """On or off."""

    active = BooleanProperty(False)
    place = NumericProperty(0)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.place = 1 if self.active else 0
        self.bind(active=lambda _switch, active: animate(self, duration_s=COLOUR_S, place=1 if active else 0))

    def on_release(self) -> None:
        """Turn it over."""
        self.active = not self.active


class ToggleRow(Press, BoxLayout):
    """A row with a switch at its right; the whole row turns it."""

    icon = StringProperty("")
    title = StringProperty("")
    subtitle = StringProperty("")
    active = BooleanProperty(False)

    def on_release(self) -> None:
        """Turn it over."""
        self.active = not self.active


class CheckRow(Press, Across):
    """A box to tick with a sentence beside it."""

    text = StringProperty("")
    subtitle = StringProperty("")
    error = BooleanProperty(False)
    active = BooleanProperty(False)

    def on_release(self) -> None:
        """Turn it over."""
        self.active = not self.active


class NumberStepper(Across):
    """A small whole number with a button on each side."""

    label = StringProperty("")
    value = NumericProperty(0)
    low = NumericProperty(0)
    high = NumericProperty(99)
    step = NumericProperty(1)
    less_label = StringProperty("")
    more_label = StringProperty("")

    def change(self, steps: int) -> None:
        """Go up or down, as far as the limits."""
        self.value = min(self.high, max(self.low, self.value + steps * self.step))


class OptionList(Column):
    """Options below each other with a tick at the chosen one, as a sheet shows them."""

    options = ListProperty([])
    value = StringProperty("")
    __events__ = ("on_pick",)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.bind(options=self._build, value=self._build)
        self._build()

    def _build(self, *_: object) -> None:
        self.clear_widgets()
        for key, text in self.options:
            row = OptionRow(
                key=key,
                text=text,
                chosen=key == self.value,
                test_id=f"{self.test_id}-{key}" if self.test_id else "",
            )
            row.bind(on_release=self._picked)
            self.add_widget(row)

    def _picked(self, row: OptionRow) -> None:
        self.value = row.key
        self.dispatch("on_pick", row.key)

    def on_pick(self, key: str) -> None:
        """An option was chosen."""


class OptionRow(Press, BoxLayout):
    """One line of an option list."""

    key = StringProperty("")
    text = StringProperty("")
    chosen = BooleanProperty(False)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
