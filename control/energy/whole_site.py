"""What holds for the whole site in one second: owns the limits at the coupling point, the demand, what can be held.

The demand is what nobody commands. It follows from the balance at the bus, so that a device whose power is not known
is in it with whatever it does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from control.domain.energy import GridMode
from control.energy import fast_kernel as fast
from control.energy import merit
from control.energy.dispatch_types import DispatchState, SiteNow
from control.energy.fast_kernel import Array
from control.energy.grid_machine import OFF_GRID, finite
from control.energy.loop_spec import LoopSpec
from control.energy.settings import EnergySettings
from control.energy.site import SiteSpec
from control.energy.site_tables import Filling, load_power, positive, soc_of
from control.energy.wariness import gain, release_frac_per_s

FAR_KW = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What may flow at the coupling point in this second, kW; `low_told` is the limit without the guard."""

    low: float
    high: float
    low_told: float
    high_told: float
    ramp_low: float = -FAR_KW
    ramp_high: float = FAR_KW


def span_of(
    now: SiteNow, state: DispatchState, given: EnergySettings, site: SiteSpec, loop: LoopSpec, dt_s: float
) -> Span:
    """The limits of this second: the stricter of setting and connection, a guard inside them, and the ramp."""
    if state.mode in OFF_GRID:
        return Span(low=0.0, high=0.0, low_told=0.0, high_told=0.0)
    high = min(positive(given.import_max_kw), positive(site.grid.import_max_kw))
    low = min(positive(given.export_max_kw), positive(site.grid.export_max_kw))
    if state.mode is GridMode.HOLD:
        low = 0.0
    guard = min(loop.guard_kw, (high + low) / 4.0)
    ramp = positive(given.ramp_max_kw_per_min) / 60.0 * dt_s
    last = state.last_grid_kw
    if last is None or finite(now.grid_kw) is None or ramp <= 0.0 or state.mode is not GridMode.GRID_TIED:
        return Span(low=guard - low, high=high - guard, low_told=-low, high_told=high)
    return Span(
        low=guard - low, high=high - guard, low_told=-low, high_told=high, ramp_low=last - ramp, ramp_high=last + ramp
    )


def balance_kw(now: SiteNow, fill: Filling, storages: Array, pvs: Array, evs: Array) -> float:
    """What nobody commands, by balance at the bus; while the meter's figure is an old one, what it was before."""
    if fill.meter_old and fill.state.balance_kw is not None:
        return fill.state.balance_kw
    known = sum(storages[:, merit.SEEN].tolist()) + sum(pvs[:, fast.PV_SEEN].tolist())
    return float(known - sum(evs[:, fast.EV_SEEN].tolist()) + (finite(now.grid_kw) or 0.0))


def _demand_kw(now: SiteNow, fill: Filling, balance: float) -> float:
    """What nobody commands: by balance, or from the feeders' meters where the forming unit is not seen."""
    demand = balance
    if fill.island and not _forming_seen(now, fill):
        demand = sum(_draw_kw(load_power(one), one.rated_kw) for one in now.loads if one.on)
    for one in now.loads:
        held = fill.state.shed_s.get(one.id)
        if held is not None and one.on and held < fill.loop.load_deaf_s:
            # It was told to go a moment ago. One that stays on all the same is part of the demand again.
            demand -= load_power(one) or 0.0
    return demand + _droop_kw(now, fill)


def _forming_seen(now: SiteNow, fill: Filling) -> bool:
    return any(one.id == fill.state.forming and finite(one.power_kw) is not None for one in now.storages)


def _draw_kw(power_kw: float | None, rated_kw: float) -> float:
    """A feeder that is on and not metered is taken at its rating: on an island the safe side is more demand."""
    return positive(rated_kw) if power_kw is None else power_kw


def _droop_kw(now: SiteNow, fill: Filling) -> float:
    """What an island's frequency says is missing (or too much), kW, beyond what the powers say."""
    hz = finite(now.bus_hz)
    forming = fill.specs.storages.get(fill.state.forming or "")
    if not fill.island or hz is None or forming is None or not 40.0 < hz < 60.0:
        return 0.0
    beyond = max(0.0, abs(50.0 - hz) - fill.loop.droop_dead_hz)
    return math.copysign(beyond, 50.0 - hz) * fill.loop.droop_frac_per_hz * forming.discharge_max_kw


