"""An application for a permit: owns its words, its form, its history, and what may be read off it at a time.

How it moves from state to state is `transitions`, what is wrong with a form is `form_check`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from control.domain.permits import Permit, PermitClass
from control.domain.plates import PlateColour, normalise
from control.domain.vehicles import VehicleType


class Status(StrEnum):
    """States of an application and of the permit that it becomes."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    REFUSED = "refused"
    ACTIVE = "active"
    USED_UP = "used_up"
    EXPIRED = "expired"
    REVOKED = "revoked"
    APPEALED = "appealed"


LIVE = frozenset({Status.APPROVED, Status.ACTIVE})
WITH_OFFICE = frozenset({Status.SUBMITTED, Status.APPEALED})
WITH_APPLICANT = frozenset({Status.DRAFT, Status.RETURNED})


class Role(StrEnum):
    """As whom somebody acts on an application."""

    DRIVER = "driver"
    ORGANISATION = "organisation"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    OFFICE = "office"
    SYSTEM = "system"


class EntryKind(StrEnum):
    """How often a permit lets its vehicle in."""

    SINGLE = "single"
    COUNTED = "counted"
    STANDING = "standing"


class Drive(StrEnum):
    """What the vehicle runs on, as declared."""

    PETROL = "petrol"
    DIESEL = "diesel"
    LNG = "lng"
    CNG = "cng"
    LPG = "lpg"
    PLUG_IN = "plug_in"


class Purpose(StrEnum):
    """Why a special fuel vehicle has to come. `other` asks for a text."""

    RESCUE = "rescue"
    MEDICAL = "medical"
    POLICE = "police"
    POWER_REPAIR = "power_repair"
    SANITATION = "sanitation"
    CONSTRUCTION = "construction"
    LIFTING = "lifting"
    DELIVERY = "delivery"
    CONFERENCE = "conference"
    AIRPORT_TRANSFER = "airport_transfer"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Paper:
    """One document of an application by its content hash; `kind` is one of `rules.PAPERS`.

    `valid_until` is the last day that stands on it, as declared; None where there is none or nobody said.
    """

    sha256: str
    kind: str
    media_type: str
    size_bytes: int
    name: str = ""
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What the applicant fills in. Times are aware UTC; `consumption_per_100km` is in litres, kilograms or m3.

    `emission_class` is a class of the emission factors; "" while nobody has said. `entries` is for counted entry.
    """

    plate: str = ""
    plate_colour: PlateColour = PlateColour.UNKNOWN
    permit_class: PermitClass = PermitClass.SPECIAL
    entry_kind: EntryKind = EntryKind.SINGLE
    entries: int | None = None
    vehicle_type: VehicleType = VehicleType.UNKNOWN
    emission_class: str = ""
    drive: Drive | None = None
    consumption_per_100km: Decimal | None = None
    purpose: Purpose | None = None
    purpose_text: str = ""
    gates: tuple[str, ...] = ()
    route: str = ""
    window_from: datetime | None = None
    window_until: datetime | None = None
    holder: str = ""
    papers: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, and as what. The system acts with its own name; `org_id` is whose applications a member handles."""

    person_id: str
    role: Role
    org_id: str = ""

    @property
    def owns_as(self) -> frozenset[str]:
        """As which applicants this one may act."""
        return frozenset({self.person_id, self.org_id}) - {""}


@dataclass(frozen=True, slots=True)
class Remark:
    """What the office wants changed, beside the field it is about."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after an edit, as text."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the audit trail: who, as what, when, from which state to which, and why."""

    at: datetime
    by: Actor
    action: str
    before: Status
    after: Status
    reason: str = ""
    remarks: tuple[Remark, ...] = ()
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Appeal:
    """An appeal against a refusal or a revocation. `against` is the state that it wants undone."""

    at: datetime
    by: Actor
    reason: str
    against: Status
    evidence: tuple[Paper, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application and its permit. `entered_at` is the gate's time of an emergency entry that came first.

    `applicant_id` is a person or an organisation, and empty while nobody is known whose emergency entry it was.

    `entries_used` counts entries of visits, not attempts. `approvals` are those of the present round.
    """

    application_id: str
    applicant_id: str
    form: Form
    status: Status = Status.DRAFT
    approvals: tuple[Actor, ...] = ()
    entries_used: int = 0
    entered_at: datetime | None = None
    appeal: Appeal | None = None
    copied_from: str | None = None
    history: tuple[Change, ...] = field(default=())

    @property
    def entries_max(self) -> int | None:
        """How many entries the permit allows; None for standing entry."""
        match self.form.entry_kind:
            case EntryKind.SINGLE:
                return 1
            case EntryKind.COUNTED:
                return self.form.entries or 0
            case EntryKind.STANDING:
                return None

    @property
    def entries_left(self) -> int | None:
        """What remains of them, never below zero; None for standing entry."""
        return None if self.entries_max is None else max(0, self.entries_max - self.entries_used)

    @property
    def overused(self) -> bool:
        """Whether more entries were seen than allowed, as two gates without a connection can let happen."""
        return self.entries_max is not None and self.entries_used > self.entries_max

    @property
    def state_since(self) -> datetime | None:
        """When the present state began: the rules of that day hold for what may follow. None without a history."""
        moved = next((line for line in reversed(self.history) if line.before is not line.after), None)
        line = moved or (self.history[0] if self.history else None)
        return None if line is None else line.at

    def last(self, *actions: str) -> Change | None:
        """The newest change by one of these actions."""
        return next((change for change in reversed(self.history) if change.action in actions), None)


def new_application(*, application_id: str, applicant_id: str, form: Form, by: Actor, at: datetime) -> Application:
    """A new draft."""
    made = Change(at, by, "create", Status.DRAFT, Status.DRAFT)
    return Application(application_id=application_id, applicant_id=applicant_id, form=form, history=(made,))


def copy_of(past: Application, *, application_id: str, by: Actor, at: datetime) -> Application:
    """A new draft with a past application's form. Window and papers are left out: both have to be true today."""
    form = replace(past.form, window_from=None, window_until=None, papers=())
    made = Change(at, by, "copy", Status.DRAFT, Status.DRAFT, past.application_id)
    return Application(
        application_id=application_id,
        applicant_id=past.applicant_id,
        form=form,
        copied_from=past.application_id,
        history=(made,),
    )


def emergency_entry(
    *, application_id: str, plate: str, gate_id: str, entered_at: datetime, by: Actor, applicant_id: str = ""
) -> Application:
    """The draft that an emergency entry leaves behind; its papers are due within the dated term."""
    form = Form(
        plate=normalise(plate),
        permit_class=PermitClass.EMERGENCY,
        entry_kind=EntryKind.SINGLE,
        gates=(gate_id,),
        window_from=entered_at,
    )
    made = Change(entered_at, by, "emergency_entry", Status.DRAFT, Status.DRAFT)
    return Application(
        application_id=application_id, applicant_id=applicant_id, form=form, entered_at=entered_at, history=(made,)
    )


def permit_of(application: Application) -> Permit | None:
    """The permit as gates need it; None while there is none to use."""
    form = application.form
    if application.status not in LIVE or form.window_from is None or form.window_until is None:
        return None
    seen = form.vehicle_type
    return Permit(
        permit_id=application.application_id,
        plate=normalise(form.plate),
        permit_class=form.permit_class,
        valid_from=form.window_from,
        valid_until=form.window_until,
        gates=frozenset(form.gates),
        entries_left=application.entries_left,
        vehicle_type=None if seen is VehicleType.UNKNOWN else seen.value,
        holder=form.holder,
    )
