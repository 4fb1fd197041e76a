"""Applications through the API: filling in, review, approvals, taking back, appeal, and who may see what."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg

from cloud_sync.server import queries, store
from control.carbon.offset_reports import Overdue


async def until(true: Callable[[], bool]) -> None:
    """Waits for what another task brings about."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.01)


async def test_an_application_is_returned_sent_again_approved_and_published(desk: Any) -> None:
    driver, reviewer = await desk.person("driver"), await desk.person("reviewer")
    draft = await desk.draft(holder="")
    number = draft["row"]["application_id"]
    assert number == "XK-2026-000001"
    refused = await driver.post(f"/applications/{number}/submit")
    assert (refused.status_code, refused.json()["code"]) == (422, "form_has_problems")
    assert [(one["field"], one["code"]) for one in refused.json()["problems"]] == [("holder", "missing")]
    body = {"version": draft["row"]["version"], "form": {"holder": " Hongda Lifting "}}
    edited = (await driver.send("PATCH", f"/applications/{number}", json=body)).json()
    assert (edited["form"]["holder"], edited["form"]["plate"]) == ("Hongda Lifting", "琼C61K28")
    assert (await driver.post(f"/applications/{number}/submit")).json()["row"]["status"] == "submitted"
    remarks = {"remarks": [{"field": "papers", "text": "Not legible"}]}
    back = (await reviewer.post(f"/applications/{number}/return", remarks)).json()
    assert back["row"]["status"] == "returned"
    assert [(one["term"], one["of_office"]) for one in back["deadlines"]] == [("resubmit", False)]
    assert (await driver.get(f"/applications/{number}")).json()["history"][-1]["remarks"] == remarks["remarks"]
    assert (await driver.post(f"/applications/{number}/submit")).status_code == 200
    approved = (await reviewer.post(f"/applications/{number}/approve")).json()
    assert (approved["row"]["status"], approved["row"]["published_at"]) == ("approved", None)
    await desk.turn(seconds=7)
    assert (await reviewer.get("/permits")).json() == []
    await desk.turn(seconds=2)
    (permit,) = (await reviewer.get("/permits")).json()
    assert (permit["permit_id"], permit["plate"], permit["entries_left"]) == (number, "琼C61K28", 2)
    assert (permit["created_by"], permit["state"]) == ("reviewer", "future")
    snapshot = await queries.permit_snapshot(desk.given.pool, now=desk.clock())
    assert [one.permit_id for one in snapshot.permits["琼C61K28"]] == [number]
    actions = [one["action"] for one in (await driver.get(f"/applications/{number}")).json()["history"]]
    assert actions == ["create", "edit", "submit", "return", "submit", "approve"]
    await desk.turn(days=2)
    assert await desk.status(number) == "active"
    await desk.turn(days=1)
    assert await desk.status(number) == "expired"


async def test_a_stale_edit_is_told_what_changed_meanwhile(desk: Any) -> None:
    driver = await desk.person("driver")
    draft = await desk.draft()
    number, version = draft["row"]["application_id"], draft["row"]["version"]
    first = {"version": version, "form": {"route": "East gate to hall", "entries": 1}}
    assert (await driver.send("PATCH", f"/applications/{number}", json=first)).status_code == 200
    stale = await driver.send("PATCH", f"/applications/{number}", json={"version": version, "form": {"route": "x"}})
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    told = stale.json()
    assert (told["version"], told["actions"], told["fields"]) == (version + 1, ["edit"], ["entries", "route"])
    assert (await driver.get(f"/applications/{number}")).json()["form"]["route"] == "East gate to hall"
    reviewer = await desk.person("reviewer")
    await driver.post(f"/applications/{number}/submit")
    unseen = await reviewer.post(f"/applications/{number}/approve", {"version": version + 1})
    assert (unseen.status_code, unseen.json()["application_status"]) == (409, "submitted")


