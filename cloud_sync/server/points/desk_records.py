"""What the office sees of points: owns the shapes of devices, ways, what waits, appeals and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from cloud_sync.server.points.records import EarningRecord, EventPage, PointsOfMe, Sentence


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """A device or board that shows codes. `directions` by slot: act, start, end, either or charger."""

    device_id: str
    number: int
    typed_number: str
    name: str
    place: str
    merchant: str
    keys: tuple[str, ...]
    directions: tuple[str, ...]
    makes_acts: bool
    generation: int
    active: bool
    clock_offset_s: int
    clock_learnt_at: datetime
    clock_doubt: bool
    last_seen_at: datetime | None
    scans_day: int
    refused_day: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeviceSecret:
    """Shown once: what is loaded into the device. `file_text` is JSON; `svg` the same as a QR."""

    device_id: str
    number: int
    generation: int
    file_name: str
    file_text: str
    svg: str


@dataclass(frozen=True, slots=True)
class WayRecord:
    """The way from a place to another, from a day on until another row begins; 0 metres: not served."""

    from_place: str
    to_place: str
    metres: int
    valid_from: date
    valid_until: date | None
    source: str
    author: str
    reason: str
    at: datetime

    def holds(self, day: date) -> bool:
        """Whether the row holds on a day."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)


@dataclass(frozen=True, slots=True)
class HeldRecord:
    """An act that waits for a person's look, with who asks for it (name, or empty) and their last acts' count."""

    event: EarningRecord
    person_name: str
    account_opened_at: datetime
    events_week: int
    held_week: int
    refused_week: int


@dataclass(frozen=True, slots=True)
class HeldPage:
    """The oldest first; `next_cursor` goes into the next request."""

    held: tuple[HeldRecord, ...]
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class AppealRecord:
    """A person's word against a refusal. Decided by somebody else than who refused."""

    appeal_id: str
    person: str
    person_name: str
    event: EarningRecord
    text: str
    at: datetime
    state: str
    points: int
    answer: str
    decided_at: datetime | None
    decided_by: str | None


@dataclass(frozen=True, slots=True)
class SceneDay:
    """One scene on one day."""

    day: date
    scene: Sentence
    granted: int
    held: int
    refused: int
    points: int
    grams: int
    people: int


@dataclass(frozen=True, slots=True)
class Overview:
    """The office's figures of a range of days; money-like sums are of all accounts now."""

    since: date
    until: date
    rows: tuple[SceneDay, ...]
    granted_points: int
    grams: int
    people: int
    held_open: int
    appeals_open: int
    accounts: int
    outstanding_points: int
    redeemed_points: int


@dataclass(frozen=True, slots=True)
class RefusalCell:
    """How often one reason came up at one device or source in one hour of the island's day (0 to 23)."""

    source_id: str
    name: str
    hour: int
    reason: Sentence
    count: int


@dataclass(frozen=True, slots=True)
class PersonPoints:
    """One person's account for staff."""

    person: str
    name: str
    opened_at: datetime
    me: PointsOfMe
    events: EventPage
