"""Buttons: owns their looks; what they do is bound by the screen."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout

from mobile.ui.widgets.press import Press


class _TextButton(Press, AnchorLayout):
    """A pill with an icon and a word; `busy` shows a spinner and takes no press; without text `folds` takes no room.

    `natural_width` is how wide it would be on its own, pixels.
    """

    text = StringProperty("")
    icon = StringProperty("")
    kind = StringProperty("accent")
    busy = BooleanProperty(False)
    compact = BooleanProperty(False)
    folds = BooleanProperty(False)
    tone = StringProperty("ink")
    natural_width = NumericProperty(0)

    def on_touch_down(self, touch: object) -> bool:
        return self.collide_point(*touch.pos) if self.busy else super().on_touch_down(touch)

    def press(self) -> None:
        """Do what a tap would do, unless it is busy."""
        if not self.busy:
            super().press()


class FilledButton(_TextButton):
    """The one thing to do on a screen."""


class OutlineButton(_TextButton):
    """Something else that can be done."""


class QuietButton(_TextButton):
    """A word that can be pressed."""


class RowAction(QuietButton):
    """A word to press at the right of a line; it takes no room without text."""


class IconButton(Press, AnchorLayout):
    """An icon that can be pressed; `label` says in words what it does, `badge` counts what waits behind it."""

    icon = StringProperty("")
    tone = StringProperty("ink")
    ground = StringProperty("")
    size_dp = NumericProperty(24)
    radius_dp = NumericProperty(24)
    badge = NumericProperty(0)


class ChoiceCircle(Press, BoxLayout):
    """A round icon with a word below it."""

    icon = StringProperty("")
    text = StringProperty("")
    tone = StringProperty("accent")
    ground = StringProperty("accentsoft")


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
