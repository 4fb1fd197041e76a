"""The point of common coupling: owns the meter's SunSpec map and the tie breaker controller's plain Modbus map.

Meter: models 1 and 203, W positive where the island imports. Breaker, unit 1: coil 0 closes (1) and opens (0);
discrete inputs 0 closed, 1 tripped, 2 grid live, 3 in synchronism; input registers 0 grid frequency in mHz, 1 bus
frequency in mHz, 2 count of operations; holding register 0 watchdog counter.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from pymodbus.constants import ExcCodes
from pymodbus.simulator import DataType, SimData, SimDevice

from hw_sim.microgrid.device_faults import DeviceFaults
from hw_sim.microgrid.sunspec_device import UNIT, SunSpecDevice, fitting_scale
from hw_sim.microgrid.sunspec_map import ModelWish, SunSpecMap
from hw_sim.microgrid.world import World

LINE_V = 10_000.0
_READ_COILS, _READ_DISCRETE, _READ_INPUT = 1, 2, 4
_WRITE_COIL, _WRITE_HOLDING, _WRITE_COILS, _WRITE_HOLDINGS = 5, 6, 15, 16
_POWER_FAILURE = 1 << 2


class MeterDevice(SunSpecDevice):
    """The meter between utility and island."""

    def __init__(self, world: World, *, advance: Callable[[], None]) -> None:
        grid = world.config.grid
        watts = fitting_scale(1500.0 * max(grid.import_max_kw, grid.export_max_kw, 1.0), finest=0)
        scales = {"A_SF": -1, "V_SF": 0, "Hz_SF": -2, "W_SF": watts, "VA_SF": watts, "VAR_SF": watts, "PF_SF": -2}
        super().__init__(
            SunSpecMap([ModelWish(1), ModelWish(203, {**scales, "TotWh_SF": 0})]),
            advance=advance,
        )
        self._world = world
        put = self.points.put
        put(1, "Mn", "Invented Metering")
        put(1, "Md", "M-203")
        put(1, "Vr", "1.0")
        put(1, "SN", "pcc")
        put(1, "DA", 1)

    def refresh(self) -> None:
        """Bring all points up to date."""
        put, shown, world = self.points.put, self.faults.shown, self._world
        watts = shown("W", world.grid_kw * 1000.0)
        volts = LINE_V if world.grid.live else 0.0
        amps = watts / (math.sqrt(3) * LINE_V)
        put(203, "A", amps)
        for phase in "ABC":
            put(203, f"Aph{phase}", amps)
            put(203, f"PhVph{phase}", volts / math.sqrt(3))
            put(203, f"Wph{phase}", watts / 3)
        for point in ("PPV", "PhVphAB", "PhVphBC", "PhVphCA"):
            put(203, point, volts)
        put(203, "PhV", volts / math.sqrt(3))
        put(203, "Hz", shown("Hz", world.grid.hz))
        put(203, "W", watts)
        put(203, "VA", abs(watts))
        put(203, "VAR", 0.0)
        put(203, "PF", 100.0)
        put(203, "TotWhExp", shown("TotWhExp", world.energies.export_kwh * 1000.0))
        put(203, "TotWhImp", shown("TotWhImp", world.energies.import_kwh * 1000.0))
        put(203, "Evt", 0 if world.grid.live else _POWER_FAILURE)

    def check(self, wanted: SunSpecMap, written: list[tuple[int, str]]) -> bool:
        """Its address is all that could be written, and that stays."""
        return wanted.get(1, "DA") == 1

    def take(self, written: list[tuple[int, str]]) -> None:
        """Nothing follows."""


class BreakerDevice:
    """The tie breaker's controller. It refuses nothing: an order to close waits for synchronism and may lapse."""

    def __init__(self, world: World, *, advance: Callable[[], None]) -> None:
        self.faults = DeviceFaults()
        self._world = world
        self._advance = advance

    def device(self) -> SimDevice:
        """The map as pymodbus serves it."""
        bits, words = DataType.BITS, DataType.REGISTERS
        return SimDevice(
            id=UNIT,
            simdata=(
                [SimData(0, values=[False] * 16, datatype=bits)],
                [SimData(0, values=[False] * 16, datatype=bits)],
                [SimData(0, count=1, values=0, datatype=words)],
                [SimData(0, count=3, values=0, datatype=words)],
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
        if self.faults.silent:
            return ExcCodes.DEVICE_FAILURE
        self._advance()
        if values is None:
            self._refresh(function, registers)
            return None
        if self.faults.reject_writes:
            return ExcCodes.DEVICE_BUSY
        if self.faults.ignore_writes:
            return None
        if self.faults.write_delay_s > 0:
            asyncio.get_running_loop().call_later(self.faults.write_delay_s, self._write, function, address, values[0])
        else:
            self._write(function, address, values[0])
        return None

    def _write(self, function: int, address: int, value: int | bool) -> None:
        if address != 0:
            return
        if function in (_WRITE_COIL, _WRITE_COILS):
            self._world.breaker.order(close=bool(value))
        elif function in (_WRITE_HOLDING, _WRITE_HOLDINGS):
            self._world.breaker.beat = int(value)

    def _refresh(self, function: int, registers: list[int]) -> None:
        world, shown = self._world, self.faults.shown
        breaker = world.breaker
        if function == _READ_COILS:
            registers[0] = int(breaker.closed)
        elif function == _READ_DISCRETE:
            bits = (breaker.closed, breaker.tripped, world.grid.live, breaker.in_synchronism)
            registers[0] = int(shown("bits", float(sum(bit << n for n, bit in enumerate(bits))))) & 0xFFFF
        elif function == _READ_INPUT:
            grid_mhz, bus_mhz = shown("grid", world.grid.hz * 1000.0), shown("bus", world.bus.hz * 1000.0)
            registers[:3] = [_word(grid_mhz), _word(bus_mhz), breaker.operations & 0xFFFF]
        else:
            registers[0] = breaker.beat


def _word(value: float) -> int:
    return max(0, min(0xFFFF, round(value)))
