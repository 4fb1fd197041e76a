"""The hut's addresses over real HTTP: who may call, what they see, what a decision does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest

from control.domain.readings import Unavailable
from edge.api.sessions import FREE_TRIES, Sessions
from edge.api.words import WORDS

PIN = "402917"


@pytest.fixture
async def anyone(hut) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=hut.url, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture
async def guard(anyone) -> httpx.AsyncClient:
    answer = await anyone.post("/api/sign-in", json={"name": "陈海龙", "pin": PIN})
    assert answer.status_code == 204
    page = await anyone.get("/")
    boot = page.text.split('<script id="boot" type="application/json">')[1].split("</script>")[0]
    anyone.headers["X-Island-CSRF"] = json.loads(boot)["csrf"]
    return anyone


async def decide(client: httpx.AsyncClient, arrival_id: str, **body) -> httpx.Response:
    return await client.post(f"/api/holds/{arrival_id}/decision", json=body)


async def test_nothing_is_shown_without_signing_in(anyone) -> None:
    home = await anyone.get("/")
    assert (home.status_code, home.headers["location"]) == (303, "/sign-in")
    for path in ("/api/state", "/api/changes", "/api/lanes/east-in-1/picture.jpg", "/api/holds/x/frame.jpg"):
        assert (await anyone.get(path)).status_code == 401
    assert (await decide(anyone, "x", outcome="admit", reason_code="manager_approved")).status_code == 401


async def test_a_wrong_pin_is_refused_and_guessing_is_slowed(anyone) -> None:
    answers = [
        (await anyone.post("/api/sign-in", json={"name": "x", "pin": f"00{n}"})).status_code
        for n in range(FREE_TRIES + 1)
    ]
    assert answers == [403] * FREE_TRIES + [429]
    assert (await anyone.post("/api/sign-in", json={"name": "x", "pin": PIN})).status_code == 429


def test_a_lock_ends_and_a_session_expires(clock) -> None:
    sessions = Sessions(pin=PIN, session_s=100.0, clock=clock)
    for _ in range(FREE_TRIES):
        assert sessions.sign_in("a", "wrong") is None
    assert sessions.sign_in("a", PIN) is None
    clock.advance(16)
    session = sessions.sign_in("a", PIN)
    assert session is not None
    assert sessions.find(session.token) == session
    clock.advance(101)
    assert sessions.find(session.token) is None


async def test_pages_carry_a_strict_policy_and_no_foreign_host(anyone, hut) -> None:
    page = await anyone.get("/sign-in")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "http://" not in page.text
    assert (await anyone.get("/sign-in", headers={"Host": "evil.example"})).status_code == 400


async def test_the_state_tells_the_held_vehicle_and_both_readings(guard, hut, unsure) -> None:
    arrival_id = await hut.hold(unsure)
    state = (await guard.get("/api/state")).json()
    (hold,) = state["holds"]
    assert hold["arrival_id"] == arrival_id
    assert hold["plate"]["unsure"] == [3]
    assert [(r["text"], r["permit"] is not None) for r in hold["readings"]] == [("琼C7B083", False), ("琼C78083", True)]
    assert [r["differs"] for r in hold["readings"]] == [3, 3]
    assert hold["reasons"][0]["code"] == "near_permit"
    assert state["cloud"]["connected"]
    picture = await guard.get(f"/api/holds/{arrival_id}/frame.jpg")
    assert picture.content[:2] == b"\xff\xd8"
    assert (await guard.get(f"/api/holds/{arrival_id}/crop.jpg")).status_code == 200
    assert (await guard.get("/api/lanes/east-in-1/picture.jpg")).content[:2] == b"\xff\xd8"
    assert (await guard.get("/api/lanes/none/picture.jpg")).status_code == 404


async def test_admitting_under_a_permit_opens_once_and_is_recorded(guard, hut, unsure) -> None:
    arrival_id = await hut.hold(unsure)
    body = {"outcome": "admit", "reason_code": "permit_checked", "reading": "琼C·78083", "under_permit": True}
    assert (await decide(guard, arrival_id, **body)).status_code == 204
    again = await decide(guard, arrival_id, **body)
    assert again.status_code in (409, 410)
    assert [action for action, _ in hut.bench.barrier.pulses] == ["open"]
    (event,) = await hut.bench.events("guard_decided")
    assert (event["by"], event["permit_id"], event["corrected_plate"]) == ("陈海龙", "P-2026-118", "琼C78083")


async def test_refusing_needs_a_known_reason(guard, hut, unsure) -> None:
    arrival_id = await hut.hold(unsure)
    assert (await decide(guard, arrival_id, outcome="refuse", reason_code="bad_mood")).status_code == 422
    assert (await decide(guard, arrival_id, outcome="refuse", reason_code="fuel_no_permit")).status_code == 204
    assert hut.bench.barrier.pulses == []
    (hold,) = (await guard.get("/api/state")).json()["holds"]
    assert hold["guard"] == {"outcome": "refuse", "by": "陈海龙"}


async def test_another_page_cannot_decide_in_a_guards_name(guard, hut, unsure) -> None:
    arrival_id = await hut.hold(unsure)
    body = {"outcome": "admit", "reason_code": "manager_approved"}
    token = guard.headers.pop("X-Island-CSRF")
    assert (await decide(guard, arrival_id, **body)).status_code == 403
    form = await guard.post(
        f"/api/holds/{arrival_id}/decision",
        content=json.dumps(body),
        headers={"Content-Type": "text/plain", "X-Island-CSRF": token},
    )
    assert form.status_code == 415
    assert hut.bench.barrier.pulses == []


async def test_a_silent_barrier_is_said_and_nothing_is_recorded(guard, hut, unsure) -> None:
    arrival_id = await hut.hold(unsure)
    hut.bench.barrier.silent = True
    await hut.until(lambda: isinstance(hut.bench.lane.field.last.barrier, Unavailable))
    answer = await decide(guard, arrival_id, outcome="admit", reason_code="manager_approved")
    assert answer.status_code == 503
    assert await hut.bench.events("guard_decided") == []


async def test_the_arm_can_be_raised_by_hand_with_a_reason(guard, hut) -> None:
    await hut.until(lambda: hut.bench.lane.state is not None)
    order = await guard.post("/api/lanes/east-in-1/barrier", json={"action": "open", "reason_code": "emergency_duty"})
    assert order.status_code == 204
    assert [action for action, _ in hut.bench.barrier.pulses] == ["open"]
    (event,) = await hut.bench.events("guard_decided")
    assert (event["arrival_id"], event["reason_code"]) == ("", "emergency_duty")


async def test_changes_stream_the_new_held_vehicle(guard, hut, unsure) -> None:
    async with guard.stream("GET", "/api/changes") as stream, asyncio.timeout(60):
        lines = stream.aiter_lines()
        bringing = asyncio.create_task(hut.hold(unsure))
        async for line in lines:
            if line.startswith("data: ") and json.loads(line[6:])["holds"]:
                break
        assert await bringing == json.loads(line[6:])["holds"][0]["arrival_id"]


async def test_the_cloud_away_is_in_the_state(guard, hut) -> None:
    hut.uplink.connected = False
    await hut.until(lambda: not hut.gateway.link.connected)
    cloud = (await guard.get("/api/state")).json()["cloud"]
    assert (cloud["configured"], cloud["connected"]) == (True, False)
    assert cloud["permits_at"] is not None


async def test_a_passage_is_in_the_recent_strip(guard, hut, electric) -> None:
    hut.bench.barrier.loop_a = True
    hut.bench.inference.seen = type(hut.bench.inference.seen)((electric,))
    await hut.until(lambda: hut.bench.barrier.pulses)
    (recent,) = (await guard.get("/api/state")).json()["recent"]
    assert (recent["plate"]["text"], recent["outcome"]) == ("琼AD12345", "admit")


async def test_a_vehicle_that_was_decided_twice_is_one_row_with_the_newest_decision(
    guard, hut, unsure, electric
) -> None:
    await hut.hold(unsure)
    hut.bench.inference.seen = type(hut.bench.inference.seen)((electric,))
    await hut.until(lambda: hut.bench.barrier.pulses)
    assert len(await hut.bench.events("passage_decided")) >= 2
    (recent,) = (await guard.get("/api/state")).json()["recent"]
    assert (recent["plate"]["text"], recent["outcome"]) == ("琼AD12345", "admit")


async def test_a_permit_whose_entries_are_used_up_here_is_not_offered(guard, hut, unsure) -> None:
    snapshot = hut.policy.snapshot
    permit = replace(snapshot.permits["琼C78083"][0], entries_left=1)
    hut.policy.snapshot = replace(snapshot, permits={"琼C78083": (permit,)})
    body = {"arrival_id": "a1", "direction": "in", "reasons": [], "plate": {"text": "琼C78083"}, "movement": "passed"}
    body |= {"at": datetime.now(UTC).isoformat(), "permit_id": permit.permit_id}
    hut.bench.lane.presence.take("passage_decided", body)
    await hut.hold(unsure)
    assert (await hut_readings(guard))["琼C78083"] is not None
    hut.bench.lane.presence.take("vehicle_passed", body)
    assert (await hut_readings(guard))["琼C78083"] is None


async def hut_readings(guard: httpx.AsyncClient) -> dict[str, object]:
    (hold,) = (await guard.get("/api/state")).json()["holds"]
    return {reading["text"]: reading["permit"] for reading in hold["readings"]}


async def test_signing_out_ends_the_session(guard) -> None:
    assert (await guard.post("/api/sign-out", json={})).status_code == 204
    assert (await guard.get("/api/state")).status_code == 401


def test_every_word_is_there_in_both_languages() -> None:
    for key, (zh, en) in WORDS.items():
        assert zh.strip(), key
        assert en.strip(), key
