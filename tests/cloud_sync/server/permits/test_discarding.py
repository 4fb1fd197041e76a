"""Throwing a draft away: its applicant's alone, only what was never handed in, and nothing of it stays to be read."""

from __future__ import annotations

import asyncio
from typing import Any

from cloud_sync.server import retention
from cloud_sync.server.permits import applications


async def discarded(person: Any, number: str) -> Any:
    return await person.send("DELETE", f"/applications/{number}")


async def test_a_draft_goes_with_its_words_and_lets_its_papers_go(desk: Any) -> None:
    driver, reviewer, pool = await desk.person("driver"), await desk.person("reviewer"), desk.given.pool
    number = (await desk.draft())["row"]["application_id"]
    sha256 = await pool.fetchval("SELECT sha256 FROM document_uses WHERE subject_id = $1", number)
    assert (await discarded(driver, number)).status_code == 204
    assert (await discarded(driver, number)).status_code == 204  # as after a lost answer
    row = await pool.fetchrow("SELECT form::text, plate FROM applications WHERE application_id = $1", number)
    assert (row["plate"], "Hongda" in row["form"]) == ("", False)
    assert await pool.fetchval("SELECT details::text FROM application_changes") == "{}"
    assert await pool.fetchval("SELECT count(*) FROM document_uses") == 0
    for person in (driver, reviewer):
        assert (await person.get("/applications")).json()["items"] == []
    acts = await pool.fetch("SELECT by, action FROM audit WHERE subject_id = $1 ORDER BY audit_id", number)
    assert [tuple(act) for act in acts] == [("driver", "application_create"), ("driver", "application_discarded")]
    late = await driver.post(f"/applications/{number}/submit")
    assert (late.status_code, late.json()["why"]) == (409, "redacted")
    await desk.turn(days=31)
    await retention.run_once(desk.given)
    assert await pool.fetchval("SELECT deleted_at FROM documents WHERE sha256 = $1", sha256) == desk.clock()
    assert (await desk.draft())["row"]["application_id"] > number  # its number is not given again


async def test_a_paper_that_another_application_has_stays_its_own(desk: Any) -> None:
    driver, pool = await desk.person("driver"), desk.given.pool
    one, other = [(await desk.draft())["row"]["application_id"] for _ in range(2)]
    await discarded(driver, one)
    assert [row["subject_id"] for row in await pool.fetch("SELECT subject_id FROM document_uses")] == [other]


async def test_what_is_with_the_office_stays_and_says_why(desk: Any) -> None:
    driver, reviewer = await desk.person("driver"), await desk.person("reviewer")
    number = await desk.submitted()
    answers = [await discarded(driver, number)]
    await reviewer.post(f"/applications/{number}/return", {"remarks": [{"field": "papers", "text": "Not legible"}]})
    answers.append(await discarded(driver, number))
    told = [(one.status_code, one.json()["code"], one.json()["application_status"]) for one in answers]
    assert told == [(409, "not_a_draft", "submitted"), (409, "not_a_draft", "returned")]
    assert (await driver.get(f"/applications/{number}")).json()["form"]["holder"] == "Hongda Lifting"


async def test_the_papers_of_an_emergency_entry_are_due_whoever_wants_them_gone(desk: Any, make_gateway: Any) -> None:
    driver, gateway, plate = await desk.person("driver"), make_gateway(desk.given), "琼C61K28"
    vehicle = (await driver.post("/vehicles", {"plate": plate, "drive": "diesel"})).json()["vehicle_id"]
    await (await desk.person("reviewer")).post(f"/vehicles/{vehicle}/confirm", {"confirmed": True})
    at = desk.clock().isoformat(timespec="milliseconds")
    more = {"outcome": "admit", "verdict": "special", "complete_permit_after": True, "at": at}
    passed = gateway.row("vehicle_passed", arrival_id="a1", lane_id="e1", movement="passed", at=at)
    await gateway.send(gateway.decided("a1", plate, **more), passed)
    await desk.turn()
    (row,) = (await driver.get("/applications")).json()["items"]
    assert (row["status"], row["is_emergency_entry"]) == ("draft", True)
    answer = await discarded(driver, row["application_id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "draft_of_entry")


async def test_nobody_else_throws_it_away(desk: Any) -> None:
    number = (await desk.draft())["row"]["application_id"]
    codes = {role: (await discarded(await desk.person(role), number)).status_code for role in ("visitor", "approver")}
    assert codes == {"visitor": 404, "approver": 403}
    assert (await discarded(await desk.person("driver"), "XK-2026-999999")).status_code == 404


async def test_drafts_that_are_gone_leave_room_for_new_ones(desk: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(applications, "DRAFTS_MAX", 1)
    driver = await desk.person("driver")
    number = (await desk.draft())["row"]["application_id"]
    assert (await driver.post("/applications", {})).status_code == 422
    await discarded(driver, number)
    assert (await driver.post("/applications", {})).status_code == 201


async def test_handing_in_and_throwing_away_at_once_do_only_one(desk: Any) -> None:
    driver = await desk.person("driver")
    number = (await desk.draft())["row"]["application_id"]
    sent, gone = await asyncio.gather(driver.post(f"/applications/{number}/submit"), discarded(driver, number))
    assert (sent.status_code, gone.status_code) in {(200, 409), (409, 204)}
    assert (await desk.status(number) == "submitted") is (sent.status_code == 200)
