"""The fast loop: owns the way from one second's picture of the site to the commands of that second.

Pure and total: any numbers give an answer within the devices' limits. The arithmetic is in `fast_kernel`, the mode in
`grid_machine`, what is believed in `site_tables`. Ranks: mode and safe state, hard limits, a person, the curves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from control.domain.energy import GridMode
from control.energy import fast_kernel as fast
from control.energy import site_tables as tables
from control.energy.dispatch_types import Commands, Dispatch, DispatchState, SiteNow, StorageNow, changed
from control.energy.fast_kernel import Array
from control.energy.grid_machine import OFF_GRID, Turn, finite, turn
from control.energy.loop_spec import LoopSpec
from control.energy.meter_watch import look
from control.energy.plan import ValueCurve
from control.energy.settings import EnergySettings
from control.energy.site import SiteSpec
from control.energy.wariness import watched
from control.energy.whole_site import Span, balance_kw, span_of, whole_table

_BINDING = {
    fast.IDLE: "idle",
    fast.CURVE: "curve",
    fast.WISHES: "takeover",
    fast.RAMPS: "ramp",
    fast.PRICED: "curtail_price",
    fast.VEHICLES: "ev_limited",
    fast.SHEDS: "shed",
    fast.RESERVE: "reserve",
    fast.EXPORTS: "export_limit",
    fast.IMPORTS: "import_limit",
}
_LOOP = LoopSpec()


def dispatch(
    now: SiteNow,
    state: DispatchState,
    *,
    settings: EnergySettings,
    site: SiteSpec,
    curves: Mapping[str, ValueCurve],
    loop: LoopSpec = _LOOP,
) -> Dispatch:
    """One second. Hand the answer's `state` to the next call; never raises for values."""
    dt_s, specs = _elapsed_s(now, state, loop), tables.specs_of(site)
    looked = look(now, state, specs, loop)
    now = looked.now
    turned = turn(now, looked.state, dt_s=dt_s, site=site, loop=loop)
    span = span_of(now, turned.state, settings, site, loop, dt_s)
    fill = _filling(now, turned.state, span, settings, specs, loop, dt_s, meter_old=looked.old)
    if turned.state.mode is GridMode.BLACK_START:
        return _black_start(now, fill, turned)
    if not fill.island and finite(now.grid_kw) is None:
        return _without_meter(now, fill, turned)
    return _divided(now, fill, turned, span, curves)


def safe_commands(site: SiteSpec) -> Commands:
    """What to write when nothing is known: storages at rest, no PV, vehicles at their minimum, loads as they are."""
    return Commands(
        storage_kw={one.id: 0.0 for one in site.storages},
        pv_limit_kw={one.id: 0.0 for one in site.pvs},
        ev_limit_kw={one.id: min(one.min_kw, one.max_kw) for one in site.chargers},
        load_on={},
    )


def _elapsed_s(now: SiteNow, state: DispatchState, loop: LoopSpec) -> float:
    """Seconds since the last call. A leap back or forward counts as one cycle or two, so that it runs out no timer."""
    at, last = finite(now.now_s), finite(state.last_s)
    if at is None or last is None or at <= last:
        return loop.cycle_s
    return min(at - last, 2.0 * loop.cycle_s)


def _filling(
    now: SiteNow,
    state: DispatchState,
    span: Span,
    settings: EnergySettings,
    specs: tables.Specs,
    loop: LoopSpec,
    dt_s: float,
    *,
    meter_old: bool,
) -> tables.Filling:
    """Count for how many cycles storages did not follow, and for how many the meter has shown more than a limit."""
    seen = {one.id: power for one in now.storages if (power := finite(one.power_kw)) is not None}
    island, grid = state.mode in OFF_GRID, finite(now.grid_kw)
    if grid is None or island:
        grid = span.high_told  # nobody sees it, or nothing flows: over no limit
    return tables.Filling(
        state=state,
        settings=settings,
        specs=specs,
        loop=loop,
        prices=tables.prices_of(now, settings),
        island=island,
        dt_s=dt_s,
        at_s=finite(now.now_s),
        seen_kw=seen,
        deaf_cycles=_deaf_cycles(seen, state, specs, loop),
        export_over_cycles=state.export_over_cycles + 1 if grid < span.low_told - 0.5 else 0,
        import_over_cycles=state.import_over_cycles + 1 if grid > span.high_told + 0.5 else 0,
        meter_old=meter_old,
    )


