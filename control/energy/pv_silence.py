"""PV inverters and strings that give nothing: owns telling an outage from night, and its cost until it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from control.energy.pv_reference import StringPlace
from control.energy.pv_slots import is_limited
from control.energy.pv_standing import Standing
from control.energy.pv_types import InverterSample, PvFault, PvLimits, PvSample


@dataclass(slots=True)
class Silence:
    """Dead and alive time by device. A device between the two keeps neither."""

    standing: Standing
    limits: PvLimits
    dead_s: dict[str, float] = field(default_factory=dict)
    alive_s: dict[str, float] = field(default_factory=dict)
    lost_kwh: dict[str, float] = field(default_factory=dict)

    def see(
        self,
        inverter: InverterSample,
        strings: Sequence[StringPlace],
        *,
        rated_kw: float,
        expected: Mapping[str, float],
        sample: PvSample,
    ) -> None:
        """One inverter in one sample; `expected` is what its strings should give, kW, as far as that can be told."""
        limits = self.limits
        if is_limited(inverter, rated_kw, limits):
            self._calm(inverter.id, *(place.key for place in strings))
            return
        known = {place.key: kw for place in strings if (kw := inverter.dc_kw.get(place.string)) is not None}
        if inverter.ac_kw is None and not known:
            return
        due = {place.key: expected[place.key] for place in strings if place.key in expected}
        due_kw, given_kw = sum(due.values()), sum(known.values())
        if due_kw <= limits.light_frac * sum(place.rated_kw for place in strings):
            self._see_alone(inverter, strings, rated_kw, given_kw, sample)
            return
        silent = inverter.ac_kw is None or inverter.ac_kw <= limits.dead_frac * due_kw
        dead = silent and given_kw <= limits.dead_frac * due_kw
        evidence = {"expected_kw": due_kw, "measured_kw": inverter.ac_kw or 0.0}
        self._count(inverter.id, dead, not silent, sample, evidence, limits.outage_s)
        if dead or (PvFault.OUTAGE, inverter.id) in self.standing:
            return
        for place in strings:
            key = place.key
            if key in known and due.get(key, 0.0) >= limits.light_frac * place.rated_kw:
                kw, found = known[key], {"expected_kw": due[key], "measured_kw": known[key]}
                dead, alive = kw <= limits.dead_frac * due[key], kw >= limits.alive_frac * due[key]
                self._count(key, dead, alive, sample, found, limits.outage_s)

    def cost(self, device: str, kwh: float) -> None:
        """What a device has lost in a slot: kept while it is dead and not told yet."""
        if self.dead_s.get(device, 0.0) > 0.0:
            self.lost_kwh[device] = self.lost_kwh.get(device, 0.0) + kwh

    def _see_alone(
        self,
        inverter: InverterSample,
        strings: Sequence[StringPlace],
        rated_kw: float,
        given_kw: float,
        sample: PvSample,
    ) -> None:
        """Nothing is due by the peers, who may be as dead: nothing at all under a high sun is an outage as well."""
        limits = self.limits
        clear_kw = sum(sample.clear_dc_kw.get(place.key, 0.0) for place in strings)
        if inverter.ac_kw is None or clear_kw < limits.alone_light_frac * rated_kw:
            return
        dead = max(inverter.ac_kw, given_kw) <= limits.alone_dead_frac * rated_kw
        evidence = {"clear_sky_kw": clear_kw, "measured_kw": inverter.ac_kw}
        self._count(inverter.id, dead, not dead, sample, evidence, limits.alone_outage_s)

    def _count(
        self,
        device: str,
        dead: bool,
        alive: bool,
        sample: PvSample,
        evidence: Mapping[str, float | str],
        needed_s: float,
    ) -> None:
        self.dead_s[device] = self.dead_s.get(device, 0.0) + sample.period_s if dead else 0.0
        self.alive_s[device] = self.alive_s.get(device, 0.0) + sample.period_s if alive else 0.0
        if self.dead_s[device] >= needed_s:
            found = {**evidence, "for_min": self.dead_s[device] / 60.0}
            self.standing.begin(PvFault.OUTAGE, device, sample.at, found, self.lost_kwh.pop(device, 0.0))
        elif self.alive_s[device] >= self.limits.outage_clear_s:
            self.standing.end(PvFault.OUTAGE, device)
        if not dead:
            self.lost_kwh.pop(device, None)

    def _calm(self, *devices: str) -> None:
        for device in devices:
            self.dead_s.pop(device, None)
            self.lost_kwh.pop(device, None)
