"""One's own data: seen, corrected, taken along, deleted; and who else looked at it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from cloud_sync.server import retention, store
from cloud_sync.server.people import erasure, export, members

PASSWORD = "a long enough password"


async def test_a_person_sees_what_is_kept(registered: Any) -> None:
    app = await registered(phone="13900000000", email="a@b.cn", consents=["terms", "contact"])
    seen = (await app.send("GET", "/me")).json()
    assert (seen["role"], seen["phone"], seen["email"], seen["language"]) == ("driver", "13900000000", "a@b.cn", "zh")
    assert seen["may"] == ["apply", "earn"]
    assert {one["purpose"]: one["given"] for one in seen["consents"]} == {"terms": True, "contact": True}
    assert "password_hash" not in seen


async def test_contact_needs_its_consent_and_goes_with_it(registered: Any) -> None:
    app = await registered(phone="13900000000")
    assert (await app.send("GET", "/me")).json()["phone"] == ""
    refused = await app.send("PATCH", "/me", json={"phone": "13900000000"})
    assert refused.json()["code"] == "consent_missing"
    given = {"purpose": "contact", "given": True, "language": "en"}
    assert (await app.send("PUT", "/me/consents", json=given)).status_code == 200
    assert (await app.send("PATCH", "/me", json={"phone": "13900000000"})).json()["phone"] == "13900000000"
    held = await app.send("PUT", "/me/consents", json=given | {"given": False})
    assert {one["purpose"]: one["given"] for one in held.json()} == {"terms": True, "contact": False}
    assert (await app.send("GET", "/me")).json()["phone"] == ""
    needed = await app.send("PUT", "/me/consents", json={"purpose": "terms", "given": False})
    assert needed.json()["code"] == "consent_needed"


async def test_a_correction_is_audited_without_the_values(app: Any, registered: Any) -> None:
    phone = await registered()
    answer = await phone.send("PATCH", "/me", json={"name": "陈海", "language": "en"})
    assert (answer.json()["name"], answer.json()["language"]) == ("陈海", "en")
    row = await app.state.services.pool.fetchrow("SELECT * FROM audit WHERE action = 'personal_data_corrected'")
    assert row["after"] == '{"fields": ["language", "name"]}'
    assert (await phone.send("PATCH", "/me", json={"name": " "})).json()["code"] == "invalid"


async def test_a_person_sees_who_looked_and_never_their_names(app: Any, registered: Any, sign_in: Any) -> None:
    phone, reviewer = await registered(), await sign_in("reviewer")
    user_id = (await phone.send("GET", "/me")).json()["user_id"]
    given = app.state.services
    actor = store.Actor("reviewer", "10.0.0.1")
    what = {"person_id": user_id}
    await store.note_access(given, actor, "application_opened", ("application", "XK-2026-000001"), what=what)
    assert (await reviewer.get(f"/people/{user_id}/export?why=letter")).status_code == 200
    log = (await phone.send("GET", "/me/access-log")).json()
    assert [(one["action"], one["by_role"]) for one in log] == [
        ("personal_data_copied", "reviewer"),
        ("application_opened", "reviewer"),
    ]
    older = await phone.send("GET", f"/me/access-log?before_id={log[0]['audit_id']}")
    assert [one["action"] for one in older.json()] == ["application_opened"]


async def test_the_copy_holds_every_part_that_has_a_collector(registered: Any) -> None:
    phone = await registered(device="phone")
    answer = await phone.send("GET", "/me/export")
    assert "attachment" in answer.headers["content-disposition"]
    copy = answer.json()
    assert copy.keys() == {"made_at", "terms_version", *export.COLLECTORS}
    assert copy["account"]["username"] == "chen"
    assert [one["device"] for one in copy["sessions"]] == ["phone"]


async def test_deletion_leaves_a_bare_id(app: Any, registered: Any, monkeypatch: Any) -> None:
    given, told = app.state.services, []

    async def eraser(_: Any, user_id: str, at: datetime) -> None:
        told.append((user_id, at))

    monkeypatch.setitem(erasure.ERASERS, "test", eraser)
    phone = await registered(phone="13900000000", consents=["terms", "contact"], born_on="1990-02-03")
    user_id = (await phone.send("GET", "/me")).json()["user_id"]
    await phone.send("POST", "/me/requests", json={"kind": "question", "message": "陈海龙 asks"})
    wrong = await phone.send("POST", "/me/delete", json={"password": "not the password"})
    assert wrong.json()["code"] == "wrong_credentials"
    assert (await phone.send("POST", "/me/delete", json={"password": PASSWORD})).status_code == 204
    assert told == [(user_id, given.clock())]
    assert (await phone.send("GET", "/me")).status_code == 401
    again = await phone.http.post("/api/v1/auth/token", json={"username": "chen", "password": PASSWORD})
    assert again.status_code == 401
    rows = [
        dict(row) for table in ("users", "audit", "data_requests") for row in await given.pool.fetch(f"TABLE {table}")
    ]
    text = repr(rows)
    assert all(trace not in text for trace in ("陈海龙", "13900000000", "'chen'", "1990"))
    assert await members.names(given.pool, [user_id]) == {}
    assert await given.pool.fetchval("SELECT count(*) FROM users WHERE user_id::text = $1", user_id) == 1
    taken = await phone.http.post("/api/v1/auth/token", json={"username": f"gone-{user_id}", "password": ""})
    assert taken.status_code == 401


async def test_staff_are_switched_off_and_not_deleted(sign_in: Any) -> None:
    guard, reviewer = await sign_in("guard"), await sign_in("reviewer")
    assert (await guard.post("/me/delete", {"password": PASSWORD})).json()["code"] == "forbidden"
    user_id = (await guard.get("/me")).json()["user_id"]
    assert (await reviewer.post(f"/people/{user_id}/anonymise", {"why": "letter"})).json()["code"] == "forbidden"


async def test_an_anonymous_account_stays_so(registered: Any, sign_in: Any) -> None:
    phone, reviewer, engineer = await registered(), await sign_in("reviewer"), await sign_in("engineer")
    user_id = (await phone.send("GET", "/me")).json()["user_id"]
    assert (await reviewer.post(f"/people/{user_id}/anonymise", {"why": "letter of 3 May"})).status_code == 204
    assert (await reviewer.post(f"/people/{user_id}/anonymise", {"why": "again"})).json()["code"] == "account_gone"
    back = await engineer.send("PATCH", f"/users/{user_id}", json={"enabled": True})
    assert back.json()["code"] == "account_gone"
    assert user_id not in [one["user_id"] for one in (await engineer.get("/users")).json()]
    assert (await reviewer.get(f"/people/{user_id}/export?why=x")).status_code == 404


async def test_requests_are_asked_noted_and_answered_once(app: Any, registered: Any, sign_in: Any) -> None:
    phone, reviewer = await registered(), await sign_in("reviewer")
    made = await phone.send("POST", "/me/requests", json={"kind": "objection", "message": "Why was I refused?"})
    noted = await reviewer.post("/data-requests", {"kind": "copy", "message": "letter", "contact": "Haikou, 1 Road"})
    assert (made.status_code, noted.status_code) == (201, 201)
    nobody = await reviewer.post("/data-requests", {"kind": "copy", "message": "letter"})
    assert nobody.json()["code"] == "invalid"
    unknown = await reviewer.post("/data-requests", {"kind": "copy", "message": "letter", "username": "nobody"})
    assert unknown.status_code == 404
    waiting = (await reviewer.get("/data-requests")).json()
    assert [(one["username"], one["contact"]) for one in waiting] == [("chen", ""), ("", "Haikou, 1 Road")]
    assert datetime.fromisoformat(waiting[0]["due_at"]) == datetime(2026, 12, 6, 2, 42, 31, tzinfo=UTC)
    path = f"/data-requests/{made.json()['request_id']}/answer"
    assert (await reviewer.post(path, {"state": "open", "answer": "x"})).status_code == 422
    assert (await reviewer.post(path, {"state": "done", "answer": " "})).json()["code"] == "reason_missing"
    assert (await reviewer.post(path, {"state": "done", "answer": "Art. 25."})).status_code == 204
    assert (await reviewer.post(path, {"state": "done", "answer": "Art. 25."})).status_code == 409
    assert [one["answer"] for one in (await phone.send("GET", "/me/requests")).json()] == ["Art. 25."]
    assert len((await reviewer.get("/data-requests")).json()) == 1


async def test_the_term_of_an_answer_is_a_dated_rule(app: Any, sign_in: Any, clock: Any) -> None:
    approver = await sign_in("approver")
    row = {"key": "data_request.term", "value": "7", "source": "Office order 12/2026", "reason": "Faster answers"}
    assert (await approver.post("/rules/permits", row | {"valid_from": "2026-11-22"})).status_code == 201
    letter = {"kind": "copy", "message": "letter", "contact": "Haikou, 1 Road"}
    assert (await approver.post("/data-requests", letter)).status_code == 201
    clock.leap(hours=24)
    reviewer = await sign_in("reviewer")
    assert (await reviewer.post("/data-requests", letter)).status_code == 201
    terms_s = await app.state.services.pool.fetch("SELECT due_at - created_at AS term FROM data_requests ORDER BY 1")
    assert [row["term"].days for row in terms_s] == [7, 15]


async def test_answered_requests_are_forgotten_by_rule(app: Any, sign_in: Any, clock: Any) -> None:
    reviewer, given = await sign_in("reviewer"), app.state.services
    letter = {"kind": "copy", "message": "letter", "contact": "Haikou, 1 Road"}
    first, _ = [(await reviewer.post("/data-requests", letter)).json()["request_id"] for _ in range(2)]
    answer = {"state": "done", "answer": "Sent."}
    assert (await reviewer.post(f"/data-requests/{first}/answer", answer)).status_code == 204
    for days, left in ((1095, 2), (1, 1)):
        clock.leap(days=days)
        await retention.run_once(given)
        assert await given.pool.fetchval("SELECT count(*) FROM data_requests") == left
    assert await given.pool.fetchval("SELECT state FROM data_requests") == "open"


async def test_organisations_have_members_of_fitting_roles(sign_in: Any, registered: Any) -> None:
    reviewer, driver, visitor = await sign_in("reviewer"), await registered(), await registered("li", role="visitor")
    made = await reviewer.post("/organisations", {"kind": "applicant", "name": "琼海物流"})
    org_id = made.json()["org_id"]
    ids = [(await one.send("GET", "/me")).json()["user_id"] for one in (driver, visitor)]
    fits, fits_not = [await reviewer.send("PUT", f"/organisations/{org_id}/members/{one}") for one in ids]
    assert (fits.status_code, fits_not.status_code) == (204, 422)
    seen = (await driver.send("GET", "/me")).json()
    assert (seen["org_id"], seen["org_name"]) == (org_id, "琼海物流")
    renamed = await reviewer.send("PATCH", f"/organisations/{org_id}", json={"name_en": "Qionghai", "enabled": False})
    assert renamed.status_code == 204
    listed = (await reviewer.get("/organisations?kind=applicant")).json()
    assert [(one["name"], one["name_en"], one["enabled"], one["member_count"]) for one in listed] == [
        ("琼海物流", "Qionghai", False, 1)
    ]
    assert [one["username"] for one in (await reviewer.get(f"/organisations/{org_id}/members")).json()] == ["chen"]
    assert (await reviewer.send("DELETE", f"/organisations/{org_id}/members/{ids[0]}")).status_code == 204
    assert (await reviewer.send("DELETE", f"/organisations/{org_id}/members/{ids[0]}")).status_code == 404
    assert (await reviewer.send("PATCH", "/organisations/none", json={"name": "x"})).status_code == 404


async def test_a_person_for_points_has_guardian_and_employer(
    services: Any, app: Any, sign_in: Any, registered: Any
) -> None:
    reviewer, phone = await sign_in("reviewer"), await registered("li", role="visitor", born_on="1990-02-03")
    org_id = (await reviewer.post("/organisations", {"kind": "merchant", "name": "椰子店"})).json()["org_id"]
    user_id = (await phone.send("GET", "/me")).json()["user_id"]
    await reviewer.send("PUT", f"/organisations/{org_id}/members/{user_id}")
    person = await members.points_person(services.pool, user_id)
    assert (person.works_for, str(person.born_on), person.guardian_id) == (frozenset({org_id}), "1990-02-03", None)
    assert await members.names(services.pool, [user_id]) == {user_id: "陈海龙"}


async def test_accounts_are_found_page_by_page(sign_in: Any, browser: httpx.AsyncClient, registered: Any) -> None:
    engineer = await sign_in("engineer")
    for name in ("a1", "a2", "b1"):
        await registered(f"user-{name}", role="visitor")
    first = (await engineer.get("/users?role=visitor&limit=2")).json()
    rest = (await engineer.get(f"/users?role=visitor&limit=2&after={first[-1]['username']}")).json()
    assert [one["username"] for one in (*first, *rest)] == ["user-a1", "user-a2", "user-b1"]
    assert [one["username"] for one in (await engineer.get("/users?q=USER-b")).json()] == ["user-b1"]
