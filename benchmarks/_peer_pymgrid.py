"""python-microgrid's model predictive control as a peer: run by an interpreter that has it, with cvxpy and NumPy 1.

    PYTHON _peer_pymgrid.py SCENARIO STEPS

Prints one JSON object. Standard library and the peer only: nothing of ours is imported.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from typing import Any

warnings.filterwarnings("ignore")


def main(number: int, steps: int) -> dict[str, Any]:
    """Let it control so many steps of a scenario, with the perfect forecast of 24 h that the scenario brings."""
    import numpy as np
    from pymgrid import Microgrid
    from pymgrid.algos import ModelPredictiveControl, RuleBasedControl

    microgrid = Microgrid.from_scenario(number)
    control = ModelPredictiveControl(microgrid)
    started = time.perf_counter()
    log = control.run(max_steps=steps)
    taken_s = time.perf_counter() - started
    rules = RuleBasedControl(Microgrid.from_scenario(number))
    started = time.perf_counter()
    rules.run(max_steps=steps)
    return {
        "steps": steps,
        "us_per_step": taken_s * 1e6 / steps,
        "rules_us_per_step": (time.perf_counter() - started) * 1e6 / steps,
        "cost": float(-np.sum(log["balance"][0]["reward"])),
        "stored_kwh": float(microgrid.battery[0].current_charge),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]))))
