"""A finger, a keyboard and an eye on Kivy's window, for acts that run inside its process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

FRAMES_MAX = 6000
LANGUAGES: dict[str, Callable[[str, str], str]] = {"zh": lambda zh, en: zh, "en": lambda zh, en: en}


class Hand:
    """A finger and a keyboard on the window, frame by frame."""

    def __init__(self) -> None:
        from kivy.core.window import Window

        from benchmarks._finger import Finger

        self.window, self.finger = Window, Finger()

    def frames(self, count: int = 4) -> None:
        """What Kivy's loop does for a frame, all but the drawing: nothing here looks at the pixels in between."""
        from kivy.base import EventLoop
        from kivy.clock import Clock
        from kivy.lang import Builder

        for _ in range(count):
            Clock.tick()
            EventLoop.dispatch_input()
            Builder.sync()
            Clock.tick_draw()
            Builder.sync()

    def drawn(self) -> Any:
        """The window's picture."""
        from kivy.graphics.opengl import GL_RGBA, GL_UNSIGNED_BYTE, glReadPixels
        from PIL import Image

        taken: list[bytes] = []

        def read_back(*_: Any) -> None:
            taken.append(glReadPixels(0, 0, *self.window.size, GL_RGBA, GL_UNSIGNED_BYTE))

        self.window.bind(on_flip=read_back)
        self.window.dispatch("on_draw")
        self.window.dispatch("on_flip")
        self.window.unbind(on_flip=read_back)
        picture = Image.frombytes("RGBA", self.window.size, taken[0]).convert("RGB")
        return picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)

    def until(self, holds: Callable[[], Any], what: str) -> None:
        for _ in range(FRAMES_MAX):
            if holds():
                return
            self.frames(1)
        raise AssertionError(f"never came: {what}")

    def path(self, *points: tuple[float, float]) -> None:
        self.finger.put("begin", *points[0])
        for point in points[1:]:
            self.finger.put("update", *point)
        self.finger.put("end", *points[-1])
        self.until(lambda: self.finger.is_idle, "the finger came up")
        self.frames(6)

    def tap(self, widget: Any) -> None:
        self.frames(2)
        self.path(widget.to_window(*widget.center))

    def drag(self, start: tuple[float, float], end: tuple[float, float], steps: int = 12) -> None:
        parts = [n / steps for n in range(steps + 1)]
        self.path(*((start[0] + (end[0] - start[0]) * p, start[1] + (end[1] - start[1]) * p) for p in parts))

    def type(self, text: str) -> None:
        for char in text:
            self.window.dispatch("on_textinput", char)
            self.frames(1)

    def key(self, code: int, *modifiers: str) -> None:
        self.window.dispatch("on_key_down", code, 0, None, list(modifiers))
        self.frames(2)
        self.window.dispatch("on_key_up", code, 0)


class Stage:
    """A fresh overlay with a column on the window, for one act."""

    def __init__(self, hand: Hand) -> None:
        from kivy.uix.boxlayout import BoxLayout

        from mobile.ui.kit import Column, Overlay, Scroll

        self.hand, self.overlay, self.page = hand, Overlay(), BoxLayout(orientation="vertical")
        self.scroll, self.column = Scroll(), Column(padding=[20, 20], spacing=14)
        self.overlay.add_page(self.page)
        hand.window.add_widget(self.overlay)

    def show(self, *widgets: Any) -> None:
        """The widgets below each other in a scroller."""
        if self.scroll.parent is None:
            self.page.add_widget(self.scroll)
            self.scroll.add_widget(self.column)
        for widget in widgets:
            self.column.add_widget(widget)
        self.hand.frames(6)

    def show_page(self, widgets: list[Any]) -> None:
        """A page of the gallery: its column scrolls, the rest stands."""
        from mobile.ui.kit import Column, Scroll

        for widget in widgets:
            if isinstance(widget, Column):
                scroll = Scroll()
                scroll.add_widget(widget)
                self.page.add_widget(scroll)
            else:
                self.page.add_widget(widget)
        self.hand.frames(10)

    def find(self, test_id: str) -> Any:
        for widget in self.overlay.walk():
            if getattr(widget, "test_id", "") == test_id:
                return widget
        raise AssertionError(f"no {test_id} on the screen")

    def close(self) -> None:
        self.hand.window.remove_widget(self.overlay)
        self.hand.frames(2)


class Heard:
    """Counts what an event said."""

    def __init__(self, widget: Any, event: str) -> None:
        self.said: list[tuple[Any, ...]] = []
        widget.bind(**{event: self._hear})

    def _hear(self, _widget: Any, *said: Any) -> None:
        self.said.append(said)


def pressables(widget: Any) -> Iterator[Any]:
    from mobile.ui.widgets.press import Press

    if widget.opacity <= 0:
        return
    if isinstance(widget, Press) and not widget.disabled and getattr(widget, "pressable", True):
        yield widget
    for child in widget.children:
        yield from pressables(child)
