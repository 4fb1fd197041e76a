"""The review desk: the queue with one application beside it, every decision, and the page of one application."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import JSONResponse, Response

from cloud_sync.server import auth
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.carbon import offsets
from cloud_sync.server.console import permits_case, permits_desk, permits_form, permits_views
from cloud_sync.server.console.permits_case import CaseView, Estimate, Known
from cloud_sync.server.console.permits_labels import REFUSE_REASONS, REVOKE_REASONS, reason_text
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, query_of, words_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.papers import facts, issued
from cloud_sync.server.permits import applications, checks, desk, queries, reminding, storing
from cloud_sync.server.permits.records import ApplicationRecord, ApplicationRow
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from cloud_sync.server.store import note_access
from control.permits import rules as keys
from control.permits.application import Remark
from control.permits.rules import PermitRules

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Reader = auth.who_may(Can.READ_APPLICATIONS)
Reviewer = auth.who_may(Can.REVIEW)
Approver = auth.who_may(Can.APPROVE)
Text = Annotated[str, Form(max_length=500)]
Version = Annotated[int, Form()]
# Which application is open beside the queue; "" for none.
Opened = Annotated[str, Form(pattern=r"^(XK-\d{4}-\d{6})?$")]
TABS = ("open", "returned", "done")
REMARK = "remark."
REMARK_CHARS_MAX = 300
DONE_ROWS = 60
REVIEW_ROWS = 200


# ---------------------------------------------------------------- the desk


@router.get("/reviews/count")
async def count(user: Reader, given: Given) -> Response:
    """How many applications wait for the office."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        counts = await queries.review_counts(given.pool, today_from=given.today_from())
    return JSONResponse({"waiting": counts.open}, headers={"Cache-Control": "no-store"})


@router.get("/reviews")
async def reviews(request: Request, user: Reader, given: Given, show: str = "open") -> Response:
    """The queue, with its first application open."""
    tab = show if show in TABS else "open"
    rows = await _rows(given, tab)
    return await _desk(request, user, given, tab, rows, rows[0].application_id if rows else "", picked=False)


async def _rows(given: Services, tab: str) -> tuple[ApplicationRow, ...]:
    async with asyncio.timeout(READ_TIMEOUT_S):
        return await queries.reviews(given.pool, tab=tab, limit=DONE_ROWS if tab == "done" else REVIEW_ROWS)


async def _desk(
    request: Request,
    user: auth.CurrentUser,
    given: Services,
    tab: str,
    rows: tuple[ApplicationRow, ...],
    application_id: str,
    *,
    picked: bool,
) -> Response:
    words = words_of(request)
    async with asyncio.timeout(READ_TIMEOUT_S):
        case = await _case(request, user, given, application_id) if application_id else None
        counts = await queries.review_counts(given.pool, today_from=given.today_from())
        today = await desk.today(given.pool, given.today_from())
        pending = await _pending(words, user, given)
        terms = permits_desk.terms(words, await queries.reminders(given.pool, office=True))
    ids = [row.application_id for row in rows]
    at = ids.index(application_id) if application_id in ids else -1
    return await desk_page(
        request,
        "reviews.html",
        user=user,
        show=tab,
        tabs=permits_desk.tabs(words, counts),
        queue=permits_desk.queue(words, rows),
        case=case,
        picked=picked,
        pending=pending,
        terms=terms,
        unseen_count=sum(not one.is_seen for one in terms),
        overdue_count=sum(one.is_overdue for one in terms),
        sorted_line=permits_desk.sorted_line(words, tab),
        empty_line=permits_desk.empty_line(words, tab),
        today_line=permits_desk.today_line(words, today),
        next_href=_href(ids[at + 1], tab) if 0 <= at < len(ids) - 1 else "",
        previous_href=_href(ids[at - 1], tab) if at > 0 else "",
        refuse_reasons=[(code, words.gettext(text)) for code, text in REFUSE_REASONS.items()],
        reviews_count=counts.open,
    )


def _href(application_id: str, tab: str) -> str:
    return f"/reviews/{application_id}?{query_of(show=tab)}"


@router.get("/reviews/{application_id}")
async def review(request: Request, application_id: str, user: Reader, given: Given, show: str = "") -> Response:
    """The queue, with one application open."""
    tab = show if show in TABS else "open"
    return await _desk(request, user, given, tab, await _rows(given, tab), application_id, picked=True)


