"""Shapes of permits for programs and pages: owns applications, checks, reminders, vehicles, documents, passes, visits.

Times are aware UTC. An `applicant_id` or `owner_id` is a person's id, or an organisation's for its accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from control.permits.application import Form


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence in both languages."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """One line of an application's history. `by` is a person's id or `system`; `by_name` is empty for the applicant."""

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
    fields: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeadlineRecord:
    """A term that runs: who has to act by when."""

    term: str
    due_at: datetime
    of_office: bool
    overdue: bool
    words: Words


@dataclass(frozen=True, slots=True)
class ApprovalRecord:
    """One approval of the present round."""

    person_id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class AppealRecord:
    """An appeal; `evidence` are hashes of documents."""

    at: datetime
    by: str
    reason: str
    against: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """One line of a list. `needs_approvals` counts those still missing while it is under review."""

    application_id: str
    applicant_id: str
    applicant_name: str
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
    approvals: int
    due_at: datetime | None
    due_term: str | None
    due_of_office: bool | None
    submitted_at: datetime | None
    decided_at: datetime | None
    publish_at: datetime | None
    published_at: datetime | None
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class ApplicationPage:
    """Lines of a list; `next_cursor` is None at its end."""

    items: tuple[ApplicationRow, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ApplicationRecord:
    """Everything about one application. `version` goes with every change, so that none is made to a stale view.

    `publish_at` is when an approval goes out to the gates; until then it can be taken back.
    """

    row: ApplicationRow
    form: Form
    filed_by: str
    filed_by_name: str
    approvals: tuple[ApprovalRecord, ...]
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
    undo_until: datetime | None


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with a field of a form; `field` is empty where it is about no field in particular."""

    code: str
    field: str
    detail: str
    words: Words


@dataclass(frozen=True, slots=True)
class Tick:
    """One automatic check of an application: `state` is ok, warn, wrong or unknown."""

    kind: str
    state: str
    words: Words


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """What the automatic checks found; an application with problems is not submitted."""

    problems: tuple[FieldProblem, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class PassRecord:
    """What a driver shows: `text` is in the QR code, `svg` draws it."""

    application_id: str
    plate: str
    text: str
    svg: str
    issued_at: datetime
    valid_from: datetime
    valid_until: datetime
    gates: tuple[str, ...]
    entries_left: int | None


@dataclass(frozen=True, slots=True)
class ReminderRecord:
    """Something that somebody should act upon."""

    key: str
    application_id: str
    plate: str
    kind: str
    term: str | None
    to_office: bool
    due_at: datetime | None
    entries_left: int | None
    made_at: datetime
    seen_at: datetime | None
    words: Words


@dataclass(frozen=True, slots=True)
class VehicleRecord:
    """A vehicle of a person or an organisation. `confirmed_at` is when the office had seen its licence."""

    vehicle_id: str
    owner_id: str
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


@dataclass(frozen=True, slots=True)
class DocumentRecord:
    """One stored document; the same bytes are one document whoever sends them."""

    sha256: str
    media_type: str
    size_bytes: int
    width_px: int | None
    height_px: int | None
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class VisitRecord:
    """One visit. `withdrawn_at` says that it turned out not to have been one; `plate` is empty once anonymous."""

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
    revision: int
    is_over: bool
    withdrawn_at: datetime | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class VisitPage:
    """Visits, the newest first; `next_cursor` is None at the end."""

    items: tuple[VisitRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class UnreadPassage:
    """A vehicle that went through while nobody could read its plate; a correction of the passage names it."""

    arrival_id: str
    gate_id: str
    direction: str
    at: datetime
    vehicle_type: str | None
