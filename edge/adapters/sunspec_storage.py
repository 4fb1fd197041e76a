"""A storage over SunSpec: owns which of models 701, 702, 704, 713 and 715 gives which value, and its set-point.

The device keeps a set-point only for `hold_s`: then its own timer takes it back to 0 kW, so that a gateway that has
died commands nothing. Every cycle's write begins that time anew.
"""

from __future__ import annotations

import math

from control.domain.energy import Point, Quality
from control.domain.errors import DeviceError
from edge.adapters.modbus import ModbusLink
from edge.adapters.sunspec import Sample, Wanted
from edge.adapters.sunspec_trust import TrustSettings, plain
from edge.adapters.sunspec_values import (
    HOLD_S,
    PERCENT,
    W_PER_KW,
    SunSpecReader,
    alarms,
    celsius,
    hz,
    kwh,
    state,
    volts,
)
from edge.energy.ports import StorageReading

OP_START = 1


class SunSpecStorage(SunSpecReader):
    """A storage. Ratings of the site's file bound what is believed and stand in where the device has none."""

    def __init__(
        self,
        link: ModbusLink,
        *,
        name: str,
        capacity_kwh: float,
        charge_max_kw: float,
        discharge_max_kw: float,
        hold_s: int = HOLD_S,
        trust: TrustSettings | None = None,
    ) -> None:
        wanted = {
            "ac": Wanted(
                (701,),
                ("W", "Hz", "LNV", "InvSt", "Alrm", "DERMode", "TotWhInj", "TotWhAbs", "TmpCab", "TmpSnk", "TmpAmb"),
            ),
            "rating": Wanted(
                (702,), ("WChaRteMaxRtg", "WDisChaRteMaxRtg", "WChaRteMax", "WDisChaRteMax"), needed=False
            ),
            "control": Wanted((704,), ("WSetEna", "WSetMod", "WSet", "WSetPct", "WSetPctRvrt")),
            "store": Wanted((713,), ("WHRtg", "SoC", "SoH", "Sta")),
            "heart": Wanted((715,), ("LocRemCtl", "DERHb", "ControllerHb", "OpCtl"), needed=False),
        }
        super().__init__(link, name=name, wanted=wanted, trust=trust or TrustSettings())
        self._capacity_kwh, self._hold_s = capacity_kwh, hold_s
        self._charge_max_kw, self._discharge_max_kw = charge_max_kw, discharge_max_kw
        self._beats = 0

    async def read(self) -> StorageReading:
        """Measured now. Raises DeviceError."""
        sample = await self._sample()
        rated = max(self._charge_max_kw, self._discharge_max_kw)
        power = self._trust.power("W", sample.value("ac", "W"), rated_kw=rated)
        mode = sample.whole("ac", "DERMode")
        high = self._trust.settings.rating_times * self._capacity_kwh
        return StorageReading(
            power_kw=power,
            soc_frac=_share(sample, "SoC"),
            soh_frac=_share(sample, "SoH"),
            capacity_kwh=plain(sample.value("store", "WHRtg"), "kWh", low=0.0, high=high, times=1 / W_PER_KW),
            charge_max_kw=self._allowed(sample, "WChaRteMax", self._charge_max_kw),
            discharge_max_kw=self._allowed(sample, "WDisChaRteMax", self._discharge_max_kw),
            setpoint_kw=self._setpoint(sample, rated),
            charged_kwh=kwh(sample, "ac", "TotWhAbs"),
            discharged_kwh=kwh(sample, "ac", "TotWhInj"),
            frequency_hz=hz(sample, "ac"),
            voltage_v=volts(sample, "ac", "LNV"),
            temperature_c=celsius(sample, "ac", "TmpCab", "TmpSnk", "TmpAmb"),
            state=state(sample, "ac", "InvSt"),
            alarms=alarms(sample, "ac", "Alrm") + _store_alarm(sample),
            remote=sample.whole("heart", "LocRemCtl") != 1,
            grid_forming=None if mode is None else bool(mode >> 1 & 1),
            identity=sample.identity,
        )

    async def set_power(self, kw: float) -> None:
        """Hold a power, positive discharges; back to 0 by the device's own timer. Raises WriteNotTaken, DeviceError."""
        sample = await self._device.current()
        steps, step = self._whole(sample, "control", "WSet", kw * W_PER_KW)
        percent, percent_after = (self._as_it_is(sample, name) for name in ("WSetPct", "WSetPctRvrt"))
        values = {
            "WSetEna": 1,
            "WSetMod": 1,
            "WSet": steps,
            "WSetRvrt": 0,
            "WSetPct": percent,
            "WSetPctRvrt": percent_after,
            "WSetEnaRvrt": 1,
            "WSetRvrtTms": self._hold_s,
        }
        check = ("WSet", "WSetEna", "WSetMod")
        await self._device.write("control", values, check=check, in_unit=step / W_PER_KW)

    async def beat(self) -> None:
        """Count up the controller's heartbeat (model 715), where the device has one. Raises DeviceError."""
        sample = await self._device.current()
        if not sample.has("heart"):
            return
        self._beats = self._beats % 0xFFFF_FFFE + 1
        await self._device.write("heart", {"ControllerHb": self._beats}, check=("ControllerHb",), in_unit=1.0)

    async def start(self) -> None:
        """Start its converter (OpCtl of model 715); one that can form a grid does so on a dead bus.

        Raises WriteNotTaken, DeviceError.
        """
        sample = await self._device.current()
        if not sample.has("heart"):
            raise DeviceError(f"{self._name}: has no SunSpec model 715: it cannot be started from here")
        await self._device.write("heart", {"OpCtl": OP_START}, check=("OpCtl",), in_unit=1.0)

    def _as_it_is(self, sample: Sample, name: str) -> int:
        """What the device holds in a point between those that we write; -0x8000 is "not implemented"."""
        found = sample.whole("control", name)
        return -0x8000 if found is None else found

    def _allowed(self, sample: Sample, name: str, configured_kw: float) -> Point:
        """What the management system allows now, else its rating, else the site's file; never above the latter."""
        for point in (name, f"{name}Rtg"):
            value = sample.value("rating", point)
            found = plain(value, "kW", low=0.0, high=math.inf, times=1 / W_PER_KW)
            if found.value is not None:
                return Point(min(found.value, configured_kw), "kW", 0.0, Quality.GOOD)
        return Point(configured_kw, "kW", 0.0, Quality.GOOD)

    def _setpoint(self, sample: Sample, rated_kw: float) -> Point:
        if sample.whole("control", "WSetEna") == 0:
            return Point(0.0, "kW", 0.0, Quality.GOOD)
        high = self._trust.settings.rating_times * rated_kw
        return plain(sample.value("control", "WSet"), "kW", low=-high, high=high, times=1 / W_PER_KW)


def _share(sample: Sample, name: str) -> Point:
    return plain(sample.value("store", name), "", low=0.0, high=1.0, times=1 / PERCENT)


def _store_alarm(sample: Sample) -> tuple[str, ...]:
    return {1: ("STORAGE_WARNING",), 2: ("STORAGE_ERROR",)}.get(sample.whole("store", "Sta") or 0, ())
