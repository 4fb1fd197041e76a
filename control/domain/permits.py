"""Permits and watch lists as a gate needs them: owns the snapshot that travels down to the gateways.

The life of a permit (application, review, appeal) belongs to the cloud.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class PermitClass(StrEnum):
    """`emergency` is admitted first and completed afterwards."""

    EMERGENCY = "emergency"
    SPECIAL = "special"
    STANDING = "standing"


class WatchEffect(StrEnum):
    """What being on a list does. `block` is never overridden by the gate itself."""

    BLOCK = "block"
    ALERT = "alert"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True)
class Permit:
    """One permit. `valid_from`/`valid_until` are aware UTC; `entries_left` None means uncounted."""

    permit_id: str
    plate: str
    permit_class: PermitClass
    valid_from: datetime
    valid_until: datetime
    gates: frozenset[str] = frozenset()
    entries_left: int | None = None
    vehicle_type: str | None = None
    holder: str = ""


@dataclass(frozen=True, slots=True)
class WatchEntry:
    """One plate on one list, with the reason a guard is shown."""

    plate: str
    effect: WatchEffect
    reason: str
    valid_from: datetime
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class RegistryEntry:
    """What the vehicle register says of a plate; it overrides what the plate lets us infer."""

    plate: str
    energy: str
    vehicle_type: str | None = None


@dataclass(frozen=True, slots=True)
class PermitSnapshot:
    """Everything a gate needs offline, at one version. Lookups are by normalised plate.

    `revoked` has the ids of permits that were taken back before their window ended: a pass may still be shown.
    """

    version: int
    taken_at: datetime
    permits: dict[str, tuple[Permit, ...]] = field(default_factory=dict)
    watch: dict[str, tuple[WatchEntry, ...]] = field(default_factory=dict)
    registry: dict[str, RegistryEntry] = field(default_factory=dict)
    revoked: frozenset[str] = frozenset()
