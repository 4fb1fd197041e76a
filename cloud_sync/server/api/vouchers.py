"""Zero-carbon vouchers for programs: schemes with a second approver, issuing, one's own, statements."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import AwareDatetime, BaseModel, Field

from cloud_sync.server import auth, csv_sheets
from cloud_sync.server.api.address import API
from cloud_sync.server.api.merchant import Language, Since
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.people.idempotency import IdempotencyKey, once
from cloud_sync.server.points import settlements, statements, vouchers
from cloud_sync.server.points.voucher_records import (
    DifferenceRecord,
    SchemeRecord,
    SettlementRecord,
    SpendRecord,
    StatementRecord,
    VoucherCode,
    VoucherRecord,
)
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.points.vouchers import HolderKind

router = APIRouter(prefix=f"{API}/vouchers", tags=["vouchers"])
Given = Annotated[Services, Depends(services)]
Reader = auth.who_may(Can.READ_POINTS)
Keeper = auth.who_may(Can.KEEP_POINTS)
Approver = auth.who_may(Can.APPROVE)
Holder = auth.who_may(Can.HOLD_VOUCHERS)
Fen = Annotated[int, Field(ge=1, le=vouchers.FEN_MAX)]
OrgId = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Why = Annotated[str, Field(min_length=1, max_length=500)]


class SchemeBody(BaseModel):
    """A scheme to propose."""

    name_zh: Name
    name_en: Name
    amounts_fen: Annotated[tuple[Fen, ...], Field(min_length=1, max_length=20)]
    budget_fen: Fen
    validity_days: int = Field(ge=1, le=3_660)
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None = None
    merchants: Annotated[tuple[OrgId, ...], Field(min_length=1, max_length=200)]
    source: Why
    reason: Why
    in_parts: bool = False
    holders: Annotated[tuple[HolderKind, ...], Field(min_length=1)] = (HolderKind.ORGANISATION,)


class SchemeMade(BaseModel):
    """The scheme's id."""

    scheme_id: str


class VoucherBody(BaseModel):
    """A voucher to issue."""

    scheme_id: OrgId
    holder_id: OrgId
    amount_fen: Fen
    holder_kind: HolderKind = HolderKind.ORGANISATION


class WhyBody(BaseModel):
    """A reason."""

    why: Why


class TillLine(BaseModel):
    """One line of a merchant's own list."""

    request_id: str = Field(min_length=1, max_length=64)
    amount_fen: int = Field(ge=-vouchers.FEN_MAX, le=vouchers.FEN_MAX)


TillLines = Annotated[tuple[TillLine, ...], Field(max_length=10_000)]


class ReconcileBody(BaseModel):
    """A merchant's list for a time."""

    merchant: OrgId
    since: AwareDatetime
    until: AwareDatetime
    lines: TillLines


class SettleBody(BaseModel):
    """A month to settle, with the merchant's own list where it gave one; `why` where that differs."""

    merchant: OrgId
    month: Annotated[str, Field(pattern=r"^\d{4}-\d{2}$")]
    lines: TillLines | None = None
    why: str = Field(default="", max_length=500)


@router.get("/schemes")
async def schemes(user: Reader, given: Given) -> tuple[SchemeRecord, ...]:
    """Every scheme, the newest first."""
    return await vouchers.schemes(given.pool, given.clock())


@router.post("/schemes", status_code=201)
async def propose(body: SchemeBody, user: Keeper, given: Given, request: Request) -> SchemeMade:
    """Proposes a scheme; a second person approves it."""
    wish = vouchers.SchemeWish(**body.model_dump())
    return SchemeMade(scheme_id=await vouchers.propose(given, actor_of(user, request), wish))


@router.post("/schemes/{scheme_id}/approve", status_code=204)
async def approve(scheme_id: str, user: Approver, given: Given, request: Request) -> None:
    """Puts a scheme that somebody else proposed in force."""
    await vouchers.approve(given, actor_of(user, request), scheme_id)


@router.post("/schemes/{scheme_id}/end", status_code=204)
async def end(scheme_id: str, body: WhyBody, user: Approver, given: Given, request: Request) -> None:
    """Issues nothing more under it."""
    await vouchers.end_scheme(given, actor_of(user, request), scheme_id, why=body.why)


@router.get("")
async def listed(
    user: Reader,
    given: Given,
    scheme_id: Annotated[str, Query(max_length=64)] = "",
    holder_id: Annotated[str, Query(max_length=64)] = "",
    before: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> tuple[VoucherRecord, ...]:
    """Vouchers, the newest first."""
    return await vouchers.vouchers(
        given.pool, given.clock(), scheme_id=scheme_id, holder_id=holder_id, before=before, limit=limit
    )


@router.post("", status_code=201, response_model=VoucherRecord)
async def issue(
    body: VoucherBody, user: Keeper, given: Given, request: Request, key: IdempotencyKey = None
) -> JSONResponse:
    """Issues a voucher within the scheme's amounts, holders and budget."""

    async def act(connection: Any) -> VoucherRecord:
        return await vouchers.issue(given, connection, actor_of(user, request), user, **body.model_dump())

    answer = await once(given, user.user_id, key, route="vouchers", act=act, status=201, asked=body)
    return answer.response()


@router.get("/mine")
async def mine(user: Holder, given: Given) -> tuple[VoucherCode, ...]:
    """What one's organisation holds, with the codes for the till."""
    return await vouchers.mine(given, user)


@router.post("/spends/{spend_id}/take-back")
async def take_back(spend_id: str, body: WhyBody, user: Keeper, given: Given, request: Request) -> SpendRecord:
    """Takes a spend back, once, as the office."""
    actor = actor_of(user, request)
    return await vouchers.take_back(given, actor, user, spend_id, merchant=None, why=body.why)


@router.get("/statement")
async def statement(
    user: Reader, given: Given, merchant: Annotated[str, Query(max_length=64)], since: Since, until: Since
) -> StatementRecord:
    """What a merchant is owed from `since` until just before `until`."""
    return await statements.statement(given.pool, merchant, since=since, until=until)


@router.get("/statement.csv")
async def statement_csv(
    user: Reader,
    given: Given,
    merchant: Annotated[str, Query(max_length=64)],
    since: Since,
    until: Since,
    lang: Language = "zh",
) -> Response:
    """The same for a spreadsheet."""
    told = await statements.statement(given.pool, merchant, since=since, until=until)
    return csv_sheets.answer(statements.csv_rows(told, lang=lang, zone=given.config.zone), "statement.csv")


@router.post("/reconcile")
async def reconcile(body: ReconcileBody, user: Keeper, given: Given) -> tuple[DifferenceRecord, ...]:
    """Where a merchant's own list differs from the statement; empty when both agree."""
    sums = _sums(body.lines)
    return await statements.reconcile(given.pool, body.merchant, since=body.since, until=body.until, merchants_fen=sums)


def _sums(lines: TillLines) -> dict[str, int]:
    """Fen by request."""
    found: dict[str, int] = {}
    for line in lines:
        found[line.request_id] = found.get(line.request_id, 0) + line.amount_fen
    return found


@router.post("/settlements", status_code=201)
async def settle(body: SettleBody, user: Approver, given: Given, request: Request) -> SettlementRecord:
    """Settles a merchant's month that is over; once."""
    actor, lines = actor_of(user, request), body.lines
    sums = None if lines is None else _sums(lines)
    return await settlements.settle(given, actor, body.merchant, body.month, sums, why=body.why)
