"""The registers over real Modbus TCP, read by the SunSpec Alliance's own client as an independent check."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP
from sunspec2.modbus.modbus import ModbusClientError

from hw_sim.microgrid.service import Addresses
from hw_sim.microgrid.sunspec_map import ModelWish, SunSpecMap


@dataclass
class Running:
    """A served microgrid and SunSpec clients for its devices."""

    bench: Any
    at: Addresses
    clients: list[SunSpecModbusClientDeviceTCP]

    async def scan(self, port: int) -> SunSpecModbusClientDeviceTCP:
        client = SunSpecModbusClientDeviceTCP(slave_id=1, ipaddr="127.0.0.1", ipport=port, timeout=30)
        self.clients.append(client)
        await asyncio.to_thread(client.scan)
        return client

    async def read(self, client: SunSpecModbusClientDeviceTCP, model: int) -> Any:
        await asyncio.to_thread(client.models[model][0].read)
        return client.models[model][0]

    async def write(self, client: SunSpecModbusClientDeviceTCP, model: int, **points: float) -> None:
        found = client.models[model][0]
        for name, value in points.items():
            found.points[name].cvalue = value
        await asyncio.to_thread(found.write)

    def fault(self, device: str, name: str, value: object = True) -> None:
        self.bench.microgrid.faults.set(device, name, value)


@pytest.fixture
async def running(make_bench) -> AsyncIterator[Running]:
    bench = make_bench()
    async with bench.microgrid.running() as at:
        found = Running(bench, at, [])
        yield found
        for client in found.clients:
            client.disconnect()


async def test_discovery_finds_the_models_of_each_device(running: Running):
    found = {}
    for name, port in (
        ("meter", running.at.meter_port),
        ("pv-1", running.at.inverter_ports["pv-1"]),
        ("lfp", running.at.storage_ports["lfp"]),
    ):
        client = await running.scan(port)
        found[name] = [model for model in client.models if isinstance(model, int)]
        assert all(client.models[model][0].error_info == "" for model in found[name])
        assert client.base_addr == 40000
        assert client.models[1][0].Mn.cvalue.startswith("Invented")
    assert found == {"meter": [1, 203], "pv-1": [1, 103, 120, 123, 160], "lfp": [1, 701, 702, 704, 713, 715]}
    assert client.models[1][0].SN.cvalue == "lfp"
    assert client.models[1][0].Opt.cvalue is None


async def test_values_are_the_worlds(running: Running):
    running.bench.pass_time(2.0)
    world = running.bench.world
    meter = (await running.scan(running.at.meter_port)).models[203][0]
    assert meter.W.cvalue == pytest.approx(world.grid_kw * 1000, abs=1000)
    assert meter.Hz.cvalue == pytest.approx(world.grid.hz, abs=0.011)
    pv = await running.scan(running.at.inverter_ports["pv-1"])
    inverter = world.inverters["pv-1"]
    assert pv.models[103][0].W.cvalue == pytest.approx(inverter.power_kw * 1000, abs=100)
    assert pv.models[103][0].TmpSnk.cvalue is None
    assert pv.models[103][0].St.cvalue == 4
    modules = pv.models[160][0].module
    assert [m.IDStr.cvalue for m in modules] == ["s1", "s2"]
    assert modules[0].DCW.cvalue == pytest.approx(inverter.strings[0].power_kw * 1000, abs=100)
    assert modules[0].DCV.cvalue * modules[0].DCA.cvalue == pytest.approx(modules[0].DCW.cvalue, rel=0.02)
    battery = await running.scan(running.at.storage_ports["lfp"])
    assert battery.models[713][0].SoC.cvalue == pytest.approx(50.0, abs=0.1)
    assert battery.models[713][0].WHRtg.cvalue == pytest.approx(1_000_000)
    assert battery.models[702][0].WDisChaRteMax.cvalue == pytest.approx(800_000, rel=0.01)


async def test_a_limit_holds_and_reverts_to_nothing_in_silence(running: Running):
    client = await running.scan(running.at.inverter_ports["pv-1"])
    inverter = running.bench.world.inverters["pv-1"]
    await running.write(client, 123, WMaxLimPct=20.0, WMaxLimPct_RvrtTms=10, WMaxLim_Ena=1)
    running.bench.pass_time(4.0)
    assert inverter.power_kw == pytest.approx(70.0, abs=0.5)
    assert (await running.read(client, 103)).St.cvalue == 5
    controls = await running.read(client, 123)
    assert (controls.WMaxLimPct.cvalue, controls.WMaxLim_Ena.cvalue) == (20.0, 1)
    await running.write(client, 123, WMaxLimPct=30.0)
    running.bench.pass_time(8.0)
    assert inverter.power_kw == pytest.approx(105.0, abs=0.5)
    running.bench.pass_time(8.0)
    assert inverter.power_kw == pytest.approx(0.0, abs=0.5)
    assert (await running.read(client, 123)).WMaxLimPct.cvalue == 0.0
    await running.write(client, 123, WMaxLim_Ena=0)
    running.bench.pass_time(4.0)
    assert inverter.power_kw == pytest.approx(inverter.available_kw, rel=0.01)


async def test_a_set_point_moves_power_and_reverts_without_refresh(running: Running):
    client = await running.scan(running.at.storage_ports["lfp"])
    lfp = running.bench.world.storages["lfp"]
    await running.write(client, 704, WSetMod=1, WSet=-250_000, WSetRvrtTms=10, WSetEna=1)
    running.bench.pass_time(4.0)
    assert lfp.power_kw == pytest.approx(-250.0, abs=0.5)
    controls = await running.read(client, 704)
    assert (controls.WSet.cvalue, controls.WSetEna.cvalue) == (-250_000, 1)
    assert 0 < controls.WSetRvrtRem.cvalue <= 10
    assert (await running.read(client, 701)).W.cvalue == pytest.approx(-250_000, abs=200)
    running.bench.pass_time(12.0)
    assert lfp.power_kw == pytest.approx(0.0, abs=0.5)
    assert (await running.read(client, 704)).WSetEna.cvalue == 0


async def test_a_silent_heartbeat_ends_a_set_point_without_timer(running: Running):
    client = await running.scan(running.at.storage_ports["flow"])
    flow = running.bench.world.storages["flow"]
    await running.write(client, 704, WSetMod=1, WSet=100_000, WSetEna=1)
    for count in (1, 2, 3):
        await running.write(client, 715, ControllerHb=count)
        running.bench.pass_time(10.0)
        assert flow.power_kw == pytest.approx(100.0, abs=0.5)
    running.bench.pass_time(10.0)
    assert flow.power_kw == pytest.approx(0.0, abs=0.5)
    beats = (await running.read(client, 715)).DERHb.cvalue
    running.bench.pass_time(3.0)
    assert (await running.read(client, 715)).DERHb.cvalue == beats + 3


@pytest.mark.parametrize(
    ("model", "point", "value"), [(704, "WSet", 900_000), (704, "WSetEna", 7), (715, "OpCtl", 9), (713, "SoC", 50)]
)
async def test_what_the_device_cannot_take_is_an_exception(running: Running, model: int, point: str, value: float):
    client = await running.scan(running.at.storage_ports["lfp"])
    with pytest.raises(ModbusClientError):
        await running.write(client, model, **{point: value})
    running.bench.pass_time(2.0)
    assert running.bench.world.storages["lfp"].wanted_kw == 0


async def test_rejected_ignored_and_delayed_writes(running: Running):
    client = await running.scan(running.at.storage_ports["lfp"])
    lfp = running.bench.world.storages["lfp"]
    order = {"WSetMod": 1, "WSet": 100_000, "WSetEna": 1}
    running.fault("lfp", "reject_writes")
    with pytest.raises(ModbusClientError):
        await running.write(client, 704, **order)
    running.fault("lfp", "reject_writes", False)
    running.fault("lfp", "ignore_writes")
    await running.write(client, 704, **order)
    assert (await running.read(client, 704)).WSet.cvalue == 0
    running.fault("lfp", "ignore_writes", False)
    running.fault("lfp", "write_delay_s", 60.0)
    await running.write(client, 704, **order)
    assert (await running.read(client, 704)).WSet.cvalue == 0
    running.fault("lfp", "write_delay_s", 0.2)
    await running.write(client, 704, **order)
    async with asyncio.timeout(60):
        while lfp.wanted_kw != 100.0:
            await asyncio.sleep(0.02)
    assert (await running.read(client, 704)).WSet.cvalue == 100_000


async def test_silence_is_a_timeout_and_ends(running: Running):
    client = await running.scan(running.at.meter_port)
    client.client.timeout = 1.0
    running.fault("meter", "silent")
    client.disconnect()
    client.connect(timeout=1.0)
    with pytest.raises(ModbusClientError):
        await running.read(client, 203)
    running.fault("meter", "silent", False)
    client.disconnect()
    client.client.timeout = 30
    client.connect(timeout=30)
    assert (await running.read(client, 203)).Hz.cvalue == pytest.approx(50.0, abs=0.1)


async def test_stuck_scaled_and_wild_readings(running: Running):
    client = await running.scan(running.at.inverter_ports["pv-1"])
    true_w = (await running.read(client, 103)).W.cvalue
    running.fault("pv-1", "scale", 0.1)
    assert (await running.read(client, 103)).W.cvalue == pytest.approx(true_w / 10, rel=0.02)
    running.fault("pv-1", "scale", 1.0)
    running.fault("pv-1", "stuck")
    stuck_w = (await running.read(client, 103)).W.cvalue
    running.bench.world.inverters["pv-1"].limit_frac = 0.1
    running.bench.pass_time(5.0)
    assert (await running.read(client, 103)).W.cvalue == stuck_w
    running.fault("pv-1", "stuck", False)
    assert (await running.read(client, 103)).W.cvalue == pytest.approx(35_000, abs=500)
    running.fault("pv-1", "spikes", 0.5)
    readings = [(await running.read(client, 103)).W.cvalue for _ in range(20)]
    wild = [w for w in readings if abs(w - 35_000) > 20_000]
    assert 2 <= len(wild) <= 18


async def test_a_tripped_inverter_says_so(running: Running):
    client = await running.scan(running.at.inverter_ports["pv-2"])
    running.fault("pv-2", "trip")
    running.bench.pass_time(1.0)
    ac = await running.read(client, 103)
    assert (ac.W.cvalue, ac.St.cvalue) == (0, 7)
    assert ac.Evt1.cvalue & 1 << 2


def test_map_encodes_not_implemented_and_stops_at_the_types_ends():
    points = SunSpecMap([ModelWish(1), ModelWish(103, {"W_SF": 0}), ModelWish(701, {"W_SF": 1})])
    assert points.get(103, "W") is None
    for value, expected in ((12_345.0, 12_345.0), (99_999.0, 32_767.0), (-99_999.0, -32_767.0)):
        points.put(103, "W", value)
        assert points.get(103, "W") == expected
    points.put(701, "W", 1234.0)
    assert points.get(701, "W") == 1230.0
    points.put(701, "W", float("nan"))
    assert points.get(701, "W") is None
    points.put(103, "WH", 2**32 + 5)
    assert points.get(103, "WH") == 5
    assert points.registers[-2:] == [0xFFFF, 0]
    assert points.models == (1, 103, 701)
