"""The number plate as people know it: owns its ground, its characters and its proportions.

A plate is a thing of the world, so no theme recolours it. Which ground a kind has: `cloud_sync.contract.look.plates`.
"""

from __future__ import annotations

from kivy.core.text import Label as TextRenderer
from kivy.graphics import Color, Rectangle, RoundedRectangle, SmoothEllipse, SmoothLine, SmoothRoundedRectangle
from kivy.graphics.texture import Texture
from kivy.metrics import dp
from kivy.properties import ListProperty, NumericProperty, StringProperty
from kivy.uix.widget import Widget
from kivy.utils import get_color_from_hex

from cloud_sync.contract.look.plates import dotted, ground_of, red_at
from cloud_sync.contract.look.tokens import PLATES
from control.domain.plates import normalise
from mobile.ui.theme import PLATE, STRONG, theme
from mobile.ui.widgets.base import Marked

# Proportions of the chip to its height, as in `plate.css` of the look.
_TEXT, _HAN, _SIDE, _RADIUS, _INSET, _DOT = 0.72, 0.88, 0.26, 0.17, 0.07, 0.16
_SPACING = 0.035
_COLOURS = {name: (text, ground) for name, text, ground in PLATES}
_PLAIN_ROW = {"nev": "nev top", "nevl": "nevl number"}


class PlateChip(Marked, Widget):
    """One plate. `unsure` holds indices into the text that were not read surely."""

    text = StringProperty("")
    kind = StringProperty("unknown")
    colour = StringProperty("unknown")
    height_dp = NumericProperty(36)
    unsure = ListProperty([])

    def __init__(self, **given: object) -> None:
        super().__init__(size_hint=(None, None), **given)
        for name in ("text", "kind", "colour", "height_dp", "unsure", "pos"):
            self.fbind(name, self._draw)
        theme.bind(version=self._draw, text_scale=self._draw)
        self._draw()

    def _draw(self, *_: object) -> None:
        text = normalise(self.text)
        height = dp(self.height_dp) * (1 + (theme.text_scale - 1) / 2)
        ground = ground_of(self.kind, self.colour)
        glyphs = [_Glyph(char, height, _ink_of(text, at, ground)) for at, char in enumerate(text)]
        dot_px = height * _TEXT * _DOT * 3 if dotted(text) else 0
        self.size = (sum(glyph.advance for glyph in glyphs) + dot_px + 2 * height * _SIDE, height)
        self.canvas.clear()
        with self.canvas:
            cut = height * _SIDE + sum(glyph.advance for glyph in glyphs[:2])
            _draw_ground(ground, self.pos, self.size, cut)
            x = self.x + height * _SIDE
            for at, glyph in enumerate(glyphs):
                if at == 2 and dot_px:
                    _draw_dot(x + dot_px / 2, self.center_y, height, _ink_of("", 0, ground))
                    x += dot_px
                if at in self.unsure:
                    _draw_unsure(x, self.y, glyph.advance, height)
                glyph.draw(x, self.center_y)
                x += glyph.advance


class _Glyph:
    """One character as a texture."""

    def __init__(self, char: str, height: float, ink: list[float]) -> None:
        is_han = ord(char) > 0x2E80
        size = height * _TEXT * (_HAN if is_han else 1)
        renderer = TextRenderer(text=char, font_name=STRONG if is_han else PLATE, font_size=size, color=(1, 1, 1, 1))
        renderer.refresh()
        self._texture: Texture = renderer.texture
        self._ink = ink
        self.advance = self._texture.width + (0.06 if is_han else _SPACING) * height * _TEXT

    def draw(self, x: float, middle: float) -> None:
        """Put it on the current canvas."""
        Color(*self._ink)
        width, height = self._texture.size
        Rectangle(texture=self._texture, pos=(round(x), round(middle - height / 2)), size=(width, height))


def _ink_of(text: str, at: int, ground: str) -> list[float]:
    if ground == "plain":
        return list(theme.ink)
    name = _PLAIN_ROW.get(ground, ground)
    if text and red_at(text, at, ground):
        name = "white red" if ground == "white" else "black last"
    return get_color_from_hex(_COLOURS[name][0])


def _draw_ground(ground: str, pos: tuple[float, float], size: tuple[float, float], cut: float) -> None:
    (x, y), (width, height) = pos, size
    radius = [height * _RADIUS]
    if ground == "plain":
        Color(*theme.surface3)
        SmoothRoundedRectangle(pos=pos, size=size, radius=radius)
    elif ground == "nev":
        Color(1, 1, 1, 1)
        RoundedRectangle(pos=pos, size=size, radius=radius, texture=_gradient())
    elif ground == "nevl":
        Color(*get_color_from_hex(_COLOURS["nevl number"][1]))
        SmoothRoundedRectangle(pos=pos, size=size, radius=radius)
        Color(*get_color_from_hex(_COLOURS["nevl code"][1]))
        SmoothRoundedRectangle(pos=pos, size=(cut, height), radius=[radius[0], 0, 0, radius[0]])
    else:
        Color(*get_color_from_hex(_COLOURS[ground][1]))
        SmoothRoundedRectangle(pos=pos, size=size, radius=radius)
    Color(0, 0, 0, 0.18) if ground != "black" else Color(1, 1, 1, 0.3)
    SmoothLine(rounded_rectangle=(x + 0.5, y + 0.5, width - 1, height - 1, radius[0]), width=dp(0.5))
    if ground != "temp":
        inset = height * _INSET
        Color(*_ink_of("", 0, ground)[:3], 0.55)
        SmoothLine(
            rounded_rectangle=(x + inset, y + inset, width - 2 * inset, height - 2 * inset, height * 0.11),
            width=max(0.5, height * 0.014),
        )


def _gradient() -> Texture:
    """The small new-energy ground: almost white above, green below (stops at 8, 58 and 100 %)."""
    top, middle, low = (
        get_color_from_hex(code) for code in (_COLOURS["nev top"][1], "#A5E0B9", _COLOURS["nev bottom"][1])
    )
    steps = 24
    rows = []
    for step in range(steps):
        down = 1 - step / (steps - 1)
        if down <= 0.58:
            rows.append(_mixed(top, middle, max(0.0, (down - 0.08) / 0.5)))
        else:
            rows.append(_mixed(middle, low, (down - 0.58) / 0.42))
    texture = Texture.create(size=(1, steps), colorfmt="rgb")
    texture.mag_filter = "linear"
    texture.blit_buffer(b"".join(rows), colorfmt="rgb")
    return texture


def _mixed(one: list[float], other: list[float], part: float) -> bytes:
    return bytes(round(255 * (a + (b - a) * part)) for a, b in zip(one[:3], other[:3], strict=True))


def _draw_dot(x: float, y: float, height: float, ink: list[float]) -> None:
    size = height * _TEXT * _DOT
    Color(*ink)
    SmoothEllipse(pos=(x - size / 2, y - size / 2), size=(size, size))


def _draw_unsure(x: float, y: float, width: float, height: float) -> None:
    box = (x - height * 0.03, y + height * 0.14, width, height * 0.72)
    Color(1, 1, 1, 0.72)
    SmoothRoundedRectangle(pos=box[:2], size=box[2:], radius=[height * 0.08])
    Color(*get_color_from_hex("#862B8F"))
    SmoothLine(rounded_rectangle=(*box, height * 0.08), width=max(0.8, height * 0.02))
