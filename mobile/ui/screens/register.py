"""Opening an account: owns the page that says what is kept and why, and asks for no more than that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from kivy.metrics import dp
from kivy.uix.widget import Widget

from mobile.core.models.sign_in import Register as RegisterModel
from mobile.ui.kit import Card, CheckRow, Field, FilledButton, Note, Text
from mobile.ui.screens.page import Page


class Register(Page):
    """Needed first, then what one may add."""

    has_bar = False

    @property
    def title(self) -> str:
        return self.words("Open an account")

    def opened(self) -> None:
        self.register = RegisterModel(self.client)
        self.watch(self.register.changed)
        self.watch(self.register.terms.changed)
        self._password = ""

    def on_shown(self) -> None:
        self.run(self.register.terms.refresh_if_old())

    def closed(self) -> None:
        self.register.terms.close()

    # ------------------------------------------------------------ widgets

    def parts(self) -> Sequence[Widget]:
        words, filled = self.words, self.register.filled
        wrong = {one.field: words(one.message) for one in self.register.mistakes}
        parts: list[Widget] = [
            self._field("username", words("Name of the account"), wrong, icon="user-round"),
            self._password_field(wrong),
            self._field("name", words("How shall we call you? (may stay empty)"), wrong, icon="contact"),
        ]
        parts += self._age(wrong)
        parts += [self._terms(), self._tick("agrees_terms", words("I have read it and agree"), wrong)]
        contact = words("You may reach me about my account (phone or e-mail, may be withdrawn)")
        parts.append(self._tick("agrees_contact", contact, wrong, redraws=True))
        if filled.agrees_contact:
            parts.append(self._field("phone", words("Phone"), wrong, icon="phone", input_type="tel"))
            parts.append(self._field("email", words("E-mail"), wrong, icon="mail", input_type="mail"))
        seen = {part.test_id for part in parts}
        for name in wrong.keys() - seen:
            parts.append(Note(text=wrong[name], icon="circle-alert", tone="refuse", test_id=f"wrong-{name}"))
        problem = self.register.problem
        if problem is not None:
            parts.append(Note(text=problem.said(words), icon="circle-alert", tone="refuse", test_id="failed"))
        button = FilledButton(text=words("Open the account"), busy=self.register.is_busy, test_id="open-account")
        button.bind(on_release=lambda _button: self.run(self.register.go(self._password), outlives=True))
        return [*parts, button]

    def _field(self, name: str, label: str, wrong: dict[str, str], **more: str) -> Field:
        field = Field(label=label, text=getattr(self.register.filled, name), error=wrong.get(name, ""), **more)
        field.test_id = name
        field.bind(on_typed=lambda _field, text: setattr(self.register.filled, name, text))
        return field

    def _password_field(self, wrong: dict[str, str]) -> Field:
        field = Field(label=self.words("Password"), text=self._password, password=True, icon="key-round")
        field.helper, field.error = self.words("At least 10 characters."), wrong.get("password", "")
        field.test_id = "password"
        field.bind(on_typed=lambda _field, text: setattr(self, "_password", text))
        return field

    def _age(self, wrong: dict[str, str]) -> list[Widget]:
        words, filled = self.words, self.register.filled
        parts: list[Widget] = [
            self._tick("is_old_enough", words("I am 14 or older"), wrong, redraws=True),
        ]
        if filled.is_old_enough:
            return parts
        born = Field(label=words("Date of birth"), hint="2014-05-31", icon="calendar", test_id="born_on")
        born.text = "" if filled.born_on is None else filled.born_on.isoformat()
        born.error = wrong.get("born_on", "")
        born.bind(on_leave=lambda field: self._take_day(field))
        parts.append(born)
        guardian = self._field("guardian_code", words("Code from a guardian's app"), wrong, icon="users")
        guardian.helper = words("Under 14, a guardian makes a code under Me, Guardian and children.")
        return [*parts, guardian]

    def _take_day(self, field: Field) -> None:
        try:
            self.register.filled.born_on = date.fromisoformat(field.text.strip()) if field.text.strip() else None
        except ValueError:
            field.error = self.words("Write it as 2014-05-31.")
        else:
            field.error = ""

    def _tick(self, name: str, text: str, wrong: dict[str, str], *, redraws: bool = False) -> CheckRow:
        tick = CheckRow(text=text, subtitle=wrong.get(name, ""), error=name in wrong, test_id=name)
        tick.active = getattr(self.register.filled, name)

        def take(_tick: CheckRow, active: bool) -> None:
            setattr(self.register.filled, name, active)
            if name == "is_old_enough" and active:
                # Their fields go, and what nobody sees is not sent.
                self.register.filled.born_on, self.register.filled.guardian_code = None, ""
            if redraws:
                self.redraw()

        tick.bind(active=take)
        return tick

    def _terms(self) -> Widget:
        terms = self.register.terms.shown.value
        if terms is None:
            return self.waiting_for(self.register.terms, kind="card", rows=1)[0]
        card = Card(spacing=dp(8), test_id="terms")
        card.add_widget(Text(text=self.words("What is kept, and why"), style="section"))
        for one in terms.purposes:
            card.add_widget(Text(text=one.title, style="strong"))
            card.add_widget(Text(text=f"{one.data}\n{one.basis}\n{one.kept}", style="small", tone="ink2"))
        return card
