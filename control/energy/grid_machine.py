"""The grid connection's state machine: owns when the site leaves the grid, carries itself, starts black and returns.

A transition needs evidence: what is not known (None) moves nothing, and two live sides are joined only when the
breaker's relay says that they are in synchronism. Timers count cycles (see DispatchState), never the clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from control.domain.energy import GridMode
from control.energy.dispatch_types import DispatchState, SiteNow, changed
from control.energy.loop_spec import LoopSpec
from control.energy.site import SiteSpec

_INFINITE = math.inf
OFF_GRID = frozenset({GridMode.ISLANDING, GridMode.ISLANDED, GridMode.BLACK_START, GridMode.RESYNCHRONISING})


@dataclass(frozen=True, slots=True)
class Turn:
    """What one cycle of the machine says; `state` has its timers and mode."""

    state: DispatchState
    breaker_closed: bool | None
    forming: str | None
    bus_hz_wanted: float | None
    why: str


def finite(value: float | None) -> float | None:
    """The value, or None for everything that is no finite number."""
    return value if value is not None and -_INFINITE < value < _INFINITE else None


def turn(now: SiteNow, state: DispatchState, *, dt_s: float, site: SiteSpec, loop: LoopSpec) -> Turn:
    """One cycle: timers, then at most one transition, then what the breaker and the forming storage are told."""
    counted = _timers(now, state, dt_s, loop)
    mode, why = _next(now, counted, loop)
    if mode is not counted.mode:
        counted = changed(counted, mode=mode, mode_since_s=now.now_s, mode_s=0.0, sync_s=0.0, bus_good_s=0.0)
        if why == "no_synchronism":
            counted = changed(counted, grid_good_s=0.0)
    forming = _forming(now, counted, site) if mode in OFF_GRID else None
    if forming != counted.forming:
        counted = changed(counted, forming=forming)
    return Turn(counted, _breaker(now, counted, loop), forming, _bus_hz_wanted(now, mode, loop), why)


def _timers(now: SiteNow, state: DispatchState, dt_s: float, loop: LoopSpec) -> DispatchState:
    bad, good = grid_bad(now, loop), _grid_good(now, loop)
    known = finite(now.grid_kw) is not None
    return changed(
        state,
        mode_s=state.mode_s + dt_s,
        grid_bad_s=state.grid_bad_s + dt_s if bad else 0.0,
        grid_good_s=state.grid_good_s + dt_s if good else 0.0,
        grid_good_since_s=(now.now_s if state.grid_good_since_s is None else state.grid_good_since_s) if good else None,
        bus_good_s=state.bus_good_s + dt_s if now.breaker_closed is not True and _bus_good(now, loop) else 0.0,
        sync_s=state.sync_s + dt_s if _may_close(now, loop) else 0.0,
        meter_lost_cycles=0 if known else state.meter_lost_cycles + 1,
        meter_good_cycles=state.meter_good_cycles + 1 if known else 0,
    )


def grid_bad(now: SiteNow, loop: LoopSpec) -> bool:
    """Whether there is evidence that the utility's grid cannot be relied on."""
    hz, volts = finite(now.grid_hz), finite(now.grid_v_frac)
    return (
        now.grid_live is False
        or (hz is not None and not loop.grid_hz_low <= hz <= loop.grid_hz_high)
        or (volts is not None and not loop.grid_v_low_frac <= volts <= loop.grid_v_high_frac)
    )


def _grid_good(now: SiteNow, loop: LoopSpec) -> bool:
    hz, volts = finite(now.grid_hz), finite(now.grid_v_frac)
    return (
        now.grid_live is True
        and hz is not None
        and loop.return_hz_low <= hz <= loop.return_hz_high
        and (volts is None or loop.return_v_low_frac <= volts <= loop.return_v_high_frac)
    )


def _bus_good(now: SiteNow, loop: LoopSpec) -> bool:
    hz, volts = finite(now.bus_hz), finite(now.bus_v_frac)
    return (
        hz is not None
        and loop.island_hz_low <= hz <= loop.island_hz_high
        and (volts is None or volts >= loop.island_v_low_frac)
    )


def _bus_dead(now: SiteNow) -> bool:
    """Evidence that our side has no voltage: a frequency of zero, or a voltage near it. Unknown is not dead."""
    hz, volts = finite(now.bus_hz), finite(now.bus_v_frac)
    if volts is not None:
        return volts < 0.1
    return hz is not None and hz < 1.0


def _may_close(now: SiteNow, loop: LoopSpec) -> bool:
    if not _grid_good(now, loop):
        return False
    if _bus_dead(now):
        return True
    grid, bus = finite(now.grid_hz), finite(now.bus_hz)
    if now.in_sync is not True or grid is None or bus is None or abs(grid - bus) > loop.sync_hz_max:
        return False
    ours, theirs = finite(now.bus_v_frac), finite(now.grid_v_frac)
    return ours is None or theirs is None or abs(ours - theirs) <= loop.sync_v_frac_max


