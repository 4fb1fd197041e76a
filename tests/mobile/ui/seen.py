"""What is on the screen: finds widgets by id and by text, as somebody who looks at the window would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kivy.core.window import Window
from kivy.uix.label import Label
from kivy.uix.scrollview import ScrollView
from kivy.uix.stencilview import StencilView
from kivy.uix.textinput import TextInput
from kivy.utils import escape_markup

EDGE_PX = 1.0


@dataclass(frozen=True)
class Box:
    """A place in the window, pixels; `bottom` counts upwards, as Kivy does."""

    left: float
    bottom: float
    right: float
    top: float

    def cut(self, other: Box) -> Box:
        return Box(
            max(self.left, other.left),
            max(self.bottom, other.bottom),
            min(self.right, other.right),
            min(self.top, other.top),
        )

    @property
    def is_seen(self) -> bool:
        return self.right - self.left > EDGE_PX and self.top - self.bottom > EDGE_PX

    @property
    def middle(self) -> tuple[float, float]:
        return (self.left + self.right) / 2, (self.bottom + self.top) / 2

    def from_top(self) -> dict[str, float]:
        height = Window.height
        return {
            "left": round(self.left, 1),
            "top": round(height - self.top, 1),
            "width": round(self.right - self.left, 1),
            "height": round(self.top - self.bottom, 1),
        }


@dataclass(frozen=True)
class Seen:
    """A widget, where it is, the part of it that is not cut off, and what is seen of the list around it."""

    widget: Any
    whole: Box
    box: Box
    around: Box | None

    @property
    def test_id(self) -> str:
        return getattr(self.widget, "test_id", "") or ""

    @property
    def text(self) -> str:
        return text_of(self.widget)


def window_box() -> Box:
    return Box(0, 0, Window.width, Window.height)


def everything() -> list[Seen]:
    """Every widget that can be seen, the topmost layer first."""
    return [seen for seen in in_window() if seen.box.is_seen]


def in_window() -> list[Seen]:
    """Every widget, also those that a list has scrolled out of sight."""
    found: list[Seen] = []
    for child in Window.children:
        found.extend(_below(child, window_box()))
    return found


def _below(widget: Any, clip: Box, around: Box | None = None) -> Iterator[Seen]:
    if widget.opacity <= 0:
        return
    whole = box_of(widget)
    box = whole.cut(clip)
    yield Seen(widget, whole, box, around)
    if isinstance(widget, (ScrollView, StencilView)):
        clip = box
    if isinstance(widget, ScrollView):
        around = box
    for child in widget.children:
        yield from _below(child, clip, around)


def box_of(widget: Any) -> Box:
    left, bottom = widget.to_window(*widget.pos)
    right, top = widget.to_window(widget.right, widget.top)
    return Box(left, bottom, right, top)


def text_of(widget: Any) -> str:
    """What is read on it: no markup, no icon's private character."""
    if isinstance(widget, TextInput):
        return "•" * len(widget.text) if widget.password else str(widget.text)
    if not isinstance(widget, Label):
        return ""
    text = _without_markup(widget.text) if widget.markup else widget.text
    return "".join(char for char in text if not "\ue000" <= char <= "\uf8ff").strip()


def _without_markup(text: str) -> str:
    out, inside = [], False
    for char in text:
        if char == "[":
            inside = True
        elif char == "]" and inside:
            inside = False
        elif not inside:
            out.append(char)
    plain = "".join(out)
    for char in "&[]":
        plain = plain.replace(escape_markup(char), char)
    return plain


def texts() -> list[str]:
    """Every text in the window, top to bottom, then left to right."""
    found = [(round(-seen.box.top), seen.box.left, seen.text) for seen in everything() if seen.text]
    return [text for *_, text in sorted(found)]


def find(test_id: str | None, text: str | None, *, among: list[Seen] | None = None) -> Seen | None:
    """The first widget, topmost first, with this id, or whose text has `text` in it; of those that can be seen."""
    for seen in everything() if among is None else among:
        if test_id is not None and seen.test_id == test_id:
            return seen
        if text is not None and text in seen.text:
            return seen
    return None


def largest_list() -> Box:
    """What is seen of the largest list; the whole window without one."""
    boxes = [seen.box for seen in everything() if isinstance(seen.widget, ScrollView)]
    return max(boxes, key=lambda box: (box.right - box.left) * (box.top - box.bottom), default=window_box())
