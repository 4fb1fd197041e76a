"""The island's own events: drives between gates, cars left parked, charges; each once, however often collected."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from cloud_sync.server.people import erasure, export
from cloud_sync.server.points import island_events
from cloud_sync.server.points.devices import Shows
from cloud_sync.server.services import Services
from tests.cloud_sync.server.points.stand import OFFICE, add_board, add_person, add_way, holds

ELECTRIC, FUEL = "琼CD12345", "琼C12345"
STOP = (Shows.START, Shows.END)


async def add_vehicle(given: Services, owner: str, plate: str, drive: str, *, confirmed: bool = True) -> None:
    at = given.clock() - timedelta(days=20)
    await given.pool.execute(
        "INSERT INTO vehicles (vehicle_id, owner_id, plate, plate_colour, vehicle_type, drive, created_at, updated_at,"
        " confirmed_at) VALUES ($1, $2, $3, 'unknown', 'car', $4, $5, $5, $6)",
        *(f"v-{plate}", owner, plate, drive, at, at if confirmed else None),
    )


async def pass_gate(given: Services, gateway: Any, plate: str, gate: str, direction: str, at: datetime) -> None:
    """A vehicle through a gate, as the gateways' events make it."""
    arrival = f"{plate}-{gate}-{direction}-{at.timestamp():.0f}"
    where = {"gate_id": gate, "direction": direction, "at": at.isoformat()}
    energy = {"kind": "small", "verdict": "fuel"} if plate == FUEL else {}
    await gateway.send(
        gateway.decided(arrival, plate, **where, **energy),
        gateway.row("vehicle_passed", arrival_id=arrival, lane_id="e1", movement="passed", at=at.isoformat()),
    )


@pytest.fixture
def events(given: Services, make_gateway: Any) -> Any:
    return make_gateway(given)


async def test_a_drive_between_gates_counts_once(given: Services, events: Any, clock: Any) -> None:
    ann, bob = await add_person(given, "ann"), await add_person(given, "bob")
    await add_vehicle(given, ann, ELECTRIC, "electric")
    await add_vehicle(given, bob, ELECTRIC[:-1] + "9", "electric", confirmed=False)
    await add_way(given, "east", "west", 6_000)
    now = given.clock()
    for plate in (ELECTRIC, ELECTRIC[:-1] + "9"):
        await pass_gate(given, events, plate, "east", "in", now)
        await pass_gate(given, events, plate, "west", "out", now + timedelta(minutes=15))
    clock.leap(hours=1)
    assert await island_events.collect(given) == 1
    assert await island_events.collect(given) == 0
    row = await given.pool.fetchrow("SELECT person, key, state, grams, evidence FROM point_events")
    assert tuple(row) == (ann, "ev_driving", "granted", 42, "gate")


async def test_back_through_the_same_gate_is_no_known_way(given: Services, events: Any, clock: Any) -> None:
    ann, now = await add_person(given, "ann"), given.clock()
    await add_vehicle(given, ann, ELECTRIC, "electric")
    await add_way(given, "east", "west", 6_000)
    await pass_gate(given, events, ELECTRIC, "east", "in", now)
    await pass_gate(given, events, ELECTRIC, "east", "out", now + timedelta(minutes=15))
    await pass_gate(given, events, ELECTRIC, "east", "in", now + timedelta(minutes=20))
    await pass_gate(given, events, ELECTRIC, "west", "out", now + timedelta(hours=9))
    clock.leap(hours=12)
    assert await island_events.collect(given) == 0


async def test_a_car_left_parked_while_its_owner_rides(client: Any, given: Services, events: Any, clock: Any) -> None:
    people = [await client(name) for name in ("ann", "bob")]
    await add_vehicle(given, people[0].user_id, FUEL, "petrol")
    await add_vehicle(given, people[1].user_id, "琼C54321", "petrol")
    boards = [await add_board(given, place, "shuttle", "shuttle", directions=STOP) for place in ("pier", "hall")]
    await add_way(given, "pier", "hall", 3_000)
    # Bob's car came in on this day, and so was not left outside.
    await pass_gate(given, events, "琼C54321", "east", "in", given.clock())
    for slot, board in enumerate(boards):
        for person in people:
            await person.scan(board.code(slot=slot), given.clock())
        clock.leap(minutes=10)
    assert await island_events.collect(given) == 0
    clock.leap(days=1)
    assert await island_events.collect(given) == 1
    assert await island_events.collect(given) == 0
    row = await given.pool.fetchrow("SELECT person, state, points, day FROM point_events WHERE key = 'parked_car'")
    today = given.clock().astimezone(given.config.zone).date()
    assert tuple(row) == (people[0].user_id, "granted", 500, today - timedelta(days=1))
    assert (await holds(given)).holds


