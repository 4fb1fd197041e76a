"""Figures and small charts: owns big numbers, the bars of days and the way of an application."""

from __future__ import annotations

from pathlib import Path

from kivy.graphics import Color, Line, SmoothRoundedRectangle
from kivy.input import MotionEvent
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, OptionProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.ui.theme import FACE_LINE, STYLES, theme
from mobile.ui.widgets.base import Column, Marked, Text
from mobile.ui.widgets.press import Press

# What each state of a step is drawn with: icon, its colour, its ground.
_LOOKS = {
    "done": ("check", "onadmit", "admitsolid"),
    "now": ("", "onaccent", "accent"),
    "next": ("", "ink3", "line"),
    "problem": ("undo-2", "onhold", "holdsolid"),
}
# How far the baseline of the text face lies over the foot of its box, in parts of the size.
_DESCENT = 0.241


def baseline_px(style: str) -> float:
    """Height of the baseline over the foot of a line of that style, pixels."""
    chosen = STYLES[style]
    size = theme.text_px(chosen.size_sp)
    return max(0.0, (chosen.line_sp / chosen.size_sp - FACE_LINE) * size / 2) + _DESCENT * size


class Figure(Marked, BoxLayout):
    """A big number with its unit, smaller, on the same baseline."""

    value = StringProperty("")
    unit = StringProperty("")
    style = StringProperty("figure")
    unit_style = StringProperty("body")
    tone = StringProperty("ink")
    unit_tone = StringProperty("ink3")

    def lift_px(self, style: str, unit_style: str, _scale: float) -> float:
        """How much the unit is raised so that both stand on one line."""
        return baseline_px(style) - baseline_px(unit_style)


class DayBars(Press, BoxLayout):
    """One bar a day with its name below: `bars` is a list of (name, value or None, text), `at` the one in colour.

    None is a gap and is shown as one. `goal` draws a dotted line. Where `pressable`, a tap fires `on_pick(index)`.
    """

    bars = ListProperty([])
    at = NumericProperty(-1)
    goal = NumericProperty(0)
    tone = StringProperty("accent")
    height_dp = NumericProperty(120)
    pressable = BooleanProperty(False)
    __events__ = ("on_pick",)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.bind(bars=self._build, at=self._build, height_dp=self._build)
        theme.bind(version=self._draw, text_scale=self._build)
        self._plot = Widget()
        self._plot.bind(pos=self._draw, size=self._draw)
        self.bind(goal=self._draw, tone=self._draw)
        self._build()

    def _build(self, *_: object) -> None:
        self.clear_widgets()
        self.add_widget(self._plot)
        names = BoxLayout(size_hint_y=None, height=theme.text_px(16))
        for index, (name, _value, _text) in enumerate(self.bars):
            chosen = index == self.at
            names.add_widget(
                Text(
                    text=name,
                    style="captionstrong" if chosen else "caption",
                    tone="ink" if chosen else "ink3",
                    halign="center",
                    lines=1,
                )
            )
        self.add_widget(names)
        self.height = dp(self.height_dp)
        self._draw()

    def _draw(self, *_: object) -> None:
        plot = self._plot
        plot.canvas.clear()
        values = [value for _name, value, _text in self.bars]
        top = max([value for value in values if value is not None] + [self.goal, 1e-9])
        slot = plot.width / max(1, len(values))
        width = min(dp(26), slot * 0.62)
        room = max(0.0, plot.height - dp(4))
        with plot.canvas:
            for index, value in enumerate(values):
                left = plot.x + slot * index + (slot - width) / 2
                if value is None:
                    Color(*theme.control)
                    Line(points=[left, plot.y, left + width, plot.y], dash_length=dp(3), dash_offset=dp(3))
                    continue
                Color(*theme.colour(self.tone if index == self.at else "accentsoft"))
                height = max(dp(4), room * value / top)
                SmoothRoundedRectangle(pos=(left, plot.y), size=(width, height), radius=[dp(6), dp(6), dp(2), dp(2)])
            if self.goal > 0:
                Color(*theme.ink3)
                y = plot.y + room * self.goal / top
                Line(points=[plot.x, y, plot.right, y], dash_length=dp(4), dash_offset=dp(4))

    def on_touch_down(self, touch: MotionEvent) -> bool:
        return super().on_touch_down(touch) if self.pressable and self.bars else False

    def on_release(self) -> None:
        """Pick the bar that was touched."""
        if self.last_touch is not None:
            place = (self.last_touch.x - self.x) / max(1.0, self.width)
            self.dispatch("on_pick", min(len(self.bars) - 1, max(0, int(place * len(self.bars)))))

    def press(self) -> None:
        """The keyboard goes from bar to bar."""
        if self.bars:
            self.dispatch("on_pick", int(self.at + 1) % len(self.bars))

    def on_pick(self, index: int) -> None:
        """A bar was tapped."""


class Timeline(Column):
    """What has happened and what comes: `steps` is a list of (title, note, state)."""

    steps = ListProperty([])

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.bind(steps=self._build)
        self._build()

    def _build(self, *_: object) -> None:
        self.clear_widgets()
        for at, (title, note, state) in enumerate(self.steps):
            self.add_widget(TimelineStep(title=title, note=note, state=state, is_last=at == len(self.steps) - 1))


class TimelineStep(BoxLayout):
    """One step: `done`, `now`, `next` or `problem`."""

    title = StringProperty("")
    note = StringProperty("")
    state = OptionProperty("next", options=("done", "now", "next", "problem"))
    is_last = BooleanProperty(False)

    def look(self, state: str, part: int) -> str:
        """Icon, its colour and its ground."""
        return _LOOKS[state][part]


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
