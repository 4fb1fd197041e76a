"""Applications for permits: filled in and handed in by drivers and organisations, judged by the office."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from cloud_sync.server import auth, store
from cloud_sync.server.api.address import API
from cloud_sync.server.api.moments import Moment
from cloud_sync.server.api.session import actor_of, remote_of
from cloud_sync.server.people.idempotency import IdempotencyKey, once
from cloud_sync.server.permits import access, applications, checks, discarding, passes, queries, reminding, storing
from cloud_sync.server.permits.choices import Choices, choices
from cloud_sync.server.permits.records import (
    ApplicationPage,
    ApplicationRecord,
    CheckRecord,
    PassRecord,
    ReminderRecord,
)
from cloud_sync.server.problems import Problem
from cloud_sync.server.roles import Can
from cloud_sync.server.services import Services, services
from control.domain.permits import PermitClass
from control.domain.plates import PlateColour
from control.domain.vehicles import VehicleType
from control.permits.application import Application, Drive, EntryKind, Form, Paper, Purpose, Remark, Status

router = APIRouter(prefix=API, tags=["applications"])
Given = Annotated[Services, Depends(services)]
Reviewer = auth.who_may(Can.REVIEW)
Approver = auth.who_may(Can.APPROVE)
_TEXT = 2000
_NUMBER = r"^XK-[0-9]{4}-[0-9]{6,9}$"
_SHA256 = r"^[0-9a-f]{64}$"


class PaperBody(BaseModel):
    """An uploaded paper; type and size are as they were found at the upload."""

    sha256: str = Field(pattern=_SHA256)
    kind: str = Field(max_length=32)
    name: str = Field(default="", max_length=200)
    valid_until: date | None = None


class FormBody(BaseModel):
    """The form; what is left out stays as it is, or empty in a new one. Consumption in L, kg or m3 per 100 km."""

    plate: str = Field(default="", max_length=16)
    plate_colour: PlateColour = PlateColour.UNKNOWN
    permit_class: PermitClass = PermitClass.SPECIAL
    entry_kind: EntryKind = EntryKind.SINGLE
    entries: int | None = Field(default=None, ge=0, le=100_000)
    vehicle_type: VehicleType = VehicleType.UNKNOWN
    emission_class: str = Field(default="", max_length=64)
    drive: Drive | None = None
    consumption_per_100km: Decimal | None = Field(default=None, max_digits=9, decimal_places=3)
    purpose: Purpose | None = None
    purpose_text: str = Field(default="", max_length=_TEXT)
    gates: tuple[Annotated[str, Field(max_length=32)], ...] = Field(default=(), max_length=16)
    route: str = Field(default="", max_length=_TEXT)
    window_from: Moment | None = None
    window_until: Moment | None = None
    holder: str = Field(default="", max_length=_TEXT)
    papers: tuple[PaperBody, ...] = Field(default=(), max_length=100)

    def over(self, form: Form) -> Form:
        """The form with what was sent laid over it."""
        sent: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "papers" in sent:
            sent["papers"] = tuple(Paper(one.sha256, one.kind, "", 0, one.name, one.valid_until) for one in self.papers)
        return replace(form, **sent)


class NewBody(FormBody):
    """A new draft; the office may say for whom."""

    applicant_id: str = Field(default="", max_length=64)

    def over(self, form: Form) -> Form:
        """The form without whose it is."""
        return FormBody.model_construct(
            _fields_set=self.model_fields_set - {"applicant_id"}, **{n: getattr(self, n) for n in FormBody.model_fields}
        ).over(form)


class EditBody(BaseModel):
    """Changed fields, and the version that they were changed in."""

    version: int = Field(ge=1)
    form: FormBody


class CheckBody(BaseModel):
    """A form that nobody has filed, or the one that an application would have."""

    form: FormBody
    application_id: str = Field(default="", pattern=r"^(XK-[0-9]{4}-[0-9]{6,9})?$")


class VersionBody(BaseModel):
    """The version that the person saw; without it the step is taken on whatever is there."""

    version: int | None = Field(default=None, ge=1)


class ReasonBody(VersionBody):
    """A step with its reason."""

    reason: str = Field(default="", max_length=_TEXT)


class RemarkBody(BaseModel):
    """What has to be changed, beside its field."""

    field: str = Field(default="", max_length=64)
    text: str = Field(max_length=_TEXT)


class ReturnBody(ReasonBody):
    """What has to be changed."""

    remarks: tuple[RemarkBody, ...] = Field(default=(), max_length=50)


class AppealBody(ReasonBody):
    """Why, with papers."""

    evidence: tuple[Annotated[str, Field(pattern=_SHA256)], ...] = Field(default=(), max_length=20)


class DecisionBody(ReasonBody):
    """Whether an appeal is granted."""

    granted: bool


class SeenBody(BaseModel):
    """Which reminder."""

    key: str = Field(min_length=1, max_length=200)


class AssignBody(VersionBody):
    """Whose application it is."""

    applicant_id: str = Field(min_length=1, max_length=64)


async def _readable(
    given: Services, user: auth.CurrentUser, application_id: str, request: Request
) -> ApplicationRecord:
    """One that this person may see; that staff opened it is audited. Raises Problem `not_found`."""
    found = await queries.application(given.pool, application_id, now=given.clock(), zone=given.config.zone)
    if found is None or not access.may_read(user, found.row.applicant_id):
        raise Problem("not_found")
    if found.row.applicant_id not in access.owners_of(user):
        actor = actor_of(user, request)
        await store.note_access(given, actor, "application_opened", ("application", application_id))
    return found


@router.get("/applications")
async def listed(
    user: auth.AnyPerson,
    given: Given,
    request: Request,
    status: Annotated[list[Status] | None, Query()] = None,
    plate: Annotated[str, Query(max_length=16)] = "",
    mine: bool = False,
    cursor: Annotated[str | None, Query(pattern=_NUMBER)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ApplicationPage:
    """Applications, the newest number first: all of them for the office, their own for others."""
    everything = user.may(Can.READ_APPLICATIONS) and not mine
    if everything and plate and not cursor:
        actor = actor_of(user, request)
        await store.note_access(given, actor, "applications_searched", ("search", ""), what={"plate": plate})
    return await queries.listed(
        given.pool,
        statuses=[one.value for one in status or ()],
        owners=None if everything else access.owners_of(user),
        plate=plate,
        cursor=cursor,
        limit=limit,
    )


@router.post("/applications", status_code=201, response_model=ApplicationRecord)
async def create(
    body: NewBody, user: auth.AnyPerson, given: Given, request: Request, key: IdempotencyKey = None
) -> JSONResponse:
    """A new draft. It may be empty; what is missing is said when it is checked or handed in."""
    doing = applications.Doing(user, remote_of(request))
    form = body.over(Form())

    async def act(connection: Any) -> ApplicationRecord:
        made = await applications.create_in(connection, given, doing, form, applicant_id=body.applicant_id)
        found = await queries.application(connection, made, now=given.clock(), zone=given.config.zone)
        assert found is not None
        return found

    answer = await once(given, user.user_id, key, route="POST /applications", act=act, status=201, asked=body)
    return answer.response()


@router.get("/applications/choices")
async def form_choices(_user: auth.AnyPerson, given: Given) -> Choices:
    """What the form may hold today: gates, purposes, classes, papers, limits, with their names."""
    return await choices(given)


@router.post("/applications/check")
async def check_form(body: CheckBody, user: auth.AnyPerson, given: Given) -> CheckRecord:
    """What the automatic checks would find, before anything is filed. So many an hour, as for one that is filed."""
    await checks.count(given, user)
    application = Application(application_id="", applicant_id=access.applicant_id_of(user), form=Form())
    if body.application_id:
        held = await storing.held(given.pool, body.application_id, lock=False)
        if held is None or not access.may_read(user, held.application.applicant_id):
            raise Problem("not_found")
        application = held.application
    application = replace(application, form=body.form.over(application.form))
    return await checks.checked(given.pool, given, application, viewer=user)


@router.get("/applications/{application_id}")
async def one(application_id: str, user: auth.AnyPerson, given: Given, request: Request) -> ApplicationRecord:
    """Everything about one application, with its history and its terms."""
    return await _readable(given, user, application_id, request)


@router.patch("/applications/{application_id}")
async def edit(
    application_id: str, body: EditBody, user: auth.AnyPerson, given: Given, request: Request
) -> ApplicationRecord:
    """Changes fields of a draft or a returned application."""
    held = await storing.held(given.pool, application_id, lock=False)
    if held is None or not access.may_read(user, held.application.applicant_id):
        raise Problem("not_found")
    form = body.form.over(held.application.form)
    return await applications.edit(given, user, application_id, form, version=body.version, remote=remote_of(request))


@router.delete("/applications/{application_id}", status_code=204)
async def discard(application_id: str, user: auth.AnyPerson, given: Given, request: Request) -> None:
    """Throws away a draft of one's own that was never handed in; its papers belong to it no longer."""
    await discarding.discard(given, user, application_id, remote=remote_of(request))


