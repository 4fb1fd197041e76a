"""Signing in by the provider: the way there, the way back, and linking one's account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response

from cloud_sync.server import auth
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.console.landing import local_path
from cloud_sync.server.console.render import done, page, words_of
from cloud_sync.server.people import oidc
from cloud_sync.server.people.limits import HOUR_S, limit
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
STATE_COOKIE = "island_provider"
BACK = "/sign-in/provider"


@router.get("/sign-in/provider")
async def to_provider(request: Request, given: Given, next: str = "/") -> Response:
    """Sends the browser to the provider."""
    await limit(given, f"provider/{remote_of(request)}", given.config.limits.provider_starts_per_hour, HOUR_S)
    return _sent(given, await oidc.begin(given, next_path=local_path(next)))


@router.get("/account/provider")
async def link_provider(user: auth.AnyPerson, given: Given) -> Response:
    """The same, to link the signed-in person's account."""
    return _sent(given, await oidc.begin(given, next_path="/account", user_id=user.user_id))


def _sent(given: Services, begun: oidc.Begun) -> Response:
    """The cookie comes back from the provider's redirect, hence lax; it lives as long as the flow."""
    response = RedirectResponse(begun.url, status_code=303)
    response.set_cookie(
        STATE_COOKIE,
        begun.state,
        max_age=given.config.oidc.flow_s,
        httponly=True,
        secure=given.config.server.secure_cookies,
        samesite="lax",
        path=BACK,
    )
    return response


@router.get("/sign-in/provider/back")
async def from_provider(
    request: Request,
    given: Given,
    code: Annotated[str, Query(max_length=2000)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Back from the provider: a session, a link, or why not."""
    try:
        response = await _entered(request, given, code, state)
    except Problem as problem:
        response = page(
            request,
            "sign_in.html",
            user=None,
            status=problem.status,
            next="/",
            username="",
            problem=problem.sentence(words_of(request).language),
            provider=given.config.oidc.label if oidc.is_offered(given) else "",
        )
    response.delete_cookie(STATE_COOKIE, path=BACK)
    return response


async def _entered(request: Request, given: Services, code: str, state: str) -> Response:
    cookie_state = request.cookies.get(STATE_COOKIE, "")
    found = await oidc.finish(given, code=code, state=state, cookie_state=cookie_state)
    if found.user_id is not None:
        return await _linked(request, given, found)
    row = await oidc.account_of(given, found.issuer, found.subject)
    signed = await auth.open_session(given, row, request.headers.get("user-agent", ""))
    response = RedirectResponse(found.next_path, status_code=303)
    auth.set_cookie(response, given, signed.token)
    return response


async def _linked(request: Request, given: Services, found: oidc.Finished) -> Response:
    """Links the account that began, which still has to be the one that is signed in."""
    user = await auth.user_of_session(given, request.cookies.get(auth.cookie_name(given)))
    if user is None or user.user_id != found.user_id:
        raise Problem("provider_refused")
    await oidc.link(given, actor_of(user, request), user.user_id, found.subject)
    return RedirectResponse("/account?done=provider_linked", status_code=303)


@router.post("/account/provider/unlink")
async def unlink_provider(request: Request, user: auth.AnyPerson, given: Given) -> Response:
    """The account is reached by its password alone again."""
    await oidc.unlink(given, actor_of(user, request), user.user_id)
    return done(request, "provider_unlinked", "/account")
