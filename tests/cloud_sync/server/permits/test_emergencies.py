"""Emergency entries: in first, papers within the term, and the history of every course of an application is whole."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from cloud_sync.server import rule_books
from cloud_sync.server.permits import history, storing
from control.permits.application import Application

ENGINE = "琼X1234应急"


@pytest.fixture
def gateway(desk: Any, make_gateway: Any) -> Any:
    return make_gateway(desk.given)


async def entered(desk: Any, gateway: Any, arrival: str = "f1") -> None:
    """A fire engine went in before anybody asked for its papers."""
    at = desk.clock().isoformat(timespec="milliseconds")
    more = {"outcome": "admit", "verdict": "special", "complete_permit_after": True, "record_emission": True}
    await gateway.send(
        gateway.decided(arrival, ENGINE, at=at, **more),
        gateway.row("vehicle_passed", arrival_id=arrival, lane_id="e1", movement="passed", at=at),
    )
    await gateway.send(gateway.row("vehicle_passed", arrival_id=arrival, lane_id="e1", movement="passed", at=at))
    await desk.turn()


async def test_an_emergency_entry_leaves_a_draft_that_the_office_gives_to_its_driver(desk: Any, gateway: Any) -> None:
    driver, reviewer, approver = [await desk.person(role) for role in ("driver", "reviewer", "approver")]
    await entered(desk, gateway)
    (row,) = (await reviewer.get("/applications")).json()["items"]
    number = row["application_id"]
    assert (row["plate"], row["status"], row["is_emergency_entry"], row["applicant_id"]) == (ENGINE, "draft", True, "")
    assert (row["due_term"], row["due_of_office"]) == ("emergency_completion", False)
    assert (await driver.get(f"/applications/{number}")).status_code == 404
    assigned = await reviewer.post(f"/applications/{number}/assign", {"applicant_id": await desk.id_of("driver")})
    assert assigned.status_code == 200
    await desk.turn(hours=1)
    (reminder,) = (await driver.get("/reminders")).json()
    assert (reminder["kind"], reminder["term"]) == ("term_ends_soon", "emergency_completion")
    assert (await driver.post("/reminders/seen", {"key": reminder["key"]})).status_code == 204
    assert (await reviewer.post("/reminders/seen", {"key": reminder["key"]})).status_code == 404
    papers = [{"sha256": await desk.upload(driver), "kind": "duty_order"}]
    form = {"window_until": (desk.clock() + timedelta(hours=2)).isoformat(), "papers": papers, "holder": "Fire brigade"}
    form |= {"drive": "diesel", "emission_class": "fire_engine", "purpose": "rescue", "vehicle_type": "fire_engine"}
    version = assigned.json()["row"]["version"]
    edited = await driver.send("PATCH", f"/applications/{number}", json={"version": version, "form": form})
    assert edited.status_code == 200, edited.text
    submitted = await driver.post(f"/applications/{number}/submit")
    assert submitted.status_code == 200, submitted.text
    await desk.turn()
    assert (await driver.get("/reminders")).json() == []
    for one in (reviewer, approver):
        assert (await one.post(f"/applications/{number}/approve")).status_code == 200
    await desk.turn(seconds=9)
    done = (await driver.get(f"/applications/{number}")).json()
    assert (done["row"]["status"], done["entries_used"], done["entries_left"]) == ("used_up", 1, 0)
    (visit,) = (await driver.get("/visits")).json()["items"]
    assert (visit["visit_id"], visit["application_id"], visit["emergency"]) == ("f1", number, True)


async def test_papers_that_do_not_come_are_overdue_for_everybody_to_see(desk: Any, gateway: Any) -> None:
    reviewer = await desk.person("reviewer")
    await entered(desk, gateway)
    number = (await reviewer.get("/applications")).json()["items"][0]["application_id"]
    await desk.turn(hours=25)
    (deadline,) = (await reviewer.get(f"/applications/{number}")).json()["deadlines"]
    assert (deadline["term"], deadline["overdue"]) == ("emergency_completion", True)


async def test_a_draft_goes_to_the_account_that_has_the_plate_confirmed(desk: Any, gateway: Any) -> None:
    driver, reviewer = await desk.person("driver"), await desk.person("reviewer")
    await entered(desk, gateway)
    vehicle = (await driver.post("/vehicles", {"plate": ENGINE, "drive": "diesel"})).json()["vehicle_id"]
    await desk.turn()
    assert (await driver.get("/applications")).json()["items"] == []
    await reviewer.post(f"/vehicles/{vehicle}/confirm", {"confirmed": True})
    await desk.turn()
    (row,) = (await driver.get("/applications")).json()["items"]
    assert row["plate"] == ENGINE
    await entered(desk, gateway, "f2")
    items = (await driver.get("/applications")).json()["items"]
    assert [one["is_emergency_entry"] for one in items] == [True, True]


async def test_an_untouched_draft_follows_its_plate_when_somebody_names_it_otherwise(desk: Any, gateway: Any) -> None:
    driver, reviewer = await desk.person("driver"), await desk.person("reviewer")
    vehicle = (await driver.post("/vehicles", {"plate": "琼X1235应急", "drive": "diesel"})).json()["vehicle_id"]
    await reviewer.post(f"/vehicles/{vehicle}/confirm", {"confirmed": True})
    await entered(desk, gateway)
    assert (await driver.get("/applications")).json()["items"] == []
    corrected = await reviewer.post("/passages/f1/correction", {"plate": "琼X1235应急"})
    assert corrected.status_code == 204, corrected.text
    await desk.turn(seconds=1)
    (row,) = (await driver.get("/applications")).json()["items"]
    assert row["plate"] == "琼X1235应急"
    again, stored = await replayed(desk, row["application_id"])
    assert again == stored


async def test_an_emergency_entry_is_not_turned_into_another_permit(desk: Any, gateway: Any) -> None:
    driver, reviewer = await desk.person("driver"), await desk.person("reviewer")
    await entered(desk, gateway)
    number = (await reviewer.get("/applications")).json()["items"][0]["application_id"]
    await reviewer.post(f"/applications/{number}/assign", {"applicant_id": await desk.id_of("driver")})

    async def edited(person: Any, **form: Any) -> tuple[int, str]:
        version = await desk.given.pool.fetchval("SELECT version FROM applications WHERE application_id = $1", number)
        answer = await person.send("PATCH", f"/applications/{number}", json={"version": version, "form": form})
        return answer.status_code, answer.json().get("why", "")

    for person in (driver, reviewer):
        assert await edited(person, permit_class="special") == (409, "emergency_stays_one")
        assert await edited(person, entry_kind="standing") == (409, "emergency_stays_one")
    assert await edited(driver, plate="琼C61K28") == (409, "entered_plate_stays")
    assert await edited(driver, plate=ENGINE, holder="Fire brigade") == (200, "")
    assert await edited(reviewer, plate="琼X1235应急") == (200, "")


async def replayed(desk: Any, number: str) -> tuple[Application, Application]:
    """What the lines add up to, and what the row says."""
    pool = desk.given.pool
    lines = await pool.fetch("SELECT * FROM application_changes WHERE application_id = $1 ORDER BY number", number)
    row = await pool.fetchrow("SELECT * FROM applications WHERE application_id = $1", number)
    book = await rule_books.permit_rules(pool)
    assert [line["number"] for line in lines] == list(range(1, row["version"] + 1))
    return (
        history.replayed(number, lines, book, zone=desk.given.config.zone),
        storing.application_of(row, lines),
    )


STEPS = ("edit", "submit", "return", "approve", "undo", "refuse", "revoke", "appeal", "decide", "copy", "time", "enter")


async def take(desk: Any, gateway: Any, number: str, step: str, draw: random.Random) -> None:
    """One request, sensible or not; only errors of the server are none."""
    people = [await desk.person(role) for role in ("driver", "reviewer", "approver")]
    person = draw.choice(people)
    path = f"/applications/{number}"
    why = {"reason": draw.choice(["", "because"])}
    match step:
        case "edit":
            version = await desk.given.pool.fetchval(
                "SELECT version FROM applications WHERE application_id = $1", number
            )
            body = {"version": version, "form": {"route": f"way {draw.random()}", "entries": draw.randint(1, 3)}}
            answer = await person.send("PATCH", path, json=body)
        case "undo":
            answer = await person.send("DELETE", f"{path}/approval")
        case "decide":
            answer = await person.post(f"{path}/decide-appeal", {"granted": draw.random() < 0.5, **why})
        case "return":
            answer = await person.post(f"{path}/return", {"remarks": [{"text": draw.choice(["", "blurred"])}]})
        case "time":
            await desk.turn(hours=draw.choice([0.001, 20, 60]))
            return
        case "enter":
            at = desk.clock().isoformat(timespec="milliseconds")
            name = f"a{draw.random()}"
            await gateway.send(
                gateway.decided(name, "琼C61K28", outcome="admit_under_permit", at=at, permit_id=number),
                gateway.row("vehicle_passed", arrival_id=name, lane_id="e1", movement="passed", at=at),
            )
            await desk.turn(minutes=1)
            return
        case _:
            answer = await person.post(f"{path}/{step}", why)
    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize("seed", range(2))
async def test_any_course_of_requests_leaves_a_history_that_plays_again(desk: Any, gateway: Any, seed: int) -> None:
    draw = random.Random(seed)
    number = (await desk.draft())["row"]["application_id"]
    likely = ["submit", "approve", "time", "enter", "revoke", "appeal", "decide"]
    for turn in range(16):
        step = likely[turn % len(likely)] if draw.random() < 0.6 else draw.choice(STEPS)
        await take(desk, gateway, number, step, draw)
        again, stored = await replayed(desk, number)
        assert again == stored, step
    with pytest.raises(Exception, match="lets nothing be changed"):
        await desk.given.pool.execute("UPDATE application_changes SET reason = 'other'")
    with pytest.raises(Exception, match="lets nothing be changed"):
        await desk.given.pool.execute("DELETE FROM application_changes")
