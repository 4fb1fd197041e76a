"""The access matrix of docs/access.md, held against the real application: every route, every role, real requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from cloud_sync.server import auth
from cloud_sync.server.roles import GRANTS, Can, Role

pytestmark = pytest.mark.timeout(600)  # many small requests, on machines that are busy with other things too
PAGE = Path(__file__).parents[3] / "docs" / "access.md"
EVERYBODY, ANYONE = "everybody", "anyone signed in"
TOKENS = ("a gateway's token", "a platform's token")
STREAMS = ("GET /api/v1/stream",)
ENDS_EVERY_SESSION = ("POST /api/v1/auth/sign-out-everywhere", "POST /account/sign-out-everywhere")
REFUSED_LEAST = 2
FILLED = {
    "book": "permits",
    "form": "csv",
    "version": "1",
    "watch_id": "1",
    "act": "release",
    "switch": "off",
    "answer": "grant",
    "plate": "琼A12345",
    "sha256": "a" * 64,
}


def tables() -> tuple[dict[str, list[str]], dict[str, str]]:
    """Permissions by role, and who by route, as the page says."""
    roles: dict[str, list[str]] = {}
    routes: dict[str, str] = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            assert cells[0] not in routes, f"{cells[0]} stands twice"
            routes[cells[0].strip("`")] = cells[1]
        elif len(cells) == 3 and cells[0] in set(Role):
            roles[cells[0]] = re.findall(r"`(\w+)`", cells[2])
    return roles, routes


def routes_of(app: FastAPI) -> set[str]:
    """Every method and path that the application answers."""
    return {
        f"{method} {one.path}"
        for one in iter_route_contexts(app.routes)
        for method in getattr(one, "methods", None) or ()
        if method != "HEAD"
    }


def test_the_page_gives_each_role_what_the_code_grants() -> None:
    roles, _ = tables()
    assert {role: set(cans) for role, cans in roles.items()} == {
        role.value: {can.value for can in GRANTS[role]} for role in Role
    }


async def test_every_route_has_a_row_and_every_row_a_route(app: FastAPI) -> None:
    _, routes = tables()
    assert routes_of(app) - routes.keys() == set(), "give these a row in docs/access.md"
    assert routes.keys() - routes_of(app) == set(), "these are gone"


# ---------------------------------------------------------------- real requests


class Knocker:
    """Knocks at routes as somebody, and says what came back."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._users: dict[Role, str] = {}
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url="http://island.test"
        )
        self._kept: dict[Role, auth.SignedIn] = {}

    async def open(self) -> None:
        given = self._app.state.services
        await given.pool.execute(
            "INSERT INTO organisations (org_id, kind, name, created_at) VALUES ('shop', 'merchant', 'shop', now())"
        )
        for role in Role:
            self._users[role] = await auth.insert_user(
                given.pool, username=role, name=role, role=role, password_hash="", at=given.clock()
            )
            self._kept[role] = await self._session(role)
        await given.pool.execute("UPDATE users SET org_id = 'shop' WHERE role = 'merchant'")

    async def close(self) -> None:
        await self._http.aclose()

    async def _session(self, role: Role) -> auth.SignedIn:
        given = self._app.state.services
        row = {"user_id": self._users[role], "username": role, "name": role, "role": role, "org_id": None}
        return await auth.open_session(given, row, "")

    async def knock(self, route: str, role: Role | None, *, fresh: bool = False) -> int:
        """The status. `fresh` opens a session of its own, since the request may end it."""
        headers = {"Accept": "application/json", "Accept-Language": "en"}
        if role is not None:
            signed = await self._session(role) if fresh else self._kept[role]
            headers |= {"X-CSRF-Token": signed.csrf_token, "Cookie": f"island_session={signed.token}"}
        method, _, path = route.partition(" ")
        path = re.sub(
            r"\{(\w+)[^}]*\}", lambda found: FILLED.get(found[1], "0191d0c0-0000-7000-8000-000000000000"), path
        )
        if route in STREAMS and role is not None and fresh:
            return await self._status_of_stream(path, headers)
        body = {} if method in ("GET", "DELETE") else {"json": {}}
        answer = await self._http.request(method, path, headers=headers, **body)
        # A wrong password in a form of a signed-in person is no missing sign-in.
        wrong_password = answer.status_code == 401 and "wrong_credentials" in answer.text
        status = 422 if wrong_password else answer.status_code
        self._http.cookies.clear()
        if role is not None and route in ENDS_EVERY_SESSION:
            self._kept[role] = await self._session(role)
        return status

    async def _status_of_stream(self, path: str, headers: dict[str, str]) -> int:
        """Its first message; then the reader goes away."""
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def receive() -> dict[str, Any]:
            await told
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                told.set_result(message["status"])

        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http"}
        scope |= {"path": path, "raw_path": path.encode(), "query_string": b"", "headers": raw, "root_path": ""}
        scope |= {"server": ("island.test", 80), "client": ("127.0.0.1", 1)}
        answering = asyncio.create_task(self._app(scope, receive, send))
        try:
            return await asyncio.wait_for(told, timeout=30)
        finally:
            answering.cancel()
            await asyncio.gather(answering, return_exceptions=True)


