"""Random seconds of a site, sane or broken, from a seed: owns what the laws of the fast loop are tried on."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import numpy as np

from control.domain.energy import GridMode, LoadTier
from control.energy.dispatch_types import DispatchState, EvNow, LoadNow, PvNow, SiteNow, StorageNow
from control.energy.plan import ValueCurve
from control.energy.settings import EnergySettings
from control.energy.site import ChargerSpec, GridSpec, LoadSpec, PvSpec, SiteSpec, StorageSpec

BAD = (math.nan, math.inf, -math.inf, 1e300, -1e300, 1e7, -1e7, None)


class Draw:
    """Numbers that are now and then broken: with a chance of `broken`, one of BAD."""

    def __init__(self, seed: int, broken: float) -> None:
        self.random = Random(seed)
        self.broken = broken

    def number(self, low: float, high: float) -> float:
        """One in the range, or something that is no number."""
        found = self.maybe(low, high)
        return math.nan if found is None else found

    def maybe(self, low: float, high: float) -> float | None:
        """The same, or None."""
        if self.random.random() < self.broken:
            return self.random.choice(BAD)
        return self.random.uniform(low, high)

    def chance(self, part: float) -> bool:
        """True with this chance."""
        return self.random.random() < part

    def flag(self) -> bool | None:
        """True, mostly; sometimes False or, where things are broken, None."""
        if self.chance(self.broken):
            return None
        return not self.chance(0.1)


def random_site(draw: Draw) -> SiteSpec:
    """A site with up to 20 devices."""
    uniform, count = draw.random.uniform, draw.random.randint
    return SiteSpec(
        grid=GridSpec(import_max_kw=uniform(0, 8000), export_max_kw=draw.random.choice((0.0, uniform(0, 6000)))),
        storages=tuple(
            StorageSpec(
                id=f"s{n}",
                capacity_kwh=uniform(50, 5000),
                charge_max_kw=uniform(10, 2500),
                discharge_max_kw=uniform(10, 2500),
                efficiency_charge=uniform(0.6, 1.0),
                efficiency_discharge=uniform(0.6, 1.0),
                grid_forming=draw.chance(0.5),
            )
            for n in range(count(0, 3))
        ),
        pvs=tuple(PvSpec(id=f"p{n}", rated_ac_kw=uniform(5, 1200)) for n in range(count(0, 6))),
        chargers=tuple(
            ChargerSpec(id=f"e{n}", max_kw=uniform(7, 120), v2g_kw=draw.random.choice((0.0, 30.0)))
            for n in range(count(0, 6))
        ),
        loads=tuple(
            LoadSpec(
                id=f"l{n}",
                tier=LoadTier(count(0, 3)),
                sheddable=draw.chance(0.6),
                rated_kw=uniform(10, 1500),
                min_off_s=uniform(0, 60),
                min_on_s=uniform(0, 60),
            )
            for n in range(count(0, 5))
        ),
    )


def random_now(draw: Draw, site: SiteSpec, at_s: float) -> SiteNow:
    """One second of it, as the gateway might read it."""
    return SiteNow(
        now_s=draw.number(at_s, at_s),
        grid_kw=draw.maybe(-5000, 7000),
        breaker_closed=draw.flag(),
        grid_live=draw.flag(),
        grid_hz=draw.maybe(49.7, 50.2) if draw.chance(0.9) else draw.maybe(40, 60),
        bus_hz=draw.maybe(49.7, 50.2) if draw.chance(0.9) else draw.maybe(0, 60),
        in_sync=draw.flag(),
        grid_v_frac=draw.maybe(0.95, 1.05),
        bus_v_frac=draw.maybe(0.95, 1.05),
        import_price=draw.number(-0.2, 1.5),
        export_price=draw.number(-0.3, 1.0),
        carbon_price_per_kwh=draw.number(0, 0.1),
        storages=tuple(_storage(draw, one) for one in site.storages),
        pvs=tuple(_pv(draw, one) for one in site.pvs),
        evs=tuple(_ev(draw, one) for one in site.chargers if draw.chance(0.8)),
        loads=tuple(_load(draw, one) for one in site.loads),
        hold_wanted=draw.chance(0.03),
        storage_wanted_kw=draw.maybe(-4000, 4000) if draw.chance(0.1) else None,
        peak_so_far_kw=draw.maybe(0, 6000),
    )


def _storage(draw: Draw, spec: StorageSpec) -> StorageNow:
    return StorageNow(
        id=spec.id,
        soc_frac=draw.maybe(0, 1),
        power_kw=draw.maybe(-spec.charge_max_kw, spec.discharge_max_kw),
        charge_max_kw=draw.number(0, spec.charge_max_kw),
        discharge_max_kw=draw.number(0, spec.discharge_max_kw),
        usable=draw.flag() is not False,
    )


def _pv(draw: Draw, spec: PvSpec) -> PvNow:
    return PvNow(
        id=spec.id,
        power_kw=draw.maybe(0, spec.rated_ac_kw),
        available_kw=draw.maybe(0, spec.rated_ac_kw) if draw.chance(0.5) else None,
        usable=draw.flag() is not False,
    )


def _ev(draw: Draw, spec: ChargerSpec) -> EvNow:
    return EvNow(
        id=spec.id,
        power_kw=draw.maybe(-spec.v2g_kw, spec.max_kw),
        min_kw=draw.number(0, 5),
        max_kw=draw.number(5, 150),
        v2g_kw=spec.v2g_kw,
        soc_frac=draw.maybe(0, 1),
        needed_kwh=draw.maybe(0, 60) if draw.chance(0.6) else None,
        depart_in_s=draw.maybe(-600, 40_000) if draw.chance(0.6) else None,
        worth_per_kwh=draw.maybe(0, 2) if draw.chance(0.4) else None,
        usable=draw.flag() is not False,
    )


def _load(draw: Draw, spec: LoadSpec) -> LoadNow:
    return LoadNow(
        id=spec.id,
        tier=spec.tier,
        sheddable=spec.sheddable,
        power_kw=draw.maybe(0, spec.rated_kw),
        on=not draw.chance(0.1),
        switched_s=draw.number(0, 200),
        rated_kw=spec.rated_kw,
        min_off_s=spec.min_off_s,
        min_on_s=spec.min_on_s,
        usable=draw.flag() is not False,
    )


def random_settings(draw: Draw) -> EnergySettings:
    """Settings of which some contradict the site or each other."""
    uniform = draw.random.uniform
    return EnergySettings(
        import_max_kw=draw.random.choice((0.0, uniform(0, 8000))),
        export_max_kw=draw.random.choice((0.0, 0.0, uniform(0, 6000))),
        import_target_kw=uniform(0, 9000),
        ramp_max_kw_per_min=draw.random.choice((10.0, 2000.0, 60_000.0)),
        reserve_frac=uniform(0, 0.9),
        soc_max_frac=uniform(0.1, 1.0),
        ride_through_h=uniform(0, 24),
        demand_charge_per_kw=draw.random.choice((0.0, 40.0)),
        ev_min_frac=uniform(0, 1),
        v2g=draw.chance(0.7),
        v2g_soc_min_frac=uniform(0, 1),
        shed_allowed=draw.chance(0.9),
    )


def random_curves(draw: Draw, site: SiteSpec) -> dict[str, ValueCurve]:
    """Curves for some of the storages, of which some are none."""
    made = {}
    for spec in site.storages:
        if draw.chance(0.2):
            continue
        pieces = draw.random.randint(1, 33)
        values = sorted((draw.number(-0.2, 2.0) for _ in range(pieces)), reverse=True)
        length = pieces + 1 if not draw.chance(draw.broken) else draw.random.randint(0, pieces)
        made[spec.id] = ValueCurve(
            energy_kwh=np.linspace(0, spec.capacity_kwh, length), value_per_kwh=np.array(values, dtype=float)
        )
    return made


def anywhere(draw: Draw, state: DispatchState) -> DispatchState:
    """The state with another mode and some timers run out, so that every mode meets every picture."""
    long = draw.random.choice((0.0, 5.0, 400.0))
    mode = draw.random.choice(list(GridMode))
    return replace(state, mode=mode, mode_s=long, grid_good_s=long, bus_good_s=long, restore_s=long, calm_s=long)
