"""Zero-carbon vouchers: owns the pages of schemes and vouchers, one's own, and settling a merchant's month."""

from __future__ import annotations

import asyncio
import re
from datetime import date
from typing import Annotated, Any

import uuid_utils
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth, csv_sheets
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.points_views import yuan
from cloud_sync.server.console.render import READ_TIMEOUT_S, done, page, query_of, words_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.form_values import fen, local_time, whole
from cloud_sync.server.people import members
from cloud_sync.server.people.idempotency import once
from cloud_sync.server.points import settlements, statements, vouchers
from cloud_sync.server.points.voucher_records import StatementRecord
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.points.vouchers import HolderKind

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=400)]
Long = Annotated[str, Form(max_length=40_000)]
Many = Annotated[list[str] | None, Form()]
PointReader = auth.who_may(Can.READ_POINTS)
PointKeeper = auth.who_may(Can.KEEP_POINTS)
Approver = auth.who_may(Can.APPROVE)
Holder = auth.who_may(Can.HOLD_VOUCHERS)
VOUCHERS_SHOWN = 200
SCHEME_STATE = {
    "proposed": N_("Waits for a second person"),
    "coming": N_("Not yet in force"),
    "in_force": N_("In force"),
    "ended": N_("Ended"),
}
VOUCHER_STATE = {"valid": N_("Can be spent"), "spent": N_("Spent"), "ended": N_("Its time is over")}


# The amount may have thousands set apart, and quotes around it as a table's file has them.
_PASTED = re.compile(r'(?P<name>[^\t,，]+)\s*[\t,，]\s*(?P<amount>"?-?\d{1,3}(?:,\d{3})+(?:\.\d*)?"?|[^\t,，]*)')


def _fen(text: str) -> int:
    return fen(text, most=vouchers.FEN_MAX)


def organisation_name(words: Words, one: members.Organisation) -> str:
    """An organisation's name in the reader's language."""
    return one.name if words.language == "zh" or not one.name_en else one.name_en


@router.get("/vouchers")
async def vouchers_page(request: Request, user: PointReader, given: Given) -> Response:
    """Schemes with their budgets, and vouchers with what is left of them."""
    words, now = words_of(request), given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        schemes = await vouchers.schemes(given.pool, now)
        issued = await vouchers.vouchers(given.pool, now, limit=VOUCHERS_SHOWN)
        orgs = await members.organisations(given.pool)
    by_kind = {
        kind: [
            {"org_id": one.org_id, "name": organisation_name(words, one)}
            for one in orgs
            if one.kind == kind and one.enabled
        ]
        for kind in members.OrganisationKind
    }
    return page(
        request,
        "vouchers.html",
        user=user,
        schemes=schemes,
        in_force=[one for one in schemes if one.state == "in_force"],
        vouchers=issued,
        merchants=by_kind[members.OrganisationKind.MERCHANT],
        organisations=by_kind[members.OrganisationKind.APPLICANT],
        scheme_state=lambda code: words.gettext(SCHEME_STATE[code]),
        voucher_state=lambda code: words.gettext(VOUCHER_STATE[code]),
        yuan=yuan,
        request_id=str(uuid_utils.uuid7()),
        from_default=f"{now.astimezone(given.config.zone):%Y-%m-%dT%H:%M}",
    )


@router.get("/vouchers/mine")
async def my_vouchers(request: Request, user: Holder, given: Given) -> Response:
    """What one's organisation holds, with the codes to show at a counter; what can be spent comes first."""
    words = words_of(request)
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await vouchers.mine(given, user)
    return page(
        request,
        "vouchers_mine.html",
        user=user,
        vouchers=[one for one in found if one.voucher.state == "valid"],
        past=[one.voucher for one in found if one.voucher.state != "valid"],
        voucher_state=lambda code: words.gettext(VOUCHER_STATE[code]),
        yuan=yuan,
    )


@router.post("/vouchers")
async def issue_voucher(
    request: Request, user: PointKeeper, given: Given, amount: Text, holder: Text, request_id: Text
) -> Response:
    """A voucher for an organisation; the same form sent twice issues one."""
    scheme_id, _, amount_fen = amount.rpartition("/")
    actor, money = actor_of(user, request), whole(amount_fen, "amount")

    async def act(connection: Any) -> str:
        made = await vouchers.issue(
            *(given, connection, actor, user, scheme_id),
            holder_kind=HolderKind.ORGANISATION,
            holder_id=holder,
            amount_fen=money,
        )
        return made.voucher_id

    await once(given, user.user_id, request_id[:64], route="/vouchers", act=act, asked=[amount, holder])
    return done(request, "voucher_issued", "/vouchers")


@router.post("/vouchers/schemes")
async def propose_scheme(
    request: Request,
    user: PointKeeper,
    given: Given,
    name_zh: Text,
    name_en: Text,
    amounts: Text,
    budget: Text,
    validity_days: Text,
    valid_from: Text,
    source: Text,
    reason: Text,
    in_parts: Text = "",
    merchants: Many = None,
) -> Response:
    """A scheme that waits for its second person."""
    begins = local_time(valid_from, given.config.zone, "valid_from")
    if begins is None:
        raise Problem("invalid", detail="valid_from")
    wish = vouchers.SchemeWish(
        name_zh=name_zh,
        name_en=name_en,
        amounts_fen=tuple(_fen(one) for one in amounts.replace("，", ",").split(",") if one.strip()),
        budget_fen=_fen(budget),
        validity_days=whole(validity_days, "validity_days"),
        valid_from=begins,
        merchants=tuple(merchants or ()),
        source=source,
        reason=reason,
        in_parts=in_parts == "yes",
    )
    await vouchers.propose(given, actor_of(user, request), wish)
    return done(request, "scheme_proposed", "/vouchers")


