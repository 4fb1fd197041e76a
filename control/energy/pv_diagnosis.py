"""PV diagnosis, sample by sample: owns telling the faults apart, their evidence, and what they cost.

    watch = PvDiagnosis(site.pvs, longitude_deg=site.longitude_deg)
    findings = watch.step(sample)        # once a period of 1 to 15 minutes; alarms raised and cleared
    watch.alarms                         # what stands now, with the energy lost so far
    watch.forecast_factors()             # by inverter: what part of its healthy power to expect

Outages and frozen values are found within the sample's pace, derating and clipping by the slot, shadows and dirt by the
day. An inverter that our own limit holds back is judged by nothing but its silence.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
)
from control.energy.pv_frozen import Still
from control.energy.pv_inverters import InverterSlots
from control.energy.pv_reference import StringPlace, expected_kw, places_of, string_key
from control.energy.pv_slots import Slot, is_clipped, is_limited
from control.energy.pv_standing import Standing
from control.energy.pv_types import InverterSample, PvAlarm, PvFault, PvFindings, PvLimits, PvSample
from control.energy.site import PvSpec

FIELD = "pv"
_DAY_S = 86_400.0
_KEPT_DAYS = 8
_LIMITS = PvLimits()


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
        self._dead_s: dict[str, float] = {}
        self._alive_s: dict[str, float] = {}
        self._still = {key: Still(place.rated_kw) for key, place in self._places.items()}
        self._still |= {key: Still(rated) for key, rated in self._rated.items()}
        self._inverters = {key: InverterSlots(rated) for key, rated in self._rated.items()}
        self._today: dict[str, DayOfString] = {}
        self._days: dict[str, list[DayVerdict]] = {}
        self._field_today: list[float] = []
        self._field_days: list[float] = []
        self._day: int | None = None

    @property
    def alarms(self) -> tuple[PvAlarm, ...]:
        """What stands now."""
        return tuple(self._standing.alarms.values())

    def step(self, sample: PvSample) -> PvFindings:
        """Take one period; the alarms that it raised and cleared."""
        day = int(self._sun_s(sample.at) // _DAY_S)
        if self._day is not None and day != self._day:
            self._close_day(sample.at)
        self._day = day
        sample = _cleaned(sample)
        expected = self._expected(sample)
        for inverter in sample.inverters:
            if inverter.id in self._rated:
                self._see_outage(inverter, expected, sample)
                self._see_frozen(inverter, expected, sample)
        self._slot.add(sample, self._rated, self.limits)
        if self._slot.seconds >= self.limits.slot_s:
            self._close_slot(sample.at)
        return self._standing.taken()

    def forecast_factors(self) -> dict[str, float]:
        """By inverter: the part of its healthy power that is to be expected (0 to 1) while its alarms stand."""
        return {inverter: self._factor(inverter) for inverter in self._rated}

    def _sun_s(self, at: datetime) -> float:
        """Mean solar time in seconds: noon is the sun's, whatever the clock of the province says."""
        return at.timestamp() + self._longitude_deg * 240.0

    # What every sample shows

    def _expected(self, sample: PvSample) -> dict[str, float]:
        believed: dict[str, float] = {}
        for inverter in sample.inverters:
            if inverter.id in self._rated and not self._held(inverter):
                known = {string_key(inverter.id, name): kw for name, kw in inverter.dc_kw.items() if kw is not None}
                believed |= {key: kw for key, kw in known.items() if key in self._places and self._believed(key)}
        return expected_kw(self._places, believed, sample.clear_dc_kw, self.limits)

    def _held(self, inverter: InverterSample) -> bool:
        rated = self._rated[inverter.id]
        return is_limited(inverter, rated, self.limits) or is_clipped(inverter, rated, self.limits)

    def _believed(self, key: str) -> bool:
        """Whether a string may be compared with: it and its inverter have no fault that would mislead."""
        standing, inverter = self._standing, self._places[key].inverter
        spoilt = (PvFault.OUTAGE, PvFault.FROZEN, PvFault.SHADING, PvFault.SOILING)
        return not (
            any((fault, key) in standing for fault in spoilt)
            or (PvFault.OUTAGE, inverter) in standing
            or (PvFault.DERATING, inverter) in standing
        )

    def _see_outage(self, inverter: InverterSample, expected: Mapping[str, float], sample: PvSample) -> None:
        rated, limits = self._rated[inverter.id], self.limits
        due = {place.key: expected[place.key] for place in self._strings[inverter.id] if place.key in expected}
        due_kw = sum(due.values())
        given = [inverter.dc_kw.get(key.split("/", 1)[1]) for key in due]
        known = [kw for kw in given if kw is not None]
        if is_limited(inverter, rated, limits):
            self._calm(inverter.id, *due)
            return
        light = due_kw >= limits.light_frac * sum(place.rated_kw for place in self._strings[inverter.id])
        if not light or (inverter.ac_kw is None and not known):
            return
        silent = inverter.ac_kw is None or inverter.ac_kw <= limits.dead_frac * due_kw
        dead = silent and sum(known) <= limits.dead_frac * due_kw
        evidence = {"expected_kw": due_kw, "measured_kw": inverter.ac_kw or 0.0}
        self._count_outage(inverter.id, dead, not silent, sample, evidence)
        if dead or (PvFault.OUTAGE, inverter.id) in self._standing:
            return
        for key, kw in zip(due, given, strict=True):
            if kw is not None and due[key] >= limits.light_frac * self._places[key].rated_kw:
                found = {"expected_kw": due[key], "measured_kw": kw}
                self._count_outage(
                    key, kw <= limits.dead_frac * due[key], kw >= limits.alive_frac * due[key], sample, found
                )

    def _calm(self, *devices: str) -> None:
        for device in devices:
            self._dead_s.pop(device, None)

    def _count_outage(
        self, device: str, dead: bool, alive: bool, sample: PvSample, evidence: Mapping[str, float | str]
    ) -> None:
        self._dead_s[device] = self._dead_s.get(device, 0.0) + sample.period_s if dead else 0.0
        self._alive_s[device] = self._alive_s.get(device, 0.0) + sample.period_s if alive else 0.0
        if self._dead_s[device] >= self.limits.outage_s:
            for_min = self._dead_s[device] / 60.0
            self._standing.begin(PvFault.OUTAGE, device, sample.at, {**evidence, "for_min": for_min})
        elif self._alive_s[device] >= self.limits.outage_clear_s:
            self._standing.end(PvFault.OUTAGE, device)

    def _see_frozen(self, inverter: InverterSample, expected: Mapping[str, float], sample: PvSample) -> None:
        held = self._held(inverter)
        strings = self._strings[inverter.id]
        values = {place.key: inverter.dc_kw.get(place.key.split("/", 1)[1]) for place in strings}
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

    def _close_slot(self, at: datetime) -> None:
        slot, self._slot = self._slot, Slot()
        given, clear, ac = slot.means(slot.string_kw), slot.means(slot.clear_kw), slot.means(slot.ac_kw)
        limited, clipped = slot.held_for(slot.limited_s), slot.held_for(slot.clipped_s)
        held = limited | clipped
        believed = {
            key: kw
            for key, kw in given.items()
            if key in self._places and self._places[key].inverter not in held and self._believed(key)
        }
        expected = expected_kw(self._places, believed, clear, self.limits)
        hours = slot.seconds / 3600.0
        bin_ = int(self._sun_s(at) % _DAY_S // BIN_S)
        for inverter, strings in self._strings.items():
            due = {place.key: expected[place.key] for place in strings if place.key in expected}
            self._cost(inverter, due, given, limited, hours)
            if inverter in limited:
                continue
            evened = self._judge_inverter(inverter, due, given, ac.get(inverter), inverter in clipped, at, hours)
            if inverter not in clipped and not evened:
                self._book(strings, due, given, bin_, hours)
        self._see_field(believed, clear)

    def _cost(
        self, inverter: str, due: Mapping[str, float], given: Mapping[str, float], limited: set[str], hours: float
    ) -> None:
        """Add to what standing alarms cost. What our own limit takes is no fault's."""
        if inverter in limited:
            return
        whole = (PvFault.OUTAGE, inverter) in self._standing or (PvFault.DERATING, inverter) in self._standing
        efficiency = self.limits.inverter_efficiency
        missing = 0.0
        for key, kw in due.items():
            short = max(0.0, kw - given.get(key, kw)) * efficiency * hours
            missing += short
            if not whole:
                for fault in (PvFault.OUTAGE, PvFault.SHADING, PvFault.SOILING):
                    self._standing.lost(fault, key, short)
        for fault in (PvFault.OUTAGE, PvFault.DERATING):
            self._standing.lost(fault, inverter, missing)

    def _judge_inverter(
        self,
        inverter: str,
        due: Mapping[str, float],
        given: Mapping[str, float],
        ac_kw: float | None,
        clipped: bool,
        at: datetime,
        hours: float,
    ) -> bool:
        """Derating and clipping; gives whether the slot must not be booked to single strings."""
        slots, limits = self._inverters[inverter], self.limits
        expected_ac = (
            sum(due.values()) * limits.inverter_efficiency if len(due) == len(self._strings[inverter]) else None
        )
        if clipped:
            over_kw = max(0.0, (expected_ac or 0.0) - self._rated[inverter])
            slots.clipped(over_kw * hours)
            if slots.clipped_slots_today >= limits.clipping_slots:
                self._standing.begin(
                    PvFault.CLIPPING,
                    inverter,
                    at,
                    {"rated_ac_kw": self._rated[inverter], "for_h": slots.clipped_slots_today * hours},
                    slots.clipped_kwh_today,
                )
            self._standing.lost(PvFault.CLIPPING, inverter, over_kw * hours)
            return True
        if expected_ac is None or ac_kw is None or (PvFault.FROZEN, inverter) in self._standing:
            return (PvFault.DERATING, inverter) in self._standing
        parts = [given[key] / kw for key, kw in due.items() if key in given and kw > 0.0]
        alike = len(parts) > 1 and max(parts) - min(parts) <= limits.alike_frac
        found = slots.see(expected_ac, ac_kw, alike=alike, limits=limits)
        if found.derated:
            self._standing.begin(
                PvFault.DERATING,
                inverter,
                at,
                {"held_at_kw": found.cap_kw, "rated_ac_kw": self._rated[inverter], "expected_kw": expected_ac},
            )
        elif found.recovered:
            self._standing.end(PvFault.DERATING, inverter)
        return found.suspect or (PvFault.DERATING, inverter) in self._standing

    def _book(
        self,
        strings: Sequence[StringPlace],
        due: Mapping[str, float],
        given: Mapping[str, float],
        bin_: int,
        hours: float,
    ) -> None:
        for place in strings:
            kw, expected = given.get(place.key), due.get(place.key)
            spoilt = any((fault, place.key) in self._standing for fault in (PvFault.OUTAGE, PvFault.FROZEN))
            if kw is None or expected is None or spoilt or (PvFault.OUTAGE, place.inverter) in self._standing:
                continue
            part = expected / place.rated_kw
            if part >= self.limits.light_frac:
                day = self._today.setdefault(place.key, DayOfString())
                day.add(bin_, kw * hours, expected * hours, part)

    def _see_field(self, believed: Mapping[str, float], clear: Mapping[str, float]) -> None:
        """How much of the clear sky's power the whole field has, for dirt that lies on all of it alike."""
        keys = [key for key in believed if key in clear]
        clear_kw = sum(clear[key] for key in keys)
        if len(keys) >= self.limits.peers_min and clear_kw >= 0.4 * sum(self._places[key].rated_kw for key in keys):
            self._field_today.append(sum(believed[key] for key in keys) / clear_kw)

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
        last = days[-1]
        dark = is_shaded(days, self.limits)
        if dark:
            first, until = min(dark) * BIN_S / 3600.0, (max(dark) + 1) * BIN_S / 3600.0
            evidence = {
                "from_solar_h": first,
                "until_solar_h": until,
                "day_part": last.part,
                "rest_part": last.rest_part,
            }
            self._standing.begin(PvFault.SHADING, key, at, evidence, 0.0)
        elif is_unshaded(days, self.limits):
            self._standing.end(PvFault.SHADING, key)
        if is_soiled(days, self.limits):
            self._standing.begin(
                PvFault.SOILING, key, at, {"day_part": last.part, "days": float(self.limits.soiling_days)}
            )
        elif is_clean(days, self.limits):
            self._standing.end(PvFault.SOILING, key)

    def _judge_field(self, at: datetime) -> None:
        """Dirt on the whole field: the best quarter of the bright hours falls against the best days of a month."""
        seen, self._field_today = sorted(self._field_today), []
        limits, days = self.limits, self._field_days
        if len(seen) < 6:
            return
        best = seen[int(0.8 * (len(seen) - 1))]
        # A day that was never clear says nothing of dirt; one of the days before would have it far off.
        if days and best < 0.75 * max(days):
            return
        days.append(best)
        del days[: -limits.field_days]
        ordered = sorted(days)
        clean = ordered[int(0.9 * (len(ordered) - 1))]
        last = days[-limits.soiling_days :]
        if len(days) >= 2 * limits.soiling_days and max(last) <= (1.0 - limits.field_loss_frac) * clean:
            self._standing.begin(
                PvFault.SOILING, FIELD, at, {"of_clear_sky": last[-1], "was": clean, "days": float(len(last))}
            )
        elif min(last[-2:]) >= (1.0 - limits.soiling_clear_frac) * clean:
            self._standing.end(PvFault.SOILING, FIELD)

    def _factor(self, inverter: str) -> float:
        standing = self._standing
        if (PvFault.OUTAGE, inverter) in standing:
            return 0.0
        strings = self._strings[inverter]
        rated = sum(place.rated_kw for place in strings)
        expected = sum(place.rated_kw * self._string_factor(place.key) for place in strings)
        part = expected / rated if rated > 0.0 else 1.0
        derating = standing.alarms.get((PvFault.DERATING, inverter))
        if derating is not None:
            part = min(part, float(derating.evidence["held_at_kw"]) / max(self._rated[inverter], 1e-9))
        return min(max(part, 0.0), 1.0)

    def _string_factor(self, key: str) -> float:
        if (PvFault.OUTAGE, key) in self._standing:
            return 0.0
        if (PvFault.SHADING, key) in self._standing or (PvFault.SOILING, key) in self._standing:
            return self._days[key][-1].part
        return 1.0


def _cleaned(sample: PvSample) -> PvSample:
    """The sample without what is no number: such a value is not known."""

    def number(kw: float | None) -> float | None:
        return kw if kw is not None and math.isfinite(kw) else None

    return PvSample(
        at=sample.at,
        period_s=min(max(number(sample.period_s) or 0.0, 0.0), 3600.0),
        inverters=tuple(
            InverterSample(
                id=one.id,
                ac_kw=number(one.ac_kw),
                limit_kw=number(one.limit_kw),
                dc_kw={key: number(kw) for key, kw in one.dc_kw.items()},
            )
            for one in sample.inverters
        ),
        clear_dc_kw={key: kw for key, kw in sample.clear_dc_kw.items() if math.isfinite(kw)},
    )
