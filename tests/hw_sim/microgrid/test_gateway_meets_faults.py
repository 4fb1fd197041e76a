"""Faults of the simulated devices as the gateway's own adapters meet them, over Modbus TCP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from control.domain.energy import Quality
from control.domain.errors import DeviceError
from edge.adapters.modbus import ModbusLink
from edge.adapters.sunspec_inverter import SunSpecInverter
from edge.adapters.sunspec_meter import SunSpecMeter
from edge.adapters.sunspec_storage import SunSpecStorage
from edge.adapters.tie_breaker import TieBreaker
from edge.energy.ports import WriteNotTaken

# Long, so that a busy machine is no silence; short where silence is meant.
PATIENT_S, SHORT_S = 30.0, 1.0


@dataclass
class Both:
    """The simulated devices, and the gateway's adapters for some of them."""

    bench: Any
    inverter: SunSpecInverter
    storage: SunSpecStorage
    meter: SunSpecMeter
    breaker: TieBreaker

    def fault(self, device: str, name: str, value: object = True) -> None:
        self.bench.microgrid.faults.set(device, name, value)

    @property
    def wanted_kw(self) -> float:
        return self.bench.world.storages["lfp"].wanted_kw


@asynccontextmanager
async def joined(bench: Any, timeout_s: float) -> AsyncIterator[Both]:
    links: list[ModbusLink] = []

    def link(port: int) -> ModbusLink:
        links.append(ModbusLink(host="127.0.0.1", port=port, unit=1, timeout_s=timeout_s))
        return links[-1]

    async with bench.microgrid.running() as at:
        power = {"charge_max_kw": 800.0, "discharge_max_kw": 800.0}
        yield Both(
            bench,
            SunSpecInverter(link(at.inverter_ports["pv-1"]), name="pv-1", rated_kw=350.0),
            SunSpecStorage(link(at.storage_ports["lfp"]), name="lfp", capacity_kwh=1000.0, **power),
            SunSpecMeter(link(at.meter_port), name="meter", rated_kw=6000.0, monotonic=lambda: bench.clock[0]),
            TieBreaker(link(at.breaker_port), name="breaker"),
        )
        for one in links:
            await one.aclose()


@pytest.fixture
async def both(make_bench) -> AsyncIterator[Both]:
    async with joined(make_bench(), PATIENT_S) as found:
        yield found


async def test_what_is_read_is_what_is_so(both: Both):
    both.bench.pass_time(2.0)
    world = both.bench.world
    assert (await both.inverter.read()).power_kw.value == pytest.approx(world.inverters["pv-1"].power_kw, abs=0.2)
    assert (await both.meter.read()).power_kw.value == pytest.approx(world.grid_kw, abs=1.0)
    storage = await both.storage.read()
    assert storage.soc_frac.value == pytest.approx(0.5, abs=0.001)
    await both.storage.set_power(-250.0)
    both.bench.pass_time(4.0)
    assert (await both.storage.read()).power_kw.value == pytest.approx(-250.0, abs=0.5), "charging is negative"
    before_kw = (await both.meter.read()).power_kw.value
    await both.storage.set_power(250.0)
    both.bench.pass_time(4.0)
    assert (await both.meter.read()).power_kw.value == pytest.approx(before_kw - 500.0, abs=25.0)


@pytest.mark.parametrize("device", ["pv-1", "lfp", "meter", "breaker"])
async def test_silence_is_a_device_error_and_ends(make_bench, device: str):
    async with joined(make_bench(), SHORT_S) as both:
        devices = {"pv-1": both.inverter, "lfp": both.storage, "meter": both.meter, "breaker": both.breaker}
        both.fault(device, "silent")
        with pytest.raises(DeviceError):
            await devices[device].read()
        both.fault(device, "silent", False)
        async with asyncio.timeout(60):
            while True:
                with suppress(DeviceError):
                    await devices[device].read()
                    break


@pytest.mark.parametrize("fault", ["reject_writes", "ignore_writes"])
async def test_a_set_point_that_is_not_taken_is_told(both: Both, fault: str):
    both.fault("lfp", fault)
    with pytest.raises(WriteNotTaken):
        await both.storage.set_power(100.0)
    assert both.wanted_kw == 0.0
    both.fault("pv-1", fault)
    with pytest.raises(WriteNotTaken):
        await both.inverter.limit(70.0)
    both.fault("breaker", fault)
    with pytest.raises(WriteNotTaken):
        await both.breaker.open()
    for device in ("lfp", "pv-1", "breaker"):
        both.fault(device, fault, False)
    await both.storage.set_power(100.0)
    assert both.wanted_kw == 100.0
    await both.inverter.limit(70.0)
    await both.breaker.open()


async def test_a_set_point_that_comes_late_is_told(both: Both):
    both.fault("lfp", "write_delay_s", 60.0)
    with pytest.raises(WriteNotTaken):
        await both.storage.set_power(100.0)
    assert both.wanted_kw == 0.0


async def test_a_wrong_scale_and_wild_values_are_not_believed(both: Both):
    assert (await both.inverter.read()).power_kw.quality is Quality.GOOD
    both.fault("pv-1", "scale", 100.0)
    assert (await both.inverter.read()).power_kw.quality is Quality.INVALID
    both.fault("pv-1", "scale", 1.0)
    both.fault("pv-1", "spikes", 1.0)
    found = [(await both.inverter.read()).power_kw for _ in range(12)]
    assert all(point.quality is Quality.INVALID and point.value is None for point in found)


async def test_a_stuck_value_is_read_as_it_is_shown(both: Both):
    shown_kw = (await both.inverter.read()).power_kw.value
    both.fault("pv-1", "stuck")
    both.bench.world.inverters["pv-1"].limit_frac = 0.1
    both.bench.pass_time(5.0)
    assert (await both.inverter.read()).power_kw.value == pytest.approx(shown_kw)


async def test_a_breaker_that_tripped_says_so_and_does_not_close(both: Both):
    assert (await both.breaker.read()).closed
    both.fault("breaker", "trip")
    both.bench.pass_time(1.0)
    found = await both.breaker.read()
    assert (found.closed, found.tripped) == (False, True)
    await both.breaker.close()
    both.bench.pass_time(10.0)
    assert not (await both.breaker.read()).closed
