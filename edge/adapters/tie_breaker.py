"""The tie breaker's controller over Modbus TCP: owns its register map and reading back its coil.

Coil 0: written, close (1) or open (0); read, whether it is closed. Discrete inputs: 0 closed, 1 tripped, 2 grid live,
3 in synchronism. Input registers: 0 grid frequency in mHz, 1 bus frequency in mHz, 2 operations counted. Holding
register 0: watchdog counter.
Whether it may close is decided in `control.energy`, and once more by the controller itself.
"""

from __future__ import annotations

import asyncio

from control.domain.energy import Point, Quality
from edge.adapters.modbus import ModbusLink, RegisterRefused
from edge.energy.ports import BreakerReading, WriteNotTaken, unknown

COIL_CLOSE = 0
INPUTS, MEASURED = 4, 3
HOLDING_WATCHDOG = 0
HZ_MIN, HZ_MAX = 40.0, 65.0
WRITE_TRIES = 2
LOOKS, LOOK_PAUSE_S = 3, 0.05


class TieBreaker:
    """One breaker between the microgrid and the utility."""

    def __init__(self, link: ModbusLink, *, name: str) -> None:
        self._link, self._name = link, name
        self._beats = 0

    async def read(self) -> BreakerReading:
        """State now. A bus without voltage has 0 Hz; the utility's side then is not `grid_live`, its frequency INVALID.

        Raises DeviceError.
        """
        closed, tripped, grid_live, in_synchronism = await self._link.read_discrete(0, INPUTS)
        grid_mhz, bus_mhz, operations = await self._link.read_input(0, MEASURED)
        return BreakerReading(
            closed=closed,
            tripped=tripped,
            grid_live=grid_live,
            in_synchronism=in_synchronism,
            grid_hz=_hertz(grid_mhz),
            bus_hz=Point(0.0, "Hz", 0.0, Quality.GOOD) if bus_mhz == 0 else _hertz(bus_mhz),
            operations=operations,
        )

    async def close(self) -> None:
        """Ask it to close; it waits for synchronism first, or never does. Raises WriteNotTaken when it refuses."""
        await self._order(closed=True)

    async def open(self) -> None:
        """Open it, and see that it does. Raises WriteNotTaken, DeviceError."""
        await self._order(closed=False)
        for _ in range(LOOKS):
            if not (await self._link.read_coils(COIL_CLOSE, 1))[0]:
                return
            await asyncio.sleep(LOOK_PAUSE_S)
        raise WriteNotTaken(self._name, "open", wanted=0.0, found=1.0)

    async def beat(self) -> None:
        """Tell the controller's watchdog that we are alive; the counter is read back. Raises DeviceError."""
        self._beats = (self._beats + 1) % 0x10000
        await self._link.write_holding(HOLDING_WATCHDOG, [self._beats])

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._link.aclose()

    async def _order(self, *, closed: bool) -> None:
        for trial in range(1, WRITE_TRIES + 1):
            try:
                await self._link.write_coil(COIL_CLOSE, closed)
            except RegisterRefused as error:
                if trial == WRITE_TRIES:
                    what = "close" if closed else "open"
                    raise WriteNotTaken(self._name, what, wanted=float(closed), found=None) from error
            else:
                return


def _hertz(millihertz: int) -> Point:
    hz = millihertz / 1000.0
    return Point(hz, "Hz", 0.0, Quality.GOOD) if HZ_MIN <= hz <= HZ_MAX else unknown("Hz")