async def test_standing_permits_need_two_people_and_the_second_is_an_approver(desk: Any) -> None:
    driver, reviewer, approver = [await desk.person(role) for role in ("driver", "reviewer", "approver")]
    photo = await desk.upload(driver, shade=9)
    licence = await desk.upload(driver)
    papers = [{"sha256": licence, "kind": "vehicle_licence"}, {"sha256": photo, "kind": "vehicle_photo"}]
    begins = desk.clock() + desk.delta(days=4)
    number = await desk.submitted(
        permit_class="standing",
        entry_kind="standing",
        entries=None,
        papers=papers,
        window_from=begins.isoformat(),
        window_until=(begins + desk.delta(days=300)).isoformat(),
    )
    first = (await reviewer.post(f"/applications/{number}/approve")).json()
    assert (first["row"]["status"], first["row"]["approvals"], first["approvals_needed"]) == ("submitted", 1, 2)
    again = await reviewer.post(f"/applications/{number}/approve")
    assert (again.status_code, again.json()["why"]) == (409, "approved_by_the_same")
    done = (await approver.post(f"/applications/{number}/approve")).json()
    assert [one["role"] for one in done["approvals"]] == ["reviewer", "approver"]
    assert done["row"]["status"] == "approved"


async def test_an_approval_is_taken_back_before_it_goes_out_and_never_after(desk: Any) -> None:
    reviewer, approver = await desk.person("reviewer"), await desk.person("approver")
    number = await desk.submitted()
    approved = (await reviewer.post(f"/applications/{number}/approve")).json()
    assert approved["undo_until"] is not None
    other = await approver.send("DELETE", f"/applications/{number}/approval")
    assert (other.status_code, other.json()["why"]) == (409, "not_your_approval")
    undone = await reviewer.send("DELETE", f"/applications/{number}/approval")
    assert (undone.json()["row"]["status"], undone.json()["row"]["publish_at"]) == ("submitted", None)
    await desk.turn(seconds=30)
    assert (await reviewer.get("/permits")).json() == []
    await reviewer.post(f"/applications/{number}/approve")
    await desk.turn(seconds=8)
    late = await reviewer.send("DELETE", f"/applications/{number}/approval")
    assert (late.status_code, late.json()["why"]) == (409, "undo_too_late")
    assert len((await reviewer.get("/permits")).json()) == 1


async def test_a_revoked_permit_goes_down_urgently_and_an_appeal_can_give_it_again(desk: Any) -> None:
    driver, reviewer, approver = [await desk.person(role) for role in ("driver", "reviewer", "approver")]
    number = await desk.approved()
    await desk.turn(days=2)
    heard: list[str] = []
    connection = await asyncpg.connect(desk.given.database_url)
    try:
        await connection.add_listener(store.DOWNLINK_CHANNEL, lambda *notice: heard.append(notice[-1]))
        empty = await reviewer.post(f"/applications/{number}/revoke", {"reason": " "})
        assert (empty.status_code, empty.json()["why"]) == (409, "reason_missing")
        await reviewer.post(f"/applications/{number}/revoke", {"reason": "Seen elsewhere"})
        await until(lambda: bool(heard))
    finally:
        await connection.close()
    assert heard[0].startswith(store.URGENT)
    snapshot = await queries.permit_snapshot(desk.given.pool, now=desk.clock())
    assert (snapshot.permits, snapshot.revoked) == ({}, {number})
    assert (await driver.get(f"/applications/{number}/pass")).json()["code"] == "no_pass"
    evidence = [await desk.upload(driver, shade=shade) for shade in (1, 2, 3, 4)]
    body = {"reason": "It was not me", "evidence": evidence}
    too_many = await driver.post(f"/applications/{number}/appeal", body)
    assert (too_many.status_code, too_many.json()["why"]) == (409, "too_much_evidence")
    appealed = (await driver.post(f"/applications/{number}/appeal", body | {"evidence": evidence[:3]})).json()
    assert (appealed["row"]["status"], appealed["appeal"]["evidence"]) == ("appealed", evidence[:3])
    assert [one["term"] for one in appealed["deadlines"]] == ["appeal_review"]
    decision = {"granted": True, "reason": "The pictures show another vehicle"}
    assert (await reviewer.post(f"/applications/{number}/decide-appeal", decision)).status_code == 403
    granted = (await approver.post(f"/applications/{number}/decide-appeal", decision)).json()
    assert granted["row"]["status"] == "approved"
    await desk.turn(seconds=9)
    assert await desk.status(number) == "active"
    snapshot = await queries.permit_snapshot(desk.given.pool, now=desk.clock())
    assert (snapshot.revoked, [one.permit_id for one in snapshot.permits["琼C61K28"]]) == (frozenset(), [number])


