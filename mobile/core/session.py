"""Who is signed in: owns sign-in, registration and sign-out, and that each account has its own part of the phone.

When the server ends a sign-in, what was seen and what waits stays, and the same person finds it after signing in again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from mobile.core.api.calling import TokenPair
from mobile.core.api.island import Api
from mobile.core.api.parsing import parse, plain
from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.files import Files
from mobile.core.secrets_file import SecretsFile
from mobile.core.signal import Signal
from mobile.core.store import NOBODY, Store

if TYPE_CHECKING:
    from mobile.core.api.people import Registration

# What the app of a role needs its person to be allowed.
NEEDS = {"visitor": "earn", "driver": "apply"}


@dataclass(frozen=True, slots=True)
class Person:
    """Who is signed in. `account_id` names them on this phone, for one server."""

    account_id: str
    user_id: str
    username: str
    name: str
    role: str
    may: tuple[str, ...]


class Session:
    """Signs in and out. `leaving` is awaited before the tokens of a person go, so that nothing is sent as another."""

    def __init__(self, api: Api, secrets: SecretsFile, store: Store, files: Files, *, base_url: str, role: str) -> None:
        self.changed = Signal()
        self.leaving: list[Callable[[], Awaitable[None]]] = []
        self._api = api
        self._secrets = secrets
        self._store = store
        self._files = files
        self._base_url = base_url
        self._role = role
        self._take_over()
        secrets.changed.connect(self._changed)

    @property
    def person(self) -> Person | None:
        """Who is signed in; after the server ended that (`ended`), still whose screens are shown."""
        kept = self._secrets.person
        return None if kept is None else parse(Person, kept)

    @property
    def is_signed_in(self) -> bool:
        """Whether calls are signed."""
        return self._secrets.held is not None and self._secrets.person is not None

    @property
    def ended(self) -> str:
        """Why the server ended the sign-in, "" when it did not."""
        return self._secrets.why_ended

    def _changed(self) -> None:
        self._take_over()
        self.changed.emit()

    def _take_over(self) -> None:
        person = self.person
        self._store.account = NOBODY if person is None else person.account_id

    # ------------------------------------------------------------ in

    async def sign_in(self, username: str, password: str, device: str = "") -> Person:
        """Signs in. Raises ApiProblem (`wrong_credentials`, `role_differs`), Offline or StoreError."""
        await self._leave()
        try:
            return await self._enter(await self._api.people.sign_in(username, password, device))
        finally:
            self.changed.emit()

    async def register(self, new: Registration) -> Person:
        """Opens an account and signs in. Raises ApiProblem, Offline or StoreError."""
        await self._leave()
        try:
            return await self._enter(await self._api.people.register(new))
        finally:
            self.changed.emit()

    async def _enter(self, pair: TokenPair) -> Person:
        before = self._secrets.take(pair)
        self._take_over()  # until the owner is known and kept, the rows are nobody's
        try:
            me = await self._api.people.me()
        except (ApiProblem, Offline):
            self._forget(before.number)
            raise
        if NEEDS[self._role] not in me.may:
            self._forget(before.number)
            raise _role_differs()
        account_id = hashlib.sha256(f"{self._base_url}\n{me.user_id}".encode()).hexdigest()[:32]
        person = Person(account_id, me.user_id, me.username, me.name, me.role, me.may)
        try:
            self._secrets.keep(plain(asdict(person)))
        except StoreError:
            self._forget(before.number)
            raise
        return person

    def _forget(self, number: int) -> None:
        held = self._secrets.held
        if held is not None and held.number == number:
            self._secrets.drop()

    # ------------------------------------------------------------ out

    async def sign_out(self) -> None:
        """Ends the sign-in here; on the server too when it can be reached. What waits is sent after the next one."""
        await self._leave()
        held = self._secrets.held
        self._secrets.drop()
        if held is None:
            return
        try:
            await self._api.people.revoke(held.pair.refresh_token)
        except (ApiProblem, Offline):
            return  # the tokens are gone from the phone; unused, they end by themselves

    async def sign_out_everywhere(self) -> None:
        """Ends every sign-in of the person. Raises ApiProblem or Offline: then nothing has ended."""
        await self._api.people.sign_out_everywhere()
        await self._leave()
        self._secrets.drop()

    async def forget(self) -> None:
        """Signs out and removes everything of the account from this phone, also what still waits."""
        person = self.person
        await self.sign_out()
        if person is not None:
            self.remove_traces(person.account_id)

    async def delete(self, password: str) -> None:
        """Deletes the account for good, here too. Raises ApiProblem or Offline: then nothing is deleted."""
        person = self.person
        await self._api.people.delete(password)
        await self._leave()
        self._secrets.drop()
        if person is not None:
            self.remove_traces(person.account_id)

    def remove_traces(self, account_id: str) -> None:
        """Takes an account's rows and files off the phone."""
        self._store.forget_account(account_id)
        self._files.forget_account(account_id)
        self.changed.emit()

    async def _leave(self) -> None:
        for rest in self.leaving:
            await rest()


def _role_differs() -> ApiProblem:
    return ApiProblem(
        "role_differs",
        zh="这个账号不能在这里使用，请换账号，或打开另一个应用。",
        en="This account is not for this app. Use another account, or the other app.",
        status=403,
    )
