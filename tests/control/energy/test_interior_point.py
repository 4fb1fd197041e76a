"""Several storages and vehicles: the banded interior point against an independent optimum, a simulator, its twin."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from control.energy import exact_dp as dp
from control.energy.interior_point import solve_banded
from control.energy.site_cost import settle_series
from control.energy.site_lp import Ev, SiteAnswer, SiteProblem, solve_site


def beside(name: str) -> ModuleType:
    """A module of this folder; tests have no packages."""
    spec = importlib.util.spec_from_file_location(f"energy_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


slow_lp, slow_site = beside("slow_lp"), beside("slow_site")


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    solve_banded.warm()


def problem(seed: int, slots: int = 32, stores: int = 2, evs: int = 2) -> SiteProblem:
    """A site at random, with a peak to pay for in half of the cases."""
    draw = np.random.default_rng(seed)
    slot_h = float(draw.choice([0.25, 0.5]))
    load = draw.uniform(20, 120, slots)
    pv = draw.uniform(0, 160, slots) * (draw.random(slots) < 0.6)
    bought = draw.choice([0.3, 0.6, 1.0], slots) + draw.uniform(0, 0.1, slots)
    demand = float(draw.choice([0.0, 20.0]))
    vectors = [_store(draw, slot_h) for _ in range(stores)]
    cars = []
    for _ in range(evs):
        first = int(draw.integers(0, slots - 2))
        last = int(draw.integers(first + 1, slots + 1))
        need = float(draw.uniform(0, 40))
        two_way = bool(draw.integers(0, 2))
        cars.append(
            Ev(
                first=first,
                last=last,
                need_kwh=need,
                room_kwh=need + float(draw.choice([0.0, 20.0])),
                spare_kwh=10.0 * two_way,
                max_kw=float(draw.choice([7.0, 22.0, 60.0])),
                v2g_kw=10.0 * two_way,
                efficiency=0.93,
            )
        )
    return SiteProblem(
        slot_h=slot_h,
        load=load,
        pv=pv,
        import_price=bought,
        export_price=0.6 * bought,
        import_cap=np.full(slots, draw.choice([60.0, 500.0])),
        export_cap=np.full(slots, draw.choice([0.0, 50.0])),
        reserve=draw.uniform(0, 100, (stores, slots)),
        storages=tuple(vectors),
        evs=tuple(cars),
        unserved=20.0 + demand / slot_h,
        short_price=20.0,
        v2g_wear=0.3,
        demand_price=demand,
        demand_free_kw=30.0,
    )


def _store(draw: np.random.Generator, slot_h: float) -> dp.Series:
    who, capacity = np.zeros(dp.SCALARS), float(draw.uniform(50, 300))
    who[dp.SLOT_H], who[dp.KEEP] = slot_h, 1.0
    who[dp.LOW] = who[dp.SOFT_LOW] = 0.1 * capacity
    who[dp.HIGH] = who[dp.SOFT_HIGH] = 0.9 * capacity
    who[dp.START] = draw.uniform(0.1, 0.9) * capacity
    who[dp.CHARGE], who[dp.DISCHARGE] = draw.uniform(10, 80, 2)
    who[dp.ETA_C], who[dp.ETA_D] = draw.uniform(0.8, 0.97, 2)
    who[dp.WEAR], who[dp.RESERVE_PRICE] = draw.choice([0.01, 0.1]), 0.5
    who[dp.EDGE_PRICE], who[dp.UNSERVED], who[dp.TERMINAL] = 2.0, 20.0, 0.35
    return who


def optimum(asked: SiteProblem) -> float:
    stores = [
        slow_lp.LpStore(
            low=who[dp.LOW],
            high=who[dp.HIGH],
            start=who[dp.START],
            charge=who[dp.CHARGE],
            discharge=who[dp.DISCHARGE],
            eta_c=who[dp.ETA_C],
            eta_d=who[dp.ETA_D],
            keep=who[dp.KEEP],
            wear=who[dp.WEAR],
            terminal=who[dp.TERMINAL],
            reserve=asked.reserve[s],
            reserve_price=who[dp.RESERVE_PRICE],
        )
        for s, who in enumerate(asked.storages)
    ]
    cars = [
        slow_lp.LpEv(
            ev.first,
            ev.last,
            ev.need_kwh,
            ev.room_kwh,
            ev.spare_kwh,
            ev.max_kw,
            ev.v2g_kw,
            ev.efficiency,
            asked.v2g_wear,
            asked.short_price,
        )
        for ev in asked.evs
    ]
    return float(
        slow_lp.lowest_cost(
            slow_lp.LpSite(
                asked.slot_h,
                asked.load,
                asked.pv,
                asked.import_price,
                asked.export_price,
                asked.import_cap,
                asked.export_cap,
                asked.unserved,
                stores,
                cars,
                asked.demand_price,
                asked.demand_free_kw,
            )
        )
    )


def lived_through(asked: SiteProblem, answer: SiteAnswer) -> tuple[float, list[str]]:
    """What the answer's powers cost when they are really driven, and the limits that they break."""
    ev_kw = answer.ev_kw.sum(axis=0) if asked.evs else np.zeros(asked.load.size)
    flows = settle_series(
        asked.load + ev_kw - asked.pv - answer.storage_kw.sum(axis=0),
        asked.pv,
        asked.import_price,
        asked.export_price,
        asked.import_cap,
        asked.export_cap,
    )
    seen = slow_site.simulate(
        slot_h=asked.slot_h,
        load_kw=asked.load.tolist(),
        pv_kw=asked.pv.tolist(),
        ev_kw=ev_kw.tolist(),
        grid_kw=(flows[0] - flows[1]).tolist(),
        curtailed_kw=flows[2].tolist(),
        unserved_kw=flows[3].tolist(),
        storage_kw=answer.storage_kw.tolist(),
        stores=[
            slow_site.Store(
                who[dp.HIGH] / 0.9,
                who[dp.CHARGE],
                who[dp.DISCHARGE],
                who[dp.ETA_C],
                who[dp.ETA_D],
                0.1,
                0.9,
            )
            for who in asked.storages
        ],
        soc_frac=[who[dp.START] / who[dp.HIGH] * 0.9 for who in asked.storages],
        import_max_kw=asked.import_cap.tolist(),
        export_max_kw=asked.export_cap.tolist(),
        import_price=asked.import_price.tolist(),
        export_price=asked.export_price.tolist(),
        unserved_price=asked.unserved,
    )
    cost = seen.cost + asked.demand_price * max(seen.peak_import_kw - asked.demand_free_kw, 0.0)
    cost += asked.short_price * float(answer.ev_short_kwh.sum())
    for s, who in enumerate(asked.storages):
        energy = answer.energy_kwh[s]
        cost += who[dp.WEAR] * np.abs(np.diff(energy)).sum()
        cost += (
            who[dp.RESERVE_PRICE]
            * asked.slot_h
            * np.maximum(np.minimum(asked.reserve[s], who[dp.HIGH]) - energy[1:], 0.0).sum()
        )
        cost -= who[dp.TERMINAL] * (energy[-1] - who[dp.LOW])
    for ev, power in zip(asked.evs, answer.ev_kw, strict=True):
        cost += asked.v2g_wear / ev.efficiency * asked.slot_h * np.maximum(-power, 0.0).sum()
        assert (power[: ev.first] == 0).all()
        assert (power[ev.last :] == 0).all()
    return float(cost), seen.broken


