"""How far something is: owns bars, rings, dashes and the spinner."""

from __future__ import annotations

from pathlib import Path

from kivy.clock import Clock
from kivy.graphics import Color, SmoothRoundedRectangle
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.ui.theme import theme
from mobile.ui.widgets.base import Column, Marked

TURN_S = 0.9


class Bar(Marked, Widget):
    """A part of a whole as a bar; `frac` from 0 to 1."""

    frac = NumericProperty(0)
    tone = StringProperty("accent")
    track = StringProperty("line")
    thick_dp = NumericProperty(8)


class Ring(Marked, AnchorLayout):
    """A part of a whole as a ring around a figure."""

    frac = NumericProperty(0)
    text = StringProperty("")
    note = StringProperty("")
    tone = StringProperty("accent")
    size_dp = NumericProperty(96)
    thick_dp = NumericProperty(8)


class WaitArc(Marked, Widget):
    """A turning arc while something is awaited; it stands still under reduced motion."""

    active = BooleanProperty(True)
    tone = StringProperty("accent")
    size_dp = NumericProperty(28)
    angle = NumericProperty(0)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self._turning = Clock.schedule_interval(self._turn, 1 / 30)
        self._turning.cancel()
        for name in ("active", "parent"):
            self.fbind(name, self._start)
        self._start()

    def _start(self, *_: object) -> None:
        if self.active and self.parent and not theme.reduced_motion:
            self._turning()
        else:
            self._turning.cancel()

    def _turn(self, seconds: float) -> None:
        if self.get_root_window() is None:
            return
        self.angle = (self.angle + 360 * seconds / TURN_S) % 360


class Dashes(Marked, Widget):
    """How many of a few were used: one dash each."""

    total = NumericProperty(5)
    used = NumericProperty(0)
    tone = StringProperty("permitsolid")
    dash_dp = NumericProperty(30)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.bind(pos=self._draw, size=self._draw, total=self._draw, used=self._draw, tone=self._draw)
        theme.bind(version=self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        count = int(self.total)
        width, gap = dp(self.dash_dp), dp(5)
        if count and count * (width + gap) > self.width:
            width = max(dp(4), self.width / count - gap)
        self.canvas.clear()
        with self.canvas:
            for at in range(count):
                Color(*theme.colour(self.tone if at < self.used else "line"))
                SmoothRoundedRectangle(
                    pos=(self.x + at * (width + gap), self.center_y - dp(4)), size=(width, dp(8)), radius=[dp(4)]
                )


class Stepper(Column):
    """Which step of a form this is: bars, and the step's name with its number."""

    count = NumericProperty(4)
    at = NumericProperty(1)
    title = StringProperty("")
    note = StringProperty("")

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.bind(count=self._build, at=self._build)
        self._build()

    def _build(self, *_: object) -> None:
        bars: BoxLayout = self.ids.bars
        bars.clear_widgets()
        for step in range(1, int(self.count) + 1):
            bars.add_widget(Bar(frac=1 if step <= self.at else 0, thick_dp=6))


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