def _deaf_cycles(
    seen: Mapping[str, float], state: DispatchState, specs: tables.Specs, loop: LoopSpec
) -> dict[str, int]:
    """Cycles for which each storage has stood away from its set-points without moving towards the newest.

    One that does so for `deaf_cycles` is left out of the reckoning until it is where it was told to be. One that
    stands where it was told to be up to `obey_cycles` ago obeys, but late.
    """
    count: dict[str, int] = {}
    for spec in specs.storages.values():
        power, told, before = seen.get(spec.id), state.storage_kw.get(spec.id), state.storage_seen_kw.get(spec.id)
        if power is None or told is None or before is None or spec.id == state.forming:
            continue
        near = loop.deaf_frac * max(spec.charge_max_kw, spec.discharge_max_kw)
        if any(abs(power - one) <= near for one in state.storage_told_kw.get(spec.id, (told,))):
            continue
        earlier = state.storage_deaf_cycles.get(spec.id, 0)
        moved = (power - before) * math.copysign(1.0, told - before)
        follows = moved >= 0.1 * near and earlier < loop.deaf_cycles
        count[spec.id] = 0 if follows else earlier + 1
    return count


def _black_start(now: SiteNow, fill: tables.Filling, turned: Turn) -> Dispatch:
    """The bus is dead: everything off that can be, so that the forming storage can raise it alone."""
    kept = dict(fill.state.shed_s)
    for one in now.loads:
        if tables.may_shed(one, fill) and one.usable:
            kept.setdefault(one.id, 0.0)
    commands = Commands(
        storage_kw={one.id: 0.0 for one in now.storages},
        pv_limit_kw={one.id: 0.0 for one in now.pvs},
        ev_limit_kw={one.id: 0.0 for one in now.evs},
        load_on={one.id: one.id not in kept for one in now.loads if one.on or one.id in kept},
        breaker_closed=turned.breaker_closed,
        grid_forming=turned.forming,
    )
    unmet = {} if turned.forming is not None else {"grid_forming": 1.0}
    state = _remembered(fill, commands, _aged(kept, fill.dt_s))
    return Dispatch(commands=commands, state=state, binding="black_start", why=turned.why, unmet=unmet)


def _without_meter(now: SiteNow, fill: tables.Filling, turned: Turn) -> Dispatch:
    """Nobody sees the coupling point: no export that could not be consumed here, reserve held, vehicles at minimum.

    Zero export rests on the feeders' own meters: PV may give a part of what they are known to draw. In the first
    cycle storages stay as they are, as far as their limits let them; then they rest.
    """
    holds = fill.state.mode is GridMode.HOLD
    draws = sum(tables.load_power(one) or 0.0 for one in now.loads if one.usable and one.on)
    rated = {one.id: tables.pv_rated_kw(one, fill) for one in now.pvs}
    part = min(1.0, fill.loop.hold_export_frac * draws / max(sum(rated.values()), 1e-9))
    storage_kw = {}
    for one in now.storages:
        stays = 0.0 if holds else fill.state.storage_kw.get(one.id, 0.0)
        storage_kw[one.id] = _in_limits(one, stays, fill)
    commands = Commands(
        storage_kw=storage_kw,
        pv_limit_kw={key: part * size for key, size in rated.items()},
        ev_limit_kw={one.id: tables.ev_limits(one, fill)[0] for one in now.evs},
        load_on={one.id: one.id not in fill.state.shed_s for one in now.loads if one.on or one.id in fill.state.shed_s},
        breaker_closed=turned.breaker_closed,
    )
    state = _remembered(fill, commands, _aged(fill.state.shed_s, fill.dt_s))
    return Dispatch(commands=commands, state=state, binding="meter_lost", why=turned.why)


