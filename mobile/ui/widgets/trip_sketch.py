"""A trip as a drawing: owns a shore, a road and two named places; it is a sketch and says nothing of the true way."""

from __future__ import annotations

from kivy.graphics import (
    Color,
    Mesh,
    Rectangle,
    RoundedRectangle,
    SmoothEllipse,
    SmoothLine,
    StencilPop,
    StencilPush,
    StencilUnUse,
    StencilUse,
)
from kivy.metrics import dp
from kivy.properties import StringProperty
from kivy.uix.floatlayout import FloatLayout

from mobile.ui.theme import theme
from mobile.ui.widgets.base import Marked, Text

# Bezier curves in parts of the sketch's width and height, from its upper left.
_SHORE = ((-0.03, 0.85), (0.11, 0.46), (0.26, 0.21), (0.49, 0.1), (0.7, 0.03), (0.91, 0.07), (1.06, 0.41))
_ROAD = ((0.11, 1.13), (0.2, 0.7), (0.37, 0.46), (0.54, 0.38), (0.72, 0.31), (0.89, 0.35), (1.03, 0.62))
_WAY = ((0.263, 0.72), (0.343, 0.535), (0.43, 0.44), (0.543, 0.38), (0.65, 0.33), (0.75, 0.366), (0.834, 0.437))


class TripSketch(Marked, FloatLayout):
    """Two places and the way between them, for the head of a card; `end` empty while the trip goes on."""

    start = StringProperty("")
    end = StringProperty("")

    def __init__(self, **given: object) -> None:
        super().__init__(size_hint_y=None, height=dp(142), **given)
        self._start = Text(style="smallstrong", fit=True)
        self._end = Text(style="smallstrong", fit=True)
        for label in (self._start, self._end):
            self.add_widget(label)
            label.bind(size=self._place)
        for name in ("pos", "size", "start", "end"):
            self.fbind(name, self._place)
        theme.bind(version=self._place)
        self._place()

    def _place(self, *_: object) -> None:
        self._start.text, self._end.text = self.start, self.end
        first, last = self._point(_WAY[0]), self._point(_WAY[-1])
        self._start.pos = (
            max(self.x + dp(12), first[0] - self._start.width / 2),
            max(self.y + dp(4), first[1] - dp(14) - self._start.height),
        )
        self._end.pos = (
            min(self.right - dp(12) - self._end.width, last[0] - self._end.width / 2),
            last[1] + dp(14),
        )
        self._draw(first, last)

    def _point(self, part: tuple[float, float]) -> tuple[float, float]:
        return self.x + part[0] * self.width, self.top - part[1] * self.height

    def _curve(self, controls: tuple[tuple[float, float], ...]) -> list[float]:
        points = [self._point(control) for control in controls]
        flat: list[float] = []
        for at in range(0, len(points) - 1, 3):
            for step in range(17):
                flat += _bezier(points[at : at + 4], step / 16)
        return flat

    def _draw(self, first: tuple[float, float], last: tuple[float, float]) -> None:
        shore = self._curve(_SHORE)
        edge = {"pos": self.pos, "size": self.size, "radius": [dp(20), dp(20), 0, 0]}
        self.canvas.before.clear()
        with self.canvas.before:
            StencilPush()
            RoundedRectangle(**edge)
            StencilUse()
            Color(*theme.water)
            Rectangle(pos=self.pos, size=self.size)
            Color(*theme.land)
            vertices: list[float] = []
            for at in range(0, len(shore), 2):
                vertices += [shore[at], shore[at + 1], 0, 0, shore[at], self.y, 0, 0]
            Mesh(vertices=vertices, indices=list(range(len(vertices) // 4)), mode="triangle_strip")
            Color(*theme.road)
            SmoothLine(points=self._curve(_ROAD), width=dp(5))
            Color(*theme.accent)
            SmoothLine(points=self._curve(_WAY), width=dp(2.6), cap="round")
            _stop(first, dp(9), theme.accent, theme.surface, dp(4))
            if self.end:
                _stop(last, dp(10.5), theme.surface, theme.accent, dp(3))
            StencilUnUse()
            RoundedRectangle(**edge)
            StencilPop()


def _bezier(points: list[tuple[float, float]], t: float) -> list[float]:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
    return [sum(w * point[axis] for w, point in zip(weights, points, strict=True)) for axis in (0, 1)]


def _stop(at: tuple[float, float], radius: float, rim: list[float], fill: list[float], thick: float) -> None:
    for size, colour in ((radius + thick / 2, rim), (radius - thick / 2, fill)):
        Color(*colour)
        SmoothEllipse(pos=(at[0] - size, at[1] - size), size=(2 * size, 2 * size))
