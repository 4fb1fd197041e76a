"""The carbon ledger for programs: summary, visits and their evidence, entries, lots of credits, retirements."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from cloud_sync.server import auth, rule_books
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.carbon import corrections, evidence, lots, queries, retirements
from cloud_sync.server.carbon.records import (
    EntryPage,
    LotRow,
    Preview,
    RetirementRow,
    Summary,
    VisitPage,
    VisitRecord,
)
from cloud_sync.server.paging import CURSOR_CHARS_MAX
from cloud_sync.server.people.idempotency import IdempotencyKey, once
from cloud_sync.server.permits.access import owners_of
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from cloud_sync.server.store import note_access
from control.carbon.factor_keys import EmissionClass, Fuel

router = APIRouter(prefix=f"{API}/carbon", tags=["carbon"])
Given = Annotated[Services, Depends(services)]
LedgerReader = auth.who_may(Can.READ_LEDGER)
LedgerKeeper = auth.who_may(Can.KEEP_LEDGER)
LedgerConfirmer = auth.who_may(Can.CONFIRM_LEDGER)

NO_NUL = r"^[^\x00]*$"
Id = Annotated[str, Path(min_length=1, max_length=80, pattern=NO_NUL)]
Year = Annotated[int | None, Query(ge=2000, le=2200)]
Cursor = Annotated[str | None, Query(max_length=CURSOR_CHARS_MAX)]
Limit = Annotated[int, Query(ge=1, le=queries.LIMIT_MAX)]
LotId = Annotated[str | None, Query(max_length=80, pattern=NO_NUL)]
Text = Annotated[str, Field(max_length=500, pattern=NO_NUL)]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]
Figure = Annotated[Decimal | None, Field(ge=0, lt=10**9, max_digits=12, decimal_places=3)]
Serial = Annotated[int, Field(ge=0, lt=10**15)]
EntryKindName = Literal[
    "visit_debit", "correction", "credit_bought", "retirement", "settlement", "event_debit", "reversal"
]


class EvidenceBody(BaseModel):
    """What is known of a visit. A field that is sent as null is withdrawn, one that is not sent stays as it was.

    `fuel_used` is in litres of petrol or diesel, kilograms of LNG or LPG, cubic metres of CNG; papers by content hash.
    What an applicant declares needs a paper that shows it, and takes no note.
    """

    fuel: Fuel | None = None
    vehicle_class: EmissionClass | None = None
    fuel_used: Figure = None
    odometer_in_km: Figure = None
    odometer_out_km: Figure = None
    type_approval_per_100km: Figure = None
    route_km: Figure = None
    idle_min: Figure = None
    pto_min: Figure = None
    papers: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")], ...] = Field(default=(), max_length=6)
    note: Text = ""

    def declared(self) -> dict[str, str | None]:
        """Only what was sent, as it is kept."""
        names = (*evidence.FIGURES, *evidence.CHOICES)
        sent = {name: getattr(self, name) for name in names if name in self.model_fields_set}
        return {name: None if value is None else str(value) for name, value in sent.items()}


class EvidenceMade(BaseModel):
    """The declaration's number."""

    evidence_id: str


class LotBody(BaseModel):
    """A purchase of credits with consecutive serial numbers."""

    registry: Line
    project: Line
    vintage: int = Field(ge=1990, le=2200)
    serial_prefix: str = Field(default="", max_length=80, pattern=NO_NUL)
    first_serial: Serial
    last_serial: Serial
    bought_on: date
    evidence: Line
    why: Text = ""


class WhyBody(BaseModel):
    """A reason."""

    why: str = Field(min_length=1, max_length=500, pattern=NO_NUL)


class ProposalBody(BaseModel):
    """Whole tonnes to retire, from one lot or the oldest, and the text that goes into the registry."""

    tonnes: int = Field(ge=1, le=1_000_000)
    cancelled_for: str = Field(min_length=1, max_length=500, pattern=NO_NUL)
    lot_id: str | None = Field(default=None, max_length=80, pattern=NO_NUL)


class ConfirmationBody(BaseModel):
    """The registry's proof of the cancellation: its reference or the content hash of its certificate."""

    evidence: str = Field(min_length=1, max_length=500, pattern=NO_NUL)


class CorrectionBody(BaseModel):
    """Grams that a visit owes more (below zero: less), and why."""

    added_g: int = Field(ge=-corrections.CORRECTION_G_MAX, le=corrections.CORRECTION_G_MAX)
    why: str = Field(min_length=1, max_length=500, pattern=NO_NUL)


def _today(given: Services) -> date:
    return given.clock().astimezone(given.config.zone).date()


# ---------------------------------------------------------------- reads


@router.get("/summary")
async def summary(user: LedgerReader, given: Given, year: Year = None) -> Summary:
    """What is open, one year's figures with its days, what can be retired, and how the chain stands."""
    today = _today(given)
    async with given.reading() as db:
        return await queries.summary(db, year=year or today.year, today=today, zone=given.config.zone)


