"""Causal control: it knows nothing of the future, keeps its limits, and earns more than rules that look at no clock."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from control.energy.causal import FULL, FULL_READING, QUICK, QUICK_READING, CausalInput, causal_run, run_causal
from control.energy.site import StorageSpec
from control.energy.stochastic_dp import storage_vector

SPEC = StorageSpec(
    id="s", capacity_kwh=2000.0, charge_max_kw=500.0, discharge_max_kw=500.0, soc_min_frac=0.1, soc_max_frac=1.0
)
STORAGE = storage_vector(SPEC, wear_per_kwh=0.01)


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    causal_run.warm()


def site(days: int = 40, step_s: int = 3600, seed: int = 2, **changes: object) -> CausalInput:
    """A load with an evening peak, sun under changing clouds, and a tariff with a dear evening."""
    random = np.random.default_rng(seed)
    steps = days * 86_400 // step_s
    hour = np.arange(steps) * step_s / 3600.0 % 24
    day = np.arange(steps) * step_s // 86_400
    cloud = np.clip(0.5 + 0.35 * np.sin(np.arange(days) * 1.7) + random.normal(0, 0.2, days), 0.05, 1.0)
    sun = np.maximum(0.0, np.sin((hour - 6) / 12 * np.pi)) * (hour > 6) * (hour < 18)
    load = 400 + 250 * np.exp(-(((hour - 19) / 2.5) ** 2)) + random.normal(0, 15, steps)
    fields: dict[str, object] = {
        "step_s": step_s,
        "day_kind": (np.arange(days + 2) % 7 >= 5).astype(np.int64),
        "month": np.arange(days + 2) // 30,
        "load_kw": load,
        "pv_kw": 900 * sun * cloud[day] * np.clip(random.normal(1, 0.1, steps), 0, 1.2),
        "import_per_kwh": np.where((hour >= 17) & (hour < 22), 0.9, np.where(hour < 7, 0.3, 0.5)),
        "export_per_kwh": np.zeros(steps),
        "carbon_per_kwh": 0.05 + 0.02 * np.sin(hour / 24 * 2 * np.pi),
        "grid_up": np.ones(steps),
        "import_max_kw": 3000.0,
        "export_max_kw": 0.0,
        "storage": STORAGE,
        "energy_kwh": 400.0,
    }
    return CausalInput(**(fields | changes))  # type: ignore[arg-type]


def account(given: CausalInput, power: np.ndarray) -> tuple[float, float, float]:
    """A second, slow simulation: cost, final energy and peak of import; fails on any broken limit."""
    step_h = given.step_s / 3600.0
    low, high, charge, discharge, into, out, wear = given.storage
    energy, cost, peak = given.energy_kwh, 0.0, 0.0
    for step, one in enumerate(power):
        assert -charge - 1e-6 <= one <= discharge + 1e-6
        change = -one * step_h * into if one < 0.0 else -one * step_h / out
        energy += change
        assert low - 1e-6 <= energy <= high + 1e-6
        need = given.load_kw[step] - given.pv_kw[step] - one
        grid = given.import_max_kw if given.grid_up[step] > 0.5 else 0.0
        bought = min(max(need, 0.0), grid)
        price = given.import_per_kwh[step] + given.carbon_per_kwh[step]
        unserved = max(need, 0.0) - bought
        cost += (bought * price + unserved * given.unserved_per_kwh) * step_h + wear * abs(change)
        peak = max(peak, bought)
    return cost, energy, peak


def rules(given: CausalInput) -> np.ndarray:
    """Surplus in, deficit out."""
    step_h = given.step_s / 3600.0
    low, high, charge, discharge, into, out, _ = given.storage
    energy, power = given.energy_kwh, []
    for load, sun in zip(given.load_kw, given.pv_kw, strict=True):
        need = load - sun
        if need > 0.0:
            one = min(need, discharge, (energy - low) * out / step_h)
            energy -= one * step_h / out
        else:
            one = -min(-need, charge, (high - energy) / (into * step_h))
            energy -= one * step_h * into
        power.append(one)
    return np.array(power)


def worth(given: CausalInput, power: np.ndarray) -> float:
    cost, energy, _ = account(given, power)
    return cost - energy * float(np.mean(given.import_per_kwh)) * 0.9


@pytest.mark.parametrize("step_s", [3600, 900])
def test_it_keeps_every_limit_and_beats_the_rules(step_s: int) -> None:
    given = site(step_s=step_s)
    assert worth(given, run_causal(given)) < 0.99 * worth(given, rules(given))


def test_thinking_less_still_beats_the_rules() -> None:
    given = site(step_s=900)
    assert worth(given, run_causal(given, QUICK, QUICK_READING)) < 0.99 * worth(given, rules(given))


@pytest.mark.parametrize(
    ("step_s", "first_step", "changes"),
    [
        (3600, 0, {}),
        (3600, 7, {}),
        (900, 0, {"demand_charge_per_kw": 30.0}),
        (3600, 0, {"carbon_published": False}),
        (3600, 0, {"backup_kw": 600.0, "backup_min_kw": 100.0, "backup_per_kwh": 0.6}),
    ],
)
def test_what_comes_later_changes_nothing_before(step_s: int, first_step: int, changes: dict[str, float]) -> None:
    random = np.random.default_rng(9)
    given = site(days=25, step_s=step_s, first_step=first_step, **changes)
    cut = 15 * 86_400 // step_s + 5
    steps = len(given.load_kw)

    def scrambled(series: np.ndarray) -> np.ndarray:
        return np.concatenate((series[:cut], random.uniform(0.0, 2.0, steps - cut) * series[:cut].max()))

    other = replace(
        given,
        load_kw=scrambled(given.load_kw),
        pv_kw=scrambled(given.pv_kw),
        carbon_per_kwh=given.carbon_per_kwh if given.carbon_published else scrambled(given.carbon_per_kwh),
        grid_up=np.concatenate((given.grid_up[:cut], (random.random(steps - cut) < 0.5).astype(float))),
    )
    before, after = run_causal(given), run_causal(other)
    assert np.array_equal(before[:cut], after[:cut])
    assert not np.array_equal(before[cut:], after[cut:])


@pytest.mark.parametrize("step_s", [3600, 1800])
def test_compiled_equals_plain(step_s: int) -> None:
    up = np.ones(6 * 86_400 // step_s)
    up[60:66] = 0.0
    given = site(
        days=6, step_s=step_s, grid_up=up, demand_charge_per_kw=20.0, backup_kw=300.0, backup_min_kw=80.0,
        backup_per_kwh=0.7,
    )  # fmt: skip
    tuning, reading = FULL._replace(cells=6, horizon_h=8), FULL_READING._replace(scenarios=3)
    compiled = run_causal(given, tuning, reading)
    serving = causal_run._serving
    causal_run._serving = causal_run.twin
    try:
        plain = run_causal(given, tuning, reading)
    finally:
        causal_run._serving = serving
    assert np.allclose(plain, compiled, rtol=0.0, atol=1e-6)


def test_on_the_first_day_no_sun_is_counted_on() -> None:
    given = site(days=2)
    dark = replace(given, pv_kw=np.where(np.arange(48) < 12, given.pv_kw, 0.0))
    assert np.array_equal(run_causal(given)[:12], run_causal(dark)[:12])


def test_a_demand_charge_lowers_the_peak() -> None:
    given = site(days=60)
    charged = replace(given, demand_charge_per_kw=40.0)
    _, _, free_peak = account(given, run_causal(given)[: len(given.load_kw)])
    _, _, kept_peak = account(charged, run_causal(charged))
    assert kept_peak < 0.9 * free_peak


def test_where_the_grid_often_goes_more_is_kept_in_store() -> None:
    random = np.random.default_rng(4)
    up = np.ones(40 * 24)
    for start in random.choice(40 * 24 - 4, 25, replace=False):
        up[start : start + 3] = 0.0
    weak = site(grid_up=up, unserved_per_kwh=10.0)
    unaware = run_causal(site())
    aware = run_causal(weak)
    # The same storage acting as if the grid were always there, cut to what it can do in the outages.
    assert account(weak, aware)[0] < account(weak, unaware)[0]


def test_an_island_with_one_price_does_as_well_as_the_rules() -> None:
    # Nothing is to be gained by waiting there, so waiting can only lose.
    given = site(
        days=30, grid_up=np.zeros(30 * 24), backup_kw=1500.0, backup_min_kw=0.0, backup_per_kwh=0.6, import_max_kw=0.0
    )
    plain = replace(given, grid_up=np.ones(30 * 24), import_max_kw=1500.0, import_per_kwh=np.full(30 * 24, 0.6))
    plain = replace(plain, carbon_per_kwh=np.zeros(30 * 24))
    assert worth(plain, run_causal(given)) <= worth(plain, rules(given)) + 1e-6


def test_a_negative_price_or_an_empty_storage_is_no_trouble() -> None:
    given = site(days=5)
    odd = replace(given, import_per_kwh=given.import_per_kwh - 0.5, energy_kwh=STORAGE[0])
    account(odd, run_causal(odd))
