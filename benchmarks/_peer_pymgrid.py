"""python-microgrid as a peer, in an interpreter of its own that has it (with cvxpy, HiGHS and NumPy before 2).

Reads one JSON object from the standard input and prints one. Standard library and the peer only: nothing of ours is
imported. `do` says what is wanted:

- `book`: its simulator takes given actions step by step (`storage_kw` positive discharges, `grid_kw` positive imports,
  `genset_kw`), and tells what it books for them, by module. The site is a number in `scenario`, or is built from
  `site` (see `_built`).
- `control`: its own model predictive control runs `steps` steps of `scenario`, with the perfect forecast of 24 hours
  that the scenario brings. Two of its errors are repaired first, or the comparison would be unfair: it plans as if no
  outage could be seen coming, and it takes income from export for a cost.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

warnings.filterwarnings("ignore")


def main(asked: dict[str, Any]) -> dict[str, Any]:
    """Answer one request."""
    return {"book": _book, "control": _control}[asked["do"]](asked)


def _book(asked: dict[str, Any]) -> dict[str, Any]:
    import numpy as np
    from pymgrid import Microgrid

    microgrid = Microgrid.from_scenario(asked["scenario"]) if "scenario" in asked else _built(asked["site"])
    has_grid, has_genset = hasattr(microgrid, "grid"), hasattr(microgrid, "genset")
    for storage_kw, grid_kw, genset_kw in zip(asked["storage_kw"], asked["grid_kw"], asked["genset_kw"], strict=True):
        action: dict[str, Any] = {"battery": [storage_kw]}
        if has_grid:
            action["grid"] = [grid_kw]
        if has_genset:
            action["genset"] = [np.array([1.0 if genset_kw > 0.0 else 0.0, genset_kw])]
        microgrid.step(action, normalized=False)
    return _account(microgrid)


def _built(site: dict[str, Any]) -> Any:
    """A microgrid from keywords of its modules: `battery`, `grid` and `genset` where there are, `balancing`, series."""
    import numpy as np
    from pymgrid import Microgrid
    from pymgrid.modules import BatteryModule, GensetModule, GridModule, LoadModule, RenewableModule

    def column(key: str) -> Any:
        return np.array(site[key], dtype=np.float64).reshape(len(site["load_kw"]), -1)

    modules: list[Any] = [
        LoadModule(time_series=column("load_kw")),
        ("renewable", RenewableModule(time_series=column("pv_kw"))),
        BatteryModule(**site["battery"]),
    ]
    if "grid" in site:
        modules.append(GridModule(time_series=column("tariff"), **site["grid"]))
    if "genset" in site:
        modules.append(GensetModule(**site["genset"]))
    return Microgrid(modules, **site["balancing"])


def _account(microgrid: Any) -> dict[str, Any]:
    """What its log says: costs by module, energy unserved and too much, what is stored; costs are not negated rewards
    of its balance alone, so that a sum that does not hold shows."""
    import numpy as np

    log = microgrid.get_log()

    def total(module: str, field: str) -> float:
        key = (module, 0, field)
        return float(np.sum(log[key])) if key in log.columns else 0.0

    return {
        "steps": len(log),
        "cost": -total("balance", "reward"),
        "grid_cost": -total("grid", "reward"),
        "genset_cost": -total("genset", "reward"),
        "battery_cost": -total("battery", "reward"),
        "unbalanced_cost": -total("unbalanced_energy", "reward") - total("balancing", "reward"),
        "carbon_kg": total("grid", "co2_production") + total("genset", "co2_production"),
        "unserved_kwh": total("unbalanced_energy", "loss_load") + total("balancing", "loss_load"),
        "surplus_kwh": total("unbalanced_energy", "overgeneration") + total("balancing", "overgeneration"),
        "stored_kwh": float(microgrid.battery[0].current_charge),
    }


def _control(asked: dict[str, Any]) -> dict[str, Any]:
    from pymgrid import Microgrid
    from pymgrid.algos import ModelPredictiveControl

    class Repaired(ModelPredictiveControl):
        """Sees the grid's status in its forecast, and takes income for income."""

        def _get_modular_state_values(self) -> tuple[Any, ...]:
            values = list(super()._get_modular_state_values())
            if hasattr(self.microgrid, "grid"):
                values[2] = self.microgrid.grid.item().grid_status
                values[4] = -values[4]
            return tuple(values)

    microgrid = Microgrid.from_scenario(asked["scenario"])
    control = Repaired(microgrid, solver=asked["solver"])
    started = time.perf_counter()
    control.run(max_steps=asked["steps"])
    taken_s = time.perf_counter() - started
    return _account(microgrid) | {"us_per_step": taken_s * 1e6 / asked["steps"], "solver": asked["solver"]}


if __name__ == "__main__":
    print(json.dumps(main(json.load(sys.stdin))))
