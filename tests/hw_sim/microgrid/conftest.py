"""A small microgrid that tests move by hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from hw_sim.microgrid.config import (
    ChargerConfig,
    ChargerProtocol,
    InverterConfig,
    LoadConfig,
    MicrogridConfig,
    Profile,
    SiteConfig,
    Sky,
    StorageConfig,
    StringConfig,
    VehicleConfig,
    WeatherConfig,
)
from hw_sim.microgrid.service import SimulatedMicrogrid
from hw_sim.microgrid.world import World

START = datetime(2026, 3, 24, 2, 0, tzinfo=UTC)


def small_site() -> MicrogridConfig:
    """Two inverters, two storages (one forming), two chargers, two loads; ten in the morning under a clear sky."""
    strings = (StringConfig(id="s1", rated_dc_kw=200.0), StringConfig(id="s2", rated_dc_kw=200.0, azimuth_deg=90.0))
    return MicrogridConfig(
        site=SiteConfig(http_port=0, day="2026-03-24", hour=10.0),
        weather=WeatherConfig(sky=Sky.CLEAR),
        inverter=(
            InverterConfig(id="pv-1", rated_ac_kw=350.0, string=strings),
            InverterConfig(id="pv-2", rated_ac_kw=350.0, x_m=800.0, string=strings),
        ),
        storage=(
            StorageConfig(id="flow", capacity_kwh=1000.0, charge_max_kw=200.0, discharge_max_kw=200.0),
            StorageConfig(
                id="lfp", capacity_kwh=1000.0, charge_max_kw=800.0, discharge_max_kw=800.0, grid_forming=True
            ),
        ),
        charger=(
            ChargerConfig(id="cp-1"),
            ChargerConfig(id="cp-2", protocol=ChargerProtocol.OCPP201, v2g_kw=30.0),
        ),
        vehicles=VehicleConfig(arrivals_per_day=60.0, at_start=0),
        load=(
            LoadConfig(id="hall", rated_kw=400.0, tier=0),
            LoadConfig(id="pumps", rated_kw=300.0, tier=3, sheddable=True, profile=Profile.WATER),
        ),
    )


def with_site(config: MicrogridConfig, **changes: object) -> MicrogridConfig:
    """The same microgrid with other settings of `[site]`."""
    return dataclasses.replace(config, site=dataclasses.replace(config.site, **changes))


@dataclasses.dataclass
class Bench:
    """A served microgrid and hand-moved time."""

    microgrid: SimulatedMicrogrid
    clock: list[float]

    @property
    def world(self) -> World:
        return self.microgrid.world

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds / 0.2)):
            self.clock[0] += 0.2
            self.microgrid.advance()


@pytest.fixture
def config() -> MicrogridConfig:
    return small_site()


@pytest.fixture
def make_world() -> Callable[..., World]:
    def make(config: MicrogridConfig | None = None, **site: object) -> World:
        return World(with_site(config or small_site(), **site), started_at=START)

    return make


@pytest.fixture
def make_bench() -> Callable[..., Bench]:
    def make(config: MicrogridConfig | None = None) -> Bench:
        clock = [0.0]
        made = SimulatedMicrogrid(config or small_site(), now=lambda: datetime.now(UTC), monotonic=lambda: clock[0])
        return Bench(made, clock)

    return make
