"""A merchant's counter for programs: acts confirmed, redemptions and vouchers taken, the statement.

Every change takes a `request_id` of the merchant's own; sent again after a lost connection it has the same answer.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, Field

from cloud_sync.server import auth, csv_sheets
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.people.idempotency import once
from cloud_sync.server.people.limits import limit as at_most
from cloud_sync.server.points import confirmations, redemptions, statements, vouchers
from cloud_sync.server.points.confirmations import ActWish
from cloud_sync.server.points.market_records import ConfirmationRecord, MerchantMethod, TillCheck
from cloud_sync.server.points.voucher_records import SpendRecord, StatementRecord, VoucherRecord
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=f"{API}/merchant", tags=["merchant"])
Given = Annotated[Services, Depends(services)]
Merchant = auth.who_may(Can.SERVE_AT_MERCHANT)
Code = Annotated[str, Field(min_length=1, max_length=64)]
RequestId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
TRIES_A_MINUTE = 60


class ActBody(BaseModel):
    """One act; `amount` in the methodology's unit."""

    key: str = Field(min_length=1, max_length=64)
    amount: Decimal = Field(default=Decimal(1), gt=0, le=1_000, decimal_places=3, allow_inf_nan=False)


class ConfirmationBody(BaseModel):
    """What a person did, by the code that the person shows."""

    code: Code
    acts: Annotated[tuple[ActBody, ...], Field(min_length=1, max_length=confirmations.ACTS_MAX)]
    request_id: RequestId


class CodeBody(BaseModel):
    """A code to look at."""

    code: Code


class UseBody(BaseModel):
    """A code to take."""

    code: Code
    request_id: RequestId


class SpendBody(BaseModel):
    """Fen to take of a voucher."""

    code: Code
    amount_fen: int = Field(ge=1, le=vouchers.FEN_MAX)
    request_id: RequestId


class TakeBackBody(BaseModel):
    """A spend to take back, and why."""

    spend_id: str = Field(min_length=1, max_length=128)
    why: str = Field(min_length=1, max_length=500)


async def _place(given: Services, user: auth.CurrentUser) -> str:
    """The merchant of the account, whose tries are counted. Raises Problem."""
    await at_most(given, f"till:{user.user_id}", TRIES_A_MINUTE, 60)
    return await confirmations.merchant_of(given.pool, user)


@router.get("/methods")
async def methods(user: Merchant, given: Given) -> tuple[MerchantMethod, ...]:
    """What one's place may confirm."""
    return await confirmations.merchant_methods(given, await confirmations.merchant_of(given.pool, user))


@router.post("/confirmations", response_model=ConfirmationRecord)
async def confirm(body: ConfirmationBody, user: Merchant, given: Given) -> JSONResponse:
    """Confirms what a person did at one's place."""
    await at_most(given, f"till:{user.user_id}", TRIES_A_MINUTE, 60)
    by = await confirmations.merchant_confirmer(given.pool, user)
    acts = [ActWish(one.key, one.amount) for one in body.acts]

    async def act(connection: Any) -> ConfirmationRecord:
        return await confirmations.confirm(given, connection, by, body.code, acts, request_id=body.request_id)

    answer = await once(given, user.user_id, body.request_id, route="merchant/confirmations", act=act, asked=body)
    return answer.response()


@router.post("/redemptions/check")
async def check(body: CodeBody, user: Merchant, given: Given) -> TillCheck:
    """Whether a code would be taken; changes nothing."""
    return await redemptions.check(given, await _place(given, user), user, body.code)


@router.post("/redemptions/use")
async def use(body: UseBody, user: Merchant, given: Given, request: Request) -> TillCheck:
    """Takes a code; `ok` also when the same request had taken it before."""
    actor = actor_of(user, request)
    return await redemptions.use(given, actor, await _place(given, user), user, body.code, body.request_id)


@router.post("/vouchers/check")
async def check_voucher(body: CodeBody, user: Merchant, given: Given) -> VoucherRecord:
    """The voucher of a code and what is left of it."""
    await _place(given, user)
    return await vouchers.check(given, body.code)


@router.post("/vouchers/spend")
async def spend(body: SpendBody, user: Merchant, given: Given, request: Request) -> SpendRecord:
    """Takes fen of a voucher; the same request again gives what was stored."""
    actor, place = actor_of(user, request), await _place(given, user)
    return await vouchers.spend(given, actor, place, user, body.code, body.amount_fen, body.request_id)


@router.post("/vouchers/take-back")
async def take_back(body: TakeBackBody, user: Merchant, given: Given, request: Request) -> SpendRecord:
    """Takes one's own spend back, once."""
    actor, place = actor_of(user, request), await _place(given, user)
    return await vouchers.take_back(given, actor, user, body.spend_id, merchant=place, why=body.why)


Since = Annotated[AwareDatetime, Query()]
Language = Annotated[str, Query(max_length=16)]


@router.get("/statement")
async def statement(user: Merchant, given: Given, since: Since, until: Since) -> StatementRecord:
    """What one's place is owed from `since` until just before `until`."""
    place = await confirmations.merchant_of(given.pool, user)
    return await statements.statement(given.pool, place, since=since, until=until)


@router.get("/statement.csv")
async def statement_csv(user: Merchant, given: Given, since: Since, until: Since, lang: Language = "zh") -> Response:
    """The same for a spreadsheet."""
    place = await confirmations.merchant_of(given.pool, user)
    told = await statements.statement(given.pool, place, since=since, until=until)
    return csv_sheets.answer(statements.csv_rows(told, lang=lang, zone=given.config.zone), "statement.csv")
