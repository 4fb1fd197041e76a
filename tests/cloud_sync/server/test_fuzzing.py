"""Requests that nobody would think of, drawn from the OpenAPI document: none may end in a server error.

The cases are drawn the same way each time. They are sent to the application in-process as an engineer and as a driver.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import cache
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from cloud_sync.server import auth, build
from cloud_sync.server.config import CloudConfig
from cloud_sync.server.roles import Role

pytestmark = pytest.mark.timeout(600)  # many small requests, on machines that are busy with other things too
PARTS = 3
# Endless, or ends the session that the other requests need; the matrix of access knocks at them.
LEFT_OUT = ("/stream", "/auth/sign-out-everywhere")
NASTY = ("\x00", "a\x00b", "9" * 40, "-1", "𝕏" * 400, "' OR 1=1 --", "../../etc/passwd", "%00")
NASTY_BODIES = (
    '"\\ud800"',
    '{"a": "\\u0000"}',
    "[" * 5000,
    '{"plate": "\\u0000"}',
    "9" * 5000,
    "NaN",
    '{"limit": 1e999}',
)


@pytest.fixture
async def people(app: FastAPI) -> AsyncIterator[dict[Role, httpx.AsyncClient]]:
    """Signed-in clients; a server error comes back as an answer and not as an exception."""
    services, clients = app.state.services, {}
    for role in (Role.ENGINEER, Role.DRIVER):
        user_id = await auth.insert_user(
            services.pool, username=role, name=role, role=role, password_hash="", at=services.clock()
        )
        row = {"user_id": user_id, "username": role, "name": role, "role": role, "org_id": None}
        signed = await auth.open_session(services, row, "")
        clients[role] = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="http://island.test",
            headers={"X-CSRF-Token": signed.csrf_token, "Cookie": f"island_session={signed.token}"},
        )
    yield clients
    for client in clients.values():
        await client.aclose()


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document; the same for every configuration."""
    return build.create_app(CloudConfig()).openapi()


def operations(part: int, parts: int) -> list[Any]:
    """A share of the API's operations."""
    schema = schemathesis.openapi.from_dict(document())
    found = [result.ok() for result in schema.get_all_operations()]
    kept = [one for one in found if not one.path.endswith(LEFT_OUT)]
    return kept[part::parts]


def cases_of(operation: Any) -> list[Any]:
    """What schemathesis draws for an operation: what fits, and for a body what does not."""
    drawn: list[Any] = []
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if operation.body else (GenerationMode.POSITIVE,):

        @given(case=operation.as_strategy(generation_mode=mode))
        @settings(
            max_examples=1,
            database=None,
            deadline=None,
            derandomize=True,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        def keep(case: Any) -> None:
            drawn.append(case)

        try:
            keep()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, operation.label
    return drawn


async def send(client: httpx.AsyncClient, case: Any) -> httpx.Response:
    """One drawn case as a request."""
    path = case.path
    for name, value in (case.path_parameters or {}).items():
        path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
    headers = {str(name): str(value) for name, value in (case.headers or {}).items() if str(value).isascii()}
    body: dict[str, Any] = {}
    if isinstance(case.body, bytes):
        body = {"content": case.body}
    elif case.body is not None and not isinstance(case.body, schemathesis.core.NotSet):
        body = {"content": json.dumps(case.body, default=str).encode("ascii")}
        headers["content-type"] = "application/json"
    return await client.request(case.method, path, params=case.query or None, headers=headers, **body)


@pytest.mark.parametrize("part", range(PARTS))
async def test_no_drawn_request_ends_in_a_server_error(people: dict[Role, httpx.AsyncClient], part: int) -> None:
    broken = []
    for operation in operations(part, PARTS):
        for case in cases_of(operation):
            for role, client in people.items():
                answer = await send(client, case)
                if answer.status_code >= 500:
                    broken.append(f"{operation.label} as {role}: {answer.status_code} for {case.query} {case.body}")
    assert not broken, "\n".join(broken)


async def test_text_that_cannot_be_kept_is_refused_and_never_an_error(people: dict[Role, httpx.AsyncClient]) -> None:
    """NUL, lone surrogates, numbers without end: in paths, queries and bodies of every operation."""
    engineer, broken = people[Role.ENGINEER], []
    for number, operation in enumerate(operations(0, 1)):
        nasty, body = NASTY[number % len(NASTY)], NASTY_BODIES[number % len(NASTY_BODIES)]
        path = "/".join(quote(nasty, safe="") if one.startswith("{") else one for one in operation.path.split("/"))
        query = {one.name: nasty for one in operation.query}
        sent = {"content": body, "headers": {"content-type": "application/json"}}
        more = sent if operation.method.upper() not in ("GET", "DELETE") else {}
        answer = await engineer.request(operation.method, path, params=query, **more)
        if answer.status_code >= 500:
            broken.append(f"{operation.label} {nasty!r} {body[:20]!r}: {answer.status_code}")
    assert not broken, "\n".join(broken)
