"""The ledger's pages: owns the year with its visits and the retirement beside them, credits, and one visit's figure."""

from __future__ import annotations

import asyncio
import re
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response

from cloud_sync.server import auth, rule_books
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.carbon import corrections, evidence, lots, retirements
from cloud_sync.server.carbon import queries as carbon
from cloud_sync.server.carbon.records import EntryPage, Preview, Summary, VisitPage, VisitRow
from cloud_sync.server.console import ledger_chart
from cloud_sync.server.console import ledger_views as views
from cloud_sync.server.console.permits_labels import CLASSES
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, words_of
from cloud_sync.server.console.rule_texts import rule_text
from cloud_sync.server.console.words import Words
from cloud_sync.server.form_values import number
from cloud_sync.server.papers import issued
from cloud_sync.server.people import members
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from cloud_sync.server.store import note_access
from control.carbon.exact import half_up
from control.carbon.factor_keys import EmissionClass, Fuel
from control.domain.exact import exact

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Reader = auth.who_may(Can.READ_LEDGER)
Keeper = auth.who_may(Can.KEEP_LEDGER)
Confirmer = auth.who_may(Can.CONFIRM_LEDGER)
Text = Annotated[str, Form(max_length=500)]
Word = Annotated[str, Query(max_length=300)]
TABS = ("open", "all", "corrections", "unknown")
CORRECTIONS = ("correction", "reversal")
PAGE = 50
CERTIFICATES_SHOWN = 2
_SHA256 = re.compile(r"[0-9a-f]{64}")


@router.get("/ledger")
async def ledger(
    request: Request,
    user: Reader,
    given: Given,
    show: Word = "open",
    year: int = 0,
    tonnes: int = 1,
    lot: Word = "",
    tier: Word = "",
    vehicle_class: Word = "",
    plate: Word = "",
    cursor: Word = "",
    shown: int = 0,
) -> Response:
    """One year: figures, chart, visits; and beside them what a retirement would cover."""
    today, words = _today(given), words_of(request)
    show = show if show in TABS else "open"
    year = year if 2000 <= year <= 2200 else today.year
    wanted = _filter(show, year, tier, vehicle_class, plate)
    lot_id = None if not lot or "\0" in lot else lot
    async with asyncio.timeout(READ_TIMEOUT_S):
        summary = await carbon.summary(given.pool, year=year, today=today, zone=given.config.zone)
        rows = await lots.listed(given.pool)
        lot_id = lot_id if any(one.lot_id == lot_id for one in rows) else None
        preview = await retirements.preview(
            given.pool, tonnes=max(1, min(tonnes, 1_000_000)), year=year, now=given.clock(), lot_id=lot_id
        )
        pending = await retirements.listed(given.pool, pending_only=True)
        listed = await _listed(given, show, wanted, today, cursor)
        reviewer = await members.somebody_else_who(given.pool, Can.CONFIRM_LEDGER, but=user.username)
    if wanted.plate:
        actor = actor_of(user, request)
        await note_access(given, actor, "ledger_searched", ("ledger", "visits"), what={"plate": wanted.plate})
    return await desk_page(
        request,
        "ledger.html",
        user=user,
        shown=summary,
        chart=ledger_chart.chart(summary.days, year=year, today=today, months=views.months(words)),
        finding=views.finding(words, summary),
        open_line=views.open_line(words, summary),
        overdue_line=views.overdue_line(words, summary),
        lots_line=views.lots_line(words, rows),
        covers_line=views.covers_line(words, preview),
        share=views.share,
        whole_kg=views.whole_kg,
        lot_name=views.lot_name,
        **_said(words),
        **_lines(words, listed, preview if show == "open" else None, before=shown),
        **_counted(summary, show),
        filtered=bool(tier or vehicle_class or plate),
        show=show,
        year=year,
        kept={"show": show, "year": str(year), "tier": tier, "vehicle_class": vehicle_class, "plate": plate},
        lot_rows=[one for one in rows if one.left_tonnes],
        lot_id=lot_id,
        preview=preview,
        pending=pending,
        reviewer=reviewer,
        tiers=views.TIER_NAMES,
        classes=CLASSES,
        may_keep=user.may(Can.KEEP_LEDGER),
        may_confirm=user.may(Can.CONFIRM_LEDGER),
    )


def _said(words: Words) -> dict[str, Any]:
    """How pages of the ledger say grams and entries."""
    return {
        "kg": views.kg,
        "kind": lambda row: views.kind(words, row),
        "reason": lambda row: views.reason(words, row),
        "author": lambda text: views.author(words, text),
    }