def _in_limits(one: StorageNow, power_kw: float, fill: tables.Filling) -> float:
    spec, soc = fill.specs.storages.get(one.id), tables.soc_of(one)
    if spec is None or soc is None or not one.usable:
        return 0.0
    low = min(tables.positive(one.charge_max_kw), spec.charge_max_kw) if soc < spec.soc_max_frac else 0.0
    high = min(tables.positive(one.discharge_max_kw), spec.discharge_max_kw) if soc > spec.soc_min_frac else 0.0
    return min(max(power_kw, -low), high)


def _divided(
    now: SiteNow, fill: tables.Filling, turned: Turn, span: Span, curves: Mapping[str, ValueCurve]
) -> Dispatch:
    """The ordinary second: fill the tables, divide, name what came out."""
    storages = tables.storage_table(now.storages, fill, curves, turned.forming)
    pvs = tables.pv_table(now.pvs, fill)
    evs = tables.ev_table(now, fill, closed=fill.state.mode is GridMode.ISLANDING)
    loads = tables.load_table(now.loads, fill)
    balance = balance_kw(now, fill, storages, pvs, evs)
    whole = whole_table(now, fill, span, storages, balance)
    storage_kw, limits, ev_kw, off, told = fast.divide(whole, storages, pvs, evs, loads)

    kept = _kept(now, fill, off, told)
    commands = Commands(
        storage_kw={
            one.id: _probe_kw(one, now, fill) if tables.deaf(one.id, fill) else float(storage_kw[row])
            for row, one in enumerate(now.storages)
        },
        pv_limit_kw={one.id: float(limits[row]) if limits[row] >= 0.0 else None for row, one in enumerate(now.pvs)},
        ev_limit_kw=_ev_commands(now, fill, ev_kw),
        load_on={one.id: one.id not in kept for one in now.loads if one.on or one.id in fill.state.shed_s},
        breaker_closed=turned.breaker_closed,
        grid_forming=turned.forming,
        bus_hz_wanted=turned.bus_hz_wanted,
    )
    state = watched(
        _remembered(fill, commands, kept, told, balance),
        _told_kw(fill, storage_kw, pvs, limits),
        size_kw=_size_kw(fill),
        dt_s=fill.dt_s,
        loop=fill.loop,
    )
    return Dispatch(
        commands=commands,
        state=state,
        binding=_binding(now, fill, told),
        why=turned.why,
        unmet=_unmet(now, span, fill, told),
    )


def _told_kw(fill: tables.Filling, storage_kw: Array, pvs: Array, limits: Array) -> float | None:
    """What storages and inverters may give together after this second; None on an island, where the bus decides."""
    if fill.island:
        return None
    rated = pvs[:, fast.PV_RATED].tolist()
    inverters = sum(limit if limit >= 0.0 else most for limit, most in zip(limits.tolist(), rated, strict=True))
    return float(sum(storage_kw.tolist()) + inverters)


def _size_kw(fill: tables.Filling) -> float:
    storages = sum(max(one.charge_max_kw, one.discharge_max_kw) for one in fill.specs.storages.values())
    return storages + sum(one.rated_ac_kw for one in fill.specs.pvs.values())


def _probe_kw(one: StorageNow, now: SiteNow, fill: tables.Filling) -> float:
    """What a storage that took no set-points is asked, kW: enough to see whether it follows again, relied on by nobody.

    To be told 0 and to stand at 0 would prove nothing.
    """
    spec = fill.specs.storages.get(one.id)
    if spec is None or one.id == fill.state.forming:
        return 0.0
    size = 1.5 * fill.loop.deaf_frac * max(spec.charge_max_kw, spec.discharge_max_kw)
    charge, discharge = _in_limits(one, -size, fill), _in_limits(one, size, fill)
    imports = (finite(now.grid_kw) or 0.0) > 0.0
    return discharge if (imports and discharge > 0.0) or charge == 0.0 else charge


def _ev_commands(now: SiteNow, fill: tables.Filling, ev_kw: Array) -> dict[str, float]:
    """A charger that is not to be relied on is told its minimum; the meter sees what it does."""
    closed = fill.state.mode is GridMode.ISLANDING
    return {
        one.id: float(ev_kw[row]) if one.usable or closed else tables.ev_limits(one, fill)[0]
        for row, one in enumerate(now.evs)
    }


