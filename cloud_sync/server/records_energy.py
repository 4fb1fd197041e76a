"""What people read of the microgrid: owns the shapes that pages and the JSON API share. No SQL, no HTML.

Powers in kW with the signs of `control.domain.energy`; None is "not known", never 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from control.energy.settings import EnergySettings


@dataclass(frozen=True, slots=True)
class FlowNode:
    """One end of the energy flow. `side` is `source` or `sink`; `kw` is the width, None where it is not known."""

    key: str
    kind: str
    kw: float | None
    side: str
    name: str = ""
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class EnergyNow:
    """The newest sample of a gateway, and what follows from it. `age_s` is since it was measured."""

    gateway_id: str
    at: datetime
    age_s: float
    mode: str
    binding: str
    settings_version: int
    good_frac: float
    kw: dict[str, float]
    soc_frac: float | None
    stored_kwh: float | None
    capacity_kwh: float | None
    frequency_hz: float | None
    total_kw: float | None
    carbon_g_per_kwh: float | None
    self_sufficiency_frac: float | None
    flow: tuple[FlowNode, ...]
    devices: dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class EnergySums:
    """A time from `since` on. `peak_import_kw` is the highest quarter-hour mean of the local month."""

    since: datetime
    self_sufficiency_frac: float | None
    kwh: dict[str, float]
    peak_import_kw: float | None


@dataclass(frozen=True, slots=True)
class BecauseRecord:
    """One reason of a plan, as the gateway told it."""

    at: datetime
    until: datetime
    code: str
    values: dict[str, Any]
    cost_saved: float
    carbon_saved_kg: float


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """One plan. `series` by name, one value a slot; see `control.domain.events.EnergyPlanned`."""

    at: datetime
    starts_at: datetime
    slot_s: int
    rung: str
    settings_version: int
    made_ms: float
    ride_through_h: float | None
    series: dict[str, tuple[float | None, ...]]
    because: tuple[BecauseRecord, ...]
    violations: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnergySeries:
    """Means over `step_s`, `at` the beginning of each; a gap is None. `source_s` is the period of the rows behind."""

    since: datetime
    step_s: int
    source_s: int
    at: tuple[datetime, ...]
    values: dict[str, tuple[float | None, ...]]


@dataclass(frozen=True, slots=True)
class EnergyAlarmRecord:
    """An alarm of the microgrid. `cleared_at` is None while it lasts."""

    alarm_id: str
    code: str
    severity: str
    device: str
    evidence: dict[str, Any]
    suggestion: str
    lost_kwh: float | None
    raised_at: datetime
    cleared_at: datetime | None
    after_s: float | None


@dataclass(frozen=True, slots=True)
class ModeRecord:
    """The grid connection's state machine moved."""

    before: str
    after: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A vehicle at a charger. `ended_at` is None while it is there."""

    session_id: str
    charger: str
    phase: str
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    energy_kwh: float
    fed_back_kwh: float
    soc_frac: float | None
    depart_at: datetime | None
    power_kw: float | None


@dataclass(frozen=True, slots=True)
class ChargerRecord:
    """One charger with the vehicle that stands there, if any."""

    charger_id: str
    name: str
    quality: str
    state: str | None
    kw: float | None
    max_kw: float | None
    v2g: bool
    session: SessionRecord | None


@dataclass(frozen=True, slots=True)
class StringRecord:
    """One PV string, or the inverter itself; `diagnosis` is "" when healthy and None when not known."""

    string_id: str
    kw: float | None
    expected_kw: float | None
    lost_kwh: float | None
    diagnosis: str | None


@dataclass(frozen=True, slots=True)
class InverterRecord:
    """One PV inverter with its strings."""

    inverter_id: str
    name: str
    quality: str
    total: StringRecord
    strings: tuple[StringRecord, ...]


@dataclass(frozen=True, slots=True)
class SettingsVersion:
    """One version of the settings. `state` is `staged`, `discarded`, `sent`, `waiting`, `in_force`, `past`, `refused`.

    `effective_at` is None while it is staged without a time. `source` says where it came from (`console`,
    `rollback`, `cancel`).
    """

    version: int
    settings: EnergySettings
    based_on: int
    source: str
    reason: str
    issued_by: str
    issued_at: datetime
    effective_at: datetime | None
    released_at: datetime | None
    discarded_at: datetime | None
    outcome: str | None
    outcome_detail: str | None
    outcome_at: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class TakeoverRecord:
    """A person's order to the controller. `result` is None until the gateway answered."""

    command_id: str
    mode: str
    storage_kw: float | None
    note: str
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    result: str | None
    result_detail: str | None
    result_at: datetime | None


@dataclass(frozen=True, slots=True)
class SettingsDesk:
    """Everything about the settings of one gateway. `in_force` is 0 where the gateway runs as delivered."""

    gateway_id: str
    in_force: int
    settings: EnergySettings
    versions: tuple[SettingsVersion, ...] = field(default_factory=tuple)

    @property
    def staged(self) -> SettingsVersion | None:
        """The version that waits for a person, if any."""
        return next((one for one in self.versions if one.state == "staged"), None)

    @property
    def underway(self) -> SettingsVersion | None:
        """The newest version that was released and is not yet in force."""
        newest = next((one for one in self.versions if one.released_at is not None), None)
        return newest if newest is not None and newest.state in ("sent", "waiting") else None

    def version(self, number: int) -> SettingsVersion | None:
        """One version, if it is among the newest."""
        return next((one for one in self.versions if one.version == number), None)
