"""The pages about people: accounts, organisations with their members, and requests about personal data."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from cloud_sync.server import accounts, auth, store
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console import labels, people_words
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, words_of
from cloud_sync.server.people import data_requests, erasure, listing, members, organisations
from cloud_sync.server.people.data_requests import DataRequest, RequestKind, RequestState
from cloud_sync.server.people.members import OrganisationKind
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import PUBLIC, Role
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=500)]
Long = Annotated[str, Form(max_length=2000)]
Find = Annotated[str, Query(max_length=64)]
ACCOUNT_ROWS = 100
REQUEST_ROWS = 100


def _choices(request: Request, table: dict[str, str]) -> list[tuple[str, str]]:
    words = words_of(request)
    return [(code, words.gettext(text)) for code, text in table.items()]


# ---------------------------------------------------------------- accounts


@router.get("/users")
async def users(
    request: Request, user: auth.AccountKeeper, given: Given, q: Find = "", show: Find = "staff", after: Find = ""
) -> Response:
    """Accounts by sign-in name, staff or the public, page by page."""
    roles = tuple(sorted(PUBLIC)) if show == "public" else tuple(listing.STAFF_ROLES)
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await listing.accounts(given.pool, query=q.strip(), roles=roles, after=after, limit=ACCOUNT_ROWS)
    return await desk_page(
        request,
        "users.html",
        user=user,
        users=found,
        roles=_choices(request, labels.ROLE),
        q=q,
        show="public" if show == "public" else "staff",
        after=after,
        older=found[-1].username if len(found) == ACCOUNT_ROWS else "",
    )


@router.post("/users")
async def add_user(
    request: Request,
    user: auth.AccountKeeper,
    given: Given,
    username: Text,
    role: Text,
    password: Text,
    name: Text = "",
) -> Response:
    """A new account."""
    actor = actor_of(user, request)
    made = _role(role)
    await accounts.add_user(given, actor, username=username.strip(), name=name, role=made, password=password)
    return done(request, "user_added", "/users?show=public" if made.is_public else "/users")


def _role(text: str) -> Role:
    if text not in labels.ROLE:
        raise Problem("invalid", detail="role")
    return Role(text)


@router.post("/users/{user_id}")
async def change_user(
    request: Request, user_id: str, user: auth.AccountKeeper, given: Given, role: Text = "", enabled: Text = ""
) -> Response:
    """Another role, or switched off or on."""
    await accounts.change_user(
        given,
        actor_of(user, request),
        user_id,
        role=_role(role) if role else None,
        enabled={"yes": True, "no": False}.get(enabled),
    )
    return done(request, "user_changed", "/users?show=public" if role and Role(role).is_public else "/users")


@router.post("/users/{user_id}/password")
async def set_password(
    request: Request, user_id: str, user: auth.AccountKeeper, given: Given, password: Text
) -> Response:
    """A new password for somebody who lost theirs."""
    await accounts.set_password(given, actor_of(user, request), user_id, password)
    return done(request, "password_set", "/users")


# ---------------------------------------------------------------- organisations


@router.get("/organisations")
async def all_organisations(request: Request, user: auth.PeopleKeeper, given: Given, org: Find = "") -> Response:
    """Applicants and merchants, and the members of one of them."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await members.organisations(given.pool)
        picked = next((one for one in found if one.org_id == org), found[0] if found else None)
        of_picked = await members.members(given.pool, picked.org_id) if picked else ()
    return await desk_page(
        request,
        "organisations.html",
        user=user,
        organisations=found,
        picked=picked,
        members=of_picked,
        kinds=_choices(request, people_words.ORGANISATION),
        kind_of=dict(_choices(request, people_words.ORGANISATION)),
        fitting=_fitting(request, picked.kind) if picked else "",
    )


def _fitting(request: Request, kind: str) -> str:
    words = words_of(request)
    fitting = organisations.MEMBERS[OrganisationKind(kind)]
    return ("、" if words.language == "zh" else ", ").join(labels.label(words, "role", one) for one in sorted(fitting))


@router.post("/organisations")
async def add_organisation(
    request: Request, user: auth.PeopleKeeper, given: Given, kind: Text, name: Text, name_en: Text = ""
) -> Response:
    """A new organisation."""
    if kind not in set(OrganisationKind):
        raise Problem("invalid", detail="kind")
    made = await organisations.add(
        given, actor_of(user, request), kind=OrganisationKind(kind), name=name, name_en=name_en
    )
    return done(request, "organisation_added", f"/organisations?org={made.org_id}")