@router.get("/applications/{application_id}/check")
async def check(application_id: str, user: auth.AnyPerson, given: Given) -> CheckRecord:
    """What the automatic checks find now, as far as this person may know it. So many an hour."""
    await checks.count(given, user)
    held = await storing.held(given.pool, application_id, lock=False)
    if held is None or not access.may_read(user, held.application.applicant_id):
        raise Problem("not_found")
    return await checks.checked(given.pool, given, held.application, viewer=user)


@router.post("/applications/{application_id}/submit")
async def submit(
    application_id: str, body: VersionBody, user: auth.AnyPerson, given: Given, request: Request
) -> ApplicationRecord:
    """Hands it in for review."""
    return await applications.submit(given, user, application_id, version=body.version, remote=remote_of(request))


@router.post("/applications/{application_id}/copy", status_code=201)
async def copy(application_id: str, user: auth.AnyPerson, given: Given, request: Request) -> ApplicationRecord:
    """A new draft like this one; window and papers have to be given anew."""
    return await applications.copy(given, user, application_id, remote=remote_of(request))


@router.post("/applications/{application_id}/appeal")
async def appeal(
    application_id: str, body: AppealBody, user: auth.AnyPerson, given: Given, request: Request
) -> ApplicationRecord:
    """Against a refusal or a revocation."""
    return await applications.appeal(
        given,
        user,
        application_id,
        reason=body.reason,
        evidence=body.evidence,
        version=body.version,
        remote=remote_of(request),
    )


