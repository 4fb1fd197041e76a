"""The microgrid's part of the gateway's configuration: owns its keys, their checks, and the site that they describe.

`edge/site.energy.example.toml` documents every key, and a test compares the two. What an operator weighs (tariff,
limits, reserve) is not here: it is `control.energy.settings` and comes from the cloud, signed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from control.domain.energy import LoadTier
from control.domain.errors import ConfigurationError
from control.energy.site import ChargerSpec, GridSpec, LoadSpec, PvSpec, SiteSpec, StorageSpec, StringSpec
from edge.config_reading import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class GridConfig:
    """What transformer and contract allow at the point of common coupling."""

    import_max_kw: float
    export_max_kw: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusConfig:
    """One controller on Modbus TCP."""

    host: str
    port: int = 502
    unit: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StringConfig:
    """One PV string; azimuth 180 is south."""

    id: str
    rated_dc_kw: float
    tilt_deg: float = 10.0
    azimuth_deg: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterConfig:
    """One PV inverter that speaks SunSpec."""

    id: str
    name: str = ""
    host: str
    port: int = 502
    unit: int = 1
    rated_ac_kw: float
    string: tuple[StringConfig, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageConfig:
    """One storage that speaks SunSpec; powers at the AC side, both positive."""

    id: str
    name: str = ""
    host: str
    port: int = 502
    unit: int = 1
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
class OcppConfig:
    """Where the chargers connect to: the gateway is their central system. The password is the same for all."""

    host: str = "127.0.0.1"
    port: int = 9000
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerConfig:
    """One charging connector; its id is the charge point's identity."""

    id: str
    name: str = ""
    max_kw: float
    min_kw: float = 1.4
    v2g_kw: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBusConfig:
    """The field's MQTT broker, where feeders report and take orders."""

    host: str
    port: int = 1883
    username: str = ""
    password: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadConfig:
    """One feeder; tier 0 is never shed, 3 first."""

    id: str
    name: str = ""
    name_en: str = ""
    tier: int = 0
    sheddable: bool = False
    rated_kw: float = 0.0
    min_off_s: float = 300.0
    min_on_s: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepConfig:
    """How long samples and means stay in the gateway, whether the cloud has them or not."""

    second_h: float = 48.0
    ten_seconds_days: float = 14.0
    minute_days: float = 90.0
    quarter_hour_days: float = 800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyConfig:
    """The whole microgrid of one gateway."""

    cycle_s: float = 1.0
    read_timeout_s: float = 0.5
    stuck_after_s: float = 120.0
    grid_return_s: float = 300.0
    settings_file: Path | None = None
    latitude_deg: float = 19.14
    longitude_deg: float = 110.58
    timezone: str = "Asia/Shanghai"
    grid: GridConfig
    meter: ModbusConfig
    breaker: ModbusConfig | None = None
    inverter: tuple[InverterConfig, ...] = ()
    storage: tuple[StorageConfig, ...] = ()
    ocpp: OcppConfig | None = None
    charger: tuple[ChargerConfig, ...] = ()
    load_bus: LoadBusConfig | None = None
    load: tuple[LoadConfig, ...] = ()
    keep: KeepConfig = field(default_factory=KeepConfig)


def site_of(config: EnergyConfig) -> SiteSpec:
    """The site as the controller sees it."""
    return SiteSpec(
        latitude_deg=config.latitude_deg,
        longitude_deg=config.longitude_deg,
        timezone=config.timezone,
        grid=GridSpec(import_max_kw=config.grid.import_max_kw, export_max_kw=config.grid.export_max_kw),
        storages=tuple(_storage(one) for one in config.storage),
        pvs=tuple(_pv(one) for one in config.inverter),
        chargers=tuple(
            ChargerSpec(id=one.id, name=one.name, max_kw=one.max_kw, min_kw=one.min_kw, v2g_kw=one.v2g_kw)
            for one in config.charger
        ),
        loads=tuple(_load(one) for one in config.load),
    )


def _storage(one: StorageConfig) -> StorageSpec:
    return StorageSpec(
        id=one.id,
        name=one.name,
        capacity_kwh=one.capacity_kwh,
        charge_max_kw=one.charge_max_kw,
        discharge_max_kw=one.discharge_max_kw,
        efficiency_charge=one.efficiency_charge,
        efficiency_discharge=one.efficiency_discharge,
        soc_min_frac=one.soc_min_frac,
        soc_max_frac=one.soc_max_frac,
        self_discharge_frac_per_h=one.self_discharge_frac_per_h,
        grid_forming=one.grid_forming,
    )


