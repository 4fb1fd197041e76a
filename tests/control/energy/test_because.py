"""Reasons: one an hour, from the documented list, with figures that are the plan's own."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from control.energy import because, demand, exact_dp, interior_point, site_cost, stochastic_dp
from control.energy.plan import Band, Plan
from control.energy.planner import make_plan
from control.energy.settings import EnergySettings


def beside(name: str) -> ModuleType:
    """A module of this folder; tests have no packages."""
    spec = importlib.util.spec_from_file_location(f"energy_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


days = beside("plan_days")
day = days.day


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    for kernel in (
        exact_dp.plan_storage,
        demand.plan_under_demand,
        interior_point.solve_banded,
        site_cost.settle_series,
        stochastic_dp.marginal_curve,
    ):
        kernel.warm()


def codes(plan: Plan) -> set[str]:
    return {one.code for one in plan.because}


def test_every_code_is_documented() -> None:
    table = because.__doc__ or ""
    for code in because.CODES:
        assert f"\n    {code} " in table


def test_hours_follow_each_other_without_gaps() -> None:
    given = day()
    given = replace(given, starts_at=given.starts_at + timedelta(minutes=45))
    plan = make_plan(given)
    assert plan.because[0].at == given.starts_at
    assert plan.because[0].until == given.starts_at + timedelta(minutes=15)
    for one, following in zip(plan.because, plan.because[1:], strict=False):
        assert one.until == following.at
    assert plan.because[-1].until == given.starts_at + timedelta(hours=36)


@pytest.mark.parametrize("cars", [(), days.CARS])
def test_savings_add_up_to_the_difference_from_leaving_the_storage_alone(cars: tuple[object, ...]) -> None:
    given = day(evs=cars)
    plan = make_plan(given)
    alone = given.load.mid + plan.ev_kw - given.pv.mid
    weighed = given.import_per_kwh + given.carbon_per_kwh * given.settings.carbon_price_per_t / 1000

    def money(grid: np.ndarray, peak: float) -> float:
        bought, sold = np.maximum(grid, 0), np.minimum(np.maximum(-grid, 0), 3000.0)
        free = given.settings.import_target_kw
        return float((bought * weighed - sold * given.export_per_kwh).sum() / 4 + 40.0 * max(0.0, peak - free))

    level = np.concatenate(([2000.0], plan.soc_frac * 4000.0))
    wear = given.settings.wear_per_kwh * np.abs(np.diff(level)).sum()
    saved = money(alone, alone.max()) - money(plan.grid_kw, plan.grid_kw.max()) - wear
    assert sum(one.cost_saved for one in plan.because) == pytest.approx(saved, abs=0.5)
    carbon = ((np.maximum(alone, 0) - np.maximum(plan.grid_kw, 0)) * given.carbon_per_kwh).sum() / 4
    assert sum(one.carbon_saved_kg for one in plan.because) == pytest.approx(carbon, abs=0.1)


def test_figures_are_the_plans() -> None:
    plan = make_plan(day())
    stored = sum(float(one.values["storage_kwh"]) for one in plan.because)
    assert stored == pytest.approx(plan.storage_kw.sum() / 4)
    assert plan.because[-1].values["soc_frac"] == pytest.approx(plan.soc_frac[-1])


def test_an_ordinary_day_charges_cheap_and_avoids_dear() -> None:
    plan = make_plan(day(settings=EnergySettings(ride_through_h=0.0, import_target_kw=6000.0)))
    assert {"charge_cheap", "avoid_dear"} <= codes(plan)
    cheap = next(one for one in plan.because if one.code == "charge_cheap")
    assert float(cheap.values["later_per_kwh"]) > float(cheap.values["import_per_kwh"])
    assert cheap.cost_saved < 0
    assert sum(one.cost_saved for one in plan.because) > 0


CASES = {
    "unserved": {"settings": EnergySettings(import_max_kw=100.0, import_target_kw=0.0)},
    "island": {"grid_up": np.where(np.arange(144) < 4, 0.0, 1.0), "storages": ((days.LFP, 0.9),)},
    "export_limit": {"settings": EnergySettings(export_max_kw=0.0), "storages": ()},
    "fill_reserve": {"storages": ((days.LFP, 0.12),)},
    "hold_peak": {"settings": EnergySettings(import_target_kw=0.0, demand_charge_per_kw=60.0, ride_through_h=0.0)},
    "import_limit": {"settings": EnergySettings(import_max_kw=2300.0, import_target_kw=2300.0, ride_through_h=0.0)},
    "full": {"storages": ((days.LFP, 0.95),), "import_per_kwh": np.linspace(0.2, 2.0, 144)},
    "wait": {"import_per_kwh": np.full(144, 0.5), "export_per_kwh": np.full(144, 0.4)},
    "empty": {
        "storages": ((days.LFP, 0.1),),
        "import_per_kwh": np.full(144, 0.5),
        "export_per_kwh": np.full(144, 0.4),
        "settings": EnergySettings(reserve_frac=0.0, ride_through_h=0.0),
    },
    "reserve_held": {
        "storages": ((days.LFP, 0.3),),
        "settings": EnergySettings(ride_through_h=0.0, reserve_frac=0.3),
        "import_per_kwh": np.full(144, 0.5),
        "export_per_kwh": np.full(144, 0.4),
    },
    "no_storage": {"storages": ()},
    "ev_charge": {"storages": (), "evs": days.CARS},
}


@pytest.mark.parametrize("code", CASES)
def test_what_binds_is_named(code: str) -> None:
    assert code in codes(make_plan(day(**CASES[code])))


def test_surplus_is_stored_and_sold() -> None:
    given = day(settings=EnergySettings(ride_through_h=0.0, wear_per_kwh=0.0, export_max_kw=20_000.0))
    sunny = 2.0 * given.pv.mid
    late = np.where(np.arange(144) % 96 > 80, 2.0, 0.1)
    quiet = Band(*(0.1 * given.load.mid,) * 3)
    plan = make_plan(
        replace(given, load=quiet, pv=Band(sunny, sunny, sunny), export_per_kwh=late, import_per_kwh=late + 0.5)
    )
    assert {"store_surplus", "sell"} <= codes(plan)


def test_paying_for_export_is_named() -> None:
    given = day(storages=())
    sunny = 2.0 * given.pv.mid
    plan = make_plan(replace(given, pv=Band(sunny, sunny, sunny), export_per_kwh=np.full(144, -0.1)))
    assert "curtail_price" in codes(plan)
    assert (plan.grid_kw >= -1e-6).all()
