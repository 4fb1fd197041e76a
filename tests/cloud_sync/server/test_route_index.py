"""The index finds what the framework would find, and leaves it the rest."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import Match

from cloud_sync.server import build
from cloud_sync.server.config import CloudConfig
from cloud_sync.server.route_index import RouteIndex


@pytest.fixture(scope="module")
def whole() -> FastAPI:
    """Every route there is, without a database."""
    return build.create_app(CloudConfig(), workers=False)


def scope_of(method: str, path: str, **more: Any) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": path, "headers": [], "query_string": b"", **more}


def routes_of(app: FastAPI) -> list[APIRoute]:
    return [route for route in app.routes if isinstance(route, APIRoute)]


def test_every_route_is_found_as_the_framework_finds_it(whole: FastAPI) -> None:
    index = whole.routes[0]
    assert isinstance(index, RouteIndex)
    for route in routes_of(whole):
        path = route.path_format.replace("{", "").replace("}", "")
        for method in route.methods:
            scope = scope_of(method, path)
            wanted = next(one for one in whole.routes[1:] if one.matches(scope)[0] is Match.FULL)
            match, more = index.matches(scope)
            assert (match, more["route"]) == (Match.FULL, wanted), path


@pytest.mark.parametrize(
    "scope",
    [
        scope_of("DELETE", "/api/v1/points/me"),
        scope_of("GET", "/api/v1/points/me/"),
        scope_of("GET", "/static/console.css"),
        scope_of("GET", "/nowhere"),
        scope_of("GET", ""),
        scope_of("GET", "/api/v1/points/me", root_path="/island"),
        {"type": "websocket", "path": "/api/v1/points/me"},
    ],
    ids=["method", "slash", "file", "unknown", "empty", "mounted", "socket"],
)
def test_the_rest_is_left_to_the_framework(whole: FastAPI, scope: dict[str, Any]) -> None:
    assert whole.routes[0].matches(scope) == (Match.NONE, {})


async def test_the_framework_answers_the_rest() -> None:
    app = FastAPI()

    @app.get("/api/v1/things/{thing}")
    async def thing(thing: str) -> str:
        return thing

    app.router.routes.insert(0, RouteIndex(app.routes))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://island") as client:
        assert (await client.get("/api/v1/things/lamp")).json() == "lamp"
        assert (await client.post("/api/v1/things/lamp")).status_code == 405
        assert (await client.get("/api/v1/things/lamp/")).status_code == 307
        assert (await client.get("/api/v1/nothing")).status_code == 404
