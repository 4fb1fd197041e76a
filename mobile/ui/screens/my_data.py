"""One's own data: owns the page of every right over it: see, correct, agree or withdraw, copy, ask, delete."""

from __future__ import annotations

from collections.abc import Sequence

from kivy.uix.widget import Widget

from mobile.core.api.people import PersonalData
from mobile.core.models.account import AccessLog, Account, DataRequests
from mobile.core.models.sign_in import TermsText
from mobile.core.words import N_
from mobile.ports.papers import JSON
from mobile.ui.kit import (
    Card,
    CardList,
    Dialog,
    Field,
    FilledButton,
    Note,
    OptionList,
    OutlineButton,
    Row,
    Section,
    Sheet,
    Text,
    ToggleRow,
)
from mobile.ui.screens.page import Page

_KINDS = (
    ("question", N_("I have a question")),
    ("correction", N_("Something should be corrected")),
    ("deletion", N_("Something should be deleted")),
    ("objection", N_("I object to a use")),
)
_ACTIONS = (
    ("export", N_("copied it")),
    ("open", N_("opened it")),
    ("search", N_("searched for it")),
    ("", N_("changed or used it")),
)
_ROLES = {
    "guard": N_("A guard"),
    "operator": N_("An operator"),
    "reviewer": N_("The office"),
    "approver": N_("The office"),
    "auditor": N_("The auditor"),
    "engineer": N_("An engineer"),
    "merchant": N_("A merchant"),
}


