"""The planner: a plan for anything, what it keeps, and the ladder down from exact."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from benchmarks._energy_nonsense import fault_of, nonsense
from control.domain.energy import PlanRung
from control.energy import demand, exact_dp, interior_point, site_cost, stochastic_dp
from control.energy.plan import Band, Plan
from control.energy.plan_input import EvJob, PlanInput
from control.energy.plan_repair import repair
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


slow_site, days = beside("slow_site"), beside("plan_days")
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


def lived(given: PlanInput, plan: Plan) -> slow_site.Outcome:  # type: ignore[name-defined]
    """The plan's powers, walked through by the slow simulator with the limits as they were given."""
    slots, up = plan.load_kw.mid.size, np.ones(plan.load_kw.mid.size) if given.grid_up is None else given.grid_up
    wanted = given.settings
    return slow_site.simulate(
        slot_h=plan.slot_s / 3600,
        load_kw=given.load.mid.tolist(),
        pv_kw=given.pv.mid.tolist(),
        ev_kw=plan.ev_kw.tolist(),
        grid_kw=plan.grid_kw.tolist(),
        curtailed_kw=plan.curtailed_kw.tolist(),
        unserved_kw=plan.unserved_kw.tolist(),
        storage_kw=[plan.storage_kw_of[spec.id].tolist() for spec, _ in given.storages],
        stores=[
            slow_site.Store(
                spec.capacity_kwh,
                spec.charge_max_kw,
                spec.discharge_max_kw,
                spec.efficiency_charge,
                spec.efficiency_discharge,
                spec.soc_min_frac,
                min(spec.soc_max_frac, wanted.soc_max_frac),
            )
            for spec, _ in given.storages
        ],
        soc_frac=[soc for _, soc in given.storages],
        import_max_kw=(np.full(slots, wanted.import_max_kw) * up).tolist(),
        export_max_kw=(np.full(slots, wanted.export_max_kw) * up).tolist(),
        import_price=given.import_per_kwh.tolist(),
        export_price=given.export_per_kwh.tolist(),
        wear_price=wanted.wear_per_kwh,
    )


VARIED = {
    "one": {},
    "two": {"storages": ((days.LFP, 0.4), (days.VRFB, 0.7))},
    "cars": {"storages": ((days.LFP, 0.4), (days.VRFB, 0.7)), "evs": days.CARS},
    "only cars": {"storages": (), "evs": days.CARS},
    "nothing": {"storages": ()},
    "outage": {"grid_up": np.where((np.arange(144) > 60) & (np.arange(144) < 72), 0.0, 1.0)},
    "no export": {"settings": EnergySettings(export_max_kw=0.0)},
    "small tie": {"settings": EnergySettings(import_max_kw=1500.0, import_target_kw=1000.0)},
    "no demand charge": {"settings": EnergySettings(demand_charge_per_kw=0.0)},
    "dear carbon": {"settings": EnergySettings(carbon_price_per_t=3000.0)},
}


@pytest.mark.parametrize("name", VARIED)
def test_every_schedule_holds_in_the_slow_simulator(name: str) -> None:
    given = day(**VARIED[name])
    plan = make_plan(given)
    seen = lived(given, plan)
    assert not seen.broken
    assert plan.rung is PlanRung.EXACT
    for (spec, _), end in zip(given.storages, seen.end_kwh, strict=True):
        assert plan.soc_frac_of[spec.id][-1] * spec.capacity_kwh == pytest.approx(end, abs=0.01)


@pytest.mark.parametrize("name", ["one", "two", "cars", "no export", "small tie"])
def test_a_plan_never_costs_more_than_the_rules(name: str) -> None:
    given = day(**VARIED[name])
    assert total_cost(given, make_plan(given)) <= total_cost(given, by_rules(given)) + 1e-6


