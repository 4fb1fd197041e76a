"""Grounds that hold things: owns cards and their shapes."""

from __future__ import annotations

from pathlib import Path

from kivy.graphics import Color, Rectangle
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.ui.theme import theme
from mobile.ui.widgets.base import Across, Column, Divider, Marked
from mobile.ui.widgets.press import Press


class Card(Marked, BoxLayout):
    """A white ground with round corners that is as high as what it holds; `outline` names the colour of an edge."""

    ground = StringProperty("surface")
    outline = StringProperty("")
    radius_dp = NumericProperty(20)


class CardList(Card):
    """A card of rows; a line divides them."""

    def add_widget(self, widget: Widget, *args: object, **kwargs: object) -> None:
        if self.children and not isinstance(widget, Divider):
            super().add_widget(Divider())
        super().add_widget(widget, *args, **kwargs)

    def remove_widget(self, widget: Widget, *args: object, **kwargs: object) -> None:
        at = self.children.index(widget)
        super().remove_widget(widget, *args, **kwargs)
        # The line above it goes with it, or the one below when it was the first.
        beside = self.children[at : at + 1] or self.children[-1:]
        if beside and isinstance(beside[0], Divider):
            super().remove_widget(beside[0])


class PressCard(Press, Card):
    """A card that is pressed as a whole."""


class IconCard(PressCard):
    """A small tile: an icon over a word."""

    icon = StringProperty("")
    text = StringProperty("")
    tone = StringProperty("accent")


class HeroCard(Press, Column):
    """The balance at the top of the home screen: a figure, how far the goal is, what it stands for."""

    caption = StringProperty("")
    value = StringProperty("")
    left_note = StringProperty("")
    right_note = StringProperty("")
    frac = NumericProperty(-1.0)
    foot = StringProperty("")


class Ticket(Marked, BoxLayout):
    """A card torn in two along a dashed line: what it is worth above (`head`), how to use it below (`body`)."""

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.head: Column = self.ids.head
        self.body: Column = self.ids.body


class PassCard(Marked, BoxLayout):
    """A pass: a coloured head that says whether it holds now, and a body."""

    headline = StringProperty("")
    note = StringProperty("")
    icon = StringProperty("shield-check")
    kind = StringProperty("permit")

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.body: Column = self.ids.body


class FactGrid(Marked, BoxLayout):
    """Facts in a table of two columns with lines between: `facts` is a list of (label, value)."""

    facts = ListProperty([])
    columns = NumericProperty(2)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.bind(facts=self._build, columns=self._build)
        self._build()

    def _build(self, *_: object) -> None:
        self.clear_widgets()
        columns = max(1, int(self.columns))
        for first in range(0, len(self.facts), columns):
            line = Across()
            self.add_widget(Divider())
            for at in range(first, min(first + columns, len(self.facts))):
                label, value = self.facts[at]
                line.add_widget(FactCell(label=label, value=value, is_first=at == first))
            self.add_widget(line)


class FactCell(BoxLayout):
    """One fact: its label over its value."""

    label = StringProperty("")
    value = StringProperty("")
    is_first = BooleanProperty(True)


class TornEdge(Widget):
    """The dashed line of a ticket."""

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.bind(pos=self._draw, size=self._draw)
        theme.bind(version=self._draw)

    def _draw(self, *_: object) -> None:
        self.canvas.clear()
        step, length, left, right = dp(9), dp(5), self.x + dp(14), self.right - dp(14)
        with self.canvas:
            Color(*theme.line)
            for at in range(max(0, int((right - left) // step) + 1)):
                Rectangle(pos=(left + at * step, self.center_y - dp(1)), size=(length, dp(2)))


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
