"""One's account: owns what the person sees of their own data, and every right they have over it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile.core.api.people import ConsentRecord, DataRequest, GuardianCode, Look, PersonalData
from mobile.core.errors import ApiProblem, Offline, StoreError
from mobile.core.files import write_whole
from mobile.core.paged import PagedModel
from mobile.core.repeats import RepeatKey
from mobile.core.shown import Model, Trouble, trouble_of

if TYPE_CHECKING:
    from mobile.core.client import Client

_LOG_PAGE = 50


class Account(Model[PersonalData]):
    """The account with its consents, guardian and children. `act_problem` is why the last act failed."""

    cache_key = "account/me"
    answer = PersonalData

    def __init__(self, client: Client) -> None:
        self.act_problem: Trouble | None = None
        self.guardian_code: GuardianCode | None = None
        self._ask_key = RepeatKey()
        super().__init__(client)

    async def fetch(self) -> PersonalData:
        """From the server."""
        return await self.client.api.people.me()

    def consent(self, purpose: str) -> ConsentRecord | None:
        """What holds for a purpose."""
        found = self.shown.value.consents if self.shown.value else ()
        return next((one for one in found if one.purpose == purpose), None)

    # ------------------------------------------------------------ acts; each says whether it worked

    async def correct(self, **values: str) -> bool:
        """Other name, phone, email or language."""
        me = await self._act(self.client.api.people.correct(**values))
        if me is None:
            return False
        self.put(me)
        return True

    async def set_consent(self, purpose: str, *, given: bool) -> bool:
        """Agrees to a purpose, or withdraws; what was given for it goes at once."""
        language = self.client.words.language
        if await self._act(self.client.api.people.change_consent(purpose, given=given, language=language)) is None:
            return False
        await self.refresh()
        return True

    async def make_guardian_code(self) -> bool:
        """A code for a child's phone, shown until it ends."""
        self.guardian_code = await self._act(self.client.api.people.guardian_code())
        self.changed.emit()
        return self.guardian_code is not None

    async def join_guardian(self, code: str) -> bool:
        """Joins the account to a guardian."""
        return await self._done(self.client.api.people.join_guardian(code.strip()))

    async def leave_guardian(self) -> bool:
        """Parts from the guardian."""
        return await self._done(self.client.api.people.leave_guardian())

    async def release_ward(self, ward_id: str) -> bool:
        """Parts from a child."""
        return await self._done(self.client.api.people.release_ward(ward_id))

    async def ask_office(self, kind: str, message: str) -> bool:
        """A request about one's data that needs a person; the same again after a lost answer is the same one."""
        key = self._ask_key.of(kind, message)
        if await self._act(self.client.api.people.ask(kind=kind, message=message, key=key)) is None:
            return False
        self._ask_key.taken()
        return True

    async def export_to(self, folder: Path) -> Path | None:
        """Writes a copy of everything that is kept; where it lies, None when that failed."""
        copy = await self._act(self.client.api.people.export())
        if copy is None:
            return None
        path = folder / f"my-data-{self.client.words.today().isoformat()}.json"
        content = json.dumps(copy, ensure_ascii=False, indent=2).encode()
        written = await self._act(asyncio.to_thread(_written, path, content))
        return path if written else None

    async def sign_out(self) -> None:
        """Ends the sign-in on this phone; what was seen and what waits stays for the same person."""
        await self.client.session.sign_out()

    async def sign_out_everywhere(self) -> bool:
        """Ends every sign-in."""
        return await self._act(_true(self.client.session.sign_out_everywhere())) is not None

    async def delete(self, password: str) -> bool:
        """Deletes the account for good, on the server and on this phone."""
        return await self._act(_true(self.client.session.delete(password))) is not None

    async def _done(self, call: Awaitable[None]) -> bool:
        if await self._act(_true(call)) is None:
            return False
        await self.refresh()
        return True

    async def _act(self, call: Awaitable[Any]) -> Any:
        """The answer, or None with `act_problem`."""
        self.act_problem = None
        try:
            return await call
        except (ApiProblem, Offline, StoreError) as error:
            self.act_problem = trouble_of(error)
            self.changed.emit()
            return None


async def _true(call: Awaitable[None]) -> bool:
    await call
    return True


def _written(path: Path, content: bytes) -> bool:
    write_whole(path, content)
    return True


class AccessLog(PagedModel[Look]):
    """Who looked at my data, the newest first."""

    cache_key = "account/access-log"
    item = Look

    def outlasts(self, added: tuple[Look, ...]) -> bool:
        """What was written down is never changed."""
        return True

    async def fetch_page(self, cursor: int | None) -> tuple[tuple[Look, ...], int | None]:
        """From the server; a full page may have another one after it."""
        found = await self.client.api.people.access_log(before_id=cursor, limit=_LOG_PAGE)
        return found, found[-1].audit_id if len(found) == _LOG_PAGE else None


class DataRequests(Model[tuple[DataRequest, ...]]):
    """What the person asked the office about their data, and the answers."""

    cache_key = "account/requests"
    answer = tuple[DataRequest, ...]

    async def fetch(self) -> tuple[DataRequest, ...]:
        """From the server."""
        return await self.client.api.people.requests()
