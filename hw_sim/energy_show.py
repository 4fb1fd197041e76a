"""What the demonstration shows of the microgrid: owns its small programme and telling what happens there.

A vehicle that can feed back comes, a PV string fails (the gateway is to find it), a cloud passes, the utility fails
for a short while; a short demonstration has all of it sooner. Told is what the simulated devices do and in which mode
the gateway is; figures are kW.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from hw_sim.camera import LOCAL_TIME

CLOUD_S, CLOUD_TAKES = 15.0, 0.85
SHOW_CHARGER, SHOW_STRING = "cp-08", "pv-2/s4"
# A change is told when it is larger than this, and a direction of power when it has lasted.
CLOUD_DROP_FRAC, STORAGE_KW, STORAGE_LASTS_S = 0.2, 60.0, 3.0
SUNNY_KW = 100.0
_MODES = {
    "grid_tied": "并网 tied to the grid",
    "islanding": "离网切换 leaving the grid",
    "islanded": "孤岛运行 on its own",
    "black_start": "黑启动 black start",
    "resynchronising": "同期并网 coming back into step",
    "hold": "保持 holding the safe state",
}
_STORAGE = {1: "放电 discharges", -1: "充电 charges", 0: "静置 rests"}


@dataclass(frozen=True, slots=True)
class Programme:
    """When what happens, in seconds from the first look. No `outage_at_s`: the utility stays."""

    vehicle_at_s: float
    string_at_s: float
    cloud_at_s: float
    outage_at_s: float | None
    outage_s: float


LEISURELY = Programme(vehicle_at_s=12.0, string_at_s=20.0, cloud_at_s=45.0, outage_at_s=150.0, outage_s=30.0)
BRISK = Programme(vehicle_at_s=3.0, string_at_s=6.0, cloud_at_s=4.0, outage_at_s=20.0, outage_s=12.0)
# A demonstration as long as this takes its time; one shorter than that has none for an outage and the return from it.
LEISURELY_FROM_S, OUTAGE_FROM_S = 240.0, 55.0


def programme_for(seconds: float | None, outage_at_s: float | None) -> Programme:
    """What fits into a demonstration of so many seconds (None: until somebody ends it)."""
    chosen = LEISURELY if seconds is None or seconds >= LEISURELY_FROM_S else BRISK
    if outage_at_s is not None:
        return replace(chosen, outage_at_s=outage_at_s)
    return chosen if seconds is None or seconds >= OUTAGE_FROM_S else replace(chosen, outage_at_s=None)


class Stage(Protocol):
    """What is looked at and played on."""

    async def energy_look(self) -> tuple[dict[str, Any], str]:
        """The simulator's state, and the gateway's mode."""
        ...

    async def energy_post(self, path: str, body: dict[str, Any]) -> None:
        """To the simulator."""
        ...


class Voice(Protocol):
    """Who says it."""

    def say(self, text: str) -> None:
        """One line."""
        ...


@dataclass(slots=True)
class EnergyTeller:
    """Turns states that follow one another into lines."""

    _mode: str = ""
    _grid_live: bool = True
    _bus_live: bool = True
    _vehicles: dict[str, str | None] | None = None
    _pv_high_kw: float = 0.0
    _clouded: bool = False
    _sun_told: bool = False
    _string_dark: bool = False
    _direction: int | None = None
    _turning: tuple[int, float] | None = None
    _lines: list[str] = field(default_factory=list)

    def tell(self, state: dict[str, Any], mode: str, now_s: float) -> list[str]:
        """The lines for one look."""
        self._lines = []
        self._tell_grid(state, mode)
        self._tell_vehicles(state)
        self._tell_night(state)
        self._tell_string(state)
        self._tell_sun(state)
        self._tell_storage(state, now_s)
        return self._lines

    @property
    def at_rest(self) -> bool:
        """Whether the site is on the utility, as far as is known."""
        return self._grid_live and self._mode in ("", "grid_tied")

    def _add(self, at: str, text: str) -> None:
        clock = datetime.now(LOCAL_TIME).strftime("%H:%M:%S")
        self._lines.append(f"{clock}  {at:11} {text}")

    def _tell_grid(self, state: dict[str, Any], mode: str) -> None:
        if state["grid_live"] != self._grid_live:
            self._grid_live = state["grid_live"]
            word = "电网恢复 the utility is back" if self._grid_live else "电网失电 the utility fails"
            self._add("grid", word)
        if state["bus_live"] != self._bus_live:
            self._bus_live = state["bus_live"]
            self._add("bus", "恢复供电 power is back" if self._bus_live else "全停 blackout")
        if mode and mode != self._mode:
            before, self._mode = self._mode, mode
            if before:
                self._add("microgrid", f"{_MODES.get(mode, mode)}   {_flows(state)}")

    def _tell_vehicles(self, state: dict[str, Any]) -> None:
        now = {name: charger["vehicle"] for name, charger in state["chargers"].items()}
        before, self._vehicles = self._vehicles, now
        if before is None:
            return
        for name, vehicle in now.items():
            if vehicle and vehicle != before.get(name):
                needed = state["chargers"][name]["needed_kwh"]
                self._add(name, f"车辆接入 a vehicle comes, wants {needed:.0f} kWh")
            elif before.get(name) and not vehicle:
                self._add(name, "车辆离开 the vehicle goes")

    def _tell_night(self, state: dict[str, Any]) -> None:
        if not self._sun_told and state["sun_elevation_deg"] < 0:
            self._add("PV", "岛上是夜里，光伏不发电；--hour 10 看白天 it is night; --hour 10 shows the day")
        self._sun_told = True

    def _tell_string(self, state: dict[str, Any]) -> None:
        inverter, string = SHOW_STRING.split("/")
        dark = state["pv_available_kw"] > SUNNY_KW and state["inverters"][inverter]["strings"][string] <= 0
        if dark and not self._string_dark and state["inverters"][inverter]["power_kw"] > 0:
            self._string_dark = True
            self._add(SHOW_STRING, "组串断开，诊断约需 15 分钟 a PV string fails; the diagnosis takes about 15 min")

    def _tell_sun(self, state: dict[str, Any]) -> None:
        available_kw = state["pv_available_kw"]
        if self._clouded:
            if available_kw > (1 - CLOUD_DROP_FRAC / 2) * self._pv_high_kw:
                self._clouded = False
                self._add("PV", f"云过去了 the cloud has passed: {available_kw:.0f} kW")
            return
        self._pv_high_kw = max(available_kw, 0.995 * self._pv_high_kw)
        if self._pv_high_kw > SUNNY_KW and available_kw < (1 - CLOUD_DROP_FRAC) * self._pv_high_kw:
            self._clouded = True
            self._add("PV", f"云来了 a cloud passes: {self._pv_high_kw:.0f} → {available_kw:.0f} kW")

    def _tell_storage(self, state: dict[str, Any], now_s: float) -> None:
        power_kw = state["storage_kw"]
        direction = 0 if abs(power_kw) < STORAGE_KW else (1 if power_kw > 0 else -1)
        if direction == self._direction:
            self._turning = None
            return
        if self._turning is None or self._turning[0] != direction:
            self._turning = (direction, now_s)
        if self._direction is None or now_s - self._turning[1] >= STORAGE_LASTS_S:
            self._direction, self._turning = direction, None
            self._add("storage", f"储能{_STORAGE[direction]} {abs(power_kw):.0f} kW   {_flows(state)}")


def _flows(state: dict[str, Any]) -> str:
    grid_kw = state["grid_kw"]
    grid = f"购电 import {grid_kw:.0f}" if grid_kw >= 0 else f"上网 export {-grid_kw:.0f}"
    drawn_kw = state["load_kw"] + state["ev_kw"]
    return f"[光伏 PV {state['pv_kw']:.0f}  负荷 load {drawn_kw:.0f}  {grid}  {state['bus_hz']:.2f} Hz]"


class EnergyShow:
    """Plays the programme and tells what is seen. Seconds count from the first look."""

    def __init__(self, stage: Stage, voice: Voice, programme: Programme) -> None:
        self._stage, self._voice = stage, voice
        self._teller = EnergyTeller()
        self._began_s: float | None = None
        acts: list[tuple[float | None, str, dict[str, Any]]] = [
            (programme.vehicle_at_s, "/arrivals", {"charger": SHOW_CHARGER}),
            (programme.string_at_s, "/faults", {"device": SHOW_STRING, "fault": "outage"}),
            (programme.cloud_at_s, "/weather", {"cloud": CLOUD_TAKES, "seconds": CLOUD_S}),
            (programme.outage_at_s, "/outage", {"seconds": programme.outage_s}),
        ]
        timed = [(at_s, path, body) for at_s, path, body in acts if at_s is not None]
        self._acts = sorted(timed, key=lambda act: act[0])

    @property
    def at_rest(self) -> bool:
        """Whether the site is on the utility again."""
        return self._teller.at_rest

    def end(self) -> None:
        """Nothing more is played; what happens is still told."""
        self._acts = []

    async def look(self, now_s: Callable[[], float] | None = None) -> None:
        """Play what is due, and tell what is new."""
        at_s = (now_s or asyncio.get_running_loop().time)()
        if self._began_s is None:
            self._began_s = at_s
        while self._acts and self._acts[0][0] <= at_s - self._began_s:
            _, path, body = self._acts.pop(0)
            await self._stage.energy_post(path, body)
        state, mode = await self._stage.energy_look()
        for line in self._teller.tell(state, mode, at_s):
            self._voice.say(line)
