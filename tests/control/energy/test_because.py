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


def by_hand(
    *, load: list[float], pv: list[float], buy: list[float], sell: float = 0.05, soc: float = 0.1, **changed: float
) -> Plan:
    """A plan of a few hours, a number an hour; one storage of 4 MWh without wear, reserve or carbon."""
    plain = {
        "carbon_price_per_t": 0.0,
        "wear_per_kwh": 0.0,
        "reserve_frac": 0.0,
        "ride_through_h": 0.0,
        "demand_charge_per_kw": 0.0,
        "import_target_kw": 6000.0,
    }
    hourly = {key: np.repeat(np.array(value, dtype=float), 4) for key, value in (("l", load), ("p", pv), ("b", buy))}
    given = day(slots=4 * len(load), settings=EnergySettings(**(plain | changed)), storages=((days.LFP, soc),))
    return make_plan(
        replace(
            given,
            load=Band(hourly["l"], hourly["l"], hourly["l"]),
            pv=Band(hourly["p"], hourly["p"], hourly["p"]),
            import_per_kwh=hourly["b"],
            export_per_kwh=np.full(4 * len(load), sell),
        )
    )


def named(plan: Plan) -> list[str]:
    return [one.code for one in plan.because]


DARK = [0.0, 0.0, 0.0]


def test_by_hand_cheap_before_dear() -> None:
    plan = by_hand(load=[1000.0] * 3, pv=DARK, buy=[0.2, 1.0, 1.0], sell=0.0)
    assert named(plan) == ["charge_cheap", "avoid_dear", "avoid_dear"]
    assert plan.because[0].values["later_per_kwh"] == pytest.approx(1.0)


def test_by_hand_the_sun_is_kept_because_it_cannot_be_fed_in() -> None:
    free = by_hand(load=[1000.0] * 3, pv=[2000.0, 0.0, 0.0], buy=[0.5, 0.6, 0.6])
    bound = by_hand(load=[1000.0] * 3, pv=[2000.0, 0.0, 0.0], buy=[0.5, 0.6, 0.6], export_max_kw=0.0)
    assert named(free)[0] == named(bound)[0] == "store_surplus"
    assert free.because[0].values["at_export_limit"] == 0.0
    assert bound.because[0].values["at_export_limit"] == 1.0


def test_by_hand_a_trace_of_sun_is_not_why_the_grid_is_drawn_on() -> None:
    plan = by_hand(load=[1000.0] * 3, pv=[1010.0, 0.0, 0.0], buy=[0.1, 1.0, 1.0])
    assert named(plan)[0] == "charge_cheap"


def test_by_hand_the_import_limit_binds_in_its_hour_only() -> None:
    plan = by_hand(
        load=[800.0, 800.0, 1500.0, 800.0],
        pv=[0.0] * 4,
        buy=[0.5] * 4,
        import_max_kw=1000.0,
        import_target_kw=1000.0,
        soc=0.5,
    )
    assert named(plan)[2] == "import_limit"
    assert "import_limit" not in named(plan)[:2] + named(plan)[3:]
    assert plan.because[2].values["import_max_kw"] == 1000.0


def test_by_hand_the_peak_is_held_where_it_would_be() -> None:
    plan = by_hand(
        load=[800.0, 1500.0, 800.0],
        pv=DARK,
        buy=[0.5] * 3,
        soc=0.9,
        import_target_kw=1000.0,
        demand_charge_per_kw=40.0,
    )
    assert named(plan)[1] == "hold_peak"
    assert plan.because[1].values["peak_kw"] == pytest.approx(1000.0, abs=1.0)
    assert "hold_peak" not in (named(plan)[0], named(plan)[2])


def test_by_hand_an_hour_that_pays_is_sold_into_and_a_flat_day_waits() -> None:
    given = by_hand(load=[500.0] * 3, pv=DARK, buy=[0.5] * 3, sell=0.4, soc=0.5)
    assert set(named(given)) == {"wait"}
    prices = day(slots=12, storages=((days.LFP, 0.9),), settings=EnergySettings(ride_through_h=0.0, reserve_frac=0.0))
    dear = np.repeat([0.3, 2.0, 0.3], 4)
    small = Band(*(np.full(12, 200.0),) * 3)
    dark = Band(*(np.zeros(12),) * 3)
    plan = make_plan(replace(prices, load=small, pv=dark, import_per_kwh=dear + 0.1, export_per_kwh=dear))
    assert named(plan)[1] == "sell"
    assert "sell" not in (named(plan)[0], named(plan)[2])


def test_by_hand_below_the_reserve_it_is_filled_first() -> None:
    plan = by_hand(load=[500.0] * 3, pv=DARK, buy=[0.5] * 3, reserve_frac=0.4, soc=0.2)
    assert named(plan)[0] == "fill_reserve"
    assert plan.because[0].values["reserve_frac"] == pytest.approx(0.4)
