"""The utility's side and the tie breaker: owns outages, frequency, and when the breaker may close or must open."""

from __future__ import annotations

import random

from hw_sim.microgrid.config import GridConfig
from hw_sim.microgrid.noise import seed_of, wave

NOMINAL_HZ = 50.0
SYNC_HZ, SYNC_DEG = 0.1, 12.0
SLIP_MAX_HZ = 0.09
# The controller keeps an order to close for so long while it waits for synchronism.
CLOSE_PATIENCE_S = 8.0


class UtilityGrid:
    """Live or not, and its frequency."""

    def __init__(self, config: GridConfig, *, seed: int) -> None:
        self._config = config
        self._seed = seed_of(seed, "grid")
        self._asked_until_s: float | None = None
        self.live = True
        self.hz = NOMINAL_HZ

    def ask_for_outage(self, world_s: float, seconds: float) -> None:
        """Dead from now on for so many seconds of the world; 0 brings it back."""
        self._asked_until_s = world_s + seconds if seconds > 0 else None

    def step(self, world_s: float) -> None:
        """Where it is now."""
        asked = self._asked_until_s is not None and world_s < self._asked_until_s
        self.live = not asked and not self._drawn_out(world_s)
        self.hz = NOMINAL_HZ + 0.05 * (wave(self._seed, world_s / 40.0) - 0.5) if self.live else 0.0

    def _drawn_out(self, world_s: float) -> bool:
        """Outages by chance, drawn for each hour of the world."""
        if self._config.outages_per_year <= 0:
            return False
        hour = int(world_s // 3600)
        return any(self._out_in(h, world_s) for h in range(max(0, hour - 24), hour + 1))

    def _out_in(self, hour: int, world_s: float) -> bool:
        chance = random.Random(self._seed * 7919 + hour)
        if chance.random() >= self._config.outages_per_year / 8760.0:
            return False
        begins_s = (hour + chance.random()) * 3600.0
        return begins_s <= world_s < begins_s + min(86_400.0, chance.expovariate(1.0 / self._config.outage_mean_s))


class TieBreaker:
    """Between the utility and the island's bus, with loss-of-mains protection and a synchronism check."""

    def __init__(self, config: GridConfig) -> None:
        self._loss_of_mains_s = config.loss_of_mains_s
        self.closed = True
        self.tripped = False
        self.kept_open = False
        self.operations = 0
        self.refused_closes = 0
        self.in_synchronism = True
        self.phase_deg = 0.0
        self.beat = 0
        self._dead_for_s = 0.0
        self._close_wanted_for_s: float | None = None

    def order(self, *, close: bool) -> None:
        """Somebody wants it closed or open."""
        if close:
            self._close_wanted_for_s = CLOSE_PATIENCE_S if not self.closed else None
        else:
            self._close_wanted_for_s = None
            self._move(closed=False)

    def trip(self) -> None:
        """Protection opens it."""
        if self.closed:
            self._move(closed=False)
            self.tripped = True

    def step(self, device_dt_s: float, *, grid: UtilityGrid, bus_live: bool, bus_hz: float) -> None:
        """Protection first, then an order to close that waits for synchronism."""
        self._watch_mains(device_dt_s, grid)
        if self.kept_open:
            self.trip()
        if self.closed:
            self.phase_deg = 0.0
        elif grid.live and bus_live:
            self.phase_deg = _wrapped(self.phase_deg + 360.0 * (bus_hz - grid.hz) * device_dt_s)
        near = abs(bus_hz - grid.hz) <= SYNC_HZ and abs(self.phase_deg) <= SYNC_DEG
        self.in_synchronism = grid.live and (self.closed or (bus_live and near))
        self._try_to_close(device_dt_s, may=grid.live and (not bus_live or self.in_synchronism))

    def _watch_mains(self, device_dt_s: float, grid: UtilityGrid) -> None:
        self._dead_for_s = 0.0 if grid.live else self._dead_for_s + device_dt_s
        if self.closed and self._dead_for_s >= self._loss_of_mains_s:
            self.trip()

    def _try_to_close(self, device_dt_s: float, *, may: bool) -> None:
        if self._close_wanted_for_s is None:
            return
        if may and not self.kept_open:
            self._close_wanted_for_s = None
            self.tripped = False
            self._move(closed=True)
            return
        self._close_wanted_for_s -= device_dt_s
        if self._close_wanted_for_s <= 0:
            self._close_wanted_for_s = None
            self.refused_closes += 1

    def _move(self, *, closed: bool) -> None:
        if closed != self.closed:
            self.closed = closed
            self.operations += 1
            self.phase_deg = 0.0 if closed else self.phase_deg


def steered_hz(*, grid_hz: float, phase_deg: float) -> float:
    """What a forming converter runs at so that it comes into step with a live grid."""
    return grid_hz - max(-SLIP_MAX_HZ, min(SLIP_MAX_HZ, phase_deg / 180.0))


def _wrapped(degrees: float) -> float:
    return (degrees + 180.0) % 360.0 - 180.0
