"""What a slot costs at the coupling point: owns how a residual power is split into import, export, curtailed PV and
unserved load, and the price of it. Shared by the solvers, the rules and the explanations.

All functions are inner ones of kernels: scalars in, scalars out, kW and yuan a kWh.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from control.energy.kernels import inner, kernel
from control.energy.plan import Series


@inner
def settle(
    residual_kw: float,
    pv_kw: float,
    import_price: float,
    export_price: float,
    import_cap_kw: float,
    export_cap_kw: float,
) -> tuple[float, float, float, float]:
    """Import, export, curtailed PV and unserved load (kW, none negative) for load less PV less storage.

    Import and export never happen together. What exceeds the import limit is unserved; what exceeds the export limit
    is curtailed. PV is also curtailed where that pays: at a negative import price, or instead of paying for export.
    """
    if import_price < 0.0 and residual_kw + pv_kw > 0.0:
        bought = min(import_cap_kw, residual_kw + pv_kw)
        sold = min(max(-residual_kw, 0.0), export_cap_kw)
        if residual_kw >= 0.0 or bought * import_price <= -sold * export_price:
            return bought, 0.0, max(bought - residual_kw, 0.0), max(residual_kw - bought, 0.0)
    if residual_kw >= 0.0:
        bought = min(residual_kw, import_cap_kw)
        return bought, 0.0, 0.0, residual_kw - bought
    surplus = -residual_kw
    if export_price >= 0.0:
        sold = min(surplus, export_cap_kw)
        curtailed = min(surplus - sold, pv_kw)
        return 0.0, surplus - curtailed, curtailed, 0.0
    curtailed = min(surplus, pv_kw)
    return 0.0, surplus - curtailed, curtailed, 0.0


@inner
def slot_cost(
    residual_kw: float,
    pv_kw: float,
    import_price: float,
    export_price: float,
    import_cap_kw: float,
    export_cap_kw: float,
    unserved_price: float,
) -> float:
    """Yuan an hour of a residual power, settled by `settle`."""
    bought, sold, _, unserved = settle(residual_kw, pv_kw, import_price, export_price, import_cap_kw, export_cap_kw)
    return bought * import_price - sold * export_price + unserved * unserved_price


@inner
def bus_kw(taken_kwh: float, eta_charge: float, eta_discharge: float, slot_h: float) -> float:
    """Power at the bus (positive discharges) for energy taken out of the storage in one slot."""
    if taken_kwh >= 0.0:
        return taken_kwh * eta_discharge / slot_h
    return taken_kwh / (eta_charge * slot_h)


def _example() -> tuple[Any, ...]:
    one = np.ones(3)
    return one, one, one, one, one, one


@kernel(_example)
def settle_series(
    residual_kw: Series,
    pv_kw: Series,
    import_price: Series,
    export_price: Series,
    import_cap_kw: Series,
    export_cap_kw: Series,
) -> Series:
    """Import, export, curtailed PV and unserved load of each slot by `settle`, (4, slots) kW."""
    out = np.empty((4, residual_kw.size))
    for t in range(residual_kw.size):
        out[0, t], out[1, t], out[2, t], out[3, t] = settle(
            residual_kw[t], pv_kw[t], import_price[t], export_price[t], import_cap_kw[t], export_cap_kw[t]
        )
    return out
