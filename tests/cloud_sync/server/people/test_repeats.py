"""Requests that come again: answered the same, and stopped when there are too many."""

from __future__ import annotations

import asyncio
from typing import Any
from unittest.mock import AsyncMock

import pytest

from cloud_sync.server.people import tidying
from cloud_sync.server.people.idempotency import Answer, idempotent
from cloud_sync.server.people.limits import limit
from cloud_sync.server.problems import Problem


async def once(given: Any, done: list[int], *, key: str | None, person: str = "p", route: str = "r") -> Answer:
    async def act() -> dict[str, int]:
        done.append(len(done))
        await asyncio.sleep(0)
        return {"n": done[-1]}

    async with given.pool.acquire() as connection, connection.transaction():
        return await idempotent(connection, person=person, key=key, route=route, at=given.clock(), act=act, status=201)


async def test_a_key_is_answered_once_and_then_again_the_same(services: Any) -> None:
    done: list[int] = []
    first, again = await once(services, done, key="k"), await once(services, done, key="k")
    assert (first.status, first.body, first.repeated) == (201, {"n": 0}, False)
    assert (again.status, again.body, again.repeated) == (201, {"n": 0}, True)
    assert again.response().headers["idempotent-replayed"] == "true"
    await once(services, done, key="k", person="other")
    await once(services, done, key=None)
    await once(services, done, key=None)
    assert len(done) == 4


async def test_requests_at_once_are_done_once(services: Any) -> None:
    done: list[int] = []
    answers = await asyncio.gather(*(once(services, done, key="k") for _ in range(5)))
    assert len(done) == 1
    assert {one.body["n"] for one in answers} == {0}


async def test_a_failed_act_leaves_the_key_free(services: Any) -> None:
    async def fails() -> None:
        raise Problem("not_found")

    with pytest.raises(Problem):
        async with services.pool.acquire() as connection, connection.transaction():
            await idempotent(connection, person="p", key="k", route="r", at=services.clock(), act=fails)
    assert not (await once(services, [], key="k")).repeated


async def test_a_key_belongs_to_one_route(services: Any) -> None:
    await once(services, [], key="k")
    with pytest.raises(Problem) as raised:
        await once(services, [], key="k", route="other")
    assert raised.value.code == "key_reused"


async def test_a_key_belongs_to_one_body(services: Any) -> None:
    async def asked(body: Any) -> Any:
        async with services.pool.acquire() as connection, connection.transaction():
            return await idempotent(
                connection,
                person="p",
                key="k",
                route="r",
                at=services.clock(),
                act=AsyncMock(return_value=1),
                asked=body,
            )

    first = await asked({"a": 1, "b": 2})
    assert (await asked({"b": 2, "a": 1})).repeated
    assert not first.repeated
    with pytest.raises(Problem) as raised:
        await asked({"a": 1, "b": 3})
    assert raised.value.code == "key_reused"


async def test_a_limit_counts_by_key_and_window(services: Any, clock: Any) -> None:
    for _ in range(3):
        await limit(services, "a", 3, 60)
    await limit(services, "b", 3, 60)
    with pytest.raises(Problem) as raised:
        await limit(services, "a", 3, 60)
    assert (raised.value.code, raised.value.retry_after_s) == ("too_many_requests", 29)
    clock.leap(seconds=29)
    await limit(services, "a", 3, 60)


async def test_what_is_over_is_forgotten(services: Any, clock: Any) -> None:
    await once(services, [], key="k")
    await limit(services, "a", 3, 60)
    assert await tidying.tidy(services, clock(), request_keys_days=30) == 0
    clock.leap(days=31)
    assert await tidying.tidy(services, clock(), request_keys_days=30) == 2
