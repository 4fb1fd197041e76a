"""Working the app by keyboard: owns the walk with Tab, and that Enter and Space press what has the focus."""

from __future__ import annotations

from collections.abc import Iterator

from kivy.core.window import WindowBase
from kivy.uix.scrollview import ScrollView
from kivy.uix.widget import Widget

from mobile.ui.widgets.choice import ToggleRow
from mobile.ui.widgets.field import Field
from mobile.ui.widgets.overlay import Overlay
from mobile.ui.widgets.press import Press

_TAB, _ENTER, _KEYPAD_ENTER, _SPACE = 9, 13, 271, 32


class KeyFocus:
    """Moves a ring from one thing that can be pressed to the next, in the order of reading."""

    def __init__(self, overlay: Overlay, window: WindowBase) -> None:
        self._overlay, self._window = overlay, window
        self._current: Widget | None = None
        window.bind(on_key_down=self._key, on_touch_down=self._touched)

    def close(self) -> None:
        """Stop listening."""
        self._window.unbind(on_key_down=self._key, on_touch_down=self._touched)

    @property
    def current(self) -> Widget | None:
        """What has the focus and is still on the screen."""
        return self._current if self._current is not None and self._current in self._stops() else None

    def move(self, steps: int) -> None:
        """Go to the next stop, or back with a negative number; around at the ends."""
        stops = self._stops()
        if not stops:
            return
        at = stops.index(self._current) + steps if self._current in stops else 0 if steps > 0 else -1
        self._set(stops[at % len(stops)])

    def _set(self, widget: Widget | None) -> None:
        old, self._current = self._current, widget
        if old is not None and old is not widget:
            old.key_focused = False
            if isinstance(old, Field):
                old.focus = False
        if widget is None:
            return
        widget.key_focused = True
        if isinstance(widget, Field):
            widget.focus = True
        for parent in _parents(widget):
            if isinstance(parent, ScrollView):
                parent.scroll_to(widget, padding=24, animate=False)

    def _key(self, _window: object, key: int, _scan: int, _char: str | None, modifiers: list[str]) -> bool:
        if key == _TAB:
            self.move(-1 if "shift" in modifiers else 1)
            return True
        current = self.current
        if key in (_ENTER, _KEYPAD_ENTER, _SPACE) and isinstance(current, Press):
            current.press()
            return True
        return False

    def _touched(self, *_: object) -> bool:
        if self._current is not None and not isinstance(self._current, Field):
            self._set(None)
        return False

    def _stops(self) -> list[Widget]:
        layers = self._overlay.layers
        return list(_stops_in(layers[0] if layers else self._overlay))


def _stops_in(widget: Widget) -> Iterator[Widget]:
    if widget.opacity <= 0 or widget.disabled:
        return
    if isinstance(widget, Field) or (isinstance(widget, Press) and getattr(widget, "pressable", True)):
        yield widget
        # The switch of a row does what its row does, and the cross of a field is gone once the field is left.
        if isinstance(widget, ToggleRow) or (isinstance(widget, Field) and not widget.password):
            return
    for child in reversed(widget.children):
        yield from _stops_in(child)


def _parents(widget: Widget) -> Iterator[Widget]:
    parent = widget.parent
    while parent is not None and parent.parent is not parent:
        yield parent
        parent = parent.parent
