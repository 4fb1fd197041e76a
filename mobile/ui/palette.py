"""What the app looks like in numbers: owns its colours, styles of text and faces, without any of Kivy.

Colours come from the same tokens as the console's (`cloud_sync.contract.look.tokens`).
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cloud_sync.contract.look.tokens import DARK, LIGHT, Palette

FONTS = Path(__file__).with_name("fonts")
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
FACES = {
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
