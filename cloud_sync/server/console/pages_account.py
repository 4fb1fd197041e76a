"""Coming and going: sign-in, the first account, sign-out, and what each reader chose for themselves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from cloud_sync.server import accounts, auth
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.console import people_words
from cloud_sync.server.console.landing import local_path
from cloud_sync.server.console.render import (
    KEYS_COOKIE,
    LANGUAGE_COOKIE,
    THEME_COOKIE,
    THEMES,
    desk_page,
    done,
    page,
    words_of,
)
from cloud_sync.server.console.words import LANGUAGES
from cloud_sync.server.people import oidc, tokens
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Secret = Annotated[str, Form(max_length=256)]
Short = Annotated[str, Form(max_length=64)]
YEAR_S = 365 * 86400


def _provider(given: Services) -> str:
    """What the button of the sign-in provider says; empty when there is none."""
    return given.config.oidc.label if oidc.is_offered(given) else ""


@router.get("/sign-in")
async def sign_in_page(request: Request, given: Given, next: str = "/") -> Response:
    """The way in; without any account, the way to the first one."""
    if await auth.needs_setup(given):
        return RedirectResponse("/setup", status_code=303)
    if await auth.user_of_session(given, request.cookies.get(auth.cookie_name(given))):
        return RedirectResponse(local_path(next), status_code=303)
    return page(
        request, "sign_in.html", user=None, next=local_path(next), problem="", username="", provider=_provider(given)
    )


@router.post("/sign-in")
async def sign_in(
    request: Request, given: Given, username: Short = "", password: Secret = "", next: Secret = "/"
) -> Response:
    """Starts a session. What was typed into the name field is kept."""
    auth.check_origin(request, given)
    agent = request.headers.get("user-agent", "")
    try:
        signed = await auth.sign_in(given, username.strip(), password, remote=remote_of(request), agent=agent)
    except Problem as problem:
        return page(
            request,
            "sign_in.html",
            user=None,
            status=problem.status,
            next=local_path(next),
            problem=problem.sentence(words_of(request).language),
            username=username,
            provider=_provider(given),
        )
    response = RedirectResponse(local_path(next), status_code=303)
    auth.set_cookie(response, given, signed.token)
    return response


@router.get("/setup")
async def setup_page(request: Request, given: Given) -> Response:
    """The first account; gone as soon as there is one."""
    if not await auth.needs_setup(given):
        return RedirectResponse("/sign-in", status_code=303)
    return page(request, "setup.html", user=None, problem="", username="", full_name="")


@router.post("/setup")
async def setup(
    request: Request, given: Given, code: Short = "", username: Short = "", name: Short = "", password: Secret = ""
) -> Response:
    """Exchanges the code in the data folder for the first engineer's account."""
    auth.check_origin(request, given)
    username = username.strip()
    try:
        signed = await auth.set_up(given, code, username, name or username, password, remote=remote_of(request))
    except Problem as problem:
        sentence = problem.sentence(words_of(request).language)
        return page(
            request,
            "setup.html",
            user=None,
            status=problem.status,
            problem=sentence,
            username=username,
            full_name=name,
        )
    response = RedirectResponse("/", status_code=303)
    auth.set_cookie(response, given, signed.token)
    return response


@router.post("/sign-out")
async def sign_out(request: Request, user: auth.AnyPerson, given: Given) -> Response:
    """Ends the session."""
    await auth.sign_out(given, request.cookies.get(auth.cookie_name(given)))
    response = RedirectResponse("/sign-in", status_code=303)
    auth.clear_cookie(response, given)
    return response


@router.post("/preferences")
async def preferences(
    request: Request,
    given: Given,
    lang: Short = "",
    theme: Short = "",
    keys: Short = "",
    next: Secret = "/",
) -> Response:
    """Language, theme and single keys; they hold for this browser."""
    auth.check_origin(request, given)
    response = RedirectResponse(local_path(next), status_code=303)
    for name, value, allowed in (
        (LANGUAGE_COOKIE, lang, LANGUAGES),
        (THEME_COOKIE, theme, THEMES),
        (KEYS_COOKIE, keys, ("on", "off")),
    ):
        if value in allowed:
            secure = given.config.server.secure_cookies
            response.set_cookie(name, value, max_age=YEAR_S, samesite="lax", secure=secure, path="/")
    return response


@router.get("/account")
async def account(request: Request, user: auth.AnyPerson, given: Given) -> Response:
    """Language, theme, keys, password, devices, sign-out; and what the account is for."""
    uses = people_words.USES.get(user.role)
    return await desk_page(
        request,
        "account.html",
        user=user,
        uses=words_of(request).gettext(uses) if uses else "",
        provider=_provider(given),
        linked=await oidc.is_linked(given, user.user_id),
    )


@router.post("/account/sign-out-everywhere")
async def sign_out_everywhere(request: Request, user: auth.AnyPerson, given: Given) -> Response:
    """Ends every session and every app's sign-in, this one too."""
    await tokens.sign_out_everywhere(given, actor_of(user, request), user.user_id)
    response = RedirectResponse("/sign-in", status_code=303)
    auth.clear_cookie(response, given)
    return response


@router.post("/account/password")
async def own_password(
    request: Request, user: auth.AnyPerson, given: Given, current: Secret = "", password: Secret = ""
) -> Response:
    """A new password for oneself; the old one has to be known."""
    actor = actor_of(user, request)
    signed = await auth.sign_in(given, user.username, current, remote=remote_of(request))
    await auth.sign_out(given, signed.token)
    await accounts.set_password(given, actor, user.user_id, password)
    fresh = await auth.sign_in(given, user.username, password, remote=remote_of(request))
    response = done(request, "password_set", "/account")
    auth.set_cookie(response, given, fresh.token)
    return response
