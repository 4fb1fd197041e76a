"""Signing in and out, and the first account, for programs. Pages use the same functions of `auth`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from cloud_sync.server import auth
from cloud_sync.server.api.address import API
from cloud_sync.server.services import Services, services
from cloud_sync.server.store import Actor

router = APIRouter(prefix=API, tags=["session"])
Given = Annotated[Services, Depends(services)]


class Credentials(BaseModel):
    """Name and password."""

    username: str = Field(max_length=64)
    password: str = Field(max_length=256)


class FirstAccount(Credentials):
    """The one-time code with the account to make."""

    code: str = Field(max_length=64)
    name: str = Field(default="", max_length=64)


class Person(BaseModel):
    """The signed-in person; send `csrf_token` as `X-CSRF-Token` with everything that changes something."""

    username: str
    name: str
    role: str
    csrf_token: str


def person(user: auth.CurrentUser) -> Person:
    """As sent."""
    return Person(username=user.username, name=user.name, role=user.role.value, csrf_token=user.csrf_token)


def remote_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else ""


def actor_of(user: auth.CurrentUser, request: Request) -> Actor:
    """The signed-in person, as the audit trail names them."""
    return Actor.of(user, remote_of(request))


@router.post("/session")
async def sign_in(body: Credentials, request: Request, response: Response, given: Given) -> Person:
    """Starts a session; its cookie comes with the answer."""
    auth.check_origin(request, given)
    agent = request.headers.get("user-agent", "")
    signed = await auth.sign_in(given, body.username, body.password, remote=remote_of(request), agent=agent)
    auth.set_cookie(response, given, signed.token)
    return person(signed.user)


@router.get("/session")
async def who(user: auth.AnyPerson) -> Person:
    """Who is signed in."""
    return person(user)


@router.delete("/session", status_code=204)
async def sign_out(user: auth.AnyPerson, request: Request, response: Response, given: Given) -> None:
    """Ends the session."""
    await auth.sign_out(given, request.cookies.get(auth.cookie_name(given)))
    auth.clear_cookie(response, given)


@router.post("/setup", status_code=201)
async def set_up(body: FirstAccount, request: Request, response: Response, given: Given) -> Person:
    """Makes the first account with the code that lies in the data folder."""
    auth.check_origin(request, given)
    name = body.name or body.username
    signed = await auth.set_up(given, body.code, body.username, name, body.password, remote=remote_of(request))
    auth.set_cookie(response, given, signed.token)
    return person(signed.user)
