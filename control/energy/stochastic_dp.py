"""What stored energy is worth when the future is uncertain: owns the curve from scenarios, and acting by it.

The value of stored energy is concave and piecewise linear, so one step back in time merges two falling lists of
slopes: the curve's own, and what the bus pays for moving energy. That is exact but for the levels on which the result
is averaged. Every scenario keeps its own curve; before each step back a part of the weighted mean is mixed in, which
stands for how far tomorrow's kind of day is not yet known today (Pereira and Pinto 1991 is the case of a full mix).

Arrays shared by all functions here:

- `storage` (7,): lowest and highest usable energy kWh, charging and discharging limit kW at the bus (both positive),
  efficiency of charging and of discharging, wear per kWh of change of stored energy in either direction;
- a ladder of the bus: `edge_kw` (steps,) rises, `price` (steps + 1,) never falls and is not negative; `price[i]` is
  what one more kWh costs while what the bus needs from outside lies between `edge_kw[i - 1]` and `edge_kw[i]`
  (negative needs are surplus, first exported, then curtailed for nothing);
- a curve (cells,): yuan per stored kWh in equal cells between the lowest and the highest usable energy, never rising.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from control.energy.kernels import inner, kernel
from control.energy.site import StorageSpec

Floats = npt.NDArray[np.float64]
LADDER_STEPS = 5
# Worths that differ by less, as a part of them, differ by rounding only.
_EQUAL = 1e-9


def storage_vector(spec: StorageSpec, *, wear_per_kwh: float, soc_min_frac: float | None = None) -> Floats:
    """The seven numbers of one storage; `soc_min_frac` overrides the specification's, for a reserve."""
    floor = spec.soc_min_frac if soc_min_frac is None else soc_min_frac
    return np.array(
        [
            floor * spec.capacity_kwh,
            spec.soc_max_frac * spec.capacity_kwh,
            spec.charge_max_kw,
            spec.discharge_max_kw,
            spec.efficiency_charge,
            spec.efficiency_discharge,
            wear_per_kwh,
        ]
    )


@inner
def fill_ladder(
    edge_kw: Floats,
    price: Floats,
    import_per_kwh: float,
    export_per_kwh: float,
    import_max_kw: float,
    export_max_kw: float,
    soft_kw: float,
    over_per_kwh: float,
    backup_kw: float,
    backup_per_kwh: float,
    unserved_per_kwh: float,
) -> None:
    """Write one slot's ladder of LADDER_STEPS edges into `edge_kw` and `price`.

    Curtail, export, import up to `soft_kw`, import above it for `over_per_kwh` more, a backup generator, unserved.
    A price below 0 counts as 0 and export never pays more than import costs: the ladder must rise.
    """
    cheap = max(import_per_kwh, 0.0)
    dear = cheap + max(over_per_kwh, 0.0)
    below = min(max(soft_kw, 0.0), import_max_kw)
    above = import_max_kw - below
    edge_kw[0] = -export_max_kw
    edge_kw[1] = 0.0
    price[0] = 0.0
    price[1] = min(max(export_per_kwh, 0.0), cheap)
    if backup_kw > 0.0 and backup_per_kwh < cheap:
        first, second, third = backup_kw, below, above
        price[1] = min(price[1], backup_per_kwh)
        price[2], price[3], price[4] = backup_per_kwh, cheap, dear
    elif backup_kw > 0.0 and backup_per_kwh < dear:
        first, second, third = below, backup_kw, above
        price[2], price[3], price[4] = cheap, backup_per_kwh, dear
    else:
        first, second, third = below, above, backup_kw
        price[2], price[3] = cheap, dear
        price[4] = max(backup_per_kwh, dear)
    edge_kw[2] = first
    edge_kw[3] = edge_kw[2] + second
    edge_kw[4] = edge_kw[3] + third
    price[5] = max(unserved_per_kwh, price[4])


