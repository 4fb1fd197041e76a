"""The code that a visitor shows a merchant: owns asking for one, and how long it still counts."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.widget import Widget

from mobile.core.api.points import PersonCode as PersonCodeRecord
from mobile.core.errors import ApiProblem, Offline
from mobile.core.shown import Trouble, trouble_of
from mobile.ui.kit import Card, ErrorState, OutlineButton, QrView, Skeleton, Text
from mobile.ui.screens.code import in_groups
from mobile.ui.screens.held_out import hold_out, put_away
from mobile.ui.screens.page import Page

EACH_S = 1.0


class PersonCode(Page):
    """Made anew each time; the server has to be there."""

    def opened(self) -> None:
        self._code: PersonCodeRecord | None = None
        self._trouble: Trouble | None = None
        self._left: Text | None = None
        self._ticking = Clock.schedule_interval(self._tick, EACH_S)
        self._ticking.cancel()

    @property
    def title(self) -> str:
        return self.words("My code for merchants")

    def on_shown(self) -> None:
        self._ticking()
        hold_out(self.app)
        self.run(self._make())

    def on_hidden(self) -> None:
        self._ticking.cancel()
        put_away(self.app)

    def closed(self) -> None:
        put_away(self.app)

    async def _make(self) -> None:
        try:
            self._code, self._trouble = await self.client.api.points.person_code(), None
        except (ApiProblem, Offline) as error:
            self._code, self._trouble = None, trouble_of(error)
        self.redraw()

    def _tick(self, _elapsed_s: float) -> None:
        if self._left is not None and self._code is not None:
            self._left.text = self._left_words(self._code)

    def _left_words(self, code: PersonCodeRecord) -> str:
        left_s = (code.ends_at - self.client.clock.now()).total_seconds()
        if left_s <= 0:
            return self.words("This code is over. Make a new one.")
        return self.words("Counts for another {duration}", duration=self.words.duration(left_s))

    def parts(self) -> Sequence[Widget]:
        words, self._left = self.words, None
        again = OutlineButton(text=words("A new code"), icon="refresh-cw", test_id="new-code")
        again.bind(on_release=lambda _button: self.run(self._make()))
        if self._trouble is not None:
            title, text = self._trouble.sentence(words), self._trouble.advice(words)
            return [ErrorState(title=title, text=text, test_id="failed"), again]
        if self._code is None:
            return [Skeleton(kind="card", rows=2, test_id="loading")]
        card = Card(test_id="person-code")
        text = words("Show this at the counter: the shop confirms your own cup, your vegetarian meal and the like.")
        card.add_widget(Text(text=text, tone="ink2"))
        place = AnchorLayout(size_hint_y=None, height=dp(260))
        place.add_widget(QrView(text=self._code.code, test_id="qr"))
        card.add_widget(place)
        card.add_widget(Text(text=in_groups(self._code.code_grouped), style="code", halign="center", test_id="code"))
        self._left = Text(text=self._left_words(self._code), style="small", tone="ink2", halign="center")
        card.add_widget(self._left)
        return [card, again]
