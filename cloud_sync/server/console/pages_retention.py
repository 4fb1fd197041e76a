"""The page of retention: how long what stays, every dated row of a rule, and the form of its next row."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth, retention_rules
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console.pages_rules import common
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, query_of, words_of
from cloud_sync.server.console.rule_words import retention_name
from cloud_sync.server.form_values import day
from cloud_sync.server.retention_rules import KEEP_DAYS_MAX, NewKeep
from cloud_sync.server.services import Services, services

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=500)]


@router.get("/rule-books/retention")
async def retention(request: Request, user: auth.RuleReader, given: Given, rule: str = "") -> Response:
    """The rules at the left, the rows of one and its form at the right."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await retention_rules.rules(given, given.pool)
    picked = next((one for one in found if one.rule_id == rule), found[0] if found else None)
    today = given.today_from().date()
    words = words_of(request)
    return await desk_page(
        request,
        "retention.html",
        user=user,
        rules=found,
        picked=picked,
        earliest=max(today, picked.rows[0].valid_from + timedelta(days=1)) if picked else today,
        keep_days_max=KEEP_DAYS_MAX,
        retention_name=lambda rule_id: retention_name(words, rule_id),
        **common(request, None),
    )


@router.post("/rule-books/retention")
async def change(
    request: Request,
    user: auth.RuleChanger,
    given: Given,
    rule: Text,
    keep_days: Annotated[int, Form()],
    valid_from: Text = "",
    source: Text = "",
    why: Text = "",
) -> Response:
    """Ends the open row and begins the new one."""
    new = NewKeep(rule, day(valid_from, "valid_from"), keep_days, source, why)
    await retention_rules.change(given, actor_of(user, request), new)
    return done(request, "rule_written", f"/rule-books/retention?{query_of(rule=rule)}")
