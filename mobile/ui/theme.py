"""The app's look as one object: owns colours, text sizes, faces and the phone's measures.

Colours come from the same tokens as the console's (`cloud_sync.contract.look.tokens`); what is drawn with them
belongs to the widgets. Whoever binds to a colour follows light, dark and text size at run time.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from kivy.core.text import LabelBase
from kivy.event import EventDispatcher
from kivy.metrics import dp, sp
from kivy.properties import BooleanProperty, BoundedNumericProperty, ColorProperty, NumericProperty, OptionProperty

from cloud_sync.contract.look.tokens import DARK, LIGHT, Palette

FONTS = Path(__file__).with_name("fonts")
TEXT_SCALE_MIN, TEXT_SCALE_MAX = 1.0, 1.6
# What the phone adds to the shared tokens: two grounds of its heads, and what lies over or under other things.
PHONE_LIGHT: Palette = {
    "hero": "#0A5466", "onhero": "#FFFFFF", "herotrack": "#FFFFFF3D", "heroline": "#FFFFFF21",
    "passhead": "#4356D6", "onpass": "#FFFFFF", "stalesolid": "#505D5A", "onstale": "#FFFFFF",
    "scrim": "#0710128C", "shadow": "#10201E0F", "pressed": "#10201E14", "skeleton": "#EAEFEE", "sheen": "#FFFFFFB0",
    "water": "#CFE6EA", "land": "#EEF3E9", "road": "#D5DED2",
}  # fmt: skip
PHONE_DARK: Palette = {
    "hero": "#0E3A45", "onhero": "#FFFFFF", "herotrack": "#FFFFFF3D", "heroline": "#FFFFFF21",
    "passhead": "#2B3691", "onpass": "#FFFFFF", "stalesolid": "#3A4749", "onstale": "#FFFFFF",
    "scrim": "#000000A6", "shadow": "#00000000", "pressed": "#FFFFFF1A", "skeleton": "#1E2A2D", "sheen": "#FFFFFF0D",
    "water": "#12303A", "land": "#1B2A26", "road": "#2E3D3A",
}  # fmt: skip
PALETTES: dict[bool, Palette] = {False: LIGHT | PHONE_LIGHT, True: DARK | PHONE_DARK}


class TextStyle(NamedTuple):
    """One cut of text: size and distance of lines in scale-independent pixels."""

    size_sp: float
    line_sp: float
    face: str


TEXT, STRONG, PLATE, ICONS = "IslandSans", "IslandSansStrong", "PlateFace", "Icons"
_FACES = {
    TEXT: "IslandSans-Regular.ttf",
    STRONG: "IslandSans-SemiBold.ttf",
    PLATE: "BarlowSemiCondensed-SemiBold.ttf",
    ICONS: "Lucide.ttf",
}
STYLES: dict[str, TextStyle] = {
    "caption": TextStyle(12, 16, TEXT),
    "captionstrong": TextStyle(12, 16, STRONG),
    "small": TextStyle(14, 20, TEXT),
    "smallstrong": TextStyle(14, 20, STRONG),
    "body": TextStyle(16, 24, TEXT),
    "strong": TextStyle(16, 24, STRONG),
    "section": TextStyle(17, 24, STRONG),
    "lead": TextStyle(20, 28, STRONG),
    "title": TextStyle(26, 34, STRONG),
    "number": TextStyle(30, 36, STRONG),
    "figure": TextStyle(50, 58, STRONG),
    "code": TextStyle(30, 38, PLATE),
}
# Height of one line of the text face over its size: ascent and descent of Inter.
FACE_LINE = 1.21

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

    @property
    def page_pad(self) -> float:
        """Distance of a page's content from the sides of the screen, pixels."""
        return float(dp(self.page_pad_dp))

    def colour(self, name: str, _version: float = 0) -> list[float]:
        """The colour as red, green, blue, alpha from 0 to 1; none for an empty name.

        In kv pass `theme.version` too, so that the expression is bound to changes of the theme.
        """
        return list(getattr(self, name)) if name else [0, 0, 0, 0]

    def text_px(self, size_sp: float) -> float:
        """A text size in pixels under the device's and the person's scale."""
        return float(sp(size_sp)) * self.text_scale

    def on_mode(self, *_: object) -> None:
        self.dark = self.mode == "dark" or (self.mode == "auto" and self.system_dark)

    def on_system_dark(self, *_: object) -> None:
        self.on_mode()

    def on_dark(self, *_: object) -> None:
        for name, value in PALETTES[self.dark].items():
            setattr(self, name, value)
        self.version += 1


theme = Theme()


def install_fonts() -> None:
    """Make the faces known to Kivy by the names above; once, before the first widget."""
    for name, file in _FACES.items():
        LabelBase.register(name, str(FONTS / file), fn_bold=str(FONTS / _FACES[STRONG]) if name == TEXT else None)
