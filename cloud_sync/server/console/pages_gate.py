"""The gate's pages: live, one passage, all passages, lanes; and what a guard does on them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from cloud_sync.server import auth, queries, store
from cloud_sync.server.api.passages import filter_words, opened_detail
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.console import keys, labels, reading, views
from cloud_sync.server.console.landing import landing_of
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, page, query_of, words_of
from cloud_sync.server.form_values import local_time
from cloud_sync.server.problems import Problem
from cloud_sync.server.records import CommandRecord, Hold, PassageDetail, PassageFilter, PassageRecord, PermitRecord
from cloud_sync.server.services import Services, services
from control.domain.passages import Outcome

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
PASSED_ROWS = 40
RESULTS = {
    "admit": ("admit",),
    "permit": ("admit_under_permit",),
    "hold": ("hold",),
    "refuse": ("refuse",),
}


@dataclass(frozen=True, slots=True)
class HeldCard:
    """A waiting vehicle with the question, the permit that fits, and what became of the last order."""

    passage: PassageRecord
    question: reading.Question | None
    permit: PermitRecord | None
    readings: tuple[str, ...]
    command: CommandRecord | None
    pending: bool


async def _card(given: Services, hold: Hold, now: datetime) -> HeldCard:
    record = hold.passage
    permits = await queries.possible_permits(given.pool, record.plate, record.suggestions, now=now)
    asked = reading.question(record, permits)
    return HeldCard(
        record,
        asked,
        reading.fitting_permit(record, permits, asked),
        reading.likely_readings(record, asked),
        hold.command,
        is_pending(hold.command, now),
    )


def is_pending(command: CommandRecord | None, now: datetime) -> bool:
    """Whether an order is on its way and may still be carried out."""
    return command is not None and command.result is None and command.expires_at > now


@router.get("/")
async def home(user: auth.AnyPerson) -> Response:
    """Each role begins its day elsewhere."""
    return RedirectResponse(landing_of(user.role), status_code=303)


@router.get("/live")
async def live(request: Request, user: auth.GateViewer, given: Given, lane: str = "", show: str = "") -> Response:
    """Who waits, what the lanes do, who just passed."""
    now = given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        waiting = await queries.holds(given.pool, now=now)
        shown = [hold for hold in waiting if not lane or hold.passage.lane_id == lane]
        cards = [await _card(given, hold, now) for hold in shown[:12]]
        cards += [HeldCard(hold.passage, None, None, (), hold.command, False) for hold in shown[12:]]
        lanes = await queries.lanes(given.pool, now=now)
        wanted = PassageFilter(lane_id=lane, manual=show == "manual", outcomes=("refuse",) if show == "refused" else ())
        passed = await queries.search(given.pool, wanted, limit=PASSED_ROWS + len(waiting))
        stats = await queries.gate_stats(given.pool, now=now, today_from=given.today_from())
    items = [one for one in passed.items if not one.waiting][:PASSED_ROWS]
    return page(
        request,
        "live.html",
        user=user,
        holds=cards,
        holds_count=len(waiting),
        lanes=lanes,
        lane_label=lane_labels(request, lanes),
        lane_id=lane,
        show=show if show in ("manual", "refused") else "",
        passed=items,
        stats=stats,
        dots=views.hour_dots(words_of(request), stats),
        last_mine=next((one.arrival_id for one in items if one.guard_by == user.username), ""),
        record_quad=reading.quad_of_record,
        **reason_tables(request),
    )


def lane_labels(request: Request, lanes: Any) -> Any:
    """A lookup from lane ids to names."""
    words = words_of(request)
    names = {lane.lane_id: views.lane_name(words, lane) for lane in lanes}
    return lambda lane_id: names.get(lane_id, lane_id)


def reason_tables(request: Request) -> dict[str, Any]:
    """The reasons a person may give."""
    words = words_of(request)

    def table(entries: dict[str, str]) -> list[tuple[str, str]]:
        return [(code, words.gettext(text)) for code, text in entries.items()]

    return {
        "admit_reasons": table(labels.ADMIT_REASON),
        "refuse_reasons": table(labels.REFUSE_REASON),
        "revise_reasons": table(labels.REVISE_REASON),
    }


# ---------------------------------------------------------------- one passage


@router.get("/passages/{arrival_id}")
async def passage(request: Request, arrival_id: str, user: auth.GateViewer, given: Given) -> Response:
    """Evidence, reading, reasons, permits, history, and the keys to decide. That it was opened is audited."""
    now = given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        if request.headers.get("x-refresh"):
            detail = await queries.passage_detail(given.pool, arrival_id, now=now)
            if detail is None:
                raise Problem("not_found")
        else:
            detail = await opened_detail(given, user, arrival_id, remote=remote_of(request))
        waiting = await queries.holds(given.pool, now=now)
        lanes = await queries.lanes(given.pool, now=now)
    record = detail.passage
    asked = reading.question(record, detail.possible_permits)
    return page(
        request,
        "passage.html",
        user=user,
        detail=detail,
        q=asked,
        permit=reading.fitting_permit(record, detail.possible_permits, asked) if record.waiting else None,
        readings=reading.likely_readings(record, asked),
        holds_count=len(waiting),
        lane_label=lane_labels(request, lanes),
        record_quad=lambda _: reading.quad_of(detail.reading),
        notes=[one for one in detail.audit if one.action == "note_added"],
        frames=[one for one in detail.media if one.role == "frame" and one.available],
        **_confidences(detail),
        **_neighbours(arrival_id, [one.passage.arrival_id for one in waiting]),
        **_order_state(detail, now),
        **_way_back(request, record),
        **reason_tables(request),
    )


def _confidences(detail: PassageDetail) -> dict[str, Any]:
    return {
        "vehicle_confidence": (detail.vehicle or {}).get("confidence"),
        "colour_confidence": (detail.reading or {}).get("colour_confidence"),
    }


def _neighbours(arrival_id: str, waiting: list[str]) -> dict[str, Any]:
    at = waiting.index(arrival_id) if arrival_id in waiting else None
    ahead = waiting[at + 1] if at is not None and at + 1 < len(waiting) else None
    before = waiting[at - 1] if at else None
    return {
        "place": None if at is None else at + 1,
        "waiting_total": len(waiting),
        "next_href": f"/passages/{ahead}" if ahead else "",
        "previous_href": f"/passages/{before}" if before else "",
    }


def _order_state(detail: PassageDetail, now: datetime) -> dict[str, Any]:
    last = detail.commands[-1] if detail.commands else None
    pending = is_pending(last, now)
    failed = (last.result or "expired") if last and not pending and last.result != "done" else ""
    return {"pending": pending, "failed": failed}


def _way_back(request: Request, record: PassageRecord) -> dict[str, str]:
    words = words_of(request)
    if record.waiting:
        return {"section": "/live", "back_href": "/live", "back_text": words.gettext("Live gate")}
    return {"back_href": "/passages", "back_text": words.gettext("Passages")}


# ---------------------------------------------------------------- acts


@router.post("/passages/{arrival_id}/decision")
async def decide(
    request: Request,
    arrival_id: str,
    user: auth.GateDecider,
    given: Given,
    outcome: Annotated[str, Form()],
    reason_code: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    permit_id: Annotated[str, Form()] = "",
    corrected_plate: Annotated[str, Form()] = "",
) -> Response:
    """Orders the gate; the decision stands when the gate's event comes back."""
    if outcome not in set(Outcome):
        raise Problem("invalid", detail="outcome")
    code = reason_code or ("other" if note.strip() else "")
    await store.decide_hold(
        given,
        actor_of(user, request),
        arrival_id,
        outcome=Outcome(outcome),
        reason_code=code,
        note=note,
        permit_id=permit_id or None,
        corrected_plate=corrected_plate or None,
    )
    return done(request, f"ordered_{outcome}", "/live")


