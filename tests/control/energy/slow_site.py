"""A slow, obviously right simulator of a site: owns checking a schedule slot by slot, and costing it.

It shares nothing with the product but the signs: powers in kW at the bus, storage positive when it discharges.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SLACK_KW = 1e-3


@dataclass
class Store:
    capacity_kwh: float
    charge_max_kw: float
    discharge_max_kw: float
    efficiency_charge: float
    efficiency_discharge: float
    soc_min_frac: float
    soc_max_frac: float
    keep_per_slot: float = 1.0


@dataclass
class Outcome:
    """What was seen, and every limit that was broken, in words."""

    cost: float = 0.0
    wear: float = 0.0
    peak_import_kw: float = 0.0
    end_kwh: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)


def simulate(
    *,
    slot_h: float,
    load_kw: list[float],
    pv_kw: list[float],
    ev_kw: list[float],
    grid_kw: list[float],
    curtailed_kw: list[float],
    unserved_kw: list[float],
    storage_kw: list[list[float]],
    stores: list[Store],
    soc_frac: list[float],
    import_max_kw: list[float],
    export_max_kw: list[float],
    import_price: list[float],
    export_price: list[float],
    unserved_price: float = 0.0,
    wear_price: float = 0.0,
    exports_forced: bool = False,
) -> Outcome:
    """Walk through the slots. `storage_kw[s][t]`; a store that starts outside its range may come back into it."""
    seen = Outcome()
    energy = [soc * store.capacity_kwh for soc, store in zip(soc_frac, stores, strict=True)]
    for t in range(len(load_kw)):
        given = sum(storage_kw[s][t] for s in range(len(stores)))
        supply = pv_kw[t] - curtailed_kw[t] + given + grid_kw[t]
        demand = load_kw[t] - unserved_kw[t] + ev_kw[t]
        scale = 1e-9 * (abs(pv_kw[t]) + abs(load_kw[t]) + abs(given))
        if abs(supply - demand) > SLACK_KW + scale:
            seen.broken.append(f"slot {t}: balance is off by {supply - demand} kW")
        if not -SLACK_KW <= curtailed_kw[t] <= pv_kw[t] + SLACK_KW:
            seen.broken.append(f"slot {t}: curtails {curtailed_kw[t]} of {pv_kw[t]} kW")
        if unserved_kw[t] < -SLACK_KW:
            seen.broken.append(f"slot {t}: serves more than the load")
        if unserved_kw[t] > load_kw[t] + max(ev_kw[t], 0.0) + SLACK_KW:
            seen.broken.append(f"slot {t}: unserved {unserved_kw[t]} of {load_kw[t]} kW")
        if grid_kw[t] > import_max_kw[t] + SLACK_KW + scale:
            seen.broken.append(f"slot {t}: imports {grid_kw[t]} kW")
        if -grid_kw[t] > export_max_kw[t] + SLACK_KW + scale and not exports_forced:
            seen.broken.append(f"slot {t}: exports {-grid_kw[t]} kW")
        for s, store in enumerate(stores):
            energy[s] = _step(seen, t, s, store, energy[s], storage_kw[s][t], slot_h, wear_price)
        bought, sold = max(grid_kw[t], 0.0), max(-grid_kw[t], 0.0)
        seen.cost += slot_h * (bought * import_price[t] - sold * export_price[t] + unserved_kw[t] * unserved_price)
        seen.peak_import_kw = max(seen.peak_import_kw, bought)
    seen.end_kwh = energy
    return seen


def _step(
    seen: Outcome, t: int, s: int, store: Store, energy: float, power: float, slot_h: float, wear_price: float
) -> float:
    slack = SLACK_KW + 1e-6 * store.capacity_kwh
    if power > store.discharge_max_kw + SLACK_KW or -power > store.charge_max_kw + SLACK_KW:
        seen.broken.append(f"slot {t}: storage {s} at {power} kW")
    factor = 1.0 / store.efficiency_discharge if power > 0 else store.efficiency_charge
    change = -power * slot_h * factor
    kept = energy * store.keep_per_slot
    after = kept + change
    low, high = store.soc_min_frac * store.capacity_kwh, store.soc_max_frac * store.capacity_kwh
    if power > SLACK_KW and after < min(low, kept) - slack:
        seen.broken.append(f"slot {t}: storage {s} discharged to {after} kWh below {low}")
    if power < -SLACK_KW and after > max(high, kept) + slack:
        seen.broken.append(f"slot {t}: storage {s} charged to {after} kWh above {high}")
    if not -slack <= after <= store.capacity_kwh + slack:
        seen.broken.append(f"slot {t}: storage {s} holds {after} kWh")
    seen.wear += wear_price * abs(change)
    return after
