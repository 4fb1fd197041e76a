"""The PV plant's health as the gateway follows it: owns the minute's sample for the diagnosis, and its findings.

After a restart the diagnosis takes up the alarms that the journal has open, and ends them as any others. What it had
gathered towards a finding of days, a shadow or dirt that was not told yet, begins anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from control.energy.dispatch_types import Commands
from control.energy.pv_diagnosis import PvDiagnosis
from control.energy.pv_reference import expected_kw, places_of, string_key
from control.energy.pv_types import InverterSample, PvAlarm, PvFault, PvLimits, PvSample
from control.energy.site import PvSpec, SiteSpec
from edge.energy.alarms import Condition, OpenAlarm
from edge.energy.device_rows import string_id
from edge.energy.field import FieldNow
from edge.energy.ports import InverterReading
from edge.energy.sky import SkyTable
from edge.energy.snapshot import value_of
from edge.ports import Clock

PERIOD_S = 60.0
# The forecast's own past knows of a fault after so long.
KNOWN_TO_FORECAST = timedelta(days=2)
_CODES = {fault.value: fault for fault in PvFault}
# These are told at the end of a day, with what the days before had lost.
_TOLD_BY_DAY = (PvFault.SHADING, PvFault.SOILING)
_LIVE_HZ = 1.0


@dataclass(slots=True)
class _Mean:
    """The mean of what was known."""

    total: float = 0.0
    count: int = 0

    def add(self, value: float | None) -> None:
        if value is not None:
            self.total, self.count = self.total + value, self.count + 1

    @property
    def value(self) -> float | None:
        return self.total / self.count if self.count else None


@dataclass(slots=True)
class _Minute:
    """What one inverter showed since the last sample."""

    ac: _Mean = field(default_factory=_Mean)
    dc: dict[str, _Mean] = field(default_factory=dict)
    limit_kw: float | None = None


class PvWatch:
    """`see` is called every cycle; once a minute it asks the diagnosis."""

    def __init__(self, site: SiteSpec, sky: SkyTable, clock: Clock) -> None:
        self._site, self._sky, self._clock = site, sky, clock
        self._limits = PvLimits()
        self._watch = PvDiagnosis(site.pvs, longitude_deg=site.longitude_deg, limits=self._limits)
        self._places = places_of(site.pvs, self._limits)
        self._specs = {pv.id: pv for pv in site.pvs}
        self._zone = ZoneInfo(site.timezone)
        self._minutes: dict[str, _Minute] = {pv.id: _Minute() for pv in site.pvs}
        self._began_s = clock.monotonic()
        self._day = ""
        self._lost_before: dict[tuple[PvFault, str], float] = {}
        self.rows: Mapping[str, dict[str, Any]] = {}
        self.conditions: tuple[Condition, ...] = ()

    def recall(self, open_alarms: Iterable[OpenAlarm]) -> None:
        """Alarms of the last run: they stand on until the diagnosis sees that they are over."""
        found = [(_CODES.get(one.condition.code), one) for one in open_alarms]
        self._watch.take_up(_alarm(fault, one) for fault, one in found if fault is not None)
        self._tell({})

    def see(self, now: FieldNow, commands: Commands) -> None:
        """One cycle's readings, and the limits that were just commanded."""
        live = _is_live(now)
        for id_, heard in now.inverters.items():
            if id_ in self._specs:
                self._add(self._specs[id_], heard.fresh if live else None, commands.pv_limit_kw.get(id_))
        now_s = self._clock.monotonic()
        if now_s - self._began_s >= PERIOD_S and self._specs:
            sample = self._sample(now_s - self._began_s)
            self._began_s = now_s
            self._watch.step(sample)
            self._tell(self._expected(sample))

    def _add(self, spec: PvSpec, reading: InverterReading | None, limit_kw: float | None) -> None:
        minute = self._minutes[spec.id]
        # The inverter's own word counts as well: after a silence it holds a limit that nobody commanded just now.
        for kw in (limit_kw, None if reading is None else value_of(reading.limit_kw)):
            if kw is not None and kw < spec.rated_ac_kw:
                minute.limit_kw = kw if minute.limit_kw is None else min(minute.limit_kw, kw)
        if reading is None:
            return
        minute.ac.add(value_of(reading.power_kw))
        names = [one.id for one in spec.strings]
        for string in reading.strings:
            minute.dc.setdefault(string_id(names, string), _Mean()).add(value_of(string.power_kw))

    def _sample(self, period_s: float) -> PvSample:
        minutes, self._minutes = self._minutes, {id_: _Minute() for id_ in self._specs}
        inverters = tuple(
            InverterSample(
                id=id_,
                ac_kw=minute.ac.value,
                limit_kw=minute.limit_kw,
                dc_kw={name: mean.value for name, mean in minute.dc.items()},
            )
            for id_, minute in minutes.items()
        )
        at = self._clock.now()
        return PvSample(at=at, period_s=period_s, inverters=inverters, clear_dc_kw=self._sky.strings_at(at))

    def _expected(self, sample: PvSample) -> dict[str, float]:
        """What each string should give, by its healthy peers."""
        ill = {alarm.device for alarm in self._watch.alarms}
        believed = {
            string_key(one.id, name): kw
            for one in sample.inverters
            if one.id not in ill and one.limit_kw is None
            for name, kw in one.dc_kw.items()
            if kw is not None and string_key(one.id, name) not in ill
        }
        known = {key: kw for key, kw in believed.items() if key in self._places}
        return dict(expected_kw(self._places, known, sample.clear_dc_kw, self._limits))

    # ------------------------------------------------------------------------------------------------------- telling

    def _tell(self, expected: Mapping[str, float]) -> None:
        alarms = self._watch.alarms
        self.conditions = tuple(_condition(alarm) for alarm in alarms)
        self._begin_day(self._clock.now(), alarms)
        self.rows = {pv.id: self._row(pv, alarms, expected) for pv in self._site.pvs}

    def _begin_day(self, now: datetime, alarms: Iterable[PvAlarm]) -> None:
        """Mark what alarms had cost when this local day began, or when they were told of days before it."""
        day = now.astimezone(self._zone).date().isoformat()
        before = self._lost_before if day == self._day else {}
        first = day != self._day
        self._day = day
        self._lost_before = {
            (alarm.fault, alarm.device): before.get(
                (alarm.fault, alarm.device), alarm.lost_kwh if first or alarm.fault in _TOLD_BY_DAY else 0.0
            )
            for alarm in alarms
        }

    def _row(self, pv: PvSpec, alarms: tuple[PvAlarm, ...], expected: Mapping[str, float]) -> dict[str, Any]:
        strings = {one.id: self._figures(string_key(pv.id, one.id), alarms, expected) for one in pv.strings}
        row = self._figures(pv.id, alarms, {})
        due = [expected.get(string_key(pv.id, one.id)) for one in pv.strings]
        if due and all(kw is not None for kw in due):
            total_kw = self._limits.inverter_efficiency * sum(kw for kw in due if kw is not None)
            row["expected_kw"] = round(min(total_kw, pv.rated_ac_kw), 2)
        row["lost_kwh"] = round(row["lost_kwh"] + sum(one["lost_kwh"] for one in strings.values()), 2)
        return row | {"strings": strings}

    def _figures(self, key: str, alarms: tuple[PvAlarm, ...], expected: Mapping[str, float]) -> dict[str, Any]:
        mine = [alarm for alarm in alarms if alarm.device == key]
        lost = sum((one.lost_kwh - self._lost_before[one.fault, one.device] for one in mine), 0.0)
        row: dict[str, Any] = {"lost_kwh": round(lost, 2), "diagnosis": mine[0].fault.value if mine else ""}
        if key in expected:
            row["expected_kw"] = round(expected[key], 2)
        return row

    def forecast_factor(self) -> float:
        """What part of the forecast sun the plant can use, for faults that are too new to be in the past."""
        now, rated_kw = self._clock.now(), sum(pv.rated_ac_kw for pv in self._site.pvs)
        if rated_kw <= 0:
            return 1.0
        new = {alarm.device.split("/")[0] for alarm in self._watch.alarms if now - alarm.since < KNOWN_TO_FORECAST}
        factors = self._watch.forecast_factors()
        usable_kw = sum(pv.rated_ac_kw * (factors[pv.id] if pv.id in new else 1.0) for pv in self._site.pvs)
        return usable_kw / rated_kw


