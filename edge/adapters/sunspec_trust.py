"""Whether a SunSpec value can be true: owns range, jumps of a scale factor, and counters that stand still.

What cannot be true becomes INVALID. Nothing is repaired here: a repaired value would hide the fault. Values that stand
still, of all kinds of devices, are `edge.energy.stuck`'s.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from control.domain.energy import Point, Quality
from edge.adapters.sunspec import Value
from edge.energy.ports import unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustSettings:
    """How much is believed.

    `rating_times` is how far above its rating a power may be, `jump_times` by how much a power may change together with
    its scale factor, from `small_frac` of the rating on. `counter_kwh` is how much energy may flow by the power reading
    while the energy counters stand still.
    """

    rating_times: float = 1.5
    jump_times: float = 4.0
    small_frac: float = 0.02
    counter_kwh: float = 25.0


@dataclass(slots=True)
class _Scale:
    exponent: int
    value: float


@dataclass(slots=True)
class Trust:
    """The memory of one device's readings."""

    settings: TrustSettings
    _scales: dict[str, _Scale] = field(default_factory=dict)
    _counters: tuple[float, ...] = ()
    _flown_kwh: float = 0.0
    _flown_at_s: float | None = None

    def forget(self) -> None:
        """The device is a new one."""
        self._scales.clear()
        self._counters, self._flown_kwh, self._flown_at_s = (), 0.0, None

    def power(self, key: str, value: Value | None, *, rated_kw: float) -> Point:
        """Watts as a point in kW, within its rating, in the scale that it has always had."""
        if value is None or value.scaled is None or value.scale is None:
            return unknown("kW")
        kw = value.scaled / 1000.0
        if not math.isfinite(kw) or abs(kw) > self.settings.rating_times * rated_kw:
            return unknown("kW")
        if not self._scale_holds(key, value.scale, kw, floor_kw=self.settings.small_frac * rated_kw):
            return unknown("kW")
        return Point(kw, "kW", 0.0, Quality.GOOD)

    def _scale_holds(self, key: str, exponent: int, kw: float, *, floor_kw: float) -> bool:
        """Some devices choose their scale anew at every reading, then the value goes on smoothly.

        A scale that changes together with a jump of the value is wrong, until it is as before or the value is near
        the last good one again.
        """
        known = self._scales.get(key)
        if known is not None and known.exponent != exponent:
            near = self.settings.jump_times * max(abs(known.value), floor_kw)
            smooth = abs(kw) <= near and abs(known.value) <= self.settings.jump_times * max(abs(kw), floor_kw)
            if not smooth:
                return False
        self._scales[key] = _Scale(exponent, kw)
        return True

    def counters_stand(self, counters: Sequence[Value | None], *, power_kw: Point, at_s: float) -> bool:
        """Whether the counters have stood still while by the power a good deal of energy has flown. `at_s` rises."""
        now = tuple(float(value.raw) for value in counters if value is not None)
        since_s = 0.0 if self._flown_at_s is None else max(0.0, at_s - self._flown_at_s)
        self._flown_at_s = at_s
        if now != self._counters:
            self._counters, self._flown_kwh = now, 0.0
        elif power_kw.value is not None:
            self._flown_kwh += abs(power_kw.value) * since_s / 3600.0
        return bool(now) and self._flown_kwh > self.settings.counter_kwh


def plain(value: Value | None, unit: str, *, low: float, high: float, times: float = 1.0) -> Point:
    """A value times `times`, INVALID outside `low` to `high` (after `times`)."""
    if value is None or value.scaled is None:
        return unknown(unit)
    scaled = value.scaled * times
    if not math.isfinite(scaled) or not low <= scaled <= high:
        return unknown(unit)
    return Point(scaled, unit, 0.0, Quality.GOOD)
