"""The tie breaker's controller over Modbus TCP: owns its register map and reading back its coil.

Coil 0: close (1) or open (0). Discrete inputs: 0 closed, 1 tripped, 2 grid live, 3 in synchronism. Input registers:
0 grid frequency in mHz, 1 bus frequency in mHz, 2 operations counted. Holding register 0: watchdog counter.
Whether it may close is decided in `control.energy`, and once more by the controller itself.
"""

from __future__ import annotations

from control.domain.energy import Point, Quality
from edge.adapters.modbus import ModbusLink, RegisterRefused
from edge.energy.ports import BreakerReading, WriteNotTaken, unknown

COIL_CLOSE = 0
INPUTS, MEASURED = 4, 3
HOLDING_WATCHDOG = 0
HZ_MIN, HZ_MAX = 40.0, 70.0
WRITE_TRIES = 2


class TieBreaker:
    """One breaker between the microgrid and the utility."""

    def __init__(self, link: ModbusLink, *, name: str) -> None:
        self._link, self._name = link, name
        self._beats = 0

    async def read(self) -> BreakerReading:
        """State now; the frequency of a side without voltage is INVALID. Raises DeviceError."""
        closed, tripped, grid_live, in_synchronism = await self._link.read_discrete(0, INPUTS)
        grid_mhz, bus_mhz, operations = await self._link.read_input(0, MEASURED)
        return BreakerReading(
            closed=closed,
            tripped=tripped,
            grid_live=grid_live,
            in_synchronism=in_synchronism,
            grid_hz=_hertz(grid_mhz),
            bus_hz=_hertz(bus_mhz),
            operations=operations,
        )

    async def close(self) -> None:
        """Ask it to close. Raises WriteNotTaken, DeviceError."""
        await self._set(True)

    async def open(self) -> None:
        """Ask it to open. Raises WriteNotTaken, DeviceError."""
        await self._set(False)

    async def beat(self) -> None:
        """Tell the controller's watchdog that we are alive; the counter is read back. Raises DeviceError."""
        self._beats = (self._beats + 1) % 0x10000
        await self._link.write_holding(HOLDING_WATCHDOG, [self._beats])

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._link.aclose()

    async def _set(self, closed: bool) -> None:
        found: float | None = None
        for _ in range(WRITE_TRIES):
            try:
                await self._link.write_coil(COIL_CLOSE, closed)
            except RegisterRefused:
                found = None
                continue
            held = (await self._link.read_coils(COIL_CLOSE, 1))[0]
            if held == closed:
                return
            found = float(held)
        raise WriteNotTaken(self._name, "close" if closed else "open", wanted=float(closed), found=found)


def _hertz(millihertz: int) -> Point:
    hz = millihertz / 1000.0
    return Point(hz, "Hz", 0.0, Quality.GOOD) if HZ_MIN <= hz <= HZ_MAX else unknown("Hz")
