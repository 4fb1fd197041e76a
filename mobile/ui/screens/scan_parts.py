"""Parts of the camera's screen: owns what lies over the picture, which is dark in both themes, and the sheet below."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from mobile.core.api.points import TripRecord
from mobile.core.words import Words
from mobile.ports.camera import CameraState
from mobile.ui.kit import Column, FilledButton, Icon, QuietButton, Row, Text, WaitArc
from mobile.ui.screens.trip_parts import place

CORNER_DP = 26


class LightText(Text):
    """Words over the picture."""


class DarkPill(BoxLayout):
    """An icon and a few words on a dark ground."""

    icon = StringProperty("")
    text = StringProperty("")


class WhiteSheet(Column):
    """The ground below, with round upper corners, that what can be pressed stands on."""


class UnderSheet(FloatLayout):
    """The camera above, as high as the sheet leaves it, and under the round corners of the sheet."""

    def __init__(self, upper: Widget, sheet: WhiteSheet) -> None:
        super().__init__()
        self._upper, self._sheet = upper, sheet
        upper.size_hint = (1, None)
        for one in (upper, sheet):
            self.add_widget(one)
        for widget in (self, sheet):
            widget.bind(pos=self._place, size=self._place)

    def _place(self, *_: Any) -> None:
        # Not by `top`, which is told later than the size that it follows from.
        bottom = self._sheet.y + self._sheet.height - dp(CORNER_DP)
        self._upper.pos, self._upper.height = (self.x, bottom), max(0, self.y + self.height - bottom)


class CameraMessage(Column):
    """Why there is no picture, what still works, and what to do."""

    def __init__(
        self, words: Words, state: CameraState, *, try_again: Callable[[], None], settings: Callable[[], bool]
    ) -> None:
        super().__init__(pos_hint={"center_y": 0.5}, padding=(dp(40), 0), spacing=dp(10), test_id=f"camera-{state}")
        if state in (CameraState.STARTING, CameraState.OFF):
            self.add_widget(WaitArc(size_dp=36, tone="onhero", pos_hint={"center_x": 0.5}))
            return
        icon, title, text = _why(words, state)
        self.add_widget(Icon(icon=icon, size_dp=40, tone="onhero", pos_hint={"center_x": 0.5}))
        self.add_widget(LightText(text=title, style="lead", halign="center"))
        self.add_widget(LightText(text=text, halign="center"))
        again = QuietButton(text=words("Try again"), kind="onhero", test_id="camera-again")
        again.bind(on_release=lambda _button: try_again())
        if state is CameraState.DENIED:
            open_settings = FilledButton(text=words("Open settings"), compact=True, test_id="camera-settings")
            open_settings.bind(on_release=lambda _button: settings() or try_again())
            self.add_widget(open_settings)
        if state is not CameraState.MISSING:
            self.add_widget(again)


def _why(words: Words, state: CameraState) -> tuple[str, str, str]:
    match state:
        case CameraState.DENIED:
            title, icon = words("The app may not use the camera"), "camera-off"
            text = words("Allow it in the settings. Until then choose a photo or type the code.")
        case CameraState.MISSING:
            title, icon = words("There is no camera here"), "camera-off"
            text = words("Choose a photo of the code, or type the code below it.")
        case _:
            title, icon = words("The camera gives no picture"), "triangle-alert"
            text = words("Another app may be using it. You can also choose a photo or type the code.")
    return icon, title, text


def standing(words: Words, running: TripRecord | None, waiting: int) -> Row | None:
    """What is under way: a trip that waits for its end, or codes that wait for the network."""
    if running is not None:
        title = words("Under way since {time}", time=words.time(running.started_at))
        text = words("From {place}. Scan where you get off.", place=place(words, running.start_place))
        return Row(icon="route", title=title, subtitle=text, test_id="scan-under-way")
    if waiting:
        title = words.n("{n} code waits for the network", "{n} codes wait for the network", waiting)
        subtitle = words("It counts once you are online, and only once.")
        tones = {"icon_tone": "stale", "icon_ground": "stalesoft"}
        return Row(icon="cloud-upload", title=title, subtitle=subtitle, test_id="scan-waiting", **tones)
    return None


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
