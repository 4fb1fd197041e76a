"""Movement: owns how long things move and that nothing moves for those who asked for stillness."""

from __future__ import annotations

from collections.abc import Callable

from kivy.animation import Animation
from kivy.uix.widget import Widget

from mobile.ui.theme import theme

COLOUR_S = 0.12
ENTER_S = 0.18


def animate(
    widget: Widget, *, duration_s: float = ENTER_S, then: Callable[[], None] | None = None, **to: float
) -> None:
    """Move the widget's properties there with an ease-out, then call `then`; at once under reduced motion."""
    Animation.cancel_all(widget, *to)
    if theme.reduced_motion or duration_s <= 0:
        for name, value in to.items():
            setattr(widget, name, value)
        if then:
            then()
        return
    movement = Animation(duration=duration_s, t="out_cubic", **to)
    if then:
        movement.bind(on_complete=lambda *_: then())
    movement.start(widget)
