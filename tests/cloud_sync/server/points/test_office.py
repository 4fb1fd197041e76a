"""The office: held acts, reversals, appeals, merchants' confirmations, figures, and who may not decide."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cloud_sync.server.points import desk, worker
from cloud_sync.server.points.confirmations import set_merchant
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from tests.cloud_sync.server.points.stand import OFFICE, add_board, add_organisation, holds

SORTING = "waste_sorting"


async def held_act(client: Any, given: Services, name: str = "new") -> tuple[Any, str]:
    """An act that waits because the account is new."""
    person, board = await client(name, is_new=True), await add_board(given, "bins", SORTING)
    scanned = await person.scan(board.code(), given.clock())
    assert scanned["state"] == "held"
    return person, scanned["event_id"]


async def test_what_is_held_is_released_or_refused(client: Any, given: Services, clock: Any) -> None:
    person, event_id = await held_act(client, given)
    office = await client("office", Role.REVIEWER)
    listed = (await office.get("/points/reviews")).json()
    assert listed["total"] == 1
    assert [one["code"] for one in listed["held"][0]["event"]["reasons"]] == ["new_account"]
    done = await office.post(f"/points/reviews/{event_id}/release", {"why": "seen"})
    assert done.json()["state"] == "granted", done.text
    assert (await person.get("/points/me")).json()["balance"] == done.json()["points"]
    again = await office.post(f"/points/reviews/{event_id}/refuse", {"why": "late"})
    assert (again.status_code, again.json()["code"]) == (409, "step_refused")
    assert (await office.get("/points/reviews")).json()["total"] == 0
    assert (await person.post(f"/points/reviews/{event_id}/release")).status_code == 403


async def test_time_releases_a_new_accounts_acts(client: Any, given: Services, clock: Any) -> None:
    person, _ = await held_act(client, given)
    assert (await worker.round_once(given))["released"] == 0
    clock.leap(hours=73)
    assert (await worker.round_once(given))["released"] == 1
    await person.sign_in()
    assert (await person.get("/points/me")).json()["held_count"] == 0
    assert (await holds(given)).holds


async def test_nobody_decides_for_their_ward(client: Any, given: Services) -> None:
    office = await client("office", Role.REVIEWER)
    ward = await client("ward", is_new=True, guardian_id=office.user_id)
    board = await add_board(given, "bins", SORTING)
    event_id = (await ward.scan(board.code(), given.clock()))["event_id"]
    answer = await office.post(f"/points/reviews/{event_id}/release")
    assert (answer.status_code, answer.json()["reason"]) == (409, "own_award")


@pytest.mark.parametrize("office_is", ["guardian", "ward"])
async def test_parting_for_a_moment_changes_nothing(client: Any, given: Services, office_is: str) -> None:
    office, person = await client("office", Role.REVIEWER), await client("person", is_new=True)
    ward, guardian = (person, office) if office_is == "guardian" else (office, person)
    for guardian_id in (guardian.user_id, None):
        await given.pool.execute(
            "UPDATE users SET guardian_id = $2::text::uuid WHERE user_id::text = $1", ward.user_id, guardian_id
        )
    board = await add_board(given, "bins", SORTING)
    event_id = (await person.scan(board.code(), given.clock()))["event_id"]
    answer = await office.post(f"/points/reviews/{event_id}/release")
    assert (answer.status_code, answer.json()["reason"]) == (409, "own_award")
    another = await client("another", Role.REVIEWER)
    assert (await another.post(f"/points/reviews/{event_id}/release")).status_code == 200


async def test_a_refusal_is_appealed_and_decided_by_another(client: Any, given: Services, clock: Any) -> None:
    person, event_id = await held_act(client, given)
    first, second = await client("first", Role.REVIEWER), await client("second", Role.REVIEWER)
    await first.post(f"/points/reviews/{event_id}/refuse", {"why": "two phones"})
    made = await person.post("/points/appeals", {"event_id": event_id, "text": "It was me."}, key="a")
    assert made.status_code == 201, made.text
    assert (await person.post("/points/appeals", {"event_id": event_id, "text": "It was me."}, key="a")).json() == (
        made.json()
    )
    assert (await person.post("/points/appeals", {"event_id": event_id, "text": "Again."})).status_code == 409
    path = f"/points/office/appeals/{made.json()['appeal_id']}/decide"
    own = await first.post(path, {"points": 10, "answer": "well"})
    assert (own.status_code, own.json()["code"]) == (403, "same_person")
    assert (await second.post(path, {"points": 10, "answer": "Seen on camera."})).json() == {"points": 10}
    assert (await second.post(path, {"points": 10, "answer": "Seen on camera."})).status_code == 409
    assert (await person.get("/points/me")).json()["balance"] == 10
    assert (await person.get("/points/appeals")).json()[0]["state"] == "granted"


async def test_an_appeal_has_its_window(client: Any, given: Services, clock: Any) -> None:
    person, event_id = await held_act(client, given)
    office = await client("office", Role.REVIEWER)
    await office.post(f"/points/reviews/{event_id}/refuse", {"why": "two phones"})
    clock.leap(days=29)
    await person.sign_in()
    late = await person.post("/points/appeals", {"event_id": event_id, "text": "It was me."})
    assert (late.status_code, late.json()["reason"]) == (409, "too_late")


async def test_a_reversal_is_a_new_entry_and_keeps_the_room(client: Any, given: Services) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    points = (await ann.scan(board.code(), given.clock()))["points"]
    office = await client("office", Role.REVIEWER)
    entry_id = await given.pool.fetchval("SELECT entry_id FROM point_entries")
    body = {"person": ann.user_id, "entry_id": entry_id, "why": "a picture of a code"}
    assert (await office.post("/points/entries/reverse", body)).json() == {"points": -points}
    again = await office.post("/points/entries/reverse", body)
    assert (again.status_code, again.json()["reason"]) == (409, "id_taken")
    me = (await ann.get("/points/me")).json()
    assert (me["balance"], me["today_points"], me["total_grams"]) == (0, 0, 0)
    assert len((await ann.get("/points/me/history")).json()["entries"]) == 2


async def test_whoever_took_points_back_decides_no_appeal_against_it(client: Any, given: Services) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    await ann.scan(board.code(), given.clock())
    one, other = await client("one", Role.REVIEWER), await client("other", Role.REVIEWER)
    row = await given.pool.fetchrow("SELECT entry_id, event_id FROM point_events")
    await one.post("/points/entries/reverse", {"person": ann.user_id, "entry_id": row["entry_id"], "why": "a picture"})
    appeal = (await ann.post("/points/appeals", {"event_id": row["event_id"], "text": "It was me."})).json()
    path = f"/points/office/appeals/{appeal['appeal_id']}/decide"
    assert (await one.post(path, {"points": 0, "answer": "no"})).json()["code"] == "same_person"
    assert (await other.post(path, {"points": 0, "answer": "The picture was taken yesterday."})).status_code == 200


async def test_a_merchant_confirms_by_the_persons_code(client: Any, given: Services, clock: Any, cafe: str) -> None:
    await set_merchant(given, OFFICE, cafe, ("reusable_cup", "vegetarian_meal"))
    ann, till = await client("ann"), await client("till", Role.MERCHANT, org_id=cafe)
    code = (await ann.post("/points/person-code")).json()["code"]
    acts = [{"key": "reusable_cup"}, {"key": "vegetarian_meal"}]
    body = {"code": code, "acts": acts, "request_id": "r1"}
    done = await till.post("/merchant/confirmations", body)
    assert [one["state"] for one in done.json()["acts"]] == ["granted", "granted"], done.text
    assert (await till.post("/merchant/confirmations", body)).json() == done.json()
    used = await till.post("/merchant/confirmations", {**body, "request_id": "r2"})
    assert (used.status_code, used.json()["reason"]) == (409, "used_already")
    assert (await ann.get("/points/me")).json()["balance"] == 815
    other = (await ann.post("/points/person-code")).json()["code"]
    hotel = {"code": other, "acts": [{"key": "no_towel_change"}], "request_id": "r3"}
    assert (await till.post("/merchant/confirmations", hotel)).status_code == 403
    clock.leap(minutes=6)
    late = await till.post("/merchant/confirmations", {**body, "code": other, "request_id": "r4"})
    assert late.json()["reason"] == "too_late"


async def test_staff_of_a_merchant_confirm_nothing_for_their_own(client: Any, given: Services, cafe: str) -> None:
    await set_merchant(given, OFFICE, cafe, ("reusable_cup",))
    till = await client("till", Role.MERCHANT, org_id=cafe)
    waiter = await client("waiter", org_id=cafe)
    code = (await waiter.post("/points/person-code")).json()["code"]
    body = {"code": code, "acts": [{"key": "reusable_cup"}], "request_id": "r1"}
    done = (await till.post("/merchant/confirmations", body)).json()
    assert done["acts"][0]["reason"]["code"] == "own_merchant"


async def test_the_office_confirms_as_organiser_and_a_badge_is_earned(client: Any, given: Services) -> None:
    ann, office = await client("ann"), await client("office", Role.REVIEWER)
    code = (await ann.post("/points/person-code")).json()["code"]
    body = {"code": code, "acts": [{"key": "tree_planting"}], "request_id": "r1"}
    assert (await office.post("/points/confirmations", body)).json()["acts"][0]["state"] == "granted"
    assert [one["badge"] for one in (await ann.get("/points/badges")).json()] == ["tree_planter"]
    assert (await ann.send("PUT", "/points/goal", {"month_points": 500})).status_code == 204
    assert (await ann.get("/points/me")).json()["goal"] == {"month_points": 500, "earned_points": 100}


async def test_figures_devices_refusals_and_one_person(client: Any, given: Services) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    auditor = await client("auditor", Role.AUDITOR)
    await ann.scan(board.code(), given.clock())
    await ann.scan(board.code(), given.clock())
    today = given.clock().astimezone(given.config.zone).date()
    told = (await auditor.get("/points/overview", since=str(today), until=str(today))).json()
    assert (told["rows"][0]["granted"], told["people"], told["accounts"]) == (1, 1, 1)
    span = {
        "since": (given.clock() - timedelta(days=1)).isoformat(),
        "until": (given.clock() + timedelta(1)).isoformat(),
    }
    cells = (await auditor.get("/points/refusals", **span)).json()
    assert [(one["name"], one["reason"]["code"], one["count"]) for one in cells] == [("bins", "replayed", 1)]
    listed = (await auditor.get("/points/devices")).json()
    assert (listed[0]["scans_day"], listed[0]["refused_day"]) == (2, 1)
    opened = (await auditor.get(f"/points/people/{ann.user_id}")).json()
    assert opened["me"]["balance"] > 0
    assert await given.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'points_opened'") == 1
    assert (await auditor.get("/points/people/nobody")).status_code == 404


async def test_a_device_is_put_up_by_an_engineer(client: Any, given: Services) -> None:
    engineer, office = await client("engineer", Role.ENGINEER), await client("office", Role.REVIEWER)
    body = {"name": "Pier", "place": "pier", "keys": ["shuttle", "shuttle"], "directions": ["start", "end"]}
    made = (await engineer.post("/points/devices", body)).json()
    assert '"secret_hex"' in made["file_text"]
    assert made["svg"].startswith("<svg")
    assert (await office.post("/points/devices", body)).status_code == 403
    wrong = {**body, "keys": ["rocket", "shuttle"]}
    assert (await engineer.post("/points/devices", wrong)).status_code == 422
    new = await engineer.post(f"/points/devices/{made['device_id']}/rotate", {"lost": True, "why": "stolen"})
    assert new.json()["generation"] == 2
    assert (await engineer.post("/points/devices/nothing/clock")).status_code == 404
    dump = await given.pool.fetchval("SELECT string_agg(d::text, '') FROM point_devices d")
    assert made["file_text"].split('"secret_hex":"')[1][:64] not in dump


async def test_public_methods_name_formula_and_sources(client: Any, given: Services) -> None:
    ann = await client("ann")
    told = {one["key"]: one for one in (await ann.get("/points/methods")).json()}
    assert len(told) == 16
    assert told["shuttle"]["formula_en"] == "reduction = (104 − 30) g/pkm × activity (pkm)"
    assert "policy value" in told["reusable_cup"]["sources"]


async def test_times_at_the_edge_of_the_calendar_are_refused(client: Any, given: Services, cafe: str) -> None:
    ann, auditor = await client("ann"), await client("auditor", Role.AUDITOR)
    day, last = "9999-12-31", "9999-12-31T23:59:59-12:00"
    assert (await auditor.get("/points/overview", since=day, until=day)).status_code == 200
    span = {"since": "0001-01-01T00:00:00+14:00", "until": last}
    assert (await auditor.get("/points/refusals", **span)).status_code == 422
    assert (await auditor.get("/vouchers/statement", merchant=cafe, **span)).status_code == 422
    walk = {"started_at": last, "ended_at": last, "distance_km": "1", "steps": 1}
    assert (await ann.post("/points/walks", walk)).status_code == 422
    assert (await ann.post("/points/scans", {"text": "x", "scanned_at": last})).status_code == 422


async def test_words_for_every_refusal(given: Services) -> None:
    await add_organisation(given, "other")
    assert desk.refusal_word("forged").en
    assert desk.refusal_word("no_start").zh
    assert desk.refusal_word("day_cap_reached").zh