@inner
def _moves(
    net_kw: float, edge_kw: Floats, price: Floats, storage: Floats, slot_h: float, length: Floats, slope: Floats
) -> int:
    """What moving energy costs in one slot, as stretches of stored kWh from full charging to full discharging.

    Fills `length` and `slope` (falling), gives how many there are.
    """
    wear = storage[6]
    gain = storage[4] * slot_h
    loss = slot_h / storage[5]
    count = 0
    at = edge_kw.size
    high = net_kw + storage[2]
    end = net_kw - storage[3]
    while high > end:
        while at > 0 and edge_kw[at - 1] >= high:
            at -= 1
        charging = high > net_kw
        low = net_kw if charging else end
        if at > 0:
            low = max(low, edge_kw[at - 1])
        length[count] = (high - low) * (gain if charging else loss)
        slope[count] = price[at] / storage[4] + wear if charging else price[at] * storage[5] - wear
        count += 1
        high = low
    return count


@inner
def _step_back(
    old: Floats, width: float, length: Floats, slope: Floats, moves: int, charge_kwh: float, fresh: Floats
) -> None:
    """From `old`, the curve at a slot's end, write `fresh`, that at its beginning: merge, then average in cells.

    The merged list begins a full charging (`charge_kwh`) below the lowest energy; what lies outside is left out.
    """
    cells = old.size
    tiny = 1e-12 * width
    cell, move, into = 0, 0, 0
    left_cell, left_move = width, length[0]
    skip, room, total = charge_kwh, width, 0.0
    while into < cells:
        from_move = move < moves and (cell >= cells or slope[move] >= old[cell])
        if not from_move and cell >= cells:
            break
        worth = slope[move] if from_move else old[cell]
        have = left_move if from_move else left_cell
        take = min(have, skip) if skip > 0.0 else min(have, room)
        if skip > 0.0:
            skip -= take
        else:
            total += worth * take
            room -= take
            if room <= tiny:
                fresh[into] = total / width
                into += 1
                room, total = width, 0.0
        if from_move:
            left_move -= take
            if left_move <= 0.0:
                move += 1
                left_move = length[move] if move < moves else 0.0
        else:
            left_cell -= take
            if left_cell <= tiny:
                cell += 1
                left_cell = width
    while into < cells:
        fresh[into] = (total + old[cells - 1] * room) / width
        room, total = width, 0.0
        into += 1


def _example() -> tuple[Any, ...]:
    edge, price = np.zeros((2, LADDER_STEPS)), np.zeros((2, LADDER_STEPS + 1))
    for slot in range(2):
        fill_ladder(edge[slot], price[slot], 0.5, 0.1, 100.0, 50.0, 100.0, 0.0, 0.0, 0.0, 20.0)
    return (
        np.zeros((2, 2)),
        np.full(2, 0.5),
        edge,
        price,
        np.full(2, 0.2),
        np.full(8, 0.3),
        np.array([10.0, 90.0, 30.0, 30.0, 0.95, 0.95, 0.01]),
        1.0,
    )


@inner
def _may_change(curves: Floats, fail: float, repair: float) -> None:
    """Expect over whether the grid goes or comes back, in place; `curves` (2, cells): grid there, grid away."""
    for cell in range(curves.shape[1]):
        up, down = curves[0, cell], curves[1, cell]
        curves[0, cell] = up + fail * (down - up)
        curves[1, cell] = down + repair * (up - down)


