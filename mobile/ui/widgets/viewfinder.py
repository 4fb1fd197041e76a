"""Over the camera's picture: owns the frame to aim with."""

from __future__ import annotations

from kivy.graphics import Color, Rectangle, SmoothLine, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty
from kivy.uix.widget import Widget
from kivy.utils import get_color_from_hex

from mobile.ui.widgets.base import Marked

_SHADE = get_color_from_hex("#071012A8")
_BEAM = get_color_from_hex("#55C7DD")


class Viewfinder(Marked, Widget):
    """Darkens everything but a square, and marks its corners; `frame_top_dp` is from the top of the widget."""

    frame_dp = NumericProperty(260)
    frame_top_dp = NumericProperty(178)
    found = BooleanProperty(False)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        for name in ("pos", "size", "frame_dp", "frame_top_dp", "found"):
            self.fbind(name, self._draw)
        self._draw()

    @property
    def frame(self) -> tuple[float, float, float]:
        """Left, lower edge and side of the square, pixels."""
        side = min(dp(self.frame_dp), self.width - dp(80))
        return self.center_x - side / 2, self.top - dp(self.frame_top_dp) - side, side

    def _draw(self, *_: object) -> None:
        left, low, side = self.frame
        self.canvas.clear()
        with self.canvas:
            Color(*_SHADE)
            Rectangle(pos=self.pos, size=(self.width, max(0, low - self.y)))
            Rectangle(pos=(self.x, low + side), size=(self.width, max(0, self.top - low - side)))
            Rectangle(pos=(self.x, low), size=(max(0, left - self.x), side))
            Rectangle(pos=(left + side, low), size=(max(0, self.right - left - side), side))
            Color(1, 1, 1, 1)
            for right in (0, 1):
                for upper in (0, 1):
                    self._corner(left + side * right, low + side * upper, 1 - 2 * right, 1 - 2 * upper)
            if not self.found:
                Color(*_BEAM)
                beam = side - dp(24)
                SmoothRoundedRectangle(
                    pos=(left + dp(12), low + side / 2 - dp(1.5)), size=(beam, dp(3)), radius=[dp(1.5)]
                )

    def _corner(self, x: float, y: float, across: int, up: int) -> None:
        arm, curve = dp(50), dp(22)
        points = [x, y + up * arm, x, y + up * curve]
        for part in range(1, 8):
            # A quarter of a circle by its parabola is close enough at this size.
            t = part / 8
            points += [x + across * curve * t * t, y + up * curve * (1 - t) ** 2]
        points += [x + across * curve, y, x + across * arm, y]
        SmoothLine(points=points, width=dp(2.2), cap="round", joint="round")
