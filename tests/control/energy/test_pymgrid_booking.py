"""What python-microgrid's own simulator booked for actions, without the package.

`pymgrid_booked.json` holds invented sites, what was asked of storage and generator set, what that came to here
(`request`), and what the simulator of python-microgrid 1.4.1 said to it (`answer`). To remake an answer, give the
request to `benchmarks/_peer_pymgrid.py` on its standard input; `./island bench energy --only replay --peer PYTHON`
compares whole years of the package's own scenarios.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks._energy_closed_loop import as_modules, booking_request
from control.energy.booking import replay_actions
from control.energy.scenario import Actions, GensetSpec, Scenario
from control.energy.site import StorageSpec

BOOKED: list[dict[str, Any]] = json.loads(Path(__file__).with_name("pymgrid_booked.json").read_text())


def scenario_of(site: dict[str, Any]) -> Scenario:
    """Their site as ours: their battery limits hold for the stored energy, and their last row is never played."""
    n = len(site["load_kw"]) - 1
    battery, grid, genset = site["battery"], site.get("grid"), site.get("genset")
    tariff = np.array(site["tariff"])[:n] if grid else np.zeros((n, 4))
    return Scenario(
        name="theirs",
        at0=datetime(2026, 1, 1, tzinfo=UTC),
        step_s=3600.0,
        local=np.datetime64("2026-01-01T00:00:00", "s") + np.arange(n) * np.timedelta64(3600, "s"),
        load_kw=np.array(site["load_kw"])[:n],
        pv_kw=np.array(site["pv_kw"])[:n],
        import_price=tariff[:, 0].copy(),
        export_price=tariff[:, 1].copy(),
        co2_kg_per_kwh=tariff[:, 2].copy(),
        grid_up=tariff[:, 3] > 0.5,
        storage=StorageSpec(
            id="battery",
            capacity_kwh=battery["max_capacity"],
            charge_max_kw=battery["max_charge"] / battery["efficiency"],
            discharge_max_kw=battery["max_discharge"] * battery["efficiency"],
            efficiency_charge=battery["efficiency"],
            efficiency_discharge=battery["efficiency"],
            soc_min_frac=battery["min_capacity"] / battery["max_capacity"],
            soc_max_frac=1.0,
        ),
        soc_initial_frac=battery["init_charge"] / battery["max_capacity"],
        wear_cost_per_kwh=battery["battery_cost_cycle"],
        import_max_kw=grid["max_import"] if grid else 0.0,
        export_max_kw=grid["max_export"] if grid else 0.0,
        co2_price_per_kg=(grid or genset)["cost_per_unit_co2"],
        unserved_cost_per_kwh=site["balancing"]["loss_load_cost"],
        surplus_cost_per_kwh=site["balancing"]["overgeneration_cost"],
        genset=GensetSpec(
            min_kw=genset["running_min_production"],
            max_kw=genset["running_max_production"],
            fuel_cost_per_kwh=genset["genset_cost"],
            co2_kg_per_kwh=genset["co2_per_unit"],
        )
        if genset
        else None,
    )


@pytest.mark.parametrize("case", BOOKED, ids=[case["kind"] for case in BOOKED])
def test_their_simulator_books_the_same(case: dict[str, Any]) -> None:
    scenario = scenario_of(case["request"]["site"])
    asked = case["asked"]
    actions = Actions(
        storage_kw=np.array(asked["storage_kw"]),
        pv_max_kw=np.full(scenario.steps, 1e9),
        genset_kw=np.array(asked["genset_kw"]),
    )
    made = replay_actions(scenario, actions, controller="asked")
    sent = booking_request(made)
    for key in ("storage_kw", "grid_kw", "genset_kw"):
        assert sent[key] == pytest.approx(case["request"][key], abs=1e-9)
    answer = case["answer"]
    assert answer["steps"] == scenario.steps
    for key, value in as_modules(scenario, made).items():
        assert value == pytest.approx(answer[key], rel=1e-9, abs=1e-6), key
