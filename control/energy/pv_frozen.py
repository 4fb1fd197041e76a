"""Values that stand still: owns telling a frozen measurement from a steady one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from control.energy.pv_types import PvLimits


@dataclass(slots=True)
class Still:
    """One channel. `see` is called with every sample."""

    rated_kw: float
    value_kw: float | None = None
    still_s: float = 0.0
    moves: int = 0
    expected_low_kw: float = math.inf
    expected_high_kw: float = -math.inf
    beside_low_kw: float = math.inf
    beside_high_kw: float = -math.inf
    held: bool = False

    def see(
        self, value_kw: float, *, expected_kw: float | None, beside_kw: float | None, held: bool, period_s: float
    ) -> None:
        """Take a value; `beside_kw` is what the same power shows elsewhere (AC for DC, DC for AC).

        `held` is whether the inverter was at a limit, ours or its own rating: then standing still is right.
        """
        same = self.value_kw is not None and abs(value_kw - self.value_kw) <= 1e-6 * self.rated_kw
        if not same:
            self.moves += 1
            self._begin(value_kw)
        else:
            self.moves = 0
            self.still_s += period_s
        self.held = self.held or held
        if expected_kw is not None:
            self.expected_low_kw = min(self.expected_low_kw, expected_kw)
            self.expected_high_kw = max(self.expected_high_kw, expected_kw)
        if beside_kw is not None:
            self.beside_low_kw = min(self.beside_low_kw, beside_kw)
            self.beside_high_kw = max(self.beside_high_kw, beside_kw)

    def _begin(self, value_kw: float) -> None:
        self.value_kw, self.still_s, self.held = value_kw, 0.0, False
        self.expected_low_kw = self.beside_low_kw = math.inf
        self.expected_high_kw = self.beside_high_kw = -math.inf

    def frozen(self, limits: PvLimits) -> bool:
        """Whether it stands still while what it measures has moved.

        An inverter that is held down by itself stands still as well; but then the other measurement of the same power
        stands with it, and it never gives more than its peers say is there.
        """
        if self.value_kw is None or self.still_s < limits.frozen_s or self.value_kw < limits.dead_frac * self.rated_kw:
            return False
        moves = limits.frozen_moves_frac * self.rated_kw
        if self.value_kw - self.expected_low_kw > moves:
            return True
        beside_moves = self.beside_high_kw - self.beside_low_kw > 0.5 * moves
        return not self.held and beside_moves and self.expected_high_kw - self.expected_low_kw > moves