async def test_who_decided_first_does_not_decide_the_appeal(desk: Any) -> None:
    driver, approver = await desk.person("driver"), await desk.person("approver")
    number = await desk.submitted()
    await approver.post(f"/applications/{number}/refuse", {"reason": "No need is shown"})
    await driver.post(f"/applications/{number}/appeal", {"reason": "There is one"})
    same = await approver.post(f"/applications/{number}/decide-appeal", {"granted": False, "reason": "No"})
    assert (same.status_code, same.json()["why"]) == (409, "decided_by_the_same")


async def test_a_person_sees_and_changes_their_own_alone(desk: Any) -> None:
    number = await desk.submitted()
    others = [await desk.person(role) for role in ("visitor", "organisation", "merchant")]
    for other in others:
        for path in ("", "/pass", "/check", "/pass.svg", "/pass.png"):
            assert (await other.get(f"/applications/{number}{path}")).status_code == 404
        assert (await other.get("/applications")).json()["items"] == []
        edit = {"version": 1, "form": {}}
        assert (await other.send("PATCH", f"/applications/{number}", json=edit)).status_code == 404
    stranger = others[1]
    for step in ("submit", "appeal", "copy"):
        assert (await stranger.post(f"/applications/{number}/{step}")).status_code == 404
    driver, guard = await desk.person("driver"), await desk.person("guard")
    for step in ("return", "approve", "refuse", "revoke", "assign"):
        answer = await driver.post(f"/applications/{number}/{step}", {"reason": "x", "applicant_id": "y"})
        assert (step, answer.status_code) == (step, 403)
    assert (await guard.get(f"/applications/{number}")).status_code == 404
    assert [one["application_id"] for one in (await driver.get("/applications")).json()["items"]] == [number]


async def test_what_the_office_opens_is_written_down(desk: Any) -> None:
    number = await desk.submitted()
    reviewer, driver = await desk.person("reviewer"), await desk.person("driver")
    await driver.get(f"/applications/{number}")
    await reviewer.get(f"/applications/{number}")
    await reviewer.get("/applications", params={"plate": "61K"})
    rows = await queries.audit(desk.given.pool, by="reviewer")
    assert [row.action for row in rows] == ["applications_searched", "application_opened"]
    mine = [row.action for row in await queries.audit(desk.given.pool, subject_kind="application", by="driver")]
    assert mine == ["application_submit", "application_create"]


async def test_nobody_judges_what_they_filed(desk: Any) -> None:
    reviewer, approver = await desk.person("reviewer"), await desk.person("approver")
    made = await reviewer.post("/applications", await desk.form(reviewer))
    number = made.json()["row"]["application_id"]
    assert made.json()["row"]["applicant_id"] == ""
    assert (await reviewer.post(f"/applications/{number}/submit")).status_code == 200
    own = await reviewer.post(f"/applications/{number}/approve")
    assert (own.status_code, own.json()["why"]) == (409, "own_application")
    assert (await approver.post(f"/applications/{number}/approve")).status_code == 200


async def test_the_office_files_for_an_account_that_can_apply(desk: Any) -> None:
    driver, reviewer = await desk.person("driver"), await desk.person("reviewer")
    driver_id = await desk.id_of("driver")
    form = await desk.form(reviewer)
    made = (await reviewer.post("/applications", form | {"applicant_id": driver_id})).json()
    number = made["row"]["application_id"]
    assert (made["row"]["applicant_name"], made["filed_by_name"]) == ("Driver", "Reviewer")
    assert (await driver.get(f"/applications/{number}")).status_code == 200
    for nobody in (await desk.id_of("reviewer"), "no-such-account"):
        assert (await reviewer.post("/applications", form | {"applicant_id": nobody})).status_code == 422


