"""What PV diagnosis takes and gives: owns the sample of one period, the finding, and the thresholds between them.

A value that could not be had is None, never 0. Powers are means over the period; DC is per string before the inverter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from control.domain.energy import AlarmSeverity


class PvFault(StrEnum):
    """What can be told apart; the values are the alarm's codes."""

    OUTAGE = "pv_outage"  # 停机: nothing, where its peers give
    SHADING = "pv_shading"  # 遮挡: the same hours, day after day
    SOILING = "pv_soiling"  # 积灰: the same loss at all hours, slowly more, until it rains
    CLIPPING = "pv_clipping"  # 限幅: at its rating while the strings could give more
    DERATING = "pv_derating"  # 降额: held below its rating, and not by us
    FROZEN = "pv_sensor_frozen"  # 测点冻结: a value stands still while its peers move


SUGGESTIONS = {
    PvFault.OUTAGE: "check_breaker_and_fuse",
    PvFault.SHADING: "look_for_obstacle_at_hour",
    PvFault.SOILING: "clean_modules",
    PvFault.CLIPPING: "nothing_to_do_sized_so",
    PvFault.DERATING: "check_cooling_and_inverter_log",
    PvFault.FROZEN: "restart_sensor_or_datalogger",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterSample:
    """One inverter over one period. `limit_kw` is the strictest limit that we commanded in it; None: none.

    `dc_kw` has its strings by id; a string that is absent is as one that is None.
    """

    id: str
    ac_kw: float | None
    limit_kw: float | None = None
    dc_kw: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PvSample:
    """All inverters over the same period of 60 to 900 s that ends `at` (aware).

    `clear_dc_kw` is each string's clear-sky power in it (`clear_sky.clear_sky_day`) by `inverter/string`; empty where
    that is not there.
    """

    at: datetime
    period_s: float
    inverters: tuple[InverterSample, ...]
    clear_dc_kw: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PvAlarm:
    """One finding. `device` is an inverter's id, `inverter/string`, or `pv` for the whole field.

    `evidence` has the figures of its sentence; `lost_kwh` is what it has cost so far, at the bus.
    """

    fault: PvFault
    device: str
    severity: AlarmSeverity
    since: datetime
    evidence: Mapping[str, float | str]
    suggestion: str
    lost_kwh: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PvFindings:
    """What one step changed."""

    raised: tuple[PvAlarm, ...] = ()
    cleared: tuple[PvAlarm, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PvLimits:
    """Thresholds of the diagnosis; parts of 1 unless a unit is named."""

    slot_s: float = 900.0  # samples are gathered to slots of this length before they are compared
    light_frac: float = 0.10  # below this expected part of a string's rating nothing is judged
    bright_frac: float = 0.45  # a day that never brought more casts no shadows to speak of
    peers_min: int = 3
    peer_angle_deg: float = 4.0  # planes that differ by no more see the same sun
    inverter_efficiency: float = 0.97
    limited_frac: float = 0.97  # at this part of our limit an inverter is held back by it
    rated_frac: float = 0.985  # at this part of its rating it clips
    dead_frac: float = 0.03
    alive_frac: float = 0.2
    outage_s: float = 900.0
    outage_clear_s: float = 900.0
    # Where no peer tells what is due: nothing at all for so long under a sun that would give so much is an outage.
    alone_outage_s: float = 3600.0
    alone_light_frac: float = 0.3
    alone_dead_frac: float = 0.001
    frozen_s: float = 1800.0
    frozen_moves_frac: float = 0.15
    derating_loss_frac: float = 0.08
    derating_from_frac: float = 0.5
    derating_slots: int = 5
    derating_clear_slots: int = 8
    derating_level_frac: float = 0.06  # an inverter that is held gives the same but for so much
    derating_above_frac: float = 0.06  # so far above the level it was held at, it is held no more
    alike_frac: float = 0.07  # strings that differ by no more lose for a common reason
    clipping_slots: int = 2
    clipping_clear_days: int = 7
    shading_loss_frac: float = 0.15
    shading_rest_frac: float = 0.06
    shading_days: int = 3
    shading_clear_days: int = 3
    soiling_loss_frac: float = 0.06
    soiling_clear_frac: float = 0.03
    soiling_days: int = 4
    even_frac: float = 0.10  # a loss that varies by no more over the day is the same at all hours
    field_loss_frac: float = 0.08
    field_days: int = 30
