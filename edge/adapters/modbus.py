"""One Modbus TCP connection: owns connecting, the timeout of every call, and what counts as an answer.

A call that fails closes the connection, so that a late answer can never be taken for the next one's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from control.domain.errors import DeviceError

Method = Callable[..., Awaitable[Any]]


class RegisterRefused(DeviceError):
    """The controller answered with a Modbus exception: it is there, but not this address or this value."""


class ModbusLink:
    """Serialises calls to one controller. Every method raises DeviceError."""

    def __init__(self, *, host: str, port: int, unit: int, timeout_s: float) -> None:
        self._where, self._unit, self._timeout_s = f"{host}:{port}", unit, timeout_s
        self._client = AsyncModbusTcpClient(host, port=port, timeout=timeout_s, retries=0, reconnect_delay=0)
        self._turn = asyncio.Lock()
        self.connections = 0  # made so far; who is at the other end may have changed with each

    async def read_discrete(self, address: int, count: int) -> list[bool]:
        """Discrete inputs."""
        answer = await self._call(self._client.read_discrete_inputs, address, count=count)
        return list(answer.bits[:count])

    async def read_coils(self, address: int, count: int) -> list[bool]:
        """Coils."""
        answer = await self._call(self._client.read_coils, address, count=count)
        return list(answer.bits[:count])

    async def read_input(self, address: int, count: int) -> list[int]:
        """Input registers."""
        answer = await self._call(self._client.read_input_registers, address, count=count)
        return self._registers(answer.registers, count)

    async def read_holding(self, address: int, count: int) -> list[int]:
        """Holding registers."""
        answer = await self._call(self._client.read_holding_registers, address, count=count)
        return self._registers(answer.registers, count)

    async def write_coil(self, address: int, value: bool) -> None:
        """One coil."""
        await self._call(self._client.write_coil, address, value)

    async def write_holding(self, address: int, values: list[int]) -> None:
        """Holding registers, read back and compared."""
        await self.write_registers(address, values)
        found = await self.read_holding(address, len(values))
        if found != values:
            raise DeviceError(f"controller {self._where}: register {address} holds {found[:4]}, not what was written")

    async def write_registers(self, address: int, values: list[int]) -> None:
        """Holding registers; whoever calls reads back what matters."""
        await self._call(self._client.write_registers, address, values)

    async def aclose(self) -> None:
        """Let go of the connection."""
        self._client.close()

    def _registers(self, registers: list[int], count: int) -> list[int]:
        if len(registers) != count:
            raise DeviceError(f"controller {self._where}: answered {len(registers)} of {count} registers")
        return list(registers)

    async def _call(self, method: Method, address: int, *arguments: Any, **keywords: Any) -> Any:
        async with self._turn:
            call = asyncio.create_task(self._exchange(method, address, *arguments, **keywords))
            try:
                # The library turns a cancellation into an error of its own, so it never gets to see ours.
                await asyncio.wait([call], timeout=2 * self._timeout_s)
            finally:
                if not call.done():
                    self._abandon(call)
            return self._answer(call, address)

    async def _exchange(self, method: Method, address: int, *arguments: Any, **keywords: Any) -> Any:
        await self._connect()
        return await method(address, *arguments, device_id=self._unit, **keywords)

    def _abandon(self, call: asyncio.Task[Any]) -> None:
        call.cancel()
        call.add_done_callback(lambda task: task.cancelled() or task.exception())
        self._client.close()

    def _answer(self, call: asyncio.Task[Any], address: int) -> Any:
        if not call.done():
            raise DeviceError(f"controller {self._where}: no answer within {2 * self._timeout_s} s")
        try:
            answer = call.result()
        except (ModbusException, OSError) as error:
            self._client.close()
            raise DeviceError(f"controller {self._where}: no answer ({type(error).__name__})") from error
        if answer.isError():
            raise RegisterRefused(f"controller {self._where}: refused address {address}: {answer}")
        return answer

    async def _connect(self) -> None:
        if self._client.connected:
            return
        if not await self._client.connect():
            raise ConnectionError(self._where)
        self.connections += 1