@router.post("/applications/{application_id}/return")
async def send_back(
    application_id: str, body: ReturnBody, user: Reviewer, given: Given, request: Request
) -> ApplicationRecord:
    """Returns it with what has to be changed."""
    remarks = tuple(Remark(remark.field, remark.text.strip()) for remark in body.remarks)
    return await applications.send_back(
        given,
        user,
        application_id,
        remarks=remarks,
        reason=body.reason,
        version=body.version,
        remote=remote_of(request),
    )


@router.post("/applications/{application_id}/approve")
async def approve(
    application_id: str, body: ReasonBody, user: Reviewer, given: Given, request: Request
) -> ApplicationRecord:
    """Approves it. The last approval goes out to the gates at `undo_until`."""
    return await applications.approve(
        given, user, application_id, reason=body.reason, version=body.version, remote=remote_of(request)
    )


@router.delete("/applications/{application_id}/approval")
async def undo_approval(application_id: str, user: Reviewer, given: Given, request: Request) -> ApplicationRecord:
    """Takes back one's own approval while its seconds run."""
    return await applications.undo_approval(given, user, application_id, remote=remote_of(request))


@router.post("/applications/{application_id}/refuse")
async def refuse(
    application_id: str, body: ReasonBody, user: Reviewer, given: Given, request: Request
) -> ApplicationRecord:
    """Refuses it with a reason."""
    return await applications.refuse(
        given, user, application_id, reason=body.reason, version=body.version, remote=remote_of(request)
    )


