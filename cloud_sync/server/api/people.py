"""People for programs, as the office keeps them: organisations, requests about data, and accounts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from cloud_sync.server import accounts, auth, store
from cloud_sync.server.api.address import API
from cloud_sync.server.api.me import Name, Password, PasswordBody, RequestBody
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.people import (
    data_requests,
    erasure,
    export,
    listing,
    members,
    oidc,
    organisations,
)
from cloud_sync.server.people.data_requests import DataRequest, RequestState
from cloud_sync.server.people.members import Member, Organisation, OrganisationKind
from cloud_sync.server.problems import Problem
from cloud_sync.server.records import UserRecord
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=API)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Field(max_length=2000)]
Limit = Annotated[int, Query(ge=1, le=500)]


class NotedRequest(RequestBody):
    """The same, noted down by staff: from an account, or from somebody reachable by `contact`."""

    username: str = Field(default="", max_length=64)
    contact: str = Field(default="", max_length=200)


class AnswerBody(BaseModel):
    """How a request was settled, in words to the person."""

    state: RequestState
    answer: Text


class OrganisationBody(BaseModel):
    """An organisation to make."""

    kind: OrganisationKind
    name: Annotated[str, Field(min_length=1, max_length=120)]
    name_en: Annotated[str, Field(max_length=120)] = ""


class OrganisationChange(BaseModel):
    """Another name, or off and on."""

    name: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    name_en: Annotated[str, Field(max_length=120)] | None = None
    enabled: bool | None = None


class UserBody(BaseModel):
    """An account to make."""

    username: Annotated[str, Field(min_length=2, max_length=64, pattern=r"^[\w.@-]+$")]
    name: Name = ""
    role: Role
    password: Password


class UserChange(BaseModel):
    """Another role, or off and on."""

    role: Role | None = None
    enabled: bool | None = None


class SubjectBody(BaseModel):
    """Who a person is at the provider."""

    subject: Annotated[str, Field(min_length=1, max_length=255)]


class WhyBody(BaseModel):
    """A reason."""

    why: Annotated[str, Field(min_length=1, max_length=500)]


# ---------------------------------------------------------------- the office


@router.get("/organisations", tags=["people"])
async def all_organisations(
    user: auth.PeopleKeeper, given: Given, kind: OrganisationKind | None = None
) -> tuple[Organisation, ...]:
    """Applicants and merchants."""
    return await members.organisations(given.pool, kind=kind)


@router.post("/organisations", status_code=201, tags=["people"])
async def add_organisation(
    body: OrganisationBody, user: auth.PeopleKeeper, given: Given, request: Request
) -> Organisation:
    """A new organisation."""
    return await organisations.add(given, actor_of(user, request), kind=body.kind, name=body.name, name_en=body.name_en)


@router.patch("/organisations/{org_id}", status_code=204, tags=["people"])
async def change_organisation(
    org_id: str, body: OrganisationChange, user: auth.PeopleKeeper, given: Given, request: Request
) -> None:
    """Another name, or switched off or on."""
    await organisations.change(given, actor_of(user, request), org_id, **body.model_dump())


@router.get("/organisations/{org_id}/members", tags=["people"])
async def organisation_members(org_id: str, user: auth.PeopleKeeper, given: Given) -> tuple[Member, ...]:
    """The accounts of an organisation."""
    if await members.organisation(given.pool, org_id) is None:
        raise Problem("not_found")
    return await members.members(given.pool, org_id)


@router.put("/organisations/{org_id}/members/{user_id}", status_code=204, tags=["people"])
async def add_member(org_id: str, user_id: str, user: auth.PeopleKeeper, given: Given, request: Request) -> None:
    """An account becomes the organisation's."""
    await organisations.add_member(given, actor_of(user, request), org_id, user_id)


@router.delete("/organisations/{org_id}/members/{user_id}", status_code=204, tags=["people"])
async def remove_member(org_id: str, user_id: str, user: auth.PeopleKeeper, given: Given, request: Request) -> None:
    """An account is nobody's again."""
    await organisations.remove_member(given, actor_of(user, request), org_id, user_id)


