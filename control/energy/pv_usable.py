"""What a PV plant with faults can still give: owns the part that a forecast has to be cut by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from control.energy.pv_reference import StringPlace
from control.energy.pv_types import PvAlarm, PvFault

Standing = Mapping[tuple[PvFault, str], PvAlarm]


def figure(alarm: PvAlarm, name: str, otherwise: float) -> float:
    """A figure of its evidence; an alarm that another version kept may not have it."""
    value = alarm.evidence.get(name, otherwise)
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else otherwise


def usable_frac(inverter: str, rated_kw: float, strings: Sequence[StringPlace], alarms: Standing) -> float:
    """The part (0 to 1) of an inverter's healthy power that is to be expected while these alarms stand."""
    if (PvFault.OUTAGE, inverter) in alarms:
        return 0.0
    rated_dc_kw = sum(place.rated_kw for place in strings)
    usable_kw = sum(place.rated_kw * _of_string(place.key, alarms) for place in strings)
    part = usable_kw / rated_dc_kw if rated_dc_kw > 0.0 else 1.0
    derating = alarms.get((PvFault.DERATING, inverter))
    if derating is not None and rated_kw > 0.0:
        part = min(part, figure(derating, "held_at_kw", rated_kw) / rated_kw)
    return min(max(part, 0.0), 1.0)


def _of_string(key: str, alarms: Standing) -> float:
    if (PvFault.OUTAGE, key) in alarms:
        return 0.0
    found = [alarms.get((fault, key)) for fault in (PvFault.SHADING, PvFault.SOILING)]
    return min((figure(alarm, "day_part", 1.0) for alarm in found if alarm is not None), default=1.0)
