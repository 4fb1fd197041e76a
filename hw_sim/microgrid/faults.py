"""Faults on request: owns their names, on what they act, and what they refuse.

A device is named by its id; one string of an inverter is `inverter/string`; `meter`, `breaker`, `grid` and `weather`
are there once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from control.domain.errors import IslandError
from hw_sim.microgrid.config import Sky
from hw_sim.microgrid.device_faults import DeviceFaults
from hw_sim.microgrid.pv import StringFaults
from hw_sim.microgrid.world import World

Switch = Callable[[Any], None]


class UnknownFault(IslandError):
    """A device or fault that this simulator does not have, or a value that it cannot take."""


class FaultBoard:
    """All faults of one world; `wires` are the devices' switches by id."""

    def __init__(self, world: World, wires: Mapping[str, DeviceFaults]) -> None:
        self._world = world
        self._switches: dict[str, dict[str, Switch]] = {name: _on_wire(faults) for name, faults in wires.items()}
        self._add_devices()
        self._add_surroundings()

    def names(self) -> dict[str, list[str]]:
        """What can be switched, by device."""
        return {device: sorted(switches) for device, switches in self._switches.items()}

    def set(self, device: str, fault: str, value: Any) -> None:
        """Switch one fault. Raises UnknownFault, naming what is known."""
        switches = self._switches.get(device)
        if switches is None:
            raise UnknownFault(f"There is no device {device!r}; known: {', '.join(self._switches)}.")
        if fault not in switches:
            raise UnknownFault(f"{device} has no fault {fault!r}; known: {', '.join(sorted(switches))}.")
        try:
            switches[fault](value)
        except (TypeError, ValueError) as error:
            raise UnknownFault(f"{device}: the fault {fault!r} cannot be {value!r}: {error}") from error

    def _add_devices(self) -> None:
        world = self._world
        for inverter_id, inverter in world.inverters.items():
            shares = {name: _share(inverter, name) for name in ("derating_frac", "oversized_frac")}
            self._add(inverter_id, {"trip": _flag(inverter, "tripped"), **shares})
            for string in inverter.strings:
                self._add(f"{inverter_id}/{string.id}", _on_string(string.faults))
        for storage_id, storage in world.storages.items():
            self._add(
                storage_id, {"trip": _flag(storage, "tripped"), "temperature_c": _number(storage, "temperature_c")}
            )
        for charger_id, charger in world.chargers.items():
            self._add(charger_id, {"trip": _flag(charger, "tripped")})
        for load_id, load in world.loads.items():
            self._add(load_id, {"trip": _flag(load, "tripped"), "extra_kw": _number(load, "extra_kw")})

    def _add_surroundings(self) -> None:
        world = self._world
        self._add("breaker", {"trip": _flag(world.breaker, "kept_open")})
        self._add("grid", {"outage_s": lambda value: world.grid.ask_for_outage(world.world_s, float(value))})
        self._add(
            "weather",
            {
                "cloud_s": lambda value: world.weather.ask_for_cloud(world.at, takes_frac=0.85, seconds=float(value)),
                "sky": lambda value: setattr(world.weather, "sky", Sky(value)),
            },
        )

    def _add(self, device: str, switches: dict[str, Switch]) -> None:
        self._switches.setdefault(device, {}).update(switches)


def _on_wire(faults: DeviceFaults) -> dict[str, Switch]:
    return {
        "silent": _flag(faults, "silent"),
        "reject_writes": _flag(faults, "reject_writes"),
        "ignore_writes": _flag(faults, "ignore_writes"),
        "write_delay_s": _number(faults, "write_delay_s", low=0.0, high=60.0),
        "stuck": _flag(faults, "stuck"),
        "scale": _number(faults, "scale"),
        "spikes": _share(faults, "spikes"),
    }


def _on_string(faults: StringFaults) -> dict[str, Switch]:
    return {
        "outage": _flag(faults, "outage"),
        "shading_frac": _share(faults, "shading_frac"),
        "soiling_frac": _share(faults, "soiling_frac"),
        "frozen": _flag(faults, "frozen"),
    }


def _flag(target: object, name: str) -> Switch:
    return lambda value: setattr(target, name, bool(value))


def _share(target: object, name: str) -> Switch:
    return _number(target, name, low=0.0, high=1.0)


def _number(target: object, name: str, *, low: float = -1e9, high: float = 1e9) -> Switch:
    def switch(value: Any) -> None:
        number = float(value)
        if not low <= number <= high:
            raise ValueError(f"allowed are {low:g} to {high:g}")
        setattr(target, name, number)

    return switch