@pytest.fixture
async def knocker(app: FastAPI) -> AsyncIterator[Knocker]:
    made = Knocker(app)
    await made.open()
    yield made
    await made.close()


def holders(who: str) -> set[Role]:
    """The roles that a row lets in."""
    if who in (EVERYBODY, ANYONE):
        return set(Role)
    wanted = {Can(name) for name in re.findall(r"`(\w+)`", who)}
    assert wanted, who
    return {role for role in Role if (wanted & GRANTS[role] if " or " in who else wanted <= GRANTS[role])}


def refused_roles(routes: dict[str, str]) -> dict[str, list[Role]]:
    """Who knocks in vain: of the roles without a permission, each at one of its routes at least, some at every one."""
    of_row: dict[str, list[str]] = {}
    for route, who in routes.items():
        of_row.setdefault(who, []).append(route)
    turns: dict[str, list[Role]] = {}
    for who, doors in of_row.items():
        lacking = sorted(set(Role) - holders(who))
        each = max(min(REFUSED_LEAST, len(lacking)), -(-len(lacking) // len(doors)))
        knocking = [lacking[n % len(lacking)] for n in range(each * len(doors))] if lacking else []
        turns |= {door: knocking[n * each : (n + 1) * each] for n, door in enumerate(doors)}
    return turns


async def wrongs_of(knocker: Knocker, number: int, route: str, who: str, refused: list[Role]) -> list[str]:
    """What a route answers otherwise than its row says."""
    wrong = []
    alone = await knocker.knock(route, None)
    if (who != EVERYBODY and alone != 401) or alone >= 500:
        wrong.append(f"{route} answers {alone} to nobody")
    for role in refused:
        status = await knocker.knock(route, role)
        if status != 403:
            wrong.append(f"{route} answers {status} to {role}, who may not")
    allowed = sorted(holders(who))
    one = allowed[number % len(allowed)]
    status = await knocker.knock(route, one, fresh=True)
    refusals = (401,) if who == ANYONE else (401, 403)
    if (status in refusals and who != EVERYBODY) or status >= 500:
        wrong.append(f"{route} answers {status} to {one}, who may")
    return wrong


@pytest.mark.parametrize("part", range(4))
async def test_every_route_lets_in_whom_the_page_names(knocker: Knocker, part: int) -> None:
    """For each route nobody, roles without the permission, and one with it, in turn."""
    _, routes = tables()
    by_token = {route for route, who in routes.items() if who in TOKENS}
    for_people = {route: who for route, who in routes.items() if route not in by_token}
    refused, wrong = refused_roles(for_people), []
    for number, (route, who) in enumerate(for_people.items()):
        if number % 4 == part:
            wrong += await wrongs_of(knocker, number // 4, route, who, refused[route])
    for route in by_token if part == 0 else ():
        statuses = [await knocker.knock(route, None), await knocker.knock(route, Role.ENGINEER)]
        wrong += [f"{route} answers {status} without its token" for status in statuses if status != 401]
    assert not wrong, "\n".join(wrong)
