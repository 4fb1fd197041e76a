"""Without the utility: loss of mains, droop, surplus, blackout, black start, and back into step."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from hw_sim.microgrid.world import World


def outage(world: World, seconds: float = 3600.0) -> None:
    world.grid.ask_for_outage(world.world_s, seconds)


def test_loss_of_mains_opens_the_breaker_and_the_forming_storage_takes_the_difference(make_world):
    world: World = make_world()
    outage(world)
    world.step(1.0)
    assert not world.breaker.closed
    assert world.breaker.tripped
    assert world.bus.live
    world.step(5.0)
    lfp = world.storages["lfp"]
    expected_kw = sum(world.flows.load_kw) - sum(world.flows.pv_kw) - world.storages["flow"].power_kw
    assert lfp.power_kw == pytest.approx(expected_kw)
    assert world.grid_kw == 0


def test_frequency_droops_with_the_forming_storages_power(make_world):
    found = {}
    for extra_kw in (0.0, 300.0):
        world: World = make_world(hour=0.0)
        world.loads["hall"].extra_kw = extra_kw
        outage(world)
        world.step(20.0)
        found[extra_kw] = (world.storages["lfp"].power_kw, world.bus.hz)
    assert 49.4 < found[300.0][1] < found[0.0][1] < 50.0
    assert found[300.0][0] - found[0.0][0] == pytest.approx(300.0)
    assert found[0.0][1] - found[300.0][1] == pytest.approx(0.5 * 300.0 / 800.0, rel=0.02)


@pytest.mark.parametrize("why", ["too much load", "empty", "none forms"])
def test_blackout_when_nobody_can_take_the_difference(make_world, why: str):
    world: World = make_world(hour=0.0, black_start_after_s=0.0)
    outage(world)
    if why == "too much load":
        world.loads["hall"].extra_kw = 900.0
    elif why == "empty":
        world.storages["lfp"].energy_kwh = 0.04 * world.storages["lfp"].usable_kwh
    else:
        world.storages["lfp"].tripped = True
    world.step(6.0)
    assert not world.bus.live
    assert sum(world.flows.load_kw) == 0
    assert world.bus.blackouts == 1
    counts = world.violations.rows()["counts"]
    assert any(kind.startswith("blackout") for kind in counts)
    unserved = world.energies.unserved_kwh
    world.step(60.0)
    assert world.energies.unserved_kwh > unserved
    assert not world.bus.live


def test_surplus_with_a_full_storage_raises_the_frequency_until_the_sun_is_left_unused(make_world):
    world: World = make_world(hour=12.0)
    lfp = world.storages["lfp"]
    lfp.energy_kwh = 0.98 * lfp.usable_kwh
    outage(world)
    world.step(60.0)
    assert world.bus.live
    assert world.bus.hz > 50.5
    available = sum(i.available_kw for i in world.inverters.values())
    assert sum(world.flows.pv_kw) < 0.8 * available
    assert lfp.soc_frac < 0.9801


def test_black_start_on_order_and_by_itself(make_world):
    for ordered in (True, False):
        world: World = make_world(hour=0.0, black_start_after_s=0.0 if ordered else 20.0)
        outage(world)
        world.loads["hall"].extra_kw = 900.0
        world.step(6.0)
        assert not world.bus.live
        world.loads["hall"].extra_kw = 0.0
        if ordered:
            world.bus.ask_for_black_start()
            world.step(1.0)
        else:
            world.step(10.0)
            assert not world.bus.live
            world.step(12.0)
        assert world.bus.live
        assert sum(world.flows.load_kw) > 50.0


def test_closing_waits_for_synchronism_and_never_meets_a_dead_grid(make_world):
    world: World = make_world(hour=0.0)
    outage(world, 30.0)
    world.step(20.0)
    world.breaker.order(close=True)
    world.step(9.0)
    assert not world.breaker.closed
    assert world.breaker.refused_closes == 1
    world.step(3.0)
    assert world.grid.live
    for _ in range(60):
        world.step(1.0)
        if world.breaker.in_synchronism:
            break
    assert world.breaker.in_synchronism
    assert abs(world.bus.hz - world.grid.hz) < 0.1
    world.breaker.order(close=True)
    world.step(1.0)
    assert world.breaker.closed
    assert not world.breaker.tripped
    assert world.grid_kw > 0


def test_opening_on_order_islands_and_a_kept_open_breaker_does_not_close(make_world: Callable[..., World]):
    world = make_world()
    world.breaker.order(close=False)
    world.step(1.0)
    assert (world.breaker.closed, world.breaker.tripped) == (False, False)
    assert world.bus.live
    world.breaker.kept_open = True
    world.breaker.order(close=True)
    world.step(30.0)
    assert not world.breaker.closed


def test_limits_passed_are_counted_with_how_long_and_how_far(make_world, config):
    tight = dataclasses.replace(config, grid=dataclasses.replace(config.grid, export_max_kw=0.0, import_max_kw=600.0))
    world: World = make_world(tight, hour=12.0)
    world.step(5.0)
    assert world.grid_kw < -100
    for inverter in world.inverters.values():
        inverter.limit_frac = 0.0
    world.step(5.0)
    rows = world.violations.rows()
    assert rows["counts"]["export_kw"] == 1
    episode = rows["episodes"][0]
    assert episode["ended"]
    assert 5.0 <= episode["duration_s"] <= 8.0
    assert episode["worst"] > 100
