"""The meter over SunSpec: owns which point of models 201 to 204 (211 to 214 in floating point) gives which value."""

from __future__ import annotations

from collections.abc import Callable

from edge.adapters.modbus import ModbusLink
from edge.adapters.sunspec import Wanted
from edge.adapters.sunspec_trust import TrustSettings, plain
from edge.adapters.sunspec_values import AMPERE_MAX, PERCENT, SunSpecReader, hz, kwh, volts
from edge.energy.ports import MeterReading, unknown

_PHASE_METERS = (203, 204, 202, 201, 213, 214, 212, 211)


class SunSpecMeter(SunSpecReader):
    """The meter at the point of common coupling; its W is positive for import."""

    def __init__(
        self,
        link: ModbusLink,
        *,
        name: str,
        rated_kw: float,
        monotonic: Callable[[], float],
        trust: TrustSettings | None = None,
    ) -> None:
        points = ("W", "Hz", "A", "PF", "PhV", "PhVphA", "PhVphB", "PhVphC", "TotWhImp", "TotWhExp")
        wanted = {"meter": Wanted(_PHASE_METERS, points)}
        super().__init__(link, name=name, wanted=wanted, trust=trust or TrustSettings())
        self._rated_kw, self._monotonic = rated_kw, monotonic

    async def read(self) -> MeterReading:
        """Measured now. Raises DeviceError."""
        sample, role = await self._sample(), "meter"
        power = self._trust.power("W", sample.value(role, "W"), rated_kw=self._rated_kw)
        counters = [sample.value(role, name) for name in ("TotWhImp", "TotWhExp")]
        stand = self._trust.counters_stand(counters, power_kw=power, at_s=self._monotonic())
        return MeterReading(
            power_kw=power,
            frequency_hz=hz(sample, role),
            voltage_v=volts(sample, role, "PhVphA", "PhVphB", "PhVphC"),
            current_a=plain(sample.value(role, "A"), "A", low=-AMPERE_MAX, high=AMPERE_MAX),
            power_factor=plain(sample.value(role, "PF"), "", low=-1.0, high=1.0, times=1 / PERCENT),
            imported_kwh=unknown("kWh") if stand else kwh(sample, role, "TotWhImp"),
            exported_kwh=unknown("kWh") if stand else kwh(sample, role, "TotWhExp"),
            identity=sample.identity,
        )
