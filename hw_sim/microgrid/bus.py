"""The island's bus: owns the balance of power in one step, frequency on its own, blackout and black start.

With the utility connected the utility takes the difference. Alone, the grid-forming storage does: frequency droops
with its power. What it cannot take pushes the frequency away from nominal until PV or load gives way, or until
protection switches everything off. The balance of what really flows is exact in every step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hw_sim.microgrid.chargers import Charger
from hw_sim.microgrid.grid import NOMINAL_HZ, TieBreaker, UtilityGrid, steered_hz
from hw_sim.microgrid.loads import Load
from hw_sim.microgrid.pv import Inverter
from hw_sim.microgrid.storage import Storage

DROOP_HZ = 0.5
SETTLE_S = 0.6
# How fast the frequency runs away for a missing power as large as the forming converter (a small inertia).
RUNAWAY_HZ_PER_S = 4.0
LEAST_HZ, MOST_HZ = 47.5, 51.8


@dataclass(slots=True)
class Members:
    """Everything that is connected to the bus."""

    inverters: list[Inverter]
    storages: list[Storage]
    chargers: list[Charger]
    loads: list[Load]

    @property
    def forming(self) -> Storage | None:
        """The storage that can keep a bus alive alone, if it can now."""
        return next((s for s in self.storages if s.config.grid_forming and s.usable), None)


@dataclass(slots=True)
class Flows:
    """Power of one step in kW, all as booked: `pv + storage + grid == load + ev` with everything's sign."""

    pv_kw: list[float]
    storage_kw: list[float]
    grid_kw: float
    ev_kw: list[float]
    load_kw: list[float]

    @property
    def residual_kw(self) -> float:
        """0, but for rounding."""
        return sum(self.pv_kw) + sum(self.storage_kw) + self.grid_kw - sum(self.load_kw) - sum(self.ev_kw)


class Bus:
    """Live or dead, its frequency, and who keeps it."""

    def __init__(self, members: Members, *, black_start_after_s: float) -> None:
        self._members = members
        self._black_start_after_s = black_start_after_s
        self.live = True
        self.hz = NOMINAL_HZ
        self.phase_deg = 0.0
        self.blackouts = 0
        self.cause = ""
        self._dead_for_s = 0.0
        self._start_wanted = False

    def ask_for_black_start(self) -> None:
        """Let the forming storage make a voltage on the dead bus as soon as it can."""
        self._start_wanted = not self.live

    def step(
        self,
        dt_s: float,
        device_dt_s: float,
        *,
        grid: UtilityGrid,
        breaker: TieBreaker,
        demand_kw: list[float],
    ) -> Flows:
        """Share out power for one step. `demand_kw` is what each load would draw."""
        tied = breaker.closed and grid.live
        self._wake(device_dt_s, tied=tied, may_form=not breaker.closed)
        offered = self._offers(device_dt_s, demand_kw)
        if not self.live:
            return offered
        if tied:
            self.hz = grid.hz
            offered.grid_kw = -offered.residual_kw
            return offered
        return self._alone(offered, dt_s, device_dt_s, grid)

    def _wake(self, device_dt_s: float, *, tied: bool, may_form: bool) -> None:
        if self.live:
            return
        self._dead_for_s += device_dt_s
        by_itself = 0 < self._black_start_after_s <= self._dead_for_s
        forms = may_form and self._members.forming is not None and (self._start_wanted or by_itself)
        if tied or forms:
            self.live, self.hz, self.cause = True, NOMINAL_HZ, ""
            self._start_wanted, self._dead_for_s = False, 0.0

    def _offers(self, device_dt_s: float, demand_kw: list[float]) -> Flows:
        members, live = self._members, self.live
        return Flows(
            pv_kw=[i.offer(device_dt_s, bus_live=live, bus_hz=self.hz) for i in members.inverters],
            storage_kw=[s.offer(device_dt_s) if live else 0.0 for s in members.storages],
            grid_kw=0.0,
            ev_kw=[c.offer(device_dt_s, bus_live=live) for c in members.chargers],
            load_kw=[
                demand if live and load.connected else 0.0
                for load, demand in zip(members.loads, demand_kw, strict=True)
            ],
        )

    def _alone(self, flows: Flows, dt_s: float, device_dt_s: float, grid: UtilityGrid) -> Flows:
        forming = self._members.forming
        if forming is None:
            return self._black(flows, "no grid-forming storage")
        index = self._members.storages.index(forming)
        flows.storage_kw[index] = 0.0
        needed = -flows.residual_kw
        least, most = forming.bound(dt_s)
        given = max(least, min(most, needed))
        flows.storage_kw[index] = given
        missing = needed - given
        self._swing(given, missing, forming, device_dt_s, grid)
        if not LEAST_HZ <= self.hz <= MOST_HZ:
            return self._black(flows, "underfrequency" if self.hz < LEAST_HZ else "overfrequency")
        return _cut(flows, missing)

    def _swing(
        self, given_kw: float, missing_kw: float, forming: Storage, device_dt_s: float, grid: UtilityGrid
    ) -> None:
        size = max(forming.config.charge_max_kw, forming.config.discharge_max_kw)
        self.hz -= RUNAWAY_HZ_PER_S * missing_kw / size * device_dt_s
        droops = NOMINAL_HZ - DROOP_HZ * given_kw / size
        target = self._in_step(grid, droops)
        if abs(missing_kw) < 1e-6:
            self.hz += (target - self.hz) * (1.0 - math.exp(-device_dt_s / SETTLE_S))

    def _in_step(self, grid: UtilityGrid, droops_hz: float) -> float:
        """With a live utility beyond the open breaker, the converter runs into step with it."""
        return steered_hz(grid_hz=grid.hz, phase_deg=self.phase_deg) if grid.live else droops_hz

    def _black(self, flows: Flows, cause: str) -> Flows:
        self.live, self.hz, self.cause = False, 0.0, cause
        self.blackouts += 1
        self._dead_for_s = 0.0
        for powers in (flows.pv_kw, flows.storage_kw, flows.ev_kw, flows.load_kw):
            powers[:] = [0.0] * len(powers)
        return flows


def _cut(flows: Flows, missing_kw: float) -> Flows:
    """What really flows when the forming storage is at its limit: voltage sags over loads, or sun is left unused."""
    if missing_kw > 0:
        charging = sum(max(0.0, -kw) for kw in flows.storage_kw)
        keep = 1.0 - missing_kw / (sum(flows.load_kw) + sum(max(0.0, kw) for kw in flows.ev_kw) + charging)
        flows.load_kw = [max(0.0, kw * keep) for kw in flows.load_kw]
        flows.storage_kw = [kw * keep if kw < 0 else kw for kw in flows.storage_kw]
        flows.ev_kw = [kw * keep if kw > 0 else kw for kw in flows.ev_kw]
    elif missing_kw < 0:
        fed_back = sum(max(0.0, -kw) for kw in flows.ev_kw)
        given = sum(flows.pv_kw) + sum(max(0.0, kw) for kw in flows.storage_kw) + fed_back
        keep = 1.0 + missing_kw / given
        flows.pv_kw = [max(0.0, kw * keep) for kw in flows.pv_kw]
        flows.storage_kw = [kw * keep if kw > 0 else kw for kw in flows.storage_kw]
        flows.ev_kw = [kw * keep if kw < 0 else kw for kw in flows.ev_kw]
    return flows
