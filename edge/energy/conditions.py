"""What is wrong on the microgrid in one cycle: owns the alarms' codes, their severity, evidence and suggestion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from control.domain.energy import AlarmSeverity
from control.domain.events import EnergySettingsTaken
from control.energy.dispatch_types import Dispatch
from edge.energy.alarms import Condition
from edge.energy.field import BREAKER, METER, FieldNow
from edge.energy.ports import DeviceState

SITE = "site"
# A charger connects by itself and may take its time; a load reports every second.
CHARGER_PATIENCE_S, LOAD_PATIENCE_S = 60.0, 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What the parts of the cycle complain of."""

    not_taken: Mapping[str, str] = field(default_factory=dict)
    stuck: frozenset[str] = frozenset()
    plan_late_s: float | None = None
    refused: EnergySettingsTaken | None = None
    breaker_overdue: bool | None = None
    others: tuple[Condition, ...] = ()


def conditions(now: FieldNow, dispatched: Dispatch, trouble: Trouble) -> list[Condition]:
    """Everything that is wrong now."""
    return [
        *_limits(dispatched),
        *_devices(now),
        *_breaker(trouble.breaker_overdue),
        *_invalid(now, trouble.stuck),
        *_writes(trouble.not_taken),
        *_stuck(trouble.stuck),
        *_plan(trouble.plan_late_s),
        *_settings(trouble.refused),
        *trouble.others,
    ]


def _limits(dispatched: Dispatch) -> Iterable[Condition]:
    if dispatched.unmet:
        evidence = {name: round(kw, 1) for name, kw in dispatched.unmet.items()}
        yield Condition(
            code="limit_exceeded",
            device=SITE,
            severity=AlarmSeverity.CRITICAL,
            evidence=evidence,
            suggestion="reduce_load_or_raise_limit",
            rise_s=5.0,
            fall_s=30.0,
        )


def _devices(now: FieldNow) -> Iterable[Condition]:
    if now.breaker is not None and now.breaker.reading is not None and now.breaker.reading.tripped:
        severity = AlarmSeverity.CRITICAL
        yield Condition(code="breaker_tripped", device=BREAKER, severity=severity, suggestion="find_cause_then_reset")
    for id_, heard in {**now.inverters, **now.storages}.items():
        reading = heard.reading
        if reading is not None and reading.state is DeviceState.FAULT:
            evidence = {"alarms": list(reading.alarms)}
            yield Condition(code="device_fault", device=id_, evidence=evidence, suggestion="see_device_manual")


def _breaker(overdue: bool | None) -> Iterable[Condition]:
    if overdue is not None:
        yield Condition(
            code="breaker_not_following",
            device=BREAKER,
            severity=AlarmSeverity.CRITICAL,
            evidence={"wanted": "closed" if overdue else "open"},
            suggestion="operate_breaker_by_hand",
            rise_s=0.0,
        )


def _invalid(now: FieldNow, stuck: frozenset[str]) -> Iterable[Condition]:
    """Devices that answer with a power that nobody can believe."""
    for id_, heard in {METER: now.meter, **now.inverters, **now.storages}.items():
        reading = heard.fresh
        if reading is not None and reading.power_kw.value is None and id_ not in stuck:
            yield Condition(code="invalid_value", device=id_, suggestion="check_scale_and_sensor", rise_s=10.0)


def _writes(not_taken: Mapping[str, str]) -> Iterable[Condition]:
    for device, why in not_taken.items():
        evidence = {"why": why[:200]}
        yield Condition(code="write_not_taken", device=device, evidence=evidence, suggestion="check_remote_control")


def _stuck(devices: frozenset[str]) -> Iterable[Condition]:
    for device in sorted(devices):
        yield Condition(code="stuck_value", device=device, rise_s=0.0, suggestion="restart_device")


def _plan(late_s: float | None) -> Iterable[Condition]:
    if late_s is not None:
        yield Condition(
            code="plan_late", device=SITE, evidence={"late_s": round(late_s)}, suggestion="check_gateway_load"
        )


def _settings(refused: EnergySettingsTaken | None) -> Iterable[Condition]:
    if refused is not None:
        evidence = {"version": refused.version, "why": refused.detail}
        yield Condition(
            code="settings_refused",
            device=SITE,
            evidence=evidence,
            suggestion="correct_settings",
            rise_s=0.0,
            fall_s=0.0,
        )


@dataclass(slots=True)
class Presence:
    """Which devices are gone and which answer; chargers and loads have a patience of their own."""

    _away_since_s: dict[str, float] = field(default_factory=dict)

    def see(self, now: FieldNow) -> tuple[dict[str, str], set[str]]:
        """Silent devices with the reason, and devices that answer."""
        silent = now.silent()
        away = {id_: CHARGER_PATIENCE_S for id_, charger in now.chargers.items() if not charger.online}
        away |= {
            id_: LOAD_PATIENCE_S for id_, load in now.loads.items() if load.on is None or load.power_kw.value is None
        }
        for back in self._away_since_s.keys() - away.keys():
            del self._away_since_s[back]
        for id_, patience_s in away.items():
            if now.at_s - self._away_since_s.setdefault(id_, now.at_s) >= patience_s:
                silent[id_] = "not connected" if id_ in now.chargers else "no report"
        return silent, self._answering(now, away.keys())

    def _answering(self, now: FieldNow, away: Iterable[str]) -> set[str]:
        heard = {id_ for id_, line in {**now.inverters, **now.storages}.items() if line.misses == 0}
        if now.meter.misses == 0:
            heard.add("meter")
        if now.breaker is not None and now.breaker.misses == 0:
            heard.add(BREAKER)
        return heard | ((now.chargers.keys() | now.loads.keys()) - set(away))
