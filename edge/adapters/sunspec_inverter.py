"""A PV inverter over SunSpec: owns which model gives which value, and how its power is limited.

Measured by 101 to 103 (111 to 113 in floating point), or 701; rated by 120 or 702; limited by 123 or 704; strings by
160. The device keeps a limit only for `hold_s`: then its own timer takes it back, so that a gateway that has died
commands nothing. Every cycle's write begins that time anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from control.domain.energy import Point, Quality
from control.domain.errors import DeviceError
from edge.adapters.modbus import ModbusLink
from edge.adapters.sunspec import Sample, Wanted
from edge.adapters.sunspec_trust import TrustSettings, plain
from edge.adapters.sunspec_values import (
    AMPERE_MAX,
    HOLD_S,
    PERCENT,
    STRING_VOLT_MAX,
    W_PER_KW,
    SunSpecReader,
    alarms,
    celsius,
    hz,
    kwh,
    state,
    volts,
)
from edge.energy.ports import InverterReading, StringReading, unknown

_CLASSIC_INVERTERS = (103, 102, 101, 113, 112, 111)


class SunSpecInverter(SunSpecReader):
    """A PV inverter. `string_rated_kw` in the order of the inverter's own numbers; where missing, `rated_kw`."""

    def __init__(
        self,
        link: ModbusLink,
        *,
        name: str,
        rated_kw: float,
        string_rated_kw: Sequence[float] = (),
        hold_s: int = HOLD_S,
        trust: TrustSettings | None = None,
    ) -> None:
        classic = ("W", "Hz", "WH", "DCW", "PhVphA", "PhVphB", "PhVphC", "TmpCab", "TmpSnk", "St", "Evt1")
        modern = ("TotWhInj", "LNV", "InvSt", "Alrm")
        wanted = {
            "ac": Wanted((*_CLASSIC_INVERTERS, 701), (*classic, *modern)),
            "rating": Wanted((120, 702), ("WRtg", "WMaxRtg"), needed=False),
            "settings": Wanted((121,), ("WMax",), needed=False),
            "control": Wanted((123, 704), ("WMaxLimPct", "WMaxLim_Ena", "WMaxLimPctEna"), needed=False),
            "strings": Wanted((160,), (), ("ID", "IDStr", "DCA", "DCV", "DCW", "DCWH"), needed=False),
        }
        super().__init__(link, name=name, wanted=wanted, trust=trust or TrustSettings())
        self._rated_kw, self._string_rated_kw, self._hold_s = rated_kw, tuple(string_rated_kw), hold_s

    async def read(self) -> InverterReading:
        """Measured now. Raises DeviceError."""
        sample = await self._sample()
        modern = sample.model("ac").spec.id == 701
        power = self._trust.power("W", sample.value("ac", "W"), rated_kw=self._rated_kw)
        strings = tuple(self._string(sample, index) for index in range(sample.groups("strings")))
        return InverterReading(
            power_kw=power,
            dc_kw=self._dc(sample, strings),
            energy_kwh=kwh(sample, "ac", "TotWhInj" if modern else "WH"),
            frequency_hz=hz(sample, "ac"),
            voltage_v=volts(sample, "ac", *(("LNV",) if modern else ("PhVphA", "PhVphB", "PhVphC"))),
            temperature_c=celsius(sample, "ac", "TmpCab", "TmpSnk"),
            rated_kw=self._rating(sample),
            limit_kw=self._held_limit(sample),
            state=state(sample, "ac", "InvSt" if modern else "St"),
            alarms=alarms(sample, "ac", "Alrm" if modern else "Evt1"),
            strings=strings,
            identity=sample.identity,
        )

    async def limit(self, kw: float | None) -> None:
        """Hold a limit, None for the rating. Raises WriteNotTaken, DeviceError."""
        sample = await self._device.current()
        if not sample.has("control"):
            raise DeviceError(f"{self._name}: has neither SunSpec model 123 nor 704: its power cannot be limited")
        reference_kw = self._reference_kw(sample)
        percent = PERCENT if kw is None else min(PERCENT, max(0.0, PERCENT * kw / reference_kw))
        steps, step = self._whole(sample, "control", "WMaxLimPct", percent)
        in_kw = step * reference_kw / PERCENT
        if sample.model("control").spec.id == 123:
            values = {
                "WMaxLimPct": steps,
                "WMaxLimPct_WinTms": 0,
                "WMaxLimPct_RvrtTms": self._hold_s,
                "WMaxLimPct_RmpTms": 0,
                "WMaxLim_Ena": 1,
            }
            check: tuple[str, ...] = ("WMaxLimPct", "WMaxLim_Ena")
        else:
            values = {
                "WMaxLimPctEna": 1,
                "WMaxLimPct": steps,
                "WMaxLimPctRvrt": 0,
                "WMaxLimPctEnaRvrt": 1,
                "WMaxLimPctRvrtTms": self._hold_s,
            }
            check = ("WMaxLimPct", "WMaxLimPctEna")
        await self._device.write("control", values, check=check, in_unit=in_kw)

    def _rating(self, sample: Sample) -> Point:
        name = "WRtg" if sample.has("rating") and sample.model("rating").spec.id == 120 else "WMaxRtg"
        high = self._trust.settings.rating_times * self._rated_kw
        found = plain(sample.value("rating", name), "kW", low=0.0, high=high, times=1 / W_PER_KW)
        return found if found.value else unknown("kW")

    def _reference_kw(self, sample: Sample) -> float:
        """What 100 % means: the maximum set in model 121, else the rating, else what the site's file says."""
        high = self._trust.settings.rating_times * self._rated_kw
        found = plain(sample.value("settings", "WMax"), "kW", low=0.0, high=high, times=1 / W_PER_KW)
        return found.value or self._rating(sample).value or self._rated_kw

    def _held_limit(self, sample: Sample) -> Point:
        if not sample.has("control"):
            return unknown("kW")
        reference_kw = self._reference_kw(sample)
        enabled = sample.whole("control", "WMaxLim_Ena" if sample.model("control").spec.id == 123 else "WMaxLimPctEna")
        if enabled == 0:
            return Point(reference_kw, "kW", 0.0, Quality.GOOD)
        found = plain(sample.value("control", "WMaxLimPct"), "kW", low=0.0, high=PERCENT)
        if enabled is None or found.value is None:
            return unknown("kW")
        return Point(found.value * reference_kw / PERCENT, "kW", 0.0, Quality.GOOD)

    def _dc(self, sample: Sample, strings: tuple[StringReading, ...]) -> Point:
        own = self._trust.power("DCW", sample.value("ac", "DCW"), rated_kw=2 * self._rated_kw)
        if own.value is not None:
            return own
        values = [one.power_kw.value for one in strings]
        if not values or any(value is None for value in values):
            return unknown("kW")
        return Point(sum(value for value in values if value is not None), "kW", 0.0, Quality.GOOD)

    def _string(self, sample: Sample, index: int) -> StringReading:
        rated = self._string_rated_kw[index] if index < len(self._string_rated_kw) else self._rated_kw
        number = sample.whole("strings", "ID", index)
        return StringReading(
            number=index + 1 if number is None else number,
            label=sample.text("strings", "IDStr", index),
            power_kw=self._trust.power(f"string {index}", sample.value("strings", "DCW", index), rated_kw=rated),
            voltage_v=plain(sample.value("strings", "DCV", index), "V", low=0.0, high=STRING_VOLT_MAX),
            current_a=plain(sample.value("strings", "DCA", index), "A", low=-AMPERE_MAX, high=AMPERE_MAX),
            energy_kwh=kwh(sample, "strings", "DCWH", index),
        )
