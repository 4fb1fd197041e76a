"""Codes: what a scan gives, late and repeated ones, trips, guessing, clocks, and children."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from cloud_sync.server.points.devices import Shows, rotate_device, set_active
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from tests.cloud_sync.server.points.stand import OFFICE, add_board, add_way, holds

SORTING, CAN = "waste_sorting", "recycling.aluminium"
STOP = (Shows.START, Shows.END)


async def test_a_scan_gives_points_once(client: Any, given: Services) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    first = await ann.scan(board.code(), given.clock(), key="k1")
    assert first["state"] == "granted"
    assert first["points"] == first["grams"] > 0
    assert first["sentence_zh"]
    assert first["sentence_en"]
    again = await ann.scan(board.code(), given.clock(), key="k1")
    assert again == first
    other = await ann.scan(board.code(), given.clock(), key="k2")
    assert (other["state"], other["reason"]) == ("refused", "replayed")
    me = (await ann.get("/points/me")).json()
    assert (me["balance"], me["available"], me["today_points"]) == (first["points"],) * 3
    assert [one["unit"] for one in me["equivalents"]] == ["km", "kWh"]
    assert all(one["row_ids"] for one in me["equivalents"])


async def test_history_names_formula_figures_sources_and_rows(client: Any, given: Services) -> None:
    ann, board = await client("ann"), await add_board(given, "cans", CAN, makes_acts=True)
    scanned = await ann.scan(board.code(counter=7, amount=250), given.clock())
    page = (await ann.get("/points/me/history")).json()
    entry = page["entries"][0]
    formula = entry["event"]["formula"]
    assert entry["points"] == scanned["points"] > 0
    assert formula["sources"]
    assert "M007" in formula["row_ids"]
    assert {one["name"] for one in formula["figures"]} >= {"activity", "reduced_g"}
    assert page["next_before"] is None


async def test_a_machines_code_is_one_persons(client: Any, given: Services) -> None:
    ann, bob = await client("ann"), await client("bob")
    board = await add_board(given, "cans", CAN, makes_acts=True)
    code = board.code(counter=1, amount=100)
    assert (await ann.scan(code, given.clock()))["state"] == "granted"
    assert (await bob.scan(code, given.clock()))["reason"] == "replayed"


async def test_a_typed_code_counts_as_the_scanned_one(client: Any, given: Services) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    assert (await ann.scan(board.typed(), given.clock()))["state"] == "granted"
    assert (await ann.scan(board.code(), given.clock()))["reason"] == "replayed"


async def test_a_late_scan_keeps_its_steps_time(client: Any, given: Services, clock: Any) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    code, at = board.code(), given.clock()
    clock.leap(hours=20)
    await ann.sign_in()
    late = await ann.scan(code, at)
    assert late["state"] == "granted"
    event = (await ann.get("/points/me/events")).json()["events"][0]
    assert event["ended_at"][:16] == at.isoformat()[:16]
    assert event["claimed_at"][:16] == given.clock().isoformat()[:16]


async def test_a_trip_between_two_boards(client: Any, given: Services, clock: Any) -> None:
    ann = await client("ann")
    pier, hall = [await add_board(given, place, *("shuttle",) * 2, directions=STOP) for place in ("pier", "hall")]
    await add_way(given, "pier", "hall", 3_000)
    started = await ann.scan(pier.code(slot=0), given.clock())
    assert started["state"] == "trip_started"
    running = (await ann.get("/points/trips")).json()[0]
    assert (running["state"], running["event"]) == ("running", None)
    lasts = datetime.fromisoformat(running["ends_by"]) - datetime.fromisoformat(running["started_at"])
    assert lasts == timedelta(seconds=(await ann.get("/points/phone-rules")).json()["trip_s"])
    clock.leap(minutes=9)
    ended = await ann.scan(hall.code(slot=1), given.clock())
    assert (ended["state"], ended["grams"]) == ("trip_ended", 222)
    trips = (await ann.get("/points/trips")).json()
    assert [(one["start_place"], one["end_place"], one["metres"]) for one in trips] == [("pier", "hall", 3_000)]
    formula = trips[0]["event"]["formula"]
    assert (trips[0]["event"]["event_id"], formula["key"]) == (ended["event_id"], "shuttle")
    figures = {one["name"]: one["value"] for one in formula["figures"]}
    assert figures == {"baseline_g": "104", "project_g": "30", "activity": "3 pkm", "reduced_g": "222"}
    assert date.fromisoformat(formula["valid_from"]) <= given.clock().date()
    back = await ann.scan(pier.code(slot=1), given.clock())
    assert (back["state"], back["reason"]) == ("refused", "no_start")


async def test_the_end_may_come_before_its_start(client: Any, given: Services, clock: Any) -> None:
    ann = await client("ann")
    pier, hall = [await add_board(given, place, "shuttle", directions=(Shows.EITHER,)) for place in ("pier", "hall")]
    await add_way(given, "pier", "hall", 3_000)
    start, started_at = pier.code(), given.clock()
    clock.leap(minutes=9)
    end = await ann.scan(hall.code(), given.clock(), direction="end")
    assert end["reason"] == "no_start"
    assert (await ann.scan(start, started_at, direction="start"))["state"] == "trip_ended"


async def test_a_board_for_both_ends_knows_an_open_start(client: Any, given: Services, clock: Any) -> None:
    ann = await client("ann")
    pier, hall = [await add_board(given, place, "shuttle", directions=(Shows.EITHER,)) for place in ("pier", "hall")]
    await add_way(given, "pier", "hall", 3_000)
    states = []
    for board in (pier, hall, hall):
        states.append((await ann.scan(board.code(), given.clock()))["state"])
        clock.leap(minutes=9)
    assert states == ["trip_started", "trip_ended", "trip_started"]


async def test_guessing_stops_the_answers(client: Any, given: Services, clock: Any) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    for guess in range(10):
        assert (await ann.scan(f"0001{guess:06d}", given.clock()))["state"] == "refused"
    body = {"text": board.code(), "scanned_at": given.clock().isoformat()}
    stopped = await ann.post("/points/scans", body)
    assert (stopped.status_code, stopped.json()["code"]) == (429, "too_many_attempts")
    clock.leap(minutes=16)
    assert (await ann.scan(board.code(), given.clock()))["state"] == "granted"


async def test_refusals_say_why_in_both_languages(client: Any, given: Services) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    early = await ann.scan(board.code(at=given.clock() + timedelta(hours=1)), given.clock())
    late = await ann.scan(board.code(at=given.clock() - timedelta(hours=1)), given.clock())
    assert (early["reason"], late["reason"]) == ("early", "late")
    assert early["sentence_zh"] != late["sentence_zh"]
    future = await ann.scan(board.code(), given.clock() + timedelta(hours=1))
    assert future["reason"] == "scanned_in_the_future"
    await set_active(given, OFFICE, board.device_id, False, why="broken")
    assert (await ann.scan(board.code(), given.clock()))["reason"] == "device_stopped"
    assert await given.pool.fetchval("SELECT count(*) FROM point_scans WHERE reason <> ''") == 4


async def test_a_phone_knows_what_is_too_old(client: Any, given: Services) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    age_s = (await ann.get("/points/phone-rules")).json()["code_age_s"]
    old = await ann.scan(board.code(at=given.clock() - timedelta(seconds=age_s)), given.clock())
    assert (old["state"], old["reason"]) == ("refused", "late")


async def test_a_clock_is_learnt_and_written_back(client: Any, given: Services, clock: Any) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    clock.leap(days=10)
    await ann.sign_in()
    board.ahead_s = 90
    assert (await ann.scan(board.code(), given.clock()))["state"] == "granted"
    offset = await given.pool.fetchval("SELECT clock_offset_s FROM point_devices")
    assert 60 <= offset <= 90


async def test_a_lost_device_is_worthless_and_a_rotated_one_overlaps(client: Any, given: Services, clock: Any) -> None:
    ann, board = await client("ann"), await add_board(given, "bins", SORTING)
    await rotate_device(given, OFFICE, board.device_id, lost=False, why="yearly")
    assert (await ann.scan(board.code(), given.clock()))["state"] == "granted"
    clock.leap(minutes=5)
    await rotate_device(given, OFFICE, board.device_id, lost=True, why="stolen")
    assert (await ann.scan(board.code(), given.clock()))["reason"] == "forged"
    board.generation = 3
    assert (await ann.scan(board.code(), given.clock()))["state"] == "granted"


async def test_a_new_account_waits_and_a_child_needs_a_guardian(client: Any, given: Services) -> None:
    board = await add_board(given, "bins", SORTING)
    new = await client("new", is_new=True)
    held = await new.scan(board.code(), given.clock())
    assert (held["state"], held["reason"]) == ("held", "new_account")
    me = (await new.get("/points/me")).json()
    assert (me["balance"], me["held_points"], me["held_count"]) == (0, held["points"], 1)
    child = await client("child", born_on=date(2016, 5, 1))
    assert (await child.scan(board.code(), given.clock()))["reason"] == "no_guardian"
    ward = await client("ward", born_on=date(2016, 5, 1), guardian_id=new.user_id)
    assert (await ward.scan(board.code(), given.clock()))["state"] == "granted"


async def test_staff_of_the_place_earn_nothing_there(client: Any, given: Services, cafe: str) -> None:
    board = await add_board(given, "cafe bins", SORTING, merchant=cafe)
    waiter = await client("waiter", org_id=cafe)
    assert (await waiter.scan(board.code(), given.clock()))["reason"] == "own_merchant"


async def test_a_day_has_a_cap_that_no_scan_exceeds(client: Any, given: Services, clock: Any) -> None:
    ann, board = await client("ann"), await add_board(given, "cans", CAN, makes_acts=True)
    states = []
    for counter in range(1, 7):
        clock.leap(minutes=20)
        states.append((await ann.scan(board.code(counter=counter, amount=1_000), given.clock()))["state"])
    cap = await given.pool.fetchval("SELECT sum(grams) FROM point_events WHERE state <> 'refused'")
    assert "refused" in states
    assert cap <= 100_000


async def test_walks_are_believed_within_limits(client: Any, given: Services) -> None:
    ann, now = await client("ann"), given.clock()

    async def walk(hours: float, km: str, steps: int) -> dict[str, Any]:
        began = now - timedelta(hours=hours)
        body = {"started_at": began.isoformat(), "ended_at": (began + timedelta(minutes=30)).isoformat()}
        answer = await ann.post("/points/walks", {**body, "distance_km": km, "steps": steps})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    assert (await walk(1, "2", 3_000))["state"] == "granted"
    assert (await walk(2, "9", 12_000))["state"] in ("held", "refused")
    assert (await walk(1, "1", 1_500))["reason"] in ("same_trip", "duplicate")


async def test_only_people_who_earn_may_scan(client: Any, given: Services) -> None:
    reviewer = await client("rev", Role.REVIEWER)
    answer = await reviewer.post("/points/scans", {"text": "x", "scanned_at": given.clock().isoformat()})
    assert answer.status_code == 403
    assert (await reviewer.get("/points/methods")).status_code == 200


async def test_the_ledger_holds_after_a_day(client: Any, given: Services, clock: Any) -> None:
    board = await add_board(given, "bins", SORTING)
    for name in ("ann", "bob", "cid"):
        person = await client(name)
        for _ in range(3):
            clock.leap(minutes=11)
            await person.scan(board.code(), given.clock())
    found = await holds(given)
    assert found.holds, found
    assert (found.accounts, found.entries) == (3, 9)
