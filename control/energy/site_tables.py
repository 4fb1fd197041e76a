"""From the picture of one second to the kernel's tables: owns what is believed, and what follows for what is not.

A power that is not known stays where the meter sees it: in the demand that nobody commands. It is never taken as 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from control.domain.energy import LoadTier
from control.energy import fast_kernel as fast
from control.energy import merit
from control.energy.dispatch_types import DispatchState, EvNow, LoadNow, PvNow, SiteNow, StorageNow
from control.energy.fast_kernel import Array
from control.energy.grid_machine import finite
from control.energy.kernels import kernel
from control.energy.loop_spec import LoopSpec
from control.energy.plan import ValueCurve
from control.energy.settings import EnergySettings
from control.energy.shedding import LOAD_COLUMNS
from control.energy.site import ChargerSpec, PvSpec, SiteSpec, StorageSpec

NO_DEADLINE_S = 1e9
_SOC_SLACK_FRAC = 0.02  # a state of charge may be told a little outside 0 to 1
_POWER_SLACK = 1.5  # a power beyond this multiple of the rating is a wrong scale, not a power
_EV_EFFICIENCY = 0.93  # of a vehicle's own charger, each way; nobody tells it
_NO_STORAGE, _NO_EV = (0.0,) * merit.STORAGE_COLUMNS, (0.0,) * fast.EV_COLUMNS
_RULE_EDGE = 1e-3  # yuan; without a curve a storage stands just beside the price


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Yuan a kWh at this moment; `buy` has the carbon of the grid in it."""

    buy: float
    sell: float
    peak: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Specs:
    """The site's devices by id."""

    storages: Mapping[str, StorageSpec]
    pvs: Mapping[str, PvSpec]
    chargers: Mapping[str, ChargerSpec]


def specs_of(site: SiteSpec) -> Specs:
    """Index a site."""
    return Specs(
        storages={one.id: one for one in site.storages},
        pvs={one.id: one for one in site.pvs},
        chargers={one.id: one for one in site.chargers},
    )


def positive(value: float | None) -> float:
    """The value where it is a number above 0, or else 0: an unknown limit allows nothing."""
    return value if value is not None and 0.0 < value < math.inf else 0.0


def within(value: float | None, size_kw: float) -> float | None:
    """A power that a device of this size can have, or None."""
    if value is None or not -math.inf < value < math.inf:
        return None
    return value if abs(value) <= _POWER_SLACK * size_kw + 1.0 else None


def prices_of(now: SiteNow, settings: EnergySettings) -> Prices:
    """What a kWh costs and brings now. Selling above the price of buying would be a pump; it is cut to it."""
    bought, sold = finite(now.import_price), finite(now.export_price)
    buy = _usual(settings, bought, "import_per_kwh") + (finite(now.carbon_price_per_kwh) or 0.0)
    sell = min(_usual(settings, sold, "export_per_kwh"), buy)
    return Prices(buy=buy, sell=sell, peak=buy + positive(settings.demand_charge_per_kw))


def _usual(settings: EnergySettings, price: float | None, key: str) -> float:
    """The price, or where nobody could say it the mean of the tariff's periods: an unknown price is not a free kWh."""
    if price is not None or not settings.tariff:
        return price or 0.0
    return sum(float(getattr(row, key)) for row in settings.tariff) / len(settings.tariff)


def soc_of(storage: StorageNow) -> float | None:
    """The state of charge in 0 to 1, or None where what was told cannot be one."""
    soc = finite(storage.soc_frac)
    if soc is None or not -_SOC_SLACK_FRAC <= soc <= 1.0 + _SOC_SLACK_FRAC:
        return None
    return min(max(soc, 0.0), 1.0)


def _curve_example() -> tuple[Array, Array, float]:
    return np.array([0.0, 1.0]), np.array([1.0]), 0.5


