"""What people read from the store: owns the shapes that pages and the JSON API share. No SQL, no HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


@dataclass(frozen=True, slots=True)
class ReasonRecord:
    """One reason of a decision, as the gateway journalled it."""

    code: str
    clause: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CharacterRecord:
    """One character of a raw reading; `alternatives` are the runners-up, best first."""

    char: str
    probability: float
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class PassageRecord:
    """One arrival in a list. `final_outcome` counts revision before guard before policy (`outcome`).

    `plate` is the text after corrections, `raw_plate` what the gateway read; both None where none was read
    or after retention. `waiting` means that a person still has to decide.
    """

    arrival_id: str
    gateway_id: str
    lane_id: str
    gate_id: str
    direction: str
    arrived_at: datetime
    decided_at: datetime
    outcome: str
    final_outcome: str
    reasons: tuple[ReasonRecord, ...]
    rule_version: str
    raw_plate: str | None
    plate: str | None
    plate_kind: str | None
    plate_colour: str | None
    energy: str | None
    verdict: str | None
    confidence: float | None
    characters: tuple[CharacterRecord, ...]
    quad: tuple[tuple[float, float], ...] | None
    vehicle_type: str | None
    unavailable: str | None
    permit_id: str | None
    complete_permit_after: bool
    suggestions: tuple[str, ...]
    frame_sha256: str | None
    crop_sha256: str | None
    decide_ms: float
    guard_outcome: str | None
    guard_by: str | None
    guard_at: datetime | None
    revised_outcome: str | None
    movement: str | None
    passed_at: datetime | None
    waiting: bool
    anonymised: bool

    @property
    def corrected(self) -> bool:
        """Whether a person read the plate otherwise."""
        return self.plate != self.raw_plate


@dataclass(frozen=True, slots=True)
class Hold:
    """One vehicle waiting for a person. `command` is the console's latest order for it, if any."""

    passage: PassageRecord
    waiting_s: float
    command: CommandRecord | None


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """An order to a gateway. `result` is None while the gateway has not answered."""

    command_id: str
    arrival_id: str
    outcome: str
    reason_code: str
    note: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    published_at: datetime | None
    result: str | None
    result_detail: str | None
    result_at: datetime | None


@dataclass(frozen=True, slots=True)
class CorrectionRecord:
    """A person's reading of a plate."""

    raw_text: str
    corrected_text: str
    by: str
    source: str
    note: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RevisionRecord:
    """What a person says a past decision should have been."""

    outcome: str
    reason_code: str
    note: str
    by: str
    source: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MediaRecord:
    """An evidence picture. `available` is false until its bytes arrived, and after retention."""

    sha256: str
    role: str
    at: datetime
    media_type: str | None
    size_bytes: int | None
    available: bool


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """Who did what to which subject, when, why; `before` and `after` hold what changed."""

    audit_id: int
    at: datetime
    by: str
    action: str
    subject_kind: str
    subject_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    why: str


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One journalled fact of an arrival, as it came."""

    kind: str
    wall_at: datetime
    received_at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PassageDetail:
    """Everything about one arrival."""

    passage: PassageRecord
    reading: dict[str, Any] | None
    vehicle: dict[str, Any] | None
    snapshot_version: int
    record_emission: bool
    guard_reason: str | None
    guard_note: str | None
    guard_source: str | None
    barrier_action: str | None
    barrier_cause: str | None
    barrier_at: datetime | None
    barrier_outcome: str | None
    barrier_detail: str | None
    corrections: tuple[CorrectionRecord, ...]
    revisions: tuple[RevisionRecord, ...]
    commands: tuple[CommandRecord, ...]
    media: tuple[MediaRecord, ...]
    events: tuple[EventRecord, ...]
    audit: tuple[AuditRecord, ...]
    possible_permits: tuple[PermitRecord, ...]
    earlier: tuple[PassageRecord, ...]


@dataclass(frozen=True, slots=True)
class PassageFilter:
    """What to search for. `plate` may be partial; `?` stands for one character, `near` allows two errors."""

    plate: str = ""
    near: bool = False
    from_at: datetime | None = None
    until_at: datetime | None = None
    gate_id: str = ""
    lane_id: str = ""
    outcomes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    verdicts: tuple[str, ...] = ()
    manual: bool = False


@dataclass(frozen=True, slots=True)
class PassagePage:
    """One page; `next_cursor` None at the end."""

    items: tuple[PassageRecord, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class MinuteCount:
    """Passages that were decided in one minute, by final outcome."""

    minute: datetime
    admit: int
    admit_under_permit: int
    hold: int
    refuse: int


@dataclass(frozen=True, slots=True)
class GateStats:
    """The last 60 minutes minute by minute, and today. A share is None where nothing was read: never 100 %."""

    minutes: tuple[MinuteCount, ...]
    hour_by_outcome: dict[str, int]
    today_count: int
    today_by_outcome: dict[str, int]
    new_energy_share_frac: float | None


class Liveness(StrEnum):
    """How fresh the last sign of a gateway is: 5 s live, 30 s stale, then lost; `never` before the first."""

    LIVE = "live"
    STALE = "stale"
    LOST = "lost"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class LaneRecord:
    """One lane with its latest state as the gateway told it; `age_s` None before the first."""

    lane_id: str
    gateway_id: str
    gate_id: str
    direction: str
    name: str | None
    state: dict[str, Any]
    state_at: datetime | None
    age_s: float | None
    liveness: Liveness
    waiting_count: int


@dataclass(frozen=True, slots=True)
class GatewayRecord:
    """One gateway. `backlog` counts events not yet acknowledged, by sync lane; {} before the first word."""

    gateway_id: str
    name: str
    enabled: bool
    liveness: Liveness
    last_sign_at: datetime | None
    age_s: float | None
    software: str | None
    uptime_s: float | None
    backlog: dict[str, int]
    snapshot_version: int | None
    snapshot_version_latest: int
    disk_free_frac: float | None
    events_count: int
    quarantine_count: int
    open_alarms: int


@dataclass(frozen=True, slots=True)
class AlarmRecord:
    """A device that went; `cleared_at` None while it is gone."""

    gateway_id: str
    device: str
    lane_id: str | None
    why: str
    raised_at: datetime
    cleared_at: datetime | None
    after_s: float | None


@dataclass(frozen=True, slots=True)
class PermitRecord:
    """One permit; `state` is `active`, `future`, `expired`, `used_up` or `revoked` at the time asked."""

    permit_id: str
    plate: str
    permit_class: str
    valid_from: datetime
    valid_until: datetime
    gates: tuple[str, ...]
    entries_left: int | None
    vehicle_type: str | None
    holder: str
    created_by: str
    created_at: datetime
    revoked_at: datetime | None
    revoked_why: str | None
    state: str


@dataclass(frozen=True, slots=True)
class WatchRecord:
    """One plate on a list."""

    watch_id: int
    plate: str
    effect: str
    reason: str
    valid_from: datetime
    valid_until: datetime | None
    created_by: str
    created_at: datetime
    removed_at: datetime | None
    active: bool


@dataclass(frozen=True, slots=True)
class UserRecord:
    """One account, without its secret."""

    user_id: str
    username: str
    name: str
    role: str
    enabled: bool
    created_at: datetime
    last_seen_at: datetime | None
    org_id: str | None = None
    org_name: str | None = None


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """Where an evidence picture's bytes are and what they are."""

    sha256: str
    media_type: str
    size_bytes: int
