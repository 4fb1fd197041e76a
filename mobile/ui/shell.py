"""The frame around the screens: owns the notice above them and the bar below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.ui.kit import Banner, BottomBar
from mobile.ui.router import Router
from mobile.ui.routes import SIGN_IN, Tab
from mobile.ui.trip_notice import TripNotice

if TYPE_CHECKING:
    from mobile.core.client import Client


class Shell(BoxLayout):
    """Notice, screen and bar, one below the other."""

    def __init__(self, client: Client, router: Router, tabs: tuple[Tab, ...]) -> None:
        super().__init__(orientation="vertical")
        self._client, self._router, self._tabs = client, router, tabs
        self._banner = Banner(test_id="banner")
        self._banner.bind(on_action=lambda *_: self._router.go(SIGN_IN))
        self._trip = TripNotice(client, router)
        self._bar: BottomBar | None = None
        self._disconnects = [signal.connect(self.arrange) for signal in (client.network.changed, client.outbox.changed)]
        self.arrange()

    def arrange(self) -> None:
        """The parts that belong to what is in front, and what is to be told of the network."""
        wanted: list[Widget] = [self._router]
        if self._trip.is_due():
            wanted.insert(0, self._trip)
        if self._tell():
            wanted.insert(0, self._banner)
        if self._router.bar_is_seen:
            wanted.append(self._present_bar())
        if self.children[::-1] != wanted:
            self.clear_widgets()
            for widget in wanted:
                self.add_widget(widget)

    def redraw(self) -> None:
        """The language or the look changed."""
        self._bar = None
        self.arrange()

    def close(self) -> None:
        """The app is going."""
        for disconnect in self._disconnects:
            disconnect()

    def _present_bar(self) -> BottomBar:
        if self._bar is None:
            self._bar = self._new_bar()
        if self._bar.value != self._router.tab:
            self._bar.value = self._router.tab
        return self._bar

    def _new_bar(self) -> BottomBar:
        items = [(tab.name, tab.icon, self._client.words(tab.label)) for tab in self._tabs]
        centre = next((tab.name for tab in self._tabs if tab.is_raised), "")
        bar = BottomBar(items=items, value=self._router.tab, centre=centre, test_id="bar")
        for place in bar.children:
            # Not the bar's value: pressing the place where one is goes back to its first screen.
            place.bind(on_release=lambda pressed: self._router.go(pressed.name))
        return bar

    def _tell(self) -> bool:
        """Fill the notice; whether there is one. Nothing is told of the network before it was tried."""
        words, session, waiting = self._client.words, self._client.session, self._client.outbox.waiting
        self._banner.detail = words.n("{n} entry waits to sync", "{n} entries wait to sync", waiting) if waiting else ""
        if session.person is not None and not session.is_signed_in:
            self._banner.text = words("You were signed out. Everything on this phone is kept.")
            self._banner.icon, self._banner.tone = "log-in", "hold"
            self._banner.action_text = words("Sign in")
            return self._router.front is None or self._router.front.name != SIGN_IN
        self._banner.text = words("No connection. You see what was last loaded.")
        self._banner.icon, self._banner.tone, self._banner.action_text = "cloud-off", "stale", ""
        front = self._router.front
        return self._client.network.online is False and not (front is not None and front.tells_network)
