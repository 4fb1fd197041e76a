"""A demonstration's microgrid: owns the files of the simulated devices and of the gateway that controls them.

Both come from one description, the example site of `hw_sim/microgrid.example.toml`, so that they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from edge.config_reading import Secret
from edge.energy.config import (
    ChargerConfig,
    EnergyConfig,
    GridConfig,
    InverterConfig,
    LoadBusConfig,
    LoadConfig,
    ModbusConfig,
    OcppConfig,
    StorageConfig,
    StringConfig,
)
from hw_sim.microgrid import config as sim
from hw_sim.microgrid.weather import LOCAL_TIME
from hw_sim.toml_text import toml_text

GATEWAY_ID = "gw-energy"
GATEWAY_NAME = "微电网 Microgrid"
EXAMPLE = Path(__file__).parent / "microgrid.example.toml"
HOST = "127.0.0.1"
# A gateway waits longer in earnest; who tries it out wants to see the site go back to the grid, an audience soon.
GRID_RETURN_S, SHOW_GRID_RETURN_S = 20.0, 10.0
# Before an audience clouds hurry: an edge crosses the island within half a minute.
SHOW_WIND_M_PER_S = 60.0
_FIXED = 5  # meter, breaker, OCPP, MQTT, HTTP
# The gateway keeps a margin to what the battery's own management allows.
_SOC_MIN_FRAC, _SOC_MAX_FRAC = 0.1, 0.95


@dataclass(frozen=True, slots=True)
class EnergySite:
    """The simulated microgrid with its ports, and where its HTTP is."""

    config: sim.MicrogridConfig
    ocpp_port: int
    password_file: Path
    grid_return_s: float = GRID_RETURN_S

    @property
    def url(self) -> str:
        """The simulated microgrid's HTTP address."""
        return f"http://{HOST}:{self.config.site.http_port}"


def example_site() -> sim.MicrogridConfig:
    """The site as the example describes it."""
    return sim.load(EXAMPLE)


def ports_needed() -> int:
    """How many free ports `energy_site` takes."""
    site = example_site()
    return _FIXED + len(site.inverter) + len(site.storage)


def energy_site(
    ports: Sequence[int], password_file: Path, *, seed: int, hour: float | None, sky: sim.Sky
) -> EnergySite:
    """The example site on these ports; its chargers call the gateway with the password of that file."""
    site = example_site()
    meter, breaker, ocpp, mqtt, http, *devices = ports
    inverters = tuple(replace(one, port=port) for one, port in zip(site.inverter, devices, strict=False))
    storages = tuple(
        replace(one, port=port) for one, port in zip(site.storage, devices[len(inverters) :], strict=False)
    )
    password = Secret(password_file.read_text(encoding="utf-8").strip(), str(password_file))
    config = replace(
        site,
        site=replace(site.site, seed=seed, hour=hour, http_port=http),
        weather=replace(site.weather, sky=sky),
        meter=sim.PortConfig(port=meter),
        breaker=sim.PortConfig(port=breaker),
        inverter=inverters,
        storage=storages,
        ocpp=replace(site.ocpp, url=f"ws://{HOST}:{ocpp}/ocpp", password=password),
        load_bus=replace(site.load_bus, port=mqtt),
    )
    return EnergySite(config, ocpp, password_file)


def meridian_of(hour: float, at: datetime) -> float:
    """Where on this latitude the sun stands at `at` as it does over the island at a local hour, degrees east.

    Moving the site rather than a clock keeps the devices, the gateway's forecast and the cloud agreed on the time.
    """
    local = at.astimezone(LOCAL_TIME)
    ahead_h = hour - (local.hour + local.minute / 60 + local.second / 3600)
    return (example_site().site.longitude_deg + 15.0 * ahead_h + 180.0) % 360.0 - 180.0


def staged(site: EnergySite, *, hour: float | None, at: datetime) -> EnergySite:
    """The site before an audience: everything sooner, and the sun as at this hour where one is wished."""
    config = site.config
    longitude_deg = config.site.longitude_deg if hour is None else meridian_of(hour, at)
    config = replace(
        config,
        site=replace(config.site, longitude_deg=longitude_deg),
        weather=replace(config.weather, wind_m_per_s=SHOW_WIND_M_PER_S),
    )
    return replace(site, config=config, grid_return_s=SHOW_GRID_RETURN_S)


def microgrid_text(site: EnergySite) -> str:
    """The file of the simulated devices."""
    return f"# Written by the demonstration.\n{toml_text(site.config)}"


def energy_table(site: EnergySite) -> str:
    """The gateway's `[energy]` and everything below it."""
    lines = toml_text(_Tables(gateway_energy(site)))
    return lines[lines.index("[energy]") :]


@dataclass(frozen=True)
class _Tables:
    energy: EnergyConfig


def gateway_energy(site: EnergySite) -> EnergyConfig:
    """What the gateway is told about the same devices."""
    field = site.config
    return EnergyConfig(
        grid_return_s=site.grid_return_s,
        latitude_deg=field.site.latitude_deg,
        longitude_deg=field.site.longitude_deg,
        grid=GridConfig(import_max_kw=field.grid.import_max_kw, export_max_kw=field.grid.export_max_kw),
        meter=ModbusConfig(host=HOST, port=field.meter.port),
        breaker=ModbusConfig(host=HOST, port=field.breaker.port),
        inverter=tuple(_inverter(one) for one in field.inverter),
        storage=tuple(_storage(one) for one in field.storage),
        ocpp=OcppConfig(host=HOST, port=site.ocpp_port, password=field.ocpp.password),
        charger=tuple(
            ChargerConfig(id=one.id, max_kw=one.max_kw, min_kw=one.min_kw, v2g_kw=one.v2g_kw) for one in field.charger
        ),
        load_bus=LoadBusConfig(host=HOST, port=field.load_bus.port),
        load=tuple(
            LoadConfig(
                id=one.id,
                name=one.name,
                name_en=one.name_en,
                tier=one.tier,
                sheddable=one.sheddable,
                rated_kw=one.rated_kw,
            )
            for one in field.load
        ),
    )


def _inverter(one: sim.InverterConfig) -> InverterConfig:
    return InverterConfig(
        id=one.id,
        name=one.name,
        host=HOST,
        port=one.port,
        rated_ac_kw=one.rated_ac_kw,
        string=tuple(
            StringConfig(
                id=f"{one.id}-{s.id}", rated_dc_kw=s.rated_dc_kw, tilt_deg=s.tilt_deg, azimuth_deg=s.azimuth_deg
            )
            for s in one.string
        ),
    )


def _storage(one: sim.StorageConfig) -> StorageConfig:
    return StorageConfig(
        id=one.id,
        name=one.name,
        host=HOST,
        port=one.port,
        capacity_kwh=one.capacity_kwh,
        charge_max_kw=one.charge_max_kw,
        discharge_max_kw=one.discharge_max_kw,
        efficiency_charge=one.efficiency_charge,
        efficiency_discharge=one.efficiency_discharge,
        soc_min_frac=_SOC_MIN_FRAC,
        soc_max_frac=_SOC_MAX_FRAC,
        self_discharge_frac_per_h=one.self_discharge_frac_per_h,
        grid_forming=one.grid_forming,
    )
