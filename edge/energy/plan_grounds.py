"""What a plan is made from: owns putting forecast, tariff, storages and vehicles into one question for the planner."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

import numpy as np

from control.domain.energy import GridMode, LoadTier
from control.energy.dispatch_types import EvNow, SiteNow
from control.energy.ev_arrivals import forecast_arrivals
from control.energy.plan import Band, Plan, Series
from control.energy.plan_input import EvJob, PlanInput
from control.energy.settings import EnergySettings, Prices, prices_at
from control.energy.site import SiteSpec, StorageSpec
from edge.energy.history import SLOT_S, History, Past
from edge.energy.means import Second
from edge.energy.settings_desk import Version

# An outage that is on is held to last this long; nobody knows.
OUTAGE_H = 2.0
# A vehicle that said nothing is held to go on as it does for so long.
VEHICLE_H = 1.0
ESSENTIAL_FRAC = 0.6
_ON_GRID = (GridMode.GRID_TIED.value, GridMode.HOLD.value)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlook:
    """The forecast for the slots from `starts_at` on; scenarios (n, slots) with weights (n,) where there are any."""

    load: Band
    pv: Band
    pv_scenarios: Series | None = None
    load_scenarios: Series | None = None
    weights: Series | None = None


class Forecast(Protocol):
    """Looks ahead from the past and from what is measured now; never raises for values."""

    def __call__(
        self, past: Past, *, starts_at: datetime, slots: int, load_now_kw: float | None, pv_now_kw: float | None
    ) -> Outlook:
        """`slots` slots of the past's length from `starts_at`."""
        ...


