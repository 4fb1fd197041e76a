"""Which route an address belongs to: owns an index over the application's routes by how their paths begin.

The framework tries one route after another, hundreds of them before the last. The index tries those that begin as the
address does, in their order. What it does not find goes the framework's way: other methods, redirects, files.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from cloud_sync.server.api.address import API

_FOUND = "island.route"


class RouteIndex(BaseRoute):
    """Stands before the routes that it knows. A path that begins with a parameter is left to the framework."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._by_head: dict[str, list[APIRoute]] = defaultdict(list)
        for route in routes:
            if isinstance(route, APIRoute) and "{" not in (head := _head(route.path)):
                self._by_head[head].append(route)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """The first route that takes path and method of a request, as the framework would find it."""
        if scope["type"] != "http" or scope.get("root_path"):
            return Match.NONE, {}
        for route in self._by_head.get(_head(scope["path"]), ()):
            match, more = route.matches(scope)
            if match is Match.FULL:
                return match, {**more, _FOUND: route}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets the route that was found answer."""
        await scope[_FOUND].handle(scope, receive, send)


def _head(path: str) -> str:
    """`/api/v1/points` of `/api/v1/points/me`, `/points` of `/points/devices`: the address up to its first own part."""
    end = path.find("/", len(API) + 1 if path.startswith(f"{API}/") else 1)
    return path if end < 0 else path[:end]
