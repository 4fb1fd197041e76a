"""Pulling a page down to load it anew: owns the gesture; the page says when it is done by `busy`."""

from __future__ import annotations

from kivy.input import MotionEvent
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.scrollview import ScrollView

from mobile.ui.widgets.base import Marked
from mobile.ui.widgets.progress import WaitArc

PULL_DP = 88


class PullToRefresh(Marked, FloatLayout):
    """Holds one scroller; fires `on_refresh` when it is drawn down from its top."""

    busy = BooleanProperty(False)
    pulled_px = NumericProperty(0)
    __events__ = ("on_refresh",)

    def __init__(self, scroll: ScrollView, **given: object) -> None:
        super().__init__(**given)
        self._scroll = scroll
        self._spinner = WaitArc(active=False, opacity=0)
        self.add_widget(scroll)
        self.add_widget(self._spinner)
        self.bind(busy=self._place, pulled_px=self._place, pos=self._place, size=self._place)

    def _place(self, *_: object) -> None:
        shown = 1.0 if self.busy else min(1.0, self.pulled_px / dp(PULL_DP))
        self._spinner.active = self.busy or shown >= 1
        self._spinner.opacity = shown
        self._spinner.angle = 300 * shown
        self._spinner.center = (self.center_x, self.top - dp(8) - dp(26) * shown)

    def on_touch_down(self, touch: MotionEvent) -> bool:
        top = self._scroll.scroll_y >= 1 or self._scroll.viewport_size[1] <= self._scroll.height
        if top and not self.busy and self.collide_point(*touch.pos) and not touch.is_mouse_scrolling:
            touch.ud["pull_from"] = (self, touch.y)
        return super().on_touch_down(touch)

    def on_touch_move(self, touch: MotionEvent) -> bool:
        who, from_y = touch.ud.get("pull_from", (None, 0))
        if who is self:
            self.pulled_px = max(0.0, from_y - touch.y)
        return super().on_touch_move(touch)

    def on_touch_up(self, touch: MotionEvent) -> bool:
        who, _ = touch.ud.pop("pull_from", (None, 0))
        if who is self:
            wanted, self.pulled_px = self.pulled_px >= dp(PULL_DP), 0
            if wanted:
                self.dispatch("on_refresh")
        return super().on_touch_up(touch)

    def on_refresh(self) -> None:
        """The page is to be loaded anew."""
