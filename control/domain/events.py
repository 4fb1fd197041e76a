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
    """The policy decided about one arrival (or, with `frames` grown, decided again: see `supersedes`).

    `pass_shown`, where a pass was: `source` (`camera`, `scanner`), `plate` and `permit_id` that it states ("" where it
    could not be read), `problem` (a `PassProblem`; "" where it is valid here and now), `issued_at`, `valid_until`.
    """

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
    pass_shown: dict[str, Any] | None = None


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
    """Told once when a device goes.

    `device` is `camera`, `barrier`, `display`, `clock`, `disk`, `reader`, `models`, or the id of a microgrid device.
    """

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

    `vehicle_head` says what was learnt of vehicles; it is empty where nothing changed since it was said. `energy` is
    the microgrid's part: mode, cycles, the plan's rung, and a line for each device; empty without one.
    """

    at: str
    software: str
    uptime_s: float
    backlog: dict[str, int]
    snapshot_version: int
    disk_free_frac: float
    lanes: list[dict[str, Any]] = field(default_factory=list)
    vehicle_head: dict[str, Any] = field(default_factory=dict)
    energy: dict[str, Any] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class EnergySample:
    """The microgrid over one period (1 s as measured; 10 s, 60 s and 900 s are means), on the telemetry lane.

    `kw` has means by name: `pv`, `load`, `ev`, `storage`, `grid`, `curtailed`, `shed`; a name that is absent was not
    known, for `good_frac` says how much of the period was. `kwh` has energies of the period: `pv`, `load`, `ev`,
    `charged`, `discharged`, `imported`, `exported`, `curtailed`, `unserved`. `peak_import_kw` is the highest second.
    `devices` has what single devices say, by id (10 s and longer); a key that is absent was not known. All have `kind`
    (`inverter`, `storage`, `charger`, `load`, `meter`, `breaker`), `name`, `quality`, and where they have one `kw`.
    Inverters add `expected_kw`, `lost_kwh` (today), `diagnosis` (a code of the alarms, "" when healthy) and `strings`
    (by id the same four; from 60 s on); storages `soc_frac` and `capacity_kwh`; chargers `state`, `session_id`,
    `soc_frac`, `energy_kwh`, `max_kw`, `v2g` (may feed back) and `depart_at`; loads `name_en`, `tier` and `on`.
    """

    at: str
    period_s: int
    mode: str
    kw: dict[str, float]
    kwh: dict[str, float]
    soc_frac: float | None
    peak_import_kw: float | None
    frequency_hz: float | None
    good_frac: float
    binding: str
    settings_version: int
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnergyPlanned:
    """A plan that now holds: bands of the forecast and what is intended, one value a slot, with the reasons.

    `series` has `pv_low`, `pv_mid`, `pv_high`, `load_low`, `load_mid`, `load_high`, `storage`, `grid`, `ev` in kW,
    `soc_frac`, and `carbon_per_kwh` in kg. A reason has the fields of `control.energy.plan.Because`, times as ISO 8601.
    """

    at: str
    starts_at: str
    slot_s: int
    rung: str
    settings_version: int
    made_ms: float
    series: dict[str, list[float]]
    because: list[dict[str, Any]]
    violations: list[str]
    ride_through_h: float | None = None


@dataclass(frozen=True, slots=True)
class EnergyModeChanged:
    """The state machine of the grid connection moved."""

    before: str
    after: str
    why: str
    at: str


@dataclass(frozen=True, slots=True)
class EnergyAlarmRaised:
    """Something on the microgrid needs a look: told once, with evidence and a suggestion's code.

    `code` is `pv_outage`, `pv_shading`, `pv_soiling`, `pv_clipping`, `pv_derating`, `pv_sensor_frozen`,
    `write_not_taken`, `limit_exceeded`, `plan_late`, `settings_refused`, ...
    """

    alarm_id: str
    code: str
    severity: str
    device: str
    evidence: dict[str, Any]
    suggestion: str
    lost_kwh: float | None
    at: str


@dataclass(frozen=True, slots=True)
class EnergyAlarmCleared:
    """It is over."""

    alarm_id: str
    code: str
    device: str
    after_s: float
    lost_kwh: float | None
    at: str


@dataclass(frozen=True, slots=True)
class EnergySettingsTaken:
    """The gateway's answer to settings that came down: `used`, `waiting` (until `effective_at`) or `refused`."""

    version: int
    outcome: str
    detail: str
    effective_at: str
    at: str


@dataclass(frozen=True, slots=True)
class ChargingSession:
    """A vehicle at a charger: `started`, `updated` (every few minutes) or `ended`."""

    session_id: str
    charger: str
    phase: str
    energy_kwh: float
    fed_back_kwh: float
    soc_frac: float | None
    depart_at: str | None
    power_kw: float | None
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
    "energy_sample": (EnergySample, SyncLane.TELEMETRY),
    "energy_planned": (EnergyPlanned, SyncLane.TELEMETRY),
    "charging_session": (ChargingSession, SyncLane.TELEMETRY),
    "energy_mode_changed": (EnergyModeChanged, SyncLane.ALARM),
    "energy_alarm_raised": (EnergyAlarmRaised, SyncLane.ALARM),
    "energy_alarm_cleared": (EnergyAlarmCleared, SyncLane.ALARM),
    "energy_settings_taken": (EnergySettingsTaken, SyncLane.ALARM),
}
KIND_OF: dict[type, str] = {shape: kind for kind, (shape, _) in EVENT_KINDS.items()}
