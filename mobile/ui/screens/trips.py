"""A person's ways: owns the page with what runs, what waits for the network, and what was ridden."""

from __future__ import annotations

from datetime import date
from itertools import groupby

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.core.api.points import TripRecord
from mobile.core.models.scan import Outcome, Scans
from mobile.core.models.scan_words import outcome
from mobile.core.models.trips import Trips as TripsModel
from mobile.ui.kit import (
    Card,
    CardList,
    Column,
    EmptyState,
    ErrorState,
    FilledButton,
    Note,
    PullToRefresh,
    QuietButton,
    Row,
    Scroll,
    Section,
    Skeleton,
    Text,
    TopBar,
)
from mobile.ui.screen import AppScreen
from mobile.ui.screens.trip_parts import icon_of, place, trip_row

SHOWN_AT_ONCE = 20


class Trips(AppScreen):
    """The tab of trips."""

    def opened(self) -> None:
        self.model, self.scans = TripsModel(self.client), Scans(self.client)
        self._shown_count = SHOWN_AT_ONCE
        self._drawn: tuple[object, ...] = ()
        self.watch(self.model.changed, self._redraw_if_changed)
        self.watch(self.scans.changed, self._outbox_changed)

    def on_shown(self) -> None:
        self.run(self.model.refresh())

    def closed(self) -> None:
        self.model.close()
        self.scans.close()

    def _outbox_changed(self) -> None:
        self._redraw_if_changed()
        if self.is_shown and not self.scans.waiting():
            self.run(self.model.refresh())

    # ------------------------------------------------------------ widgets

    def _facts(self) -> tuple[object, ...]:
        """What the widgets are built from; asking again mostly changes none of it."""
        shown = self.model.shown
        waiting, not_taken = self.scans.waiting(), self.scans.not_taken()
        return shown.value, shown.phase == "loading", shown.problem, self.model.running(), waiting, not_taken

    def _redraw_if_changed(self) -> None:
        if self._facts() != self._drawn:
            self.redraw()

    def build(self) -> Widget:
        self._drawn = self._facts()
        page = BoxLayout(orientation="vertical")
        page.add_widget(TopBar(title=self.words("Trips"), has_back=False, large=True))
        column = Column(padding=(dp(20), dp(4), dp(20), dp(32)), spacing=dp(12))
        for part in self._parts():
            column.add_widget(part)
        scroll = Scroll()
        scroll.add_widget(column)
        pull = PullToRefresh(scroll)
        pull.bind(on_refresh=lambda _pull: self.run(self._pulled(pull)))
        page.add_widget(pull)
        return page

    async def _pulled(self, pull: PullToRefresh) -> None:
        await self.model.refresh()
        pull.busy = False

    def _parts(self) -> list[Widget]:
        parts: list[Widget] = []
        running = self.model.running()
        if running is not None:
            parts.append(self._running_card(running))
        waiting, not_taken = self.scans.waiting(), self.scans.not_taken()
        if waiting:
            parts.append(self._waiting_card(waiting))
        if not_taken:
            parts.append(self._refused_card(not_taken))
        parts += self._list(is_alone=not parts)
        problem = self.model.shown.problem
        if self.model.shown.phase == "stale" and problem is not None and not self.model.shown.is_offline:
            parts.insert(
                0, Note(text=problem.said(self.words), icon="triangle-alert", tone="hold", test_id="not-renewed")
            )
        return parts

    def _running_card(self, trip: TripRecord) -> Widget:
        card = Card(outline="accent", spacing=dp(6), test_id="running")
        title = self.words("Under way since {time}", time=self.words.time(trip.started_at))
        text = self.words("From {place}. Scan where you get off.", place=place(self.words, trip.start_place))
        card.add_widget(Row(icon=icon_of(trip.scene.code), title=title, subtitle=text, padding=(0, 0)))
        if trip.ends_by is not None:
            until = self.words("Counts until {time}.", time=self.words.time(trip.ends_by))
            card.add_widget(Text(text=until, style="small", tone="ink3"))
        button = FilledButton(text=self.words("Scan where you get off"), icon="scan-qr-code", test_id="end-trip")
        button.bind(on_release=lambda _button: self.go("scan", direction="end"))
        card.add_widget(button)
        return card

    def _waiting_card(self, waiting: tuple[Outcome, ...]) -> Widget:
        rows = CardList(test_id="waiting")
        for one in waiting:
            told = outcome(self.words, one)
            row = Row(icon=told.icon, title=told.title, subtitle=told.text, lines=3, test_id=f"waiting-{one.entry_id}")
            row.icon_tone, row.icon_ground = "stale", "stalesoft"
            row.value, row.value_tone = self.words.when(one.made_at), "ink3"
            rows.add_widget(row)
        return rows

    def _refused_card(self, refused: tuple[Outcome, ...]) -> Widget:
        rows = CardList(test_id="not-taken")
        for one in refused:
            told = outcome(self.words, one)
            row = Row(
                icon=told.icon, title=told.title, subtitle=told.text, lines=4, test_id=f"not-taken-{one.entry_id}"
            )
            row.icon_tone, row.icon_ground = "refuse", "refusesoft"
            rows.add_widget(row)
            away = QuietButton(text=self.words("I have read it"), test_id=f"put-away-{one.entry_id}")
            away.bind(on_release=lambda _button, entry_id=one.entry_id: self.scans.put_away(entry_id))
            rows.add_widget(away)
        return rows

    def _list(self, *, is_alone: bool) -> list[Widget]:
        shown, ended = self.model.shown, self.model.ended()
        if ended:
            return self._days(ended)
        if shown.phase == "loading":
            return [Skeleton(kind="row", rows=4, test_id="loading")]
        if shown.phase == "error" and shown.problem is not None:
            return [self._error()]
        return [self._empty()] if is_alone else [self._walk_button()]

    def _error(self) -> Widget:
        problem = self.model.shown.problem
        assert problem is not None
        title, text = problem.sentence(self.words), problem.advice(self.words)
        state = ErrorState(title=title, text=text, action_text=self.words("Try again"), test_id="failed")
        state.bind(on_action=lambda _state: self.run(self.model.refresh()))
        return state

    def _empty(self) -> Widget:
        text = self.words("Scan the code where you get on, and again where you get off. Each kilometre counts.")
        state = EmptyState(icon="route", title=self.words("No trips yet"), text=text, test_id="empty")
        state.action_text = self.words("Scan a code")
        state.bind(on_action=lambda _state: self.go("scan"))
        column = Column(spacing=dp(8))
        column.add_widget(state)
        column.add_widget(self._walk_button())
        return column

    def _walk_button(self) -> Widget:
        button = QuietButton(text=self.words("Hand in a walk"), icon="footprints", test_id="walk")
        button.bind(on_release=lambda _button: self.go("walk"))
        return button

    def _days(self, ended: tuple[TripRecord, ...]) -> list[Widget]:
        parts: list[Widget] = []
        shown = self.model.shown
        age_s = None if shown.seen_at is None else self.client.clock.age_s(shown.seen_at)
        note = self.words.age(age_s) if shown.is_offline else ""
        for day, trips in groupby(ended[: self._shown_count], key=self._day_of):
            parts.append(Section(title=_capital(self.words.day(day)), note=note, icon="cloud-off"))
            note = ""
            rows = CardList()
            for trip in trips:
                row = trip_row(self.words, trip)
                row.bind(on_release=lambda _row, trip_id=trip.trip_id: self.go("trip", trip_id=trip_id))
                rows.add_widget(row)
            parts.append(rows)
        if len(ended) > self._shown_count:
            more = QuietButton(text=self.words("Show more"), test_id="more")
            more.bind(on_release=lambda _button: self._more())
            parts.append(more)
        parts.append(self._walk_button())
        return parts

    def _day_of(self, trip: TripRecord) -> date:
        assert trip.ended_at is not None
        return self.words.local(trip.ended_at).date()

    def _more(self) -> None:
        self._shown_count += SHOWN_AT_ONCE
        self.redraw()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
