"""Applications through the API: filling in, review, approvals, taking back, appeal, and who may see what."""

from __future__ import annotations

from typing import Any

from cloud_sync.server import queries


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
