"""Joins the console to the server: its pages, its files, and the page that says what went wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import Scope

from cloud_sync.server import auth
from cloud_sync.server.api.errors import UNFIT, unfit_problem
from cloud_sync.server.console import (
    pages_account,
    pages_energy,
    pages_energy_settings,
    pages_events,
    pages_filing,
    pages_gate,
    pages_ledger,
    pages_merchant,
    pages_mydata,
    pages_office,
    pages_people,
    pages_permits,
    pages_points,
    pages_points_catalogue,
    pages_points_devices,
    pages_points_people,
    pages_points_ways,
    pages_provider,
    pages_public,
    pages_reports,
    pages_retention,
    pages_reviews,
    pages_rules,
    pages_vision,
    pages_vouchers,
)
from cloud_sync.server.console.render import LOOK_DIR, STATIC_DIR, page, words_of
from cloud_sync.server.problems import Problem, wants_page
from cloud_sync.server.sql import DATABASE_AWAY

KEEP_S = 86400
_PUBLIC_SUFFIXES = frozenset({".css", ".js", ".svg", ".woff2", ".txt"})
Handler = Callable[[Request, Exception], Awaitable[Response]]


class Assets(StaticFiles):
    """Stylesheets, scripts, icons and fonts; sources that lie beside them are not served."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file. Addresses of stylesheets change with their content; scripts import each other and are asked for."""
        if not path.endswith(tuple(_PUBLIC_SUFFIXES)):
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        kept = f"public, max-age={KEEP_S}" if not path.endswith(".js") else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


def mount_console(app: FastAPI) -> None:
    """Adds pages and files, and lets problems of pages be pages."""
    for part in (
        pages_account,
        pages_gate,
        pages_ledger,
        pages_mydata,
        pages_office,
        pages_permits,
        pages_filing,
        pages_reviews,
        pages_retention,  # before the books, whose names come in its place
        pages_rules,
        pages_vision,
        pages_energy,
        pages_energy_settings,
        pages_people,
        pages_provider,
        pages_public,
        pages_vouchers,
        pages_points_catalogue,
        pages_merchant,
        pages_points_devices,
        pages_points_people,
        pages_points_ways,
        pages_points,
        pages_reports,
        pages_events,
    ):
        app.router.routes.extend(part.router.routes)
    app.mount("/static", Assets(directory=STATIC_DIR), name="static")
    app.mount("/look", Assets(directory=LOOK_DIR), name="look")
    for kind in (Problem, HTTPException, RequestValidationError, *UNFIT, *DATABASE_AWAY):
        app.add_exception_handler(kind, _for_pages(app.exception_handlers.get(kind)))


def _for_pages(otherwise: Any) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        ours = isinstance(error, UNFIT) and unfit_problem(error) is None
        if (wants_page(request) and not ours) or otherwise is None:
            return await problem_page(request, as_problem(error))
        return await otherwise(request, error)

    return handle


def as_problem(error: Exception) -> Problem:
    """What happened, as one of the problems that have a sentence."""
    match error:
        case Problem():
            return error
        case HTTPException(status_code=404):
            return Problem("not_found")
        case _ if isinstance(error, UNFIT):
            return unfit_problem(error) or Problem("invalid")
        case HTTPException() | RequestValidationError():
            return Problem("invalid")
        case _:
            return Problem("database_away", retry_after_s=5)


async def problem_page(request: Request, problem: Problem) -> Response:
    """A page that says what happened, what still works and what to do; or the way to sign in."""
    if problem.code == "not_signed_in":
        target = request.url.path if request.method == "GET" else "/"
        query = f"?{request.url.query}" if request.url.query and request.method == "GET" else ""
        return RedirectResponse(_sign_in_address(target + query), status_code=303)
    user = await _user(request) if problem.code != "database_away" else None
    words = words_of(request)
    return page(
        request,
        "problem.html",
        user=user,
        status=problem.status,
        sentence=problem.sentence(words.language),
        code=problem.code,
    )


def _sign_in_address(target: str) -> str:
    return f"/sign-in?next={quote(target, safe='')}"


async def _user(request: Request) -> auth.CurrentUser | None:
    given = request.app.state.services
    return await auth.user_of_session(given, request.cookies.get(auth.cookie_name(given)))
