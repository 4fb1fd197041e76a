"""The bound: nothing is cheaper, its own actions reach it, and they keep every law."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from control.energy.booking import replay_actions, stored_value_per_kwh
from control.energy.replay import replay
from control.energy.scenario import GENSET_BY_COST, Actions, Scenario
from edge.energy.foresight import foresee

BESIDE = Path(__file__).resolve().parents[2] / "control" / "energy"


def beside(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"energy_{name}", BESIDE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


judge = beside("slow_replay").judge
troubled = beside("replay_scenarios").troubled


def random_actions(scenario: Scenario, seed: int) -> Actions:
    draw, n = np.random.default_rng(seed), scenario.steps
    return Actions(
        storage_kw=draw.choice([-200.0, -50.0, 0.0, 0.0, 50.0, 200.0], n),
        pv_max_kw=scenario.pv_kw,
        genset_kw=np.full(n, GENSET_BY_COST),
    )


@pytest.mark.parametrize("seed", range(5))
def test_it_reaches_its_bound_and_nothing_is_cheaper(seed: int) -> None:
    """With outages, negative prices, export dearer than import and a demand charge in two months."""
    scenario = troubled(seed, steps=72, step_s=3600)
    assert len(scenario.month_names) == 2
    found = foresee(scenario)
    result = replay_actions(scenario, found.actions, controller="foresight")
    verdict = judge(scenario, result)
    assert verdict.breach < 1e-6, verdict.law
    assert result.cost == pytest.approx(found.lower_bound, rel=1e-6)
    others = [replay(scenario, "rules").cost]
    others += [replay_actions(scenario, random_actions(scenario, 100 + i), controller="x").cost for i in range(20)]
    assert found.lower_bound <= min(others) + 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_a_generator_set_keeps_its_least_power(seed: int) -> None:
    scenario = replace(troubled(seed, steps=96, step_s=3600, genset=True), import_max_kw=60.0)
    found = foresee(scenario)
    result = replay_actions(scenario, found.actions, controller="foresight")
    verdict = judge(scenario, result)
    assert verdict.breach < 1e-6, verdict.law
    assert result.genset_kwh > 0.0
    assert found.lower_bound - 1e-6 <= result.cost <= found.lower_bound * 1.05
    assert result.cost < replay(scenario, "rules").cost


def test_two_hours_by_hand() -> None:
    """Bought at 0.1 in the first hour, 100 kWh at the bus less in the second at 1.0: charge all of it or nothing."""
    scenario = replace(
        troubled(0, steps=2, step_s=3600),
        load_kw=np.array([50.0, 80.0]),
        pv_kw=np.zeros(2),
        import_price=np.array([0.1, 1.0]),
        export_price=np.zeros(2),
        grid_up=np.array([True, True]),
        soc_initial_frac=0.1,
        demand_charge_per_kw=0.0,
        co2_price_per_kg=0.0,
    )
    found = foresee(scenario)
    stored = 80.0 / 0.9
    assert found.actions.storage_kw.tolist() == pytest.approx([-stored / 0.93, 80.0])
    assert found.lower_bound == pytest.approx((50.0 + stored / 0.93) * 0.1 + 2 * stored * 0.03)


def test_energy_left_over_can_be_valued() -> None:
    scenario = replace(troubled(4, steps=48, step_s=3600), import_price=np.full(48, 0.5), export_price=np.zeros(48))
    value = stored_value_per_kwh(scenario)
    valued = foresee(scenario, stored_value_per_kwh=value)
    result = replay_actions(scenario, valued.actions, controller="foresight")
    assert result.cost_with_stored == pytest.approx(valued.lower_bound, rel=1e-6)
    plain = replay_actions(scenario, foresee(scenario).actions, controller="foresight")
    assert result.cost_with_stored <= plain.cost_with_stored + 1e-6
    assert plain.cost <= result.cost + 1e-6
