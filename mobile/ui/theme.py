"""The app's look as one object: owns colours, text sizes, faces and the phone's measures.

The colours themselves are in `palette`; what is drawn with them belongs to the widgets. Whoever binds to a colour
follows light, dark and text size at run time.
"""

from __future__ import annotations

from typing import Protocol
from weakref import WeakSet

from kivy.core.text import LabelBase
from kivy.event import EventDispatcher
from kivy.metrics import dp, sp
from kivy.properties import BooleanProperty, BoundedNumericProperty, ColorProperty, NumericProperty, OptionProperty

from mobile.ui.palette import FACE_LINE, FACES, FONTS, ICONS, PALETTES, PLATE, STRONG, STYLES, TEXT, TextStyle

__all__ = ["FACE_LINE", "ICONS", "PLATE", "STRONG", "STYLES", "TEXT", "TextStyle", "Theme", "install_fonts", "theme"]

TEXT_SCALE_MIN, TEXT_SCALE_MAX = 1.0, 1.6
BIG_SP = 48
LARGE_SCALE = 1.3


class Follower(Protocol):
    """Something that is drawn in the theme's colours and sizes."""

    def restyle(self) -> None:
        """Take them anew."""


_Colours = type(
    "_Colours",
    (EventDispatcher,),
    {"__doc__": "One property for each colour.", **{name: ColorProperty(c) for name, c in PALETTES[False].items()}},
)


class Theme(_Colours):
    """What the person chose, and the colours that follow from it."""

    mode = OptionProperty("auto", options=("light", "dark", "auto"))
    system_dark = BooleanProperty(False)
    dark = BooleanProperty(False)
    text_scale = BoundedNumericProperty(
        1.0,
        min=TEXT_SCALE_MIN,
        max=TEXT_SCALE_MAX,
        errorhandler=lambda wanted: min(TEXT_SCALE_MAX, max(TEXT_SCALE_MIN, wanted)),
    )
    reduced_motion = BooleanProperty(False)
    # Goes up after the colours have changed: what looks colours up by name binds to it.
    version = NumericProperty(0)

    target_dp = 48
    page_pad_dp = 20
    radius_dp = 20
    tile_radius_dp = 16
    control_radius_dp = 14

    def __init__(self) -> None:
        self._followers: WeakSet[Follower] = WeakSet()
        super().__init__()

    @property
    def page_pad(self) -> float:
        """Distance of a page's content from the sides of the screen, pixels."""
        return float(dp(self.page_pad_dp))

    @property
    def is_large(self) -> bool:
        """Whether text is so large that what stands beside each other goes below each other."""
        return self.text_scale > LARGE_SCALE

    def colour(self, name: str, _version: float = 0) -> list[float]:
        """The colour as red, green, blue, alpha from 0 to 1; none for an empty name.

        In kv pass `theme.version` too, so that the expression is bound to changes of the theme.
        """
        return list(getattr(self, name)) if name else [0, 0, 0, 0]

    def text_px(self, size_sp: float) -> float:
        """A text size in pixels under the device's and the person's scale; what is big already grows half as much."""
        scale = 1 + (self.text_scale - 1) / 2 if size_sp >= BIG_SP else self.text_scale
        return float(sp(size_sp)) * scale

    def on_mode(self, *_: object) -> None:
        self.dark = self.mode == "dark" or (self.mode == "auto" and self.system_dark)

    def on_system_dark(self, *_: object) -> None:
        self.on_mode()

    def on_dark(self, *_: object) -> None:
        for name, value in PALETTES[self.dark].items():
            setattr(self, name, value)
        self.version += 1

    def on_version(self, *_: object) -> None:
        self._restyle_followers()

    def on_text_scale(self, *_: object) -> None:
        self._restyle_followers()

    def follow(self, one: Follower) -> None:
        """Call `one.restyle()` after every change of colours and text size, as long as it lives.

        For what exists a hundred times on a screen: a binding in kv for each colour of each would take ten times the
        memory.
        """
        self._followers.add(one)

    def _restyle_followers(self) -> None:
        for one in tuple(self._followers):
            one.restyle()


theme = Theme()


def install_fonts() -> None:
    """Make the faces known to Kivy by the names above; once, before the first widget."""
    for name, file in FACES.items():
        LabelBase.register(name, str(FONTS / file), fn_bold=str(FONTS / FACES[STRONG]) if name == TEXT else None)