@inner
def curves_with_outages(
    net_kw: Floats,
    weight: Floats,
    edge_kw: Floats,
    price: Floats,
    edge_down_kw: Floats,
    price_down: Floats,
    fail: float,
    repair: float,
    mix: Floats,
    terminal_per_kwh: Floats,
    storage: Floats,
    slot_h: float,
) -> Floats:
    """As `marginal_curve`, (2, cells): at the beginning of slot 0, with the grid there and with the grid away.

    `fail` is the chance that the grid goes in a slot, `repair` that it comes back; `edge_down_kw` and `price_down`
    are the ladders without it. With `fail` and `repair` 0 the second curve is not computed and is the terminal one.
    """
    count, slots = net_kw.shape
    cells = terminal_per_kwh.size
    states = 2 if fail > 0.0 or repair > 0.0 else 1
    width = (storage[1] - storage[0]) / cells
    curves = np.empty((2, count, cells))
    mean = np.empty((2, cells))
    for state in range(2):
        mean[state] = terminal_per_kwh
        for one in range(count):
            curves[state, one] = terminal_per_kwh
    fresh = np.empty((2, cells))
    old = np.empty(cells)
    length = np.empty(edge_kw.shape[1] + 3)
    slope = np.empty(edge_kw.shape[1] + 3)
    charge_kwh = storage[2] * storage[4] * slot_h
    for back in range(slots):
        slot = slots - 1 - back
        part = mix[slot]
        fresh[:] = 0.0
        if states == 2:
            _may_change(mean, fail, repair)
        for one in range(count):
            if states == 2:
                _may_change(curves[:, one], fail, repair)
            for state in range(states):
                curve = curves[state, one]
                for cell in range(cells):
                    old[cell] = curve[cell] + part * (mean[state, cell] - curve[cell])
                if state == 0:
                    moves = _moves(net_kw[one, slot], edge_kw[slot], price[slot], storage, slot_h, length, slope)
                else:
                    moves = _moves(
                        net_kw[one, slot], edge_down_kw[slot], price_down[slot], storage, slot_h, length, slope
                    )
                _step_back(old, width, length, slope, moves, charge_kwh, curve)
                for cell in range(cells):
                    fresh[state, cell] += weight[one] * curve[cell]
        mean[:states] = fresh[:states]
    return mean


@kernel(example=_example)
def marginal_curve(
    net_kw: Floats,
    weight: Floats,
    edge_kw: Floats,
    price: Floats,
    mix: Floats,
    terminal_per_kwh: Floats,
    storage: Floats,
    slot_h: float,
) -> Floats:
    """The marginal value of stored energy at the beginning of slot 0, yuan per stored kWh, (cells,).

    `net_kw` (n, slots) is load less PV in each scenario, `weight` (n,) sums to 1, `edge_kw` (slots, steps) and
    `price` (slots, steps + 1) are the ladders, `mix` (slots,) is the part of the weighted mean that is mixed in before
    the step back over that slot (1: independent from slot to slot, 0: every scenario for itself), `terminal_per_kwh`
    (cells,) is the curve at the end. 16 to 32 cells are enough.
    """
    both = curves_with_outages(
        net_kw, weight, edge_kw, price, edge_kw, price, 0.0, 0.0, mix, terminal_per_kwh, storage, slot_h
    )
    mean: Floats = both[0].copy()
    return mean


@inner
def execute_by_curve(
    curve: Floats, energy_kwh: float, net_kw: float, edge_kw: Floats, price: Floats, storage: Floats, slot_h: float
) -> float:
    """The best power of the storage now, kW at the bus, positive discharges.

    `curve` is what energy is worth at the end of this moment of `slot_h` hours, `net_kw` the actual load less PV,
    `edge_kw` (steps,) and `price` (steps + 1,) this moment's ladder. Charges while a kWh costs less than it is worth,
    discharges while it saves more. Within the power limits and the usable energy.
    """
    cells = curve.size
    width = (storage[1] - storage[0]) / cells
    length = np.empty(edge_kw.size + 3)
    slope = np.empty(edge_kw.size + 3)
    moves = _moves(net_kw, edge_kw, price, storage, slot_h, length, slope)
    change = -storage[3] * slot_h / storage[5]
    floor = storage[0] - energy_kwh
    ceiling = storage[1] - energy_kwh
    for back in range(moves):
        move = moves - 1 - back
        end = change + length[move]
        # Where the worth falls to this stretch's price, as an amount of change from now.
        worth_until = floor
        # Of equals less in store is better: what is kept for as much as it brings now may find no room tomorrow.
        least = slope[move] + _EQUAL * abs(slope[move])
        if curve[0] > least:
            high = cells
            low = 0
            while high - low > 1:
                middle = (low + high) // 2
                if curve[middle] > least:
                    low = middle
                else:
                    high = middle
            worth_until = floor + high * width
        if worth_until < end:
            change = max(change, worth_until)
            break
        change = end
    change = min(max(change, min(floor, 0.0)), max(ceiling, 0.0))
    if change > 0.0:
        return -float(min(change / (storage[4] * slot_h), storage[2]))
    return float(min(-change * storage[5] / slot_h, storage[3]))
