"""The fast loop's arithmetic: owns how one second's power is divided, in one kernel over plain tables.

`dispatch` fills the tables and names what comes out; this file knows no device by name. All powers in kW with the
signs of `control.domain.energy`; every number that comes in is finite (infinite only where said).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from control.energy import ev_sharing, merit, shedding
from control.energy.kernels import inner, kernel

Array = npt.NDArray[np.float64]

# What holds for the whole site, (SITE,). DEMAND is what nobody below commands: grid plus known supply less known
# vehicles. SUSTAIN is the power that the storages can hold for long, GAIN the part of the way to the wish that is gone,
# PV_FLOOR the least flow at the coupling point that the sun may make at today's prices.
(
    DEMAND,
    GRID_LOW,
    GRID_HIGH,
    RAMP_LOW,
    RAMP_HIGH,
    TARGET,
    BUY,
    SELL,
    PEAK,
    WISH_GIVEN,
    WISH,
    DIRECTION,
    MAY_CHARGE,
    MAY_DISCHARGE,
    START,
    STOP,
    DEADBAND,
    STICKY,
    SLOW_EXPORT,
    SLOW_IMPORT,
    SUSTAIN,
    ISLAND,
    SOFT_TURN,
    BACK_TURN,
    BACK_MARGIN,
    CEILING,
    RELEASE,
    GAIN,
    PV_FLOOR,
) = range(29)
SITE = 29
# Vehicles (n, 10): what it draws, limits, what the deadline needs, what it may feed back, seconds to spare.
# WANT is what it takes at today's price, MAX what it takes from the sun that nobody else uses.
EV_SEEN, EV_MIN, EV_NEED, EV_WANT, EV_MAX, EV_BACK, EV_LAXITY, EV_FOLLOWS, EV_KNOWN, EV_SELLS = range(10)
EV_COLUMNS = 10
# Inverters (n, 5). LIMIT below 0: none. SUN is what it could give, below 0: not known.
PV_SEEN, PV_RATED, PV_LIMIT, PV_SUN, PV_KNOWN = range(5)
PV_COLUMNS = 5
# What is told of the whole, (TOLD,).
OVER_IMPORT, OVER_EXPORT, OVER_RAMP, UNDER_ISLAND, BINDING, WISHED, TURN_BACK, GRID_NEXT, SOFTLY, CALM = range(10)
TOLD = 10
# Values of BINDING, in the order of rank.
IDLE, CURVE, WISHES, RAMPS, PRICED, VEHICLES, SHEDS, RESERVE, EXPORTS, IMPORTS = range(10)

_FULL = 0.97  # an inverter or a vehicle at this part of its limit is taken to be held back by it
_STEP = 0.01  # a smaller step up of an inverter's limit, as a part of its rating, is not worth a write


@inner
def _sun_kw(pvs: Array, release: float, out: Array) -> float:
    """What each inverter can give in the next second: what it gives, or more where a limit held it back."""
    total = 0.0
    for i in range(pvs.shape[0]):
        out[i] = 0.0
        if pvs[i, PV_KNOWN] <= 0.0:
            continue
        seen, limit, rated = pvs[i, PV_SEEN], pvs[i, PV_LIMIT], pvs[i, PV_RATED]
        out[i] = seen
        if limit >= 0.0 and limit - seen <= max((1.0 - _FULL) * rated, 0.5):
            could = min(rated, limit + release * rated)
            if pvs[i, PV_SUN] >= seen:
                could = min(could, pvs[i, PV_SUN])
            out[i] = max(seen, could)
        total += out[i]
    return total


@inner
def _ev_next(ev: Array, limit: float) -> float:
    """What a vehicle will draw under a limit: one that did not use its last limit will not use a higher one."""
    if ev[EV_KNOWN] <= 0.0:
        return 0.0
    if ev[EV_FOLLOWS] > 0.0 or limit < 0.0:
        return limit
    return float(min(limit, max(0.0, ev[EV_SEEN])))


@inner
def _vehicles(site: Array, evs: Array, bare: float, high: float, out: Array) -> float:
    """Share the power among the vehicles when the rest draws `bare`; gives what they will draw together.

    Beyond minimum and deadlines they draw no more than keeps the import at its target, and no more than the storages
    can carry for long on an island; what the sun gives beyond `bare` is for all of them.
    """
    hard = min(site[SUSTAIN], high) - bare if site[ISLAND] > 0.0 else site[GRID_HIGH] + high - bare
    minimum, most = evs[:, EV_MIN].copy(), evs[:, EV_MAX].copy()
    need, want = evs[:, EV_NEED].copy(), evs[:, EV_WANT].copy()
    ev_sharing.share(minimum, need, want, evs[:, EV_LAXITY].copy(), site[TARGET] - bare, hard, out)
    given = 0.0
    for i in range(evs.shape[0]):
        given += out[i]
    ev_sharing.raise_evenly(minimum, most, min(-bare, hard) - given, out)
    for i in range(evs.shape[0]):
        if evs[i, EV_SELLS] > 0.0:
            out[i] = -evs[i, EV_BACK]
    return _evs_next(evs, out)


@inner
def _wish(site: Array, storages: Array, net: float) -> float:
    """What the curves (or a person) want of all storages together when the rest of the site draws `net`."""
    used = np.zeros(storages.shape[0])
    if site[WISH_GIVEN] > 0.0:
        return float(site[WISH])
    out = _by_price(site, storages, net, used)
    running = site[DIRECTION]
    if out > 0.0:
        if site[MAY_DISCHARGE] <= 0.0 or out < (site[STOP] if running > 0.0 else site[START]):
            return 0.0
    elif out < 0.0 and (site[MAY_CHARGE] <= 0.0 or -out < (site[STOP] if running < 0.0 else site[START])):
        return 0.0
    return out


@inner
def _by_price(site: Array, storages: Array, net: float, used: Array) -> float:
    """Discharge while a kWh brings more than it is offered for, or charge while it costs less than is bid.

    The grid is a staircase of prices: above the target the peak's, then what buying costs, below 0 what selling
    brings, below the export limit nothing.
    """
    low, sticky = site[GRID_LOW], site[STICKY]
    order = merit.by_merit(storages, 1.0, sticky)
    grid = net
    grid -= merit.tier_kw(storages, order, 1.0, site[PEAK], sticky, grid - site[TARGET], used)
    grid -= merit.tier_kw(storages, order, 1.0, site[BUY], sticky, grid - max(0.0, low), used)
    grid -= merit.tier_kw(storages, order, 1.0, site[SELL], sticky, min(grid, max(0.0, site[TARGET])) - low, used)
    if grid < net:
        return net - grid
    order = merit.by_merit(storages, -1.0, sticky)
    grid += merit.tier_kw(storages, order, -1.0, 0.0, sticky, low - grid, used)
    if grid >= low:
        grid += merit.tier_kw(storages, order, -1.0, site[SELL], sticky, -grid, used)
    if grid >= max(0.0, low):
        grid += merit.tier_kw(storages, order, -1.0, site[BUY], sticky, site[TARGET] - grid, used)
    return net - grid


@inner
def _clip(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


@inner
def _relieve_import(
    site: Array, storages: Array, evs: Array, loads: Array, over: float, ev_kw: Array, off: Array, told: Array
) -> float:
    """Take `over` away behind the storages' reserve: vehicles to their minimum, feeding back, loads, reserve, vehicles.

    Gives what of the storages' reserve is used; marks `off`, lowers `ev_kw`, and tells what could not be kept.
    """
    lowered = _lower_vehicles(evs, over, 0, ev_kw)
    lowered += _lower_vehicles(evs, over - lowered, 1, ev_kw)
    if lowered > 0.0:
        told[BINDING] = VEHICLES
    over -= lowered
    if over > 0.0:
        shed = shedding.shed_for(loads, over, True, off)
        if shed > 0.0:
            told[BINDING] = SHEDS
        over -= shed
    reserve = 0.0
    if over > 0.0:
        for i in range(storages.shape[0]):
            reserve += max(0.0, storages[i, merit.DISCHARGE_HARD] - storages[i, merit.DISCHARGE])
        reserve = min(reserve, over)
        over -= reserve
        if reserve > 0.0:
            told[BINDING] = RESERVE
    if over > 0.0:
        over -= _lower_vehicles(evs, over, 2, ev_kw)
        told[BINDING] = IMPORTS
    if site[ISLAND] > 0.0:
        told[UNDER_ISLAND] = max(0.0, over)
    else:
        told[OVER_IMPORT] = max(0.0, over)
    return reserve


@inner
def _lower_vehicles(evs: Array, over: float, depth: int, ev_kw: Array) -> float:
    """Lower vehicles to their minimum (0), to feeding back (1) or to nothing (2); most time to spare first."""
    n = evs.shape[0]
    done = np.zeros(n)
    gained = 0.0
    for _ in range(n):
        last = -1
        for i in range(n):
            if done[i] == 0.0 and (last < 0 or evs[i, EV_LAXITY] > evs[last, EV_LAXITY]):
                last = i
        done[last] = 1.0
        if over - gained <= 0.0:
            break
        before = _ev_next(evs[last], ev_kw[last])
        left = before - (over - gained)
        if depth == 0:
            to = min(ev_kw[last], max(evs[last, EV_MIN], left))
        elif depth == 1:
            to = ev_kw[last]
            if evs[last, EV_BACK] > 0.0:
                to = max(-evs[last, EV_BACK], min(0.0, left))
        else:
            to = min(ev_kw[last], 0.0)
        if to < ev_kw[last]:
            ev_kw[last] = to
            gained += before - _ev_next(evs[last], to)
    return gained


@inner
def _limits(pvs: Array, sun: Array, allowed: float, release: float, out: Array) -> float:
    """Write each inverter's limit, (n,) kW, below 0: none; gives what they will give together."""
    n = pvs.shape[0]
    rated, could, room = 0.0, 0.0, 0.0
    for i in range(n):
        rated += pvs[i, PV_RATED]
        could += sun[i]
        room += max(0.0, pvs[i, PV_RATED] - sun[i])
    allowed = max(0.0, allowed)
    total = 0.0
    for i in range(n):
        mine, its = sun[i], pvs[i, PV_RATED]
        if allowed >= rated:
            limit = its
        elif pvs[i, PV_KNOWN] <= 0.0:
            limit = its * allowed / rated
        elif allowed < could:
            limit = mine * allowed / could
        else:
            limit = mine + max(0.0, its - mine) * (allowed - could) / max(room, 1e-9)
        last = pvs[i, PV_LIMIT]
        if last >= 0.0:
            limit = min(limit, last + release * its)
            if last < limit < last + _STEP * its:
                limit = last  # too small a step up to be worth a write
        limit = max(0.0, min(limit, its))
        out[i] = limit if limit < its else -1.0
        if pvs[i, PV_KNOWN] > 0.0:
            total += min(sun[i], limit)
    return total


