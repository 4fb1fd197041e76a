"""Redeeming: nothing is oversold, a code is used once, and what is not used comes back once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as drawn
from hypothesis import strategies as st

from cloud_sync.server.people.idempotency import idempotent
from cloud_sync.server.points import redemptions, worker
from cloud_sync.server.points.catalogue import ItemChange, change_item
from cloud_sync.server.points.parts import lock_person
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Role
from cloud_sync.server.services import Services
from tests.cloud_sync.server.points.stand import OFFICE, add_item, add_person, give_points, holds

CONNECTIONS = 40
BUYERS = 100


@pytest.fixture
async def crowd(given: Services) -> AsyncIterator[asyncpg.Pool]:
    """Many real connections, none of which waits for another in the program."""
    pool = await asyncpg.create_pool(given.database_url, min_size=CONNECTIONS, max_size=CONNECTIONS)
    try:
        yield pool
    finally:
        await pool.close()


async def buy(given: Services, pool: asyncpg.Pool, person: str, item_id: str, key: str, *, crash: bool = False) -> Any:
    """One purchase as the route makes it; a crash cuts the connection before the transaction ends."""
    async with pool.acquire() as connection:
        try:
            async with connection.transaction():
                await lock_person(connection, person)

                async def act() -> dict[str, str]:
                    return {"redemption_id": await redemptions.redeem(given, connection, person, item_id)}

                answer = await idempotent(
                    connection, person=person, key=key, route="points/redemptions", at=given.clock(), act=act
                )
                if crash:
                    connection.terminate()
        except Problem as refused:
            return refused.more["reason"]
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ConnectionError):
            return "crashed"
        return answer.body["redemption_id"]


async def figures(given: Services, item_id: str) -> tuple[int, int, int]:
    """Taken by the item's counter, taken by its redemptions, and points paid."""
    row = await given.pool.fetchrow(
        "SELECT i.taken, (SELECT count(*) FROM redemptions r WHERE r.item_id = i.item_id AND state <> 'returned') AS n,"
        " (SELECT coalesce(-sum(points), 0) FROM point_entries WHERE kind IN ('redeem', 'return')) AS paid"
        " FROM catalogue_items i WHERE item_id = $1",
        item_id,
    )
    return row["taken"], row["n"], int(row["paid"])


async def test_a_hundred_buyers_at_once_take_what_is_there(given: Services, crowd: Any, cafe: str) -> None:
    item_id = await add_item(given, cafe, stock=30, person_max=1)
    people = [await add_person(given, f"buyer-{number}") for number in range(BUYERS)]
    for person in people:
        await give_points(given, person, 150)
    shuffle = random.Random(5)
    # Each asks twice with one key, at once, in any order; every seventh is cut off before its first answer.
    asks = [(person, number % 7 == 0 and turn == 0) for number, person in enumerate(people) for turn in range(2)]
    shuffle.shuffle(asks)
    made = await asyncio.gather(*(buy(given, crowd, one, item_id, f"key-{one}", crash=cut) for one, cut in asks))
    sold = {one for one in made if one not in ("sold_out", "crashed")}
    again = await asyncio.gather(*(buy(given, crowd, one, item_id, f"key-{one}") for one in people))
    assert sold <= set(again)
    assert len(set(again) - {"sold_out"}) == 30
    assert await figures(given, item_id) == (30, 30, 3_000)
    assert (await holds(given)).holds


async def test_one_person_at_many_tills_keeps_the_limit_and_the_balance(given: Services, crowd: Any, cafe: str) -> None:
    item_id = await add_item(given, cafe, stock=50, person_max=3)
    ann = await add_person(given, "ann")
    await give_points(given, ann, 250)
    made = await asyncio.gather(*(buy(given, crowd, ann, item_id, f"key-{number}") for number in range(20)))
    assert sorted(one for one in made if "_" in one) == ["not_enough_points"] * 18
    assert await figures(given, item_id) == (2, 2, 200)


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@drawn(plan=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans()), min_size=4, max_size=16))
def test_any_crowd_with_replays_and_crashes(plan: list[tuple[int, int, bool]], database_url: str, sell: Any) -> None:
    sell(plan)


@pytest.fixture
def sell(postgres_server: Any, tmp_path: Any) -> Any:
    """Runs one plan of purchases (who, which key, cut off) on a fresh loop, and looks at the sums."""
    from tests.cloud_sync.server.points.crowd_run import run_plan

    return lambda plan: asyncio.run(run_plan(postgres_server.url(), tmp_path, plan, buy, figures))


