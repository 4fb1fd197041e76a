"""One bought code: owns the ticket that is shown at the counter, with or without a network."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.widget import Widget

from mobile.core.api.points import CodeRecord
from mobile.core.models.rewards import OPEN, Codes, Redemptions
from mobile.ui.kit import Across, CardList, Column, EmptyState, IconTile, Note, QrView, Row, Tag, Text, Ticket
from mobile.ui.screens.page import Page


class Code(Page):
    """`given`: `redemption_id`."""

    def opened(self) -> None:
        self._codes, self._redemptions = Codes(self.client), Redemptions(self.client)
        self.watch(self._redemptions.changed, self._heard)

    @property
    def title(self) -> str:
        return self.words("Code")

    @property
    def model(self) -> Redemptions:
        return self._redemptions

    def closed(self) -> None:
        self._redemptions.close()

    def _heard(self) -> None:
        if self._redemptions.shown.phase == "ready" and self._redemptions.shown.value:
            self._codes.heard(self._redemptions.shown.value)
        self.redraw()

    def parts(self) -> Sequence[Widget]:
        words, found = self.words, self._codes.code(self.given["redemption_id"])
        if found is None:
            text = words("It was bought with another phone. Its code is there.")
            return [EmptyState(icon="ticket", title=words("The code is not on this phone"), text=text, test_id="empty")]
        return [self._ticket(found), self._facts(found)]

    def _ticket(self, found: CodeRecord) -> Widget:
        words, ticket, redemption = self.words, Ticket(test_id="ticket"), found.redemption
        line = Across(spacing=dp(14))
        line.add_widget(IconTile(icon="gift", tile_dp=56, size_dp=28))
        names = Column(spacing=dp(2))
        names.add_widget(Text(text=words.both(redemption.name_zh, redemption.name_en), style="lead"))
        names.add_widget(
            Text(text=words("until {time}", time=words.when(redemption.ends_at)), style="small", tone="ink2")
        )
        line.add_widget(names)
        ticket.head.add_widget(line)
        if self._is_open(found):
            place = AnchorLayout(size_hint_y=None, height=dp(260))
            place.add_widget(QrView(text=found.code, test_id="qr"))
            ticket.body.add_widget(place)
            ticket.body.add_widget(Text(text=found.code_grouped, style="code", halign="center", test_id="code"))
            help_text = words("If it cannot be scanned, read this to the shop.")
            ticket.body.add_widget(Text(text=help_text, style="small", tone="ink2", halign="center"))
        else:
            ticket.body.add_widget(Tag(text=self._standing(found), tone="plain", test_id="state"))
            ticket.body.add_widget(Text(text=found.code_grouped, style="code", tone="ink3", halign="center"))
        return ticket

    def _is_open(self, found: CodeRecord) -> bool:
        return found.redemption.state.code in OPEN and found.redemption.ends_at > self.client.clock.now()

    def _standing(self, found: CodeRecord) -> str:
        if found.redemption.state.code in OPEN:
            return self.words("Over since {time}", time=self.words.when(found.redemption.ends_at))
        return self.words.said(found.redemption.state)

    def _facts(self, found: CodeRecord) -> Widget:
        words, redemption, column = self.words, found.redemption, Column(spacing=dp(12))
        card = CardList()
        card.add_widget(Row(title=words("Price"), value=words.points(redemption.price_points)))
        card.add_widget(Row(title=words("Bought"), value=words.when(redemption.reserved_at)))
        if redemption.used_at is not None:
            card.add_widget(Row(title=words("Used"), subtitle=redemption.used_by, value=words.when(redemption.used_at)))
        column.add_widget(card)
        column.add_widget(
            Note(text=words("Works without a network. It counts once."), icon="circle-check", centred=True)
        )
        return column
