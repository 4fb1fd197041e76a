"""Which loads go and which come back: owns the order of interruption; compiled and plain alike.

Columns of the load table (n, 8), float64: see the constants. Tier 0 and loads that cannot be switched are in no
table's `SOFT` or `HARD` column, so that they cannot be chosen.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from control.energy.kernels import inner

Array = npt.NDArray[np.float64]

TIER, RELIEF, RATED, SOFT, HARD, BACK, OFF_S, KEPT_OFF = range(8)
LOAD_COLUMNS = 8


@inner
def shed_for(loads: Array, need_kw: float, hard: bool, off: Array) -> float:
    """Mark loads in `off` (n,) until `need_kw` is covered; gives what they draw together, kW.

    Highest tier first. Within a tier the smallest load that covers the rest alone, or else the largest. A load whose
    power is not known relieves nothing that could be counted on (`RELIEF` 0) and comes last in its tier. With `hard`
    loads that were just switched on may go as well, after the others.
    """
    relieved = 0.0
    for column in (SOFT, HARD) if hard else (SOFT, SOFT):
        while relieved < need_kw:
            chosen = _next_off(loads, need_kw - relieved, column, off)
            if chosen < 0:
                break
            off[chosen] = 1.0
            relieved += loads[chosen, RELIEF]
    return relieved


@inner
def _next_off(loads: Array, need_kw: float, column: int, off: Array) -> int:
    chosen = -1
    for i in range(loads.shape[0]):
        if off[i] > 0.0 or loads[i, column] <= 0.0:
            continue
        if chosen < 0 or _goes_before(loads, i, chosen, need_kw):
            chosen = i
    return chosen


@inner
def _goes_before(loads: Array, one: int, other: int, need_kw: float) -> bool:
    if loads[one, TIER] != loads[other, TIER]:
        return bool(loads[one, TIER] > loads[other, TIER])
    mine, its = loads[one, RELIEF], loads[other, RELIEF]
    if (mine >= need_kw) != (its >= need_kw):
        return bool(mine >= need_kw)
    return bool(mine < its) if mine >= need_kw else bool(mine > its)


@inner
def next_back(loads: Array, room_kw: float) -> int:
    """The load to give back within `room_kw`: lowest tier, then longest off; -1 for none.

    A load of a higher tier does not overtake one of a lower tier that waits only for its minimum time or for room:
    otherwise small comfort would eat the room of an essential load for ever.
    """
    tier = np.inf
    for i in range(loads.shape[0]):
        if loads[i, KEPT_OFF] > 0.0:
            tier = min(tier, loads[i, TIER])
    chosen = -1
    for i in range(loads.shape[0]):
        if loads[i, BACK] <= 0.0 or loads[i, TIER] > tier or loads[i, RATED] > room_kw:
            continue
        if chosen < 0 or loads[i, OFF_S] > loads[chosen, OFF_S]:
            chosen = i
    return chosen