@router.post("/passages/{arrival_id}/correction")
async def correct(
    request: Request,
    arrival_id: str,
    user: auth.GateDecider,
    given: Given,
    plate: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Writes what a person reads beside what the camera read."""
    await store.correct_plate(given, actor_of(user, request), arrival_id, plate, note=note)
    return done(request, "corrected", f"/passages/{arrival_id}")


@router.post("/passages/{arrival_id}/revision")
async def revise(
    request: Request,
    arrival_id: str,
    user: auth.GateDecider,
    given: Given,
    outcome: Annotated[str, Form()] = "",
    reason_code: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Writes what the decision should have been."""
    if outcome not in set(Outcome):
        raise Problem("invalid", detail="outcome")
    actor = actor_of(user, request)
    await store.revise(given, actor, arrival_id, outcome=Outcome(outcome), reason_code=reason_code, note=note)
    return done(request, "revised", f"/passages/{arrival_id}")


@router.post("/passages/{arrival_id}/note")
async def note(
    request: Request, arrival_id: str, user: auth.GateDecider, given: Given, note: Annotated[str, Form()] = ""
) -> Response:
    """Free text beside a passage."""
    await store.add_note(given, actor_of(user, request), arrival_id, note)
    return done(request, "noted", f"/passages/{arrival_id}")


# ---------------------------------------------------------------- all passages


@router.get("/passages")
async def passages(request: Request, user: auth.GateViewer, given: Given) -> Response:
    """Search over plate, time, gate, lane and result, page by page."""
    names = ("plate", "from", "until", "gate", "lane", "result", "near", "manual", "cursor")
    params = {name: request.query_params.get(name, "")[:256].strip() for name in names}
    now = given.clock()
    wanted, error = _wanted(request, params)
    async with asyncio.timeout(READ_TIMEOUT_S):
        if params["plate"] and not params["cursor"]:
            actor = actor_of(user, request)
            await store.note_access(given, actor, "passages_searched", ("search", ""), what=filter_words(wanted))
        found = await queries.search(given.pool, wanted, cursor=params["cursor"])
        lanes = await queries.lanes(given.pool, now=now)
        counts = await queries.search_counts(given.pool, wanted)
    return await desk_page(
        request,
        "passages.html",
        user=user,
        params=params,
        error=error,
        page=found,
        lanes=lanes,
        gates=sorted({lane.gate_id for lane in lanes}),
        lane_label=lane_labels(request, lanes),
        filtered=any(value for name, value in params.items() if name != "cursor"),
        segments=_segments(request, counts),
        csv_href=f"/api/v1/passages.csv?{_csv_query(request, wanted)}",
    )


def _segments(request: Request, counts: dict[str, int]) -> list[tuple[str, str, int]]:
    words = words_of(request)
    found = [("", words.gettext("All"), sum(counts.values()))]
    for key, outcomes in RESULTS.items():
        found.append((key, labels.label(words, "outcome", outcomes[0]), sum(counts.get(one, 0) for one in outcomes)))
    return found


def _wanted(request: Request, params: dict[str, str]) -> tuple[PassageFilter, str]:
    """The search, and a sentence for what could not be understood."""
    words = words_of(request)
    try:
        start, end = (local_time(params[name], words.zone, name) for name in ("from", "until"))
    except Problem:
        return PassageFilter(plate=params["plate"]), words.gettext("The time was not understood. Use the picker.")
    return (
        PassageFilter(
            plate=params["plate"],
            near=bool(params["near"]),
            from_at=start,
            until_at=end,
            gate_id=params["gate"],
            lane_id=params["lane"],
            outcomes=RESULTS.get(params["result"], ()),
            manual=bool(params["manual"]),
        ),
        "",
    )


def _csv_query(request: Request, wanted: PassageFilter) -> str:
    values = {
        "plate": wanted.plate,
        "near": "true" if wanted.near else "",
        "manual": "true" if wanted.manual else "",
        "from": wanted.from_at.isoformat() if wanted.from_at else "",
        "until": wanted.until_at.isoformat() if wanted.until_at else "",
        "gate": wanted.gate_id,
        "lane": wanted.lane_id,
        "outcome": wanted.outcomes[0] if wanted.outcomes else "",
        "lang": words_of(request).language,
    }
    return query_of(**values)


@router.get("/find")
async def find(request: Request, user: auth.GateViewer, q: str = "") -> Response:
    """A page's name leads there; anything else is looked for among the plates."""
    text = q.strip()
    for href, _, name, _ in keys.jumps(words_of(request), user):
        if text and text.casefold() in (name.casefold(), href.strip("/")):
            return RedirectResponse(href, status_code=303)
    return RedirectResponse(f"/passages?{query_of(plate=text)}", status_code=303)


# ---------------------------------------------------------------- lanes


@router.get("/lanes")
async def lanes_page(request: Request, user: auth.GateViewer, given: Given) -> Response:
    """Every lane with its devices, and the alarms."""
    now = given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        lanes = await queries.lanes(given.pool, now=now)
        alarms = await queries.alarms(given.pool, limit=60)
    return await desk_page(
        request,
        "lanes.html",
        user=user,
        lanes=lanes,
        alarms=alarms,
        lane_label=lane_labels(request, lanes),
        devices=partial(views.lane_devices, words_of(request)),
    )
