"""Signing in by a provider that is really there, on loopback: what is verified, and what is not believed."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import argon2
import httpx
import jwt
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI, Request
from jwt.algorithms import ECAlgorithm

from cloud_sync.server import auth, build
from cloud_sync.server.config import OidcConfig
from cloud_sync.server.people import oidc
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Role

PASSWORD = "a long enough password"
CLIENT = "island"
BACK = "http://127.0.0.1:9/sign-in/provider/back"


@dataclass
class Provider:
    """Issues ID tokens for `subject`; `claims` and `sign_with` make it lie."""

    url: str = ""
    subject: str = "s-1"
    claims: dict[str, Any] = field(default_factory=dict)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    sign_with: Any = None
    algorithm: str = "ES256"
    issuer: str = ""
    elsewhere: dict[str, str] = field(default_factory=dict)
    clock: Any = None
    asked: dict[str, str] = field(default_factory=dict)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/.well-known/openid-configuration")
        async def discovery() -> dict[str, str]:
            paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks"}
            addresses = {name: self.url + path for name, path in paths.items()}
            return {"issuer": self.issuer or self.url} | addresses | self.elsewhere

        @app.get("/jwks")
        async def jwks() -> dict[str, Any]:
            public = json.loads(ECAlgorithm.to_jwk(self.key.public_key()))
            return {"keys": [public | {"kid": "k1", "alg": "ES256", "use": "sig"}]}

        @app.post("/token")
        async def token(request: Request) -> dict[str, str]:
            form = dict(await request.form())
            challenge = base64.urlsafe_b64encode(hashlib.sha256(str(form["code_verifier"]).encode()).digest())
            proven = challenge.rstrip(b"=").decode() == self.asked["code_challenge"]
            if not proven or form["code"] != "code-1" or form["redirect_uri"] != BACK:
                return {"error": "invalid_grant"}
            return {"id_token": self.id_token()}

        return app

    def id_token(self) -> str:
        now = int(self.clock().timestamp())
        claims = {"iss": self.url, "sub": self.subject, "aud": CLIENT, "iat": now, "exp": now + 300}
        claims |= {"nonce": self.asked["nonce"]} | self.claims
        key = None if self.algorithm == "none" else self.sign_with or self.key
        return jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": "k1"})

    def authorise(self, url: str) -> dict[str, str]:
        """The person says yes: what the browser brings back."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        return {"code": "code-1", "state": self.asked["state"]}


@pytest.fixture
async def provider(clock: Any) -> AsyncIterator[Provider]:
    """A served provider."""
    made = Provider(clock=clock)
    server = uvicorn.Server(uvicorn.Config(made.app(), host="127.0.0.1", port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve(), name="test provider")
    while not server.started:
        assert not serving.done(), "the provider did not start"
        await asyncio.sleep(0.01)
    made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield made
    server.should_exit = True
    await asyncio.wait_for(serving, timeout=60)


@pytest.fixture
async def joined(config: Any, clock: Any, provider: Provider) -> AsyncIterator[FastAPI]:
    """The application with this provider."""
    wanted = OidcConfig(issuer=provider.url, client_id=CLIENT, redirect_url=BACK, label="岛上通")
    quick = argon2.PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    app = build.create_app(replace(config, oidc=wanted), clock=clock, hasher=quick, workers=False)
    async with app.router.lifespan_context(app):
        hashed = await app.state.services.passwords.hash(PASSWORD)
        for role in (Role.DRIVER, Role.ENGINEER):
            await auth.insert_user(
                app.state.services.pool, username=role, name=role, role=role, password_hash=hashed, at=clock()
            )
        yield app


@pytest.fixture
async def window(joined: FastAPI) -> AsyncIterator[Any]:
    """`window()` is somebody's browser."""
    async with AsyncExitStack() as stack:

        async def opened(username: str = "") -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app=joined)
            http = await stack.enter_async_context(
                httpx.AsyncClient(transport=transport, base_url="http://island.test")
            )
            http.headers["accept"] = "text/html"
            if username:
                await http.post("/api/v1/session", json={"username": username, "password": PASSWORD})
            return http

        yield opened


async def link_driver(joined: FastAPI) -> None:
    given = joined.state.services
    user_id = await given.pool.fetchval("SELECT user_id::text FROM users WHERE username = 'driver'")
    await oidc.link(given, oidc.Actor("engineer"), user_id, "s-1")


async def test_a_linked_person_signs_in(joined: FastAPI, provider: Provider, window: Any) -> None:
    await link_driver(joined)
    http = await window()
    assert "岛上通" in (await http.get("/sign-in")).text
    sent = await http.get("/sign-in/provider?next=/account")
    brought = provider.authorise(sent.headers["location"])
    assert provider.asked["code_challenge_method"] == "S256"
    back = await http.get("/sign-in/provider/back", params=brought)
    assert (back.status_code, back.headers["location"]) == (303, "/account")
    assert (await http.get("/api/v1/session")).json()["username"] == "driver"
    again = await (await window()).get("/sign-in/provider/back", params=brought)
    assert again.status_code == 401


