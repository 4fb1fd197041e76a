"""Long lists: owns that only the rows on the screen exist, and that more are asked for near the end."""

from __future__ import annotations

from pathlib import Path

from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import ListProperty, NumericProperty, StringProperty
from kivy.uix.recycleview import RecycleView
from kivy.uix.recycleview.views import RecycleDataViewBehavior

from mobile.ui.theme import theme
from mobile.ui.widgets.base import Marked
from mobile.ui.widgets.rows import Row

# What a row shows when its data does not say: a reused row must not keep what the one before it had.
_BLANK: dict[str, object] = {
    "icon": "", "icon_tone": "accent", "icon_ground": "accentsoft", "title": "", "subtitle": "", "value": "",
    "value_tone": "ink", "value_icon": "", "tag_text": "", "tag_tone": "plain", "tag_icon": "", "chevron": False,
    "pressable": True, "title_tone": "ink", "key": "", "test_id": "", "label": "",
}  # fmt: skip


class LazyRow(RecycleDataViewBehavior, Row):
    """A row that is used again for other data."""

    key = StringProperty("")
    place = StringProperty("middle")

    def refresh_view_attrs(self, rv: LazyList, index: int, data: dict[str, object]) -> None:
        """Take the data of another row."""
        last = len(rv.data) - 1
        self.place = "only" if not last else "first" if not index else "last" if index == last else "middle"
        super().refresh_view_attrs(rv, index, {**_BLANK, "fixed_px": rv.row_px, **data})

    def on_release(self) -> None:
        """Tell the list which row it was."""
        owner = self.parent
        while owner is not None and not isinstance(owner, LazyList):
            owner = owner.parent
        if owner is not None:
            owner.dispatch("on_pick", self.key)


class LazyList(Marked, RecycleView):
    """Rows from `rows`, dicts of `Row`'s properties with a `key`; all have one height, each shows two lines at most."""

    rows = ListProperty([])
    row_height_dp = NumericProperty(76)
    row_px = NumericProperty(dp(76))
    end_screens = NumericProperty(1.5)
    __events__ = ("on_pick", "on_end")

    def __init__(self, **given: object) -> None:
        super().__init__(**given)
        self._asked_at = -1
        self.bind(rows=self._show, scroll_y=self._look_for_end, row_height_dp=self._measure)
        theme.bind(text_scale=self._measure)
        self._measure()
        self._show()

    def _measure(self, *_: object) -> None:
        self.row_px = dp(self.row_height_dp) * theme.text_scale

    def _show(self, *_: object) -> None:
        passed_px = (1 - self.scroll_y) * self._hidden_px(len(self.data))
        self.data = self.rows
        if len(self.rows) < self._asked_at:
            self._asked_at = -1
        hidden_px = self._hidden_px(len(self.rows))
        if passed_px > 0 and hidden_px:
            # A scroller keeps its part of the way; whoever reads keeps the row.
            self.scroll_y = max(0.0, 1 - passed_px / hidden_px)

    def _hidden_px(self, count: int) -> float:
        """How far so many rows can be scrolled."""
        return max(0.0, count * self.row_px - self.height)

    def _look_for_end(self, *_: object) -> None:
        left_px = self.scroll_y * self._hidden_px(len(self.rows))
        if left_px < self.end_screens * self.height and self._asked_at != len(self.rows):
            self._asked_at = len(self.rows)
            self.dispatch("on_end")

    def on_pick(self, key: str) -> None:
        """A row was pressed."""

    def on_end(self) -> None:
        """The end is near: once for each length of the list."""


Builder.load_file(str(Path(__file__).with_suffix(".kv")))
