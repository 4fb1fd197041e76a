"""The microgrid's vocabulary: owns points with their quality, modes, tiers and the fixed sign of power.

Power is in kW at the alternating-current bus, positive where it supplies the bus: PV, discharging storage and import
are positive, charging storage and export negative. Consumption (`load_kw`, `ev_kw`) is positive where it draws, so
`pv_kw + storage_kw + grid_kw == load_kw + ev_kw`. A vehicle that feeds back has a negative `ev_kw`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum, StrEnum


class GridMode(StrEnum):
    """What the controller does about the utility grid."""

    GRID_TIED = "grid_tied"  # 并网
    ISLANDING = "islanding"  # 离网切换
    ISLANDED = "islanded"  # 孤岛
    BLACK_START = "black_start"  # 黑启动
    RESYNCHRONISING = "resynchronising"  # 同期并网
    HOLD = "hold"  # 保持: a person or a lost meter keeps everything at the safe state


class Quality(StrEnum):
    """How far a value can be believed."""

    GOOD = "good"
    STALE = "stale"  # older than three cycles
    INVALID = "invalid"  # not implemented by the device, not a number, out of range, or stuck
    LOST = "lost"  # the device does not answer


class LoadTier(IntEnum):
    """Priority of a load; the highest number is shed first, tier 0 never."""

    CRITICAL = 0
    ESSENTIAL = 1
    COMFORT = 2
    DEFERRABLE = 3


@dataclass(frozen=True, slots=True)
class Point:
    """One value as a device gave it. `value` is None unless the quality is GOOD or STALE."""

    value: float | None
    unit: str
    age_s: float
    quality: Quality

    @property
    def good(self) -> bool:
        """Whether a decision may rest on it."""
        return self.quality is Quality.GOOD and self.value is not None and math.isfinite(self.value)


class PlanRung(StrEnum):
    """How a plan came about; there is always one."""

    EXACT = "exact"
    PREVIOUS = "previous"
    RULES = "rules"


class AlarmSeverity(StrEnum):
    """How soon a person should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