def _is_live(now: FieldNow) -> bool:
    """Whether the bus may carry voltage; without any, inverters give nothing, and that is no fault of theirs."""
    breaker, meter = now.breaker, now.meter.reading
    if breaker is not None and breaker.reading is not None:
        bus_hz = value_of(breaker.reading.bus_hz)
    else:
        bus_hz = None if meter is None else value_of(meter.frequency_hz)
    return bus_hz is None or bus_hz >= _LIVE_HZ


def _alarm(fault: PvFault, kept: OpenAlarm) -> PvAlarm:
    told = kept.condition
    return PvAlarm(
        fault=fault,
        device=told.device,
        severity=told.severity,
        since=kept.raised_at,
        evidence=told.evidence,
        suggestion=told.suggestion,
        lost_kwh=told.lost_kwh or 0.0,
    )


def _condition(alarm: PvAlarm) -> Condition:
    evidence = {name: round(v, 3) if isinstance(v, float) else v for name, v in alarm.evidence.items()}
    return Condition(
        code=alarm.fault.value,
        device=alarm.device,
        severity=alarm.severity,
        evidence=evidence,
        suggestion=alarm.suggestion,
        lost_kwh=round(alarm.lost_kwh, 2),
        rise_s=0.0,
        fall_s=0.0,
    )