@inner
def _storages_kw(site: Array, storages: Array, net: float, told: Array) -> float:
    """What all storages give together: the wish, held within noise, the ramp and the reserve; before hard limits."""
    last = _sum(storages, merit.LAST)
    high, low = _sum(storages, merit.DISCHARGE), -_sum(storages, merit.CHARGE)
    wish = _clip(_wish(site, storages, net), low, high)
    told[WISHED] = wish
    out = wish
    if site[WISH_GIVEN] <= 0.0 and site[GAIN] < 1.0:
        out = _clip(last + site[GAIN] * (wish - last), low, high)
    told[BINDING] = IDLE
    if wish != 0.0:
        told[BINDING] = WISHES if site[WISH_GIVEN] > 0.0 else CURVE
    if wish * last > 0.0 and abs(wish - last) < site[DEADBAND]:
        out = _clip(last, low, high)
    grid = _clip(net - out, site[RAMP_LOW], site[RAMP_HIGH])
    if grid != net - out:
        out = _clip(net - grid, low, high)
        told[BINDING] = RAMPS
    return out


def _example() -> tuple[Any, ...]:
    return (
        np.zeros(SITE),
        np.ones((1, merit.STORAGE_COLUMNS)),
        np.ones((1, PV_COLUMNS)),
        np.ones((1, EV_COLUMNS)),
        np.ones((1, shedding.LOAD_COLUMNS)),
    )


