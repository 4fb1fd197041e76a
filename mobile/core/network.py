"""Whether the island can be reached: owns what the outcome of calls says, and a light question while it cannot."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mobile.core.errors import ApiProblem, Offline
from mobile.core.signal import Signal


@dataclass(frozen=True, slots=True)
class Asking:
    """How often to ask while offline: later and later."""

    first_s: float = 3.0
    most_s: float = 60.0


class Network:
    """`online` is None until a first call has ended. `draw` gives numbers from 0 to 1."""

    def __init__(self, asking: Asking, draw: Callable[[], float]) -> None:
        self.changed = Signal()
        self.online: bool | None = None
        self._asking = asking
        self._draw = draw
        self._turned = asyncio.Event()

    def heard(self, date_header: str, sent_s: float, received_s: float) -> None:
        """A call came through."""
        self._turn(online=True)

    def lost(self) -> None:
        """A call did not."""
        self._turn(online=False)

    def _turn(self, *, online: bool) -> None:
        if online == self.online:
            return
        self.online = online
        self._turned.set()
        self.changed.emit()

    async def watch(self, ask: Callable[[], Awaitable[object]]) -> None:
        """Asks while offline, for ever; any answer of the island turns it online."""
        wait_s = self._asking.first_s
        while True:
            if self.online is not False:
                self._turned.clear()
                await self._turned.wait()
                wait_s = self._asking.first_s
                continue
            await asyncio.sleep(wait_s * (0.5 + 0.5 * self._draw()))
            wait_s = min(self._asking.most_s, 2 * wait_s)
            try:
                await ask()
            except (ApiProblem, Offline):
                continue
