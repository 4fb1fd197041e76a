"""Alarms of the microgrid: owns raising each once and clearing it once, with hysteresis, over restarts too.

The journal is the memory: what was raised there and not cleared is open, with its id, after any restart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from control.domain.energy import AlarmSeverity
from control.domain.events import DeviceBack, DeviceLost, EnergyAlarmCleared, EnergyAlarmRaised
from edge.facts import iso
from edge.journal import Journal, Recorded
from edge.ports import Clock

REMEMBERED_MAX = 2000
OPEN_KINDS = ("energy_alarm_raised", "energy_alarm_cleared", "device_lost", "device_back")
RISE_S, FALL_S = 2.0, 10.0

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that is wrong now. `rise_s` is how long before it is told, `fall_s` how long gone before cleared."""

    code: str
    device: str
    severity: AlarmSeverity = AlarmSeverity.WARNING
    evidence: Mapping[str, Any] = field(default_factory=dict)
    suggestion: str = ""
    lost_kwh: float | None = None
    rise_s: float = RISE_S
    fall_s: float = FALL_S

    @property
    def key(self) -> Key:
        """What makes it one alarm."""
        return self.code, self.device


@dataclass(slots=True)
class _Watch:
    """One alarm on its way up or down; `alarm_id` is None until it was told."""

    condition: Condition
    wrong_since_s: float
    right_since_s: float | None = None
    alarm_id: str | None = None
    raised_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """An alarm that was told and is not over, for those who show it."""

    alarm_id: str
    condition: Condition
    raised_at: datetime


class AlarmDesk:
    """Told of all conditions every cycle; gives the events that follow. Lost devices pass through here too."""

    def __init__(self, clock: Clock, new_id: Callable[[], str]) -> None:
        self._clock, self._new_id = clock, new_id
        self._watches: dict[Key, _Watch] = {}
        self._lost: dict[str, datetime] = {}
        self._raising: list[tuple[_Watch, EnergyAlarmRaised]] = []
        self._clearing: list[tuple[Key, EnergyAlarmCleared]] = []
        self._losing: list[DeviceLost] = []
        self._returning: list[DeviceBack] = []

    async def load(self, journal: Journal, devices: frozenset[str]) -> None:
        """Take up what the last run left open; losses of `devices` only, for lanes have devices of their own."""
        rows = await journal.recent(OPEN_KINDS, REMEMBERED_MAX)
        for row in reversed(rows):
            self._recall(row, devices)

    def _recall(self, row: Recorded, devices: frozenset[str]) -> None:
        body = row.body
        match row.kind:
            case "energy_alarm_raised":
                condition = Condition(
                    code=body["code"],
                    device=body["device"],
                    severity=AlarmSeverity(body["severity"]),
                    evidence=body["evidence"],
                    suggestion=body["suggestion"],
                    lost_kwh=body["lost_kwh"],
                )
                now_s = self._clock.monotonic()
                watch = _Watch(condition, now_s, now_s, body["alarm_id"], _instant(body["at"]))
                self._watches[condition.key] = watch
            case "energy_alarm_cleared":
                self._watches.pop((body["code"], body["device"]), None)
            case "device_lost" if body["device"] in devices and body["lane_id"] is None:
                self._lost[body["device"]] = _instant(body["at"])
            case "device_back" if body["lane_id"] is None:
                self._lost.pop(body["device"], None)

    # -------------------------------------------------------------------------------------------------- every cycle

    def see(self, wrong: list[Condition], silent: Mapping[str, str], answering: Set[str]) -> list[object]:
        """What has to be journalled now, by conditions, lost devices and those that answer; again until `told`."""
        now_s, at = self._clock.monotonic(), iso(self._clock.now())
        self._watch({condition.key: condition for condition in wrong}, now_s)
        self._raising = [(w, self._raised(w, at)) for w in self._watches.values() if self._is_due(w, now_s)]
        self._clearing = [(key, self._cleared(w, at)) for key, w in self._watches.items() if self._is_over(w, now_s)]
        self._losing = [DeviceLost(d, None, why[:200], at) for d, why in silent.items() if d not in self._lost]
        self._returning = [
            DeviceBack(d, None, self._seconds_since(since), at) for d, since in self._lost.items() if d in answering
        ]
        raised, cleared = [event for _, event in self._raising], [event for _, event in self._clearing]
        return [*raised, *cleared, *self._losing, *self._returning]

    def told(self) -> None:
        """The news of the last `see` is in the journal."""
        now = self._clock.now()
        for watch, event in self._raising:
            watch.alarm_id, watch.raised_at = event.alarm_id, now
        for key, _ in self._clearing:
            del self._watches[key]
        for lost in self._losing:
            self._lost[lost.device] = now
        for back in self._returning:
            del self._lost[back.device]

    @property
    def open(self) -> tuple[OpenAlarm, ...]:
        """Told and not over."""
        return tuple(
            OpenAlarm(w.alarm_id, w.condition, w.raised_at)
            for w in self._watches.values()
            if w.alarm_id is not None and w.raised_at is not None
        )

    def _watch(self, wrong: Mapping[Key, Condition], now_s: float) -> None:
        for key, condition in wrong.items():
            watch = self._watches.get(key)
            if watch is None:
                self._watches[key] = _Watch(condition, now_s)
            else:
                watch.condition, watch.right_since_s = condition, None
        for key, watch in list(self._watches.items()):
            if key in wrong:
                continue
            if watch.alarm_id is None:
                del self._watches[key]
            elif watch.right_since_s is None:
                watch.right_since_s = now_s

    def _is_due(self, watch: _Watch, now_s: float) -> bool:
        return watch.alarm_id is None and now_s - watch.wrong_since_s >= watch.condition.rise_s

    def _is_over(self, watch: _Watch, now_s: float) -> bool:
        right_s = watch.right_since_s
        return watch.alarm_id is not None and right_s is not None and now_s - right_s >= watch.condition.fall_s

    def _raised(self, watch: _Watch, at: str) -> EnergyAlarmRaised:
        one = watch.condition
        return EnergyAlarmRaised(
            alarm_id=self._new_id(),
            code=one.code,
            severity=one.severity.value,
            device=one.device,
            evidence=dict(one.evidence),
            suggestion=one.suggestion,
            lost_kwh=one.lost_kwh,
            at=at,
        )

    def _cleared(self, watch: _Watch, at: str) -> EnergyAlarmCleared:
        one = watch.condition
        assert watch.alarm_id is not None
        assert watch.raised_at is not None
        after_s = self._seconds_since(watch.raised_at)
        return EnergyAlarmCleared(watch.alarm_id, one.code, one.device, after_s, one.lost_kwh, at)

    def _seconds_since(self, at: datetime) -> float:
        return round(max(0.0, (self._clock.now() - at).total_seconds()), 1)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
