"""The message display: owns how a text becomes registers 100 to 140."""

from __future__ import annotations

from edge.adapters.modbus import ModbusLink
from edge.ports import LampColour

TEXT_ADDRESS, TEXT_CHARACTERS = 100, 40
COLOUR_CODES = {LampColour.NONE: 0, LampColour.GREEN: 1, LampColour.RED: 2, LampColour.AMBER: 3}


class ModbusDisplay:
    """Shows a text; a text that already stands there is not written again."""

    def __init__(self, link: ModbusLink) -> None:
        self._link = link
        self._shown: tuple[str, LampColour] | None = None

    async def show(self, text: str, colour: LampColour) -> None:
        """Show up to 40 characters; raises DeviceError."""
        if self._shown == (text, colour):
            return
        self._shown = None
        await self._link.write_holding(TEXT_ADDRESS, registers_of(text, colour))
        self._shown = (text, colour)

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._link.aclose()


def registers_of(text: str, colour: LampColour) -> list[int]:
    """41 registers: one UTF-16 unit a character, blanks after the end, then the colour.

    A character outside the basic plane would need two units and becomes a question mark.
    """
    units = [ord(char) if ord(char) < 0x10000 else ord("?") for char in text[:TEXT_CHARACTERS]]
    return units + [0] * (TEXT_CHARACTERS - len(units)) + [COLOUR_CODES[colour]]