async def _case(request: Request, user: auth.CurrentUser, given: Services, application_id: str) -> CaseView:
    """One application for this reader; that it was opened is audited. Raises Problem `not_found`."""
    words, now = words_of(request), given.clock()
    record = await queries.application(given.pool, application_id, now=now, zone=given.config.zone)
    if record is None:
        raise Problem("not_found")
    await note_access(given, actor_of(user, request), "application_opened", ("application", application_id))
    rules = await _rules(given, record)
    acts = permits_case.acts_of(record, user, rules, now)
    return permits_case.case_view(words, record, user, acts, await _known(words, given, record, rules))


async def _rules(given: Services, record: ApplicationRecord) -> PermitRules:
    return (await storing.book(given.pool)).of(permits_case.application_of(record), given)


async def _known(words: Words, given: Services, record: ApplicationRecord, rules: PermitRules) -> Known:
    """What the server knows beside the application."""
    db, today = given.pool, given.clock().astimezone(given.config.zone).date()
    open_form = record.row.status in ("draft", "submitted", "returned")
    application = permits_case.application_of(record)
    guess = await offsets.estimate(db, record.form, today)
    visits_count, visits = await desk.earlier_visits(db, record.form.plate)
    evidence = await desk.papers_known(db, record.appeal.evidence if record.appeal else ())
    return Known(
        check=await checks.checked(db, given, application) if open_form else None,
        estimate=None if guess is None else _estimate(words, *guess),
        pooled_g=await offsets.pooled_g(db),
        visits=tuple(permits_case.visit_line(words, one) for one in visits),
        visits_count=visits_count,
        evidence=permits_views.paper_cards(words, evidence, {}),
        evidence_max=rules.count(keys.APPEAL_EVIDENCE_MAX),
        undo_s=int(rules.term(keys.APPROVAL_UNDO).total_seconds()),
    )


def _estimate(words: Words, low_g: int, likely_g: int, high_g: int) -> Estimate:
    how = words.gettext("By the class's standard visit; settled by real fuel after the exit")
    return Estimate(*(permits_views.kilograms(grams) for grams in (likely_g, low_g, high_g)), how)


async def _pending(words: Words, user: auth.CurrentUser, given: Services) -> permits_desk.UndoToast | None:
    if not user.may(Can.REVIEW):
        return None
    now = given.clock()
    rules = (await storing.book(given.pool)).rows.at(now.astimezone(given.config.zone).date())
    undo = rules.term(keys.APPROVAL_UNDO)
    found = await desk.pending(given.pool, user.user_id, now=now, undo=undo)
    return None if found is None else permits_desk.undo_toast(words, found, now=now, total=undo)


@router.post("/reviews/seen")
async def seen(
    request: Request, user: Reviewer, given: Given, key: Text, show: Text = "", opened: Opened = ""
) -> Response:
    """Writes down that somebody has read of a term; it stays until what it is about is done."""
    await reminding.seen(given, user, key)
    tab = _tab(show)
    return done(request, "reminder_seen", _href(opened, tab) if opened else f"/reviews?{query_of(show=tab)}")


# ---------------------------------------------------------------- decisions


async def _next(given: Services, application_id: str, tab: str) -> str:
    """Where the desk goes on after this application is decided."""
    ids = [row.application_id for row in await _rows(given, tab)]
    at = ids.index(application_id) if application_id in ids else -1
    rest = [*ids[at + 1 :], *reversed(ids[:at])] if at >= 0 else ids
    return _href(rest[0], tab) if rest else f"/reviews?{query_of(show=tab)}"


def _tab(show: str) -> str:
    return show if show in TABS else "open"


@router.post("/reviews/{application_id}/approve")
async def approve(
    request: Request, application_id: str, user: Reviewer, given: Given, version: Version, show: Text = ""
) -> Response:
    """The first or the second approval."""
    href = await _next(given, application_id, _tab(show))
    record = await applications.approve(given, user, application_id, version=version, remote=remote_of(request))
    last = record.row.status == "approved"
    return done(request, "permit_approved" if last else "permit_approved_first", href)


@router.post("/reviews/{application_id}/undo")
async def undo(request: Request, application_id: str, user: Reviewer, given: Given) -> Response:
    """Takes one's own approval back while its seconds run."""
    await applications.undo_approval(given, user, application_id, remote=remote_of(request))
    return done(request, "approval_undone", _href(application_id, "open"))


