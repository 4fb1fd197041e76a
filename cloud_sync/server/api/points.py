"""Points for the app: one's account, scans, trips, catalogue and redemptions, appeals; the rules for everybody."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime, BaseModel, Field

from cloud_sync.server import auth
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import remote_of
from cloud_sync.server.paging import CURSOR_CHARS_MAX
from cloud_sync.server.people.idempotency import Answer, IdempotencyKey, once
from cloud_sync.server.people.limits import limit as at_most
from cloud_sync.server.points import book_check, catalogue, confirmations, desk, queries, redemptions, reviews, scans
from cloud_sync.server.points.desk_records import AppealRecord
from cloud_sync.server.points.market_records import CodeRecord, ItemRecord, PersonCode, RedemptionRecord
from cloud_sync.server.points.methods import methods as methods_of
from cloud_sync.server.points.methods import phone_rules as phone_rules_of
from cloud_sync.server.points.parts import day_of, lock_person, rules_now
from cloud_sync.server.points.records import (
    BadgeRecord,
    EventPage,
    HeadRecord,
    HistoryPage,
    MethodRecord,
    PhoneRules,
    PointsOfMe,
    ScanResult,
    TripRecord,
)
from cloud_sync.server.points.walks import WalkWish, take_walk
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.points import rules as keys
from control.points.trips import Direction

router = APIRouter(prefix=f"{API}/points", tags=["points"])
Given = Annotated[Services, Depends(services)]
Earner = auth.who_may(Can.EARN)
Limit = Annotated[int, Query(ge=1, le=queries.LIMIT_MAX)]
IdText = Annotated[str, Field(min_length=1, max_length=128)]
SCANS_A_MINUTE, ASKS_A_MINUTE = 60, 30


class ScanBody(BaseModel):
    """A code, as a QR held it or as somebody typed it, and when the phone read it."""

    text: str = Field(max_length=scans.TEXT_CHARS_MAX)
    scanned_at: AwareDatetime
    direction: Direction | None = None


class WalkBody(BaseModel):
    """A walk that the phone counted."""

    started_at: AwareDatetime
    ended_at: AwareDatetime
    distance_km: Annotated[str, Field(pattern=r"^\d{1,3}(\.\d{1,3})?$")]
    steps: int = Field(ge=0, le=1_000_000)


class PurchaseBody(BaseModel):
    """What to take from the catalogue."""

    item_id: IdText


class AppealBody(BaseModel):
    """A word against a refusal."""

    event_id: IdText
    text: str = Field(min_length=1, max_length=500)


class AppealMade(BaseModel):
    """The appeal's id."""

    appeal_id: str


class GoalBody(BaseModel):
    """Points to earn in a month."""

    month_points: int = Field(ge=1, le=1_000_000)


async def _as_person(
    given: Services, user: auth.CurrentUser, key: str | None, route: str, act: Any, *, asked: Any, status: int = 200
) -> Answer:
    """Runs `act(connection)` under the person's lock, once for a key."""

    async def locked(connection: Any) -> Any:
        await lock_person(connection, user.user_id)
        return await act(connection)

    return await once(given, user.user_id, key, route=route, act=locked, status=status, asked=asked)


# ---------------------------------------------------------------- the account


@router.get("/me")
async def me(user: Earner, given: Given) -> PointsOfMe:
    """Balance, today, what waits, what ends next, and what the grams stand for."""
    return await queries.me(given, user.user_id)


@router.get("/me/history")
async def history(
    user: Earner, given: Given, before: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None, limit: Limit = 50
) -> HistoryPage:
    """The ledger, the newest first, with the formula, figures, sources and rows behind what was earned."""
    async with given.reading() as db:
        return await queries.history(db, user.user_id, before=before, limit=limit)


@router.get("/me/events")
async def events(
    user: Earner,
    given: Given,
    state: Annotated[str, Query(pattern="^(granted|held|refused|)$")] = "",
    cursor: Annotated[str | None, Query(max_length=CURSOR_CHARS_MAX)] = None,
    limit: Limit = 50,
) -> EventPage:
    """One's acts, the newest first; also what waits and what was refused, and why."""
    return await queries.events(given.pool, user.user_id, state=state, cursor=cursor, limit=limit)


@router.get("/trips")
async def trips(user: Earner, given: Given, limit: Limit = 50) -> tuple[TripRecord, ...]:
    """One's ways between two codes; one that still runs comes first."""
    longest_s = (await rules_now(given, given.pool)).value(keys.TRIP_MAX)
    return await queries.trips(given.pool, user.user_id, now=given.clock(), longest_s=longest_s, limit=limit)


@router.get("/badges")
async def badges(user: Earner, given: Given) -> tuple[BadgeRecord, ...]:
    """One's badges."""
    return await queries.badges(given.pool, user.user_id)


