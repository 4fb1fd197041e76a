"""PV diagnosis, sample by sample: owns telling the faults apart, their evidence, and what they cost.

    watch = PvDiagnosis(site.pvs, longitude_deg=site.longitude_deg)
    findings = watch.step(sample)        # once a period of 1 to 15 minutes; alarms raised and cleared
    watch.alarms                         # what stands now, with the energy lost so far
    watch.forecast_factors()             # by inverter: what part of its healthy power to expect

Outages and frozen values are found within the sample's pace, derating and clipping by the slot, shadows and dirt by the
day. An inverter that our own limit holds back is judged by nothing but its frozen values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from control.energy.pv_days import (
    BIN_S,
    DayOfString,
    DayVerdict,
    is_clean,
    is_shaded,
    is_soiled,
    is_unshaded,
    judged,
    short_kwh,
)
from control.energy.pv_frozen import Still
from control.energy.pv_inverters import InverterSlots
from control.energy.pv_reference import StringPlace, expected_kw, places_of, string_key
from control.energy.pv_silence import Silence
from control.energy.pv_slots import Slot, cleaned, is_clipped, is_limited
from control.energy.pv_standing import Standing
from control.energy.pv_types import InverterSample, PvAlarm, PvFault, PvFindings, PvLimits, PvSample
from control.energy.pv_usable import figure, usable_frac
from control.energy.pv_whole_field import WholeField
from control.energy.site import PvSpec

FIELD = "pv"
_DAY_S = 86_400.0
_KEPT_DAYS = 8
_LIMITS = PvLimits()
# Faults that would mislead where a string is compared with others.
_SPOILS_STRING = (PvFault.OUTAGE, PvFault.FROZEN, PvFault.SHADING, PvFault.SOILING)
_SPOILS_INVERTER = (PvFault.OUTAGE, PvFault.DERATING)
# What a string falls short of is one fault's alone, the first of these that stands.
_COSTS_STRING = (PvFault.OUTAGE, PvFault.SHADING, PvFault.SOILING)


@dataclass(frozen=True, slots=True)
class _Closed:
    """One slot's means: kW given by string, kW at the bus by inverter, and who was held back."""

    at: datetime
    hours: float
    given: Mapping[str, float]
    clear: Mapping[str, float]
    ac: Mapping[str, float]
    limited: set[str]
    clipped: set[str]