async def test_the_code_comes_again_to_the_same_request_only(client: Any, given: Services, cafe: str) -> None:
    item_id = await add_item(given, cafe)
    ann, bob = await client("ann"), await client("bob")
    for one in (ann, bob):
        await give_points(given, one.user_id, 1_000)
    first = await ann.post("/points/redemptions", {"item_id": item_id}, key="k")
    assert first.status_code == 201, first.text
    assert (await ann.post("/points/redemptions", {"item_id": item_id}, key="k")).json() == first.json()
    others = (await bob.post("/points/redemptions", {"item_id": item_id}, key="k")).json()
    assert others["code"] != first.json()["code"]
    listed = await ann.get("/points/redemptions")
    assert first.json()["code"] not in listed.text
    stored = await given.pool.fetch("SELECT body::text FROM idempotency_keys")
    assert not any(first.json()["code"] in row["body"] for row in stored)
    dump = await given.pool.fetchval("SELECT string_agg(r::text, '') FROM redemptions r")
    assert first.json()["code"] not in dump


async def test_a_till_takes_a_code_once_and_answers_again(client: Any, given: Services, cafe: str) -> None:
    item_id = await add_item(given, cafe)
    ann, till = await client("ann"), await client("till", Role.MERCHANT, org_id=cafe)
    await give_points(given, ann.user_id, 1_000)
    code = (await ann.post("/points/redemptions", {"item_id": item_id})).json()["code_grouped"].lower()
    assert (await till.post("/merchant/redemptions/check", {"code": code})).json()["ok"]
    first = await till.post("/merchant/redemptions/use", {"code": code, "request_id": "r1"})
    assert first.json()["ok"], first.text
    assert (await till.post("/merchant/redemptions/use", {"code": code, "request_id": "r1"})).json() == first.json()
    other = (await till.post("/merchant/redemptions/use", {"code": code, "request_id": "r2"})).json()
    assert (other["ok"], other["reason"]["code"], other["used_at"]) == (False, "used_already", first.json()["used_at"])
    wrong = (await till.post("/merchant/redemptions/use", {"code": "AAAABBBBCCCC", "request_id": "r3"})).json()
    assert wrong["reason"]["code"] == "wrong_code"
    second = (await ann.post("/points/redemptions", {"item_id": item_id})).json()["code"]
    reused = await till.post("/merchant/redemptions/use", {"code": second, "request_id": "r1"})
    assert (reused.status_code, reused.json()["code"]) == (409, "key_reused")


async def test_two_tills_at_once_and_one_takes_it(client: Any, given: Services, cafe: str) -> None:
    item_id = await add_item(given, cafe)
    ann, till = await client("ann"), await client("till", Role.MERCHANT, org_id=cafe)
    await give_points(given, ann.user_id, 1_000)
    code = (await ann.post("/points/redemptions", {"item_id": item_id})).json()["code"]
    asks = [till.post("/merchant/redemptions/use", {"code": code, "request_id": f"r{n % 3}"}) for n in range(9)]
    answers = [answer.json() for answer in await asyncio.gather(*asks)]
    assert sum(one["ok"] for one in answers) == 3
    assert await given.pool.fetchval("SELECT count(*) FROM audit WHERE action = 'redemption_used'") == 1


async def test_what_is_not_used_comes_back_once(client: Any, given: Services, clock: Any, cafe: str) -> None:
    item_id = await add_item(given, cafe, stock=1)
    ann, till = await client("ann"), await client("till", Role.MERCHANT, org_id=cafe)
    await give_points(given, ann.user_id, 100)
    code = (await ann.post("/points/redemptions", {"item_id": item_id})).json()["code"]
    clock.leap(days=31)
    assert await redemptions.return_due(given) == 1
    assert await redemptions.return_due(given) == 0
    assert await figures(given, item_id) == (0, 0, 0)
    await ann.sign_in()
    await till.sign_in()
    assert not (await till.post("/merchant/redemptions/use", {"code": code, "request_id": "r"})).json()["ok"]
    assert (await ann.get("/points/me")).json()["available"] == 100
    assert (await ann.post("/points/redemptions", {"item_id": item_id})).status_code == 201
    await worker.round_once(given)
    assert (await holds(given)).holds


async def test_stock_never_falls_below_what_is_taken(given: Services, crowd: Any, cafe: str) -> None:
    item_id, ann = await add_item(given, cafe, stock=3), await add_person(given, "ann")
    await give_points(given, ann, 1_000)
    await buy(given, crowd, ann, item_id, "k1")
    await buy(given, crowd, ann, item_id, "k2")
    with pytest.raises(Problem):
        await change_item(given, OFFICE, item_id, ItemChange(stock=1), why="lost some")
    assert (await change_item(given, OFFICE, item_id, ItemChange(stock=2), why="lost one")).state == "sold_out"
    ended = await change_item(given, OFFICE, item_id, ItemChange(end=True), why="no more")
    assert ended.state == "ended"
    assert await buy(given, crowd, ann, item_id, "k3") == "not_on_offer"
