"""The page of the rule books: every dated row, what a change would do, the change, and all versions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from cloud_sync.server import auth, rule_books, rule_editing
from cloud_sync.server.api.session import actor_of
from cloud_sync.server.console import rule_texts, rule_words
from cloud_sync.server.console.labels import N_
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, page, query_of, words_of
from cloud_sync.server.form_values import day
from cloud_sync.server.problems import Problem
from cloud_sync.server.rule_books import BookName
from cloud_sync.server.rule_editing import KeyRows, NewRow, Row
from cloud_sync.server.services import Services, services
from control.gate.rules import TREATMENTS

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Text = Annotated[str, Form(max_length=500)]
BOOKS = {
    BookName.PERMITS: N_("Permits"),
    BookName.FACTORS: N_("Emission factors"),
    BookName.POINTS: N_("Points"),
    BookName.METHODOLOGIES: N_("Methodologies"),
    BookName.GATE: N_("Gate"),
}
STATES = {
    "in_force": ("admit", "circle-check", N_("Holds now")),
    "coming": ("permit", "clock", N_("Coming")),
    "over": ("stale", "circle", N_("Over")),
}
_FIELD = "field."


@dataclass(frozen=True, slots=True)
class Group:
    """The keys that belong together, under one heading."""

    name: str
    keys: tuple[KeyRows, ...]


def common(request: Request, book: BookName | None) -> dict[str, Any]:
    """What the pages of books share; None is the page of retention."""
    words = words_of(request)
    spoken = ("rule_name", "rule_field", "rule_unit", "rule_value")
    return {
        "book": book.value if book else "",
        "books": [(code.value, words.gettext(text)) for code, text in BOOKS.items()],
        "states": {code: (tone, icon, words.gettext(text)) for code, (tone, icon, text) in STATES.items()},
        "rule_text": lambda text: rule_texts.rule_text(words, text),
        **{name: _spoken(words, name) for name in spoken},
    }


def _spoken(words: Any, name: str) -> Any:
    return lambda text: getattr(rule_words, name)(words, text)


@router.get("/rule-books")
async def rule_book(
    request: Request,
    user: auth.RuleReader,
    given: Given,
    book: BookName = BookName.PERMITS,
    key: str = "",
    q: str = "",
) -> Response:
    """One book: its keys at the left, the rows of one key and the next row's form at the right."""
    today = given.today_from().date()
    async with asyncio.timeout(READ_TIMEOUT_S):
        keys = await rule_editing.keys_of(given.pool, book, today=today)
        number = await rule_books.newest_number(given.pool, book)
    groups = _groups(request, keys, q.strip())
    shown = [one for group in groups for one in group.keys]
    picked = next((one for one in keys if one.key == key), shown[0] if shown else None)
    return await desk_page(
        request,
        "rule_books.html",
        user=user,
        groups=groups,
        picked=picked,
        q=q,
        number=number,
        count=len(shown),
        options=sorted(TREATMENTS[picked.key]) if picked and picked.key in TREATMENTS else (),
        choices=rule_words.list_choices(words_of(request), picked.key) if picked else (),
        chosen=[one.strip() for one in picked.rows[0].value.split(",")] if picked else (),
        nothing=rule_words.empty_list(picked.key) if picked else "",
        today=today,
        earliest=_earliest(picked, today) if picked else today,
        **common(request, book),
    )


def _groups(request: Request, keys: tuple[KeyRows, ...], q: str) -> list[Group]:
    words, wanted = words_of(request), q.casefold()
    by_name: dict[str, list[KeyRows]] = {}
    for one in keys:
        said = f"{one.key} {rule_words.rule_name(words, one.key)} {one.now.source}".casefold()
        if wanted in said:
            by_name.setdefault(rule_words.rule_group(words, one.key), []).append(one)
    return [Group(name if len(of_name) > 1 else "", tuple(of_name)) for name, of_name in by_name.items()]


def _earliest(picked: KeyRows, today: date) -> date:
    """The first day from which a new row may hold: today, or the day after the newest row begins."""
    newest: Row = picked.rows[0]
    return max(today, newest.valid_from + timedelta(days=1))


@router.get("/rule-books/versions")
async def versions(
    request: Request, user: auth.RuleReader, given: Given, book: BookName = BookName.PERMITS
) -> Response:
    """Who changed a book, when and why."""
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await rule_editing.versions(given.pool, book)
    return await desk_page(request, "rule_versions.html", user=user, versions=found, **common(request, book))


async def _new_row(request: Request, key: str, valid_from: str, value: str | None, source: str, why: str) -> NewRow:
    form = await request.form()
    values = {name.removeprefix(_FIELD): str(text) for name, text in form.items() if name.startswith(_FIELD)}
    if value is not None:
        # A list comes as what stands for nothing, then each that was chosen.
        given = [str(one) for one in form.getlist("value")]
        values["value"] = ", ".join(given[1:] or given)
    return NewRow(key, day(valid_from, "valid_from"), values, source, why)


@router.post("/rule-books/{book}/preview")
async def preview(
    request: Request,
    book: BookName,
    user: auth.RuleChanger,
    given: Given,
    key: Text,
    valid_from: Text = "",
    value: Annotated[str | None, Form(max_length=500)] = None,
    source: Text = "",
    why: Text = "",
    version: Annotated[int | None, Form(ge=0, le=1_000_000)] = None,
) -> Response:
    """What the row would change, as a piece of the page; a reason is asked for when it is written."""
    new = await _new_row(request, key, valid_from, value, source, why or "?")
    actor = actor_of(user, request)
    try:
        shown = await rule_editing.preview(given, given.pool, actor, book, new, expected=version)
        problem = ""
    except Problem as raised:
        language = words_of(request).language
        shown, problem = None, raised.sentence(language)
        detail = str(raised.more.get("why_zh" if language == "zh" else "why_en", ""))
    else:
        detail = ""
    return page(
        request,
        "_rule_preview.html",
        user=user,
        shown=shown,
        problem=problem,
        detail=detail,
        **common(request, book),
    )


@router.post("/rule-books/{book}")
async def change(
    request: Request,
    book: BookName,
    user: auth.RuleChanger,
    given: Given,
    key: Text,
    valid_from: Text = "",
    value: Annotated[str | None, Form(max_length=500)] = None,
    source: Text = "",
    why: Text = "",
    version: Annotated[int | None, Form(ge=0, le=1_000_000)] = None,
) -> Response:
    """Ends the open row and begins the new one."""
    new = await _new_row(request, key, valid_from, value, source, why)
    await rule_editing.change(given, actor_of(user, request), book, new, expected=version)
    return done(request, "rule_written", f"/rule-books?{query_of(book=book.value, key=key)}")
