"""Points for the office: held acts, appeals, reversals, devices and ways, the catalogue, figures, one person."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field

from cloud_sync.server import auth
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.paging import CURSOR_CHARS_MAX
from cloud_sync.server.people.idempotency import once
from cloud_sync.server.points import catalogue, confirmations, desk, devices, reviews, ways
from cloud_sync.server.points.desk_records import (
    AppealRecord,
    DeviceRecord,
    DeviceSecret,
    HeldPage,
    Overview,
    PersonPoints,
    RefusalCell,
    WayRecord,
)
from cloud_sync.server.points.market_records import ConfirmationRecord, ItemRecord
from cloud_sync.server.points.parts import day_of
from cloud_sync.server.points.records import EarningRecord
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from cloud_sync.server.store import note_access

router = APIRouter(prefix=f"{API}/points", tags=["points office"])
Given = Annotated[Services, Depends(services)]
Reader = auth.who_may(Can.READ_POINTS)
Keeper = auth.who_may(Can.KEEP_POINTS)
Installer = auth.who_may(Can.RUN_SYSTEM)
Word = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Why = Annotated[str, Field(min_length=1, max_length=500)]
Limit = Annotated[int, Query(ge=1, le=200)]


class ReasonBody(BaseModel):
    """A reason; a release needs none."""

    why: str = Field(default="", max_length=500)


class WhyBody(BaseModel):
    """A reason."""

    why: Why


class ReverseBody(BaseModel):
    """An earning or adjustment to take back."""

    person: Word
    entry_id: Annotated[str, Field(min_length=1, max_length=200)]
    why: Why


class Points(BaseModel):
    """Whole points, signed."""

    points: int


class AnswerBody(BaseModel):
    """An answer to an appeal; 0 points refuses it."""

    points: int = Field(ge=0, le=1_000_000)
    answer: Why


class DeviceBody(BaseModel):
    """A device to put up; `keys` and `directions` go by slot."""

    name: Name
    place: Name
    keys: Annotated[tuple[Word, ...], Field(min_length=1, max_length=32)]
    directions: Annotated[tuple[devices.Shows, ...], Field(min_length=1, max_length=32)]
    makes_acts: bool = False
    merchant: str = Field(default="", max_length=64)


class RotateBody(BaseModel):
    """Why a device is keyed anew; a lost one's old key ends now."""

    lost: bool
    why: Why


class SwitchBody(BaseModel):
    """In use or not, and why."""

    active: bool
    why: Why


class WayBody(BaseModel):
    """The way from a place to another, from a day on (today unless named); 0 metres: not served any more."""

    from_place: Name
    to_place: Name
    metres: int = Field(ge=0, le=ways.METRES_MAX)
    valid_from: date | None = None
    source: Why
    reason: Why


class ItemBody(BaseModel):
    """An item of the catalogue."""

    name_zh: Name
    name_en: Name
    text_zh: str = Field(default="", max_length=500)
    text_en: str = Field(default="", max_length=500)
    price_points: int = Field(ge=1, le=catalogue.NUMBER_MAX)
    stock: int = Field(ge=0, le=catalogue.NUMBER_MAX)
    person_max: int = Field(ge=1, le=catalogue.NUMBER_MAX)
    merchants: Annotated[tuple[Word, ...], Field(min_length=1, max_length=200)]
    valid_from: AwareDatetime | None = None
    valid_until: AwareDatetime | None = None


class ItemPatch(BaseModel):
    """What changes of an item, and why."""

    stock: int | None = Field(default=None, ge=0, le=catalogue.NUMBER_MAX)
    price_points: int | None = Field(default=None, ge=1, le=catalogue.NUMBER_MAX)
    person_max: int | None = Field(default=None, ge=1, le=catalogue.NUMBER_MAX)
    valid_until: AwareDatetime | None = None
    end: bool = False
    why: Why


class MerchantBody(BaseModel):
    """What a merchant may confirm."""

    keys: Annotated[tuple[Word, ...], Field(max_length=50)]


class OrganiserAct(BaseModel):
    """One act; `amount` in the methodology's unit."""

    key: Word
    amount: Decimal = Field(default=Decimal(1), gt=0, le=1_000, decimal_places=3, allow_inf_nan=False)


class OrganiserBody(BaseModel):
    """What a person did at something that the office organised."""

    code: Word
    acts: Annotated[tuple[OrganiserAct, ...], Field(min_length=1, max_length=confirmations.ACTS_MAX)]
    request_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]


# ---------------------------------------------------------------- looking at what waits


@router.get("/reviews")
async def held(
    user: Reader,
    given: Given,
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARS_MAX)] = None,
    limit: Limit = 50,
) -> HeldPage:
    """What waits for a look, the oldest first, with the reasons."""
    return await desk.held(given.pool, cursor=cursor, limit=limit)


@router.post("/reviews/{event_id}/release")
async def release(event_id: str, body: ReasonBody, user: Keeper, given: Given, request: Request) -> EarningRecord:
    """Gives the points."""
    return await reviews.decide(given, actor_of(user, request), user, event_id, release=True, why=body.why)


@router.post("/reviews/{event_id}/refuse")
async def refuse(event_id: str, body: WhyBody, user: Keeper, given: Given, request: Request) -> EarningRecord:
    """Refuses them, with a reason."""
    return await reviews.decide(given, actor_of(user, request), user, event_id, release=False, why=body.why)


@router.post("/entries/reverse")
async def reverse(body: ReverseBody, user: Keeper, given: Given, request: Request) -> Points:
    """Takes an earning or adjustment back as a new entry; the points that it took."""
    taken = await reviews.reverse(given, actor_of(user, request), user, body.person, body.entry_id, why=body.why)
    return Points(points=taken)


