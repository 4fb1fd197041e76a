"""The tie breaker's controller over plain Modbus TCP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException


@dataclass
class Running:
    """A served microgrid and a client of its breaker."""

    bench: Any
    client: AsyncModbusTcpClient
    port: int

    async def inputs(self) -> list[bool]:
        return (await self.client.read_discrete_inputs(0, count=4, device_id=1)).bits[:4]


@pytest.fixture
async def running(make_bench) -> AsyncIterator[Running]:
    bench = make_bench()
    async with bench.microgrid.running() as at:
        client = AsyncModbusTcpClient("127.0.0.1", port=at.breaker_port, timeout=30, retries=0, reconnect_delay=0)
        assert await client.connect()
        yield Running(bench, client, at.breaker_port)
        client.close()


async def test_opening_closing_and_what_it_shows(running: Running):
    assert await running.inputs() == [True, False, True, True]
    frequencies = (await running.client.read_input_registers(0, count=3, device_id=1)).registers
    assert frequencies[:2] == pytest.approx([50_000, 50_000], abs=60)
    await running.client.write_coil(0, False, device_id=1)
    running.bench.pass_time(1.0)
    assert (await running.inputs())[:3] == [False, False, True]
    assert (await running.client.read_coils(0, count=1, device_id=1)).bits[0] is False
    await running.client.write_coil(0, True, device_id=1)
    running.bench.pass_time(6.0)
    assert await running.inputs() == [True, False, True, True]
    assert (await running.client.read_input_registers(2, count=1, device_id=1)).registers == [2]
    await running.client.write_register(0, 77, device_id=1)
    assert (await running.client.read_holding_registers(0, count=1, device_id=1)).registers == [77]


async def test_outage_trip_and_faults(running: Running):
    running.bench.microgrid.faults.set("grid", "outage_s", 60.0)
    running.bench.pass_time(1.0)
    assert await running.inputs() == [False, True, False, False]
    running.bench.microgrid.faults.set("grid", "outage_s", 0.0)
    running.bench.microgrid.faults.set("breaker", "reject_writes", True)
    assert (await running.client.write_coil(0, True, device_id=1)).isError()
    running.bench.microgrid.faults.set("breaker", "reject_writes", False)
    running.bench.microgrid.faults.set("breaker", "trip", True)
    await running.client.write_coil(0, True, device_id=1)
    running.bench.pass_time(10.0)
    assert (await running.inputs())[0] is False
    running.bench.microgrid.faults.set("breaker", "silent", True)
    hasty = AsyncModbusTcpClient("127.0.0.1", port=running.port, timeout=0.5, retries=0, reconnect_delay=0)
    assert await hasty.connect()
    with pytest.raises(ModbusIOException):
        await hasty.read_coils(0, count=1, device_id=1)
    hasty.close()