def _sustain_kw(now: SiteNow, fill: Filling, storages: Array) -> float:
    """The power that the storages can hold: for the ride-through on an island, for an hour on the grid."""
    hours = max(fill.loop.sustain_h_min, positive(fill.settings.ride_through_h)) if fill.island else 1.0
    power = 0.0
    for row, one in enumerate(now.storages):
        spec, soc = fill.specs.storages.get(one.id), soc_of(one)
        if spec is None or soc is None or storages[row, merit.DISCHARGE] <= 0.0:
            continue
        floor = spec.soc_min_frac if fill.island else max(spec.soc_min_frac, fill.settings.reserve_frac)
        stored = positive(soc - floor) * spec.capacity_kwh * spec.efficiency_discharge
        power += min(float(storages[row, merit.DISCHARGE]), stored / hours)
    return power


def whole_table(now: SiteNow, fill: Filling, span: Span, storages: Array, balance: float) -> Array:
    """The kernel's figures of the whole site, (fast.SITE,); `balance` is what nobody commands, kW."""
    state, loop, prices, given = fill.state, fill.loop, fill.prices, fill.settings
    whole = [0.0] * fast.SITE
    whole[fast.DEMAND] = _demand_kw(now, fill, balance)
    whole[fast.GRID_LOW], whole[fast.GRID_HIGH] = span.low, span.high
    over = fill.export_over_cycles > 0 or fill.import_over_cycles > 0
    slow = fill.export_over_cycles >= loop.slow_cycles or state.slow_s < loop.slow_hold_s
    # Holding the ramp is a correction of the whole error in one second: what a wary loop must not do. Nor may the
    # import that comes of inverters held back too much be held.
    unheld = over or slow or gain(state, loop) < 1.0
    whole[fast.RAMP_LOW] = -FAR_KW if unheld else span.ramp_low
    whole[fast.RAMP_HIGH] = FAR_KW if unheld else span.ramp_high
    wished = max(positive(given.import_target_kw), positive(now.peak_so_far_kw))
    whole[fast.TARGET] = max(0.0, min(wished, span.high))
    whole[fast.BUY], whole[fast.SELL], whole[fast.PEAK] = prices.buy, prices.sell, prices.peak
    wish = _person_kw(now, fill)
    whole[fast.WISH_GIVEN], whole[fast.WISH] = float(wish is not None), wish or 0.0
    if fill.island:
        whole[fast.MAY_CHARGE] = whole[fast.MAY_DISCHARGE] = 1.0
    else:
        runs, rested = state.direction, state.idle_s >= loop.reverse_s
        whole[fast.DIRECTION] = float(runs) if state.idle_s <= 0.0 else 0.0
        whole[fast.MAY_CHARGE] = float(runs <= 0 or rested)
        whole[fast.MAY_DISCHARGE] = float(runs >= 0 or rested)
        whole[fast.START], whole[fast.STOP], whole[fast.DEADBAND] = loop.start_kw, loop.stop_kw, loop.deadband_kw
    whole[fast.STICKY] = loop.sticky_per_kwh
    doubtful = any(count >= loop.slow_cycles for count in fill.deaf_cycles.values())
    whole[fast.SLOW_EXPORT] = float(slow or doubtful)
    whole[fast.SLOW_IMPORT] = float(fill.import_over_cycles >= loop.slow_cycles)
    whole[fast.SUSTAIN] = _sustain_kw(now, fill, storages)
    whole[fast.ISLAND] = float(fill.island)
    whole[fast.SOFT_TURN] = float(state.restore_s >= loop.restore_gap_s)
    whole[fast.BACK_TURN] = float(
        state.restore_s >= loop.restore_gap_s
        and state.calm_s >= loop.restore_calm_s
        and state.mode in (GridMode.GRID_TIED, GridMode.ISLANDED)
    )
    whole[fast.BACK_MARGIN], whole[fast.CEILING] = loop.restore_margin_frac, FAR_KW
    whole[fast.RELEASE] = release_frac_per_s(state, loop) * fill.dt_s
    whole[fast.GAIN] = gain(state, loop)
    whole[fast.PV_FLOOR] = _pv_floor_kw(fill, whole[fast.TARGET])
    return np.array(whole)


def _pv_floor_kw(fill: Filling, target_kw: float) -> float:
    """The least flow at the coupling point that the sun may make: none is fed in where that costs money, and where
    importing earns, the sun makes room for it."""
    if fill.island or fill.prices.sell >= 0.0:
        return -FAR_KW
    return target_kw if fill.prices.buy < 0.0 else 0.0


def _person_kw(now: SiteNow, fill: Filling) -> float | None:
    """What a person wants of the storages; holding is wanting nothing. On an island the balance decides."""
    if fill.island:
        return None
    if fill.state.mode is GridMode.HOLD:
        return 0.0
    return finite(now.storage_wanted_kw)