@router.post("/reviews/{application_id}/refuse")
async def refuse(
    request: Request,
    application_id: str,
    user: Reviewer,
    given: Given,
    version: Version,
    reason_code: Text = "",
    note: Text = "",
    show: Text = "",
) -> Response:
    """Refuses with a reason from the list, a text, or both."""
    reason = reason_text(words_of(request), REFUSE_REASONS, reason_code, note)
    href = await _next(given, application_id, _tab(show))
    await applications.refuse(given, user, application_id, reason=reason, version=version, remote=remote_of(request))
    return done(request, "permit_refused", href)


@router.post("/reviews/{application_id}/return")
async def send_back(
    request: Request, application_id: str, user: Reviewer, given: Given, version: Version, show: Text = ""
) -> Response:
    """Returns it with the remarks that stand beside the fields."""
    remarks = _remarks((await request.form()).multi_items())
    href = await _next(given, application_id, _tab(show))
    await applications.send_back(
        given, user, application_id, remarks=remarks, version=version, remote=remote_of(request)
    )
    return done(request, "permit_returned", href)


def _remarks(items: list[tuple[str, Any]]) -> tuple[Remark, ...]:
    typed = ((name.removeprefix(REMARK), text) for name, text in items if name.startswith(REMARK))
    kept = ((field, text.strip()[:REMARK_CHARS_MAX]) for field, text in typed if isinstance(text, str))
    return tuple(Remark(field[:64], text) for field, text in kept if text)


@router.post("/reviews/{application_id}/decide-appeal/{answer}")
async def decide_appeal(
    request: Request,
    application_id: str,
    answer: str,
    user: Approver,
    given: Given,
    version: Version,
    note: Text = "",
) -> Response:
    """Grants or rejects an appeal, with a reason."""
    if answer not in ("grant", "reject"):
        raise Problem("not_found")
    record = await applications.decide_appeal(
        given,
        user,
        application_id,
        granted=answer == "grant",
        reason=note,
        version=version,
        remote=remote_of(request),
    )
    code = "permit_appeal_rejected" if answer == "reject" else "permit_appeal_granted"
    if record.row.status == "appealed":
        code = "permit_appeal_granted_first"
    return done(request, code, f"/applications/{application_id}")


# ---------------------------------------------------------------- one application


@router.get("/applications/{application_id}")
async def application(request: Request, application_id: str, user: Reader, given: Given) -> Response:
    """Everything about one application and its permit."""
    words = words_of(request)
    async with asyncio.timeout(READ_TIMEOUT_S):
        case = await _case(request, user, given, application_id)
        pending = await _pending(words, user, given)
        may_certify = user.may(Can.KEEP_LEDGER) and await facts.is_neutral(given.pool, application_id)
        papers = await issued.listed(given, user, kind="neutralisation", subject=application_id, limit=2)
    return await desk_page(
        request,
        "application.html",
        user=user,
        case=case,
        may_certify=may_certify,
        certified=papers.items,
        pending=pending if pending is not None and pending.application_id == application_id else None,
        back_href="/reviews",
        back_text=words.gettext("Review of permits"),
        revoke_reasons=[(code, words.gettext(text)) for code, text in REVOKE_REASONS.items()],
    )


@router.post("/applications/{application_id}/revoke")
async def revoke(
    request: Request,
    application_id: str,
    user: Reviewer,
    given: Given,
    version: Version,
    reason_code: Text = "",
    note: Text = "",
) -> Response:
    """Takes the permit back, with a reason."""
    reason = reason_text(words_of(request), REVOKE_REASONS, reason_code, note)
    await applications.revoke(given, user, application_id, reason=reason, version=version, remote=remote_of(request))
    return done(request, "permit_revoked", f"/applications/{application_id}")


@router.post("/applications/{application_id}/appeal")
async def appeal(
    request: Request, application_id: str, user: Reviewer, given: Given, version: Version, note: Text = ""
) -> Response:
    """Writes down an appeal that came to the office, with the papers that came with it."""
    await applications.appeal(
        given,
        user,
        application_id,
        reason=note,
        evidence=permits_form.evidence_of(await request.form()),
        version=version,
        remote=remote_of(request),
    )
    return done(request, "permit_appeal_recorded", f"/applications/{application_id}")
