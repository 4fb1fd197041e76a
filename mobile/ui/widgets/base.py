"""Text, icons and the boxes that hold things: owns how text is set and how columns take their height."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from kivy.core.text import Label as TextRenderer
from kivy.lang import Builder
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

from mobile.ui.theme import FACE_LINE, STYLES, theme
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
    scale = NumericProperty(1.0)

    def _natural_width(self) -> float:
        lines = self.text.split("\n")
        return max(text_width_px(line, self.font_name, self.font_size) for line in lines) if self.text else 0

    natural_width = AliasProperty(_natural_width, None, bind=("text", "font_name", "font_size"), cache=True)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        for name in ("lines", "fit", "width"):
            self.fbind(name, self._trigger_texture)
        for name in ("text", "width", "style", "shrink", "lines", "scale"):
            self.fbind(name, self._take_squeeze)
        self._take_squeeze()
        for name in ("fit", "texture_size"):
            self.fbind(name, self._take_width)
        self._take_width()

    def _take_width(self, *_: object) -> None:
        if self.fit:
            self.size_hint_x, self.width = None, self.texture_size[0]

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

    def line_px(self, style: str, font_size: float) -> float:
        """Distance of two lines over the height of the face."""
        chosen = STYLES[style]
        return chosen.line_sp / chosen.size_sp / FACE_LINE if font_size else 1.0

    def leading_px(self, style: str, font_size: float) -> float:
        """Half of what a line of the design is higher than the face."""
        chosen = STYLES[style]
        return max(0.0, (chosen.line_sp / chosen.size_sp - FACE_LINE) * font_size / 2)

    def texture_x(self, left: float, width: float, size: list[float], halign: str) -> int:
        """Where the drawn text begins within its place."""
        free = width - size[0]
        return int(left + {"center": free / 2, "right": free}.get(halign, 0.0))

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


class Icon(Marked, Label):
    """One icon by its Lucide name."""

    icon = StringProperty("")
    tone = StringProperty("ink")
    size_dp = NumericProperty(24)


class IconTile(Marked, Widget):
    """An icon on a softly coloured square with round corners."""

    icon = StringProperty("")
    tone = StringProperty("accent")
    ground = StringProperty("accentsoft")
    tile_dp = NumericProperty(44)
    size_dp = NumericProperty(22)
    radius_dp = NumericProperty(14)


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


class Spring(Widget):
    """Empty space that takes what is left."""


class Divider(Widget):
    """A line of one pixel."""


class Scroll(Marked, ScrollView):
    """A vertical scroller for one column."""

    bar_rgba = ListProperty([0, 0, 0, 0])


Builder.load_file(str(Path(__file__).parents[1] / "theme.kv"))
