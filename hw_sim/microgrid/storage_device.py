"""A storage converter's registers: owns SunSpec models 1, 701, 702, 704, 713 and 715 of one simulated storage.

`WSet` is in watts, positive where it discharges; without a refresh in `WSetRvrtTms` it falls to 0. Once a master has
counted in `ControllerHb`, silence there for `HEARTBEAT_LIMIT_S` does the same. `OpCtl` 1 starts (on a dead bus: black
start by the forming storage), 0 stops.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from hw_sim.microgrid.storage import Storage
from hw_sim.microgrid.sunspec_device import SunSpecDevice, fitting_scale
from hw_sim.microgrid.sunspec_map import ModelWish, SunSpecMap
from hw_sim.microgrid.world import World

LINE_V = 690.0
HEARTBEAT_LIMIT_S = 15.0
_OFF, _RUNNING, _THROTTLED, _FAULT, _STANDBY = 0, 3, 4, 6, 7
_AC_DISCONNECT, _OVER_TEMP = 1 << 2, 1 << 7
_FOLLOWING, _FORMING = 1 << 0, 1 << 1
_FIXED_W = 1 << 1
_INT_ISL, _BLACK_START = 1 << 1, 1 << 2
_STOP, _START, _ENTER_STANDBY, _EXIT_STANDBY = range(4)
_POWER_POINTS = {"WSetEna", "WSetMod", "WSet", "WSetPct", "WSetRvrtTms", "WSetEnaRvrt", "WSetRvrt"}
_BY_PERCENT, _BY_WATTS = 0, 1


class StorageDevice(SunSpecDevice):
    """One converter with its battery."""

    def __init__(self, storage: Storage, world: World, *, advance: Callable[[], None]) -> None:
        config = storage.config
        self._most_w = 1000.0 * max(config.charge_max_kw, config.discharge_max_kw)
        watts = fitting_scale(1.3 * self._most_w, finest=0)
        hours = fitting_scale(1000.0 * config.capacity_kwh, top=64_000, finest=0)
        super().__init__(
            SunSpecMap(
                [
                    ModelWish(1),
                    ModelWish(
                        701,
                        {
                            "A_SF": 0,
                            "V_SF": -1,
                            "Hz_SF": -3,
                            "W_SF": watts,
                            "PF_SF": -2,
                            "VA_SF": watts,
                            "Var_SF": watts,
                            "TotWh_SF": 0,
                            "TotVarh_SF": 0,
                            "Tmp_SF": -1,
                        },
                    ),
                    ModelWish(
                        702,
                        {"W_SF": watts, "PF_SF": -2, "VA_SF": watts, "Var_SF": watts, "V_SF": -1, "A_SF": 0, "S_SF": 0},
                    ),
                    ModelWish(
                        704,
                        {
                            "PF_SF": -2,
                            "WMaxLimPct_SF": -2,
                            "WSet_SF": 0,
                            "WSetPct_SF": -2,
                            "VarSet_SF": 0,
                            "VarSetPct_SF": -2,
                        },
                    ),
                    ModelWish(713, {"WH_SF": hours, "Pct_SF": -2}),
                    ModelWish(715),
                ]
            ),
            advance=advance,
        )
        self._storage, self._world = storage, world
        self._beat: float | None = None
        self._beat_at_s: float | None = None
        self._put_fixed()

    def _put_fixed(self) -> None:
        put, config = self.points.put, self._storage.config
        put(1, "Mn", "Invented Storage")
        put(1, "Md", f"{config.chemistry.upper()}-{config.capacity_kwh:.0f}")
        put(1, "Vr", "1.0")
        put(1, "SN", config.id)
        put(1, "DA", 1)
        put(701, "ACType", 2)
        for point in ("WMaxRtg", "VAMaxRtg", "WMax", "VAMax"):
            put(702, point, self._most_w)
        put(702, "WChaRteMaxRtg", config.charge_max_kw * 1000.0)
        put(702, "WDisChaRteMaxRtg", config.discharge_max_kw * 1000.0)
        put(702, "VNomRtg", LINE_V)
        put(702, "CtrlModes", _FIXED_W)
        put(702, "IntIslandCatRtg", _INT_ISL | _BLACK_START if config.grid_forming else 0)
        for point in ("WSetEna", "WSet", "WSetRvrt", "WSetRvrtTms", "WSetEnaRvrt", "WSetPct"):
            put(704, point, 0)
        put(704, "WSetMod", _BY_WATTS)
        put(715, "LocRemCtl", 0)
        put(715, "ControllerHb", 0)
        put(715, "OpCtl", _START)

    def refresh(self) -> None:
        """Bring all points up to date."""
        self.watch()
        self._put_ac()
        self._put_battery()
        self._put_control()

    def watch(self) -> None:
        """A master that used to count has fallen silent: no power."""
        if self._beat_at_s is not None and self._world.device_s - self._beat_at_s > HEARTBEAT_LIMIT_S:
            self._storage.wanted_kw = 0.0
            self._beat_at_s = None

    def _put_ac(self) -> None:
        put, storage, shown, bus = self.points.put, self._storage, self.faults.shown, self._world.bus
        watts = shown("W", storage.power_kw * 1000.0)
        put(701, "St", int(storage.usable))
        put(701, "InvSt", self._state())
        put(701, "ConnSt", int(storage.usable and bus.live))
        hot = storage.derating < 1.0
        put(701, "Alrm", (_AC_DISCONNECT if storage.tripped else 0) | (_OVER_TEMP if hot else 0))
        forms = storage.config.grid_forming and not self._world.breaker.closed
        put(701, "DERMode", _FORMING if forms else _FOLLOWING)
        put(701, "W", watts)
        put(701, "VA", abs(watts))
        put(701, "Var", 0.0)
        put(701, "A", watts / (math.sqrt(3) * LINE_V))
        put(701, "LLV", LINE_V if bus.live else 0.0)
        put(701, "LNV", LINE_V / math.sqrt(3) if bus.live else 0.0)
        put(701, "Hz", shown("Hz", bus.hz))
        put(701, "TotWhInj", storage.discharged_kwh * 1000.0)
        put(701, "TotWhAbs", storage.charged_kwh * 1000.0)
        put(701, "TmpAmb", self._world.air_c)
        put(701, "TmpCab", shown("TmpCab", storage.temperature_c))
        put(701, "ThrotPct", 100.0 * storage.derating)

    def _state(self) -> int:
        storage = self._storage
        if storage.tripped:
            return _FAULT
        if storage.standby:
            return _OFF
        if not self._world.bus.live:
            return _STANDBY
        return _THROTTLED if storage.derating < 1.0 else _RUNNING

    def _put_battery(self) -> None:
        put, storage, shown = self.points.put, self._storage, self.faults.shown
        put(702, "WChaRteMax", storage.charge_max_kw * 1000.0)
        put(702, "WDisChaRteMax", storage.discharge_max_kw * 1000.0)
        put(713, "WHRtg", storage.config.capacity_kwh * 1000.0)
        put(713, "WHAvail", storage.energy_kwh * 1000.0)
        put(713, "SoC", shown("SoC", storage.soc_frac * 100.0))
        put(713, "SoH", storage.soh_frac * 100.0)
        put(713, "Sta", 2 if storage.tripped else int(storage.derating < 1.0))

    def _put_control(self) -> None:
        put, storage = self.points.put, self._storage
        remaining_s = storage.remaining_s(self._world.device_s)
        put(704, "WSetRvrtRem", remaining_s)
        if self.points.get(704, "WSetEna") and storage.wanted_kw == 0.0 and remaining_s <= 0 and storage.revert_s > 0:
            put(704, "WSetEna", 0)
            put(704, "WSet", 0)
        put(715, "DERHb", int(self._world.device_s) & 0x7FFFFFFF)

    def check(self, wanted: SunSpecMap, written: list[tuple[int, str]]) -> bool:
        """A set-point lies within the ratings; switches are what the model allows."""
        watts, config = wanted.get(704, "WSet") or 0.0, self._storage.config
        percent = wanted.get(704, "WSetPct") or 0.0
        return (
            -config.charge_max_kw * 1000.0 - 1.0 <= watts <= config.discharge_max_kw * 1000.0 + 1.0
            and abs(percent) <= 100.0
            and wanted.get(704, "WSetEna") in (0, 1)
            and wanted.get(704, "WSetMod") in (_BY_PERCENT, _BY_WATTS)
            and wanted.get(715, "OpCtl") in (_STOP, _START, _ENTER_STANDBY, _EXIT_STANDBY)
        )

    def take(self, written: list[tuple[int, str]]) -> None:
        """Follow the new set-point, heartbeat or operation."""
        names = {point for model, point in written}
        if names & _POWER_POINTS:
            self._take_power()
        if "ControllerHb" in names and (beat := self.points.get(715, "ControllerHb")) != self._beat:
            self._beat, self._beat_at_s = beat, self._world.device_s
        if "OpCtl" in names:
            self._operate(int(self.points.get(715, "OpCtl") or 0))

    def _take_power(self) -> None:
        points, storage = self.points, self._storage
        enabled = bool(points.get(704, "WSetEna"))
        if points.get(704, "WSetMod") == _BY_WATTS:
            wanted_kw = (points.get(704, "WSet") or 0.0) / 1000.0
        else:
            wanted_kw = (points.get(704, "WSetPct") or 0.0) / 100.0 * self._most_w / 1000.0
        storage.wanted_kw = wanted_kw if enabled else 0.0
        storage.revert_s = points.get(704, "WSetRvrtTms") or 0.0
        storage.heard(self._world.device_s)

    def _operate(self, operation: int) -> None:
        self._storage.standby = operation in (_STOP, _ENTER_STANDBY)
        if operation == _START and self._storage.config.grid_forming:
            self._world.bus.ask_for_black_start()
