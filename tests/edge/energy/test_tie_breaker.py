"""The tie breaker against a controller on a real Modbus TCP socket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from control.domain.energy import Quality
from control.domain.errors import DeviceError
from edge.adapters.modbus import ModbusLink
from edge.adapters.tie_breaker import TieBreaker
from edge.energy.ports import WriteNotTaken

READ_INPUTS, READ_INPUT_REGISTERS = 2, 4
WRITES = (5, 6, 15, 16)


class Controller:
    """Serves the register map; `inputs` are closed, tripped, grid live, in synchronism."""

    def __init__(self) -> None:
        self.inputs = [True, False, True, True]
        self.measured = [50_012, 49_988, 7]
        self.writes: list[tuple[int, int, list[int]]] = []
        self.silent = self.refuses = self.forgets = False

    async def _act(self, code, start, address, count, registers, values):
        if self.silent:
            await asyncio.sleep(30)
        if code == READ_INPUTS:
            registers[0] = sum(bit << place for place, bit in enumerate(self.inputs))
        if code == READ_INPUT_REGISTERS:
            registers[address - start : address - start + 3] = self.measured
        if code in WRITES and values is not None:
            if self.refuses:
                return ExcCodes.ILLEGAL_VALUE
            self.writes.append((code, address, [int(value) for value in values]))
            if self.forgets:
                values[:] = [1] * len(values)
        return None

    @asynccontextmanager
    async def breaker(self) -> AsyncIterator[TieBreaker]:
        bits = [SimData(0, count=16, values=False, datatype=DataType.BITS)]
        inputs = [SimData(0, count=16, values=False, datatype=DataType.BITS)]
        holding = [SimData(0, count=4, values=0, datatype=DataType.REGISTERS)]
        measured = [SimData(0, count=4, values=0, datatype=DataType.REGISTERS)]
        device = SimDevice(1, simdata=(bits, inputs, holding, measured), action=self._act)
        server = ModbusTcpServer(device, address=("127.0.0.1", 0))
        await server.listen()
        port = server.transport.sockets[0].getsockname()[1]
        breaker = TieBreaker(ModbusLink(host="127.0.0.1", port=port, unit=1, timeout_s=1.5), name="breaker")
        try:
            yield breaker
        finally:
            await breaker.aclose()
            await server.shutdown()


async def test_state() -> None:
    controller = Controller()
    async with controller.breaker() as breaker:
        reading = await breaker.read()
        assert (reading.closed, reading.tripped, reading.grid_live, reading.in_synchronism) == (True, False, True, True)
        assert (reading.grid_hz.value, reading.bus_hz.value, reading.operations) == (50.012, 49.988, 7)


async def test_side_without_voltage_has_no_frequency() -> None:
    controller = Controller()
    controller.inputs, controller.measured = [False, True, False, False], [0, 65_535, 8]
    async with controller.breaker() as breaker:
        reading = await breaker.read()
        assert (reading.closed, reading.tripped, reading.grid_live) == (False, True, False)
        assert reading.grid_hz.quality is reading.bus_hz.quality is Quality.INVALID


async def test_close_open_and_beat() -> None:
    controller = Controller()
    async with controller.breaker() as breaker:
        await breaker.close()
        await breaker.open()
        await breaker.beat()
        await breaker.beat()
        coils = [values for code, _, values in controller.writes if code == 5]
        assert coils == [[1], [0]]
        assert [values for code, _, values in controller.writes if code in (6, 16)] == [[1], [2]]


async def test_orders_that_are_refused_or_forgotten() -> None:
    controller = Controller()
    async with controller.breaker() as breaker:
        controller.refuses = True
        for order in (breaker.close, breaker.open):
            with pytest.raises(WriteNotTaken, match="refused"):
                await order()
        controller.refuses, controller.forgets = False, True
        with pytest.raises(WriteNotTaken) as error:
            await breaker.open()
        assert (error.value.wanted, error.value.found) == (0, 1)
        controller.writes.clear()
        await breaker.beat()
        with pytest.raises(DeviceError):
            await breaker.beat()


async def test_silence() -> None:
    controller = Controller()
    async with controller.breaker() as breaker:
        controller.silent = True
        with pytest.raises(DeviceError):
            await breaker.read()