@pytest.mark.parametrize("seed", range(30))
def test_random_days_hold_in_the_slow_simulator(seed: int) -> None:
    draw = np.random.default_rng(seed)
    settings = EnergySettings(
        import_max_kw=float(draw.uniform(500, 6000)),
        export_max_kw=float(draw.choice([0.0, draw.uniform(0, 3000)])),
        import_target_kw=float(draw.uniform(0, 500)),
        demand_charge_per_kw=float(draw.choice([0.0, 40.0])),
        wear_per_kwh=float(draw.uniform(0, 0.3)),
        ride_through_h=float(draw.uniform(0, 6)),
        reserve_frac=float(draw.uniform(0, 0.5)),
    )
    storages = ((days.LFP, float(draw.uniform(0.1, 0.95))), (days.VRFB, float(draw.uniform(0.1, 0.95))))
    cars = tuple(
        EvJob(
            id=f"cp-{i}",
            arrives_slot=int(first),
            departs_slot=int(first + draw.integers(1, 60)),
            needed_kwh=float(draw.uniform(0, 80)),
            max_kw=60,
            v2g_kw=float(draw.choice([0.0, 30.0])),
            spare_kwh=float(draw.uniform(0, 20)),
        )
        for i, first in enumerate(draw.integers(0, 90, draw.integers(0, 6)))
    )
    price = draw.uniform(-0.1, 1.5, 96)
    given = replace(
        day(slots=96, seed=seed, settings=settings, storages=storages[: int(draw.integers(1, 3))], evs=cars),
        import_per_kwh=price,
        export_per_kwh=price * draw.uniform(0, 1),
        peak_so_far_kw=float(draw.uniform(0, 3000)),
    )
    plan = make_plan(given)
    seen = lived(given, plan)
    assert not seen.broken
    for (spec, _), end in zip(given.storages, seen.end_kwh, strict=True):
        assert plan.soc_frac_of[spec.id][-1] * spec.capacity_kwh == pytest.approx(end, abs=0.05)


def by_rules(given: PlanInput) -> Plan:
    """The lowest rung, by making the solvers' work impossible for once."""
    patch = pytest.MonkeyPatch()
    patch.setattr("control.energy.planner._exact", lambda question: None)
    try:
        return make_plan(given)
    finally:
        patch.undo()


def total_cost(given: PlanInput, plan: Plan) -> float:
    """Everything that the plan is asked to weigh, from its series only."""
    asked, seen = repair(given), lived(given, plan)
    cost = float(seen.cost + seen.wear + plan.slot_s / 3600 * plan.unserved_kw.sum() * asked.unserved)
    bought = np.maximum(plan.grid_kw, 0.0)
    carbon = given.settings.carbon_price_per_t / 1000 * (bought * given.carbon_per_kwh).sum() * plan.slot_s / 3600
    peak = asked.demand_price * max(0.0, bought.max() - asked.demand_free_kw)
    left = 0.0
    for s, (who, spec) in enumerate(zip(asked.storages, asked.specs, strict=True)):
        level = plan.soc_frac_of[spec.id] * spec.capacity_kwh
        short = np.maximum(asked.reserve[s] - level, 0.0).sum() * plan.slot_s / 3600
        left += who[exact_dp.TERMINAL] * level[-1] - who[exact_dp.RESERVE_PRICE] * short
    return cost + float(carbon) + peak - left


def test_it_never_fails() -> None:
    before = None
    for seed in range(2000):
        given = nonsense(seed)
        plan = make_plan(given, before)
        fault = fault_of(given, plan)
        assert fault is None, f"seed {seed}: {fault}"
        before = plan if seed % 3 else None


def test_what_was_repaired_is_named() -> None:
    given = day()
    spoiled = given.load.mid.copy()
    spoiled[3:9] = np.nan
    given = replace(
        given,
        load=Band(spoiled, spoiled, spoiled),
        storages=((replace(days.LFP, efficiency_charge=0.0), 1.7), (replace(days.VRFB, capacity_kwh=np.nan), 0.5)),
        settings=replace(given.settings, wear_per_kwh=float("nan")),
        peak_so_far_kw=-3.0,
        slot_s=0,
    )
    told = set(make_plan(given).violations)
    assert told >= {
        "input.load",
        "input.soc:lfp",
        "input.storage:lfp",
        "input.storage:vrfb",
        "input.setting:wear_per_kwh",
        "input.peak",
        "input.slot",
    }


def test_nothing_is_named_on_a_quiet_day() -> None:
    settings = EnergySettings(ride_through_h=0.0, import_target_kw=6000.0)
    assert make_plan(day(settings=settings)).violations == ()


