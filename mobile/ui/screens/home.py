"""A visitor's first screen: owns what the points stand for, the commonest acts, and what counted today."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.core.api.points import PointsOfMe
from mobile.core.models.home import Home as HomeModel
from mobile.core.models.reminders import Reminders
from mobile.core.models.scan import Scans
from mobile.core.models.scan_words import outcome
from mobile.core.words import N_
from mobile.ui.kit import CardList, EmptyState, HeroCard, IconButton, IconCard, Row, Section, Skeleton, TopBar
from mobile.ui.screens.act_rows import act_row
from mobile.ui.screens.page import Page

_GREETINGS = ((5, N_("Good night")), (11, N_("Good morning")), (18, N_("Good afternoon")), (24, N_("Good evening")))
# The commonest acts: (scene of the scan, icon, words).
_TILES = (
    ("shuttle", "bus", N_("Shuttle")),
    ("shared_bike", "bike", N_("Bike")),
    ("recycling", "recycle", N_("Recycle")),
    ("reusable_cup", "cup-soda", N_("Own cup")),
)


class Home(Page):
    """A tab of visitors."""

    is_tab = True

    def opened(self) -> None:
        self._home, self._reminders, self._scans = HomeModel(self.client), Reminders(self.client), Scans(self.client)
        self.watch(self._home.changed)
        self.watch(self._reminders.changed)
        self.watch(self._scans.changed, self._outbox_changed)

    @property
    def model(self) -> HomeModel:
        return self._home

    @property
    def title(self) -> str:
        person = self.client.session.person
        name = "" if person is None else person.name or person.username
        return self.words.both("，", ", ").join(filter(None, (self._greeting(), name)))

    def _greeting(self) -> str:
        hour = self.words.local(self.client.clock.now()).hour
        return self.words(next(text for before, text in _GREETINGS if hour < before))

    def on_shown(self) -> None:
        super().on_shown()
        self.run(self._reminders.refresh_if_old())

    def closed(self) -> None:
        for one in (self._home, self._reminders, self._scans):
            one.close()

    def _outbox_changed(self) -> None:
        self.redraw()
        if self.is_shown and not self._scans.waiting():
            self.run(self._home.refresh())

    # ------------------------------------------------------------ widgets

    def head(self) -> TopBar:
        bar = super().head()
        bar.over = self.words.date(self.client.clock.now())
        return bar

    def actions(self) -> Sequence[Widget]:
        bell = IconButton(icon="bell", label=self.words("Reminders"), ground="surface", test_id="bell")
        bell.badge = self._reminders.unread
        bell.bind(on_release=lambda _button: self.go("reminders"))
        return [bell]

    def parts(self) -> Sequence[Widget]:
        today = self._home.shown.value
        if today is None:
            hero = self.waiting_for(self._home, kind="card", rows=2)
            return [*hero, self._tiles()]
        return [self._hero(today.me), self._tiles(), *self._today()]

    def _hero(self, me: PointsOfMe) -> Widget:
        words = self.words
        card = HeroCard(caption=words("My carbon points"), value=words.number(me.available), test_id="hero")
        if self._home.is_of_today() and me.today_grams:
            card.left_note = words("Today {grams} less", grams=words.grams(me.today_grams))
        else:
            card.left_note = words("In all {grams} less", grams=words.grams(me.total_grams))
        frac = self._home.goal_frac()
        if me.goal is not None and frac is not None:
            card.frac = frac
            card.right_note = words("Goal {points}", points=words.number(me.goal.month_points))
        if me.total_grams > 0 and me.equivalents:
            card.foot = words.said(me.equivalents[0])
        card.bind(on_release=lambda _card: self.go("goal"))
        return card

    def _tiles(self) -> Widget:
        line = BoxLayout(spacing=dp(10), size_hint_y=None, height=dp(76))
        line.bind(minimum_height=lambda _line, height: setattr(line, "height", max(height, dp(76))))
        for scene, icon, label in _TILES:
            tile = IconCard(icon=icon, text=self.words(label), test_id=f"tile-{scene}")
            tile.bind(on_release=lambda _tile, scene=scene: self.go("scan", scene=scene))
            line.add_widget(tile)
        return line

    def _today(self) -> list[Widget]:
        words, waiting, acts = self.words, self._scans.waiting(), self._home.of_today()
        section = Section(title=words("Today"), action_text=words("All"), test_id="today")
        section.bind(on_action=lambda _section: self.go("history"))
        if waiting:
            section.note, section.icon = words.n("{n} waits to sync", "{n} wait to sync", len(waiting)), "cloud-upload"
        elif age := self.age_of(self._home):
            section.note, section.icon = age, "history"
        if not waiting and not acts:
            if self._home.shown.is_refreshing and not self._home.is_of_today():
                return [section, Skeleton(kind="row", rows=3, test_id="loading")]
            return [section, self._first_steps()]
        card = CardList(test_id="today-list")
        for one in reversed(waiting):
            told = outcome(words, one)
            row = Row(icon=told.icon, title=told.title, subtitle=told.text, lines=3, test_id=f"waiting-{one.entry_id}")
            row.icon_tone, row.icon_ground = "stale", "stalesoft"
            row.value, row.value_tone, row.value_icon = words.time(one.made_at), "ink3", "clock"
            card.add_widget(row)
        for act in acts:
            row = act_row(words, act)
            row.bind(on_release=lambda _row, act=act: self.go("act", event_id=act.event_id))
            card.add_widget(row)
        return [section, card]

    def _first_steps(self) -> Widget:
        text = self.words("Scan the code on a shuttle, a bike, a recycling machine or a counter. Each gram counts.")
        state = EmptyState(icon="leaf", title=self.words("Nothing yet today"), text=text, test_id="empty")
        state.action_text = self.words("Scan a code")
        state.bind(on_action=lambda _state: self.go("scan"))
        return state
