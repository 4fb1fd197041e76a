"""The office's desk of points: owns the pages of the day with what is held, of appeals, and of the methods in force."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth, rule_books, store
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console import points_views
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.points_desk import (
    REFUSE_REASON,
    RELEASE_REASON,
    facts,
    held_line,
    held_view,
    neighbours,
    reason_text,
    said,
)
from cloud_sync.server.console.render import READ_TIMEOUT_S, done, page, query_of, words_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.form_values import whole
from cloud_sync.server.paging import cursor_of
from cloud_sync.server.people import members
from cloud_sync.server.points import desk, desk_figures, queries, reviews, ways
from cloud_sync.server.points.desk_figures import SceneFigures
from cloud_sync.server.points.desk_records import AppealRecord, HeldRecord
from cloud_sync.server.points.parts import day_of
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.points import rules as keys
from control.points.methodology import Methodology, MethodologySet

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=400)]
PointReader = auth.who_may(Can.READ_POINTS)
PointKeeper = auth.who_may(Can.KEEP_POINTS)
DAYS_SHOWN = 30
AROUND = timedelta(hours=24)
AROUND_ACTS = 60
# A release may be taken back from here for as long; afterwards it is a reversal of the person's entry.
UNDO = timedelta(minutes=10)
APPEAL_STATE = {"open": N_("Undecided"), "granted": N_("Points given"), "refused": N_("Refused")}
METHOD_FIGURE = {"baseline": N_("Baseline"), "project": N_("With the act"), "grams": N_("Reduced")}


@router.get("/points")
async def points(
    request: Request, user: PointReader, given: Given, event: str = "", cursor: str = "", released: str = ""
) -> Response:
    """Today's figures, thirty days, and what waits for a look; one of it with its evidence."""
    words, today = words_of(request), day_of(given, given.clock())
    async with asyncio.timeout(READ_TIMEOUT_S):
        figures = await desk_figures.day_figures(given.pool, today)
        days = await desk_figures.daily_points(given.pool, today, days=DAYS_SHOWN)
        found = await desk.held(given.pool, cursor=cursor)
        book = await rule_books.methodologies(given.pool)
        open_appeals = await desk.appeals(given.pool)
        undo = await _undo(given, user, released)
    chosen = next((one for one in found.held if one.event.event_id == event), found.held[0] if found.held else None)
    lines = [held_line(words, one) for one in found.held]
    before, after = neighbours(lines, chosen.event.event_id) if chosen else ("", "")
    return page(
        request,
        "points.html",
        user=user,
        today=figures,
        days=points_views.day_chart(words, days),
        held=lines,
        next_cursor=found.next_cursor,
        one=await _opened(request, user, given, chosen, book) if chosen else None,
        next_href=_held_href(after, cursor),
        previous_href=_held_href(before, cursor),
        cursor=cursor,
        scenes=[_scene_row(words, one, book.at(today)) for one in figures.scenes],
        appeals_count=len(open_appeals),
        undo=undo,
        release_reasons=_choices(words, RELEASE_REASON),
        refuse_reasons=_choices(words, REFUSE_REASON),
        carbon=points_views.carbon,
    )


async def _undo(given: Services, user: auth.CurrentUser, released: str) -> str:
    """The event whose release this person may take back at once, or empty."""
    since = given.clock() - UNDO
    there = released and await desk_figures.released_entry(given.pool, released[:64], user.username, since)
    return released[:64] if there else ""


async def _opened(
    request: Request, user: auth.CurrentUser, given: Services, held: HeldRecord, book: MethodologySet
) -> Any:
    """A held event with the person's acts around it. That it was opened leaves a row."""
    event = held.event
    actor = actor_of(user, request)
    await store.note_access(given, actor, "points_opened", ("person", event.person), what={"event": event.event_id})
    until = event.claimed_at + AROUND
    around = await queries.events(given.pool, event.person, cursor=cursor_of(until, ""), limit=AROUND_ACTS)
    near = [one for one in around.events if abs(one.ended_at - event.ended_at) < AROUND and one.state != "refused"]
    on_the_day = await ways.ways_on(given.pool, day_of(given, event.ended_at))
    names = await _names(request, given)
    rows = held.event.formula.row_ids if held.event.formula else ()
    limits = next((row.limits for row in book.rows if row.row_id in rows), None)
    return held_view(words_of(request), held, near, on_the_day, now=given.clock(), names=names, limits=limits)


async def _names(request: Request, given: Services) -> dict[str, str]:
    """What devices and merchants are called."""
    chinese = words_of(request).language == "zh"
    orgs = await members.organisations(given.pool, kind=members.OrganisationKind.MERCHANT)
    names = {one.org_id: one.name if chinese or not one.name_en else one.name_en for one in orgs}
    return names | await desk_figures.device_names(given.pool)


def _held_href(event_id: str, cursor: str) -> str:
    return f"/points?{query_of(event=event_id, cursor=cursor)}" if event_id else ""


def _choices(words: Words, table: dict[str, str]) -> list[tuple[str, str]]:
    return [(code, words.gettext(text)) for code, text in table.items()]


def _scene_row(words: Words, one: SceneFigures, methods: Any) -> dict[str, Any]:
    cap_g = max((row.cap_day_g for row in methods.values() if row.scene.value == one.key), default=0)
    return {
        "icon": points_views.scene_icon(one.key),
        "scene": said(words, one.scene),
        "events": one.acts,
        "people": one.people,
        "points": one.points,
        "held": one.held_points,
        "most_g": one.most_g,
        "cap_g": cap_g,
    }


