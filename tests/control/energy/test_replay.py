"""Replaying: every law kept by the judgement of a second simulator, and the figures that people know by heart."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from control.energy.booking import (
    ReplayResult,
    book,
    replay_actions,
    residual_kwh,
    settle,
    settled,
    stored_value_per_kwh,
)
from control.energy.replay import replay
from control.energy.rules_controller import account_arrays, rules_account, rules_cost
from control.energy.scenario import GENSET_BY_COST, GENSET_LAST, Actions, Scenario, with_settings
from control.energy.settings import EnergySettings, TariffPeriod


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
troubled = beside("replay_scenarios").troubled


def at_random(scenario: Scenario, seed: int) -> Actions:
    draw, n = np.random.default_rng(seed), scenario.steps
    return Actions(
        storage_kw=draw.normal(0.0, 200.0, n),
        pv_max_kw=draw.choice([0.0, 50.0, 1e9], n),
        genset_kw=draw.choice([GENSET_LAST, GENSET_BY_COST, 0.0, 10.0, 100.0, 900.0], n),
    )


def assert_lawful(scenario: Scenario, result: ReplayResult) -> None:
    verdict = judge(scenario, result)
    assert verdict.breach < 1e-9, verdict.law
    assert result.cost == pytest.approx(verdict.cost, rel=1e-12, abs=1e-9)
    assert result.carbon_kg == pytest.approx(verdict.carbon_kg, rel=1e-12)
    assert result.soc_final_frac * scenario.storage.capacity_kwh == pytest.approx(verdict.stored_kwh)
    assert 0.0 <= result.balance_error_kwh < 1e-8
    assert sum(month.cost for month in result.monthly) == pytest.approx(result.cost)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("genset", [False, True])
def test_any_actions_are_settled_within_the_laws(seed: int, genset: bool) -> None:
    scenario = troubled(seed, genset=genset)
    assert_lawful(scenario, replay_actions(scenario, at_random(scenario, seed), controller="random"))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("genset", [False, True])
def test_the_rules_keep_the_laws(seed: int, genset: bool) -> None:
    scenario = troubled(seed, genset=genset)
    assert_lawful(scenario, replay(scenario, "rules"))


@pytest.mark.parametrize("seed", range(4))
def test_compiled_and_plain_kernels_agree(seed: int) -> None:
    scenario = troubled(seed, genset=True)
    actions = at_random(scenario, seed)
    given = (
        scenario.plant,
        scenario.stored_initial_kwh,
        actions.storage_kw,
        actions.genset_kw,
        actions.pv_max_kw,
        scenario.load_kw,
        scenario.pv_kw,
        scenario.grid_up,
        scenario.import_cost_per_kwh,
        scenario.export_price,
    )
    plain, compiled = np.empty((8, scenario.steps)), np.empty((8, scenario.steps))
    assert settle.twin(*given, plain) == settle.compiled(*given, compiled)
    assert np.array_equal(plain, compiled)


@pytest.mark.parametrize("seed", range(6))
def test_the_short_account_of_the_rules_is_that_of_the_replay(seed: int) -> None:
    """Also with a reserve above what is stored, and in both forms of the kernel."""
    scenario = replace(troubled(seed), reserve_frac=0.4, export_price=np.abs(troubled(seed).export_price))
    result = replay(scenario, "rules")
    assert rules_cost(scenario) == pytest.approx(result.cost_with_stored, rel=1e-12)
    given = account_arrays(scenario)
    plain, compiled = np.empty((4, 2)), np.empty((4, 2))
    assert rules_account.twin(*given, plain) == rules_account.compiled(*given, compiled)
    assert np.array_equal(plain, compiled)


def test_a_day_that_can_be_checked_by_hand() -> None:
    """Two hours: 100 kWh of surplus stored, then drawn; the rest is imported."""
    scenario = replace(
        troubled(0, steps=2, step_s=3600),
        load_kw=np.array([0.0, 200.0]),
        pv_kw=np.array([100.0, 0.0]),
        import_price=np.array([1.0, 1.0]),
        export_price=np.array([0.0, 0.0]),
        co2_kg_per_kwh=np.array([0.5, 0.5]),
        grid_up=np.array([True, True]),
        soc_initial_frac=0.1,
    )
    result = replay(scenario, "rules", timer=iter([0.0, 4e-6]).__next__)
    drawn = 100.0 * 0.93 * 0.9
    assert result.flows.storage_kw.tolist() == pytest.approx([-100.0, drawn])
    assert result.import_kwh == pytest.approx(200.0 - drawn)
    assert result.carbon_kg == pytest.approx(0.5 * (200.0 - drawn))
    assert result.wear_cost == pytest.approx(2 * 93.0 * 0.03)
    assert result.cycles == pytest.approx(93.0 / 400.0)
    assert result.demand_cost == pytest.approx(3.0 * (200.0 - drawn))
    assert result.self_sufficiency_frac == pytest.approx(drawn / 200.0)
    assert result.stored_change_kwh == pytest.approx(0.0)
    assert result.us_per_step == pytest.approx(2.0)


def test_the_balance_error_shows_a_flow_that_does_not_balance() -> None:
    scenario = troubled(3)
    flows = settled(scenario, at_random(scenario, 3))
    assert residual_kwh(scenario, flows) < 1e-8
    forged = flows.import_kw.copy()
    forged[5] += 4.0
    assert residual_kwh(scenario, replace(flows, import_kw=forged)) == pytest.approx(1.0)
    leaking = flows.stored_kwh.copy()
    leaking[7:] -= 2.0
    assert book(scenario, replace(flows, stored_kwh=leaking), controller="x").balance_error_kwh == pytest.approx(2.0)


def test_what_is_left_in_the_storage_is_valued_alike() -> None:
    scenario = troubled(1)
    rest = Actions(storage_kw=np.zeros(192), pv_max_kw=scenario.pv_kw, genset_kw=np.zeros(192))
    idle = replay_actions(scenario, rest, controller="idle")
    assert idle.cost_with_stored == idle.cost
    rules = replay(scenario, "rules")
    value = stored_value_per_kwh(scenario)
    assert value == pytest.approx(0.9 * float(np.mean(scenario.import_price + 0.08 * scenario.co2_kg_per_kwh)))
    assert rules.cost - rules.cost_with_stored == pytest.approx(value * rules.stored_change_kwh)


def test_the_reserve_is_kept_for_an_outage() -> None:
    dark = replace(
        troubled(2, steps=4, step_s=3600),
        load_kw=np.full(4, 100.0),
        pv_kw=np.zeros(4),
        grid_up=np.array([True, True, False, True]),
        soc_initial_frac=0.5,
        reserve_frac=0.5,
    )
    result = replay(dark, "rules")
    assert result.flows.storage_kw.tolist() == pytest.approx([0.0, 0.0, 100.0, 0.0])
    assert result.unserved_kwh == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("want", "cheap", "given"),
    [(GENSET_LAST, True, 0.0), (GENSET_BY_COST, True, 100.0), (GENSET_BY_COST, False, 0.0), (10.0, False, 40.0)],
)
def test_when_the_generator_set_runs(want: float, cheap: bool, given: float) -> None:
    one = np.array([1.0, 1.0])
    scenario = replace(
        troubled(2, steps=2, step_s=3600, genset=True),
        load_kw=100.0 * one,
        pv_kw=0.0 * one,
        import_price=(2.0 if cheap else 0.1) * one,
        grid_up=np.array([True, True]),
    )
    made = settled(scenario, Actions(storage_kw=0.0 * one, pv_max_kw=0.0 * one, genset_kw=want * one))
    assert made.genset_kw.tolist() == pytest.approx([given, given])


def test_the_least_power_of_the_set_goes_into_the_storage_first() -> None:
    island = replace(
        troubled(2, steps=2, step_s=3600, genset=True),
        load_kw=np.array([20.0, 20.0]),
        pv_kw=np.zeros(2),
        grid_up=np.array([False, False]),
        soc_initial_frac=0.1,
    )
    made = settled(island, Actions(storage_kw=np.zeros(2), pv_max_kw=np.zeros(2), genset_kw=np.full(2, GENSET_LAST)))
    assert made.genset_kw.tolist() == pytest.approx([40.0, 40.0])
    assert made.storage_kw.tolist() == pytest.approx([-20.0, -20.0])
    assert made.surplus_kw.tolist() == pytest.approx([0.0, 0.0])


def test_settings_put_their_tariff_limits_and_reserve_into_a_scenario() -> None:
    night = TariffPeriod(name="night", from_hour=22, to_hour=6, import_per_kwh=0.2, export_per_kwh=0.1)
    day = TariffPeriod(name="day", from_hour=6, to_hour=22, import_per_kwh=1.0, export_per_kwh=0.3)
    april = TariffPeriod(name="april", from_hour=0, to_hour=24, import_per_kwh=0.5, export_per_kwh=0.4, months=(4,))
    settings = EnergySettings(tariff=(april, night, day), import_max_kw=90.0, reserve_frac=0.3, ride_through_h=0.5)
    scenario = replace(troubled(0), critical_frac=0.5)
    made = with_settings(scenario, settings)
    assert str(scenario.local[8]) == "2026-03-31T00:00:00"
    # 22:00 is night, 06:00 of the 31st day, and two hours later than the end of March it is April.
    assert made.import_price[[0, 31, 32, 95, 96, 103, 104]].tolist() == [0.2, 0.2, 1.0, 1.0, 0.2, 0.2, 0.5]
    assert made.export_price[[0, 32, 104]].tolist() == [0.1, 0.3, 0.4]
    assert made.import_max_kw == 90.0
    assert made.co2_price_per_kg == pytest.approx(0.08)
    critical_kwh = 0.5 * float(np.mean(scenario.load_kw)) * 0.5 / 0.9
    assert made.reserve_frac == pytest.approx(max(0.3, 0.1 + critical_kwh / 400.0))
    assert with_settings(scenario, replace(settings, ride_through_h=72.0)).reserve_frac == pytest.approx(0.9)
