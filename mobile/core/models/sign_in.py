"""Coming in: owns what is filled in to sign in or to open an account, and what is wrong with it before it is sent.

What was typed is kept while the app lives, also when the network was away; a password is kept nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from mobile.core.api.people import Registration, Terms
from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.shown import Model, Trouble, trouble_of
from mobile.core.signal import Signal
from mobile.core.words import N_, Words

if TYPE_CHECKING:
    from mobile.core.client import Client

CHILD_UNDER_YEARS = 14  # Personal Information Protection Law, art. 31
PASSWORD_LEAST = 10  # as the server asks for
USERNAME_LEAST, USERNAME_MOST = 2, 64


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a field, in English; `words(mistake.message)` says it."""

    field: str
    message: str


class TermsText(Model[Terms]):
    """What one agrees to, in the app's language."""

    answer = Terms
    fresh_s = 3600.0

    def __init__(self, client: Client) -> None:
        self.cache_key = f"terms/{client.words.language}"
        super().__init__(client)

    async def fetch(self) -> Terms:
        """From the server."""
        return await self.client.api.people.terms(self.client.words.language)


class SignIn:
    """Signing in. `problem` is why the last try failed."""

    def __init__(self, client: Client) -> None:
        self.changed = Signal()
        self.username = ""
        self.problem: Trouble | None = None
        self.is_busy = False
        self._client = client

    @property
    def ended(self) -> str:
        """Why the person was signed out, as a sentence; "" when they were not."""
        return ended_sentence(self._client.session.ended, self._client.words)

    async def go(self, username: str, password: str, device: str = "") -> bool:
        """Signs in; whether that worked. A second tap while it runs does nothing."""
        if self.is_busy:
            return False
        self.username = username.strip()
        self._show(None, is_busy=True)
        try:
            await self._client.session.sign_in(self.username, password, device)
        except (ApiProblem, Offline, StoreError) as error:
            self._show(trouble_of(error), is_busy=False)
            return False
        self._show(None, is_busy=False)
        return True

    def _show(self, problem: Trouble | None, *, is_busy: bool) -> None:
        self.problem, self.is_busy = problem, is_busy
        self.changed.emit()


def ended_sentence(code: str, words: Words) -> str:
    """Why the server ended a sign-in."""
    if not code:
        return ""
    if code == "token_reused":
        return words("Your sign-in was used elsewhere and was ended for safety. Sign in again; nothing is lost.")
    return words("Your sign-in has ended. Sign in again; nothing is lost.")


@dataclass(kw_only=True)
class NewAccount:
    """What is filled in to open an account."""

    username: str = ""
    name: str = ""
    born_on: date | None = None
    is_old_enough: bool = False
    guardian_code: str = ""
    phone: str = ""
    email: str = ""
    agrees_terms: bool = False
    agrees_contact: bool = False

    def is_child(self, today: date) -> bool:
        """Whether a guardian has to open it with them."""
        return self.born_on is not None and age_years(self.born_on, today) < CHILD_UNDER_YEARS

    def mistakes(self, password: str, today: date) -> tuple[Mistake, ...]:
        """What is wrong, the first field first."""
        found = [
            (not USERNAME_LEAST <= len(self.username) <= USERNAME_MOST, "username", N_("2 to 64 characters.")),
            (not _is_name(self.username), "username", N_("Letters, digits and . _ @ + - only.")),
            (len(password) < PASSWORD_LEAST, "password", N_("At least 10 characters.")),
            (password.casefold() == self.username.casefold(), "password", N_("Not the same as the name.")),
            (self.born_on is not None and self.born_on > today, "born_on", N_("This day has not come yet.")),
            (
                self.born_on is None and not self.is_old_enough,
                "is_old_enough",
                N_("Say that you are 14 or older, or give your date of birth."),
            ),
            (
                self.is_child(today) and not self.guardian_code.strip(),
                "guardian_code",
                N_("Under 14, a guardian gives you a code from their app."),
            ),
            (not self.agrees_terms, "agrees_terms", N_("Without this there is no account.")),
        ]
        seen: dict[str, str] = {}
        for is_wrong, field, message in found:
            if is_wrong:
                seen.setdefault(field, message)
        return tuple(Mistake(field, message) for field, message in seen.items())


def _is_name(text: str) -> bool:
    return all(one.isalnum() or one in "._@+-" for one in text)


def age_years(born_on: date, today: date) -> int:
    """Full years; who was born on 29 February is older on 1 March."""
    return today.year - born_on.year - ((today.month, today.day) < (born_on.month, born_on.day))


class Register:
    """Opening an account. `filled` stays while the app lives; `mistakes` and `problem` are of the last try."""

    def __init__(self, client: Client) -> None:
        self.changed = Signal()
        self.terms = TermsText(client)
        self.filled = NewAccount()
        self.mistakes: tuple[Mistake, ...] = ()
        self.problem: Trouble | None = None
        self.is_busy = False
        self._client = client

    async def go(self, password: str, device: str = "") -> bool:
        """Opens the account and signs in; whether that worked."""
        if self.is_busy:
            return False
        self.mistakes, self.problem = self.filled.mistakes(password, self._client.words.today()), None
        if self.mistakes:
            self.changed.emit()
            return False
        self.is_busy = True
        self.changed.emit()
        try:
            await self._client.session.register(await self._registration(password, device))
        except (ApiProblem, Offline, StoreError) as error:
            self.problem = trouble_of(error)
            return False
        else:
            return True
        finally:
            self.is_busy = False
            self.changed.emit()

    async def _registration(self, password: str, device: str) -> Registration:
        """With the version of the terms that was on the screen; without one there was nothing to agree to."""
        if self.terms.shown.value is None:
            self.terms.put(await self.terms.fetch())
        terms, filled = self.terms.shown.value, self.filled
        assert terms is not None
        return Registration(
            username=filled.username.strip(),
            password=password,
            role=self._client.role,
            consent_version=terms.version,
            consents=("terms", "contact") if filled.agrees_contact else ("terms",),
            name=filled.name.strip(),
            language=self._client.words.language,
            phone=filled.phone.strip() if filled.agrees_contact else "",
            email=filled.email.strip() if filled.agrees_contact else "",
            born_on=filled.born_on,
            is_old_enough=filled.is_old_enough,
            guardian_code=filled.guardian_code.strip(),
            device=device,
        )
