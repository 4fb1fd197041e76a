"""What can be wrong with a PV plant is injected by name, shows in the registers, and is found by the diagnosis."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from control.energy.pv_diagnosis import PvDiagnosis
from control.energy.pv_types import InverterSample, PvFault, PvSample
from control.energy.site import PvSpec, StringSpec
from hw_sim.microgrid.config import InverterConfig, MicrogridConfig, SiteConfig, Sky, StringConfig, WeatherConfig
from hw_sim.microgrid.service import SimulatedMicrogrid
from hw_sim.microgrid.sun import sun_position

STEP_S = 300.0
MIDNIGHT = datetime(2026, 3, 23, 16, tzinfo=UTC)
STRINGS = tuple(StringConfig(id=f"s{n}", rated_dc_kw=100.0) for n in range(1, 5))


def plant() -> MicrogridConfig:
    """Four inverters alike, side by side, that just pass on what a clear noon gives."""
    return MicrogridConfig(
        site=SiteConfig(http_port=0),
        weather=WeatherConfig(sky=Sky.CLEAR),
        inverter=tuple(
            InverterConfig(id=f"pv-{n}", rated_ac_kw=355.0, x_m=100.0 * n, string=STRINGS) for n in range(1, 5)
        ),
    )


class Field:
    """A plant under its sun, looked at through its registers as a gateway does."""

    def __init__(self) -> None:
        self.at = MIDNIGHT
        self.sim = SimulatedMicrogrid(plant(), now=lambda: self.at, monotonic=lambda: 0.0)
        site = self.sim.world.config.site
        self.place = {"latitude_deg": site.latitude_deg, "longitude_deg": site.longitude_deg}
        pvs = [
            PvSpec(
                id=one.id,
                rated_ac_kw=one.rated_ac_kw,
                strings=tuple(StringSpec(**dataclasses.asdict(string)) for string in one.string),
            )
            for one in self.sim.world.config.inverter
        ]
        self.watch = PvDiagnosis(pvs, longitude_deg=site.longitude_deg)

    def inject(self, device: str, fault: str, value: float = 1.0) -> None:
        self.sim.faults.set(device, fault, value)

    def run(self, hours: float) -> set[tuple[PvFault, str]]:
        """Everything that was found within so many hours."""
        found: set[tuple[PvFault, str]] = set()
        for _ in range(round(hours * 3600 / STEP_S)):
            self.at += timedelta(seconds=STEP_S)
            sun = sun_position(self.at, **self.place)
            if sun.up:
                self._shine(sun)
                findings = self.watch.step(self._sample())
                found |= {(alarm.fault, alarm.device) for alarm in findings.raised}
        return found

    def _shine(self, sun) -> None:
        world = self.sim.world
        air_c = world.weather.temperature_c(self.at)
        world.pv_field.shine(self.at, sun, world.weather, air_c)
        for inverter in world.inverters.values():
            inverter.give(inverter.offer(60.0, bus_live=True, bus_hz=50.0), STEP_S, air_c)

    def _sample(self) -> PvSample:
        return PvSample(at=self.at, period_s=STEP_S, inverters=tuple(self._read(i) for i in self.sim.inverters))

    def _read(self, inverter_id: str) -> InverterSample:
        device = self.sim.inverters[inverter_id]
        device.refresh()
        get = device.points.get
        dc_kw = {one.id: (get(160, f"module[{n}].DCW") or 0.0) / 1000.0 for n, one in enumerate(STRINGS)}
        return InverterSample(id=inverter_id, ac_kw=(get(103, "W") or 0.0) / 1000.0, dc_kw=dc_kw)


def test_a_healthy_plant_gives_no_alarm():
    assert Field().run(3 * 24) == set()


@pytest.mark.parametrize(
    ("device", "fault", "value", "days", "expected"),
    [
        ("pv-1/s2", "outage", 1.0, 1, PvFault.OUTAGE),
        ("pv-1", "trip", 1.0, 1, PvFault.OUTAGE),
        ("pv-1/s2", "shading_frac", 0.7, 3, PvFault.SHADING),
        ("pv-1/s2", "soiling_frac", 0.15, 5, PvFault.SOILING),
        ("pv-1", "oversized_frac", 0.15, 1, PvFault.CLIPPING),
        ("pv-1", "derating_frac", 0.5, 1, PvFault.DERATING),
        ("pv-1/s2", "frozen", 1.0, 1, PvFault.FROZEN),
    ],
)
def test_each_fault_is_found_as_what_it_is(device: str, fault: str, value: float, days: int, expected: PvFault):
    field = Field()
    assert field.run(33.0) == set(), "one healthy day, and the morning of the next"
    field.inject(device, fault, value)
    assert field.run(24.0 * days) == {(expected, device)}
