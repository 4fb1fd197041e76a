"""What points buy: owns the catalogue, orders that survive a lost answer, and one-time codes that show offline.

An order's idempotency key is kept before it is sent. When the answer is lost, or the app is killed meanwhile, the
order stays open and the person decides: asking again with the same key gives the code that was bought, or buys it now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from mobile.core.api.parsing import parse, plain
from mobile.core.api.points import CodeRecord, ItemRecord, RedemptionRecord, VoucherCode
from mobile.core.errors import ApiProblem, BadAnswer, Offline, SignedOut
from mobile.core.models.home import take_off
from mobile.core.paged import PagedModel
from mobile.core.shown import Model

if TYPE_CHECKING:
    from mobile.core.client import Client

CODES = "redemption"
# States in which a code can still be used.
OPEN = frozenset({"reserved", "issued"})
_ORDERS = "order/"
_PAGE = 50


@dataclass(frozen=True, slots=True)
class Order:
    """Something that was ordered and whose answer never came."""

    key: str
    item_id: str
    name_zh: str
    name_en: str
    price_points: int
    made_at: datetime


def shops(item: ItemRecord, language: str) -> str:
    """Where a thing is handed out, in a line."""
    if language == "zh" or not item.merchant_names_en:
        return "、".join(item.merchant_names)
    return ", ".join(item.merchant_names_en)


class Catalogue(Model[tuple[ItemRecord, ...]]):
    """What is offered."""

    cache_key = "points/catalogue"
    answer = tuple[ItemRecord, ...]
    fresh_s = 60.0

    async def fetch(self) -> tuple[ItemRecord, ...]:
        """From the server."""
        return await self.client.api.points.catalogue()

    def thing(self, item_id: str) -> ItemRecord | None:
        """One of them."""
        return next((one for one in self.shown.value or () if one.item_id == item_id), None)


class Redemptions(PagedModel[RedemptionRecord]):
    """What was taken, the newest first; codes stand in `Codes`."""

    cache_key = "points/redemptions"
    item = RedemptionRecord

    async def fetch_page(self, cursor: str | None) -> tuple[tuple[RedemptionRecord, ...], str | None]:
        """From the server."""
        page = await self.client.api.points.redemptions(before=cursor, limit=_PAGE)
        return page, page[-1].redemption_id if len(page) == _PAGE else None


def may_hold_vouchers(client: Client) -> bool:
    """As a rule organisations hold them; who may not has no page of them."""
    person = client.session.person
    return person is not None and "hold_vouchers" in person.may


class Vouchers(Model[tuple[VoucherCode, ...]]):
    """Zero-carbon vouchers that the person may spend."""

    cache_key = "vouchers"
    answer = tuple[VoucherCode, ...]
    fresh_s = 60.0

    async def fetch(self) -> tuple[VoucherCode, ...]:
        """From the server."""
        return await self.client.api.points.my_vouchers()


class Codes:
    """Bought codes and open orders of the account that is signed in. Every method may raise StoreError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def all(self) -> tuple[CodeRecord, ...]:
        """Codes in the phone, the newest first; also used and ended ones, as they were last heard of."""
        return tuple(parse(CodeRecord, one.value) for one in self._client.store.codes(CODES))

    def code(self, redemption_id: str) -> CodeRecord | None:
        """One of them; None where another phone bought it."""
        return next((one for one in self.all() if one.redemption.redemption_id == redemption_id), None)

    def open_orders(self) -> tuple[Order, ...]:
        """Orders whose answer never came, the oldest first."""
        drafts = self._client.store.drafts(_ORDERS).values()
        return tuple(sorted((parse(Order, one) for one in drafts), key=lambda one: one.made_at))

    def forget(self, order: Order) -> None:
        """The person does not want to ask again. Points stay spent if it had gone through; `Redemptions` tells."""
        self._client.store.draft_drop(_ORDERS + order.key)

    async def buy(self, item: ItemRecord) -> CodeRecord:
        """Orders one, or finishes the open order of the same thing: pressing again after a lost answer buys no second.

        Raises ApiProblem (sold out, not enough points), Offline (the order may stay open).
        """
        begun = next((one for one in self.open_orders() if one.item_id == item.item_id), None)
        if begun is not None:
            return await self.finish(begun)
        if self._client.network.online is False:
            raise Offline("no order is begun without a network")
        now = self._client.clock.now()
        order = Order(uuid4().hex, item.item_id, item.name_zh, item.name_en, item.price_points, now)
        self._client.store.draft_put(_ORDERS + order.key, plain(order))
        return await self.finish(order)

    async def finish(self, order: Order) -> CodeRecord:
        """Asks for an order's code; never buys a second one. Raises as `buy` does."""
        account = self._client.store.account
        try:
            bought = await self._client.api.points.redeem(order.item_id, key=order.key)
        except ApiProblem as error:
            if not error.may_pass and not isinstance(error, SignedOut | BadAnswer):
                self.forget(order)
            raise
        if self._client.store.account == account:
            is_new = self.code(bought.redemption.redemption_id) is None
            self.keep(bought)
            if is_new:
                take_off(self._client, bought.redemption.price_points, ordered_at=order.made_at)
            self.forget(order)
        return bought  # somebody else's phone by now: the order stays open for who made it

    def keep(self, bought: CodeRecord) -> None:
        """A code is in the phone when this returns."""
        redemption = bought.redemption
        made_at, ends_at = redemption.reserved_at, redemption.ends_at
        self._client.store.code_put(CODES, redemption.redemption_id, plain(bought), made_at=made_at, ends_at=ends_at)

    def heard(self, redemptions: tuple[RedemptionRecord, ...]) -> None:
        """What the server says of them now: used, ended."""
        newest = {one.redemption_id: one for one in redemptions}
        for code in self.all():
            now = newest.get(code.redemption.redemption_id)
            if now is not None and now != code.redemption:
                self.keep(CodeRecord(now, code.code, code.code_grouped))