@router.get("/office/appeals")
async def appeals(
    user: Reader,
    given: Given,
    state: Annotated[str, Query(pattern="^(open|granted|refused|)$")] = "open",
    before: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = 50,
) -> tuple[AppealRecord, ...]:
    """Appeals, the newest first."""
    return await desk.appeals(given.pool, state=state, before=before, limit=limit)


@router.post("/office/appeals/{appeal_id}/decide")
async def decide_appeal(appeal_id: str, body: AnswerBody, user: Keeper, given: Given, request: Request) -> Points:
    """Answers an appeal; somebody else than who refused."""
    actor = actor_of(user, request)
    given_points = await reviews.decide_appeal(given, actor, user, appeal_id, points=body.points, answer=body.answer)
    return Points(points=given_points)


@router.post("/confirmations", response_model=ConfirmationRecord)
async def confirm(body: OrganiserBody, user: Keeper, given: Given) -> JSONResponse:
    """Confirms what a person did, as the organiser."""
    by = confirmations.Confirmer(confirmations.OFFICE, user.user_id, None)
    acts = [confirmations.ActWish(one.key, one.amount) for one in body.acts]

    async def act(connection: Any) -> ConfirmationRecord:
        return await confirmations.confirm(given, connection, by, body.code, acts, request_id=body.request_id)

    answer = await once(given, user.user_id, body.request_id, route="points/confirmations", act=act, asked=body)
    return answer.response()


# ---------------------------------------------------------------- devices and ways


@router.get("/devices")
async def device_list(user: Reader, given: Given) -> tuple[DeviceRecord, ...]:
    """Every device with its clock and its scans of a day."""
    return await devices.devices(given)


@router.post("/devices", status_code=201)
async def add_device(body: DeviceBody, user: Installer, given: Given, request: Request) -> DeviceSecret:
    """Puts a device up. Its secret is in this answer and nowhere else."""
    wish = devices.DeviceWish(**body.model_dump())
    return await devices.add_device(given, actor_of(user, request), wish)


@router.post("/devices/{device_id}/rotate")
async def rotate(device_id: str, body: RotateBody, user: Installer, given: Given, request: Request) -> DeviceSecret:
    """A new key for a device."""
    return await devices.rotate_device(given, actor_of(user, request), device_id, lost=body.lost, why=body.why)


@router.post("/devices/{device_id}/switch", status_code=204)
async def switch(device_id: str, body: SwitchBody, user: Installer, given: Given, request: Request) -> None:
    """Takes a device out of use, or into it again."""
    await devices.set_active(given, actor_of(user, request), device_id, body.active, why=body.why)


@router.post("/devices/{device_id}/clock", status_code=204)
async def clock(device_id: str, user: Installer, given: Given, request: Request) -> None:
    """Says that the device's clock was set right."""
    await devices.set_clock(given, actor_of(user, request), device_id)


@router.get("/ways")
async def way_list(user: Reader, given: Given) -> tuple[WayRecord, ...]:
    """The ways between places, with the days on which each row holds."""
    return await ways.ways(given.pool)


@router.put("/ways", status_code=204)
async def set_way(body: WayBody, user: Keeper, given: Given, request: Request) -> None:
    """Begins a row of the way from a place to another."""
    wish = body.model_dump() | {"valid_from": body.valid_from or day_of(given, given.clock())}
    await ways.set_way(given, actor_of(user, request), ways.WayWish(**wish))


# ---------------------------------------------------------------- catalogue and merchants


@router.get("/items")
async def items(user: Reader, given: Given) -> tuple[ItemRecord, ...]:
    """Everything that was ever in the catalogue."""
    return await catalogue.items(given.pool, given.clock(), everything=True)


@router.post("/items", status_code=201)
async def add_item(body: ItemBody, user: Keeper, given: Given, request: Request) -> ItemRecord:
    """Puts something into the catalogue."""
    return await catalogue.add_item(given, actor_of(user, request), catalogue.ItemWish(**body.model_dump()))


@router.patch("/items/{item_id}")
async def change_item(item_id: str, body: ItemPatch, user: Keeper, given: Given, request: Request) -> ItemRecord:
    """Changes stock, price, limit or end."""
    wish = catalogue.ItemChange(**body.model_dump(exclude={"why"}))
    return await catalogue.change_item(given, actor_of(user, request), item_id, wish, why=body.why)


@router.put("/merchants/{org_id}", status_code=204)
async def set_merchant(org_id: str, body: MerchantBody, user: Keeper, given: Given, request: Request) -> None:
    """Says what a merchant may confirm."""
    await confirmations.set_merchant(given, actor_of(user, request), org_id, body.keys)


# ---------------------------------------------------------------- figures and people


@router.get("/overview")
async def overview(user: Reader, given: Given, since: date, until: date) -> Overview:
    """Figures by day and scene, both days included."""
    return await desk.overview(given.pool, since=since, until=until)


@router.get("/refusals")
async def refusals(
    user: Reader, given: Given, since: Annotated[AwareDatetime, Query()], until: Annotated[AwareDatetime, Query()]
) -> tuple[RefusalCell, ...]:
    """How often each reason came up at each device, by hour of the day."""
    return await desk.refusals(given.pool, given.config.zone, since=since, until=until)


@router.get("/people/{person}")
async def person(person: str, user: Reader, given: Given, request: Request) -> PersonPoints:
    """One person's account. Opening it leaves a row."""
    found = await desk.person(given, person)
    await note_access(given, actor_of(user, request), "points_opened", ("user", person))
    return found
