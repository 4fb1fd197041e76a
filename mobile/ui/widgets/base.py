"""Text, icons and the boxes that hold things: owns how text is set and how columns take their height."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from kivy.core.text import Label as TextRenderer
from kivy.graphics import Color, Rectangle, SmoothRoundedRectangle
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import (
    AliasProperty,
    BooleanProperty,
    ListProperty,
    NumericProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from mobile.ui.icons import glyph
from mobile.ui.theme import FACE_LINE, ICONS, STYLES, theme
from mobile.ui.widgets.wrap import wrap

# The smallest part of its size to which a word that does not fit is set, and the steps on the way there.
SQUEEZE_MIN, SQUEEZE_STEP = 0.62, 0.04


class Marked:
    """Has a name by which tests find it."""

    test_id = StringProperty("")


@lru_cache(maxsize=64)
def _renderer(face: str, size_px: float) -> TextRenderer:
    return TextRenderer(font_name=face, font_size=size_px)


def text_width_px(text: str, face: str, size_px: float) -> int:
    """Width of a line of text as it will be drawn."""
    return int(_renderer(face, size_px).get_extents(text)[0]) if text else 0


class Text(Marked, Label):
    """Text in one of the theme's styles; it wraps by the rules of Chinese and takes the height it needs.

    `lines`: 0 wraps freely, n cuts after n lines with an ellipsis. `fit`: as wide as the text instead of as its place.
    `shrink`: a word, or with one line the whole text, that is wider than its place is set smaller, down to a limit.
    """

    style = OptionProperty("body", options=list(STYLES))
    tone = StringProperty("ink")
    lines = NumericProperty(0)
    fit = BooleanProperty(False)
    shrink = BooleanProperty(False)
    squeeze = NumericProperty(1.0)

    def _natural_width(self) -> float:
        lines = self.text.split("\n")
        return max(text_width_px(line, self.font_name, self.font_size) for line in lines) if self.text else 0

    natural_width = AliasProperty(_natural_width, None, bind=("text", "font_name", "font_size"), cache=True)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        with self.canvas:
            Color(1, 1, 1, 1)
            self._drawn = Rectangle()
        for name in ("style", "tone", "squeeze"):
            self.fbind(name, self.restyle)
        for name in ("lines", "fit", "width"):
            self.fbind(name, self._trigger_texture)
        for name in ("text", "width", "style", "shrink", "lines"):
            self.fbind(name, self._take_squeeze)
        for name in ("markup", "fit", "width"):
            self.fbind(name, self._take_text_size)
        for name in ("text", "fit", "texture_size"):
            self.fbind(name, self._take_size)
        for name in ("texture", "texture_size", "pos", "size", "halign"):
            self.fbind(name, self._place)
        theme.follow(self)
        self.restyle()
        self._take_text_size()
        self._place()

    def restyle(self, *_: object) -> None:
        """Take face, sizes and colour from the theme."""
        self._take_squeeze()
        chosen = STYLES[self.style]
        self.font_name = chosen.face
        self.font_size = theme.text_px(chosen.size_sp) * self.squeeze
        self.line_height = chosen.line_sp / chosen.size_sp / FACE_LINE
        # Half of what a line of the design is higher than the face.
        self.padding = 0, max(0.0, (chosen.line_sp / chosen.size_sp - FACE_LINE) * self.font_size / 2)
        self.color = self.disabled_color = theme.colour(self.tone)
        self._take_size()

    def _take_size(self, *_: object) -> None:
        line_px = theme.text_px(STYLES[self.style].line_sp) if self.text else 0
        self.height = max(self.texture_size[1], line_px)
        if self.fit:
            self.size_hint_x, self.width = None, self.texture_size[0]

    def _take_text_size(self, *_: object) -> None:
        self.text_size = (self.width, None) if self.markup and not self.fit else (None, None)

    def _place(self, *_: object) -> None:
        width, height = self.texture_size
        free_px = self.width - width
        left = self.x + {"center": free_px / 2, "right": free_px}.get(self.halign, 0.0)
        self._drawn.texture, self._drawn.size = self.texture, (width, height)
        # Not by `center_y`: Kivy keeps that, and tells of a new place before it forgets the old one.
        self._drawn.pos = int(left), int(self.y + (self.height - height) / 2)

    def _take_squeeze(self, *_: object) -> None:
        if not self.shrink:
            return
        chosen = STYLES[self.style]
        words = [self.text] if self.lines == 1 else self.text.split()
        full_px, squeeze = theme.text_px(chosen.size_sp), 1.0
        while squeeze > SQUEEZE_MIN and any(
            text_width_px(word, chosen.face, full_px * squeeze) > self.width for word in words
        ):
            squeeze -= SQUEEZE_STEP
        self.squeeze = squeeze

    def texture_update(self, *_: object) -> None:
        """Draw the text anew, broken into lines that fit."""
        if not self.markup and not self.fit and self._label.text:
            self._label.text = "\n".join(self._wrapped())
        super().texture_update()

    def _wrapped(self) -> list[str]:
        def measure(line: str) -> float:
            return text_width_px(line, self.font_name, self.font_size)

        room = self.width - self.padding[0] - self.padding[2]
        return wrap(self.text, room, measure, lines_max=int(self.lines), balanced=self.halign == "center")


@lru_cache(maxsize=256)
def _drawn_icon(name: str, size_px: float) -> TextRenderer:
    """An icon in white; whoever shows it tints it. The renderer draws it again where the display forgot it."""
    renderer = TextRenderer(text=glyph(name), font_name=ICONS, font_size=size_px)
    renderer.refresh()
    return renderer


class Icon(Marked, Widget):
    """One icon by its Lucide name."""

    icon = StringProperty("")
    tone = StringProperty("ink")
    size_dp = NumericProperty(24)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        with self.canvas:
            self._ink = Color()
            self._drawn = Rectangle()
        for name in ("icon", "tone", "size_dp"):
            self.fbind(name, self.restyle)
        for name in ("pos", "size"):
            self.fbind(name, self._place)
        theme.follow(self)
        self.restyle()

    @property
    def icon_px(self) -> float:
        """How large the icon is drawn: it grows half as much as text does."""
        return float(dp(self.size_dp)) * (1 + (theme.text_scale - 1) / 2)

    def restyle(self, *_: object) -> None:
        """Take colour and size from the theme."""
        self._take_size()
        is_seen = bool(self.icon) and self.icon_px >= 1
        self._ink.rgba = theme.colour(self.tone) if is_seen else (0, 0, 0, 0)
        self._drawn.texture = _drawn_icon(self.icon, self.icon_px).texture if is_seen else None
        self._place()

    def _take_size(self) -> None:
        self.size = self.icon_px, self.icon_px

    def _place(self, *_: object) -> None:
        texture = self._drawn.texture
        width, height = texture.size if texture is not None else (0, 0)
        self._drawn.size = width, height
        self._drawn.pos = int(self.x + (self.width - width) / 2), int(self.y + (self.height - height) / 2)


class IconTile(Icon):
    """An icon on a softly coloured square with round corners."""

    tone = StringProperty("accent")
    ground = StringProperty("accentsoft")
    tile_dp = NumericProperty(44)
    size_dp = NumericProperty(22)
    radius_dp = NumericProperty(14)

    def __init__(self, **given: object) -> None:
        self._colour, self._tile = Color(), SmoothRoundedRectangle()
        super().__init__(**given)
        self.canvas.before.add(self._colour)
        self.canvas.before.add(self._tile)
        for name in ("ground", "tile_dp", "radius_dp"):
            self.fbind(name, self.restyle)

    def restyle(self, *_: object) -> None:
        super().restyle()
        self._colour.rgba = theme.colour(self.ground)
        self._tile.radius = [dp(self.radius_dp)]

    def _take_size(self) -> None:
        self.size = dp(self.tile_dp), dp(self.tile_dp)

    def _place(self, *_: object) -> None:
        super()._place()
        self._tile.pos, self._tile.size = self.pos, self.size


class Column(Marked, BoxLayout):
    """Things below each other; as high as they are together."""


class Across(Marked, BoxLayout):
    """Things beside each other; as high as the highest."""

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.fbind("minimum_height", self._fit)

    def add_widget(self, widget: Widget, *args: object, **kwargs: object) -> None:
        super().add_widget(widget, *args, **kwargs)
        widget.fbind("height", self._fit)
        self._fit()

    def remove_widget(self, widget: Widget, *args: object, **kwargs: object) -> None:
        widget.funbind("height", self._fit)
        super().remove_widget(widget, *args, **kwargs)
        self._fit()

    def _fit(self, *_: object) -> None:
        heights = [child.height for child in self.children if child.size_hint_y is None]
        self.height = max(heights, default=0) + self.padding[1] + self.padding[3]


class Gap(Widget):
    """Empty space of a fixed size in both directions."""

    size_dp = NumericProperty(16)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.fbind("size_dp", self._take_size)
        self._take_size()

    def _take_size(self, *_: object) -> None:
        self.size = dp(self.size_dp), dp(self.size_dp)


class Spring(Widget):
    """Empty space that takes what is left."""


class Divider(Widget):
    """A line of one pixel."""


class Scroll(Marked, ScrollView):
    """A vertical scroller for one column."""

    bar_rgba = ListProperty([0, 0, 0, 0])


Builder.load_file(str(Path(__file__).parents[1] / "theme.kv"))