def test_load_that_cannot_be_served_is_named_and_priced() -> None:
    plan = make_plan(day(settings=EnergySettings(import_max_kw=100.0, import_target_kw=100.0)))
    assert "limit.unserved" in plan.violations
    assert plan.unserved_kw.max() > 0
    assert plan.because[0].code == "unserved" or any(one.code == "unserved" for one in plan.because)


def test_without_a_solver_the_previous_plan_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    given = day()
    first = make_plan(given)
    later = replace(given, starts_at=given.starts_at + timedelta(seconds=4 * 900))
    monkeypatch.setattr("control.energy.planner._exact", lambda question: None)
    plan = make_plan(later, first)
    assert plan.rung is PlanRung.PREVIOUS
    assert not [one for one in plan.violations if one.startswith("input.")]
    # It starts from other energy than the first plan did, so only the wish is the same, not always the power.
    followed = np.isclose(plan.storage_kw[:40], first.storage_kw[4:44], atol=1.0)
    assert followed.mean() > 0.5
    assert not lived(later, plan).broken


@pytest.mark.parametrize("hours", [-2, 40])
def test_a_previous_plan_of_another_time_is_not_used(hours: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given = day()
    first = make_plan(given)
    monkeypatch.setattr("control.energy.planner._exact", lambda question: None)
    later = replace(given, starts_at=given.starts_at + timedelta(hours=hours))
    assert make_plan(later, first).rung is PlanRung.RULES


def test_the_reserve_covers_the_ride_through_hours() -> None:
    settings = EnergySettings(ride_through_h=1.0, reserve_price_per_kwh_h=5.0)
    given = day(settings=settings, essential_frac=0.5)
    plan = make_plan(given)
    level = plan.soc_frac * 4000.0
    assert not [one for one in plan.violations if one.startswith("limit.reserve")]
    for t in range(80):
        ahead = np.maximum(0.5 * given.load.mid - given.pv.low, 0.0)[t + 1 : t + 5].sum() / 4
        assert (level[t] - 400.0) * 0.95 >= min(ahead, 0.85 * 4000 * 0.95) - 0.1


def test_dear_carbon_saves_carbon() -> None:
    free = make_plan(day(settings=EnergySettings(carbon_price_per_t=0.0, demand_charge_per_kw=0.0)))
    changing = np.where(np.arange(144) % 96 < 48, 0.1, 0.9)
    settings = EnergySettings(carbon_price_per_t=3000.0, demand_charge_per_kw=0.0)
    heavy = make_plan(day(settings=settings, carbon_per_kwh=changing))
    assert (np.maximum(heavy.grid_kw, 0) * changing).sum() < (np.maximum(free.grid_kw, 0) * changing).sum()


def test_vehicles_leave_with_what_they_need() -> None:
    given = day(evs=days.CARS)
    plan = make_plan(given)
    got = plan.ev_kw[:20].sum() / 4 * 0.93
    assert got == pytest.approx(45.0, abs=0.05)
    assert not [one for one in plan.violations if one.startswith("limit.ev")]


def test_a_vehicle_is_worth_charging_now_only_where_the_plan_charges_it_now() -> None:
    """Two hours at 1.0, then two at 0.2: worth is between what a kWh costs later and what it costs now."""
    settings = EnergySettings(
        ride_through_h=0.0, reserve_frac=0.0, demand_charge_per_kw=0.0, carbon_price_per_t=0.0, import_target_kw=6000.0
    )
    price = np.repeat([1.0, 0.2], 8)
    flat, dark = np.full(16, 1000.0), np.zeros(16)
    calm = EvJob(id="calm", departs_slot=16, needed_kwh=40.0, max_kw=60.0, efficiency=0.93)
    hurry = EvJob(id="hurry", departs_slot=4, needed_kwh=200.0, max_kw=60.0)
    later = EvJob(id="later", arrives_slot=3, departs_slot=16, needed_kwh=20.0, max_kw=60.0)
    given = replace(
        day(slots=16, settings=settings, storages=(), evs=(calm, hurry, later)),
        load=Band(flat, flat, flat),
        pv=Band(dark, dark, dark),
        import_per_kwh=price,
        export_per_kwh=np.zeros(16),
    )
    worth = make_plan(given).ev_worth_per_kwh
    assert set(worth) == {"calm", "hurry"}
    assert 0.2 / 0.93 - 1e-3 <= worth["calm"] <= 0.99 / 0.93
    assert worth["hurry"] == pytest.approx(given.settings.unserved_per_kwh, rel=0.01)


def test_a_vehicle_in_a_hurry_is_named() -> None:
    late = EvJob(id="cp-03", departs_slot=2, needed_kwh=80, max_kw=22)
    plan = make_plan(day(evs=(late,)))
    assert "limit.ev:cp-03" in plan.violations
    np.testing.assert_allclose(plan.ev_kw[:2], 22.0, rtol=1e-4)


def test_a_hundred_vehicles_are_planned_together() -> None:
    cars = tuple(
        EvJob(id=f"cp-{i}", arrives_slot=i % 40, departs_slot=i % 40 + 8 + i % 50, needed_kwh=20, max_kw=22)
        for i in range(100)
    )
    given = day(evs=cars, storages=((days.LFP, 0.5), (days.VRFB, 0.5)))
    plan = make_plan(given)
    assert plan.rung is PlanRung.EXACT
    assert plan.ev_kw.sum() / 4 * 0.93 == pytest.approx(2000.0, rel=1e-3)
    assert not lived(given, plan).broken


def test_too_many_vehicles_to_be_in_time_charge_by_the_rules() -> None:
    cars = tuple(EvJob(id=f"cp-{i}", departs_slot=20, needed_kwh=5, max_kw=7) for i in range(300))
    given = day(evs=cars)
    plan = make_plan(given)
    assert plan.rung is PlanRung.RULES
    assert plan.ev_kw.sum() / 4 * 0.93 == pytest.approx(1500.0, rel=1e-6)
    assert not lived(given, plan).broken


def test_curves_fall_and_span_each_storage() -> None:
    given = day(storages=((days.LFP, 0.4), (days.VRFB, 0.7)))
    draw = np.random.default_rng(5)
    scenarios = replace(
        given,
        pv_scenarios=given.pv.mid * draw.uniform(0.4, 1.2, (12, 1)),
        load_scenarios=given.load.mid * draw.uniform(0.9, 1.1, (12, 1)),
        scenario_weights=np.ones(12),
    )
    for asked in (given, scenarios):
        plan = make_plan(asked)
        assert set(plan.curves) == {"lfp", "vrfb"}
        for spec, _ in given.storages:
            curve = plan.curves[spec.id]
            assert (np.diff(curve.value_per_kwh) <= 0).all()
            assert curve.energy_kwh[0] == pytest.approx(spec.soc_min_frac * spec.capacity_kwh)
            assert curve.energy_kwh[-1] == pytest.approx(spec.soc_max_frac * spec.capacity_kwh)
        # The storage that loses less makes more of a stored kWh.
        assert plan.curves["lfp"].value_per_kwh[0] > plan.curves["vrfb"].value_per_kwh[0]


def with_scenarios(given: PlanInput, *, pv: list[float], load: list[float]) -> PlanInput:
    return replace(
        given,
        pv_scenarios=given.pv.mid * np.array(pv)[:, None],
        load_scenarios=given.load.mid * np.array(load)[:, None],
        scenario_weights=np.ones(len(pv)),
    )


def turned(given: PlanInput, slots: int) -> PlanInput:
    """The same days from another hour on."""

    def later(series: np.ndarray) -> np.ndarray:
        return np.roll(series, -slots)

    return replace(
        given,
        load=Band(later(given.load.low), later(given.load.mid), later(given.load.high)),
        pv=Band(later(given.pv.low), later(given.pv.mid), later(given.pv.high)),
        import_per_kwh=later(given.import_per_kwh),
        export_per_kwh=later(given.export_per_kwh),
    )


@pytest.mark.parametrize("first_slot", [0, 48, 68])
def test_one_scenario_that_is_the_forecast_gives_the_exact_curve(first_slot: int) -> None:
    given = turned(day(), first_slot)
    exact = make_plan(given).curves["lfp"]
    sampled = make_plan(with_scenarios(given, pv=[1.0], load=[1.0])).curves["lfp"]
    edges = exact.energy_kwh
    sums = np.concatenate(([0.0], np.cumsum(exact.value_per_kwh * np.diff(edges))))
    mean = np.diff(np.interp(sampled.energy_kwh, edges, sums)) / np.diff(sampled.energy_kwh)
    # The lowest cells hold the peak, which the scenarios price softly.
    assert np.abs(sampled.value_per_kwh - mean)[4:].max() <= 0.25
    assert np.abs(sampled.value_per_kwh - mean).mean() <= 0.1


def test_scenarios_make_what_is_scarce_in_some_of_them_worth_more() -> None:
    given = turned(day(settings=EnergySettings(demand_charge_per_kw=0.0, ride_through_h=0.0)), 40)
    alike = make_plan(with_scenarios(given, pv=[1.0, 1.0], load=[1.0, 1.0])).curves["lfp"]
    apart = make_plan(with_scenarios(given, pv=[0.0, 1.0], load=[1.2, 0.8])).curves["lfp"]
    # A nearly full storage: in the dark scenario all of it is used, in the forecast nothing is short.
    assert apart.value_per_kwh[24:].mean() > alike.value_per_kwh[24:].mean() + 0.05


def test_a_scenario_above_the_planned_peak_raises_the_peak_and_sheds_no_load() -> None:
    given = turned(day(), 68)
    curve = make_plan(with_scenarios(given, pv=[1.0, 0.5], load=[1.4, 1.0])).curves["lfp"]
    charge = given.settings.demand_charge_per_kw
    assert curve.value_per_kwh.max() <= charge + 36 * given.settings.reserve_price_per_kwh_h + 2.0


def test_the_reserve_of_hours_to_come_is_in_the_curve_from_scenarios() -> None:
    given = day(settings=EnergySettings(demand_charge_per_kw=0.0, ride_through_h=3.0))
    careless = day(settings=EnergySettings(demand_charge_per_kw=0.0, ride_through_h=0.0, reserve_frac=0.0))
    held, free = (
        make_plan(with_scenarios(one, pv=[0.6, 1.1], load=[1.1, 0.9])).curves["lfp"] for one in (given, careless)
    )
    assert held.value_per_kwh[0] > free.value_per_kwh[0] + 2 * given.settings.reserve_price_per_kwh_h * 0.25
    assert (held.value_per_kwh >= free.value_per_kwh - 1e-9).all()


def test_scenarios_that_do_not_fit_are_named() -> None:
    given = with_scenarios(day(), pv=[1.0, 0.5], load=[1.0, 1.0])
    plan = make_plan(replace(given, load_scenarios=given.load.mid))
    assert "input.scenarios" in plan.violations
    np.testing.assert_array_equal(plan.curves["lfp"].value_per_kwh, make_plan(day()).curves["lfp"].value_per_kwh)
    assert "input.scenarios" not in make_plan(given).violations


def test_the_same_question_gives_the_same_plan() -> None:
    given = day(evs=days.CARS)
    one, other = make_plan(given), make_plan(given)
    np.testing.assert_array_equal(one.storage_kw, other.storage_kw)
    assert one.because == other.because


def test_vehicles_in_the_load_are_told_as_vehicles_and_nobody_counts_on_carrying_them() -> None:
    plain = day()
    slots = plain.load.mid.size
    more = Band(plain.load.low, plain.load.mid + 100.0, plain.load.high + 200.0)
    given = replace(plain, load=more, site_load=plain.load, assumed=("price.tariff:2026-11-22",))
    plan = make_plan(given)
    assert plan.load_kw.mid == pytest.approx(plain.load.mid)
    assert plan.load_kw.high == pytest.approx(plain.load.high)
    assert plan.ev_kw == pytest.approx(np.full(slots, 100.0))
    assert plan.violations[-1] == "price.tariff:2026-11-22"
    carried = plan.grid_kw + plan.pv_kw.mid - plan.curtailed_kw + plan.storage_kw + plan.unserved_kw
    assert carried == pytest.approx(plan.load_kw.mid + plan.ev_kw, abs=1e-6)
    assert np.array_equal(repair(given).reserve, repair(plain).reserve)
    for odd in (np.full(slots, np.nan), np.zeros(3), np.full(slots, 1e9)):
        assert make_plan(replace(given, site_load=Band(odd, odd, odd))).load_kw.mid == pytest.approx(more.mid)
