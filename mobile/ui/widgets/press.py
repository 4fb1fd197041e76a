"""What can be pressed: owns the pressed look, the focus ring and the disabled look that all such things share."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.behaviors import ButtonBehavior

from mobile.ui.motion import COLOUR_S, animate
from mobile.ui.widgets.base import Marked


class Press(Marked, ButtonBehavior):
    """Something that fires `on_release`; `key_focused` while the keyboard is on it.

    Its kv rule draws over it: a shade while pressed, a ring while focused.
    """

    key_focused = BooleanProperty(False)
    label = StringProperty("")
    press_alpha = NumericProperty(0)
    press_radius = ListProperty([0])

    def on_state(self, _: object, state: str) -> None:
        animate(self, duration_s=0 if state == "down" else COLOUR_S, press_alpha=1 if state == "down" else 0)

    def on_disabled(self, _: object, disabled: bool) -> None:
        if disabled:
            self.key_focused = False

    def press(self) -> None:
        """Do what a tap would do; for the keyboard."""
        if not self.disabled:
            self.dispatch("on_release")


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
