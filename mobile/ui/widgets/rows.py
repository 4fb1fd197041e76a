"""Rows of lists: owns how an icon, words and a value share a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kivy.clock import Clock
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.ui.theme import theme
from mobile.ui.widgets.base import Across, Column, Gap, Icon, IconTile, Text
from mobile.ui.widgets.press import Press
from mobile.ui.widgets.tag import Tag

RIGHT_PART = 0.45
_MIDDLE, _AT_RIGHT = {"center_y": 0.5}, {"right": 1}
_SHOWN = (
    *("icon", "icon_tone", "icon_ground", "title", "subtitle", "value", "value_tone", "value_icon", "tag_text"),
    *("tag_tone", "tag_icon", "chevron", "lines", "title_tone", "disabled"),
)


class Row(Press, BoxLayout):
    """An icon, a title over a subtitle, and at the right a value, a tag or an arrow.

    `fixed_px` gives a height of its own, for lists that are longer than the screen.
    """

    icon = StringProperty("")
    icon_tone = StringProperty("accent")
    icon_ground = StringProperty("accentsoft")
    title = StringProperty("")
    subtitle = StringProperty("")
    value = StringProperty("")
    value_tone = StringProperty("ink")
    value_icon = StringProperty("")
    tag_text = StringProperty("")
    tag_tone = StringProperty("plain")
    tag_icon = StringProperty("")
    chevron = BooleanProperty(False)
    pressable = BooleanProperty(False)
    lines = NumericProperty(2)
    title_tone = StringProperty("ink")
    fixed_px = NumericProperty(0)

    def __init__(self, **given: object) -> None:
        self._parts: dict[str, Any] = {}
        self._show_soon = Clock.create_trigger(self._show, -1)
        super().__init__(**{"size_hint_y": None, "padding": (dp(16), 0), **given})
        for name in _SHOWN:
            self.fbind(name, self._show_soon)
        for name in ("width", "fixed_px"):
            self.fbind(name, self._fit)
        theme.follow(self)
        self._show()

    def on_touch_down(self, touch: object) -> bool:
        return super().on_touch_down(touch) if self.pressable else False

    def press(self) -> None:
        """Do what a tap would do, if this row does anything."""
        if self.pressable:
            super().press()

    def restyle(self) -> None:
        """Large text gets a line more."""
        self._show_soon()

    def _show(self, *_: object) -> None:
        """Parts that are not needed are not made: most rows have half of them, and there are many rows."""
        self.label = self.title
        parts: list[Widget] = []
        if self.icon:
            parts.append(self._part("tile", IconTile, icon=self.icon, tone=self.icon_tone, ground=self.icon_ground))
            parts.append(self._part("tile gap", Gap, size_dp=12))
        parts.append(self._words())
        right = self._right()
        if right or self.chevron:
            parts.append(self._part("gap", Gap, size_dp=12))
        if right:
            box = self._part("right", BoxLayout, orientation="vertical", size_hint=(None, None))
            self._put(box, right)
            parts.append(box)
        if self.chevron:
            if right:
                parts.append(self._part("chevron gap", Gap, size_dp=6))
            parts.append(self._part("chevron", Icon, icon="chevron-right", tone="ink3", size_dp=20))
        self._put(self, parts)
        self._fit()

    def _words(self) -> Widget:
        lines = self.lines + (1 if self.lines > 1 and theme.is_large else 0)
        tone = "ink3" if self.disabled else self.title_tone
        words = [self._part("title", Text, text=self.title, style="strong", tone=tone, lines=lines)]
        if self.subtitle:
            words.append(self._part("subtitle", Text, text=self.subtitle, style="small", tone="ink3", lines=lines))
        if theme.is_large:
            words += self._tag({"x": 0})
        column = self._part("words", Column)
        self._put(column, words)
        return column

    def _right(self) -> list[Widget]:
        right: list[Widget] = []
        if self.value:
            value = {"text": self.value, "style": "strong", "tone": self.value_tone, "lines": 2, "halign": "right"}
            right.append(self._part("value", Text, size_hint_x=None, pos_hint=_AT_RIGHT, **value))
        if self.value_icon:
            icon = {"icon": self.value_icon, "tone": self.value_tone, "size_dp": 14}
            right.append(self._part("value icon", Icon, pos_hint=_AT_RIGHT, **icon))
        return right if theme.is_large else right + self._tag(_AT_RIGHT)

    def _tag(self, pos_hint: dict[str, float]) -> list[Widget]:
        """The tag at the right; under the words where text is large, for beside them both would be torn."""
        if not self.tag_text:
            return []
        tag = {"text": self.tag_text, "tone": self.tag_tone, "icon": self.tag_icon}
        return [self._part("tag", Tag, pos_hint=pos_hint, **tag)]

    def _part(self, name: str, kind: type[Widget], **values: object) -> Any:
        """The part of this name with these values, made when it is first needed."""
        found = self._parts.get(name)
        if found is None:
            found = self._parts[name] = kind(**{"pos_hint": _MIDDLE, **values})
            for size in ("size", "natural_width") if isinstance(found, Text) else ("size",):
                found.fbind(size, self._fit)
            return found
        for key, value in values.items():
            setattr(found, key, value)
        return found

    def _put(self, box: Widget, parts: list[Widget]) -> None:
        if box.children[::-1] != parts:
            box.clear_widgets()
            for part in parts:
                if part.parent is not None:
                    part.parent.remove_widget(part)
                box.add_widget(part)

    def _fit(self, *_: object) -> None:
        """Height by what is highest; the right side takes what it needs, at most a part of the row."""
        parts, room = self._parts, self.width * RIGHT_PART
        shown = [] if "right" not in parts else list(parts["right"].children)
        for one in shown:
            if isinstance(one, Text):
                one.width = min(one.natural_width, room)
            elif isinstance(one, Tag):
                one.room = room
        if theme.is_large and "tag" in parts:
            parts["tag"].room = parts["words"].width
        if shown:
            parts["right"].size = max(one.width for one in shown), sum(one.height for one in shown)
        highest = max(parts["words"].height, parts["right"].height if shown and parts["right"].parent else 0)
        self.height = self.fixed_px or max(dp(64), highest + dp(24))


class Pair(Across):
    """A label at the left and its value at the right."""

    label = StringProperty("")
    value = StringProperty("")
    tone = StringProperty("ink")
    strong = BooleanProperty(False)


class Section(Across):
    """The heading over a card, with something quiet or something to press at its right."""

    title = StringProperty("")
    note = StringProperty("")
    icon = StringProperty("")
    note_tone = StringProperty("stale")
    action_text = StringProperty("")
    __events__ = ("on_action",)

    def on_action(self) -> None:
        """The words at the right were pressed."""


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
