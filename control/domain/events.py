"""Facts that a gateway journals and the cloud stores: owns their kinds and bodies.

A body is a JSON object; the dataclass beside its kind is its shape, field by field. Plates appear in
bodies (they are facts), never in logs. Times are ISO 8601 in UTC with milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class SyncLane(IntEnum):
    """Streams of the uplink. Lane 0 is never dropped and never waits behind another."""

    GATE = 0
    ALARM = 1
    TELEMETRY = 2
    MEDIA = 3


@dataclass(frozen=True, slots=True)
class PassageDecided:
    """The policy decided about one arrival (or, with `frames` grown, decided again: see `supersedes`)."""

    arrival_id: str
    lane_id: str
    gate_id: str
    direction: str
    at: str
    outcome: str
    reasons: list[dict[str, str]]
    rule_version: str
    plate: dict[str, Any] | None
    vehicle: dict[str, Any] | None
    unavailable: str | None
    permit_id: str | None
    complete_permit_after: bool
    record_emission: bool
    suggestions: list[str]
    snapshot_version: int
    frame_sha256: str | None
    crop_sha256: str | None
    decide_ms: float


@dataclass(frozen=True, slots=True)
class BarrierCommanded:
    """Written before the barrier is touched; a command is fired once and never after `expires_at`."""

    command_id: str
    arrival_id: str | None
    lane_id: str
    action: str
    cause: str
    at: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class BarrierResult:
    """`outcome` is `done`, `failed`, `expired` or `unknown_after_crash`."""

    command_id: str
    lane_id: str
    outcome: str
    detail: str
    at: str


@dataclass(frozen=True, slots=True)
class VehiclePassed:
    """The vehicle crossed both loops (`passed`) or reversed out (`backed_out`)."""

    arrival_id: str
    lane_id: str
    movement: str
    at: str


@dataclass(frozen=True, slots=True)
class GuardDecided:
    """A person decided a held arrival, from the hut or the console. An opened barrier is not undone."""

    arrival_id: str
    lane_id: str
    outcome: str
    reason_code: str
    note: str
    by: str
    source: str
    command_id: str | None
    corrected_plate: str | None
    permit_id: str | None
    at: str


@dataclass(frozen=True, slots=True)
class PlateCorrected:
    """A person read the plate otherwise. The raw reading stays in `PassageDecided`."""

    arrival_id: str
    raw_text: str
    corrected_text: str
    by: str
    source: str
    at: str


@dataclass(frozen=True, slots=True)
class VehicleCorrected:
    """A person named the vehicle's type; the same type confirms it. `head` had predicted; "" where nothing had.

    `crop_kept` says whether the gateway keeps the picture to learn from; it never leaves the gateway.
    """

    arrival_id: str
    lane_id: str
    predicted: str
    predicted_confidence: float
    head: str
    corrected: str
    crop_kept: bool
    by: str
    source: str
    at: str


@dataclass(frozen=True, slots=True)
class DecisionRevised:
    """A person changed what a past decision should have been; nothing at the barrier changes."""

    arrival_id: str
    outcome: str
    reason_code: str
    note: str
    by: str
    source: str
    at: str


@dataclass(frozen=True, slots=True)
class CommandResult:
    """What became of a command that came down: `done`, `refused` or `expired`."""

    command_id: str
    outcome: str
    detail: str
    at: str


@dataclass(frozen=True, slots=True)
class DeviceLost:
    """Told once when a device goes. `device` is `camera`, `barrier`, `display`, `clock`, `disk`, `reader`, `models`."""

    device: str
    lane_id: str | None
    why: str
    at: str


@dataclass(frozen=True, slots=True)
class DeviceBack:
    """Told once when it is back."""

    device: str
    lane_id: str | None
    after_s: float
    at: str


@dataclass(frozen=True, slots=True)
class GatewayHealth:
    """Every few seconds, on the telemetry lane: the state of the lanes and of the uplink.

    `vehicle_head` says what was learnt of vehicles; it is empty where nothing changed since it was said.
    """

    at: str
    software: str
    uptime_s: float
    backlog: dict[str, int]
    snapshot_version: int
    disk_free_frac: float
    lanes: list[dict[str, Any]] = field(default_factory=list)
    vehicle_head: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MediaStored:
    """An evidence picture lies in the store under its content hash; `role` is `frame` or `crop`."""

    sha256: str
    media_type: str
    size_bytes: int
    arrival_id: str
    role: str
    at: str


@dataclass(frozen=True, slots=True)
class TelemetryDropped:
    """Rows of the telemetry lane that were given up because the disk is nearly full."""

    lane: int
    first_seq: int
    last_seq: int
    why: str
    at: str


@dataclass(frozen=True, slots=True)
class JournalRebuilt:
    """The journal's file was damaged and set aside. `carried` counts rows kept, by lane number as text."""

    why: str
    set_aside: str
    carried: dict[str, int]
    carried_whole: bool
    at: str


EVENT_KINDS: dict[str, tuple[type, SyncLane]] = {
    "passage_decided": (PassageDecided, SyncLane.GATE),
    "barrier_commanded": (BarrierCommanded, SyncLane.GATE),
    "barrier_result": (BarrierResult, SyncLane.GATE),
    "vehicle_passed": (VehiclePassed, SyncLane.GATE),
    "guard_decided": (GuardDecided, SyncLane.GATE),
    "plate_corrected": (PlateCorrected, SyncLane.GATE),
    "vehicle_corrected": (VehicleCorrected, SyncLane.GATE),
    "decision_revised": (DecisionRevised, SyncLane.GATE),
    "command_result": (CommandResult, SyncLane.GATE),
    "device_lost": (DeviceLost, SyncLane.ALARM),
    "device_back": (DeviceBack, SyncLane.ALARM),
    "telemetry_dropped": (TelemetryDropped, SyncLane.ALARM),
    "journal_rebuilt": (JournalRebuilt, SyncLane.ALARM),
    "gateway_health": (GatewayHealth, SyncLane.TELEMETRY),
    "media_stored": (MediaStored, SyncLane.MEDIA),
}
KIND_OF: dict[type, str] = {shape: kind for kind, (shape, _) in EVENT_KINDS.items()}
