"""The usual page: owns a bar above, a column that scrolls, and how a model's states are shown in it."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.core.shown import Model
from mobile.ui.kit import Column, ErrorState, PullToRefresh, Scroll, Skeleton, TopBar
from mobile.ui.screen import AppScreen

# What was seen a moment ago needs no word about its age.
AGE_SHOWN_S = 60.0


class Page(AppScreen):
    """A subclass says `title` and `parts`; with a `model` the page can be pulled down to ask the server again."""

    # Whether it is one of the bar's own places: a large title, and no way back.
    is_tab = False

    @property
    def title(self) -> str:
        """What stands above."""
        return ""

    @property
    def model(self) -> Model | None:
        """What the page shows; it is asked anew when the page comes to the front."""
        return None

    def parts(self) -> Sequence[Widget]:
        """What stands below each other."""
        raise NotImplementedError

    def actions(self) -> Sequence[Widget]:
        """Buttons at the right of the title."""
        return ()

    def footer(self) -> Widget | None:
        """What stays below the column that scrolls."""
        return None

    def on_shown(self) -> None:
        if self.model is not None:
            self.run(self.model.refresh_if_old())

    def build(self) -> Widget:
        page = BoxLayout(orientation="vertical")
        bar = self.head()
        for action in self.actions():
            bar.add_widget(action)
        page.add_widget(bar)
        column = Column(padding=(dp(20), dp(4), dp(20), dp(32)), spacing=dp(12))
        for part in self.parts():
            column.add_widget(part)
        scroll = Scroll()
        scroll.add_widget(column)
        page.add_widget(self._pullable(scroll))
        footer = self.footer()
        if footer is not None:
            page.add_widget(footer)
        return page

    def head(self) -> TopBar:
        """The bar above."""
        bar = TopBar(title=self.title, has_back=not self.is_tab, large=self.is_tab, back_label=self.words("Back"))
        bar.bind(on_back=lambda _bar: self.back())
        return bar

    def _pullable(self, scroll: Scroll) -> Widget:
        if self.model is None:
            return scroll
        pull = PullToRefresh(scroll)
        pull.bind(on_refresh=lambda _pull: self.run(self._pulled(pull)))
        return pull

    async def _pulled(self, pull: PullToRefresh) -> None:
        assert self.model is not None
        try:
            await self.model.refresh()
        finally:
            pull.busy = False

    def waiting_for(self, model: Model, *, kind: str = "row", rows: int = 4) -> Sequence[Widget]:
        """What stands in place of a value that is not there: a skeleton, or why there is none."""
        problem = model.shown.problem
        if model.shown.phase != "error" or problem is None:
            return [Skeleton(kind=kind, rows=rows, test_id="loading")]
        state = ErrorState(title=problem.sentence(self.words), text=problem.advice(self.words), test_id="failed")
        state.action_text = self.words("Try again")
        state.bind(on_action=lambda _state: self.run(model.refresh()))
        return [state]

    def age_of(self, model: Model) -> str:
        """How old what is shown is, where it is not fresh; else ""."""
        shown = model.shown
        if shown.phase != "stale" or shown.seen_at is None:
            return ""
        age_s = self.client.clock.age_s(shown.seen_at)
        return self.words.age(age_s) if age_s >= AGE_SHOWN_S else ""
