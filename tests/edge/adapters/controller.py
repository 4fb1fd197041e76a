"""A barrier controller on a real Modbus TCP socket, with the faults that the tests need."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

WRITE_CODES = (5, 6, 15, 16)
COIL_CODES = (1, 5, 15)


class Controller:
    """Serves the register map. `writes` lists what was written, in order."""

    def __init__(self) -> None:
        self.inputs = [False] * 8
        self.inputs[4] = True
        self.position = 0
        self.writes: list[tuple[str, int, list[int]]] = []
        self.silent = False
        self.forgets = False
        self.refuses = False
        self.port = 0

    async def _act(self, code, start, address, count, registers, values):
        if self.silent:
            await asyncio.sleep(30)
        if self.refuses:
            return ExcCodes.DEVICE_FAILURE
        if code == 2:
            registers[0] = sum(bit << place for place, bit in enumerate(self.inputs))
        if code == 4:
            registers[address - start] = self.position
        if code in WRITE_CODES and values is not None:
            self.writes.append(("coil" if code in COIL_CODES else "holding", address, [int(v) for v in values]))
            if self.forgets:
                values[:] = [0] * len(values)
        return None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Controller]:
        coils = SimData(0, count=16, values=False, datatype=DataType.BITS)
        inputs = SimData(0, count=16, values=False, datatype=DataType.BITS)
        holding = SimData(0, count=160, values=0, datatype=DataType.REGISTERS)
        measured = SimData(0, count=8, values=0, datatype=DataType.REGISTERS)
        device = SimDevice(1, simdata=([coils], [inputs], [holding], [measured]), action=self._act)
        server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await server.listen()
        self.port = server.transport.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            await server.shutdown()
