"""What can be pressed: owns the pressed look, the focus ring and the disabled look that all such things share."""

from __future__ import annotations

from kivy.graphics import Color, SmoothLine, SmoothRoundedRectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior

from mobile.ui.motion import COLOUR_S, animate
from mobile.ui.theme import theme
from mobile.ui.widgets.base import Marked

_MARK = "pressed"
RING_GAP_DP, RING_WIDTH_DP = 3, 1.2


class Press(Marked, ButtonBehavior):
    """Something that fires `on_release`; `key_focused` while the keyboard is on it.

    Over it are drawn a shade while it is pressed and a ring while it is focused; most things never are, so that these
    are made when they are first seen.
    """

    key_focused = BooleanProperty(False)
    label = StringProperty("")
    press_alpha = NumericProperty(0)
    press_radius = ListProperty([0])

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        for name in ("press_alpha", "key_focused", "press_radius", "pos", "size"):
            self.fbind(name, self._mark)

    def _mark(self, *_: object) -> None:
        over = self.canvas.after
        over.remove_group(_MARK)
        if self.press_alpha:
            *colour, alpha = theme.pressed
            over.add(Color(*colour, alpha * self.press_alpha, group=_MARK))
            over.add(SmoothRoundedRectangle(pos=self.pos, size=self.size, radius=self.press_radius, group=_MARK))
        if self.key_focused:
            gap, radius = dp(RING_GAP_DP), self.press_radius[0]
            ring = (self.x - gap, self.y - gap, self.width + 2 * gap, self.height + 2 * gap, radius + gap)
            over.add(Color(*theme.accent, group=_MARK))
            over.add(SmoothLine(width=dp(RING_WIDTH_DP), rounded_rectangle=ring, group=_MARK))

    def on_state(self, _: object, state: str) -> None:
        animate(self, duration_s=0 if state == "down" else COLOUR_S, press_alpha=1 if state == "down" else 0)

    def on_disabled(self, _: object, disabled: bool) -> None:
        if disabled:
            self.key_focused = False

    def press(self) -> None:
        """Do what a tap would do; for the keyboard."""
        if not self.disabled:
            self.dispatch("on_release")
