"""Barrier controller over Modbus TCP: owns the register map and the ways in which a controller misbehaves.

Unit 1. Discrete inputs: 0 loop A, 1 loop B, 2 beam, 3 open limit, 4 closed limit, 5 fault, 6 loop A fault,
7 loop B fault. Coils: 0 open pulse, 1 close pulse, 2 lamp (1 green), 3 siren. Input registers: 0 position in
percent, 1 cycle count, 2 firmware. Holding registers: 0 command id, 1 watchdog counter, 2 position mirror,
100 to 139 display text in UTF-16, 140 display colour (0 none, 1 green, 2 red, 3 amber).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from hw_sim.world import LaneWorld, Light

UNIT = 1
FIRMWARE = 0x0102
WATCHDOG_LIMIT_S = 5.0
PULSE_S = 0.5
COIL_OPEN, COIL_CLOSE, COIL_LAMP, COIL_SIREN = range(4)
HOLDING_COMMAND_ID, HOLDING_WATCHDOG, HOLDING_POSITION = 0, 1, 2
DISPLAY_TEXT, DISPLAY_WORDS, DISPLAY_COLOUR = 100, 40, 140
_LIGHTS = (Light.NONE, Light.GREEN, Light.RED, Light.AMBER)
_READ_COILS, _READ_INPUTS, _READ_HOLDING, _READ_INPUT_REGISTERS = 1, 2, 3, 4
_WRITE_COIL, _WRITE_HOLDING, _WRITE_COILS, _WRITE_HOLDINGS = 5, 6, 15, 16


@dataclass(slots=True)
class ControllerFaults:
    """Switches of the controller's misbehaviour. `silent` executes nothing and answers nothing."""

    silent: bool = False
    reject_writes: bool = False
    write_delay_s: float = 0.0


class Pulse(NamedTuple):
    """One pulse as it came, with the command that register 0 named."""

    command_id: int
    action: str


class BarrierController:
    """Turns register accesses into commands to one lane, and the lane's state into registers."""

    def __init__(self, lane: LaneWorld, *, clock: Callable[[], float]) -> None:
        self.lane = lane
        self.faults = ControllerFaults()
        self._clock = clock
        self._watchdog_at: float | None = None
        self._watchdog_value: int | None = None
        self.pulses: list[Pulse] = []
        self._command_id = 0
        self._pulse: int | None = None
        self._pulse_at = -PULSE_S

    @property
    def watchdog_expired(self) -> bool:
        """Whether the gateway has stopped counting. The boom then keeps its position and the fault bit is set."""
        return self._watchdog_at is not None and self._clock() - self._watchdog_at > WATCHDOG_LIMIT_S

    def device(self) -> SimDevice:
        """The map as pymodbus serves it."""
        bits = DataType.BITS
        return SimDevice(
            id=UNIT,
            simdata=(
                [SimData(0, values=[False] * 16, datatype=bits)],
                [SimData(0, values=[False] * 16, datatype=bits)],
                [SimData(0, count=DISPLAY_COLOUR + 1, values=0, datatype=DataType.REGISTERS)],
                [SimData(0, count=3, values=0, datatype=DataType.REGISTERS)],
            ),
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
        if values is None:
            self._refresh(function, registers)
            return None
        if self.faults.reject_writes:
            return ExcCodes.DEVICE_BUSY
        if self.faults.write_delay_s:
            await asyncio.sleep(self.faults.write_delay_s)
        self._write(function, address, list(values))
        return None

    def _refresh(self, function: int, registers: list[int]) -> None:
        if function == _READ_INPUTS:
            registers[0] = _bits(self.inputs())
        elif function == _READ_COILS:
            registers[0] = _bits(self.coils())
        elif function == _READ_INPUT_REGISTERS:
            registers[:3] = [self._percent, self.lane.boom.cycles & 0xFFFF, FIRMWARE]
        elif function == _READ_HOLDING:
            registers[HOLDING_POSITION] = self._percent

    @property
    def _percent(self) -> int:
        return round(self.lane.boom.position_frac * 100)

    def inputs(self) -> list[bool]:
        """The eight discrete inputs in order."""
        lane = self.lane
        return [
            lane.loop_a.occupied,
            lane.loop_b.occupied,
            lane.beam_interrupted,
            lane.boom.limit_open,
            lane.boom.limit_closed,
            self.watchdog_expired or lane.boom.stuck,
            lane.loop_a.fault_bit,
            lane.loop_b.fault_bit,
        ]

    def coils(self) -> list[bool]:
        """The four coils in order. A pulse falls back by itself; lamp and siren hold."""
        since_s = self._clock() - self._pulse_at
        opening, closing = (since_s < PULSE_S and self._pulse == coil for coil in (COIL_OPEN, COIL_CLOSE))
        return [opening, closing, self.lane.sign.lamp_green, self.lane.sign.siren]

    def _write(self, function: int, address: int, values: list[int] | list[bool]) -> None:
        if function in (_WRITE_COIL, _WRITE_COILS):
            for coil, value in enumerate(values, address):
                self._write_coil(coil, bool(value))
        elif function in (_WRITE_HOLDING, _WRITE_HOLDINGS):
            for register, value in enumerate(values, address):
                self._write_register(register, int(value))

    def _write_coil(self, coil: int, value: bool) -> None:
        if coil in (COIL_OPEN, COIL_CLOSE) and value:
            self._pulse, self._pulse_at = coil, self._clock()
            self.pulses.append(Pulse(self._command_id, "open" if coil == COIL_OPEN else "close"))
            self.lane.command_open() if coil == COIL_OPEN else self.lane.command_close()
        elif coil == COIL_LAMP:
            self.lane.sign.lamp_green = value
        elif coil == COIL_SIREN:
            self.lane.sign.siren = value

    def _write_register(self, register: int, value: int) -> None:
        if register == HOLDING_COMMAND_ID:
            self._command_id = value
        elif register == HOLDING_WATCHDOG and value != self._watchdog_value:
            self._watchdog_value, self._watchdog_at = value, self._clock()
        elif register == DISPLAY_COLOUR:
            self.lane.sign.light = _LIGHTS[value] if value < len(_LIGHTS) else Light.NONE
        elif DISPLAY_TEXT <= register < DISPLAY_TEXT + DISPLAY_WORDS:
            self.lane.sign.text = _with_word(self.lane.sign.text, register - DISPLAY_TEXT, value)


def _bits(values: list[bool]) -> int:
    return sum(bit << index for index, bit in enumerate(values))


def _with_word(text: str, index: int, word: int) -> str:
    """The display's text with one UTF-16 word replaced; a 0 ends it."""
    words = list(text.encode("utf-16-be").ljust(2 * DISPLAY_WORDS, b"\0"))
    words[2 * index : 2 * index + 2] = word.to_bytes(2, "big")
    return bytes(words).decode("utf-16-be", errors="replace").split("\0", 1)[0] if word else _cut(text, index)


def _cut(text: str, index: int) -> str:
    return text.encode("utf-16-be")[: 2 * index].decode("utf-16-be", errors="replace")


@asynccontextmanager
async def serve_controller(controller: BarrierController, *, host: str, port: int) -> AsyncIterator[int]:
    """Serve one controller; gives the port that was bound (0 asks for a free one)."""

    def trace(sending: bool, packet: bytes) -> bytes:
        return b"" if sending and controller.faults.silent else packet

    server = ModbusTcpServer(controller.device(), address=(host, port), trace_packet=trace)
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()
