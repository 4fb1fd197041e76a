"""The laws: power balances in every step, energy is kept over a day, the same seed gives the same day."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable

import pytest

from hw_sim.microgrid.config import MicrogridConfig, Sky, WeatherConfig
from hw_sim.microgrid.vehicles import EFFICIENCY
from hw_sim.microgrid.world import World

STEP_S = 20.0


def meddle(world: World, chance: random.Random) -> None:
    """Somebody gives orders and something breaks, at random."""
    for storage in world.storages.values():
        storage.wanted_kw = chance.uniform(-900.0, 900.0)
        storage.tripped = chance.random() < 0.1
    for inverter in world.inverters.values():
        inverter.limit_frac = chance.choice((None, 0.0, chance.random()))
    for charger in world.chargers.values():
        charger.limit_kw = chance.uniform(-40.0, 80.0)
    for load in world.loads.values():
        load.order(on=chance.random() < 0.8, command_id="", until_s=None)
    if chance.random() < 0.15:
        world.grid.ask_for_outage(world.world_s, chance.uniform(60.0, 3000.0))
    world.breaker.order(close=chance.random() < 0.7)


def check_step(world: World) -> None:
    flows = world.flows
    assert abs(flows.residual_kw) < 1e-6
    assert all(kw >= 0 for kw in (*flows.pv_kw, *flows.load_kw))
    if not (world.breaker.closed and world.grid.live):
        assert flows.grid_kw == 0
    if not world.bus.live:
        assert sum(map(abs, (*flows.pv_kw, *flows.storage_kw, *flows.ev_kw, *flows.load_kw))) == 0
    for storage in world.storages.values():
        assert -1e-6 <= storage.energy_kwh <= storage.config.capacity_kwh
        assert -storage.config.charge_max_kw <= storage.power_kw <= storage.config.discharge_max_kw
    for charger, kw in zip(world.chargers.values(), flows.ev_kw, strict=True):
        assert -charger.config.v2g_kw - 1e-6 <= kw <= charger.config.max_kw + 1e-6


@pytest.mark.parametrize("seed", range(6))
def test_energy_is_kept_over_random_hours(make_world: Callable[..., World], config: MicrogridConfig, seed: int):
    chance = random.Random(seed)
    sky = dataclasses.replace(config, weather=WeatherConfig(sky=Sky.AUTO))
    world = make_world(sky, seed=seed, hour=4.0 * seed, speed=80.0)
    stored_kwh = sum(s.energy_kwh for s in world.storages.values())
    before = dataclasses.asdict(world.energies)
    for step in range(8 * 180):
        if step % 60 == 0:
            meddle(world, chance)
        world.step(STEP_S)
        check_step(world)
    energies = {name: value - before[name] for name, value in dataclasses.asdict(world.energies).items()}
    gained_kwh = sum(s.energy_kwh for s in world.storages.values()) - stored_kwh
    lost_kwh = sum(s.lost_kwh for s in world.storages.values())
    assert lost_kwh > 0
    supplied = energies["pv_kwh"] + energies["import_kwh"] + energies["ev_fed_back_kwh"]
    used = energies["load_kwh"] + energies["ev_kwh"] + energies["export_kwh"]
    assert supplied - used == pytest.approx(gained_kwh + lost_kwh, abs=0.05)
    in_and_out = energies["storage_charge_kwh"] - energies["storage_discharge_kwh"]
    assert in_and_out == pytest.approx(gained_kwh + lost_kwh, abs=0.05)
    assert energies["pv_kwh"] == pytest.approx(sum(i.energy_kwh for i in world.inverters.values()), abs=0.05)
    assert energies["load_kwh"] == pytest.approx(sum(one.energy_kwh for one in world.loads.values()), abs=0.05)


def test_a_vehicle_holds_what_its_charger_gave_it(make_world: Callable[..., World]):
    world = make_world(speed=10.0)
    assert world.call_vehicle("cp-2")
    assert not world.call_vehicle("cp-2")
    charger = world.chargers["cp-2"]
    assert charger.session is not None
    vehicle = charger.session.vehicle
    began_kwh = vehicle.energy_kwh
    world.step(900.0)
    given = charger.session.energy_kwh
    assert given > 5.0
    assert vehicle.energy_kwh - began_kwh == pytest.approx(given * EFFICIENCY)
    charged_kwh = vehicle.energy_kwh
    charger.limit_kw = -30.0
    world.step(600.0)
    assert charger.power_kw == -30.0
    fed_back = charger.session.fed_back_kwh
    more_kwh = charger.session.energy_kwh - given
    assert vehicle.energy_kwh == pytest.approx(charged_kwh + more_kwh * EFFICIENCY - fed_back / EFFICIENCY)


def test_the_same_seed_gives_the_same_day_and_another_seed_another(make_world: Callable[..., World], config):
    sky = dataclasses.replace(config, weather=WeatherConfig(sky=Sky.AUTO))

    def day(seed: int, hours: int = 24) -> dict:
        world = make_world(sky, seed=seed)
        for hour in range(hours):
            world.skip(3600.0)
            if hour == 12:
                world.grid.ask_for_outage(world.world_s, 5400.0)
        return world.state() | {"truth": dataclasses.asdict(world.energies), "violations": world.violations.rows()}

    assert day(1) == day(1)
    assert day(1, hours=2) != day(2, hours=2)


def test_vehicles_and_weather_do_not_depend_on_how_time_is_cut(make_world: Callable[..., World]):
    fine, coarse = make_world(speed=60.0), make_world(speed=60.0)
    for _ in range(720):
        fine.step(5.0)
    for _ in range(60):
        coarse.step(60.0)
    come = [
        {name: charger.session.vehicle.id if charger.session else None for name, charger in world.chargers.items()}
        for world in (fine, coarse)
    ]
    assert come[0] == come[1]
    assert fine.energies.load_kwh == pytest.approx(coarse.energies.load_kwh, rel=0.01)
    assert fine.energies.pv_kwh == pytest.approx(coarse.energies.pv_kwh, rel=0.02)