def _lines(words: Words, listed: VisitPage | EntryPage, preview: Preview | None, *, before: int) -> dict[str, Any]:
    """The rows of the list, which of all they are, and where the next ones begin; `before` were shown on the way."""
    visits = listed.items if isinstance(listed, VisitPage) else ()
    return {
        "lines": [views.line(words, one, preview) for one in visits],
        "entries": listed.items if isinstance(listed, EntryPage) else (),
        "next_cursor": listed.next_cursor,
        "first": before + 1 if listed.items else 0,
        "last": before + len(listed.items),
    }


def _counted(summary: Summary, show: str) -> dict[str, Any]:
    counts = {
        "open": summary.open_visits,
        "all": summary.year_visits,
        "corrections": summary.corrections,
        "unknown": summary.unknown_visits,
    }
    return {"counts": counts, "count": counts[show]}


def _today(given: Services) -> date:
    return given.clock().astimezone(given.config.zone).date()


def _filter(show: str, year: int, tier: str, vehicle_class: str, plate: str) -> carbon.VisitFilter:
    return carbon.VisitFilter(
        tab=show if show in carbon.TABS else "all",
        year=year,
        tier=int(tier) if tier in ("1", "2", "3", "4") else None,
        vehicle_class=vehicle_class if vehicle_class in set(EmissionClass) else "",
        plate=plate.strip().upper().replace("\0", "")[:16],
    )


async def _listed(
    given: Services, show: str, wanted: carbon.VisitFilter, today: date, cursor: str
) -> VisitPage | EntryPage:
    if show == "corrections":
        return await carbon.entry_page(given.pool, kinds=CORRECTIONS, cursor=cursor, limit=PAGE)
    return await carbon.visit_page(given.pool, wanted, today=today, cursor=cursor, limit=PAGE)


# ---------------------------------------------------------------- retirements and credits


@router.post("/ledger/retirements")
async def propose(
    request: Request, user: Keeper, given: Given, tonnes: Annotated[int, Form()], cancelled_for: Text, lot: Text = ""
) -> Response:
    """Proposes a retirement."""
    actor = actor_of(user, request)
    await retirements.propose(given, actor, tonnes=tonnes, cancelled_for=cancelled_for, lot_id=lot or None)
    return done(request, "retirement_proposed", "/ledger")


@router.post("/ledger/retirements/{retirement_id}/confirm")
async def confirm(request: Request, retirement_id: str, user: Confirmer, given: Given, proof: Text = "") -> Response:
    """Confirms what somebody else proposed."""
    await retirements.confirm(given, actor_of(user, request), retirement_id, evidence=proof)
    return done(request, "retirement_confirmed", "/ledger")


@router.post("/ledger/retirements/{retirement_id}/cancel")
async def cancel(request: Request, retirement_id: str, user: Keeper, given: Given, why: Text = "") -> Response:
    """Cancels a proposal."""
    await retirements.cancel(given, actor_of(user, request), retirement_id, why=why)
    return done(request, "retirement_cancelled", "/ledger")


@router.get("/ledger/credits")
async def credits_page(request: Request, user: Reader, given: Given) -> Response:
    """Lots of credits, and every retirement."""
    words = words_of(request)
    async with asyncio.timeout(READ_TIMEOUT_S):
        rows = await lots.listed(given.pool)
        found = await retirements.listed(given.pool, limit=carbon.LIMIT_MAX)
    return await desk_page(
        request,
        "ledger_credits.html",
        user=user,
        lots=rows,
        retirements=found,
        state=lambda row: views.state(words, row),
        today=_today(given),
        may_keep=user.may(Can.KEEP_LEDGER),
    )


@router.post("/ledger/lots")
async def buy(
    request: Request,
    user: Keeper,
    given: Given,
    registry: Text,
    project: Text,
    vintage: Annotated[int, Form(ge=1990, le=2200)],
    first_serial: Annotated[int, Form(ge=0, lt=10**15)],
    last_serial: Annotated[int, Form(ge=0, lt=10**15)],
    bought_on: Annotated[date, Form()],
    proof: Text,
    serial_prefix: Text = "",
) -> Response:
    """Takes a purchase into the book."""
    await lots.buy(
        given,
        actor_of(user, request),
        registry=registry,
        project=project,
        vintage=vintage,
        serial_prefix=serial_prefix,
        first_serial=first_serial,
        last_serial=last_serial,
        bought_on=bought_on,
        evidence=proof,
    )
    return done(request, "credits_bought", "/ledger/credits")