@kernel(_example)
def divide(
    site: Array, storages: Array, pvs: Array, evs: Array, loads: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """One second's division: storages (n,) kW, inverters' limits (n,), vehicles' limits (n,), loads off (n,), told.

    In this order: vehicles' shares, the wish by merit, ramp, hard import limit (storage, vehicles, loads, reserve),
    hard export limit (storage, then curtailment), one load softly taken or given back.
    """
    told, off = np.zeros(TOLD), np.zeros(loads.shape[0])
    storage_kw, sun = np.zeros(storages.shape[0]), np.zeros(pvs.shape[0])
    ev_kw, limits = np.zeros(evs.shape[0]), np.zeros(pvs.shape[0])
    high, low = _sum(storages, merit.DISCHARGE), -_sum(storages, merit.CHARGE)

    # A ceiling, or a person's wish, is no reason to expect more sun than there is now.
    release = 0.0 if site[WISH_GIVEN] > 0.0 else site[RELEASE]
    sun_kw = min(_sun_kw(pvs, release, sun), site[CEILING])
    bare = site[DEMAND] - sun_kw
    net = bare + _vehicles(site, evs, bare, high, ev_kw)

    out = _keep_import(site, storages, evs, loads, net, ev_kw, off, told)
    draws = site[DEMAND] + _evs_next(evs, ev_kw) - _relief(loads, off)
    if draws - sun_kw - out < site[GRID_LOW]:
        # Where a person has the storages they stop giving, but inverters and not they end the rest of the excess.
        lowest = min(out, max(low, min(site[WISH], 0.0))) if site[WISH_GIVEN] > 0.0 else low
        out = max(lowest, min(out, draws - sun_kw - site[GRID_LOW]))
        told[BINDING] = max(told[BINDING], EXPORTS)
    bound, allowed = _pv_allowed(site, storages, draws, _sum(pvs, PV_SEEN), _sum(pvs, PV_RATED), out)
    given = _limits(pvs, sun, allowed, site[RELEASE], limits)
    if bound < sun_kw - 1e-6:
        priced = site[PV_FLOOR] > site[GRID_LOW] and draws - sun_kw - out >= site[GRID_LOW] - 1e-6
        told[BINDING] = max(told[BINDING], PRICED if priced else EXPORTS)
    _softly(site, loads, draws - given, high, off, told)
    grid = draws - given - out
    if told[TURN_BACK] >= 0.0:
        # The load comes in the same second in which the storages make room for it.
        more = max(0.0, grid + loads[int(told[TURN_BACK]), shedding.RATED] - site[GRID_HIGH])
        out = max(out, min(high, out + more))
    merit.split(storages, out, site[STICKY], storage_kw)
    # The ramp is counted from what is really there: sun that might come with a higher limit may not be there.
    told[GRID_NEXT] = draws - _shining(pvs, limits) - out
    told[OVER_EXPORT] = max(0.0, site[GRID_LOW] - grid)
    told[OVER_RAMP] = max(0.0, max(site[RAMP_LOW] - grid, grid - site[RAMP_HIGH]))
    return storage_kw, limits, ev_kw, off, told


@inner
def _shining(pvs: Array, limits: Array) -> float:
    """What the inverters give now, under the new limits."""
    total = 0.0
    for i in range(pvs.shape[0]):
        if pvs[i, PV_KNOWN] > 0.0:
            total += min(pvs[i, PV_SEEN], limits[i]) if limits[i] >= 0.0 else pvs[i, PV_SEEN]
    return total


@inner
def _sum(table: Array, column: int) -> float:
    total = 0.0
    for i in range(table.shape[0]):
        total += table[i, column]
    return total


@inner
def _evs_next(evs: Array, ev_kw: Array) -> float:
    total = 0.0
    for i in range(evs.shape[0]):
        total += _ev_next(evs[i], ev_kw[i])
    return total


@inner
def _relief(loads: Array, off: Array) -> float:
    total = 0.0
    for i in range(loads.shape[0]):
        if off[i] > 0.0:
            total += loads[i, shedding.RELIEF]
    return total


@inner
def _keep_import(
    site: Array, storages: Array, evs: Array, loads: Array, net: float, ev_kw: Array, off: Array, told: Array
) -> float:
    """What all storages give such that the import limit is kept as far as means go; see `_relieve_import`."""
    out = _storages_kw(site, storages, net, told)
    if net - out > site[GRID_HIGH]:
        out = min(_sum(storages, merit.DISCHARGE), net - site[GRID_HIGH])
        told[BINDING] = IMPORTS
    trusted = out
    if site[SLOW_IMPORT] > 0.0:
        trusted = min(out, _sum(storages, merit.SEEN))
    over = net - trusted - site[GRID_HIGH]
    if over > 1e-9:
        out += _relieve_import(site, storages, evs, loads, over, ev_kw, off, told)
    return out


@inner
def _pv_allowed(
    site: Array, storages: Array, draws: float, shining: float, rated: float, out: float
) -> tuple[float, float]:
    """What all inverters may give, without the ramp and with it: what the site takes if the storages charge fully.

    That is ahead of the sun: an edge of a cloud passes the limit only until the storages have followed. A person's
    wish for the storages is taken as it is, and storages that were too slow for two cycles are counted as they are.
    Sun that shines already (`shining`) is not held back for the ramp, and may always rise by a step worth a write.
    """
    takes = -_sum(storages, merit.CHARGE)
    if site[WISH_GIVEN] > 0.0:
        takes = max(takes, min(site[WISH], 0.0))
    if site[SLOW_EXPORT] > 0.0:
        takes = max(takes, max(out, _sum(storages, merit.SEEN)))
    allowed = min(draws - takes - site[GRID_LOW], site[CEILING])
    # Where feeding in costs money the sun is for the site and for storages to which it is worth something.
    willing = 0.0
    for i in range(storages.shape[0]):
        if storages[i, merit.BID] > 0.0:
            willing += storages[i, merit.CHARGE]
    wanted = min(max(takes, -willing), out, 0.0)
    allowed = min(allowed, max(0.0, draws - wanted - site[PV_FLOOR]))
    return allowed, min(allowed, max(draws - takes - site[RAMP_LOW], shining + 1.2 * _STEP * rated))


@inner
def _softly(site: Array, loads: Array, net: float, high: float, off: Array, told: Array) -> None:
    """When nothing had to go at once: take one load so that an island lasts, or give one back where there is room."""
    told[TURN_BACK] = -1.0
    room = min(site[SUSTAIN], high)
    if site[ISLAND] <= 0.0:
        room += site[GRID_HIGH]
    room -= net
    for i in range(loads.shape[0]):
        if off[i] > 0.0:
            return
    told[CALM] = 1.0 if room > 0.0 else 0.0
    if site[ISLAND] > 0.0 and room < 0.0:
        if site[SOFT_TURN] > 0.0:
            shedding.shed_for(loads, min(-room, 1.0), False, off)
            told[SOFTLY] = 1.0
            told[BINDING] = max(told[BINDING], SHEDS)
    elif site[BACK_TURN] > 0.0:
        told[TURN_BACK] = shedding.next_back(loads, room * (1.0 - site[BACK_MARGIN]) - site[DEADBAND])