class MyData(Page):
    """Everything of the account, and what one may do with it."""

    @property
    def title(self) -> str:
        return self.words("My data and consents")

    @property
    def model(self) -> Account:
        return self._account

    def opened(self) -> None:
        self._account, self._terms = Account(self.client), TermsText(self.client)
        self._looks, self._requests = AccessLog(self.client), DataRequests(self.client)
        for one in self._models():
            self.watch(one.changed)

    def _models(self) -> tuple[Account, TermsText, AccessLog, DataRequests]:
        return (self._account, self._terms, self._looks, self._requests)

    def on_shown(self) -> None:
        for one in self._models():
            self.run(one.refresh_if_old())

    def closed(self) -> None:
        for one in self._models():
            one.close()

    # ------------------------------------------------------------ widgets

    def parts(self) -> Sequence[Widget]:
        me = self._account.shown.value
        if me is None:
            return self.waiting_for(self._account)
        words, problem = self.words, self._account.act_problem
        parts: list[Widget] = []
        if problem is not None:
            parts.append(Note(text=problem.said(words), icon="circle-alert", tone="refuse", test_id="failed"))
        parts += [Section(title=words("What is kept"), note=self.age_of(self._account)), self._kept(me)]
        parts += [Section(title=words("What you agreed to")), self._consents(me)]
        parts += [Section(title=words("Who looked at it")), self._log()]
        parts += [Section(title=words("Your rights")), *self._rights()]
        return parts

    def _kept(self, me: PersonalData) -> Widget:
        words, card = self.words, CardList()
        for name, label, value in (
            ("name", words("Name"), me.name),
            ("phone", words("Phone"), me.phone),
            ("email", words("E-mail"), me.email),
        ):
            row = Row(title=label, value=value or words("not given"), chevron=True, pressable=True)
            row.test_id = f"correct-{name}"
            row.bind(on_release=lambda _row, name=name, label=label, value=value: self._correct(name, label, value))
            card.add_widget(row)
        card.add_widget(Row(title=words("Account"), value=me.username))
        if me.born_on is not None:
            card.add_widget(Row(title=words("Date of birth"), value=me.born_on.isoformat()))
        card.add_widget(Row(title=words("Opened"), value=words.stamp(me.created_at)[:10]))
        return card

    def _consents(self, me: PersonalData) -> Widget:
        words, card = self.words, CardList()
        titles = {one.consent: one for one in self._terms.shown.value.purposes} if self._terms.shown.value else {}
        for one in me.consents:
            text = titles.get(one.purpose)
            row = ToggleRow(icon="handshake", active=one.given, test_id=f"consent-{one.purpose}")
            row.title = text.title if text is not None else words("The terms of the account")
            row.subtitle = words("since {day}, version {version}", day=words.day(one.at), version=one.version)
            row.bind(active=lambda _row, given, purpose=one.purpose: self._ask_consent(purpose, given=given))
            card.add_widget(row)
        if not any(one.purpose == "contact" for one in me.consents):
            row = ToggleRow(icon="handshake", active=False, test_id="consent-contact")
            row.title, row.subtitle = words("You may reach me"), words("By phone or e-mail, about the account")
            row.bind(active=lambda _row, given: self._consent("contact", given=given))
            card.add_widget(row)
        return card

    def _ask_consent(self, purpose: str, *, given: bool) -> None:
        """Withdrawing deletes what was given for the purpose: asked first."""
        me, words = self._account.shown.value, self.words
        if given or purpose != "contact" or me is None or not (me.phone or me.email):
            self._consent(purpose, given=given)
            return
        text = words("Your phone number and e-mail are deleted at once, here and on the server.")
        dialog = Dialog(title=words("No longer reach you?"), text=text, kind="refuse", test_id="withdraw-dialog")
        dialog.confirm_text, dialog.cancel_text = words("Delete them"), words("Leave it on")
        dialog.bind(on_confirm=lambda _dialog: self._consent(purpose, given=False))
        dialog.bind(on_cancel=lambda _dialog: self.redraw())  # the switch goes back
        dialog.open(self)

    def _consent(self, purpose: str, *, given: bool) -> None:
        async def change() -> None:
            if not await self._account.set_consent(purpose, given=given):
                self.redraw()  # the switch goes back

        self.run(change())

    def _log(self) -> Widget:
        words, shown = self.words, self._looks.shown
        if not shown.value:
            text = words("Nobody but you has opened your data.") if shown.value == () else words("Not loaded yet.")
            card = Card()
            card.add_widget(Text(text=text, style="small", tone="ink2"))
            return card
        card = CardList(test_id="looks")
        for one in shown.value:
            what = next(words(said) for part, said in _ACTIONS if part in one.action)
            who = words(_ROLES.get(one.by_role, N_("The island's system")))
            row = Row(icon="eye", title=f"{who} {what}", subtitle=one.why, value=words.when(one.at))
            card.add_widget(row)
        return card

    def _rights(self) -> list[Widget]:
        words = self.words
        card = CardList()
        for name, icon, label, act in (
            ("export", "download", words("A copy of all my data"), lambda: self.run(self._export())),
            ("ask", "message-circle", words("Ask the office about my data"), self._ask),
            ("everywhere", "smartphone", words("Sign out on all phones"), self._everywhere),
        ):
            row = Row(icon=icon, title=label, chevron=True, pressable=True, test_id=name)
            row.bind(on_release=lambda _row, act=act: act())
            card.add_widget(row)
        for request in self._requests.shown.value or ():
            row = Row(icon="mail", title=request.message, subtitle=request.answer, lines=4)
            row.value = words.day(request.answered_at or request.due_at)
            card.add_widget(row)
        delete = OutlineButton(text=words("Delete my account"), icon="trash-2", kind="refuse", test_id="delete")
        delete.bind(on_release=lambda _button: self._delete())
        return [card, delete]

    # ------------------------------------------------------------ acts

    def _correct(self, name: str, label: str, value: str) -> None:
        words = self.words
        sheet = Sheet(title=label, close_label=words("Close"), test_id="correct-sheet")
        field = Field(label=label, text=value, test_id="correct-text")
        button = FilledButton(text=words("Save"), test_id="correct-save")

        async def save() -> None:
            if button.busy:
                return
            button.busy = True
            if await self._account.correct(**{name: field.text.strip()}):
                sheet.close()
            else:
                button.busy = False
                problem = self._account.act_problem
                field.error = "" if problem is None else problem.sentence(words)

        button.bind(on_release=lambda _button: self.run(save()))
        sheet.body.add_widget(field)
        sheet.body.add_widget(button)
        sheet.open(self)

    async def _export(self) -> None:
        path = await self._account.export_to(self.client.papers_dir)
        if path is not None:
            await self.app.hand_over(path, JSON)

    def _ask(self) -> None:
        words = self.words
        sheet = Sheet(title=words("Ask the office about my data"), close_label=words("Close"), test_id="ask-sheet")
        kind = OptionList(options=[(key, words(label)) for key, label in _KINDS], value="question", test_id="ask-kind")
        field = Field(label=words("What do you want?"), multiline=True, max_chars=500, test_id="ask-text")
        button = FilledButton(text=words("Send"), icon="send", test_id="ask-send")

        async def send() -> None:
            if not field.text.strip():
                field.error = words("This is needed.")
            elif not button.busy:
                await asked()

        async def asked() -> None:
            button.busy = True
            is_taken = await self._account.ask_office(kind.value, field.text.strip())
            button.busy = False
            if is_taken:
                sheet.close()
                self.say(words("The office will answer. You see it here."), icon="check")
                await self._requests.refresh()
            elif self._account.act_problem is not None:
                field.error = self._account.act_problem.said(words)

        button.bind(on_release=lambda _button: self.run(send()))
        for part in (kind, field, button):
            sheet.body.add_widget(part)
        sheet.open(self)

    def _everywhere(self) -> None:
        words = self.words
        dialog = Dialog(title=words("Sign out on all phones?"), text=words("Also on this one. Nothing is lost."))
        dialog.confirm_text, dialog.cancel_text = words("Sign out"), words("Stay")
        dialog.bind(on_confirm=lambda _dialog: self.run(self._account.sign_out_everywhere(), outlives=True))
        dialog.open(self)

    def _delete(self) -> None:
        words = self.words
        sheet = Sheet(title=words("Delete my account"), close_label=words("Close"), test_id="delete-sheet")
        text = words(
            "Your name, contacts and codes go at once and for good, also from this phone. Points are lost. What the law"
            " wants kept stays without your name."
        )
        field = Field(label=words("Your password, to be sure"), password=True, test_id="delete-password")
        button = FilledButton(text=words("Delete for good"), icon="trash-2", kind="refuse", test_id="delete-yes")

        async def delete() -> None:
            if button.busy:
                return
            button.busy = True
            is_deleted = await self._account.delete(field.text)
            button.busy = False
            if not is_deleted and self._account.act_problem is not None:
                field.error = self._account.act_problem.sentence(words)
            else:
                sheet.close()

        button.bind(on_release=lambda _button: self.run(delete(), outlives=True))
        for part in (Text(text=text, tone="ink2"), field, button):
            sheet.body.add_widget(part)
        sheet.open(self)
