"""The JSON API: who may do what, what a decision needs, and that nothing personal leaves without a trace."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import httpx
import pytest

from cloud_sync.server import queries, store
from cloud_sync.server.services import Services
from control.domain.permits import PermitClass

DECISION = {"outcome": "admit", "reason_code": "looked_at_picture", "note": "一切正常"}


@pytest.fixture
def gateway(app: Any, make_gateway: Any) -> Any:
    return make_gateway(app.state.services)


def given_of(app: Any) -> Services:
    return app.state.services


PATHS = (
    *("passages", "passages.csv", "passages/a1", "holds", "stats", "stream", "lanes", "gateways", "alarms"),
    *("permits", "watch", "audit", "users", f"media/{'a' * 64}", "session", "commands/x"),
)


async def test_nothing_is_shown_without_a_sign_in(browser: httpx.AsyncClient) -> None:
    for path in PATHS:
        answer = await browser.get(f"/api/v1/{path}")
        assert (path, answer.status_code) == (path, 401)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["title_zh"]


ROLES = (
    ("guard", "GET", "/passages.csv", 403),
    ("approver", "GET", "/passages.csv", 200),
    ("guard", "GET", "/audit", 403),
    ("guard", "POST", "/permits/p/revoke", 403),
    ("guard", "POST", "/watch", 403),
    ("approver", "GET", "/users", 403),
    ("engineer", "GET", "/users", 200),
    ("engineer", "GET", "/audit", 200),
    ("guard", "GET", "/holds", 200),
)


async def test_roles(sign_in: Any) -> None:
    people = {role: await sign_in(role) for role in ("guard", "approver", "engineer")}
    for role, method, path, expected in ROLES:
        answer = await people[role].send(method, path, json={})
        assert (role, path, answer.status_code) == (role, path, expected)


async def test_a_decision_becomes_a_command_with_an_expiry_and_an_audit_row(
    app: Any, sign_in: Any, gateway: Any, clock: Any
) -> None:
    await gateway.send(gateway.decided("a1", outcome="hold"))
    guard = await sign_in("guard")
    answer = await guard.post("/passages/a1/decision", DECISION)
    assert answer.status_code == 202
    command = answer.json()
    assert (command["outcome"], command["issued_by"], command["result"]) == ("admit", "guard", None)
    assert command["expires_at"] > command["issued_at"]
    (row,) = await queries.audit(given_of(app).pool, subject_kind="passage", subject_id="a1")
    assert (row.action, row.by, row.why) == ("hold_decided", "guard", "一切正常")
    (hold,) = (await guard.get("/holds")).json()
    assert hold["command"]["command_id"] == command["command_id"]
    assert (await guard.post("/passages/a1/decision", DECISION)).json()["code"] == "already_decided"
    clock.leap(seconds=21)
    assert (await guard.post("/passages/a1/decision", DECISION)).status_code == 202


async def test_the_gateways_answer_closes_the_hold_whoever_decided(sign_in: Any, gateway: Any) -> None:
    await gateway.send(gateway.decided("a1", outcome="hold"))
    guard = await sign_in("guard")
    command = (await guard.post("/passages/a1/decision", DECISION)).json()
    result = {"command_id": command["command_id"], "outcome": "done", "detail": "", "at": "2026-11-21T02:43:00Z"}
    await gateway.send(
        gateway.guard_decided("a1", "admit", by="guard", source="console", command_id=command["command_id"]),
        gateway.row("command_result", **result),
    )
    detail = (await guard.get("/passages/a1")).json()
    assert (detail["passage"]["final_outcome"], detail["passage"]["waiting"]) == ("admit", False)
    assert detail["commands"][0]["result"] == "done"
    assert (await guard.post("/passages/a1/decision", DECISION)).json()["by"] == "guard"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"outcome": "admit", "reason_code": "  "}, "reason_missing"),
        ({"outcome": "hold", "reason_code": "x"}, "invalid"),
        ({"outcome": "explode", "reason_code": "x"}, "invalid"),
        ({"outcome": "admit"}, "invalid"),
        ({"outcome": "admit_under_permit", "reason_code": "x", "permit_id": "none"}, "invalid"),
        ({"outcome": "admit", "reason_code": "x", "corrected_plate": "<script>"}, "plate_invalid"),
    ],
)
async def test_a_decision_that_lacks_something_is_refused(
    sign_in: Any, gateway: Any, body: dict[str, str], code: str
) -> None:
    await gateway.send(gateway.decided("a1", outcome="hold"))
    guard = await sign_in("guard")
    answer = await guard.post("/passages/a1/decision", body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_only_what_waits_is_decided(sign_in: Any, gateway: Any) -> None:
    await gateway.send(gateway.decided("a1"))
    guard = await sign_in("guard")
    assert (await guard.post("/passages/a1/decision", DECISION)).json()["code"] == "not_waiting"
    assert (await guard.post("/passages/a2/decision", DECISION)).json()["code"] == "not_found"


async def test_a_correction_keeps_the_raw_reading_and_is_found_by_both(sign_in: Any, gateway: Any) -> None:
    await gateway.send(gateway.decided("a1", "琼C7B083"))
    guard = await sign_in("guard")
    assert (await guard.post("/passages/a1/correction", {"plate": "琼c·78083"})).status_code == 204
    for text in ("琼C7B083", "78083"):
        (found,) = (await guard.get("/passages", params={"plate": text})).json()["items"]
        assert (found["raw_plate"], found["plate"]) == ("琼C7B083", "琼C78083")
    detail = (await guard.get("/passages/a1")).json()
    assert detail["corrections"][0]["by"] == "guard"
    changed = next(row for row in detail["audit"] if row["action"] == "plate_corrected")
    assert (changed["before"], changed["after"]) == ({"plate": "琼C7B083"}, {"plate": "琼C78083"})


async def test_a_revision_says_what_should_have_been_and_moves_nothing(app: Any, sign_in: Any, gateway: Any) -> None:
    await gateway.send(gateway.decided("a1", outcome="hold"), gateway.guard_decided("a1", "admit"))
    guard = await sign_in("guard")
    body = {"outcome": "refuse", "reason_code": "wrong_vehicle", "note": "n"}
    assert (await guard.post("/passages/a1/revision", body)).status_code == 204
    passage = (await guard.get("/passages/a1")).json()["passage"]
    assert (passage["outcome"], passage["guard_outcome"], passage["final_outcome"]) == ("hold", "admit", "refuse")
    assert await given_of(app).pool.fetchval("SELECT count(*) FROM commands") == 0


async def test_searching_opening_and_exporting_leave_a_trace(app: Any, sign_in: Any, gateway: Any) -> None:
    await gateway.send(gateway.decided("a1"))
    office = await sign_in("approver")
    await office.get("/passages", params={"plate": "琼C"})
    await office.get("/passages/a1")
    await office.get("/passages.csv", params={"outcome": "admit"})
    rows = await queries.audit(given_of(app).pool, by="approver")
    assert [row.action for row in rows] == ["passages_exported", "passage_opened", "passages_searched"]
    assert rows[2].after == {"plate": "琼C"}


async def test_csv_opens_in_a_spreadsheet_and_runs_nothing(sign_in: Any, gateway: Any) -> None:
    reason = {"code": '=HYPERLINK("http://x")', "clause": "", "detail": ""}
    await gateway.send(gateway.decided("a1", reasons=[reason]), gateway.decided("a2", None, gate_id="+49,1"))
    office = await sign_in("approver")
    answer = await office.get("/passages.csv", params={"lang": "en"})
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {row["arrival id"] for row in rows} == {"a1", "a2"}
    by_id = {row["arrival id"]: row for row in rows}
    assert by_id["a1"]["reasons"] == '\'=HYPERLINK("http://x")'
    assert by_id["a2"]["gate"] == "'+49,1"
    assert by_id["a1"]["arrived at"] == "2026-11-21 10:42:31"


async def test_permits_and_lists_travel_to_the_gates_with_a_higher_version(app: Any, sign_in: Any, clock: Any) -> None:
    office, pool = await sign_in("approver"), given_of(app).pool
    before = (await queries.permit_snapshot(pool, now=clock())).version
    permit = {"plate": "琼C·78083", "permit_class": PermitClass.SPECIAL, "valid_from": clock() - timedelta(hours=1)}
    permit |= {"valid_until": clock() + timedelta(hours=8), "gates": ("east",), "holder": "Hongda Lifting"}
    made = await store.add_permit(given_of(app), store.Actor("approver"), **permit)
    watch = (await office.post("/watch", {"plate": "粤B12345", "effect": "block", "reason": "forged"})).json()
    await office.send("PUT", "/registry/琼C5M216", json={"energy": "battery_electric", "source": "register"})
    snapshot = await queries.permit_snapshot(pool, now=clock())
    assert snapshot.version == before + 3
    assert snapshot.permits["琼C78083"][0].gates == frozenset({"east"})
    assert snapshot.watch["粤B12345"][0].effect == "block"
    assert snapshot.registry["琼C5M216"].energy == "battery_electric"
    assert (await office.post(f"/permits/{made.permit_id}/revoke", {"why": "misused"})).status_code == 204
    assert (await office.post(f"/watch/{watch['watch_id']}/remove", {"why": "cleared"})).status_code == 204
    snapshot = await queries.permit_snapshot(pool, now=clock())
    assert (snapshot.version, snapshot.permits, snapshot.watch) == (before + 5, {}, {})
    assert snapshot.revoked == {made.permit_id}
    (shown,) = (await office.get("/permits")).json()
    assert (shown["state"], shown["revoked_why"]) == ("revoked", "misused")


# Ways in, and programs with a token of their own: no cookie, so nothing to forge.
WITHOUT_A_SESSION = (
    *(f"/api/v1/{path}" for path in ("session", "setup", "media/{sha256}")),
    *(f"/api/v1/auth/{path}" for path in ("register", "token", "refresh", "revoke")),
)


async def test_every_path_that_changes_something_refuses_a_missing_csrf_token(app: Any, sign_in: Any) -> None:
    person = await sign_in("engineer")
    spec = (await person.get("/openapi.json")).json()
    changing = [
        (method, path)
        for path, item in spec["paths"].items()
        for method in item
        if method not in ("get", "head") and path not in WITHOUT_A_SESSION
    ]
    assert len([path for _, path in changing if path.startswith("/api/")]) >= 11
    for method, path in changing:
        if path.startswith("/api/"):
            answer = await person.http.request(method, path.replace("{", "").replace("}", ""), json={})
            assert answer.json()["code"] == "csrf", (method, path)


async def test_health_and_metrics_answer_programs_without_personal_data(
    browser: httpx.AsyncClient, gateway: Any
) -> None:
    await gateway.send(gateway.decided("a1"), gateway.health())
    assert (await browser.get("/api/v1/health")).json()["status"] == "ok"
    text = (await browser.get("/api/v1/metrics")).text
    assert 'island_gateway_backlog{gateway="gw-east"} 43.0' in text
    assert "琼" not in text


async def test_answers_carry_headers_that_bind_the_browser(browser: httpx.AsyncClient) -> None:
    headers = (await browser.get("/api/v1/health")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


async def test_an_unknown_path_is_a_problem_too(browser: httpx.AsyncClient) -> None:
    answer = await browser.get("/api/v1/nowhere")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
