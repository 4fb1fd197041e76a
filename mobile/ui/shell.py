"""The frame around the screens: owns the notice above them and the bar below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from mobile.ui.kit import Banner, BottomBar
from mobile.ui.router import Router
from mobile.ui.routes import Tab

if TYPE_CHECKING:
    from mobile.core.client import Client


class Shell(BoxLayout):
    """Notice, screen and bar, one below the other."""

    def __init__(self, client: Client, router: Router, tabs: tuple[Tab, ...]) -> None:
        super().__init__(orientation="vertical")
        self._client, self._router, self._tabs = client, router, tabs
        self._banner = Banner(test_id="banner")
        self._bar: BottomBar | None = None
        self._disconnects = [signal.connect(self.arrange) for signal in (client.network.changed, client.outbox.changed)]
        self.arrange()

    def arrange(self) -> None:
        """The parts that belong to what is in front, and what is to be told of the network."""
        wanted: list[Widget] = [self._router]
        if self._tell_network():
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
        bar.bind(on_value=lambda _bar, name: self._router.go(name))
        return bar

    def _tell_network(self) -> bool:
        """Fill the notice; whether there is one. Nothing is told before the network was tried."""
        words, waiting = self._client.words, self._client.outbox.waiting
        if self._client.network.online is not False:
            return False
        self._banner.text = words("No connection. You see what was last loaded.")
        self._banner.detail = words.n("{n} entry waits to sync", "{n} entries wait to sync", waiting) if waiting else ""
        return True
