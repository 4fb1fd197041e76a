"""A second simulator, slow and plain: owns judging a replay by the laws alone, step by step, with none of its code."""

from __future__ import annotations

import math
from dataclasses import dataclass

from control.energy.booking import ReplayResult
from control.energy.scenario import Scenario


@dataclass
class Verdict:
    """What the laws make of it: the worst breach of any law (kW or kWh), and the money and carbon."""

    breach: float
    law: str
    cost: float
    carbon_kg: float
    stored_kwh: float


def judge(scenario: Scenario, result: ReplayResult) -> Verdict:
    """Walk through the flows with pencil and paper."""
    flows, store, genset = result.flows, scenario.storage, scenario.genset
    hours = scenario.step_s / 3600
    stored = scenario.soc_initial_frac * store.capacity_kwh
    lowest = min(stored, store.soc_min_frac * store.capacity_kwh)
    highest = max(stored, store.soc_max_frac * store.capacity_kwh)
    money: list[float] = []
    carbon: list[float] = []
    peaks: dict[str, float] = {}
    worst, worst_law = 0.0, "none"

    def law(name: str, over: float) -> None:
        nonlocal worst, worst_law
        if not over <= worst:  # also what is no number is a breach
            worst, worst_law = over, name

    for i in range(scenario.steps):
        storage, bought, sold = float(flows.storage_kw[i]), float(flows.import_kw[i]), float(flows.export_kw[i])
        sun, set_kw = float(flows.pv_kw[i]), float(flows.genset_kw[i])
        unserved, surplus = float(flows.unserved_kw[i]), float(flows.surplus_kw[i])
        load, up = float(scenario.load_kw[i]), bool(scenario.grid_up[i])
        law("balance", abs(storage + bought + sun + set_kw + unserved - load - sold - surplus))
        for name, value in (("import", bought), ("export", sold), ("sun", sun), ("set", set_kw)):
            law(f"negative {name}", -value)
        law("negative unserved", -unserved)
        law("negative surplus", -surplus)
        law("import limit", bought - (scenario.import_max_kw if up else 0.0))
        law("export limit", sold - (scenario.export_max_kw if up else 0.0))
        law("import and export at once", min(bought, sold))
        law("more sun than shines", sun - float(scenario.pv_kw[i]))
        law("more unserved than wanted", unserved - load)
        law("charging limit", -storage - store.charge_max_kw)
        law("discharging limit", storage - store.discharge_max_kw)
        if genset is None:
            law("no set", set_kw)
        elif set_kw > 0:
            law("set's least power", genset.min_kw - set_kw)
            law("set's power", set_kw - genset.max_kw)
        change = (
            -storage * hours * store.efficiency_charge if storage < 0 else -storage * hours / store.efficiency_discharge
        )
        stored += change
        law("stored", abs(stored - float(flows.stored_kwh[i])))
        law("empty", lowest - stored)
        law("full", stored - highest)
        kg = bought * hours * float(scenario.co2_kg_per_kwh[i])
        paid = bought * hours * float(scenario.import_price[i]) - sold * hours * float(scenario.export_price[i])
        if genset:
            kg += set_kw * hours * genset.co2_kg_per_kwh
            paid += set_kw * hours * genset.fuel_cost_per_kwh
        paid += abs(change) * scenario.wear_cost_per_kwh + kg * scenario.co2_price_per_kg
        paid += unserved * hours * scenario.unserved_cost_per_kwh + surplus * hours * scenario.surplus_cost_per_kwh
        money.append(paid)
        carbon.append(kg)
        month = str(scenario.local[i])[:7]
        peaks[month] = max(peaks.get(month, 0.0), bought)
    money.extend(peak * scenario.demand_charge_per_kw for peak in peaks.values())
    return Verdict(worst, worst_law, math.fsum(money), math.fsum(carbon), stored)
