"""What stands on the island: owns the fixed description of PV, storage, chargers, loads and the grid connection."""

from __future__ import annotations

from dataclasses import dataclass

from control.domain.energy import LoadTier


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageSpec:
    """One storage with its power conversion system. Powers are at the AC side, both positive."""

    id: str
    name: str = ""
    capacity_kwh: float
    charge_max_kw: float
    discharge_max_kw: float
    efficiency_charge: float = 0.95
    efficiency_discharge: float = 0.95
    soc_min_frac: float = 0.1
    soc_max_frac: float = 0.95
    self_discharge_frac_per_h: float = 0.0
    grid_forming: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StringSpec:
    """One PV string. Azimuth 180 is south."""

    id: str
    rated_dc_kw: float
    tilt_deg: float = 10.0
    azimuth_deg: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PvSpec:
    """One PV inverter."""

    id: str
    name: str = ""
    rated_ac_kw: float
    strings: tuple[StringSpec, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerSpec:
    """One charging connector. `v2g_kw` is 0 where it cannot feed back."""

    id: str
    name: str = ""
    max_kw: float
    min_kw: float = 1.4
    v2g_kw: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSpec:
    """One feeder. A load that cannot be switched is never shed, whatever its tier."""

    id: str
    name: str = ""
    name_en: str = ""
    tier: LoadTier = LoadTier.CRITICAL
    sheddable: bool = False
    rated_kw: float = 0.0
    min_off_s: float = 300.0
    min_on_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GridSpec:
    """The point of common coupling: what the transformer and the contract physically allow."""

    import_max_kw: float
    export_max_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSpec:
    """The whole microgrid."""

    latitude_deg: float = 19.14
    longitude_deg: float = 110.58
    timezone: str = "Asia/Shanghai"
    grid: GridSpec
    storages: tuple[StorageSpec, ...] = ()
    pvs: tuple[PvSpec, ...] = ()
    chargers: tuple[ChargerSpec, ...] = ()
    loads: tuple[LoadSpec, ...] = ()
