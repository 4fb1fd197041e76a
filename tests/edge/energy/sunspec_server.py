"""A SunSpec device on a real Modbus TCP socket: its map is encoded by pysunspec2, its faults are switches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import sunspec2.device
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

MARK = [0x5375, 0x6E53]
END = [0xFFFF, 0]
READ_HOLDING, WRITE_ONE, WRITE_MANY = 3, 6, 16


def model(model_id: int, *, groups: dict[str, list[dict[str, Any]]] | None = None, **points: Any) -> list[int]:
    """Registers of one model; values are unscaled, names with `__` are of a group that occurs once."""
    data = {"ID": model_id, **points, **(groups or {})}
    made = sunspec2.device.Model(model_id, data=data)
    raw = made.get_mb()
    words = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
    words[1] = len(words) - 2
    return words


class SunSpecServer:
    """Serves `words` from `base` on. `requests` lists the function codes with address and count."""

    def __init__(self, *models: list[int], base: int = 40_000) -> None:
        self.base = base
        self.words = [*MARK, *(word for one in models for word in one), *END]
        self.requests: list[tuple[int, int, int]] = []
        self.silent = self.busy = False
        self.refuse_writes = False
        self.forget_writes = False
        self.write_delay_s = 0.0
        self.clip: dict[int, int] = {}
        self.port = 0

    def find(self, model_id: int) -> int:
        """Index into `words` of a model's ID register."""
        at = 2
        while self.words[at] != model_id:
            at += 2 + self.words[at + 1]
        return at

    def place(self, model_id: int, name: str) -> int:
        """Index into `words` of a point outside of groups."""
        at = self.find(model_id)
        for point in sunspec2.device.get_model_def(model_id, mapping=False)["group"]["points"]:
            if point["name"] == name:
                return at
            at += point["size"]
        raise KeyError(name)

    def put(self, model_id: int, name: str, *words: int) -> None:
        at = self.place(model_id, name)
        self.words[at : at + len(words)] = [word & 0xFFFF for word in words]

    def get(self, model_id: int, name: str) -> int:
        return self.words[self.place(model_id, name)]

    async def _act(self, code, start, address, count, registers, values):
        self.requests.append((code, address, count))
        if self.silent:
            await asyncio.sleep(30)
        at = address - self.base
        if self.busy and count > len(MARK):
            return ExcCodes.DEVICE_BUSY
        if not 0 <= at <= at + count <= len(self.words):
            return ExcCodes.ILLEGAL_ADDRESS
        if values is None:
            registers[address - start : address - start + count] = self.words[at : at + count]
            return None
        if self.refuse_writes:
            return ExcCodes.ILLEGAL_VALUE
        if self.write_delay_s:
            asyncio.get_running_loop().call_later(self.write_delay_s, self._take, at, list(values))
        elif not self.forget_writes:
            self._take(at, values)
        return None

    def _take(self, at: int, values: Iterable[int]) -> None:
        taken = [int(value) for value in values]
        self.words[at : at + len(taken)] = taken
        for place, highest in self.clip.items():
            self.words[place] = min(self.words[place], highest)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[SunSpecServer]:
        bits = [SimData(0, count=16, values=False, datatype=DataType.BITS)]
        low, high = 0, 0xFFFF
        holding = [SimData(low, count=high, values=0, datatype=DataType.REGISTERS)]
        inputs = [SimData(0, count=4, values=0, datatype=DataType.REGISTERS)]
        device = SimDevice(1, simdata=(bits, bits, holding, inputs), action=self._act)
        server = ModbusTcpServer(device, address=("127.0.0.1", self.port))
        await server.listen()
        self.port = server.transport.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            await server.shutdown()
