"""Alarms of PV that stand: owns raising each once, counting what it costs, and clearing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from control.domain.energy import AlarmSeverity
from control.energy.pv_types import SUGGESTIONS, PvAlarm, PvFault, PvFindings

_SEVERITY = {
    PvFault.OUTAGE: AlarmSeverity.CRITICAL,
    PvFault.SHADING: AlarmSeverity.INFO,
    PvFault.SOILING: AlarmSeverity.INFO,
    PvFault.CLIPPING: AlarmSeverity.INFO,
    PvFault.DERATING: AlarmSeverity.WARNING,
    PvFault.FROZEN: AlarmSeverity.WARNING,
}


@dataclass(slots=True)
class Standing:
    """What stands, and what the current step changed."""

    alarms: dict[tuple[PvFault, str], PvAlarm] = field(default_factory=dict)
    _raised: list[tuple[PvFault, str]] = field(default_factory=list)
    _cleared: list[PvAlarm] = field(default_factory=list)

    def __contains__(self, found: tuple[PvFault, str]) -> bool:
        return found in self.alarms

    def begin(
        self, fault: PvFault, device: str, since: datetime, evidence: Mapping[str, float | str], lost_kwh: float = 0.0
    ) -> None:
        """Raise it, or renew the evidence of the one that stands."""
        key = (fault, device)
        rounded = {name: round(x, 3) if isinstance(x, float) else x for name, x in evidence.items()}
        if key in self.alarms:
            self.alarms[key] = replace(self.alarms[key], evidence=rounded)
            return
        self.alarms[key] = PvAlarm(
            fault=fault,
            device=device,
            severity=_SEVERITY[fault],
            since=since,
            evidence=rounded,
            suggestion=SUGGESTIONS[fault],
            lost_kwh=lost_kwh,
        )
        self._raised.append(key)

    def end(self, fault: PvFault, device: str) -> None:
        """Clear it if it stands."""
        alarm = self.alarms.pop((fault, device), None)
        if alarm is not None:
            self._cleared.append(alarm)

    def lost(self, fault: PvFault, device: str, kwh: float) -> None:
        """Add to what a standing alarm has cost."""
        alarm = self.alarms.get((fault, device))
        if alarm is not None and kwh > 0.0:
            self.alarms[(fault, device)] = replace(alarm, lost_kwh=alarm.lost_kwh + kwh)

    def of(self, fault: PvFault) -> Iterator[str]:
        """The devices that have this one."""
        return (device for found, device in tuple(self.alarms) if found is fault)

    def taken(self) -> PvFindings:
        """What changed since this was last asked."""
        raised = tuple(self.alarms[key] for key in self._raised if key in self.alarms)
        made = PvFindings(raised=raised, cleared=tuple(self._cleared))
        self._raised.clear()
        self._cleared.clear()
        return made