def _pv(one: InverterConfig) -> PvSpec:
    strings = tuple(
        StringSpec(id=s.id, rated_dc_kw=s.rated_dc_kw, tilt_deg=s.tilt_deg, azimuth_deg=s.azimuth_deg)
        for s in one.string
    )
    return PvSpec(id=one.id, name=one.name, rated_ac_kw=one.rated_ac_kw, strings=strings)


def _load(one: LoadConfig) -> LoadSpec:
    return LoadSpec(
        id=one.id,
        name=one.name,
        name_en=one.name_en,
        tier=LoadTier(one.tier),
        sheddable=one.sheddable,
        rated_kw=one.rated_kw,
        min_off_s=one.min_off_s,
        min_on_s=one.min_on_s,
    )


def check_energy(path: Path, config: EnergyConfig) -> None:
    """Raises ConfigurationError that names file and key."""
    _check_ids(path, config)
    _check_buses(path, config)
    _check_cycle(path, config)
    for one in config.storage:
        _check_storage(path, one)
    for one in config.inverter:
        if one.rated_ac_kw <= 0:
            raise ConfigurationError(f"{path}: energy.inverter {one.id!r}: rated_ac_kw must be more than 0.")
    for load in config.load:
        if load.tier not in tuple(LoadTier):
            raise ConfigurationError(f"{path}: energy.load {load.id!r}: tier must be 0 (critical) to 3 (shed first).")
        if load.sheddable and load.tier == LoadTier.CRITICAL:
            raise ConfigurationError(f"{path}: energy.load {load.id!r}: a load of tier 0 cannot be sheddable.")


# Alarms and lost devices are told by these names, so no device may have one of them.
OWN_DEVICES = ("meter", "breaker", "site")


def _check_ids(path: Path, config: EnergyConfig) -> None:
    ids = [*_ids(config.inverter), *_ids(config.storage), *_ids(config.charger), *_ids(config.load)]
    twice = sorted({one for one in ids if ids.count(one) > 1 or one in OWN_DEVICES})
    if twice:
        raise ConfigurationError(f"{path}: energy: the id {twice[0]!r} is used twice; each device needs its own.")


def _ids(
    devices: Iterable[InverterConfig] | Iterable[StorageConfig] | Iterable[ChargerConfig] | Iterable[LoadConfig],
) -> list[str]:
    return [one.id for one in devices]


def _check_buses(path: Path, config: EnergyConfig) -> None:
    if config.charger and config.ocpp is None:
        raise ConfigurationError(f"{path}: [energy.ocpp] is missing; the chargers connect to it.")
    if config.ocpp is not None and config.ocpp.password is None:
        raise ConfigurationError(f"{path}: energy.ocpp.password_file is missing; a charger must show a password.")
    if config.load and config.load_bus is None:
        raise ConfigurationError(f"{path}: [energy.load_bus] is missing; the loads report there.")


def _check_cycle(path: Path, config: EnergyConfig) -> None:
    if not 0.2 <= config.cycle_s <= 10.0:
        raise ConfigurationError(f"{path}: energy.cycle_s must be 0.2 to 10 s.")
    if not 0 < config.read_timeout_s < config.cycle_s:
        raise ConfigurationError(f"{path}: energy.read_timeout_s must be more than 0 and less than energy.cycle_s.")
    try:
        ZoneInfo(config.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(f"{path}: energy.timezone {config.timezone!r} is no known time zone.") from error


def _check_storage(path: Path, one: StorageConfig) -> None:
    where = f"{path}: energy.storage {one.id!r}"
    for key in ("capacity_kwh", "charge_max_kw", "discharge_max_kw"):
        if getattr(one, key) <= 0:
            raise ConfigurationError(f"{where}: {key} must be more than 0.")
    for key in ("efficiency_charge", "efficiency_discharge"):
        if not 0 < getattr(one, key) <= 1:
            raise ConfigurationError(f"{where}: {key} must be more than 0 and at most 1.")
    if not one.soc_min_frac < one.soc_max_frac <= 1:
        raise ConfigurationError(f"{where}: soc_min_frac must be below soc_max_frac, and that at most 1.")
