"""Which screen is in front: owns the stacks of screens, one a tab, and how one follows another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kivy.animation import Animation
from kivy.metrics import dp
from kivy.uix.relativelayout import RelativeLayout

from mobile.ui.screen import AppScreen

ENTER_S = 0.18
ENTER_DP = 24
OUTSIDE = ""


class Router(RelativeLayout):
    """Shows the top of one stack. `make(name, given)` makes a screen; `on_front()` is called when another one shows."""

    def __init__(
        self,
        make: Callable[[str, dict[str, Any]], AppScreen],
        *,
        tabs: Sequence[str],
        on_front: Callable[[], None],
        is_animated: bool,
    ) -> None:
        super().__init__()
        self._make, self._tabs, self._on_front, self.is_animated = make, tuple(tabs), on_front, is_animated
        self._stacks: dict[str, list[AppScreen]] = {}
        self.tab = OUTSIDE
        self._tab_before = self._tabs[0]
        self.front: AppScreen | None = None
        self._moving: Animation | None = None

    @property
    def is_moving(self) -> bool:
        """Whether one screen is just taking another's place."""
        return self._moving is not None

    @property
    def bar_is_seen(self) -> bool:
        """Whether the bar at the bottom belongs to what is in front."""
        if self.front is None or self.tab == OUTSIDE:
            return False
        if self.front.has_bar is not None:
            return self.front.has_bar
        return len(self._stacks[self.tab]) == 1

    def reset(self, name: str, **given: Any) -> None:
        """End every screen and begin anew with this one: a tab, or a screen outside of the tabs (sign-in)."""
        ended = [screen for stack in self._stacks.values() for screen in stack]
        self._stacks = {}
        self.tab, self._tab_before = name if name in self._tabs else OUTSIDE, self._tabs[0]
        self._stacks[self.tab] = [self._make(name, given)]
        self._to_front(0)
        for screen in ended:
            screen.end()

    def go(self, name: str, **given: Any) -> None:
        """A tab: switch to it, or back to its first screen where one is in it. Any other screen comes on top."""
        if name in self._tabs and self.tab != OUTSIDE:
            self._go_to_tab(name, given)
            return
        self._stacks[self.tab].append(self._make(name, given))
        self._to_front(1)

    def replace(self, name: str, **given: Any) -> None:
        """This screen in the place of the one in front."""
        stack = self._stacks[self.tab]
        old = stack.pop()
        stack.append(self._make(name, given))
        self._to_front(1)
        old.end()

    def back(self) -> bool:
        """Leave the screen in front; on a tab's first screen go to the first tab. False: there is nowhere to go."""
        if self.front is None:
            return False
        if self.front.on_back():
            return True
        stack = self._stacks[self.tab]
        if len(stack) > 1:
            left = stack.pop()
            self._to_front(-1)
            left.end()
            return True
        if self.tab != OUTSIDE and self.tab != self._tabs[0]:
            # A place without the bar was opened over another one, and closes to it.
            self._go_to_tab(self._tabs[0] if self.bar_is_seen else self._tab_before, {})
            return True
        return False

    def redraw(self) -> None:
        """The look changed: the screen in front now, the others when they come to the front."""
        if self.front is not None:
            self.front.redraw()

    def pause(self) -> None:
        """The app goes to the background, and the screen in front with it."""
        if self.front is not None and self.front.is_shown:
            self.front.hidden()

    def resume(self) -> None:
        """The app is back."""
        if self.front is not None and not self.front.is_shown:
            self.front.shown()

    def close(self) -> None:
        """End every screen; the app is going."""
        for stack in self._stacks.values():
            for screen in stack:
                screen.end()

    def on_touch_down(self, touch: Any) -> bool:
        """Nothing is touched while screens change places: it would hit what is about to go."""
        return True if self.is_moving else bool(super().on_touch_down(touch))

    def _go_to_tab(self, name: str, given: dict[str, Any]) -> None:
        ended: list[AppScreen] = []
        if name == self.tab or given:
            ended = self._stacks.get(name, [])[0 if given else 1 :]
            self._stacks[name] = self._stacks.get(name, [])[: 0 if given else 1]
        if not self._stacks.get(name):
            self._stacks[name] = [self._make(name, given)]
        if self.bar_is_seen:
            self._tab_before = self.tab
        self.tab = name
        self._to_front(0)
        for screen in ended:
            screen.end()

    def _to_front(self, direction: int) -> None:
        """Show the top of the present stack; `direction`: 1 deeper, -1 back, 0 beside."""
        new, old = self._stacks[self.tab][-1], self.front
        if new is old:
            return
        self._settle()
        if old is not None and old.is_shown:
            old.hidden()
        self.front = new
        self.clear_widgets()
        self.add_widget(new)
        new.shown()
        self._on_front()
        if self.is_animated and old is not None:
            self._move_in(new, direction)

    def _move_in(self, screen: AppScreen, direction: int) -> None:
        screen.opacity, screen.x = 0.0, direction * dp(ENTER_DP)
        self._moving = Animation(opacity=1.0, x=0.0, duration=ENTER_S, transition="out_cubic")
        self._moving.bind(on_complete=lambda *_: self._settle())
        self._moving.start(screen)

    def _settle(self) -> None:
        moving, self._moving = self._moving, None
        if moving is not None and self.front is not None:
            moving.cancel(self.front)
            self.front.opacity, self.front.x = 1.0, 0.0