async def test_a_copy_has_the_form_without_window_and_papers(desk: Any) -> None:
    driver = await desk.person("driver")
    number = await desk.submitted()
    copied = (await driver.post(f"/applications/{number}/copy")).json()
    assert (copied["copied_from"], copied["row"]["status"]) == (number, "draft")
    form = copied["form"]
    assert (form["window_from"], form["papers"], form["plate"]) == (None, [], "琼C61K28")


async def test_a_repeated_request_makes_one_application(desk: Any) -> None:
    driver = await desk.person("driver")
    headers = {"X-CSRF-Token": driver.csrf_token, "Idempotency-Key": "app-7"}
    answers = [await driver.http.post("/api/v1/applications", json={}, headers=headers) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert len((await driver.get("/applications")).json()["items"]) == 1


async def test_two_approvals_at_once_leave_one(desk: Any) -> None:
    reviewer, approver = await desk.person("reviewer"), await desk.person("approver")
    number = await desk.submitted()
    answers = await asyncio.gather(*(one.post(f"/applications/{number}/approve") for one in (reviewer, approver)))
    assert sorted(one.status_code for one in answers) == [200, 409]


async def test_lists_are_paged_and_filtered(desk: Any) -> None:
    driver = await desk.person("driver")
    numbers = [(await desk.draft(plate=f"琼C6100{n}"))["row"]["application_id"] for n in range(3)]
    page = (await driver.get("/applications", params={"limit": 2})).json()
    rest = (await driver.get("/applications", params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert [one["application_id"] for one in (*page["items"], *rest["items"])] == numbers[::-1]
    assert rest["next_cursor"] is None
    found = (await driver.get("/applications", params={"plate": "61001", "status": "draft"})).json()["items"]
    assert [one["plate"] for one in found] == ["琼C61001"]
    assert (await driver.get("/applications", params={"status": "submitted"})).json()["items"] == []


async def test_whoever_owes_offsets_gets_no_new_permit_while_the_rule_is_on(desk: Any) -> None:
    driver = await desk.person("driver")
    asked: list[Any] = []

    async def overdue(_: Any, applicant_id: str, plates: Any, today: Any) -> tuple[Overdue, ...]:
        asked.append((applicant_id, tuple(plates), today.isoformat()))
        return (Overdue("visit-1", 900, today, 3, "F1"),)

    desk.owes(overdue)
    number = (await desk.draft())["row"]["application_id"]
    refused = await driver.post(f"/applications/{number}/submit")
    assert [one["code"] for one in refused.json()["problems"]] == ["offset_overdue"]
    assert asked[0] == (await desk.id_of("driver"), ("琼C61K28",), "2026-11-21")
    checked = (await driver.get(f"/applications/{number}/check")).json()
    assert {one["kind"]: one["state"] for one in checked["ticks"]}["overdue"] == "wrong"
    await desk.change_rule("block.overdue_offset", value=False)
    await desk.turn(days=1)
    assert (await driver.post(f"/applications/{number}/submit")).status_code == 200
    checked = (await driver.get(f"/applications/{number}/check")).json()
    assert {one["kind"]: one["state"] for one in checked["ticks"]}["overdue"] == "warn"


async def test_words_that_cannot_be_kept_are_refused_by_name(desk: Any) -> None:
    driver = await desk.person("driver")
    for body in (
        {"window_from": "9999-12-31T23:59:59-12:00"},
        {"window_from": "2026-11-21T08:00:00"},
        {"consumption_per_100km": "1e400"},
        {"gates": ["east"] * 17},
        {"papers": [{"sha256": "no hash", "kind": "other"}]},
        {"plate_colour": "pink"},
        {"holder": None},
    ):
        answer = await driver.post("/applications", body)
        assert (body, answer.status_code, answer.json()["code"]) == (body, 422, "invalid")
    assert (await driver.post("/applications", {"holder": "a\0b"})).status_code == 400
    assert (await driver.post("/applications", {"plate": "  "})).status_code == 201
    assert (await driver.get("/applications/nothing-like-it")).status_code == 404
    assert (await driver.send("PATCH", "/applications/x", json={"version": 1, "form": {}})).status_code == 404


async def test_a_stranger_s_plate_tells_nothing_but_that_it_does_not_go(desk: Any) -> None:
    owner, driver, reviewer = [await desk.person(role) for role in ("organisation", "driver", "reviewer")]
    running = await desk.submitted(owner)
    number = (await desk.draft())["row"]["application_id"]

    async def overdue(_: Any, applicant_id: str, plates: Any, today: Any) -> tuple[Overdue, ...]:
        return (Overdue("visit-1", 900, today, 3, "F1"),) if plates else ()

    desk.owes(overdue)
    await reviewer.post("/watch", {"plate": "琼C61K28", "effect": "block", "reason": "court file 77"})
    seen = (await driver.get(f"/applications/{number}/check")).text
    told = (await driver.post(f"/applications/{number}/submit")).json()
    assert {one["code"] for one in told["problems"]} == {"blocked", "overlaps", "offset_overdue"}
    for secret in ("court file 77", running, "visit-1"):
        assert secret not in seen
        assert secret not in str(told["problems"])
        assert secret in (await reviewer.get(f"/applications/{number}/check")).text
    vehicle = (await driver.post("/vehicles", {"plate": "琼C61K28", "drive": "diesel"})).json()["vehicle_id"]
    await reviewer.post(f"/vehicles/{vehicle}/confirm", {"confirmed": True})
    assert "visit-1" in (await driver.get(f"/applications/{number}/check")).text
    own = (await desk.draft(owner))["row"]["application_id"]
    assert running in (await owner.get(f"/applications/{own}/check")).text


async def test_forms_are_checked_so_often_an_hour_and_the_office_as_it_likes(desk: Any, settings: Any) -> None:
    driver, reviewer = await desk.person("driver"), await desk.person("reviewer")
    number = (await desk.draft(plate=""))["row"]["application_id"]
    settings(desk, checks_per_hour=2)
    path = f"/applications/{number}"
    assert (await driver.get(f"{path}/check")).status_code == 200
    assert (await driver.post(f"{path}/submit")).json()["code"] == "form_has_problems"
    assert (await driver.get(f"{path}/check")).json()["code"] == "too_many_requests"
    assert (await driver.post(f"{path}/submit")).json()["code"] == "too_many_requests"
    for _ in range(3):
        assert (await reviewer.get(f"{path}/check")).status_code == 200


async def test_an_organisation_that_is_switched_off_files_nothing(desk: Any) -> None:
    member, pool = await desk.person("organisation"), desk.given.pool
    await pool.execute(
        "INSERT INTO organisations (org_id, kind, name, created_at) VALUES ('o1', 'applicant', 'Cranes', now())"
    )
    await pool.execute("UPDATE users SET org_id = 'o1' WHERE username = 'organisation'")
    row = (await desk.draft(member))["row"]
    number, version = row["application_id"], row["version"]
    await pool.execute("UPDATE organisations SET enabled = false")
    edit = {"version": version, "form": {"route": "west"}}
    refused = [
        await member.post("/applications", {"plate": "琼C61K28"}),
        await member.send("PATCH", f"/applications/{number}", json=edit),
        await member.post(f"/applications/{number}/submit"),
        await member.post(f"/applications/{number}/copy"),
    ]
    assert [one.json().get("code") for one in refused] == ["organisation_off"] * 4
    await pool.execute("UPDATE organisations SET enabled = true")
    assert (await member.post(f"/applications/{number}/submit")).status_code == 200


async def test_nobody_judges_what_their_own_organisation_files(desk: Any) -> None:
    member, reviewer, pool = await desk.person("organisation"), await desk.person("reviewer"), desk.given.pool
    await pool.execute(
        "INSERT INTO organisations (org_id, kind, name, created_at) VALUES ('o1', 'applicant', 'Cranes', now())"
    )
    await pool.execute("UPDATE users SET org_id = 'o1' WHERE username IN ('organisation', 'reviewer')")
    number = await desk.submitted(member)
    answer = await reviewer.post(f"/applications/{number}/approve")
    assert (answer.status_code, answer.json()["why"]) == (409, "own_application")
