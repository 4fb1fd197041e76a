"""The rules that every plan is measured against: owns what is wanted of the storage where nobody looks ahead.

Priorities as in python-microgrid's rule-based control: sun first, then the storage takes the surplus and gives the
deficit, then the grid, then the generator set, which starts only when it is needed. (Its own default leaves the set
off, which would be an unfair rival on an island.)
"""

from __future__ import annotations

import numpy as np

from control.energy.scenario import GENSET_LAST, Actions, Scenario


def rules_actions(scenario: Scenario) -> Actions:
    """The whole difference of load and sun in each step; the settling cuts it to what the storage can do."""
    return Actions(
        storage_kw=scenario.load_kw - scenario.pv_kw,
        pv_max_kw=scenario.pv_kw,
        genset_kw=np.full(scenario.steps, GENSET_LAST),
    )
