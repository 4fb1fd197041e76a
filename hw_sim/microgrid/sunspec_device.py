"""A SunSpec device on Modbus TCP: owns reads, writes and their faults; what the points mean is its children's.

One device a port, unit 1, holding registers from address 40000. Registers are brought up to date when they are read.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hw_sim.microgrid.device_faults import DeviceFaults
from hw_sim.microgrid.sunspec_map import BASE_ADDRESS, SunSpecMap

UNIT = 1


class ModbusDevice(Protocol):
    """What can be served: its registers, and whether it is silent."""

    faults: DeviceFaults

    def device(self) -> SimDevice:
        """The map as pymodbus serves it."""
        ...


class SunSpecDevice(ABC):
    """One device. `advance` lets the world's time follow the clock before something is read or written."""

    def __init__(self, points: SunSpecMap, *, advance: Callable[[], None]) -> None:
        self.points = points
        self.faults = DeviceFaults()
        self._advance = advance

    @abstractmethod
    def refresh(self) -> None:
        """Bring all points up to date."""

    @abstractmethod
    def check(self, wanted: SunSpecMap, written: list[tuple[int, str]]) -> bool:
        """Whether the device can take these values; `wanted` holds them."""

    @abstractmethod
    def take(self, written: list[tuple[int, str]]) -> None:
        """Do what was written."""

    def device(self) -> SimDevice:
        """The map as pymodbus serves it."""
        return SimDevice(
            id=UNIT,
            simdata=[
                SimData(BASE_ADDRESS, count=len(self.points.registers), values=0, datatype=DataType.REGISTERS),
            ],
            action=self._access,
        )

    async def _access(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        values: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Called by pymodbus before each read and write; `registers` is the whole block, in place."""
        if self.faults.silent:
            return ExcCodes.DEVICE_FAILURE
        self._advance()
        if values is None:
            self.refresh()
            registers[:] = self.points.registers
            return None
        return self._write(address, [int(value) for value in values])

    def _write(self, address: int, values: list[int]) -> ExcCodes | None:
        if self.faults.reject_writes:
            return ExcCodes.DEVICE_BUSY
        if not self.points.writable(address, len(values)):
            return ExcCodes.ILLEGAL_ADDRESS
        written = self.points.points_at(address, len(values))
        before = list(self.points.registers)
        self._place(address, values)
        can = self.check(self.points, written)
        self.points.registers[:] = before
        if not can:
            return ExcCodes.ILLEGAL_VALUE
        if self.faults.ignore_writes:
            return None
        if self.faults.write_delay_s > 0:
            asyncio.get_running_loop().call_later(self.faults.write_delay_s, self._do, address, values, written)
        else:
            self._do(address, values, written)
        return None

    def _do(self, address: int, values: list[int], written: list[tuple[int, str]]) -> None:
        self._place(address, values)
        self.take(written)

    def _place(self, address: int, values: list[int]) -> None:
        start = address - BASE_ADDRESS
        self.points.registers[start : start + len(values)] = values


def fitting_scale(largest: float, *, top: int = 32_000, finest: int = -2) -> int:
    """The finest scale factor with which `largest` still fits into a signed register."""
    scale = finest
    while largest / 10.0**scale > top:
        scale += 1
    return scale


@asynccontextmanager
async def serve_modbus(served: ModbusDevice, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve one device; gives the port that was bound (0 asks for a free one)."""

    def trace(sending: bool, packet: bytes) -> bytes:
        return b"" if sending and served.faults.silent else packet

    server = ModbusTcpServer(served.device(), address=(host, port), trace_packet=trace)
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()
