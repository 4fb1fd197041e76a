"""Requests that nobody would think of, drawn from the OpenAPI document: none may end in a server error.

The cases are drawn the same way each time. They are sent to the application in-process as somebody who may, by the
access matrix of docs/access.md, so that the routes read what is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
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
from cloud_sync.server.roles import GRANTS, Can, Role

pytestmark = pytest.mark.timeout(600)  # many small requests, on machines that are busy with other things too
PARTS = 3
PAGE = Path(__file__).parents[3] / "docs" / "access.md"
LET_IN_LEAST = 0.9  # what remains asks for a password, a one-time token or something of one's own
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


class People:
    """Signs in as any role; a server error comes back as an answer and not as an exception."""

    def __init__(self, app: FastAPI) -> None:
        self._given = app.state.services
        self._users: dict[Role, str] = {}
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url="http://island.test"
        )

    async def open(self) -> None:
        given = self._given
        await given.pool.execute(
            "INSERT INTO organisations (org_id, kind, name, created_at) VALUES ('shop', 'merchant', 'shop', now())"
        )
        for role in Role:
            self._users[role] = await auth.insert_user(
                given.pool, username=role, name=role, role=role, password_hash="", at=given.clock()
            )
        await given.pool.execute("UPDATE users SET org_id = 'shop' WHERE role = 'merchant'")

    async def close(self) -> None:
        await self._http.aclose()

    async def client(self, role: Role) -> httpx.AsyncClient:
        """With a session of its own, since the request before may have ended one."""
        row = {"user_id": self._users[role], "username": role, "name": role, "role": role, "org_id": None}
        signed = await auth.open_session(self._given, row, "")
        self._http.cookies.clear()
        self._http.headers.update({"X-CSRF-Token": signed.csrf_token, "Cookie": f"island_session={signed.token}"})
        return self._http


@pytest.fixture
async def people(app: FastAPI) -> AsyncIterator[People]:
    made = People(app)
    await made.open()
    yield made
    await made.close()


@cache
def allowed() -> dict[str, list[Role]]:
    """Who may at each route of people, as the page of access says; routes of tokens are not there."""
    found: dict[str, list[Role]] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and not cells[1].endswith("'s token"):
            wanted = {Can(name) for name in re.findall(r"`(\w+)`", cells[1])}
            enough = any if " or " in cells[1] else all
            found[cells[0].strip("`")] = [
                role for role in Role if not wanted or enough(can in GRANTS[role] for can in wanted)
            ]
    return found


def is_of_people(operation: Any) -> bool:
    """Whether somebody signed in is let in by a permission, and not by a token."""
    return route_of(operation) in allowed()


def route_of(operation: Any) -> str:
    """As the page of access writes it."""
    return f"{operation.method.upper()} {operation.path}"


def roles_of(operation: Any) -> list[Role]:
    """Who sends an operation's cases: of those who may, somebody of the public and somebody of the staff."""
    may = allowed().get(route_of(operation), list(Role))
    assert may, operation.label
    public, staff = [role for role in may if role.is_public], [role for role in may if not role.is_public]
    number = len(operation.path)
    return [group[number % len(group)] for group in (public, staff) if group]


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


class Told:
    """What came back: server errors, and how many requests were let in where somebody who may asked."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.kept_out: list[str] = []
        self.asked = 0

    def take(self, operation: Any, role: Role, answer: httpx.Response, sent: object) -> None:
        if answer.status_code >= 500:
            self.broken.append(f"{operation.label} as {role}: {answer.status_code} for {sent}")
        if is_of_people(operation):
            self.asked += 1
            if answer.status_code in (401, 403):
                self.kept_out.append(f"{operation.label} as {role}: {answer.status_code} {answer.text[:120]}")

    def check(self) -> None:
        assert not self.broken, "\n".join(self.broken)
        assert len(self.kept_out) <= (1 - LET_IN_LEAST) * self.asked, "\n".join(self.kept_out)


@pytest.mark.parametrize("part", range(PARTS))
async def test_no_drawn_request_ends_in_a_server_error(people: People, part: int) -> None:
    told = Told()
    for operation in operations(part, PARTS):
        for case in cases_of(operation):
            for role in roles_of(operation):
                told.take(operation, role, await send(await people.client(role), case), (case.query, case.body))
    told.check()


async def test_text_that_cannot_be_kept_is_refused_and_never_an_error(people: People) -> None:
    """NUL, lone surrogates, numbers without end: in paths, queries and bodies of every operation."""
    told = Told()
    for number, operation in enumerate(operations(0, 1)):
        nasty, body = NASTY[number % len(NASTY)], NASTY_BODIES[number % len(NASTY_BODIES)]
        path = "/".join(quote(nasty, safe="") if one.startswith("{") else one for one in operation.path.split("/"))
        query = {one.name: nasty for one in operation.query}
        sent = {"content": body, "headers": {"content-type": "application/json"}}
        more = sent if operation.method.upper() not in ("GET", "DELETE") else {}
        role = roles_of(operation)[-1]
        answer = await (await people.client(role)).request(operation.method, path, params=query, **more)
        told.take(operation, role, answer, (nasty, body[:20]))
    told.check()
