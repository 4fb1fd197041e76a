"""People: sign-in, one's own data, consents, guardians."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from mobile.core.api.calling import Caller, TokenPair


@dataclass(frozen=True, slots=True)
class PurposeText:
    """Why which data is kept, in the language that was asked for."""

    purpose: str
    title: str
    data: str
    basis: str
    kept: str
    consent: str | None
    consent_needed: bool
    keep_days: dict[str, int]


@dataclass(frozen=True, slots=True)
class Terms:
    """What an account is for; `version` is what one agrees to."""

    version: str
    language: str
    purposes: tuple[PurposeText, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A new account. Under 14 it takes `born_on` and a `guardian_code`; others say `is_old_enough`."""

    username: str
    password: str
    role: str
    consent_version: str
    consents: tuple[str, ...]
    name: str = ""
    language: str = "zh"
    phone: str = ""
    email: str = ""
    born_on: date | None = None
    is_old_enough: bool = False
    guardian_code: str = ""
    device: str = ""


@dataclass(frozen=True, slots=True)
class Relative:
    """A guardian or a child."""

    user_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """What holds for one purpose; `outdated` when the text has changed since."""

    purpose: str
    given: bool
    version: str
    language: str
    at: datetime
    by_guardian: bool
    outdated: bool


@dataclass(frozen=True, slots=True)
class PersonalData:
    """An account as its owner sees it."""

    user_id: str
    username: str
    name: str
    role: str
    org_id: str | None
    org_name: str | None
    phone: str
    email: str
    born_on: date | None
    language: str
    created_at: datetime
    may: tuple[str, ...]
    guardian: Relative | None
    wards: tuple[Relative, ...]
    consents: tuple[ConsentRecord, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody looked at, changed or exported this person's data."""

    audit_id: int
    at: datetime
    action: str
    by_role: str
    why: str


@dataclass(frozen=True, slots=True)
class DataRequest:
    """What the person asked for about their data, and the answer."""

    request_id: str
    kind: str
    message: str
    state: str
    created_at: datetime
    due_at: datetime
    answer: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class RequestMade:
    """A request's number."""

    request_id: str


@dataclass(frozen=True, slots=True)
class GuardianCode:
    """What a child's account is opened or joined with, and until when."""

    code: str
    until: datetime


class People:
    """Calls about the person."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def terms(self, language: str = "zh") -> Terms:
        """What to agree to."""
        return await self._caller.call(
            "GET", "/people/terms", query={"language": language}, answer=Terms, is_signed=False
        )

    async def register(self, new: Registration) -> TokenPair:
        """Opens an account."""
        return await self._caller.call("POST", "/auth/register", body=new, answer=TokenPair, is_signed=False)

    async def sign_in(self, username: str, password: str, device: str = "") -> TokenPair:
        """The first tokens of a sign-in."""
        body = {"username": username, "password": password, "device": device}
        return await self._caller.call("POST", "/auth/token", body=body, answer=TokenPair, is_signed=False)

    async def refresh(self, refresh_token: str) -> TokenPair:
        """The next tokens; the caller does this by itself."""
        body = {"refresh_token": refresh_token}
        return await self._caller.call("POST", "/auth/refresh", body=body, answer=TokenPair, is_signed=False)

    async def revoke(self, token: str) -> None:
        """Ends a sign-in; a token of nobody's is no error."""
        await self._caller.call("POST", "/auth/revoke", body={"token": token}, is_signed=False)

    async def sign_out_everywhere(self) -> None:
        """Ends every sign-in of the person, this one too."""
        await self._caller.call("POST", "/auth/sign-out-everywhere")

    async def me(self) -> PersonalData:
        """What the account holds."""
        return await self._caller.call("GET", "/me", answer=PersonalData)

    async def correct(
        self,
        *,
        name: str | None = None,
        phone: str | None = None,
        email: str | None = None,
        language: str | None = None,
    ) -> PersonalData:
        """Other values; what is None stays."""
        given = {"name": name, "phone": phone, "email": email, "language": language}
        body = {field: value for field, value in given.items() if value is not None}
        return await self._caller.call("PATCH", "/me", body=body, answer=PersonalData)

    async def export(self) -> dict[str, Any]:
        """A copy of everything that is kept."""
        return await self._caller.call("GET", "/me/export", answer=dict[str, Any])

    async def delete(self, password: str) -> None:
        """Deletes the account for good."""
        await self._caller.call("POST", "/me/delete", body={"password": password})

    async def access_log(self, *, before_id: int | None = None, limit: int = 50) -> tuple[Look, ...]:
        """Who looked at my data, newest first."""
        query = {"before_id": before_id, "limit": limit}
        return await self._caller.call("GET", "/me/access-log", query=query, answer=tuple[Look, ...])

    async def consents(self) -> tuple[ConsentRecord, ...]:
        """What the person agreed to."""
        return await self._caller.call("GET", "/me/consents", answer=tuple[ConsentRecord, ...])

    async def change_consent(self, purpose: str, *, given: bool, language: str) -> tuple[ConsentRecord, ...]:
        """Agrees to the current text of a purpose, or withdraws."""
        body = {"purpose": purpose, "given": given, "language": language}
        return await self._caller.call("PUT", "/me/consents", body=body, answer=tuple[ConsentRecord, ...])

    async def requests(self) -> tuple[DataRequest, ...]:
        """Requests about one's data."""
        return await self._caller.call("GET", "/me/requests", answer=tuple[DataRequest, ...])

    async def ask(self, *, kind: str, message: str, key: str) -> RequestMade:
        """Asks for what needs a person; the same key again makes no second one."""
        body = {"kind": kind, "message": message}
        return await self._caller.call("POST", "/me/requests", body=body, key=key, answer=RequestMade)

    async def guardian_code(self) -> GuardianCode:
        """A code for a child's phone."""
        return await self._caller.call("POST", "/me/guardian-code", answer=GuardianCode)

    async def join_guardian(self, code: str) -> None:
        """Joins the account to the guardian of a code."""
        await self._caller.call("PUT", "/me/guardian", body={"code": code})

    async def leave_guardian(self) -> None:
        """Parts from the guardian."""
        await self._caller.call("DELETE", "/me/guardian")

    async def release_ward(self, ward_id: str) -> None:
        """Parts from a child."""
        await self._caller.call("DELETE", "/me/wards/{ward_id}", path={"ward_id": ward_id})