@router.get("/visits")
async def visits(
    request: Request,
    user: auth.AnyPerson,
    given: Given,
    tab: Literal["open", "all", "unknown"] = "all",
    year: Year = None,
    tier: Annotated[int | None, Query(ge=1, le=4)] = None,
    vehicle_class: EmissionClass | None = None,
    plate: Annotated[str, Query(max_length=16, pattern=NO_NUL)] = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> VisitPage:
    """Visits with their figures: all for the staff that reads the ledger, one's own for applicants."""
    owners = owners_of_reader(user)
    wanted = queries.VisitFilter(tab, year, tier, vehicle_class or "", plate, owners)
    if owners is None and plate:
        await note_access(
            given, actor_of(user, request), "ledger_searched", ("ledger", "visits"), what={"plate": plate}
        )
    return await queries.visit_page(given.pool, wanted, today=_today(given), cursor=cursor, limit=limit)


def owners_of_reader(user: auth.CurrentUser) -> tuple[str, ...] | None:
    """None for whoever reads the whole ledger, else as whom this person applies. Raises Problem."""
    if user.may(Can.READ_LEDGER):
        return None
    if not user.may(Can.APPLY):
        raise Problem("forbidden")
    return owners_of(user)


@router.get("/visits/{visit_id}")
async def visit(request: Request, visit_id: Id, user: auth.AnyPerson, given: Given) -> VisitRecord:
    """How a visit's figure came about, what was declared, and what covers it."""
    owners_of_reader(user)
    seen = await corrections.readable(given.pool, user, visit_id)
    until = corrections.evidence_until(seen, await rule_books.factors(given.pool), given)
    found = await queries.visit(given.pool, visit_id, today=_today(given), until=until)
    if found is None:
        raise Problem("not_found")
    if user.may(Can.READ_LEDGER):
        what = {"person_id": seen["applicant_id"]}
        await note_access(given, actor_of(user, request), "visit_opened", ("visit", visit_id), what=what)
    return found


@router.get("/entries")
async def entries(
    user: LedgerReader,
    given: Given,
    kind: Annotated[list[EntryKindName] | None, Query(max_length=7)] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> EntryPage:
    """Entries of the book with their postings and hashes, newest first."""
    return await queries.entry_page(given.pool, kinds=kind or (), cursor=cursor, limit=limit)


@router.get("/lots")
async def credit_lots(user: LedgerReader, given: Given) -> tuple[LotRow, ...]:
    """Lots of credits, in the order in which they are retired."""
    return await lots.listed(given.pool)


@router.get("/retirements")
async def all_retirements(
    user: LedgerReader, given: Given, pending: bool = False, limit: Limit = 100
) -> tuple[RetirementRow, ...]:
    """Retirements, newest first."""
    return await retirements.listed(given.pool, pending_only=pending, limit=limit)


@router.get("/preview")
async def preview(
    user: LedgerReader,
    given: Given,
    tonnes: Annotated[int, Query(ge=0, le=1_000_000)] = 1,
    lot_id: LotId = None,
    year: Year = None,
) -> Preview:
    """What retiring so many tonnes would do now."""
    wanted_year = year or _today(given).year
    return await retirements.preview(given.pool, tonnes=tonnes, year=wanted_year, now=given.clock(), lot_id=lot_id)


# ---------------------------------------------------------------- changes


@router.post("/visits/{visit_id}/evidence", status_code=201, response_model=EvidenceMade)
async def declare(
    request: Request, visit_id: Id, body: EvidenceBody, user: auth.AnyPerson, given: Given, key: IdempotencyKey = None
) -> JSONResponse:
    """Adds evidence of a visit; its figure follows at once. The applicant may until the term is over."""
    owners_of_reader(user)

    async def act(connection: Any) -> EvidenceMade:
        declared, remote = body.declared(), remote_of(request)
        made = await corrections.declare(
            *(given, connection, user, visit_id, declared), papers=body.papers, note=body.note, remote=remote
        )
        return EvidenceMade(evidence_id=made)

    route = f"carbon/visits/{visit_id}/evidence"
    answer = await once(given, user.user_id, key, route=route, act=act, status=201, asked=body)
    return answer.response()


@router.post("/visits/{visit_id}/correction", status_code=201)
async def correct(
    request: Request, visit_id: Id, body: CorrectionBody, user: LedgerKeeper, given: Given
) -> dict[str, str]:
    """A visit owes more or less than was posted; covers follow."""
    made = await corrections.correct(given, actor_of(user, request), visit_id, added_g=body.added_g, why=body.why)
    return {"entry_id": made}


@router.post("/lots", status_code=201)
async def buy(request: Request, body: LotBody, user: LedgerKeeper, given: Given) -> dict[str, str]:
    """Takes a purchase of credits into the book."""
    return {"lot_id": await lots.buy(given, actor_of(user, request), **body.model_dump())}


@router.post("/lots/{lot_id}/reversal", status_code=204)
async def take_back(request: Request, lot_id: Id, body: WhyBody, user: LedgerKeeper, given: Given) -> None:
    """Reverses a purchase that was entered wrongly and of which nothing was retired."""
    await lots.take_back(given, actor_of(user, request), lot_id, why=body.why)


@router.post("/retirements", status_code=201)
async def propose(request: Request, body: ProposalBody, user: LedgerKeeper, given: Given) -> dict[str, str]:
    """Proposes a retirement that another person has to confirm."""
    return {"retirement_id": await retirements.propose(given, actor_of(user, request), **body.model_dump())}


@router.post("/retirements/{retirement_id}/confirm", status_code=204)
async def confirm(
    request: Request, retirement_id: Id, body: ConfirmationBody, user: LedgerConfirmer, given: Given
) -> None:
    """Confirms a retirement that somebody else proposed; it is final."""
    await retirements.confirm(given, actor_of(user, request), retirement_id, evidence=body.evidence)


@router.post("/retirements/{retirement_id}/cancel", status_code=204)
async def cancel(request: Request, retirement_id: Id, body: WhyBody, user: LedgerKeeper, given: Given) -> None:
    """Cancels a retirement that is not confirmed yet."""
    await retirements.cancel(given, actor_of(user, request), retirement_id, why=body.why)
