"""Something changed: owns waking the cycles, and those who show them, without queues."""

from __future__ import annotations

import asyncio


class Changes:
    """A counter that can be waited for. Many changes between two looks are one."""

    def __init__(self) -> None:
        self.count = 0
        self._event = asyncio.Event()

    def tell(self) -> None:
        """Something changed."""
        self.count += 1
        self._event.set()
        self._event = asyncio.Event()

    async def after(self, seen: int, *, timeout_s: float) -> int:
        """The count, once it is above `seen` or the time is over."""
        if self.count <= seen:
            event = self._event
            try:
                async with asyncio.timeout(timeout_s):
                    await event.wait()
            except TimeoutError:
                pass
        return self.count
