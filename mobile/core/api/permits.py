"""Permits: applications with their papers and passes, vehicles, visits, reminders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from mobile.core.api.calling import Caller


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper of a form by its content hash."""

    sha256: str
    kind: str
    media_type: str
    size_bytes: int
    name: str
    valid_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What the applicant filled in; consumption in L, kg or m3 per 100 km."""

    plate: str
    plate_colour: str
    permit_class: str
    entry_kind: str
    entries: int | None
    vehicle_type: str
    emission_class: str
    drive: str | None
    consumption_per_100km: Decimal | None
    purpose: str | None
    purpose_text: str
    gates: tuple[str, ...]
    route: str
    window_from: datetime | None
    window_until: datetime | None
    holder: str
    papers: tuple[Paper, ...]


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """One line of an application's history; `remarks` are field and text of what has to be changed."""

    number: int
    at: datetime
    by: str
    by_name: str
    role: str
    action: str
    before: str
    after: str
    reason: str
    remarks: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeadlineRecord:
    """A term that runs: who has to act by when."""

    term: str
    due_at: datetime
    of_office: bool
    overdue: bool
    words: Words


@dataclass(frozen=True, slots=True)
class AppealRecord:
    """An appeal against a refusal or a revocation."""

    at: datetime
    by: str
    reason: str
    against: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """One line of the list."""

    application_id: str
    status: str
    plate: str
    plate_colour: str
    permit_class: str
    entry_kind: str
    vehicle_type: str
    purpose: str
    purpose_text: str
    holder: str
    gates: tuple[str, ...]
    window_from: datetime | None
    window_until: datetime | None
    entries_left: int | None
    is_emergency_entry: bool
    was_returned: bool
    due_at: datetime | None
    due_term: str | None
    due_of_office: bool | None
    submitted_at: datetime | None
    decided_at: datetime | None
    published_at: datetime | None
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class ApplicationPage:
    """Lines of the list, the newest first."""

    items: tuple[ApplicationRow, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ApplicationRecord:
    """Everything about one application; `row.version` goes with every change."""

    row: ApplicationRow
    form: Form
    approvals_needed: int
    entries_used: int
    entries_max: int | None
    entries_left: int | None
    overused: bool
    entered_at: datetime | None
    appeal: AppealRecord | None
    copied_from: str | None
    created_at: datetime
    deadlines: tuple[DeadlineRecord, ...]
    history: tuple[ChangeRecord, ...]


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with a field of the form."""

    code: str
    field: str
    detail: str
    words: Words


@dataclass(frozen=True, slots=True)
class Tick:
    """One automatic check: ok, warn, wrong or unknown."""

    kind: str
    state: str
    words: Words


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """What the automatic checks found."""

    problems: tuple[FieldProblem, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class PassRecord:
    """What a driver shows: `text` is in the QR code."""

    application_id: str
    plate: str
    text: str
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime
    gates: tuple[str, ...]
    entries_left: int | None


@dataclass(frozen=True, slots=True)
class ReminderRecord:
    """Something that the person should act upon."""

    key: str
    application_id: str
    plate: str
    kind: str
    term: str | None
    due_at: datetime | None
    entries_left: int | None
    made_at: datetime
    seen_at: datetime | None
    words: Words


@dataclass(frozen=True, slots=True)
class VehicleRecord:
    """One's vehicle. `confirmed_at` is when the office had seen its licence."""

    vehicle_id: str
    plate: str
    plate_colour: str
    vehicle_type: str
    drive: str
    emission_class: str
    consumption_per_100km: Decimal | None
    name: str
    created_at: datetime
    updated_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleWords:
    """What a vehicle is; consumption in L, kg or m3 per 100 km."""

    drive: str
    plate_colour: str = "unknown"
    vehicle_type: str = "unknown"
    emission_class: str = ""
    consumption_per_100km: Decimal | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """One stored paper."""

    sha256: str
    media_type: str
    size_bytes: int
    width_px: int | None
    height_px: int | None
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """One visit to the island."""

    visit_id: str
    plate: str
    permit_id: str | None
    application_id: str | None
    gate_in: str | None
    gate_out: str | None
    entered_at: datetime | None
    left_at: datetime | None
    state: str
    flags: tuple[str, ...]
    vehicle_type: str | None
    emergency: bool
    is_over: bool
    withdrawn_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class VisitPage:
    """Visits, the newest first."""

    items: tuple[VisitRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be chosen in the form."""

    code: str
    words: Words


@dataclass(frozen=True, slots=True)
class ClassChoice:
    """A class of permits: the papers that it needs, its longest window, and how early it is asked for."""

    code: str
    words: Words
    papers: tuple[str, ...]
    window_days_max: Decimal
    ahead_hours_least: Decimal


@dataclass(frozen=True, slots=True)
class EmissionChoice:
    """A class of emission factors; its usual consumption is in L, kg or m3 per 100 km."""

    code: str
    words: Words
    usual_per_100km: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class FormChoices:
    """Everything that the form offers."""

    gates: tuple[Choice, ...]
    permit_classes: tuple[ClassChoice, ...]
    purposes: tuple[Choice, ...]
    vehicle_types: tuple[Choice, ...]
    drives: tuple[Choice, ...]
    emission_classes: tuple[EmissionChoice, ...]
    entry_kinds: tuple[Choice, ...]
    paper_kinds: tuple[Choice, ...]
    ahead_days_max: Decimal
    entries_max: int
    papers_max: int
    paper_bytes_max: int
    picture_side_least_px: int
    appeal_papers_max: int


class Permits:
    """Calls of drivers. A `form` holds changed fields only, by their names in `Form`."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def applications(
        self,
        *,
        status: tuple[str, ...] = (),
        plate: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> ApplicationPage:
        """One's applications, the newest number first."""
        query = {"status": status, "plate": plate, "mine": True, "cursor": cursor, "limit": limit}
        return await self._caller.call("GET", "/applications", query=query, answer=ApplicationPage)

    async def choices(self) -> FormChoices:
        """What the form may hold today."""
        return await self._caller.call("GET", "/applications/choices", answer=FormChoices)

    async def application(self, application_id: str) -> ApplicationRecord:
        """One application."""
        return await self._one("GET", "/applications/{application_id}", application_id)

    async def create(self, form: Mapping[str, Any], *, key: str) -> ApplicationRecord:
        """A new draft; it may be empty."""
        return await self._caller.call("POST", "/applications", body=form, key=key, answer=ApplicationRecord)

    async def edit(self, application_id: str, *, version: int, form: Mapping[str, Any]) -> ApplicationRecord:
        """Changes fields of a draft or a returned application."""
        body = {"version": version, "form": form}
        return await self._one("PATCH", "/applications/{application_id}", application_id, body)

    async def discard(self, application_id: str) -> None:
        """Throws away a draft that was never handed in; one that is gone already stays so."""
        await self._caller.call("DELETE", "/applications/{application_id}", path={"application_id": application_id})

    async def check(self, application_id: str) -> CheckRecord:
        """What the automatic checks find now."""
        return await self._caller.call(
            "GET",
            "/applications/{application_id}/check",
            path={"application_id": application_id},
            answer=CheckRecord,
        )

    async def check_form(self, form: Mapping[str, Any], *, application_id: str = "") -> CheckRecord:
        """What the automatic checks would find, before anything is filed."""
        body = {"form": form, "application_id": application_id}
        return await self._caller.call("POST", "/applications/check", body=body, answer=CheckRecord)

    async def submit(self, application_id: str, *, version: int | None = None) -> ApplicationRecord:
        """Hands it in."""
        return await self._one("POST", "/applications/{application_id}/submit", application_id, {"version": version})

    async def copy(self, application_id: str) -> ApplicationRecord:
        """A new draft like this one."""
        return await self._one("POST", "/applications/{application_id}/copy", application_id)

    async def appeal(
        self, application_id: str, *, reason: str, evidence: tuple[str, ...] = (), version: int | None = None
    ) -> ApplicationRecord:
        """Against a refusal or a revocation; `evidence` are hashes of uploaded papers."""
        body = {"reason": reason, "evidence": evidence, "version": version}
        return await self._one("POST", "/applications/{application_id}/appeal", application_id, body)

    async def _one(self, method: str, template: str, application_id: str, body: Any = None) -> ApplicationRecord:
        path = {"application_id": application_id}
        return await self._caller.call(method, template, path=path, body=body, answer=ApplicationRecord)

    async def permit_pass(self, application_id: str) -> PassRecord:
        """What is shown at the gate."""
        return await self._caller.call(
            "GET", "/applications/{application_id}/pass", path={"application_id": application_id}, answer=PassRecord
        )

    async def upload(self, content: bytes) -> DocumentRecord:
        """Sends one paper; its type is told by its bytes, the same bytes again are the same paper."""
        return await self._caller.call("POST", "/documents", body=content, answer=DocumentRecord)

    async def download(self, sha256: str, media_type: str) -> bytes:
        """A paper's bytes, of the type that it was stored as."""
        return await self._caller.call(
            "GET", "/documents/{sha256}", path={"sha256": sha256}, answer=bytes, media_type=media_type
        )

    async def vehicles(self) -> tuple[VehicleRecord, ...]:
        """One's vehicles."""
        return await self._caller.call("GET", "/vehicles", answer=tuple[VehicleRecord, ...])

    async def add_vehicle(self, plate: str, words: VehicleWords) -> VehicleRecord:
        """Adds a vehicle."""
        return await self._caller.call("POST", "/vehicles", body=_vehicle(words, plate=plate), answer=VehicleRecord)

    async def change_vehicle(self, vehicle_id: str, words: VehicleWords) -> VehicleRecord:
        """Describes it anew; its plate stays."""
        return await self._caller.call(
            "PUT", "/vehicles/{vehicle_id}", path={"vehicle_id": vehicle_id}, body=_vehicle(words), answer=VehicleRecord
        )

    async def remove_vehicle(self, vehicle_id: str) -> None:
        """Takes it off the list."""
        await self._caller.call("DELETE", "/vehicles/{vehicle_id}", path={"vehicle_id": vehicle_id})

    async def visits(
        self,
        *,
        plate: str = "",
        open_only: bool = False,
        from_at: datetime | None = None,
        until_at: datetime | None = None,
        application_id: str = "",
        cursor: str | None = None,
        limit: int = 50,
    ) -> VisitPage:
        """One's visits, the newest first."""
        query = {
            "plate": plate,
            "open_only": open_only,
            "from": from_at,
            "until": until_at,
            "application_id": application_id,
            "cursor": cursor,
            "limit": limit,
        }
        return await self._caller.call("GET", "/visits", query=query, answer=VisitPage)

    async def visit(self, visit_id: str) -> VisitRecord:
        """One visit."""
        return await self._caller.call("GET", "/visits/{visit_id}", path={"visit_id": visit_id}, answer=VisitRecord)

    async def reminders(self, *, limit: int = 100) -> tuple[ReminderRecord, ...]:
        """What the person has to do by when."""
        return await self._caller.call("GET", "/reminders", query={"limit": limit}, answer=tuple[ReminderRecord, ...])

    async def reminder_seen(self, key: str) -> None:
        """The person has read it."""
        await self._caller.call("POST", "/reminders/seen", body={"key": key})


def _vehicle(words: VehicleWords, **more: str) -> dict[str, Any]:
    said = {name: getattr(words, name) for name in VehicleWords.__dataclass_fields__}
    return more | said
