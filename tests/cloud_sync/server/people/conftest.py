"""An app in somebody's hand: registers, keeps its tokens, and sends the short one with each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from cloud_sync.server.people.terms import VERSION

PASSWORD = "a long enough password"


@dataclass
class App:
    """A phone with tokens."""

    http: httpx.AsyncClient
    tokens: dict[str, Any]

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"} | more.pop("headers", {})
        return await self.http.request(method, f"/api/v1{path}", headers=headers, **more)

    async def refresh(self, token: str | None = None) -> httpx.Response:
        body = {"refresh_token": token or self.tokens["refresh_token"]}
        return await self.http.post("/api/v1/auth/refresh", json=body)


def registration(username: str = "chen", **more: Any) -> dict[str, Any]:
    return {
        "username": username,
        "password": PASSWORD,
        "role": "driver",
        "name": "陈海龙",
        "consent_version": VERSION,
        "consents": ["terms"],
        "is_old_enough": True,
    } | more


@pytest.fixture
def registered(browser: httpx.AsyncClient) -> Any:
    """`await registered("chen", role="visitor")` gives an App that is signed in."""

    async def make(username: str = "chen", **more: Any) -> App:
        answer = await browser.post("/api/v1/auth/register", json=registration(username, **more))
        assert answer.status_code == 201, answer.text
        return App(browser, answer.json())

    return make
