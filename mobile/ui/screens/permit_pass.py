"""The pass that is shown at the gate: owns the page that says at a glance whether it opens now, with or without a
network.

It ticks without being built anew; only when the pass begins, ends or is withdrawn the page changes.
"""

from __future__ import annotations

from collections.abc import Sequence

from kivy.clock import Clock
from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.widget import Widget

from mobile.core.api.permits import PassRecord
from mobile.core.models.applications import OneApplication
from mobile.core.models.choices import Choices
from mobile.core.models.passes import PermitPass, Validity, kept, validity
from mobile.core.models.vehicles import kinds
from mobile.ui.kit import (
    CardList,
    Column,
    EmptyState,
    FactGrid,
    Note,
    PassCard,
    PlateChip,
    QrView,
    Row,
    Tag,
    Text,
    TopBar,
)
from mobile.ui.screens.held_out import hold_out, put_away
from mobile.ui.screens.page import Page
from mobile.ui.screens.permit_parts import entries_words, short_number, span, vehicle_words

QR_DP = 232
TICK_S = 1.0
# Validity -> (colour of the head, icon).
_LOOKS = {
    Validity.NOW: ("permit", "shield-check"),
    Validity.COMING: ("hold", "calendar-clock"),
    Validity.OVER: ("stale", "calendar-x"),
    Validity.USED_UP: ("stale", "check-check"),
    Validity.WITHDRAWN: ("refuse", "shield-x"),
}


