"""From samples to slots: owns a quarter of an hour's means per string and inverter, and who was held back in it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from control.energy.pv_reference import string_key
from control.energy.pv_types import InverterSample, PvLimits, PvSample

_HELD_PART = 0.1


@dataclass(slots=True)
class Mean:
    """A mean over time."""

    sum_kws: float = 0.0
    seconds: float = 0.0

    def add(self, kw: float, seconds: float) -> None:
        """A value that held for so long."""
        self.sum_kws += kw * seconds
        self.seconds += seconds

    def value(self, at_least_s: float) -> float | None:
        """The mean, or None where too little is known."""
        return self.sum_kws / self.seconds if self.seconds >= max(at_least_s, 1e-9) else None


@dataclass(slots=True)
class Slot:
    """A slot in the making."""

    seconds: float = 0.0
    string_kw: dict[str, Mean] = field(default_factory=dict)
    clear_kw: dict[str, Mean] = field(default_factory=dict)
    ac_kw: dict[str, Mean] = field(default_factory=dict)
    limited_s: dict[str, float] = field(default_factory=dict)
    clipped_s: dict[str, float] = field(default_factory=dict)

    def add(self, sample: PvSample, rated_ac_kw: Mapping[str, float], limits: PvLimits) -> None:
        """One sample more."""
        period_s = sample.period_s
        self.seconds += period_s
        for inverter in sample.inverters:
            rated = rated_ac_kw.get(inverter.id)
            if rated is None:
                continue
            if inverter.ac_kw is not None:
                self.ac_kw.setdefault(inverter.id, Mean()).add(inverter.ac_kw, period_s)
            if is_limited(inverter, rated, limits):
                self.limited_s[inverter.id] = self.limited_s.get(inverter.id, 0.0) + period_s
            if is_clipped(inverter, rated, limits):
                self.clipped_s[inverter.id] = self.clipped_s.get(inverter.id, 0.0) + period_s
            for name, kw in inverter.dc_kw.items():
                if kw is not None:
                    self.string_kw.setdefault(string_key(inverter.id, name), Mean()).add(kw, period_s)
        for key, kw in sample.clear_dc_kw.items():
            self.clear_kw.setdefault(key, Mean()).add(kw, period_s)

    def means(self, of: Mapping[str, Mean]) -> dict[str, float]:
        """The means that rest on at least half of the slot."""
        found = {key: mean.value(0.5 * self.seconds) for key, mean in of.items()}
        return {key: value for key, value in found.items() if value is not None}

    def held_for(self, of: Mapping[str, float]) -> set[str]:
        """The inverters that were so for a tenth of the slot or more."""
        return {key for key, seconds in of.items() if seconds >= _HELD_PART * self.seconds}


def is_limited(inverter: InverterSample, rated_kw: float, limits: PvLimits) -> bool:
    """Whether our limit holds it back; an inverter of which nothing is known under a limit counts as held."""
    if inverter.limit_kw is None or inverter.limit_kw >= rated_kw:
        return False
    return inverter.ac_kw is None or inverter.ac_kw >= limits.limited_frac * inverter.limit_kw - 0.005 * rated_kw


def is_clipped(inverter: InverterSample, rated_kw: float, limits: PvLimits) -> bool:
    """Whether it gives its rating."""
    return inverter.ac_kw is not None and inverter.ac_kw >= limits.rated_frac * rated_kw


def cleaned(sample: PvSample) -> PvSample:
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