@router.post("/vouchers/schemes/{scheme_id}/approve")
async def approve_scheme(request: Request, scheme_id: str, user: Approver, given: Given) -> Response:
    """The second person's word."""
    await vouchers.approve(given, actor_of(user, request), scheme_id)
    return done(request, "scheme_approved", "/vouchers")


@router.post("/vouchers/schemes/{scheme_id}/end")
async def end_scheme(request: Request, scheme_id: str, user: Approver, given: Given, why: Text = "") -> Response:
    """Nothing more is issued under it."""
    await vouchers.end_scheme(given, actor_of(user, request), scheme_id, why=why)
    return done(request, "scheme_ended", "/vouchers")


# ---------------------------------------------------------------- statements


def month_of(given: Services, text: str) -> str:
    """A month as `YYYY-MM`; this one where none was chosen. Raises Problem."""
    if not text:
        return f"{given.clock().astimezone(given.config.zone):%Y-%m}"
    try:
        return f"{date.fromisoformat(f'{text}-01'):%Y-%m}"
    except ValueError as error:
        raise Problem("invalid", detail="month") from error


async def statement_of(given: Services, merchant: str, month: str) -> StatementRecord:
    """A merchant's statement of one month."""
    since, until = settlements.month_window(given, month)
    async with asyncio.timeout(READ_TIMEOUT_S):
        return await statements.statement(given.pool, merchant, since=since, until=until)


def csv_of(request: Request, given: Services, told: StatementRecord, month: str) -> Response:
    """The statement as a file."""
    rows = statements.csv_rows(told, lang=words_of(request).language, zone=given.config.zone)
    return csv_sheets.answer(rows, f"vouchers-{month}.csv")


@router.get("/vouchers/statements")
async def statements_page(
    request: Request, user: PointReader, given: Given, merchant: str = "", month: str = ""
) -> Response:
    """What a merchant is owed for a month, line by line."""
    return await _statement_page(request, user, given, merchant, month)


async def _statement_page(
    request: Request, user: auth.CurrentUser, given: Services, merchant: str, month: str, pasted: str | None = None
) -> Response:
    words, wanted = words_of(request), month_of(given, month)
    orgs = await members.organisations(given.pool, kind=members.OrganisationKind.MERCHANT)
    chosen = merchant if any(one.org_id == merchant for one in orgs) else orgs[0].org_id if orgs else ""
    since, until = settlements.month_window(given, wanted)
    differences = ()
    if pasted is not None and chosen:
        differences = await statements.reconcile(
            given.pool, chosen, since=since, until=until, merchants_fen=pasted_list(pasted)
        )
    settled = await settlements.settlement(given.pool, chosen, wanted) if chosen else None
    late = await settlements.late_lines(given, chosen, wanted) if settled else ()
    return page(
        request,
        "voucher_statements.html",
        user=user,
        merchants=[{"org_id": one.org_id, "name": organisation_name(words, one)} for one in orgs],
        merchant=chosen,
        month=wanted,
        statement=await statement_of(given, chosen, wanted) if chosen else None,
        month_is_over=until <= given.clock(),
        settled=settled,
        late=late,
        late_fen=sum(one.amount_fen for one in late),
        pasted=pasted or "",
        compared=pasted is not None,
        differences=differences,
        yuan=yuan,
    )


def pasted_list(text: str) -> dict[str, int]:
    """A merchant's list, a request and its amount in yuan a line; amounts of one request add up. Raises Problem."""
    found: dict[str, int] = {}
    for line in filter(str.strip, text.splitlines()):
        parts = _PASTED.fullmatch(line.strip())
        if parts is None:
            raise Problem("invalid", detail=f"a request, a comma and an amount are wanted: {line.strip()[:40]}")
        name, amount = parts["name"].strip(' "'), parts["amount"].strip(' "').replace(",", "")
        found[name] = found.get(name, 0) + _fen(amount)
    return found


@router.post("/vouchers/statements/compare")
async def compare(
    request: Request, user: PointKeeper, given: Given, merchant: Text, month: Text, lines: Long = ""
) -> Response:
    """Where the merchant's own list differs. Nothing is written."""
    return await _statement_page(request, user, given, merchant, month, lines)


@router.post("/vouchers/statements/settle")
async def settle(
    request: Request, user: Approver, given: Given, merchant: Text, month: Text, lines: Long = "", why: Text = ""
) -> Response:
    """Settles a month that is over; a list that was compared goes with it, and why its differences stand."""
    actor = actor_of(user, request)
    compared = pasted_list(lines) if lines.strip() else None
    await settlements.settle(given, actor, merchant, month, compared, why=why)
    return done(request, "month_settled", f"/vouchers/statements?{query_of(merchant=merchant, month=month)}")


@router.get("/vouchers/statements.csv")
async def statement_csv(request: Request, user: PointReader, given: Given, merchant: str, month: str = "") -> Response:
    """The statement as a file."""
    wanted = month_of(given, month)
    return csv_of(request, given, await statement_of(given, merchant, wanted), wanted)
