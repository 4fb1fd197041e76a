"""An inverter by slots: owns telling one that is held below its rating from one whose strings give less."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from control.energy.pv_types import PvLimits

_KEPT_SLOTS = 120
_LOW_SLOTS_MIN = 3
_EFFICIENCY = (0.9, 1.02)
_LEARNT_PART = 0.05


@dataclass(frozen=True, slots=True)
class SlotFinding:
    """What one slot says. `suspect`: it was capped, though not for long enough to be told."""

    derated: bool = False
    recovered: bool = False
    suspect: bool = False
    cap_kw: float = 0.0


@dataclass(slots=True)
class InverterSlots:
    """The last two days of one inverter, and today's clipping."""

    rated_kw: float
    slots: list[tuple[float, float]] = field(default_factory=list)  # expected and measured AC, kW
    caps_kw: list[float] = field(default_factory=list)
    healthy_slots: int = 0
    derated: bool = False
    clipped_slots_today: int = 0
    clipped_kwh_today: float = 0.0
    days_unclipped: int = 0
    efficiency: float | None = None

    def learn_efficiency(self, dc_kw: float, ac_kw: float, limits: PvLimits) -> None:
        """Take one free slot of all strings and the bus; the two measurements need not agree with the data sheet."""
        if dc_kw < limits.light_frac * self.rated_kw or not _EFFICIENCY[0] <= ac_kw / dc_kw <= _EFFICIENCY[1]:
            return
        before = ac_kw / dc_kw if self.efficiency is None else self.efficiency
        self.efficiency = before + _LEARNT_PART * (ac_kw / dc_kw - before)

    def see(self, expected_kw: float, ac_kw: float, *, alike: bool, limits: PvLimits) -> SlotFinding:
        """One slot. `alike`: its strings all lose the same part, as they do when the inverter holds them down."""
        due_kw = min(expected_kw, self.rated_kw)
        if due_kw < limits.light_frac * self.rated_kw:
            return SlotFinding()
        self.slots.append((due_kw, ac_kw))
        del self.slots[:-_KEPT_SLOTS]
        short = ac_kw <= (1.0 - limits.derating_loss_frac) * due_kw
        bright = due_kw >= limits.derating_from_frac * self.rated_kw
        if bright and short and alike and ac_kw > limits.dead_frac * due_kw:
            self.caps_kw.append(ac_kw)
            del self.caps_kw[: -limits.derating_slots]
            self.healthy_slots = 0
        elif bright and not short and self._is_above_cap(ac_kw, limits):
            self.healthy_slots += 1
        recovered = self.healthy_slots >= limits.derating_clear_slots
        # Until it is told, a single slot above the level says that it was a cloud.
        if recovered or (self.healthy_slots and not self.derated):
            self.derated = False
            self.caps_kw.clear()
        suspect = short and alike
        if len(self.caps_kw) < limits.derating_slots:
            return SlotFinding(recovered=recovered, suspect=suspect)
        cap_kw = median(self.caps_kw)
        level = max(self.caps_kw) - min(self.caps_kw) <= limits.derating_level_frac * cap_kw
        self.derated = self.derated or (level and self._gives_all_below(cap_kw, limits))
        return SlotFinding(derated=self.derated, suspect=suspect, cap_kw=cap_kw)

    def _is_above_cap(self, ac_kw: float, limits: PvLimits) -> bool:
        """Whether it gives what it could not while it was held: below the cap a held inverter looks healthy."""
        return not self.caps_kw or ac_kw >= (1.0 + limits.derating_above_frac) * median(self.caps_kw)

    def _gives_all_below(self, cap_kw: float, limits: PvLimits) -> bool:
        """Whether it gives what is due where that is clearly below the cap: dirt would take its part there as well."""
        below = [ac / due for due, ac in self.slots if due <= 0.85 * cap_kw]
        return len(below) >= _LOW_SLOTS_MIN and median(below) >= 1.0 - 0.6 * limits.derating_loss_frac

    def take_up(self, cap_kw: float, limits: PvLimits) -> None:
        """It was held at this level before this run."""
        self.caps_kw, self.derated = [cap_kw] * limits.derating_slots, True

    def clipped(self, over_kwh: float) -> None:
        """A slot at the rating."""
        self.clipped_slots_today += 1
        self.clipped_kwh_today += over_kwh

    def end_day(self) -> int:
        """A new day; gives how many days in a row had no clipping."""
        self.days_unclipped = 0 if self.clipped_slots_today else self.days_unclipped + 1
        self.clipped_slots_today, self.clipped_kwh_today = 0, 0.0
        return self.days_unclipped