@kernel(_curve_example)
def value_at(energy_kwh: Array, value_per_kwh: Array, stored_kwh: float) -> float:
    """The curve's marginal value at a level, yuan a kWh: linear between the middles of its pieces.

    `energy_kwh` (n,), `value_per_kwh` (n - 1,). The steps are smoothed so that a storage at a level's edge comes to
    rest there instead of jumping between two values. Not a number where the curve is none.
    """
    pieces = value_per_kwh.shape[0]
    if pieces < 1 or energy_kwh.shape[0] != pieces + 1:
        return np.nan
    before_at, before = 0.5 * (energy_kwh[0] + energy_kwh[1]), value_per_kwh[0]
    if stored_kwh <= before_at:
        return float(before)
    for i in range(1, pieces):
        at = 0.5 * (energy_kwh[i] + energy_kwh[i + 1])
        if stored_kwh <= at:
            if at <= before_at:
                return float(value_per_kwh[i])
            if not (math.isfinite(before) and math.isfinite(value_per_kwh[i])):
                return np.nan
            return float(before + (value_per_kwh[i] - before) * (stored_kwh - before_at) / (at - before_at))
        before_at, before = at, value_per_kwh[i]
    return float(before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """What filling needs to know besides the picture: the state before, and what was counted in this cycle."""

    state: DispatchState
    settings: EnergySettings
    specs: Specs
    loop: LoopSpec
    prices: Prices
    island: bool
    dt_s: float
    at_s: float | None
    seen_kw: Mapping[str, float]
    deaf_cycles: Mapping[str, int]
    export_over_cycles: int
    import_over_cycles: int
    meter_old: bool = False


def _table(rows: Sequence[tuple[float, ...]], columns: int) -> Array:
    """All rows at once: numpy takes as long for one row as for all."""
    return np.array(rows, dtype=np.float64).reshape(len(rows), columns)


def storage_table(
    storages: tuple[StorageNow, ...], fill: Filling, curves: Mapping[str, ValueCurve], forming: str | None
) -> Array:
    """(n, merit.STORAGE_COLUMNS)."""
    rows = []
    for one in storages:
        spec = fill.specs.storages.get(one.id)
        if spec is None:
            rows.append(_NO_STORAGE)
        else:
            rows.append(_storage_row(one, spec, fill, curves.get(one.id), one.id == forming))
    return _table(rows, merit.STORAGE_COLUMNS)


def deaf(storage_id: str, fill: Filling) -> bool:
    """Whether a storage has not moved to its set-points lately."""
    return fill.deaf_cycles.get(storage_id, 0) >= fill.loop.deaf_cycles


def _storage_row(
    one: StorageNow, spec: StorageSpec, fill: Filling, curve: ValueCurve | None, forming: bool
) -> tuple[float, ...]:
    power, soc = within(one.power_kw, max(spec.charge_max_kw, spec.discharge_max_kw)), soc_of(one)
    if power is None or not one.usable or (deaf(one.id, fill) and not forming):
        return _NO_STORAGE
    last = fill.state.storage_kw.get(one.id, 0.0)
    if soc is None:
        return (power, 0.0, 0.0, 0.0, 0.0, 0.0, last, float(forming), 1.0)
    headroom = 1.0 - fill.loop.forming_headroom_frac if forming else 1.0
    top = min(spec.soc_max_frac, fill.settings.soc_max_frac)
    floor = max(spec.soc_min_frac, 0.0 if fill.island else fill.settings.reserve_frac)
    # What is left is spread over `taper_s`, so that a storage glides to its edge instead of bouncing on it.
    per_frac = spec.capacity_kwh * 3600.0 / max(fill.loop.taper_s, 1.0)
    out_frac, in_frac = per_frac * spec.efficiency_discharge, per_frac / max(spec.efficiency_charge, 0.1)
    out_max = min(positive(one.discharge_max_kw), spec.discharge_max_kw) * headroom
    in_max = min(positive(one.charge_max_kw), spec.charge_max_kw) * headroom
    bid, offer = _worth(spec, soc, fill, curve)
    return (
        power,
        min(in_max, positive((top - soc) * in_frac)),
        min(out_max, positive((soc - floor) * out_frac)),
        min(out_max, positive((soc - spec.soc_min_frac) * out_frac)),
        bid,
        offer,
        last,
        float(forming),
        1.0,
    )


def _worth(spec: StorageSpec, soc: float, fill: Filling, curve: ValueCurve | None) -> tuple[float, float]:
    """What a kWh at the bus is worth to a storage that charges, and what one from it must bring, yuan."""
    value = None
    if curve is not None:
        value = finite(value_at(curve.energy_kwh, curve.value_per_kwh, soc * spec.capacity_kwh))
    if value is not None:
        wear = positive(fill.settings.wear_per_kwh)
        return (value - wear) * spec.efficiency_charge, (value + wear) / max(spec.efficiency_discharge, 0.1)
    # Nobody says what it is worth: take surplus, cover the site's own demand, and fill the reserve. A unit that runs
    # is preferred by `sticky_per_kwh`; that must not make it sell, nor buy what it could only sell again.
    buy, sell, edge = fill.prices.buy, fill.prices.sell, fill.loop.sticky_per_kwh + _RULE_EDGE
    if soc < fill.settings.reserve_frac or buy < 0.0:
        return max(buy, 0.0) + _RULE_EDGE, max(buy, sell) + edge
    return min(max(sell, 0.0) + _RULE_EDGE, buy - edge), max(buy - _RULE_EDGE, sell + edge)


def pv_rated_kw(one: PvNow, fill: Filling) -> float:
    """The inverter's rating; one that the site does not know may give nothing under a limit."""
    spec = fill.specs.pvs.get(one.id)
    return positive(spec.rated_ac_kw) if spec is not None else 0.0


def pv_table(pvs: tuple[PvNow, ...], fill: Filling) -> Array:
    """(n, fast.PV_COLUMNS)."""
    rows = []
    for one in pvs:
        rated = pv_rated_kw(one, fill)
        power = within(one.power_kw, rated) if one.usable else None
        sun = finite(one.available_kw)
        rows.append(
            (
                0.0 if power is None else max(0.0, power),
                rated,
                fill.state.pv_limit_kw.get(one.id, -1.0),
                -1.0 if sun is None else sun,
                float(power is not None),
            )
        )
    return _table(rows, fast.PV_COLUMNS)


def ev_limits(one: EvNow, fill: Filling) -> tuple[float, float]:
    """Minimum and maximum of a vehicle, kW."""
    spec = fill.specs.chargers.get(one.id)
    most = min(positive(one.max_kw), spec.max_kw) if spec is not None else positive(one.max_kw)
    return min(max(positive(one.min_kw), positive(fill.settings.ev_min_frac) * most), most), most


def ev_table(now: SiteNow, fill: Filling, *, closed: bool) -> Array:
    """(n, fast.EV_COLUMNS). `closed`: nobody charges, as while the bus is being taken over."""
    grid = finite(now.grid_kw)
    rows = [_ev_row(one, fill, grid) if one.usable and not closed else _NO_EV for one in now.evs]
    return _table(rows, fast.EV_COLUMNS)


def _ev_row(one: EvNow, fill: Filling, grid_kw: float | None) -> tuple[float, ...]:
    least, most = ev_limits(one, fill)
    spec = fill.specs.chargers.get(one.id)
    power = within(one.power_kw, max(most if spec is None else spec.max_kw, positive(one.v2g_kw)))
    need, laxity_s = _deadline(one, least, most, fill.loop)
    last = fill.state.ev_limit_kw.get(one.id)
    back = _feeds_back(one, laxity_s, last, fill)
    worth = finite(one.worth_per_kwh)
    if worth is not None and fill.loop.v2g_spare_s <= laxity_s < NO_DEADLINE_S:
        need = least  # the planner knows a cheaper hour before it leaves
    needed = finite(one.needed_kwh)
    satisfied = needed is not None and needed <= 0.0
    wants = most if worth is None and laxity_s >= NO_DEADLINE_S else need
    if worth is not None and worth * _EV_EFFICIENCY > fill.prices.buy:
        wants = most
    sells = False
    if worth is not None and back > 0.0 and grid_kw is not None:
        buys = grid_kw > (0.0 if last is not None and last < 0.0 else 2.0 * back)
        price = fill.prices.buy if buys else fill.prices.sell
        sells = price > worth / _EV_EFFICIENCY + positive(fill.settings.wear_per_kwh)
    return (
        power or 0.0,
        least,
        need,
        least if satisfied else wants,
        least if satisfied else most,
        back,
        laxity_s,
        # One that draws clearly less than it may is not held back by us, and takes no more when it may.
        float(last is None or power is None or power >= 0.9 * last - 0.5),
        float(power is not None),
        float(sells),
    )


def _deadline(one: EvNow, least: float, most: float, loop: LoopSpec) -> tuple[float, float]:
    """Power that the deadline needs, kW, and how many seconds there are to spare."""
    left_s, needed = finite(one.depart_in_s), finite(one.needed_kwh)
    if left_s is None or needed is None:
        return least, NO_DEADLINE_S if left_s is None else max(left_s, 0.0)
    left_s, needed = max(left_s, 0.0), max(needed, 0.0)
    power = needed * 3600.0 / max(left_s - loop.deadline_margin_s, 60.0) * loop.deadline_margin_frac
    return min(max(power, least), most), left_s - needed * 3600.0 / max(most, 0.1)


def _feeds_back(one: EvNow, laxity_s: float, last: float | None, fill: Filling) -> float:
    """What the vehicle may give, kW: only where it can, where it is full enough, and where its deadline stays safe."""
    power = positive(one.v2g_kw)
    if power <= 0.0 or not fill.settings.v2g:
        return 0.0
    spec, soc = fill.specs.chargers.get(one.id), finite(one.soc_frac)
    if spec is not None:
        power = min(power, spec.v2g_kw)
    if power <= 0.0 or soc is None or soc > 1.0 + _SOC_SLACK_FRAC:
        return 0.0
    edge = fill.settings.v2g_soc_min_frac + (0.0 if last is not None and last < 0.0 else _SOC_SLACK_FRAC)
    if soc <= edge:
        return 0.0
    needed, leaves = finite(one.needed_kwh), finite(one.depart_in_s) is not None
    if leaves and laxity_s < fill.loop.v2g_spare_s:
        return 0.0
    return 0.0 if not leaves and needed is not None and needed > 0.0 else power


def may_shed(one: LoadNow, fill: Filling) -> bool:
    """Whether this load may be switched off at all."""
    return fill.settings.shed_allowed and one.sheddable and one.tier > LoadTier.CRITICAL


def load_power(one: LoadNow) -> float | None:
    """What the load draws, or None; a load draws nothing negative and nothing far beyond its rating."""
    power = finite(one.power_kw)
    if power is None or power < 0.0 or (one.rated_kw > 0.0 and power > 3.0 * one.rated_kw):
        return None
    return power


def load_table(loads: tuple[LoadNow, ...], fill: Filling) -> Array:
    """(n, LOAD_COLUMNS)."""
    rows = []
    for one in loads:
        kept, power = fill.state.shed_s.get(one.id), load_power(one)
        free = kept is None and one.on and one.usable and may_shed(one, fill)
        switched_s = finite(one.switched_s)
        rows.append(
            (
                float(one.tier),
                power if power is not None and one.on else 0.0,
                max(positive(one.rated_kw), power or 0.0),
                float(free and (switched_s is None or switched_s >= positive(one.min_on_s))),
                float(free),
                float(kept is not None and kept >= positive(one.min_off_s) and one.usable),
                kept or 0.0,
                float(kept is not None),
            )
        )
    return _table(rows, LOAD_COLUMNS)
