"""Codes to be scanned from the screen: owns that they stay black on white and sharp, whatever the theme."""

from __future__ import annotations

import segno
from kivy.graphics import Color, Rectangle, SmoothRoundedRectangle
from kivy.graphics.texture import Texture
from kivy.metrics import dp
from kivy.properties import NumericProperty, OptionProperty, StringProperty
from kivy.uix.widget import Widget

from mobile.ui.widgets.base import Marked

# ISO/IEC 18004, 6.3.8: four modules of white around the code.
QUIET_MODULES = 4


class QrView(Marked, Widget):
    """A QR code as large as whole pixels a module allow within `size_dp`, with its quiet zone."""

    text = StringProperty("")
    size_dp = NumericProperty(260)
    error = OptionProperty("m", options=("l", "m", "q", "h"))

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.size_hint = (None, None)
        self._texture: Texture | None = None
        for name in ("text", "error"):
            self.fbind(name, self._encode)
        for name in ("pos", "size_dp"):
            self.fbind(name, self._draw)
        self._encode()

    def _encode(self, *_: object) -> None:
        self._texture = _code_texture(self.text, self.error) if self.text else None
        self._draw()

    def _draw(self, *_: object) -> None:
        self.size = (dp(self.size_dp), dp(self.size_dp))
        self.canvas.clear()
        with self.canvas:
            Color(1, 1, 1, 1)
            SmoothRoundedRectangle(pos=self.pos, size=self.size, radius=[dp(14)])
            if self._texture:
                modules = self._texture.width
                side = max(1, int(self.width // (modules + 2 * QUIET_MODULES))) * modules
                left, low = round(self.center_x - side / 2), round(self.center_y - side / 2)
                Rectangle(texture=self._texture, pos=(left, low), size=(side, side))


def _code_texture(text: str, error: str) -> Texture:
    code = segno.make(text, error=error, micro=False, boost_error=False)
    rows = [bytes(0 if dark else 255 for dark in row) for row in code.matrix_iter(border=0)]
    texture = Texture.create(size=(len(rows), len(rows)), colorfmt="luminance")
    texture.mag_filter = texture.min_filter = "nearest"
    texture.blit_buffer(b"".join(reversed(rows)), colorfmt="luminance", bufferfmt="ubyte")
    return texture
