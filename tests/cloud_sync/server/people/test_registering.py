"""Opening an account: consent of the current text, a limit by address, a guardian under 14."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from cloud_sync.server.people import terms


def registration(username: str = "chen", **more: Any) -> dict[str, Any]:
    return {
        "username": username,
        "password": "a long enough password",
        "role": "visitor",
        "consent_version": terms.VERSION,
        "consents": ["terms"],
        "is_old_enough": True,
    } | more


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"consent_version": "2020-01-01"}, "consent_missing"),
        ({"consents": []}, "consent_missing"),
        ({"consents": ["contact"]}, "consent_missing"),
        ({"role": "engineer"}, "forbidden"),
        ({"role": "merchant"}, "forbidden"),
        ({"password": "short"}, "weak_password"),
        ({"username": "gone-0123"}, "already_exists"),
        ({"username": "a b"}, "invalid"),
        ({"is_old_enough": False}, "invalid"),
        ({"born_on": "2030-01-01"}, "invalid"),
        ({"born_on": "2015-06-01"}, "guardian_needed"),
        ({"guardian_code": "00000000"}, "code_invalid"),
    ],
)
async def test_what_is_missing_is_said(app: Any, browser: httpx.AsyncClient, change: dict[str, Any], code: str) -> None:
    answer = await browser.post("/api/v1/auth/register", json=registration(**change))
    assert answer.json()["code"] == code
    assert await app.state.services.pool.fetchval("SELECT count(*) FROM users") == 0


async def test_a_name_is_taken_once(app: Any, browser: httpx.AsyncClient) -> None:
    assert (await browser.post("/api/v1/auth/register", json=registration())).status_code == 201
    again = await browser.post("/api/v1/auth/register", json=registration("CHEN"))
    assert again.json()["code"] == "already_exists"


async def test_many_accounts_from_one_address_are_stopped_for_an_hour(
    app: Any, browser: httpx.AsyncClient, clock: Any
) -> None:
    for n in range(10):
        assert (await browser.post("/api/v1/auth/register", json=registration(f"user{n}"))).status_code == 201
    stopped = await browser.post("/api/v1/auth/register", json=registration("one-more"))
    assert (stopped.status_code, stopped.json()["code"]) == (429, "too_many_requests")
    assert 0 < int(stopped.headers["retry-after"]) <= 3600
    clock.leap(seconds=3601)
    assert (await browser.post("/api/v1/auth/register", json=registration("one-more"))).status_code == 201


async def test_a_child_is_opened_with_a_guardians_code_that_works_once(registered: Any, clock: Any) -> None:
    guardian = await registered("mother")
    code = (await guardian.send("POST", "/me/guardian-code")).json()["code"]
    child = await registered("child", role="visitor", born_on="2016-05-04", guardian_code=code)
    seen = (await child.send("GET", "/me")).json()
    assert seen["guardian"]["name"] == "陈海龙"
    assert [one["by_guardian"] for one in seen["consents"]] == [True, True]
    assert [one["user_id"] for one in (await guardian.send("GET", "/me")).json()["wards"]] == [seen["user_id"]]
    again = await child.http.post(
        "/api/v1/auth/register", json=registration("other", born_on="2016-05-04", guardian_code=code)
    )
    assert again.json()["code"] == "code_invalid"
    late = (await guardian.send("POST", "/me/guardian-code")).json()["code"]
    clock.leap(seconds=901)
    again = await child.http.post(
        "/api/v1/auth/register", json=registration("other", born_on="2016-05-04", guardian_code=late)
    )
    assert again.json()["code"] == "code_invalid"


async def test_the_age_of_a_child_is_a_dated_rule(app: Any, browser: httpx.AsyncClient, sign_in: Any) -> None:
    row = {"key": "account.guardian_age", "value": "16", "source": "Office order 12/2026", "reason": "More care"}
    approver = await sign_in("approver")
    assert (await browser.post("/api/v1/auth/register", json=registration(born_on="2012-01-01"))).status_code == 201
    assert (await approver.post("/rules/points", row | {"valid_from": "2026-11-21"})).status_code == 201
    young = await browser.post("/api/v1/auth/register", json=registration("li", born_on="2012-01-01"))
    assert young.json()["code"] == "guardian_needed"


async def test_guardian_and_child_part_and_join_again(registered: Any) -> None:
    guardian = await registered("mother")
    code = (await guardian.send("POST", "/me/guardian-code")).json()["code"]
    child = await registered("child", role="visitor", born_on="2016-05-04", guardian_code=code)
    assert (await child.send("DELETE", "/me/guardian")).json()["code"] == "guardian_needed"
    assert (await child.send("POST", "/me/guardian-code")).json()["code"] == "guardian_refused"
    child_id = (await child.send("GET", "/me")).json()["user_id"]
    assert (await child.send("DELETE", f"/me/wards/{child_id}")).status_code == 404
    assert (await guardian.send("DELETE", f"/me/wards/{child_id}")).status_code == 204
    assert (await child.send("GET", "/me")).json()["guardian"] is None
    friend = await registered("friend")
    code = (await guardian.send("POST", "/me/guardian-code")).json()["code"]
    assert (await guardian.send("PUT", "/me/guardian", json={"code": code})).json()["code"] == "guardian_refused"
    code = (await guardian.send("POST", "/me/guardian-code")).json()["code"]
    assert (await child.send("PUT", "/me/guardian", json={"code": code})).status_code == 204
    assert (await child.send("GET", "/me")).json()["guardian"] is not None
    code = (await friend.send("POST", "/me/guardian-code")).json()["code"]
    assert (await child.send("PUT", "/me/guardian", json={"code": code})).json()["code"] == "guardian_needed"


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_the_terms_are_public_and_name_purposes_and_days(
    app: Any, browser: httpx.AsyncClient, language: str
) -> None:
    shown = (await browser.get(f"/api/v1/people/terms?language={language}")).json()
    assert (shown["version"], shown["language"]) == (terms.VERSION, language)
    by_code = {one["purpose"]: one for one in shown["purposes"]}
    assert by_code["passages"]["keep_days"]["passed_new_energy_media"] == 30
    assert by_code["contact"]["consent_needed"] is False
    assert by_code["account"]["consent_needed"] is True


async def test_every_retention_row_that_a_purpose_names_exists(services: Any) -> None:
    rules = {row["rule_id"] for row in await services.pool.fetch("SELECT rule_id FROM retention_rules")}
    assert {rule for one in terms.PURPOSES for rule in one.rules} <= rules
