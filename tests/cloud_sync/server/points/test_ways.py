"""Ways between places: dated rows that are never changed, and trips that count by the way of their day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from cloud_sync.server.points import ways
from cloud_sync.server.points.desk_records import WayRecord
from cloud_sync.server.points.devices import Shows
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from tests.cloud_sync.server.points.stand import Client, add_board, add_way

SCRIPT = {"Accept": "application/json"}
ROW = {"from_place": "pier", "to_place": "hall", "source": "route plan", "reason": "the road was moved"}


async def put(who: Client, body: dict[str, Any]) -> Any:
    return await who.send("PUT", "/points/ways", body)


async def test_a_trip_counts_by_the_way_of_its_day(client: Any, given: Services, clock: Any) -> None:
    ann, office = await client("ann"), await client("office", Role.REVIEWER)
    pier, hall = [await add_board(given, place, "shuttle", directions=(Shows.EITHER,)) for place in ("pier", "hall")]
    await add_way(given, "pier", "hall", 3_000)
    tomorrow = (given.clock().astimezone(given.config.zone) + timedelta(days=1)).date()
    longer = ROW | {"metres": 4_000, "valid_from": tomorrow.isoformat()}
    assert (await put(office, longer)).status_code == 204
    start, end_at = pier.code(), given.clock() + timedelta(minutes=9)
    end = hall.code(at=end_at)
    clock.leap(hours=20)
    await ann.sign_in()
    await ann.scan(start, end_at - timedelta(minutes=9))
    assert (await ann.scan(end, end_at))["grams"] == 222
    await ann.scan(pier.code(), given.clock())
    clock.leap(minutes=9)
    assert (await ann.scan(hall.code(), given.clock()))["grams"] == 296
    trips = (await ann.get("/points/trips")).json()
    assert [one["metres"] for one in trips] == [4_000, 3_000]


async def test_rows_follow_each_other_and_say_who_why_and_by_what(client: Any, given: Services) -> None:
    office, auditor = await client("office", Role.REVIEWER), await client("auditor", Role.AUDITOR)
    today = given.clock().astimezone(given.config.zone).date()
    first = ROW | {"metres": 3_000, "valid_from": "2026-01-01"}
    assert (await put(office, first)).status_code == 204
    past = await put(office, ROW | {"metres": 2_000, "valid_from": "2026-02-01"})
    assert (past.status_code, past.json()["code"]) == (409, "way_day_taken")
    assert (await put(office, ROW | {"metres": 3_000})).json()["code"] == "nothing_changed"
    assert (await put(office, ROW | {"metres": 2_000, "source": ""})).status_code == 422
    assert (await put(office, ROW | {"metres": 0})).status_code == 204
    assert (await put(auditor, first)).status_code == 403
    rows = (await auditor.get("/points/ways")).json()
    shown = [(one["metres"], one["valid_from"], one["valid_until"], one["author"]) for one in rows]
    assert shown == [(0, today.isoformat(), None, "office"), (3_000, "2026-01-01", today.isoformat(), "office")]
    before = await ways.metres_between(given.pool, ("pier", "hall"), today - timedelta(days=1))
    assert before == {("pier", "hall"): 3_000}
    assert await ways.metres_between(given.pool, ("pier", "hall"), today) == {}
    why = await given.pool.fetchval("SELECT why FROM audit WHERE action = 'way_set' ORDER BY audit_id DESC LIMIT 1")
    assert why == ROW["reason"]


async def test_no_row_is_changed(given: Services) -> None:
    await add_way(given, "pier", "hall", 3_000)
    for change in ("UPDATE point_ways SET metres = 1", "DELETE FROM point_ways", "TRUNCATE point_ways"):
        with pytest.raises(asyncpg.PostgresError, match="point_ways"):
            await given.pool.execute(change)


async def test_the_page_shows_rows_and_begins_one(client: Any, given: Services) -> None:
    office, auditor = await client("office", Role.REVIEWER), await client("auditor", Role.AUDITOR)
    form = ROW | {"metres": "1,800", "valid_from": "2026-03-01", "csrf_token": office.csrf_token}
    answer = await office.http.post("/points/ways", data=form, headers=SCRIPT)
    assert answer.json()["done"] == "way_set"
    wrong = await office.http.post("/points/ways", data=form | {"valid_from": "soon"}, headers=SCRIPT)
    assert wrong.json()["code"] == "invalid"
    shown = (await auditor.http.get("/points/ways", headers={"Accept-Language": "en"})).text
    assert "1,800" in shown
    assert "the road was moved" in shown
    assert "way-dialog" not in shown


def test_a_row_holds_until_the_next_one() -> None:
    made = datetime(2026, 1, 1, tzinfo=UTC)
    row = WayRecord("a", "b", 5, date(2026, 1, 2), date(2026, 1, 4), "s", "me", "r", made)
    assert [row.holds(date(2026, 1, day)) for day in (1, 2, 3, 4)] == [False, True, True, False]
