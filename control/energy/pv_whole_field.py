"""Dirt that lies on the whole field alike: owns what part of the clear sky's power the field has, day by day.

Strings that are all equally dirty agree with each other; only the clear sky's power tells that they have less than
they had. Its level need not be right, for each day is compared with the field's own best days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from control.energy.pv_reference import StringPlace
from control.energy.pv_types import PvLimits

_SLOTS_MIN = 6
_HIGH_SUN_FRAC = 0.4
# A day that was never clear says nothing of dirt; next to the days before it is far off. A day that is steady from slot
# to slot had a clear sky at so low a level already.
_CLEAR_DAY_FRAC, _STEADY_DAY_FRAC = 0.75, 0.6
_STEADY_FRAC = 0.06


@dataclass(slots=True)
class WholeField:
    """`see` is called every slot, `end_day` every day. `was` is the clean level that an alarm from before knew."""

    was: float = 0.0
    through: float | None = None
    today: list[float] = field(default_factory=list)
    days: list[float] = field(default_factory=list)
    today_kwh: float = 0.0
    days_kwh: list[float] = field(default_factory=list)

    def see(
        self,
        believed_kw: Mapping[str, float],
        clear_kw: Mapping[str, float],
        places: Mapping[str, StringPlace],
        limits: PvLimits,
    ) -> None:
        """One slot; `through` is what part of the clear sky's power came, where that could be told last."""
        keys = [key for key in believed_kw if key in clear_kw]
        due_kw = sum(clear_kw[key] for key in keys)
        if len(keys) < limits.peers_min or due_kw < _HIGH_SUN_FRAC * sum(places[key].rated_kw for key in keys):
            return
        self.through = sum(believed_kw[key] for key in keys) / due_kw
        self.today.append(self.through)

    def end_day(self, limits: PvLimits) -> tuple[float, float] | None:
        """The day's level and the clean one, parts of the clear sky; None for a day that says nothing."""
        seen, given_kwh = sorted(self.today), self.today_kwh
        self.today, self.today_kwh = [], 0.0
        if len(seen) < _SLOTS_MIN:
            return None
        half, level, most = (seen[int(part * (len(seen) - 1))] for part in (0.5, 0.8, 0.95))
        least_frac = _STEADY_DAY_FRAC if most - half <= _STEADY_FRAC * level else _CLEAR_DAY_FRAC
        if self.days and level < least_frac * max(self.days):
            return None
        self.days.append(level)
        self.days_kwh.append(given_kwh)
        del self.days[: -limits.field_days], self.days_kwh[: -limits.field_days]
        ordered = sorted(self.days)
        return level, max(self.was, ordered[int(0.9 * (len(ordered) - 1))])

    def is_dirty(self, clean: float, limits: PvLimits) -> bool:
        """Whether each of the last clear days fell short."""
        last = self.days[-limits.soiling_days :]
        return len(self.days) >= 2 * limits.soiling_days and max(last) <= (1.0 - limits.field_loss_frac) * clean

    def is_clean(self, clean: float, limits: PvLimits) -> bool:
        """Whether the last two clear days did not."""
        last = self.days[-2:]
        return len(last) == 2 and min(last) >= (1.0 - limits.soiling_clear_frac) * clean

    def lost_kwh(self, clean: float, limits: PvLimits) -> float:
        """What the last clear days lost to dirt, before the inverters."""
        last = list(zip(self.days, self.days_kwh, strict=True))[-limits.soiling_days :]
        return sum(kwh * max(0.0, clean / max(level, 1e-9) - 1.0) for level, kwh in last)
