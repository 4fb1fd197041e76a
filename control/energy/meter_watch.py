"""Whether the meter has looked again: owns telling a repeated sample, or a frozen meter, from a quiet coupling point.

What flows at the coupling point is load less known supply. A meter that repeats its figure to the last digit while
known supply has moved did not look: if it were believed, the storages would correct the same error again in every
second, up to their full power.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from control.energy.dispatch_types import DispatchState, SiteNow, changed
from control.energy.grid_machine import OFF_GRID, finite
from control.energy.loop_spec import LoopSpec
from control.energy.site_tables import Specs, within


@dataclass(frozen=True, slots=True)
class Looked:
    """The picture as it may be believed; `old` says that the meter's figure is of an earlier second."""

    now: SiteNow
    state: DispatchState
    old: bool


def look(now: SiteNow, state: DispatchState, specs: Specs, loop: LoopSpec) -> Looked:
    """Compare with the second in which this figure was first seen; a meter frozen for long is taken as lost."""
    grid = finite(now.grid_kw)
    if grid is None or state.mode in OFF_GRID:
        return Looked(now, changed(state, meter_kw=None, meter_old_cycles=0), old=False)
    supply = known_supply_kw(now, specs)
    frozen = state.meter_old_cycles >= loop.meter_frozen_cycles
    same = grid == state.meter_kw and (frozen or supply.keys() == state.meter_supply_kw.keys())
    moved = abs(sum(supply.values()) - sum(state.meter_supply_kw.values()))
    old = same and (frozen or moved > loop.meter_moved_kw)
    cycles = state.meter_old_cycles + 1 if old else 0
    if cycles >= loop.meter_frozen_cycles:
        now = replace(now, grid_kw=None)
    if same:
        return Looked(now, changed(state, meter_old_cycles=cycles), old)
    return Looked(now, changed(state, meter_kw=grid, meter_supply_kw=supply, meter_old_cycles=cycles), old)


def known_supply_kw(now: SiteNow, specs: Specs) -> dict[str, float]:
    """What each device whose power is known gives, kW."""
    supply: dict[str, float] = {}
    for storage in now.storages:
        spec = specs.storages.get(storage.id)
        if spec is not None:
            power = within(storage.power_kw, max(spec.charge_max_kw, spec.discharge_max_kw))
            if power is not None:
                supply[storage.id] = power
    for pv in now.pvs:
        inverter = specs.pvs.get(pv.id)
        if inverter is not None and (power := within(pv.power_kw, inverter.rated_ac_kw)) is not None:
            supply[pv.id] = power
    for ev in now.evs:
        charger = specs.chargers.get(ev.id)
        if charger is not None and (power := within(ev.power_kw, charger.max_kw)) is not None:
            supply[ev.id] = -power
    return supply
