"""The person's own place: owns who is signed in, how the app looks and speaks, and the ways to one's data."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.uix.widget import Widget

from mobile.core.models.account import Account
from mobile.core.models.rewards import may_hold_vouchers
from mobile.core.words import N_
from mobile.ui.kit import Card, CardList, Dialog, NumberStepper, Row, Section, Segment
from mobile.ui.screens.page import Page

_SIZES = (1.0, 1.15, 1.3, 1.6)
# screen, icon, words; for one role or for both
_VISITOR_ROWS = (
    ("history", "history", N_("History of my points")),
    ("goal", "target", N_("Goal and badges")),
    ("codes", "ticket", N_("My codes")),
    ("appeals", "message-square-warning", N_("Appeals")),
)
_DRIVER_ROWS = (("vehicles", "truck", N_("My vehicles")),)
_SHARED_ROWS = (
    ("vouchers", "wallet", N_("Zero-carbon vouchers")),
    ("reminders", "bell", N_("Reminders")),
    ("my_data", "shield", N_("My data and consents")),
    ("guardian", "users", N_("Guardian and children")),
    ("rules", "scroll-text", N_("How the island counts")),
)


class Me(Page):
    """A tab of both roles."""

    is_tab = True

    @property
    def title(self) -> str:
        return self.words("Me")

    @property
    def model(self) -> Account:
        return self._account

    def opened(self) -> None:
        self._account = Account(self.client)
        self.watch(self._account.changed)

    def closed(self) -> None:
        self._account.close()

    def parts(self) -> Sequence[Widget]:
        words = self.words
        rows = _VISITOR_ROWS if self.client.role == "visitor" else _DRIVER_ROWS
        ways = CardList()
        for screen, icon, label in (*rows, *_SHARED_ROWS):
            if screen == "vouchers" and not may_hold_vouchers(self.client):
                continue
            row = Row(icon=icon, title=words(label), chevron=True, pressable=True, test_id=f"to-{screen}")
            row.bind(on_release=lambda _row, screen=screen: self.go(screen))
            ways.add_widget(row)
        return [self._who(), ways, Section(title=words("Look and language")), self._look(), self._leave()]

    def _who(self) -> Widget:
        person, card = self.client.session.person, CardList()
        name = "" if person is None else person.name or person.username
        subtitle = "" if person is None else person.username
        me = self._account.shown.value
        if me is not None and me.org_name:
            subtitle = f"{subtitle} · {me.org_name}"
        row = Row(icon="circle-user", title=name, subtitle=subtitle, test_id="who")
        row.chevron = row.pressable = True
        row.bind(on_release=lambda _row: self.go("my_data"))
        card.add_widget(row)
        return card

    def _look(self) -> Widget:
        words, settings, card = self.words, self.client.settings, Card()
        language = Segment(options=[("zh", "中文"), ("en", "English")], value=settings.language, test_id="language")
        language.bind(value=lambda _segment, value: setattr(settings, "language", value))
        themes = [("auto", words("As the phone")), ("light", words("Light")), ("dark", words("Dark"))]
        theme = Segment(options=themes, value=settings.theme, test_id="theme")
        theme.bind(value=lambda _segment, value: setattr(settings, "theme", value))
        nearest = min(range(len(_SIZES)), key=lambda index: abs(_SIZES[index] - settings.text_scale))
        size = NumberStepper(label=words("Text size"), value=nearest + 1, low=1, high=len(_SIZES), test_id="text-size")
        size.less_label, size.more_label = words("Smaller"), words("Larger")
        size.bind(value=lambda _stepper, value: setattr(settings, "text_scale", _SIZES[int(value) - 1]))
        for part in (language, theme, size):
            card.add_widget(part)
        return card

    def _leave(self) -> Widget:
        rows = CardList()
        row = Row(icon="log-out", title=self.words("Sign out"), pressable=True, test_id="sign-out")
        row.icon_tone, row.icon_ground = "ink2", "surface2"
        row.bind(on_release=lambda _row: self._ask())
        rows.add_widget(row)
        return rows

    def _ask(self) -> None:
        words, waiting = self.words, self.client.outbox.waiting
        text = words("What you saw stays on this phone for you.")
        if waiting:
            kept = words.n(
                "{n} entry waits and is sent when you sign in again.",
                "{n} entries wait and are sent when you sign in again.",
                waiting,
            )
            text = f"{kept} {text}"
        dialog = Dialog(title=words("Sign out?"), text=text, test_id="sign-out-dialog")
        dialog.confirm_text, dialog.cancel_text = words("Sign out"), words("Stay")
        dialog.bind(on_confirm=lambda _dialog: self.run(self._account.sign_out(), outlives=True))
        dialog.open(self)
