"""Guardian and children: owns joining two accounts with a code, and parting them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.core.api.people import PersonalData
from mobile.core.models.account import Account
from mobile.ui.kit import Card, CardList, Dialog, Field, FilledButton, Note, OutlineButton, Row, Section, Text
from mobile.ui.screens.page import Page


class Guardian(Page):
    """What one sees depends on which side one stands."""

    @property
    def title(self) -> str:
        return self.words("Guardian and children")

    @property
    def model(self) -> Account:
        return self._account

    def opened(self) -> None:
        self._account = Account(self.client)
        self.watch(self._account.changed)

    def closed(self) -> None:
        self._account.close()

    def parts(self) -> Sequence[Widget]:
        me = self._account.shown.value
        if me is None:
            return self.waiting_for(self._account)
        words, problem = self.words, self._account.act_problem
        parts: list[Widget] = []
        if problem is not None:
            parts.append(Note(text=problem.said(words), icon="circle-alert", tone="refuse", test_id="failed"))
        if me.guardian is not None:
            parts += [Section(title=words("My guardian")), self._my_guardian(me)]
        else:
            parts += [*self._children(me), self._code_card(), self._join_card()]
        return parts

    def _my_guardian(self, me: PersonalData) -> Widget:
        assert me.guardian is not None
        words, card = self.words, CardList()
        row = Row(icon="user-check", title=me.guardian.name, tag_text=words("Part"), pressable=True, test_id="part")
        title = words("Part from {name}?", name=me.guardian.name)
        row.bind(on_release=lambda _row: self._ask(title, self._account.leave_guardian))
        card.add_widget(row)
        return card

    def _children(self, me: PersonalData) -> list[Widget]:
        if not me.wards:
            return []
        words, card = self.words, CardList()
        for ward in me.wards:
            row = Row(icon="user-round", title=ward.name, tag_text=words("Part"), pressable=True)
            row.test_id = f"ward-{ward.user_id}"
            title = words("Part from {name}?", name=ward.name)
            row.bind(
                on_release=lambda _row, title=title, ward=ward: self._ask(
                    title, lambda: self._account.release_ward(ward.user_id)
                )
            )
            card.add_widget(row)
        return [Section(title=words("My children")), card]

    def _code_card(self) -> Widget:
        words, code, card = self.words, self._account.guardian_code, Card(spacing=dp(12))
        card.add_widget(Text(text=words("For a child under 14"), style="section"))
        card.add_widget(
            Text(text=words("The child's app asks for a code from you when it opens an account."), tone="ink2")
        )
        if code is not None and code.until > self.client.clock.now():
            card.add_widget(Text(text=code.code, style="code", test_id="guardian-code"))
            until = words("Counts until {time}.", time=words.when(code.until))
            card.add_widget(Text(text=until, style="small", tone="ink2"))
        else:
            button = FilledButton(text=words("Make a code"), icon="qr-code", test_id="make-code")
            button.bind(on_release=lambda _button: self.run(self._account.make_guardian_code()))
            card.add_widget(button)
        return card

    def _join_card(self) -> Widget:
        words, card = self.words, Card(spacing=dp(12))
        card.add_widget(Text(text=words("I have a guardian"), style="section"))
        field = Field(label=words("Code from a guardian's app"), test_id="join-code")
        card.add_widget(field)
        button = OutlineButton(text=words("Join"), test_id="join")
        button.bind(on_release=lambda _button: field.text.strip() and self.run(self._account.join_guardian(field.text)))
        card.add_widget(button)
        return card

    def _ask(self, title: str, act: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        words = self.words
        text = words("Points that were earned stay with who earned them.")
        dialog = Dialog(title=title, text=text, test_id="part-dialog")
        dialog.confirm_text, dialog.cancel_text = words("Part"), words("Stay")
        dialog.bind(on_confirm=lambda _dialog: self.run(act()))
        dialog.open(self)
