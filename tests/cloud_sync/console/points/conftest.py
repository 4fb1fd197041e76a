"""A day of points: a visitor who rode and one ride too fast, a device, a café with an item, a voucher's scheme."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from cloud_sync.server import auth
from cloud_sync.server.broker import free_port
from cloud_sync.server.people import members, organisations
from cloud_sync.server.points import catalogue, confirmations, events, queries, redemptions, reviews, vouchers
from cloud_sync.server.points.parts import lock_person
from cloud_sync.server.services import Services
from cloud_sync.server.store import Actor
from control.points.earning_types import EarningEvent
from control.points.methodology import Evidence
from control.points.vouchers import HolderKind
from tests.cloud_sync.server.points.stand import add_way

PASSWORD = "a long enough password"  # as the desks of the folder above type it
OFFICE = Actor("approver")
on_one_loop = partial(pytest_asyncio.fixture, loop_scope="session")


@dataclass
class PointsIsland:
    """The visitor's rides and what they may spend, through the functions that the API calls."""

    given: Services
    visitor: str
    café: str
    item: str

    async def ride(self, event_id: str, *, ago_min: float, took_s: int, km: str = "1.8", back: bool = False) -> None:
        """A ride with the shuttle between two boards; faster than 60 km/h it is held."""
        places = ("东屿岛码头", "会议中心") if not back else ("会议中心", "东屿岛码头")
        ended = datetime.now(UTC) - timedelta(minutes=ago_min)
        event = EarningEvent(
            event_id=event_id,
            person_id=self.visitor,
            key="shuttle",
            started_at=ended - timedelta(seconds=took_s),
            ended_at=ended,
            claimed_at=ended,
            evidence=Evidence.TRIP_CODES,
            source_id=">".join(places),
            evidence_ref=event_id,
            activity=Fraction(km),
            trip_id=event_id,
            distance_km=Fraction(km),
            start_place=places[0],
            end_place=places[1],
        )
        async with self.given.change() as connection:
            await lock_person(connection, self.visitor)
            person = await members.points_person(connection, self.visitor)
            await events.earn(self.given, connection, event, person, await events.books_of(connection))

    async def balance(self) -> int:
        return (await queries.me(self.given, self.visitor)).balance

    async def code(self) -> str:
        """The one-time code of a coffee that the visitor has just bought."""
        async with self.given.change() as connection:
            await lock_person(connection, self.visitor)
            redemption_id = await redemptions.redeem(self.given, connection, self.visitor, self.item)
        return (await redemptions.with_code(self.given, self.given.pool, self.visitor, redemption_id)).code

    async def person_code(self) -> str:
        """What the visitor shows at a counter."""
        user = auth.CurrentUser(self.visitor, "visitor", "陈海龙", auth.Role.VISITOR, "")
        return (await confirmations.person_code(self.given, user)).code

    async def appeal(self, event_id: str, text: str) -> None:
        """The visitor's word against a refusal that somebody else than the reviewer gave."""
        approver = auth.CurrentUser(self.café, "approver", "李静", auth.Role.APPROVER, "")
        await reviews.decide(self.given, OFFICE, approver, event_id, release=False, why="too fast")
        async with self.given.change() as connection:
            await lock_person(connection, self.visitor)
            await reviews.appeal(self.given, connection, self.visitor, event_id, text)

    async def spend(self, code: str, amount_fen: int, request_id: str) -> None:
        """The café takes an amount of a voucher."""
        user = auth.CurrentUser("s", "merchant", "周店员", auth.Role.MERCHANT, "", self.café)
        await vouchers.spend(self.given, OFFICE, self.café, user, code, amount_fen, request_id)

    async def used_redemptions(self) -> list[Any]:
        return list(await self.given.pool.fetch("SELECT used_request, used_at FROM redemptions WHERE state = 'used'"))


async def _account(given: Services, username: str, name: str, role: str, *, days_old: int = 30) -> str:
    user_id = await auth.insert_user(
        given.pool,
        username=username,
        name=name,
        role=auth.Role(role),
        password_hash=await given.passwords.hash(PASSWORD),
        at=datetime.now(UTC) - timedelta(days=days_old),
    )
    return user_id


