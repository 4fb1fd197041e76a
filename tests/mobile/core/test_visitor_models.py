"""What visitors see and buy: no lost answer makes anybody buy twice; codes stay, each with who bought it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mobile.core.api.late import LateTransport, Limits
from mobile.core.api.wire import Request, Response
from mobile.core.client import Client
from mobile.core.errors import ApiProblem, Offline
from mobile.core.models.history import Acts, Appeals, History
from mobile.core.models.home import Home
from mobile.core.models.rewards import Catalogue, Codes, Redemptions, may_hold_vouchers, shops
from mobile.core.models.rules import Rules
from tests.cloud_sync.server.points import stand

PASSWORD = "a long enough password"
PRICE = 100
START = 1_000
Phone = Callable[..., Client]


class Air:
    """A way to the server that loses the next request before it arrives, or the answer after it."""

    def __init__(self, url: str) -> None:
        self.real = LateTransport(url, Limits())
        self.loses = ""
        self.buys = 0

    async def send(self, request: Request) -> Response:
        is_buying = request.method == "POST" and request.target.endswith("/points/redemptions")
        self.buys += is_buying
        loses, self.loses = (self.loses, "") if is_buying else ("", self.loses)
        if loses == "request":
            raise Offline("the request is lost")
        response = await self.real.send(request)
        if loses == "answer":
            raise Offline("the answer is lost")
        if loses == "killed":
            raise asyncio.CancelledError
        return response

    async def close(self) -> None:
        await self.real.close()


@pytest.fixture
async def market(island: Any) -> Any:
    """Two people with points, a café, and a thing to buy there."""
    given = island.given
    for name in ("mei", "lin"):
        person = await island.add_person("visitor", name)
        await stand.give_points(given, person, START, entry_id=f"earn:{name}")
    await stand.add_organisation(given, "cafe")
    await stand.add_item(given, "cafe", price_points=PRICE, stock=2)
    return island


async def signed_in(client: Client, name: str = "mei") -> Client:
    await client.session.sign_in(name, PASSWORD)
    return client


async def item_of(client: Client) -> Any:
    catalogue = Catalogue(client)
    await catalogue.refresh()
    assert catalogue.shown.value is not None
    return catalogue.shown.value[0]


async def bought(island: Any) -> int:
    return int(await island.given.pool.fetchval("SELECT count(*) FROM redemptions"))


@pytest.mark.parametrize("lost", ["request", "answer", "killed"])
async def test_an_order_without_an_answer_is_bought_once(market: Any, phone: Phone, lost: str) -> None:
    air = Air(market.url)
    client = await signed_in(phone(market.url, transport=air))
    item, codes = await item_of(client), Codes(client)
    air.loses = lost
    with pytest.raises(asyncio.CancelledError if lost == "killed" else Offline):
        await codes.buy(item)
    assert codes.all() == ()
    (order,) = codes.open_orders()
    assert (order.item_id, order.price_points) == (item.item_id, PRICE)
    # The app that is opened again knows of it; pressing "get it" once more asks for the same order.
    again = phone(market.url, transport=(air := Air(market.url)))
    codes = Codes(again)
    assert codes.open_orders() == (order,)
    code = await codes.buy(item)
    assert codes.open_orders() == ()
    assert codes.all() == (code,)
    assert (await bought(market), air.buys) == (1, 1)
    home = Home(again)
    await home.refresh()
    assert home.shown.value is not None
    assert home.shown.value.me.available == START - PRICE
    # What is ordered after that is another one.
    other = await codes.buy(item)
    assert other.code != code.code
    assert await bought(market) == 2


async def test_what_is_refused_leaves_no_order(market: Any, phone: Phone) -> None:
    client = await signed_in(phone(market.url))
    item, codes = await item_of(client), Codes(client)
    await codes.buy(item)
    await codes.buy(item)
    with pytest.raises(ApiProblem) as sold_out:
        await codes.buy(item)
    assert sold_out.value.sentence("zh") != sold_out.value.sentence("en")
    assert codes.open_orders() == ()
    assert len(codes.all()) == await bought(market) == 2
    assert (await item_of(client)).state == "sold_out"


async def test_without_a_network_no_order_is_begun(market: Any, phone: Phone) -> None:
    client = await signed_in(phone(market.url))
    item, codes = await item_of(client), Codes(client)
    client.network.lost()
    with pytest.raises(Offline):
        await codes.buy(item)
    assert codes.open_orders() == ()


async def test_an_order_that_is_given_up_shows_among_what_was_taken(market: Any, phone: Phone) -> None:
    air = Air(market.url)
    client = await signed_in(phone(market.url, transport=air))
    item, codes = await item_of(client), Codes(client)
    air.loses = "answer"
    with pytest.raises(Offline):
        await codes.buy(item)
    codes.forget(codes.open_orders()[0])
    taken = Redemptions(client)
    await taken.refresh()
    assert taken.shown.value is not None
    assert codes.open_orders() == codes.all() == ()
    assert [one.price_points for one in taken.shown.value] == [PRICE]


async def test_codes_show_offline_to_who_bought_them_and_to_nobody_else(market: Any, phone: Phone) -> None:
    client = await signed_in(phone(market.url))
    code = await Codes(client).buy(await item_of(client))
    await client.session.sign_out()
    await signed_in(client, "lin")
    assert Codes(client).all() == ()
    home = Home(client)
    await home.refresh()
    assert home.shown.value is not None
    assert home.shown.value.me.available == START
    await client.session.sign_out()
    await signed_in(client, "mei")
    await client.stop()
    offline = phone("http://127.0.0.1:9", transport=Air("http://127.0.0.1:9"))
    assert Codes(offline).all() == ()  # another server's people are other people
    same = phone(market.url, transport=Air("http://127.0.0.1:9"))
    assert Codes(same).code(code.redemption.redemption_id) == code


async def test_a_code_that_comes_after_its_buyer_has_left_is_kept_under_nobody(
    market: Any, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await signed_in(phone(market.url))
    item, mine, redeem = await item_of(client), client.store.account, client.api.points.redeem

    async def slow(item_id: str, *, key: str) -> Any:
        bought = await redeem(item_id, key=key)
        client.store.account = "lin"
        return bought

    monkeypatch.setattr(client.api.points, "redeem", slow)
    await Codes(client).buy(item)
    assert Codes(client).all() == ()
    client.store.account = mine
    (order,) = Codes(client).open_orders()  # who made it gets the code by asking again
    monkeypatch.undo()
    assert Codes(client).all() == ()
    code = await Codes(client).finish(order)
    assert Codes(client).all() == (code,)


async def test_a_used_code_is_told_so(market: Any, phone: Phone) -> None:
    client = await signed_in(phone(market.url))
    codes = Codes(client)
    code = await codes.buy(await item_of(client))
    at = market.given.clock()
    await market.given.pool.execute("UPDATE redemptions SET state = 'used', used_at = $1, used_by = 'cafe'", at)
    taken = Redemptions(client)
    await taken.refresh()
    assert taken.shown.value is not None
    codes.heard(taken.shown.value)
    kept = codes.code(code.redemption.redemption_id)
    assert kept is not None
    assert (kept.redemption.state.code, kept.code) == ("used", code.code)


async def test_home_history_and_appeals_tell_what_the_server_told(market: Any, phone: Phone) -> None:
    client = await signed_in(phone(market.url))
    board = await stand.add_board(market.given, "Recycling cube", "recycling.aluminium", makes_acts=True)
    await market.given.pool.execute("UPDATE users SET created_at = created_at + interval '1 hour'")
    refused = await client.api.points.scan(board.code(counter=1, amount=100), market.given.clock(), key="before")
    await market.given.pool.execute("UPDATE users SET created_at = created_at - interval '30 days'")
    granted = await client.api.points.scan(board.code(counter=2, amount=100), market.given.clock(), key="now")
    home, history, acts = Home(client), History(client), Acts(client, "refused")
    for model in (home, history, acts):
        await model.refresh()
    assert home.shown.value is not None
    assert [one.event_id for one in home.of_today()] == [granted.event_id, refused.event_id]
    assert home.shown.value.me.available == START + granted.points
    assert home.goal_frac() is None
    await home.set_goal(2 * granted.points)
    assert home.goal_frac() == 0.5
    await home.set_goal(None)
    assert home.goal_frac() is None
    entries = history.shown.value or ()
    assert {one.points for one in entries} == {START, granted.points}
    assert history.entry(entries[0].entry_id) == entries[0]
    assert [one.event_id for one in acts.shown.value or ()] == [refused.event_id]
    appeals = Appeals(client)
    for _ in range(2):
        await appeals.make(str(refused.event_id), "I was there.", key="one-key")
    assert [one.text for one in appeals.shown.value or ()] == ["I was there."]
    # Tomorrow nothing of this is of today.
    assert home.is_of_today()
    await client.stop()
    later = Home(phone(market.url, wall=lambda: datetime.now(UTC) + timedelta(days=2)))
    assert later.of_today() == ()
    assert not later.is_of_today()


async def test_what_is_bought_leaves_the_balance_of_every_screen_at_once(market: Any, phone: Phone) -> None:
    client = await signed_in(phone(market.url, transport=(air := Air(market.url))))
    first, second = Home(client), Home(client)
    await first.refresh()
    seen_at = first.shown.seen_at
    await Codes(client).buy(await item_of(client))
    for home in (first, second, Home(client)):
        assert home.shown.value is not None
        assert (home.shown.value.me.available, home.shown.value.me.balance) == (START - PRICE, START - PRICE)
        assert home.shown.seen_at == seen_at  # nothing else of it was heard
    # An order whose answer was lost may be in what was heard since: it is not taken off again.
    air.loses = "answer"
    with pytest.raises(Offline):
        await Codes(client).buy(await item_of(client))
    await first.refresh()
    (order,) = Codes(client).open_orders()
    await Codes(client).finish(order)
    assert second.shown.value is not None
    assert second.shown.value.me.available == START - 2 * PRICE
    assert await bought(market) == 2


async def test_without_a_known_balance_nothing_is_taken_off(market: Any, phone: Phone) -> None:
    client = await signed_in(phone(market.url))
    home = Home(client)
    await Codes(client).buy(await item_of(client))
    assert home.shown.value is None


async def test_rules_are_named_and_vouchers_are_for_who_may_hold_them(market: Any, phone: Phone) -> None:
    client = await signed_in(phone(market.url))
    rules = Rules(client)
    await rules.refresh()
    assert rules.shown.value is not None
    every = (*rules.shown.value.rules.permits, *rules.shown.value.rules.points, *rules.shown.value.factors.factors)
    assert all(one.said.name_zh and one.said.name_en and one.said.text_zh and one.said.source_en for one in every)
    assert rules.method("shuttle") is not None
    assert not may_hold_vouchers(client)
    item = await item_of(client)
    assert (shops(item, "zh"), shops(item, "en")) == ("机构 cafe", "cafe")