@router.post("/applications/{application_id}/revoke")
async def revoke(
    application_id: str, body: ReasonBody, user: Reviewer, given: Given, request: Request
) -> ApplicationRecord:
    """Takes the permit back; the gates learn of it before everything else."""
    return await applications.revoke(
        given, user, application_id, reason=body.reason, version=body.version, remote=remote_of(request)
    )


@router.post("/applications/{application_id}/decide-appeal")
async def decide_appeal(
    application_id: str, body: DecisionBody, user: Approver, given: Given, request: Request
) -> ApplicationRecord:
    """Grants or rejects an appeal; never by who decided first."""
    return await applications.decide_appeal(
        given,
        user,
        application_id,
        granted=body.granted,
        reason=body.reason,
        version=body.version,
        remote=remote_of(request),
    )


@router.post("/applications/{application_id}/assign")
async def assign(
    application_id: str, body: AssignBody, user: Reviewer, given: Given, request: Request
) -> ApplicationRecord:
    """Says whose application it is."""
    return await applications.assign(
        given, user, application_id, body.applicant_id, version=body.version, remote=remote_of(request)
    )


# ---------------------------------------------------------------- pass and reminders


@router.get("/applications/{application_id}/pass")
async def permit_pass(application_id: str, user: auth.AnyPerson, given: Given, request: Request) -> PassRecord:
    """What is shown at the gate, as text and drawn."""
    return await _pass(given, user, application_id, request)


@router.get("/applications/{application_id}/pass.svg", response_class=Response)
async def pass_svg(application_id: str, user: auth.AnyPerson, given: Given, request: Request) -> Response:
    """The QR code as a drawing."""
    found = await _pass(given, user, application_id, request)
    return Response(found.svg, media_type="image/svg+xml", headers=_DRAWN)


@router.get("/applications/{application_id}/pass.png", response_class=Response)
async def pass_png(application_id: str, user: auth.AnyPerson, given: Given, request: Request) -> Response:
    """The QR code as a picture to print."""
    found = await _pass(given, user, application_id, request)
    return Response(await asyncio.to_thread(passes.png, found.text), media_type="image/png", headers=_DRAWN)


_DRAWN = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}


async def _pass(given: Services, user: auth.CurrentUser, application_id: str, request: Request) -> PassRecord:
    """Whoever shows another's pass is written down."""
    owner = await queries.applicant_of(given.pool, application_id)
    if owner is None or not access.may_read(user, owner):
        raise Problem("not_found")
    found = await passes.issued(given, application_id)
    if owner not in access.owners_of(user):
        actor = actor_of(user, request)
        await store.note_access(given, actor, "pass_shown", ("application", application_id))
    return found


@router.get("/reminders")
async def reminders(
    user: auth.AnyPerson, given: Given, limit: Annotated[int, Query(ge=1, le=200)] = 100
) -> tuple[ReminderRecord, ...]:
    """Who has to act by when: what the office has to do for staff, what they have to do themselves for others."""
    office = user.may(Can.READ_APPLICATIONS)
    return await queries.reminders(given.pool, owners=access.owners_of(user), office=office, limit=limit)


@router.post("/reminders/seen", status_code=204)
async def reminder_seen(body: SeenBody, user: auth.AnyPerson, given: Given) -> None:
    """Somebody has read it; it stays until what it is about is done."""
    await reminding.seen(given, user, body.key)
