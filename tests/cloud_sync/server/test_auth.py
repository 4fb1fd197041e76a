"""Sign-in: the first account, sessions, limits, origins, tokens. No default password survives the first start."""

from __future__ import annotations

import stat
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import argon2
import httpx
import pytest

from cloud_sync.server import auth, build
from cloud_sync.server.config import AuthConfig
from cloud_sync.server.problems import Problem

PASSWORD = "a long enough password"
ACCOUNT = {"username": "Chen", "name": "Chen H.", "password": PASSWORD}


def code_of(config: Any) -> str:
    return (config.server.data_dir / auth.SETUP_FILE).read_text().strip()


async def test_the_first_account_needs_the_code_from_the_file_and_the_code_works_once(
    config: Any, app: Any, browser: httpx.AsyncClient
) -> None:
    file = config.server.data_dir / auth.SETUP_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert str(file) in app.state.first_account
    code = code_of(config)
    assert code not in app.state.first_account
    wrong = await browser.post("/api/v1/setup", json=ACCOUNT | {"code": "0000-0000"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "wrong_setup_code")
    made = await browser.post("/api/v1/setup", json=ACCOUNT | {"code": code})
    assert (made.status_code, made.json()["role"]) == (201, "engineer")
    assert not file.exists()
    assert (await browser.get("/api/v1/session")).json()["username"] == "chen"
    again = await browser.post("/api/v1/setup", json=ACCOUNT | {"code": code, "username": "li"})
    assert again.json()["code"] == "already_set_up"


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaa", "CHEN-HAILIN"])
async def test_a_weak_password_is_refused(config: Any, browser: httpx.AsyncClient, password: str) -> None:
    account = ACCOUNT | {"username": "chen-hailin", "password": password, "code": code_of(config)}
    answer = await browser.post("/api/v1/setup", json=account)
    assert answer.json()["code"] == "weak_password"
    assert password not in answer.text


async def test_the_demo_account_gets_a_random_password_that_is_kept(config: Any, clock: Any) -> None:
    told = []
    for _ in range(2):
        async with AsyncExitStack() as stack:
            settings = replace(config, auth=AuthConfig(demo_user="demo"))
            given = await build.opened_services(stack, settings, clock=clock, hasher=argon2.PasswordHasher(1, 64, 1))
            told.append(await auth.prepare_first_account(given))
            user, _, password = str(told[-1]).partition(" / ")
            assert (await auth.sign_in(given, user, password, remote="x")).user.role is auth.Role.ENGINEER
    assert told[0] == told[1]


async def test_names_do_not_care_for_case_and_passwords_do(sign_in: Any, browser: httpx.AsyncClient) -> None:
    await sign_in("guard")
    good = await browser.post("/api/v1/session", json={"username": "GUARD", "password": PASSWORD})
    bad = await browser.post("/api/v1/session", json={"username": "guard", "password": PASSWORD.upper()})
    assert (good.status_code, bad.status_code) == (200, 401)


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(sign_in: Any) -> None:
    person = await sign_in("guard")
    answer = await person.http.post("/api/v1/session", json={"username": "guard", "password": PASSWORD})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


async def test_the_store_keeps_neither_password_nor_token(app: Any, sign_in: Any) -> None:
    person = await sign_in("guard")
    token = person.http.cookies["island_session"]
    pool = app.state.services.pool
    rows = [*await pool.fetch("TABLE users"), *await pool.fetch("TABLE sessions")]
    text = "".join(repr(dict(row)) for row in rows)
    assert token not in text
    assert PASSWORD not in text


async def test_guessing_is_stopped_for_the_name_and_forgiven_after_a_while(
    sign_in: Any, browser: httpx.AsyncClient, clock: Any
) -> None:
    await sign_in("guard")
    body = {"username": "guard", "password": "wrong"}
    codes = [(await browser.post("/api/v1/session", json=body)).status_code for _ in range(9)]
    assert codes == [401] * 8 + [429]
    stopped = await browser.post("/api/v1/session", json=body | {"password": PASSWORD})
    assert (stopped.status_code, stopped.headers["retry-after"]) == (429, "300")
    clock.leap(seconds=301)
    assert (await browser.post("/api/v1/session", json=body | {"password": PASSWORD})).status_code == 200


async def test_guessing_many_names_from_one_address_is_stopped(browser: httpx.AsyncClient) -> None:
    codes = [
        (await browser.post("/api/v1/session", json={"username": f"user{n}", "password": "wrong"})).status_code
        for n in range(9)
    ]
    assert codes[-1] == 429


async def test_an_account_of_ones_own_pays_for_no_guesses_at_others(sign_in: Any, browser: httpx.AsyncClient) -> None:
    await sign_in("guard")
    codes = []
    for n in range(9):
        guess = {"username": f"user{n}", "password": "wrong"}
        codes.append((await browser.post("/api/v1/session", json=guess)).status_code)
        await browser.post("/api/v1/session", json={"username": "guard", "password": PASSWORD})
    assert codes[-1] == 429


async def test_many_people_of_one_address_sign_in(sign_in: Any, browser: httpx.AsyncClient) -> None:
    await sign_in("guard")
    body = {"username": "guard", "password": PASSWORD}
    assert {(await browser.post("/api/v1/session", json=body)).status_code for _ in range(12)} == {200}


@pytest.mark.parametrize(("idle", "expected"), [({"hours": 1.9}, 200), ({"hours": 2.1}, 401)])
async def test_an_idle_session_ends(sign_in: Any, clock: Any, idle: dict[str, float], expected: int) -> None:
    person = await sign_in("guard")
    clock.leap(**idle)
    assert (await person.get("/session")).status_code == expected


async def test_a_busy_session_ends_too(sign_in: Any, clock: Any) -> None:
    person = await sign_in("guard")
    for _ in range(12):
        assert (await person.get("/session")).status_code == 200
        clock.leap(hours=1)
    assert (await person.get("/session")).status_code == 401


async def test_signing_out_ends_the_session_on_the_server(sign_in: Any) -> None:
    person = await sign_in("guard")
    token = person.http.cookies["island_session"]
    assert (await person.send("DELETE", "/session")).status_code == 204
    person.http.cookies.set("island_session", token)
    assert (await person.get("/session")).status_code == 401


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, "foreign_origin"),
        ({"Sec-Fetch-Site": "same-site"}, "foreign_origin"),
        ({"Origin": "http://evil.test"}, "foreign_origin"),
        ({"Origin": "null"}, "foreign_origin"),
        ({"X-CSRF-Token": ""}, "csrf"),
        ({"X-CSRF-Token": "ÿ"}, "csrf"),
    ],
)
async def test_a_forged_request_changes_nothing(sign_in: Any, headers: dict[str, str], code: str) -> None:
    person = await sign_in("approver")
    raw = {name.encode(): value.encode("latin-1") for name, value in headers.items()}
    sent = {b"X-CSRF-Token": person.csrf_token.encode()} | raw
    answer = await person.http.post("/api/v1/watch", json={"plate": "琼C12345"}, headers=list(sent.items()))
    assert (answer.status_code, answer.json()["code"]) == (403, code)


