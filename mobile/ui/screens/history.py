"""The ledger of one's points: owns the long list by month, and its filters."""

from __future__ import annotations

from typing import Any

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.core.api.points import EarningRecord, EntryRecord
from mobile.core.models.history import Acts
from mobile.core.models.history import History as HistoryModel
from mobile.core.paged import PagedModel
from mobile.core.words import N_, Words
from mobile.ui.kit import Chips, EmptyState, LazyList, TopBar
from mobile.ui.screens.page import Page
from mobile.ui.screens.trip_parts import icon_of

_FILTERS = (
    ("all", N_("All")),
    ("earned", N_("Earned")),
    ("spent", N_("Spent")),
    ("held", N_("Being checked")),
    ("refused", N_("Not counted")),
)
_KIND_ICONS = {"redeem": "ticket", "expire": "timer", "reverse": "undo-2", "refund": "rotate-ccw"}


class History(Page):
    """Entries of the ledger; what waits and what was refused never came into it, and is listed beside."""

    def opened(self) -> None:
        self._filter = "all"
        self._entries = HistoryModel(self.client)
        self._acts: dict[str, Acts] = {}
        self._bar: TopBar | None = None
        self._lazy: LazyList | None = None
        self.watch(self._entries.changed, self._follow)

    @property
    def title(self) -> str:
        return self.words("History of my points")

    @property
    def model(self) -> PagedModel[Any]:
        if self._filter not in ("held", "refused"):
            return self._entries
        if self._filter not in self._acts:
            self._acts[self._filter] = Acts(self.client, self._filter)
            self.watch(self._acts[self._filter].changed, self._follow)
        return self._acts[self._filter]

    def closed(self) -> None:
        for one in (self._entries, *self._acts.values()):
            one.close()

    def _follow(self) -> None:
        """What came later joins the list as it stands, under the finger of who is scrolling."""
        rows = self._rows()
        if self._lazy is None or self._bar is None or not rows:
            self.redraw()
            return
        self._lazy.rows = rows
        self._bar.over = self.age_of(self.model)

    # ------------------------------------------------------------ widgets

    def build(self) -> Widget:
        page = BoxLayout(orientation="vertical")
        page.add_widget(self.head())
        options = [(key, self.words(label)) for key, label in _FILTERS]
        chips = Chips(options=options, value=self._filter, test_id="filter")
        chips.ids.holder.padding = (dp(20), 0)
        chips.bind(value=lambda _chips, value: self._choose(value))
        page.add_widget(chips)
        page.add_widget(self._list())
        return page

    def head(self) -> TopBar:
        self._bar = super().head()
        self._bar.over = self.age_of(self.model)
        return self._bar

    def _choose(self, value: str) -> None:
        self._filter = value
        self.redraw()
        self.run(self.model.refresh_if_old())

    def _list(self) -> Widget:
        rows, model = self._rows(), self.model
        self._lazy = None
        if rows:
            lazy = self._lazy = LazyList(rows=rows, test_id="history")
            lazy.bind(on_pick=lambda _list, key: self._open(key), on_end=lambda _list: self.run(model.more()))
            return lazy
        holder = BoxLayout(orientation="vertical", padding=(dp(20), dp(8), dp(20), 0))
        looks_on = model.has_more and model.shown.problem is None
        if looks_on:
            self.run(model.more())
        if model.shown.value is None or looks_on:
            for part in self.waiting_for(model, rows=6):
                holder.add_widget(part)
        else:
            title = self.words("Nothing here")
            text = self.words("What you earn and spend stands here, with the formula behind it.")
            holder.add_widget(EmptyState(icon="history", title=title, text=text, test_id="empty"))
        holder.add_widget(Widget())
        return holder

    def _rows(self) -> list[dict[str, Any]]:
        words, value = self.words, self.model.shown.value or ()
        if self._filter in ("held", "refused"):
            return [act_line(words, one) for one in value]
        wanted = {"earned": lambda one: one.points > 0, "spent": lambda one: one.points < 0}.get(self._filter)
        return [entry_line(words, one) for one in value if wanted is None or wanted(one)]

    def _open(self, key: str) -> None:
        kind, _, found = key.partition("/")
        if kind == "entry":
            self.go("entry", entry_id=found, entry=self._entries.entry(found))
        else:
            self.go("act", event_id=found, act=self._acts[self._filter].act(found))


def entry_line(words: Words, one: EntryRecord) -> dict[str, Any]:
    """A row of the ledger for `LazyList`."""
    is_gain = one.points >= 0
    icon = icon_of(one.event.scene.code) if one.event is not None else _KIND_ICONS.get(one.kind.code, "coins")
    return {
        "key": f"entry/{one.entry_id}",
        "icon": icon,
        "title": words.said(one.event.scene) if one.event is not None else words.said(one.kind),
        "subtitle": words.when(one.at),
        "value": f"{'+' if is_gain else ''}{words.number(one.points)}",
        "value_tone": "admit" if is_gain else "ink",
        "chevron": True,
        "pressable": True,
    }


def act_line(words: Words, one: EarningRecord) -> dict[str, Any]:
    """An act that is not in the ledger, for `LazyList`."""
    is_held = one.state == "held"
    reasons = words.both("；", "; ").join(words.said(reason) for reason in one.reasons)
    return {
        "key": f"act/{one.event_id}",
        "icon": icon_of(one.scene.code),
        "title": words.said(one.scene),
        "subtitle": reasons or words.when(one.started_at),
        "value": words.number(one.points),
        "value_tone": "hold" if is_held else "refuse",
        "value_icon": "clock" if is_held else "octagon-x",
        "chevron": True,
        "pressable": True,
    }