@pytest.mark.parametrize("seed", range(16))
def test_its_powers_cost_the_independent_optimum_and_keep_every_limit(seed: int) -> None:
    asked = problem(seed, stores=1 + seed % 3, evs=seed % 4)
    answer = solve_site(asked)
    cost, broken = lived_through(asked, answer)
    assert answer.error <= 1e-8
    assert cost == pytest.approx(optimum(asked), rel=1e-6, abs=1e-4)
    assert not broken


def test_it_agrees_with_the_exact_programme_of_one_storage() -> None:
    asked = problem(2, stores=1, evs=0)
    who = asked.storages[0]
    dp.plan_storage.warm()
    *_, cost = dp.plan_storage(
        asked.load,
        asked.pv,
        asked.import_price,
        asked.export_price,
        asked.import_cap,
        asked.export_cap,
        asked.reserve[0],
        np.where(np.arange(dp.SCALARS) == dp.UNSERVED, asked.unserved, who),
    )
    free = SiteProblem(**{name: getattr(asked, name) for name in asked.__slots__} | {"demand_price": 0.0})
    assert lived_through(free, solve_site(free))[0] == pytest.approx(cost, rel=1e-7)


def test_a_vehicle_that_cannot_be_ready_gets_all_that_it_can() -> None:
    asked = problem(1, stores=1, evs=0)
    late = Ev(first=0, last=4, need_kwh=60.0, room_kwh=60.0, spare_kwh=0.0, max_kw=22.0, v2g_kw=0.0, efficiency=0.9)
    slow = SiteProblem(
        **{name: getattr(asked, name) for name in asked.__slots__}
        | {"evs": (late,), "import_cap": np.full(32, 500.0), "demand_price": 0.0}
    )
    answer = solve_site(slow)
    np.testing.assert_allclose(answer.ev_kw[0, :4], 22.0, rtol=1e-6)
    assert answer.ev_short_kwh[0] == pytest.approx(60.0 - 4 * asked.slot_h * 22.0 * 0.9, rel=1e-6)


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 1000))
def test_compiled_and_plain_python_agree(seed: int) -> None:
    asked = problem(seed, slots=6, stores=1, evs=1)
    fast = solve_site(asked)
    solve_banded._serving = solve_banded.twin
    try:
        slow = solve_site(asked)
    finally:
        solve_banded._serving = solve_banded.compiled
    np.testing.assert_allclose(fast.storage_kw, slow.storage_kw, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose(fast.energy_kwh, slow.energy_kwh, rtol=1e-5, atol=1e-4)
