"""Rule books for programs: every dated row with source, author and reason, versions, and the change of one row."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from cloud_sync.server import auth, rule_books, rule_editing
from cloud_sync.server.api.address import API
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.rule_books import BookName
from cloud_sync.server.rule_editing import KeyRows, NewRow, Preview, VersionRows
from cloud_sync.server.services import Services, services

router = APIRouter(prefix=f"{API}/rules", tags=["rules"])
Given = Annotated[Services, Depends(services)]
Words = Annotated[str, Field(min_length=1, max_length=500)]


class RowBody(BaseModel):
    """From `valid_from` on, `value` (or a methodology's `fields`) holds. `version` is the one that you looked at."""

    key: Annotated[str, Field(max_length=100)]
    valid_from: date
    value: Annotated[str, Field(max_length=500)] | None = None
    fields: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=500)]] = Field(
        default_factory=dict, max_length=32
    )
    source: Words
    reason: Words
    version: Annotated[int, Field(ge=0, le=1_000_000)] | None = None

    def new_row(self) -> NewRow:
        """As the books take it."""
        values = self.fields | ({} if self.value is None else {"value": self.value})
        return NewRow(self.key, self.valid_from, values, self.source, self.reason)


@router.get("/{book}")
async def book_rows(book: BookName, user: auth.RuleReader, given: Given) -> dict[str, Any]:
    """A book: its newest version, and every key with the row in force and all others."""
    keys: tuple[KeyRows, ...] = await rule_editing.keys_of(given.pool, book, today=given.today_from().date())
    return {"book": book, "version": await rule_books.newest_number(given.pool, book), "keys": keys}


@router.get("/{book}/versions")
async def versions(book: BookName, user: auth.RuleReader, given: Given) -> tuple[VersionRows, ...]:
    """Who changed a book, when and why; version 0 ships with the product."""
    return await rule_editing.versions(given.pool, book)


@router.post("/{book}/preview")
async def preview(book: BookName, body: RowBody, user: auth.RuleChanger, given: Given, request: Request) -> Preview:
    """What a change would do."""
    actor = actor_of(user, request)
    return await rule_editing.preview(given, given.pool, actor, book, body.new_row(), expected=body.version)


@router.post("/{book}", status_code=201)
async def change(book: BookName, body: RowBody, user: auth.RuleChanger, given: Given, request: Request) -> Preview:
    """Ends the key's open row and begins a new one."""
    return await rule_editing.change(given, actor_of(user, request), book, body.new_row(), expected=body.version)
