"""One trip: owns the page with its sketch, how its points came about, and how to say that something is not right."""

from __future__ import annotations

from collections.abc import Awaitable

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.core.api.points import EarningRecord, TripRecord
from mobile.core.models.scan import Scans
from mobile.core.models.trips import Trips, can_appeal
from mobile.core.repeats import RepeatKey
from mobile.ui.kit import (
    Across,
    Card,
    CardList,
    Column,
    EmptyState,
    FilledButton,
    IconButton,
    QuietButton,
    Row,
    Scroll,
    Skeleton,
    Text,
    TopBar,
    TripSketch,
)
from mobile.ui.screen import AppScreen
from mobile.ui.screens.trip_appeal import AppealSheet
from mobile.ui.screens.trip_parts import computed_card, place


class Trip(AppScreen):
    """`given`: `trip_id`."""

    def opened(self) -> None:
        self.model, self.scans = Trips(self.client), Scans(self.client)
        # A word that is sent twice, because the first answer was lost, is one word.
        self._appeal_key = RepeatKey()
        self.watch(self.model.changed)
        self.watch(self.scans.changed)

    def on_shown(self) -> None:
        self.run(self.model.refresh_if_old())

    def closed(self) -> None:
        self.model.close()
        self.scans.close()

    # ------------------------------------------------------------ widgets

    def build(self) -> Widget:
        trip = self.model.trip(self.given["trip_id"])
        page = BoxLayout(orientation="vertical")
        bar = TopBar(title=self.words("Trip"), back_label=self.words("Back"), test_id="trip-bar")
        bar.bind(on_back=lambda _bar: self.back())
        page.add_widget(bar)
        if trip is not None and trip.event is not None:
            flag = IconButton(icon="flag", label=self.words("Not right? Tell us"), tone="ink2", test_id="trip-flag")
            flag.bind(on_release=lambda _button: self._tell(trip.event))
            bar.add_widget(flag)
        scroll, column = Scroll(), Column(padding=(dp(20), dp(4), dp(20), dp(20)), spacing=dp(16))
        for part in self._parts(trip):
            column.add_widget(part)
        scroll.add_widget(column)
        page.add_widget(scroll)
        page.add_widget(self._foot(trip))
        return page

    def _parts(self, trip: TripRecord | None) -> list[Widget]:
        if trip is None:
            if self.model.shown.phase == "loading":
                return [Skeleton(kind="card", rows=2)]
            return [EmptyState(icon="route", title=self.words("This trip is not in your list any more"))]
        parts: list[Widget] = [self._head(trip)]
        if trip.event is not None:
            parts += self._verdict(trip.event)
            card = computed_card(self.words, trip.event)
            if card is not None:
                parts.append(card)
        waiting = self.scans.waiting()
        if waiting:
            rows = CardList()
            title = self.words("Saved, waits for the network")
            text = self.words("It counts once you are online, and only once.")
            rows.add_widget(
                Row(icon="cloud-upload", title=title, subtitle=text, icon_tone="stale", icon_ground="stalesoft")
            )
            parts.append(rows)
        return parts

    def _head(self, trip: TripRecord) -> Widget:
        card = Card(padding=(0, 0), test_id="trip-head")
        card.add_widget(TripSketch(start=place(self.words, trip.start_place), end=place(self.words, trip.end_place)))
        line = Across(padding=(dp(18), dp(16), dp(18), dp(18)), spacing=dp(12))
        left = Column(pos_hint={"center_y": 0.5})
        left.add_widget(Text(text=self.words.said(trip.scene), style="section"))
        on, off = self.words.time(trip.started_at), self.words.time(trip.ended_at)
        left.add_widget(Text(text=self.words("On at {on}, off at {off}", on=on, off=off), style="small", tone="ink3"))
        left.add_widget(Text(text=self.words.date(trip.started_at), style="small", tone="ink3"))
        line.add_widget(left)
        line.add_widget(self._points(trip))
        card.add_widget(line)
        return card

    def _points(self, trip: TripRecord) -> Widget:
        counts = trip.state == "granted" and (trip.event is None or trip.event.reversed_at is None)
        figure, tone = (f"+{self.words.number(trip.points)}", "admit") if counts else ("0", "ink3")
        if trip.state == "held":
            figure, tone = self.words.number(trip.points), "hold"
        right = Column(size_hint_x=None, width=dp(110), pos_hint={"center_y": 0.5})
        points = Text(
            text=figure, style="number", tone=tone, halign="right", lines=1, shrink=True, test_id="trip-points"
        )
        right.add_widget(points)
        right.add_widget(Text(text=self.words("points"), style="small", tone="ink3", halign="right"))
        return right

    def _verdict(self, event: EarningRecord) -> list[Widget]:
        """Why the points wait, were not given, or were taken back."""
        words = self.words
        if event.reversed_at is not None:
            title, icon, tone = words("The points were taken back"), "undo-2", "refuse"
        elif event.state == "held":
            title, icon, tone = words("Somebody looks at it first"), "circle-pause", "hold"
        elif event.state == "refused":
            title, icon, tone = words("It gave no points"), "octagon-x", "refuse"
        else:
            return []
        text = words.both("；", "; ").join(words.said(one) for one in event.reasons)
        if event.release_at is not None and event.state == "held":
            text = f"{text}\n{words('At the latest on {when}.', when=words.when(event.release_at))}".strip()
        rows = CardList(test_id="trip-verdict")
        rows.add_widget(Row(icon=icon, icon_tone=tone, icon_ground=f"{tone}soft", title=title, subtitle=text, lines=6))
        return [rows]

    def _foot(self, trip: TripRecord | None) -> Widget:
        foot = Column(padding=(dp(20), dp(8), dp(20), dp(14)), spacing=dp(2))
        again = FilledButton(text=self.words("Scan another"), icon="scan-qr-code", test_id="trip-again")
        again.bind(on_release=lambda _button: self.go("scan"))
        foot.add_widget(again)
        if trip is not None and trip.event is not None:
            tell = QuietButton(text=self.words("Not right? Tell us"), test_id="trip-tell")
            tell.bind(on_release=lambda _button: self._tell(trip.event))
            foot.add_widget(tell)
        return foot

    # ------------------------------------------------------------ not right

    def _tell(self, event: EarningRecord) -> None:
        def send(text: str) -> Awaitable[None]:
            return self.model.tell(event, text, key=self._appeal_key.of(text))

        sent = self.words("We have it, and answer within the app.")
        AppealSheet(self, is_refusal=can_appeal(event), send=send, sent=sent).open(self)
