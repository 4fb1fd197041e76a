"""My codes: owns the list of what was bought, from this phone and from others."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.uix.widget import Widget

from mobile.core.api.points import RedemptionRecord
from mobile.core.models.rewards import OPEN, Redemptions
from mobile.core.models.rewards import Codes as CodesModel
from mobile.ui.kit import CardList, EmptyState, QuietButton, Row, Section
from mobile.ui.screens.page import Page


class Codes(Page):
    """Those that can still be used first."""

    def opened(self) -> None:
        self._codes, self._redemptions = CodesModel(self.client), Redemptions(self.client)
        self.watch(self._redemptions.changed, self._heard)

    @property
    def title(self) -> str:
        return self.words("My codes")

    @property
    def model(self) -> Redemptions:
        return self._redemptions

    def closed(self) -> None:
        self._redemptions.close()

    def _heard(self) -> None:
        if self._redemptions.shown.phase == "ready" and self._redemptions.shown.value:
            self._codes.heard(self._redemptions.shown.value)
        self.redraw()

    def _all(self) -> list[RedemptionRecord]:
        """What the phone has and what the server told, each once, the newest first."""
        found = {one.redemption.redemption_id: one.redemption for one in self._codes.all()}
        for one in self._redemptions.shown.value or ():
            found.setdefault(one.redemption_id, one)
        return sorted(found.values(), key=lambda one: one.reserved_at, reverse=True)

    def parts(self) -> Sequence[Widget]:
        words, every = self.words, self._all()
        if not every and self._redemptions.shown.value is None:
            return self.waiting_for(self._redemptions)
        if not every:
            text = words("What you get for your points stands here, also without a network.")
            state = EmptyState(icon="ticket", title=words("No codes yet"), text=text, test_id="empty")
            state.action_text = words("See the rewards")
            state.bind(on_action=lambda _state: self.go("rewards"))
            return [state]
        now = self.client.clock.now()
        usable = [one for one in every if one.state.code in OPEN and one.ends_at > now]
        parts: list[Widget] = []
        for title, some in (
            (words("To be used"), usable),
            (words("Past"), [one for one in every if one not in usable]),
        ):
            if some:
                card = CardList()
                for one in some:
                    card.add_widget(self._row(one, is_usable=one in usable))
                parts += [Section(title=title, note="" if parts else self.age_of(self._redemptions)), card]
        if self._redemptions.has_more:
            more = QuietButton(text=words("Show more"), test_id="more")
            more.bind(on_release=lambda _button: self.run(self._redemptions.more()))
            parts.append(more)
        return parts

    def _row(self, one: RedemptionRecord, *, is_usable: bool) -> Row:
        words = self.words
        row = Row(icon="ticket" if is_usable else "ticket-check", title=words.both(one.name_zh, one.name_en))
        row.subtitle = words("until {time}", time=words.when(one.ends_at)) if is_usable else words.said(one.state)
        row.chevron = row.pressable = True
        row.test_id = f"code-{one.redemption_id}"
        if not is_usable:
            row.icon_tone, row.icon_ground = "ink3", "surface2"
        row.bind(on_release=lambda _row: self.go("code", redemption_id=one.redemption_id))
        return row
