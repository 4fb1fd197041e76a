"""What points buy: owns the catalogue's page, the question before something is taken, and orders without an answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from kivy.uix.widget import Widget

from mobile.core.api.points import ItemRecord
from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.models.home import Home
from mobile.core.models.rewards import OPEN, Catalogue, Codes, Order, shops
from mobile.core.shown import trouble_of
from mobile.ui.kit import (
    Card,
    CardList,
    EmptyState,
    Figure,
    FilledButton,
    Note,
    OutlineButton,
    Pair,
    QuietButton,
    Row,
    Section,
    Sheet,
    Text,
)
from mobile.ui.screens.page import Page

# Points that end within this are warned of.
ENDS_SOON = timedelta(days=60)


class Rewards(Page):
    """A tab of visitors."""

    is_tab = True

    def opened(self) -> None:
        self._catalogue, self._home, self._codes = Catalogue(self.client), Home(self.client), Codes(self.client)
        self.watch(self._catalogue.changed)
        self.watch(self._home.changed)

    @property
    def model(self) -> Catalogue:
        return self._catalogue

    @property
    def title(self) -> str:
        return self.words("Rewards")

    def on_shown(self) -> None:
        super().on_shown()
        self.run(self._home.refresh_if_old())
        self.redraw()

    def closed(self) -> None:
        self._catalogue.close()
        self._home.close()

    # ------------------------------------------------------------ widgets

    def parts(self) -> Sequence[Widget]:
        return [self._balance(), *map(self._open_order, self._codes.open_orders()), self._mine(), *self._offers()]

    def _balance(self) -> Widget:
        words, today = self.words, self._home.shown.value
        card = Card(test_id="balance")
        card.add_widget(Text(text=words("You can spend"), style="small", tone="ink2"))
        points = words.number(today.me.available) if today else words.number(None)
        card.add_widget(Figure(value=points, unit=words("points")))
        if today and today.me.next_end_at is not None and today.me.next_end_points:
            ends = words(
                "{points} end on {day}",
                points=words.points(today.me.next_end_points),
                day=words.date(today.me.next_end_at),
            )
            is_soon = today.me.next_end_at - self.client.clock.now() < ENDS_SOON
            card.add_widget(Text(text=ends, style="small", tone="hold" if is_soon else "ink3"))
        return card

    def _mine(self) -> Widget:
        words, card = self.words, CardList()
        unused = sum(one.redemption.state.code in OPEN for one in self._codes.all())
        for screen, icon, label, value in (
            ("codes", "ticket", words("My codes"), words.number(unused) if unused else ""),
            ("person_code", "qr-code", words("My code for merchants"), ""),
        ):
            row = Row(icon=icon, title=label, value=value, chevron=True, pressable=True, test_id=f"to-{screen}")
            row.bind(on_release=lambda _row, screen=screen: self.go(screen))
            card.add_widget(row)
        return card

    def _offers(self) -> list[Widget]:
        words, shown = self.words, self._catalogue.shown
        section = Section(title=words("On offer"), note=self.age_of(self._catalogue))
        if shown.value is None:
            return [section, *self.waiting_for(self._catalogue)]
        if not shown.value:
            text = words("The island's shops add things here.")
            return [section, EmptyState(icon="gift", title=words("Nothing on offer now"), text=text, test_id="empty")]
        card = CardList(test_id="offers")
        for item in shown.value:
            row = Row(icon="gift", title=words.both(item.name_zh, item.name_en), lines=3, chevron=True, pressable=True)
            row.subtitle, row.value, row.test_id = self._about(item), words.number(item.price_points), item.item_id
            row.test_id = f"item-{item.item_id}"
            if item.state != "offered":
                row.icon_tone, row.icon_ground, row.value_tone = "ink3", "surface2", "ink3"
            row.bind(on_release=lambda _row, item=item: self.run(self._ask(item)))
            card.add_widget(row)
        return [section, card]

    def _about(self, item: ItemRecord) -> str:
        words = self.words
        state = {
            "sold_out": words("sold out"),
            "coming": words("from {day} on", day=words.date(item.valid_from)),
            "ended": words("no longer offered"),
        }.get(item.state, words("{n} left", n=words.number(item.left)))
        return " · ".join((state, shops(item, words.language)))

    def _open_order(self, order: Order) -> Widget:
        words, card = self.words, Card(outline="hold", test_id=f"order-{order.item_id}")
        name = words.both(order.name_zh, order.name_en)
        card.add_widget(Text(text=words("No answer came for: {name}", name=name), style="strong"))
        text = words("Asking again gives the code if it was bought, or buys it now. It is never bought twice.")
        card.add_widget(Text(text=text, style="small", tone="ink2"))
        again = OutlineButton(text=words("Ask again"), icon="refresh-cw", test_id="ask-again")
        again.bind(on_release=lambda _button: self.run(self._finish(order), outlives=True))
        forget = QuietButton(text=words("Do not ask"), test_id="forget-order")
        forget.bind(on_release=lambda _button: self._forget(order))
        card.add_widget(again)
        card.add_widget(forget)
        return card

    def _forget(self, order: Order) -> None:
        self._codes.forget(order)
        self.redraw()

    async def _finish(self, order: Order) -> None:
        bought = await self._codes.finish(order)
        self.go("code", redemption_id=bought.redemption.redemption_id)

    # ------------------------------------------------------------ taking something

    async def _ask(self, item: ItemRecord) -> None:
        if self._home.shown.value is None:
            await self._home.refresh()  # else nobody knows whether the points are enough
        words, today = self.words, self._home.shown.value
        sheet = Sheet(title=words.both(item.name_zh, item.name_en), close_label=words("Close"), test_id="item-sheet")
        text = words.both(item.text_zh, item.text_en)
        if text:
            sheet.body.add_widget(Text(text=text, tone="ink2"))
        sheet.body.add_widget(Pair(label=words("Price"), value=words.points(item.price_points)))
        missing = 0
        if today is not None:
            after = today.me.available - item.price_points
            missing = max(0, -after)
            if not missing:
                sheet.body.add_widget(Pair(label=words("You keep"), value=words.points(after)))
        sheet.body.add_widget(Pair(label=words("Where"), value=shops(item, words.language)))
        sheet.body.add_widget(Pair(label=words("Left"), value=words.number(item.left)))
        button = FilledButton(text=words("Get it"), icon="ticket", test_id="get-it")
        why = self._why_not(item, missing)
        button.disabled = bool(why)
        note = Note(text=why or words("The code works without a network, once."), test_id="item-note")
        button.bind(on_release=lambda _button: self.run(self._take(item, sheet, button, note), outlives=True))
        sheet.body.add_widget(note)
        sheet.body.add_widget(button)
        sheet.open(self)

    def _why_not(self, item: ItemRecord, missing: int) -> str:
        words = self.words
        if item.state == "sold_out":
            return words("Sold out. Look again later.")
        if item.state != "offered":
            return words("Not offered now.")
        if missing:
            return words("{points} are missing.", points=words.points(missing))
        if self.client.network.online is False:
            return words("This needs the network. Codes that you have work without it.")
        return ""

    async def _take(self, item: ItemRecord, sheet: Sheet, button: FilledButton, note: Note) -> None:
        if button.busy:
            return
        button.busy = True
        try:
            bought = await self._codes.buy(item)
        except (ApiProblem, Offline, StoreError) as error:
            note.text, note.tone = self._why_failed(item, error), "refuse"
            button.busy = False
            self.run(self._catalogue.refresh())
            return
        sheet.close()
        self.run(self._home.refresh())
        self.run(self._catalogue.refresh())
        self.go("code", redemption_id=bought.redemption.redemption_id)

    def _why_failed(self, item: ItemRecord, error: ApiProblem | Offline | StoreError) -> str:
        trouble = trouble_of(error)
        if any(one.item_id == item.item_id for one in self._codes.open_orders()):
            again = self.words("Press again to ask: it is never bought twice.")
            return self.words.both("", " ").join((trouble.sentence(self.words), again))
        return trouble.said(self.words)
