"""What lies over the page: owns the layer of sheets, dialogs and messages, and which of them is on top."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kivy.clock import Clock
from kivy.input import MotionEvent
from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.widget import Widget

from mobile.ui.motion import animate
from mobile.ui.widgets.base import Column, Marked

# A sheet that is drawn down by this part of its height closes.
SHEET_CLOSE_FRAC = 0.3


class Overlay(Marked, FloatLayout):
    """The app's root: the page below, layers above it."""

    @staticmethod
    def of(widget: Widget) -> Overlay:
        """The overlay that the widget stands in; a widget must be on the screen for this."""
        parent: Widget | None = widget
        while parent is not None and not isinstance(parent, Overlay):
            # Kivy's window is its own parent.
            parent = parent.parent if parent.parent is not parent else None
        if parent is None:
            raise LookupError(f"{type(widget).__name__} stands in no Overlay: open layers from widgets on the screen")
        return parent

    def add_page(self, page: Widget) -> None:
        """Put the page below every layer."""
        self.add_widget(page, index=len(self.children))

    @property
    def layers(self) -> list[Layer]:
        """What lies over the page, topmost first."""
        return [child for child in self.children if isinstance(child, Layer) and not child.leaving]

    def back(self) -> bool:
        """The back key: close the topmost layer, and say whether there was one."""
        for layer in self.layers:
            if layer.closable:
                layer.close()
            return True
        return False


class Layer(Marked, FloatLayout):
    """Something over the page that takes every touch until it is closed."""

    closable = BooleanProperty(True)
    scrim_alpha = NumericProperty(0)
    leaving = BooleanProperty(False)
    __events__ = ("on_closed",)

    def open(self, widget: Widget) -> None:
        """Show it over the page that `widget` belongs to."""
        Overlay.of(widget).add_widget(self)
        self.enter()

    def enter(self) -> None:
        """How it comes."""
        self.scrim_alpha = 0
        animate(self, scrim_alpha=1)

    def close(self) -> None:
        """How it goes; `on_closed` when it is gone."""
        if not self.leaving:
            self.leaving = True
            animate(self, scrim_alpha=0, then=self._gone)

    def _gone(self) -> None:
        if self.parent:
            self.parent.remove_widget(self)
        self.leaving = False
        self.dispatch("on_closed")

    def on_closed(self) -> None:
        """It is no longer on the screen."""

    def on_touch_down(self, touch: MotionEvent) -> bool:
        if not super().on_touch_down(touch) and self.closable and self.is_outside(touch):
            self.close()
        return True

    def on_touch_move(self, touch: MotionEvent) -> bool:
        super().on_touch_move(touch)
        return True

    def on_touch_up(self, touch: MotionEvent) -> bool:
        super().on_touch_up(touch)
        return True

    def is_outside(self, touch: MotionEvent) -> bool:
        """Whether the touch is on the scrim."""
        return True


class Sheet(Layer):
    """A sheet that comes from below; drag it down, tap beside it or go back to close it.

    With a `close_label`, the cross beside its title says in words what it does and closes it too.
    """

    title = StringProperty("")
    close_label = StringProperty("")
    shift = NumericProperty(0)

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.body: Column = self.ids.body
        self._drag_from: float | None = None

    def enter(self) -> None:
        super().enter()
        self.shift = 1
        animate(self, shift=0)

    def close(self) -> None:
        """Slide down and go."""
        if not self.leaving:
            animate(self, shift=1)
            super().close()

    def is_outside(self, touch: MotionEvent) -> bool:
        return not self.ids.panel.collide_point(*touch.pos)

    def on_touch_down(self, touch: MotionEvent) -> bool:
        shut = self.ids.shut
        on_shut = not shut.disabled and shut.collide_point(*touch.pos)
        if self.closable and not on_shut and self.ids.grip.collide_point(*touch.pos):
            self._drag_from = touch.y
            touch.grab(self)
            return True
        return super().on_touch_down(touch)

    def on_touch_move(self, touch: MotionEvent) -> bool:
        if touch.grab_current is self and self._drag_from is not None:
            self.shift = max(0.0, (self._drag_from - touch.y) / max(1.0, self.ids.panel.height))
        return super().on_touch_move(touch)

    def on_touch_up(self, touch: MotionEvent) -> bool:
        if touch.grab_current is self and self._drag_from is not None:
            self._drag_from = None
            touch.ungrab(self)
            if self.shift > SHEET_CLOSE_FRAC:
                self.close()
            else:
                animate(self, shift=0)
        return super().on_touch_up(touch)

    @staticmethod
    def height_max_px(height: float) -> float:
        """A sheet leaves a part of the page to see: an eighth, and at least 48 dp."""
        return height - max(dp(48), height / 8)


class Dialog(Layer):
    """A question with one or two answers in the middle of the screen."""

    title = StringProperty("")
    text = StringProperty("")
    confirm_text = StringProperty("")
    cancel_text = StringProperty("")
    kind = StringProperty("accent")
    icon = StringProperty("")
    __events__ = ("on_confirm", "on_cancel")

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self.body: Column = self.ids.body
        self._answered = False

    def answer(self, event: str) -> None:
        """One of the buttons was pressed."""
        self._answered = True
        self.close()
        self.dispatch(event)

    def close(self) -> None:
        """Go; without an answer this counts as cancelling."""
        if not self.leaving and not self._answered:
            self._answered = True
            self.dispatch("on_cancel")
        super().close()

    def is_outside(self, touch: MotionEvent) -> bool:
        return not self.ids.panel.collide_point(*touch.pos)

    def on_confirm(self) -> None:
        """The answer is yes."""

    def on_cancel(self) -> None:
        """The answer is no, or there was none."""


class Toast(Marked, AnchorLayout):
    """One sentence at the bottom that goes by itself; errors stay until they are pressed away."""

    text = StringProperty("")
    icon = StringProperty("")
    action_text = StringProperty("")
    lift_dp = NumericProperty(96)
    __events__ = ("on_action",)

    @classmethod
    def show(
        cls,
        widget: Widget,
        text: str,
        *,
        icon: str = "",
        action_text: str = "",
        on_action: Callable[[], None] | None = None,
        seconds: float = 4.0,
        test_id: str = "toast",
    ) -> Toast:
        """Show it over the page that `widget` belongs to, in place of the one before; `seconds` 0 keeps it."""
        overlay = Overlay.of(widget)
        for old in [child for child in overlay.children if isinstance(child, Toast)]:
            overlay.remove_widget(old)
        toast = cls(text=text, icon=icon, action_text=action_text, test_id=test_id)
        if on_action:
            toast.bind(on_action=lambda *_: on_action())
        overlay.add_widget(toast)
        toast.opacity = 0
        animate(toast, opacity=1)
        if seconds:
            Clock.schedule_once(lambda _: toast.close(), seconds)
        return toast

    def close(self) -> None:
        """Take it away."""
        animate(self, opacity=0, then=lambda: self.parent and self.parent.remove_widget(self))

    def act(self) -> None:
        """Its words at the right were pressed."""
        self.dispatch("on_action")
        self.close()

    def on_action(self) -> None:
        """The action of the message."""

    def on_touch_down(self, touch: MotionEvent) -> bool:
        if not self.ids.panel.collide_point(*touch.pos):
            return False
        if not super().on_touch_down(touch):
            self.close()
        return True


class ToastPanel(BoxLayout):
    """The dark pill of a message."""


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
