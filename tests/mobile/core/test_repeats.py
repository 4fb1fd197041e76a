"""What a person sends from an open page is made once, also when its answer was lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mobile.core.api.late import LateTransport, Limits
from mobile.core.api.wire import Request, Response
from mobile.core.client import Client
from mobile.core.errors import Offline
from mobile.core.models.account import Account
from mobile.core.models.home import Home
from mobile.core.repeats import RepeatKey

PASSWORD = "a long enough password"


class Losing:
    """A way to the server on which the answers to some requests are lost."""

    def __init__(self, url: str) -> None:
        self.real = LateTransport(url, Limits())
        self.loses = ""

    async def send(self, request: Request) -> Response:
        response = await self.real.send(request)
        if self.loses and f"{request.method} {request.target}".endswith(self.loses):
            raise Offline("the answer is lost")
        return response

    async def close(self) -> None:
        await self.real.close()


@pytest.fixture
async def losing(island: Any, phone: Callable[..., Client]) -> tuple[Losing, Client]:
    """A visitor who is signed in."""
    await island.add_person("visitor", "mei")
    air = Losing(island.url)
    client = phone(island.url, transport=air)
    await client.session.sign_in("mei", PASSWORD)
    return air, client


def test_a_key_is_for_one_content_until_it_was_taken() -> None:
    key = RepeatKey()
    first = key.of("correction", "My name")
    assert key.of("correction", "My name") == first
    other = key.of("correction", "My names")
    assert other != first
    key.taken()
    assert key.of("correction", "My names") not in (first, other)


async def test_the_office_is_asked_once(island: Any, losing: tuple[Losing, Client]) -> None:
    async def asked() -> list[str]:
        rows = await island.given.pool.fetch("SELECT message FROM data_requests ORDER BY request_id")
        return [row["message"] for row in rows]

    air, client = losing
    account = Account(client)
    air.loses = "POST /api/v1/me/requests"
    for _ in range(2):
        assert not await account.ask_office("correction", "The name is wrong.")
        assert account.act_problem is not None
        assert account.act_problem.code == "offline"
    air.loses = ""
    assert await account.ask_office("correction", "The name is wrong.")
    assert await asked() == ["The name is wrong."]
    # Another word is another request, and so is the same one once it was taken.
    assert await account.ask_office("correction", "The phone too.")
    assert await account.ask_office("correction", "The phone too.")
    assert await asked() == ["The name is wrong.", "The phone too.", "The phone too."]


async def test_a_goal_that_is_set_again_is_one_goal(island: Any, losing: tuple[Losing, Client]) -> None:
    air, client = losing
    home = Home(client)
    air.loses = "PUT /api/v1/points/goal"
    with pytest.raises(Offline):
        await home.set_goal(500)
    air.loses = ""
    await home.set_goal(500)
    rows = await island.given.pool.fetch("SELECT month_points FROM point_goals")
    assert [row["month_points"] for row in rows] == [500]
    for _ in range(2):
        await home.set_goal(None)
    assert await island.given.pool.fetchval("SELECT count(*) FROM point_goals") == 0