def slot_of(plan: Plan, now: datetime) -> int | None:
    """Which slot of the plan runs now; None outside its horizon."""
    at = int((now - plan.starts_at).total_seconds() // plan.slot_s)
    return at if 0 <= at < len(plan.grid_kw) else None


def grounds(
    site: SiteSpec,
    history: History,
    forecast: Forecast,
    picture: SiteNow,
    second: Second,
    version: Version,
    now: datetime,
) -> PlanInput:
    """The question of this moment. CPU-bound: for the planner's thread."""
    settings = version.settings
    starts_at = datetime.fromtimestamp(int(now.timestamp() // SLOT_S) * SLOT_S, UTC)
    slots = max(int(settings.horizon_h * 3600 / SLOT_S), 1)
    sun_kw = None if "pv" not in second.kw else second.kw["pv"] + second.kw.get("curtailed", 0.0)
    load_kw = None if "load" not in second.kw else second.kw["load"] + second.kw.get("shed", 0.0)
    past = history.past(now=now)
    seen = forecast(past, starts_at=starts_at, slots=slots, load_now_kw=load_kw, pv_now_kw=sun_kw)
    vehicles = _unplanned_vehicles(site, history, past, picture.evs, starts_at=starts_at, slots=slots, now=now)
    at = [starts_at + timedelta(seconds=SLOT_S * i) for i in range(slots)]
    prices = [price_at(settings, one, site.timezone) for one in at]
    return PlanInput(
        made_at=now,
        starts_at=starts_at,
        slot_s=SLOT_S,
        load=_together(seen.load, vehicles),
        site_load=seen.load,
        pv=seen.pv,
        import_per_kwh=np.array([one.import_per_kwh for one in prices]),
        export_per_kwh=np.array([one.export_per_kwh for one in prices]),
        carbon_per_kwh=np.full(slots, settings.carbon_per_kwh),
        settings=settings,
        settings_version=version.number,
        storages=tuple(storages(site, picture)),
        evs=tuple(jobs(picture.evs, settings, slots)),
        peak_so_far_kw=history.peak_kw(now=now),
        pv_scenarios=seen.pv_scenarios,
        load_scenarios=None if seen.load_scenarios is None else seen.load_scenarios + vehicles.mid,
        scenario_weights=seen.weights,
        essential_frac=essential_frac(picture),
        grid_up=_grid_up(second.mode, slots),
        assumed=tuple(_days_by_tariff(settings, at, prices, site.timezone)),
    )


def price_at(settings: EnergySettings, at: datetime, timezone: str) -> Prices:
    """Import and export price of that moment, yuan a kWh."""
    return prices_at(settings, at.astimezone(ZoneInfo(timezone)))


def _days_by_tariff(
    settings: EnergySettings, at: Iterable[datetime], prices: Iterable[Prices], timezone: str
) -> Iterable[str]:
    """`price.tariff:DAY` for each day that the tariff stands in for; nothing where none is ever published."""
    if settings.day_ahead:
        days = (one.astimezone(ZoneInfo(timezone)).date() for one in at)
        yield from sorted(
            {f"price.tariff:{day}" for day, price in zip(days, prices, strict=True) if not price.day_ahead}
        )


def _unplanned_vehicles(
    site: SiteSpec,
    history: History,
    past: Past,
    evs: Iterable[EvNow],
    *,
    starts_at: datetime,
    slots: int,
    now: datetime,
) -> Band:
    """What vehicles draw that are no jobs: silent ones that are here, and those that have yet to come."""
    silent = _silent_vehicles(evs, slots)
    if not site.chargers:
        return Band(silent, silent, silent)
    seen_from, stays = history.stays(past)
    power = forecast_arrivals(
        stays,
        seen_from=seen_from,
        starts_at=starts_at,
        slot_s=SLOT_S,
        slots=slots,
        timezone=site.timezone,
        chargers=len(site.chargers),
        charger_kw=sum(one.max_kw for one in site.chargers) / len(site.chargers),
        now=now,
    ).power
    return Band(power.low + silent, power.mid + silent, power.high + silent)


def _together(load: Band, vehicles: Band) -> Band:
    """The site's load, which is measured without vehicles, and theirs: one says nothing of how far the other is off."""
    mid = load.mid + vehicles.mid
    low = mid - np.hypot(load.mid - load.low, vehicles.mid - vehicles.low)
    return Band(np.maximum(low, 0.0), mid, mid + np.hypot(load.high - load.mid, vehicles.high - vehicles.mid))


def storages(site: SiteSpec, picture: SiteNow) -> Iterable[tuple[StorageSpec, float]]:
    """Storages whose charge is known and that obey; the others cannot be planned with."""
    specs = {one.id: one for one in site.storages}
    for one in picture.storages:
        if one.usable and one.soc_frac is not None:
            yield specs[one.id], one.soc_frac


def jobs(evs: Iterable[EvNow], settings: EnergySettings, slots: int) -> Iterable[EvJob]:
    """Vehicles whose drivers said what they need and when they leave."""
    for one in evs:
        if not one.usable or one.needed_kwh is None or one.depart_in_s is None:
            continue
        spare_kwh = 0.0
        v2g_kw = one.v2g_kw if settings.v2g else 0.0
        if v2g_kw and one.soc_frac is not None and one.soc_frac < 1.0:
            battery_kwh = one.needed_kwh / max(1.0 - one.soc_frac, 0.05)
            spare_kwh = max(one.soc_frac - settings.v2g_soc_min_frac, 0.0) * battery_kwh
        yield EvJob(
            id=one.id,
            departs_slot=max(1, min(int(one.depart_in_s // SLOT_S), 4 * slots)),
            needed_kwh=one.needed_kwh,
            max_kw=one.max_kw,
            v2g_kw=v2g_kw,
            spare_kwh=spare_kwh,
        )


def _silent_vehicles(evs: Iterable[EvNow], slots: int) -> Series:
    """What vehicles draw that told nothing: as now, for a while."""
    kw = sum(one.power_kw or 0.0 for one in evs if one.needed_kwh is None or one.depart_in_s is None or not one.usable)
    ahead = np.zeros(slots)
    ahead[: int(VEHICLE_H * 3600 / SLOT_S)] = max(kw, 0.0)
    return ahead


def essential_frac(picture: SiteNow) -> float:
    """The part of the load, as it is now, that must be carried when the grid is away."""
    known = [(one.tier, one.power_kw) for one in picture.loads if one.power_kw is not None]
    total_kw = sum(kw for _, kw in known)
    if len(known) < len(picture.loads) or total_kw <= 0:
        return ESSENTIAL_FRAC
    return min(max(sum(kw for tier, kw in known if tier <= LoadTier.ESSENTIAL) / total_kw, 0.05), 1.0)


def _grid_up(mode: str, slots: int) -> Series | None:
    if mode in _ON_GRID:
        return None
    up = np.ones(slots)
    up[: int(OUTAGE_H * 3600 / SLOT_S)] = 0.0
    return up
