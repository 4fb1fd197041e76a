"""The simulated microgrid's configuration: owns its keys and their defaults.

`hw_sim/microgrid.example.toml` documents every key, and a test compares the two. All sizes are invented.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from control.domain.errors import ConfigurationError
from edge.config_reading import Secret, read_tree


class Sky(StrEnum):
    """What kind of day it is; `auto` draws one for each day."""

    AUTO = "auto"
    CLEAR = "clear"
    SCATTERED = "scattered"
    BROKEN = "broken"
    OVERCAST = "overcast"
    RAIN = "rain"


class Profile(StrEnum):
    """How a load varies over the day."""

    VENUE = "venue"
    HOTEL = "hotel"
    CHILLER = "chiller"
    PUBLIC = "public"
    WATER = "water"
    FLAT = "flat"


class ChargerProtocol(StrEnum):
    """Version of OCPP that a charger speaks."""

    OCPP16 = "ocpp1.6"
    OCPP201 = "ocpp2.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """The whole place. `hour` moves the world's clock to this local hour at the start; else it is Hainan's clock."""

    seed: int = 1
    host: str = "127.0.0.1"
    http_port: int = 8480
    speed: float = 1.0
    day: str | None = None
    hour: float | None = None
    latitude_deg: float = 19.14
    longitude_deg: float = 110.58
    black_start_after_s: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WeatherConfig:
    """Sky and air."""

    sky: Sky = Sky.AUTO
    wind_m_per_s: float = 8.0
    cloud_size_m: float = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GridConfig:
    """The utility's side. Beyond the two limits the simulator counts a violation."""

    import_max_kw: float = 8000.0
    export_max_kw: float = 3000.0
    outages_per_year: float = 0.0
    outage_mean_s: float = 1800.0
    loss_of_mains_s: float = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class PortConfig:
    """A device of which there is one."""

    port: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StringConfig:
    """One PV string. Azimuth 180 is south."""

    id: str
    rated_dc_kw: float
    tilt_deg: float = 10.0
    azimuth_deg: float = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class InverterConfig:
    """One PV inverter; `x_m` and `y_m` say where on the island, so that a cloud reaches one after another.

    `loss_frac` is what its strings never give: wiring and mismatch, and on façades, roofs and paving the shade of trees
    and buildings that stands there all year.
    """

    id: str
    name: str = ""
    port: int = 0
    rated_ac_kw: float
    x_m: float = 0.0
    y_m: float = 0.0
    limit_after_silence_frac: float = 0.0
    response_s: float = 0.4
    loss_frac: float = 0.035
    string: tuple[StringConfig, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageConfig:
    """One storage with its power conversion system."""

    id: str
    name: str = ""
    port: int = 0
    chemistry: str = "lfp"
    capacity_kwh: float
    charge_max_kw: float
    discharge_max_kw: float
    efficiency_charge: float = 0.95
    efficiency_discharge: float = 0.95
    soc_min_frac: float = 0.05
    soc_max_frac: float = 0.98
    soc_frac: float = 0.5
    soh_frac: float = 0.98
    self_discharge_frac_per_h: float = 0.00005
    response_s: float = 0.3
    derate_from_c: float = 42.0
    derate_to_c: float = 55.0
    grid_forming: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OcppConfig:
    """The central system that the chargers call; a charger's id is appended to `url`. No url: nobody is called."""

    url: str = ""
    password: Secret | None = None
    meter_interval_s: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerConfig:
    """One charger with one connector."""

    id: str
    protocol: ChargerProtocol = ChargerProtocol.OCPP16
    max_kw: float = 60.0
    min_kw: float = 1.4
    v2g_kw: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleConfig:
    """How many vehicles want to charge, and how many are there at the start."""

    arrivals_per_day: float = 90.0
    at_start: int = 3
    stay_mean_h: float = 1.6


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBusConfig:
    """The field's MQTT broker. `embedded` starts one; it needs no password on loopback."""

    port: int = 0
    embedded: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadConfig:
    """One feeder. The highest tier is the first that may be shed."""

    id: str
    name: str = ""
    name_en: str = ""
    tier: int = 1
    sheddable: bool = False
    rated_kw: float = 100.0
    profile: Profile = Profile.FLAT


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptConfig:
    """One thing that happens by itself, so many seconds of the clock after the start."""

    at_s: float
    device: str
    fault: str
    value: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MicrogridConfig:
    """The whole file."""

    site: SiteConfig = field(default_factory=SiteConfig)
    weather: WeatherConfig = field(default_factory=WeatherConfig)
    grid: GridConfig = field(default_factory=GridConfig)
    meter: PortConfig = field(default_factory=PortConfig)
    breaker: PortConfig = field(default_factory=PortConfig)
    inverter: tuple[InverterConfig, ...] = ()
    storage: tuple[StorageConfig, ...] = ()
    ocpp: OcppConfig = field(default_factory=OcppConfig)
    charger: tuple[ChargerConfig, ...] = ()
    vehicles: VehicleConfig = field(default_factory=VehicleConfig)
    load_bus: LoadBusConfig = field(default_factory=LoadBusConfig)
    load: tuple[LoadConfig, ...] = ()
    script: tuple[ScriptConfig, ...] = ()


def load(path: Path) -> MicrogridConfig:
    """Read and check a file. Raises ConfigurationError that names file and key."""
    config = read_tree(path, MicrogridConfig, {}, prefix="ISLAND_MICROGRID")
    check(config, path)
    return config


def check(config: MicrogridConfig, path: Path) -> None:
    """What types alone cannot say."""
    groups = (config.inverter, config.storage, config.charger, config.load)
    ids = Counter(one.id for group in groups for one in group)
    twice = [name for name, count in ids.items() if count > 1]
    wrong = [
        (not ids, "needs at least one [[inverter]], [[storage]], [[charger]] or [[load]]."),
        (bool(twice), f"uses the id {twice[0] if twice else ''!r} twice; ids are unique over all devices."),
        (not 0 < config.site.speed <= 600, "site.speed must be above 0 and at most 600."),
        (config.site.hour is not None and not config.site.hour < 24, "site.hour must be below 24."),
        (
            config.site.day is not None and not re.fullmatch(r"\d{4}-\d\d-\d\d", config.site.day),
            "site.day must be a date like 2026-03-24.",
        ),
        (any(not i.string for i in config.inverter), "every [[inverter]] needs at least one [[inverter.string]]."),
        (any(not 0 <= i.loss_frac < 1 for i in config.inverter), "inverter.loss_frac must be from 0 to below 1."),
        (sum(s.grid_forming for s in config.storage) > 1, "only one [[storage]] can be grid_forming."),
        (any(s.capacity_kwh <= 0 for s in config.storage), "storage.capacity_kwh must be above 0."),
    ]
    for is_wrong, text in wrong:
        if is_wrong:
            raise ConfigurationError(f"{path}: {text}")
