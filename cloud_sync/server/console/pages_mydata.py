"""One's own data on the console: seen, corrected, agreed to, asked about, taken along, deleted."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.console import people_words
from cloud_sync.server.console.pages_people import request_words
from cloud_sync.server.console.render import desk_page, done, words_of
from cloud_sync.server.people import consents, data_requests, erasure, guardians, personal, terms
from cloud_sync.server.people.data_requests import RequestKind
from cloud_sync.server.people.terms import Consent
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Short = Annotated[str, Form(max_length=64)]
Contact = Annotated[str, Form(max_length=200)]
Secret = Annotated[str, Form(max_length=256)]
PAGE = "/account/data"
LOOKS = 20


@router.get("/account/data")
async def my_data(request: Request, user: auth.AnyPerson, given: Given) -> Response:
    """What is kept about me, why and how long, and who looked at it."""
    words = words_of(request)
    data = await personal.personal_data(given.pool, user.user_id)
    return await desk_page(
        request,
        "account_data.html",
        user=user,
        data=data,
        agreed=dict.fromkeys(Consent) | {one.purpose: one for one in data.consents},
        terms=await terms.shown(given.pool, words.language, now=given.clock()),
        looks=await personal.access_log(given.pool, user.user_id, limit=LOOKS),
        requests=await data_requests.of_person(given.pool, user.user_id),
        kinds=[(code, words.gettext(text)) for code, text in people_words.REQUEST.items()],
        section="/account",
        **request_words(request),
    )


@router.post("/account/data")
async def correct(
    request: Request, user: auth.AnyPerson, given: Given, name: Short, phone: Short = "", email: Contact = ""
) -> Response:
    """Corrects name, phone and e-mail; both of these need the consent to be reached."""
    changes = {"name": name, "phone": phone, "email": email}
    await personal.correct(given, actor_of(user, request), user.user_id, changes)
    return done(request, "data_corrected", PAGE)


@router.post("/account/consent")
async def consent(request: Request, user: auth.AnyPerson, given: Given, purpose: Short, agree: Short = "") -> Response:
    """Agrees to a purpose in its current version, or withdraws."""
    if purpose not in set(Consent):
        raise Problem("invalid", detail="purpose")
    async with given.pool.acquire() as connection, connection.transaction():
        await consents.change(
            connection,
            actor_of(user, request),
            user.user_id,
            Consent(purpose),
            given=agree == "yes",
            language=words_of(request).language,
            at=given.clock(),
        )
    return done(request, "consent_changed", PAGE)


@router.post("/account/requests")
async def ask(
    request: Request,
    user: auth.AnyPerson,
    given: Given,
    kind: Short,
    message: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Asks for what needs a person."""
    if kind not in set(RequestKind):
        raise Problem("invalid", detail="kind")
    if not message.strip():
        raise Problem("reason_missing")
    await data_requests.ask(given, actor_of(user, request), user.user_id, kind=RequestKind(kind), message=message)
    return done(request, "request_asked", PAGE)


@router.post("/account/wards/{ward_id}/release")
async def release(request: Request, ward_id: str, user: auth.AnyPerson, given: Given) -> Response:
    """Parts from a child."""
    await guardians.release(given, actor_of(user, request), user.user_id, ward_id)
    return done(request, "guardian_parted", PAGE)


@router.post("/account/delete")
async def delete(request: Request, user: auth.AnyPerson, given: Given, password: Secret = "") -> Response:
    """Deletes the account of a member of the public."""
    await erasure.delete_own(given, user.user_id, user.username, password, remote=remote_of(request))
    response = done(request, "account_deleted", "/sign-in")
    auth.clear_cookie(response, given)
    return response