@router.get("/data-requests", tags=["people"])
async def all_requests(
    user: auth.PeopleKeeper,
    given: Given,
    open_only: bool = True,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Limit = 50,
) -> tuple[DataRequest, ...]:
    """Requests about personal data, oldest first."""
    return await data_requests.listed(given.pool, open_only=open_only, after=after, limit=limit)


@router.post("/data-requests", status_code=201, tags=["people"])
async def note_request(body: NotedRequest, user: auth.PeopleKeeper, given: Given, request: Request) -> dict[str, str]:
    """Notes down a request that came by letter, telephone or in person."""
    made = await data_requests.note_down(given, actor_of(user, request), **body.model_dump())
    return {"request_id": made}


@router.post("/data-requests/{request_id}/answer", status_code=204, tags=["people"])
async def answer_request(
    request_id: str, body: AnswerBody, user: auth.PeopleKeeper, given: Given, request: Request
) -> None:
    """Settles a request."""
    await data_requests.answer(given, actor_of(user, request), request_id, state=body.state, text=body.answer)


@router.get("/people/{user_id}/export", tags=["people"])
async def copy_for(
    user_id: str,
    why: Annotated[str, Query(min_length=1, max_length=500)],
    user: auth.PeopleKeeper,
    given: Given,
    request: Request,
) -> dict[str, Any]:
    """A copy of a person's data, to hand over by request; the person sees that it was made."""
    actor, what = actor_of(user, request), {"person_id": user_id}
    made = await export.copy_of(given.pool, user_id, at=given.clock())
    await store.note_access(given, actor, "personal_data_copied", ("user", user_id), what=what | {"why": why})
    return made


@router.post("/people/{user_id}/anonymise", status_code=204, tags=["people"])
async def anonymise(user_id: str, body: WhyBody, user: auth.PeopleKeeper, given: Given, request: Request) -> None:
    """Deletes a member of the public's account by request."""
    await erasure.anonymise(given, actor_of(user, request), user_id, why=body.why)


# ---------------------------------------------------------------- accounts


@router.get("/users", tags=["people"])
async def users(
    user: auth.AccountKeeper,
    given: Given,
    q: Annotated[str, Query(max_length=64)] = "",
    role: Role | None = None,
    after: Annotated[str, Query(max_length=64)] = "",
    limit: Limit = 200,
) -> tuple[UserRecord, ...]:
    """Accounts by sign-in name; `after` is the last one of the page before."""
    roles = (role.value,) if role else ()
    return await listing.accounts(given.pool, query=q, roles=roles, after=after, limit=limit)


@router.post("/users", status_code=201, tags=["people"])
async def add_user(body: UserBody, user: auth.AccountKeeper, given: Given, request: Request) -> dict[str, str]:
    """A new account."""
    made = await accounts.add_user(given, actor_of(user, request), **body.model_dump())
    return {"user_id": made}


@router.patch("/users/{user_id}", status_code=204, tags=["people"])
async def change_user(user_id: str, body: UserChange, user: auth.AccountKeeper, given: Given, request: Request) -> None:
    """Another role, or switched off or on; its sessions end."""
    await accounts.change_user(given, actor_of(user, request), user_id, role=body.role, enabled=body.enabled)


@router.put("/users/{user_id}/password", status_code=204, tags=["people"])
async def set_password(
    user_id: str, body: PasswordBody, user: auth.AccountKeeper, given: Given, request: Request
) -> None:
    """A new password; its sessions end."""
    await accounts.set_password(given, actor_of(user, request), user_id, body.password)


@router.put("/users/{user_id}/provider", status_code=204, tags=["people"])
async def link_provider(
    user_id: str, body: SubjectBody, user: auth.AccountKeeper, given: Given, request: Request
) -> None:
    """Links an account to a subject of the sign-in provider."""
    await oidc.link(given, actor_of(user, request), user_id, body.subject)


@router.delete("/users/{user_id}/provider", status_code=204, tags=["people"])
async def unlink_provider(user_id: str, user: auth.AccountKeeper, given: Given, request: Request) -> None:
    """Takes the account's links away."""
    await oidc.unlink(given, actor_of(user, request), user_id)
