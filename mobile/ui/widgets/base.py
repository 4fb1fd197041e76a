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

from mobile.ui.theme import FACE_LINE, STYLES
from mobile.ui.widgets.wrap import wrap

HINTING = "light"


class Marked:
    """Has a name by which tests find it."""

    test_id = StringProperty("")


@lru_cache(maxsize=8192)
def _advance_px(face: str, size_px: float, char: str) -> int:
    return int(TextRenderer(font_name=face, font_size=size_px, font_hinting=HINTING).get_extents(char)[0])


def text_width_px(text: str, face: str, size_px: float) -> int:
    """Width of a line of text, kerning left out: at most a few pixels too wide, never too narrow."""
    return sum(_advance_px(face, size_px, char) for char in text)


class Text(Marked, Label):
    """Text in one of the theme's styles; it wraps by the rules of Chinese and takes the height it needs.

    `lines`: 0 wraps freely, n cuts after n lines with an ellipsis. `fit`: as wide as the text instead of as its place.
    """

    style = OptionProperty("body", options=list(STYLES))
    tone = StringProperty("ink")
    lines = NumericProperty(0)
    fit = BooleanProperty(False)

    def _natural_width(self) -> float:
        lines = self.text.split("\n")
        return max(text_width_px(line, self.font_name, self.font_size) for line in lines) if self.text else 0

    natural_width = AliasProperty(_natural_width, None, bind=("text", "font_name", "font_size"), cache=True)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        for name in ("lines", "fit", "width"):
            self.fbind(name, self._trigger_texture)
        for name in ("fit", "texture_size"):
            self.fbind(name, self._take_width)
        self._take_width()

    def _take_width(self, *_: object) -> None:
        if self.fit:
            self.size_hint_x, self.width = None, self.texture_size[0]

    def line_px(self, style: str, font_size: float) -> float:
        """Distance of two lines over the height of the face."""
        chosen = STYLES[style]
        return chosen.line_sp / chosen.size_sp / FACE_LINE if font_size else 1.0

    def leading_px(self, style: str, font_size: float) -> float:
        """Half of what a line of the design is higher than the face."""
        chosen = STYLES[style]
        return max(0.0, (chosen.line_sp / chosen.size_sp - FACE_LINE) * font_size / 2)

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