@router.post("/points/reviews/{event_id}/undo")
async def take_back(request: Request, event_id: str, user: PointKeeper, given: Given) -> Response:
    """Takes one's own fresh release back by a reversal."""
    found = await desk_figures.released_entry(given.pool, event_id, user.username, given.clock() - UNDO)
    if found is None:
        raise Problem("not_found")
    actor = actor_of(user, request)
    await reviews.reverse(given, actor, user, *found, why="Release taken back at once")
    return done(request, "points_taken_back", "/points")


@router.post("/points/reviews/{event_id}/{act}")
async def decide(
    request: Request, event_id: str, act: str, user: PointKeeper, given: Given, reason_code: Text = "", note: Text = ""
) -> Response:
    """Releases or refuses what is held, with a reason."""
    if act not in ("release", "refuse"):
        raise Problem("not_found")
    release = act == "release"
    why = reason_text(RELEASE_REASON if release else REFUSE_REASON, reason_code, note)
    if not why:
        raise Problem("reason_missing")
    await reviews.decide(given, actor_of(user, request), user, event_id, release=release, why=why)
    href = f"/points?{query_of(released=event_id)}" if release else "/points"
    return done(request, "points_released" if release else "points_refused", href)


# ---------------------------------------------------------------- appeals


@router.get("/points/appeals")
async def appeals(request: Request, user: PointReader, given: Given, appeal: str = "", show: str = "open") -> Response:
    """What people say against refusals; one of it with what was claimed."""
    words, everything = words_of(request), show == "all"
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await desk.appeals(given.pool, state="" if everything else "open", limit=100)
        names = await _names(request, given)
    chosen = next((one for one in found if one.appeal_id == appeal), found[0] if found else None)
    if chosen:
        actor = actor_of(user, request)
        await store.note_access(given, actor, "points_opened", ("person", chosen.person), what={"appeal": appeal})
    lines = [_appeal(words, one, names) for one in found]
    ids = [one.appeal_id for one in found]
    at = ids.index(chosen.appeal_id) if chosen else 0
    return page(
        request,
        "points_appeals.html",
        user=user,
        appeals=lines,
        one=lines[at] if chosen else None,
        next_href=_appeal_href(ids[at + 1 : at + 2], show),
        previous_href=_appeal_href(ids[max(0, at - 1) : at], show),
        show="all" if everything else "open",
        appeals_count=sum(one.state == "open" for one in found),
    )


def _appeal_href(ids: list[str], show: str) -> str:
    return f"/points/appeals?{query_of(show=show, appeal=ids[0])}" if ids else ""


def _appeal(words: Words, one: AppealRecord, names: dict[str, str]) -> dict[str, Any]:
    return {
        "appeal_id": one.appeal_id,
        "icon": points_views.scene_icon(one.event.key),
        "scene": said(words, one.event.scene),
        "who": points_views.masked(one.person_name),
        "at": one.at,
        "text": one.text,
        "state": one.state,
        "state_word": words.gettext(APPEAL_STATE[one.state]),
        "points": one.points,
        "claimed_points": one.event.points,
        "reasons": [said(words, reason) for reason in one.event.reasons],
        "refused_by": one.event.decided_by,
        "facts": facts(words, one.event, names),
        "answer": one.answer,
    }


@router.post("/points/appeals/{appeal_id}/{act}")
async def decide_appeal(
    request: Request, appeal_id: str, act: str, user: PointKeeper, given: Given, answer: Text = "", points: Text = "0"
) -> Response:
    """Gives points or refuses; the answer is what the person reads."""
    if act not in ("grant", "refuse"):
        raise Problem("not_found")
    given_points = whole(points, "points") if act == "grant" else 0
    if act == "grant" and not given_points:
        raise Problem("invalid", detail="points")
    actor = actor_of(user, request)
    await reviews.decide_appeal(given, actor, user, appeal_id, points=given_points, answer=answer)
    return done(request, "appeal_granted" if given_points else "appeal_refused", "/points/appeals")


# ---------------------------------------------------------------- methods


@router.get("/points/methods")
async def methods_page(request: Request, user: PointReader, given: Given) -> Response:
    """Every method in force with formula, figures and sources; they are changed in the rule books."""
    words, today = words_of(request), day_of(given, given.clock())
    async with asyncio.timeout(READ_TIMEOUT_S):
        book = await rule_books.methodologies(given.pool)
        rules = (await rule_books.point_rules(given.pool)).at(today)
    return page(
        request,
        "points_methods.html",
        user=user,
        day=today.isoformat(),
        grams_per_point=rules.value(keys.GRAMS_PER_POINT),
        methods=[_method(words, row) for row in book.at(today).values()],
    )


def _method(words: Words, row: Methodology) -> dict[str, Any]:
    shown = points_views.figures(row)
    return {
        "row_id": row.row_id,
        "version": row.version,
        "icon": points_views.scene_icon(row.key),
        "name": row.name_zh if words.language == "zh" else row.name_en,
        "formula": points_views.formula(words, row),
        "figures": [
            (words.gettext(METHOD_FIGURE[name]), value, source, policy) for name, value, source, policy in shown
        ],
        "limits": _limits(words, row),
    }


def _limits(words: Words, row: Methodology) -> list[tuple[str, str]]:
    _ = words.gettext
    found = [
        (_("A day at most"), f"{words.number(row.cap_day_g)} g"),
        (_("Times a day"), words.number(row.limits.acts_day_max)),
        (_("Claim within"), _("%(n)d h") % {"n": row.claim_window_h}),
    ]
    if row.limits.speed_max_kmh is not None:
        found.append((_("Speed up to"), f"{points_views.exact(row.limits.speed_max_kmh)} km/h"))
    kinds = sorted(points_views.evidence_word(words, one.value) for one in row.evidence)
    return [*found, (_("Evidence"), ", ".join(kinds))]