@router.put("/goal", status_code=204)
async def set_goal(body: GoalBody, user: Earner, given: Given) -> None:
    """Sets what one wants to earn in a month."""
    await queries.set_goal(given, user.user_id, body.month_points)


@router.delete("/goal", status_code=204)
async def drop_goal(user: Earner, given: Given) -> None:
    """Takes the goal away."""
    await queries.drop_goal(given, user.user_id)


# ---------------------------------------------------------------- earning


@router.post("/scans", response_model=ScanResult)
async def scan(
    body: ScanBody, user: Earner, given: Given, request: Request, key: IdempotencyKey = None
) -> JSONResponse:
    """Takes a code. A refusal is an answer: `state` refused, with its reason and sentence."""
    await at_most(given, f"points_scan:{user.user_id}", SCANS_A_MINUTE, 60)
    wish = scans.ScanWish(text=body.text, scanned_at=body.scanned_at, direction=body.direction)

    async def act(connection: Any) -> ScanResult:
        return await scans.take_scan(given, connection, user.user_id, wish, remote=remote_of(request))

    return (await _as_person(given, user, key, "points/scans", act, asked=body)).response()


@router.post("/walks", response_model=ScanResult)
async def walk(body: WalkBody, user: Earner, given: Given, key: IdempotencyKey = None) -> JSONResponse:
    """Takes a walk with the phone's steps."""
    await at_most(given, f"points_scan:{user.user_id}", SCANS_A_MINUTE, 60)
    wish = WalkWish(body.started_at, body.ended_at, body.distance_km, body.steps)

    async def act(connection: Any) -> ScanResult:
        return await take_walk(given, connection, user.user_id, wish)

    return (await _as_person(given, user, key, "points/walks", act, asked=body)).response()


@router.post("/person-code", status_code=201)
async def person_code(user: Earner, given: Given) -> PersonCode:
    """A code that one shows to a merchant, once and for some minutes."""
    await at_most(given, f"person_code:{user.user_id}", ASKS_A_MINUTE, 60)
    return await confirmations.person_code(given, user)


@router.get("/methods")
async def methods(given: Given) -> tuple[MethodRecord, ...]:
    """The methodologies of today with their formulas and sources, for everybody."""
    return await methods_of(given.pool, day_of(given, given.clock()))


@router.get("/phone-rules")
async def phone_rules(given: Given) -> PhoneRules:
    """What a phone has to know of today's rules to say it without a network, for everybody."""
    return await phone_rules_of(given.pool, day_of(given, given.clock()))


@router.get("/heads")
async def heads(given: Given) -> tuple[HeadRecord, ...]:
    """The published heads of the ledger, for everybody."""
    return await book_check.heads(given.pool)


# ---------------------------------------------------------------- redeeming


@router.get("/catalogue")
async def offered(user: Earner, given: Given) -> tuple[ItemRecord, ...]:
    """What is offered now."""
    return await catalogue.items(given.pool, given.clock())


@router.post("/redemptions", status_code=201, response_model=CodeRecord)
async def redeem(body: PurchaseBody, user: Earner, given: Given, key: IdempotencyKey = None) -> CodeRecord:
    """Takes one thing. The code is in the answer, and again in the answer to the same request of the same person."""
    await at_most(given, f"redeem:{user.user_id}", ASKS_A_MINUTE, 60)

    async def act(connection: Any) -> dict[str, str]:
        # What is kept for a repeated request holds no code.
        return {"redemption_id": await redemptions.redeem(given, connection, user.user_id, body.item_id)}

    answer = await _as_person(given, user, key, "points/redemptions", act, asked=body)
    return await redemptions.with_code(given, given.pool, user.user_id, answer.body["redemption_id"])


@router.get("/redemptions")
async def my_redemptions(
    user: Earner, given: Given, before: Annotated[str | None, Query(max_length=64)] = None, limit: Limit = 50
) -> tuple[RedemptionRecord, ...]:
    """What one took, the newest first, without codes."""
    return await redemptions.of_person(given.pool, user.user_id, before=before, limit=limit)


# ---------------------------------------------------------------- appeals


@router.get("/appeals")
async def my_appeals(
    user: Earner, given: Given, before: Annotated[str | None, Query(max_length=64)] = None, limit: Limit = 50
) -> tuple[AppealRecord, ...]:
    """One's appeals."""
    return await desk.appeals(given.pool, state="", person=user.user_id, before=before, limit=limit)


@router.post("/appeals", status_code=201, response_model=AppealMade)
async def appeal(body: AppealBody, user: Earner, given: Given, key: IdempotencyKey = None) -> JSONResponse:
    """Appeals against a refusal or a reversal, within the window."""

    async def act(connection: Any) -> AppealMade:
        return AppealMade(appeal_id=await reviews.appeal(given, connection, user.user_id, body.event_id, body.text))

    return (await _as_person(given, user, key, "points/appeals", act, asked=body, status=201)).response()