async def test_a_person_links_their_account_and_unlinks_it(joined: FastAPI, provider: Provider, window: Any) -> None:
    http = await window("driver")
    brought = provider.authorise((await http.get("/account/provider")).headers["location"])
    back = await http.get("/sign-in/provider/back", params=brought)
    assert back.headers["location"] == "/account?done=provider_linked"
    other = await window()
    brought = provider.authorise((await other.get("/sign-in/provider")).headers["location"])
    await other.get("/sign-in/provider/back", params=brought)
    csrf = (await other.get("/api/v1/session")).json()["csrf_token"]
    assert (await other.post("/account/provider/unlink", headers={"X-CSRF-Token": csrf})).status_code == 303
    brought = provider.authorise((await window_get(other, "/sign-in/provider")).headers["location"])
    assert (await other.get("/sign-in/provider/back", params=brought)).status_code == 403


async def window_get(http: httpx.AsyncClient, path: str) -> httpx.Response:
    http.cookies.delete("island_session")
    return await http.get(path)


async def test_a_subject_that_nobody_linked_gets_nothing(joined: FastAPI, provider: Provider, window: Any) -> None:
    http = await window()
    brought = provider.authorise((await http.get("/sign-in/provider")).headers["location"])
    back = await http.get("/sign-in/provider/back", params=brought)
    assert back.status_code == 403
    assert (await http.get("/api/v1/session")).status_code == 401


LIES: dict[str, dict[str, Any]] = {
    "other issuer": {"claims": {"iss": "https://evil.example"}},
    "other audience": {"claims": {"aud": "other"}},
    "two audiences": {"claims": {"aud": [CLIENT, "other"]}},
    "other nonce": {"claims": {"nonce": "old"}},
    "too old": {"claims": {"exp": 1_000_000_000}},
    "from the future": {"claims": {"iat": 4_000_000_000, "exp": 4_000_000_300}},
    "no subject": {"claims": {"sub": ""}},
    "other key": {"sign_with": ec.generate_private_key(ec.SECP256R1())},
    "no signature": {"algorithm": "none"},
    "shared secret": {"sign_with": "x" * 32, "algorithm": "HS256"},
}


async def test_a_token_that_does_not_verify_is_refused(joined: FastAPI, provider: Provider, window: Any) -> None:
    await link_driver(joined)
    http = await window()
    for lie, how in LIES.items():
        truth = {name: getattr(provider, name) for name in how}
        for name, value in how.items():
            setattr(provider, name, value)
        brought = provider.authorise((await http.get("/sign-in/provider")).headers["location"])
        back = await http.get("/sign-in/provider/back", params=brought)
        assert back.status_code == 401, lie
        assert (await http.get("/api/v1/session")).status_code == 401
        for name, value in truth.items():
            setattr(provider, name, value)


async def test_state_belongs_to_one_browser_and_one_use(
    joined: FastAPI, provider: Provider, window: Any, clock: Any
) -> None:
    await link_driver(joined)
    attacker, victim = await window(), await window()
    brought = provider.authorise((await attacker.get("/sign-in/provider")).headers["location"])
    assert (await victim.get("/sign-in/provider/back", params=brought)).status_code == 401
    clock.leap(seconds=601)
    assert (await attacker.get("/sign-in/provider/back", params=brought)).status_code == 401


async def test_an_issuer_that_calls_itself_otherwise_is_refused(joined: FastAPI, provider: Provider) -> None:
    provider.issuer = "https://evil.example"
    with pytest.raises(Problem) as raised:
        await oidc.begin(joined.state.services, next_path="/")
    assert raised.value.code == "provider_refused"


@pytest.mark.parametrize(
    ("address", "is_asked"),
    [
        ("https://idp.example/token", True),
        ("http://idp.example/token", False),
        ("https://127.0.0.2/token", False),
        ("https://10.0.0.8/token", False),
        ("https://169.254.169.254/latest", False),
        ("https://[::1]/token", False),
        ("https://localhost/token", False),
        ("https://metadata.internal/token", False),
        ("https://[::1/token", False),
        ("file:///etc/passwd", False),
    ],
)
async def test_no_machine_inside_is_asked_because_a_provider_says_so(
    joined: FastAPI, provider: Provider, address: str, is_asked: bool
) -> None:
    provider.elsewhere = {"token_endpoint": address}
    if is_asked:
        assert (await oidc.begin(joined.state.services, next_path="/")).url.startswith(provider.url)
        return
    with pytest.raises(Problem) as raised:
        await oidc.begin(joined.state.services, next_path="/")
    assert raised.value.code == "provider_refused"


async def test_without_a_provider_nothing_is_offered(app: FastAPI, browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/sign-in/provider")).json()["code"] == "not_offered"


async def test_a_provider_that_is_away_is_said(config: Any, clock: Any, app: FastAPI) -> None:
    away = OidcConfig(issuer="http://127.0.0.1:9", client_id=CLIENT, redirect_url=BACK)
    given = replace(app.state.services, config=replace(config, oidc=away))
    with pytest.raises(Problem) as raised:
        await oidc.begin(given, next_path="/")
    assert raised.value.code == "provider_away"
