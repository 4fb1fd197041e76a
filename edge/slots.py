"""A place for the newest value only: owns the answer to "full", which is that the older value goes."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class Slot(Generic[T]):
    """Holds one value. `put` replaces an untaken one and counts it as dropped; `take` waits for the next."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._filled = asyncio.Event()
        self.dropped = 0

    def put(self, value: T) -> None:
        """Offer a value; never waits."""
        self.dropped += self._filled.is_set()
        self._value = value
        self._filled.set()

    async def take(self) -> T:
        """Wait for a value that nobody has taken yet."""
        await self._filled.wait()
        self._filled.clear()
        value, self._value = self._value, None
        assert value is not None
        return value
