"""One's own account for programs: the app's sign-in, one's own data, consents, requests and guardians."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from cloud_sync.server import auth
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.people import (
    consents,
    data_requests,
    erasure,
    export,
    guardians,
    personal,
    registering,
    terms,
    tokens,
)
from cloud_sync.server.people.consents import ConsentRecord
from cloud_sync.server.people.data_requests import DataRequest, RequestKind
from cloud_sync.server.people.idempotency import IdempotencyKey
from cloud_sync.server.people.limits import HOUR_S, limit
from cloud_sync.server.people.personal import Look, PersonalData
from cloud_sync.server.people.terms import Consent, Terms
from cloud_sync.server.people.tokens import TokenPair
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import PUBLIC, Role
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=API)
Given = Annotated[Services, Depends(services)]
Language = Annotated[str, Field(pattern="^(zh|en)$")]
Name = Annotated[str, Field(max_length=64)]
Username = Annotated[str, Field(min_length=2, max_length=64, pattern=r"^[\w.@+-]+$")]
Password = Annotated[str, Field(max_length=256)]
Phone = Annotated[str, Field(max_length=32, pattern=r"^(\+?[0-9][0-9 -]{4,30})?$")]
Email = Annotated[str, Field(max_length=200, pattern=r"^([^@\s]+@[^@\s]+\.[^@\s]+)?$")]
Limit = Annotated[int, Query(ge=1, le=500)]


class RegisterBody(BaseModel):
    """A visitor's or driver's new account. A child's takes `born_on` and a `guardian_code`."""

    username: Username
    password: Password
    role: Role
    consent_version: str = Field(max_length=32)
    consents: tuple[Consent, ...] = Field(max_length=8)
    name: Name = ""
    language: Language = "zh"
    phone: Phone = ""
    email: Email = ""
    born_on: date | None = None
    is_old_enough: bool = False
    guardian_code: str = Field(default="", max_length=16)
    device: str = Field(default="", max_length=100)


class AppSignIn(BaseModel):
    """Name and password, and what the phone calls itself."""

    username: str = Field(max_length=64)
    password: Password
    device: str = Field(default="", max_length=100)


class TokenBody(BaseModel):
    """A token."""

    token: str = Field(max_length=200)


class RefreshBody(BaseModel):
    """A refresh token."""

    refresh_token: str = Field(max_length=200)


class Correction(BaseModel):
    """Other values for one's own data; what is left out stays."""

    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    phone: Phone | None = None
    email: Email | None = None
    language: Language | None = None


class PasswordBody(BaseModel):
    """A password."""

    password: Password


class ConsentBody(BaseModel):
    """Agrees to a purpose, or withdraws."""

    purpose: Consent
    given: bool
    language: Language = "zh"


class CodeBody(BaseModel):
    """A guardian's code."""

    code: str = Field(max_length=16)


class CodeMade(BaseModel):
    """A guardian's code and until when it works."""

    code: str
    until: datetime


class RequestBody(BaseModel):
    """What a person asks for about their data."""

    kind: RequestKind
    message: Annotated[str, Field(min_length=1, max_length=2000)]


class RequestMade(BaseModel):
    """A request's number."""

    request_id: str


# ---------------------------------------------------------------- the app's sign-in


@router.get("/people/terms", tags=["me"])
async def shown_terms(given: Given, language: Annotated[str, Query(pattern="^(zh|en)$")] = "zh") -> Terms:
    """What an account is for, what is kept and for how long, and the version to agree to."""
    return await terms.shown(given.pool, language, now=given.clock())


@router.post("/auth/register", status_code=201, tags=["session"])
async def register(body: RegisterBody, request: Request, given: Given) -> TokenPair:
    """Opens an account and signs the app in."""
    auth.check_origin(request, given)
    new = registering.Registration(**body.model_dump())
    _, pair = await registering.register(given, new, remote=remote_of(request))
    return pair


@router.post("/auth/token", tags=["session"])
async def sign_in(body: AppSignIn, request: Request, given: Given) -> TokenPair:
    """Signs the app in. For the public's roles; staff work on the console."""
    auth.check_origin(request, given)
    row = await auth.checked_account(given, body.username, body.password, remote=remote_of(request))
    if Role(row["role"]) not in PUBLIC:
        raise Problem("forbidden")
    async with given.pool.acquire() as connection, connection.transaction():
        return await tokens.open_family(given, connection, str(row["user_id"]), body.device)


@router.post("/auth/refresh", tags=["session"])
async def refresh(body: RefreshBody, request: Request, given: Given) -> TokenPair:
    """The next pair; the old refresh token has done its work."""
    return await tokens.refresh(given, body.refresh_token, remote=remote_of(request))


@router.post("/auth/revoke", status_code=204, tags=["session"])
async def revoke(body: TokenBody, given: Given) -> None:
    """Signs the app out. A token of nobody's is no error."""
    await tokens.revoke(given, body.token)


