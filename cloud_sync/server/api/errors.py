"""From what went wrong to an answer: owns the exception handlers of API and pages."""

from __future__ import annotations

from urllib.parse import quote

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException

from cloud_sync.server.problems import Problem, as_response, wants_page
from cloud_sync.server.sql import DATABASE_AWAY

log = structlog.get_logger()

# The one place for what no field's type forbids and no database keeps: NUL, lone surrogates, numbers too large.
UNFIT = (asyncpg.DataError, UnicodeEncodeError)
_UNFIT_NUMBERS = (
    asyncpg.NumericValueOutOfRangeError,
    asyncpg.DatetimeFieldOverflowError,
    asyncpg.InvalidDatetimeFormatError,
    asyncpg.InvalidTextRepresentationError,
)
_UNFIT_TEXTS = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError, UnicodeEncodeError)
_UNFIT_ARGUMENT = "invalid input for query argument"  # how asyncpg begins when a value does not fit its parameter


def install_handlers(app: FastAPI) -> None:
    """Problems become RFC 9457 JSON; a page that needs a sign-in is sent there instead."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    for unfit in UNFIT:
        app.add_exception_handler(unfit, _unfit)
    for away in DATABASE_AWAY:
        app.add_exception_handler(away, _database_away)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    if error.code == "not_signed_in" and wants_page(request) and request.method == "GET":
        target = quote(request.url.path + (f"?{request.url.query}" if request.url.query else ""), safe="")
        return RedirectResponse(f"/sign-in?next={target}", status_code=303)
    return as_response(error, request.url.path)


async def _validation(request: Request, error: Exception) -> Response:
    """Names the fields; never repeats what was typed, which may be a password or a plate."""
    assert isinstance(error, RequestValidationError)
    fields = [{"field": ".".join(str(part) for part in one["loc"]), "why": one["msg"]} for one in error.errors()]
    return as_response(Problem("invalid", fields=fields), request.url.path)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return as_response(Problem("not_found"), request.url.path)
    response = as_response(Problem("invalid", detail=str(error.detail), status=error.status_code), request.url.path)
    response.status_code = error.status_code
    return response


def unfit_problem(error: Exception) -> Problem | None:
    """What was sent and cannot be stored, as a problem of the sender's; None for a mistake of ours."""
    if isinstance(error, _UNFIT_TEXTS):
        return Problem("text_invalid")
    if isinstance(error, _UNFIT_NUMBERS) or str(error).startswith(_UNFIT_ARGUMENT):
        return Problem("invalid")
    return None


async def _unfit(request: Request, error: Exception) -> Response:
    problem = unfit_problem(error)
    if problem is None:
        raise error
    log.warning(
        "input_unfit", path=request.scope.get("route") and request.scope["route"].path, error=type(error).__name__
    )
    return as_response(problem, request.url.path)


async def _database_away(request: Request, error: Exception) -> Response:
    log.warning("database_away", error=type(error).__name__)
    return as_response(Problem("database_away", retry_after_s=5), request.url.path)
