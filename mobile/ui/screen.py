"""What every screen is: owns how one is built, built again, and how it reaches the app.

A screen makes its widgets in `build` and keeps what it knows in a view model. Another language, theme or text size
builds it anew: what was typed and how far it was scrolled are carried over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from kivy.base import EventLoop
from kivy.clock import Clock
from kivy.factory import Factory
from kivy.properties import ObjectProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from mobile.core.signal import Signal

if TYPE_CHECKING:
    from mobile.core.client import Client
    from mobile.core.words import Words
    from mobile.ui.app import IslandApp


class ScreenView(BoxLayout):
    """The root of a screen written in kv: `<VisitorHomeView@ScreenView>`, with its screen as `root.screen`."""

    screen = ObjectProperty()


class AppScreen(FloatLayout):
    """One screen. Subclasses give `build`, or the name of a kv class in `view`; the rest when they need it."""

    view: ClassVar[str] = ""
    # Whether the bar at the bottom is seen; None: on the tabs' own screens alone.
    has_bar: ClassVar[bool | None] = None
    # Whether the screen itself says that there is no network.
    tells_network: ClassVar[bool] = False

    def __init__(self, app: IslandApp, name: str, **given: Any) -> None:
        super().__init__()
        self.app, self.name, self.given = app, name, given
        self.is_shown = False
        self._drawn_look = -1
        self._disconnects: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        # Built just before a frame is drawn (-1), where the layout follows at once: a touch that comes between the two
        # would find every widget in the corner, and be lost.
        self._before_frame = Clock.create_trigger(self._draw_if_shown, -1)
        self._redraw = Clock.create_trigger(lambda _elapsed_s: self._before_frame())
        self.opened()

    # ------------------------------------------------------------ for subclasses

    def opened(self) -> None:
        """Once, before the first `build`: make the view model, `watch` it."""

    def build(self) -> Widget:
        """The widgets; called at the first showing, and again after every `redraw` and change of look."""
        return Factory.get(self.view)(screen=self)

    def on_shown(self) -> None:
        """The screen came to the front: the place to `run` a refresh."""

    def on_hidden(self) -> None:
        """Another screen covers this one."""

    def on_back(self) -> bool:
        """The back key, before the screen is left. True: dealt with, stay."""
        return False

    def closed(self) -> None:
        """The screen was left for good; its signals are disconnected and its tasks cancelled already."""

    # ------------------------------------------------------------ what a screen may do

    @property
    def client(self) -> Client:
        """API, store, outbox, clock, session, settings and words."""
        return self.app.client

    @property
    def words(self) -> Words:
        """`self.words("English {n}", n=3)` in the language that is chosen now."""
        return self.app.client.words

    def go(self, name: str, **given: Any) -> None:
        """Show another screen; this one stays below it. A tab's name switches tabs."""
        self.app.router.go(name, **given)

    def replace(self, name: str, **given: Any) -> None:
        """Show another screen in this one's place."""
        self.app.router.replace(name, **given)

    def back(self) -> None:
        """Leave this screen."""
        self.app.router.back()

    def say(self, sentence: str, **more: Any) -> None:
        """A short message over the screen; `more` as for `IslandApp.say`."""
        self.app.say(sentence, **more)

    def run(self, work: Coroutine[Any, Any, Any], *, outlives: bool = False) -> asyncio.Task[None]:
        """Do it in the background. A refusal or a lost network is said; the end of the screen cancels it.

        `outlives`: the end of the screen does not, for what was begun must be finished.
        """
        task = self.app.run_task(work)
        if not outlives:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return task

    def watch(self, signal: Signal, then: Callable[[], None] | None = None) -> None:
        """Call `then` (default: `redraw`) at every signal, as long as the screen lives."""
        self._disconnects.append(signal.connect(then or self.redraw))

    def redraw(self) -> None:
        """Build the widgets again in the next frame; many calls make one."""
        self._drawn_look = -1
        self._redraw()

    # ------------------------------------------------------------ for the router

    def shown(self) -> None:
        """Called by the router when the screen comes to the front."""
        self.is_shown = True
        if self._drawn_look != self.app.look:
            self._draw()
        self.on_shown()

    def hidden(self) -> None:
        """Called by the router when it goes."""
        self.is_shown = False
        self.on_hidden()

    def end(self) -> None:
        """Called by the router when it will never come back."""
        for disconnect in self._disconnects:
            disconnect()
        for task in tuple(self._tasks):
            task.cancel()
        self._redraw.cancel()
        self._before_frame.cancel()
        self.closed()

    def _draw_if_shown(self, _elapsed_s: float = 0.0) -> None:
        if any(touch.is_touch for touch in EventLoop.touches):
            # A finger is down, not only a mouse over it: what it is about to press must not be taken from under it.
            self._redraw()
        elif self.is_shown:
            self._draw()

    def _draw(self) -> None:
        kept = _kept(self)
        self.clear_widgets()
        self.add_widget(self.build())
        self._drawn_look = self.app.look
        _put_back(self, kept)


def marked(widget: Any, test_id: str) -> Any:
    """The widget itself, called `test_id` for tests; for Kivy's own widgets, which have no such property."""
    widget.test_id = test_id
    return widget


def _kept(top: Widget) -> dict[Any, Any]:
    """What was typed, where the cursor is and how far lists were scrolled, by the place in the tree."""
    kept: dict[Any, Any] = {}
    for key, widget in _keepers(top):
        if isinstance(widget, TextInput):
            kept[key] = (widget.text, widget.focus, widget.cursor)
        else:
            kept[key] = (widget.scroll_x, widget.scroll_y)
    return kept


def _put_back(top: Widget, kept: dict[Any, Any]) -> None:
    for key, widget in _keepers(top):
        if key not in kept:
            continue
        if isinstance(widget, TextInput):
            text, focus, cursor = kept[key]
            if widget.text != text:
                widget.text = text
            widget.cursor = cursor
            widget.focus = focus
        else:
            # An emptied scroll view counts from the bottom until its content is laid out.
            widget.scroll_x, widget.scroll_y = kept[key]


def _keepers(top: Widget) -> Iterator[tuple[Any, Widget]]:
    """Inputs and scroll views, each with a key that is the same after a rebuild."""
    counts: dict[str, int] = {}
    for widget in top.walk():
        if not isinstance(widget, (TextInput, ScrollView)):
            continue
        kind = "input" if isinstance(widget, TextInput) else "scroll"
        key = _name_of(widget) if kind == "input" else getattr(widget, "test_id", "")
        key = key or kind
        counts[key] = counts.get(key, 0) + 1
        yield (kind, key, counts[key]), widget


def _name_of(widget: Widget) -> str:
    """Its own name, or that of the field that it stands in: inputs of another page never get its text."""
    while not getattr(widget, "test_id", "") and isinstance(widget.parent, BoxLayout):
        widget = widget.parent
    return getattr(widget, "test_id", "")