class Pass(Page):
    """`given`: `application_id`."""

    tells_network = True

    def opened(self) -> None:
        number = self.given["application_id"]
        self._pass, self._application = PermitPass(self.client, number), OneApplication(self.client, number)
        self._choices = Choices(self.client)
        for one in (self._pass, self._application, self._choices, self.client.network):
            self.watch(one.changed)
        self._card: PassCard | None = None
        self._drawn: Validity | None = None
        self._ticking = Clock.create_trigger(self._tick, TICK_S, interval=True)

    @property
    def model(self) -> PermitPass:
        return self._pass

    def on_shown(self) -> None:
        super().on_shown()
        self.run(self._application.refresh_if_old())
        self.run(self._choices.refresh_if_old())
        hold_out(self.app)
        self._ticking()
        self.redraw()

    def on_hidden(self) -> None:
        self._ticking.cancel()
        put_away(self.app)

    def closed(self) -> None:
        self._ticking.cancel()
        put_away(self.app)
        for one in (self._pass, self._application, self._choices):
            one.close()

    # ------------------------------------------------------------ what holds

    def _known(self) -> PassRecord | None:
        """The newest that was ever seen; it outlives the cache."""
        number = self.given["application_id"]
        return self._pass.shown.value or next((one for one in kept(self.client) if one.application_id == number), None)

    def _validity(self, known: PassRecord) -> Validity:
        record = self._application.shown.value
        status = "active" if record is None else record.row.status
        problem = self._pass.shown.problem
        now = self.client.clock.now()
        if problem is not None and problem.code == "no_pass" and status in ("active", "approved"):
            # The server gives none any more, and the application's own state is not heard yet.
            status = "expired" if now >= known.valid_until else "revoked"
        return validity(known, now, status)

    def _tick(self, _elapsed_s: float) -> None:
        known = self._known()
        if known is None or self._card is None:
            return
        if self._validity(known) is not self._drawn:
            self.redraw()
        else:
            self._card.note = self._note(known, self._drawn)

    def _headline(self, holds: Validity) -> str:
        words = self.words
        return {
            Validity.NOW: words("You may enter now"),
            Validity.COMING: words("Not valid yet"),
            Validity.OVER: words("No longer valid"),
            Validity.USED_UP: words("All entries are used"),
            Validity.WITHDRAWN: words("Withdrawn by the office"),
        }[holds]

    def _note(self, known: PassRecord, holds: Validity) -> str:
        words = self.words
        match holds:
            case Validity.NOW:
                return words("{duration} left", duration=words.left(known.valid_until))
            case Validity.COMING:
                return words("Begins in {duration}", duration=words.left(known.valid_from))
            case Validity.OVER:
                return words("Ended {when}", when=words.when(known.valid_until))
            case Validity.USED_UP:
                return words("Apply again for another visit.")
            case Validity.WITHDRAWN:
                return words("The gate will not open with it. The reason stands in the application.")

    # ------------------------------------------------------------ widgets

    def head(self) -> TopBar:
        bar = super().head()
        bar.back_icon, bar.back_label = "x", self.words("Close")
        return bar

    def actions(self) -> Sequence[Widget]:
        seen_at = self._pass.shown.seen_at
        if self._known() is None or (self.client.network.online is not False and self._pass.shown.phase != "stale"):
            return ()
        text = self.words("Works offline")
        if seen_at is not None:
            age = self.words.age(self.client.clock.age_s(seen_at))
            text = f"{text} · {age}"
        return [Tag(text=text, tone="stale", icon="wifi-off", pos_hint={"center_y": 0.5}, test_id="offline")]

    def parts(self) -> Sequence[Widget]:
        known = self._known()
        if known is None:
            problem = self._pass.shown.problem
            if problem is not None and problem.code == "no_pass":
                text = self.words("It begins when the office has approved the application.")
                return [EmptyState(icon="shield-off", title=self.words("There is no pass"), text=text, test_id="empty")]
            return self.waiting_for(self._pass, kind="card", rows=2)
        holds = self._drawn = self._validity(known)
        kind, icon = _LOOKS[holds]
        card = self._card = PassCard(
            kind=kind, icon=icon, headline=self._headline(holds), test_id=f"pass-{holds.value}"
        )
        card.note = self._note(known, holds)
        card.body.add_widget(self._code(known, holds))
        card.body.add_widget(FactGrid(facts=self._facts(known), test_id="facts"))
        parts: list[Widget] = [card]
        if holds is Validity.NOW:
            parts.append(self._fuel())
        if self.app.ports.brightness.raised:
            parts.append(Note(text=self.words("Screen set to full brightness"), icon="sun", centred=True))
        return parts

    def _code(self, known: PassRecord, holds: Validity) -> Widget:
        words, column = self.words, Column(padding=(dp(20), dp(18), dp(20), dp(14)), spacing=dp(10))
        record = self._application.shown.value
        colour = "unknown" if record is None else record.row.plate_colour
        plate = PlateChip(text=known.plate, kind=kinds(known.plate), colour=colour, height_dp=52, test_id="plate")
        column.add_widget(_centred(plate))
        if holds in (Validity.NOW, Validity.COMING):
            column.add_widget(_centred(QrView(text=known.text, size_dp=QR_DP, test_id="qr")))
            said = words("Show it at the gate, or say [b]{number}[/b]", number=short_number(known.application_id))
            text = Text(text=said, markup=True, style="small", tone="ink3", halign="center", test_id="number")
            column.add_widget(text)
        return column

    def _facts(self, known: PassRecord) -> list[tuple[str, str]]:
        words, record = self.words, self._application.shown.value
        vehicle = words.number(None) if record is None else vehicle_words(words, self._choices, record.form)
        return [
            (words("Window"), span(words, known.valid_from, known.valid_until)),
            (words("Gates"), self._choices.gates(known.gates)),
            (words("Vehicle"), vehicle),
            (words("Entries"), entries_words(words, known.entries_left)),
        ]

    def _fuel(self) -> Widget:
        words, card = self.words, CardList()
        row = Row(icon="fuel", title=words("Report the fuel as you leave"), pressable=True, test_id="to-emission")
        row.subtitle = words("Offset on real use, not an estimate")
        row.bind(on_release=lambda _row: self.go("emission"))
        card.add_widget(row)
        return card


def _centred(widget: Widget) -> Widget:
    place = AnchorLayout(size_hint_y=None, height=widget.height)
    widget.bind(height=place.setter("height"))
    place.add_widget(widget)
    return place
