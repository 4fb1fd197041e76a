"""A finger on the window: a source of touches beside the mouse, which Kivy's loop reads as any other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from kivy.base import EventLoop
from kivy.input.motionevent import MotionEvent


class _Touch(MotionEvent):
    """From going down to coming up; places are parts of the window's size."""

    def __init__(self, number: int, at: dict[str, float]) -> None:
        super().__init__("finger", number, at, is_touch=True, type_id="touch")
        self.profile = ["pos"]

    def depack(self, args: dict[str, float]) -> None:
        self.sx, self.sy = args["x"], args["y"]
        super().depack(args)


class Finger:
    """Goes down at a point in pixels, moves, comes up. Kivy takes one event a frame, as from a screen."""

    def __init__(self) -> None:
        self._events: deque[tuple[str, float, float]] = deque()
        self._touch: _Touch | None = None
        self._number = 0
        EventLoop.add_input_provider(self)

    @property
    def is_idle(self) -> bool:
        return not self._events and self._touch is None

    def put(self, kind: str, x: float, y: float) -> None:
        """`begin`, `update` or `end`; in one of the next frames."""
        self._events.append((kind, x, y))

    def start(self) -> None:
        """Called by Kivy."""

    def stop(self) -> None:
        """Called by Kivy."""

    def update(self, dispatch_fn: Callable[[str, MotionEvent], None]) -> None:
        """Called by Kivy in each frame."""
        if not self._events:
            return
        kind, x, y = self._events.popleft()
        window = EventLoop.window
        at = {"x": x / (window.width - 1.0), "y": y / (window.height - 1.0)}
        if kind == "begin":
            self._number += 1
            self._touch = _Touch(self._number, at)
        assert self._touch is not None
        if kind == "update":
            self._touch.move(at)
        touch = self._touch
        if kind == "end":
            touch.update_time_end()
            self._touch = None
        dispatch_fn(kind, touch)