async def charge(events: Any, session: str, began: datetime, *kwh: float, ended: bool = True) -> None:
    """A session at `post-1`, read each hour."""
    phases = ["started"] + ["updated"] * (len(kwh) - 2) + ["ended" if ended else "updated"]
    for hour, (phase, energy) in enumerate(zip(phases, kwh, strict=True)):
        at = began + timedelta(hours=hour)
        body = {"session_id": session, "charger": "post-1", "phase": phase, "energy_kwh": energy, "fed_back_kwh": 0.0}
        more = {"soc_frac": None, "depart_at": None, "power_kw": None, "at": at.isoformat()}
        await events.send(events.row("charging_session", **body, **more))


async def test_a_charge_counts_in_the_offices_hours(client: Any, given: Services, events: Any, clock: Any) -> None:
    ann, bob = await client("ann"), await client("bob")
    board = await add_board(given, "post-1", "off_peak_charging", directions=(Shows.CHARGER,))
    # 21:30 on the island; the office's hours begin at 23:00.
    clock.leap(hours=10, minutes=47, seconds=29)
    await ann.sign_in()
    await bob.sign_in()
    began = given.clock()
    await charge(events, "s1", began, 0.0, 10.0, 20.0, ended=False)
    assert (await ann.scan(board.code(), given.clock()))["state"] == "charge_noted"
    clock.leap(minutes=2)
    assert (await bob.scan(board.code(), given.clock()))["state"] == "charge_noted"
    assert await island_events.collect(given) == 0
    await charge(events, "s1", began + timedelta(hours=3), 30.0, 40.0)
    clock.leap(hours=5)
    assert await island_events.collect(given) == 1
    assert await island_events.collect(given) == 0
    row = await given.pool.fetchrow("SELECT person, state, activity, grams FROM point_events")
    assert tuple(row) == (ann.user_id, "granted", "25", 1_250)
    assert await given.pool.fetchval("SELECT count(*) FROM point_charge_claims WHERE settled_at IS NULL") == 0


async def test_claims_behind_many_running_sessions_are_reached(
    client: Any, given: Services, events: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(island_events, "A_ROUND", 2)
    began = given.clock()
    for number in range(5):
        await given.pool.execute(
            "INSERT INTO point_charge_claims (claim_id, person, charger, at) VALUES ($1, 'somebody', 'post-1', $2)",
            *(f"claim-{number}", began),
        )
    await charge(events, "s1", began, 0.0, 10.0, ended=False)
    ann, board = await client("ann"), await add_board(given, "post-2", "off_peak_charging", directions=(Shows.CHARGER,))
    clock.leap(minutes=1)
    assert (await ann.scan(board.code(), given.clock()))["state"] == "charge_noted"
    clock.leap(days=1)
    await island_events.collect(given)
    assert await given.pool.fetchval("SELECT count(*) FROM point_charge_claims WHERE settled_at IS NULL") == 6
    clock.leap(days=2)
    await island_events.collect(given)
    open_claims = await given.pool.fetch("SELECT claim_id FROM point_charge_claims WHERE settled_at IS NULL ORDER BY 1")
    assert [row["claim_id"] for row in open_claims] == [f"claim-{number}" for number in range(5)]


async def test_a_claim_without_a_session_is_forgotten(client: Any, given: Services, clock: Any) -> None:
    ann = await client("ann")
    board = await add_board(given, "post-1", "off_peak_charging", directions=(Shows.CHARGER,))
    await ann.scan(board.code(), given.clock())
    await island_events.collect(given)
    assert await given.pool.fetchval("SELECT settled_at FROM point_charge_claims") is None
    clock.leap(days=3)
    await island_events.collect(given)
    assert await given.pool.fetchval("SELECT settled_at FROM point_charge_claims") is not None


async def test_a_person_takes_a_copy_and_leaves(client: Any, given: Services, clock: Any) -> None:
    ann = await client("ann")
    boards = [await add_board(given, place, "shuttle", "shuttle", directions=STOP) for place in ("pier", "hall")]
    await add_way(given, "pier", "hall", 3_000)
    for slot, board in enumerate(boards):
        await ann.scan(board.code(slot=slot), given.clock())
        clock.leap(minutes=10)
    copy = (await export.copy_of(given.pool, ann.user_id, at=given.clock()))["points"]
    assert [len(copy[name]) for name in ("entries", "acts", "trips", "scans")] == [1, 1, 1, 2]
    assert copy["acts"][0]["judgement"]["row_ids"]
    await erasure.anonymise(given, OFFICE, ann.user_id, why="asked for")
    places = await given.pool.fetch(
        "SELECT start_place, end_place FROM point_events UNION SELECT place, '' FROM point_scans"
    )
    assert {tuple(row) for row in places} == {("", "")}
    assert await given.pool.fetchval("SELECT count(*) FROM point_trips") == 0
    assert (await holds(given)).holds