@on_one_loop()
async def island(site: Any, people: None) -> AsyncIterator[PointsIsland]:
    """Points of a visitor, one ride that waits for a look, and a café where they can be spent."""
    given: Services = site.given
    visitor = await _account(given, "visitor", "陈海龙", "visitor")
    staff = await _account(given, "merchant", "周店员", "merchant")
    await _account(given, "reviewer", "符雅婷", "reviewer")
    kind = members.OrganisationKind
    café = await organisations.add(given, OFFICE, kind=kind.MERCHANT, name="椰林咖啡", name_en="Coconut Café")
    await organisations.add_member(given, OFFICE, café.org_id, staff)
    cranes = await organisations.add(
        given, OFFICE, kind=kind.APPLICANT, name="海南宏达吊装有限公司", name_en="Hongda Cranes"
    )
    holder = await _account(given, "organisation", "吴经理", "organisation")
    await organisations.add_member(given, OFFICE, cranes.org_id, holder)
    await confirmations.set_merchant(given, OFFICE, café.org_id, ("reusable_cup", "vegetarian_meal"))
    item = await catalogue.add_item(
        given,
        OFFICE,
        catalogue.ItemWish(
            name_zh="海岛咖啡，一杯",
            name_en="One island coffee",
            price_points=100,
            stock=40,
            person_max=20,
            merchants=(café.org_id,),
        ),
    )
    made = PointsIsland(given, visitor, café.org_id, item.item_id)
    await add_way(given, "东屿岛码头", "会议中心", 1800)
    await add_way(given, "会议中心", "东屿岛码头", 1800)
    await made.ride("ride-1", ago_min=190, took_s=300)
    await made.ride("ride-2", ago_min=130, took_s=280, back=True)
    await made.ride("ride-3", ago_min=70, took_s=60)
    yield made


@on_one_loop()
async def scheme(island: PointsIsland) -> str:
    """A voucher of 50 CNY under a scheme in force; its code."""
    given = island.given
    wish = vouchers.SchemeWish(
        name_zh="零碳会务奖励",
        name_en="Reward for low-carbon events",
        amounts_fen=(5_000, 10_000),
        budget_fen=1_000_000,
        validity_days=180,
        valid_from=datetime.now(UTC) - timedelta(days=1),
        merchants=(island.café,),
        source="管理办法 art. 28",
        reason="first year",
        in_parts=True,
    )
    scheme_id = await vouchers.propose(given, Actor("reviewer"), wish)
    await vouchers.approve(given, OFFICE, scheme_id)
    holder = next(one for one in await members.organisations(given.pool) if one.kind == "applicant")
    user = auth.CurrentUser("u", "approver", "李静", auth.Role.APPROVER, "")
    async with given.change() as connection:
        await vouchers.issue(
            *(given, connection, OFFICE, user, scheme_id),
            holder_kind=HolderKind.ORGANISATION,
            holder_id=holder.org_id,
            amount_fen=5_000,
        )
    holding = auth.CurrentUser("h", "holder", "", auth.Role.ORGANISATION, "", holder.org_id)
    return (await vouchers.mine(given, holding))[0].code


class Line:
    """The line between a tablet and the cloud: can be cut, with all that runs over it, and mended."""

    def __init__(self, to_port: int) -> None:
        self._to_port = to_port
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self.port = free_port("127.0.0.1")  # kept while it is cut: nothing else is given it meanwhile

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._open):
            writer.transport.abort()
        await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server = self._server
        there, back = await asyncio.open_connection("127.0.0.1", self._to_port)
        if server is None or not server.is_serving():  # it was cut meanwhile
            for one in (writer, back):
                one.transport.abort()
            return
        self._open |= {writer, back}
        await asyncio.gather(_copied(reader, back), _copied(there, writer))
        self._open -= {writer, back}


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until one side ends or the line is cut."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return
    finally:
        writer.close()


@on_one_loop()
async def line(site: Any) -> AsyncIterator[Line]:
    made = Line(int(site.url.rpartition(":")[2]))
    await made.mend()
    yield made
    await made.cut()


async def enter(page: Page, url: str, role: str, path: str) -> None:
    """Signs in and goes to a page."""
    await page.goto(f"{url}/sign-in?next={path}")
    await page.fill("input[name=username]", role)
    await page.fill("input[name=password]", PASSWORD)
    await page.press("input[name=password]", "Enter")
    await page.wait_for_url(f"**{path}")


@pytest.fixture(scope="session")
def entered() -> Any:
    """`await entered(page, url, role, path)` signs in and stands at a page."""
    return enter
