"""Verdicts in a word: owns the chips, strips and lines that say how something stands."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from mobile.ui.motion import animate
from mobile.ui.widgets.base import Across, Marked

ICON_OF_TONE = {
    "admit": "circle-check",
    "permit": "shield-check",
    "hold": "clock",
    "refuse": "octagon-x",
    "unsure": "circle-question-mark",
    "stale": "cloud-off",
    "accent": "info",
    "plain": "hourglass",
}


class Tag(Marked, BoxLayout):
    """A pill with an icon and a word; `room` is the most width it may take, pixels, 0 for any."""

    text = StringProperty("")
    tone = StringProperty("plain")
    icon = StringProperty("")
    room = NumericProperty(0)

    def icon_shown(self, icon: str, tone: str, text: str) -> str:
        """The icon given, else the one of the tone."""
        return (icon or ICON_OF_TONE[tone]) if text else ""


class Banner(Marked, BoxLayout):
    """A strip across the page: offline, waiting to be sent. Folded away while `shown` is false or it has no text."""

    text = StringProperty("")
    detail = StringProperty("")
    tone = StringProperty("stale")
    icon = StringProperty("cloud-off")
    action_text = StringProperty("")
    shown = BooleanProperty(True)
    unfolded = NumericProperty(0)
    __events__ = ("on_action",)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.bind(shown=self._fold, text=self._fold)
        self.unfolded = 1 if self.shown and self.text else 0

    def on_action(self) -> None:
        """The words at its right were pressed."""

    def _fold(self, *_: object) -> None:
        animate(self, unfolded=1 if self.shown and self.text else 0)


class Note(Across):
    """A quiet sentence with an icon before it."""

    text = StringProperty("")
    icon = StringProperty("info")
    tone = StringProperty("ink2")
    centred = BooleanProperty(False)


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