async def test_our_own_page_may(sign_in: Any) -> None:
    person = await sign_in("approver")
    headers = {"Origin": "http://island.test", "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": person.csrf_token}
    body = {"plate": "琼C12345", "effect": "alert", "reason": "look"}
    assert (await person.http.post("/api/v1/watch", json=body, headers=headers)).status_code == 201


async def test_accounts_are_made_changed_and_switched_off_by_engineers(
    sign_in: Any, browser: httpx.AsyncClient
) -> None:
    engineer, guard = await sign_in("engineer"), await sign_in("guard")
    body = {"username": "wang", "role": "guard", "password": PASSWORD}
    made = await engineer.post("/users", body)
    assert made.status_code == 201
    assert (await engineer.post("/users", body)).json()["code"] == "already_exists"
    users = {one["username"]: one["user_id"] for one in (await engineer.get("/users")).json()}
    off = await engineer.send("PATCH", f"/users/{users['guard']}", json={"enabled": False})
    assert off.status_code == 204
    assert (await guard.get("/holds")).status_code == 401
    last = await engineer.send("PATCH", f"/users/{users['engineer']}", json={"role": "guard"})
    assert last.json()["code"] == "last_engineer"
    assert (await engineer.get("/session")).json()["role"] == "engineer"
    new = await engineer.send("PUT", f"/users/{users['wang']}/password", json={"password": "another password"})
    assert new.status_code == 204
    signed = await browser.post("/api/v1/session", json={"username": "wang", "password": "another password"})
    assert signed.status_code == 200


async def test_a_gateway_is_known_by_its_token_alone(config: Any, app: Any, browser: httpx.AsyncClient) -> None:
    token = config.gateways[0].secret_file.read_text().strip()
    stored = await app.state.services.pool.fetchval("SELECT token_hash FROM gateways")
    assert token.encode() not in stored
    for header in ("", "Bearer ", "Bearer wrong", f"Basic {token}", token):
        answer = await browser.put(f"/api/v1/media/{'a' * 64}", content=b"x", headers={"Authorization": header})
        assert answer.json()["code"] == "gateway_unknown"


def test_a_problem_speaks_both_languages() -> None:
    problem = Problem("already_decided")
    assert problem.sentence("zh-CN") == "这辆车已有人处理。"
    assert problem.sentence("en").endswith("already.")


async def test_a_role_that_does_not_fit_ends_the_membership_and_nobody_changes_their_own(
    sign_in: Any, app: Any
) -> None:
    engineer, pool = await sign_in("engineer"), app.state.services.pool
    await sign_in("driver")
    await pool.execute(
        "INSERT INTO organisations (org_id, kind, name, created_at) VALUES ('o1', 'applicant', 'Cranes', now())"
    )
    await pool.execute("UPDATE users SET org_id = 'o1' WHERE username = 'driver'")
    users = {one["username"]: one["user_id"] for one in (await engineer.get("/users")).json()}
    for role, org_id in (("organisation", "o1"), ("reviewer", None), ("driver", None)):
        assert (await engineer.send("PATCH", f"/users/{users['driver']}", json={"role": role})).status_code == 204
        assert await pool.fetchval("SELECT org_id FROM users WHERE username = 'driver'") == org_id
    second = {"username": "second", "role": "engineer", "password": PASSWORD}
    assert (await engineer.post("/users", second)).status_code == 201
    own = await engineer.send("PATCH", f"/users/{users['engineer']}", json={"role": "approver"})
    assert (own.status_code, own.json()["code"]) == (409, "own_role")
