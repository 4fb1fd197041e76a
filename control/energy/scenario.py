"""What a replay starts from: owns the series, the plant and the prices of one scenario, and what settings make of it.

A scenario holds a site with one storage (several are joined), PV, an unswitchable load, a grid connection with outages
and, where there is one, a generator set. Reading files is left to `edge.energy`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from control.energy.plan import Series
from control.energy.settings import EnergySettings, tariff_at
from control.energy.site import StorageSpec

Times = npt.NDArray[np.datetime64]
Flags = npt.NDArray[np.bool_]


# In place of a wanted power: the generator set gives what the grid cannot; or also what the grid sells dearer.
GENSET_LAST, GENSET_BY_COST = -1.0, -2.0


class Plant(NamedTuple):
    """What the replay kernels know of the plant; all float64, so that Numba takes it as one argument.

    `min_kwh` and `max_kwh` bound the stored energy; above `reserve_kwh` it is free to use while the grid is up. Powers
    are kW at the bus. `genset_max_kw` is 0 where there is no generator set.
    """

    capacity_kwh: float
    min_kwh: float
    reserve_kwh: float
    max_kwh: float
    charge_max_kw: float
    discharge_max_kw: float
    efficiency_charge: float
    efficiency_discharge: float
    import_max_kw: float
    export_max_kw: float
    genset_min_kw: float
    genset_max_kw: float
    genset_cost_per_kwh: float
    step_h: float


@dataclass(frozen=True, slots=True, kw_only=True)
class GensetSpec:
    """A generator set that starts and stops at once; it gives nothing, or between both powers."""

    min_kw: float
    max_kw: float
    fuel_cost_per_kwh: float
    co2_kg_per_kwh: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scenario:
    """One stretch of time with equal steps. Series are float64 (n,), means over the step that begins at `local`.

    `at0` is aware, `local` (n,) datetime64[s] the wall clock of each step, for months, hours and weekdays. Prices are
    per kWh in one currency, `wear_cost_per_kwh` for each kWh that the stored energy changes, in either direction;
    `demand_charge_per_kw` is paid in each calendar month for its highest step of import; `critical_frac` is the share
    of the load that must be carried when the grid is gone, and `reserve_frac` what is kept for it.
    """

    name: str
    at0: datetime
    step_s: float
    local: Times
    load_kw: Series
    pv_kw: Series
    import_price: Series
    export_price: Series
    co2_kg_per_kwh: Series
    grid_up: Flags
    storage: StorageSpec
    soc_initial_frac: float
    wear_cost_per_kwh: float
    import_max_kw: float
    export_max_kw: float
    demand_charge_per_kw: float = 0.0
    co2_price_per_kg: float = 0.0
    unserved_cost_per_kwh: float = 20.0
    surplus_cost_per_kwh: float = 0.0
    genset: GensetSpec | None = None
    reserve_frac: float = 0.0
    critical_frac: float = 1.0

    @property
    def steps(self) -> int:
        """How many there are."""
        return len(self.load_kw)

    @property
    def step_h(self) -> float:
        """Length of a step in hours."""
        return self.step_s / 3600.0

    @property
    def stored_initial_kwh(self) -> float:
        """Energy in the storage before the first step."""
        return self.soc_initial_frac * self.storage.capacity_kwh

    @property
    def plant(self) -> Plant:
        """The same for the kernels."""
        store, genset = self.storage, self.genset
        return Plant(
            capacity_kwh=float(store.capacity_kwh),
            min_kwh=float(store.capacity_kwh * store.soc_min_frac),
            reserve_kwh=float(store.capacity_kwh * max(store.soc_min_frac, self.reserve_frac)),
            max_kwh=float(store.capacity_kwh * store.soc_max_frac),
            charge_max_kw=float(store.charge_max_kw),
            discharge_max_kw=float(store.discharge_max_kw),
            efficiency_charge=float(store.efficiency_charge),
            efficiency_discharge=float(store.efficiency_discharge),
            import_max_kw=float(self.import_max_kw),
            export_max_kw=float(self.export_max_kw),
            genset_min_kw=float(genset.min_kw) if genset else 0.0,
            genset_max_kw=float(genset.max_kw) if genset else 0.0,
            genset_cost_per_kwh=self.genset_cost_per_kwh,
            step_h=float(self.step_h),
        )

    @property
    def genset_cost_per_kwh(self) -> float:
        """Fuel and carbon of one kWh of the generator set; 0 without one."""
        if self.genset is None:
            return 0.0
        return float(self.genset.fuel_cost_per_kwh + self.genset.co2_kg_per_kwh * self.co2_price_per_kg)

    @property
    def import_cost_per_kwh(self) -> Series:
        """Price and carbon of one imported kWh, (n,)."""
        return self.import_price + self.co2_kg_per_kwh * self.co2_price_per_kg

    @property
    def month(self) -> npt.NDArray[np.int64]:
        """Calendar month of each step, counted from the first one, (n,)."""
        months: npt.NDArray[np.int64] = self.local.astype("datetime64[M]").astype(np.int64)
        return months - int(months[0])

    @property
    def month_names(self) -> tuple[str, ...]:
        """`2026-03` and so on, one for each number in `month`."""
        first = self.local[0].astype("datetime64[M]")
        return tuple(str(first + np.timedelta64(i, "M")) for i in range(int(self.month[-1]) + 1))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Actions:
    """What a controller wants of each step, (n,) kW: of the storage (positive discharges), at most so much PV, and of
    the generator set, which may also be left to the settling: GENSET_LAST or GENSET_BY_COST."""

    storage_kw: Series
    pv_max_kw: Series
    genset_kw: Series


def with_settings(scenario: Scenario, settings: EnergySettings) -> Scenario:
    """The scenario as it would have been under these settings: tariff, weights, limits, reserve and carbon.

    The physical lower limit of the storage stays; the reserve and the ride-through hours (of the critical share of the
    mean load, without sun) lift what may be used while the grid is up.
    """
    import_price, export_price = tariff_series(settings, scenario.local)
    return replace(
        scenario,
        import_price=import_price,
        export_price=export_price,
        co2_kg_per_kwh=np.full(scenario.steps, settings.carbon_per_kwh),
        co2_price_per_kg=settings.carbon_price_per_t / 1000.0,
        wear_cost_per_kwh=settings.wear_per_kwh,
        demand_charge_per_kw=settings.demand_charge_per_kw,
        unserved_cost_per_kwh=settings.unserved_per_kwh,
        import_max_kw=settings.import_max_kw,
        export_max_kw=settings.export_max_kw,
        reserve_frac=_reserve_frac(scenario, settings),
        storage=replace(scenario.storage, soc_max_frac=min(scenario.storage.soc_max_frac, settings.soc_max_frac)),
    )


def _reserve_frac(scenario: Scenario, settings: EnergySettings) -> float:
    store = scenario.storage
    critical_kw = float(np.mean(scenario.load_kw)) * scenario.critical_frac
    ride_kwh = critical_kw * settings.ride_through_h / store.efficiency_discharge
    wanted = max(settings.reserve_frac, store.soc_min_frac + ride_kwh / store.capacity_kwh)
    return min(wanted, store.soc_max_frac, settings.soc_max_frac)


def tariff_series(settings: EnergySettings, local: Times) -> tuple[Series, Series]:
    """Import and export price of each step, (n,), from the tariff that the settings publish."""
    month = local.astype("datetime64[M]").astype(np.int64) % 12
    second = (local - local.astype("datetime64[D]")).astype("timedelta64[s]").astype(np.int64)
    keys, where = np.unique(month * 86_400 + second, return_inverse=True)
    periods = [tariff_at(settings, month=int(key // 86_400) + 1, hour=(key % 86_400) / 3600.0) for key in keys]
    import_price = np.array([period.import_per_kwh for period in periods])
    export_price = np.array([period.export_per_kwh for period in periods])
    return import_price[where], export_price[where]


__all__ = [
    "GENSET_BY_COST",
    "GENSET_LAST",
    "Actions",
    "GensetSpec",
    "Plant",
    "Scenario",
    "tariff_series",
    "with_settings",
]
