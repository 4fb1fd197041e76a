"""The office's and the engineers' pages: watch list, rules, gateways, audit trail."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth, queries, store
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console import labels
from cloud_sync.server.console.pages_gate import lane_labels
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, words_of
from cloud_sync.server.console.rules import rule_lines
from cloud_sync.server.console.words import Words
from cloud_sync.server.form_values import local_time
from cloud_sync.server.problems import Problem
from cloud_sync.server.services import Services, services
from control.domain.permits import WatchEffect

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=500)]
AUDIT_ROWS = 100


def _choices(request: Request, table: dict[str, str]) -> list[tuple[str, str]]:
    words = words_of(request)
    return [(code, words.gettext(text)) for code, text in table.items()]


# ---------------------------------------------------------------- watch list


@router.get("/watch")
async def watch(request: Request, user: auth.GateViewer, given: Given, show: str = "active") -> Response:
    """Plates that are blocked, pointed out, or always let in."""
    now = given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await queries.watch_list(given.pool, now=now, active_only=show != "all")
    return await desk_page(
        request,
        "watch.html",
        user=user,
        entries=found,
        show="all" if show == "all" else "active",
        effects=_choices(request, labels.EFFECT),
    )


@router.post("/watch")
async def add_watch(
    request: Request,
    user: auth.ListKeeper,
    given: Given,
    plate: Text,
    effect: Text,
    reason: Text = "",
    valid_until: Text = "",
) -> Response:
    """Puts a plate on a list."""
    if effect not in set(WatchEffect):
        raise Problem("invalid", detail="effect")
    await store.add_watch(
        given,
        actor_of(user, request),
        plate=plate,
        effect=WatchEffect(effect),
        reason=reason,
        valid_until=local_time(valid_until, given.config.zone, "valid_until"),
    )
    return done(request, "watch_added", "/watch")


@router.post("/watch/{watch_id}/remove")
async def remove_watch(
    request: Request, watch_id: int, user: auth.ListKeeper, given: Given, why: Text = ""
) -> Response:
    """Takes a plate off its list."""
    await store.remove_watch(given, actor_of(user, request), watch_id, why=why)
    return done(request, "watch_removed", "/watch")


# ---------------------------------------------------------------- rules, gateways, audit


@router.get("/rules")
async def rules(request: Request, user: auth.RuleReader, given: Given) -> Response:
    """The dated rows that the gates decide by; read only."""
    now = given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        published = await queries.rule_rows(given.pool, now=now)
    return await desk_page(
        request,
        "rules.html",
        user=user,
        lines=rule_lines(words_of(request), published, now),
        published=bool(published),
    )


@router.get("/gateways")
async def gateways(request: Request, user: auth.GateViewer, given: Given) -> Response:
    """Every gateway: live or not, backlog, versions, disk, pictures, alarms."""
    now = given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await queries.gateways(given.pool, now=now)
        alarms = await queries.alarms(given.pool, limit=30)
        lanes = await queries.lanes(given.pool, now=now)
    return await desk_page(
        request,
        "gateways.html",
        user=user,
        gateways=found,
        alarms=alarms,
        lane_label=lane_labels(request, lanes),
    )


@router.get("/audit")
async def audit(
    request: Request,
    user: auth.AuditReader,
    given: Given,
    by: str = "",
    action: str = "",
    subject: str = "",
    before: int | None = None,
) -> Response:
    """Who did what, on what, when, and why."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        rows = await queries.audit(
            given.pool, by=by, action=action, subject_kind=subject, before_id=before, limit=AUDIT_ROWS
        )
    return await desk_page(
        request,
        "audit.html",
        user=user,
        rows=rows,
        by=by,
        action=action,
        subject=subject,
        actions=_choices(request, labels.AUDIT_ACTION),
        subjects=_choices(request, labels.SUBJECT),
        before=before,
        older=rows[-1].audit_id if len(rows) == AUDIT_ROWS else None,
        changes=partial(changes, words_of(request)),
    )


def changes(words: Words, before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[tuple[str, str, str]]:
    """What changed, field by field: name, before, after."""
    names = dict.fromkeys([*(before or {}), *(after or {})])
    rows = [(name, (before or {}).get(name), (after or {}).get(name)) for name in names]
    return [
        (labels.label(words, "field", name), _shown(words, name, old), _shown(words, name, new))
        for name, old, new in rows
        if old != new
    ]


def _shown(words: Words, name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    table = {"outcome": "outcome", "reason_code": "why", "role": "role", "effect": "effect", "class": "permit_class"}
    if name in table:
        return labels.label(words, table[name], str(value))
    try:
        return words.time(datetime.fromisoformat(value), seconds=False) if "T" in value or "+" in value else value
    except (TypeError, ValueError):
        return str(value)
