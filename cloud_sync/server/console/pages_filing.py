"""Filing at the office: a new application for somebody, one that is there put right, and a copy of an old one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from cloud_sync.server import auth, queries
from cloud_sync.server.api.session import remote_of
from cloud_sync.server.console import labels, permits_case, permits_form, permits_views
from cloud_sync.server.console.permits_form import Typed
from cloud_sync.server.console.permits_labels import CLASSES, FIELDS, said
from cloud_sync.server.console.render import READ_TIMEOUT_S, desk_page, done, languages_of, page_headers, words_of
from cloud_sync.server.console.words import Words
from cloud_sync.server.permits import applications, checks, desk, storing
from cloud_sync.server.permits import queries as permit_queries
from cloud_sync.server.permits.records import ApplicationRecord
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.domain.permits import PermitClass
from control.domain.plates import PlateColour, Verdict, identify, normalise
from control.permits import rules as keys
from control.permits import words as permit_words
from control.permits.application import Application, Form
from control.permits.form_check import Problem as FieldProblem
from control.permits.rules import PermitRules

router = APIRouter(include_in_schema=False)
Given = Annotated[Services, Depends(services)]
Reviewer = auth.who_may(Can.REVIEW)
# What the server refuses and the person can put right in the form.
_IN_THE_FORM = frozenset({"paper_unknown", "changed_meanwhile", "invalid", "form_has_problems", "step_refused"})
PLATE_CHARS_MAX = 16


# ---------------------------------------------------------------- the plate, while it is typed


@router.get("/reviews/plate")
async def plate_answer(request: Request, user: Reviewer, given: Given, plate: str = "", colour: str = "") -> Response:
    """What is known of a plate: its kind, what speaks against a permit, and its last application."""
    words, text = words_of(request), normalise(plate[:PLATE_CHARS_MAX])
    seen = PlateColour(colour) if colour in set(PlateColour) else PlateColour.UNKNOWN
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await checks.problems(given.pool, given, _unfiled(Form(plate=text, plate_colour=seen)))
        past = await desk.last_application(given.pool, text)
    wrong = [one for one in found if one.field in ("plate", "plate_colour")]
    lines = [("refuse", "octagon-x", said(words, permit_words.sentence(one))) for one in wrong]
    template = languages_of(request)[words.language].templates.get_template("_plate_answer.html")
    html = template.render(
        chip=permits_views.plate_chip(words, text, seen.value, "p28"),
        lines=lines or [_kind_line(words, text, seen)],
        past=past if user.may(Can.READ_APPLICATIONS) else None,
    )
    return Response(html, media_type="text/html", headers=page_headers())


def _kind_line(words: Words, text: str, colour: PlateColour) -> tuple[str, str, str]:
    identity = identify(text, colour)
    if colour is PlateColour.UNKNOWN or identity.verdict is Verdict.UNSURE:
        return "stale", "circle-question-mark", words.gettext("The format is a plate's. Choose its colour to be sure.")
    return "admit", "check", f"{labels.label(words, 'kind', identity.kind.value)} · {words.gettext('in order')}"


# ---------------------------------------------------------------- a new one


@router.get("/reviews/new")
async def new(request: Request, user: Reviewer, given: Given) -> Response:
    """An empty form."""
    return await _form_page(request, user, given, {}, Form())


@router.post("/reviews/new")
async def file_new(request: Request, user: Reviewer, given: Given) -> Response:
    """Keeps a draft, or hands in; what is wrong comes back beside its field."""
    words, data = words_of(request), await request.form()
    typed, wants = permits_form.read(data, given.config.zone), data.get("act") == "submit"
    applicant_id = await _applicant(given, typed.values["applicant"])
    errors = await _errors(words, given, typed, _unfiled(typed.form, applicant_id or ""), check=wants)
    if applicant_id is None:
        errors["applicant"] = [words.gettext("There is no account of this name.")]
    if not errors:
        try:
            record = await applications.create(
                given, user, typed.form, applicant_id=applicant_id or "", remote=remote_of(request)
            )
        except Problem as problem:
            errors = _said_in_form(words, problem)
        else:
            return await _handed_in(request, user, given, record, wants)
    return await _form_page(request, user, given, typed.values, typed.form, errors=errors)


async def _applicant(given: Services, username: str) -> str | None:
    """Whose application it becomes: "" for nobody who has an account, None for a name that is not known."""
    return await desk.applicant_named(given.pool, username) if username else ""


async def _handed_in(
    request: Request, user: auth.CurrentUser, given: Services, record: ApplicationRecord, wants: bool
) -> Response:
    code = "draft_kept"
    if wants:
        code = "application_submitted"
        await applications.submit(
            given, user, record.row.application_id, version=record.row.version, remote=remote_of(request)
        )
    return RedirectResponse(f"/applications/{record.row.application_id}?done={code}", status_code=303)


def _unfiled(form: Form, applicant_id: str = "") -> Application:
    """An application that is not there yet, for the checks."""
    return Application(application_id="", applicant_id=applicant_id, form=form)


async def _errors(
    words: Words, given: Services, typed: Typed, application: Application, *, check: bool
) -> dict[str, list[str]]:
    """Sentences by field: what could not be read, and when it is handed in, whatever is wrong with it."""
    found: list[FieldProblem] = list(typed.problems)
    if check:
        unread = {one.field for one in typed.problems}
        found += [one for one in await checks.problems(given.pool, given, application) if one.field not in unread]
    errors: dict[str, list[str]] = {}
    for one in found:
        errors.setdefault(one.field, []).append(said(words, permit_words.sentence(one)))
    return errors


def _said_in_form(words: Words, problem: Problem) -> dict[str, list[str]]:
    """A refusal of the server as a sentence above the form; what cannot be put right there goes on as a problem."""
    if problem.code not in _IN_THE_FORM:
        raise problem
    why = problem.more.get(f"why_{words.language}", "")
    return {"": [" ".join(part for part in (problem.sentence(words.language), why) if part)]}


# ---------------------------------------------------------------- one that is there


@router.get("/applications/{application_id}/edit")
async def edit(request: Request, application_id: str, user: Reviewer, given: Given) -> Response:
    """The form of a draft or of a returned application, with the remarks beside its fields."""
    record = await _record(given, application_id)
    values = permits_form.texts_of(record.form, given.config.zone)
    return await _form_page(request, user, given, values, record.form, record=record)


@router.post("/applications/{application_id}/edit")
async def save(request: Request, application_id: str, user: Reviewer, given: Given) -> Response:
    """Keeps the changes, and hands in where that is wanted."""
    words, data, record = words_of(request), await request.form(), await _record(given, application_id)
    typed, wants = permits_form.read(data, given.config.zone), data.get("act") == "submit"
    version = str(data.get("version", ""))
    applicant_id = await _applicant(given, "" if record.row.applicant_id else typed.values["applicant"])
    errors = await _errors(words, given, typed, permits_case.application_of(record, form=typed.form), check=wants)
    if applicant_id is None:
        errors["applicant"] = [words.gettext("There is no account of this name.")]
    if not errors:
        try:
            record = await applications.edit(
                given,
                user,
                application_id,
                typed.form,
                version=int(version) if version.isdecimal() else 0,
                remote=remote_of(request),
            )
            if applicant_id:
                record = await applications.assign(
                    given, user, application_id, applicant_id, version=record.row.version, remote=remote_of(request)
                )
        except Problem as problem:
            errors = _said_in_form(words, problem)
        else:
            return await _handed_in(request, user, given, record, wants)
    return await _form_page(request, user, given, typed.values, typed.form, errors=errors, record=record)


async def _record(given: Services, application_id: str) -> ApplicationRecord:
    async with asyncio.timeout(READ_TIMEOUT_S):
        found = await permit_queries.application(given.pool, application_id, now=given.clock(), zone=given.config.zone)
    if found is None:
        raise Problem("not_found")
    return found


@router.post("/applications/{application_id}/copy")
async def copy(request: Request, application_id: str, user: Reviewer, given: Given) -> Response:
    """A new draft with an old form."""
    made = await applications.copy(given, user, application_id, remote=remote_of(request))
    return done(request, "application_copied", f"/applications/{made.row.application_id}/edit")


# ---------------------------------------------------------------- the page


async def _form_page(
    request: Request,
    user: auth.CurrentUser,
    given: Services,
    values: Mapping[str, str],
    form: Form,
    *,
    errors: Mapping[str, Sequence[str]] | None = None,
    record: ApplicationRecord | None = None,
) -> Response:
    words, now = words_of(request), given.clock()
    async with asyncio.timeout(READ_TIMEOUT_S):
        lanes = await queries.lanes(given.pool, now=now)
        rules = (await storing.book(given.pool)).rows.at(now.astimezone(given.config.zone).date())
    found = {name: list(lines) for name, lines in (errors or {}).items()}
    returned = record is not None and record.row.status == "returned"
    return await desk_page(
        request,
        "application_form.html",
        user=user,
        status=422 if found else 200,
        application_id=record.row.application_id if record else "",
        applicant_name=record.row.applicant_name if record else "",
        form_version=record.row.version if record else 0,
        values={"vehicle_type": "unknown", "permit_class": "special", "entry_kind": "single"} | dict(values),
        errors=found,
        error_count=sum(len(lines) for lines in found.values()),
        remarks=permits_views.open_remarks(record) if record and returned else {},
        papers=permits_form.typed_papers(form.papers),
        chosen_gates=form.gates,
        gates=sorted({lane.gate_id for lane in lanes} | set(form.gates)),
        field_names={name: words.gettext(text) for name, text in FIELDS.items() if name}
        | {"applicant": words.gettext("Account of the applicant")},
        needed=_needed(words, rules),
        **_choices(words),
    )


def _needed(words: Words, rules: PermitRules) -> list[tuple[str, str]]:
    """Which papers each class needs."""
    joint = "、" if words.language == "zh" else ", "
    return [
        (
            labels.label(words, "permit_class", kind.value),
            joint.join(said(words, permit_words.PAPER_KINDS[one]) for one in rules.names(keys.papers_key(kind))),
        )
        for kind in PermitClass
    ]


def _choices(words: Words) -> dict[str, Any]:
    """Every list of the form."""

    def table(entries: Mapping[Any, str]) -> list[tuple[str, str]]:
        return [(str(code), words.gettext(text)) for code, text in entries.items()]

    def pairs(entries: Mapping[Any, tuple[str, str]]) -> list[tuple[str, str]]:
        return [(str(code), said(words, pair)) for code, pair in entries.items()]

    colours = table(labels.PLATE_COLOUR)
    return {
        "colours": [*colours[-1:], *colours[:-1]],
        "vehicles": table(labels.VEHICLE),
        "classes": table(CLASSES),
        "drives": pairs(permit_words.DRIVES),
        "purposes": pairs(permit_words.PURPOSES),
        "permit_classes": table(labels.PERMIT_CLASS),
        "entry_kinds": pairs(permit_words.ENTRY_KINDS),
        "paper_kinds": pairs(permit_words.PAPER_KINDS),
    }