@router.post("/auth/sign-out-everywhere", status_code=204, tags=["session"])
async def sign_out_everywhere(user: auth.AnyPerson, given: Given, request: Request) -> None:
    """Ends every session and every token of the person, this one too."""
    await tokens.sign_out_everywhere(given, actor_of(user, request), user.user_id)


# ---------------------------------------------------------------- one's own data


@router.get("/me", tags=["me"])
async def me(user: auth.AnyPerson, given: Given) -> PersonalData:
    """What the account holds about its owner."""
    async with given.reading() as db:
        return await personal.personal_data(db, user.user_id)


@router.patch("/me", tags=["me"])
async def correct(body: Correction, user: auth.AnyPerson, given: Given, request: Request) -> PersonalData:
    """Corrects one's own data. Phone and e-mail need the consent `contact`."""
    changes = {name: value for name, value in body.model_dump().items() if value is not None}
    await personal.correct(given, actor_of(user, request), user.user_id, changes)
    return await personal.personal_data(given.pool, user.user_id)


@router.get("/me/export", tags=["me"])
async def own_copy(user: auth.AnyPerson, given: Given, response: Response) -> dict[str, Any]:
    """A copy of everything that is kept about the person."""
    await limit(given, f"export/{user.user_id}", given.config.limits.exports_per_hour, HOUR_S)
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return await export.copy_of(given.pool, user.user_id, at=given.clock())


@router.post("/me/delete", status_code=204, tags=["me"])
async def delete(body: PasswordBody, user: auth.AnyPerson, given: Given, request: Request, response: Response) -> None:
    """Deletes the account: it becomes anonymous for ever; ledgers keep its bare id. Accounts of staff stay."""
    await erasure.delete_own(given, user.user_id, user.username, body.password, remote=remote_of(request))
    auth.clear_cookie(response, given)


@router.get("/me/access-log", tags=["me"])
async def access_log(
    user: auth.AnyPerson,
    given: Given,
    before_id: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    limit: Limit = 50,
) -> tuple[Look, ...]:
    """Who looked at my data, when and why."""
    return await personal.access_log(given.pool, user.user_id, before_id=before_id, limit=limit)


@router.get("/me/consents", tags=["me"])
async def own_consents(user: auth.AnyPerson, given: Given) -> tuple[ConsentRecord, ...]:
    """What the person agreed to, in which version."""
    return await consents.held(given.pool, user.user_id)


@router.put("/me/consents", tags=["me"])
async def change_consent(
    body: ConsentBody, user: auth.AnyPerson, given: Given, request: Request
) -> tuple[ConsentRecord, ...]:
    """Agrees to the current text of a purpose, or withdraws."""
    actor = actor_of(user, request)
    async with given.pool.acquire() as connection, connection.transaction():
        await consents.change(
            connection,
            actor,
            user.user_id,
            body.purpose,
            given=body.given,
            language=body.language,
            at=given.clock(),
        )
        return await consents.held(connection, user.user_id)


@router.get("/me/requests", tags=["me"])
async def own_requests(user: auth.AnyPerson, given: Given) -> tuple[DataRequest, ...]:
    """What the person asked for, and the answers."""
    return await data_requests.of_person(given.pool, user.user_id)


@router.post("/me/requests", status_code=201, tags=["me"], response_model=RequestMade)
async def ask(
    body: RequestBody, user: auth.AnyPerson, given: Given, request: Request, key: IdempotencyKey = None
) -> JSONResponse:
    """Asks for what needs a person."""
    actor = actor_of(user, request)
    made = await data_requests.ask(given, actor, user.user_id, kind=body.kind, message=body.message, key=key)
    return made.response()


@router.post("/me/guardian-code", status_code=201, tags=["me"])
async def guardian_code(user: auth.AnyPerson, given: Given) -> CodeMade:
    """A code that a child's account is opened or joined with."""
    code, until = await guardians.make_code(given, user.user_id)
    return CodeMade(code=code, until=until)


@router.put("/me/guardian", status_code=204, tags=["me"])
async def join_guardian(body: CodeBody, user: auth.AnyPerson, given: Given, request: Request) -> None:
    """Joins the account to the guardian of a code."""
    await guardians.join(given, actor_of(user, request), user.user_id, body.code)


@router.delete("/me/guardian", status_code=204, tags=["me"])
async def leave_guardian(user: auth.AnyPerson, given: Given, request: Request) -> None:
    """Parts from the guardian, from 14 on."""
    await guardians.leave(given, actor_of(user, request), user.user_id)


@router.delete("/me/wards/{ward_id}", status_code=204, tags=["me"])
async def release_ward(ward_id: str, user: auth.AnyPerson, given: Given, request: Request) -> None:
    """Parts from a child."""
    await guardians.release(given, actor_of(user, request), user.user_id, ward_id)
