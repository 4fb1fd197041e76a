"""What-if: one yardstick for both years, hours of ride-through checked by a slow walk, limits told."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from control.energy import kernels
from control.energy.reference_year import reference_year
from control.energy.replay import replay
from control.energy.scenario import Scenario, with_settings
from control.energy.settings import EnergySettings
from control.energy.whatif import ride_through_h, what_if

NOW = EnergySettings()


def weeks(step_s: int = 3600, days: int = 14) -> Scenario:
    """The first days of the simulated year."""
    year = reference_year(step_s)
    first = slice(0, days * 86_400 // step_s)
    cut = {
        name: getattr(year, name)[first]
        for name in ("local", "load_kw", "pv_kw", "import_price", "export_price", "co2_kg_per_kwh", "grid_up")
    }
    return replace(year, **cut)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    kernels.warm_all()


def test_the_same_settings_give_the_same_year_twice() -> None:
    made = what_if(weeks(), NOW, NOW)
    assert made.now.replay.cost == made.draft.replay.cost
    assert (made.plan_horizon_h, made.plan_scenarios) == (24, 8)
    assert np.array_equal(made.now.replay.flows.stored_kwh, made.draft.replay.flows.stored_kwh)


def test_it_is_the_replay_under_the_settings() -> None:
    made = what_if(weeks(), NOW, replace(NOW, demand_charge_per_kw=80.0), controller="rules")
    plain = replay(with_settings(weeks(), NOW), "rules")
    assert made.now.replay.cost == pytest.approx(plain.cost)
    assert made.now.rules_cost == pytest.approx(plain.cost_with_stored)
    assert made.now.bill == pytest.approx(plain.energy_cost + plain.demand_cost)
    assert made.draft.bill - made.now.bill == pytest.approx(40.0 * plain.peak_import_kw)


def test_a_weight_cannot_make_itself_look_good() -> None:
    """Under the rules nothing changes with the weights, so no figure may."""
    draft = replace(NOW, wear_per_kwh=0.0, carbon_price_per_t=0.0, unserved_per_kwh=0.0)
    made = what_if(weeks(), NOW, draft, controller="rules")
    assert made.draft.replay.cost == pytest.approx(made.now.replay.cost)
    assert made.draft.replay.wear_cost == pytest.approx(made.now.replay.wear_cost)


def test_a_dearer_wear_spares_the_storage() -> None:
    made = what_if(weeks(), replace(NOW, wear_per_kwh=0.01), replace(NOW, wear_per_kwh=2.0))
    assert made.draft.replay.cycles < 0.7 * made.now.replay.cycles


def test_a_larger_reserve_lengthens_the_worst_ride_through() -> None:
    made = what_if(weeks(), replace(NOW, reserve_frac=0.1, ride_through_h=0.0), replace(NOW, ride_through_h=4.0))
    assert made.draft.ride_through_h_worst > made.now.ride_through_h_worst + 0.5
    assert made.now.ride_through_worst_at in weeks().local


def test_what_an_outage_emptied_is_not_held_against_the_settings() -> None:
    """A long outage empties the storage; the worst moment is sought where the grid had been there for a day."""
    scenario = weeks()
    up = np.ones(scenario.steps, dtype=np.bool_)
    up[100:112] = False
    calm, hit = (what_if(replace(scenario, grid_up=one), NOW, NOW).now for one in (np.ones_like(up), up))
    worst = int(np.flatnonzero(scenario.local == hit.ride_through_worst_at)[0])
    assert up[worst - 24 : worst + 1].all()
    assert hit.ride_through_h_worst > 0.5 * calm.ride_through_h_worst > 0.0


@pytest.mark.parametrize("step_s", [900, 3600])
def test_ride_through_hours_against_a_slow_walk(step_s: int) -> None:
    scenario = with_settings(weeks(step_s, days=5), NOW)
    made = replay(scenario, "rules")
    found = ride_through_h(scenario, made)
    store, hours = scenario.storage, step_s / 3600
    lowest, highest = store.soc_min_frac * store.capacity_kwh, store.soc_max_frac * store.capacity_kwh
    for start in range(0, scenario.steps, 17):
        stored = made.flows.stored_kwh[start - 1] if start else scenario.stored_initial_kwh
        carried = 0.0
        for ahead in range(int(24 / hours)):
            i = (start + ahead) % scenario.steps
            need = scenario.load_kw[i] * scenario.critical_frac - scenario.pv_kw[i]
            drawn = need * hours / store.efficiency_discharge
            if need > store.discharge_max_kw or (need > 0 and stored - lowest < drawn):
                carried += hours * max(0.0, stored - lowest) / drawn if need <= store.discharge_max_kw else 0.0
                break
            taken = min(-need, store.charge_max_kw) * hours * store.efficiency_charge
            stored = stored - drawn if need > 0 else min(highest, stored + taken)
            carried += hours
        assert found[start] == pytest.approx(carried)


def test_a_ride_through_that_takes_the_whole_storage() -> None:
    made = what_if(weeks(), NOW, replace(NOW, ride_through_h=72.0))
    assert made.draft.ride_through_h_worst > made.now.ride_through_h_worst
    assert made.draft.replay.unserved_kwh <= made.now.replay.unserved_kwh


def test_a_limit_that_is_too_low_is_told() -> None:
    made = what_if(weeks(), NOW, replace(NOW, import_max_kw=1500.0, import_target_kw=1000.0), controller="rules")
    assert made.now.limits_kept
    assert made.now.over_limit_kwh == pytest.approx(0.0)
    assert not made.draft.limits_kept
    assert made.draft.over_limit_kwh > 100.0
    assert made.draft.over_target_h > made.now.over_target_h
    assert made.draft.replay.peak_import_kw <= 1500.0
    assert [month.month for month in made.now.replay.monthly] == ["2025-01"]


def test_the_time_is_taken_where_a_timer_is_given() -> None:
    ticks = iter(range(10))
    made = what_if(weeks(days=2), NOW, NOW, controller="rules", timer=lambda: float(next(ticks)))
    assert made.now.replay.us_per_step is not None
    assert made.draft.replay.us_per_step is not None