@router.post("/ledger/lots/{lot_id}/reversal")
async def take_back(request: Request, lot_id: str, user: Keeper, given: Given, why: Text = "") -> Response:
    """Reverses a purchase that was entered wrongly."""
    await lots.take_back(given, actor_of(user, request), lot_id, why=why)
    return done(request, "credits_taken_back", "/ledger/credits")


# ---------------------------------------------------------------- one visit


@router.get("/ledger/visits/{visit_id}")
async def visit(request: Request, visit_id: str, user: Reader, given: Given) -> Response:
    """How a visit's figure came about, what proves it, and what covers it."""
    words, today = words_of(request), _today(given)
    async with asyncio.timeout(READ_TIMEOUT_S):
        seen = await corrections.readable(given.pool, user, visit_id)
        until = corrections.evidence_until(seen, await rule_books.factors(given.pool), given)
        found = await carbon.visit(given.pool, visit_id, today=today, until=until)
        papers = await issued.listed(given, user, kind="neutralisation", subject=visit_id, limit=CERTIFICATES_SHOWN)
    if found is None:
        raise Problem("not_found")
    actor, what = actor_of(user, request), {"person_id": seen["applicant_id"]}
    await note_access(given, actor, "visit_opened", ("visit", visit_id), what=what)
    figure = found.figure
    return await desk_page(
        request,
        "ledger_visit.html",
        user=user,
        visit=found,
        papers=papers.items,
        line=views.line(words, found.row),
        facts=views.facts(words, figure) if figure else [],
        gases=views.gases(words, figure) if figure else [],
        fuel_formula=views.fuel_formula(words, figure) if figure else "",
        tier_name=views.tier_name(words, found.row.tier),
        due_line=views.due_line(words, found.row, today),
        plus_minus=views.plus_minus,
        **_said(words),
        source_text=lambda text: rule_text(words, text),
        declared_line=lambda row: views.declared_line(words, row),
        evidence_name=lambda name: views.evidence_name(words, name),
        fields=evidence.FIGURES,
        units=views.EVIDENCE_UNITS,
        fuels=[(one.value, words.gettext(views.FUELS[one.value])) for one in Fuel],
        classes=CLASSES,
        papers_max=corrections.PAPERS_MAX,
        may_keep=user.may(Can.KEEP_LEDGER),
        may_certify=user.may(Can.KEEP_LEDGER) and _is_neutral(found.row),
    )


def _is_neutral(row: VisitRow) -> bool:
    """Whether a certificate can be issued: something was owed, all of it is covered, and the plate is still known."""
    return row.owed_g > 0 and row.open_g == 0 and not (row.problem or row.information) and bool(row.plate)


@router.post("/ledger/visits/{visit_id}/evidence")
async def declare(request: Request, visit_id: str, user: Keeper, given: Given, note: Text = "") -> Response:
    """Adds what the office knows; fields that are left empty stay as they were."""
    form = await request.form()
    # A paper of the form is told as its hash, type, size and name; the hash alone counts.
    papers = tuple(str(one).partition("|")[0] for one in form.getlist("paper"))
    if not all(_SHA256.fullmatch(one) for one in papers):
        raise Problem("invalid", detail="paper")
    declared = {
        name: _declared(name, str(form[name]).strip())
        for name in (*evidence.FIGURES, *evidence.CHOICES)
        if str(form.get(name, "")).strip()
    }
    async with given.change() as connection:
        await corrections.declare(
            given, connection, user, visit_id, declared, papers=papers, note=note, remote=remote_of(request)
        )
    return done(request, "evidence_declared", f"/ledger/visits/{visit_id}")


def _declared(name: str, text: str) -> str:
    """One typed field, checked. Raises Problem."""
    if name in evidence.CHOICES:
        if text not in set(evidence.CHOICES[name]):
            raise Problem("invalid", detail=name)
        return text
    return f"{number(text, name):f}"


@router.post("/ledger/visits/{visit_id}/correction")
async def correct(
    request: Request, visit_id: str, user: Keeper, given: Given, added_kg: Text, why: Text = ""
) -> Response:
    """A visit owes more or less than was posted."""
    added_g = half_up(exact(number(added_kg, "added_kg")) * 1000)
    await corrections.correct(given, actor_of(user, request), visit_id, added_g=added_g, why=why)
    return done(request, "visit_corrected", f"/ledger/visits/{visit_id}")