def _next(now: SiteNow, state: DispatchState, loop: LoopSpec) -> tuple[GridMode, str]:
    match state.mode:
        case GridMode.GRID_TIED | GridMode.HOLD:
            return _on_grid(now, state, loop)
        case GridMode.ISLANDING:
            return _islanding(now, state, loop)
        case GridMode.BLACK_START:
            return _black_start(now, state, loop)
        case GridMode.ISLANDED:
            return _islanded(now, state, loop)
        case GridMode.RESYNCHRONISING:
            return _resynchronising(now, state, loop)


def _on_grid(now: SiteNow, state: DispatchState, loop: LoopSpec) -> tuple[GridMode, str]:
    if now.breaker_closed is False:
        return GridMode.ISLANDING, "breaker_open"
    if state.grid_bad_s >= loop.grid_bad_s:
        return GridMode.ISLANDING, "grid_lost"
    if state.meter_lost_cycles >= loop.meter_lost_cycles:
        return GridMode.HOLD, "meter_lost" if state.mode is GridMode.GRID_TIED else ""
    if now.hold_wanted:
        return GridMode.HOLD, "hold_wanted" if state.mode is GridMode.GRID_TIED else ""
    if state.mode is GridMode.HOLD and state.meter_good_cycles >= loop.meter_good_cycles:
        return GridMode.GRID_TIED, "hold_ended"
    return state.mode, ""


def _islanding(now: SiteNow, state: DispatchState, loop: LoopSpec) -> tuple[GridMode, str]:
    if now.breaker_closed is False and state.bus_good_s >= loop.island_good_s:
        return GridMode.ISLANDED, "island_stands"
    if now.breaker_closed is False and (_bus_dead(now) or state.mode_s >= loop.islanding_s_max):
        return GridMode.BLACK_START, "bus_dead"
    if now.breaker_closed is True and state.mode_s >= loop.islanding_s_max and not grid_bad(now, loop):
        return GridMode.GRID_TIED, "breaker_stuck"
    return state.mode, ""


def _black_start(now: SiteNow, state: DispatchState, loop: LoopSpec) -> tuple[GridMode, str]:
    if state.bus_good_s >= loop.island_good_s:
        return GridMode.ISLANDED, "island_stands"
    if now.breaker_closed is False and _bus_dead(now) and state.grid_good_s >= loop.grid_good_s:
        return GridMode.RESYNCHRONISING, "grid_back"
    return state.mode, ""


def _islanded(now: SiteNow, state: DispatchState, loop: LoopSpec) -> tuple[GridMode, str]:
    if now.breaker_closed is True and not grid_bad(now, loop):
        return GridMode.GRID_TIED, "breaker_closed"
    if _bus_dead(now):
        return GridMode.BLACK_START, "bus_dead"
    if state.grid_good_s >= loop.grid_good_s and now.breaker_closed is False and not now.hold_wanted:
        return GridMode.RESYNCHRONISING, "grid_back"
    return state.mode, ""


def _resynchronising(now: SiteNow, state: DispatchState, loop: LoopSpec) -> tuple[GridMode, str]:
    if now.breaker_closed is True:
        return GridMode.GRID_TIED, "breaker_closed"
    if grid_bad(now, loop):
        return GridMode.ISLANDED, "grid_lost"
    if now.hold_wanted:
        return GridMode.ISLANDED, "hold_wanted"
    if state.mode_s >= loop.sync_s_max:
        return GridMode.ISLANDED, "no_synchronism"
    return state.mode, ""


def _breaker(now: SiteNow, state: DispatchState, loop: LoopSpec) -> bool | None:
    match state.mode:
        case GridMode.ISLANDING | GridMode.ISLANDED | GridMode.BLACK_START:
            return False
        case GridMode.RESYNCHRONISING:
            # The command goes only while every condition holds, and is taken back as soon as one fails.
            return state.sync_s >= loop.sync_s
        case GridMode.GRID_TIED | GridMode.HOLD:
            return None


def _bus_hz_wanted(now: SiteNow, mode: GridMode, loop: LoopSpec) -> float | None:
    hz = finite(now.grid_hz)
    if mode is not GridMode.RESYNCHRONISING or hz is None:
        return None
    # A small slip lets the angle come round; at equal frequency it could stand still outside the window.
    return min(max(hz, loop.return_hz_low), loop.return_hz_high) + loop.sync_slip_hz


def _forming(now: SiteNow, state: DispatchState, site: SiteSpec) -> str | None:
    """The storage that makes the bus: the one that did, while it can, or else the one that can carry most."""
    able = {spec.id: spec for spec in site.storages if spec.grid_forming}
    best, best_kw = None, -1.0
    for storage in now.storages:
        spec, soc = able.get(storage.id), finite(storage.soc_frac)
        if spec is None or not storage.usable or soc is None or soc <= spec.soc_min_frac:
            continue
        if storage.id == state.forming:
            return storage.id
        power = min(spec.discharge_max_kw, finite(storage.discharge_max_kw) or 0.0)
        if power > best_kw:
            best, best_kw = storage.id, power
    return best
