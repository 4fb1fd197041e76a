"""Signing in: owns the first page of somebody whom the phone does not know."""

from __future__ import annotations

from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.widget import Widget

from mobile.core.models.sign_in import SignIn as SignInModel
from mobile.ui.kit import (
    Column,
    Field,
    FilledButton,
    Gap,
    IconTile,
    Note,
    OutlineButton,
    QuietButton,
    Scroll,
    Segment,
    Text,
)
from mobile.ui.screen import AppScreen


class SignIn(AppScreen):
    """Name and password, the language, and the way to a new account."""

    has_bar = False
    tells_network = True

    def opened(self) -> None:
        self.model = SignInModel(self.client)
        self.watch(self.model.changed)

    def build(self) -> Widget:
        column = Column(padding=(dp(24), dp(32), dp(24), dp(32)), spacing=dp(16))
        for part in (*self._head(), *self._form(), *self._below()):
            column.add_widget(part)
        scroll = Scroll()
        scroll.add_widget(column)
        return scroll

    def _head(self) -> list[Widget]:
        words = self.words
        is_driver = self.client.role == "driver"
        mark = AnchorLayout(anchor_x="left", size_hint_y=None, height=dp(64))
        mark.add_widget(IconTile(icon="shield-check" if is_driver else "leaf", tile_dp=64, size_dp=32))
        visitor, driver = words("Earn points for what you do not emit"), words("Permits for special fuel vehicles")
        return [
            mark,
            _stacked(
                Text(text=words("Near-zero-carbon island"), style="title"),
                Text(text=driver if is_driver else visitor, tone="ink2"),
            ),
        ]

    def _form(self) -> list[Widget]:
        words, model = self.words, self.model
        parts: list[Widget] = []
        if model.ended:
            parts.append(Note(text=model.ended, icon="log-out", test_id="ended"))
        known = self.client.session.person
        self._name = Field(label=words("Name of the account"), text=model.username, icon="user-round", test_id="user")
        if known is not None and not model.username:
            self._name.text = known.username
        self._password = Field(label=words("Password"), password=True, icon="key-round", test_id="password")
        if model.problem is not None:
            self._password.error = model.problem.said(words)
        for field in (self._name, self._password):
            field.bind(on_enter=lambda _field: self._go())
            parts.append(field)
        button = FilledButton(text=words("Sign in"), busy=model.is_busy, test_id="sign-in")
        button.bind(on_release=lambda _button: self._go())
        return [*parts, button, *self._demo()]

    def _demo(self) -> list[Widget]:
        """In a demonstration nobody has to look for a name and a password."""
        account = self.app.demo_account
        if account is None:
            return []
        button = OutlineButton(text=self.words("Use the demo's account"), icon="play", test_id="demo-account")
        button.bind(on_release=lambda _button: self.run(self.model.go(*account), outlives=True))
        return [button]

    def _below(self) -> list[Widget]:
        words = self.words
        new = QuietButton(text=words("Open an account"), test_id="register")
        new.bind(on_release=lambda _button: self.go("register"))
        rules = QuietButton(text=words("How the island counts"), test_id="rules")
        rules.bind(on_release=lambda _button: self.go("rules"))
        language = Segment(options=[("zh", "中文"), ("en", "English")], value=words.language, test_id="language")
        language.bind(value=lambda _segment, value: setattr(self.client.settings, "language", value))
        return [new, rules, Gap(size_dp=8), language]

    def _go(self) -> None:
        empty = [field for field in (self._name, self._password) if not field.text.strip()]
        for field in empty:
            field.error = self.words("This is needed.")
        if empty:
            empty[0].focus = True
            return
        self.run(self.model.go(self._name.text, self._password.text), outlives=True)


def _stacked(*parts: Widget) -> Widget:
    column = Column(spacing=dp(4))
    for part in parts:
        column.add_widget(part)
    return column
