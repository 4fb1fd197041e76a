"""How storages are used by what their energy is worth: owns the order of merit; compiled and plain alike.

Columns of the storage table (n, 9), float64: see the constants. Powers are positive amounts at the bus. `BID` is what
a kWh at the bus is worth to a storage that charges, `OFFER` what a kWh from it must bring, yuan.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from control.energy.kernels import inner

Array = npt.NDArray[np.float64]
Order = npt.NDArray[np.int64]

SEEN, CHARGE, DISCHARGE, DISCHARGE_HARD, BID, OFFER, LAST, FORMING, KNOWN = range(9)
STORAGE_COLUMNS = 9


@inner
def by_merit(storages: Array, direction: float, sticky: float) -> Order:
    """Order (n,) in which units are used to discharge (1) or charge (-1); the forming unit last.

    A unit that already runs that way keeps its place unless another is better by `sticky`.
    """
    n = storages.shape[0]
    key = np.zeros(n)
    for i in range(n):
        if direction > 0.0:
            key[i] = storages[i, OFFER]
        else:
            key[i] = -storages[i, BID]
        if storages[i, LAST] * direction > 0.0:
            key[i] -= sticky
        if storages[i, FORMING] > 0.0:
            key[i] += 1e6
    order = np.arange(n)
    for place in range(1, n):
        moving = order[place]
        before = place - 1
        while before >= 0 and key[order[before]] > key[moving]:
            order[before + 1] = order[before]
            before -= 1
        order[before + 1] = moving
    return order


@inner
def tier_kw(
    storages: Array, order: Order, direction: float, price: float, sticky: float, size_kw: float, used: Array
) -> float:
    """Use units that gain at `price` for at most `size_kw`, adding to `used` (n,); gives what was used."""
    taken = 0.0
    for place in range(order.shape[0]):
        i = order[place]
        if direction > 0.0:
            gain = price - storages[i, OFFER]
            room = storages[i, DISCHARGE] - used[i]
        else:
            gain = storages[i, BID] - price
            room = storages[i, CHARGE] - used[i]
        if storages[i, LAST] * direction > 0.0:
            gain += sticky
        if gain <= 0.0 or room <= 0.0 or taken >= size_kw:
            continue
        more = min(room, size_kw - taken)
        used[i] += more
        taken += more
    return taken


@inner
def split(storages: Array, total_kw: float, sticky: float, out: Array) -> None:
    """Split `total_kw` (positive discharges) over the units, best first: few units at small power.

    More than the reserve allows (`DISCHARGE`) is taken from what is below it (`DISCHARGE_HARD`).
    """
    out[:] = 0.0
    left = abs(total_kw)
    if left <= 0.0:
        return
    direction = 1.0 if total_kw > 0.0 else -1.0
    order = by_merit(storages, direction, sticky)
    for column in (DISCHARGE, DISCHARGE_HARD) if direction > 0.0 else (CHARGE, CHARGE):
        for place in range(order.shape[0]):
            i = order[place]
            more = min(left, max(0.0, storages[i, column] - abs(out[i])))
            out[i] += direction * more
            left -= more