def _kept(now: SiteNow, fill: tables.Filling, off: Array, told: Array) -> dict[str, float]:
    """The loads that are held off after this second, with how long already, s."""
    kept = _aged(fill.state.shed_s, fill.dt_s)
    for row, one in enumerate(now.loads):
        if off[row] > 0.0:
            kept[one.id] = 0.0
        elif told[fast.TURN_BACK] == row:
            kept.pop(one.id, None)
    return kept


def _aged(shed_s: Mapping[str, float], dt_s: float) -> dict[str, float]:
    return {key: held + dt_s for key, held in shed_s.items()}


def _remembered(
    fill: tables.Filling,
    commands: Commands,
    kept: dict[str, float],
    told: Array | None = None,
    balance: float | None = None,
) -> DispatchState:
    """The state after this second; without `told` nothing was divided, so that nothing is remembered of a wish.

    Without a new `balance` that of before stands.
    """
    state, dt_s = fill.state, fill.dt_s
    wished = float(told[fast.WISHED]) if told is not None else 0.0
    turned = told is not None and (told[fast.TURN_BACK] >= 0.0 or told[fast.SOFTLY] > 0.0)
    calm = told is not None and told[fast.CALM] > 0.0
    return changed(
        state,
        balance_kw=state.balance_kw if balance is None else balance,
        last_s=fill.at_s,
        storage_seen_kw=dict(fill.seen_kw),
        storage_deaf_cycles=dict(fill.deaf_cycles),
        storage_told_kw={
            key: (*state.storage_told_kw.get(key, ()), power)[-fill.loop.obey_cycles :]
            for key, power in commands.storage_kw.items()
        },
        slow_s=0.0 if fill.export_over_cycles >= fill.loop.slow_cycles else state.slow_s + dt_s,
        export_over_cycles=fill.export_over_cycles,
        import_over_cycles=fill.import_over_cycles,
        storage_kw=commands.storage_kw,
        pv_limit_kw={key: limit for key, limit in commands.pv_limit_kw.items() if limit is not None},
        ev_limit_kw=commands.ev_limit_kw,
        shed_s=kept,
        restore_s=0.0 if turned else state.restore_s + dt_s,
        last_grid_kw=None if fill.island or told is None else float(told[fast.GRID_NEXT]),
        direction=state.direction if wished == 0.0 else int(math.copysign(1, wished)),
        idle_s=0.0 if wished != 0.0 else state.idle_s + dt_s,
        calm_s=state.calm_s + dt_s if calm else 0.0,
    )


def _binding(now: SiteNow, fill: tables.Filling, told: Array) -> str:
    code = _BINDING[int(told[fast.BINDING])]
    if fill.state.mode is GridMode.HOLD and code in ("idle", "takeover"):
        return "hold"
    return "takeover" if code == "idle" and finite(now.storage_wanted_kw) is not None and not fill.island else code


def _unmet(now: SiteNow, span: Span, fill: tables.Filling, told: Array) -> dict[str, float]:
    """Limits that are not kept, kW over: by reckoning, or by the meter when what should have helped did not."""
    grid = finite(now.grid_kw)
    unmet: dict[str, float] = {}
    if fill.island:
        short, export = float(told[fast.UNDER_ISLAND]), float(told[fast.OVER_EXPORT])
        found = {"island_short_kw": short, "island_over_kw": export}
    else:
        guard_high, guard_low = span.high_told - span.high, span.low - span.low_told
        seen_high = grid - span.high_told if grid is not None and fill.import_over_cycles > 2 else 0.0
        seen_low = span.low_told - grid if grid is not None and fill.export_over_cycles > 2 else 0.0
        found = {
            "import_max_kw": max(float(told[fast.OVER_IMPORT]) - guard_high, seen_high),
            "export_max_kw": max(float(told[fast.OVER_EXPORT]) - guard_low, seen_low),
            "ramp_kw": float(told[fast.OVER_RAMP]),
        }
    if fill.island and fill.state.forming is None:
        found["grid_forming"] = 1.0
    unmet.update({key: round(over, 3) for key, over in found.items() if over > 0.5})
    return unmet
