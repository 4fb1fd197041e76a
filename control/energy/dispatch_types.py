"""What the fast loop takes and gives: owns the frozen picture of one second and the commands that follow from it.

A value that could not be had is None, never 0. Signs as in `control.domain.energy`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from operator import attrgetter
from typing import Any

from control.domain.energy import GridMode, LoadTier
from control.energy.plan import ValueCurve


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageNow:
    """One storage. The limits are what its management system allows now, both positive."""

    id: str
    soc_frac: float | None
    power_kw: float | None
    charge_max_kw: float
    discharge_max_kw: float
    usable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PvNow:
    """One inverter. `available_kw` is what the sun would give without a limit, as far as is known."""

    id: str
    power_kw: float | None
    available_kw: float | None
    usable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class EvNow:
    """One connected vehicle. `depart_in_s` is None where nobody said when it leaves.

    `worth_per_kwh` is what the planner holds one more kWh in this vehicle to be worth, where it says so.
    """

    id: str
    power_kw: float | None
    min_kw: float
    max_kw: float
    v2g_kw: float = 0.0
    soc_frac: float | None = None
    needed_kwh: float | None = None
    depart_in_s: float | None = None
    usable: bool = True
    worth_per_kwh: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadNow:
    """One feeder. `switched_s` is how long it has been on or off as it is."""

    id: str
    tier: LoadTier
    sheddable: bool
    power_kw: float | None
    on: bool
    switched_s: float
    rated_kw: float
    min_off_s: float
    min_on_s: float
    usable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteNow:
    """One second of the whole site.

    `grid_live` is whether the utility's side of the breaker has voltage; `grid_hz` its frequency, `bus_hz` ours.
    `in_sync` is the breaker's own synchronism relay; voltages are parts of the nominal one. Without `in_sync` two live
    sides are never joined. `peak_so_far_kw` is the highest metered mean import of this month.
    `now_s` is monotonic. `import_price`, `export_price` and `carbon_price_per_kwh` are yuan a kWh of this moment.
    """

    now_s: float
    grid_kw: float | None
    breaker_closed: bool | None
    grid_live: bool | None
    grid_hz: float | None
    bus_hz: float | None
    import_price: float
    export_price: float
    carbon_price_per_kwh: float
    storages: tuple[StorageNow, ...] = ()
    pvs: tuple[PvNow, ...] = ()
    evs: tuple[EvNow, ...] = ()
    loads: tuple[LoadNow, ...] = ()
    hold_wanted: bool = False
    storage_wanted_kw: float | None = None  # a person has taken over: positive discharges
    in_sync: bool | None = None
    grid_v_frac: float | None = None
    bus_v_frac: float | None = None
    peak_so_far_kw: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchState:
    """What the fast loop remembers from one second to the next.

    Timers count seconds by cycles, each for two cycles at most, so that no leap of the clock lets one run out.
    """

    mode: GridMode = GridMode.GRID_TIED
    mode_since_s: float = 0.0
    last_s: float | None = None
    last_grid_kw: float | None = None
    storage_kw: dict[str, float] = field(default_factory=dict)
    pv_limit_kw: dict[str, float] = field(default_factory=dict)
    meter_lost_cycles: int = 0
    grid_good_since_s: float | None = None
    grid_bad_s: float = 0.0
    grid_good_s: float = 0.0
    bus_good_s: float = 0.0
    sync_s: float = 0.0
    mode_s: float = 0.0
    meter_good_cycles: int = 0
    forming: str | None = None
    storage_seen_kw: dict[str, float] = field(default_factory=dict)
    storage_deaf_cycles: dict[str, int] = field(default_factory=dict)
    ev_limit_kw: dict[str, float] = field(default_factory=dict)
    shed_s: dict[str, float] = field(default_factory=dict)  # loads that this loop holds off, and for how long
    restore_s: float = 1e9  # since a load was last given back or taken softly
    calm_s: float = 0.0  # since there was last something to shed
    export_over_cycles: int = 0
    import_over_cycles: int = 0
    direction: int = 0  # 1 the storages discharge by wish, -1 they charge
    idle_s: float = 1e9  # since the other direction
    meter_kw: float | None = None  # the meter's figure, and what was known to be supplied when it was first seen
    meter_supply_kw: dict[str, float] = field(default_factory=dict)
    meter_old_cycles: int = 0
    balance_kw: float | None = None  # what nobody commands, by the last figure that was not old
    told_kw: float | None = None  # what storages and inverters may give together, and how that moved last
    moved_kw: float = 0.0
    turned_kw: float = 0.0
    swing_kw: float = 0.0
    wary_s: float = 0.0
    slow_s: float = 1e9  # since storages were last too slow for the export limit
    storage_told_kw: dict[str, tuple[float, ...]] = field(default_factory=dict)  # set-points, newest last


_STATE = {one.name: place for place, one in enumerate(fields(DispatchState))}
_values = attrgetter(*_STATE)
_slots = tuple(getattr(DispatchState, name).__set__ for name in _STATE)


def changed(state: DispatchState, **changes: Any) -> DispatchState:
    """The state with these fields changed: `dataclasses.replace` for every second of the loop, in half its time."""
    values = list(_values(state))
    for name, value in changes.items():
        values[_STATE[name]] = value
    made = object.__new__(DispatchState)
    for put, value in zip(_slots, values, strict=True):
        put(made, value)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """What is written to the devices. A PV limit of None means no limit; `breaker` None leaves it."""

    storage_kw: dict[str, float]
    pv_limit_kw: dict[str, float | None]
    ev_limit_kw: dict[str, float]
    load_on: dict[str, bool]
    breaker_closed: bool | None = None
    grid_forming: str | None = None
    bus_hz_wanted: float | None = None  # while resynchronising: the frequency that the forming storage should make


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One second's answer. `binding` names what decided, `unmet` the limits that could not be kept, in kW over.

    `why` says in a few words what moved the mode, and is empty while it stays.
    """

    commands: Commands
    state: DispatchState
    binding: str
    why: str = ""
    unmet: dict[str, float] = field(default_factory=dict)


__all__ = [
    "Commands",
    "Dispatch",
    "DispatchState",
    "EvNow",
    "LoadNow",
    "PvNow",
    "SiteNow",
    "StorageNow",
    "ValueCurve",
    "changed",
]
