"""One bought code: owns the ticket that is shown at the counter, with or without a network."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.widget import Widget

from mobile.core.api.points import CodeRecord
from mobile.core.models.rewards import OPEN, Catalogue, Codes, Redemptions, shops
from mobile.ui.kit import Across, Card, Column, Divider, EmptyState, IconTile, Note, Pair, QrView, Tag, Text, Ticket
from mobile.ui.screens.held_out import hold_out, put_away
from mobile.ui.screens.page import Page


def in_groups(code: str) -> str:
    """With spaces between its groups: on a narrow screen it breaks there."""
    return code.replace("-", " ")


class Code(Page):
    """`given`: `redemption_id`."""

    def opened(self) -> None:
        self._codes, self._redemptions = Codes(self.client), Redemptions(self.client)
        self._catalogue = Catalogue(self.client)
        self.watch(self._redemptions.changed, self._heard)

    @property
    def title(self) -> str:
        return self.words("Redemption code")

    @property
    def model(self) -> Redemptions:
        return self._redemptions

    def on_shown(self) -> None:
        super().on_shown()
        hold_out(self.app)

    def on_hidden(self) -> None:
        put_away(self.app)

    def closed(self) -> None:
        put_away(self.app)
        self._redemptions.close()
        self._catalogue.close()

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
        item = self._catalogue.thing(redemption.item_id)
        if item is not None:
            names.add_widget(Text(text=shops(item, words.language), style="small", tone="ink2"))
        line.add_widget(names)
        ticket.head.add_widget(line)
        if self._is_open(found):
            place = AnchorLayout(size_hint_y=None, height=dp(260))
            place.add_widget(QrView(text=found.code, test_id="qr"))
            ticket.body.add_widget(place)
            ticket.body.add_widget(
                Text(text=in_groups(found.code_grouped), style="code", halign="center", test_id="code")
            )
            help_text = words("If it cannot be scanned, read this to the shop.")
            ticket.body.add_widget(Text(text=help_text, style="small", tone="ink2", halign="center"))
        else:
            ticket.body.add_widget(Tag(text=self._standing(found), tone="plain", test_id="state"))
            ticket.body.add_widget(Text(text=in_groups(found.code_grouped), style="code", tone="ink3", halign="center"))
        return ticket

    def _is_open(self, found: CodeRecord) -> bool:
        return found.redemption.state.code in OPEN and found.redemption.ends_at > self.client.clock.now()

    def _standing(self, found: CodeRecord) -> str:
        if found.redemption.state.code in OPEN:
            return self.words("Over since {time}", time=self.words.when(found.redemption.ends_at))
        return self.words.said(found.redemption.state)

    def _facts(self, found: CodeRecord) -> Widget:
        words, redemption, column = self.words, found.redemption, Column(spacing=dp(12))
        lines = [
            (words("Price"), words.points(redemption.price_points)),
            (words("Bought"), words.when(redemption.reserved_at)),
            (words("Can be used until"), words.when(redemption.ends_at)),
        ]
        if redemption.used_at is not None:
            lines[2:] = [(words("Used"), words.when(redemption.used_at))]
        card = Card()
        for label, value in lines:
            if card.children:
                card.add_widget(Divider())
            card.add_widget(Pair(label=label, value=value))
        column.add_widget(card)
        column.add_widget(
            Note(text=words("Works without a network. It counts once."), icon="circle-check", centred=True)
        )
        return column
