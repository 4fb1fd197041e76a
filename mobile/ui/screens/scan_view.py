"""The camera's picture: owns how a frame of pixels, or the phone's own texture, fills its place upright."""

from __future__ import annotations

from typing import Any

from kivy.graphics import Color, Rectangle
from kivy.graphics.texture import Texture
from kivy.uix.widget import Widget

from mobile.ports.camera import Camera, Frame

# Behind the picture, dark in both themes as a camera's screen is.
NIGHT = (0.027, 0.063, 0.071, 1)
WHITE = (1, 1, 1, 1)
_Corners = tuple[tuple[float, float], ...]


class CameraPicture(Widget):
    """The newest picture, filling the whole place; what is too wide or too high for it is left out."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._shown: Frame | None = None
        self._own: Texture | None = None
        self._turned_deg = 0
        with self.canvas:
            self._tint = Color(*NIGHT)
            self._picture = Rectangle(pos=self.pos, size=self.size)
        self.bind(pos=self._place, size=self._place)

    def take(self, camera: Camera) -> None:
        """What the camera has now."""
        texture, frame = camera.texture, camera.newest()
        if texture is not None:
            self._put(texture, camera.turned_deg)
        elif frame is None:
            self._put(None, 0)
        elif frame is not self._shown:
            self._put(self._drawn(frame), 0)
        self._shown = frame

    def _drawn(self, frame: Frame) -> Texture:
        size, kind = (frame.width_px, frame.height_px), "rgb" if frame.rgb else "luminance"
        if self._own is None or self._own.size != size or self._own.colorfmt != kind:
            self._own = Texture.create(size=size, colorfmt=kind)
            self._own.flip_vertical()
        self._own.blit_buffer(frame.rgb or frame.luma, colorfmt=kind, bufferfmt="ubyte")
        return self._own

    def _put(self, texture: Texture | None, turned_deg: int) -> None:
        if texture is not self._picture.texture or turned_deg != self._turned_deg:
            self._picture.texture, self._turned_deg = texture, turned_deg
            self._tint.rgba = NIGHT if texture is None else WHITE
            self._place()
        self.canvas.ask_update()

    def _place(self, *_: Any) -> None:
        self._picture.pos, self._picture.size = self.pos, self.size
        texture = self._picture.texture
        if texture is None or not self.width or not self.height:
            return
        base = tuple(zip(texture.tex_coords[::2], texture.tex_coords[1::2], strict=True))
        # From the lower left against the clock; turned clockwise, the lower left shows what was at the lower right.
        corners = base[self._turned_deg // 90 :] + base[: self._turned_deg // 90]
        across, up = texture.size if self._turned_deg % 180 == 0 else texture.size[::-1]
        scale = max(self.width / across, self.height / up)
        part = (self.width / (across * scale), self.height / (up * scale))
        self._picture.tex_coords = tuple(value for corner in _middle(corners, part) for value in corner)


def _middle(corners: _Corners, part: tuple[float, float]) -> _Corners:
    """The corners of the middle part (fractions of width and height) within four corners."""
    origin, right, _, upper = corners
    left_frac, low_frac = (1 - part[0]) / 2, (1 - part[1]) / 2

    def at(u: float, v: float) -> tuple[float, float]:
        x, y = (origin[i] + (right[i] - origin[i]) * u + (upper[i] - origin[i]) * v for i in (0, 1))
        return x, y

    return (
        at(left_frac, low_frac),
        at(1 - left_frac, low_frac),
        at(1 - left_frac, 1 - low_frac),
        at(left_frac, 1 - low_frac),
    )
