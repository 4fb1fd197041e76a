"""When there is nothing to show yet, or at all: owns the empty, waiting and failed looks of a page."""

from __future__ import annotations

from pathlib import Path

from kivy.clock import Clock
from kivy.graphics import Color, Rectangle, SmoothRoundedRectangle
from kivy.graphics.texture import Texture
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import NumericProperty, OptionProperty, StringProperty
from kivy.uix.widget import Widget

from mobile.ui.theme import theme
from mobile.ui.widgets.base import Column, Marked

# What each kind of skeleton draws: (left, top, width, height) in dp from its upper left; a width below 0 is what is
# left of the line, less that.
_BONES: dict[str, tuple[float, tuple[tuple[float, float, float, float], ...]]] = {
    "row": (72, ((16, 14, 44, 44), (72, 16, -120, 16), (72, 42, -190, 12))),
    "card": (132, ((18, 18, 120, 24), (18, 58, -90, 16), (18, 86, -150, 14))),
    "text": (30, ((0, 6, -20, 14),)),
    "figure": (96, ((0, 8, 80, 14), (0, 34, 180, 46))),
}
SWEEP_S = 1.4


class Skeleton(Marked, Widget):
    """The real layout in grey while it is on its way; a sheen passes over it unless motion is unwanted."""

    kind = OptionProperty("row", options=list(_BONES))
    rows = NumericProperty(3)
    sweep = NumericProperty(0)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self._sheen = Rectangle()
        for name in ("pos", "size", "kind", "rows"):
            self.fbind(name, self._draw)
        theme.bind(version=self._draw)
        self._sweeping = Clock.schedule_interval(self._move, 1 / 30)
        self._sweeping.cancel()
        self.fbind("parent", self._start)
        self._draw()

    def _start(self, *_: object) -> None:
        if self.parent and not theme.reduced_motion:
            self._sweeping()
        else:
            self._sweeping.cancel()

    def _move(self, seconds: float) -> None:
        self.sweep = (self.sweep + seconds / SWEEP_S) % 1.4
        self._sheen.pos = (self.x + self.width * (self.sweep - 0.4), self.y)

    def _draw(self, *_: object) -> None:
        step, bones = _BONES[self.kind]
        boxed = self.kind in ("row", "card")
        self.size_hint_y, self.height = None, dp(step) * self.rows + (dp(12) * (self.rows - 1) if not boxed else 0)
        self.canvas.clear()
        with self.canvas:
            if boxed:
                Color(*theme.surface)
                SmoothRoundedRectangle(pos=self.pos, size=self.size, radius=[dp(theme.radius_dp)])
            Color(*(theme.skeleton if boxed else theme.line))
            for row in range(int(self.rows)):
                top = self.top - dp(step) * row - (0 if boxed else dp(12) * row)
                for left, down, width, height in bones:
                    long = dp(width) if width > 0 else max(dp(40), self.width - dp(left) + dp(width))
                    SmoothRoundedRectangle(
                        pos=(self.x + dp(left), top - dp(down + height)),
                        size=(long, dp(height)),
                        radius=[dp(min(14, height / 2))],
                    )
            if not theme.reduced_motion:
                Color(*theme.sheen[:3], theme.sheen[3])
                self._sheen = Rectangle(texture=_sheen_texture(), pos=self.pos, size=(self.width * 0.4, self.height))


def _sheen_texture() -> Texture:
    texture = Texture.create(size=(3, 1), colorfmt="rgba")
    texture.mag_filter = "linear"
    texture.blit_buffer(bytes((255, 255, 255, 0, 255, 255, 255, 200, 255, 255, 255, 0)), colorfmt="rgba")
    return texture


class EmptyState(Column):
    """Nothing here yet: one sentence, and one thing to do."""

    icon = StringProperty("inbox")
    title = StringProperty("")
    text = StringProperty("")
    action_text = StringProperty("")
    action_icon = StringProperty("")
    tone = StringProperty("accent")
    __events__ = ("on_action",)

    def on_action(self) -> None:
        """The button was pressed."""


class ErrorState(EmptyState):
    """Something failed: what happened (`title`), what still works and what to do (`text`), and a button."""


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
