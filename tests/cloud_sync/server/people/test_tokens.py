"""The app's tokens: short, exchanged once, ended together when one is used twice."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

PASSWORD = "a long enough password"


async def test_an_access_token_works_for_a_quarter_of_an_hour(registered: Any, clock: Any) -> None:
    app = await registered()
    assert (await app.send("GET", "/me")).json()["username"] == "chen"
    clock.leap(seconds=899)
    assert (await app.send("GET", "/me")).status_code == 200
    clock.leap(seconds=2)
    assert (await app.send("GET", "/me")).json()["code"] == "not_signed_in"
    app.tokens = (await app.refresh()).json()
    assert (await app.send("GET", "/me")).status_code == 200


async def test_a_refresh_token_used_again_ends_the_family(app: Any, registered: Any, clock: Any) -> None:
    phone = await registered()
    stolen = phone.tokens["refresh_token"]
    phone.tokens = (await phone.refresh()).json()
    clock.leap(seconds=11)
    again = await phone.refresh(stolen)
    assert (again.status_code, again.json()["code"]) == (401, "token_reused")
    assert (await phone.send("GET", "/me")).status_code == 401
    assert (await phone.refresh()).json()["code"] == "token_invalid"
    actions = await app.state.services.pool.fetch("SELECT action FROM audit WHERE action = 'token_reused'")
    assert len(actions) == 1


async def test_an_answer_that_was_lost_may_be_asked_for_again(registered: Any, clock: Any) -> None:
    phone = await registered()
    old = phone.tokens["refresh_token"]
    lost = (await phone.refresh(old)).json()
    clock.leap(seconds=5)
    phone.tokens = (await phone.refresh(old)).json()
    assert (await phone.send("GET", "/me")).status_code == 200
    clock.leap(seconds=20)
    assert (await phone.refresh(lost["refresh_token"])).json()["code"] == "token_reused"


async def test_signing_out_ends_one_phone_and_everywhere_ends_all(registered: Any, browser: httpx.AsyncClient) -> None:
    first = await registered()
    body = {"username": "chen", "password": PASSWORD, "device": "tablet"}
    second = type(first)(browser, (await browser.post("/api/v1/auth/token", json=body)).json())
    revoked = await browser.post("/api/v1/auth/revoke", json={"token": first.tokens["refresh_token"]})
    assert revoked.status_code == 204
    assert (await first.send("GET", "/me")).status_code == 401
    assert (await second.send("GET", "/me")).status_code == 200
    assert (await second.send("POST", "/auth/sign-out-everywhere")).status_code == 204
    assert (await second.send("GET", "/me")).status_code == 401
    assert (await browser.post("/api/v1/auth/revoke", json={"token": "nobody's"})).status_code == 204


async def test_a_new_password_ends_the_tokens(registered: Any, sign_in: Any) -> None:
    phone, engineer = await registered(), await sign_in("engineer")
    user_id = (await phone.send("GET", "/me")).json()["user_id"]
    changed = await engineer.send("PUT", f"/users/{user_id}/password", json={"password": "another password"})
    assert changed.status_code == 204
    assert (await phone.send("GET", "/me")).status_code == 401


async def test_a_bearer_needs_no_csrf_token_and_a_cookie_does(registered: Any, sign_in: Any) -> None:
    phone = await registered()
    assert (await phone.send("PATCH", "/me", json={"name": "陈"})).json()["name"] == "陈"
    guard = await sign_in("guard")
    assert (await guard.http.patch("/api/v1/me", json={"name": "x"})).json()["code"] == "csrf"


async def test_staff_have_no_app_tokens_and_tokens_are_stored_hashed(app: Any, sign_in: Any, registered: Any) -> None:
    guard = await sign_in("guard")
    answer = await guard.http.post("/api/v1/auth/token", json={"username": "guard", "password": PASSWORD})
    assert answer.status_code == 403
    phone = await registered()
    rows = repr([dict(row) for row in await app.state.services.pool.fetch("TABLE app_tokens")])
    assert phone.tokens["access_token"] not in rows
    assert phone.tokens["refresh_token"] not in rows


async def test_a_gateways_token_is_no_persons(config: Any, app: Any, browser: httpx.AsyncClient) -> None:
    token = config.gateways[0].secret_file.read_text().strip()
    answer = await browser.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["code"] == "not_signed_in"


@pytest.mark.parametrize("token", ["", "x" * 201])
async def test_what_is_no_token_is_refused(app: Any, browser: httpx.AsyncClient, token: str) -> None:
    answer = await browser.post("/api/v1/auth/refresh", json={"refresh_token": token})
    assert answer.status_code in (401, 422)
