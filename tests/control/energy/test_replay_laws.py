"""Every controller on scenarios at the edges, judged by the second simulator, which shares no code with the booking."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from control.energy import booking, causal
from control.energy.booking import ReplayResult, replay_actions
from control.energy.replay import CONTROLLERS, Controller, replay
from control.energy.scenario import Scenario
from edge.energy.foresight import foresee


def beside(name: str) -> ModuleType:
    """A module of this folder; tests have no packages."""
    spec = importlib.util.spec_from_file_location(f"energy_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


judge = beside("slow_replay").judge
scenarios = beside("replay_scenarios")


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    causal.causal_run.warm()
    booking.settle.warm()


def assert_judged_alike(scenario: Scenario, result: ReplayResult) -> None:
    """The laws are kept, and the second simulator comes to the same money, carbon and energy."""
    verdict = judge(scenario, result)
    size = 1.0 + float(np.max(scenario.load_kw)) + float(np.max(scenario.pv_kw)) + scenario.storage.capacity_kwh
    assert verdict.breach <= 1e-9 * size, verdict.law
    assert result.cost == pytest.approx(verdict.cost, rel=1e-9, abs=1e-6)
    assert result.carbon_kg == pytest.approx(verdict.carbon_kg, rel=1e-9, abs=1e-9)
    assert result.soc_final_frac * scenario.storage.capacity_kwh == pytest.approx(verdict.stored_kwh, abs=1e-6)
    assert 0.0 <= result.balance_error_kwh <= 1e-6
    assert result.peak_import_kw <= scenario.import_max_kw


@pytest.mark.parametrize("controller", CONTROLLERS)
@pytest.mark.parametrize("block", range(6))
def test_scenarios_unlike_any_other(controller: Controller, block: int) -> None:
    for seed in range(block * 50, block * 50 + 50):
        scenario = scenarios.unlike_any_other(seed)
        assert_judged_alike(scenario, replay(scenario, controller))


@pytest.mark.parametrize("seed", range(8))
def test_nothing_is_cheaper_than_foresight(seed: int) -> None:
    scenario = replace(scenarios.unlike_any_other(seed), genset=None, reserve_frac=0.0)
    found = foresee(scenario)
    foreseen = replay_actions(scenario, found.actions, controller="foresight")
    assert judge(scenario, foreseen).breach < 1e-6
    for controller in CONTROLLERS:
        assert found.lower_bound <= replay(scenario, controller).cost + 1e-6 * (1.0 + abs(found.lower_bound))


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_an_hour_by_the_minute(controller: Controller) -> None:
    scenario = scenarios.troubled(3, steps=60, step_s=60)
    result = replay(scenario, controller)
    assert_judged_alike(scenario, result)
    assert result.load_kwh == pytest.approx(float(np.mean(scenario.load_kw)))


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_no_grid_at_all(controller: Controller) -> None:
    scenario = replace(scenarios.troubled(5), grid_up=np.zeros(192, np.bool_))
    result = replay(scenario, controller)
    assert_judged_alike(scenario, result)
    assert (result.import_kwh, result.export_kwh, result.peak_import_kw, result.demand_cost) == (0.0, 0.0, 0.0, 0.0)
    assert result.unserved_kwh > 0.0
    assert result.cost_with_stored == result.cost


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_a_storage_without_power_is_no_storage(controller: Controller) -> None:
    usual = scenarios.troubled(6)
    scenario = replace(usual, storage=replace(usual.storage, charge_max_kw=0.0, discharge_max_kw=0.0))
    result = replay(scenario, controller)
    assert_judged_alike(scenario, result)
    assert (result.cycles, result.wear_cost, result.stored_change_kwh) == (0.0, 0.0, 0.0)


def test_what_is_lacking_beyond_the_limit_of_import_goes_unserved() -> None:
    usual = scenarios.troubled(7)
    scenario = replace(usual, import_max_kw=50.0, grid_up=np.ones(192, np.bool_))
    for controller in CONTROLLERS:
        result = replay(scenario, controller)
        assert_judged_alike(scenario, result)
        assert result.peak_import_kw == pytest.approx(50.0)
        short = result.flows.unserved_kw > 1e-9
        assert np.all(result.flows.import_kw[short] == pytest.approx(50.0))


def test_the_plan_gives_the_reserve_when_the_grid_goes() -> None:
    usual = scenarios.troubled(2, steps=48, step_s=3600)
    dark = replace(
        usual,
        load_kw=np.full(48, 40.0),
        pv_kw=np.zeros(48),
        grid_up=np.arange(48) != 30,
        storage=replace(usual.storage, soc_max_frac=0.5),
        soc_initial_frac=0.5,
        reserve_frac=0.5,
    )
    result = replay(dark, "plan")
    assert_judged_alike(dark, result)
    assert result.unserved_kwh == 0.0
    assert result.flows.storage_kw[30] == pytest.approx(40.0)


def test_a_reserve_that_leaves_nothing_to_use_is_planned_with() -> None:
    scenario = replace(scenarios.troubled(1), reserve_frac=0.9)
    result = replay(scenario, "plan")
    assert_judged_alike(scenario, result)
    given = result.flows.storage_kw[scenario.grid_up] > 1e-9
    before = np.concatenate(([scenario.stored_initial_kwh], result.flows.stored_kwh[:-1]))[scenario.grid_up]
    assert np.all(before[given] > 0.9 * 400.0)
