"""The catalogue: owns the page of what points are redeemed for, redemptions by state, and what merchants confirm."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth, rule_books
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.points_desk import said
from cloud_sync.server.console.render import READ_TIMEOUT_S, done, page, words_of
from cloud_sync.server.form_values import local_time, whole
from cloud_sync.server.people import members
from cloud_sync.server.points import catalogue, confirmations, desk_figures
from cloud_sync.server.points.parts import day_of
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.points.methodology import BY_PEOPLE

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=400)]
Many = Annotated[list[str] | None, Form()]
PointReader = auth.who_may(Can.READ_POINTS)
PointKeeper = auth.who_may(Can.KEEP_POINTS)
ITEM_STATE = {
    "offered": N_("On offer"),
    "coming": N_("Not yet on offer"),
    "ended": N_("Taken off"),
    "sold_out": N_("Sold out"),
}


@router.get("/points/catalogue")
async def catalogue_page(request: Request, user: PointReader, given: Given) -> Response:
    """Items with their stock, redemptions by state, and merchants with what they may confirm."""
    words, now = words_of(request), given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        items = await catalogue.items(given.pool, now, everything=True)
        states = await desk_figures.redemption_states(given.pool)
        orgs = await members.organisations(given.pool, kind=members.OrganisationKind.MERCHANT)
        methods = (await rule_books.methodologies(given.pool)).at(day_of(given, now))
        may = {one.org_id: await confirmations.merchant_methods(given, one.org_id) for one in orgs}
    chinese = words.language == "zh"
    names = {one.org_id: one.name if chinese or not one.name_en else one.name_en for one in orgs}
    return page(
        request,
        "points_catalogue.html",
        user=user,
        items=items,
        item_state=lambda code: words.gettext(ITEM_STATE[code]),
        merchant_of=lambda org_id: names.get(org_id, org_id),
        states=[(said(words, one.state), one.count, one.points) for one in states],
        merchants=[
            {
                "org_id": one.org_id,
                "name": names[one.org_id],
                "enabled": one.enabled,
                "may": [method.name_zh if chinese else method.name_en for method in may[one.org_id]],
                "keys": [method.key for method in may[one.org_id]],
            }
            for one in orgs
        ],
        methods=[
            {"key": row.key, "name": row.name_zh if chinese else row.name_en}
            for row in methods.values()
            if row.evidence & BY_PEOPLE
        ],
    )


@router.post("/points/catalogue")
async def add_item(
    request: Request,
    user: PointKeeper,
    given: Given,
    name_zh: Text,
    name_en: Text,
    price_points: Text,
    stock: Text,
    person_max: Text = "1",
    valid_until: Text = "",
    merchants: Many = None,
) -> Response:
    """A new item, on offer at once."""
    wish = catalogue.ItemWish(
        name_zh=name_zh,
        name_en=name_en,
        price_points=whole(price_points, "price_points"),
        stock=whole(stock, "stock"),
        person_max=whole(person_max, "person_max"),
        merchants=tuple(merchants or ()),
        valid_until=local_time(valid_until, given.config.zone, "valid_until"),
    )
    await catalogue.add_item(given, actor_of(user, request), wish)
    return done(request, "item_added", "/points/catalogue")


@router.post("/points/catalogue/{item_id}")
async def change_item(
    request: Request,
    item_id: str,
    user: PointKeeper,
    given: Given,
    price_points: Text,
    stock: Text,
    person_max: Text,
    why: Text = "",
) -> Response:
    """Another price, stock or limit; what was bought keeps its price."""
    wish = catalogue.ItemChange(
        stock=whole(stock, "stock"),
        price_points=whole(price_points, "price_points"),
        person_max=whole(person_max, "person_max"),
    )
    await catalogue.change_item(given, actor_of(user, request), item_id, wish, why=why)
    return done(request, "item_changed", "/points/catalogue")


@router.post("/points/catalogue/{item_id}/end")
async def end_item(request: Request, item_id: str, user: PointKeeper, given: Given, why: Text = "") -> Response:
    """Takes an item off; codes that were issued go on."""
    actor = actor_of(user, request)
    await catalogue.change_item(given, actor, item_id, catalogue.ItemChange(end=True), why=why)
    return done(request, "item_ended", "/points/catalogue")


@router.post("/points/merchants/{org_id}")
async def set_merchant(request: Request, org_id: str, user: PointKeeper, given: Given, keys: Many = None) -> Response:
    """Which acts a merchant may confirm."""
    await confirmations.set_merchant(given, actor_of(user, request), org_id, tuple(keys or ()))
    return done(request, "merchant_set", "/points/catalogue")
