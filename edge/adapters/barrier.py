"""The barrier controller's register map: owns which address means what, and the order of a command's writes.

Discrete inputs 0 to 7: loop A, loop B, beam, limit open, limit closed, fault, loop A fault, loop B fault.
Coils: 0 open (pulse), 1 close (pulse), 2 lamp. Holding: 0 command id, 1 watchdog counter. Input: 0 position %.
"""

from __future__ import annotations

import zlib

from control.domain.errors import DeviceError
from edge.adapters.modbus import ModbusLink
from edge.ports import BarrierState

INPUTS = 8
COIL_OF_ACTION = {"open": 0, "close": 1}
COIL_LAMP = 2
HOLDING_COMMAND_ID, HOLDING_WATCHDOG = 0, 1
INPUT_POSITION = 0


class ModbusBarrier:
    """Drives one barrier. Whether it may move is decided in `control.gate.lane`, never here."""

    def __init__(self, link: ModbusLink) -> None:
        self._link = link
        self._beats = 0

    async def read(self) -> BarrierState:
        """Inputs as they are now; a loop that reports its own fault is None."""
        bits = await self._link.read_discrete(0, INPUTS)
        position = (await self._link.read_input(INPUT_POSITION, 1))[0]
        loop_a, loop_b, beam, limit_open, limit_closed, fault, loop_a_fault, loop_b_fault = bits
        return BarrierState(
            loop_a=None if loop_a_fault else loop_a,
            loop_b=None if loop_b_fault else loop_b,
            beam=beam,
            limit_open=limit_open,
            limit_closed=limit_closed,
            fault=fault or (limit_open and limit_closed),
            position_percent=min(position, 100),
        )

    async def command(self, action: str, *, command_id: str) -> None:
        """Name the command, check that the controller holds the name, then pulse its coil.

        Without a matching name nothing is pulsed: a controller that does not keep what is written to it
        must not move.
        """
        await self._link.write_holding(HOLDING_COMMAND_ID, [short_id(command_id)])
        await self._link.write_coil(COIL_OF_ACTION[action], True)

    async def lamp(self, *, green: bool) -> None:
        """Show green or red, and check that the lamp's coil kept it."""
        await self._link.write_coil(COIL_LAMP, green)
        if await self._link.read_coils(COIL_LAMP, 1) != [green]:
            raise DeviceError("controller: the lamp's coil does not keep what is written")

    async def beat(self) -> None:
        """Tell the controller's watchdog that we are alive; the counter is read back."""
        self._beats = (self._beats + 1) % 0x10000
        await self._link.write_holding(HOLDING_WATCHDOG, [self._beats])

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._link.aclose()


def short_id(command_id: str) -> int:
    """The low 16 bits of a command's fingerprint, never 0."""
    return (zlib.crc32(command_id.encode()) & 0xFFFF) or 1