@router.post("/organisations/{org_id}")
async def change_organisation(
    request: Request,
    org_id: str,
    user: auth.PeopleKeeper,
    given: Given,
    name: Annotated[str | None, Form(max_length=120)] = None,
    name_en: Annotated[str | None, Form(max_length=120)] = None,
    enabled: Text = "",
) -> Response:
    """Another name, or switched off or on."""
    await organisations.change(
        given,
        actor_of(user, request),
        org_id,
        name=name,
        name_en=name_en,
        enabled={"yes": True, "no": False}.get(enabled),
    )
    return done(request, "organisation_changed", f"/organisations?org={org_id}")


@router.post("/organisations/{org_id}/members")
async def add_member(request: Request, org_id: str, user: auth.PeopleKeeper, given: Given, username: Text) -> Response:
    """An account, by its sign-in name, becomes the organisation's."""
    user_id = await listing.id_of(given.pool, username)
    await organisations.add_member(given, actor_of(user, request), org_id, user_id)
    return done(request, "member_added", f"/organisations?org={org_id}")


@router.post("/organisations/{org_id}/members/{user_id}/remove")
async def remove_member(request: Request, org_id: str, user_id: str, user: auth.PeopleKeeper, given: Given) -> Response:
    """An account is nobody's again."""
    await organisations.remove_member(given, actor_of(user, request), org_id, user_id)
    return done(request, "member_removed", f"/organisations?org={org_id}")


# ---------------------------------------------------------------- requests about personal data


@router.get("/data-requests")
async def requests_page(
    request: Request,
    user: auth.PeopleKeeper,
    given: Given,
    show: Find = "open",
    request_id: Find = "",
    after: Find = "",
) -> Response:
    """Requests, oldest first, and the one that is being answered."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await data_requests.listed(given.pool, open_only=show != "all", after=after, limit=REQUEST_ROWS)
        picked = next((one for one in found if one.request_id == request_id), None)
    if picked is not None:
        await _note_opened(given, actor_of(user, request), picked)
    return await desk_page(
        request,
        "data_requests.html",
        user=user,
        requests=found,
        picked=picked,
        show="all" if show == "all" else "open",
        older=found[-1].request_id if len(found) == REQUEST_ROWS else "",
        now=given.clock(),
        kinds=_choices(request, people_words.REQUEST),
        **request_words(request),
    )


async def _note_opened(given: Services, actor: store.Actor, picked: DataRequest) -> None:
    what = {"person_id": picked.user_id} if picked.user_id else None
    subject = ("data_request", picked.request_id)
    await store.note_access(given, actor, "data_request_opened", subject, what=what)


def request_words(request: Request) -> dict[str, Any]:
    """Names of kinds and states for the templates that list requests."""
    words = words_of(request)
    states = people_words.REQUEST_STATE.items()
    return {
        "kind_of": dict(_choices(request, people_words.REQUEST)),
        "state_of": {code: (tone, icon, words.gettext(text)) for code, (tone, icon, text) in states},
    }


@router.post("/data-requests")
async def note_request(
    request: Request,
    user: auth.PeopleKeeper,
    given: Given,
    kind: Text,
    message: Long,
    username: Text = "",
    contact: Text = "",
) -> Response:
    """Notes down a request that came by letter, telephone or in person."""
    if kind not in set(RequestKind):
        raise Problem("invalid", detail="kind")
    made = await data_requests.note_down(
        given,
        actor_of(user, request),
        username=username,
        contact=contact[:200],
        kind=RequestKind(kind),
        message=message,
    )
    return done(request, "request_noted", f"/data-requests?request_id={made}")


@router.post("/data-requests/{request_id}/answer")
async def answer_request(
    request: Request, request_id: str, user: auth.PeopleKeeper, given: Given, state: Text, answer: Long = ""
) -> Response:
    """Settles a request with words to the person."""
    if state not in set(RequestState):
        raise Problem("invalid", detail="state")
    actor = actor_of(user, request)
    await data_requests.answer(given, actor, request_id, state=RequestState(state), text=answer)
    return done(request, "request_answered", "/data-requests")


@router.post("/people/{user_id}/anonymise")
async def anonymise(request: Request, user_id: str, user: auth.PeopleKeeper, given: Given, why: Text = "") -> Response:
    """Deletes the account of somebody who asked for it."""
    if not why.strip():
        raise Problem("reason_missing")
    await erasure.anonymise(given, actor_of(user, request), user_id, why=why.strip())
    return done(request, "person_anonymised", "/data-requests")
