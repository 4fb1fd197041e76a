"""Rules of retention for programs: every dated row, and the change of one rule from a day on."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from cloud_sync.server import auth, retention_rules
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.retention_rules import KEEP_DAYS_MAX, KeepRule, NewKeep
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=f"{API}/retention-rules", tags=["rules"])
Given = Annotated[Services, Depends(services)]
Words = Annotated[str, Field(min_length=1, max_length=500)]


class KeepBody(BaseModel):
    """From `valid_from` on, what the rule applies to stays `keep_days`."""

    valid_from: date
    keep_days: Annotated[int, Field(ge=1, le=KEEP_DAYS_MAX)]
    source: Words
    reason: Words


@router.get("")
async def retention_list(user: auth.RuleReader, given: Given) -> tuple[KeepRule, ...]:
    """How long what stays, with all rows of each rule, the newest first."""
    return await retention_rules.rules(given, given.pool)


@router.post("/{rule_id}", status_code=201)
async def retention_change(
    rule_id: str, body: KeepBody, user: auth.RuleChanger, given: Given, request: Request
) -> KeepRule:
    """Ends the rule's open row and begins a new one."""
    new = NewKeep(rule_id, body.valid_from, body.keep_days, body.source, body.reason)
    return await retention_rules.change(given, actor_of(user, request), new)
