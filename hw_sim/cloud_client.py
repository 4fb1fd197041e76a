"""The cloud's API as the demonstration uses it: owns signing in, entering papers, and reading what came in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx

from control.domain.errors import IslandError
from hw_sim.fleet import Fleet

TIMEOUT_S = 10.0


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
        answer = await self._post("/api/v1/session", {"username": username, "password": password})
        self._http.headers["X-CSRF-Token"] = answer["csrf_token"]

    async def enter_papers(self, fleet: Fleet) -> None:
        """Permits, watch list and register, as the office would enter them. What is there already stays."""
        known = {permit["plate"] for permit in await self._get("/api/v1/permits", {})}
        for permit in fleet.permits:
            if permit.plate not in known:
                await self._post("/api/v1/permits", _permit_body(permit))
        watched = {entry["plate"] for entry in await self._get("/api/v1/watch", {})}
        for entry in fleet.watch:
            if entry.plate not in watched:
                entered = {"plate": entry.plate, "effect": entry.effect.value, "reason": entry.reason}
                await self._post("/api/v1/watch", entered)
        for row in fleet.registry:
            body: dict[str, str | None] = {
                "energy": row.energy,
                "vehicle_type": row.vehicle_type,
                "source": "demonstration",
            }
            answer = await self._http.put(f"/api/v1/registry/{row.plate}", json=body)
            _check(answer)

    async def passages(self, limit: int = 100) -> list[dict[str, Any]]:
        """The newest arrivals, newest first."""
        return list(await self._get("/api/v1/passages/recent", {"limit": limit}))

    async def all_passages(self, since: datetime) -> list[dict[str, Any]]:
        """Every arrival since then, page by page, newest first."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            wanted: dict[str, Any] = {"limit": 200, "from": since.isoformat()}
            page = await self._get("/api/v1/passages", wanted | ({"cursor": cursor} if cursor else {}))
            found += page["items"]
            cursor = page["next_cursor"]
            if not cursor:
                return found

    async def gateways(self) -> list[dict[str, Any]]:
        """Every gateway with the version of the permits that it holds."""
        return list(await self._get("/api/v1/gateways", {}))

    async def holds(self) -> list[dict[str, Any]]:
        """Vehicles that wait for a person."""
        return list(await self._get("/api/v1/holds", {}))

    async def events_applied(self) -> int:
        """Events of all gateways that the cloud has committed."""
        return int((await self._get("/api/v1/health", {}))["events_applied"])

    async def _get(self, path: str, wanted: dict[str, Any]) -> Any:
        answer = await self._http.get(path, params=wanted)
        _check(answer)
        return answer.json()

    async def _post(self, path: str, body: dict[str, Any]) -> Any:
        answer = await self._http.post(path, json=body)
        _check(answer)
        return answer.json()


def _permit_body(permit: Any) -> dict[str, Any]:
    return {
        "plate": permit.plate,
        "permit_class": permit.permit_class.value,
        "valid_from": permit.valid_from.isoformat(),
        "valid_until": permit.valid_until.isoformat(),
        "vehicle_type": permit.vehicle_type,
        "holder": permit.holder,
        "why": "demonstration",
    }


def _check(answer: httpx.Response) -> None:
    if answer.status_code >= 400:
        request = answer.request
        raise IslandError(f"{request.method} {request.url.path} was answered {answer.status_code}: {answer.text[:300]}")
