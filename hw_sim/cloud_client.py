"""The cloud's API as the demonstration uses it: owns signing in, entering lists, and reading what came in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx

from control.domain.errors import IslandError
from hw_sim.fleet import Fleet

TIMEOUT_S = 30.0


class CloudClient:
    """A signed-in session. Use as an async context manager."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, timeout=TIMEOUT_S, headers={"Origin": base_url})

    async def __aenter__(self) -> CloudClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def healthy(self) -> bool:
        """Whether the cloud and its database answer."""
        try:
            return (await self._http.get("/api/v1/health")).status_code == 200
        except httpx.TransportError:
            return False

    async def sign_in(self, username: str, password: str) -> None:
        """Start a session; everything that changes something carries its token from now on."""
        answer = await self.post("/api/v1/session", {"username": username, "password": password})
        self._http.headers["X-CSRF-Token"] = answer["csrf_token"]

    async def enter_lists(self, fleet: Fleet) -> None:
        """Watch list and register, as the office would enter them. What is there already stays."""
        watched = {entry["plate"] for entry in await self.get("/api/v1/watch")}
        for entry in fleet.watch:
            if entry.plate not in watched:
                entered = {"plate": entry.plate, "effect": entry.effect.value, "reason": entry.reason}
                await self.post("/api/v1/watch", entered)
        for row in fleet.registry:
            body: dict[str, str | None] = {
                "energy": row.energy,
                "vehicle_type": row.vehicle_type,
                "source": "demonstration",
            }
            await self.put(f"/api/v1/registry/{row.plate}", body)

    async def passages(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest arrivals, newest first."""
        return list(await self.get("/api/v1/passages/recent", {"limit": limit}))

    async def all_passages(self, since: datetime) -> list[dict[str, Any]]:
        """Every arrival since then, page by page, newest first."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            wanted: dict[str, Any] = {"limit": 200, "from": since.isoformat()}
            page = await self.get("/api/v1/passages", wanted | ({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return found

    async def gateways(self) -> list[dict[str, Any]]:
        """Every gateway with the version of the permits that it holds."""
        return list(await self.get("/api/v1/gateways"))

    async def holds(self) -> list[dict[str, Any]]:
        """Vehicles that wait for a person."""
        return list(await self.get("/api/v1/holds"))

    async def events_applied(self) -> int:
        """Events of all gateways that the cloud has committed."""
        return int((await self.get("/api/v1/health"))["events_applied"])

    async def lanes(self) -> list[dict[str, Any]]:
        """Every lane that a gateway has told of."""
        return list(await self.get("/api/v1/lanes"))

    async def upload(self, content: bytes, media_type: str) -> dict[str, Any]:
        """A paper; gives its record with the content hash."""
        answer = await self._http.post("/api/v1/documents", content=content, headers={"Content-Type": media_type})
        _check(answer)
        return dict(answer.json())

    async def get(self, path: str, wanted: dict[str, Any] | None = None) -> Any:
        """JSON. Raises IslandError when the cloud refuses."""
        answer = await self._http.get(path, params=wanted)
        _check(answer)
        return answer.json()

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """JSON there and back; None for an answer without a body. Raises IslandError when the cloud refuses."""
        answer = await self._http.post(path, json=body)
        _check(answer)
        return answer.json() if answer.content else None

    async def patch(self, path: str, body: dict[str, Any]) -> Any:
        """JSON there and back. Raises IslandError when the cloud refuses."""
        answer = await self._http.patch(path, json=body)
        _check(answer)
        return answer.json()

    async def download(self, path: str) -> bytes:
        """The bytes of a file. Raises IslandError when the cloud refuses."""
        answer = await self._http.get(path)
        _check(answer)
        return answer.content

    async def put(self, path: str, body: dict[str, Any]) -> None:
        """JSON there, nothing back. Raises IslandError when the cloud refuses."""
        _check(await self._http.put(path, json=body))


def _check(answer: httpx.Response) -> None:
    if answer.status_code >= 400:
        request = answer.request
        raise IslandError(f"{request.method} {request.url.path} was answered {answer.status_code}: {answer.text[:300]}")