class PvDiagnosis:
    """What is known of one PV field; see the module. Samples come in the order of time."""

    def __init__(self, pvs: Sequence[PvSpec], *, longitude_deg: float, limits: PvLimits = _LIMITS) -> None:
        self.limits = limits
        self._longitude_deg = longitude_deg
        self._rated = {pv.id: pv.rated_ac_kw for pv in pvs}
        self._places = places_of(pvs, limits)
        self._strings = {pv.id: [place for place in self._places.values() if place.inverter == pv.id] for pv in pvs}
        self._standing = Standing()
        self._slot = Slot()
        self._silence = Silence(self._standing, limits)
        self._still = {key: Still(place.rated_kw) for key, place in self._places.items()}
        self._still |= {key: Still(rated) for key, rated in self._rated.items()}
        self._inverters = {key: InverterSlots(rated) for key, rated in self._rated.items()}
        self._suspect_kwh: dict[str, float] = {}
        self._today: dict[str, DayOfString] = {}
        self._days: dict[str, list[DayVerdict]] = {}
        self._field = WholeField()
        self._day: int | None = None
        self._last_at: datetime | None = None

    @property
    def alarms(self) -> tuple[PvAlarm, ...]:
        """What stands now."""
        return tuple(self._standing.alarms.values())

    def take_up(self, alarms: Iterable[PvAlarm]) -> None:
        """Alarms that stood when another run ended: they stand on, and end as any other does.

        Those of devices that the field does not have are left out.
        """
        for alarm in alarms:
            if alarm.device not in self._still and alarm.device != FIELD:
                continue
            self._standing.alarms[(alarm.fault, alarm.device)] = alarm
            if alarm.fault is PvFault.DERATING and alarm.device in self._inverters:
                cap_kw = figure(alarm, "held_at_kw", self._rated[alarm.device])
                self._inverters[alarm.device].take_up(cap_kw, self.limits)
            if alarm.fault is PvFault.SOILING and alarm.device == FIELD:
                self._field.was = figure(alarm, "was", 0.0)

    def step(self, sample: PvSample) -> PvFindings:
        """Take one period; the alarms that it raised and cleared."""
        day = int(self._sun_s(sample.at) // _DAY_S)
        if self._day is not None and day != self._day:
            self._close_day(sample.at)
        self._day = day
        sample = cleaned(sample)
        expected = self._expected(sample)
        for inverter in sample.inverters:
            if inverter.id in self._rated:
                strings, rated_kw = self._strings[inverter.id], self._rated[inverter.id]
                self._silence.see(inverter, strings, rated_kw=rated_kw, expected=expected, sample=sample)
                self._see_frozen(inverter, expected, sample)
        self._gather(sample)
        return self._standing.taken()

    def forecast_factors(self) -> dict[str, float]:
        """By inverter: the part of its healthy power that is to be expected (0 to 1) while its alarms stand."""
        alarms = self._standing.alarms
        return {
            inverter: usable_frac(inverter, rated_kw, self._strings[inverter], alarms)
            for inverter, rated_kw in self._rated.items()
        }

    def _sun_s(self, at: datetime) -> float:
        """Mean solar time in seconds: noon is the sun's, whatever the clock of the province says."""
        return at.timestamp() + self._longitude_deg * 240.0

    def _stands(self, fault: PvFault, device: str) -> bool:
        return (fault, device) in self._standing

    def _ill(self) -> set[str]:
        """Strings and inverters that nothing may be compared with."""
        alarms = self._standing.alarms
        return {
            device
            for fault, device in alarms
            if fault in (_SPOILS_INVERTER if device in self._rated else _SPOILS_STRING)
        }

    # What every sample shows

    def _expected(self, sample: PvSample) -> dict[str, float]:
        believed: dict[str, float] = {}
        ill = self._ill()
        for inverter in sample.inverters:
            if inverter.id in self._rated and inverter.id not in ill and not self._held(inverter):
                known = {string_key(inverter.id, name): kw for name, kw in inverter.dc_kw.items() if kw is not None}
                believed |= {key: kw for key, kw in known.items() if key in self._places and key not in ill}
        return expected_kw(self._places, believed, sample.clear_dc_kw, self.limits)

    def _held(self, inverter: InverterSample) -> bool:
        rated = self._rated[inverter.id]
        return is_limited(inverter, rated, self.limits) or is_clipped(inverter, rated, self.limits)

    def _see_frozen(self, inverter: InverterSample, expected: Mapping[str, float], sample: PvSample) -> None:
        held = self._held(inverter)
        strings = self._strings[inverter.id]
        values = {place.key: inverter.dc_kw.get(place.string) for place in strings}
        known = [kw for kw in values.values() if kw is not None]
        together = sum(known) if len(known) == len(values) and known else None
        due = [expected[place.key] for place in strings if place.key in expected]
        due_kw = sum(due) * self.limits.inverter_efficiency if len(due) == len(strings) and due else None
        for key, kw in values.items():
            self._see_still(key, kw, expected.get(key), inverter.ac_kw, held, sample)
        self._see_still(inverter.id, inverter.ac_kw, due_kw, together, held, sample)

    def _see_still(
        self,
        device: str,
        kw: float | None,
        expected: float | None,
        beside: float | None,
        held: bool,
        sample: PvSample,
    ) -> None:
        if kw is None:
            return
        still = self._still[device]
        still.see(kw, expected_kw=expected, beside_kw=beside, held=held, period_s=sample.period_s)
        if still.frozen(self.limits):
            evidence = {
                "value_kw": kw,
                "still_min": still.still_s / 60.0,
                "expected_from_kw": still.expected_low_kw,
                "expected_to_kw": still.expected_high_kw,
            }
            self._standing.begin(PvFault.FROZEN, device, sample.at, evidence)
        elif still.moves >= 3:
            self._standing.end(PvFault.FROZEN, device)

    # What a slot shows

    def _gather(self, sample: PvSample) -> None:
        last, self._last_at = self._last_at, sample.at
        if last is not None and (sample.at - last).total_seconds() > sample.period_s + self.limits.slot_s:
            self._slot = Slot()
        self._slot.add(sample, self._rated, self.limits)
        if self._slot.seconds >= self.limits.slot_s:
            self._close_slot(sample.at)

    def _close_slot(self, at: datetime) -> None:
        slot, self._slot = self._slot, Slot()
        closed = _Closed(
            at=at,
            hours=slot.seconds / 3600.0,
            given=slot.means(slot.string_kw),
            clear=slot.means(slot.clear_kw),
            ac=slot.means(slot.ac_kw),
            limited=slot.held_for(slot.limited_s),
            clipped=slot.held_for(slot.clipped_s),
        )
        held, ill = closed.limited | closed.clipped, self._ill()
        believed = {
            key: kw
            for key, kw in closed.given.items()
            if key in self._places and key not in ill and self._places[key].inverter not in held | ill
        }
        expected = expected_kw(self._places, believed, closed.clear, self.limits)
        for inverter, strings in self._strings.items():
            if inverter in closed.limited:
                continue
            due = {place.key: expected[place.key] for place in strings if place.key in expected}
            if inverter in closed.clipped:
                self._clip(inverter, due, closed)
                continue
            spoilt = self._judge_inverter(inverter, due, closed)
            self._cost(inverter, due, closed)
            if not spoilt:
                self._book(strings, due, closed)
        self._cost_field(closed)
        self._field.today_kwh += sum(believed.values()) * closed.hours
        self._field.see(believed, closed.clear, self._places, self.limits)

    def _at_bus_kw(self, inverter: str, due: Mapping[str, float]) -> float | None:
        """What is due at the bus were there no rating; None where a string's part is not known."""
        whole = len(due) == len(self._strings[inverter]) and bool(due)
        return sum(due.values()) * self._efficiency(inverter) if whole else None

    def _efficiency(self, inverter: str) -> float:
        return self._inverters[inverter].efficiency or self.limits.inverter_efficiency

    def _clip(self, inverter: str, due: Mapping[str, float], closed: _Closed) -> None:
        """An inverter at its rating: what it could give more is known from those that do not clip, or from before."""
        slots, rated = self._inverters[inverter], self._rated[inverter]
        offered_kw = self._at_bus_kw(inverter, due)
        if offered_kw is None and self._field.through is not None:
            clear = {
                place.key: closed.clear[place.key] for place in self._strings[inverter] if place.key in closed.clear
            }
            offered_kw = (self._at_bus_kw(inverter, clear) or 0.0) * self._field.through
        over_kwh = max(0.0, (offered_kw or 0.0) - rated) * closed.hours
        slots.clipped(over_kwh)
        if self._stands(PvFault.CLIPPING, inverter):
            self._standing.lost(PvFault.CLIPPING, inverter, over_kwh)
        if slots.clipped_slots_today >= self.limits.clipping_slots:
            evidence = {"rated_ac_kw": rated, "for_h": slots.clipped_slots_today * closed.hours}
            self._standing.begin(PvFault.CLIPPING, inverter, closed.at, evidence, slots.clipped_kwh_today)

    def _judge_inverter(self, inverter: str, due: Mapping[str, float], closed: _Closed) -> bool:
        """Derating; gives whether the slot must not be booked to single strings."""
        derated = self._stands(PvFault.DERATING, inverter)
        expected_kw, ac_kw = self._at_bus_kw(inverter, due), closed.ac.get(inverter)
        if expected_kw is None or ac_kw is None or self._stands(PvFault.FROZEN, inverter):
            return derated
        given = [closed.given[place.key] for place in self._strings[inverter] if place.key in closed.given]
        if len(given) == len(self._strings[inverter]):
            self._inverters[inverter].learn_efficiency(sum(given), ac_kw, self.limits)
        parts = [closed.given[key] / kw for key, kw in due.items() if key in closed.given and kw > 0.0]
        found = self._inverters[inverter].see(expected_kw, ac_kw, alike=self._fall_alike(parts), limits=self.limits)
        if found.derated:
            evidence = {
                "held_at_kw": found.cap_kw,
                "rated_ac_kw": self._rated[inverter],
                "expected_kw": min(expected_kw, self._rated[inverter]),
            }
            before_kwh = self._suspect_kwh.pop(inverter, 0.0)
            self._standing.begin(PvFault.DERATING, inverter, closed.at, evidence, before_kwh)
        elif found.recovered:
            self._standing.end(PvFault.DERATING, inverter)
        if not found.suspect:
            self._suspect_kwh.pop(inverter, None)
        elif not found.derated:
            short_kwh = max(0.0, min(expected_kw, self._rated[inverter]) - ac_kw) * closed.hours
            self._suspect_kwh[inverter] = self._suspect_kwh.get(inverter, 0.0) + short_kwh
        return found.suspect or self._stands(PvFault.DERATING, inverter)

    def _fall_alike(self, parts: Sequence[float]) -> bool:
        """Whether all strings give less by the same part, as they do where their inverter holds them down."""
        limits = self.limits
        return (
            len(parts) > 1
            and max(parts) - min(parts) <= limits.alike_frac
            and max(parts) <= 1.0 - 0.5 * limits.derating_loss_frac
        )

    def _cost(self, inverter: str, due: Mapping[str, float], closed: _Closed) -> None:
        """Add to what standing alarms cost at the bus. What our own limit or the rating takes is no fault's."""
        standing, efficiency = self._standing, self._efficiency(inverter)
        offered_kw, ac_kw = self._at_bus_kw(inverter, due), closed.ac.get(inverter)
        rated_kw = self._rated[inverter]
        short = {key: max(0.0, kw - closed.given.get(key, kw)) * efficiency for key, kw in due.items()}
        short_kw = sum(short.values())
        over_kw = max(0.0, (offered_kw or 0.0) - rated_kw)
        whole_kwh = max(0.0, short_kw - over_kw) * closed.hours
        if offered_kw is not None and ac_kw is not None:
            whole_kwh = max(0.0, offered_kw - over_kw - ac_kw) * closed.hours
        ill = next((fault for fault in _SPOILS_INVERTER if (fault, inverter) in standing), None)
        if ill is not None:
            standing.lost(ill, inverter, whole_kwh)
            return
        self._silence.cost(inverter, whole_kwh)
        hours = closed.hours * max(0.0, 1.0 - over_kw / short_kw) if short_kw > 0.0 else 0.0
        for key, kw in short.items():
            self._silence.cost(key, kw * hours)
            fault = next((fault for fault in _COSTS_STRING if (fault, key) in standing), None)
            if fault is not None and (fault is not PvFault.SHADING or self._in_shadow(key, closed)):
                standing.lost(fault, key, kw * hours)

    def _in_shadow(self, key: str, closed: _Closed) -> bool:
        alarm, hour = self._standing.alarms[(PvFault.SHADING, key)], self._sun_h(closed)
        return figure(alarm, "from_solar_h", 0.0) - 0.5 <= hour < figure(alarm, "until_solar_h", 24.0) + 0.5

    def _sun_h(self, closed: _Closed) -> float:
        """The sun's hour in the middle of a slot."""
        return (self._sun_s(closed.at) - 1800.0 * closed.hours) % _DAY_S / 3600.0

    def _cost_field(self, closed: _Closed) -> None:
        alarm = self._standing.alarms.get((PvFault.SOILING, FIELD))
        if alarm is None:
            return
        held = closed.limited | closed.clipped
        given_kw = sum(kw for key, kw in closed.given.items() if key.split("/", 1)[0] not in held)
        level, was = figure(alarm, "of_clear_sky", 1.0), figure(alarm, "was", 1.0)
        lost_kw = given_kw * max(0.0, was / max(level, 1e-9) - 1.0) * self.limits.inverter_efficiency
        self._standing.lost(PvFault.SOILING, FIELD, lost_kw * closed.hours)

    def _book(self, strings: Sequence[StringPlace], due: Mapping[str, float], closed: _Closed) -> None:
        bin_ = int(self._sun_h(closed) * 3600.0 // BIN_S)
        for place in strings:
            kw, expected = closed.given.get(place.key), due.get(place.key)
            spoilt = any(self._stands(fault, place.key) for fault in (PvFault.OUTAGE, PvFault.FROZEN))
            if kw is None or expected is None or spoilt or self._stands(PvFault.OUTAGE, place.inverter):
                continue
            part = expected / place.rated_kw
            if part >= self.limits.light_frac:
                day = self._today.setdefault(place.key, DayOfString())
                day.add(bin_, kw * closed.hours, expected * closed.hours, part)

    # What a day shows

    def _close_day(self, at: datetime) -> None:
        for key in self._places:
            verdict = judged(self._today[key], self.limits) if key in self._today else None
            if verdict is not None:
                days = self._days.setdefault(key, [])
                days.append(verdict)
                del days[:-_KEPT_DAYS]
                self._judge_string(key, days, at)
        self._today.clear()
        for inverter, slots in self._inverters.items():
            if slots.end_day() >= self.limits.clipping_clear_days:
                self._standing.end(PvFault.CLIPPING, inverter)
        self._judge_field(at)

    def _judge_string(self, key: str, days: list[DayVerdict], at: datetime) -> None:
        last, limits, standing = days[-1], self.limits, self._standing
        efficiency = self._efficiency(self._places[key].inverter)
        dark = is_shaded(days, limits)
        if dark:
            evidence = {
                "from_solar_h": min(dark) * BIN_S / 3600.0,
                "until_solar_h": (max(dark) + 1) * BIN_S / 3600.0,
                "day_part": last.part,
                "rest_part": last.rest_part,
            }
            shaded = range(min(dark) - 1, max(dark) + 2)
            lost_kwh = short_kwh([day for day in days if day.bright][-limits.shading_days :], shaded)
            standing.begin(PvFault.SHADING, key, at, evidence, lost_kwh * efficiency)
        elif is_unshaded(days, limits):
            standing.end(PvFault.SHADING, key)
        if is_soiled(days, limits):
            evidence = {"day_part": last.part, "days": float(limits.soiling_days)}
            lost_kwh = short_kwh(days[-limits.soiling_days :])
            standing.begin(PvFault.SOILING, key, at, evidence, lost_kwh * efficiency)
        elif is_clean(days, limits):
            standing.end(PvFault.SOILING, key)

    def _judge_field(self, at: datetime) -> None:
        found = self._field.end_day(self.limits)
        if found is None:
            return
        level, clean = found
        if self._field.is_dirty(clean, self.limits):
            evidence = {"of_clear_sky": level, "was": clean, "days": float(self.limits.soiling_days)}
            lost_kwh = self._field.lost_kwh(clean, self.limits) * self.limits.inverter_efficiency
            self._standing.begin(PvFault.SOILING, FIELD, at, evidence, lost_kwh)
        elif self._field.is_clean(clean, self.limits):
            self._field.was = 0.0
            self._standing.end(PvFault.SOILING, FIELD)
