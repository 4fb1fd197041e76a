"""A PV inverter's registers: owns SunSpec models 1, 103, 120, 123 and 160 of one simulated inverter."""

from __future__ import annotations

import math
from collections.abc import Callable

from hw_sim.microgrid.pv import Inverter
from hw_sim.microgrid.sunspec_device import SunSpecDevice, fitting_scale
from hw_sim.microgrid.sunspec_map import ModelWish, SunSpecMap
from hw_sim.microgrid.world import World

LINE_V = 800.0
_OFF, _SLEEPING, _MPPT, _THROTTLED, _FAULT, _STANDBY = 1, 2, 4, 5, 7, 8
_AC_DISCONNECT, _OVER_TEMP = 1 << 2, 1 << 7
_LIMIT_POINTS = {"WMaxLimPct", "WMaxLim_Ena", "WMaxLimPct_RvrtTms"}
_PV = 4


class InverterDevice(SunSpecDevice):
    """`WMaxLimPct` is in percent of the rating; not refreshed in `WMaxLimPct_RvrtTms`, the configured limit holds."""

    def __init__(self, inverter: Inverter, world: World, *, advance: Callable[[], None]) -> None:
        rated_w = inverter.rated_kw * 1000.0
        watts = fitting_scale(1.3 * rated_w, finest=0)
        string_w = max(s.rated_dc_kw for s in inverter.strings) * 1300.0
        super().__init__(
            SunSpecMap(
                [
                    ModelWish(1),
                    ModelWish(
                        103,
                        {
                            "A_SF": -1,
                            "V_SF": -1,
                            "W_SF": watts,
                            "Hz_SF": -2,
                            "VA_SF": watts,
                            "VAr_SF": watts,
                            "PF_SF": -2,
                            "WH_SF": 0,
                            "DCA_SF": 0,
                            "DCV_SF": -1,
                            "DCW_SF": watts,
                            "Tmp_SF": -1,
                        },
                    ),
                    ModelWish(
                        120, {"WRtg_SF": watts, "VARtg_SF": watts, "VArRtg_SF": watts, "ARtg_SF": 0, "PFRtg_SF": -2}
                    ),
                    ModelWish(123, {"WMaxLimPct_SF": -2, "OutPFSet_SF": -2}),
                    ModelWish(
                        160,
                        {"DCA_SF": -1, "DCV_SF": -1, "DCW_SF": fitting_scale(string_w, finest=0), "DCWH_SF": 0},
                        modules=len(inverter.strings),
                    ),
                ]
            ),
            advance=advance,
        )
        self._inverter, self._world = inverter, world
        self._put_fixed()

    def _put_fixed(self) -> None:
        put, inverter = self.points.put, self._inverter
        put(1, "Mn", "Invented Solar")
        put(1, "Md", f"PV-{inverter.rated_kw:.0f}")
        put(1, "Vr", "1.0")
        put(1, "SN", inverter.config.id)
        put(1, "DA", 1)
        put(120, "DERTyp", _PV)
        rated_w = inverter.rated_kw * 1000.0
        for point in ("WRtg", "VARtg"):
            put(120, point, rated_w)
        put(120, "ARtg", rated_w / (math.sqrt(3) * LINE_V))
        put(123, "Conn", 1)
        put(123, "WMaxLimPct", 100.0)
        put(123, "WMaxLimPct_RvrtTms", 0)
        put(123, "WMaxLim_Ena", 0)
        put(123, "OutPFSet", 1.0)
        put(123, "OutPFSet_Ena", 0)
        put(123, "VArPct_Ena", 0)
        put(160, "N", len(inverter.strings))
        for index, string in enumerate(inverter.strings):
            put(160, f"module[{index}].ID", index + 1)
            put(160, f"module[{index}].IDStr", string.id)

    def refresh(self) -> None:
        """Bring all points up to date."""
        self._put_ac()
        self._put_strings()
        self._put_limit()

    def _put_ac(self) -> None:
        put, inverter, shown = self.points.put, self._inverter, self.faults.shown
        live = self._world.bus.live
        watts = shown("W", inverter.power_kw * 1000.0)
        volts = LINE_V if live else 0.0
        amps = abs(watts) / (math.sqrt(3) * LINE_V)
        for point, value in (("A", amps), ("AphA", amps / 3), ("AphB", amps / 3), ("AphC", amps / 3)):
            put(103, point, value)
        for point in ("PPVphAB", "PPVphBC", "PPVphCA"):
            put(103, point, volts)
        for point in ("PhVphA", "PhVphB", "PhVphC"):
            put(103, point, volts / math.sqrt(3))
        put(103, "W", watts)
        put(103, "VA", abs(watts))
        put(103, "VAr", 0.0)
        put(103, "PF", 100.0 if watts else 0.0)
        put(103, "Hz", shown("Hz", self._world.bus.hz))
        put(103, "WH", shown("WH", inverter.energy_kwh * 1000.0))
        direct_w = shown("DCW", sum(s.shown_kw for s in inverter.strings) * 1000.0)
        put(103, "DCW", direct_w)
        put(103, "TmpCab", shown("TmpCab", inverter.cabinet_c))
        put(103, "St", self._state())
        put(103, "Evt1", (_AC_DISCONNECT if inverter.tripped else 0) | (_OVER_TEMP if inverter.cabinet_c > 62 else 0))
        put(103, "Evt2", 0)

    def _state(self) -> int:
        inverter = self._inverter
        if inverter.tripped:
            return _FAULT
        if not self._world.bus.live:
            return _STANDBY
        if not inverter.connected:
            return _OFF
        if inverter.available_kw <= 0:
            return _SLEEPING
        return _THROTTLED if inverter.power_kw < 0.98 * inverter.available_kw else _MPPT

    def _put_strings(self) -> None:
        put, shown = self.points.put, self.faults.shown
        for index, string in enumerate(self._inverter.strings):
            name = f"module[{index}]."
            watts = shown(f"{name}W", string.shown_kw * 1000.0)
            put(160, f"{name}DCW", watts)
            put(160, f"{name}DCV", string.voltage_v)
            put(160, f"{name}DCA", watts / string.voltage_v if string.voltage_v > 0 else 0.0)
            put(160, f"{name}DCWH", string.energy_kwh * 1000.0)
            put(160, f"{name}DCSt", _MPPT if string.shown_kw > 0 else _SLEEPING)

    def _put_limit(self) -> None:
        limit = self._inverter.limit_frac
        self.points.put(123, "WMaxLim_Ena", int(limit is not None))
        if limit is not None:
            self.points.put(123, "WMaxLimPct", limit * 100.0)

    def check(self, wanted: SunSpecMap, written: list[tuple[int, str]]) -> bool:
        """A limit is at most 100 %, a switch 0 or 1."""
        percent = wanted.get(123, "WMaxLimPct")
        switches = [wanted.get(123, point) for point in ("WMaxLim_Ena", "Conn")]
        return percent is not None and percent <= 100.0 and all(value in (0, 1) for value in switches)

    def take(self, written: list[tuple[int, str]]) -> None:
        """Follow the new limit."""
        points, inverter = self.points, self._inverter
        names = {point for _, point in written}
        if names & _LIMIT_POINTS:
            percent = points.get(123, "WMaxLimPct")
            inverter.limit_frac = (percent or 0.0) / 100.0 if points.get(123, "WMaxLim_Ena") else None
            inverter.revert_s = points.get(123, "WMaxLimPct_RvrtTms") or 0.0
            inverter.heard(self._world.device_s)
        if "Conn" in names:
            inverter.connected = bool(points.get(123, "Conn"))
